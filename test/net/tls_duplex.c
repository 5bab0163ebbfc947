/* SPDX-License-Identifier: MIT */
/*
 * TLS in both directions at once, and its end while others still use it. A writer may give way
 * between any two steps, so the number of small writes before a large one goes through all that a
 * task's budget of calls leaves.
 */
#include "harness.h"
#include "net/tls_certificate.h"

#define BLOCK 32768

static char byte_at(size_t at)
{
    return (char)(at * 31 % 251);
}

/* Writes `small` records of a byte, and a block that goes as several. */
static int write_mixed(eddy_stream *stream, size_t small)
{
    static char block[BLOCK]; /* of one writer at a time */
    size_t at = 0;

    for (; at < small; at++)
        EDDY_TRY(eddy_write(stream, &(char){byte_at(at)}, 1));
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = byte_at(at + i);
    return eddy_write(stream, block, BLOCK);
}
EDDY_ASYNC(write_mixed, eddy_stream *, size_t);

static int read_mixed(eddy_stream *stream, size_t small)
{
    char data[1000];
    ssize_t size;

    for (size_t at = 0; at < small + BLOCK; at += (size_t)size) {
        size = eddy_read(stream, data, sizeof data);
        EDDY_TRY(size);
        for (ssize_t i = 0; i < size; i++)
            EDDY_TRY(eddy_expect(data[i] == byte_at(at + (size_t)i)));
    }
    return 0;
}
EDDY_ASYNC(read_mixed, eddy_stream *, size_t);

static int keep_writing(eddy_stream *stream)
{
    const char data[3000] = "";

    for (;;)
        EDDY_TRY(eddy_write(stream, data, sizeof data));
}
EDDY_ASYNC(keep_writing, eddy_stream *);

static int keep_reading(eddy_stream *stream)
{
    char data[100];
    ssize_t size;

    while ((size = eddy_read(stream, data, sizeof data)) > 0)
        continue;
    return (int)size;
}
EDDY_ASYNC(keep_reading, eddy_stream *);

static void write_while_reading(void)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();

    for (size_t small = 120; small <= 130; small++) {
        struct tls_ends ends;

        CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
        EDDY_DEFER(tls_ends_close, &ends);
        CHECK_OK(tls_ends_result(&ends));
        {
            EDDY_TASK reader = eddy_create_task(read_mixed, ends.server, small);
            EDDY_TASK back = eddy_create_task(keep_writing, ends.server);
            EDDY_TASK forth = eddy_create_task(keep_reading, ends.client);
            EDDY_TASK writer = eddy_create_task(write_mixed, ends.client, small);

            CHECK_OK(eddy_await(writer));
            CHECK_OK(eddy_await(reader));
            (void)back, (void)forth;
        }
    }
}

RAW_TEST(tls_writer_that_gives_way_sends_nothing_twice)
{
    CHECK_OK(eddy_test(tls_once, write_while_reading));
}

static int close_it(eddy_stream *stream)
{
    return eddy_stream_close(&stream);
}
EDDY_ASYNC(close_it, eddy_stream *);

/* The lower stream is on its way out, and the upper one is looked at and broken. */
static void abort_while_closing(void)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();
    struct tls_ends ends;

    CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
    CHECK_OK(tls_ends_result(&ends));
    EDDY_TASK one = eddy_create_task(close_it, ends.client);
    EDDY_TASK other = eddy_create_task(close_it, ends.server);
    for (int i = 0; i < 100 && !eddy_task_done(one); i++) {
        eddy_stream_counters counters = eddy_stream_get_counters(ends.client);

        CHECK(counters.to_read == 0);
        if (i == 3)
            eddy_stream_abort(ends.client);
        (void)eddy_sleep(0);
    }
    (void)eddy_await(one);
    (void)eddy_await(other);
}

RAW_TEST(tls_may_be_aborted_while_it_is_closed)
{
    CHECK_OK(eddy_test(tls_once, abort_while_closing));
}
