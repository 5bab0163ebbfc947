/* SPDX-License-Identifier: MIT */
/* Spooled temporary files: rule F-43. */
#include "os/spool.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/fault.h"
#include "eddy/tempfile.h"
#include "os/files.h"
#include "os/gate.h"

#define MOST 1000 /* bytes in memory */

static char block[100000];

/* How many names there are in a folder. */
static int names_in(const char *path)
{
    DIR *names = opendir(path);
    int count = -2;

    while (names && readdir(names))
        count++;
    closedir(names);
    return count;
}

static int spooled(size_t max_size, eddy_stream **out)
{
    eddy_temporary_options options = {.dir = files_directory};

    return eddy_spooled_temporary_file(max_size, &options, out);
}

/* Whether the file holds these bytes, and stands behind so many. */
static int holds(eddy_stream *file, const void *bytes, size_t size, int64_t position)
{
    static char content[sizeof block + 1];

    REQUIRE(eddy_pread(file, content, sizeof content, 0) == (ssize_t)size);
    REQUIRE(memcmp(content, bytes, size) == 0);
    REQUIRE(eddy_tell(file) == position);
    return 0;
}

static void fill_block(void)
{
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)('a' + i * 7 % 23 + i / 1000 % 3);
}

/* F-43: all calls, without a descriptor and without a file. */
TEST(spooled_file_is_in_memory_while_it_is_small)
{
    FILES();
    EDDY_STREAM file = NULL;
    char data[64];
    eddy_line line;
    eddy_stats before, after;
    int rc, lines = 0;

    eddy_get_stats(&before);
    CHECK_OK(spooled(MOST, &file));
    CHECK_STR(eddy_stream_kind(file), "file");
    CHECK_OK(eddy_printf(file, "one\n%s\n", "two"));
    CHECK_OK(eddy_write_nowait(file, "three", 5));
    CHECK_OK(holds(file, "one\ntwo\nthree", 13, 13));
    CHECK_EQ(eddy_seek(file, 0, SEEK_SET), 0);
    EDDY_FOR_EACH(rc, line, eddy_lines(file))
        lines++;
    CHECK_EQ(lines, 3);
    CHECK_EQ(eddy_seek(file, 4, SEEK_SET), 4);
    CHECK_EQ(eddy_read(file, data, 3), 3);
    CHECK_OK(eddy_write(file, "TO", 2)); /* where the reading stopped */
    CHECK_OK(holds(file, "one\ntwoTOhree", 13, 9));
    CHECK_OK(eddy_pwrite(file, "ONE", 3, 0));
    CHECK_OK(eddy_fsync(file));
    CHECK_OK(eddy_fdatasync(file));
    CHECK_OK(eddy_flush(file));
    CHECK_OK(eddy_file_lock(file, true));
    eddy_file_unlock(file);
    CHECK_OK(eddy_read_exactly(file, data, 4));
    CHECK_EQ(eddy_read(file, data, sizeof data), 0);
    CHECK_OK(holds(file, "ONE\ntwoTOhree", 13, 13));
    eddy_get_stats(&after);
    CHECK_EQ(after.descriptors, before.descriptors);
    CHECK_EQ(after.threads, before.threads);
    CHECK_EQ(eddy_stream_fd(file), -1);
    CHECK(!eddy_is_rolled_over(file));
    CHECK_EQ(names_in(files_directory), 0);
}

