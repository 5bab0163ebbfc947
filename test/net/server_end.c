/* SPDX-License-Identifier: MIT */
/* How servers and their connections end. */
#include "net/peer.h"

static int echo(eddy_stream *stream, void *argument)
{
    char data[4096];
    ssize_t size;

    (void)argument;
    while ((size = eddy_read(stream, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(stream, data, (size_t)size));
    return (int)size;
}

static int connect_to(const eddy_server *server, eddy_stream **stream)
{
    return eddy_address_connect(eddy_server_address(server, 0), NULL, stream);
}

/* A word there and back. */
static int ping(eddy_stream *stream)
{
    char data[4];

    EDDY_TRY(eddy_write(stream, "ping", 4));
    EDDY_TRY(eddy_read_exactly(stream, data, 4));
    REQUIRE(memcmp(data, "ping", 4) == 0);
    return 0;
}

static int wait_for(eddy_server *server)
{
    return eddy_server_wait(server);
}
EDDY_ASYNC(wait_for, eddy_server *);

static int serve(eddy_server *server)
{
    return eddy_serve_forever(server);
}
EDDY_ASYNC(serve, eddy_server *);

static int shut_down(eddy_server *server, double seconds)
{
    return eddy_server_shutdown(server, seconds);
}
EDDY_ASYNC(shut_down, eddy_server *, double);

/* A-SRV-8: a stop refuses new connections at once and is idempotent; open ones go on. */
TEST(server_that_stops_lets_its_connections_go_on)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    eddy_stream *late = NULL;
    eddy_address address;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    address = *eddy_server_address(server, 0);
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(ping(stream));
    eddy_server_stop(server);
    CHECK_EQ(eddy_address_connect(&address, NULL, &late), -ECONNREFUSED);
    eddy_server_stop(server);
    CHECK_OK(ping(stream));
    CHECK_EQ(eddy_server_connections(server), 1);
}

/* A-SRV-9: the wait is for the stop and for the last connection; many may wait. */
TEST(server_wait_ends_with_the_last_connection)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    EDDY_TASK one = eddy_create_task(wait_for, server);
    EDDY_TASK other = eddy_create_task(wait_for, server);
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(ping(stream));
    eddy_server_stop(server);
    CHECK_OK(eddy_sleep(1));
    CHECK(!eddy_task_done(one) && !eddy_task_done(other));
    CHECK_OK(eddy_cancel(one));
    CHECK_EQ(eddy_await(one), -ECANCELED);
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_OK(eddy_await(other));
    CHECK_EQ(eddy_server_connections(server), 0);
    CHECK_OK(eddy_server_wait(server));
}

TEST(server_wait_without_a_stop_lasts)
{
    EDDY_SERVER server = NULL;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    EDDY_TIMEOUT(limit, 10);
    CHECK_EQ(eddy_server_wait(server), -ETIMEDOUT);
}

/* A-SRV-11: it serves until it is cancelled; then all is closed before it returns. */
TEST(serve_forever_ends_with_its_cancel)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char byte;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    EDDY_TASK server_task = eddy_create_task(serve, server);
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(ping(stream));
    CHECK_EQ(eddy_serve_forever(server), -EBUSY);
    CHECK_OK(eddy_cancel(server_task));
    CHECK_EQ(eddy_await(server_task), -ECANCELED);
    CHECK_EQ(eddy_server_connections(server), 0);
    CHECK(!eddy_server_is_serving(server));
    CHECK_EQ(eddy_read(stream, &byte, 1), 0);
}

TEST(serve_forever_ends_with_its_time)
{
    const eddy_server_options options = {.paused = true};
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;

    CHECK_OK(eddy_start_server_with("tcp://127.0.0.1:0", &options, echo, NULL, &server));
    CHECK_OK(connect_to(server, &stream)); /* it starts the server */
    {
        EDDY_TIMEOUT(limit, 5);
        CHECK_EQ(eddy_serve_forever(server), -ETIMEDOUT);
    }
    CHECK_OK(eddy_server_wait(server));
}

/* And returns 0 when somebody else has stopped the server, once all has ended. */
TEST(serve_forever_ends_with_a_stop)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    EDDY_TASK server_task = eddy_create_task(serve, server);
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(ping(stream));
    eddy_server_stop(server);
    CHECK_OK(ping(stream));
    CHECK(!eddy_task_done(server_task));
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_OK(eddy_await(server_task));
    CHECK_OK(eddy_serve_forever(server));
}

/* A-SRV-10: what the handlers had written is sent before the connections close. */
static int write_and_wait(eddy_stream *stream, void *argument)
{
    char byte;

    (void)argument;
    EDDY_TRY(eddy_write(stream, "goodbye", 7));
    return (int)eddy_read(stream, &byte, 1);
}

