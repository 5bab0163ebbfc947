/* SPDX-License-Identifier: MIT */
/* Servers: where they listen, and what a connection's handler may do. Rules A-SRV. */
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

static int say_hello(eddy_stream *stream, void *argument)
{
    (void)argument;
    return eddy_write(stream, "hello", 5);
}

static int connect_to(const eddy_server *server, eddy_stream **stream)
{
    return eddy_address_connect(eddy_server_address(server, 0), NULL, stream);
}

/* Sends a text, reads its echo, and closes. */
static int exchange(const eddy_address *address)
{
    EDDY_STREAM stream = NULL;
    char data[5] = "";

    EDDY_TRY(eddy_address_connect(address, NULL, &stream));
    EDDY_TRY(eddy_write(stream, "hello", 5));
    EDDY_TRY(eddy_read_exactly(stream, data, sizeof data));
    REQUIRE(memcmp(data, "hello", 5) == 0);
    return 0;
}

/* Waits until a server has no connection. */
static int await_idle(const eddy_server *server)
{
    while (eddy_server_connections(server) > 0)
        EDDY_TRY(eddy_sleep(0.001));
    return 0;
}

/* A-SRV-1, -2: it serves at once, any free port, a task for each connection. */
TEST(server_serves_each_connection_in_a_task)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    char data[5], place[40];

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    CHECK(eddy_server_is_serving(server));
    CHECK(eddy_server_port(server) > 0);
    CHECK_EQ(eddy_address_port(eddy_server_address(server, 0)), eddy_server_port(server));
    CHECK(eddy_server_address(server, 1) == NULL);
    snprintf(place, sizeof place, "tcp://localhost:%d", eddy_server_port(server));
    CHECK_OK(eddy_connect(place, &one));
    CHECK_OK(connect_to(server, &other));
    CHECK_OK(eddy_write(one, "first", 5));
    CHECK_OK(eddy_write(other, "later", 5));
    CHECK_OK(eddy_read_exactly(other, data, sizeof data));
    CHECK(memcmp(data, "later", 5) == 0);
    CHECK_OK(eddy_read_exactly(one, data, sizeof data));
    CHECK(memcmp(data, "first", 5) == 0);
    CHECK_EQ(eddy_server_connections(server), 2);
    CHECK_OK(eddy_stream_close(&one));
    CHECK_OK(eddy_stream_close(&other));
    CHECK_OK(await_idle(server));
}

/* A-SRV-5: the connection is closed when its handler returns. */
TEST(server_closes_a_connection_when_its_handler_returns)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[10];

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", say_hello, NULL, &server));
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(eddy_read_exactly(stream, data, 5));
    CHECK_EQ(eddy_read(stream, data, sizeof data), 0);
    CHECK_OK(await_idle(server));
}

static int fail(eddy_stream *stream, void *code)
{
    char byte;

    EDDY_TRY(eddy_read(stream, &byte, 1));
    return eddy_raise((int)(intptr_t)code, "what a day");
}

/* A-SRV-3: a handler's error is reported, its connection closed, and the server goes on. */
TEST(server_reports_the_error_of_a_handler_and_goes_on)
{
    EDDY_SERVER server = NULL;
    char name[EDDY_ADDRESS_TEXT], text[200], byte;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", fail, (void *)(intptr_t)-ENOSPC, &server));
    for (int i = 0; i < 2; i++) {
        EDDY_STREAM stream = NULL;

        CHECK_OK(connect_to(server, &stream));
        snprintf(name, sizeof name, "%s", eddy_stream_local_name(stream));
        CHECK_OK(eddy_write(stream, "x", 1));
        CHECK_EQ(eddy_read(stream, &byte, 1), 0);
        snprintf(text, sizeof text,
                 "the handler of a connection from %s failed: what a day (ENOSPC)", name);
        CHECK_STR(test_report(), text);
    }
    CHECK(eddy_server_is_serving(server));
}

