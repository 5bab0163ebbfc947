/* SPDX-License-Identifier: MIT */
/* Streams in memory: how the two ends of a pair hang together. */
#include "eddy/stream_class.h"
#include "harness.h"

static int write_text(eddy_stream *stream, const char *text)
{
    return eddy_write(stream, text, strlen(text));
}
EDDY_ASYNC(write_text, eddy_stream *, const char *);

static int read_one(eddy_stream *stream, char *data, size_t size)
{
    ssize_t n = eddy_read(stream, data, size);

    return (int)n;
}
EDDY_ASYNC(read_one, eddy_stream *, char *, size_t);

static int close_it(eddy_stream **stream)
{
    return eddy_stream_close(stream);
}
EDDY_ASYNC(close_it, eddy_stream **);

static int close_later(eddy_stream **stream)
{
    EDDY_TRY(eddy_sleep(1));
    return eddy_stream_close(stream);
}
EDDY_ASYNC(close_later, eddy_stream **);

static int write_much(eddy_stream *stream)
{
    static const char much[100000];

    return eddy_write(stream, much, sizeof much);
}
EDDY_ASYNC(write_much, eddy_stream *);

/* What has been taken of a write counts while that waits for the rest. */
TEST(pair_counts_what_is_taken_of_a_write_under_way)
{
    EDDY_STREAM one = NULL, other = NULL;
    char data[1500];

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_stream_set_limit(other, 1000));
    EDDY_TASK writer = eddy_create_task(write_much, one);
    test_settle();
    CHECK_EQ(eddy_stream_get_counters(one).sent, 2000);
    CHECK_OK(eddy_read_exactly(other, data, sizeof data));
    test_settle();
    CHECK_EQ(eddy_stream_get_counters(one).sent, 3500);
    eddy_stream_abort(one);
    CHECK_EQ(eddy_await(writer), -ECONNABORTED);
}

/* One declaration closes all that it names: each end has had the end of the other. */
TEST(pair_in_one_declaration_is_closed)
{
    eddy_stream *left = NULL, *right = NULL;
    char data[4];

    {
        EDDY_STREAM one = NULL, other = NULL;

        CHECK_OK(eddy_stream_pair(&one, &left));
        CHECK_OK(eddy_stream_pair(&right, &other));
    }
    CHECK_EQ(eddy_read(left, data, sizeof data), 0);
    CHECK_EQ(eddy_read(right, data, sizeof data), 0);
    CHECK_OK(eddy_stream_close(&left));
    CHECK_OK(eddy_stream_close(&right));
}

/* A-READ-2, -15: what is written to one end is read from the other, then its end. */
TEST(pair_carries_bytes_and_the_end)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[16];

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_STR(eddy_stream_kind(one), "memory");
    CHECK_OK(write_text(one, "hello"));
    CHECK_EQ(eddy_read(other, data, sizeof data), 5);
    CHECK(memcmp(data, "hello", 5) == 0);
    CHECK_OK(write_text(other, "you"));
    CHECK_OK(eddy_stream_close(&other));
    CHECK(other == NULL);
    CHECK_EQ(eddy_read(one, data, sizeof data), 3);
    CHECK(!eddy_at_eof(one));
    CHECK_EQ(eddy_read(one, data, sizeof data), 0);
    CHECK(eddy_at_eof(one));
    CHECK_EQ(eddy_read(one, data, sizeof data), 0);
    CHECK_EQ(write_text(one, "late"), -EPIPE);
    CHECK_HAS(eddy_error_message(-EPIPE), "memory: write: 0 of 4 bytes sent");
}

/* Promise 7, A-READ-2: a reader that waits is given the bytes in its own memory. */
TEST(pair_gives_bytes_to_the_reader_that_waits)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[4] = "";

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(read_one, other, data, sizeof data);
    test_settle();
    CHECK_OK(write_text(one, "hello"));
    CHECK_EQ(eddy_stream_get_counters(other).to_read, 1); /* what it had no room for */
    CHECK_OK(eddy_await(reader));
    CHECK(memcmp(data, "hell", 4) == 0);
    CHECK_EQ(eddy_read(other, data, sizeof data), 1);
    CHECK_EQ(data[0], 'o');
}

/* A-WRITE-15: an end that was aborted makes the other one read a reset. */
TEST(pair_abort_is_a_reset_for_the_other_end)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[16];

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(read_one, other, data, sizeof data);
    test_settle();
    eddy_stream_abort(one);
    CHECK_EQ(eddy_await(reader), -ECONNRESET);
    CHECK_EQ(eddy_read(one, data, sizeof data), -ECONNABORTED);
    CHECK_EQ(eddy_stream_close(&one), -ECONNABORTED);
}

