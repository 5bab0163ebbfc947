/* SPDX-License-Identifier: MIT */
/*
 * Watchers: the kernel's queue of events, read in bulk, and what each of them means.
 *
 * What was read stays in `in` until an event of it has been handed out or is known to mean nothing,
 * so that a call that is cut short has lost nothing. An event is consumed in the step that
 * hands it out, behind everything in that step that may fail.
 *
 * A rename comes as two events, which are joined by their cookie. The second one follows the first
 * closely, but others may stand between them, and it may not be there yet; so a first half without
 * a second waits for it, 10 ms, unless it was there during such a wait already.
 *
 * Folders that are new are looked through before the events behind them are, so that the tree
 * (watch_tree.c) is that of the moment of the event, as far as it can be known.
 */
#include "eddy/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/die.h"
#include "base/memory.h"
#include "base/stats.h"
#include "io/turn.h"
#include "loop/loop.h"
#include "os/watch_tree.h"

#define WATCH_BULK 16384 /* bytes of events that are read at once */
#define WATCH_PAIR 0.01  /* seconds that the second half of a rename may take */
#define WATCH_BITS (EDDY_WATCH_ALL | EDDY_WATCH_RECURSIVE)

struct eddy_watcher {
    eddy_loop *loop;
    struct ed_resource resource;
    int fd;
    struct ed_line line;   /* of who waits for an event: one */
    struct ed_line adders; /* of who adds a path: they do not wait for each other */
    struct ed_watch_tree tree;
    struct eddy_buffer_ in;    /* events of the kernel's */
    struct eddy_buffer_ texts; /* those of the event that was handed out */

    /* the first event is half a rename: until when it waits for the other half, or 0; how many
     * bytes there were when that began; and how many have been there for so long already */
    int64_t pair_until;
    size_t pair_size, settled;
};

/* An event of the kernel's that is being looked at. */
struct watch_raw {
    const char *name; /* "" when it has none */
    struct ed_watched *node;
    struct inotify_event head; /* ends in a name of no length */
};

static void watcher_free(eddy_watcher *w)
{
    ed_watch_tree_deinit(&w->tree);
    ed_buffer_release(&w->tree.found);
    ed_buffer_release(&w->in);
    ed_buffer_release(&w->texts);
    close(w->fd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -1);
    ed_free(w);
}

static void watcher_describe(struct ed_resource *resource, char *text, size_t size)
{
    const eddy_watcher *w = ed_container_of(resource, eddy_watcher, resource);
    const struct eddy_link_ *first = w->tree.roots.first;

    snprintf(text, size, "a watcher (%s)",
             first ? ed_container_of(first, struct ed_watched, link)->name : "of nothing");
}

/* The loop closes over it: nobody runs any more. */
static void watcher_left(struct ed_resource *resource, bool end)
{
    if (end)
        watcher_free(ed_container_of(resource, eddy_watcher, resource));
}

static int watcher_refused(int rc)
{
    if (rc != -EMFILE)
        return ed_raise(rc, "no watcher can be opened: %s", eddy_strerror(rc));
    return ed_raise(rc, "no watcher can be opened: the process has as many descriptors as may be, "
                        "or the user as many watchers: sysctl fs.inotify.max_user_instances");
}

int eddy_watcher_open(eddy_watcher **out)
{
    eddy_watcher *w;

    if (!eddy_thread_.loop)
        return ed_raise(-EPERM, "a watcher is opened outside a running loop");
    w = ed_alloc_zero(sizeof *w);
    if (!w)
        return ed_fail(-ENOMEM);
    w->fd = w->tree.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->fd < 0) {
        int rc = -errno;

        ed_free(w);
        return watcher_refused(rc);
    }
    w->loop = eddy_thread_.loop;
    w->resource.describe = watcher_describe;
    w->resource.close = watcher_left;
    ed_loop_enter_resource(w->loop, &w->resource);
    ed_loop_own(w->loop, w->fd);
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);
    *out = w;
    return 0;
}

void eddy_watcher_close(eddy_watcher **handle)
{
    eddy_watcher *w = *handle;

    if (!w)
        return;
    *handle = NULL;
    ED_ASSERT(w->loop == eddy_thread_.loop);
    ed_line_end(&w->line, -ESHUTDOWN);
    ed_line_end(&w->adders, -ESHUTDOWN);
    ed_line_wait(&w->line);
    ed_line_wait(&w->adders);
    ed_loop_remove_resource(w->loop, &w->resource);
    ed_loop_disown(w->loop, w->fd);
    ed_engine_forget(w->loop->engine, w->fd);
    watcher_free(w);
}

