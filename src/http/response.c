/* SPDX-License-Identifier: MIT */
/*
 * A response and its connection.
 *
 * The body's stream reads through here, so that each wait is within the request's time in all and
 * the time between two reads, and so that the connection is given back in the moment in which the
 * last byte of the body was taken, whatever the reader does then. After that nothing looks at the
 * connection any more: `connection` is NULL, and reads find the end, or what broke the body.
 *
 *     a connection is reused only if the whole answer was read, nothing came behind it, all of the
 *     request was sent, and neither side wants it closed
 *
 * A reader who is cancelled, or whose own time is up, has taken nothing and may go on. When the
 * request's time is up, or anything else goes wrong, the connection is closed at once.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/client.h"
#include "http/client_upgrade.h"

#define RESPONSE_DECODED ((uint64_t)1 << 30)
#define RESPONSE_DISCARD 16384 /* bytes that are read to keep a connection, */
#define RESPONSE_PATIENCE 1.0  /* for so many seconds */

int ed_response_raise(const eddy_http_response *response, int code, const char *format, ...)
{
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return eddy_raise(code, "%s %.200s: %s", response->method, response->url->text, text);
}

/* The end of the exchange ------------------------------------------------------------------ */

static enum ed_fate
response_fate(const eddy_http_response *response, struct ed_connection *connection)
{
    const struct ed_upload *upload = &response->upload;
    const struct ed_reader *reader = &connection->reader;
    const char *data;

    if (!response->head.status || !reader->ended || response->upgraded ||
        (upload->connection && !upload->done))
        return ED_FATE_BREAK;
    if (!response->head.keep_alive || reader->framing == ED_FRAMING_EOF ||
        response->session->options.close_connections ||
        eddy_stream_kept(connection->stream, &data) > 0)
        return ED_FATE_CLOSE;
    return ED_FATE_KEEP;
}

void ed_response_leave(eddy_http_response *response)
{
    struct ed_connection *connection = response->connection;
    struct ed_upload *upload = &response->upload;

    if (!connection)
        return;
    response->connection = NULL;
    ed_upload_end(upload);
    ed_http_pool_put(&response->session->pool, connection, response_fate(response, connection));
    upload->connection = NULL;
}

/* Reading ---------------------------------------------------------------------------------- */

/* Bytes of the body that can be had without waiting. */
static bool response_has_bytes(struct ed_connection *connection)
{
    const char *data;

    return connection->reader.framing == ED_FRAMING_LENGTH &&
           eddy_stream_kept(connection->stream, &data) > 0;
}

static int response_raise_late(const eddy_http_response *response)
{
    return ed_response_raise(response, -ETIMEDOUT,
                             "reading the body: not done within %g seconds in all",
                             response->total);
}

/* Reads within the time limits; *own is set when one of these is up. The scopes end only waits: a
 * server that always has more to say would never be waited for. */
static ssize_t
response_read_in_time(eddy_http_response *response, void *data, size_t size, bool *own)
{
    *own = eddy_time() >= response->deadline;
    if (*own)
        return response_raise_late(response);
    EDDY_TIMEOUT_AT(total, response->deadline);
    EDDY_TIMEOUT(read, response->read);
    ssize_t n = ed_reader_body(&response->connection->reader, data, size);

    *own = n < 0;
    if (n == -ETIMEDOUT && eddy_timeout_expired(&total))
        return response_raise_late(response);
    if (n == -ETIMEDOUT && eddy_timeout_expired(&read))
        return ed_response_raise(response, EDDY_EHTTP_READ_TIMEOUT,
                                 "reading the body: nothing came within %g seconds",
                                 response->read);
    *own = false;
    return n;
}

/* Whether an error leaves the body as it was: it is the reader's. */
static bool response_goes_on(ssize_t rc, bool own)
{
    return rc == -ECANCELED || rc == -ENOMEM || rc == -EBUSY || (rc == -ETIMEDOUT && !own);
}

/* What the body is broken with, with a text. */
static int response_break(eddy_http_response *response, int rc, bool own)
{
    int failure = rc == -ECONNABORTED ? ed_upload_failure(&response->upload) : 0;

    if (failure < 0)
        rc = ed_response_raise(response, failure, "sending the body: %s",
                               eddy_error_message(failure));
    else if (rc == -ECONNABORTED && response->session->closed)
        rc = ed_response_raise(response, -ESHUTDOWN, "the session was closed meanwhile");
    else if (!own)
        rc = ed_response_raise(response, rc == EDDY_EINCOMPLETE ? EDDY_EHTTP_PAYLOAD : rc,
                               "reading the body: %s", eddy_error_message(rc));
    response->broken = rc;
    return rc;
}

static void response_leave_quietly(eddy_http_response *response)
{
    struct eddy_defer_ defer = {(void (*)(void *))(void (*)(void))ed_response_leave, response};

    eddy_defer_run_(&defer);
}

/* Bytes of an answer of a middleware's; 0 at their end, or what broke the body. */
static ssize_t response_take_given(eddy_http_response *response, void *data, size_t size)
{
    if (response->given_size == 0)
        return response->broken;
    if (size > response->given_size)
        size = response->given_size;
    memcpy(data, response->given, size);
    response->given += size;
    response->given_size -= size;
    return (ssize_t)size;
}

