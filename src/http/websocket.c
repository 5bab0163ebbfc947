/* SPDX-License-Identifier: MIT */
/*
 * The object: how it comes into being, who is inside, and what it says about itself.
 *
 * Every call counts as inside from its first moment on. The close waits until nobody is, and only
 * then frees it; so a call never has to look whether the object is still there.
 */
#include "http/websocket.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ed_websocket_raise(const eddy_websocket *socket, int rc, const char *format, ...)
{
    const char *peer = socket->stream ? eddy_stream_peer_name(socket->stream) : "";
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return eddy_raise(rc, "websocket%s%s: %s", *peer ? " " : "", peer, text);
}

/* A time in seconds: what was asked for, or with 0 the usual. */
static double websocket_seconds(double asked, double usual)
{
    return asked == 0 ? usual : asked;
}

static int websocket_check_options(const eddy_websocket_options *options)
{
    if (isnan(options->heartbeat) || options->heartbeat < 0)
        return eddy_raise(-EINVAL, "websocket: a heartbeat of %g seconds", options->heartbeat);
    if (isnan(options->close_time) || options->close_time < 0)
        return eddy_raise(-EINVAL, "websocket: %g seconds for a close", options->close_time);
    return 0;
}

static void websocket_set_options(eddy_websocket *socket, const eddy_websocket_options *options)
{
    size_t most = SIZE_MAX / 4;

    socket->limit = options->limit ? options->limit : ED_WEBSOCKET_LIMIT;
    if (socket->limit > most)
        socket->limit = most;
    socket->compress_from =
        options->compress_from ? options->compress_from : ED_WEBSOCKET_COMPRESS_FROM;
    socket->heartbeat = websocket_seconds(options->heartbeat, 0);
    socket->close_time = websocket_seconds(options->close_time, ED_WEBSOCKET_CLOSE_TIME);
}

void ed_websocket_free(eddy_websocket *socket)
{
    if (!socket)
        return;
    ed_deflate_close(socket->deflate);
    ed_buffer_release(&socket->message);
    eddy_free(socket->protocol);
    eddy_free(socket);
}

int ed_websocket_open(eddy_stream *stream, const struct ed_websocket_agreed *agreed,
                      const eddy_websocket_options *options, eddy_websocket **out)
{
    static const eddy_websocket_options defaults;
    eddy_websocket *socket;
    int rc;

    options = options ? options : &defaults;
    rc = websocket_check_options(options);
    if (rc < 0)
        return rc;
    socket = eddy_alloc_(sizeof *socket);
    if (socket)
        socket->protocol = eddy_strdup_(agreed->protocol ? agreed->protocol : "");
    if (!socket || !socket->protocol)
        rc = -ENOMEM;
    if (rc == 0 && agreed->deflate.agreed)
        rc = ed_deflate_open(&agreed->deflate, agreed->client, &socket->deflate);
    if (rc < 0) {
        ed_websocket_free(socket);
        return eddy_raise(rc, "websocket: no memory for a connection");
    }
    websocket_set_options(socket, options);
    socket->client = agreed->client;
    socket->borrowed = agreed->borrowed;
    socket->release = agreed->release;
    socket->owner = agreed->owner;
    socket->stream = stream;
    eddy_event_set(&socket->whole);
    *out = socket;
    return 0;
}

int ed_websocket_enter(eddy_websocket *socket)
{
    if (socket->closing)
        return ed_websocket_raise(socket, -ESHUTDOWN, "it is being closed");
    socket->inside++;
    return 0;
}

int ed_websocket_leave(eddy_websocket *socket, int rc)
{
    socket->inside--;
    if (ed_unlikely(socket->closing))
        eddy_event_set(&socket->leaving);
    return rc;
}

int eddy_websocket_close_code(const eddy_websocket *socket)
{
    return socket->close_code;
}

const char *eddy_websocket_close_reason(const eddy_websocket *socket)
{
    return socket->close_reason;
}

const char *eddy_websocket_protocol(const eddy_websocket *socket)
{
    return socket->protocol;
}
