/* SPDX-License-Identifier: MIT */
/*
 * Replacing a file in one step (issue 3): old or new, whatever fails, and whatever is killed when.
 */
#include "base/fault.h"
#include "os/place.h"

#include <sys/mount.h>
#include <sys/ptrace.h>

static const enum ed_fault kinds[] = {ED_FAULT_OPENAT, ED_FAULT_STAT, ED_FAULT_CHMOD,
                                      ED_FAULT_WRITE,  ED_FAULT_LINK, ED_FAULT_FSYNC,
                                      ED_FAULT_RENAME};

TEST(replace_file_makes_or_replaces_a_file)
{
    PLACE;
    CHECK_OK(eddy_replace_file("file", "first", 5, 0));
    CHECK_STR(file_text("file"), "first");
    CHECK_OK(eddy_replace_file("file", "2nd", 3, 0600));
    CHECK_STR(file_text("file"), "2nd");
    CHECK_OK(eddy_replace_file("file", NULL, 0, 0));
    CHECK_STR(file_text("file"), "");
    CHECK_EQ(names_in("."), 1);
    CHECK_FAILS(eddy_replace_file("none/file", "x", 1, 0), -ENOENT,
                "replace \"none/file\": No such");
    CHECK_FAILS(eddy_replace_file(".", "x", 1, 0), -EISDIR, "replace \".\": Is a directory");
}

TEST(replace_file_takes_more_than_a_slice)
{
    size_t size = 9 << 20;
    char *data = malloc(size);

    PLACE;
    memset(data, 'x', size);
    CHECK_OK(eddy_replace_file("file", data, size, 0));
    free(data);
    CHECK_EQ(eddy_path_size("file"), (int64_t)size);
}

TEST(replace_file_leaves_other_names_and_readers_the_old_bytes)
{
    char text[8] = "";
    int fd, rc;

    PLACE;
    put_file("file", "old");
    CHECK(link("file", "other") == 0);
    fd = open("file", O_RDONLY | O_CLOEXEC);
    rc = eddy_replace_file("file", "new", 3, 0);
    CHECK_EQ(read(fd, text, sizeof text), 3);
    close(fd);
    CHECK_OK(rc);
    CHECK_STR(text, "old");
    CHECK_STR(file_text("other"), "old");
    CHECK_STR(file_text("file"), "new");
}

/* Each operation of each kind fails once, with and without an old file, with and without
 * O_TMPFILE. Only the last, the folder's way to the disk, comes behind the new file's. */
static void sweep_faults(enum ed_fault kind, const char *before, bool named, int *failures)
{
    for (uint64_t nth = 1; nth < 8; nth++) {
        int rc;

        unlink("file");
        if (before)
            put_file("file", before);
        (void)ed_fault_set(ED_FAULT_OPENAT, named ? 3 : 0, -EOPNOTSUPP);
        if (!named || kind != ED_FAULT_OPENAT)
            (void)ed_fault_set(kind, nth, -EIO);
        rc = eddy_replace_file("file", "new", 3, 0);
        (void)ed_fault_set(kind, 0, 0);
        CHECK_THAT(rc == 0 || rc == -EIO, "%s", eddy_error_message(rc));
        CHECK(rc == 0 ||
              strcmp(eddy_error_message(rc), "replace \"file\": Input/output error") == 0);
        if (rc == 0 || (kind == ED_FAULT_FSYNC && nth == 2) ||
            strcmp(file_text("file"), "new") == 0)
            CHECK_STR(file_text("file"), "new");
        else
            CHECK_STR(file_text("file"), before ? before : "(none)");
        CHECK_EQ(names_in("."), is_there("file")); /* nothing beside it */
        *failures += rc < 0;
    }
}

/* A folder that its file system does not write by itself is none that could not be written. */
TEST(replace_file_in_a_folder_that_needs_no_sync)
{
    PLACE;
    (void)ed_fault_set(ED_FAULT_FSYNC, 2, -EINVAL);
    CHECK_OK(eddy_replace_file("file", "new", 3, 0));
    CHECK_STR(file_text("file"), "new");
}

