/* SPDX-License-Identifier: MIT */
/*
 * Servers: listeners, and a task for each connection.
 *
 * A listener has one operation in the kernel that delivers connections as they come
 * (ACCEPT_MANY); with a limit of connections it takes one at a time, so that none is taken
 * that may not be served. Each becomes a task at once, in the completion. The server knows
 * its connections from then until their tasks end, which is what it waits for and cancels:
 *
 *     connections = tasks that have been made and have not ended
 *
 * A listener is accepting, or its operation has ended for one of three reasons: the limit is
 * reached (it goes on when a connection ends), the system has run short (when one ends, or
 * after a second), or the server was stopped (it is closed).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/time.h"
#include "eddy/dns.h"
#include "eddy/scope.h"
#include "eddy/stream_class.h"
#include "io/op.h"
#include "loop/loop.h"
#include "net/descriptor.h"
#include "net/listener.h"
#include "net/place.h"
#include "net/schemes.h"

#define SERVER_LISTENERS 64    /* at most */
#define SERVER_PAUSE ED_SECOND /* when the system has run short */
#define SERVER_GOODBYE 1.0     /* seconds for what a cancelled handler has written */

struct door { /* a listener at work */
    struct ed_listener listener;
    struct ed_op accept;
    eddy_server *server;
    int held; /* a connection over the limit, to be served next; -1: none */
    char name[EDDY_ADDRESS_TEXT];
};

struct eddy_server {
    eddy_loop *loop;
    eddy_connection_handler *handler;
    void *argument;
    eddy_server_options options;
    char *name;
    struct ed_locals *locals; /* of who started it, for the connections */

    struct door *doors;
    size_t door_count, door_room;
    struct eddy_list_ connections;
    size_t count;
    struct eddy_list_ waiters; /* for the end of all connections, when stopped */
    struct eddy_timer_ pause;
    struct ed_resource resource;
    unsigned inside;        /* calls that wait in it, */
    struct ed_wait *closer; /* and the close that waits for them */
    bool stopped, paused, short_told, pausing, serving;
};

struct connection {
    struct eddy_link_ link;
    eddy_server *server;
    eddy_task *task;
    eddy_stream *stream; /* NULL: not made, closed, or taken away; follows TLS */
    int fd;
    int family;
    bool aborted;
    bool wrapping; /* it is in its handshake: the handler was not called yet */
};

static void door_open(struct door *door);
static void door_admit(struct door *door);

static bool server_is_full(const eddy_server *server)
{
    return server->options.connections && server->count >= server->options.connections;
}

/* Lets all doors accept that may. */
static void server_accept(eddy_server *server)
{
    if (server->stopped || server->paused || server->pausing)
        return;
    for (size_t i = 0; i < server->door_count && !server_is_full(server); i++)
        door_admit(&server->doors[i]);
    for (size_t i = 0; i < server->door_count && !server_is_full(server) && !server->pausing; i++)
        if (!server->doors[i].accept.in_flight)
            door_open(&server->doors[i]);
}

static void server_end_pause(eddy_server *server)
{
    if (!server->pausing)
        return;
    server->pausing = false;
    ed_loop_stop_timer(server->loop, &server->pause);
}

static void server_pause_over(struct eddy_timer_ *timer)
{
    eddy_server *server = ed_container_of(timer, eddy_server, pause);

    server->pausing = false;
    server_accept(server);
}

/* The system has run short: says so once, and waits a while. */
static void server_run_short(eddy_server *server, int code, const char *of)
{
    char text[EDDY_ADDRESS_TEXT];

    if (!server->short_told)
        ed_loop_report(server->loop, EDDY_REPORT_RESOURCE, code, NULL,
                       "the server at %s cannot %s: %s (%s); it pauses, and tries again",
                       eddy_address_text(&server->doors[0].listener.address, text, sizeof text), of,
                       eddy_strerror(code), eddy_error_name(code));
    server->short_told = true;
    if (server->pausing || server->stopped)
        return;
    server->pausing = true;
    ed_loop_start_timer(server->loop, &server->pause, ed_loop_now(server->loop) + SERVER_PAUSE);
    for (size_t i = 0; i < server->door_count; i++)
        ed_engine_cancel(server->loop->engine, &server->doors[i].accept);
}