void eddy_watcher_end_scope_(eddy_watcher **watcher)
{
    eddy_watcher_close(watcher);
}

/* Adding. */

/* Watches all folders below a root, until nothing is left to be looked through. */
static int watcher_add_below(eddy_watcher *w, struct ed_watched *root)
{
    struct eddy_list_ queue = {NULL, NULL};
    int rc = 0;

    if (!(root->what & EDDY_WATCH_RECURSIVE))
        return 0;
    ed_watched_queue(root, &queue, ED_WATCH_QUIET);
    while (rc == 0 && queue.first && !w->adders.ended)
        rc = ed_watch_look(&w->tree, &queue);
    while (queue.first) /* cut short: with the root they all go */
        ed_watched_drop(&w->tree, ed_container_of(queue.first, struct ed_watched, queue_link));
    return rc;
}

static int watcher_add(eddy_watcher *w, const char *path, unsigned what)
{
    struct ed_watched *root = ed_watched_new(NULL, path, what);
    bool gone;
    int rc;

    if (!root)
        return ed_fail(-ENOMEM);
    root->adding = true;
    ed_watched_link(&w->tree, root);
    rc = ed_watched_enter(&w->tree, root);
    if (rc == 0)
        rc = watcher_add_below(w, root);
    if (rc == 0 && w->adders.ended)
        rc = ed_fail(w->adders.ended);
    gone = root->wd < 0; /* its end has been told already */
    root->adding = false;
    if (rc < 0 || gone)
        ed_watched_drop(&w->tree, root);
    return rc;
}

int eddy_watcher_add(eddy_watcher *w, const char *path, unsigned what)
{
    int rc = ed_checkpoint();
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    if (what & ~WATCH_BITS)
        return ed_raise(-EINVAL, "cannot watch %s for 0x%x", path, what & ~WATCH_BITS);
    ED_ASSERT(w->loop == eddy_thread_.loop);
    rc = ed_line_join(&w->adders, &turn);
    if (rc < 0)
        return rc;
    rc = watcher_add(w, path, what);
    ed_line_leave(&turn);
    return rc;
}

int eddy_watcher_remove(eddy_watcher *w, const char *path)
{
    struct ed_watched *root = ed_watched_root(&w->tree, path);

    if (!root)
        return ed_raise(-ENOENT, "%s is not watched", path);
    ed_watched_drop(&w->tree, root);
    return 0;
}

/* Handing out. */

/* Fills an event about `name` in `node`, moved from `old` unless that is NULL. 1 or -ENOMEM. */
static int watch_fill(eddy_watcher *w, eddy_watch_event *event, unsigned what, bool is_dir,
                      const struct watch_raw *old, const struct ed_watched *node, const char *name)
{
    const char *watched = ed_watched_top(node)->name;
    size_t at_watched, at_from;
    int rc;

    ed_buffer_release(&w->texts);
    rc = ed_watched_path(node, name, &w->texts);
    at_watched = ed_buffer_size(&w->texts);
    if (rc == 0)
        rc = ed_buffer_append(&w->texts, watched, strlen(watched) + 1);
    at_from = ed_buffer_size(&w->texts);
    if (rc == 0 && old)
        rc = ed_watched_path(old->node, old->name, &w->texts);
    if (rc < 0)
        return ed_fail(rc);
    *event = (eddy_watch_event){
        .what = what,
        .is_dir = is_dir,
        .path = ed_buffer_bytes(&w->texts),
        .name = ed_buffer_bytes(&w->texts) + at_watched - 1 - strlen(name),
        .from = old ? ed_buffer_bytes(&w->texts) + at_from : NULL,
        .watched = ed_buffer_bytes(&w->texts) + at_watched,
    };
    return 1;
}

/* The same if somebody asked for it; else 0. */
static int
watch_tell(eddy_watcher *w, eddy_watch_event *event, unsigned what, const struct watch_raw *raw)
{
    if (!(raw->node->what & what))
        return 0;
    return watch_fill(w, event, what, raw->head.mask & IN_ISDIR, NULL, raw->node, raw->name);
}

/* The same of something that has come into a folder, which may be a folder to be watched. */
static int
watch_tell_new(eddy_watcher *w, eddy_watch_event *event, unsigned what, const struct watch_raw *raw)
{
    bool watch = (raw->head.mask & IN_ISDIR) && (raw->node->what & EDDY_WATCH_RECURSIVE);
    struct ed_watched *folder = watch ? ed_watched_new(raw->node, raw->name, 0) : NULL;
    int rc = watch && !folder ? ed_fail(-ENOMEM) : watch_tell(w, event, what, raw);

    if (rc < 0)
        ed_watched_free(folder);
    if (rc < 0 || !folder)
        return rc;
    ed_watched_link(&w->tree, folder);
    ed_watched_queue(folder, &w->tree.unseen, ED_WATCH_NEW);
    return rc;
}