/* A-SRV-4, A-WRITE-19: what a peer that went away, or a cancel, makes of a handler is no news. */
TEST(server_does_not_report_a_peer_that_went_away)
{
    static const int codes[] = {-ECANCELED, -EPIPE, -ECONNRESET, -ECONNABORTED};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(codes); i++) {
        EDDY_SERVER server = NULL;
        EDDY_STREAM stream = NULL;
        char byte;

        CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", fail, (void *)(intptr_t)codes[i], &server));
        CHECK_OK(connect_to(server, &stream));
        CHECK_OK(eddy_write(stream, "x", 1));
        CHECK_EQ(eddy_read(stream, &byte, 1), 0);
        CHECK_STR(test_report(), "");
    }
}

TEST(server_does_not_report_a_peer_that_resets)
{
    EDDY_SERVER server = NULL;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    for (int i = 0; i < 4; i++) {
        PEER_FD peer = peer_connect(eddy_server_port(server));

        CHECK_EQ(send(peer, "hello", 5, MSG_NOSIGNAL), 5);
        for (int turn = 0; turn < i; turn++)
            CHECK_OK(eddy_sleep(0.001));
        peer_reset(&peer);
    }
    CHECK_OK(eddy_sleep(0.001));
    CHECK_OK(await_idle(server));
    CHECK_STR(test_report(), "");
    CHECK_OK(exchange(eddy_server_address(server, 0)));
}

static eddy_stream *kept;

static int keep(eddy_stream *stream, void *argument)
{
    (void)argument;
    eddy_server_detach(stream);
    kept = stream;
    return 0;
}

/* A-SRV-5: a connection that was taken out stays open, also without its server. */
TEST(server_leaves_a_detached_connection_to_its_taker)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[5];

    kept = NULL;
    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", keep, NULL, &server));
    CHECK_OK(connect_to(server, &stream));
    while (!kept)
        CHECK_OK(eddy_sleep(0.001));
    EDDY_DEFER(eddy_stream_close, &kept);
    CHECK_OK(await_idle(server));
    eddy_server_abort_clients(server);
    eddy_server_close(&server);
    eddy_server_detach(kept); /* it is nobody's: no effect */
    CHECK_OK(eddy_write(kept, "still", 5));
    CHECK_OK(eddy_read_exactly(stream, data, sizeof data));
    CHECK(memcmp(data, "still", 5) == 0);
}

/* Several places, of several kinds; the same one twice is listened at once. */
TEST(server_listens_at_several_places)
{
    EDDY_SERVER server = NULL;
    char places[200], name[EDDY_ADDRESS_TEXT];
    size_t count = 0;

    snprintf(places, sizeof places, "tcp://127.0.0.1:0,tcp://[::1]:0,unix:@eddy-%d", getpid());
    CHECK_OK(eddy_start_server(places, echo, NULL, &server));
    for (; eddy_server_address(server, count); count++)
        CHECK_OK(exchange(eddy_server_address(server, count)));
    CHECK_EQ(count, 3);
    CHECK_EQ(eddy_address_port(eddy_server_address(server, 2)), 0);
    CHECK_STR(eddy_address_text(eddy_server_address(server, 2), name, sizeof name),
              strrchr(places, '@'));
    CHECK_EQ(eddy_server_port(server), eddy_address_port(eddy_server_address(server, 0)));
}

TEST(server_at_unix_sockets_alone_has_no_port)
{
    EDDY_SERVER server = NULL;
    char place[60], name[EDDY_ADDRESS_TEXT];

    snprintf(place, sizeof place, "unix:/tmp/eddy-server-%d", getpid());
    CHECK_OK(eddy_start_server(place, echo, NULL, &server));
    CHECK_EQ(eddy_server_port(server), 0);
    CHECK_STR(eddy_address_text(eddy_server_address(server, 0), name, sizeof name), place + 5);
    CHECK_OK(exchange(eddy_server_address(server, 0)));
    eddy_server_stop(server);
    CHECK_EQ(access(place + 5, F_OK), -1);
}

