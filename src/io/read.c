/* SPDX-License-Identifier: MIT */
/*
 * Reading.
 *
 * The bytes that wait for a reader are those of stream->in and then those of
 * stream->behind. The second is in use only while the block of the first must not move:
 * while the kind fills it, or while a peek or a line has lent it. Each reading call begins by
 * ending the loan, and joins the two.
 *
 * A read with nothing kept goes to the kind with the caller's memory. What the kind pushes
 * meanwhile, from a callback, comes behind what that read is going to return: it stays in
 * stream->in, which is empty, until the reader has left.
 *
 * A call that cannot end as it should leaves what came in the stream. Only a large
 * read_exactly has to put bytes back for that, which may need memory; without it the stream
 * breaks, since a stream must not go on with a hole in it.
 */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "io/stream.h"

#define READ_SMALL ED_BUFFER_BLOCK /* up to so much read_exactly gathers in the stream */

/* Where reading and writing share a position, one waits for the other. */
static int reading_take_turn(eddy_stream *stream)
{
    int rc = ed_stream_take_turn(stream);

    if (rc == 0 && stream->shut) {
        ed_stream_give_turn(stream);
        rc = stream->shut;
    }
    return rc < 0 && rc == stream->shut ? ed_stream_shut(stream) : rc;
}

/* Goes on behind ed_stream_enter, which has said `rc`. */
static int reading_begin(eddy_stream *stream, struct ed_stream_call *call, int rc)
{
    if (rc == 0 && stream->reading)
        rc = ed_stream_raise(stream, -EBUSY, "read: another task reads");
    if (ed_unlikely(rc < 0))
        return ed_stream_leave_failed(stream, rc, 0);
    stream->reading = true;
    ed_stream_call_begin(stream, call);
    if (ed_unlikely(stream->kind->positioned)) {
        rc = reading_take_turn(stream);
        if (rc < 0) {
            stream->reading = false;
            ed_stream_call_end(stream, call);
            return ed_stream_leave_failed(stream, rc, 0);
        }
    }
    ed_stream_unlend(stream);
    return 0;
}

int ed_reading_begin(eddy_stream *stream, struct ed_stream_call *call)
{
    return reading_begin(stream, call, ed_stream_enter(stream));
}

ssize_t ed_reading_end(eddy_stream *stream, struct ed_stream_call *call, ssize_t rc, size_t partial)
{
    stream->reading = false;
    if (ed_unlikely(stream->kind->positioned))
        ed_stream_give_turn(stream);
    ed_stream_call_end(stream, call);
    if (ed_unlikely(rc < 0)) {
        if (rc == stream->shut)
            ed_stream_shut(stream);
        return ed_stream_leave_failed(stream, (int)rc, partial);
    }
    ed_stream_leave(stream);
    return rc;
}

/* Joins what came behind to the bytes before it, if there is memory for that. */
static void stream_join(eddy_stream *stream)
{
    if (!stream->behind.data)
        return;
    if (ed_buffer_size(&stream->in) == 0)
        ed_buffer_take(&stream->in, &stream->behind);
    else if (ed_buffer_append(&stream->in, ed_buffer_bytes(&stream->behind),
                              ed_buffer_size(&stream->behind)) == 0)
        ed_buffer_release(&stream->behind);
}

static ED_NOINLINE void stream_unlend_slow(eddy_stream *stream)
{
    if (stream->has_saved)
        stream->in.data[stream->in.start] = stream->saved;
    stream->has_saved = stream->shown = false;
    if (ed_buffer_size(&stream->in) == 0)
        ed_buffer_release(&stream->in);
    stream_join(stream);
}

void ed_stream_unlend(eddy_stream *stream)
{
    if (ed_unlikely(stream->shown || stream->behind.data))
        stream_unlend_slow(stream);
}

size_t ed_stream_forget(eddy_stream *stream)
{
    size_t kept = ed_buffer_size(&stream->in) + ed_buffer_size(&stream->behind);

    ED_ASSERT(!stream->filling);
    ed_buffer_release(&stream->behind);
    if (stream->shown)
        stream->in.start = stream->in.end;
    else
        ed_buffer_release(&stream->in);
    stream->has_saved = false;
    return kept;
}

void ed_stream_resume(eddy_stream *stream)
{
    if (ed_likely(!stream->paused) || eddy_stream_room(stream) < stream->limit)
        return;
    stream->paused = false;
    if (stream->kind->resume && !stream->shut)
        stream->kind->resume(stream);
}

void ed_stream_take(eddy_stream *stream, size_t size)
{
    ed_buffer_consume(&stream->in, size);
    ed_stream_resume(stream);
}

