/* SPDX-License-Identifier: MIT */
/*
 * Clients that are slow on purpose, thousands of each kind at one server: heads that come byte by
 * byte and never end, bodies that stop, and answers that nobody takes. Each is ended at its limit,
 * what it costs meanwhile has a bound, others are served as if they were alone, and at the end all
 * is as it was before.
 *
 * In memory and under virtual time: each second is there for all of them at once.
 */
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/debug.h"
#include "eddy/stream_class.h"
#include "http/web.h"

#define CROWD 4000
#define HEAD_TIME 10
#define BODY_TIME 20
#define WRITE_TIME 40
#define RESIDENT ((size_t)40 << 10)       /* bytes in memory of one, both ends and a stack */
#define ROOM_FOR_SPARES ((size_t)2 << 20) /* bytes that a server and a loop keep for the next */
#define LATE 1.5 /* seconds that a limit may be late: of writing, eight scans */

enum crowd_kind { SLOW_HEADS, SLOW_BODIES, SLOW_READERS, CROWD_KINDS };

static eddy_stream *clients[CROWD_KINDS][CROWD];
static size_t crowd_size;

static void crowd_leave(void *unused)
{
    (void)unused;
    for (size_t kind = 0; kind < CROWD_KINDS; kind++)
        for (size_t i = 0; i < crowd_size; i++)
            if (clients[kind][i]) {
                eddy_stream_abort(clients[kind][i]);
                (void)eddy_stream_close(&clients[kind][i]); /* which was broken off */
            }
}

static int take_body(eddy_web_request *request, void *unused)
{
    const char *data = NULL;

    (void)unused;
    EDDY_TRY(eddy_web_read(request, &data, NULL));
    return eddy_web_send_text(request, 200, data);
}

/* Never ends. What is kept for a reader is made little: in a kernel it would be the kernel's. */
static int give_on(eddy_web_request *request, void *unused)
{
    static const char block[1000];
    eddy_stream *body = NULL;
    int rc = eddy_web_begin(request, 200, NULL, -1, &body);

    (void)unused;
    if (rc == 0)
        rc = eddy_stream_set_write_limits(request->connection->stream, 2000, 1000);
    while (rc == 0)
        rc = eddy_write(body, block, sizeof block);
    return rc;
}

static int give_little(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_send_text(request, 200, "at once");
}

static int crowd_routes(eddy_web_app *app)
{
    EDDY_TRY(eddy_web_get(app, "/", give_little, NULL));
    EDDY_TRY(eddy_web_get(app, "/on", give_on, NULL));
    return eddy_web_post(app, "/", take_body, NULL);
}

/* What one client of a kind says before it becomes slow. */
static const char *const says[CROWD_KINDS] = {
    [SLOW_HEADS] = "GET / HTTP/1.1\r\nHost: test\r\nX: ",
    [SLOW_BODIES] = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\nbegin",
    [SLOW_READERS] = "GET /on HTTP/1.1\r\nHost: test\r\n\r\n",
};

static int crowd_come(eddy_web_server *server, enum crowd_kind kind)
{
    for (size_t i = 0; i < crowd_size; i++) {
        EDDY_TRY(ed_web_connect(server, &clients[kind][i]));
        EDDY_TRY(eddy_stream_set_limit(clients[kind][i], 512));
        EDDY_TRY(eddy_write(clients[kind][i], says[kind], strlen(says[kind])));
    }
    return eddy_test_settle();
}

/* A sign of life of each: a byte, or readers take what they have. */
static void crowd_trickle(enum crowd_kind kind)
{
    const char *data;

    for (size_t i = 0; i < crowd_size; i++)
        if (kind != SLOW_READERS)
            (void)eddy_write_nowait(clients[kind][i], "x", 1); /* it may be over */
        else
            eddy_consume(clients[kind][i], eddy_stream_kept(clients[kind][i], &data));
}

/* How many have been told a status. */
static size_t crowd_told(enum crowd_kind kind, int status)
{
    const char *data;
    size_t count = 0;

    for (size_t i = 0; i < crowd_size; i++)
        count += eddy_stream_kept(clients[kind][i], &data) > 12 && atoi_status(data) == status;
    return count;
}