static bool server_has_ended(const eddy_server *server)
{
    bool ended = server->stopped && server->count == 0;

    for (size_t i = 0; i < server->door_count && ended; i++)
        ended = server->doors[i].listener.fd < 0;
    return ended;
}

static void server_settle(eddy_server *server)
{
    struct eddy_link_ *link;

    if (!server_has_ended(server))
        return;
    while ((link = ed_list_pop(&server->waiters)))
        ed_wake(ed_container_of(link, struct ed_wait, link), 0);
}

/* Connections. */

/* A peer that has gone away in the middle is no failure of the handler. */
static bool connection_was_left(int rc)
{
    return rc == -EPIPE || rc == -ECONNRESET || rc == -ECONNABORTED || rc == EDDY_EINCOMPLETE ||
           rc == EDDY_ETLS_TRUNCATED;
}

static void connection_failed(struct connection *c, int rc)
{
    char peer[EDDY_ADDRESS_TEXT];

    if (rc >= 0 || rc == -ECANCELED || connection_was_left(rc) || c->aborted)
        return;
    snprintf(peer, sizeof peer, "%s", c->stream ? eddy_stream_peer_name(c->stream) : "");
    ed_loop_report(c->server->loop, EDDY_REPORT_HANDLER_FAILED, rc, eddy_thread_.task,
                   "the handler of a connection%s%s failed: %s (%s)", *peer ? " from " : "", peer,
                   eddy_error_message(rc), eddy_error_name(rc));
}

static int connection_handle(struct connection *c)
{
    eddy_server *server = c->server;
    int rc = ed_socket_stream(c->fd, c->family, &c->stream);

    if (rc < 0) {
        ed_engine_forget(server->loop->engine, c->fd);
        close(c->fd);
        server_run_short(server, rc, "serve a connection");
        return 0;
    }
    c->stream->owner = &c->stream;
    if (server->options.wrap)
        rc = server->options.wrap(&c->stream, server->options.wrap_argument);
    c->wrapping = false;
    if (c->stream)
        c->stream->owner = &c->stream;
    if (rc == 0)
        rc = server->handler(c->stream, server->argument);
    return rc;
}

static void connection_end(struct connection *c)
{
    eddy_server *server = c->server;

    ed_list_remove(&server->connections, &c->link);
    ed_free(c);
    server->count--;
    server_end_pause(server);
    server_accept(server);
    server_settle(server);
}

/* What the handler has written goes first, for as long as the peer takes. Once the task is
 * cancelled it has a moment for that: a peer that does not read holds up no server's end. An
 * error of it is nothing to tell. */
static void connection_close(struct connection *c)
{
    if (c->stream)
        (void)eddy_flush(c->stream);
    EDDY_SHIELD(goodbye);
    EDDY_TIMEOUT(limit, SERVER_GOODBYE);
    (void)eddy_stream_close(&c->stream);
}

static int connection_run(struct connection *c)
{
    int rc = connection_handle(c);

    connection_failed(c, rc);
    if (rc < 0 && c->stream)
        c->stream->cut = true; /* what is half must not look as if it were whole */
    connection_close(c);
    connection_end(c);
    return 0;
}
EDDY_ASYNC(connection_run, struct connection *);