/* F-43: up to max_size, and not a byte more. */
TEST(spooled_file_rolls_over_when_it_would_exceed_its_size)
{
    FILES();
    fill_block();
    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        char data[10];
        struct stat status;

        CHECK_OK(spooled(MOST, &file));
        CHECK_OK(eddy_write(file, block, MOST));
        CHECK(!eddy_is_rolled_over(file));
        CHECK_EQ(eddy_seek(file, 100, SEEK_SET), 100);
        CHECK_OK(eddy_read_exactly(file, data, sizeof data)); /* and reads ahead */
        CHECK_OK(eddy_pwrite(file, block + MOST, 1, MOST));
        CHECK(eddy_is_rolled_over(file));
        CHECK_OK(holds(file, block, MOST + 1, 110));
        CHECK_OK(eddy_read_exactly(file, data, sizeof data));
        CHECK(memcmp(data, block + 110, sizeof data) == 0);
        CHECK_EQ(eddy_seek(file, 0, SEEK_END), MOST + 1);
        CHECK_OK(eddy_write(file, block + MOST + 1, MOST));
        CHECK_OK(holds(file, block, 2 * MOST + 1, 2 * MOST + 1));
        CHECK_OK(fstat(eddy_stream_fd(file), &status));
        CHECK_EQ(status.st_size, 2 * MOST + 1);
        CHECK_EQ(status.st_mode & 0777, 0600);
        CHECK_EQ(status.st_nlink, 0);
        CHECK(fcntl(eddy_stream_fd(file), F_GETFD) & FD_CLOEXEC);
        CHECK_EQ(names_in(files_directory), 0);
    }
}

/* One write that is longer than memory may be, of many parts. */
TEST(spooled_file_takes_a_large_write_in_many_parts)
{
    FILES();
    EDDY_STREAM file = NULL;
    struct iovec parts[100];

    fill_block();
    for (size_t i = 0; i < 100; i++)
        parts[i] = (struct iovec){block + i * 1000, 1000};
    CHECK_OK(spooled(30000, &file));
    CHECK_OK(eddy_writev(file, parts, 100));
    CHECK(eddy_is_rolled_over(file));
    CHECK_OK(holds(file, block, 100000, 100000));
    CHECK_OK(eddy_stream_close(&file));
    CHECK_OK(spooled(0, &file));
    CHECK_OK(eddy_pwritev(file, parts, 100, 0));
    CHECK_OK(holds(file, block, 100000, 0));
    CHECK_EQ(eddy_preadv(file, parts, 100, 50000), 50000);
    CHECK(!eddy_is_rolled_over(file));
}

/* F-43: 0 means never. */
TEST(spooled_file_without_a_size_rolls_over_only_when_told_to)
{
    FILES();
    EDDY_STREAM file = NULL;

    fill_block();
    CHECK_OK(spooled(0, &file));
    for (int i = 0; i < 10; i++)
        CHECK_OK(eddy_write(file, block, sizeof block));
    CHECK(!eddy_is_rolled_over(file));
    CHECK_EQ(eddy_seek(file, 0, SEEK_END), 10 * (int64_t)sizeof block);
    CHECK_OK(eddy_truncate(file, sizeof block));
    CHECK_OK(eddy_rollover(file));
    CHECK(eddy_is_rolled_over(file));
    CHECK_OK(eddy_rollover(file)); /* no more to do */
    CHECK_OK(holds(file, block, sizeof block, 10 * (int64_t)sizeof block));
}

TEST(spooled_file_that_is_empty_rolls_over)
{
    FILES();
    EDDY_STREAM file = NULL, opened = NULL, second = NULL, one = NULL, other = NULL;

    CHECK_OK(spooled(MOST, &file));
    CHECK_OK(eddy_rollover(file));
    CHECK(eddy_stream_fd(file) >= 0);
    CHECK_EQ(eddy_file_from_fd(eddy_stream_fd(file), &second), -EBUSY);
    CHECK_OK(holds(file, "", 0, 0));
    CHECK_OK(eddy_open(files_put("file", "x"), "r", &opened));
    CHECK_OK(eddy_rollover(opened)); /* it is on the disk */
    CHECK(eddy_is_rolled_over(opened));
    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_FAILS(eddy_rollover(one), -ESPIPE, "roll over: it is no file");
    CHECK(!eddy_is_rolled_over(one));
}

