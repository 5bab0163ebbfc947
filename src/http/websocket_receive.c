/* SPDX-License-Identifier: MIT */
/*
 * Receiving.
 *
 * Bytes come into socket->in, or for the payload of a large frame straight into socket->message.
 * All that is known of frame and message stands in the socket, and each step either takes bytes and
 * notes that, or leaves everything as it was; steps wait in between only. So a receive can be cut
 * short at any wait, and the next one goes on where it was.
 *
 * A message that is one frame, not compressed, and in `in` as a whole, is given from where it is:
 * its mask is taken off in place. All others are gathered in `message`, behind each other, so that
 * a fragment costs its bytes and nothing else. Texts are checked as their bytes are taken.
 *
 * A wait has a deadline: that of the heartbeat, or of a close that has begun. A close gets the
 * receiver out by moving that deadline to now.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eddy/task.h"
#include "http/websocket.h"

#define RECEIVE_ON 2               /* a step was taken, and there is more to do */
#define RECEIVE_DIRECT 1024        /* a payload of so many bytes does not go by way of `in` */
#define RECEIVE_KEEP (64UL << 10)  /* a block of so many bytes is kept for the next message */
#define RECEIVE_TURN (256UL << 10) /* bytes to expand before others run */
#define TIME_UP (-EDEADLK)         /* the wait's own deadline has passed; never given to callers */

/* The end of receiving, in order or by an error. */
static int receive_over(eddy_websocket *socket, int rc, const char *problem)
{
    socket->over = true;
    if (!socket->close_code)
        socket->close_code = 1006;
    if (socket->close_queued && !socket->failed)
        return 0; /* this side has closed: how the peer left does not matter */
    socket->failed = rc;
    socket->problem = problem;
    return problem ? ed_websocket_raise(socket, rc, "%s", problem) : rc;
}

/* The peer has broken a rule: says so to it, and to the caller. */
static int receive_fail(eddy_websocket *socket, int code, int rc, const char *why)
{
    bool closed_before = socket->close_queued;

    ed_websocket_queue_close(socket, code, why);
    socket->over = true;
    socket->failed = rc;
    socket->problem = why;
    if (!socket->close_code)
        socket->close_code = 1006;
    return closed_before ? 0 : ed_websocket_raise(socket, rc, "%s", why);
}

static int receive_too_long(eddy_websocket *socket)
{
    int rc = receive_fail(socket, 1009, EDDY_ELIMIT, "a message is longer than the limit");

    return rc < 0
               ? ed_websocket_raise(socket, rc, "a message is longer than %zu bytes", socket->limit)
               : rc;
}

static int receive_no_memory(const eddy_websocket *socket)
{
    return ed_websocket_raise(socket, -ENOMEM, "no memory for a message");
}

/* Waiting ------------------------------------------------------------------------- */

/* Until when the next wait may last; `now` is set with a heartbeat. */
static double receive_until(const eddy_websocket *socket, double now)
{
    double least = socket->pinged ? socket->heartbeat / 2 : socket->heartbeat;

    if (socket->close_queued)
        return socket->close_at;
    if (socket->heartbeat == 0)
        return EDDY_FOREVER;
    return now + (least > socket->silence ? least - socket->silence : 0);
}

/* Reads, and keeps time: TIME_UP when the deadline has passed, else what eddy_read returns. The
 * scope ends only waits: a peer that always has more to say would never be waited for. */
static ssize_t receive_read(eddy_websocket *socket, void *data, size_t size)
{
    double begin = socket->heartbeat > 0 || socket->close_queued ? eddy_time() : 0;

    if (socket->close_queued && begin >= socket->close_at)
        return TIME_UP;
    EDDY_TIMEOUT_AT(limit, receive_until(socket, begin));
    ssize_t n;

    socket->wait = &limit;
    n = eddy_read(socket->stream, data, size);
    socket->wait = NULL;
    if (n > 0) {
        socket->silence = 0;
        socket->pinged = false;
        return n;
    }
    if (socket->heartbeat > 0)
        socket->silence += eddy_time() - begin;
    return n == -ETIMEDOUT && eddy_timeout_expired(&limit) ? TIME_UP : n;
}