/* Makes a task for a descriptor, which is the connection's then. */
static int connection_start(const struct door *door, int fd)
{
    eddy_server *server = door->server;
    const eddy_task_options options = {.name = server->name ? server->name : "connection",
                                       .stack_size = server->options.stack_size};
    struct connection *c = ed_alloc_zero(sizeof *c);
    eddy_call call;
    void *locals = eddy_thread_.locals;

    if (!c)
        return -ENOMEM;
    c->server = server;
    c->wrapping = server->options.wrap != NULL;
    c->fd = fd;
    c->family = door->listener.address.as.any.sa_family;
    call = EDDY_CALL(connection_run, c);
    eddy_thread_.locals = server->locals;
    c->task = ed_task_new_call(server->loop, &call, &options);
    eddy_thread_.locals = locals;
    if (!c->task) {
        ed_free(c);
        return -ENOMEM;
    }
    c->task->is.owner = ED_OWNER_NONE;
    ed_list_append(&server->connections, &c->link);
    server->count++;
    return 0;
}

/* Accepting. */

static void door_accepted(struct door *door, int fd)
{
    eddy_server *server = door->server;
    int rc;

    if (!server->stopped && server_is_full(server)) { /* another door was faster */
        door->held = fd;
        return;
    }
    rc = server->stopped ? -ESHUTDOWN : connection_start(door, fd);
    if (rc == 0) {
        server->short_told = false;
        return;
    }
    close(fd);
    if (rc == -ENOMEM)
        server_run_short(server, rc, "serve a connection");
}

static void door_admit(struct door *door)
{
    int fd = door->held;

    door->held = -1;
    if (fd >= 0)
        door_accepted(door, fd);
}

/* What an accept says of a connection that is gone already, or of its network, accept(2). */
static bool door_may_go_on(int code)
{
    return code == -ECONNABORTED || code == -EINTR || code == -EAGAIN || code == -EPROTO ||
           code == -ENETDOWN || code == -EHOSTDOWN || code == -EHOSTUNREACH ||
           code == -ENETUNREACH || code == -ENOPROTOOPT || code == -EPERM;
}

static void door_accept_done(struct ed_op *op)
{
    struct door *door = ed_container_of(op, struct door, accept);
    eddy_server *server = door->server;

    if (op->result >= 0)
        door_accepted(door, op->result);
    if (op->more)
        return;
    if (server->stopped) {
        ed_listener_close(&door->listener);
        server_settle(server);
    } else if (op->result >= 0 || op->result == -ECANCELED || door_may_go_on(op->result)) {
        server_accept(server);
    } else {
        server_run_short(server, op->result, "accept connections");
    }
}

static void door_open(struct door *door)
{
    const eddy_server *server = door->server;

    door->accept.done = door_accept_done;
    door->accept.kind = server->options.connections ? ED_OP_ACCEPT : ED_OP_ACCEPT_MANY;
    door->accept.fd = door->listener.fd;
    door->accept.address = NULL;
    ed_engine_submit(server->loop->engine, &door->accept);
}

/* Starting. */

static void server_free(eddy_server *server)
{
    for (size_t i = 0; i < server->door_count; i++)
        ed_listener_close(&server->doors[i].listener);
    ed_loop_remove_resource(server->loop, &server->resource);
    ed_locals_unref(server->locals);
    ed_free(server->doors);
    ed_free(server->name);
    ed_free(server);
}

static void server_describe(struct ed_resource *resource, char *text, size_t size)
{
    (void)resource;
    snprintf(text, size, "a server");
}

/* The loop closes over it: its connections' tasks have ended with the loop. */
static void server_left(struct ed_resource *resource, bool end)
{
    eddy_server *server = ed_container_of(resource, eddy_server, resource);
    struct eddy_link_ *link;

    if (!end) {
        eddy_server_stop(server);
        return;
    }
    while ((link = ed_list_pop(&server->connections)))
        ed_free(ed_container_of(link, struct connection, link));
    ed_loop_enter_resource(server->loop, resource); /* server_free takes it out */
    server_free(server);
}

