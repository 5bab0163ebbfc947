/* SPDX-License-Identifier: MIT */
/*
 * Streams under random faults. A server echoes to a few connections, over TCP and unix sockets,
 * while operations fail or are cut short, each at a random place. What holds all the same:
 *
 * - the bytes that come out at either end are a prefix of those that went in at the other;
 * - a fault costs one connection at most, the others end as if there was none;
 * - the errors that are seen are those that were injected, or what the other end sees of them;
 * - once the faults stop, a new connection works, all comes to its end in bounded virtual time,
 *   and nothing is left behind.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/fault.h"
#include "seeds.h"

#define PEERS 6
#define PLANS 4
#define LARGEST 30000

struct peer {
    const char *place;
    eddy_stream *stream;
    size_t id, total, back; /* bytes to send, and bytes that have come back */
};

static const struct {
    enum ed_fault kind;
    int codes[5];
} menu[] = {
    {ED_FAULT_ACCEPT, {-EMFILE, -ECONNABORTED, -ENOMEM}},
    {ED_FAULT_CONNECT, {-ECONNREFUSED, -ETIMEDOUT, -ENETUNREACH}},
    {ED_FAULT_RECV, {ED_FAULT_SHORT, -ECONNRESET, ED_FAULT_SHORT, -ETIMEDOUT, -ENOMEM}},
    {ED_FAULT_SEND, {ED_FAULT_SHORT, -EPIPE, ED_FAULT_SHORT, -ENOBUFS, -ENOMEM}},
    {ED_FAULT_SHUTDOWN, {-ENOTCONN}},
    {ED_FAULT_CLOSE, {-EIO}},
    {ED_FAULT_CANCEL, {-EALREADY}},
    {ED_FAULT_ALLOC, {-ENOMEM}},
};

static struct {
    enum ed_fault kind;
    int code;
    uint64_t nth;
} plans[PLANS];

static int planned;
static uint64_t program_seed;

/* Ends the test where an invariant does not hold, and says how to come back. */
#define HOLDS(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "EDDY_TEST_SEED=%llu: ", (unsigned long long)program_seed);            \
            plans_print();                                                                         \
            test_fail(__FILE__, __LINE__, __VA_ARGS__);                                            \
        }                                                                                          \
    } while (0)

static void plans_print(void)
{
    for (int i = 0; i < planned; i++)
        fprintf(stderr, "%s:%s:%llu ", ed_fault_name(plans[i].kind),
                plans[i].code == ED_FAULT_SHORT ? "short" : eddy_error_name(plans[i].code),
                (unsigned long long)plans[i].nth);
}

static void plans_draw(void)
{
    planned = 0;
    for (int i = 0; i < PLANS; i++) {
        int entry = random_below(ED_ARRAY_LENGTH(menu)), count = 0;

        for (int j = 0; j < planned; j++)
            count += plans[j].kind == menu[entry].kind;
        if (count > 0)
            continue; /* one of a kind */
        while (count < 5 && menu[entry].codes[count])
            count++;
        plans[planned].kind = menu[entry].kind;
        plans[planned].code = menu[entry].codes[random_below(count)];
        plans[planned++].nth = 1 + (uint64_t)random_below(random_below(2) ? 6 : 60);
    }
}

static void plans_begin(void)
{
    for (int i = 0; i < planned; i++)
        (void)ed_fault_set(plans[i].kind, plans[i].nth, plans[i].code);
}

/* No more faults. Returns how many connections they may have cost: an accept that is made to fail
 * drops what the kernel delivers until it has ended. */
static int plans_end(void)
{
    int cost = 0;

    for (int i = 0; i < planned; i++) {
        bool met = ed_fault_set(plans[i].kind, 0, 0) >= plans[i].nth;

        if (met && plans[i].code != ED_FAULT_SHORT && plans[i].kind != ED_FAULT_CANCEL)
            cost += plans[i].kind == ED_FAULT_ACCEPT ? PEERS : 1;
    }
    return cost;
}

static bool is_expected(int rc)
{
    bool expected = rc >= 0 || rc == -ECONNRESET || rc == -EPIPE || rc == EDDY_EINCOMPLETE ||
                    rc == -ECONNABORTED;

    for (int i = 0; i < planned; i++)
        expected |= rc == plans[i].code;
    return expected;
}

static char byte_at(size_t id, size_t at)
{
    return (char)(id * 101 + at * 31 + at / 251);
}

static void check_bytes(const char *data, size_t id, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        HOLDS(data[i] == byte_at(id, from + i), "connection %zu: wrong byte at %zu", id, from + i);
}

/* Echoes, and checks that what comes is what that client sends, from its first byte on. */
static int echo(eddy_stream *stream)
{
    char data[LARGEST];
    size_t id, at = 0;
    ssize_t size;

    EDDY_TRY(eddy_read_exactly(stream, &id, sizeof id));
    while ((size = eddy_read(stream, data, 1 + (size_t)random_below(LARGEST))) > 0) {
        check_bytes(data, id, at, (size_t)size);
        at += (size_t)size;
        EDDY_TRY(eddy_write(stream, data, (size_t)size));
    }
    return size < 0 ? (int)size : eddy_write_eof(stream);
}

static int handler(eddy_stream *stream, void *unused)
{
    int rc = echo(stream);

    (void)unused;
    HOLDS(is_expected(rc), "a handler: %s", eddy_error_message(rc));
    return 0;
}

