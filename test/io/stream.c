/* SPDX-License-Identifier: MIT */
/* What a stream says about itself, and how it is opened: A-WRITE-18. */
#include "script.h"

#include <pthread.h>

static eddy_stream *elsewhere;

static void *write_elsewhere(void *unused)
{
    (void)unused;
    (void)eddy_write_nowait(elsewhere, "x", 1);
    return NULL;
}

static int stray(void)
{
    pthread_t thread;

    EDDY_TRY(eddy_stream_pair(&elsewhere, &elsewhere));
    pthread_create(&thread, NULL, write_elsewhere, NULL);
    pthread_join(thread, NULL);
    return 0;
}
EDDY_ASYNC(stray);

static void run_stray(void)
{
    (void)eddy_run(stray);
}

static int open_in_callback(void *loop)
{
    eddy_stream *other;

    (void)eddy_stream_pair(&elsewhere, &other);
    eddy_loop_stop(loop);
    return 0;
}

static int read_elsewhere(void)
{
    char byte;

    return (int)eddy_read(elsewhere, &byte, 1);
}
EDDY_ASYNC(read_elsewhere);

static void run_in_another_loop(void)
{
    eddy_loop *loop = NULL;

    (void)eddy_loop_new(&loop);
    (void)eddy_loop_call_soon(loop, open_in_callback, loop);
    (void)eddy_loop_run_forever(loop);
    (void)eddy_run(read_elsewhere);
}

TEST(stream_says_what_it_is)
{
    struct script script = SCRIPT("");
    EDDY_STREAM stream = script_open(&script);
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;

    CHECK_STR(eddy_stream_kind(stream), "script");
    CHECK_STR(eddy_stream_peer_name(stream), "nobody:7");
    CHECK_STR(eddy_stream_local_name(stream), "");
    CHECK_EQ(eddy_stream_fd(stream), -1);
    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_STR(eddy_stream_peer_name(one), "");
}

TEST(stream_counts_what_goes_through)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    eddy_stream_counters counters;
    char data[100] = "";

    CHECK_OK(eddy_stream_pair(&one, &other));
    CHECK_OK(eddy_stream_set_limit(other, 25));
    CHECK_OK(eddy_write(one, data, 70));
    counters = eddy_stream_get_counters(one);
    CHECK_EQ(counters.sent, 50);
    CHECK_EQ(counters.to_send, 20);
    CHECK_EQ(counters.received, 0);
    CHECK_EQ(eddy_read(other, data, 30), 30);
    counters = eddy_stream_get_counters(other);
    CHECK_EQ(counters.received, 70);
    CHECK_EQ(counters.to_read, 40);
    CHECK_EQ(counters.sent, 0);
    CHECK_EQ(eddy_stream_get_counters(one).sent, 70);
    CHECK_EQ(eddy_stream_room(other), 10);
}

RAW_TEST(stream_is_not_opened_outside_a_loop)
{
    eddy_stream *one = NULL, *other = NULL;

    CHECK_EQ(eddy_stream_pair(&one, &other), -EPERM);
    CHECK(one == NULL);
}

RAW_TEST(stream_used_in_another_thread_or_loop_says_so)
{
    CHECK_DIES(run_stray, "is called from another thread than its loop's");
    CHECK_DIES(run_in_another_loop, "a memory stream is used in another loop than its own");
}

/* All that a program does with streams, with each allocation failing, each wait cancelled,
 * and in many orders. */
static int talk(eddy_stream *stream)
{
    char line[64];
    ssize_t n;

    while ((n = eddy_read_line(stream, line, sizeof line)) > 0)
        EDDY_TRY(eddy_printf(stream, "%zd: %s", n, line));
    EDDY_TRY(n);
    return eddy_write_eof(stream);
}
EDDY_ASYNC(talk, eddy_stream *);

static int ask(eddy_stream *stream)
{
    eddy_line line;
    char *rest;
    int rc;

    EDDY_TRY(eddy_write(stream, "a line\n", 7));
    EDDY_TRY(eddy_write(stream, "another line\nand one more that is long\n", 39));
    EDDY_TRY(eddy_flush(stream));
    EDDY_TRY(eddy_write_eof(stream));
    EDDY_FOR_EACH(rc, line, eddy_lines(stream)) {
        if (line.text[0] == '1')
            break;
        EDDY_TRY(eddy_expect_equal(line.size, 10));
    }
    EDDY_TRY(rc);
    EDDY_TRY(eddy_read_all(stream, 0, &rest, NULL));
    rc = eddy_expect(strcmp(rest, "26: and one more that is long\n") == 0);
    eddy_free(rest);
    return rc;
}
EDDY_ASYNC(ask, eddy_stream *);

static int conversation(void)
{
    static char large[10000], back[sizeof large];
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    int rc;

    EDDY_TRY(eddy_stream_pair(&one, &other));
    EDDY_TRY(eddy_stream_set_limit(other, 30));
    EDDY_TRY(eddy_stream_set_limit(one, 20));
    EDDY_TRY(eddy_stream_set_write_limits(one, 20, 5));
    rc = eddy_gather(EDDY_CALL(ask, one), EDDY_CALL(talk, other));
    if (rc < 0) {
        eddy_stream_abort(one); /* nobody reads any more what a close would wait for */
        return rc;
    }
    EDDY_TRY(eddy_stream_close(&one));
    EDDY_TRY(eddy_stream_close(&other));
    EDDY_TRY(eddy_stream_pair(&one, &other));
    EDDY_TRY(eddy_write(one, large, sizeof large));
    return eddy_read_exactly(other, back, sizeof back);
}
EDDY_ASYNC(conversation);

RAW_TEST(stream_conversation_under_every_cancel_order_and_lack_of_memory)
{
    int rc = eddy_test_thoroughly(conversation);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}
