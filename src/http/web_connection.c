/* SPDX-License-Identifier: MIT */
/*
 * Connections: one task each, which reads a head, runs the handler, sends the answer, and begins
 * anew.
 *
 * Nothing here has a timer of its own. A connection notes what it does and since which tick of the
 * server, and the server's scan (web_scan.c) cancels the task of one that takes too long, or whose
 * client has gone, having noted why:
 *
 *     a task that is cancelled with `why` set is cancelled by the scan; in WAITING it withdraws
 *     that, and closes or answers 408; in HANDLING it is the end
 *
 * Requests that came together are answered one after the other, from what the stream has kept, and
 * their answers leave together.
 *
 * An end of the server's choice is one in order (RFC 9112, 9.6): nothing is written any more, and
 * what the client sends still is read and dropped for a while, so that no reset overtakes the
 * answer.
 */
#include <errno.h>
#include <string.h>

#include "http/web_exchange.h"
#include "http/web_log.h"
#include "http/web_server.h"
#include "task/task.h"

#define CONNECTION_HURRY 1.0                    /* seconds of leaving while the server stops */
#define CONNECTION_DRAINED ((int64_t)256 << 10) /* bytes of a body that are read for nobody */

/* Requests ---------------------------------------------------------------------------- */

/* Makes the exchange one for a new request. */
static void exchange_init(struct ed_web_connection *c)
{
    struct eddy_web_request *request = &c->request;

    ed_web_answer_init(request);
    request->path = request->query = "";
    request->target.app = c->server->app;
    request->target.found.value_count = 0;
    request->values = NULL;
    request->queries = NULL;
    request->body = NULL;
    request->whole = NULL;
    request->multipart = NULL;
    request->form = NULL;
    request->continued = false;
    request->sent = 0;
}

/* Memory of exchanges that are over is for the next ones, of whatever connection: those that wait
 * have none. */
static void connection_take_arena(struct ed_web_connection *c)
{
    eddy_web_server *server = c->server;

    if (!c->request.arena.first && server->spare_count > 0)
        c->request.arena = server->spares[--server->spare_count];
}

static void connection_give_arena(struct ed_web_connection *c)
{
    eddy_web_server *server = c->server;

    if (!c->request.arena.first)
        return;
    if (server->spare_count < ED_WEB_SPARES) {
        ed_arena_reset(&c->request.arena);
        server->spares[server->spare_count++] = c->request.arena;
        c->request.arena = (struct ed_arena){0};
    } else {
        ed_arena_free(&c->request.arena);
    }
}

static void exchange_end(struct ed_web_connection *c)
{
    struct eddy_web_request *request = &c->request;

    if (request->answer.body)
        (void)eddy_stream_close(&request->answer.body); /* it has been ended, or is broken */
    ed_web_answer_drop(request);
    ed_web_request_close(request);
    connection_give_arena(c);
}

/* Whether an error came of a client that went away. */
static bool exchange_was_left(int rc)
{
    return rc == -EPIPE || rc == -ECONNRESET || rc == -ECONNABORTED || rc == -ECANCELED;
}

/* The end of another protocol: what its client has done is no failure of the handler's, which is
 * told as any other. */
static int exchange_end_upgraded(struct ed_web_connection *c, int rc)
{
    const bool left = exchange_was_left(rc) || rc == EDDY_EINCOMPLETE || rc == EDDY_ETLS_TRUNCATED;

    c->stop = NULL;
    if (rc < 0 && !left && rc != c->left && rc != c->stream->write_error)
        ed_web_error_tell(&c->request, rc);
    return 0;
}

/* Ends an answer that the handler has begun: whole, or so that the client sees that it is not. */
static int exchange_end_begun(struct ed_web_connection *c, int rc)
{
    struct ed_web_answer *answer = &c->request.answer;

    if (answer->upgraded)
        return exchange_end_upgraded(c, rc);
    if (rc == 0 && answer->body && !answer->sink)
        rc = ed_body_finish(answer->body);
    if (answer->body)
        c->request.sent = answer->sink ? 0 : ed_body_sent(answer->body);
    if (rc == 0)
        return 0;
    if (answer->body)
        eddy_stream_abort(answer->body);
    if (!exchange_was_left(rc))
        ed_web_error_tell(&c->request, rc);
    eddy_stream_abort(c->stream);
    return -ECONNABORTED;
}

