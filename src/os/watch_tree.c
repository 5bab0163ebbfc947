/* SPDX-License-Identifier: MIT */
/*
 * What a watcher watches: a tree for each path that was given, whose nodes are the folders below
 * it, and all nodes that the kernel knows in the order of its numbers.
 *
 * A folder that came later is new in two steps, each a job of a thread: its watch begins, and only
 * then it is looked through; the watches of the folders in it begin meanwhile, and they are looked
 * through next. So what is made in a folder at any time is either found or told by the kernel,
 * maybe both. The kernel itself knows whether a folder is watched already (IN_MASK_CREATE).
 *
 *     a node that has a number is in `watched`; one without waits in a queue, or is being added
 *
 * While a job runs, others may drop the node that it is about: then it finds in its struct looker
 * that there is none any more.
 */
#include "os/watch_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/watch.h"
#include "os/executor.h"
#include "task/task.h"

/* A task whose job is about a node. */
struct looker {
    struct eddy_link_ link;
    struct ed_watched *node; /* NULL: it was dropped meanwhile */
};

/* Nodes. */

struct ed_watched *ed_watched_new(struct ed_watched *parent, const char *name, unsigned what)
{
    struct ed_watched *node = ed_alloc_zero(sizeof *node);

    if (node)
        node->name = ed_strdup(name);
    if (!node || !node->name) {
        ed_free(node);
        return NULL;
    }
    node->parent = parent;
    node->what = parent ? parent->what : what;
    node->wd = -1;
    return node;
}

void ed_watched_free(struct ed_watched *node)
{
    if (!node)
        return;
    ed_free(node->name);
    ed_free(node);
}

static struct eddy_list_ *watched_siblings(struct ed_watch_tree *tree, struct ed_watched *node)
{
    return node->parent ? &node->parent->children : &tree->roots;
}

void ed_watched_link(struct ed_watch_tree *tree, struct ed_watched *node)
{
    ed_list_append(watched_siblings(tree, node), &node->link);
}

static void watched_unqueue(struct ed_watched *node)
{
    if (node->queue)
        ed_list_remove(node->queue, &node->queue_link);
    node->queue = NULL;
}

void ed_watched_queue(struct ed_watched *node, struct eddy_list_ *queue, enum ed_watch_look look)
{
    if (node->queue && node->look > look)
        return;
    watched_unqueue(node);
    node->queue = queue;
    node->look = look;
    ed_list_append(queue, &node->queue_link);
}

const struct ed_watched *ed_watched_top(const struct ed_watched *node)
{
    while (node->parent)
        node = node->parent;
    return node;
}

/* Newest first: a name may have been another folder's, of which the kernel has not told the end. */
struct ed_watched *ed_watched_child(const struct ed_watched *node, const char *name)
{
    for (struct eddy_link_ *link = node->children.last; link; link = link->prev) {
        struct ed_watched *child = ed_container_of(link, struct ed_watched, link);

        if (strcmp(child->name, name) == 0)
            return child;
    }
    return NULL;
}

struct ed_watched *ed_watched_root(const struct ed_watch_tree *tree, const char *path)
{
    for (struct eddy_link_ *link = tree->roots.last; link; link = link->prev) {
        struct ed_watched *root = ed_container_of(link, struct ed_watched, link);

        if (!root->adding && strcmp(root->name, path) == 0)
            return root;
    }
    return NULL;
}

/* Whether a slash comes behind the name of a node: a path that was given may end in one. */
static bool path_has_slash(const struct ed_watched *node)
{
    size_t length = strlen(node->name);

    return node->parent || (length > 0 && node->name[length - 1] != '/');
}

/* Puts a name before what is there already. */
static char *path_put(char *before, const char *name, bool slash)
{
    size_t length = strlen(name);

    if (slash)
        *--before = '/';
    return memcpy(before - length, name, length);
}