/* For the body's stream: bytes, 0 at the end, or an error. */
static ssize_t response_receive(eddy_http_response *response, void *data, size_t size)
{
    struct ed_connection *connection = response->connection;
    bool own = false;
    ssize_t n;

    if (!connection || response->upgraded)
        return response_take_given(response, data, size);
    n = response_has_bytes(connection) ? ed_reader_body(&connection->reader, data, size)
                                       : response_read_in_time(response, data, size, &own);
    if (n < 0 && response_goes_on(n, own))
        return n;
    if (n < 0) {
        n = response_break(response, (int)n, own);
        response_leave_quietly(response);
        return n;
    }
    if (n > 0)
        ed_trace(response, EDDY_HTTP_BODY_RECEIVED, 0, (size_t)n);
    if (connection->reader.ended)
        ed_response_leave(response);
    return n;
}

static ssize_t response_watch_read(void *owner, void *data, size_t size)
{
    return response_receive(owner, data, size);
}

static enum ed_coding response_coding(const eddy_http_response *response, bool keep_encoding)
{
    const char *name = eddy_http_header(response, "Content-Encoding");
    enum ed_coding coding;

    if (!name || keep_encoding || !response->connection || response->connection->reader.ended)
        return ED_CODING_IDENTITY;
    coding = ed_coding_by_name(name, strlen(name));
    return coding == ED_CODING_UNKNOWN ? ED_CODING_IDENTITY : coding;
}

int ed_response_open_body(eddy_http_response *response, bool keep_encoding, uint64_t limit)
{
    static const struct ed_body_watch watch = {.read = response_watch_read};
    int rc = ed_body_reader_open(NULL, response_coding(response, keep_encoding),
                                 limit ? limit : RESPONSE_DECODED, EDDY_ELIMIT, &watch, response,
                                 &response->body);

    if (rc == 0 && response->connection && response->connection->reader.ended &&
        !response->upgraded)
        ed_response_leave(response);
    return rc;
}

void ed_response_discard(eddy_http_response *response)
{
    size_t left = RESPONSE_DISCARD;
    bool short_enough = response->head.status &&
                        (response->head.chunked ||
                         (response->head.length >= 0 && response->head.length <= RESPONSE_DISCARD));
    char dropped[2048];
    ssize_t n = 1;
    {
        EDDY_TIMEOUT(limit, RESPONSE_PATIENCE);

        while (short_enough && response->connection && n > 0 && left > 0) {
            n = ed_reader_body(&response->connection->reader, dropped,
                               left < sizeof dropped ? left : sizeof dropped);
            left -= n > 0 ? (size_t)n : 0;
            if (response->connection->reader.ended)
                break;
        }
    }
    ed_response_leave(response);
}

void ed_response_restart(eddy_http_response *response)
{
    eddy_stream_end_scope_(&response->body);
    ed_response_discard(response);
    eddy_free(response->data);
    response->data = NULL;
    response->size = response->room = response->given_size = 0;
    response->whole = response->upgraded = false;
    response->broken = response->head.status = 0;
    response->content_type = response->charset = NULL;
}

/* The end ---------------------------------------------------------------------------------- */

/* The body that was sent is not needed any more, unless it still goes on. */
void ed_response_close_payload(eddy_http_response *response)
{
    struct ed_upload *upload = &response->upload;

    if (!upload->payload || (upload->task && !eddy_task_done(upload->task)))
        return;
    ed_payload_close(upload->payload);
    upload->payload = NULL;
}

/* The cache's own is left to it. */
static void response_free_url(const eddy_http_response *response, eddy_url *url)
{
    if (!response->cached || response->cached->url != url)
        eddy_url_free(url);
}

void ed_response_free(eddy_http_response *response)
{
    eddy_stream_end_scope_(&response->body); /* who is inside leaves first */
    ed_response_leave(response);
    ed_response_close_payload(response);
    for (size_t i = 0; i < response->redirect_count; i++)
        response_free_url(response, response->redirects[i]);
    response_free_url(response, response->url);
    ed_url_cache_put(response->cached);
    eddy_free(response->data);
    ed_session_put_response(response->session, response);
}

void eddy_http_response_close(eddy_http_response **handle)
{
    eddy_http_response *response = *handle;
    eddy_shield_scope shield;

    *handle = NULL;
    if (!response)
        return;
    eddy_shield_enter(&shield, EDDY_HERE_);
    ed_response_free(response);
    eddy_shield_exit(&shield);
}

void eddy_http_response_end_scope_(eddy_http_response **response)
{
    struct eddy_defer_ defer = {(void (*)(void *))(void (*)(void))eddy_http_response_close,
                                response};

    if (*response)
        eddy_defer_run_(&defer);
}

int ed_http_upgrade(eddy_http_session *session, const char *url, const eddy_http_options *options,
                    eddy_http_response **out, eddy_stream **stream)
{
    char text[4096];
    int size = 0;

    if (strncasecmp(url, "ws:", 3) == 0 || strncasecmp(url, "wss:", 4) == 0)
        size = snprintf(text, sizeof text, "http%s", url + 2);
    if (size < 0 || (size_t)size >= sizeof text)
        return eddy_raise(EDDY_EURL, "the URL \"%.100s...\" is too long", url);
    EDDY_TRY(ed_http_request(session, "GET", size ? text : url, options, true, out));
    *stream = (*out)->upgraded ? (*out)->connection->stream : NULL;
    return 0;
}
