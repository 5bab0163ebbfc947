/* SPDX-License-Identifier: MIT */
/*
 * Mixed load for a long time: clients that connect, pipeline requests of all sizes, end their
 * half, break off, time out and are cancelled, at servers that stop and start again. Whatever
 * is cut short, every reply that comes is the one to its request: it has the connection's
 * number, its own, and a checksum. After each round all counters are as they were before it,
 * and memory and descriptors do not grow.
 *
 * Small here; EDDY_TEST_DEPTH=full makes it long.
 */
#include <dirent.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/memory.h"
#include "eddy/debug.h"
#include "seeds.h"

#define LARGEST 40000
#define REQUESTS 12 /* of a connection, at most */

struct head {
    uint64_t connection; /* a secret: what another connection says is wrong */
    uint64_t sum;        /* of the bytes that follow */
    uint32_t number, size;
};

struct load {
    int rounds, clients, connections; /* connections: of each client in a round */
};

static struct load load;
static uint64_t soak_seed;
static char places[2][64]; /* where the servers are just now */
static long replies, connections_cut;
static bool over;

static uint64_t sum_of(const char *data, size_t size)
{
    uint64_t sum = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (unsigned char)data[i]) * 0x100000001b3u;
    return sum;
}

/* The bytes of a message follow from its number and its connection's. */
static void fill(char *data, size_t size, uint64_t connection, uint32_t number)
{
    uint64_t state = connection + number * 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        data[i] = (char)(state >> 56);
    }
}

static size_t random_size(void)
{
    int way = random_below(100);

    return (size_t)random_below(way < 75 ? 200 : way < 95 ? 5000 : LARGEST);
}

/* Whether an error is one that this load makes. */
static bool is_expected(int rc)
{
    static const int codes[] = {-ECONNRESET, -EPIPE,     -ECONNREFUSED,    -ECONNABORTED,
                                -ETIMEDOUT,  -ECANCELED, EDDY_EINCOMPLETE, -ESHUTDOWN};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(codes); i++)
        if (rc == codes[i])
            return true;
    return rc >= 0;
}

static int send_message(eddy_stream *stream, uint64_t connection, uint32_t number)
{
    char data[LARGEST];
    struct head head = {.connection = connection, .number = number};
    const struct iovec parts[] = {{&head, sizeof head},
                                  {data, head.size = (uint32_t)random_size()}};

    fill(data, head.size, connection, number);
    head.sum = sum_of(data, head.size);
    return eddy_writev(stream, parts, 2);
}

/* Takes a message: 1, 0 at the end, or an error; what is whole is right. */
static int take_message(eddy_stream *stream, struct head *head)
{
    char data[LARGEST], wanted[LARGEST];
    int rc = eddy_read_exactly(stream, head, sizeof *head);

    if (rc == EDDY_EINCOMPLETE && eddy_stream_partial(stream) == 0)
        return 0;
    EDDY_TRY(rc);
    REQUIRE(head->size < LARGEST);
    EDDY_TRY(eddy_read_exactly(stream, data, head->size));
    REQUIRE(head->sum == sum_of(data, head->size));
    fill(wanted, head->size, head->connection, head->number);
    REQUIRE(memcmp(data, wanted, head->size) == 0);
    return 1;
}

/* The server's side: answers each request with as many bytes as it likes. */
static int serve(eddy_stream *stream)
{
    uint64_t connection = 0;
    struct head head;
    int rc;

    for (uint32_t number = 0; (rc = take_message(stream, &head)) > 0; number++) {
        REQUIRE(head.number == number && (number == 0 || head.connection == connection));
        connection = head.connection;
        if (random_below(200) == 0)
            eddy_stream_abort(stream);
        if (random_below(50) == 0)
            EDDY_TRY(eddy_sleep(random_below(1000) / 1e6));
        EDDY_TRY(send_message(stream, connection, number));
    }
    return rc;
}

static int handler(eddy_stream *stream, void *unused)
{
    int rc = serve(stream);

    (void)unused;
    REQUIRE(is_expected(rc));
    return rc == -ECANCELED ? rc : 0;
}

static int give_requests(eddy_stream *stream, uint64_t connection, int count)
{
    for (int i = 0; i < count; i++)
        EDDY_TRY(send_message(stream, connection, (uint32_t)i));
    return random_below(2) ? eddy_write_eof(stream) : 0;
}
EDDY_ASYNC(give_requests, eddy_stream *, uint64_t, int);

static int take_replies(eddy_stream *stream, uint64_t connection, int count)
{
    struct head head;

    for (int i = 0; i < count; i++) {
        int rc = take_message(stream, &head);

        if (rc <= 0)
            return rc < 0 ? rc : EDDY_EINCOMPLETE;
        REQUIRE(head.connection == connection && head.number == (uint32_t)i);
        replies++;
        if (random_below(100 * REQUESTS / 2) == 0)
            eddy_stream_abort(stream);
    }
    return 0;
}
EDDY_ASYNC(take_replies, eddy_stream *, uint64_t, int);

/* The client's side, once. */
static int exchange(void)
{
    EDDY_STREAM stream = NULL;
    uint64_t connection = random_next();
    int count = 1 + random_below(REQUESTS);

    EDDY_TIMEOUT(limit, random_below(20) ? EDDY_FOREVER : random_below(2000) / 1e6);
    EDDY_TRY(eddy_connect(places[random_below(2)], &stream));
    EDDY_TRY(eddy_gather(EDDY_CALL(give_requests, stream, connection, count),
                         EDDY_CALL(take_replies, stream, connection, count)));
    return eddy_stream_close(&stream);
}
EDDY_ASYNC(exchange);