/* A tree is as deep as somebody makes it: nothing that goes through it calls itself. */
int ed_watched_path(const struct ed_watched *node, const char *name, struct eddy_buffer_ *out)
{
    size_t size = strlen(name) + 1;
    bool last = *name == '\0';
    char *at;

    for (const struct ed_watched *above = node; above; above = above->parent) {
        size += strlen(above->name) + (!last && path_has_slash(above));
        last = false;
    }
    if (ed_buffer_reserve(out, size) < 0)
        return -ENOMEM;
    at = ed_buffer_free_space(out) + size;
    *--at = '\0';
    at = path_put(at, name, false);
    last = *name == '\0';
    for (const struct ed_watched *above = node; above; above = above->parent) {
        at = path_put(at, above->name, !last && path_has_slash(above));
        last = false;
    }
    ed_buffer_commit(out, size);
    return 0;
}

/* The kernel's numbers. */

/* The place of a number among those that are watched, or where it belongs. */
static size_t watched_place(const struct ed_watch_tree *tree, int wd)
{
    size_t low = 0, high = tree->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tree->watched[middle]->wd < wd)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct ed_watched *ed_watched_by_number(const struct ed_watch_tree *tree, int wd)
{
    size_t place = watched_place(tree, wd);

    return place < tree->count && tree->watched[place]->wd == wd ? tree->watched[place] : NULL;
}

/* Gives a node its number, which nobody has. 0, or -ENOMEM: the watch has ended again. */
static int watched_enter(struct ed_watch_tree *tree, struct ed_watched *node, int wd)
{
    size_t place = watched_place(tree, wd);

    if (tree->count == tree->capacity) {
        size_t capacity = tree->capacity ? 2 * tree->capacity : 16;
        struct ed_watched **watched = ed_realloc(tree->watched, capacity * sizeof *watched);

        if (!watched) {
            inotify_rm_watch(tree->fd, wd);
            return ed_fail(-ENOMEM);
        }
        tree->watched = watched;
        tree->capacity = capacity;
    }
    memmove(tree->watched + place + 1, tree->watched + place,
            (tree->count - place) * sizeof *tree->watched);
    tree->watched[place] = node;
    tree->count++;
    node->wd = wd;
    return 0;
}

static void watched_leave(struct ed_watch_tree *tree, struct ed_watched *node)
{
    size_t place = watched_place(tree, node->wd);

    if (node->wd < 0)
        return;
    inotify_rm_watch(tree->fd, node->wd); /* EINVAL: the kernel has ended it */
    tree->count--;
    memmove(tree->watched + place, tree->watched + place + 1,
            (tree->count - place) * sizeof *tree->watched);
    node->wd = -1;
}

/* Drops a node that has no children. */
static void watched_drop_leaf(struct ed_watch_tree *tree, struct ed_watched *node)
{
    watched_leave(tree, node);
    watched_unqueue(node);
    ED_LIST_FOR_EACH(link, &tree->lookers) {
        struct looker *looker = ed_container_of(link, struct looker, link);

        if (looker->node == node)
            looker->node = NULL;
    }
    if (tree->telling == node) {
        tree->telling = NULL;
        ed_buffer_release(&tree->found);
    }
    if (node->adding)
        return;
    ed_list_remove(watched_siblings(tree, node), &node->link);
    ed_watched_free(node);
}

/* Those that came last go first: their numbers are the highest, behind which little moves up. */
void ed_watched_drop(struct ed_watch_tree *tree, struct ed_watched *node)
{
    struct ed_watched *leaf = node, *above;
    bool all;

    do {
        while (leaf->children.last)
            leaf = ed_container_of(leaf->children.last, struct ed_watched, link);
        above = leaf->parent;
        all = leaf == node;
        watched_drop_leaf(tree, leaf);
        leaf = above;
    } while (!all);
}

static void watched_drop_children(struct ed_watch_tree *tree, struct ed_watched *node)
{
    while (node->children.last)
        ed_watched_drop(tree, ed_container_of(node->children.last, struct ed_watched, link));
}

void ed_watch_tree_deinit(struct ed_watch_tree *tree)
{
    while (tree->roots.first) {
        struct ed_watched *root = ed_container_of(tree->roots.first, struct ed_watched, link);

        root->adding = false; /* by a task that was freed with its loop */
        ed_watched_drop(tree, root);
    }
    ed_free(tree->watched);
}

