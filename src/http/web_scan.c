/* SPDX-License-Identifier: MIT */
/*
 * The scan: what looks after all connections of a server, some ten times a second while there are
 * any, so that none of them needs a timer.
 *
 * Time is counted in ticks, as many as there are intervals, of which a scan may see several pass:
 * when the loop is held up, limits are not. What begins between two scans notes the tick of the
 * first one, and, when the second sees that, the one before its own, as if it had begun then: so no
 * limit is early, and none late by more than a scan and two intervals.
 *
 *     a connection is in `busy`, or, once it has waited for a second, in `resting`, by the tick at
 *     which that began; resting ones have given their stacks' pages back, and of them only the
 *     first is looked at, and now and then all
 *
 * That a client has gone is asked of its stream once its handler is old, for each scan from then
 * on: the engine knows without a system call, as long as it waits for bytes on the connection. A
 * client that takes nothing of what was written is seen by what the kernel counts as taken.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include "http/web_server.h"
#include "task/task.h"

#define SCAN_OLD 0.1   /* seconds after which a handler's client is looked after */
#define SCAN_WRITING 4 /* scans between two looks at what a client takes */
#define SCAN_REST 1.0  /* seconds of waiting after which memory is given back */
#define SCAN_HURRY 1.0 /* seconds that a head has while the server stops */

/* So many that they last for that long, or longer, where the first and the last may be cut. */
static uint32_t scan_ticks(double seconds, double interval)
{
    double ticks = seconds / interval;
    uint32_t whole = ticks < 1e9 ? (uint32_t)ticks : 1000000000;

    return whole + (whole < ticks) + 1;
}

static double least_of(double one, double other)
{
    return one < other ? one : other;
}

void ed_web_scan_init(eddy_web_server *server)
{
    const eddy_web_options *options = &server->options;
    double least =
        least_of(options->head_time, least_of(options->idle_time, options->write_time)) / 10;

    server->interval = least < 0.01 ? 0.01 : least_of(least, 0.1);
    server->since = eddy_time();
    server->idle = scan_ticks(options->idle_time, server->interval);
    server->slow = scan_ticks(options->head_time, server->interval);
    server->hurry = scan_ticks(least_of(options->head_time, SCAN_HURRY), server->interval);
    server->stuck = scan_ticks(options->write_time, server->interval);
    server->old = scan_ticks(SCAN_OLD, server->interval);
    server->rest = scan_ticks(SCAN_REST, server->interval);
    if (!options->no_server_field)
        server->server_size =
            (size_t)snprintf(server->common, sizeof server->common, "Server: eddy\r\n");
}

/* The date of answers changes once a second. */
static void scan_refresh_date(eddy_web_server *server)
{
    time_t now = time(NULL);
    char date[EDDY_HTTP_DATE_SIZE];
    int size;

    if (now == server->now)
        return;
    server->now = now;
    eddy_http_format_date(now, date);
    size = snprintf(server->common + server->server_size,
                    sizeof server->common - server->server_size, "Date: %s\r\n", date);
    server->common_size = server->server_size + (size_t)size;
}

void ed_web_interrupt(struct ed_web_connection *c, enum ed_web_why why)
{
    if (c->why)
        return;
    c->why = why;
    (void)eddy_cancel(c->task); /* which has not ended */
}

/* Clients that take nothing -------------------------------------------------------------- */

