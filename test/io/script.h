/* SPDX-License-Identifier: MIT */
/*
 * A kind of stream that plays a script: it delivers a text in pieces of any size, ends it as
 * it is told, and notes what is written to it, up to the byte at which writing fails.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "base/memory.h"
#include "eddy/stream_class.h"
#include "harness.h"

#define SCRIPT_FOR_EVER 1

struct script {
    const char *text; /* what is delivered */
    size_t size;
    size_t step;      /* bytes at once; 0: as many as are asked for */
    size_t pushed;    /* bytes that come with each piece, and are pushed */
    int end;          /* what comes then: 0 the end, an error, or SCRIPT_FOR_EVER */
    bool slow;        /* each piece takes a millisecond */
    int own_text;     /* the error has a text of the kind's */
    const char *last; /* what is pushed along with the end */
    bool stubborn;    /* a read takes a second, and nothing cuts it short */

    size_t room;     /* bytes that can be written, */
    int write_error; /* before this; 0: there is room for all */
    bool slow_write; /* each 1,000 bytes take a millisecond */
    size_t kept;     /* of each write, as if they had not gone; flushed in a millisecond */
    int flush_error; /* instead */
    int eof_error, close_error;
    bool slow_close; /* for a second */

    /* what happened */
    size_t at, reads, flushes, written, kept_now;
    int aborts, closes, frees, eofs;
    char out[8000]; /* the first of what was written */
};

struct script_stream {
    eddy_stream stream;
    struct script *script;
};

static inline struct script *script_of(const eddy_stream *stream)
{
    return ((const struct script_stream *)stream)->script;
}

static inline ssize_t script_read(eddy_stream *stream, void *data, size_t size)
{
    struct script *s = script_of(stream);
    size_t left = s->size - s->at, more;

    s->reads++;
    if (s->stubborn) {
        EDDY_SHIELD(second);
        EDDY_TRY(eddy_sleep(1));
    }
    if (s->slow)
        EDDY_TRY(eddy_sleep(0.001));
    if (left == 0 && s->end == SCRIPT_FOR_EVER)
        return eddy_sleep(EDDY_FOREVER);
    if (left == 0 && s->last)
        EDDY_TRY(eddy_stream_push(stream, s->last, strlen(s->last)));
    if (left == 0)
        return s->end && s->own_text ? eddy_raise(s->end, "the script says so") : s->end;
    if (size > left)
        size = left;
    if (s->step && size > s->step)
        size = s->step;
    memcpy(data, s->text + s->at, size);
    s->at += size;
    more = s->pushed < s->size - s->at ? s->pushed : s->size - s->at;
    if (more && eddy_stream_push(stream, s->text + s->at, more) == 0)
        s->at += more;
    return (ssize_t)size;
}

/* Takes bytes one after the other, so that a failure falls on any of them. */
static inline int
script_write(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait, size_t *done)
{
    struct script *s = script_of(stream);

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parts[i].iov_len; k++) {
            if (s->write_error && s->written == s->room)
                return s->write_error;
            if (s->slow_write && wait && *done % 1000 == 999)
                EDDY_TRY(eddy_sleep(0.001));
            if (s->written < sizeof s->out)
                s->out[s->written] = ((const char *)parts[i].iov_base)[k];
            s->written++;
            ++*done;
        }
    s->kept_now += s->kept;
    return 0;
}

static inline int script_flush(eddy_stream *stream, size_t kept)
{
    struct script *s = script_of(stream);

    s->flushes++;
    if (s->kept_now <= kept)
        return 0;
    EDDY_TRY(eddy_sleep(0.001));
    if (s->flush_error)
        return s->flush_error;
    s->kept_now = kept;
    return 0;
}

static inline size_t script_pending(const eddy_stream *stream)
{
    return script_of(stream)->kept_now;
}

static inline int script_write_eof(eddy_stream *stream)
{
    script_of(stream)->eofs++;
    return script_of(stream)->eof_error;
}

static inline void script_abort(eddy_stream *stream, int rc)
{
    (void)rc;
    script_of(stream)->aborts++;
    script_of(stream)->kept_now = 0;
}

static inline int script_close(eddy_stream *stream)
{
    struct script *s = script_of(stream);

    s->closes++;
    if (s->slow_close)
        EDDY_TRY(eddy_sleep(1));
    return s->close_error;
}

static inline void script_free(eddy_stream *stream)
{
    script_of(stream)->frees++;
    ed_free(stream);
}

static inline const char *script_peer_name(const eddy_stream *stream)
{
    (void)stream;
    return "nobody:7";
}

static const eddy_stream_class script_class = {
    .name = "script",
    .read = script_read,
    .write = script_write,
    .flush = script_flush,
    .pending = script_pending,
    .write_eof = script_write_eof,
    .abort = script_abort,
    .close = script_close,
    .free = script_free,
    .peer_name = script_peer_name,
};

/* Opens one; NULL when memory is short. */
static inline eddy_stream *script_open(struct script *script)
{
    struct script_stream *made = ed_alloc_zero(sizeof *made);

    if (!made)
        return NULL;
    made->script = script;
    if (eddy_stream_init(&made->stream, &script_class) < 0) {
        ed_free(made);
        return NULL;
    }
    return &made->stream;
}

/* A script of a string. */
#define SCRIPT(string, ...)                                                                        \
    {                                                                                              \
        .text = (string), .size = sizeof(string) - 1, __VA_ARGS__                                  \
    }

#endif
