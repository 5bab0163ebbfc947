/* SPDX-License-Identifier: MIT */
/* Watching folders with all that is below them. */
#include <sys/inotify.h>

#include "os/executor.h"
#include "os/gate.h"
#include "os/watch_tree.h"
#include "os/watched.h"

#define RECURSIVE (EDDY_WATCH_RECURSIVE | EDDY_WATCH_ALL)

/* Whether one of the next events, all of which are taken, is this one. */
static bool comes(eddy_watcher *watcher, const char *text)
{
    const char *event;
    bool came = false;

    while (*(event = next(watcher)) && !test_is_cancelled())
        came |= strcmp(event, text) == 0;
    return came;
}

TEST(watch_tree_tells_of_folders_below)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(folders_make(&folder, "a", "a/b"));
    CHECK_OK(file_add(in(&folder, "a/b/old"), ""));
    CHECK_OK(watch_folder(&watcher, &folder, RECURSIVE & ~EDDY_WATCH_CLOSED));
    CHECK_OK(file_add(in(&folder, "a/b/c"), ""));
    CHECK_STR(next(watcher), "created a/b/c");
    CHECK_OK(rename(in(&folder, "a/b/c"), in(&folder, "c")));
    CHECK_STR(next(watcher), "moved c from a/b/c");
    CHECK_OK(chmod(in(&folder, "a"), 0750));
    CHECK_STR(next(watcher), "attributes a/");
    CHECK_OK(unlink(in(&folder, "a/b/old")));
    CHECK_OK(rmdir(in(&folder, "a/b")));
    CHECK_STR(next(watcher), "deleted a/b/old");
    CHECK_STR(next(watcher), "deleted a/b/");
    CHECK_STR(next(watcher), "");
}

/* What was made before the watch of a new folder began is told all the same. */
TEST(watch_tree_follows_folders_that_are_new)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_CREATED | EDDY_WATCH_RECURSIVE));
    CHECK_OK(folders_make(&folder, "a", "a/b", "a/b/c"));
    CHECK_OK(file_add(in(&folder, "a/b/c/d"), ""));
    CHECK_STR(next(watcher), "created a/");
    CHECK_STR(next(watcher), "created a/b/");
    CHECK_STR(next(watcher), "created a/b/c/");
    CHECK_STR(next(watcher), "created a/b/c/d");
    CHECK_STR(next(watcher), "");
    CHECK_OK(file_add(in(&folder, "a/b/c/e"), ""));
    CHECK_STR(next(watcher), "created a/b/c/e");
}

TEST(watch_tree_has_the_new_paths_of_a_folder_that_is_renamed)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(folders_make(&folder, "a", "a/b", "z"));
    CHECK_OK(watch_folder(&watcher, &folder, RECURSIVE));
    CHECK_OK(rename(in(&folder, "a"), in(&folder, "z/y")));
    CHECK_STR(next(watcher), "moved z/y/ from a/");
    CHECK_OK(file_add(in(&folder, "z/y/b/c"), ""));
    CHECK_STR(next(watcher), "created z/y/b/c");
    CHECK_STR(next(watcher), "closed z/y/b/c");
    CHECK_STR(next(watcher), "");
}

/* A folder is made, and its parent renamed, before anybody has looked. */
TEST(watch_tree_finds_what_was_made_in_a_folder_before_its_rename)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(folders_make(&folder, "a"));
    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_CREATED | EDDY_WATCH_RECURSIVE));
    CHECK_OK(mkdir(in(&folder, "a/b"), 0700));
    CHECK_OK(rename(in(&folder, "a"), in(&folder, "c")));
    CHECK_OK(file_add(in(&folder, "c/b/d"), ""));
    CHECK(comes(watcher, "created c/b/d"));
    CHECK_OK(file_add(in(&folder, "c/b/e"), ""));
    CHECK_STR(next(watcher), "created c/b/e");
}