/* What a stream that has broken, or has ended, gives to a reader who wants more. */
static int stream_over(const eddy_stream *stream)
{
    if (stream->read_error)
        return ed_stream_raise(stream, stream->read_error, "read: broken before: %s",
                               eddy_strerror(stream->read_error));
    ED_ASSERT(stream->ended);
    return 0;
}

ssize_t ed_stream_receive(eddy_stream *stream, void *data, size_t size)
{
    struct ed_error *text;
    bool own_text;
    ssize_t n;

    if (ed_unlikely(stream->ended || stream->read_error) && !stream->kind->positioned)
        return stream_over(stream);
    if (ed_unlikely(eddy_thread_.task->pending))
        return eddy_thread_.task->pending;
    text = ed_stream_kind_begin();
    n = stream->kind->read(stream, data, size);
    if (ed_stream_kind_end(text, n, &own_text)) {
        ed_stream_broken(stream, &stream->read_error, n);
        if (!own_text)
            ed_stream_raise(stream, (int)n, "read: %s", eddy_strerror((int)n));
    }
    if (n > 0) {
        ED_ASSERT((size_t)n <= size);
        stream->received += (size_t)n;
    }
    stream->ended = n == 0;
    return n;
}

/* How much room a read into the stream is to have. */
static size_t stream_ahead(const eddy_stream *stream)
{
    const struct eddy_buffer_ *in = &stream->in;
    size_t used = ed_buffer_size(in), ahead = stream->kind->read_ahead;

    if (ahead == 0 || in->capacity > 4 * ahead)
        return in->capacity ? in->capacity / 4 : ED_BUFFER_BLOCK;
    return in->capacity >= ahead && used <= in->capacity / 2 ? in->capacity - used : ahead;
}

int ed_stream_more(eddy_stream *stream)
{
    struct eddy_buffer_ *in = &stream->in;
    ssize_t n;

    stream_join(stream);
    if (stream->behind.data || ed_buffer_reserve(in, stream_ahead(stream)) < 0)
        return ed_fail(-ENOMEM);
    stream->filling = true;
    n = ed_stream_receive(stream, ed_buffer_free_space(in), ed_buffer_room(in));
    stream->filling = false;
    if (n > 0)
        ed_buffer_commit(in, (size_t)n);
    else if (ed_buffer_size(in) == 0)
        ed_buffer_release(in);
    if (ed_unlikely(stream->behind.data)) {
        stream_join(stream);
        n = n == 0 || n == stream->read_error ? 1 : n; /* these come again behind them */
    }
    return n > 0 ? 1 : (int)n;
}

int eddy_stream_push(eddy_stream *stream, const void *data, size_t size)
{
    struct eddy_buffer_ *in = &stream->in;
    bool behind =
        stream->filling || stream->behind.data || (stream->shown && size > ed_buffer_room(in));
    int rc = ed_buffer_append(behind ? &stream->behind : in, data, size);

    if (rc == 0)
        stream->received += size;
    return rc;
}

/* A read so small that more is read with it. */
static bool read_is_small(const eddy_stream *stream, size_t size)
{
    return size < stream->kind->read_ahead / 16;
}

/* Whether a read can go to the kind with nothing around it, since nobody else is at it. */
static bool read_is_alone(const eddy_stream *stream, size_t size)
{
    return stream->kind->read_nowait && size > 0 && !read_is_small(stream, size) &&
           !stream->reading && !stream->writing && !stream->shown && !stream->in.data &&
           !stream->behind.data;
}

static ED_NOINLINE ssize_t stream_read_slow(eddy_stream *stream, void *data, size_t size)
{
    struct ed_stream_call call;
    int rc = ed_stream_enter(stream);
    size_t have;
    ssize_t n;

    if (rc == 0 && read_is_alone(stream, size)) {
        n = stream->kind->read_nowait(stream, data, size);
        if (n >= 0) {
            stream->received += (size_t)n;
            stream->ended = n == 0;
            ed_stream_leave(stream);
            return n;
        }
    }
    rc = reading_begin(stream, &call, rc);
    if (rc < 0)
        return rc;
    have = ed_buffer_size(&stream->in);
    if (have == 0 && size > 0 && read_is_small(stream, size)) {
        rc = ed_stream_more(stream);
        have = ed_buffer_size(&stream->in);
    }
    if (rc < 0) {
        n = rc;
    } else if (size == 0 || have > 0 || read_is_small(stream, size)) {
        n = (ssize_t)(size < have ? size : have);
        if (n > 0) {
            memcpy(data, ed_buffer_bytes(&stream->in), (size_t)n);
            ed_stream_take(stream, (size_t)n);
        }
    } else {
        n = ed_stream_receive(stream, data, size);
    }
    return ed_reading_end(stream, &call, n, 0);
}