TEST(spooled_file_is_cut_and_made_longer)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(spooled(MOST, &file));
    CHECK_OK(eddy_write(file, "hello", 5));
    CHECK_OK(eddy_truncate(file, 2));
    CHECK_OK(holds(file, "he", 2, 5));
    CHECK_OK(eddy_truncate(file, 4));
    CHECK_OK(holds(file, "he\0", 4, 5));
    CHECK_OK(eddy_truncate(file, -1));
    CHECK_OK(holds(file, "he\0\0", 5, 5));
    CHECK_OK(eddy_truncate(file, 0));
    CHECK_OK(holds(file, "", 0, 5));
    CHECK_OK(eddy_write(file, "!", 1)); /* behind a hole */
    CHECK_OK(holds(file, "\0\0\0\0\0!", 6, 6));
    CHECK_FAILS(eddy_truncate(file, -2), -EINVAL, "truncate: to -2 bytes");
    CHECK_OK(eddy_truncate(file, MOST));
    CHECK(!eddy_is_rolled_over(file));
    CHECK_OK(eddy_truncate(file, MOST + 1));
    CHECK(eddy_is_rolled_over(file));
    memcpy(block, "\0\0\0\0\0!", 6);
    memset(block + 6, 0, MOST - 5);
    CHECK_OK(holds(file, block, MOST + 1, 6));
}

TEST(spooled_file_has_positions_as_any_file)
{
    FILES();
    EDDY_STREAM file = NULL;
    char data[4];

    CHECK_OK(spooled(0, &file));
    CHECK_OK(eddy_write(file, "hello", 5));
    CHECK_EQ(eddy_seek(file, -2, SEEK_END), 3);
    CHECK_EQ(eddy_seek(file, -3, SEEK_CUR), 0);
    CHECK_EQ(eddy_seek(file, 2, SEEK_DATA), 2);
    CHECK_EQ(eddy_seek(file, 2, SEEK_HOLE), 5);
    CHECK_EQ(eddy_seek(file, 5, SEEK_DATA), -ENXIO);
    CHECK_EQ(eddy_seek(file, -1, SEEK_HOLE), -ENXIO);
    CHECK_EQ(eddy_seek(file, -6, SEEK_END), -EINVAL);
    CHECK_EQ(eddy_seek(file, INT64_MAX, SEEK_END), -EOVERFLOW);
    CHECK_EQ(eddy_seek(file, 0, 99), -EINVAL);
    CHECK_EQ(eddy_tell(file), 5);
    CHECK_EQ(eddy_pread(file, data, 4, 100), 0);
    CHECK_EQ(eddy_pread(file, data, 4, -1), -EINVAL);
    CHECK_EQ(eddy_pwrite(file, "x", 1, INT64_MAX), -EFBIG);
    CHECK_EQ(eddy_pwrite(file, "x", 1, INT64_MAX - 1), -ENOMEM);
    CHECK_EQ(eddy_truncate(file, INT64_MAX), -ENOMEM);
    CHECK_OK(holds(file, "hello", 5, 5));
}

/* What must not wait is gathered, as with every file. */
TEST(spooled_file_gathers_what_cannot_roll_over_at_once)
{
    FILES();
    EDDY_STREAM file = NULL;

    fill_block();
    CHECK_OK(spooled(MOST, &file));
    CHECK_OK(eddy_write_nowait(file, block, MOST - 1));
    CHECK_OK(eddy_write_nowait(file, block + MOST - 1, 2));
    CHECK(!eddy_is_rolled_over(file));
    CHECK_EQ(eddy_tell(file), MOST + 1);
    CHECK_OK(eddy_flush(file));
    CHECK(eddy_is_rolled_over(file));
    CHECK_OK(holds(file, block, MOST + 1, MOST + 1));
    CHECK_OK(eddy_stream_close(&file));

    CHECK_OK(spooled(MOST, &file));
    CHECK_OK(eddy_write_nowait(file, block, 70000));
    CHECK_EQ(eddy_write_nowait(file, block, 70000), -EAGAIN);
    (void)ed_fault_set(ED_FAULT_OPENAT, 1, -EMFILE);
    CHECK_OK(eddy_stream_close(&file)); /* where nothing is made, since nobody would see it */
    CHECK_EQ(ed_fault_set(ED_FAULT_OPENAT, 0, 0), 0);
}

