/* SPDX-License-Identifier: MIT */
/* Removing a folder with all that is in it: F-40, F-44. */
#include "os/place.h"

#include <sys/resource.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/gate.h"

#define DEEP 10000

static void put_tree(void)
{
    put_folder("tree");
    put_folder("tree/a");
    put_folder("tree/a/b");
    put_folder("tree/empty");
    put_file("tree/file", "");
    put_file("tree/a/file", "");
    put_file("tree/a/b/file", "");
    put_link("nowhere", "tree/dangling");
    put_file("tree/\xff.\n", "");
    put_file("tree/.hidden", "");
    CHECK(mkfifo("tree/pipe", 0666) == 0);
}

TEST(rmtree_removes_all_that_is_in_a_folder_and_itself)
{
    PLACE;
    put_tree();
    CHECK_OK(eddy_rmtree("tree"));
    CHECK_EQ(names_in("."), 0);
    put_tree();
    CHECK_OK(eddy_rmtree("tree///"));
    CHECK_EQ(names_in("."), 0);
    put_folder("tree");
    CHECK_OK(eddy_rmtree("./tree"));
    CHECK_EQ(names_in("."), 0);
}

/* F-44: links are removed, not followed. */
TEST(rmtree_removes_links_and_never_follows_them)
{
    PLACE;
    put_folder("outside");
    put_file("outside/precious", "text");
    put_folder("tree");
    put_link("../outside", "tree/link");
    put_link("..", "tree/up");
    put_link(".", "tree/here");
    CHECK_OK(eddy_rmtree("tree"));
    CHECK_STR(file_text("outside/precious"), "text");
    CHECK(!is_there("tree"));
}

TEST(rmtree_of_no_folder_removes_nothing)
{
    PLACE;
    put_folder("folder");
    put_file("folder/file", "");
    put_file("file", "");
    put_link("folder", "link");
    CHECK_FAILS(eddy_rmtree("none"), -ENOENT, "rmtree \"none\": No such file or directory");
    CHECK_FAILS(eddy_rmtree(""), -ENOENT, "rmtree \"\"");
    CHECK_FAILS(eddy_rmtree("file"), -ENOTDIR, "rmtree \"file\"");
    CHECK_FAILS(eddy_rmtree("link"), -ENOTDIR, "rmtree \"link\"");
    CHECK_FAILS(eddy_rmtree("link/"), -ENOTDIR, "rmtree \"link/\"");
    CHECK_FAILS(eddy_rmtree("folder/."), -EINVAL, "rmtree \"folder/.\": Invalid argument");
    CHECK_FAILS(eddy_rmtree("folder/../"), -EINVAL, "rmtree \"folder/../\"");
    CHECK_FAILS(eddy_rmtree("."), -EINVAL, "rmtree \".\"");
    CHECK_FAILS(eddy_rmtree(".."), -EINVAL, "rmtree \"..\"");
    CHECK_FAILS(eddy_rmtree("//"), -EINVAL, "rmtree \"//\"");
    CHECK(is_there("folder/file") && is_there("file") && is_there("link"));
}

