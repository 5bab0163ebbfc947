/* SPDX-License-Identifier: MIT */
/* Names in the file system: F-37, F-39, F-40. */
#include "os/place.h"

#include "base/fault.h"

/* F-37: the same results as those of the system calls. */
TEST(stat_tells_of_a_file_and_lstat_of_a_link_itself)
{
    struct stat known, link;

    PLACE;
    put_file("file", "12345");
    put_link("file", "link");
    CHECK_OK(eddy_stat("link", &known));
    CHECK(S_ISREG(known.st_mode) && known.st_size == 5);
    CHECK_OK(eddy_lstat("link", &link));
    CHECK(S_ISLNK(link.st_mode) && link.st_ino != known.st_ino);
}

TEST(stat_of_nothing_names_the_path_and_leaves_the_result_alone)
{
    struct stat known = {.st_size = 77};

    PLACE;
    CHECK_FAILS(eddy_stat("none", &known), -ENOENT, "stat \"none\": No such file or directory");
    CHECK_FAILS(eddy_lstat("none/of/it", &known), -ENOENT, "lstat \"none/of/it\"");
    CHECK_EQ(known.st_size, 77);
    CHECK_FAILS(eddy_stat("", &known), -ENOENT, "stat \"\"");
}

TEST(stat_of_a_path_that_is_too_long_shows_its_end)
{
    struct stat known;
    char path[6000];

    memset(path, 'x', sizeof path);
    snprintf(path + sizeof path - 5, 5, "/end");
    CHECK_FAILS(eddy_stat(path, &known), -ENAMETOOLONG, "stat \"...xxx");
    CHECK_HAS(eddy_error_message(-ENAMETOOLONG), "xxx/end\": File name too long");
    path[300] = '\0'; /* one name */
    CHECK_FAILS(eddy_rename(path, path), -ENAMETOOLONG, "\": File name too long");
}

/* F-39: exists and is_x are no on errors. */
TEST(path_questions_are_answered_by_yes_or_no)
{
    PLACE;
    put_file("file", "");
    put_folder("folder");
    put_link("folder", "to-folder");
    put_link("nowhere", "dangling");
    CHECK_EQ(eddy_path_exists("file"), 1);
    CHECK_EQ(eddy_path_exists("dangling"), 0);
    CHECK_EQ(eddy_path_exists("none"), 0);
    CHECK_EQ(eddy_path_exists("file/below"), 0);
    CHECK_EQ(eddy_path_is_file("file"), 1);
    CHECK_EQ(eddy_path_is_file("folder"), 0);
    CHECK_EQ(eddy_path_is_dir("folder"), 1);
    CHECK_EQ(eddy_path_is_dir("to-folder"), 1);
    CHECK_EQ(eddy_path_is_dir("file"), 0);
    CHECK_EQ(eddy_path_is_link("to-folder"), 1);
    CHECK_EQ(eddy_path_is_link("dangling"), 1);
    CHECK_EQ(eddy_path_is_link("folder"), 0);
    CHECK_EQ(eddy_path_is_mount("/proc"), 1);
    CHECK_EQ(eddy_path_is_mount("folder"), 0);
    CHECK_EQ(eddy_path_is_mount("none"), 0);
}

static int asks_when_nobody_may(void)
{
    REQUIRE(eddy_cancel(eddy_current_task()) == 0);
    REQUIRE(eddy_path_exists("/") == -ECANCELED);
    return 0;
}
EDDY_ASYNC(asks_when_nobody_may);

TEST(path_questions_fail_when_the_kernel_is_not_asked)
{
    EDDY_TASK asks = eddy_create_task(asks_when_nobody_may);

    CHECK_OK(eddy_await(asks));
    (void)ed_fault_set(ED_FAULT_STAT, 1, -EIO); /* while the kernel's error is a no */
    CHECK_EQ(eddy_path_exists("/"), 0);
}

/* F-39: the get functions raise. */
TEST(path_size_and_times_are_those_of_stat)
{
    struct timespec times[2] = {{1000, 500000000}, {2000, 250000000}};
    double mtime = 0, atime = 0, ctime = 0;

    PLACE;
    put_file("file", "1234567");
    CHECK_EQ(eddy_path_size("file"), 7);
    CHECK_OK(eddy_utime("file", times));
    CHECK_OK(eddy_path_mtime("file", &mtime));
    CHECK_OK(eddy_path_atime("file", &atime));
    CHECK_OK(eddy_path_ctime("file", &ctime));
    CHECK(atime == 1000.5 && mtime == 2000.25 && ctime > 1.7e9);
    CHECK_OK(eddy_utime("file", NULL)); /* now */
    CHECK_OK(eddy_path_mtime("file", &mtime));
    CHECK(mtime > 1.7e9);
    CHECK_FAILS((int)eddy_path_size("none"), -ENOENT, "\"none\"");
    CHECK_FAILS(eddy_path_mtime("none", &mtime), -ENOENT, "\"none\"");
    CHECK_FAILS(eddy_utime("none", NULL), -ENOENT, "utime \"none\"");
}