TEST(watch_tree_forgets_folders_that_leave_and_takes_those_that_come)
{
    FOLDER(folder);
    FOLDER(other);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(folders_make(&folder, "a", "a/b"));
    CHECK_OK(watch_folder(&watcher, &folder, RECURSIVE));
    CHECK_OK(rename(in(&folder, "a"), in(&other, "a")));
    CHECK_STR(next(watcher), "moved out a/");
    CHECK_OK(file_add(in(&other, "a/b/c"), ""));
    CHECK_STR(next(watcher), "");
    CHECK_OK(rename(in(&other, "a"), in(&folder, "d")));
    CHECK_STR(next(watcher), "moved in d/");
    CHECK_STR(next(watcher), "created d/b/");
    CHECK_STR(next(watcher), "created d/b/c");
    CHECK_OK(unlink(in(&folder, "d/b/c")));
    CHECK_STR(next(watcher), "deleted d/b/c");
    CHECK_STR(next(watcher), "");
}

/* From one tree of the watcher's to another. */
TEST(watch_tree_gives_a_folder_to_another_tree)
{
    FOLDER(one);
    FOLDER(two);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(mkdir(in(&one, "a"), 0700));
    CHECK_OK(file_add(in(&one, "a/x"), ""));
    CHECK_OK(watch_folder(&watcher, &one, RECURSIVE));
    CHECK_OK(eddy_watcher_add(watcher, two.path, RECURSIVE));
    CHECK_OK(rename(in(&one, "a"), in(&two, "b")));
    CHECK_STR(next(watcher), "moved b/ from a/");
    CHECK_STR(next(watcher), "created b/x");
    CHECK_OK(unlink(in(&two, "b/x")));
    CHECK_STR(next(watcher), "deleted b/x");
    CHECK_STR(next(watcher), "");
}

/* Links are neither followed nor watched. */
TEST(watch_tree_does_not_follow_links)
{
    FOLDER(folder);
    FOLDER(other);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(symlink(other.path, in(&folder, "old")));
    CHECK_OK(watch_folder(&watcher, &folder, RECURSIVE));
    CHECK_OK(symlink(other.path, in(&folder, "new")));
    CHECK_STR(next(watcher), "created new");
    CHECK_OK(file_add(in(&other, "a"), ""));
    CHECK_STR(next(watcher), "");
}

/* The order is the kernel's, and no name comes twice. */
TEST(watch_tree_of_many_folders_misses_nothing)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;
    char name[64], text[80];

    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%d", i);
        CHECK_OK(mkdir(in(&folder, name), 0700));
    }
    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_CREATED | EDDY_WATCH_RECURSIVE));
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%d/x", i);
        snprintf(text, sizeof text, "created %s", name);
        CHECK_OK(file_add(in(&folder, name), ""));
        CHECK_STR(next(watcher), text);
    }
}

static int watch_only(eddy_watcher *watcher, const char *path)
{
    return eddy_watcher_add(watcher, path, EDDY_WATCH_CREATED | EDDY_WATCH_RECURSIVE);
}
EDDY_ASYNC(watch_only, eddy_watcher *, const char *);

TEST(watch_tree_is_whole_or_not_at_all)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(folders_make(&folder, "a"));
    CHECK_OK(eddy_watcher_open(&watcher));
    {
        EDDY_TASK adder = eddy_create_task(watch_only, watcher, folder.path);
        CHECK_OK(eddy_sleep(0));
        eddy_cancel(adder);
        CHECK_EQ(eddy_await(adder), -ECANCELED);
    }
    CHECK_OK(file_add(in(&folder, "b"), ""));
    CHECK_STR(next(watcher), "");
    CHECK_OK(watch_only(watcher, folder.path));
    {
        EDDY_TASK adder = eddy_create_task(watch_only, watcher, in(&folder, "a"));
        CHECK_EQ(eddy_await(adder), -EEXIST);
    }
    CHECK_OK(file_add(in(&folder, "a/c"), ""));
    CHECK_STR(next(watcher), "created a/c");
}

TEST(watcher_close_gets_an_adder_out)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(folders_make(&folder, "a"));
    CHECK_OK(eddy_watcher_open(&watcher));
    EDDY_TASK adder = eddy_create_task(watch_only, watcher, folder.path);
    CHECK_OK(eddy_sleep(0));
    eddy_watcher_close(&watcher);
    CHECK_EQ(eddy_await(adder), -ESHUTDOWN);
}