/* The deadline of a wait has passed. */
static int receive_time_up(eddy_websocket *socket)
{
    if (socket->close_queued && eddy_time() < socket->close_at)
        return RECEIVE_ON; /* it was begun when the deadline was another */
    if (socket->close_queued) {
        eddy_stream_abort(socket->stream);
        return receive_over(socket, EDDY_EINCOMPLETE, "the peer has not closed in time");
    }
    if (socket->pinged) {
        eddy_stream_abort(socket->stream);
        return receive_over(socket, -ETIMEDOUT, "the heartbeat was not answered");
    }
    ed_websocket_control(socket, ED_OPCODE_PING, "", 0);
    socket->pinged = true;
    socket->silence = 0;
    return RECEIVE_ON;
}

/* What a read that gave nothing means. */
static int receive_nothing(eddy_websocket *socket, int rc)
{
    if (socket->closing)
        return ed_websocket_raise(socket, -ESHUTDOWN, "it was closed meanwhile");
    if (rc == TIME_UP)
        return receive_time_up(socket);
    if (rc == 0)
        return receive_over(socket, EDDY_EINCOMPLETE, "the connection has ended without a close");
    if (socket->stream->read_error || socket->stream->shut)
        return receive_over(socket, rc, NULL); /* with the stream's text */
    return rc;
}

void ed_websocket_compact(eddy_websocket *socket)
{
    size_t have = socket->in_end - socket->in_start;

    if (socket->in_start == 0)
        return;
    memmove(socket->in, socket->in + socket->in_start, have);
    socket->in_start = 0;
    socket->in_end = have;
}

/* Waits for more bytes in `in`. */
static int receive_fill(eddy_websocket *socket)
{
    ssize_t n;

    ed_websocket_compact(socket);
    n = receive_read(socket, socket->in + socket->in_end, ED_WEBSOCKET_IN - socket->in_end);
    if (n <= 0)
        return receive_nothing(socket, (int)n);
    socket->in_end += (size_t)n;
    return RECEIVE_ON;
}

/* Frames --------------------------------------------------------------------------- */

static int receive_control(eddy_websocket *socket, char *content)
{
    size_t size = (size_t)socket->frame.size;
    const char *why;
    int code;

    if (socket->frame.masked)
        ed_frame_mask(content, content, size, socket->frame.mask, 0);
    switch (socket->frame.first & ED_FRAME_OPCODE) {
    case ED_OPCODE_PING: ed_websocket_control(socket, ED_OPCODE_PONG, content, size); break;
    case ED_OPCODE_CLOSE:
        code = ed_websocket_take_close(socket, content, size, &why);
        if (code)
            return receive_fail(socket, code, EDDY_EWEBSOCKET, why);
        socket->over = true;
        ed_websocket_queue_close(socket, socket->close_code, NULL);
        return 0;
    default: break; /* a pong has done its work by having come */
    }
    return RECEIVE_ON;
}

/* A frame of a message begins. */
static int receive_begin(eddy_websocket *socket)
{
    unsigned opcode = socket->frame.first & ED_FRAME_OPCODE;

    if (opcode != ED_OPCODE_CONTINUATION) {
        socket->in_message = true;
        socket->text = opcode == ED_OPCODE_TEXT;
        socket->compressed = socket->frame.first & ED_FRAME_RSV1;
        socket->utf8 = (struct ed_utf8){0};
    }
    socket->in_frame = true;
    socket->left = socket->frame.size;
    socket->offset = 0;
    socket->tail = socket->frame.first & ED_FRAME_FIN ? ED_DEFLATE_TAIL_SIZE : 0;
    if (socket->pieces || socket->compressed)
        return RECEIVE_ON;
    if (socket->left > socket->limit ||
        socket->left + ed_buffer_size(&socket->message) > socket->limit)
        return receive_too_long(socket);
    return RECEIVE_ON;
}

/* Reads a header, and for a control frame all of it. */
static int receive_header(eddy_websocket *socket)
{
    struct ed_frame_rules rules = {
        .masked = !socket->client,
        .compressed = socket->deflate != NULL,
        .fragmented = socket->in_message,
    };
    size_t have = socket->in_end - socket->in_start;
    char *begin = socket->in + socket->in_start;
    const char *why;
    int size = ed_frame_parse(begin, have, &rules, &socket->frame, &why);

    if (size < 0)
        return receive_fail(socket, 1002, EDDY_EWEBSOCKET, why);
    if (size == 0)
        return receive_fill(socket);
    if (!(socket->frame.first & ED_FRAME_CONTROL)) {
        socket->in_start += (size_t)size;
        return receive_begin(socket);
    }
    if (have < (size_t)size + socket->frame.size)
        return receive_fill(socket);
    socket->in_start += (size_t)size + (size_t)socket->frame.size;
    return receive_control(socket, begin + size);
}