/* What is watched is not there any more; what is below it is told of by its folder. */
static int
watch_tell_end(eddy_watcher *w, eddy_watch_event *event, unsigned what, const struct watch_raw *raw)
{
    int rc = 0;

    if (!raw->node->parent)
        rc = watch_fill(w, event, what, raw->node->is_dir, NULL, raw->node, "");
    if (rc >= 0)
        ed_watched_drop(&w->tree, raw->node);
    return rc;
}

/* Looks at the event of the kernel's that begins behind `from` bytes of those that were read;
 * false: there is none. */
static bool watch_peek(const eddy_watcher *w, size_t from, struct watch_raw *raw)
{
    const char *at = ed_buffer_bytes(&w->in) + from;

    if (ed_buffer_size(&w->in) <= from)
        return false;
    memcpy(&raw->head, at, sizeof raw->head);
    raw->name = raw->head.len ? at + sizeof raw->head : "";
    raw->node = ed_watched_by_number(&w->tree, raw->head.wd);
    return true;
}

static size_t watch_size(const struct watch_raw *raw)
{
    return sizeof raw->head + raw->head.len;
}

/* The second half of a rename: where it begins among the bytes that were read; 0: it is not there,
 * or nobody watches what it is about any more. */
static size_t
watch_find_pair(const eddy_watcher *w, const struct watch_raw *from, struct watch_raw *to)
{
    for (size_t at = watch_size(from); watch_peek(w, at, to); at += watch_size(to))
        if ((to->head.mask & IN_MOVED_TO) && to->head.cookie == from->head.cookie)
            return to->node ? at : 0;
    return 0;
}

/* Takes the second half of a rename out: it means nothing any more. */
static void watch_clear(eddy_watcher *w, size_t at)
{
    struct inotify_event *head = (void *)(ed_buffer_bytes(&w->in) + at);

    memset(&head->mask, 0, sizeof head->mask);
}

/* A folder was renamed: in its tree it stays what it is, else its watch is another. `name` is the
 * tree's then. */
static void watch_move_folder(eddy_watcher *w, const struct watch_raw *from,
                              const struct watch_raw *to, struct ed_watched *folder, char *name)
{
    struct ed_watched *known = ed_watched_child(from->node, from->name);
    bool stays = known && folder && ed_watched_top(from->node) == ed_watched_top(to->node);

    if (stays) {
        ed_watched_move(known, to->node, name);
        ed_watched_queue_all(known, &w->tree.unseen);
        ed_watched_free(folder);
        return;
    }
    if (known)
        ed_watched_drop(&w->tree, known);
    ed_free(name);
    if (!folder)
        return;
    ed_watched_link(&w->tree, folder);
    ed_watched_queue(folder, &w->tree.unseen, ED_WATCH_NEW);
}

static int watch_tell_move(eddy_watcher *w, eddy_watch_event *event, const struct watch_raw *from,
                           const struct watch_raw *to)
{
    bool is_dir = from->head.mask & IN_ISDIR;
    bool watch = is_dir && (to->node->what & EDDY_WATCH_RECURSIVE);
    struct ed_watched *folder = watch ? ed_watched_new(to->node, to->name, 0) : NULL;
    char *name = watch ? ed_strdup(to->name) : NULL;
    int rc = watch && (!folder || !name) ? ed_fail(-ENOMEM) : 0;

    if (rc == 0 && ((from->node->what | to->node->what) & EDDY_WATCH_MOVED))
        rc = watch_fill(w, event, EDDY_WATCH_MOVED, is_dir, from, to->node, to->name);
    if (rc < 0) {
        ed_watched_free(folder);
        ed_free(name);
    } else if (is_dir) {
        watch_move_folder(w, from, to, folder, name);
    }
    return rc;
}

/* Whether the first event has waited for its other half for long enough; begins that. */
static bool watch_has_waited(eddy_watcher *w)
{
    int64_t now = ed_loop_now(w->loop);

    if (w->settled > 0)
        return true;
    if (!w->pair_until) {
        w->pair_until = now + ed_time_from_seconds(WATCH_PAIR);
        w->pair_size = ed_buffer_size(&w->in);
    }
    if (now < w->pair_until)
        return false;
    w->settled = w->pair_size;
    return true;
}

