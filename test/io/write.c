/* SPDX-License-Identifier: MIT */
/* Writing: rules A-WRITE-1 to -13 and -17. Random writers stand in write_model.c. */
#include "script.h"

#include "base/fault.h"

static char log_of[64];

static void note(char what)
{
    size_t length = strlen(log_of);

    if (length + 1 < sizeof log_of)
        log_of[length] = what;
}

static int write_text(eddy_stream *stream, const char *text)
{
    EDDY_TRY(eddy_write(stream, text, strlen(text)));
    note(text[0]);
    return 0;
}
EDDY_ASYNC(write_text, eddy_stream *, const char *);

static int write_much(eddy_stream *stream, const char *data, size_t size)
{
    return eddy_write(stream, data, size);
}
EDDY_ASYNC(write_much, eddy_stream *, const char *, size_t);

static int drain_it(eddy_stream *stream)
{
    EDDY_TRY(eddy_drain(stream));
    note('d');
    return 0;
}
EDDY_ASYNC(drain_it, eddy_stream *);

static int read_for(eddy_stream *stream, double seconds)
{
    static char sink[10000];
    ssize_t n = 1;

    EDDY_TIMEOUT(limit, seconds);
    while (n > 0)
        n = eddy_read(stream, sink, sizeof sink);
    return (int)n;
}
EDDY_ASYNC(read_for, eddy_stream *, double);

static char big[200000];

/* A-WRITE-1, -2: in order, copied, and nothing for nothing. */
TEST(write_keeps_order_and_copies)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);
    char text[] = "one ";
    struct iovec parts[] = {{(char *)"three ", 6}, {NULL, 0}, {(char *)"four ", 5}};

    CHECK_OK(eddy_write(stream, text, 4));
    memcpy(text, "two ", 4);
    CHECK_OK(eddy_write(stream, text, 4));
    memcpy(text, "xxxx", 4);
    CHECK_OK(eddy_write(stream, NULL, 0));
    CHECK_OK(eddy_writev(stream, parts, 3)); /* A-WRITE-17: as one write */
    CHECK_OK(eddy_writev(stream, NULL, 0));
    CHECK_OK(eddy_printf(stream, "%d %s", 5, "six"));
    CHECK_OK(eddy_write_nowait(stream, "!", 1));
    CHECK_STR(script.out, "one two three four 5 six!");
    CHECK_EQ(eddy_stream_get_counters(stream).sent, strlen(script.out));
}

TEST(write_printf_of_a_long_text)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);

    CHECK_OK(eddy_printf(stream, "%0511d", 7));
    CHECK_EQ(script.written, 511);
    CHECK_OK(eddy_printf(stream, "%02000d", 7));
    CHECK_EQ(script.written, 2511);
    CHECK_EQ(script.out[2510], '7');
    CHECK_EQ(script.out[512], '0');
}

/* A function of the program's own that takes a format. */
__attribute__((format(printf, 2, 3))) static int tell(eddy_stream *stream, const char *format, ...)
{
    va_list arguments;
    int rc;

    va_start(arguments, format);
    rc = eddy_vprintf(stream, format, arguments);
    va_end(arguments);
    if (rc < 0)
        return rc;
    va_start(arguments, format);
    rc = eddy_vprintf_nowait(stream, format, arguments);
    va_end(arguments);
    return rc;
}

TEST(write_vprintf_is_for_functions_that_take_a_format)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);

    CHECK_OK(tell(stream, "%d %s;", 5, "six"));
    CHECK_STR(script.out, "5 six;5 six;");
    CHECK_OK(tell(stream, "%0600d", 7));
    CHECK_EQ(script.written, 1212);
}

TEST(write_of_too_many_parts_is_refused)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);
    static struct iovec parts[1025];
    struct iovec huge[] = {{big, SIZE_MAX / 2}, {big, SIZE_MAX / 2}};

    CHECK_EQ(eddy_writev(stream, parts, 1025), -EINVAL);
    CHECK_OK(eddy_writev(stream, parts, 1024));
    CHECK_EQ(eddy_writev(stream, huge, 2), -EINVAL);
    CHECK_EQ(script.written, 0);
}

