/* SPDX-License-Identifier: MIT */
/* Connecting to one address. */
#include <sys/resource.h>

#include "base/fault.h"
#include "net/peer.h"

static int connect_and_close(const char *place)
{
    EDDY_STREAM stream = NULL;

    return eddy_connect(place, &stream);
}
EDDY_ASYNC(connect_and_close, const char *);

static const char *place_of(int listener)
{
    static char text[64];

    snprintf(text, sizeof text, "tcp://127.0.0.1:%d", peer_port(listener));
    return text;
}

/* A port at which nobody listens, kept free by a socket. */
static int refusing(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;

    (void)getsockopt(fd, level, name, &value, &size);
    return value;
}

/* A-CONN-1, -6: a numeric address; the socket is as the header says. */
TEST(connect_opens_a_stream_to_a_place)
{
    EDDY_STREAM stream = NULL;
    PEER_FD listener = peer_listen("127.0.0.1", 0, 4);
    int fd;

    CHECK_OK(eddy_connect(place_of(listener), &stream));
    CHECK_STR(eddy_stream_kind(stream), "tcp");
    CHECK_STR(eddy_stream_peer_name(stream), place_of(listener) + 6);
    fd = eddy_stream_fd(stream);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST(connect_sets_the_options_that_are_asked_for)
{
    const eddy_connect_options options = {.keep_alive = true,
                                          .keep_idle = 70,
                                          .keep_interval = 7,
                                          .keep_count = 3,
                                          .delay_small = true};
    EDDY_STREAM stream = NULL;
    PEER_FD listener = peer_listen("127.0.0.1", 0, 4);
    int fd;

    CHECK_OK(eddy_connect_with(place_of(listener), &options, &stream));
    fd = eddy_stream_fd(stream);
    CHECK_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 70);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 7);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
}

TEST(connect_with_an_option_that_the_kernel_refuses_fails)
{
    const eddy_connect_options options = {.keep_alive = true, .keep_idle = 1 << 20};
    eddy_stream *stream = NULL;
    PEER_FD listener = peer_listen("127.0.0.1", 0, 4);

    CHECK_EQ(eddy_connect_with(place_of(listener), &options, &stream), -EINVAL);
    CHECK(stream == NULL);
}

/* A-CONN-2, -10: refused in the same call, with the address in the text. */
TEST(connect_that_is_refused_says_so_at_once)
{
    PEER_FD nobody = refusing();
    double start = eddy_time();
    char text[100];
    eddy_stream *stream = NULL;

    CHECK_EQ(eddy_connect(place_of(nobody), &stream), -ECONNREFUSED);
    snprintf(text, sizeof text, "cannot connect to %s: Connection refused", place_of(nobody) + 6);
    CHECK_STR(eddy_error_message(-ECONNREFUSED), text);
    CHECK(eddy_time() == start);
    CHECK(stream == NULL);
}

TEST(connect_to_what_is_no_place_is_refused)
{
    eddy_stream *stream = NULL;
    const eddy_address none = {.size = 0};

    CHECK_EQ(eddy_connect("127.0.0.1:80", &stream), -EINVAL);
    CHECK_EQ(eddy_connect("tcp://127.0.0.1:0", &stream), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "port 0");
    CHECK_EQ(eddy_tcp_connect("127.0.0.1", 0, NULL, &stream), -EINVAL);
    CHECK_EQ(eddy_address_connect(&none, NULL, &stream), -EINVAL);
    CHECK_EQ(eddy_connect("tcp://a..b:1", &stream), EDDY_EDNS_BAD_NAME);
    CHECK(stream == NULL);
}

/* A-CONN-5: the peer sees the address that was bound; one that is not here fails. */
TEST(connect_binds_to_the_local_address_first)
{
    eddy_address local;
    eddy_connect_options options = {.local = &local};
    EDDY_STREAM stream = NULL;
    PEER_FD listener = peer_listen("127.0.0.1", 0, 4);

    CHECK_OK(eddy_address_from_ip("127.0.0.77", 0, &local));
    CHECK_OK(eddy_connect_with(place_of(listener), &options, &stream));
    CHECK(strncmp(eddy_stream_local_name(stream), "127.0.0.77:", 11) == 0);
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_OK(eddy_address_from_ip("192.0.2.1", 0, &local));
    CHECK_EQ(eddy_connect_with(place_of(listener), &options, &stream), -EADDRNOTAVAIL);
    CHECK_OK(eddy_address_from_ip("::1", 0, &local));
    CHECK(eddy_connect_with(place_of(listener), &options, &stream) < 0);
}

