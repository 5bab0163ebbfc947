/* SPDX-License-Identifier: MIT */
/* The short way of reads and closes says what the long way says, and leaves to that what it must
 * not do. Rules F-9, F-12, F-30. */
#include "os/file_now.h"

#include "base/fault.h"
#include "base/stats.h"
#include "eddy/file.h"
#include "os/file.h"
#include "os/files.h"
#include "os/gate.h"

#define LARGE 8192 /* bytes of a read that is given to the kernel as it is */

static char large[LARGE];

/* How many reads reached the kernel, or were to. */
static int reads_of(eddy_stream *file, ssize_t *n)
{
    (void)ed_fault_set(ED_FAULT_READ, 0, 0);
    *n = eddy_read(file, large, sizeof large);
    return (int)ed_fault_set(ED_FAULT_READ, 0, 0);
}

TEST(file_now_reads_cost_one_call_each)
{
    FILES();
    EDDY_STREAM file = NULL;
    ssize_t n;

    memset(large, 'x', sizeof large);
    CHECK_OK(eddy_open(files_put_bytes("file", large, 4096), "r", &file));
    CHECK_EQ(reads_of(file, &n), 1);
    CHECK_EQ(n, 4096);
    CHECK_EQ(eddy_tell(file), 4096);
    CHECK(!eddy_at_eof(file));
    CHECK_EQ(reads_of(file, &n), 1);
    CHECK_EQ(n, 0);
    CHECK(eddy_at_eof(file));
    CHECK_EQ(eddy_stream_get_counters(file).received, 4096);
}

/* F-12: the end is where the file ends now. */
TEST(file_now_follows_a_file_that_grows_and_shrinks)
{
    FILES();
    EDDY_STREAM file = NULL;

    FOR_EACH_WAY(way) {
        memset(large, 'x', sizeof large);
        CHECK_OK(eddy_open(files_put_bytes("file", large, 4096), "r", &file));
        CHECK_EQ(eddy_read(file, large, sizeof large), 4096);
        CHECK_OK(truncate(files_path("file"), 5000));
        CHECK_EQ(eddy_read(file, large, sizeof large), 904);
        CHECK_EQ(large[0], 0);
        CHECK_EQ(eddy_read(file, large, sizeof large), 0);
        CHECK_OK(truncate(files_path("file"), 5001));
        CHECK_EQ(eddy_read(file, large, sizeof large), 1);
        CHECK_OK(truncate(files_path("file"), 100));
        CHECK_EQ(eddy_read(file, large, sizeof large), 0);
        CHECK_EQ(eddy_pread(file, large, sizeof large, 0), 100);
        CHECK_OK(eddy_stream_close(&file));
    }
}

/* What is kept, read ahead or gathered comes in its order, whichever way the next read goes. */
TEST(file_now_keeps_the_order_of_what_was_read_and_written)
{
    FILES();
    static const eddy_open_options buffered = {.write_buffer = LARGE};
    EDDY_STREAM file = NULL;

    FOR_EACH_WAY(way) {
        memset(large, 'x', sizeof large);
        files_put_bytes("file", large, sizeof large);
        CHECK_OK(eddy_open_with(files_path("file"), "r+", &buffered, &file));
        CHECK_OK(eddy_write(file, "abc", 3)); /* gathered */
        CHECK_EQ(eddy_read(file, large, sizeof large), LARGE - 3);
        CHECK_EQ(eddy_seek(file, 0, SEEK_SET), 0);
        CHECK_OK(eddy_read_exactly(file, large, 2)); /* which reads ahead */
        CHECK_EQ(eddy_read(file, large, sizeof large), LARGE - 2);
        CHECK_EQ(large[0], 'c');
        CHECK_EQ(eddy_read(file, large, sizeof large), 0);
        CHECK_OK(eddy_write(file, "d", 1));
        CHECK_EQ(eddy_pread(file, large, 1, LARGE), 1); /* writes first what was gathered */
        CHECK_EQ(large[0], 'd');
        CHECK_OK(eddy_stream_close(&file));
    }
}