TEST(server_close_clients_sends_what_was_written)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[20];

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", write_and_wait, NULL, &server));
    CHECK_OK(connect_to(server, &stream));
    while (eddy_server_connections(server) == 0)
        CHECK_OK(eddy_sleep(0.001));
    CHECK_OK(eddy_sleep(0.001));
    eddy_server_close_clients(server);
    CHECK_OK(eddy_read_exactly(stream, data, 7));
    CHECK_EQ(eddy_read(stream, data, sizeof data), 0);
    CHECK(eddy_server_is_serving(server)); /* and goes on */
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(eddy_read_exactly(stream, data, 7));
}

TEST(server_abort_clients_breaks_the_connections)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[20];

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(ping(stream));
    eddy_server_abort_clients(server);
    CHECK_EQ(eddy_read(stream, data, sizeof data), -ECONNRESET);
    CHECK_STR(test_report(), "");
    eddy_server_stop(server);
    CHECK_OK(eddy_server_wait(server));
}

static int stubborn(eddy_stream *stream, void *argument)
{
    EDDY_SHIELD(finish);

    (void)argument;
    EDDY_TRY(eddy_sleep(3));
    return eddy_write(stream, "done", 4);
}

/* In order: those that end by themselves in time are let, the others are cancelled. */
TEST(server_shutdown_gives_connections_their_time)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[4];
    double start;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    CHECK_OK(eddy_server_shutdown(server, 5)); /* nobody is there */
    eddy_server_close(&server);
    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(ping(stream));
    {
        EDDY_TASK end = eddy_create_task(shut_down, server, 100.0);

        CHECK_OK(eddy_sleep(2));
        CHECK_OK(ping(stream));
        CHECK_OK(eddy_stream_close(&stream));
        CHECK_OK(eddy_await(end));
    }
    eddy_server_close(&server);
    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(ping(stream));
    start = eddy_time();
    CHECK_EQ(eddy_server_shutdown(server, 5), -ETIMEDOUT);
    CHECK(eddy_time() - start >= 4.999);
    CHECK_EQ(eddy_server_connections(server), 0);
    CHECK_EQ(eddy_read(stream, data, 1), 0);
}

/* A shutdown that is cancelled cancels the connections at once, and waits for those that take
 * their time all the same. */
TEST(server_shutdown_that_is_cancelled_ends_at_once)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[4];

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", stubborn, NULL, &server));
    CHECK_OK(connect_to(server, &stream));
    while (eddy_server_connections(server) == 0)
        CHECK_OK(eddy_sleep(0.001));
    EDDY_TASK end = eddy_create_task(shut_down, server, 1000.0);
    CHECK_OK(eddy_sleep(0.001));
    CHECK_OK(eddy_cancel(end));
    CHECK_EQ(eddy_await(end), -ECANCELED);
    CHECK_EQ(eddy_server_connections(server), 0);
    CHECK_OK(eddy_read_exactly(stream, data, 4));
}

static eddy_server *own;

static int stop_here(eddy_stream *stream, void *argument)
{
    (void)argument;
    eddy_server_stop(own);
    return eddy_write(stream, "last", 4);
}

/* A stop by a handler. */
TEST(server_may_be_stopped_by_a_handler)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[4];

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", stop_here, NULL, &server));
    own = server;
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(eddy_read_exactly(stream, data, 4));
    CHECK_OK(eddy_server_wait(server));
    CHECK_EQ(eddy_server_connections(server), 0);
}

static int close_clients_here(eddy_stream *stream, void *abort)
{
    if (abort)
        eddy_server_abort_clients(own);
    else
        eddy_server_close_clients(own);
    return eddy_write(stream, "x", 1);
}

/* And those of a handler that ends all connections, its own too. */
TEST(server_connections_may_be_ended_by_a_handler)
{
    for (int abort = 0; abort < 2; abort++) {
        EDDY_SERVER server = NULL;
        EDDY_STREAM stream = NULL;
        char byte;

        CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", close_clients_here, abort ? &own : NULL,
                                   &server));
        own = server;
        CHECK_OK(connect_to(server, &stream));
        CHECK_EQ(eddy_read(stream, &byte, 1), abort ? -ECONNRESET : 0);
        CHECK_EQ(eddy_server_connections(server), 0);
    }
}

static int wait_here(eddy_stream *stream, void *argument)
{
    (void)stream, (void)argument;
    return eddy_server_wait(own);
}

static int serve_one(eddy_connection_handler *handler)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;

    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", handler, NULL, &server));
    own = server;
    EDDY_TRY(connect_to(server, &stream));
    return eddy_sleep(1);
}
EDDY_ASYNC(serve_one, eddy_connection_handler *);

static void wait_in_a_handler(void)
{
    (void)eddy_run(serve_one, wait_here);
}

/* It would wait for itself. */
RAW_TEST(server_wait_in_a_handler_dies_with_a_sentence)
{
    CHECK_DIES(wait_in_a_handler,
               "the handler of a connection waits for the end of its own server");
}