/* A-SRV-13: no host is all interfaces, each family by itself, at one port when it is free. */
TEST(server_without_a_host_listens_at_all_interfaces)
{
    EDDY_SERVER server = NULL;
    const eddy_address *at[2];
    eddy_address address;
    int same = 0;

    for (int round = 0; round < 20 && !same; round++) {
        eddy_server_close(&server);
        CHECK_OK(eddy_start_server("tcp://:0", echo, NULL, &server));
        at[0] = eddy_server_address(server, 0);
        at[1] = eddy_server_address(server, 1);
        CHECK(at[0] && at[1] && !eddy_server_address(server, 2));
        CHECK(at[0]->as.any.sa_family != at[1]->as.any.sa_family);
        same = eddy_address_port(at[0]) == eddy_address_port(at[1]);
    }
    CHECK(same);
    CHECK_OK(eddy_address_from_ip("127.0.0.9", eddy_server_port(server), &address));
    CHECK_OK(exchange(&address));
    CHECK_OK(eddy_address_from_ip("::1", eddy_server_port(server), &address));
    CHECK_OK(exchange(&address));
}

/* A-SRV-13: what a list names twice is one listener. */
TEST(server_listens_once_at_what_is_named_twice)
{
    EDDY_SERVER server = NULL;
    PEER_FD probe = peer_listen("127.0.0.1", 0, 1);
    char places[100];
    int port = peer_port(probe);

    peer_close(&probe);
    snprintf(places, sizeof places, "tcp://127.0.0.1:%d,tcp://127.0.0.1:%d", port, port);
    CHECK_OK(eddy_start_server(places, echo, NULL, &server));
    CHECK(eddy_server_address(server, 0) && !eddy_server_address(server, 1));
}

/* A-SRV-15: when one of the places cannot be had, the others are given back. */
TEST(server_that_cannot_listen_everywhere_listens_nowhere)
{
    eddy_server *server = NULL;
    PEER_FD taken = peer_listen("127.0.0.1", 0, 1);
    PEER_FD again = -1;
    char places[100];
    int port;
    {
        PEER_FD probe = peer_listen("127.0.0.1", 0, 1);

        port = peer_port(probe);
    }
    snprintf(places, sizeof places, "tcp://127.0.0.1:%d,tcp://127.0.0.1:%d", port,
             peer_port(taken));
    CHECK_EQ(eddy_start_server(places, echo, NULL, &server), -EADDRINUSE);
    CHECK_HAS(eddy_error_message(-EADDRINUSE), strrchr(places, '/') + 1);
    CHECK(server == NULL);
    again = peer_listen("127.0.0.1", (uint16_t)port, 1);
    CHECK(again >= 0);
    CHECK_EQ(eddy_start_server("tcp://192.0.2.1:0", echo, NULL, &server), -EADDRNOTAVAIL);
    CHECK_HAS(eddy_error_message(-EADDRNOTAVAIL), "192.0.2.1");
}

TEST(server_at_what_is_no_place_does_not_start)
{
    static const char *const bad[] = {"",
                                      ",",
                                      "tcp://127.0.0.1:0,",
                                      ",tcp://127.0.0.1:0",
                                      "127.0.0.1:80",
                                      "unix:",
                                      "tcp://127.0.0.1"};
    char many[65 * 20] = "";
    size_t length = 0;
    eddy_server *server = NULL;
    char path[150] = "unix:/tmp/";

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(eddy_start_server(bad[i], echo, NULL, &server), -EINVAL);
    memset(path + 10, 'x', 110);
    CHECK_EQ(eddy_start_server(path, echo, NULL, &server), -ENAMETOOLONG);
    for (int i = 0; i < 65; i++)
        length += (size_t)snprintf(many + length, sizeof many - length, "%stcp://127.0.0.1:0",
                                   i ? "," : "");
    CHECK_EQ(eddy_start_server(many, echo, NULL, &server), -E2BIG);
    CHECK_EQ(eddy_start_server("tcp://a..b:80", echo, NULL, &server), EDDY_EDNS_BAD_NAME);
    CHECK(server == NULL);
}

