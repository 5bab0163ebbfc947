/* SPDX-License-Identifier: MIT */
/* Watching files and folders. Events are there when the call that causes them returns. */
#include "os/watched.h"

#include <sys/resource.h>

TEST(watch_tells_of_the_files_in_a_folder)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_ALL));
    CHECK_OK(file_add(in(&folder, "a"), "text"));
    CHECK_STR(next(watcher), "created a");
    CHECK_STR(next(watcher), "modified a");
    CHECK_STR(next(watcher), "closed a");
    CHECK_OK(chmod(in(&folder, "a"), 0640));
    CHECK_STR(next(watcher), "attributes a");
    CHECK_OK(truncate(in(&folder, "a"), 1));
    CHECK_STR(next(watcher), "modified a");
    CHECK_OK(unlink(in(&folder, "a")));
    CHECK_STR(next(watcher), "deleted a");
    CHECK_OK(mkdir(in(&folder, "b"), 0700));
    CHECK_STR(next(watcher), "created b/");
    CHECK_OK(rmdir(in(&folder, "b")));
    CHECK_STR(next(watcher), "deleted b/");
    CHECK_STR(next(watcher), "");
}

TEST(watch_tells_only_what_is_wanted)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_CLOSED | EDDY_WATCH_RECURSIVE));
    CHECK_OK(file_add(in(&folder, "a"), "text"));
    CHECK_OK(rename(in(&folder, "a"), in(&folder, "b")));
    CHECK_OK(file_add(in(&folder, "b"), "text"));
    CHECK_STR(next(watcher), "closed a");
    CHECK_STR(next(watcher), "closed b");
    CHECK_STR(next(watcher), "");
}

TEST(watch_joins_both_names_of_a_rename)
{
    FOLDER(folder);
    FOLDER(other);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(file_add(in(&folder, "a"), ""));
    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_ALL));
    CHECK_OK(rename(in(&folder, "a"), in(&folder, "b")));
    CHECK_STR(next(watcher), "moved b from a");
    CHECK_OK(rename(in(&folder, "b"), in(&other, "b")));
    CHECK_STR(next(watcher), "moved out b");
    CHECK_OK(rename(in(&other, "b"), in(&folder, "c")));
    CHECK_STR(next(watcher), "moved in c");
    CHECK_STR(next(watcher), "");
}

/* The halves of several renames at once, some of which have no second one. */
TEST(watch_tells_renames_of_many_files_in_order)
{
    FOLDER(folder);
    FOLDER(other);
    EDDY_WATCHER watcher = NULL;
    double before;
    char name[32], text[64];

    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%d", i);
        CHECK_OK(file_add(in(&folder, name), ""));
    }
    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_ALL));
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%d", i);
        snprintf(text, sizeof text, "%d-", i);
        CHECK_OK(rename(in(&folder, name), in(i % 3 ? &other : &folder, text)));
    }
    before = eddy_time();
    for (int i = 0; i < 60; i++) {
        snprintf(text, sizeof text, i % 3 ? "moved out %d" : "moved %d- from %d", i, i);
        CHECK_STR(next(watcher), text);
    }
    CHECK_STR(next(watcher), "");
    CHECK(eddy_time() - before < 0.1 + PATIENCE); /* they have waited together */
}

static int touch_soon(const char *path)
{
    EDDY_TRY(eddy_sleep(1));
    return chmod(path, 0640);
}
EDDY_ASYNC(touch_soon, const char *);

TEST(watch_of_a_file_ends_when_it_is_deleted)
{
    FOLDER(folder);
    const char *path = in(&folder, "a");
    eddy_watch_event event;
    int rc, count = 0;

    CHECK_OK(file_add(path, "text"));
    EDDY_TASK toucher = eddy_create_task(touch_soon, path);
    EDDY_FOR_EACH(rc, event, eddy_watch(path, EDDY_WATCH_MODIFIED | EDDY_WATCH_ATTRIBUTES)) {
        CHECK_EQ(event.what, count < 2 ? EDDY_WATCH_ATTRIBUTES : EDDY_WATCH_GONE);
        CHECK_STR(event.path, path);
        CHECK_STR(event.watched, path);
        CHECK_STR(event.name, "");
        CHECK(!event.is_dir && !event.from);
        if (count++ == 0)
            CHECK_OK(unlink(path));
    }
    CHECK_OK(rc);
    CHECK_EQ(count, 3);
    CHECK_OK(eddy_await(toucher));
}