TEST(connect_takes_only_the_family_that_is_asked_for)
{
    const eddy_connect_options four = {.family = AF_INET}, six = {.family = AF_INET6};
    EDDY_STREAM stream = NULL;
    PEER_FD listener = peer_listen("127.0.0.1", 0, 4);
    uint16_t port = peer_port(listener);

    CHECK_OK(eddy_tcp_connect("localhost", port, &four, &stream));
    CHECK_STR(eddy_stream_peer_name(stream), place_of(listener) + 6);
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_EQ(eddy_tcp_connect("localhost", port, &six, &stream), -ECONNREFUSED);
    CHECK(eddy_tcp_connect("127.0.0.1", port, &six, &stream) < 0);
}

TEST(connect_reaches_ipv6)
{
    EDDY_STREAM stream = NULL;
    PEER_FD listener = peer_listen("::1", 0, 4);
    char place[40];

    snprintf(place, sizeof place, "tcp://[::1]:%d", peer_port(listener));
    CHECK_OK(eddy_connect(place, &stream));
    CHECK_STR(eddy_stream_peer_name(stream), place + 6);
}

/* A connection that hangs: the first of a queue of one is never accepted. */
static int hanging(int *filler)
{
    int listener = peer_listen("127.0.0.1", 0, 0);

    *filler = peer_connect(peer_port(listener));
    return listener;
}

/* A-CONN-3, -10: no time limit of its own; a cancelled or timed out one leaves nothing. */
TEST(connect_that_hangs_ends_with_its_scope)
{
    PEER_FD filler = -1;
    PEER_FD listener = hanging(&filler);
    {
        EDDY_TIMEOUT(limit, 600);

        CHECK_EQ(connect_and_close(place_of(listener)), -ETIMEDOUT);
    }
    {
        EDDY_TASK task = eddy_create_task(connect_and_close, place_of(listener));

        CHECK_OK(eddy_sleep(100));
        CHECK_OK(eddy_cancel(task));
        CHECK_EQ(eddy_await(task), -ECANCELED);
    }
    EDDY_TASK task = eddy_create_task(connect_and_close, place_of(listener));
    test_settle(); /* the end of the block cancels it */
}

/* Promise 3: cancelled in the tick in which it was connected; the caller has one or the other,
 * and no socket is left. */
TEST(connect_cancelled_as_it_succeeds_leaves_nothing)
{
    PEER_FD listener = peer_listen("127.0.0.1", 0, 100);

    for (int turns = 0; turns < 8; turns++) {
        EDDY_TASK task = eddy_create_task(connect_and_close, place_of(listener));
        int rc;

        for (int i = 0; i < turns; i++)
            CHECK_OK(eddy_sleep(0));
        (void)eddy_cancel(task);
        rc = eddy_await(task);
        CHECK(rc == 0 || rc == -ECANCELED);
        CHECK(turns > 0 || rc == -ECANCELED);
    }
}

/* A-UNIX-1: by path and by an abstract name. */
TEST(connect_reaches_unix_sockets)
{
    char paths[2][64];

    snprintf(paths[0], sizeof paths[0], "/tmp/eddy-connect-%d.sock", (int)getpid());
    snprintf(paths[1], sizeof paths[1], "@eddy-connect-%d", (int)getpid());

    for (size_t i = 0; i < 2; i++) {
        EDDY_STREAM stream = NULL;
        PEER_FD listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        eddy_address address;
        char place[160];
        int rc;

        (void)unlink(paths[0]);
        CHECK_OK(eddy_address_from_path(paths[i], &address));
        CHECK_EQ(bind(listener, &address.as.any, address.size), 0);
        CHECK_EQ(listen(listener, 4), 0);
        snprintf(place, sizeof place, "unix:%s", paths[i]);
        rc = eddy_connect(place, &stream);
        (void)unlink(paths[0]);
        CHECK_OK(rc);
        CHECK_STR(eddy_stream_kind(stream), "unix");
        CHECK_STR(eddy_stream_peer_name(stream), paths[i]);
    }
}