/* A-SRV-1, -12: a server that starts paused lets connections wait until it is started. */
TEST(server_that_is_paused_accepts_once_it_is_started)
{
    const eddy_server_options options = {.paused = true};
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[5];

    CHECK_OK(eddy_start_server_with("tcp://127.0.0.1:0", &options, say_hello, NULL, &server));
    CHECK(!eddy_server_is_serving(server));
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(eddy_sleep(1));
    CHECK_EQ(eddy_server_connections(server), 0);
    CHECK_OK(eddy_server_start(server));
    CHECK(eddy_server_is_serving(server));
    CHECK_OK(eddy_server_start(server));
    CHECK_OK(eddy_read_exactly(stream, data, sizeof data));
    eddy_server_stop(server);
    CHECK(!eddy_server_is_serving(server));
    CHECK_EQ(eddy_server_start(server), -ESHUTDOWN);
    CHECK(eddy_server_address(server, 0) == NULL);
}

/* A listening socket from elsewhere. */
TEST(server_serves_a_listening_socket_from_elsewhere)
{
    EDDY_SERVER server = NULL;
    PEER_FD datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int fd = peer_listen("127.0.0.1", 0, 4);

    CHECK_EQ(eddy_server_from_fd(datagram, NULL, echo, NULL, &server), -EINVAL);
    CHECK(server == NULL);
    CHECK_OK(eddy_server_from_fd(fd, NULL, echo, NULL, &server));
    CHECK_EQ(eddy_server_port(server), peer_port(fd));
    CHECK_OK(exchange(eddy_server_address(server, 0)));
    eddy_server_close(&server);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
}

/* Two servers share a port; together they get every connection. */
TEST(servers_share_a_port)
{
    const eddy_server_options options = {.reuse_port = true};
    EDDY_SERVER one = NULL;
    EDDY_SERVER other = NULL;
    char place[40];

    CHECK_OK(eddy_start_server_with("tcp://127.0.0.1:0", &options, echo, NULL, &one));
    snprintf(place, sizeof place, "tcp://127.0.0.1:%d", eddy_server_port(one));
    CHECK_EQ(eddy_start_server(place, echo, NULL, &other), -EADDRINUSE);
    CHECK_OK(eddy_start_server_with(place, &options, echo, NULL, &other));
    for (int i = 0; i < 20; i++)
        CHECK_OK(exchange(eddy_server_address(one, 0)));
}

static eddy_local key;

static int look_around(eddy_stream *stream, void *argument)
{
    const char *value = eddy_local_get(&key);

    (void)argument;
    return eddy_printf(stream, "%s %s %s", eddy_task_name(eddy_current_task()),
                       value ? value : "none", eddy_stream_kind(stream));
}

/* The handlers' tasks have the name that was asked for, and the local values of whoever
 * started the server: A-CTX. */
TEST(server_gives_its_tasks_their_name_and_local_values)
{
    char name[] = "chat";
    const eddy_server_options options = {.name = name, .stack_size = 256 << 10};
    EDDY_SERVER server = NULL;
    EDDY_SERVER other = NULL;
    EDDY_STREAM stream = NULL;
    char data[40];

    CHECK_OK(eddy_local_set(&key, "blue", NULL));
    CHECK_OK(eddy_start_server_with("tcp://127.0.0.1:0", &options, look_around, NULL, &server));
    memcpy(name, "gone", 4);
    CHECK_OK(eddy_local_set(&key, "red", NULL));
    CHECK_OK(connect_to(server, &stream));
    CHECK(eddy_read_line(stream, data, sizeof data) > 0);
    CHECK_STR(data, "chat blue tcp");
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", look_around, NULL, &other));
    CHECK_OK(connect_to(other, &stream));
    CHECK(eddy_read_line(stream, data, sizeof data) > 0);
    CHECK_STR(data, "connection red tcp");
}

