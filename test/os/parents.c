/* SPDX-License-Identifier: MIT */
/* Folders together with those above them: F-40. */
#include "os/place.h"

#include "base/fault.h"

TEST(makedirs_makes_what_is_missing)
{
    struct stat known;

    PLACE;
    umask(022);
    CHECK_OK(eddy_makedirs("a/b//c/d/", 0700, false));
    CHECK_OK(eddy_stat("a/b/c/d", &known));
    CHECK_EQ(known.st_mode & 0777, 0700);
    CHECK_OK(eddy_stat("a/b/c", &known));
    CHECK_EQ(known.st_mode & 0777, 0755); /* the mode is the last one's */
    CHECK_OK(eddy_makedirs("a/b/e", 0777, false));
    CHECK_OK(eddy_makedirs("x/../y/./z", 0777, false));
    CHECK(is_there("x") && is_there("y/z"));
}

TEST(makedirs_of_an_absolute_path_begins_at_the_root)
{
    char path[300];

    PLACE;
    snprintf(path, sizeof path, "/%s/p/q", place);
    CHECK_OK(eddy_makedirs(path, 0777, false));
    CHECK(is_there("p/q"));
}

TEST(makedirs_refuses_what_is_there_unless_it_may)
{
    PLACE;
    put_folder("folder");
    put_file("file", "");
    put_link("folder", "link");
    CHECK_FAILS(eddy_makedirs("folder", 0777, false), -EEXIST, "makedirs \"folder\": File exists");
    CHECK_OK(eddy_makedirs("folder", 0777, true));
    CHECK_OK(eddy_makedirs("link", 0777, true)); /* a folder behind it */
    CHECK_OK(eddy_makedirs("/", 0777, true));
    CHECK_FAILS(eddy_makedirs("file", 0777, true), -EEXIST, "makedirs \"file\"");
    CHECK_FAILS(eddy_makedirs("file/a/b", 0777, true), -ENOTDIR, "makedirs \"file/a/b\"");
    CHECK_FAILS(eddy_makedirs("", 0777, true), -ENOENT, "makedirs \"\"");
}

TEST(makedirs_names_the_folder_that_fails)
{
    PLACE;
    (void)ed_fault_set(ED_FAULT_MKDIR, 3, -ENOSPC); /* the path itself, "a", */
    CHECK_FAILS(eddy_makedirs("a/b/c", 0777, false), -ENOSPC, "makedirs \"a/b\": No space");
    CHECK(is_there("a"));
}

static int makes(const char *path)
{
    return eddy_makedirs(path, 0777, true);
}
EDDY_ASYNC(makes, const char *);

TEST(makedirs_may_be_made_by_several_at_a_time)
{
    PLACE;
    for (int i = 0; i < 20; i++) {
        char path[64];

        snprintf(path, sizeof path, "%d/a/b/c/d", i);
        CHECK_OK(eddy_gather(EDDY_CALL(makes, path), EDDY_CALL(makes, path), EDDY_CALL(makes, path),
                             EDDY_CALL(makes, path)));
        CHECK(is_there(path));
    }
}

TEST(removedirs_prunes_what_is_empty_and_no_more)
{
    PLACE;
    CHECK_OK(eddy_makedirs("a/b/c/d", 0777, false));
    put_file("a/file", "");
    CHECK_OK(eddy_removedirs("a/b//c/d/"));
    CHECK(is_there("a/file") && !is_there("a/b"));
    CHECK_FAILS(eddy_removedirs("a"), -ENOTEMPTY, "removedirs \"a\"");
    CHECK_FAILS(eddy_removedirs("a/none"), -ENOENT, "removedirs \"a/none\"");
    put_folder("single");
    CHECK_OK(eddy_removedirs("single"));
    CHECK(is_there("."));
}

TEST(renames_makes_the_folders_of_one_end_and_prunes_those_of_the_other)
{
    PLACE;
    CHECK_OK(eddy_makedirs("from/a/b", 0777, false));
    put_file("from/a/b/file", "text");
    CHECK_OK(eddy_renames("from/a/b/file", "to/x/y/file"));
    CHECK_STR(file_text("to/x/y/file"), "text");
    CHECK(!is_there("from"));
    CHECK_OK(eddy_renames("to/x/y/file", "to/x/y/other")); /* in one folder */
    CHECK_STR(file_text("to/x/y/other"), "text");
}

TEST(renames_of_nothing_makes_nothing)
{
    PLACE;
    CHECK_FAILS(eddy_renames("none", "to/x"), -ENOENT, "renames \"none\" to \"to/x\"");
    CHECK(!is_there("to"));
    put_file("file", "");
    CHECK_FAILS(eddy_renames("file", "file/x"), -ENOTDIR, "renames \"file\" to \"file/x\"");
}