/* F-43: nothing is lost, and the next call tries again. */
static int roll_over_in_vain(enum ed_fault fault, int code)
{
    EDDY_STREAM file = NULL;
    eddy_stats before, after;

    EDDY_TRY(spooled(MOST, &file));
    EDDY_TRY(eddy_write(file, block, MOST));
    eddy_get_stats(&before);
    for (int i = 0; i < 4; i++) {
        int rc;

        (void)ed_fault_set(fault, 1, code);
        rc = i == 0   ? eddy_write(file, block + MOST, 500)
             : i == 1 ? eddy_pwrite(file, block, 500, MOST)
             : i == 2 ? eddy_truncate(file, MOST + 1)
                      : eddy_rollover(file);
        REQUIRE(rc == code);
        REQUIRE(strstr(eddy_error_message(rc), files_directory) != NULL);
        REQUIRE(eddy_stream_partial(file) == 0);
        (void)ed_fault_set(fault, 0, 0);
        eddy_get_stats(&after);
        REQUIRE(after.descriptors == before.descriptors && !eddy_is_rolled_over(file));
        REQUIRE(names_in(files_directory) == 0);
        EDDY_TRY(holds(file, block, MOST, MOST));
    }
    EDDY_TRY(eddy_write(file, block + MOST, 500));
    REQUIRE(eddy_is_rolled_over(file));
    return holds(file, block, MOST + 500, MOST + 500);
}

TEST(spooled_file_loses_nothing_when_rolling_over_fails)
{
    FILES();
    fill_block();
    FOR_EACH_WAY(way) {
        CHECK_OK(roll_over_in_vain(ED_FAULT_OPENAT, -EMFILE));
        CHECK_OK(roll_over_in_vain(ED_FAULT_OPENAT, -ENOSPC));
        CHECK_OK(roll_over_in_vain(ED_FAULT_WRITE, -ENOSPC));
        CHECK_OK(roll_over_in_vain(ED_FAULT_WRITE, -EIO));
        CHECK_OK(roll_over_in_vain(ED_FAULT_WRITE, -EDQUOT));
    }
}

/* A file that has no bytes for nobody writes; the rest of a short one is. */
TEST(spooled_file_rolls_over_by_short_writes)
{
    FILES();
    fill_block();
    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;

        CHECK_OK(spooled(sizeof block, &file));
        CHECK_OK(eddy_write(file, block, sizeof block));
        (void)ed_fault_set(ED_FAULT_WRITE, 1, ED_FAULT_SHORT);
        CHECK_OK(eddy_rollover(file));
        (void)ed_fault_set(ED_FAULT_WRITE, 0, 0);
        CHECK_OK(holds(file, block, sizeof block, sizeof block));
    }
}

/* More than goes in one piece. */
TEST(spooled_file_of_megabytes_rolls_over_whole)
{
    FILES();
    fill_block();
    FOR_EACH_WAY(way) {
        EDDY_STREAM file = NULL;
        static char back[sizeof block];

        CHECK_OK(spooled(3000000, &file));
        for (int i = 0; i < 31; i++)
            CHECK_OK(eddy_write(file, block, sizeof block));
        CHECK(eddy_is_rolled_over(file));
        CHECK_EQ(eddy_seek(file, 0, SEEK_SET), 0);
        for (int i = 0; i < 31; i++) {
            CHECK_OK(eddy_read_exactly(file, back, sizeof back));
            CHECK(memcmp(block, back, sizeof back) == 0);
        }
        CHECK_EQ(eddy_read(file, back, 1), 0);
    }
}

