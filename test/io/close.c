/* SPDX-License-Identifier: MIT */
/* The end of a stream: rules A-WRITE-14 to -16, promise 2. */
#include "script.h"

static char data[100000];

static int read_it(eddy_stream *stream, size_t size)
{
    ssize_t n = eddy_read(stream, data, size);

    return (int)n;
}
EDDY_ASYNC(read_it, eddy_stream *, size_t);

static int read_large(eddy_stream *stream)
{
    return eddy_read_exactly(stream, data, sizeof data);
}
EDDY_ASYNC(read_large, eddy_stream *);

static int write_it(eddy_stream *stream, size_t size)
{
    return eddy_write(stream, data, size);
}
EDDY_ASYNC(write_it, eddy_stream *, size_t);

static int copy_it(eddy_stream *from, eddy_stream *to)
{
    int64_t n = eddy_stream_copy(from, to);

    return n < 0 ? (int)n : 0;
}
EDDY_ASYNC(copy_it, eddy_stream *, eddy_stream *);

static int close_it(eddy_stream **stream)
{
    return eddy_stream_close(stream);
}
EDDY_ASYNC(close_it, eddy_stream **);

/* The same through a handle of its own. */
static int close_too(eddy_stream *stream)
{
    return eddy_stream_close(&stream);
}
EDDY_ASYNC(close_too, eddy_stream *);

/* Reads in a tight loop, so that it gives way in its checkpoints as well. */
static int read_on(eddy_stream *stream)
{
    ssize_t n;
    char byte;

    while ((n = eddy_read(stream, &byte, 1)) > 0)
        ;
    return (int)n;
}
EDDY_ASYNC(read_on, eddy_stream *);

/* A-WRITE-14: what was written goes first. */
TEST(close_flushes_then_closes_then_frees)
{
    struct script script = SCRIPT("", .kept = 100);
    EDDY_STREAM stream = script_open(&script);

    CHECK_OK(eddy_write(stream, "x", 1));
    CHECK_OK(eddy_stream_close(&stream));
    CHECK(stream == NULL);
    CHECK_EQ(script.kept_now, 0);
    CHECK_EQ(script.closes, 1);
    CHECK_EQ(script.frees, 1);
    CHECK_EQ(script.aborts, 0);
    CHECK_OK(eddy_stream_close(&stream)); /* NULL */
}

/* A-WRITE-16: the error with which it was lost. */
TEST(close_returns_why_not_all_has_gone)
{
    struct script script = SCRIPT("", .kept = 100, .flush_error = -EIO);
    struct script goodbye = SCRIPT("", .close_error = -EPROTO);
    struct script broken = SCRIPT("", .write_error = -EPIPE);
    EDDY_STREAM stream = script_open(&script);
    EDDY_STREAM second = script_open(&goodbye);
    EDDY_STREAM third = script_open(&broken);

    CHECK_OK(eddy_write(stream, "x", 1));
    CHECK_EQ(eddy_stream_close(&stream), -EIO);
    CHECK_HAS(eddy_error_message(-EIO), "100 bytes of earlier writes were not sent");
    CHECK_EQ(script.aborts, 1);
    CHECK_EQ(eddy_stream_close(&second), -EPROTO);
    CHECK_HAS(eddy_error_message(-EPROTO), "script nobody:7: close: Protocol error");
    CHECK_EQ(eddy_write(third, "x", 1), -EPIPE);
    CHECK_EQ(eddy_stream_close(&third), -EPIPE);
    CHECK_EQ(script.frees + goodbye.frees + broken.frees, 3);
}

/* Others who are inside get -ESHUTDOWN, wherever they wait, and then it is freed. */
TEST(close_gets_everybody_out)
{
    struct script script = SCRIPT("", .end = SCRIPT_FOR_EVER, .slow_write = true);
    EDDY_STREAM stream = script_open(&script);
    EDDY_TASK reader = eddy_create_task(read_it, stream, sizeof data);
    EDDY_TASK writer = eddy_create_task(write_it, stream, (size_t)50000);
    EDDY_TASK waiting = eddy_create_task(write_it, stream, (size_t)5);
    EDDY_TASK drain = eddy_create_task(write_it, stream, (size_t)5);

    test_settle();
    CHECK(!eddy_stream_is_closing(stream));
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_EQ(script.frees, 1);
    CHECK_EQ(eddy_await(reader), -ESHUTDOWN);
    CHECK_HAS(eddy_error_message(-ESHUTDOWN), "script nobody:7: the stream was closed meanwhile");
    CHECK_EQ(eddy_await(writer), -ESHUTDOWN);
    CHECK_EQ(eddy_await(waiting), -ESHUTDOWN);
    CHECK_EQ(eddy_await(drain), -ESHUTDOWN);
    CHECK_EQ(script.aborts, 0); /* in order */
}

/* Those too who give way in a checkpoint at that moment: they are inside. */
TEST(close_waits_for_those_who_give_way)
{
    static char text[100000];
    struct script script = {.text = text, .size = sizeof text};
    EDDY_STREAM stream = script_open(&script);
    EDDY_TASK reader = eddy_create_task(read_on, stream);

    CHECK_OK(eddy_sleep(0));
    CHECK_OK(eddy_sleep(0));
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_EQ(eddy_await(reader), -ESHUTDOWN);
    CHECK_EQ(script.frees, 1);
}