/* The first half of a rename. -EAGAIN: the second may still come. */
static int watch_tell_moved(eddy_watcher *w, eddy_watch_event *event, const struct watch_raw *from)
{
    struct watch_raw to;
    size_t at = watch_find_pair(w, from, &to);
    struct ed_watched *folder;
    int rc;

    if (at) {
        rc = watch_tell_move(w, event, from, &to);
        if (rc >= 0)
            watch_clear(w, at);
        return rc;
    }
    if (!watch_has_waited(w))
        return -EAGAIN;
    rc = watch_tell(w, event, EDDY_WATCH_MOVED_OUT, from);
    folder = from->head.mask & IN_ISDIR ? ed_watched_child(from->node, from->name) : NULL;
    if (rc >= 0 && folder)
        ed_watched_drop(&w->tree, folder);
    return rc;
}

static int watch_tell_overflow(eddy_watcher *w, eddy_watch_event *event)
{
    ed_watch_tree_renew(&w->tree);
    *event = (eddy_watch_event){.what = EDDY_WATCH_OVERFLOW, .path = "", .name = "", .watched = ""};
    return 1;
}

/* What an event of the kernel's means: 1 with an event, 0 nothing, or an error: it stays. */
static int watch_translate(eddy_watcher *w, eddy_watch_event *event, const struct watch_raw *raw)
{
    uint32_t mask = raw->head.mask;

    if (mask & IN_Q_OVERFLOW)
        return watch_tell_overflow(w, event);
    if (!raw->node || mask == 0)
        return 0;
    if (mask & IN_UNMOUNT)
        return watch_tell_end(w, event, EDDY_WATCH_UNMOUNTED, raw);
    if ((mask & (IN_DELETE_SELF | IN_IGNORED)) || ((mask & IN_MOVE_SELF) && !raw->node->parent))
        return watch_tell_end(w, event, EDDY_WATCH_GONE, raw);
    if (raw->node->parent && !*raw->name)
        return 0; /* its parent tells */
    if (mask & IN_CREATE)
        return watch_tell_new(w, event, EDDY_WATCH_CREATED, raw);
    if (mask & IN_MOVED_FROM)
        return watch_tell_moved(w, event, raw);
    if (mask & IN_MOVED_TO)
        return watch_tell_new(w, event, EDDY_WATCH_MOVED_IN, raw);
    if (mask & IN_DELETE)
        return watch_tell(w, event, EDDY_WATCH_DELETED, raw);
    if (mask & IN_CLOSE_WRITE)
        return watch_tell(w, event, EDDY_WATCH_CLOSED, raw);
    return watch_tell(w, event, mask & IN_MODIFY ? EDDY_WATCH_MODIFIED : EDDY_WATCH_ATTRIBUTES,
                      raw);
}

/* The next thing that was found in a new folder. As watch_translate. */
static int watch_tell_found(eddy_watcher *w, eddy_watch_event *event)
{
    struct ed_watch_tree *tree = &w->tree;
    const char *type = ed_buffer_bytes(&tree->found);
    size_t size = strlen(type) + 1;
    int rc = 0;

    if (tree->telling->what & EDDY_WATCH_CREATED)
        rc = watch_fill(w, event, EDDY_WATCH_CREATED, *type == 'd', NULL, tree->telling, type + 1);
    if (rc < 0)
        return rc;
    ed_buffer_consume(&tree->found, size);
    if (ed_buffer_size(&tree->found) == 0)
        tree->telling = NULL;
    return rc;
}

/* The next event of those that were read. -EAGAIN: none is left, or what is left is half of one. */
static int watch_tell_next(eddy_watcher *w, eddy_watch_event *event)
{
    struct watch_raw raw;
    int rc;

    if (!watch_peek(w, 0, &raw))
        return -EAGAIN;
    rc = watch_translate(w, event, &raw);
    if (rc >= 0) {
        w->pair_until = 0;
        w->settled -= w->settled < watch_size(&raw) ? w->settled : watch_size(&raw);
        ed_buffer_consume(&w->in, watch_size(&raw));
    }
    return rc;
}

/* Reading. */

static const struct ed_wait_kind watch_wait_kind = ED_TURN_WAIT_KIND("watcher.next");