/* Payloads -------------------------------------------------------------------------- */

/* A frame has ended: 1 when there is something to give. */
static int receive_end(eddy_websocket *socket)
{
    socket->in_frame = false;
    if (!(socket->frame.first & ED_FRAME_FIN))
        return socket->pieces && ed_buffer_size(&socket->message) > 0 ? 1 : RECEIVE_ON;
    if (socket->text && !ed_utf8_may_end(&socket->utf8))
        return receive_fail(socket, 1007, EDDY_EWEBSOCKET, "a text ends within a character");
    socket->in_message = false;
    socket->last = true;
    return 1;
}

/* Takes in bytes that were put behind the message, without their mask. */
static int receive_append(eddy_websocket *socket, size_t size)
{
    const char *data = ed_buffer_free_space(&socket->message);

    if (socket->text && !ed_utf8_check(&socket->utf8, data, size))
        return receive_fail(socket, 1007, EDDY_EWEBSOCKET, "a text is not UTF-8");
    ed_buffer_commit(&socket->message, size);
    if (!socket->pieces && ed_buffer_size(&socket->message) > socket->limit)
        return receive_too_long(socket);
    return RECEIVE_ON;
}

/* The same of a frame's payload. */
static int receive_took(eddy_websocket *socket, size_t size)
{
    int rc = receive_append(socket, size);

    socket->left -= size;
    socket->offset += size;
    if (rc != RECEIVE_ON)
        return rc;
    if (socket->left == 0)
        return receive_end(socket);
    return socket->pieces ? 1 : RECEIVE_ON;
}

/* Reads a large payload to where it is wanted. */
static int receive_direct(eddy_websocket *socket)
{
    size_t size = socket->left < ED_WEBSOCKET_PIECE ? (size_t)socket->left : ED_WEBSOCKET_PIECE;
    size_t room;
    ssize_t n;
    char *to;

    if (ed_buffer_reserve(&socket->message, size + 1) < 0)
        return receive_no_memory(socket);
    room = ed_buffer_room(&socket->message) - 1;
    to = ed_buffer_free_space(&socket->message);
    if (!socket->pieces && socket->left > size)
        size = socket->left < room ? (size_t)socket->left : room;
    n = receive_read(socket, to, size);
    if (n <= 0)
        return receive_nothing(socket, (int)n);
    if (socket->frame.masked)
        ed_frame_mask(to, to, (size_t)n, socket->frame.mask, socket->offset);
    return receive_took(socket, (size_t)n);
}

/* Takes the mask off the first `size` bytes of a frame that stays in `in`, those that are new, and
 * checks them: a text is refused by the byte that is wrong, before the rest has come. */
static int receive_clear(eddy_websocket *socket, size_t size)
{
    size_t before = socket->clear;
    char *data = socket->in + socket->in_start + before;

    socket->clear = size;
    if (socket->frame.masked)
        ed_frame_mask(data, data, size - before, socket->frame.mask, before);
    if (socket->text && !ed_utf8_check(&socket->utf8, data, size - before))
        return receive_fail(socket, 1007, EDDY_EWEBSOCKET, "a text is not UTF-8");
    return RECEIVE_ON;
}

/* Gives a message from where it came, with a NUL in place of what follows it. */
static int receive_in_place(eddy_websocket *socket)
{
    size_t size = (size_t)socket->left;
    char *data = socket->in + socket->in_start;
    int rc = receive_clear(socket, size);

    if (rc != RECEIVE_ON)
        return rc;
    socket->in_start += size;
    socket->left = socket->clear = 0;
    socket->saved_at = data + size;
    socket->saved = data[size];
    data[size] = '\0';
    return receive_end(socket);
}

static int receive_plain(eddy_websocket *socket)
{
    size_t have = socket->in_end - socket->in_start;
    size_t size = have < socket->left ? have : (size_t)socket->left;
    bool whole = (socket->frame.first & ED_FRAME_FIN) &&
                 (socket->frame.first & ED_FRAME_OPCODE) != ED_OPCODE_CONTINUATION;
    int rc;

    if (whole && size == socket->left && socket->offset == 0)
        return receive_in_place(socket);
    if (size == 0 && socket->left > 0)
        return socket->left >= RECEIVE_DIRECT ? receive_direct(socket) : receive_fill(socket);
    if (whole && socket->offset == 0 && socket->left < RECEIVE_DIRECT) {
        rc = receive_clear(socket, size);
        return rc == RECEIVE_ON ? receive_fill(socket) : rc; /* which has room for the rest */
    }
    if (ed_buffer_reserve(&socket->message, size + 1) < 0)
        return receive_no_memory(socket);
    ed_frame_mask(ed_buffer_free_space(&socket->message), socket->in + socket->in_start, size,
                  socket->frame.masked ? socket->frame.mask : 0, socket->offset);
    socket->in_start += size;
    return receive_took(socket, size);
}