TEST(spooled_file_is_rolled_over_to_where_tmpdir_says)
{
    FILES();
    EDDY_STREAM file = NULL;
    EDDY_DEFER(unsetenv, "TMPDIR");

    CHECK_OK(eddy_spooled_temporary_file(1, NULL, &file));
    CHECK_OK(setenv("TMPDIR", files_path("none"), 1));
    CHECK_FAILS(eddy_write(file, "hello", 5), -ENOENT, files_path("none"));
    CHECK_OK(setenv("TMPDIR", files_directory, 1));
    CHECK_OK(eddy_write(file, "hello", 5));
    CHECK_OK(holds(file, "hello", 5, 5));
}

/* Others at the same time. The thread that writes the copy stands at a gate. */

static void hold(const struct ed_op *op)
{
    if (op->kind == ED_OP_WRITE_AT)
        stand_at_gate(0);
}

static void let_go(void *unused)
{
    open_all(unused);
    __atomic_store_n(&ed_file_calls_hold, NULL, __ATOMIC_RELAXED);
}

#define HOLD()                                                                                     \
    files_go(WAY_THREAD);                                                                          \
    EDDY_DEFER(let_go, NULL);                                                                      \
    ed_file_calls_hold = hold

static int write_text(eddy_stream *file, const char *text)
{
    return eddy_write(file, text, strlen(text));
}
EDDY_ASYNC(write_text, eddy_stream *, const char *);

static int write_at(eddy_stream *file, const char *text, int64_t offset)
{
    return eddy_pwrite(file, text, strlen(text), offset);
}
EDDY_ASYNC(write_at, eddy_stream *, const char *, int64_t);

TEST(spooled_file_is_read_while_it_rolls_over)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(spooled(5, &file));
    CHECK_OK(eddy_write(file, "hello", 5));
    HOLD();
    EDDY_TASK writer = eddy_create_task(write_text, file, ", world");
    CHECK_OK(until_running(1));
    CHECK_OK(holds(file, "hello", 5, 5));
    CHECK(!eddy_is_rolled_over(file));
    CHECK_EQ(eddy_stream_fd(file), -1);
    open_gate(0);
    CHECK_OK(eddy_await(writer));
    CHECK_OK(holds(file, "hello, world", 12, 12));
}

/* Who changes the bytes waits, so that none of them is missing from the copy. */
TEST(spooled_file_is_not_written_while_it_rolls_over)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(spooled(10, &file));
    CHECK_OK(eddy_write(file, "hello", 5));
    HOLD();
    EDDY_TASK first = eddy_create_task(write_at, file, "!", 12); /* without a turn */
    CHECK_OK(until_running(1));
    CHECK_OK(eddy_write_nowait(file, ", ", 2)); /* is gathered */
    EDDY_TASK second = eddy_create_task(write_text, file, "world");
    EDDY_TASK third = eddy_create_task(write_at, file, "J", 0);
    EDDY_TASK fourth = eddy_create_task(write_at, file, "?", 20);
    test_settle();
    CHECK(!eddy_task_done(second) && !eddy_task_done(third) && !eddy_task_done(fourth));
    open_gate(0);
    CHECK_OK(eddy_await(first));
    CHECK_OK(eddy_await(second));
    CHECK_OK(eddy_await(third));
    CHECK_OK(eddy_await(fourth));
    CHECK_OK(holds(file, "Jello, world!\0\0\0\0\0\0\0?", 21, 12));
}