/* Processor time of this thread so far, seconds. */
static double busy(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* One more client, that is not slow, is answered in no time. */
static int crowd_is_no_burden(eddy_web_server *server)
{
    double start = eddy_time(), work = busy();

    REQUIRE(strcmp(web_body(web_get(server, "/")), "at once") == 0);
    REQUIRE(eddy_time() == start);
    REQUIRE(test_is_slow() || busy() - work < 0.1);
    return 0;
}

/* Bytes of the heap, of both ends of a connection and the server's state for it. */
static int crowd_cost(eddy_web_server *server, enum crowd_kind kind, size_t allowed)
{
    eddy_stats before, after;

    eddy_get_stats(&before);
    EDDY_TRY(crowd_come(server, kind));
    eddy_get_stats(&after);
    REQUIRE((after.bytes - before.bytes) / crowd_size <= allowed);
    return 0;
}

static size_t resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long all, pages = 0;

    REQUIRE(file && fscanf(file, "%lu %lu", &all, &pages) == 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Goes on to a time, with good clients in between, and bytes from slow heads each second. */
static int crowd_wait(eddy_web_server *server, double until)
{
    while (eddy_time() < until) {
        double step = until - eddy_time();

        EDDY_TRY(eddy_sleep(step < 1 ? step : 1));
        crowd_trickle(SLOW_HEADS);
        EDDY_TRY(crowd_is_no_burden(server));
    }
    return 0;
}

/* Each kind is there until its time has come, and no longer; those that show a sign of life get it
 * anew. */
static int crowd_ends(eddy_web_server *server, double start)
{
    const double life = HEAD_TIME - 0.5; /* when they show it */
    size_t all = crowd_size;

    EDDY_TRY(crowd_wait(server, start + life));
    crowd_trickle(SLOW_BODIES);
    for (int i = 0; i < 4; i++) { /* each time some more comes of what is kept */
        crowd_trickle(SLOW_READERS);
        EDDY_TRY(eddy_test_settle());
    }
    REQUIRE(server->count == 3 * all && crowd_told(SLOW_HEADS, 408) == 0);
    EDDY_TRY(crowd_wait(server, start + HEAD_TIME + LATE));
    REQUIRE(crowd_told(SLOW_HEADS, 408) == all);
    EDDY_TRY(crowd_wait(server, start + life + BODY_TIME - 0.1));
    REQUIRE(server->count == 2 * all && crowd_told(SLOW_BODIES, 408) == 0);
    EDDY_TRY(crowd_wait(server, start + life + BODY_TIME + LATE));
    REQUIRE(crowd_told(SLOW_BODIES, 408) == all);
    EDDY_TRY(crowd_wait(server, start + life + WRITE_TIME - 0.1));
    REQUIRE(server->count == all);
    EDDY_TRY(crowd_wait(server, start + life + WRITE_TIME + LATE));
    REQUIRE(server->count == 0);
    return 0;
}

/* All come at once, and what they take is given back: of the server's memory nothing is left, of
 * the clients' their ends of the connections. */
static int crowd_comes_and_goes(eddy_web_server *server)
{
    double start = eddy_time();
    size_t before = resident(), room = 3 * crowd_size * RESIDENT;
    eddy_stats at_rest, after;

    EDDY_TRY(crowd_is_no_burden(server));
    eddy_get_stats(&at_rest);
    EDDY_TRY(crowd_cost(server, SLOW_HEADS, 8000));
    EDDY_TRY(crowd_cost(server, SLOW_BODIES, 16000));
    EDDY_TRY(crowd_cost(server, SLOW_READERS, 24000));
    REQUIRE(eddy_time() == start);
    REQUIRE(test_is_slow() || ed_memory_guarded() || resident() - before < room);
    EDDY_TRY(crowd_ends(server, start));
    crowd_leave(NULL);
    eddy_get_stats(&after);
    REQUIRE(after.tasks == at_rest.tasks && after.timers <= at_rest.timers);
    REQUIRE(after.bytes <= at_rest.bytes + ROOM_FOR_SPARES);
    return 0;
}

static int crowd_of_slow_clients(void)
{
    const eddy_web_options options = {
        .head_time = HEAD_TIME, .body_time = BODY_TIME, .write_time = WRITE_TIME, .linger_time = 1};
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_DEFER(crowd_leave, NULL);

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(crowd_routes(app));
    EDDY_TRY(ed_web_server_new(app, &options, &server));
    return crowd_comes_and_goes(server);
}
EDDY_ASYNC(crowd_of_slow_clients);

/* H-SEC-25, H-KEEP-4; reliability, section 3. */
RAW_TEST(web_crowd_of_slow_clients_is_ended_in_time_and_burdens_nobody)
{
    crowd_size = test_is_slow() || ed_memory_guarded() ? 200 : CROWD;
    CHECK_OK(eddy_run(crowd_of_slow_clients));
}