static int client(void)
{
    for (int i = 0; i < load.connections; i++) {
        EDDY_TASK one = eddy_create_task(exchange);
        int rc;

        REQUIRE(one);
        if (random_below(20) == 0) {
            EDDY_TRY(eddy_sleep(random_below(1000) / 1e6));
            eddy_cancel(one);
        }
        rc = eddy_await(one);
        connections_cut += rc < 0;
        if (!is_expected(rc))
            test_fail(__FILE__, __LINE__, "seed %llu: %s (%s)", (unsigned long long)soak_seed,
                      eddy_error_message(rc), eddy_error_name(rc));
    }
    return 0;
}
EDDY_ASYNC(client);

/* A server at a place, 0: TCP, 1: unix, that ends in one way or another. */
static int serve_once(int which)
{
    EDDY_SERVER server = NULL;
    const eddy_server_options options = {.connections = random_below(2) ? 0 : 20};

    if (which == 1)
        snprintf(places[1], sizeof places[1], "unix:@eddy-soak-%d", (int)getpid());
    else
        snprintf(places[0], sizeof places[0], "tcp://127.0.0.1:0");
    EDDY_TRY(eddy_start_server_with(places[which], &options, handler, NULL, &server));
    if (which == 0)
        snprintf(places[0], sizeof places[0], "tcp://127.0.0.1:%d", eddy_server_port(server));
    for (int i = 0; i < 10 && !over; i++)
        EDDY_TRY(eddy_sleep(0.002));
    if (over || random_below(3) == 0)
        (void)eddy_server_shutdown(server, 0.002);
    else if (random_below(2))
        eddy_server_abort_clients(server);
    return 0;
}

static int keep_serving(int which)
{
    while (!over)
        EDDY_TRY(serve_once(which));
    return 0;
}
EDDY_ASYNC(keep_serving, int);

static int all_clients(void)
{
    EDDY_GROUP(clients);

    for (int i = 0; i < load.clients; i++)
        EDDY_TRY(eddy_group_create_task(&clients, client));
    EDDY_TRY(eddy_group_join(&clients));
    over = true;
    return 0;
}
EDDY_ASYNC(all_clients);

static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Bytes of the process that are in memory. */
static size_t resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long all, pages = 0;

    REQUIRE(file && fscanf(file, "%lu %lu", &all, &pages) == 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

struct footprint {
    eddy_stats stats;
    int descriptors;
    size_t resident;
};

static struct footprint footprint_now(void)
{
    struct footprint now = {.descriptors = descriptors(), .resident = resident()};

    eddy_get_stats(&now.stats);
    return now;
}

static int round_once(struct footprint *after)
{
    struct footprint before = footprint_now();

    over = false;
    EDDY_TRY(eddy_gather(EDDY_CALL(all_clients), EDDY_CALL(keep_serving, 0),
                         EDDY_CALL(keep_serving, 1)));
    *after = footprint_now();
    REQUIRE(after->stats.tasks == before.stats.tasks);
    REQUIRE(after->stats.generators == before.stats.generators);
    REQUIRE(after->stats.timers == before.stats.timers);
    REQUIRE(after->stats.operations == before.stats.operations);
    REQUIRE(after->stats.descriptors == before.stats.descriptors);
    REQUIRE(after->descriptors == before.descriptors);
    return 0;
}

/*
 * What grows on is a leak. In the first rounds the stacks that are kept for reuse become as many,
 * and their pages are touched as deep, as ever; checkers and guards keep freed memory for a while.
 */
static void check_growth(const struct footprint *early, const struct footprint *late)
{
    size_t allowed = (size_t)(test_is_deep() ? 1 : 8) << 20;

    CHECK(late->stats.blocks <= early->stats.blocks + 200);
    CHECK(late->stats.bytes <= early->stats.bytes + ((size_t)256 << 10));
    if (!test_is_slow() && !ed_memory_guarded())
        CHECK_THAT(late->resident <= early->resident + allowed,
                   "resident memory has grown from %zu to %zu bytes", early->resident,
                   late->resident);
}

static int soak(void)
{
    struct footprint early = {0}, late = {0};
    long whole = (long)load.rounds * load.clients * load.connections;

    for (int i = 0; i < load.rounds; i++) {
        EDDY_TRY(round_once(&late));
        if (i == load.rounds / 2)
            early = late;
    }
    check_growth(&early, &late);
    whole -= connections_cut;
    REQUIRE(whole > connections_cut && replies > whole); /* it was a load */
    return 0;
}
EDDY_ASYNC(soak);

static void soak_of(struct load wanted, uint64_t seed)
{
    unsetenv("EDDY_CLOCK"); /* what is cut short, and where, is the machine's choice, too */
    load = wanted;
    replies = connections_cut = 0;
    soak_seed = seed;
    random_begin(seed);
    CHECK_OK(eddy_run(soak));
}

RAW_TEST(connections_of_all_kinds_leave_nothing_behind)
{
    soak_of(test_is_deep()   ? (struct load){20, 60, 60}
            : test_is_slow() ? (struct load){3, 10, 4}
                             : (struct load){4, 20, 8},
            1);
}

RAW_TEST(connections_of_all_kinds_leave_nothing_behind_on_guarded_memory)
{
    bool before = ed_memory_guard(true);

    soak_of(test_is_deep() ? (struct load){4, 20, 20} : (struct load){3, 6, 4}, 2);
    (void)ed_memory_guard(before);
}