/* Reads what the kernel has: 0, -EAGAIN when it has nothing, or another error. */
static int watch_read(eddy_watcher *w)
{
    struct ed_op op = {.kind = ED_OP_READ, .fd = w->fd};
    int rc = ed_buffer_reserve(&w->in, WATCH_BULK);

    if (rc < 0)
        return ed_fail(rc);
    op.data = ed_buffer_free_space(&w->in);
    op.size = WATCH_BULK;
    rc = ed_engine_try(&op);
    if (rc > 0)
        ed_buffer_commit(&w->in, (size_t)rc);
    if (ed_buffer_size(&w->in) == 0)
        ed_buffer_release(&w->in);
    return rc >= 0 ? 0 : rc == -EAGAIN ? rc : ed_fail(rc);
}

/* Waits until there is something to read, or the time for half an event is over. */
static int watch_wait(eddy_watcher *w, struct ed_turn *turn)
{
    int64_t left = w->pair_until - ed_loop_now(w->loop);
    int rc;

    EDDY_TIMEOUT(pair, w->pair_until ? ed_time_to_seconds(left) : EDDY_FOREVER);
    turn->awaited.op.kind = ED_OP_POLL;
    turn->awaited.op.fd = w->fd;
    turn->awaited.op.events = ED_POLL_IN;
    turn->awaited.op.steady = true;
    rc = ed_turn_await(turn, &watch_wait_kind);
    return rc == -ETIMEDOUT && eddy_timeout_expired(&pair) ? 0 : rc < 0 ? rc : 0;
}

/* One step towards the next event: 1 when it is there, 0 for another step, or an error. */
static int watch_step(eddy_watcher *w, struct ed_turn *turn, eddy_watch_event *event)
{
    int rc;

    if (w->tree.telling)
        return watch_tell_found(w, event);
    if (w->tree.unseen.first)
        return ed_watch_look(&w->tree, &w->tree.unseen);
    rc = watch_tell_next(w, event);
    if (rc != -EAGAIN)
        return rc;
    rc = watch_read(w);
    if (rc == -EAGAIN)
        rc = watch_wait(w, turn);
    return rc < 0 ? rc : ed_checkpoint();
}

/* Brings the next event, in the caller's turn: 0 or an error. */
static int watch_next(eddy_watcher *w, struct ed_turn *turn, eddy_watch_event *event)
{
    eddy_watch_event next;
    int rc;

    do {
        rc = watch_step(w, turn, &next);
        if (rc >= 0 && w->line.ended)
            return ed_fail(w->line.ended);
    } while (rc == 0);
    if (rc < 0)
        return rc;
    *event = next;
    return 0;
}

int eddy_watcher_next(eddy_watcher *w, eddy_watch_event *event)
{
    int rc = ed_checkpoint();
    ED_LINE_TURN(turn);

    if (rc < 0)
        return rc;
    ED_ASSERT(w->loop == eddy_thread_.loop);
    if (w->line.turns.first)
        return ed_raise(-EBUSY, "another task waits for an event of this watcher");
    rc = ed_line_join(&w->line, &turn);
    if (rc < 0)
        return rc;
    rc = watch_next(w, &turn, event);
    ed_line_leave(&turn);
    return rc;
}

/* Generators. */

static int events_body(eddy_generator *generator, void *args)
{
    eddy_watcher *w = *(eddy_watcher **)args;
    eddy_watch_event event;

    for (;;) {
        EDDY_TRY(eddy_watcher_next(w, &event));
        EDDY_TRY(eddy_generator_yield(generator, &event, sizeof event));
    }
}

eddy_generator *eddy_watcher_events(eddy_watcher *watcher)
{
    return eddy_generator_create(events_body, &watcher, sizeof watcher, sizeof(eddy_watch_event),
                                 "eddy_watcher_events", "eddy/watch.h");
}

struct watch_args {
    const char *path;
    unsigned what;
};

static int watch_body(eddy_generator *generator, void *args)
{
    const struct watch_args *a = args;
    EDDY_WATCHER watcher = NULL;
    eddy_watch_event event = {.what = 0};

    EDDY_TRY(eddy_watcher_open(&watcher));
    EDDY_TRY(eddy_watcher_add(watcher, a->path, a->what));
    while (!(event.what & (EDDY_WATCH_GONE | EDDY_WATCH_UNMOUNTED))) {
        EDDY_TRY(eddy_watcher_next(watcher, &event));
        EDDY_TRY(eddy_generator_yield(generator, &event, sizeof event));
    }
    return 0;
}

eddy_generator *eddy_watch(const char *path, unsigned what)
{
    struct watch_args args = {path, what};

    return eddy_generator_create(watch_body, &args, sizeof args, sizeof(eddy_watch_event),
                                 "eddy_watch", "eddy/watch.h");
}
