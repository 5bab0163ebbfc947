/* SPDX-License-Identifier: MIT */
/*
 * Writing. One task at a time is in its turn, which stream->writing stands for; the others
 * wait in stream->writers, first come, first served. A turn is handed on: `writing` stays
 * true in between, so that nobody overtakes. So each write is whole, and the kind is asked by
 * one task at a time.
 *
 * What is kept back from writers is the kind's. A write that finds more than `high` bytes of
 * it waits until `low` are left, and then is given to the kind whole.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "io/stream.h"

#define WRITE_PARTS 1024 /* of one write, as writev(2) takes */
#define WRITE_TEXT 512   /* bytes of a formatted text that needs no block */

static const struct ed_wait_kind write_turn_kind = {"stream.write", NULL, NULL};

int ed_stream_check_write(const eddy_stream *stream)
{
    int rc = stream->write_error ? stream->write_error : stream->read_error;

    if (ed_unlikely(stream->shut))
        return ed_stream_shut(stream);
    if (ed_unlikely(rc))
        return ed_stream_raise(stream, rc, "write: broken before: %s", eddy_strerror(rc));
    return 0;
}

/* The same for what adds bytes. */
static int write_check_open(const eddy_stream *stream)
{
    if (ed_unlikely(stream->finished))
        return ed_stream_raise(stream, -EPIPE, "write: the stream's writing half has been ended");
    return ed_stream_check_write(stream);
}

/* Waits for a turn, which the call that has it hands over. */
static ED_NOINLINE int write_wait_turn(eddy_stream *stream)
{
    struct ed_wait wait = ED_WAIT(&write_turn_kind, stream, &stream->writers);

    return ed_park(&wait);
}

int ed_stream_take_turn(eddy_stream *stream)
{
    if (ed_unlikely(stream->writing))
        return write_wait_turn(stream);
    stream->writing = true;
    return 0;
}

void ed_stream_give_turn(eddy_stream *stream)
{
    struct eddy_link_ *next = ed_list_pop(&stream->writers);

    if (ed_unlikely(next != NULL))
        ed_wake(ed_container_of(next, struct ed_wait, link), 0);
    else
        stream->writing = false;
}

int ed_writing_begin(eddy_stream *stream, struct ed_stream_call *call)
{
    int rc = ed_stream_enter(stream);

    if (rc == 0)
        rc = ed_stream_check_write(stream);
    if (ed_unlikely(rc < 0))
        return ed_stream_leave_failed(stream, rc, 0);
    ed_stream_call_begin(stream, call);
    if (ed_likely(!stream->writing)) {
        stream->writing = true;
        return 0;
    }
    rc = write_wait_turn(stream);
    if (rc < 0) {
        ed_stream_call_end(stream, call);
        if (rc == stream->shut)
            ed_stream_shut(stream);
        return ed_stream_leave_failed(stream, rc, 0);
    }
    rc = ed_stream_check_write(stream); /* again: much may have happened */
    return rc < 0 ? ed_writing_end(stream, call, rc, 0) : 0;
}

int ed_writing_end(eddy_stream *stream, struct ed_stream_call *call, int rc, size_t partial)
{
    ed_stream_give_turn(stream);
    ed_stream_call_end(stream, call);
    if (ed_unlikely(rc < 0)) {
        if (rc == stream->shut)
            ed_stream_shut(stream);
        return ed_stream_leave_failed(stream, rc, partial);
    }
    ed_stream_leave(stream);
    return rc;
}

int ed_stream_flush_to(eddy_stream *stream, size_t kept)
{
    struct ed_error *text;
    bool own_text;
    int rc;

    if (!stream->kind->flush || (ed_stream_pending(stream) <= kept && !stream->lost &&
                                 !(stream->kind->positioned && kept == 0)))
        return 0; /* of a file, a write may be under way that nobody waits for */
    text = ed_stream_kind_begin();
    rc = stream->kind->flush(stream, kept);
    if (ed_stream_kind_end(text, rc, &own_text)) {
        ed_stream_broken(stream, &stream->write_error, rc);
        if (!own_text)
            ed_stream_raise(stream, rc, "write: %zu bytes of earlier writes were not sent: %s",
                            stream->lost + ed_stream_pending(stream), eddy_strerror(rc));
    }
    return rc;
}

/* The kind's write alone. */
static int stream_send_now(eddy_stream *stream, const struct iovec *parts, size_t count,
                           size_t size, bool wait, size_t *done)
{
    struct ed_error *text = ed_stream_kind_begin();
    bool own_text;
    int rc;

    stream->under_way = done;
    rc = stream->kind->write(stream, parts, count, wait, done);
    stream->under_way = NULL;
    ED_ASSERT(*done <= size);
    ED_ASSERT(rc < 0 || *done == size);
    stream->taken += *done;
    if (ed_stream_kind_end(text, rc, &own_text)) {
        ed_stream_broken(stream, &stream->write_error, rc);
        if (!own_text)
            ed_stream_raise(stream, rc, "write: %zu of %zu bytes sent: %s", *done, size,
                            eddy_strerror(rc));
    }
    return rc;
}

int ed_stream_send(eddy_stream *stream, const struct iovec *parts, size_t count, size_t size,
                   size_t *done)
{
    int rc = 0;

    if (ed_unlikely(ed_stream_pending(stream) > stream->high))
        rc = ed_stream_flush_to(stream, stream->low);
    return rc < 0 ? rc : stream_send_now(stream, parts, count, size, true, done);
}