/* What has been taken so far, in some unit; false when nothing is held back from the client. */
static bool connection_backlog(const struct ed_web_connection *c, uint64_t *taken)
{
    eddy_stream_counters counters = eddy_stream_get_counters(c->stream);
    int fd = eddy_stream_fd(c->stream), queued = 0;
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    *taken = counters.sent;
    if (fd >= 0 && ioctl(fd, SIOCOUTQ, &queued) < 0)
        queued = 0;
    if (queued > 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
        *taken = info.tcpi_bytes_acked;
    else if (queued > 0)
        *taken = (uint64_t)queued + (counters.sent << 32);
    return queued > 0 || counters.to_send > 0;
}

static void connection_look_at_writing(struct ed_web_connection *c)
{
    uint64_t taken;

    if (!connection_backlog(c, &taken) || taken != c->taken) {
        c->progress = c->server->tick - 1;
        c->taken = taken;
    } else if (c->server->tick - c->progress > c->server->stuck) {
        eddy_stream_abort(c->stream);
    }
}

/* Clients that have gone ----------------------------------------------------------------- */

static bool connection_is_gone(const struct ed_web_connection *c)
{
    bool half_close = c->server->options.half_close;
    struct pollfd state = {.fd = eddy_stream_fd(c->stream), .events = half_close ? 0 : POLLRDHUP};
    const char *kept;

    if (eddy_stream_is_quiet_(c->stream))
        return false;
    if (state.fd < 0) /* in memory: an end, or a request that came early */
        return !half_close && eddy_stream_kept(c->stream, &kept) == 0;
    return poll(&state, 1, 0) > 0 && state.revents;
}

/* While a body is being read, the reading finds out. */
static bool connection_is_watched(const struct ed_web_connection *c)
{
    return c->state == ED_WEB_HANDLING && ed_web_request_is_read(&c->request);
}

/* The scan ------------------------------------------------------------------------------- */

static void connection_rest(struct ed_web_connection *c)
{
    ed_list_remove(&c->server->busy, &c->link);
    ed_list_append(&c->server->resting, &c->link);
    c->resting = true;
    eddy_task_trim_(c->task);
}

void ed_web_wake(struct ed_web_connection *c)
{
    ed_list_remove(&c->server->resting, &c->link);
    ed_list_append(&c->server->busy, &c->link);
    c->resting = false;
}

static void connection_look_at_waiting(struct ed_web_connection *c)
{
    const eddy_web_server *server = c->server;

    if (c->begun && !c->noticed) {
        c->noticed = true;
        c->tick = server->tick - 1;
    }
    if (c->begun && server->tick - c->tick > (server->stopping ? server->hurry : server->slow))
        ed_web_interrupt(c, ED_WEB_SLOW);
    else if (!c->begun && server->tick - c->tick > server->idle)
        ed_web_interrupt(c, ED_WEB_IDLE);
    else if (!c->begun && server->tick - c->tick > server->rest)
        connection_rest(c);
}

/* What has begun since the last scan has not begun before this one. */
static void connection_look_at_clock(struct ed_web_connection *c)
{
    const eddy_web_server *server = c->server;

    if (c->tick == server->before)
        c->tick = server->tick - 1;
    if (c->progress == server->before)
        c->progress = server->tick - 1;
}

static void connection_look(struct ed_web_connection *c)
{
    connection_look_at_clock(c);
    if (c->state == ED_WEB_WAITING) {
        connection_look_at_waiting(c);
        return;
    }
    if (c->server->tick - c->tick <= c->server->old)
        return;
    if (connection_is_watched(c) && connection_is_gone(c))
        ed_web_interrupt(c, ED_WEB_GONE);
    if (c->server->scans % SCAN_WRITING == 0)
        connection_look_at_writing(c);
}

/* Those that rest: the first ones may have rested for too long, and now and then all are asked
 * whether a head has begun, which has its own limit. */
static void scan_resting(eddy_web_server *server)
{
    bool all = server->scans % (server->rest + 1) == 0;

    ED_LIST_FOR_EACH(link, &server->resting) {
        struct ed_web_connection *c = ed_container_of(link, struct ed_web_connection, link);
        bool expired = server->tick - c->tick > server->idle;

        if (c->begun)
            ed_web_wake(c);
        else if (expired)
            ed_web_interrupt(c, ED_WEB_IDLE);
        if (!all && !expired)
            break;
    }
}

static void scan_start(eddy_web_server *server);

static int scan(void *argument)
{
    eddy_web_server *server = argument;

    server->scan.handle = NULL;
    server->scans++;
    server->before = server->tick;
    server->tick = (uint32_t)(uint64_t)((eddy_time() - server->since) / server->interval);
    scan_refresh_date(server);
    ED_LIST_FOR_EACH(link, &server->busy)
        connection_look(ed_container_of(link, struct ed_web_connection, link));
    scan_resting(server);
    scan_start(server);
    return 0;
}

/* Without memory for it, the next connection tries again. */
static void scan_start(eddy_web_server *server)
{
    if (server->count > 0 && !server->scan.handle)
        server->scan = eddy_loop_call_later(server->loop, server->interval, scan, server);
}

/* Coming and going ------------------------------------------------------------------------ */

void ed_web_enter(struct ed_web_connection *c)
{
    eddy_web_server *server = c->server;

    ed_list_append(&server->busy, &c->link);
    server->count++;
    c->tick = c->progress = server->tick;
    scan_refresh_date(server);
    scan_start(server);
}

void ed_web_leave(struct ed_web_connection *c)
{
    eddy_web_server *server = c->server;

    ed_list_remove(c->resting ? &server->resting : &server->busy, &c->link);
    if (--server->count > 0)
        return;
    (void)eddy_handle_cancel(server->scan);
    server->scan.handle = NULL;
    eddy_event_set(&server->empty);
}

void ed_web_end_idle(eddy_web_server *server)
{
    struct eddy_list_ *lists[] = {&server->busy, &server->resting};

    for (size_t i = 0; i < 2; i++)
        ED_LIST_FOR_EACH(link, lists[i]) {
            struct ed_web_connection *c = ed_container_of(link, struct ed_web_connection, link);

            if (c->state == ED_WEB_WAITING && !c->begun)
                ed_web_interrupt(c, ED_WEB_STOP);
        }
}

void ed_web_end_upgraded(eddy_web_server *server)
{
    struct eddy_list_ *lists[] = {&server->busy, &server->resting};

    for (size_t i = 0; i < 2; i++)
        ED_LIST_FOR_EACH(link, lists[i]) {
            struct ed_web_connection *c = ed_container_of(link, struct ed_web_connection, link);

            if (c->stop)
                c->stop(c->stop_owner);
        }
}

void ed_web_cancel_all(eddy_web_server *server)
{
    struct eddy_list_ *lists[] = {&server->busy, &server->resting};

    for (size_t i = 0; i < 2; i++)
        ED_LIST_FOR_EACH(link, lists[i]) {
            struct ed_web_connection *c = ed_container_of(link, struct ed_web_connection, link);

            c->why = ED_WEB_END;
            (void)eddy_cancel(c->task); /* which has not ended */
        }
}

int ed_web_await_end(eddy_web_server *server)
{
    while (server->count > 0) {
        eddy_event_clear(&server->empty);
        EDDY_TRY(eddy_event_wait(&server->empty));
    }
    return 0;
}