TEST(connect_to_a_unix_socket_that_is_not_there_fails)
{
    PEER_FD stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char place[200], text[220];
    eddy_stream *stream = NULL;
    eddy_address address;
    int rc;

    snprintf(place, sizeof place, "unix:/tmp/eddy-nobody-%d.sock", (int)getpid());
    snprintf(text, sizeof text, "cannot connect to %s: ", place + 5);
    (void)unlink(place + 5);
    CHECK_EQ(eddy_connect(place, &stream), -ENOENT);
    CHECK_HAS(eddy_error_message(-ENOENT), text);
    CHECK_OK(eddy_address_from_path(place + 5, &address));
    CHECK_EQ(bind(stale, &address.as.any, address.size), 0);
    rc = eddy_connect(place, &stream);
    (void)unlink(place + 5);
    CHECK_EQ(rc, -ECONNREFUSED);
    memset(place + 5, 'x', 150);
    place[5 + 150] = '\0';
    CHECK_EQ(eddy_connect(place, &stream), -ENAMETOOLONG);
}

/* A unix listener whose queue is full: the connect waits until there is room. */
TEST(connect_waits_for_a_unix_listener_that_is_full)
{
    PEER_FD listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    PEER_FD filler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    PEER_FD accepted = -1;
    const char *place = peer_place("unix:@eddy-full-%d");
    eddy_address address;

    CHECK_OK(eddy_address_parse(place, &address));
    CHECK_EQ(bind(listener, &address.as.any, address.size), 0);
    CHECK_EQ(listen(listener, 0), 0);
    CHECK_EQ(connect(filler, &address.as.any, address.size), 0);
    {
        EDDY_TIMEOUT(limit, 10);

        CHECK_EQ(connect_and_close(place), -ETIMEDOUT);
    }
    EDDY_TASK task = eddy_create_task(connect_and_close, place);
    CHECK_OK(eddy_sleep(1));
    CHECK(!eddy_task_done(task));
    accepted = accept(listener, NULL, NULL);
    CHECK(accepted >= 0);
    CHECK_OK(eddy_await(task));
}

/* Out of descriptors: an error, and all is as before. */
TEST(connect_without_a_descriptor_left_fails)
{
    PEER_FD listener = peer_listen("127.0.0.1", 0, 4);
    struct rlimit before, none;
    int rc;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    rc = connect_and_close(place_of(listener));
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK_EQ(rc, -EMFILE);
    CHECK_OK(connect_and_close(place_of(listener)));
}

static int connect_anywhere(void)
{
    PEER_FD listener = peer_listen("127.0.0.1", 0, 4);

    return connect_and_close(place_of(listener));
}
EDDY_ASYNC(connect_anywhere);

RAW_TEST(connect_stands_every_lack_of_memory)
{
    CHECK_OK(eddy_test_allocations(connect_anywhere));
}

/* Each operation that fails is the connect's error, and nothing is left. */
RAW_TEST(connect_stands_every_failing_operation)
{
    static const enum ed_fault kinds[] = {ED_FAULT_CONNECT, ED_FAULT_CLOSE};
    static const int codes[] = {-ECONNREFUSED, -ENETUNREACH, -ENOBUFS, -EINTR, -EIO};

    for (size_t kind = 0; kind < ED_ARRAY_LENGTH(kinds); kind++)
        for (size_t code = 0; code < ED_ARRAY_LENGTH(codes); code++) {
            int rc;

            (void)ed_fault_set(kinds[kind], 1, codes[code]);
            rc = eddy_test(connect_anywhere);
            CHECK_EQ(ed_fault_set(kinds[kind], 0, 0), 1);
            CHECK_EQ(rc, kind == 0 ? codes[code] : 0);
        }
}