static int stream_write(eddy_stream *stream, const struct iovec *parts, size_t count, size_t size)
{
    struct ed_stream_call call;
    int rc = ed_writing_begin(stream, &call);
    size_t done = 0;

    if (rc < 0)
        return rc;
    rc = write_check_open(stream);
    if (rc == 0 && size > 0)
        rc = ed_stream_send(stream, parts, count, size, &done);
    return ed_writing_end(stream, &call, rc, done);
}

int eddy_write(eddy_stream *stream, const void *data, size_t size)
{
    struct iovec part = {(void *)(uintptr_t)data, size};

    return stream_write(stream, &part, 1, size);
}

int eddy_writev(eddy_stream *stream, const struct iovec *parts, size_t count)
{
    size_t size = 0;

    stream->partial = 0;
    if (count > WRITE_PARTS)
        return ed_stream_raise(stream, -EINVAL, "write: %zu parts, at most %d", count, WRITE_PARTS);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len > SSIZE_MAX - size)
            return ed_stream_raise(stream, -EINVAL, "write: the parts are longer than memory is");
        size += parts[i].iov_len;
    }
    return stream_write(stream, parts, count, size);
}

/* A formatted text: `small`, of WRITE_TEXT bytes, when it has room, or a block to be freed. The
 * length, or an error. */
static int write_format(const eddy_stream *stream, const char *format, va_list arguments,
                        char *small, char **text)
{
    va_list again;
    int size;

    va_copy(again, arguments);
    size = vsnprintf(small, WRITE_TEXT, format, arguments);
    *text = small;
    if (size >= WRITE_TEXT) {
        *text = ed_alloc((size_t)size + 1);
        if (*text)
            vsnprintf(*text, (size_t)size + 1, format, again);
    }
    va_end(again);
    if (size < 0)
        return ed_stream_raise(stream, -EINVAL, "write: the text cannot be formatted");
    return *text ? size : ed_fail(-ENOMEM);
}

int eddy_vprintf(eddy_stream *stream, const char *format, va_list arguments)
{
    char small[WRITE_TEXT], *text;
    int rc = write_format(stream, format, arguments, small, &text);

    if (rc >= 0)
        rc = eddy_write(stream, text, (size_t)rc);
    if (text != small)
        ed_free(text);
    return rc;
}

int eddy_printf(eddy_stream *stream, const char *format, ...)
{
    va_list arguments;
    int rc;

    va_start(arguments, format);
    rc = eddy_vprintf(stream, format, arguments);
    va_end(arguments);
    return rc;
}

int eddy_vprintf_nowait(eddy_stream *stream, const char *format, va_list arguments)
{
    char small[WRITE_TEXT], *text;
    int rc = write_format(stream, format, arguments, small, &text);

    if (rc >= 0)
        rc = eddy_write_nowait(stream, text, (size_t)rc);
    if (text != small)
        ed_free(text);
    return rc;
}

int eddy_printf_nowait(eddy_stream *stream, const char *format, ...)
{
    va_list arguments;
    int rc;

    va_start(arguments, format);
    rc = eddy_vprintf_nowait(stream, format, arguments);
    va_end(arguments);
    return rc;
}

int eddy_write_nowait(eddy_stream *stream, const void *data, size_t size)
{
    struct iovec part = {(void *)(uintptr_t)data, size};
    size_t done = 0;
    int rc;

    if (ed_unlikely(stream->loop != eddy_thread_.loop))
        ed_stream_stray(stream);
    rc = write_check_open(stream);
    if (rc == 0 && (stream->writing || ed_stream_pending(stream) > stream->high))
        rc = ed_fail(-EAGAIN);
    else if (rc == 0 && size > 0)
        rc = stream_send_now(stream, &part, 1, size, false, &done);
    if (rc < 0)
        stream->partial = done;
    return rc;
}

/* Waits in a turn of its own until no more than `kept` bytes are kept. */
static int stream_flush(eddy_stream *stream, size_t over, size_t kept)
{
    struct ed_stream_call call;
    int rc = ed_writing_begin(stream, &call);

    if (rc < 0)
        return rc;
    if (over == 0 || stream->lost || ed_stream_pending(stream) > over)
        rc = ed_stream_flush_to(stream, kept);
    return ed_writing_end(stream, &call, rc, 0);
}

int eddy_drain(eddy_stream *stream)
{
    int rc;

    if (stream->lost || ed_stream_pending(stream) > stream->high)
        return stream_flush(stream, stream->high, stream->low);
    rc = ed_stream_enter(stream);
    if (rc == 0)
        rc = ed_stream_check_write(stream);
    if (rc < 0)
        return ed_stream_leave_failed(stream, rc, 0);
    ed_stream_leave(stream);
    return 0;
}

int eddy_flush(eddy_stream *stream)
{
    return stream_flush(stream, 0, 0);
}

/* Ends the writing half, in the caller's turn. */
static int stream_finish(eddy_stream *stream)
{
    int rc = ed_stream_flush_to(stream, 0);
    struct ed_error *text;
    bool own_text;

    if (rc < 0)
        return rc;
    text = ed_stream_kind_begin();
    rc = stream->kind->write_eof(stream);
    if (ed_stream_kind_end(text, rc, &own_text)) {
        stream->write_error = rc;
        if (!own_text)
            ed_stream_raise(stream, rc, "write: its end: %s", eddy_strerror(rc));
    }
    stream->finished = rc == 0;
    return rc;
}

int eddy_write_eof(eddy_stream *stream)
{
    struct ed_stream_call call;
    int rc = ed_writing_begin(stream, &call);

    if (rc < 0)
        return rc;
    if (!stream->kind->write_eof)
        rc = ed_stream_raise(stream, -ENOTSUP, "one half alone cannot be ended");
    else if (!stream->finished)
        rc = stream_finish(stream);
    return ed_writing_end(stream, &call, rc, 0);
}