/* In a namespace of its own, where root may set limits. */
static bool put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

    close(fd);
    return done;
}

static int watch_too_many(const char *path)
{
    struct folder folder;
    EDDY_WATCHER watcher = NULL;
    int rc;

    snprintf(folder.path, sizeof folder.path, "%s", path);
    EDDY_TRY(eddy_watcher_open(&watcher));
    rc = eddy_watcher_add(watcher, path, RECURSIVE);
    fprintf(stderr, "%s: %s\n", eddy_error_name(rc), eddy_error_message(rc));
    EDDY_TRY(eddy_watcher_add(watcher, in(&folder, "a"), RECURSIVE)); /* all are free again */
    mkdir(in(&folder, "a/b"), 0700);
    mkdir(in(&folder, "a/c"), 0700);
    for (int i = 0; i < 4; i++)
        fprintf(stderr, "%s\n", next(watcher));
    return 0;
}
EDDY_ASYNC(watch_too_many, const char *);

static struct folder limited;

static void watch_in_a_namespace(void)
{
    if (unshare(CLONE_NEWUSER) < 0 || !put("/proc/self/uid_map", "0 0 1") ||
        !put("/proc/sys/user/max_inotify_watches", "2")) {
        fputs(FOLDER_NOT_HERE, stderr);
        _exit(0);
    }
    _exit(eddy_run(watch_too_many, limited.path) < 0);
}

RAW_TEST(watch_tree_that_needs_too_many_watches_says_so)
{
    char text[4096];
    int status;

    limited = folder_make();
    CHECK_OK(folders_make(&limited, "a", "z"));
    status =
        folder_fork(&limited, watch_in_a_namespace, "no user namespaces here", text, sizeof text);
    CHECK_EQ(status, 0);
    CHECK_HAS(text, "ENOSPC: cannot watch ");
    CHECK_HAS(text, "fs.inotify.max_user_watches");
    CHECK_HAS(text, "created a/b/\ncreated a/c/\nENOSPC\n\n");
}

static int watch_mounted(const char *path)
{
    struct folder folder;
    EDDY_WATCHER watcher = NULL;

    snprintf(folder.path, sizeof folder.path, "%s", path);
    EDDY_TRY(eddy_watcher_open(&watcher));
    EDDY_TRY(eddy_watcher_add(watcher, path, RECURSIVE));
    mkdir(in(&folder, "a"), 0700);
    fprintf(stderr, "%s\n", next(watcher));
    umount(path);
    fprintf(stderr, "%s\n", next(watcher));
    fprintf(stderr, "%s.\n", next(watcher));
    return 0;
}
EDDY_ASYNC(watch_mounted, const char *);

static void watch_a_mount(void)
{
    folder_mount(&limited, "size=64k");
    _exit(eddy_run(watch_mounted, limited.path) < 0);
}

RAW_TEST(watch_tree_tells_of_its_unmount)
{
    char text[4096];
    int status;

    limited = folder_make();
    status = folder_fork(&limited, watch_a_mount, "nothing can be mounted here", text, sizeof text);
    CHECK_EQ(status, 0);
    CHECK_HAS(text, "created a/\nunmounted /tmp/eddy-test-");
    CHECK_HAS(text, "/\n.\n");
}

/* A sweep has a chain for each of its runs. */
#define DEEP (test_is_swept() ? 50 : 2000)

/* Makes a chain of folders, and steps into each; the last one's name is the longest path, nearly.
 * Returns where the test was. */
static int make_chain(const char *top)
{
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = chdir(top);

    for (int i = 0; rc == 0 && i < DEEP; i++)
        rc = mkdir("d", 0700) == 0 ? chdir("d") : -1;
    if (rc < 0)
        test_fail(__FILE__, __LINE__, "no chain of folders: %s", strerror(errno));
    return before;
}

static void go_back(int *before)
{
    (void)!fchdir(*before);
    close(*before);
}

/* nftw(3) would need the stack. */
static void remove_chain(struct folder *folder)
{
    (void)eddy_rmtree(folder->path);
}