TEST(replace_file_that_fails_leaves_the_old_file_and_nothing_beside_it)
{
    int failures = 0;

    PLACE;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int named = 0; named < 2; named++) {
            sweep_faults(kinds[k], "old", named, &failures);
            sweep_faults(kinds[k], NULL, named, &failures);
        }
    CHECK(failures > 30);
}

TEST(replace_file_writes_on_behind_a_short_write)
{
    PLACE;
    (void)ed_fault_set(ED_FAULT_WRITE, 1, ED_FAULT_SHORT);
    CHECK_OK(eddy_replace_file("file", "text", 4, 0));
    CHECK_STR(file_text("file"), "text");
}

static int replaces_by(const char *text)
{
    for (int i = 0; i < 25; i++)
        EDDY_TRY(eddy_replace_file("file", text, strlen(text), 0));
    return 0;
}
EDDY_ASYNC(replaces_by, const char *);

/* Whoever reads meanwhile finds one of them whole. */
static int reads(void)
{
    for (int i = 0; i < 50; i++) {
        const char *text = file_text("file");

        REQUIRE(strcmp(text, "one") == 0 || strcmp(text, "second") == 0 ||
                strcmp(text, "the third") == 0);
        EDDY_TRY(eddy_sleep(0));
    }
    return 0;
}
EDDY_ASYNC(reads);

TEST(replace_file_by_several_at_a_time_leaves_one_of_theirs)
{
    PLACE;
    put_file("file", "one");
    CHECK_OK(eddy_gather(EDDY_CALL(replaces_by, "one"), EDDY_CALL(replaces_by, "second"),
                         EDDY_CALL(replaces_by, "the third"), EDDY_CALL(reads)));
    CHECK_OK(reads());
    CHECK_EQ(names_in("."), 1);
}

static void small_leave(void *unused)
{
    (void)unused;
    umount2("small", MNT_DETACH);
}

TEST(replace_file_on_a_full_disk_leaves_the_old_file)
{
    static char data[200000];

    PLACE;
    put_folder("small");
    if (mount("tmpfs", "small", "tmpfs", 0, "size=64k") < 0)
        return; /* not allowed here */
    EDDY_DEFER(small_leave, NULL);
    put_file("small/file", "old");
    CHECK_FAILS(eddy_replace_file("small/file", data, sizeof data, 0), -ENOSPC,
                "replace \"small/file\": No space left on device");
    CHECK_STR(file_text("small/file"), "old");
    CHECK_EQ(names_in("small"), 1);
    CHECK(truncate("small/file", 200000) == 0); /* a hole: the copy of it does not fit either */
    put_file("large", "");
    CHECK(truncate("large", 200000) == 0);
    CHECK_FAILS((int)eddy_copy_file("large", "small/copy"), -ENOSPC,
                "copy \"large\" to \"small/copy\"");
    CHECK_EQ(names_in("small"), 1);
    put_file("small/file", "old");
    CHECK_OK(eddy_replace_file("small/file", "new", 3, 0));
    CHECK_STR(file_text("small/file"), "new");
}

TEST(replace_file_on_a_file_system_that_is_read_only_says_so)
{
    PLACE;
    put_folder("small");
    if (mount("tmpfs", "small", "tmpfs", MS_RDONLY, "size=64k") < 0)
        return; /* not allowed here */
    EDDY_DEFER(small_leave, NULL);
    CHECK_FAILS(eddy_replace_file("small/file", "new", 3, 0), -EROFS,
                "replace \"small/file\": Read-only file system");
    CHECK_FAILS(eddy_mkdir("small/folder", 0777), -EROFS, "Read-only");
}

/* A file that must not be replaced by others in its folder. */
static int replaces_anothers(void)
{
    REQUIRE(eddy_replace_file("closed/file", "new", 3, 0) == -EACCES);
    EDDY_TRY(eddy_replace_file("open/file", "new", 3, 0));
    return strcmp(file_text("open/file"), "new") == 0 ? 0 : -EDOM;
}

