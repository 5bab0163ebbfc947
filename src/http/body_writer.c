/* SPDX-License-Identifier: MIT */
/*
 * A body that goes, as a stream over the connection.
 *
 *     bytes -> [coder -> held] -> [chunks] -> connection
 *
 * Both stages must stand a write that is cut short, which a connection survives: the caller is
 * told how many of its bytes were taken, and may go on.
 *
 *     a chunk's head says how many bytes follow: `owed` are those that have not gone yet, and
 *     whatever is written next begins by paying them; `frame` is what of heads and line ends has
 *     not gone, and goes before all else
 *
 * So what is on the wire is always the beginning of a valid body. What the coder made and the
 * connection has not taken is `held`, and goes before the coder is given more.
 *
 * A body in a hurry has a task that flushes what the coder keeps whenever the writer waits for
 * something else: it runs behind him, and does nothing while he is in a write, which wakes it again
 * at its end. So events go at once, and who writes without a pause is not flushed in between.
 */
#include <stdio.h>
#include <string.h>

#include "eddy/sync.h"
#include "eddy/task.h"
#include "http/body.h"

#define BODY_BLOCK ((size_t)16 << 10) /* bytes of the coder's at once */
#define BODY_STEP ((size_t)64 << 10)  /* bytes for the coder between two turns of the loop */
#define BODY_PARTS 32 /* of one write to the connection, with its framing two more */

struct body_writer {
    eddy_stream stream;
    eddy_stream *connection; /* borrowed */
    bool chunked, counted;   /* neither: up to the connection's end */
    uint64_t left;           /* counted: bytes that are missing */
    uint64_t sent;           /* bytes of the body on the connection, without framing */
    struct ed_coder *coder;  /* NULL: none */
    char *block;             /* BODY_BLOCK bytes, of which */
    size_t held, held_size;  /* those from here on, so many, are to be sent */
    bool unflushed;          /* the coder has bytes that it keeps */
    size_t encoded;          /* bytes that it was given since it let others run */
    eddy_event kept;         /* there may be such, for the task that */
    eddy_task *flusher;      /* sends them; NULL: there is none */
    size_t owed;             /* of the chunk that is open */
    char frame[32];          /* framing that is to be sent, */
    size_t frame_size;       /* so many bytes */
    bool ending;             /* ed_body_finish has begun, */
    bool ended;              /* the last chunk is among the framing, */
    bool finished;           /* and all has gone */
};

static struct body_writer *body_writer_of(eddy_stream *stream)
{
    return (struct body_writer *)stream;
}

static size_t body_size(const struct iovec *parts, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].iov_len;
    return size;
}

/* Framing. */

static void body_add_frame(struct body_writer *body, const char *text, size_t size)
{
    memcpy(body->frame + body->frame_size, text, size);
    body->frame_size += size;
}

/* Opens a chunk for so many bytes, if none is open: whether it did. */
static bool body_open_chunk(struct body_writer *body, size_t size)
{
    char head[20];

    if (!body->chunked || body->owed > 0)
        return false;
    body_add_frame(body, head, (size_t)snprintf(head, sizeof head, "%zx\r\n", size));
    body->owed = size;
    return true;
}

/* Whether a write of so many bytes ends the chunk: then its line end goes with it. */
static size_t body_chunk_end(const struct body_writer *body, size_t size)
{
    return body->chunked && size > 0 && size == body->owed ? 2 : 0;
}

/* `gone` bytes of a write of framing, `size` bytes of the body's and perhaps a chunk's end have
 * gone. Returns how many of the body's. */
static size_t body_account(struct body_writer *body, size_t gone, size_t size)
{
    size_t frame = gone < body->frame_size ? gone : body->frame_size;
    size_t bytes = gone - frame < size ? gone - frame : size, end = gone - frame - bytes;

    memmove(body->frame, body->frame + frame, body->frame_size - frame);
    body->frame_size -= frame;
    body->sent += bytes;
    if (body->chunked && bytes > 0) {
        body->owed -= bytes;
        if (body->owed == 0)
            body_add_frame(body, &"\r\n"[end], 2 - end);
    }
    return bytes;
}