/* A-WRITE-14: a close gets the readers and writers of the same end out. */
TEST(pair_close_gets_those_out_who_wait_inside)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[16];

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(read_one, one, data, sizeof data);
    test_settle();
    EDDY_TASK closer = eddy_create_task(close_it, &one);
    CHECK_EQ(eddy_await(reader), -ESHUTDOWN);
    CHECK_OK(eddy_await(closer));
}

/* What was handed to a waiting reader stays its own when the end comes in the same tick. */
TEST(pair_end_in_the_tick_of_a_read_does_not_take_its_bytes)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[8] = "";

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(read_one, other, data, sizeof data);
    test_settle();
    CHECK_OK(write_text(one, "abc"));
    CHECK_OK(eddy_stream_close(&one));
    CHECK_OK(eddy_await(reader));
    CHECK_STR(data, "abc");
    CHECK_EQ(eddy_read(other, data, sizeof data), 0);
}

/* A-WRITE-9: who waits for a reader that goes away is told. */
TEST(pair_close_of_the_reader_ends_a_write)
{
    static char much[100000];
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_stream_set_limit(other, 100));
    EDDY_TASK closer = eddy_create_task(close_later, &other);
    CHECK_EQ(eddy_write(one, much, sizeof much), -EPIPE);
    CHECK(eddy_stream_partial(one) > 200);
    CHECK_HAS(eddy_error_message(-EPIPE), "memory: write: ");
    CHECK_HAS(eddy_error_message(-EPIPE), " of 100000 bytes sent: Broken pipe");
    CHECK_OK(eddy_await(closer));
    CHECK_EQ(eddy_stream_close(&one), -EPIPE);
}

/* Bytes go both ways at once, and in turns. */
static int play(eddy_stream *stream, int first)
{
    unsigned char ball = 0;

    for (int i = first; i < 200; i += 2) {
        if (i > 0) {
            EDDY_TRY(eddy_read_exactly(stream, &ball, 1));
            REQUIRE(ball == i - 1);
        }
        ball = (unsigned char)i;
        EDDY_TRY(eddy_write(stream, &ball, 1));
    }
    return 0;
}
EDDY_ASYNC(play, eddy_stream *, int);

TEST(pair_carries_bytes_to_and_fro)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_gather(EDDY_CALL(play, one, 0), EDDY_CALL(play, other, 1)));
}

/* The end of one half leaves the other; both closed in either order. */
TEST(pair_ends_close_in_any_order)
{
    for (int first = 0; first < 2; first++) {
        EDDY_STREAM one = NULL;
        EDDY_STREAM other = NULL;
        char data[4];

        CHECK_OK(eddy_stream_pair(&one, &other));
        CHECK_OK(eddy_write_eof(one));
        CHECK_EQ(eddy_read(other, data, 1), 0);
        CHECK_OK(write_text(other, "abc"));
        CHECK_OK(eddy_stream_close(first ? &one : &other));
        if (first)
            CHECK_EQ(write_text(other, "x"), -EPIPE);
        else
            CHECK_EQ(eddy_read(one, data, sizeof data), 3);
    }
}

/* A pair that nobody closed is reported, and freed with its loop. */
static int forget(void)
{
    eddy_stream *one = NULL, *other = NULL;

    test_watch_reports(eddy_get_running_loop());
    EDDY_TRY(eddy_stream_pair(&one, &other));
    return eddy_stream_push(other, "abc", 3);
}
EDDY_ASYNC(forget);

RAW_TEST(pair_that_is_not_closed_is_reported_and_freed)
{
    CHECK_OK(eddy_run(forget));
    CHECK_HAS(test_report(), "an end of a stream in memory was not closed");
    CHECK_HAS(test_report(), "an end of a stream in memory was not closed");
}

static int read_ten(eddy_stream *stream)
{
    char data[10];

    return eddy_read_exactly(stream, data, sizeof data);
}
EDDY_ASYNC(read_ten, eddy_stream *);

/* A part has come, and the reader has not run yet, when it is cancelled: it does not wait for
 * the rest, and the part stays. */
TEST(pair_reader_cancelled_in_the_tick_of_a_part_does_not_wait_on)
{
    EDDY_STREAM one = NULL, other = NULL;
    char data[4];

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(read_ten, other);
    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_write(one, "part", 4));
    eddy_cancel(reader);
    CHECK_EQ(eddy_await(reader), -ECANCELED);
    CHECK_OK(eddy_read_exactly(other, data, sizeof data));
    CHECK(memcmp(data, "part", 4) == 0);
}

TEST(pair_closed_in_the_tick_of_a_part_lets_its_reader_go)
{
    EDDY_STREAM one = NULL, other = NULL;

    CHECK_OK(eddy_stream_pair(&one, &other));
    EDDY_TASK reader = eddy_create_task(read_ten, other);
    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_write(one, "part", 4));
    CHECK_OK(eddy_stream_close(&other));
    CHECK_EQ(eddy_await(reader), -ESHUTDOWN);
}