static int wrap_after_a_word(eddy_stream **stream, void *argument)
{
    char word[4];

    REQUIRE(strcmp(argument, "argument") == 0);
    EDDY_TRY(eddy_read_exactly(*stream, word, sizeof word));
    if (memcmp(word, "take", 4) == 0) {
        (void)eddy_stream_close(stream);
        return eddy_raise(-EPROTO, "taken");
    }
    if (memcmp(word, "fail", 4) == 0)
        return eddy_raise(-EPROTO, "not good enough");
    return 0;
}

/* Wrapping goes on in the connection's own task; one that fails, with or without taking the
 * stream, ends that connection alone. */
static int wrap_for_long(eddy_stream **stream, void *argument)
{
    (void)stream, (void)argument;
    return eddy_sleep(100);
}

/* A client that does not go on with its handshake holds no end up. */
TEST(server_that_stops_waits_for_no_handshake)
{
    const eddy_server_options options = {.wrap = wrap_for_long};
    EDDY_SERVER server = NULL;
    EDDY_STREAM one = NULL;
    EDDY_STREAM other = NULL;
    double begin = eddy_time();

    CHECK_OK(eddy_start_server_with("tcp://127.0.0.1:0", &options, echo, NULL, &server));
    CHECK_OK(connect_to(server, &one));
    while (eddy_server_connections(server) == 0)
        CHECK_OK(eddy_sleep(0.001));
    test_settle();
    CHECK_OK(connect_to(server, &other));
    CHECK_OK(eddy_server_shutdown(server, 60));
    CHECK(eddy_time() - begin < 10);
}

TEST(server_wraps_connections_before_it_handles_them)
{
    const eddy_server_options options = {.wrap = wrap_after_a_word, .wrap_argument = "argument"};
    EDDY_STREAM slow = NULL;
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[5];

    CHECK_OK(eddy_start_server_with("tcp://127.0.0.1:0", &options, echo, NULL, &server));
    CHECK_OK(connect_to(server, &slow)); /* holds up nobody */
    for (int i = 0; i < 2; i++) {
        CHECK_OK(connect_to(server, &stream));
        CHECK_OK(eddy_write(stream, i ? "fail" : "take", 4));
        CHECK_EQ(eddy_read(stream, data, sizeof data), 0);
        CHECK_OK(eddy_stream_close(&stream));
        CHECK_HAS(test_report(), i ? "failed: not good enough (EPROTO)" : "failed: taken (EPROTO)");
    }
    CHECK_OK(connect_to(server, &stream));
    CHECK_OK(eddy_write(stream, "goodhello", 9));
    CHECK_OK(eddy_read_exactly(stream, data, sizeof data));
    CHECK(memcmp(data, "hello", 5) == 0);
}

static int start_and_exchange(void)
{
    EDDY_SERVER server = NULL;

    EDDY_TRY(eddy_start_server(peer_place("tcp://127.0.0.1:0,unix:@eddy-allocations-%d"), echo,
                               NULL, &server));
    for (size_t i = 0; i < 2; i++) {
        int rc = exchange(eddy_server_address(server, i));

        if (rc == EDDY_EINCOMPLETE || rc == -ECONNRESET || rc == -EPIPE) /* it was short there */
            rc = -ENOMEM;
        EDDY_TRY(rc);
    }
    return 0;
}
EDDY_ASYNC(start_and_exchange);

RAW_TEST(server_stands_every_lack_of_memory)
{
    CHECK_OK(eddy_test_allocations(start_and_exchange));
    CHECK_OK(eddy_test_seeds(1, 20, start_and_exchange));
}

RAW_TEST(server_outside_a_loop_does_not_start)
{
    eddy_server *server = NULL;
    PEER_FD fd = peer_listen("127.0.0.1", 0, 4);

    CHECK_EQ(eddy_server_from_fd(fd, NULL, echo, NULL, &server), -EPERM);
    CHECK_EQ(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server), -EPERM);
    CHECK(server == NULL);
}
