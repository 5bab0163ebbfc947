/* SPDX-License-Identifier: MIT */
/* Calls that their callers leave: rules F-9, F-30 to F-33. Threads are held at a gate. */
#include "os/file_call.h"

#include "eddy/file.h"
#include "os/files.h"
#include "os/gate.h"
#include "programs/program.h"
#include "task/park.h"

static enum ed_op_kind held; /* operations of this kind stand at gate 0 */

static void hold(const struct ed_op *op)
{
    if (op->kind == held)
        stand_at_gate(0);
}

static void let_go(void *unused)
{
    open_all(unused);
    __atomic_store_n(&ed_file_calls_hold, NULL, __ATOMIC_RELAXED);
}

/* From here on they stand. */
static void hold_begin(enum ed_op_kind kind)
{
    files_go(WAY_THREAD);
    held = kind;
    __atomic_store_n(&ed_file_calls_hold, hold, __ATOMIC_RELAXED);
    __atomic_store_n(&running, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&gate[0], 0, __ATOMIC_RELEASE);
}

#define HOLD(kind)                                                                                 \
    hold_begin(kind);                                                                              \
    EDDY_DEFER(let_go, NULL)

static char place[64]; /* where a read that was left must not write */

static int read_some(eddy_stream *file)
{
    return (int)eddy_read(file, place, sizeof place);
}
EDDY_ASYNC(read_some, eddy_stream *);

static int write_some(eddy_stream *file, const char *text)
{
    return eddy_write(file, text, strlen(text));
}
EDDY_ASYNC(write_some, eddy_stream *, const char *);

static int flush(eddy_stream *file)
{
    return eddy_flush(file);
}
EDDY_ASYNC(flush, eddy_stream *);

static int open_a_file(const char *path)
{
    EDDY_STREAM file = NULL;

    return eddy_open(path, "r", &file);
}
EDDY_ASYNC(open_a_file, const char *);

/* F-31: the caller goes at once, nothing is taken, and the file goes on; the memory is the
 * caller's. */
TEST(file_read_that_is_left_takes_nothing)
{
    FILES();
    EDDY_STREAM file = NULL;
    char data[8] = "";

    CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
    HOLD(ED_OP_READ_AT);
    EDDY_TASK reader = eddy_create_task(read_some, file);
    CHECK_OK(until_running(1));
    memset(place, 'p', sizeof place);
    eddy_cancel(reader);
    CHECK_EQ(eddy_await(reader), -ECANCELED);
    CHECK_EQ(eddy_tell(file), 0);
    files_go(WAY_AT_ONCE);
    CHECK_EQ(eddy_read(file, data, sizeof data), 5); /* while the other is still under way */
    CHECK_STR(data, "hello");
    open_gate(0);
    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(place[0], 'p');
}

/* The descriptor outlives a read that was left, and the close does not wait for that. */
TEST(file_close_does_not_wait_for_a_read_that_was_left)
{
    FILES();
    EDDY_STREAM file = NULL;
    int fd;

    CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
    fd = eddy_stream_fd(file);
    HOLD(ED_OP_READ_AT);
    EDDY_TASK reader = eddy_create_task(read_some, file);
    CHECK_OK(until_running(1));
    eddy_cancel(reader);
    CHECK_EQ(eddy_await(reader), -ECANCELED);
    CHECK_OK(eddy_stream_close(&file));
    CHECK(fcntl(fd, F_GETFD) >= 0);
    open_gate(0);
    while (fcntl(fd, F_GETFD) >= 0)
        CHECK_OK(eddy_sleep(0));
}

/* Nor does a lock outlive the close. */
TEST(file_lock_goes_with_the_close_beside_a_read_that_was_left)
{
    FILES();
    EDDY_STREAM file = NULL, other = NULL;

    CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
    CHECK_OK(eddy_open(files_path("file"), "r", &other));
    CHECK_OK(eddy_file_lock_nowait(file, true));
    HOLD(ED_OP_READ_AT);
    EDDY_TASK reader = eddy_create_task(read_some, file);
    CHECK_OK(until_running(1));
    eddy_cancel(reader);
    CHECK_EQ(eddy_await(reader), -ECANCELED);
    CHECK_EQ(eddy_file_lock_nowait(other, true), -EAGAIN);
    CHECK_OK(eddy_stream_close(&file));
    CHECK_OK(eddy_file_lock_nowait(other, true));
}

/* F-33: a close gets a reader out, who leaves at once. */
TEST(file_close_gets_a_waiting_reader_out)
{
    FILES();
    EDDY_STREAM file = NULL;
    eddy_stream *same;

    CHECK_OK(eddy_open(files_put("file", "hello"), "r", &file));
    same = file;
    HOLD(ED_OP_READ_AT);
    EDDY_TASK reader = eddy_create_task(read_some, same);
    CHECK_OK(until_running(1));
    CHECK_OK(eddy_stream_close(&file));
    CHECK_FAILS(eddy_await(reader), -ESHUTDOWN, "closed");
}