/* A-WRITE-3: what the limits are, given one, both or none of them. */
TEST(write_limits_follow_from_each_other)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);

    CHECK_EQ(stream->high, 65536);
    CHECK_EQ(stream->low, 16384);
    CHECK_OK(eddy_stream_set_write_limits(stream, 1000, SIZE_MAX));
    CHECK_EQ(stream->low, 250);
    CHECK_OK(eddy_stream_set_write_limits(stream, SIZE_MAX, 1000));
    CHECK_EQ(stream->high, 4000);
    CHECK_EQ(eddy_stream_set_write_limits(stream, 10, 11), -EINVAL);
    CHECK_EQ(stream->high, 4000);
    CHECK_OK(eddy_stream_set_write_limits(stream, SIZE_MAX, SIZE_MAX));
    CHECK_EQ(stream->high, 65536);
    CHECK_EQ(stream->low, 16384);
    CHECK_OK(eddy_stream_set_write_limits(stream, 0, 0));
}

/* A-WRITE-3, -5: writers and drains wait above `high`, and until `low`. */
TEST(write_waits_above_the_high_mark_until_the_low_one)
{
    struct script script = SCRIPT("", .kept = 30);
    EDDY_STREAM stream = script_open(&script);

    CHECK_OK(eddy_stream_set_write_limits(stream, 60, 20));
    CHECK_OK(eddy_write(stream, "a", 1));
    CHECK_OK(eddy_write(stream, "b", 1));
    CHECK_OK(eddy_drain(stream)); /* 60 are not above 60 */
    CHECK_OK(eddy_write_nowait(stream, "c", 1));
    CHECK_EQ(eddy_stream_get_counters(stream).to_send, 90);
    CHECK_EQ(eddy_time() < 0.001, 1);
    CHECK_EQ(eddy_write_nowait(stream, "d", 1), -EAGAIN);
    EDDY_TASK one = eddy_create_task(drain_it, stream);
    EDDY_TASK two = eddy_create_task(drain_it, stream);
    EDDY_TASK writer = eddy_create_task(write_text, stream, "e");
    test_settle();
    CHECK_STR(log_of, "");
    CHECK_EQ(eddy_write_nowait(stream, "d", 1), -EAGAIN); /* another has its turn */
    CHECK_OK(eddy_await(one));
    CHECK_OK(eddy_await(two)); /* A-WRITE-5: all are released */
    CHECK_OK(eddy_await(writer));
    CHECK_STR(log_of, "dde");
    CHECK_EQ(eddy_stream_get_counters(stream).to_send, 50);
    CHECK_OK(eddy_flush(stream));
    CHECK_EQ(eddy_stream_get_counters(stream).to_send, 0);
    CHECK_STR(script.out, "abce");
}

/* Writers take turns, first come, first served, each write whole. */
TEST(write_by_several_tasks_is_not_mixed)
{
    struct script script = SCRIPT("", .slow_write = true);
    EDDY_STREAM stream = script_open(&script);

    memset(big, 'A', 3000);
    EDDY_TASK large = eddy_create_task(write_much, stream, big, (size_t)3000);
    test_settle();
    EDDY_TASK b = eddy_create_task(write_text, stream, "bb");
    EDDY_TASK c = eddy_create_task(write_text, stream, "cc");
    EDDY_TASK d = eddy_create_task(write_text, stream, "dd");
    test_settle();
    eddy_cancel(c);
    CHECK_EQ(eddy_await(c), -ECANCELED);
    CHECK_OK(eddy_await(d));
    CHECK_EQ(script.written, 3004);
    CHECK_EQ(script.out[2999], 'A');
    CHECK_STR(script.out + 3000, "bbdd");
}

/* A turn that was handed to a task that is cancelled in the same tick goes on to the next. */
TEST(write_turn_of_a_cancelled_task_goes_to_the_next)
{
    struct script script = SCRIPT("", .slow_write = true);
    EDDY_STREAM stream = script_open(&script);
    EDDY_TASK one = eddy_create_task(write_much, stream, big, (size_t)1500);
    EDDY_TASK two = eddy_create_task(write_much, stream, big, (size_t)1500);
    EDDY_TASK three = eddy_create_task(write_text, stream, "three");

    test_settle();
    CHECK_OK(eddy_await(one));
    eddy_cancel(two);
    CHECK_EQ(eddy_await(two), -ECANCELED);
    CHECK_OK(eddy_await(three));
    CHECK(script.written >= 1505);
}

