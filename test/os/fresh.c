/* SPDX-License-Identifier: MIT */
/* Fresh files: where they are made, what they are like, and what is left of them. */
#include "os/fresh.h"

#include "base/fault.h"
#include "os/place.h"

/* Puts a text where a path points to, in one step; the error of any step. */
static int put_fresh(const char *path, const char *text, mode_t permissions)
{
    struct ed_fresh fresh;
    int rc = ed_fresh_open(&fresh, path, permissions);

    if (rc == 0 && write(fresh.fd, text, strlen(text)) < 0)
        rc = -errno;
    if (rc == 0)
        rc = ed_fresh_commit(&fresh, true);
    ed_fresh_close(&fresh);
    return rc;
}

static mode_t mode_of(const char *path)
{
    struct stat known;

    return stat(path, &known) == 0 ? known.st_mode & 07777 : 0;
}

RAW_TEST(fresh_file_is_made_or_takes_the_place_of_an_old_one)
{
    place_enter();
    umask(022);
    CHECK_EQ(put_fresh("file", "one", 0), 0);
    CHECK_STR(file_text("file"), "one");
    CHECK_EQ(mode_of("file"), 0644);
    chmod("file", 0751);
    CHECK_EQ(put_fresh("./file", "two", 0), 0);
    CHECK_STR(file_text("file"), "two");
    CHECK_EQ(mode_of("file"), 0751);
    CHECK_EQ(put_fresh("file", "three", 0666), 0); /* as they are given, whatever the umask */
    CHECK_EQ(mode_of("file"), 0666);
    CHECK_EQ(put_fresh("other", "", 0600), 0);
    CHECK_EQ(mode_of("other"), 0600);
    CHECK_EQ(names_in("."), 2);
    place_leave(NULL);
}

RAW_TEST(fresh_file_is_not_seen_before_it_is_committed)
{
    struct ed_fresh fresh;

    place_enter();
    put_file("file", "old");
    for (int named = 0; named < 2; named++) {
        (void)ed_fault_set(ED_FAULT_OPENAT, named ? 3 : 0, -EOPNOTSUPP); /* no O_TMPFILE */
        CHECK_EQ(ed_fresh_open(&fresh, "file", 0), 0);
        CHECK_EQ(fresh.named, named);
        CHECK_EQ(write(fresh.fd, "new", 3), 3);
        CHECK_STR(file_text("file"), "old");
        CHECK_EQ(names_in("."), 1 + named);
        ed_fresh_close(&fresh); /* given up */
        CHECK_STR(file_text("file"), "old");
        CHECK_EQ(names_in("."), 1);
    }
    place_leave(NULL);
}

/* Where the file system has no files without a name. */
RAW_TEST(fresh_file_with_a_temporary_name_becomes_the_same)
{
    place_enter();
    umask(022);
    put_file("file", "old");
    chmod("file", 0640);
    (void)ed_fault_set(ED_FAULT_OPENAT, 3, -EOPNOTSUPP);
    CHECK_EQ(put_fresh("file", "new", 0), 0);
    CHECK_STR(file_text("file"), "new");
    CHECK_EQ(mode_of("file"), 0640);
    (void)ed_fault_set(ED_FAULT_OPENAT, 3, -EISDIR); /* an old kernel */
    CHECK_EQ(put_fresh("other", "made", 0), 0);
    CHECK_STR(file_text("other"), "made");
    CHECK_EQ(mode_of("other"), 0644);
    (void)ed_fault_set(ED_FAULT_STAT, 3, -ENOENT); /* no /proc */
    CHECK_EQ(put_fresh("file", "newer", 0), 0);
    CHECK_STR(file_text("file"), "newer");
    CHECK_EQ(names_in("."), 2);
    place_leave(NULL);
}

RAW_TEST(fresh_file_of_the_longest_name_has_a_temporary_one_too)
{
    char name[256];

    place_enter();
    memset(name, 'n', sizeof name - 1);
    name[255] = '\0';
    CHECK_EQ(put_fresh(name, "one", 0), 0);
    CHECK_EQ(put_fresh(name, "two", 0), 0);
    CHECK_STR(file_text(name), "two");
    CHECK_EQ(names_in("."), 1);
    place_leave(NULL);
}