TEST(watch_is_left_by_a_break)
{
    FOLDER(folder);
    const char *path = in(&folder, "a");
    eddy_watch_event event;
    int rc;

    CHECK_OK(file_add(path, "text"));
    EDDY_TASK toucher = eddy_create_task(touch_soon, path);
    EDDY_FOR_EACH(rc, event, eddy_watch(path, EDDY_WATCH_ALL))
        break;
    CHECK_OK(rc);
    CHECK_OK(eddy_await(toucher));
}

TEST(watch_ends_when_what_is_watched_is_renamed)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(folders_make(&folder, "a"));
    CHECK_OK(eddy_watcher_open(&watcher));
    CHECK_OK(eddy_watcher_add(watcher, in(&folder, "a"), EDDY_WATCH_ALL | EDDY_WATCH_RECURSIVE));
    CHECK_OK(rename(in(&folder, "a"), in(&folder, "b")));
    CHECK_OK(file_add(in(&folder, "b/c"), ""));
    CHECK_STR(next(watcher), "gone a/");
    CHECK_STR(next(watcher), "");
    CHECK_EQ(eddy_watcher_remove(watcher, in(&folder, "a")), -ENOENT);
    CHECK_OK(eddy_watcher_add(watcher, in(&folder, "b"), EDDY_WATCH_ALL));
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* A file that is open has not gone with its name. */
TEST(watch_of_an_open_file_ends_with_its_last_user)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;
    int fd = open(in(&folder, "a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    EDDY_DEFER(close_fd, &fd);

    CHECK_OK(eddy_watcher_open(&watcher));
    CHECK_OK(eddy_watcher_add(watcher, in(&folder, "a"), EDDY_WATCH_ALL));
    CHECK_OK(unlink(in(&folder, "a")));
    CHECK_STR(next(watcher), "attributes a");
    CHECK_STR(next(watcher), "");
    close_fd(&fd);
    CHECK_STR(next(watcher), "gone a");
}

TEST(watcher_has_many_paths_and_removes_them)
{
    FOLDER(one);
    FOLDER(two);
    EDDY_WATCHER watcher = NULL;
    eddy_watch_event event;

    CHECK_OK(watch_folder(&watcher, &one, EDDY_WATCH_CREATED));
    CHECK_OK(eddy_watcher_add(watcher, two.path, EDDY_WATCH_CREATED));
    CHECK_OK(file_add(in(&one, "a"), ""));
    CHECK_OK(file_add(in(&two, "b"), ""));
    CHECK_OK(eddy_watcher_next(watcher, &event));
    CHECK_STR(event.watched, one.path);
    CHECK_STR(event.name, "a");
    CHECK_OK(eddy_watcher_remove(watcher, two.path)); /* what it has to tell is dropped */
    CHECK_STR(event.watched, one.path);               /* this is still there */
    CHECK_STR(next(watcher), "");
    CHECK_FAILS(eddy_watcher_remove(watcher, two.path), -ENOENT, "is not watched");
    CHECK_OK(eddy_watcher_add(watcher, two.path, EDDY_WATCH_CREATED));
    CHECK_OK(file_add(in(&two, "c"), ""));
    CHECK_STR(next(watcher), "created c");
}

TEST(watch_refusals_say_why)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;
    char path[100];
    eddy_watch_event event;
    int rc;

    CHECK_OK(eddy_watcher_open(&watcher));
    CHECK_FAILS(eddy_watcher_add(watcher, in(&folder, "none"), EDDY_WATCH_ALL), -ENOENT, "none");
    CHECK_FAILS(eddy_watcher_add(watcher, folder.path, 0x80000000u), -EINVAL, "0x80000000");
    CHECK_FAILS(eddy_watcher_add(watcher, folder.path, EDDY_WATCH_GONE), -EINVAL, folder.path);
    CHECK_OK(eddy_watcher_add(watcher, folder.path, 0));
    snprintf(path, sizeof path, "%s/.", folder.path);
    CHECK_FAILS(eddy_watcher_add(watcher, path, EDDY_WATCH_ALL), -EEXIST, "watched already");
    EDDY_FOR_EACH(rc, event, eddy_watch(in(&folder, "none"), EDDY_WATCH_ALL))
        CHECK(false);
    CHECK_FAILS(rc, -ENOENT, "none");
}