/* A write that is cut short says how much was taken, and the stream goes on. */
TEST(write_that_is_cancelled_says_how_much_was_taken)
{
    struct script script = SCRIPT("", .slow_write = true);
    EDDY_STREAM stream = script_open(&script);

    {
        EDDY_TIMEOUT(limit, 0.0015);
        CHECK_EQ(eddy_write(stream, big, 5000), -ETIMEDOUT);
    }
    CHECK_EQ(eddy_stream_partial(stream), 1999);
    CHECK_OK(eddy_write(stream, "more", 4));
    CHECK_EQ(script.written, 2003);
}

/* A-WRITE-1, and 1,000 positions of a failure: what was taken is a prefix. */
TEST(write_error_at_any_byte_says_how_much_was_sent)
{
    for (size_t room = 0; room < 100; room++) {
        struct script script = SCRIPT("reply", .room = room, .write_error = -EPIPE);
        EDDY_STREAM stream = script_open(&script);
        char text[200], data[8];
        size_t written = 0;
        int rc;

        while ((rc = eddy_write(stream, "0123456", 7)) == 0)
            written += 7;
        CHECK_EQ(rc, -EPIPE);
        CHECK_EQ(written + eddy_stream_partial(stream), room);
        snprintf(text, sizeof text, "script nobody:7: write: %zu of 7 bytes sent: Broken pipe",
                 room % 7);
        CHECK_STR(eddy_error_message(-EPIPE), text);
        CHECK_EQ(eddy_write(stream, "x", 1), -EPIPE); /* A-WRITE-7: it stays */
        CHECK_EQ(eddy_stream_partial(stream), 0);
        CHECK_HAS(eddy_error_message(-EPIPE), "broken before");
        CHECK_EQ(eddy_drain(stream), -EPIPE);
        CHECK_EQ(eddy_write_nowait(stream, "x", 1), -EPIPE);
        CHECK_EQ(eddy_write_eof(stream), -EPIPE);
        CHECK_EQ(script.written, room);
        CHECK_EQ(eddy_read(stream, data, sizeof data), 5); /* what the peer had said */
    }
}

/* A-WRITE-9: who waits when the connection breaks gets that error, one after the other. */
TEST(write_error_reaches_all_who_wait)
{
    struct script script = SCRIPT("", .kept = 100, .flush_error = -ECONNRESET);
    EDDY_STREAM stream = script_open(&script);

    CHECK_OK(eddy_stream_set_write_limits(stream, 50, 50));
    CHECK_OK(eddy_write(stream, "a", 1));
    EDDY_TASK one = eddy_create_task(drain_it, stream);
    EDDY_TASK two = eddy_create_task(write_text, stream, "b");
    EDDY_TASK three = eddy_create_task(write_text, stream, "c");
    CHECK_EQ(eddy_await(one), -ECONNRESET);
    CHECK_HAS(eddy_error_message(-ECONNRESET), "100 bytes of earlier writes were not sent");
    CHECK_EQ(eddy_await(two), -ECONNRESET);
    CHECK_EQ(eddy_await(three), -ECONNRESET);
    CHECK_STR(script.out, "a");
    CHECK_EQ(script.flushes, 1); /* a broken kind is not asked again */
}

/* A-WRITE-11, -12: the end of the writing half. */
TEST(write_eof_ends_one_half)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[16] = "";

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_write(one, "last", 4));
    CHECK_OK(eddy_write_eof(one));
    CHECK_OK(eddy_write_eof(one)); /* no effect */
    CHECK_EQ(eddy_write(one, "x", 1), -EPIPE);
    CHECK_HAS(eddy_error_message(-EPIPE), "writing half has been ended");
    CHECK_EQ(eddy_write_nowait(one, "x", 1), -EPIPE);
    CHECK_OK(eddy_drain(one));
    CHECK_OK(eddy_flush(one));
    CHECK_EQ(eddy_read(other, data, sizeof data), 4);
    CHECK_EQ(eddy_read(other, data, sizeof data), 0);
    CHECK_OK(eddy_write(other, "reply", 5)); /* the other half goes on */
    CHECK_EQ(eddy_read(one, data, sizeof data), 5);
    CHECK_STR(data, "reply");
}

