/* SPDX-License-Identifier: MIT */
/* Going through folders by descriptors: what is not followed, and the way back. */
#include "os/tree.h"

#include "base/fault.h"
#include "base/memory.h"
#include "os/place.h"

RAW_TEST(tree_names_are_read_with_their_types)
{
    struct ed_tree tree = {.levels = NULL};
    const char *name = NULL;
    int count = 0;

    place_enter();
    put_folder("folder");
    put_file("file", "");
    put_link("none", "link");
    CHECK_EQ(ed_tree_open(&tree, ".", 0), 0);
    CHECK_EQ(ed_names_read(&ed_tree_top(&tree)->names, ed_tree_top(&tree)->folder), 0);
    while ((name = ed_names_next(&ed_tree_top(&tree)->names, name))) {
        int type = ed_name_type(name);

        CHECK(type == (strcmp(name, "folder") == 0 ? DT_DIR
                       : strcmp(name, "file") == 0 ? DT_REG
                                                   : DT_LNK));
        count++;
    }
    CHECK_EQ(count, 3);
    CHECK_EQ(ed_names_sort(&ed_tree_top(&tree)->names), 0);
    CHECK_STR(ed_tree_top(&tree)->names.sorted[0], "file");
    CHECK_STR(ed_tree_top(&tree)->names.sorted[2], "link");
    CHECK(!ed_tree_top(&tree)->names.sorted[3]);
    ed_tree_close(&tree);
    place_leave(NULL);
}

RAW_TEST(tree_of_an_empty_folder_has_no_names)
{
    struct ed_tree tree = {.levels = NULL};

    place_enter();
    CHECK_EQ(ed_tree_open(&tree, ".", 0), 0);
    CHECK_EQ(ed_names_read(&ed_tree_top(&tree)->names, ed_tree_top(&tree)->folder), 0);
    CHECK(!ed_names_next(&ed_tree_top(&tree)->names, NULL));
    CHECK_EQ(ed_names_sort(&ed_tree_top(&tree)->names), 0);
    ed_tree_close(&tree);
    place_leave(NULL);
}

RAW_TEST(tree_enters_no_link_and_no_file)
{
    struct ed_tree tree = {.levels = NULL};

    place_enter();
    put_folder("folder");
    put_file("file", "");
    put_link("folder", "link");
    CHECK_EQ(ed_tree_open(&tree, "link", O_NOFOLLOW), -ENOTDIR);
    CHECK_EQ(ed_tree_open(&tree, "file", 0), -ENOTDIR);
    CHECK_EQ(ed_tree_open(&tree, ".", 0), 0);
    CHECK_EQ(ed_tree_enter(&tree, "link"), -ENOTDIR);
    CHECK_EQ(ed_tree_enter(&tree, "file"), -ENOTDIR);
    CHECK_EQ(ed_tree_enter(&tree, "none"), -ENOENT);
    CHECK_EQ(tree.depth, 1);
    CHECK_EQ(ed_tree_enter(&tree, "folder"), 0);
    CHECK_STR(tree.path, "./folder");
    CHECK_STR(ed_tree_path(&tree, "x"), "./folder/x");
    CHECK_EQ(ed_tree_leave(&tree, true), 0);
    CHECK_STR(tree.path, ".");
    ed_tree_close(&tree);
    place_leave(NULL);
}

/* Enters a chain of 100 folders, "0" to "99". */
static void enter_hundred(struct ed_tree *tree)
{
    CHECK_EQ(ed_tree_open(tree, ".", 0), 0);
    for (int i = 0; i < 100; i++) {
        char name[8];

        snprintf(name, sizeof name, "%d", i);
        CHECK(mkdirat(ed_tree_top(tree)->folder, name, 0777) == 0);
        CHECK_EQ(ed_tree_enter(tree, name), 0);
    }
}

RAW_TEST(tree_opens_the_folders_above_again_on_the_way_back)
{
    struct ed_tree tree = {.levels = NULL};
    int closed = 0;

    place_enter();
    enter_hundred(&tree);
    while (tree.depth > 0) {
        int rc = ed_tree_leave(&tree, false);

        if (rc == -EAGAIN) {
            closed++;
            rc = ed_tree_leave(&tree, true);
        }
        CHECK_EQ(rc, 0);
        CHECK(tree.depth == 0 || ed_tree_top(&tree)->folder >= 0);
    }
    CHECK_EQ(closed, 101 - 32);
    ed_tree_close(&tree);
    CHECK(rename("0/1", "1") == 0);
    place_leave(NULL);
}

/* A folder that is moved out of the tree must not take us with it. */
RAW_TEST(tree_does_not_go_back_to_another_folder_than_it_came_from)
{
    struct ed_tree tree = {.levels = NULL};
    int rc;

    place_enter();
    enter_hundred(&tree);
    CHECK(rename("0/1/2/3/4", "elsewhere") == 0);
    while ((rc = ed_tree_leave(&tree, true)) == 0)
        continue;
    CHECK_EQ(rc, -ESTALE);
    CHECK_EQ(tree.depth, 5); /* in "3", which is closed */
    CHECK_EQ(ed_tree_top(&tree)->folder, -1);
    ed_tree_close(&tree);
    place_leave(NULL);
}

RAW_TEST(tree_finds_a_folder_that_is_above_itself)
{
    struct ed_tree tree = {.levels = NULL};

    place_enter();
    put_folder("folder");
    CHECK_EQ(ed_tree_open(&tree, ".", 0), 0);
    CHECK(!ed_tree_loops(&tree));
    CHECK_EQ(ed_tree_enter(&tree, "folder"), 0);
    CHECK(!ed_tree_loops(&tree));
    CHECK_EQ(ed_tree_enter(&tree, ".."), 0); /* as no name that was read is */
    CHECK(ed_tree_loops(&tree));
    ed_tree_close(&tree);
    place_leave(NULL);
}

RAW_TEST(tree_asks_for_types_that_the_folder_does_not_tell)
{
    unsigned char type = DT_UNKNOWN;

    place_enter();
    put_folder("folder");
    CHECK(ed_name_find_type(AT_FDCWD, "folder", &type));
    CHECK_EQ(type, DT_DIR);
    type = DT_UNKNOWN;
    CHECK(!ed_name_find_type(AT_FDCWD, "none", &type));
    (void)ed_fault_set(ED_FAULT_STAT, 1, -EACCES);       /* a folder that may be read only */
    CHECK(ed_name_find_type(AT_FDCWD, "folder", &type)); /* it is there */
    CHECK_EQ(type, DT_UNKNOWN);
    place_leave(NULL);
}

RAW_TEST(tree_reading_may_fail)
{
    struct ed_names names = {.bytes = NULL};
    int fd;

    place_enter();
    put_file("file", "");
    fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)ed_fault_set(ED_FAULT_LIST, 2, -EIO);
    CHECK_EQ(ed_names_read(&names, fd), -EIO);
    CHECK_EQ(names.count, 1); /* what was read is kept */
    ed_names_free(&names);
    close(fd);
    place_leave(NULL);
}