/* Overfills the kernel's queue, and looks for the end of what it has kept. */
static int overflow(const char *path)
{
    struct folder folder;
    EDDY_WATCHER watcher = NULL;
    eddy_watch_event event = {.what = 0};
    int count = 0;

    snprintf(folder.path, sizeof folder.path, "%s", path);
    EDDY_TRY(eddy_watcher_open(&watcher));
    EDDY_TRY(eddy_watcher_add(watcher, path,
                              EDDY_WATCH_CREATED | EDDY_WATCH_DELETED | EDDY_WATCH_RECURSIVE));
    for (int i = 0; i < 20000; i++) {
        REQUIRE(file_add(in(&folder, "a"), "") == 0);
        REQUIRE(unlink(in(&folder, "a")) == 0);
    }
    REQUIRE(mkdir(in(&folder, "sub/new"), 0700) == 0);
    for (; event.what != EDDY_WATCH_OVERFLOW; count++)
        EDDY_TRY(eddy_watcher_next(watcher, &event));
    REQUIRE(count > 10 && count < 40000);
    REQUIRE(strcmp(event.path, "") == 0);
    REQUIRE(strcmp(next(watcher), "") == 0);
    REQUIRE(file_add(in(&folder, "sub/new/b"), "") == 0); /* it was made meanwhile */
    REQUIRE(strcmp(next(watcher), "created sub/new/b") == 0);
    return 0;
}
EDDY_ASYNC(overflow, const char *);

RAW_TEST(watch_tells_that_events_were_lost)
{
    struct folder folder = folder_make();

    CHECK_OK(mkdir(in(&folder, "sub"), 0700));
    CHECK_OK(eddy_test(overflow, folder.path));
    folder_remove(&folder);
}

static int wait_for_one(eddy_watcher *watcher)
{
    eddy_watch_event event;

    return eddy_watcher_next(watcher, &event);
}
EDDY_ASYNC(wait_for_one, eddy_watcher *);

TEST(watch_that_is_cancelled_has_lost_nothing)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_CREATED | EDDY_WATCH_MOVED_OUT));
    EDDY_TASK waiter = eddy_create_task(wait_for_one, watcher);
    test_settle();
    CHECK_EQ(wait_for_one(watcher), -EBUSY);
    CHECK_HAS(eddy_error_message(-EBUSY), "another task");
    eddy_cancel(waiter);
    CHECK_EQ(eddy_await(waiter), -ECANCELED);

    FOLDER(other);
    CHECK_OK(file_add(in(&folder, "a"), ""));
    CHECK_OK(rename(in(&folder, "a"), in(&other, "a")));
    CHECK_OK(file_add(in(&folder, "b"), ""));
    CHECK_STR(next(watcher), "created a"); /* with it all three were read */
    EDDY_TASK second = eddy_create_task(wait_for_one, watcher);
    test_settle(); /* it waits for the second half of the rename */
    eddy_cancel(second);
    CHECK_EQ(eddy_await(second), -ECANCELED);
    CHECK_STR(next(watcher), "moved out a");
    CHECK_STR(next(watcher), "created b");
}