/* A cancelled caller goes at once; what it has begun is without effect. */
TEST(spooled_file_stays_in_memory_when_rolling_over_is_cancelled)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(spooled(5, &file));
    CHECK_OK(eddy_write(file, "hello", 5));
    HOLD();
    EDDY_TASK writer = eddy_create_task(write_text, file, ", world");
    CHECK_OK(until_running(1));
    eddy_cancel(writer);
    CHECK_EQ(eddy_await(writer), -ECANCELED);
    CHECK_EQ(eddy_stream_partial(file), 0);
    CHECK_OK(holds(file, "hello", 5, 5));
    CHECK_OK(eddy_pwrite(file, "J", 1, 0)); /* beside the thread, which writes the old bytes */
    CHECK_OK(holds(file, "Jello", 5, 5));
    CHECK(!eddy_is_rolled_over(file));
    open_gate(0);
    CHECK_OK(eddy_write(file, "!", 1));
    CHECK(eddy_is_rolled_over(file));
    CHECK_OK(holds(file, "Jello!", 6, 6));
    CHECK_EQ(names_in(files_directory), 0);
}

/* Who waited for it then rolls it over itself. */
TEST(spooled_file_is_rolled_over_by_the_next_when_the_first_is_cancelled)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(spooled(5, &file));
    CHECK_OK(eddy_write(file, "hello", 5));
    HOLD();
    EDDY_TASK first = eddy_create_task(write_at, file, "?", 5);
    CHECK_OK(until_running(1));
    EDDY_TASK second = eddy_create_task(write_at, file, "!", 6);
    EDDY_TASK third = eddy_create_task(write_at, file, "J", 0);
    EDDY_TASK gone = eddy_create_task(write_at, file, "?", 7);
    test_settle();
    eddy_cancel(gone);
    CHECK_EQ(eddy_await(gone), -ECANCELED);
    eddy_cancel(first);
    CHECK_EQ(eddy_await(first), -ECANCELED);
    open_gate(0);
    CHECK_OK(eddy_await(second));
    CHECK_OK(eddy_await(third));
    CHECK(eddy_is_rolled_over(file));
    CHECK_OK(holds(file, "Jello\0!", 7, 5));
}

TEST(spooled_file_that_is_closed_gets_out_who_rolls_it_over)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(spooled(5, &file));
    HOLD();
    CHECK_OK(eddy_write(file, "hello", 5));
    EDDY_TASK first = eddy_create_task(write_text, file, ", world");
    EDDY_TASK second = eddy_create_task(write_at, file, "?", 7);
    CHECK_OK(until_running(1));
    test_settle();
    CHECK_OK(eddy_stream_close(&file));
    CHECK_FAILS(eddy_await(first), -ESHUTDOWN, "closed");
    CHECK_FAILS(eddy_await(second), -ESHUTDOWN, "closed");
    open_gate(0);
    CHECK_EQ(names_in(files_directory), 0);
}

TEST(spooled_file_that_is_aborted_is_gone)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(spooled(5, &file));
    CHECK_OK(eddy_write_nowait(file, "hello, world", 12));
    eddy_stream_abort(file);
    CHECK_EQ(eddy_write(file, "x", 1), -ECONNABORTED);
    CHECK_EQ(eddy_rollover(file), -ECONNABORTED);
    CHECK_EQ(eddy_stream_close(&file), -ECONNABORTED);
}

/* Every cancel and every failing allocation: either all of a write is there, or nothing. */
static int use_spool(void)
{
    EDDY_STREAM file = NULL;
    int rc;

    EDDY_TRY(spooled(MOST, &file));
    EDDY_TRY(eddy_write(file, block, MOST));
    rc = eddy_write(file, block + MOST, 5000);
    if (rc < 0) {
        EDDY_SHIELD(look);
        REQUIRE(eddy_is_rolled_over(file) || holds(file, block, MOST, MOST) == 0);
        return rc;
    }
    EDDY_TRY(eddy_truncate(file, 5500));
    EDDY_TRY(eddy_stream_close(&file));
    EDDY_TRY(spooled(MOST, &file));
    EDDY_TRY(eddy_pwrite(file, block, MOST + 1, 100));
    EDDY_TRY(eddy_stream_close(&file));
    EDDY_TRY(spooled(0, &file));
    EDDY_TRY(eddy_write_nowait(file, block, 100));
    return eddy_rollover(file);
}
EDDY_ASYNC(use_spool);