/* Compressed payloads ---------------------------------------------------------------- */

/* How many bytes the next step may make. */
static size_t receive_room(const eddy_websocket *socket)
{
    size_t size = ed_buffer_size(&socket->message), room = size;

    if (room < ED_WEBSOCKET_IN)
        room = ED_WEBSOCKET_IN;
    if (room > ED_WEBSOCKET_PIECE)
        room = ED_WEBSOCKET_PIECE;
    if (!socket->pieces && room > socket->limit + 1 - size)
        room = socket->limit + 1 - size;
    return room;
}

/* Expands up to `size` bytes at `from`, and notes what of them was taken. */
static int receive_inflate(eddy_websocket *socket, const char *from, size_t size)
{
    size_t room = receive_room(socket), left = size;
    ssize_t made;

    if (ed_buffer_reserve(&socket->message, room + 1) < 0)
        return receive_no_memory(socket);
    made = ed_deflate_receive(socket->deflate, &from, &left, ed_buffer_free_space(&socket->message),
                              room);
    if (made == -ENOMEM)
        return receive_fail(socket, 1011, -ENOMEM, "no memory to decompress a message");
    if (made < 0)
        return receive_fail(socket, 1007, EDDY_EWEBSOCKET, "a message cannot be decompressed");
    if (socket->left > 0) {
        socket->in_start += size - left;
        socket->left -= size - left;
        socket->offset += size - left;
        socket->clear -= size - left;
    } else {
        socket->tail = (uint8_t)(socket->tail - (size - left));
    }
    socket->more = (size_t)made == room;
    socket->expanded += (size_t)made;
    return receive_append(socket, (size_t)made);
}

/* What is to be expanded next: the payload, and behind the last one the tail. */
static const char *receive_source(eddy_websocket *socket, size_t *size)
{
    size_t have = socket->in_end - socket->in_start;
    char *data = socket->in + socket->in_start;

    *size = have < socket->left ? have : (size_t)socket->left;
    if (socket->left == 0) {
        *size = socket->tail;
        return &ED_DEFLATE_TAIL[ED_DEFLATE_TAIL_SIZE - socket->tail];
    }
    if (socket->frame.masked && *size > socket->clear)
        ed_frame_mask(data + socket->clear, data + socket->clear, *size - socket->clear,
                      socket->frame.mask, socket->offset + socket->clear);
    socket->clear = *size;
    return data;
}

static int receive_compressed(eddy_websocket *socket)
{
    const char *from;
    size_t size;
    int rc = 0;

    if (socket->expanded >= RECEIVE_TURN) {
        socket->expanded = 0;
        rc = eddy_sleep(0);
    }
    if (rc < 0 || socket->closing)
        return socket->closing ? receive_nothing(socket, rc) : rc;
    from = receive_source(socket, &size);
    if (size == 0 && socket->left > 0 && !socket->more)
        return receive_fill(socket);
    if (size > 0 || socket->more) {
        rc = receive_inflate(socket, from, size);
        if (rc != RECEIVE_ON)
            return rc;
    }
    if (socket->left == 0 && socket->tail == 0 && !socket->more) {
        if (socket->frame.first & ED_FRAME_FIN)
            ed_deflate_received(socket->deflate);
        return receive_end(socket);
    }
    return socket->pieces && ed_buffer_size(&socket->message) >= ED_WEBSOCKET_PIECE ? 1
                                                                                    : RECEIVE_ON;
}

/* Calls ------------------------------------------------------------------------------ */

void ed_websocket_put_back(eddy_websocket *socket)
{
    if (socket->saved_at)
        *socket->saved_at = socket->saved;
    socket->saved_at = NULL;
}