static int server_new(const eddy_server_options *options, eddy_connection_handler *handler,
                      void *argument, eddy_server **out)
{
    eddy_server *server = ed_alloc_zero(sizeof *server);

    if (!server)
        return ed_fail(-ENOMEM);
    server->loop = eddy_thread_.loop;
    server->handler = handler;
    server->argument = argument;
    if (options)
        server->options = *options;
    server->pause = (struct eddy_timer_)ED_TIMER_INIT(server_pause_over);
    server->resource.describe = server_describe;
    server->resource.close = server_left;
    ed_loop_enter_resource(server->loop, &server->resource);
    server->locals = ed_loop_take_locals();
    if (server->options.name && !(server->name = ed_strdup(server->options.name))) {
        server_free(server);
        return ed_fail(-ENOMEM);
    }
    *out = server;
    return 0;
}

static int server_add(eddy_server *server, const struct ed_listener *listener)
{
    struct door *doors;

    if (server->door_count == server->door_room) {
        if (server->door_room == SERVER_LISTENERS)
            return ed_raise(-E2BIG, "a server listens at %d addresses at most", SERVER_LISTENERS);
        doors = ed_realloc(server->doors, (server->door_room + 4) * sizeof *doors);
        if (!doors)
            return ed_fail(-ENOMEM);
        server->doors = doors;
        server->door_room += 4;
    }
    server->doors[server->door_count++] =
        (struct door){.listener = *listener, .server = server, .held = -1};
    return 0;
}

static bool server_has(const eddy_server *server, const eddy_address *address)
{
    for (size_t i = 0; i < server->door_count; i++)
        if (eddy_address_port(address) &&
            eddy_address_equal(&server->doors[i].listener.address, address))
            return true;
    return false;
}

static int server_listen(eddy_server *server, const eddy_address *address)
{
    struct ed_listener listener;
    int rc = ed_listener_open(address, &server->options, &listener);

    if (rc < 0)
        return rc;
    rc = server_add(server, &listener);
    if (rc < 0)
        ed_listener_close(&listener);
    return rc;
}

/* A family that this machine lacks is no error, when another is there. */
static bool server_may_skip(int code)
{
    return code == -EADDRNOTAVAIL || code == -EAFNOSUPPORT;
}

/* Listens at all addresses of a host; a port that is drawn is the same for all, if it is free. */
static int server_listen_host(eddy_server *server, const struct ed_place *place)
{
    const eddy_lookup_options lookup = {.passive = true};
    size_t before = server->door_count;
    int skipped = 0, rc;
    EDDY_ADDRESSES(found);

    EDDY_TRY(eddy_getaddrinfo(place->host, place->port, &lookup, &found));
    for (size_t i = 0; i < found.count; i++) {
        eddy_address address = found.at[i];

        if (server_has(server, &address))
            continue;
        if (place->port == 0 && server->door_count > before)
            eddy_address_set_port(&address,
                                  eddy_address_port(&server->doors[before].listener.address));
        rc = server_listen(server, &address);
        if (rc == -EADDRINUSE && place->port == 0)
            rc = server_listen(server, &found.at[i]);
        if (server_may_skip(rc))
            skipped = rc;
        else if (rc < 0)
            return rc;
    }
    return server->door_count == before ? skipped : 0;
}

static int server_listen_place(eddy_server *server, const char *text, size_t size)
{
    const struct eddy_scheme_ *scheme;
    struct ed_place place;
    eddy_address address;
    int rc;

    EDDY_TRY(ed_place_parse(text, size, &place));
    if (strcmp(place.scheme, "unix") == 0) {
        rc = eddy_address_from_path(place.host, &address);
        return rc < 0 ? ed_raise(rc, "\"%s\" is not a path of a unix socket", place.host)
                      : server_listen(server, &address);
    }
    if (strcmp(place.scheme, "tcp") != 0) {
        scheme = ed_scheme_find(place.scheme);
        if (!scheme || !scheme->serve)
            return ed_scheme_unknown(place.scheme);
        EDDY_TRY(scheme->serve(&server->options));
    }
    return server_listen_host(server, &place);
}

