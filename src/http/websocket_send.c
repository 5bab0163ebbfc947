/* SPDX-License-Identifier: MIT */
/*
 * Sending.
 *
 * Who writes to the stream has the turn, so that no frame comes into the middle of another, and so
 * that messages are compressed in the order in which they go. A frame goes wholly or not at all:
 * what a cancel leaves of a large one is copied to the stream at once, whatever the stream keeps
 * then; if there is no memory for that, the connection is broken.
 *
 * Control frames never wait. One that comes while somebody has the turn, or while the peer takes
 * nothing, is kept, the newest of its kind, and goes when the turn is given back, or with the next
 * receive. So a flood of pings costs a bounded amount of memory (RFC 6455, 5.5.3).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "eddy/task.h"
#include "http/websocket.h"

#define SEND_SMALL 4096         /* bytes of a frame that is put together on the stack */
#define SEND_BLOCK (64UL << 10) /* bytes that are masked at once */
#define SEND_TEXT 512           /* bytes of a formatted text that needs no block */
#define SEND_ANY (SIZE_MAX / 2) /* kept by the stream: as much as there is */

/* A frame on its way. */
struct outgoing {
    struct ed_frame frame;
    char header[ED_FRAME_HEADER];
    size_t header_size;
    const char *data;
    bool must; /* it goes, also when nothing of it has gone before an error */
    bool gone; /* it has, or will */
};

/* 0, or an error of the random bytes. */
static int outgoing_init(const eddy_websocket *socket, uint8_t first, const void *data, size_t size,
                         struct outgoing *out)
{
    int rc = 0;

    out->gone = false;
    out->frame = (struct ed_frame){.first = first, .masked = socket->client, .size = size};
    if (socket->client)
        rc = ed_frame_new_mask(&out->frame.mask);
    out->header_size = ed_frame_pack(out->header, &out->frame);
    out->data = data;
    return rc;
}

/* Puts a small frame together. Returns its bytes. */
static size_t outgoing_build(const struct outgoing *out, char *to)
{
    size_t size = (size_t)out->frame.size;

    memcpy(to, out->header, out->header_size);
    if (size > 0)
        ed_frame_mask(to + out->header_size, out->data, size, out->frame.mask, 0);
    return out->header_size + size;
}

/* Writes without a wait, however much is kept then. */
static int send_now(eddy_websocket *socket, const void *data, size_t size)
{
    size_t high = socket->stream->high, low = socket->stream->low;
    int rc;

    (void)eddy_stream_set_write_limits(socket->stream, SEND_ANY, SEND_ANY); /* equal: valid */
    rc = eddy_write_nowait(socket->stream, data, size);
    (void)eddy_stream_set_write_limits(socket->stream, high, low);
    return rc;
}

/* Control frames --------------------------------------------------------------------- */

/* 0, or an error: then it was not sent. */
static int
control_send(eddy_websocket *socket, enum ed_opcode opcode, const void *content, size_t size)
{
    char bytes[ED_FRAME_HEADER + ED_FRAME_CONTENT];
    struct outgoing out;
    int rc;

    if (eddy_stream_get_counters(socket->stream).to_send >
        socket->stream->high + ED_WEBSOCKET_SPARE)
        return -EAGAIN;
    rc = outgoing_init(socket, (uint8_t)(ED_FRAME_FIN | opcode), content, size, &out);
    return rc < 0 ? rc : send_now(socket, bytes, outgoing_build(&out, bytes));
}

static struct ed_websocket_later *control_place(eddy_websocket *socket, enum ed_opcode opcode)
{
    return opcode == ED_OPCODE_PONG   ? &socket->pong
           : opcode == ED_OPCODE_PING ? &socket->ping
                                      : &socket->close;
}

bool ed_websocket_is_late(const eddy_websocket *socket)
{
    return socket->pong.waits || socket->ping.waits || socket->close.waits;
}

static void control_push(eddy_websocket *socket, enum ed_opcode opcode)
{
    struct ed_websocket_later *later = control_place(socket, opcode);
    int rc;

    if (!later->waits)
        return;
    rc = control_send(socket, opcode, later->content, later->size);
    later->waits = rc == -EAGAIN || rc == -ENOMEM;
}

void ed_websocket_push(eddy_websocket *socket)
{
    if (eddy_lock_locked(&socket->turn))
        return;
    control_push(socket, ED_OPCODE_PONG);
    control_push(socket, ED_OPCODE_PING);
    control_push(socket, ED_OPCODE_CLOSE);
}