/* The end of the block: connections that wait, that have begun, and that have not. */
TEST(server_scope_ends_connections_in_any_state)
{
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    EDDY_STREAM last = NULL;
    char byte;

    for (int turns = 0; turns < 4; turns++) {
        EDDY_SERVER server = NULL;

        CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
        CHECK_OK(connect_to(server, &one));
        CHECK_OK(ping(one));
        CHECK_OK(connect_to(server, &other));
        CHECK_OK(connect_to(server, &last));
        for (int i = 0; i < turns; i++)
            CHECK_OK(eddy_sleep(0));
        eddy_server_close(&server);
        CHECK_EQ(eddy_read(one, &byte, 1), 0);
        CHECK(eddy_read(other, &byte, 1) <= 0 && eddy_read(last, &byte, 1) <= 0);
        CHECK_OK(eddy_stream_close(&one));
        CHECK_OK(eddy_stream_close(&other));
        CHECK_OK(eddy_stream_close(&last));
    }
}

static size_t plenty_size(void)
{
    return test_is_swept() ? 400000 : 4000000;
}

/* Writes more than the kernel takes, and returns or waits. */
static int write_plenty(eddy_stream *stream, void *wait)
{
    EDDY_TRY(peer_set(eddy_stream_fd(stream), SO_SNDBUF, 8192));
    EDDY_TRY(eddy_write_nowait(stream, test_room(plenty_size()), plenty_size()));
    return wait ? eddy_sleep(EDDY_FOREVER) : 0;
}

/* A peer that does not read does not hold up the end of a server: a second, no more. */
TEST(server_ends_although_a_peer_does_not_read)
{
    for (int wait = 0; wait < 2; wait++) {
        EDDY_SERVER server = NULL;
        EDDY_STREAM stream = NULL;
        double start;

        CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", write_plenty, wait ? &own : NULL, &server));
        CHECK_OK(connect_to(server, &stream));
        CHECK_OK(eddy_sleep(10));
        CHECK_EQ(eddy_server_connections(server), 1);
        start = eddy_time();
        eddy_server_close(&server);
        CHECK(eddy_time() - start < 1.001);
    }
}

/* While it goes on, one that reads slowly gets everything that the handler has written. */
TEST(server_sends_what_a_handler_that_returned_had_written)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char *data = NULL;
    size_t size = 0;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", write_plenty, NULL, &server));
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(eddy_sleep(10));
    CHECK_OK(eddy_read_all(stream, plenty_size(), &data, &size));
    eddy_free(data);
    CHECK_EQ(size, plenty_size());
}

static int leave_open(void)
{
    static eddy_server *server;
    EDDY_STREAM stream = NULL;

    EDDY_TRY(
        eddy_start_server(peer_place("tcp://127.0.0.1:0,unix:@eddy-left-%d"), echo, NULL, &server));
    EDDY_TRY(connect_to(server, &stream));
    return ping(stream);
}
EDDY_ASYNC(leave_open);

static char seen_reports[1000];

static void note(eddy_loop *loop, const eddy_report *report, void *argument)
{
    size_t length = strlen(seen_reports);

    (void)loop, (void)argument;
    snprintf(seen_reports + length, sizeof seen_reports - length, "%s\n", report->message);
}

/* A loop that is closed over an open server says so, and nothing is left. */
RAW_TEST(server_left_open_is_reported_and_closed_with_its_loop)
{
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    eddy_loop_set_exception_handler(loop, note, NULL);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leave_open)));
    eddy_loop_free(loop);
    CHECK_HAS(seen_reports, "a server was not closed");
}

static int leave_open_noted(void)
{
    eddy_loop_set_exception_handler(eddy_get_running_loop(), note, NULL);
    return leave_open();
}
EDDY_ASYNC(leave_open_noted);

/* So does the end of eddy_run, which ends the connections' tasks first. */
RAW_TEST(server_left_open_is_reported_at_the_end_of_a_run)
{
    CHECK_OK(eddy_run(leave_open_noted));
    CHECK_HAS(seen_reports, "a server was not closed");
}

static int serve_on(eddy_server *server)
{
    int rc = eddy_serve_forever(server);

    return rc == -ECANCELED ? rc : eddy_expect_equal(rc, 0);
}
EDDY_ASYNC(serve_on, eddy_server *);

static int serve_until_its_end(eddy_server *server)
{
    return eddy_server_wait(server);
}
EDDY_ASYNC(serve_until_its_end, eddy_server *);

/* The end of a server is told to those who wait for it before it is gone, in every order. */
static int close_under_those_who_wait(void)
{
    eddy_server *server = NULL;

    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    EDDY_TASK one = eddy_create_task(serve_on, server);
    EDDY_TASK other = eddy_create_task(serve_until_its_end, server);
    (void)eddy_sleep(0.01);
    eddy_server_close(&server);
    EDDY_TRY(eddy_await(one));
    return eddy_await(other);
}
EDDY_ASYNC(close_under_those_who_wait);

RAW_TEST(server_is_closed_under_those_who_wait_for_its_end)
{
    CHECK_OK(eddy_test_seeds(1, 50, close_under_those_who_wait));
}
