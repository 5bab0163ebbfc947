/* SPDX-License-Identifier: MIT */
/* What is in a folder: F-37, F-38. */
#include "os/directory.h"

#include "base/fault.h"
#include "base/memory.h"
#include "os/place.h"

TEST(listdir_gives_all_names_in_order)
{
    char **names = NULL;
    size_t count = 77;

    PLACE;
    put_file("b", "");
    put_folder("a");
    put_link("none", "\xff");
    put_file(".hidden", "");
    CHECK_OK(eddy_listdir(".", &names, &count));
    CHECK_EQ(count, 4);
    CHECK_STR(names[0], ".hidden");
    CHECK_STR(names[1], "a");
    CHECK_STR(names[2], "b");
    CHECK_STR(names[3], "\xff");
    CHECK(!names[4]);
    eddy_free(names);
    CHECK_OK(eddy_listdir("a", &names, NULL));
    CHECK(!names[0]);
    eddy_free(names);
}

TEST(listdir_of_no_folder_leaves_the_results_alone)
{
    char **names = NULL;
    size_t count = 77;

    PLACE;
    put_file("file", "");
    CHECK_FAILS(eddy_listdir("none", &names, &count), -ENOENT, "listdir \"none\": No such file");
    CHECK_FAILS(eddy_listdir("file", &names, &count), -ENOTDIR, "listdir \"file\"");
    (void)ed_fault_set(ED_FAULT_LIST, 2, -EIO);
    CHECK_FAILS(eddy_listdir(".", &names, &count), -EIO, "listdir \".\": Input/output error");
    CHECK(!names && count == 77);
}

static int denied(void)
{
    char **names = NULL;
    eddy_dir_entry entry;
    int rc;

    REQUIRE(eddy_listdir("sealed", &names, NULL) == -EACCES);
    EDDY_FOR_EACH(rc, entry, eddy_scandir("sealed"))
        return eddy_raise(-EDOM, "%s", entry.name);
    REQUIRE(rc == -EACCES);
    REQUIRE(strcmp(eddy_error_message(-EACCES), "scandir \"sealed\": Permission denied") == 0);
    return 0;
}

RAW_TEST(listing_a_folder_may_be_denied)
{
    place_enter();
    chmod(".", 0755);
    put_folder("sealed");
    chmod("sealed", 0300);
    if (geteuid() == 0)
        CHECK_UNPRIVILEGED(denied);
    place_leave(NULL);
}

static void put_many(int count)
{
    for (int i = 0; i < count; i++) {
        char path[64];

        snprintf(path, sizeof path, "a-name-that-is-not-too-short-%d", i);
        CHECK(mknod(path, S_IFREG | 0666, 0) == 0);
    }
}

/* F-38, better: each step that asks the kernel is asynchronous, and brings many. */
TEST(scandir_gives_all_names_with_their_types)
{
    eddy_dir_entry entry;
    int rc, files = 0, folders = 0, others = 0;

    PLACE;
    put_many(3000); /* more than fit into one step */
    put_folder("folder");
    put_link("none", "link");
    CHECK(mkfifo("pipe", 0666) == 0);
    EDDY_FOR_EACH(rc, entry, eddy_scandir(".")) {
        struct stat known;

        CHECK(lstat(entry.name, &known) == 0 && known.st_ino == entry.inode);
        CHECK_EQ(IFTODT(known.st_mode), entry.type);
        files += entry.type == DT_REG;
        folders += entry.type == DT_DIR;
        others += entry.type == DT_LNK || entry.type == DT_FIFO;
    }
    CHECK_OK(rc);
    CHECK(files == 3000 && folders == 1 && others == 2);
}

TEST(scandir_of_an_empty_folder_ends_at_once)
{
    eddy_dir_entry entry;
    EDDY_GENERATOR names = eddy_scandir(".");

    PLACE;
    CHECK_EQ(eddy_next(names, &entry), 0); /* the folder when it is first asked */
    CHECK_EQ(eddy_next(names, &entry), 0);
}

TEST(scandir_of_no_folder_says_so_at_the_first_step)
{
    eddy_dir_entry entry = {.type = 77};
    EDDY_GENERATOR names = eddy_scandir("/none");

    CHECK_FAILS(eddy_next(names, &entry), -ENOENT, "scandir \"/none\": No such file or directory");
    CHECK_EQ(entry.type, 77);
    CHECK_EQ(eddy_next(names, &entry), 0);
}