void ed_websocket_control(eddy_websocket *socket, enum ed_opcode opcode, const void *content,
                          size_t size)
{
    struct ed_websocket_later *later = control_place(socket, opcode);

    if (socket->close_queued && opcode != ED_OPCODE_CLOSE)
        return; /* behind a close nothing is sent */
    later->waits = true;
    later->size = (uint8_t)size;
    if (size > 0)
        memcpy(later->content, content, size);
    ed_websocket_push(socket);
}

/* The turn ----------------------------------------------------------------------------- */

static int send_check(const eddy_websocket *socket)
{
    if (socket->close_queued)
        return ed_websocket_raise(socket, -ESHUTDOWN, "nothing is sent behind a close");
    if (socket->over)
        return ed_websocket_raise(socket, -EPIPE, "the connection has ended");
    return 0;
}

/* Gives the turn on, behind what was kept back meanwhile. */
static void turn_give(eddy_websocket *socket)
{
    if (ed_unlikely(ed_websocket_is_late(socket))) {
        control_push(socket, ED_OPCODE_PONG);
        control_push(socket, ED_OPCODE_PING);
        control_push(socket, ED_OPCODE_CLOSE);
    }
    (void)eddy_lock_release(&socket->turn); /* it is held */
}

/* Waits for the turn, for a frame of a message with `message`: 0, or an error. */
static int turn_take(eddy_websocket *socket, bool message)
{
    int rc = eddy_lock_acquire(&socket->turn);

    while (rc == 0) {
        rc = send_check(socket);
        if (rc == 0 && (!message || !socket->piecing || socket->piecing == eddy_current_task()))
            return 0;
        turn_give(socket);
        if (rc == 0)
            rc = eddy_event_wait(&socket->whole);
        if (rc == 0)
            rc = eddy_lock_acquire(&socket->turn);
    }
    return rc;
}

void ed_websocket_end_pieces(eddy_websocket *socket)
{
    socket->piecing = NULL;
    eddy_event_set(&socket->whole);
}

/* Frames ------------------------------------------------------------------------------- */

/* Has the stream take what a write has left; if it cannot, the connection is worth nothing. */
static void send_rest(eddy_websocket *socket, const char *data, size_t size)
{
    if (size > 0 && send_now(socket, data, size) < 0)
        eddy_stream_abort(socket->stream);
}

static int send_small(eddy_websocket *socket, struct outgoing *out)
{
    char bytes[SEND_SMALL];
    size_t size = outgoing_build(out, bytes), sent;
    int rc = eddy_write(socket->stream, bytes, size);

    out->gone = rc == 0;
    if (ed_likely(rc == 0))
        return 0;
    sent = eddy_stream_partial(socket->stream);
    out->gone = sent > 0 || out->must;
    if (out->gone)
        send_rest(socket, bytes + sent, size - sent);
    return rc;
}

/* A large frame, from where it is. */
static int send_plain(eddy_websocket *socket, struct outgoing *out)
{
    size_t size = (size_t)out->frame.size, head = out->header_size, sent;
    struct iovec parts[2] = {{(void *)(uintptr_t)out->header, head},
                             {(void *)(uintptr_t)out->data, size}};
    int rc = eddy_writev(socket->stream, parts, 2);

    sent = rc == 0 ? head + size : eddy_stream_partial(socket->stream);
    out->gone = sent > 0 || out->must;
    if (rc == 0 || !out->gone)
        return rc;
    if (sent < head) {
        send_rest(socket, out->header + sent, head - sent);
        sent = head;
    }
    send_rest(socket, out->data + (sent - head), size - (sent - head));
    return rc;
}

/* Masks the next bytes of a large frame behind `have` bytes in a block. Returns how many it has. */
static size_t
send_fill_block(const struct outgoing *out, char *block, size_t have, size_t offset, size_t *next)
{
    size_t size = (size_t)out->frame.size - offset;

    if (size > SEND_BLOCK - have)
        size = SEND_BLOCK - have;
    ed_frame_mask(block + have, out->data + offset, size, out->frame.mask, offset);
    *next = offset + size;
    return have + size;
}

/* Writes a block, or behind an error what is left of the frame without a wait. */
static int
send_block(eddy_websocket *socket, struct outgoing *out, const char *block, size_t size, int rc)
{
    size_t sent = 0;

    if (rc == 0) {
        rc = eddy_write(socket->stream, block, size);
        sent = rc == 0 ? size : eddy_stream_partial(socket->stream);
        out->gone = out->gone || out->must || sent > 0;
    }
    if (rc < 0 && out->gone)
        send_rest(socket, block + sent, size - sent);
    return rc;
}