RAW_TEST(replace_file_needs_the_right_to_change_the_folder)
{
    if (geteuid() != 0)
        test_skip("only root can make files that are another's");
    place_enter();
    chmod(".", 0755);
    put_folder("closed");
    put_folder("open");
    put_file("closed/file", "old");
    put_file("open/file", "old");
    chmod("open", 0777);
    CHECK_UNPRIVILEGED(replaces_anothers);
    CHECK_STR(file_text("closed/file"), "old");
    chmod("open", 0733); /* and not the right to read it */
    put_file("open/file", "old");
    CHECK_UNPRIVILEGED(replaces_anothers);
    place_leave(NULL);
}

/* Kill at every step --------------------------------------------------------------- */

static int replaces(void)
{
    return eddy_replace_file("file", "new", 3, 0);
}
EDDY_ASYNC(replaces);

static int replaces_named(void)
{
    (void)ed_fault_set(ED_FAULT_OPENAT, 3, -EOPNOTSUPP);
    return eddy_replace_file("file", "new", 3, 0);
}
EDDY_ASYNC(replaces_named);

static _Noreturn void traced_child(bool named)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    _exit(named ? eddy_run(replaces_named) : eddy_run(replaces));
}

/* Lets a process run up to the nth beginning or end of a system call of any of its threads, and
 * kills it there. Whether it came that far; -1: tracing is not allowed. */
static int kill_at(int nth, bool named)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    int status, steps = 0;
    pid_t pid = fork(), stopped;

    if (pid == 0)
        traced_child(named);
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return -1;
    ptrace(PTRACE_SETOPTIONS, pid, NULL, options);
    ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    while ((stopped = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (stopped == pid)
                return WIFSIGNALED(status);
            continue;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) && ++steps == nth)
            kill(pid, SIGKILL);
        else
            ptrace(PTRACE_SYSCALL, stopped, NULL, NULL);
    }
    return 0;
}

/* What is beside the file, of those that a kill left; at most one, and only a whole one unless it
 * has been named from the start. */
static void check_beside(bool named)
{
    DIR *folder = opendir(".");
    struct dirent *entry;
    int beside = 0;

    while ((entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strcmp(entry->d_name, "file") == 0)
            continue;
        CHECK_THAT(strncmp(entry->d_name, ".file.", 6) == 0 && strlen(entry->d_name) == 22, "%s",
                   entry->d_name);
        CHECK(named || strcmp(file_text(entry->d_name), "new") == 0);
        unlink(entry->d_name);
        beside++;
    }
    closedir(folder);
    CHECK(beside <= 1);
}

static void kill_everywhere(bool named, const char *before)
{
    int killed = 1, nth = 0, old = 0;

    while (killed == 1 && nth < 3000) {
        unlink("file");
        if (before)
            put_file("file", before);
        killed = kill_at(++nth, named);
        if (killed < 0)
            test_skip("tracing is not allowed");
        old += strcmp(file_text("file"), before ? before : "(none)") == 0;
        if (strcmp(file_text("file"), "new") != 0)
            CHECK_STR(file_text("file"), before ? before : "(none)");
        check_beside(named);
    }
    CHECK_STR(file_text("file"), "new");
    CHECK(old > 10 && nth - old > 3); /* both were seen */
}

RAW_TEST(replace_file_that_is_killed_at_any_step_leaves_the_old_file_or_the_new_one)
{
    if (test_is_slow())
        test_skip("the sanitizers' own steps are too many");
    place_enter();
    kill_everywhere(false, "old");
    kill_everywhere(false, NULL);
    place_leave(NULL);
}

RAW_TEST(replace_file_with_a_temporary_name_that_is_killed_leaves_the_old_file_or_the_new_one)
{
    if (test_is_slow())
        test_skip("the sanitizers' own steps are too many");
    place_enter();
    kill_everywhere(true, "old");
    place_leave(NULL);
}