/* Who had got what it waited for keeps it. */
TEST(close_in_the_tick_of_a_read_lets_it_succeed)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(read_it, other, sizeof data);
    test_settle();
    CHECK_OK(eddy_write(one, "abc", 3));
    CHECK_OK(eddy_stream_close(&other));
    CHECK_EQ(eddy_await(reader), 3);
}

/* Promise 2: in a cancelled task a close is an abort, and does not wait. */
static int close_cancelled(eddy_stream **stream)
{
    eddy_cancel(eddy_current_task());
    return eddy_stream_close(stream);
}
EDDY_ASYNC(close_cancelled, eddy_stream **);

TEST(close_in_a_cancelled_task_is_an_abort)
{
    struct script script = SCRIPT("", .kept = 100);
    EDDY_STREAM stream = script_open(&script);

    CHECK_OK(eddy_write(stream, "x", 1));
    EDDY_TASK task = eddy_create_task(close_cancelled, &stream);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(script.aborts, 1);
    CHECK_EQ(script.closes, 1);
    CHECK_EQ(script.frees, 1);
}

/* The same when its time is up while it flushes; the goodbye is shielded. */
TEST(close_whose_time_is_up_becomes_an_abort)
{
    EDDY_STREAM other = NULL;
    EDDY_STREAM one = NULL;
    double before = eddy_time();

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_stream_set_limit(other, 10));
    CHECK_OK(eddy_write(one, data, 100));
    {
        EDDY_TIMEOUT(limit, 2);
        CHECK_EQ(eddy_stream_close(&one), -ETIMEDOUT);
    }
    CHECK_EQ(eddy_time() - before == 2, 1);
    CHECK_EQ(eddy_read(other, data, 50), 20); /* what had come */
    CHECK_EQ(eddy_read(other, data, 50), -ECONNRESET);
}

TEST(close_is_shielded_while_it_says_goodbye)
{
    struct script script = SCRIPT("", .slow_close = true);
    EDDY_STREAM stream = script_open(&script);
    EDDY_TASK closer = eddy_create_task(close_it, &stream);

    test_settle();
    eddy_cancel(closer);
    CHECK_OK(eddy_await(closer));
    CHECK_EQ(script.frees, 1);
}

/* A second close waits for the first, and returns the same. */
TEST(close_by_a_second_task_waits_for_the_first)
{
    struct script script = SCRIPT("", .kept = 100, .flush_error = -EIO);
    EDDY_STREAM stream = script_open(&script);

    CHECK_OK(eddy_write(stream, "x", 1));
    eddy_stream *same = stream;
    EDDY_TASK first = eddy_create_task(close_it, &stream);
    test_settle();
    CHECK(eddy_stream_is_closing(same)); /* A-WRITE-14: from the call on */
    CHECK_EQ(eddy_write_nowait(same, "y", 1), -ESHUTDOWN);
    CHECK_EQ(eddy_stream_close(&same), -EIO);
    CHECK_EQ(eddy_await(first), -EIO);
    CHECK_EQ(script.frees, 1);
}

/* One that is cancelled makes an end of the first as well. */
TEST(close_by_a_second_task_that_is_cancelled_aborts)
{
    EDDY_STREAM other = NULL;
    EDDY_STREAM one = NULL;
    eddy_stream *same;

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_stream_set_limit(other, 10));
    CHECK_OK(eddy_write(one, data, 100));
    same = one;
    EDDY_TASK first = eddy_create_task(close_it, &one);
    EDDY_TASK second = eddy_create_task(close_too, same);
    EDDY_TASK third = eddy_create_task(close_cancelled, &same);
    CHECK_EQ(eddy_await(first), -ECONNABORTED);
    CHECK_EQ(eddy_await(second), -ECONNABORTED);
    CHECK_EQ(eddy_await(third), -ECONNABORTED);
}

/* The same for one that is cancelled while it waits. */
TEST(close_by_a_second_task_that_is_cancelled_later_aborts)
{
    EDDY_STREAM other = NULL;
    EDDY_STREAM one = NULL;
    eddy_stream *same;

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_stream_set_limit(other, 10));
    CHECK_OK(eddy_write(one, data, 100));
    same = one;
    EDDY_TASK first = eddy_create_task(close_it, &one);
    EDDY_TASK second = eddy_create_task(close_too, same);
    test_settle();
    CHECK(!eddy_task_done(first));
    eddy_cancel(second);
    CHECK_EQ(eddy_await(first), -ECONNABORTED);
    CHECK_EQ(eddy_await(second), -ECONNABORTED);
}