void ed_watched_move(struct ed_watched *node, struct ed_watched *parent, char *name)
{
    ed_list_remove(&node->parent->children, &node->link);
    ed_free(node->name);
    node->name = name;
    node->parent = parent;
    ed_list_append(&parent->children, &node->link);
}

/* The one behind a node on the way through a tree, each before its children; NULL: it was the
 * last. */
static struct ed_watched *watched_next(struct ed_watched *node, const struct ed_watched *top)
{
    if (node->children.first)
        return ed_container_of(node->children.first, struct ed_watched, link);
    while (node != top && !node->link.next)
        node = node->parent;
    return node == top ? NULL : ed_container_of(node->link.next, struct ed_watched, link);
}

void ed_watched_queue_all(struct ed_watched *node, struct eddy_list_ *queue)
{
    for (struct ed_watched *next = node; next; next = watched_next(next, node))
        ed_watched_queue(next, queue, ED_WATCH_KNOWN);
}

void ed_watch_tree_renew(struct ed_watch_tree *tree)
{
    ED_LIST_FOR_EACH(link, &tree->roots) {
        struct ed_watched *root = ed_container_of(link, struct ed_watched, link);

        if (!(root->what & EDDY_WATCH_RECURSIVE) || root->wd < 0)
            continue;
        watched_drop_children(tree, root);
        ed_watched_queue(root, root->queue ? root->queue : &tree->unseen, ED_WATCH_QUIET);
    }
}

/* Jobs. */

/* In the caller's frame, for a thread. */
struct watch_job {
    int fd;
    const char *path;
    uint32_t mask;
    bool below; /* the path is not one that was given: no link is followed */
    bool all;   /* files are listed as well */
    int wd;
    bool is_dir;
    struct eddy_buffer_ found; /* of each: its number or -1, 'd' or '-', its name, NUL */
    bool ran;
};

/* What the kernel is asked to tell. */
static uint32_t watch_mask(unsigned what)
{
    uint32_t mask = IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_CREATE | IN_EXCL_UNLINK;
    bool recursive = what & EDDY_WATCH_RECURSIVE;

    if (recursive || (what & EDDY_WATCH_CREATED))
        mask |= IN_CREATE;
    if (recursive || (what & (EDDY_WATCH_MOVED | EDDY_WATCH_MOVED_IN | EDDY_WATCH_MOVED_OUT)))
        mask |= IN_MOVE;
    mask |= what & EDDY_WATCH_MODIFIED ? IN_MODIFY : 0;
    mask |= what & EDDY_WATCH_CLOSED ? IN_CLOSE_WRITE : 0;
    mask |= what & EDDY_WATCH_DELETED ? IN_DELETE : 0;
    mask |= what & EDDY_WATCH_ATTRIBUTES ? IN_ATTRIB : 0;
    return mask;
}

static int watch_failed(int rc, const char *path)
{
    if (rc == -ENOSPC)
        return ed_raise(rc,
                        "cannot watch %s: the user has as many watches as may be, which "
                        "sysctl fs.inotify.max_user_watches tells and sets",
                        path);
    return ed_raise(rc, "cannot watch %s: %s", path,
                    rc == -EEXIST ? "it is watched already" : eddy_strerror(rc));
}

/* Whether an error means that a folder has gone since its name was read, or become something
 * else. */
static bool watch_is_past(int rc)
{
    return rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP;
}

/* In a thread: begins the watch of a path. */
static int enter_entry(void *args, void *result)
{
    struct watch_job *job = args;
    uint32_t below = job->below ? IN_ONLYDIR | IN_DONT_FOLLOW : 0;
    struct stat status;

    (void)result;
    job->ran = true;
    job->wd = inotify_add_watch(job->fd, job->path, job->mask | below);
    if (job->wd < 0)
        return watch_failed(-errno, job->path);
    job->is_dir = stat(job->path, &status) == 0 && S_ISDIR(status.st_mode);
    return 0;
}

static const struct eddy_async enter_function = {.entry = enter_entry, .name = "eddy_watcher_add"};

/* Runs a job about a node: 0 or an error; *node is NULL behind it when the node was dropped. */
static int watch_run(struct ed_watch_tree *tree, const struct eddy_async *function,
                     struct watch_job *job, struct ed_watched **node)
{
    struct looker looker = {.node = *node};
    struct eddy_buffer_ path = {.data = NULL};
    int rc = ed_watched_path(*node, "", &path);

