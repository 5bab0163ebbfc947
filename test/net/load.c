/* SPDX-License-Identifier: MIT */
/* Many connections that come and go: descriptors used again, signals, and children. */
#include <time.h>

#include "net/peer.h"

static unsigned next_random(unsigned *random)
{
    *random = *random * 1103515245 + 12345;
    return *random / 65536;
}

/* Tells each connection a secret, and checks that only it comes back: never a byte of another
 * connection, though its descriptor had been that one's. */
static int keep_secret(eddy_stream *stream, void *argument)
{
    uint64_t secret, said;
    int rc = eddy_read_exactly(stream, &secret, sizeof secret);

    (void)argument;
    for (said = secret; rc == 0; rc = eddy_read_exactly(stream, &said, sizeof said)) {
        if (said != secret)
            return eddy_raise(EDDY_ETEST, "another's secret");
        EDDY_TRY(eddy_write(stream, &secret, sizeof secret));
    }
    return rc == EDDY_EINCOMPLETE ? 0 : rc;
}

static int tell_secret(const eddy_address *address, uint64_t secret, unsigned how)
{
    EDDY_STREAM stream = NULL;
    uint64_t heard;

    EDDY_TRY(eddy_address_connect(address, NULL, &stream));
    for (unsigned i = 0; i <= how % 4; i++) {
        EDDY_TRY(eddy_write(stream, &secret, sizeof secret));
        if (how % 5 == 4)
            continue; /* does not wait for what is answered */
        EDDY_TRY(eddy_read_exactly(stream, &heard, sizeof heard));
        REQUIRE(heard == secret);
    }
    if (how % 3 == 1)
        eddy_stream_abort(stream);
    if (how % 3 == 2) {
        EDDY_TIMEOUT(limit, 0.001);
        (void)!eddy_read_exactly(stream, &heard, sizeof heard);
    }
    return 0;
}

static int tell_secrets(const eddy_address *address, uint64_t who, unsigned rounds)
{
    unsigned random = (unsigned)who + 1;

    for (unsigned i = 0; i < rounds; i++) {
        int rc = tell_secret(address, who << 32 | i, next_random(&random));

        if (rc != -ECONNRESET && rc != -EPIPE)
            EDDY_TRY(rc);
    }
    return 0;
}
EDDY_ASYNC(tell_secrets, const eddy_address *, uint64_t, unsigned);

/* Descriptor reuse while an interest is live: reliability, section 3. */
TEST(connections_that_reuse_descriptors_never_see_each_others_bytes)
{
    unsigned rounds = test_is_deep() ? 10000 : test_is_slow() ? 20 : 100;
    EDDY_SERVER server = NULL;

    CHECK_OK(eddy_start_server(peer_place("tcp://127.0.0.1:0,unix:@eddy-secrets-%d"), keep_secret,
                               NULL, &server));
    EDDY_GROUP(tellers);
    for (uint64_t who = 0; who < 10; who++)
        CHECK_OK(eddy_group_create_task(&tellers, tell_secrets,
                                        eddy_server_address(server, who % 2), who, rounds));
    CHECK_OK(eddy_group_join(&tellers));
}

static int echo(eddy_stream *stream, void *argument)
{
    char data[30000];
    ssize_t size;

    (void)argument;
    while ((size = eddy_read(stream, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(stream, data, (size_t)size));
    return (int)size;
}

static int send_sequence(eddy_stream *stream, size_t size)
{
    char data[20000];

    for (size_t at = 0; at < size;) {
        size_t step = at % 3 ? 1000 : sizeof data;

        step = step < size - at ? step : size - at;
        peer_fill(data, at, step);
        EDDY_TRY(eddy_write(stream, data, step));
        at += step;
    }
    return eddy_write_eof(stream);
}
EDDY_ASYNC(send_sequence, eddy_stream *, size_t);

/* Streams through a server and back. */
static int stream_back(const eddy_address *address, size_t size)
{
    static char data[50000];
    EDDY_STREAM stream = NULL;
    size_t got = 0;
    ssize_t n;

    EDDY_TRY(eddy_address_connect(address, NULL, &stream));
    EDDY_TASK sender = eddy_create_task(send_sequence, stream, size);
    while ((n = eddy_read(stream, data, sizeof data)) > 0) {
        REQUIRE(peer_is_filled(data, got, (size_t)n));
        got += (size_t)n;
    }
    EDDY_TRY(n);
    EDDY_TRY(eddy_await(sender));
    REQUIRE(got == size);
    return 0;
}

static unsigned signals_seen;

static void see_signal(int number)
{
    (void)number;
    signals_seen++;
}

static int stream_under_signals(void)
{
    EDDY_SERVER server = NULL;
    double start = eddy_time();

    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    do
        EDDY_TRY(stream_back(eddy_server_address(server, 0), 1000000));
    while (eddy_time() - start < 0.3 || signals_seen < 50);
    return 0;
}
EDDY_ASYNC(stream_under_signals);

/* Signals and EINTR: a thousand a second, of a handler that restarts nothing. */
RAW_TEST(streams_stand_a_thousand_signals_a_second)
{
    const struct itimerspec often = {{0, 1000000}, {0, 1000000}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct sigaction action = {.sa_handler = see_signal};
    timer_t timer;

    setenv("EDDY_CLOCK", "real", 1);
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &often, NULL), 0);
    CHECK_OK(eddy_run(stream_under_signals));
    CHECK_EQ(timer_delete(timer), 0);
}

/* A child of fork(2) that closes all it has inherited, and one that only ends, change nothing
 * for the parent. */
TEST(streams_go_on_while_a_child_closes_what_it_inherited)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[4];

    CHECK_OK(eddy_start_server("tcp://127.0.0.1:0", echo, NULL, &server));
    CHECK_OK(eddy_address_connect(eddy_server_address(server, 0), NULL, &stream));
    CHECK_OK(eddy_write(stream, "word", 4));
    CHECK_OK(eddy_read_exactly(stream, data, 4));
    for (int closes = 0; closes < 2; closes++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            for (int fd = 3; closes && fd < 100; fd++)
                close(fd);
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        CHECK_OK(eddy_write(stream, "more", 4));
        CHECK_OK(eddy_read_exactly(stream, data, 4));
        CHECK_OK(stream_back(eddy_server_address(server, 0), 100000));
    }
}