/* A large frame, masked block by block. */
static int send_masked(eddy_websocket *socket, struct outgoing *out)
{
    char *block = eddy_realloc_(NULL, SEND_BLOCK);
    size_t have = out->header_size, next = 0;
    int rc = 0;

    if (!block)
        return ed_websocket_raise(socket, -ENOMEM, "no memory to send a message");
    memcpy(block, out->header, have);
    while (next < out->frame.size && (rc == 0 || out->gone)) {
        have = send_fill_block(out, block, have, next, &next);
        rc = send_block(socket, out, block, have, rc);
        have = 0;
    }
    eddy_free(block);
    return rc;
}

/* Writes a frame, in the turn. *gone: it has gone, or will, whatever is returned. */
static int send_frame(eddy_websocket *socket, uint8_t first, const void *data, size_t size,
                      bool must, bool *gone)
{
    struct outgoing out = {.must = must};
    int rc = outgoing_init(socket, first, data, size, &out);

    *gone = false;
    if (rc < 0)
        return ed_websocket_raise(socket, rc, "no random bytes for a mask");
    if (size <= SEND_SMALL - ED_FRAME_HEADER)
        rc = send_small(socket, &out);
    else
        rc = socket->client ? send_masked(socket, &out) : send_plain(socket, &out);
    *gone = out.gone;
    return rc;
}

/* Writes a compressed frame. What deflate has made must go, since the peer's window follows it: so
 * it waits before. */
static int
send_compressed(eddy_websocket *socket, uint8_t first, const void *data, size_t size, bool *gone)
{
    struct eddy_buffer_ bytes = {.data = NULL};
    int rc = eddy_drain(socket->stream);

    *gone = false;
    if (rc < 0)
        return rc;
    rc = ed_deflate_send(socket->deflate, data, size, first & ED_FRAME_FIN, &bytes);
    if (rc < 0)
        rc = ed_websocket_raise(socket, rc, "no memory to compress a message");
    else
        rc = send_frame(socket, first, ed_buffer_bytes(&bytes), ed_buffer_size(&bytes), true, gone);
    if (!*gone)
        eddy_stream_abort(socket->stream);
    ed_buffer_release(&bytes);
    return rc;
}

/* Messages ------------------------------------------------------------------------------- */

static bool send_compresses(const eddy_websocket *socket, size_t size)
{
    return socket->deflate && size >= socket->compress_from && ed_deflate_can_send(socket->deflate);
}

static int send_check_text(const eddy_websocket *socket, enum eddy_message_kind kind,
                           const void *data, size_t size)
{
    struct ed_utf8 utf8 = {0};

    if (kind != EDDY_MESSAGE_TEXT && kind != EDDY_MESSAGE_BINARY)
        return ed_websocket_raise(socket, -EINVAL, "there is no kind %d of messages", (int)kind);
    if (kind == EDDY_MESSAGE_TEXT && !(ed_utf8_check(&utf8, data, size) && ed_utf8_may_end(&utf8)))
        return ed_websocket_raise(socket, -EINVAL, "a text to be sent is not UTF-8");
    return 0;
}

static int
send_whole(eddy_websocket *socket, enum eddy_message_kind kind, const void *data, size_t size)
{
    uint8_t first = ED_FRAME_FIN | (kind == EDDY_MESSAGE_TEXT ? ED_OPCODE_TEXT : ED_OPCODE_BINARY);
    int rc = send_check_text(socket, kind, data, size);
    bool gone;

    if (rc == 0)
        rc = turn_take(socket, true);
    if (rc < 0)
        return rc;
    if (socket->piecing)
        rc = ed_websocket_raise(socket, -EINVAL, "this task sends another message in pieces");
    else if (send_compresses(socket, size))
        rc = send_compressed(socket, first | ED_FRAME_RSV1, data, size, &gone);
    else
        rc = send_frame(socket, first, data, size, false, &gone);
    turn_give(socket);
    return rc;
}

int eddy_websocket_send(eddy_websocket *socket, enum eddy_message_kind kind, const void *data,
                        size_t size)
{
    int rc = ed_websocket_enter(socket);

    return rc < 0 ? rc : ed_websocket_leave(socket, send_whole(socket, kind, data, size));
}

