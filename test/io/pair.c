/* SPDX-License-Identifier: MIT */
/* Streams in memory: how the two ends of a pair hang together. */
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

static int close_it(eddy_stream *stream)
{
    return eddy_stream_close(&stream);
}
EDDY_ASYNC(close_it, eddy_stream *);

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
    EDDY_TASK closer = eddy_create_task(close_it, one);
    one = NULL;
    CHECK_EQ(eddy_await(reader), -ESHUTDOWN);
    CHECK_OK(eddy_await(closer));
}