    if (rc < 0) {
        ed_buffer_release(&path);
        return ed_fail(rc);
    }
    job->fd = tree->fd;
    job->path = ed_buffer_bytes(&path);
    job->mask = watch_mask((*node)->what);
    job->below = (*node)->parent != NULL;
    ed_list_append(&tree->lookers, &looker.link);
    rc = ed_executor_run(ED_POOL_FILES, function, job, NULL);
    ed_list_remove(&tree->lookers, &looker.link);
    ed_buffer_release(&path);
    *node = looker.node;
    return rc;
}

/* Watches a node. 1; 0 when it was dropped meanwhile; or an error. */
static int watch_enter(struct ed_watch_tree *tree, struct ed_watched **node, bool *ran)
{
    struct watch_job job = {.wd = -1};
    int rc = watch_run(tree, &enter_function, &job, node);

    *ran = job.ran;
    if (rc < 0)
        return rc;
    if (*node && ed_watched_by_number(tree, job.wd)) /* before Linux 4.18 */
        return ed_fail(-EEXIST);
    if (*node)
        (*node)->is_dir = job.is_dir;
    if (*node)
        return watched_enter(tree, *node, job.wd) < 0 ? -ENOMEM : 1;
    inotify_rm_watch(tree->fd, job.wd);
    return 0;
}

int ed_watched_enter(struct ed_watch_tree *tree, struct ed_watched *node)
{
    bool ran;
    int rc = watch_enter(tree, &node, &ran);

    return rc < 0 ? rc : 0;
}

/* In a thread: begins the watch of a folder in the folder of the job. Its number, -1 when it is
 * watched or gone, or an error. */
static int look_enter(const struct watch_job *job, const char *name)
{
    char path[PATH_MAX];
    int wd;

    if (snprintf(path, sizeof path, "%s/%s", job->path, name) >= (int)sizeof path)
        return watch_failed(-ENAMETOOLONG, job->path) - 1;
    wd = inotify_add_watch(job->fd, path, job->mask | IN_ONLYDIR | IN_DONT_FOLLOW);
    if (wd >= 0 || errno == EEXIST || watch_is_past(-errno))
        return wd >= 0 ? wd : -1;
    return watch_failed(-errno, path) - 1;
}

static int look_add(struct watch_job *job, int wd, bool is_dir, const char *name)
{
    size_t size = strlen(name) + 1;

    if (ed_buffer_reserve(&job->found, sizeof wd + 1 + size) < 0) {
        if (wd >= 0)
            inotify_rm_watch(job->fd, wd);
        return -ENOMEM;
    }
    (void)ed_buffer_append(&job->found, &wd, sizeof wd); /* there is room */
    (void)ed_buffer_append(&job->found, is_dir ? "d" : "-", 1);
    (void)ed_buffer_append(&job->found, name, size);
    return 0;
}