int eddy_websocket_send_text(eddy_websocket *socket, const char *text)
{
    return eddy_websocket_send(socket, EDDY_MESSAGE_TEXT, text, strlen(text));
}

int eddy_websocket_printf(eddy_websocket *socket, const char *format, ...)
{
    char small[SEND_TEXT], *text = small;
    va_list arguments;
    int size, rc;

    va_start(arguments, format);
    size = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (size < 0)
        return ed_websocket_raise(socket, -EINVAL, "a text cannot be formatted");
    if ((size_t)size >= sizeof small) {
        text = eddy_alloc_((size_t)size + 1);
        if (!text)
            return ed_websocket_raise(socket, -ENOMEM, "no memory for a formatted text");
        va_start(arguments, format);
        vsnprintf(text, (size_t)size + 1, format, arguments);
        va_end(arguments);
    }
    rc = eddy_websocket_send(socket, EDDY_MESSAGE_TEXT, text, (size_t)size);
    if (text != small)
        eddy_free(text);
    return rc;
}

/* Pieces ----------------------------------------------------------------------------------- */

/* Whether a text is still UTF-8 with a piece; *utf8 is how it stands then. */
static int piece_check(const eddy_websocket *socket, const void *data, size_t size, bool last,
                       struct ed_utf8 *utf8)
{
    *utf8 = socket->piece_utf8;
    if (socket->piece_text &&
        (!ed_utf8_check(utf8, data, size) || (last && !ed_utf8_may_end(utf8))))
        return ed_websocket_raise(socket, -EINVAL, "a text to be sent is not UTF-8");
    return 0;
}

/* Makes the running task the one that sends in pieces. */
static void piece_begin(eddy_websocket *socket, enum eddy_message_kind kind, size_t size)
{
    socket->piece_text = kind == EDDY_MESSAGE_TEXT;
    socket->piece_compressed = send_compresses(socket, size);
    socket->piece_utf8 = (struct ed_utf8){0};
}

/* Sends a piece, in the turn. */
static int piece_send(eddy_websocket *socket, enum eddy_message_kind kind, const void *data,
                      size_t size, bool last)
{
    uint8_t first = ED_OPCODE_CONTINUATION;
    struct ed_utf8 utf8;
    bool gone;
    int rc;

    if (!socket->piecing) {
        piece_begin(socket, kind, size);
        first = kind == EDDY_MESSAGE_TEXT ? ED_OPCODE_TEXT : ED_OPCODE_BINARY;
        first |= socket->piece_compressed ? ED_FRAME_RSV1 : 0;
    }
    first |= last ? ED_FRAME_FIN : 0;
    rc = piece_check(socket, data, size, last, &utf8);
    if (rc < 0)
        return rc;
    rc = socket->piece_compressed ? send_compressed(socket, first, data, size, &gone)
                                  : send_frame(socket, first, data, size, false, &gone);
    if (!gone)
        return rc;
    socket->piece_utf8 = utf8;
    socket->piecing = eddy_current_task();
    eddy_event_clear(&socket->whole);
    if (last || socket->close_queued)
        ed_websocket_end_pieces(socket);
    return rc;
}

int eddy_websocket_send_piece(eddy_websocket *socket, enum eddy_message_kind kind, const void *data,
                              size_t size, bool last)
{
    int rc = ed_websocket_enter(socket);

    if (rc < 0)
        return rc;
    if (kind != EDDY_MESSAGE_TEXT && kind != EDDY_MESSAGE_BINARY)
        rc = ed_websocket_raise(socket, -EINVAL, "there is no kind %d of messages", (int)kind);
    if (rc == 0)
        rc = turn_take(socket, true);
    if (rc == 0) {
        rc = piece_send(socket, kind, data, size, last);
        turn_give(socket);
    }
    return ed_websocket_leave(socket, rc);
}

int eddy_websocket_ping(eddy_websocket *socket, const void *data, size_t size)
{
    int rc = ed_websocket_enter(socket);
    bool gone;

    if (rc < 0)
        return rc;
    if (size > ED_FRAME_CONTENT)
        rc = ed_websocket_raise(socket, -EINVAL, "a ping of %zu bytes, at most %d", size,
                                ED_FRAME_CONTENT);
    if (rc == 0)
        rc = turn_take(socket, false);
    if (rc == 0) {
        rc = send_frame(socket, ED_FRAME_FIN | ED_OPCODE_PING, data, size, false, &gone);
        turn_give(socket);
    }
    return ed_websocket_leave(socket, rc);
}