static int give(struct peer *peer)
{
    char data[LARGEST];
    size_t at = 0;

    EDDY_TRY(eddy_write(peer->stream, &peer->id, sizeof peer->id));
    while (at < peer->total) {
        size_t size = 1 + (size_t)random_below(random_below(3) ? 3000 : LARGEST);

        if (size > peer->total - at)
            size = peer->total - at;
        for (size_t i = 0; i < size; i++)
            data[i] = byte_at(peer->id, at + i);
        EDDY_TRY(eddy_write(peer->stream, data, size));
        at += size;
    }
    return eddy_write_eof(peer->stream);
}
EDDY_ASYNC(give, struct peer *);

static int take(struct peer *peer)
{
    char data[LARGEST];
    ssize_t size;

    while ((size = eddy_read(peer->stream, data, 1 + (size_t)random_below(LARGEST))) > 0) {
        check_bytes(data, peer->id, peer->back, (size_t)size);
        peer->back += (size_t)size;
        HOLDS(peer->back <= peer->total, "connection %zu: more than was sent", peer->id);
    }
    return size < 0 ? (int)size : peer->back < peer->total ? EDDY_EINCOMPLETE : 0;
}
EDDY_ASYNC(take, struct peer *);

static int run_peer(struct peer *peer)
{
    int rc;

    EDDY_TRY(eddy_connect(peer->place, &peer->stream));
    rc = eddy_gather(EDDY_CALL(give, peer), EDDY_CALL(take, peer));
    if (rc == 0)
        return eddy_stream_close(&peer->stream);
    (void)eddy_stream_close(&peer->stream); /* broken already */
    return rc;
}
EDDY_ASYNC(run_peer, struct peer *);

/* All connections at once, under faults; returns how many failed. */
static int run_peers(struct peer *peers)
{
    eddy_task *tasks[PEERS];
    int lost = 0;

    for (int i = 0; i < PEERS; i++) {
        tasks[i] = eddy_create_task(run_peer, &peers[i]);
        HOLDS(tasks[i], "no task");
    }
    plans_begin();
    for (int i = 0; i < PEERS; i++) {
        int rc = eddy_await(tasks[i]);

        HOLDS(is_expected(rc), "connection %d: %s", i, eddy_error_message(rc));
        lost += rc < 0;
        eddy_task_release(&tasks[i]);
    }
    return lost;
}

static void ignore_report(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)report, (void)unused;
}

static int program(void)
{
    eddy_loop *loop = eddy_get_running_loop();
    struct peer peers[PEERS + 1] = {{0}};
    double began = eddy_loop_time(loop);
    char tcp[40], path[40], both[90];
    EDDY_SERVER server = NULL;
    int lost, cost;

    eddy_loop_set_exception_handler(loop, ignore_report, NULL);
    snprintf(path, sizeof path, "unix:@eddy-faults-%d", (int)getpid());
    snprintf(both, sizeof both, "tcp://127.0.0.1:0,%s", path);
    EDDY_TRY(eddy_start_server(both, handler, NULL, &server));
    snprintf(tcp, sizeof tcp, "tcp://127.0.0.1:%d", eddy_server_port(server));
    for (size_t i = 0; i <= PEERS; i++)
        peers[i] = (struct peer){.place = i % 2 ? tcp : path,
                                 .id = i + 1,
                                 .total = (size_t)random_below(random_below(2) ? 2000 : 120000)};
    lost = run_peers(peers);
    cost = plans_end();
    HOLDS(lost <= cost, "%d connections are lost, not %d at most", lost, cost);
    EDDY_TRY(run_peer(&peers[PEERS]));
    EDDY_TRY(eddy_server_shutdown(server, EDDY_FOREVER));
    HOLDS(eddy_loop_time(loop) < began + 10, "it took %.1f s", eddy_loop_time(loop) - began);
    return 0;
}
EDDY_ASYNC(program);

static void run_seed(uint64_t seed)
{
    eddy_stats left;
    int rc;

    program_seed = seed;
    random_begin(seed);
    plans_draw();
    rc = eddy_run(program);
    HOLDS(rc == 0, "%s", eddy_error_message(rc));
    eddy_get_stats(&left);
    HOLDS(left.descriptors == 0 && left.blocks == 0 && left.stacks == 0,
          "left behind: descriptors %zu, blocks %zu, stacks %zu", left.descriptors, left.blocks,
          left.stacks);
}

RAW_TEST(faults_cost_one_connection_each_and_no_byte_is_wrong)
{
    seeds_run(run_seed, 200);
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

#define DESCRIPTOR EDDY_CLEANUP_(close_descriptor) int

/* A peer that has ended its half, and then resets: what is written to it is known to be lost,
 * and so is the end of it. */
TEST(faults_of_a_peer_behind_its_end_are_a_broken_pipe)
{
    const struct linger now = {.l_onoff = 1};
    EDDY_STREAM stream = NULL;
    eddy_address address;
    DESCRIPTOR listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    DESCRIPTOR peer = -1;

    CHECK_OK(eddy_address_from_ip("127.0.0.1", 0, &address));
    CHECK(bind(listener, &address.as.any, address.size) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, &address.as.any, &address.size) == 0);
    CHECK_OK(eddy_address_connect(&address, NULL, &stream));
    peer = accept(listener, NULL, NULL);
    CHECK_OK(shutdown(peer, SHUT_WR));
    CHECK_EQ(eddy_read(stream, &(char){0}, 1), 0);
    CHECK_OK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now));
    close_descriptor(&peer);
    CHECK_EQ(eddy_write_eof(stream), -EPIPE);
}