static int touch(void)
{
    int fd = open("f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : close(fd);
}

/* In the folder at the end of a chain. */
static int watch_a_chain(const struct folder *folder)
{
    EDDY_WATCHER watcher = NULL;
    const char *event;

    EDDY_TRY(eddy_watcher_open(&watcher));
    EDDY_TRY(eddy_watcher_add(watcher, folder->path, EDDY_WATCH_CREATED | EDDY_WATCH_RECURSIVE));
    EDDY_TRY(touch());
    event = next(watcher);
    REQUIRE(strlen(event) == strlen("created a/f") + 2 * DEEP);
    EDDY_TRY(rename(in(folder, "a"), in(folder, "b")));
    EDDY_TRY(unlink("f"));
    EDDY_TRY(touch());
    do
        event = next(watcher);
    while (*event && *event != 'E' && strncmp(event, "created b/", 10) != 0);
    REQUIRE(strlen(event) == strlen("created b/f") + 2 * DEEP);
    return 0;
}
EDDY_ASYNC(watch_a_chain, const struct folder *);

/* Neither the depth of a tree nor a rename of what is above costs the stack of a task; it is the
 * smallest that there is. */
TEST(watch_tree_may_be_as_deep_as_paths_are_long)
{
    FOLDER(folder);
    int before;

    CHECK_OK(folders_make(&folder, "a"));
    before = make_chain(in(&folder, "a"));
    EDDY_DEFER(remove_chain, &folder);
    EDDY_DEFER(go_back, &before);
    EDDY_TASK task =
        eddy_create_task_with((&(eddy_task_options){.stack_size = 1}), watch_a_chain, &folder);
    CHECK_OK(eddy_await(task));
}

static int stand(void *args, void *result)
{
    (void)args, (void)result;
    stand_at_gate(0);
    return 0;
}

static const struct eddy_async stand_function = {.entry = stand, .name = "stand"};

static int use_a_thread(void)
{
    return ed_executor_run(ED_POOL_FILES, &stand_function, NULL, NULL);
}
EDDY_ASYNC(use_a_thread);

static int look(struct ed_watch_tree *tree, struct eddy_list_ *queue)
{
    return ed_watch_look(tree, queue);
}
EDDY_ASYNC(look, struct ed_watch_tree *, struct eddy_list_ *);

static void tree_end(struct ed_watch_tree *tree)
{
    ed_watch_tree_deinit(tree);
    ed_buffer_release(&tree->found);
    close(tree->fd);
}

/* A folder is renamed while it is looked through for a path that is being added: what is in it is
 * no news all the same. The threads are held, so that the rename comes between. */
TEST(watch_tree_that_is_added_tells_nothing_of_what_is_renamed_meanwhile)
{
    FOLDER(folder);
    struct ed_watch_tree tree = {.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    struct eddy_list_ queue = {NULL, NULL};
    struct ed_watched *root = ed_watched_new(NULL, folder.path, RECURSIVE), *below;

    EDDY_DEFER(tree_end, &tree);
    CHECK(root != NULL);
    ed_watched_link(&tree, root);
    CHECK_OK(folders_make(&folder, "a"));
    CHECK_OK(ed_watched_enter(&tree, root));
    ed_watched_queue(root, &queue, ED_WATCH_QUIET);
    EDDY_GROUP(group);
    EDDY_DEFER(open_all, NULL);
    for (int i = 0; i < 40; i++)
        CHECK_OK(eddy_group_create_task(&group, use_a_thread));
    CHECK_OK(until_running((int)threads()));
    CHECK_OK(until_running(1));
    CHECK_OK(until_running((int)threads()));
    CHECK_OK(eddy_group_create_task(&group, look, &tree, &queue));
    CHECK_OK(eddy_sleep(0));
    ed_watched_queue_all(root, &tree.unseen); /* as a rename does */
    open_gate(0);
    CHECK_OK(eddy_group_join(&group));
    below = ed_watched_child(root, "a");
    CHECK(below != NULL);
    CHECK_EQ(below->look, ED_WATCH_QUIET);
    CHECK_EQ(root->look, ED_WATCH_KNOWN);
}
