/* SPDX-License-Identifier: MIT */
/* Servers at their limits: of connections, of descriptors and memory, and of what a network
 * does to them. A-SRV-6, -7. */
#include <sys/resource.h>
#include <time.h>

#include "base/fault.h"
#include "base/time.h"
#include "net/peer.h"

static size_t at_once, most_at_once, served;

/* Counts itself, and waits for the peer's end. */
static int be_counted(eddy_stream *stream, void *argument)
{
    char byte;
    int rc;

    (void)argument;
    served++;
    if (++at_once > most_at_once)
        most_at_once = at_once;
    rc = eddy_write(stream, "!", 1);
    if (rc == 0)
        rc = (int)eddy_read(stream, &byte, 1);
    at_once--;
    return rc;
}

static int echo(eddy_stream *stream, void *argument)
{
    char data[4096];
    ssize_t size;

    (void)argument;
    while ((size = eddy_read(stream, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(stream, data, (size_t)size));
    return (int)size;
}

/* Connects, is greeted, stays for a while, and goes. */
static int visit(const eddy_address *address, double seconds)
{
    EDDY_STREAM stream = NULL;
    char byte;

    EDDY_TRY(eddy_address_connect(address, NULL, &stream));
    EDDY_TRY(eddy_read_exactly(stream, &byte, 1));
    return eddy_sleep(seconds);
}
EDDY_ASYNC(visit, const eddy_address *, double);

/* The limit is exact, over all listeners together, and all are served in the end. */
static int limited(const char *places, size_t limit)
{
    const eddy_server_options options = {.connections = limit};
    EDDY_SERVER server = NULL;
    size_t doors = 0;

    at_once = most_at_once = served = 0;
    EDDY_TRY(eddy_start_server_with(places, &options, be_counted, NULL, &server));
    while (eddy_server_address(server, doors))
        doors++;
    EDDY_GROUP(visitors);
    for (size_t i = 0; i < 30; i++)
        EDDY_TRY(eddy_group_create_task(&visitors, visit, eddy_server_address(server, i % doors),
                                        0.01 * (double)(i % 3)));
    EDDY_TRY(eddy_group_join(&visitors));
    REQUIRE(served == 30 && most_at_once == limit);
    return 0;
}

TEST(server_has_no_more_connections_than_its_limit)
{
    CHECK_OK(limited("tcp://127.0.0.1:0", 1));
    CHECK_OK(limited("tcp://127.0.0.1:0", 4));
    CHECK_OK(limited("tcp://127.0.0.1:0,tcp://[::1]:0,tcp://127.0.0.2:0", 1));
    CHECK_OK(limited("tcp://127.0.0.1:0,tcp://[::1]:0,tcp://127.0.0.2:0", 4));
}

/* A connection that came over the limit is dropped with a stop, and not served. */
TEST(server_at_its_limit_stops_with_connections_waiting)
{
    const eddy_server_options options = {.connections = 1};
    EDDY_SERVER server = NULL;
    char byte;

    served = 0;
    CHECK_OK(eddy_start_server_with("tcp://127.0.0.1:0,tcp://127.0.0.2:0,tcp://127.0.0.3:0",
                                    &options, be_counted, NULL, &server));
    EDDY_STREAM one = NULL;
    EDDY_STREAM two = NULL;
    EDDY_STREAM three = NULL;
    CHECK_OK(eddy_address_connect(eddy_server_address(server, 0), NULL, &one));
    CHECK_OK(eddy_address_connect(eddy_server_address(server, 1), NULL, &two));
    CHECK_OK(eddy_address_connect(eddy_server_address(server, 2), NULL, &three));
    CHECK_OK(eddy_sleep(1));
    CHECK_EQ(served, 1);
    eddy_server_stop(server);
    eddy_server_close_clients(server);
    CHECK_OK(eddy_server_wait(server));
    CHECK(eddy_read(two, &byte, 1) <= 0);
    CHECK(eddy_read(three, &byte, 1) <= 0);
    CHECK_EQ(served, 1);
}

/* A-SRV-6: a thousand at once are all served. */
TEST(server_takes_a_thousand_connections_at_once)
{
    const eddy_server_options options = {.backlog = 2000};
    EDDY_SERVER server = NULL;
    struct rlimit files;
    size_t count = test_is_swept() ? 50 : 1000;

    at_once = most_at_once = served = 0;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    if (files.rlim_cur < 2100)
        test_skip("2,100 descriptors are not allowed here");
    CHECK_OK(eddy_start_server_with("tcp://127.0.0.1:0", &options, be_counted, NULL, &server));
    EDDY_GROUP(visitors);
    for (size_t i = 0; i < count; i++)
        CHECK_OK(eddy_group_create_task(&visitors, visit, eddy_server_address(server, 0), 5.0));
    CHECK_OK(eddy_group_join(&visitors));
    CHECK_EQ(served, count);
    CHECK_EQ(most_at_once, count);
}

/* The fault takes away the connection whose accept is made to fail. */
static int visit_and_be_lost(const eddy_address *address)
{
    return visit(address, 0) == EDDY_EINCOMPLETE ? 0 : eddy_raise(EDDY_ETEST, "it was served");
}

/* A-SRV-7: what an accept says of a connection or a network that is gone is passed over. */
TEST(server_passes_over_connections_that_are_gone)
{
    static const int codes[] = {-ECONNABORTED, -EINTR, -EAGAIN,       -EPROTO,     -ENETDOWN,
                                -EHOSTDOWN,    -EPERM, -EHOSTUNREACH, -ENETUNREACH};

    served = 0;
    for (size_t i = 0; i < ED_ARRAY_LENGTH(codes); i++)
        for (uint64_t nth = 1; nth <= 2; nth++) {
            EDDY_SERVER server = NULL;

            (void)ed_fault_set(ED_FAULT_ACCEPT, nth, codes[i]);
            CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", be_counted, NULL, &server));
            for (uint64_t visitor = 1; visitor <= 3; visitor++) {
                int rc = visit(eddy_server_address(server, 0), 0);

                CHECK(rc == 0 || (visitor == nth && rc == EDDY_EINCOMPLETE));
            }
            (void)ed_fault_set(ED_FAULT_ACCEPT, 0, 0);
        }
    CHECK(served >= 2 * 2 * ED_ARRAY_LENGTH(codes));
}

/* A-SRV-7: out of descriptors or memory it says so, waits a second, and goes on. */
TEST(server_that_runs_short_pauses_for_a_second)
{
    static const int codes[] = {-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(codes); i++) {
        EDDY_SERVER server = NULL;
        double start = eddy_time();

        (void)ed_fault_set(ED_FAULT_ACCEPT, 1, codes[i]);
        CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", be_counted, NULL, &server));
        CHECK_OK(visit_and_be_lost(eddy_server_address(server, 0)));
        CHECK_OK(visit(eddy_server_address(server, 0), 0));
        (void)ed_fault_set(ED_FAULT_ACCEPT, 0, 0);
        CHECK(eddy_time() - start >= 0.999 && eddy_time() - start <= 1.5);
        CHECK_HAS(test_report(), "cannot accept connections: ");
        CHECK_STR(test_report(), "");
        CHECK(eddy_server_is_serving(server));
    }
}

/* It goes on at once when a connection ends, which gives back what was short. */
TEST(server_that_runs_short_goes_on_when_a_connection_ends)
{
    EDDY_SERVER server = NULL;
    double start;

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", be_counted, NULL, &server));
    {
        EDDY_TASK first = eddy_create_task(visit, eddy_server_address(server, 0), 0.1);

        CHECK_OK(eddy_sleep(0.01));
        (void)ed_fault_set(ED_FAULT_ACCEPT, 1, -EMFILE);
        start = eddy_time();
        CHECK_OK(visit_and_be_lost(eddy_server_address(server, 0)));
        CHECK_OK(visit(eddy_server_address(server, 0), 0));
        (void)ed_fault_set(ED_FAULT_ACCEPT, 0, 0);
        CHECK(eddy_time() - start < 0.5);
        CHECK_OK(eddy_await(first));
    }
    CHECK_HAS(test_report(), "cannot accept connections: ");
}

/* A server that pauses may be stopped, and closed. */
TEST(server_that_runs_short_may_be_stopped)
{
    EDDY_STREAM stream = NULL;
    EDDY_SERVER server = NULL;

    (void)ed_fault_set(ED_FAULT_ACCEPT, 1, -EMFILE);
    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", be_counted, NULL, &server));
    CHECK_OK(eddy_address_connect(eddy_server_address(server, 0), NULL, &stream));
    CHECK_OK(eddy_sleep(0.1));
    (void)ed_fault_set(ED_FAULT_ACCEPT, 0, 0);
    CHECK_HAS(test_report(), "cannot accept connections: ");
    eddy_server_stop(server);
    CHECK_OK(eddy_server_wait(server));
}

/* Peers that reset before they are accepted: none is anybody's trouble. */
TEST(server_stands_peers_that_reset_in_its_queue)
{
    EDDY_SERVER server = NULL;

    served = 0;
    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", be_counted, NULL, &server));
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 20; i++) {
            PEER_FD peer = peer_connect(eddy_server_port(server));

            if (i % 2)
                peer_reset(&peer);
        }
        CHECK_OK(visit(eddy_server_address(server, 0), 0));
    }
    while (eddy_server_connections(server) > 0)
        CHECK_OK(eddy_sleep(0.001));
    CHECK_STR(test_report(), "");
}