/* A-WRITE-12: only once what was written has gone. */
TEST(write_eof_comes_behind_what_was_written)
{
    struct script script = SCRIPT("", .kept = 10);
    EDDY_STREAM stream = script_open(&script);

    CHECK_OK(eddy_write(stream, "x", 1));
    {
        EDDY_TIMEOUT(limit, 0.0005);
        CHECK_EQ(eddy_write_eof(stream), -ETIMEDOUT);
    }
    CHECK_EQ(script.eofs, 0);
    CHECK_OK(eddy_write(stream, "y", 1)); /* not ended */
    CHECK_OK(eddy_write_eof(stream));
    CHECK_EQ(script.eofs, 1);
    CHECK_EQ(script.kept_now, 0);
}

TEST(write_eof_that_fails_breaks_the_writing_half)
{
    struct script script = SCRIPT("abc", .eof_error = -ENOTCONN);
    EDDY_STREAM stream = script_open(&script);
    char data[8];

    CHECK_EQ(eddy_write_eof(stream), -ENOTCONN);
    CHECK_HAS(eddy_error_message(-ENOTCONN), "script nobody:7: write: its end: ");
    CHECK_EQ(eddy_write(stream, "x", 1), -ENOTCONN);
    CHECK_EQ(eddy_read(stream, data, sizeof data), 3);
}

/* A-WRITE-13: kinds without a half. */
TEST(write_eof_is_not_for_all_kinds)
{
    struct script script = SCRIPT("");
    eddy_stream_class kind = script_class;
    EDDY_STREAM stream = script_open(&script);

    kind.write_eof = NULL;
    stream->kind = &kind;
    CHECK_EQ(eddy_write_eof(stream), -ENOTSUP);
    CHECK_OK(eddy_write(stream, "x", 1));
    CHECK_OK(eddy_stream_close(&stream));
}

/* A-WRITE-3: a pair's ends keep what the limits say, and not more, however much is written. */
TEST(write_to_a_slow_reader_is_held_back)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_stream_set_limit(other, 5000));
    CHECK_OK(eddy_stream_set_write_limits(one, 20000, 1000));
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_write(one, big, sizeof big), -ETIMEDOUT);
    }
    CHECK_EQ(eddy_stream_partial(one), 30000);
    CHECK_EQ(eddy_stream_get_counters(other).to_read, 10000);
    CHECK_EQ(eddy_stream_get_counters(one).to_send, 20000);
    EDDY_TASK reader = eddy_create_task(read_for, other, 1.0);
    CHECK_OK(eddy_write(one, big, sizeof big));
    CHECK_EQ(eddy_await(reader), -ETIMEDOUT); /* nothing more came */
    CHECK_EQ(eddy_stream_get_counters(other).received, 30000 + sizeof big);
    CHECK_EQ(eddy_stream_get_counters(one).sent, 30000 + sizeof big);
}

/* A callback may write, and is told when it should wait. */
static int write_in_callback(void *stream)
{
    if (eddy_write_nowait(stream, "from a callback", 15) == 0)
        note('w');
    if (eddy_write(stream, "x", 1) == -EPERM)
        note('p');
    return 0;
}

TEST(write_nowait_from_a_callback)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[32] = "";

    CHECK_OK(eddy_stream_pair(&one, &other));
    eddy_handle handle = eddy_loop_call_soon(eddy_get_running_loop(), write_in_callback, one);
    EDDY_DEFER(test_cancel_handle, &handle);
    CHECK_EQ(eddy_read(other, data, sizeof data), 15);
    CHECK_STR(data, "from a callback");
    test_settle();
    CHECK_STR(log_of, "wp");
}

/* Promise 7. */
TEST(write_of_little_does_not_allocate)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[16];
    uint64_t before = 0;

    CHECK_OK(eddy_stream_pair(&one, &other));
    if (ed_memory_guarded() || ED_WATCHED)
        test_skip("blocks are not used again under a checker");
    for (int i = 0; i < 20; i++) {
        if (i == 2)
            before = ed_fault_count(ED_FAULT_ALLOC);
        CHECK_OK(eddy_write(one, "little", 6));
        CHECK_OK(eddy_printf(one, "%d", 1234));
        CHECK_EQ(eddy_read(other, data, sizeof data), 10);
    }
    CHECK_EQ(ed_fault_count(ED_FAULT_ALLOC), before);
}