/* All places of a list. */
static int server_listen_all(eddy_server *server, const char *places)
{
    size_t length;

    for (;; places += length + 1) {
        length = strcspn(places, ",");
        EDDY_TRY(server_listen_place(server, places, length));
        if (!places[length])
            return 0;
    }
}

int eddy_start_server_with(const char *places, const eddy_server_options *options,
                           eddy_connection_handler *handler, void *argument, eddy_server **out)
{
    eddy_server *server;
    int rc = ed_checkpoint();

    if (rc == 0)
        rc = server_new(options, handler, argument, &server);
    if (rc < 0)
        return rc;
    rc = server_listen_all(server, places);
    if (rc < 0) {
        server_free(server);
        return rc;
    }
    server->paused = server->options.paused;
    server_accept(server);
    *out = server;
    return 0;
}

int eddy_start_server(const char *places, eddy_connection_handler *handler, void *argument,
                      eddy_server **out)
{
    return eddy_start_server_with(places, NULL, handler, argument, out);
}

int eddy_server_from_fd(int fd, const eddy_server_options *options,
                        eddy_connection_handler *handler, void *argument, eddy_server **out)
{
    static const eddy_server_options defaults;
    struct ed_listener listener;
    eddy_server *server;
    int rc;

    if (!eddy_thread_.loop)
        return ed_raise(-EPERM, "a server was made outside a running loop");
    rc = ed_listener_adopt(fd, options ? options : &defaults, &listener);
    if (rc < 0)
        return rc;
    rc = server_new(options, handler, argument, &server);
    if (rc == 0) {
        rc = server_add(server, &listener);
        if (rc < 0)
            server_free(server);
    }
    if (rc < 0) {
        ed_listener_give_back(&listener);
        return rc;
    }
    server->paused = server->options.paused;
    server_accept(server);
    *out = server;
    return 0;
}

/* Ending. */

int eddy_server_start(eddy_server *server)
{
    if (server->stopped)
        return -ESHUTDOWN;
    server->paused = false;
    server_accept(server);
    return 0;
}

void eddy_server_stop(eddy_server *server)
{
    ed_loop_check_thread(server->loop, "eddy_server_stop");
    if (server->stopped)
        return;
    server->stopped = true;
    server_end_pause(server);
    for (size_t i = 0; i < server->door_count; i++) {
        struct door *door = &server->doors[i];

        ed_listener_refuse(&door->listener);
        if (door->held >= 0)
            close(door->held);
        door->held = -1;
        if (door->accept.in_flight)
            ed_engine_cancel(server->loop->engine, &door->accept);
        else
            ed_listener_close(&door->listener);
    }
    server_settle(server);
}

static int server_wait(eddy_server *server, bool shielded)
{
    static const struct ed_wait_kind kind = {"server.wait", NULL, NULL};
    struct ed_wait wait = ED_WAIT(&kind, server, &server->waiters);

    wait.shielded = shielded;
    if (server_has_ended(server))
        return 0;
    ED_LIST_FOR_EACH(link, &server->connections)
        if (ed_container_of(link, struct connection, link)->task == wait.task)
            ed_die("the handler of a connection waits for the end of its own server");
    return ed_park(&wait);
}

/* A call that may wait is inside from its first moment, so that a close does not free the server
 * under it. */
static int server_enter(eddy_server *server)
{
    server->inside++;
    return ed_checkpoint();
}

static int server_leave(eddy_server *server, int rc)
{
    struct ed_wait *closer = server->closer;

    if (--server->inside == 0 && closer) {
        server->closer = NULL;
        ed_wake(closer, 0);
    }
    return rc;
}

int eddy_server_wait(eddy_server *server)
{
    int rc = server_enter(server);

    return server_leave(server, rc < 0 ? rc : server_wait(server, false));
}