TEST(path_size_goes_beyond_what_an_int_holds)
{
    PLACE;
    put_file("large", "");
    CHECK(truncate("large", (off_t)5 << 30) == 0);
    CHECK_EQ(eddy_path_size("large"), (int64_t)5 << 30);
}

TEST(samefile_is_true_of_links_and_other_names)
{
    PLACE;
    put_file("one", "");
    put_file("two", "");
    put_link("one", "link");
    CHECK_OK(eddy_link("one", "other"));
    CHECK_EQ(eddy_samefile("one", "link"), 1);
    CHECK_EQ(eddy_samefile("one", "./other"), 1);
    CHECK_EQ(eddy_samefile("one", "two"), 0);
    CHECK_FAILS(eddy_samefile("one", "none"), -ENOENT, "samefile \"none\"");
    CHECK_FAILS(eddy_samefile("none", "one"), -ENOENT, "samefile \"none\"");
}

TEST(statvfs_tells_of_the_file_system)
{
    struct statvfs known;

    CHECK_OK(eddy_statvfs("/", &known));
    CHECK(known.f_blocks > 0 && known.f_namemax == 255);
    CHECK_FAILS(eddy_statvfs("/none", &known), -ENOENT, "statvfs \"/none\"");
}

TEST(realpath_and_readlink_give_texts_that_are_owned)
{
    char *text = NULL, expected[300];

    PLACE;
    put_folder("folder");
    put_link("folder/../folder", "link");
    CHECK_OK(eddy_readlink("link", &text));
    CHECK_STR(text, "folder/../folder");
    eddy_free(text);
    CHECK_OK(eddy_realpath("link/.", &text));
    snprintf(expected, sizeof expected, "%s/folder", place);
    CHECK_STR(text, expected);
    eddy_free(text);
    text = NULL;
    CHECK_FAILS(eddy_readlink("folder", &text), -EINVAL, "readlink \"folder\"");
    CHECK_FAILS(eddy_realpath("none", &text), -ENOENT, "realpath \"none\"");
    CHECK(!text);
}

TEST(readlink_gives_the_longest_link_whole)
{
    char target[4096], *text = NULL;

    PLACE;
    memset(target, 'y', sizeof target - 1);
    target[sizeof target - 1] = '\0';
    put_link(target, "link");
    CHECK_OK(eddy_readlink("link", &text));
    CHECK_STR(text, target);
    eddy_free(text);
}

static int denied(void)
{
    struct stat known;

    EDDY_TRY(eddy_access("/etc/passwd", R_OK));
    REQUIRE(eddy_access("/etc/passwd", R_OK | W_OK) == -EACCES);
    REQUIRE(strcmp(eddy_error_message(-EACCES), "access \"/etc/passwd\": Permission denied") == 0);
    REQUIRE(eddy_access("/none", F_OK) == -ENOENT);
    REQUIRE(eddy_stat("sealed/none", &known) == -EACCES);
    REQUIRE(eddy_unlink("/etc/passwd") == -EACCES);
    REQUIRE(eddy_rename("/etc/passwd", "/etc/password") == -EACCES);
    REQUIRE(strcmp(eddy_error_message(-EACCES),
                   "rename \"/etc/passwd\" to \"/etc/password\": Permission denied") == 0);
    REQUIRE(eddy_chmod("/etc/passwd", 0666) == -EPERM);
    REQUIRE(strcmp(eddy_error_message(-EPERM), "chmod \"/etc/passwd\": Operation not permitted") ==
            0);
    REQUIRE(eddy_chown("/etc/passwd", 65534, 65534) == -EPERM);
    REQUIRE(eddy_mkdir("/etc/folder", 0777) == -EACCES);
    return 0;
}

/* Issue 3: an error names the path, and says what the kernel says. */
RAW_TEST(access_that_is_denied_is_an_error_that_names_the_path)
{
    place_enter();
    chmod(".", 0755);
    put_folder("sealed");
    chmod("sealed", 0600);
    CHECK_UNPRIVILEGED(denied);
    place_leave(NULL);
}

/* F-40: replaces in one step; onto a folder it fails. */
TEST(rename_replaces_a_file_but_no_folder)
{
    PLACE;
    put_file("one", "1");
    put_file("two", "2");
    put_folder("folder");
    put_folder("empty");
    put_file("folder/inside", "");
    CHECK_OK(eddy_rename("one", "two"));
    CHECK_STR(file_text("two"), "1");
    CHECK(!is_there("one"));
    CHECK_FAILS(eddy_rename("two", "folder"), -EISDIR,
                "rename \"two\" to \"folder\": Is a directory");
    CHECK_FAILS(eddy_rename("folder", "two"), -ENOTDIR, "rename \"folder\" to \"two\"");
    CHECK_FAILS(eddy_rename("empty", "folder"), -ENOTEMPTY, "rename");
    CHECK_OK(eddy_rename("folder", "empty"));
    CHECK(is_there("empty/inside"));
    CHECK_FAILS(eddy_rename("none", "two"), -ENOENT, "rename \"none\" to \"two\"");
    CHECK_FAILS(eddy_rename("two", "/proc/two"), -EXDEV, "rename");
}