static void hold_reads(const struct ed_op *op)
{
    if (op->kind == ED_OP_READ_AT)
        stand_at_gate(0);
}

static void let_go(void *unused)
{
    open_all(unused);
    __atomic_store_n(&ed_file_calls_hold, NULL, __ATOMIC_RELAXED);
}

static int read_large(eddy_stream *file)
{
    static char data[LARGE];

    return (int)eddy_read(file, data, sizeof data);
}
EDDY_ASYNC(read_large, eddy_stream *);

/* F-9: a second reader is told so, however quickly it could be served. */
TEST(file_now_does_not_overtake_a_reader)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(eddy_open(files_put_bytes("file", large, sizeof large), "r", &file));
    files_go(WAY_THREAD);
    __atomic_store_n(&ed_file_calls_hold, hold_reads, __ATOMIC_RELAXED);
    __atomic_store_n(&running, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&gate[0], 0, __ATOMIC_RELEASE);
    EDDY_DEFER(let_go, NULL);
    EDDY_TASK reader = eddy_create_task(read_large, file);
    CHECK_OK(until_running(1));
    files_go(WAY_AT_ONCE);
    CHECK_EQ(eddy_read(file, large, sizeof large), -EBUSY);
    CHECK_EQ(eddy_pread(file, large, sizeof large, 0), LARGE); /* which has its own position */
    open_gate(0);
    CHECK_EQ(eddy_await(reader), LARGE);
    CHECK_EQ(eddy_read(file, large, sizeof large), 0);
}

/* What has no position, or is no file of the kind, goes the long way. */
TEST(file_now_leaves_to_the_long_way_what_it_does_not_know)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(eddy_open(files_put("file", "x"), "w", &file));
    CHECK_FAILS((int)eddy_read(file, large, sizeof large), -EBADF, "not open for reading");
    CHECK_FAILS((int)eddy_pread(file, large, sizeof large, 0), -EBADF, "pread");
    CHECK_OK(eddy_stream_close(&file));
    CHECK_OK(eddy_open(files_put("file", "x"), "r", &file));
    CHECK_FAILS((int)eddy_pread(file, large, 1, -1), -EINVAL, "offset -1");
    CHECK_OK(eddy_stream_close(&file));
    CHECK_FAILS(eddy_open(files_directory, "r", &file), -EISDIR, files_directory);
    CHECK_OK(eddy_open("/proc/self/status", "r", &file)); /* which cannot be tried */
    CHECK(eddy_read(file, large, sizeof large) > 0);
    CHECK(ed_file_of(file)->untried);
    CHECK_EQ(eddy_read(file, large, sizeof large), 0);
}

static int close_one(void)
{
    EDDY_STREAM file = NULL;

    EDDY_TRY(eddy_open(files_path("file"), "r", &file));
    EDDY_TRY(eddy_read(file, large, sizeof large));
    EDDY_TRY(eddy_sleep(1)); /* is cancelled here */
    return 0;
}
EDDY_ASYNC(close_one);

/* A close at once leaves nothing open, also in a task that is cancelled; and a planned fault finds
 * it all the same. */
TEST(file_now_closes)
{
    FILES();
    EDDY_STREAM file = NULL;
    size_t before = ed_stats_get(ED_STAT_DESCRIPTORS);

    if (test_is_on_valgrind())
        test_skip("valgrind does not know openat2(2)");

    files_put("file", "x");
    EDDY_TASK task = eddy_create_task(close_one);
    test_settle();
    CHECK_EQ(ed_stats_get(ED_STAT_DESCRIPTORS), before + 1);
    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(ed_stats_get(ED_STAT_DESCRIPTORS), before);

    CHECK_OK(eddy_open(files_path("file"), "r", &file));
    CHECK_EQ(eddy_read(file, large, sizeof large), 1);
    (void)ed_fault_set(ED_FAULT_CLOSE, 1, -EIO);
    CHECK_FAILS(eddy_stream_close(&file), -EIO, "close");
    (void)ed_fault_set(ED_FAULT_CLOSE, 0, 0);
    CHECK_EQ(ed_stats_get(ED_STAT_DESCRIPTORS), before);
}
