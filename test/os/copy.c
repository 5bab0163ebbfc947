/* SPDX-License-Identifier: MIT */
/* Copying a file. */
#include "base/fault.h"
#include "os/place.h"

static void put_bytes(const char *path, size_t size)
{
    char block[4096];
    FILE *file = fopen(path, "we");

    for (size_t at = 0; at < size; at += sizeof block) {
        size_t part = size - at < sizeof block ? size - at : sizeof block;

        for (size_t i = 0; i < part; i++)
            block[i] = (char)((at + i) * 2654435761u >> 13);
        CHECK(fwrite(block, 1, part, file) == part);
    }
    CHECK(fclose(file) == 0);
}

static bool same_bytes(const char *one, const char *other)
{
    FILE *a = fopen(one, "re"), *b = fopen(other, "re");
    bool same = a && b;
    int c = 0;

    while (same && c != EOF)
        same = (c = getc_unlocked(a)) == getc_unlocked(b);
    if (a)
        fclose(a);
    if (b)
        fclose(b);
    return same;
}

TEST(copy_file_has_the_bytes_and_permissions)
{
    struct stat known;

    PLACE;
    umask(022);
    put_bytes("from", 20000001); /* more than a slice */
    chmod("from", 0756);
    CHECK_EQ(eddy_copy_file("from", "to"), 20000001);
    CHECK(same_bytes("from", "to"));
    CHECK(stat("to", &known) == 0 && (known.st_mode & 07777) == 0756);
    put_file("from", "");
    CHECK_EQ(eddy_copy_file("from", "to"), 0);
    CHECK_EQ(eddy_path_size("to"), 0);
    CHECK_EQ(names_in("."), 2);
}

TEST(copy_file_of_what_the_kernel_makes_up_is_read_and_written)
{
    PLACE;
    CHECK(eddy_copy_file("/proc/self/limits", "to") > 100);
    CHECK_HAS(file_text("to"), "Limit");
}

TEST(copy_file_goes_between_file_systems)
{
    char path[] = "/tmp/eddy-copy-XXXXXX";
    int fd = mkstemp(path);

    PLACE;
    EDDY_DEFER(unlink, path);
    CHECK(fd >= 0);
    close(fd);
    put_bytes("from", 300000);
    CHECK_EQ(eddy_copy_file("from", path), 300000);
    CHECK(same_bytes("from", path));
}

TEST(copy_file_by_hand_is_the_same)
{
    PLACE;
    put_bytes("from", 700001);
    (void)ed_fault_set(ED_FAULT_COPY, 1, -EXDEV);
    CHECK_EQ(eddy_copy_file("from", "to"), 700001);
    CHECK(same_bytes("from", "to"));
    (void)ed_fault_set(ED_FAULT_COPY, 1, -ENOSYS);
    (void)ed_fault_set(ED_FAULT_WRITE, 2, ED_FAULT_SHORT);
    CHECK_EQ(eddy_copy_file("from", "other"), 700001);
    CHECK(same_bytes("from", "other"));
    put_bytes("from", 9000000);
    (void)ed_fault_set(ED_FAULT_COPY, 2, -EINVAL); /* in the middle */
    CHECK_EQ(eddy_copy_file("from", "to"), 9000000);
    CHECK(same_bytes("from", "to"));
}

TEST(copy_file_refuses_what_is_no_file_or_the_same)
{
    PLACE;
    put_file("file", "text");
    put_folder("folder");
    put_link("file", "link");
    CHECK(mkfifo("pipe", 0666) == 0 && link("file", "other") == 0);
    CHECK_FAILS((int)eddy_copy_file("none", "to"), -ENOENT, "copy \"none\": No such file");
    CHECK_FAILS((int)eddy_copy_file("folder", "to"), -EISDIR, "copy \"folder\": Is a directory");
    CHECK_FAILS((int)eddy_copy_file("pipe", "to"), -EINVAL, "copy \"pipe\": Invalid argument");
    CHECK_FAILS((int)eddy_copy_file("file", "folder"), -EISDIR, "copy \"folder\"");
    CHECK_FAILS((int)eddy_copy_file("file", "pipe"), -EINVAL, "copy \"pipe\"");
    CHECK_FAILS((int)eddy_copy_file("file", "none/to"), -ENOENT, "copy \"none/to\"");
    CHECK_FAILS((int)eddy_copy_file("file", "file"), -EINVAL, "copy \"file\" to \"file\"");
    CHECK_FAILS((int)eddy_copy_file("file", "link"), -EINVAL, "copy \"file\" to \"link\"");
    CHECK_FAILS((int)eddy_copy_file("link", "other"), -EINVAL, "copy \"link\" to \"other\"");
    CHECK_STR(file_text("file"), "text");
    CHECK_EQ(names_in("."), 5);
}

TEST(copy_file_that_fails_leaves_the_target_alone)
{
    static const enum ed_fault kinds[] = {ED_FAULT_COPY,   ED_FAULT_READ, ED_FAULT_WRITE,
                                          ED_FAULT_OPENAT, ED_FAULT_STAT, ED_FAULT_CHMOD,
                                          ED_FAULT_RENAME, ED_FAULT_LINK, ED_FAULT_CLOSE};
    int failures = 0;

    PLACE;
    put_bytes("from", 300000);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        failures = 0;
        for (uint64_t nth = 1; nth < 8; nth++) {
            int64_t n;

            put_file("to", "old");
            (void)ed_fault_set(kinds[k], nth, -EIO);
            if (kinds[k] == ED_FAULT_READ || kinds[k] == ED_FAULT_WRITE)
                (void)ed_fault_set(ED_FAULT_COPY, 1, -EXDEV);
            n = eddy_copy_file("from", "to");
            CHECK(n == 300000 || n == -EIO);
            if (n < 0)
                CHECK_STR(file_text("to"), "old");
            else
                CHECK(same_bytes("from", "to"));
            failures += n < 0;
            (void)ed_fault_set(kinds[k], 0, 0);
            CHECK_EQ(names_in("."), 2);
        }
        CHECK_THAT(failures > 0, "operations of kind %d never failed", (int)kinds[k]);
    }
}

static int copies(const char *from, const char *to)
{
    int64_t n = eddy_copy_file(from, to);

    return n < 0 ? (int)n : 0;
}
EDDY_ASYNC(copies, const char *, const char *);

static void wait_for_threads(void)
{
    eddy_stats s;

    do {
        usleep(1000);
        eddy_get_stats(&s);
    } while (s.threads);
}

static int leaves_a_copy(void)
{
    EDDY_TASK copy = eddy_create_task(copies, "from", "to");

    while (ed_fault_count(ED_FAULT_COPY) < 2)
        EDDY_TRY(eddy_sleep(0));
    REQUIRE(eddy_cancel(copy) == 0);
    return eddy_await(copy) == -ECANCELED ? 0 : -EDOM;
}
EDDY_ASYNC(leaves_a_copy);

/* A cancel is at once, and the copying ends soon, with nothing left. */
RAW_TEST(copy_file_that_is_cancelled_leaves_nothing)
{
    if (test_is_on_valgrind())
        test_skip("valgrind runs a thread at a time, and may let the copy end first");
    place_enter();
    put_file("from", "x");
    CHECK(truncate("from", (off_t)4 << 30) == 0); /* takes a second or more */
    CHECK_OK(eddy_run(leaves_a_copy));
    wait_for_threads();
    CHECK(ed_fault_count(ED_FAULT_COPY) < 300);
    CHECK_EQ(names_in("."), 1);
    place_leave(NULL);
}