/* F-31: what a write that was left has done is known before the next call begins. */
TEST(file_write_that_is_left_is_waited_for_by_the_next_call)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(eddy_open(files_path("file"), "w+", &file));
    HOLD(ED_OP_WRITE_AT);
    EDDY_TASK writer = eddy_create_task(write_some, file, "hello");
    CHECK_OK(until_running(1));
    eddy_cancel(writer);
    CHECK_EQ(eddy_await(writer), -ECANCELED);
    CHECK_EQ(eddy_stream_partial(file), 0);
    CHECK_STR(files_get("file"), "");
    CHECK_EQ(eddy_write_nowait(file, "?", 1), -EAGAIN);
    files_go(WAY_AT_ONCE);
    EDDY_TASK next = eddy_create_task(write_some, file, ", world");
    CHECK_OK(eddy_sleep(0));
    CHECK(!eddy_task_done(next));
    open_gate(0);
    CHECK_OK(eddy_await(next));
    CHECK_EQ(eddy_tell(file), 12);
    CHECK_STR(files_get("file"), "hello, world");
}

/* So does a flush, though nothing was gathered; what only asks does not wait. */
TEST(file_flush_waits_for_a_write_that_was_left)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(eddy_open(files_path("file"), "w", &file));
    HOLD(ED_OP_WRITE_AT);
    EDDY_TASK writer = eddy_create_task(write_some, file, "hello");
    CHECK_OK(until_running(1));
    eddy_cancel(writer);
    CHECK_EQ(eddy_await(writer), -ECANCELED);
    CHECK_EQ(eddy_tell(file), 0);
    EDDY_TASK flusher = eddy_create_task(flush, file);
    CHECK_OK(eddy_sleep(0));
    CHECK(!eddy_task_done(flusher));
    open_gate(0);
    CHECK_OK(eddy_await(flusher));
    CHECK_EQ(eddy_tell(file), 5);
    CHECK_STR(files_get("file"), "hello");
}

/* So does a close. */
TEST(file_close_waits_for_a_write_that_was_left)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(eddy_open(files_path("file"), "w", &file));
    HOLD(ED_OP_WRITE_AT);
    EDDY_TASK writer = eddy_create_task(write_some, file, "hello");
    CHECK_OK(until_running(1));
    eddy_cancel(writer);
    CHECK_EQ(eddy_await(writer), -ECANCELED);
    open_gate(0);
    CHECK_OK(eddy_stream_close(&file));
    CHECK_STR(files_get("file"), "hello");
}

static int close_it(eddy_stream **file)
{
    return eddy_stream_close(file);
}
EDDY_ASYNC(close_it, eddy_stream **);

/* And it says how that went, though it was cancelled meanwhile. */
TEST(file_close_that_waits_for_a_write_is_not_cut_short)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(eddy_open(files_path("file"), "w", &file));
    HOLD(ED_OP_WRITE_AT);
    EDDY_TASK writer = eddy_create_task(write_some, file, "hello");
    CHECK_OK(until_running(1));
    eddy_cancel(writer);
    CHECK_EQ(eddy_await(writer), -ECANCELED);
    EDDY_TASK closer = eddy_create_task(close_it, &file);
    EDDY_DEFER(open_all, NULL);
    CHECK_OK(eddy_sleep(0));
    eddy_cancel(closer);
    CHECK_OK(eddy_sleep(0));
    CHECK(!eddy_task_done(closer));
    open_gate(0);
    CHECK_OK(eddy_await(closer));
    CHECK_STR(files_get("file"), "hello");
}

static int gather_and_flush(const char *path)
{
    eddy_open_options options = {.write_buffer = 100};
    EDDY_STREAM file = NULL;

    EDDY_TRY(eddy_open_with(path, "w", &options, &file));
    EDDY_TRY(eddy_write(file, "hello", 5));
    EDDY_TRY(eddy_flush(file));
    return eddy_write(file, "more", 4);
}
EDDY_ASYNC(gather_and_flush, const char *);

/* F-4: a flush that is cut short is ended by the close, and nothing is written twice. */
TEST(file_flush_that_is_left_is_not_done_again)
{
    FILES();

    HOLD(ED_OP_WRITE_AT);
    EDDY_TASK writer = eddy_create_task(gather_and_flush, files_path("file"));
    EDDY_DEFER(open_all, NULL); /* the writer's end waits for it */
    CHECK_OK(until_running(1));
    eddy_cancel(writer);
    CHECK_OK(eddy_sleep(0));
    CHECK(!eddy_task_done(writer));
    open_gate(0);
    CHECK_EQ(eddy_await(writer), -ECANCELED);
    CHECK_STR(files_get("file"), "hello");
}

/* F-9: an open that was left closes what it has opened; the harness counts. */
TEST(file_open_that_is_left_is_closed_again)
{
    FILES();

    HOLD(ED_OP_OPENAT);
    EDDY_TASK opener = eddy_create_task(open_a_file, files_put("file", ""));
    CHECK_OK(until_running(1));
    eddy_cancel(opener);
    CHECK_EQ(eddy_await(opener), -ECANCELED);
    open_gate(0);
}