/* Answers as the handler has said, or failed. */
static int exchange_answer(struct ed_web_connection *c, int rc)
{
    eddy_web_request *request = &c->request;

    if (request->answer.started)
        return exchange_end_begun(c, rc);
    if (ed_unlikely(c->why || eddy_cancelled()))
        return -ECANCELED;
    if (exchange_was_left(rc) && (c->stream->read_error || c->stream->write_error))
        return rc; /* the client's doing, and nobody is there for an answer */
    if (rc == 0 && request->answer.status && c->server->options.compress)
        rc = ed_web_compress(request);
    if (ed_unlikely(rc < 0 || !request->answer.status))
        rc = ed_web_error_answer(request, rc);
    return rc < 0 ? rc : ed_web_answer_send(request);
}

/* Ends ---------------------------------------------------------------------------------- */

/* Reads what the handler has left of the body: whether that was all. */
static ED_NOINLINE bool connection_drain(struct ed_web_connection *c)
{
    char data[1024];
    ssize_t n = 1;
    EDDY_TIMEOUT(limit, c->server->options.linger_time);

    c->state = ED_WEB_LEAVING;
    while (n > 0)
        n = ed_reader_body(&c->reader, data, sizeof data);
    return n == 0;
}

/* Takes leave, where one half can be ended alone; TLS sees to that itself. */
static ED_NOINLINE int connection_leave(struct ed_web_connection *c)
{
    double seconds = c->server->options.linger_time;
    char data[1024];

    if (c->server->stopping && seconds > CONNECTION_HURRY)
        seconds = CONNECTION_HURRY;
    EDDY_TIMEOUT(limit, seconds);

    c->state = ED_WEB_LEAVING;
    if (eddy_write_eof(c->stream) < 0)
        return 0;
    while (eddy_read(c->stream, data, sizeof data) > 0)
        ;
    return 0;
}

/* Whether a body that is left can be read for nobody, for the sake of the connection. */
static bool connection_can_drain(const struct ed_web_connection *c)
{
    const struct eddy_web_request *request = &c->request;

    return request->head.length >= 0 && c->reader.left <= CONNECTION_DRAINED &&
           request->answer.status != 417 && (!request->head.expects || request->continued);
}

bool ed_web_answer_keeps(const eddy_web_request *request)
{
    const struct ed_web_connection *c = request->connection;
    const struct ed_web_answer *answer = &request->answer;

    return request->head.keep_alive && !answer->close && !answer->to_eof && !c->server->stopping &&
           (ed_web_request_is_read(request) || connection_can_drain(c));
}

/* Behind an answer: 1 when there may be another request, else 0. */
static int connection_go_on(struct ed_web_connection *c)
{
    struct eddy_web_request *request = &c->request;
    bool read = ed_web_request_is_read(request);

    if (request->answer.upgraded)
        return 0;
    if (ed_web_answer_keeps(request) && (read || connection_drain(c)))
        return 1;
    if (read && (!request->head.keep_alive || request->answer.to_eof))
        return request->answer.to_eof ? connection_leave(c) : 0;
    return connection_leave(c);
}

/* Heads --------------------------------------------------------------------------------- */

/* The scan has cancelled the task while it waited for a head: `rc` is what became of that. 408 when
 * the client was too slow. */
static int connection_interrupted(struct ed_web_connection *c, int rc)
{
    enum ed_web_why why = c->why;

    if (why != ED_WEB_END)
        c->why = ED_WEB_NOT;
    if (why == ED_WEB_END || eddy_uncancel() < 0)
        return -ECANCELED; /* and so has the server */
    if (rc != -ECANCELED)
        return rc;
    return why == ED_WEB_SLOW ? 408 : 0;
}