RAW_TEST(fresh_file_follows_links_to_where_the_file_is)
{
    place_enter();
    put_folder("folder");
    put_file("folder/file", "old");
    put_link("folder/file", "link");
    put_link("../link", "folder/back"); /* a link to a link, in another folder */
    put_link("folder/made", "dangling");
    CHECK_EQ(put_fresh("folder/back", "new", 0), 0);
    CHECK_STR(file_text("folder/file"), "new");
    CHECK_EQ(put_fresh("dangling", "made", 0), 0);
    CHECK_STR(file_text("folder/made"), "made");
    CHECK_EQ(names_in("."), 3);
    CHECK_EQ(names_in("folder"), 3);
    put_link("circle", "circle");
    CHECK_EQ(put_fresh("circle", "", 0), -ELOOP);
    put_link("none/file", "to-none");
    CHECK_EQ(put_fresh("to-none", "", 0), -ENOENT);
    place_leave(NULL);
}

/* fs.protected_symlinks: links that others put into a folder like /tmp are traps. */
RAW_TEST(fresh_file_does_not_follow_a_trap)
{
    place_enter();
    put_file("precious", "old");
    put_folder("shared");
    chmod("shared", 01777);
    put_link("../precious", "shared/mine");
    CHECK_EQ(put_fresh("shared/mine", "new", 0), 0);
    CHECK_STR(file_text("precious"), "new");
    if (geteuid() == 0) {
        put_link("../precious", "shared/trap");
        CHECK(lchown("shared/trap", 65534, 65534) == 0);
        CHECK_EQ(put_fresh("shared/trap", "trapped", 0), -EACCES);
        CHECK(chown("shared", 65534, 65534) == 0); /* the folder's owner may */
        CHECK_EQ(put_fresh("shared/trap", "newer", 0), 0);
        CHECK_STR(file_text("precious"), "newer");
    }
    place_leave(NULL);
}

RAW_TEST(fresh_file_replaces_regular_files_only)
{
    place_enter();
    put_folder("folder");
    put_file("file", "");
    CHECK(mkfifo("pipe", 0666) == 0);
    CHECK_EQ(put_fresh("folder", "", 0), -EISDIR);
    CHECK_EQ(put_fresh("folder/", "", 0), -EISDIR);
    CHECK_EQ(put_fresh("folder/.", "", 0), -EISDIR);
    CHECK_EQ(put_fresh("..", "", 0), -EISDIR);
    CHECK_EQ(put_fresh("/", "", 0), -EISDIR);
    CHECK_EQ(put_fresh("pipe", "", 0), -EINVAL);
    CHECK_EQ(put_fresh("/dev/null", "", 0), -EINVAL);
    CHECK_EQ(put_fresh("", "", 0), -ENOENT);
    CHECK_EQ(put_fresh("none/file", "", 0), -ENOENT);
    CHECK_EQ(put_fresh("file/file", "", 0), -ENOTDIR);
    CHECK_EQ(names_in("."), 3);
    place_leave(NULL);
}

RAW_TEST(fresh_file_of_a_path_that_is_too_long_is_refused)
{
    char path[5000];

    memset(path, 'n', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    CHECK_EQ(put_fresh(path, "", 0), -ENAMETOOLONG);
    path[256] = '\0';
    CHECK_EQ(put_fresh(path, "", 0), -ENAMETOOLONG);
}

/* Owner and group stay; without them, permissions that lend them go. */
RAW_TEST(fresh_file_keeps_the_owner_of_the_old_one)
{
    struct stat known;

    if (geteuid() != 0)
        test_skip("only root can give files away");
    place_enter();
    put_file("file", "old");
    CHECK(chown("file", 12, 34) == 0 && chmod("file", 06755) == 0);
    CHECK_EQ(put_fresh("file", "new", 0), 0);
    CHECK(stat("file", &known) == 0 && known.st_uid == 12 && known.st_gid == 34);
    CHECK_EQ(known.st_mode & 07777, 06755);
    (void)ed_fault_set(ED_FAULT_CHMOD, 1, -EPERM); /* as for a user */
    CHECK_EQ(put_fresh("file", "newer", 0), 0);
    CHECK(stat("file", &known) == 0 && known.st_uid == geteuid());
    CHECK_EQ(known.st_mode & 07777, 0755);
    place_leave(NULL);
}

RAW_TEST(fresh_file_appears_where_another_was_made_meanwhile)
{
    struct ed_fresh fresh;

    place_enter();
    CHECK_EQ(ed_fresh_open(&fresh, "file", 0), 0);
    CHECK_EQ(write(fresh.fd, "new", 3), 3);
    put_file("file", "meanwhile");
    CHECK_EQ(ed_fresh_commit(&fresh, false), 0);
    ed_fresh_close(&fresh);
    CHECK_STR(file_text("file"), "new");
    CHECK_EQ(names_in("."), 1);
    place_leave(NULL);
}