static int64_t stand_here(struct ed_op *op)
{
    stand_at_gate((int)op->offset);
    return 7;
}

static int call_work(int at)
{
    struct ed_file_call call = {
        .kind = ED_OP_NOP, .work = stand_here, .name = "test", .offset = at};
    int rc = ed_checkpoint();

    return rc < 0 ? rc : (int)ed_file_call(&call);
}
EDDY_ASYNC(call_work, int);

/* F-32: what no thread has begun is withdrawn, and does not happen. */
TEST(file_call_that_has_not_begun_does_not_happen)
{
    FILES();
    EDDY_STREAM file = NULL;

    CHECK_OK(eddy_open(files_path("file"), "w", &file));
    files_go(WAY_THREAD);
    EDDY_DEFER(open_all, NULL);
    EDDY_GROUP(group);
    for (int i = 0; i < 40; i++)
        CHECK_OK(eddy_group_create_task(&group, call_work, 0));
    CHECK_OK(until_running(1));
    CHECK_OK(until_running((int)threads()));
    EDDY_TASK writer = eddy_create_task(write_some, file, "hello");
    CHECK_OK(eddy_sleep(0));
    eddy_cancel(writer);
    CHECK_EQ(eddy_await(writer), -ECANCELED);
    open_gate(0);
    CHECK_OK(eddy_group_join(&group));
    CHECK_STR(files_get("file"), "");
}

static int leave_call(void)
{
    EDDY_TASK standing = eddy_create_task(call_work, 0);

    EDDY_TRY(until_running(1));
    eddy_cancel(standing);
    return eddy_await(standing) == -ECANCELED ? 0 : -EIO;
}
EDDY_ASYNC(leave_call);

/* The loop's end waits for a while, and then leaves it to its thread. */
RAW_TEST(file_call_that_stands_does_not_hold_up_the_end_of_the_loop)
{
    eddy_stats stats;

    CHECK_OK(eddy_run(leave_call));
    eddy_get_stats(&stats);
    CHECK_EQ(stats.loops, 0);
    CHECK_EQ(stats.threads, 1);
    open_all(NULL);
    while (stats.threads > 0) {
        usleep(100);
        eddy_get_stats(&stats);
    }
    CHECK_EQ(stats.blocks, 0);
}

/* A loop that is closed over a task which waits for a file, on each way and at each moment. */
static int wait_at(eddy_stream *file)
{
    return (int)eddy_read(file, place, sizeof place);
}
EDDY_ASYNC(wait_at, eddy_stream *);

static void ignore_report(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)report, (void)unused;
}

static int begin_and_stop(eddy_stream **file)
{
    EDDY_TRY(eddy_open(files_path("file"), "r+", file));
    return 0;
}
EDDY_ASYNC(begin_and_stop, eddy_stream **);

RAW_TEST(file_call_under_way_does_not_outlive_its_loop)
{
    files_begin("/tmp");
    FOR_EACH_WAY(way)
        for (int turns = 0; turns < 4; turns++) {
            eddy_stream *file = NULL;
            eddy_loop *loop;
            eddy_stats stats;

            files_put("file", "hello");
            CHECK_OK(eddy_loop_new(&loop));
            eddy_loop_set_exception_handler(loop, ignore_report, NULL);
            CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(begin_and_stop, &file)));
            eddy_task *reader = eddy_loop_create_task(loop, EDDY_CALL(wait_at, file));
            for (int i = 0; i < turns; i++) {
                eddy_loop_stop(loop);
                CHECK_OK(eddy_loop_run_forever(loop));
            }
            eddy_task_detach(&reader);
            eddy_loop_free(loop);
            eddy_get_stats(&stats);
            CHECK_EQ(stats.descriptors, 0);
            CHECK_EQ(stats.blocks, 0);
        }
    files_end(NULL);
}

/* A close(2) that fails has closed all the same: it is not done again, when the number may be that
 * of another by then. The shim fails each close of the program in its turn, and closes. */
RAW_TEST(file_close_that_fails_is_done_once)
{
    char preload[4200], shim[64], text[1000];
    int failed = 0, status;

    files_begin("/tmp");
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", program_path("libshim.so"));
    for (int nth = 1; nth < 20; nth++) {
        snprintf(shim, sizeof shim, "SHIM=close:ENOMEM:%d", nth);
        status = program_run(text, sizeof text, preload, "ASAN_OPTIONS=verify_asan_link_order=0",
                             "EDDY_ENGINE=epoll", shim, "closes", files_path("file"), NULL);
        CHECK_THAT(!strstr(text, "close: ") || strstr(text, "close: 0\n") ||
                       strstr(text, "close: -12\n"),
                   "%s: status %d: %s", shim, status, text);
        failed += strstr(text, "close: -12\n") != NULL;
    }
    files_end(NULL);
    CHECK_EQ(failed, 1);
}