TEST(watcher_close_gets_a_waiter_out)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;

    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_ALL));
    EDDY_TASK waiter = eddy_create_task(wait_for_one, watcher);
    test_settle();
    eddy_watcher_close(&watcher);
    CHECK(watcher == NULL);
    CHECK_EQ(eddy_await(waiter), -ESHUTDOWN);
}

TEST(watcher_generator_is_left_by_a_break)
{
    FOLDER(folder);
    EDDY_WATCHER watcher = NULL;
    eddy_watch_event event;
    int rc;

    CHECK_OK(watch_folder(&watcher, &folder, EDDY_WATCH_CREATED));
    CHECK_OK(file_add(in(&folder, "a"), ""));
    CHECK_OK(file_add(in(&folder, "b"), ""));
    EDDY_FOR_EACH(rc, event, eddy_watcher_events(watcher))
        break;
    CHECK_OK(rc);
    EDDY_FOR_EACH(rc, event, eddy_watcher_events(watcher)) {
        CHECK_STR(event.name, "b");
        break;
    }
    CHECK_OK(rc);
}

static int leave_watcher(const char *path)
{
    eddy_watcher *watcher;

    EDDY_TRY(eddy_watcher_open(&watcher));
    return eddy_watcher_add(watcher, path, EDDY_WATCH_ALL);
}
EDDY_ASYNC(leave_watcher, const char *);

RAW_TEST(watcher_that_is_left_is_reported_and_freed)
{
    struct folder folder = folder_make();
    int rc = eddy_test(leave_watcher, folder.path);

    CHECK_EQ(rc, EDDY_ETEST);
    CHECK_HAS(eddy_error_message(rc), "a watcher (/tmp/eddy-test-");
    folder_remove(&folder);
}

TEST(watcher_without_a_descriptor_says_so)
{
    EDDY_WATCHER watcher = NULL;
    struct rlimit limit, none;

    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    none = (struct rlimit){3, limit.rlim_max};
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
    CHECK_FAILS(eddy_watcher_open(&watcher), -EMFILE, "max_user_instances");
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK(watcher == NULL);
}

RAW_TEST(watcher_outside_a_loop_is_refused)
{
    eddy_watcher *watcher = NULL;

    CHECK_FAILS(eddy_watcher_open(&watcher), -EPERM, "outside a running loop");
}

/* All that the kernel may refuse or cut short. */
static int use_all(const char *path)
{
    struct folder folder;
    EDDY_WATCHER watcher = NULL;

    snprintf(folder.path, sizeof folder.path, "%s", path);
    EDDY_TRY(eddy_watcher_open(&watcher));
    EDDY_TRY(eddy_watcher_add(watcher, path, EDDY_WATCH_ALL | EDDY_WATCH_RECURSIVE));
    file_add(in(&folder, "a"), "text");
    mkdir(in(&folder, "sub"), 0700);
    mkdir(in(&folder, "sub/sub"), 0700);
    file_add(in(&folder, "sub/sub/b"), "text");
    rename(in(&folder, "sub"), in(&folder, "new"));
    rename(in(&folder, "new/sub"), "/tmp/eddy-test-out");
    rename("/tmp/eddy-test-out", in(&folder, "sub"));
    unlink(in(&folder, "sub/b"));
    rmdir(in(&folder, "sub"));
    rmdir(in(&folder, "new"));
    unlink(in(&folder, "a"));
    for (int rc = 0; rc == 0;) {
        EDDY_TIMEOUT(limit, PATIENCE);
        rc = wait_for_one(watcher);
        if (rc < 0 && !eddy_timeout_expired(&limit))
            return rc;
    }
    return 0;
}
EDDY_ASYNC(use_all, const char *);

RAW_TEST(watcher_survives_every_cancel_and_every_failing_allocation)
{
    struct folder folder = folder_make();

    CHECK_OK(eddy_test_cancels(use_all, folder.path));
    CHECK_OK(eddy_test_allocations(use_all, folder.path));
    folder_remove(&folder);
}