TEST(scandir_that_is_left_early_closes_its_folder)
{
    PLACE;
    put_many(10);
    LEAVE_EARLY(eddy_dir_entry, eddy_scandir("."), 3);
} /* the harness counts descriptors and bytes */

TEST(scandir_goes_on_in_a_folder_that_changes)
{
    eddy_dir_entry entry;
    int rc, seen = 0;

    PLACE;
    put_many(2000);
    EDDY_FOR_EACH(rc, entry, eddy_scandir(".")) {
        char path[300];

        snprintf(path, sizeof path, "new-%s", entry.name);
        if (++seen < 500 && strncmp(entry.name, "new", 3) != 0)
            (void)rename(entry.name, path);
        else
            (void)unlink(entry.name);
        CHECK(seen < 10000);
    }
    CHECK_OK(rc);
    CHECK(seen >= 2000);
}

TEST(scandir_goes_on_in_a_folder_that_is_gone)
{
    eddy_dir_entry entry;
    int rc, count = 0;

    PLACE;
    put_folder("folder");
    put_file("folder/file", "");
    EDDY_FOR_EACH(rc, entry, eddy_scandir("folder")) {
        CHECK_OK(eddy_rmtree("folder"));
        count++;
    }
    CHECK_OK(rc);
    CHECK_EQ(count, 1);
}

TEST(scandir_step_may_fail)
{
    eddy_dir_entry entry;
    int rc, count = 0;

    PLACE;
    put_many(3);
    (void)ed_fault_set(ED_FAULT_LIST, 2, -EIO);
    EDDY_FOR_EACH(rc, entry, eddy_scandir("."))
        count++;
    CHECK_EQ(count, 3);
    CHECK_EQ(rc, -EIO);
    CHECK_STR(eddy_error_message(-EIO), "scandir \".\": Input/output error");
}

TEST(scandir_by_two_at_a_time_gives_each_all)
{
    eddy_dir_entry entry;
    int count[2] = {0}, rc = 1;

    PLACE;
    put_many(700);
    EDDY_GENERATOR one = eddy_scandir(".");
    EDDY_GENERATOR other = eddy_scandir(".");
    while (rc == 1) {
        rc = eddy_next(one, &entry);
        count[0] += rc == 1;
        if (rc == 1)
            rc = eddy_next(other, &entry);
        count[1] += rc == 1;
    }
    CHECK_EQ(rc, 0);
    CHECK(count[0] == 700 && count[1] == 700);
}

static int leaves_generators_open(void)
{
    eddy_dir_entry entry;
    eddy_walk_entry found;
    eddy_generator *names = eddy_scandir("."), *walk = eddy_walk(".");

    (void)eddy_scandir(".");
    (void)eddy_walk(".");
    REQUIRE(eddy_next(names, &entry) == 1 && eddy_next(walk, &found) == 1);
    return 0;
}
EDDY_ASYNC(leaves_generators_open);

RAW_TEST(generators_of_names_end_with_the_run)
{
    place_enter();
    put_file("file", "");
    CHECK_OK(eddy_run(leaves_generators_open));
    place_leave(NULL);
}

/* A loop that is closed by hand does not run its generators on. */
RAW_TEST(generators_of_names_end_with_a_loop_that_is_just_closed)
{
    eddy_loop *loop;

    place_enter();
    put_file("file", "");
    CHECK_OK(eddy_loop_new(&loop));
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leaves_generators_open)));
    CHECK_OK(eddy_loop_close(loop));
    eddy_loop_free(loop);
    place_leave(NULL);
}

static int lists_thoroughly(void)
{
    eddy_dir_entry entry;
    int rc, count = 0;

    EDDY_FOR_EACH(rc, entry, eddy_scandir("."))
        count++;
    EDDY_TRY(rc);
    return eddy_expect_equal(count, 2);
}
EDDY_ASYNC(lists_thoroughly);

RAW_TEST(scandir_stands_the_testing_kit)
{
    place_enter();
    put_file("one", "");
    put_file("two", "");
    CHECK_OK(eddy_test_thoroughly(lists_thoroughly));
    place_leave(NULL);
}