RAW_TEST(spooled_file_survives_every_cancel_and_every_failing_allocation)
{
    files_begin("/tmp");
    fill_block();
    FOR_EACH_WAY(way) {
        CHECK_OK(eddy_test_cancels(use_spool));
        CHECK_OK(eddy_test_allocations(use_spool));
        CHECK_EQ(names_in(files_directory), 0);
    }
    files_end(NULL);
}

/* A loop that is closed over it, at each moment of its rolling over. */

static void ignore_report(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)report, (void)unused;
}

static int begin(eddy_stream **file)
{
    EDDY_TRY(spooled(5, file));
    return eddy_write(*file, "hello", 5);
}
EDDY_ASYNC(begin, eddy_stream **);

RAW_TEST(spooled_file_does_not_outlive_its_loop)
{
    files_begin("/tmp");
    FOR_EACH_WAY(way)
        for (int turns = 0; turns < 8; turns++) {
            eddy_stream *file = NULL;
            eddy_loop *loop;
            eddy_stats stats;

            CHECK_OK(eddy_loop_new(&loop));
            eddy_loop_set_exception_handler(loop, ignore_report, NULL);
            CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(begin, &file)));
            eddy_task *writer = eddy_loop_create_task(loop, EDDY_CALL(write_text, file, "!"));
            eddy_task *waiter = eddy_loop_create_task(loop, EDDY_CALL(write_at, file, "?", 9));
            for (int i = 0; i < turns; i++) {
                eddy_loop_stop(loop);
                CHECK_OK(eddy_loop_run_forever(loop));
                usleep(200);
            }
            eddy_task_detach(&writer);
            eddy_task_detach(&waiter);
            eddy_loop_free(loop);
            eddy_get_stats(&stats);
            for (int i = 0; i < 10000 && stats.blocks > 0; i++) { /* a thread may have the last */
                usleep(100);
                eddy_get_stats(&stats);
            }
            CHECK_EQ(stats.descriptors, 0);
            CHECK_EQ(stats.blocks, 0);
        }
    files_end(NULL);
}

/* A full file system, for which a name space of mounts is needed. */
static int fill_up(void)
{
    EDDY_STREAM file = NULL;
    int rc;

    EDDY_TRY(spooled(90000, &file));
    EDDY_TRY(eddy_write(file, block, 90000));
    for (int i = 0; i < 3; i++) {
        rc = eddy_write(file, block, 1000);
        fprintf(stderr, "%s\n", eddy_error_message(rc));
        EDDY_TRY(holds(file, block, 90000, 90000));
        REQUIRE(eddy_stream_fd(file) == -1 && names_in(files_directory) == 0);
    }
    REQUIRE(mount("none", files_directory, "tmpfs", MS_REMOUNT, "size=1m") == 0);
    EDDY_TRY(eddy_write(file, block + 90000, 1000));
    REQUIRE(eddy_is_rolled_over(file));
    EDDY_TRY(holds(file, block, 91000, 91000));
    fprintf(stderr, "there is room now\n");
    return 0;
}
EDDY_ASYNC(fill_up);

static void use_a_small_file_system(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0 ||
        mount("none", files_directory, "tmpfs", 0, "size=64k") < 0) {
        fputs("not here\n", stderr);
        _exit(0);
    }
    _exit(eddy_run(fill_up) < 0);
}

RAW_TEST(spooled_file_on_a_full_file_system_stays_in_memory)
{
    char text[4096], line[300];
    int status;

    files_begin("/tmp");
    fill_block();
    status = test_fork(use_a_small_file_system, text, sizeof text);
    snprintf(line, sizeof line, "roll a temporary file over into \"%s\": No space left on device\n",
             files_directory);
    files_end(NULL);
    if (strstr(text, "not here"))
        test_skip("nothing can be mounted here");
    CHECK_HAS(text, line);
    CHECK_HAS(text, "there is room now");
    CHECK_EQ(status, 0);
}