/* The real thing, in real time: 64 descriptors and 300 clients of another process. */

#define CLIENTS 300

/* The clients: connect, say when they are greeted, and stay until they are told to go. */
static _Noreturn void be_clients(uint16_t port, int orders)
{
    int fds[CLIENTS];
    char byte;

    for (int i = 0; i < CLIENTS; i++)
        fds[i] = peer_connect(port);
    while (read(orders, &byte, 1) == 1) /* each order lets ten go */
        for (int i = 0, gone = 0; i < CLIENTS && gone < 10; i++)
            if (fds[i] >= 0 && recv(fds[i], &byte, 1, MSG_DONTWAIT) == 1) {
                close(fds[i]);
                fds[i] = -1;
                gone++;
            }
    _exit(0);
}

static int reports_seen;

static void count_reports(eddy_loop *loop, const eddy_report *report, void *argument)
{
    (void)loop, (void)argument;
    reports_seen += report->code == -EMFILE;
}

static double processor_time(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int serve_without_descriptors(uint16_t *port, int go, int orders)
{
    const eddy_server_options options = {.backlog = 2 * CLIENTS};
    EDDY_STREAM own = NULL;
    EDDY_SERVER server = NULL;
    double start, used;
    size_t had;

    eddy_loop_set_exception_handler(eddy_get_running_loop(), count_reports, NULL);
    EDDY_TRY(eddy_start_server_with("tcp://127.0.0.1:0", &options, be_counted, NULL, &server));
    EDDY_TRY(eddy_address_connect(eddy_server_address(server, 0), NULL, &own));
    *port = eddy_server_port(server);
    REQUIRE(write(go, port, sizeof *port) == sizeof *port);
    for (size_t before = 0; reports_seen == 0 || served != before;) { /* until it is full */
        before = served;
        EDDY_TRY(eddy_sleep(0.05));
    }
    had = served;
    REQUIRE(had < 64);
    start = eddy_time();
    used = processor_time();
    EDDY_TRY(eddy_sleep(1.5)); /* over a pause */
    used = (processor_time() - used) / (eddy_time() - start);
    REQUIRE(used < 0.25);
    REQUIRE(served == had && reports_seen == 1);
    REQUIRE(write(orders, "x", 1) == 1);
    start = eddy_time();
    while (served < had + 10)
        EDDY_TRY(eddy_sleep(0.01));
    REQUIRE(eddy_time() - start < 2);
    return 0;
}
EDDY_ASYNC(serve_without_descriptors, uint16_t *, int, int);

/* accept loop out of descriptors: reliability, section 3. */
RAW_TEST(server_without_descriptors_waits_quietly_and_comes_back)
{
    struct rlimit files;
    uint16_t port = 0;
    int go[2], orders[2], rc, status;
    pid_t child;

    setenv("EDDY_CLOCK", "real", 1);
    CHECK(pipe2(go, O_CLOEXEC) == 0 && pipe2(orders, O_CLOEXEC) == 0);
    child = fork();
    if (child == 0) {
        if (read(go[0], &port, sizeof port) != sizeof port)
            _exit(1);
        close(orders[1]);
        be_clients(port, orders[0]);
    }
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = 64;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    rc = eddy_run(serve_without_descriptors, &port, go[1], orders[1]);
    close(go[0]), close(go[1]), close(orders[0]), close(orders[1]);
    CHECK_OK(rc);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* Every failing operation of a whole exchange, on both sides: each call may fail, what was
 * read is a prefix of what was written, and nothing is left. */
static int exchange_at_risk(void)
{
    static char data[40000], back[40000];
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    int rc;

    peer_fill(data, 0, sizeof data);
    eddy_loop_set_exception_handler(eddy_get_running_loop(), count_reports, NULL);
    rc = eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server);
    if (rc == 0)
        rc = eddy_address_connect(eddy_server_address(server, 0), NULL, &stream);
    if (rc == 0)
        rc = eddy_write(stream, data, 100);
    if (rc == 0)
        rc = eddy_write(stream, data + 100, sizeof data - 100);
    if (rc == 0)
        rc = eddy_write_eof(stream);
    for (size_t got = 0; rc == 0 && got < sizeof data;) {
        ssize_t n = eddy_read(stream, back, sizeof back);

        if (n > 0)
            REQUIRE(peer_is_filled(back, got, (size_t)n));
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return 0;
}
EDDY_ASYNC(exchange_at_risk);

RAW_TEST(exchange_stands_every_failing_operation)
{
    static const enum ed_fault kinds[] = {ED_FAULT_ACCEPT, ED_FAULT_CONNECT,  ED_FAULT_RECV,
                                          ED_FAULT_SEND,   ED_FAULT_SHUTDOWN, ED_FAULT_CLOSE,
                                          ED_FAULT_CANCEL};
    static const int codes[] = {-ECONNRESET, -ENOBUFS, -EINTR, -EIO, -EAGAIN, ED_FAULT_SHORT};

    for (size_t kind = 0; kind < ED_ARRAY_LENGTH(kinds); kind++)
        for (size_t code = 0; code < ED_ARRAY_LENGTH(codes); code++)
            for (uint64_t nth = 1, counted = 1; counted >= nth; nth++) {
                int rc;

                (void)ed_fault_set(kinds[kind], nth, codes[code]);
                rc = eddy_test(exchange_at_risk);
                counted = ed_fault_set(kinds[kind], 0, 0);
                CHECK_THAT(rc == 0, "%s %d of %s: %s", ed_fault_name(kinds[kind]), (int)nth,
                           codes[code] < 0 ? eddy_error_name(codes[code]) : "short",
                           eddy_error_message(rc));
            }
}
