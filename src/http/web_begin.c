/* SPDX-License-Identifier: MIT */
/*
 * Answers that are written as streams.
 *
 * eddy_web_begin sends the head and gives a stream for the body, which frames what is written to
 * it, or, where no body may follow, drops it: to HEAD, 204 and 304 a handler answers as to any
 * other. The connection loop ends the body when the handler has returned. What is compressed goes
 * as soon as the handler waits, as what is not does.
 */
#include <errno.h>
#include <string.h>

#include "http/web_exchange.h"
#include "http/web_upgrade.h"

/* A stream that takes everything. */

static ssize_t sink_read(eddy_stream *stream, void *data, size_t size)
{
    (void)stream, (void)data, (void)size;
    return 0;
}

static int
sink_write(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait, size_t *done)
{
    (void)stream, (void)wait;
    for (size_t i = 0; i < count; i++)
        *done += parts[i].iov_len;
    return 0;
}

static void sink_abort(eddy_stream *stream, int rc)
{
    (void)stream, (void)rc;
}

static int sink_close(eddy_stream *stream)
{
    (void)stream;
    return 0;
}

static void sink_free(eddy_stream *stream)
{
    eddy_free(stream);
}

int ed_web_sink_open(eddy_stream **out)
{
    static const eddy_stream_class kind = {
        .name = "http",
        .read = sink_read,
        .write = sink_write,
        .abort = sink_abort,
        .close = sink_close,
        .hurries = true,
        .free = sink_free,
    };
    eddy_stream *stream = eddy_alloc_(sizeof *stream);
    int rc = stream ? eddy_stream_init(stream, &kind) : -ENOMEM;

    if (rc < 0)
        eddy_free(stream);
    else
        *out = stream;
    return rc;
}

static bool begin_has_body(const eddy_web_request *request, int status)
{
    return ed_web_status_has_body(status) && strcmp(request->head.method, "HEAD") != 0;
}

/* The stream of the body, which writes nothing yet. */
static int begin_open(eddy_web_request *request, int64_t size, enum ed_coding coding)
{
    struct ed_web_answer *answer = &request->answer;

    answer->sink = !begin_has_body(request, answer->status);
    if (answer->sink)
        return ed_web_sink_open(&answer->body);
    answer->to_eof = (size < 0 || coding != ED_CODING_IDENTITY) && request->head.minor == 0;
    EDDY_TRY(ed_body_writer_open(request->connection->stream, size, answer->to_eof, coding,
                                 &answer->body));
    return ed_body_hurry(answer->body);
}

int eddy_web_begin(eddy_web_request *request, int status, const char *content_type, int64_t size,
                   eddy_stream **body)
{
    struct ed_web_answer *answer = &request->answer;
    bool has_body = ed_web_status_has_body(status);
    enum ed_coding coding;
    ssize_t rc;
    char *head;

    EDDY_TRY(eddy_web_send(request, status, content_type, NULL, 0));
    if (!has_body)
        (void)eddy_headers_remove(&answer->fields, "Content-Type"); /* they are ours */
    EDDY_TRY(ed_web_compress_begun(request, size, &coding));
    rc = begin_open(request, size, coding);
    if (rc == 0)
        rc = ed_web_answer_head(request, has_body && coding == ED_CODING_IDENTITY ? size : -1,
                                has_body && request->head.minor > 0, &head);
    if (rc < 0) {
        if (answer->body)
            (void)eddy_stream_close(&answer->body); /* nothing is in it */
        return (int)rc;
    }
    answer->started = true;
    *body = answer->body;
    return eddy_write(request->connection->stream, head, (size_t)rc);
}

int ed_web_upgrade(eddy_web_request *request, const char *protocol, eddy_stream **stream)
{
    struct ed_web_answer *answer = &request->answer;
    ssize_t size;
    char *head;

    EDDY_TRY(ed_web_answer_check(request));
    if (request->head.has_body || request->head.minor == 0)
        return eddy_raise(EDDY_HTTP_STATUS(400), "this request cannot be upgraded");
    ed_web_answer_drop(request);
    answer->status = 101;
    answer->upgraded = answer->close = true;
    (void)eddy_headers_remove(&answer->fields, "Content-Type"); /* they are ours */
    EDDY_TRY(eddy_headers_set(&answer->fields, "Connection", "upgrade"));
    EDDY_TRY(eddy_headers_set(&answer->fields, "Upgrade", protocol));
    size = ed_web_answer_head(request, -1, false, &head);
    if (size < 0)
        return (int)size;
    answer->started = true;
    request->connection->state = ED_WEB_UPGRADED;
    *stream = request->connection->stream;
    return eddy_write(*stream, head, (size_t)size);
}

void ed_web_upgrade_begin(eddy_web_request *request, void (*stop)(void *owner), void *owner)
{
    struct ed_web_connection *c = request->connection;

    c->stop = stop;
    c->stop_owner = owner;
    if (c->server->stopping)
        stop(owner);
}

void ed_web_upgrade_end(eddy_web_request *request, int failed)
{
    request->connection->stop = NULL;
    request->connection->left = failed;
}