ssize_t eddy_read(eddy_stream *stream, void *data, size_t size)
{
    size_t have = ed_buffer_size(&stream->in);

    if (ed_unlikely(have == 0 || size == 0 || stream->shut || stream->reading || stream->shown ||
                    stream->paused || stream->loop != eddy_thread_.loop ||
                    eddy_thread_.credit <= 0))
        return stream_read_slow(stream, data, size);
    eddy_thread_.credit--; /* the checkpoint, which does not give way now */
    if (size > have)
        size = have;
    memcpy(data, ed_buffer_bytes(&stream->in), size);
    ed_buffer_consume(&stream->in, size);
    return (ssize_t)size;
}

/* Gathers a small number of bytes in the stream. */
static ssize_t read_exactly_small(eddy_stream *stream, void *data, size_t size, size_t *got)
{
    int rc = 1;

    while (rc > 0 && ed_buffer_size(&stream->in) < size)
        rc = ed_stream_more(stream);
    if (rc < 0)
        return rc;
    *got = ed_buffer_size(&stream->in);
    if (*got > size)
        *got = size;
    if (*got) {
        memcpy(data, ed_buffer_bytes(&stream->in), *got);
        ed_stream_take(stream, *got);
    }
    return *got == size ? 0 : EDDY_EINCOMPLETE;
}

/* Puts bytes back that a reader has already; the error that it gets. */
static ssize_t read_put_back(eddy_stream *stream, const void *data, size_t size, ssize_t rc)
{
    if (stream->kind->unread) {
        stream->kind->unread(stream, size + ed_stream_forget(stream));
        return rc;
    }
    if (ed_buffer_prepend(&stream->in, data, size) == 0)
        return rc;
    stream->read_error = -ENOMEM;
    return ed_stream_raise(stream, -ENOMEM,
                           "read: no memory to keep what came of a read that failed; %zu bytes "
                           "are lost",
                           size);
}

/* Reads a large number of bytes to where they are wanted. */
static ssize_t read_exactly_large(eddy_stream *stream, char *data, size_t size, size_t *got)
{
    ssize_t n = 1;

    while (n > 0 && *got < size) {
        size_t have = ed_buffer_size(&stream->in), left = size - *got;

        if (have == 0) {
            n = ed_stream_receive(stream, data + *got, left);
            *got += n > 0 ? (size_t)n : 0;
            continue;
        }
        have = have < left ? have : left;
        memcpy(data + *got, ed_buffer_bytes(&stream->in), have);
        *got += have;
        ed_stream_take(stream, have);
    }
    if (n < 0)
        return read_put_back(stream, data, *got, n);
    return *got == size ? 0 : EDDY_EINCOMPLETE;
}

int eddy_read_exactly(eddy_stream *stream, void *data, size_t size)
{
    struct ed_stream_call call;
    ssize_t rc = ed_reading_begin(stream, &call);
    size_t got = 0;

    if (rc < 0)
        return (int)rc;
    if (size <= READ_SMALL)
        rc = read_exactly_small(stream, data, size, &got);
    else
        rc = read_exactly_large(stream, data, size, &got);
    if (rc == EDDY_EINCOMPLETE)
        ed_stream_raise(stream, EDDY_EINCOMPLETE,
                        "read: the stream has ended behind %zu of %zu bytes", got, size);
    return (int)ed_reading_end(stream, &call, rc, rc == EDDY_EINCOMPLETE ? got : 0);
}

/* Gathers all bytes in the stream, and one more for a NUL; 0 or an error. */
static ssize_t read_all(eddy_stream *stream, size_t limit)
{
    int rc = 1;

    while (rc > 0 && ed_buffer_size(&stream->in) <= limit)
        rc = ed_stream_more(stream);
    if (rc < 0)
        return rc;
    if (ed_buffer_size(&stream->in) > limit)
        return ed_stream_raise(stream, EDDY_ELIMIT, "read: there are more than %zu bytes", limit);
    return ed_buffer_reserve(&stream->in, 1) < 0 ? ed_fail(-ENOMEM) : 0;
}

int eddy_read_all(eddy_stream *stream, size_t limit, char **data, size_t *size)
{
    struct ed_stream_call call;
    ssize_t rc = ed_reading_begin(stream, &call);

    if (rc < 0)
        return (int)rc;
    rc = read_all(stream, limit ? limit : EDDY_READ_ALL_LIMIT);
    if (rc == 0) {
        size_t all = ed_buffer_size(&stream->in);

        *data = ed_buffer_hand_over(&stream->in);
        (*data)[all] = '\0';
        if (size)
            *size = all;
    }
    return (int)ed_reading_end(stream, &call, rc, 0);
}

bool eddy_at_eof(const eddy_stream *stream)
{
    return stream->ended && !ed_buffer_size(&stream->in) && !ed_buffer_size(&stream->behind);
}
