/* SPDX-License-Identifier: MIT */
/* The testing kit finds what a run has opened and not closed. */
#include <eddy/test.h>
#include <errno.h>
#include <unistd.h>

#include "harness.h"

/* These close all that they open, unless they are cut short. */
static int forgets_a_pair(void)
{
    eddy_stream *one = NULL, *other = NULL;

    EDDY_TRY(eddy_stream_pair(&one, &other));
    int rc = eddy_sleep(1);
    (void)eddy_stream_close(&one);
    EDDY_TRY(rc);
    return eddy_stream_close(&other);
}
EDDY_ASYNC(forgets_a_pair);

static int forgets_a_pipe(void)
{
    eddy_stream *stream = NULL;
    int ends[2];

    if (pipe(ends) < 0)
        return -errno;
    close(ends[1]);
    int rc = eddy_stream_from_fd(ends[0], &stream);
    if (rc < 0)
        close(ends[0]);
    EDDY_TRY(rc);
    EDDY_TRY(eddy_sleep(1));
    return eddy_stream_close(&stream);
}
EDDY_ASYNC(forgets_a_pipe);

static int forgets_an_endpoint(void)
{
    eddy_datagram *endpoint = NULL;

    EDDY_TRY(eddy_datagram_open("udp://127.0.0.1:0", NULL, &endpoint));
    EDDY_TRY(eddy_sleep(1));
    eddy_datagram_close(&endpoint);
    return 0;
}
EDDY_ASYNC(forgets_an_endpoint);

static int greets_nobody(eddy_stream *stream, void *argument)
{
    (void)stream, (void)argument;
    return 0;
}

static int forgets_a_server(void)
{
    eddy_server *server = NULL;

    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", greets_nobody, NULL, &server));
    EDDY_TRY(eddy_sleep(1));
    eddy_server_close(&server);
    return 0;
}
EDDY_ASYNC(forgets_a_server);

/* Its child forgets, when this one is cut short. */
static int forgets_in_a_child(void)
{
    EDDY_TASK child = eddy_create_task(forgets_a_pipe);

    EDDY_TRY(eddy_sleep(0.5));
    return eddy_await(child);
}
EDDY_ASYNC(forgets_in_a_child);

/* The loop closes them all in the end, which says nothing where a run was cut short. */
RAW_TEST(kit_says_what_a_cancelled_run_did_not_close)
{
    CHECK_OK(eddy_test(forgets_a_pair));
    CHECK_FAILS(eddy_test_cancels(forgets_a_pair), EDDY_ETEST,
                "forgets_a_pair(), cancelled at suspension 1, in sleep: "
                "an end of a stream in memory was not closed (EDDY_ETEST, ");
    CHECK_OK(eddy_test(forgets_a_pipe));
    CHECK_FAILS(eddy_test_cancels(forgets_a_pipe), EDDY_ETEST, "a stream (pipe) was not closed");
    CHECK_OK(eddy_test(forgets_an_endpoint));
    CHECK_FAILS(eddy_test_cancels(forgets_an_endpoint), EDDY_ETEST,
                "a datagram endpoint (127.0.0.1:");
    CHECK_OK(eddy_test(forgets_a_server));
    CHECK_FAILS(eddy_test_cancels(forgets_a_server), EDDY_ETEST, "a server was not closed");
    CHECK_OK(eddy_test(forgets_in_a_child));
    CHECK_FAILS(eddy_test_cancels(forgets_in_a_child), EDDY_ETEST,
                "a stream (pipe) was not closed");
}

static int fills_a_queue(void)
{
    eddy_queue queue = EDDY_QUEUE_INIT(int, 0);
    EDDY_DEFER(eddy_queue_deinit, &queue);

    for (int i = 0; i < 20; i++)
        EDDY_TRY(eddy_queue_put(&queue, &i));
    return 0;
}

static int forgets_when_short(void)
{
    eddy_stream *one = NULL, *other = NULL;

    EDDY_TRY(eddy_stream_pair(&one, &other));
    EDDY_TRY(fills_a_queue());
    (void)eddy_stream_close(&one);
    return eddy_stream_close(&other);
}
EDDY_ASYNC(forgets_when_short);

RAW_TEST(kit_says_what_a_run_without_memory_did_not_close)
{
    CHECK_OK(eddy_test(forgets_when_short));
    CHECK_FAILS(eddy_test_allocations(forgets_when_short), EDDY_ETEST,
                "an end of a stream in memory was not closed");
}

static void hears_nothing(eddy_loop *loop, const eddy_report *report, void *argument)
{
    (void)loop, (void)report, (void)argument;
}

static int forgets_in_silence(void)
{
    eddy_stream *one = NULL, *other = NULL;

    eddy_loop_set_exception_handler(eddy_get_running_loop(), hears_nothing, NULL);
    return eddy_stream_pair(&one, &other);
}
EDDY_ASYNC(forgets_in_silence);

static int forgets_and_fails(void)
{
    eddy_stream *one = NULL, *other = NULL;

    EDDY_TRY(eddy_stream_pair(&one, &other));
    return eddy_raise(-EIO, "the disk is wet");
}
EDDY_ASYNC(forgets_and_fails);

/* A handler of the test's own hides it not, and what the test says itself comes first. */
RAW_TEST(kit_says_what_a_whole_run_did_not_close)
{
    CHECK_FAILS(eddy_test(forgets_in_silence), EDDY_ETEST,
                "forgets_in_silence(): an end of a stream in memory was not closed (EDDY_ETEST, ");
    CHECK_FAILS(eddy_test(forgets_and_fails), -EIO, "the disk is wet");
}