TEST(unlink_link_and_symlink_change_names_only)
{
    PLACE;
    put_file("one", "text");
    CHECK_OK(eddy_link("one", "two"));
    CHECK_OK(eddy_symlink("two", "three"));
    CHECK_FAILS(eddy_link("one", "two"), -EEXIST, "link \"one\" to \"two\": File exists");
    CHECK_FAILS(eddy_symlink("x", "two"), -EEXIST, "symlink \"two\" to \"x\": File exists");
    CHECK_OK(eddy_unlink("one"));
    CHECK_STR(file_text("three"), "text");
    CHECK_OK(eddy_unlink("three"));
    CHECK_STR(file_text("two"), "text");
    CHECK_FAILS(eddy_unlink("."), -EISDIR, "unlink \".\"");
    CHECK_FAILS(eddy_unlink("one"), -ENOENT, "unlink \"one\"");
}

TEST(mkdir_and_rmdir_make_and_remove_one_folder)
{
    struct stat known;

    PLACE;
    umask(027);
    CHECK_OK(eddy_mkdir("folder", 0777));
    CHECK_OK(eddy_stat("folder", &known));
    CHECK_EQ(known.st_mode, S_IFDIR | 0750);
    CHECK_FAILS(eddy_mkdir("folder", 0777), -EEXIST, "mkdir \"folder\": File exists");
    CHECK_FAILS(eddy_mkdir("none/folder", 0777), -ENOENT, "mkdir \"none/folder\"");
    put_file("folder/file", "");
    CHECK_FAILS(eddy_rmdir("folder"), -ENOTEMPTY, "rmdir \"folder\"");
    CHECK_OK(eddy_unlink("folder/file"));
    CHECK_OK(eddy_rmdir("folder"));
    CHECK_FAILS(eddy_rmdir("folder"), -ENOENT, "rmdir \"folder\"");
}

TEST(chmod_and_chown_follow_links)
{
    struct stat known;

    PLACE;
    put_file("file", "");
    put_link("file", "link");
    CHECK_OK(eddy_chmod("link", 04711));
    CHECK_OK(eddy_stat("file", &known));
    CHECK_EQ(known.st_mode & 07777, 04711);
    CHECK_OK(eddy_chown("link", (uid_t)-1, (gid_t)-1));
    if (geteuid() == 0) {
        CHECK_OK(eddy_chown("link", 12, (gid_t)-1));
        CHECK_OK(eddy_chown("link", (uid_t)-1, 34));
        CHECK_OK(eddy_stat("file", &known));
        CHECK(known.st_uid == 12 && known.st_gid == 34);
    }
    CHECK_FAILS(eddy_chmod("none", 0), -ENOENT, "chmod \"none\"");
    CHECK_FAILS(eddy_chown("none", 1, 1), -ENOENT, "chown \"none\"");
}

/* Paths are bytes. */
TEST(names_that_are_not_utf_8_are_names)
{
    char *text = NULL;

    PLACE;
    CHECK_OK(eddy_mkdir("\xff\xfe", 0777));
    CHECK_OK(eddy_symlink("\x80\n", "\xff\xfe/\xc3\x28"));
    CHECK_OK(eddy_readlink("\xff\xfe/\xc3\x28", &text));
    CHECK_STR(text, "\x80\n");
    eddy_free(text);
    CHECK_FAILS(eddy_unlink("\xff\xff"), -ENOENT, "unlink \"\xff\xff\": No such");
}

/* Issue 3: EIO, EDQUOT and others that only a fault brings. */
TEST(faults_can_be_injected_into_each_kind_of_call)
{
    struct stat known;

    PLACE;
    put_file("file", "");
    (void)ed_fault_set(ED_FAULT_STAT, 1, -EIO);
    CHECK_FAILS(eddy_stat("file", &known), -EIO, "stat \"file\": Input/output error");
    (void)ed_fault_set(ED_FAULT_RENAME, 1, -EDQUOT);
    CHECK_FAILS(eddy_rename("file", "other"), -EDQUOT, "Disk quota exceeded");
    (void)ed_fault_set(ED_FAULT_UNLINK, 1, -EBUSY);
    CHECK_FAILS(eddy_unlink("file"), -EBUSY, "unlink \"file\": Device or resource busy");
    (void)ed_fault_set(ED_FAULT_LINK, 1, -EMLINK);
    CHECK_FAILS(eddy_link("file", "other"), -EMLINK, "link \"file\" to \"other\"");
    (void)ed_fault_set(ED_FAULT_MKDIR, 1, -ENOSPC);
    CHECK_FAILS(eddy_mkdir("folder", 0777), -ENOSPC, "mkdir \"folder\": No space left on device");
    (void)ed_fault_set(ED_FAULT_CHMOD, 1, -EROFS);
    CHECK_FAILS(eddy_chmod("file", 0600), -EROFS, "chmod \"file\": Read-only file system");
    CHECK_OK(eddy_unlink("file"));
}