/* Waits for a request: 1; 0 when there is none any more; the status of a refusal; or an error. */
static int connection_await(struct ed_web_connection *c)
{
    const char *kept;
    int rc;

    c->tick = c->progress = c->server->tick;
    c->begun = c->noticed = false;
    c->state = ED_WEB_WAITING;
    if (ed_unlikely(c->server->stopping) && eddy_stream_kept(c->stream, &kept) == 0)
        return 0;
    rc = ed_reader_await(&c->reader);
    if (ed_likely(rc == 1)) {
        c->begun = true;
        connection_take_arena(c);
        rc = ed_reader_head(&c->reader, &c->request.arena, &c->request.head, NULL);
    }
    c->state = ED_WEB_HANDLING;
    c->tick = c->server->tick;
    if (ed_unlikely(c->resting))
        ed_web_wake(c);
    if (ed_unlikely(c->why))
        rc = connection_interrupted(c, rc);
    if (rc == EDDY_EHTTP_PROTOCOL || rc == EDDY_ELIMIT)
        return c->reader.refusal ? c->reader.refusal : 400;
    return rc;
}

/* Answers what is no request. Its text is the reader's, and has nothing of what came. */
static ED_NOINLINE int connection_refuse(struct ed_web_connection *c, int status)
{
    struct eddy_web_request *request = &c->request;
    int rc;

    memset(&request->head, 0, sizeof request->head);
    ed_headers_init(&request->head.fields, &request->arena);
    request->head.method = request->head.target = request->head.path = request->head.host = "";
    request->head.minor = 1;
    exchange_init(c);
    rc = ed_web_error_answer(request, EDDY_HTTP_STATUS(status));
    if (rc == 0)
        rc = ed_web_answer_send(request);
    ed_web_log_write(c->server->log, request);
    exchange_end(c);
    return rc < 0 ? rc : connection_leave(c);
}

/* One request: 1 when there may be another, 0, or an error. */
static int connection_exchange(struct ed_web_connection *c)
{
    eddy_web_request *request = &c->request;
    int rc;

    eddy_free(ed_error_set_aside()); /* the text of an earlier request is not for this one */
    rc = connection_await(c);
    if (rc != 1)
        return rc < 100 ? rc : connection_refuse(c, rc);
    exchange_init(c);
    if (c->server->log)
        request->since = eddy_time();
    rc = ed_web_request_open(request);
    if (ed_likely(rc == 0))
        rc = eddy_web_next(request);
    rc = exchange_answer(c, rc);
    if (c->server->log)
        ed_web_log_write(c->server->log, request);
    if (rc == 0)
        rc = connection_go_on(c);
    exchange_end(c);
    return rc;
}

/* What broke off in the middle of a head or body is no failure of anybody's. */
static int connection_serve(struct ed_web_connection *c)
{
    int rc = ed_reader_open(&c->reader, c->stream, false, &c->server->limits);

    if (rc < 0)
        return rc;
    do
        rc = connection_exchange(c);
    while (rc > 0);
    ed_reader_close(&c->reader);
    return rc;
}

/* Waits until what was written has gone, while the scan still looks at it: a client that takes
 * nothing is broken off. */
static void connection_flush(struct ed_web_connection *c)
{
    if (c->resting)
        ed_web_wake(c);
    c->state = ED_WEB_LEAVING;
    c->tick = c->progress = c->server->tick;
    (void)eddy_flush(c->stream);
}

int ed_web_serve(eddy_stream *stream, void *argument)
{
    eddy_web_server *server = argument;
    struct ed_web_connection *c = eddy_alloc_(sizeof *c);
    int rc;

    if (!c)
        return -ENOMEM;
    c->server = server;
    c->stream = stream;
    c->task = eddy_current_task();
    c->request.connection = c;
    ed_web_enter(c);
    rc = connection_serve(c);
    connection_give_arena(c);
    connection_flush(c);
    ed_web_leave(c);
    eddy_free(c);
    return rc;
}