static bool look_is_dir(DIR *folder, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

/* In a thread: lists a folder that is open. The first error stands, but only a lack of memory ends
 * it. */
static int look_through(struct watch_job *job, DIR *folder)
{
    const struct dirent *entry;
    int rc = 0;

    while (rc != -ENOMEM && (errno = 0, entry = readdir(folder))) {
        bool is_dir = look_is_dir(folder, entry);
        int wd = -1;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (is_dir)
            wd = look_enter(job, entry->d_name);
        if (wd < -1)
            rc = rc ? rc : wd + 1;
        if ((job->all || wd >= 0) && look_add(job, wd < 0 ? -1 : wd, is_dir, entry->d_name) < 0)
            rc = -ENOMEM;
    }
    return rc ? rc : errno ? watch_failed(-errno, job->path) : 0;
}

static int look_entry(void *args, void *result)
{
    struct watch_job *job = args;
    int fd = open(job->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (job->below ? O_NOFOLLOW : 0));
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    int rc = folder ? 0 : -errno;

    (void)result;
    job->ran = true;
    if (!folder && fd >= 0)
        close(fd);
    if (!folder)
        return watch_is_past(rc) ? 0 : watch_failed(rc, job->path);
    rc = look_through(job, folder);
    closedir(folder);
    return rc;
}

static const struct eddy_async look_function = {.entry = look_entry, .name = "eddy_watcher_next"};

/* Takes a folder that was found: it is watched under that number. 0 or -ENOMEM. */
static int look_take(struct ed_watch_tree *tree, struct ed_watched *parent, enum ed_watch_look look,
                     int wd, const char *name, struct eddy_list_ *queue)
{
    struct ed_watched *node =
        ed_watched_by_number(tree, wd) ? NULL : ed_watched_new(parent, name, 0);
    int rc;

    if (!node) {
        if (ed_watched_by_number(tree, wd))
            return 0; /* before Linux 4.18 */
        inotify_rm_watch(tree->fd, wd);
        return ed_fail(-ENOMEM);
    }
    rc = watched_enter(tree, node, wd);
    if (rc < 0) {
        ed_watched_free(node);
        return rc;
    }
    ed_watched_link(tree, node);
    ed_watched_queue(node, queue, look == ED_WATCH_QUIET ? ED_WATCH_QUIET : ED_WATCH_NEW);
    return 0;
}

/* Takes what was found in a folder, or ends the watches of it. What is to be told is left in the
 * tree: such folders are looked through by one task, when there is nothing else to tell. `look` is
 * what the folder was looked through for; it may be queued for something else again. */
static int look_take_all(struct ed_watch_tree *tree, struct ed_watched *node,
                         enum ed_watch_look look, struct eddy_buffer_ *found,
                         struct eddy_list_ *queue)
{
    struct eddy_buffer_ tell = {.data = NULL};
    int rc = 0;

    while (ed_buffer_size(found) > 0) {
        const char *at = found->data + found->start, *type = at + sizeof(int);
        size_t size = strlen(type) + 1;
        int wd;

        memcpy(&wd, at, sizeof wd);
        if (wd >= 0 && node && rc == 0)
            rc = look_take(tree, node, look, wd, type + 1, queue);
        else if (wd >= 0)
            inotify_rm_watch(tree->fd, wd);
        if (node && look == ED_WATCH_NEW && rc == 0)
            rc = ed_buffer_append(&tell, type, size) < 0 ? ed_fail(-ENOMEM) : 0;
        ed_buffer_consume(found, sizeof wd + size);
    }
    if (rc == 0 && ed_buffer_size(&tell) > 0) {
        ED_ASSERT(!tree->telling);
        tree->telling = node;
        ed_buffer_take(&tree->found, &tell);
    }
    ed_buffer_release(&tell);
    return rc;
}

/* Looks through a folder that is watched. *again: it has to be done once more. */
static int
look_at(struct ed_watch_tree *tree, struct ed_watched **node, struct eddy_list_ *queue, bool *again)
{
    enum ed_watch_look look = (*node)->look;
    struct watch_job job = {.all = look == ED_WATCH_NEW};
    int rc = watch_run(tree, &look_function, &job, node), taken;

    taken = look_take_all(tree, *node, look, &job.found, queue);
    *again = !job.ran || rc == -ENOMEM || taken == -ENOMEM;
    if (job.ran && !*node)
        return 0; /* it was dropped meanwhile */
    return taken < 0 ? taken : rc;
}

int ed_watch_look(struct ed_watch_tree *tree, struct eddy_list_ *queue)
{
    struct ed_watched *node = ed_container_of(queue->first, struct ed_watched, queue_link);
    bool ran = true, again = false;
    int rc = 0;

    watched_unqueue(node);
    if (node->wd < 0) {
        rc = watch_enter(tree, &node, &ran);
        again = !ran || rc == -ENOMEM;
        if (rc < 0 && !again) {
            bool told = node && rc != -EEXIST && !watch_is_past(rc);

            if (node)
                ed_watched_drop(tree, node);
            return told ? rc : 0;
        }
    }
    if (rc >= 0 && node)
        rc = look_at(tree, &node, queue, &again);
    if (rc < 0 && again && node && !node->queue) {
        node->queue = queue;
        ed_list_prepend(queue, &node->queue_link);
    }
    return rc < 0 ? rc : 0;
}