/* A close whose time is up waits no longer for a flush, but for those who are inside. */
TEST(close_whose_time_is_up_waits_for_those_inside)
{
    struct script script = SCRIPT("abc", .stubborn = true, .kept = 100, .flush_error = -EIO);
    EDDY_STREAM stream = script_open(&script);
    EDDY_TASK reader = eddy_create_task(read_it, stream, sizeof data);

    CHECK_OK(eddy_write(stream, "x", 1));
    test_settle();
    {
        EDDY_TIMEOUT(limit, 0.5);
        CHECK_EQ(eddy_stream_close(&stream), -ETIMEDOUT);
    }
    CHECK_EQ(script.aborts, 1);
    CHECK_EQ(eddy_await(reader), 3); /* it was faster than its end */
    CHECK_EQ(script.frees, 1);
}

/* A-WRITE-15: an abort ends all calls at once; a close must follow. */
TEST(close_behind_an_abort)
{
    struct script script = SCRIPT("abc", .kept = 100, .end = SCRIPT_FOR_EVER);
    EDDY_STREAM stream = script_open(&script);
    char byte;

    CHECK_OK(eddy_write(stream, "x", 1));
    CHECK_EQ(eddy_read(stream, &byte, 1), 1);
    EDDY_TASK reader = eddy_create_task(read_large, stream);
    test_settle();
    eddy_stream_abort(stream);
    eddy_stream_abort(stream);
    CHECK_EQ(script.aborts, 1);
    CHECK(eddy_stream_is_closing(stream));
    CHECK_EQ(eddy_read(stream, &byte, 1), -ECONNABORTED); /* also what had come */
    CHECK_HAS(eddy_error_message(-ECONNABORTED), "script nobody:7: the stream was aborted");
    CHECK_EQ(eddy_write(stream, "x", 1), -ECONNABORTED);
    CHECK_EQ(eddy_await(reader), -ECONNABORTED);
    CHECK_EQ(eddy_stream_close(&stream), -ECONNABORTED);
    CHECK_EQ(script.aborts, 1);
    CHECK_EQ(script.closes, 1);
}

/* The close of either end of a copy gets it out. */
TEST(close_of_a_stream_that_is_copied)
{
    for (int which = 0; which < 2; which++) {
        struct script source = SCRIPT("abc", .end = SCRIPT_FOR_EVER), sink = SCRIPT("");
        EDDY_STREAM from = script_open(&source);
        EDDY_STREAM to = script_open(&sink);
        EDDY_TASK copier = eddy_create_task(copy_it, from, to);

        test_settle();
        CHECK_OK(eddy_stream_close(which ? &from : &to));
        CHECK_EQ(eddy_await(copier), -ESHUTDOWN);
        CHECK_OK(eddy_stream_close(which ? &to : &from));
        CHECK_STR(sink.out, "abc");
        CHECK_EQ(source.frees + sink.frees, 2);
    }
}

/* The end of its block closes a stream, and leaves the block's error its text. */
static int fail_in_block(struct script *script)
{
    EDDY_STREAM stream = script_open(script);

    EDDY_TRY(eddy_write(stream, "x", 1));
    return eddy_raise(-EIO, "the block's");
}

TEST(close_at_the_end_of_a_block_keeps_its_text)
{
    struct script script = SCRIPT("", .kept = 5, .flush_error = -EIO);

    CHECK_EQ(fail_in_block(&script), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the block's");
    CHECK_EQ(script.frees, 1);
}

/* Outside a task a close can do nothing: the handle stays. */
static eddy_stream *in_callback;
static int closed_in_callback;

static int close_in_callback(void *argument)
{
    (void)argument;
    closed_in_callback = eddy_stream_close(&in_callback);
    return 0;
}

TEST(close_outside_a_task_is_refused)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);

    in_callback = stream;
    eddy_handle handle = eddy_loop_call_soon(eddy_get_running_loop(), close_in_callback, NULL);
    EDDY_DEFER(test_cancel_handle, &handle);
    test_settle();
    CHECK_EQ(closed_in_callback, -EPERM);
    CHECK(in_callback == stream);
}

/* A loop that is closed over waiting tasks: nothing of them runs again. */
static struct script left_script = SCRIPT("", .end = SCRIPT_FOR_EVER);
static struct script_stream left_stream = {.script = &left_script};

static int wait_for_ever(void)
{
    if (left_stream.stream.inside > 0)
        return eddy_sleep(EDDY_FOREVER);
    EDDY_TRY(eddy_stream_init(&left_stream.stream, &script_class));
    return (int)eddy_read(&left_stream.stream, data, 1);
}
EDDY_ASYNC(wait_for_ever);

static int start_waiting(void *loop)
{
    eddy_task *task = eddy_create_task(wait_for_ever);

    eddy_task_detach(&task);
    eddy_loop_stop(loop);
    return 0;
}

RAW_TEST(close_of_a_loop_over_a_task_that_reads)
{
    eddy_loop *loop = NULL;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    (void)eddy_loop_call_soon(loop, start_waiting, loop);
    CHECK_OK(eddy_loop_run_forever(loop));
    (void)eddy_loop_call_soon(loop, start_waiting, loop);
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_EQ(left_stream.stream.inside, 1);
    eddy_loop_free(loop);
    CHECK_HAS(test_report(), "was pending when its loop was closed");
    CHECK_HAS(test_report(), "was pending when its loop was closed");
}