static void server_cancel_clients(eddy_server *server, bool abort)
{
    ED_LIST_FOR_EACH(link, &server->connections) {
        struct connection *c = ed_container_of(link, struct connection, link);

        if (abort && c->stream)
            eddy_stream_abort(c->stream);
        c->aborted = c->aborted || abort;
        ed_task_cancel_final(c->task);
    }
}

void eddy_server_close_clients(eddy_server *server)
{
    server_cancel_clients(server, false);
}

void eddy_server_abort_clients(eddy_server *server)
{
    server_cancel_clients(server, true);
}

/* A handshake has nothing to end, and a client that is silent in it would have all the time. */
static void server_cancel_handshakes(eddy_server *server)
{
    ED_LIST_FOR_EACH(link, &server->connections) {
        struct connection *c = ed_container_of(link, struct connection, link);

        if (c->wrapping)
            ed_task_cancel_final(c->task);
    }
}

int eddy_server_shutdown(eddy_server *server, double seconds)
{
    int rc;

    eddy_server_stop(server);
    server_cancel_handshakes(server);
    {
        EDDY_TIMEOUT(grace, seconds);
        rc = server_enter(server);
        if (rc == 0)
            rc = server_wait(server, false);
    }
    if (rc < 0) {
        server_cancel_clients(server, false);
        (void)server_wait(server, true); /* nothing cuts it short */
    }
    return server_leave(server, rc);
}

int eddy_serve_forever(eddy_server *server)
{
    int rc = server_enter(server);

    if (rc == 0 && server->serving)
        rc = ed_raise(-EBUSY, "another task serves this server for ever");
    if (rc < 0)
        return server_leave(server, rc);
    server->serving = true;
    (void)eddy_server_start(server); /* one that is stopped is only waited for */
    rc = server_wait(server, false);
    server->serving = false;
    if (rc < 0) {
        eddy_server_stop(server);
        server_cancel_clients(server, false);
        (void)server_wait(server, true);
    }
    return server_leave(server, rc);
}

/* Waits for those who have waited for the same end. */
static void server_wait_inside(eddy_server *server)
{
    static const struct ed_wait_kind kind = {"server.close", NULL, NULL};
    struct ed_wait wait = ED_WAIT(&kind, server, NULL);

    if (server->inside == 0)
        return;
    wait.shielded = true;
    server->closer = &wait;
    (void)ed_park(&wait); /* nothing cuts it short */
}

void eddy_server_close(eddy_server **place)
{
    eddy_server *server = *place;

    *place = NULL;
    if (!server)
        return;
    eddy_server_stop(server);
    server_cancel_clients(server, false);
    (void)server_wait(server, true);
    server_wait_inside(server);
    server_free(server);
}

void eddy_server_end_scope_(eddy_server **server)
{
    eddy_server_close(server);
}

void eddy_server_detach(eddy_stream *stream)
{
    if (stream->owner)
        *stream->owner = NULL;
    stream->owner = NULL;
}

/* What is known of it. */

bool eddy_server_is_serving(const eddy_server *server)
{
    return !server->stopped && !server->paused;
}

size_t eddy_server_connections(const eddy_server *server)
{
    return server->count;
}

const eddy_address *eddy_server_address(const eddy_server *server, size_t index)
{
    return server->stopped || index >= server->door_count ? NULL
                                                          : &server->doors[index].listener.address;
}

const char *eddy_server_name(const eddy_server *server, size_t index)
{
    struct door *door = index < server->door_count ? &server->doors[index] : NULL;

    if (!door || server->stopped)
        return "";
    return eddy_address_text(&door->listener.address, door->name, sizeof door->name);
}

uint16_t eddy_server_port(const eddy_server *server)
{
    for (size_t i = 0; i < server->door_count; i++)
        if (eddy_address_port(&server->doors[i].listener.address))
            return eddy_address_port(&server->doors[i].listener.address);
    return 0;
}