/* Takes back what was given before. */
static void receive_unlend(eddy_websocket *socket)
{
    struct eddy_buffer_ *message = &socket->message;

    ed_websocket_put_back(socket);
    socket->last = false;
    if (!socket->lent)
        return;
    socket->lent = false;
    if (message->capacity > RECEIVE_KEEP && ed_buffer_size(message) < message->capacity / 4 &&
        socket->carried == 0)
        ed_buffer_release(message);
    message->start = message->end = 0;
    if (socket->carried > 0)
        memcpy(message->data, socket->carry, message->end = socket->carried);
    socket->carried = 0;
}

/* Sets the begin of a character aside, at the end of a piece of a text. */
static void receive_set_aside(eddy_websocket *socket)
{
    struct eddy_buffer_ *message = &socket->message;

    socket->carried = 0;
    if (!socket->text || socket->last || socket->utf8.missing == 0)
        return;
    socket->carried = socket->utf8.seen;
    message->end -= socket->carried;
    memcpy(socket->carry, message->data + message->end, socket->carried);
}

/* Gives what has come: 1; RECEIVE_ON when it is the begin of a character alone. */
static int receive_give(eddy_websocket *socket, eddy_message *out)
{
    struct eddy_buffer_ *message = &socket->message;

    out->kind = socket->text ? EDDY_MESSAGE_TEXT : EDDY_MESSAGE_BINARY;
    if (socket->saved_at) {
        out->size = (size_t)socket->frame.size;
        out->text = socket->saved_at - out->size;
        return 1;
    }
    receive_set_aside(socket);
    socket->lent = true;
    if (socket->carried > 0 && ed_buffer_size(message) == 0) {
        receive_unlend(socket);
        return RECEIVE_ON;
    }
    out->size = ed_buffer_size(message);
    out->text = out->size > 0 ? ed_buffer_bytes(message) : socket->nothing;
    out->text[out->size] = '\0'; /* has room: one byte more was reserved */
    return 1;
}

/* The checkpoint of a receive that need not wait. */
static int receive_check(eddy_websocket *socket)
{
    const char *data;

    if (ed_likely(eddy_thread_.credit > 0)) {
        eddy_thread_.credit--;
        return 0;
    }
    return (int)eddy_peek(socket->stream, 0, &data);
}

/* What a receive returns behind the last one. */
static int receive_again(const eddy_websocket *socket)
{
    const char *problem = socket->problem ? socket->problem : "the connection is broken";

    return socket->failed ? ed_websocket_raise(socket, socket->failed, "%s", problem) : 0;
}

static int receive_run(eddy_websocket *socket, eddy_message *out)
{
    int rc = receive_check(socket);

    if (socket->over)
        return rc == -ECANCELED || rc == -ETIMEDOUT ? rc : receive_again(socket);
    if (rc < 0)
        return receive_nothing(socket, rc);
    receive_unlend(socket);
    if (ed_unlikely(ed_websocket_is_late(socket)))
        ed_websocket_push(socket);
    do {
        rc = !socket->in_frame     ? receive_header(socket)
             : !socket->compressed ? receive_plain(socket)
                                   : receive_compressed(socket);
        if (rc == 1)
            rc = receive_give(socket, out);
    } while (rc == RECEIVE_ON);
    return rc;
}

static int receive(eddy_websocket *socket, bool pieces, eddy_message *out)
{
    int rc = ed_websocket_enter(socket);

    if (rc < 0)
        return rc;
    if (socket->receiving)
        return ed_websocket_leave(
            socket, ed_websocket_raise(socket, -EBUSY, "another task receives from it"));
    socket->receiving = true;
    socket->pieces = pieces;
    rc = receive_run(socket, out);
    socket->receiving = false;
    return ed_websocket_leave(socket, rc);
}

int eddy_websocket_receive(eddy_websocket *socket, eddy_message *out)
{
    return receive(socket, false, out);
}

int eddy_websocket_receive_piece(eddy_websocket *socket, eddy_message *out, bool *last)
{
    int rc = receive(socket, true, out);

    if (rc > 0)
        *last = socket->last;
    return rc;
}

static int websocket_messages(eddy_generator *generator, eddy_websocket *socket)
{
    eddy_message message;
    int rc;

    while ((rc = eddy_websocket_receive(socket, &message)) > 0)
        EDDY_TRY(eddy_yield(generator, &message));
    return rc;
}
EDDY_ASYNC_GENERATOR(eddy_message, websocket_messages, eddy_websocket *);

eddy_generator *eddy_websocket_messages(eddy_websocket *socket)
{
    return eddy_generate(websocket_messages, socket);
}