/* Goes down `depth` levels from here, making them, and comes back. */
static void put_deep(const char *top, int depth)
{
    int fd, next;

    put_folder(top);
    fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < depth; i++) {
        if (mkdirat(fd, "level", 0777) < 0 || mkdirat(fd, "beside", 0777) < 0)
            test_fail(__FILE__, __LINE__, "level %d: %s", i, strerror(errno));
        next = openat(fd, "level", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    close(fd);
}

TEST(rmtree_of_a_deep_tree_needs_neither_stack_nor_descriptors_nor_long_paths)
{
    struct rlimit few = {.rlim_cur = 128, .rlim_max = 128};

    if (test_is_on_valgrind())
        test_skip("valgrind keeps to the limit itself");
    PLACE;
    EDDY_DEFER(remove_deep, "tree");
    put_deep("tree", test_is_swept() ? 100 : DEEP);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK_OK(eddy_rmtree("tree"));
    CHECK_EQ(names_in("."), 0);
}

TEST(rmtree_removes_many_names_of_one_folder)
{
    PLACE;
    put_folder("tree");
    for (int i = 0; i < (test_is_swept() ? 100 : 5000); i++) {
        char path[64];

        snprintf(path, sizeof path, "tree/a-name-that-is-not-too-short-%d", i);
        put_file(path, "");
    }
    CHECK_OK(eddy_rmtree("tree"));
    CHECK_EQ(names_in("."), 0);
}

TEST(rmtree_goes_on_behind_an_error_and_returns_the_first)
{
    PLACE;
    put_tree();
    (void)ed_fault_set(ED_FAULT_UNLINK, 2, -EBUSY);
    CHECK_FAILS(eddy_rmtree("tree"), -EBUSY, "rmtree \"tree");
    CHECK_HAS(eddy_error_message(-EBUSY), "Device or resource busy");
    CHECK(is_there("tree"));
    CHECK(names_in("tree") == 1); /* all else is gone */
    CHECK_OK(eddy_rmtree("tree"));
}

TEST(rmtree_passes_what_others_have_removed)
{
    PLACE;
    for (uint64_t nth = 1; nth < 12; nth++) {
        put_tree();
        (void)ed_fault_set(ED_FAULT_UNLINK, nth, -ENOENT);
        /* what was not removed is there still, so the folder around it fails */
        int rc = eddy_rmtree("tree");
        CHECK(rc == 0 || rc == -ENOTEMPTY);
        (void)ed_fault_set(ED_FAULT_UNLINK, 0, 0);
        if (is_there("tree"))
            CHECK_OK(eddy_rmtree("tree"));
    }
    put_tree();
    (void)ed_fault_set(ED_FAULT_OPENAT, 2, -ENOENT);
    CHECK_EQ(eddy_rmtree("tree"), -ENOTEMPTY);
    CHECK_OK(eddy_rmtree("tree"));
}

/* A name that was a folder when it was read is a link when it is entered, or the reverse. */
TEST(rmtree_unlinks_what_turns_out_to_be_no_folder)
{
    PLACE;
    put_tree();
    (void)ed_fault_set(ED_FAULT_OPENAT, 2, -ELOOP); /* the first folder below */
    CHECK_EQ(eddy_rmtree("tree"), -EISDIR);         /* but a folder it is */
    CHECK_OK(eddy_rmtree("tree"));
    put_folder("tree");
    put_file("tree/file", "");
    (void)ed_fault_set(ED_FAULT_UNLINK, 1, -EISDIR);
    CHECK_OK(eddy_rmtree("tree"));
}

static int removes(const char *path)
{
    return eddy_rmtree(path);
}
EDDY_ASYNC(removes, const char *);

TEST(rmtree_by_several_at_a_time_leaves_nothing)
{
    PLACE;
    for (int i = 0; i < 20; i++) {
        int one = 0, other = 0;

        put_tree();
        EDDY_TASK first = eddy_create_task(removes, "tree");
        EDDY_TASK second = eddy_create_task(removes, "tree");
        one = eddy_await(first);
        other = eddy_await(second);
        CHECK(one == 0 || one == -ENOENT);
        CHECK(other == 0 || other == -ENOENT);
        CHECK(!is_there("tree"));
    }
}

/* A link is swapped in for a folder, again and again, while trees are removed. */
static int swapping; /* atomic */

static int swaps(int unused)
{
    (void)unused;
    while (__atomic_load_n(&swapping, __ATOMIC_ACQUIRE)) {
        (void)rename("tree/a", "aside");
        (void)symlink("../outside", "tree/a");
        (void)unlink("tree/a");
        (void)rename("aside", "tree/a");
    }
    return 0;
}
EDDY_ASYNC(swaps, int);

static void swap_stop(void *unused)
{
    (void)unused;
    __atomic_store_n(&swapping, 0, __ATOMIC_RELEASE);
}

static int removes_while_links_are_swapped(void)
{
    put_folder("outside");
    put_file("outside/precious", "text");
    put_folder("outside/b");
    swapping = 1;
    EDDY_TASK swapper = eddy_task_from_call(EDDY_THREAD_CALL(swaps, 0));
    EDDY_DEFER(swap_stop, NULL);
    for (int i = 0; i < 300; i++) {
        if (mkdir("tree", 0777) == 0 && mkdir("tree/a", 0777) == 0)
            (void)mkdir("tree/a/b", 0777);
        (void)eddy_rmtree("tree"); /* whatever it finds */
        REQUIRE(is_there("outside/precious") && is_there("outside/b"));
    }
    swap_stop(NULL);
    EDDY_TRY(eddy_await(swapper));
    return 0;
}
EDDY_ASYNC(removes_while_links_are_swapped);

RAW_TEST(rmtree_does_not_follow_links_that_are_swapped_in_meanwhile)
{
    place_enter();
    CHECK_OK(eddy_run(removes_while_links_are_swapped));
    place_leave(NULL);
}

static int denied_inside(void)
{
    REQUIRE(mkdir("tree/mine", 0777) == 0 && mkdir("tree/mine/below", 0777) == 0);
    put_file("tree/mine/below/file", "");
    REQUIRE(mkdir("tree/sealed", 0777) == 0 && chmod("tree/sealed", 0) == 0);
    REQUIRE(eddy_rmtree("tree") == -EACCES);
    REQUIRE(strcmp(eddy_error_message(-EACCES), "rmtree \"tree/theirs/file\": Permission denied") ==
            0);
    REQUIRE(!is_there("tree/mine"));   /* it went on */
    REQUIRE(!is_there("tree/sealed")); /* could not be read, but was empty */
    return is_there("tree/theirs/file") ? 0 : -EDOM;
}

RAW_TEST(rmtree_goes_on_where_permission_is_denied)
{
    PLACE;
    umask(0);
    chmod(".", 0777);
    put_folder("tree");
    umask(022);
    put_folder("tree/theirs");
    put_file("tree/theirs/file", "");
    if (geteuid() != 0)
        test_skip("only root can make files that are another's");
    CHECK_UNPRIVILEGED(denied_inside);
}

/* Removing stops soon behind a cancel, with a part removed. */
static int cancels_a_removal(void)
{
    int before, after;

    put_folder("tree");
    for (int i = 0; i < 20000; i++) {
        char path[32];

        snprintf(path, sizeof path, "tree/%d", i);
        REQUIRE(mknod(path, S_IFREG | 0666, 0) == 0);
    }
    EDDY_TASK task = eddy_create_task(removes, "tree");
    while (names_in("tree") == 20000)
        EDDY_TRY(eddy_sleep(0));
    EDDY_TRY(eddy_cancel(task));
    REQUIRE(eddy_await(task) == -ECANCELED);
    do { /* until nothing is removed any more */
        before = names_in("tree");
        usleep(20000);
        after = names_in("tree");
    } while (before != after);
    REQUIRE(after > 0);
    EDDY_TRY(eddy_rmtree("tree"));
    return 0;
}
EDDY_ASYNC(cancels_a_removal);

RAW_TEST(rmtree_that_is_cancelled_leaves_at_once_and_stops_soon)
{
    place_enter();
    CHECK_OK(eddy_run(cancels_a_removal));
    place_leave(NULL);
}

static int removes_a_tree(void)
{
    int rc;

    if (mkdir("tree", 0777) == 0 && mkdir("tree/a", 0777) == 0)
        put_file("tree/a/file", "");
    rc = eddy_rmtree("tree");
    EDDY_TRY(eddy_expect(rc != 0 || !is_there("tree")));
    return rc == -ENOENT || rc == -ENOTEMPTY ? 0 : rc; /* a cancelled one works on it still */
}
EDDY_ASYNC(removes_a_tree);

RAW_TEST(rmtree_survives_the_failure_of_each_allocation)
{
    place_enter();
    CHECK_OK(eddy_test_allocations(removes_a_tree));
    place_leave(NULL);
}

RAW_TEST(rmtree_may_be_cancelled_wherever_it_waits)
{
    place_enter();
    CHECK_OK(eddy_test_cancels(removes_a_tree));
    place_leave(NULL);
}