/* One write to the connection, of `size` bytes in these parts with their framing; *gone is how many
 * bytes it took of all that, also with an error. */
static int body_put(struct body_writer *body, const struct iovec *parts, size_t count, size_t size,
                    size_t *gone)
{
    size_t n = 0, end = body_chunk_end(body, size), all = body->frame_size + size + end;
    struct iovec list[BODY_PARTS + 2];
    int rc;

    if (body->frame_size > 0)
        list[n++] = (struct iovec){body->frame, body->frame_size};
    for (size_t i = 0; i < count; i++)
        list[n++] = parts[i];
    if (end > 0)
        list[n++] = (struct iovec){(void *)(uintptr_t) "\r\n", end};
    rc = eddy_writev(body->connection, list, n);
    *gone = rc < 0 ? eddy_stream_partial(body->connection) : all;
    return rc;
}

/* The same without waiting, by a copy: all or, with -EAGAIN, nothing. */
static int body_put_now(struct body_writer *body, const struct iovec *parts, size_t count,
                        size_t size, size_t *gone)
{
    size_t at = body->frame_size, end = body_chunk_end(body, size);
    char *copy = eddy_realloc_(NULL, at + size + end);
    int rc;

    *gone = 0;
    if (!copy)
        return -ENOMEM;
    memcpy(copy, body->frame, at);
    for (size_t i = 0; i < count; i++) {
        memcpy(copy + at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    memcpy(copy + at, "\r\n", end);
    rc = eddy_write_nowait(body->connection, copy, at + end);
    eddy_free(copy);
    *gone = rc < 0 ? eddy_stream_partial(body->connection) : at + end;
    return rc;
}

/* The parts behind the first `skip` bytes, as many as one write has, of `most` bytes at most.
 * Returns how many parts, and their bytes in *size. */
static size_t body_cut(const struct iovec *parts, size_t count, size_t skip, size_t most,
                       struct iovec out[BODY_PARTS], size_t *size)
{
    size_t n = 0;

    *size = 0;
    for (size_t i = 0; i < count && n < BODY_PARTS && *size < most; i++) {
        size_t left = parts[i].iov_len, before = skip < left ? skip : left;

        skip -= before;
        left -= before;
        if (left > most - *size)
            left = most - *size;
        if (left > 0)
            out[n++] = (struct iovec){(char *)parts[i].iov_base + before, left};
        *size += left;
    }
    return n;
}

/* Sends bytes of the body in their framing. *done, 0 at first, is how many went. */
static int body_send(struct body_writer *body, const struct iovec *parts, size_t count, bool wait,
                     size_t *done)
{
    size_t size = body_size(parts, count);
    struct iovec some[BODY_PARTS];
    int rc = 0;

    while (rc == 0 && *done < size) {
        size_t before = body->frame_size, gone, piece, n;
        bool opened = body_open_chunk(body, size - *done);

        n = body_cut(parts, count, *done, body->chunked ? body->owed : SIZE_MAX, some, &piece);
        rc = wait ? body_put(body, some, n, piece, &gone)
                  : body_put_now(body, some, n, piece, &gone);
        if (opened && gone <= before) { /* nobody has heard of the chunk */
            body->frame_size = before;
            body->owed = 0;
        }
        *done += body_account(body, gone, piece);
    }
    return rc;
}

/* Sends framing that was left. */
static int body_send_frame(struct body_writer *body)
{
    size_t gone = 0;
    int rc = body->frame_size > 0 ? body_put(body, NULL, 0, 0, &gone) : 0;

    body_account(body, gone, 0);
    return rc;
}

/* Compression. */

static int body_send_held(struct body_writer *body)
{
    struct iovec part = {body->block + body->held, body->held_size};
    size_t done = 0;
    int rc = body_send(body, &part, 1, true, &done);

    body->held += done;
    body->held_size -= done;
    return rc;
}

/* Gives bytes to the coder, and sends what it makes; *done grows by what it took. */
static int body_encode(struct body_writer *body, const void *data, size_t size, bool flush,
                       bool last, size_t *done)
{
    const char *in = data;
    size_t before;
    ssize_t n;

    if (!body->block)
        body->block = eddy_realloc_(NULL, BODY_BLOCK);
    if (!body->block)
        return -ENOMEM;
    do {
        if (body->held_size > 0)
            EDDY_TRY(body_send_held(body));
        before = size;
        n = ed_coder_step(body->coder, &in, &size, body->block, BODY_BLOCK, flush, last);
        if (n < 0)
            return (int)n;
        *done += before - size;
        body->held = 0;
        body->held_size = (size_t)n;
    } while (n > 0);
    body->unflushed = !flush && !last;
    return 0;
}

/* Gives bytes to the coder, and lets others run in between. */
static int body_encode_part(struct body_writer *body, const char *data, size_t size, size_t *done)
{
    while (size > 0) {
        size_t step = size < BODY_STEP ? size : BODY_STEP;

        if (body->encoded >= BODY_STEP) {
            body->encoded = 0;
            EDDY_TRY(eddy_sleep(0));
        }
        EDDY_TRY(body_encode(body, data, step, false, false, done));
        body->encoded += step;
        data += step;
        size -= step;
    }
    return 0;
}

/* The kind. */

static int body_write_coded(struct body_writer *body, const struct iovec *parts, size_t count,
                            bool wait, size_t *done)
{
    int rc = 0;

    if (!wait)
        return eddy_raise(-ENOTSUP, "a body that is compressed is written by calls that may wait");
    body->unflushed = true;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = body_encode_part(body, parts[i].iov_base, parts[i].iov_len, done);
    if (body->flusher)
        eddy_event_set(&body->kept);
    return rc;
}

static int
body_write(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait, size_t *done)
{
    struct body_writer *body = body_writer_of(stream);
    size_t size = body_size(parts, count);
    int rc;

    if (body->ending)
        return eddy_raise(-EPIPE, "the body has been ended");
    if (body->counted && size > body->left)
        return eddy_raise(-EMSGSIZE,
                          "the body becomes longer than announced: %llu bytes are left, "
                          "%zu are written",
                          (unsigned long long)body->left, size);
    rc = body->coder ? body_write_coded(body, parts, count, wait, done)
                     : body_send(body, parts, count, wait, done);
    if (body->counted)
        body->left -= *done;
    return rc;
}

/* What the connection keeps is part of it, and any head that went before; behind its end a body has
 * nothing to wait for any more. */
static size_t body_pending(const eddy_stream *stream)
{
    const struct body_writer *body = (const struct body_writer *)stream;

    if (body->ending)
        return 0;
    return body->held_size + body->frame_size + body->unflushed +
           eddy_stream_get_counters(body->connection).to_send;
}

static int body_flush(eddy_stream *stream, size_t kept)
{
    struct body_writer *body = body_writer_of(stream);
    size_t done = 0;

    if (kept > 0)
        return eddy_drain(body->connection);
    if (body->coder && (body->unflushed || body->held_size > 0))
        EDDY_TRY(body_encode(body, NULL, 0, true, false, &done));
    EDDY_TRY(body_send_frame(body));
    return eddy_flush(body->connection);
}

static ssize_t body_refuse_read(eddy_stream *stream, void *data, size_t size)
{
    (void)stream, (void)data, (void)size;
    return eddy_raise(-EPERM, "the body of a message that is sent cannot be read");
}

static void body_writer_abort(eddy_stream *stream, int rc)
{
    (void)rc;
    body_writer_of(stream)->ending = true;
}

static int body_writer_close(eddy_stream *stream)
{
    eddy_task_release(&body_writer_of(stream)->flusher);
    return 0;
}

static void body_writer_free(eddy_stream *stream)
{
    struct body_writer *body = body_writer_of(stream);

    ed_coder_free(body->coder);
    eddy_free(body->block);
    eddy_free(body);
}

static const char *body_writer_peer_name(const eddy_stream *stream)
{
    return eddy_stream_peer_name(((const struct body_writer *)stream)->connection);
}

static const char *body_writer_local_name(const eddy_stream *stream)
{
    return eddy_stream_local_name(((const struct body_writer *)stream)->connection);
}

static const eddy_stream_class body_writer_class = {
    .name = "http",
    .read = body_refuse_read,
    .write = body_write,
    .flush = body_flush,
    .pending = body_pending,
    .abort = body_writer_abort,
    .close = body_writer_close,
    .free = body_writer_free,
    .peer_name = body_writer_peer_name,
    .local_name = body_writer_local_name,
};

int ed_body_writer_open(eddy_stream *connection, int64_t size, bool to_eof, enum ed_coding coding,
                        eddy_stream **out)
{
    struct body_writer *body = eddy_alloc_(sizeof *body);
    int rc = body ? eddy_stream_init(&body->stream, &body_writer_class) : -ENOMEM;

    if (rc == 0 && coding != ED_CODING_IDENTITY)
        rc = ed_encoder_new(coding, 0, &body->coder);
    if (rc < 0) {
        eddy_free(body);
        return rc;
    }
    body->connection = connection;
    body->counted = size >= 0;
    body->left = body->counted ? (uint64_t)size : 0;
    body->chunked = (!body->counted || body->coder) && !to_eof;
    *out = &body->stream;
    return 0;
}

/* The task of a body in a hurry. Its errors are the writer's as well. */
static int body_flush_kept(struct body_writer *body)
{
    int rc = 0;

    while (rc == 0) {
        EDDY_TRY(eddy_event_wait(&body->kept));
        eddy_event_clear(&body->kept);
        if (!body->stream.writing)
            rc = eddy_flush(&body->stream);
    }
    return 0;
}
EDDY_ASYNC(body_flush_kept, struct body_writer *);

int ed_body_hurry(eddy_stream *stream)
{
    const eddy_task_options options = {.name = "http flush"};
    struct body_writer *body = body_writer_of(stream);

    if (body->coder && !body->flusher)
        body->flusher = eddy_create_task_with(&options, body_flush_kept, body);
    return body->coder && !body->flusher ? -ENOMEM : 0;
}

/* Whether all is there that was announced. */
static int body_check_whole(const struct body_writer *body)
{
    if (body->counted && body->left > 0)
        return eddy_raise(-EMSGSIZE, "the body is shorter than announced: %llu bytes are missing",
                          (unsigned long long)body->left);
    if (body->owed > 0)
        return eddy_raise(-EMSGSIZE,
                          "the body ends within a write that was cut short: %zu bytes "
                          "of it are missing",
                          body->owed);
    return 0;
}

int ed_body_finish(eddy_stream *stream)
{
    struct body_writer *body = body_writer_of(stream);
    size_t done = 0;

    if (body->finished)
        return 0;
    eddy_task_release(&body->flusher);
    if (stream->write_error || stream->shut)
        return eddy_raise(stream->write_error ? stream->write_error : stream->shut,
                          "the body was not written to its end");
    body->ending = true;
    if (body->coder && !ed_coder_ended(body->coder))
        EDDY_TRY(body_encode(body, NULL, 0, false, true, &done));
    if (body->held_size > 0)
        EDDY_TRY(body_send_held(body));
    EDDY_TRY(body_check_whole(body));
    if (body->chunked && !body->ended)
        body_add_frame(body, "0\r\n\r\n", 5);
    body->ended = true;
    EDDY_TRY(body_send_frame(body));
    body->finished = true;
    return 0;
}

uint64_t ed_body_sent(const eddy_stream *stream)
{
    return ((const struct body_writer *)stream)->sent;
}
