/* SPDX-License-Identifier: MIT */
/*
 * A COPY as a stream, for who writes or reads its rows himself.
 *
 * Reading gives rows as they come, many at a time where they are there. Writing gives them to
 * libpq, and waits for the kernel to have them once a chunk of them is kept: small writes cost no
 * system call each. The server's refusal is the error of the write that finds it.
 *
 *     the operation has the connection from the open to `over`: the end by finish, by the end of
 *     the stream that is written, or by the close, which is as if nothing had been
 */
#include <string.h>

#include "pg/copy.h"

struct copy_stream {
    eddy_stream stream;
    struct pg_copy copy;
    char *sql;
    double deadline; /* eddy_time() */
    char *row;       /* to be read: libpq's, */
    size_t at, size; /* from here to there */
    size_t unsent;   /* bytes that were written since the last flush */
    bool over;
    int64_t outcome; /* then: rows, or why not */
};

static struct copy_stream *copy_stream_of(eddy_stream *stream)
{
    return (struct copy_stream *)stream;
}

/* Ends the operation, once. */
static int64_t stream_end(struct copy_stream *s, int rc)
{
    if (s->over)
        return s->outcome;
    s->over = true;
    s->outcome = rc;
    s->outcome = pg_copy_end(&s->copy, rc);
    return s->outcome;
}

/* Reading --------------------------------------------------------------------------- */

/* What of the row fits. */
static size_t stream_take(struct copy_stream *s, char *data, size_t size)
{
    size_t part = s->size - s->at < size ? s->size - s->at : size;

    if (part > 0)
        memcpy(data, s->row + s->at, part);
    s->at += part;
    if (s->row && s->at == s->size) {
        PQfreemem(s->row);
        s->row = NULL;
        s->at = s->size = 0;
    }
    return part;
}

static ssize_t copy_stream_read(eddy_stream *stream, void *data, size_t size)
{
    struct copy_stream *s = copy_stream_of(stream);
    EDDY_TIMEOUT_AT(limit, s->deadline);
    size_t used;

    if (s->copy.in)
        return eddy_raise(-ENOTSUP, "COPY FROM STDIN is written, not read");
    for (used = stream_take(s, data, size); used < size;
         used += stream_take(s, (char *)data + used, size - used)) {
        ssize_t got = pg_copy_receive(&s->copy, &s->row, used == 0);

        if (got <= 0)
            return used > 0 ? (ssize_t)used : got;
        s->size = (size_t)got;
    }
    return (ssize_t)used;
}

/* Writing --------------------------------------------------------------------------- */

/* Sends what is kept. */
static int stream_flush(struct copy_stream *s)
{
    int rc;

    if (!s->copy.in || s->over)
        return 0;
    rc = pg_copy_flush(&s->copy);
    if (rc == 0)
        s->unsent = 0;
    return rc > 0 ? (int)stream_end(s, 0) : rc; /* the server's refusal */
}

/* Gives bytes to libpq; with `wait` when the socket takes them, else it keeps what does not go. */
static int stream_put(struct copy_stream *s, const char *data, size_t size, bool wait, size_t *done)
{
    while (size > 0) {
        size_t part = size < PG_COPY_PIECE ? size : PG_COPY_PIECE;

        if (wait && s->unsent + part > PG_COPY_PIECE)
            EDDY_TRY(stream_flush(s));
        EDDY_TRY(pg_copy_put(&s->copy, data, part));
        *done += part;
        s->unsent += part + 5; /* with the head of its message */
        data += part;
        size -= part;
    }
    return 0;
}

static int stream_put_all(struct copy_stream *s, const struct iovec *parts, size_t count, bool wait,
                          size_t *done)
{
    for (size_t i = 0; i < count; i++)
        EDDY_TRY(stream_put(s, parts[i].iov_base, parts[i].iov_len, wait, done));
    return 0;
}

static int
stream_put_in_time(struct copy_stream *s, const struct iovec *parts, size_t count, size_t *done)
{
    EDDY_TIMEOUT_AT(limit, s->deadline);

    return stream_put_all(s, parts, count, true, done);
}

static int copy_stream_write(eddy_stream *stream, const struct iovec *parts, size_t count,
                             bool wait, size_t *done)
{
    struct copy_stream *s = copy_stream_of(stream);
    size_t size = 0;

    if (!s->copy.in)
        return eddy_raise(-ENOTSUP, "COPY TO STDOUT is read, not written");
    if (s->over)
        return s->outcome < 0 ? (int)s->outcome : -EPIPE;
    if (wait)
        return stream_put_in_time(s, parts, count, done);
    for (size_t i = 0; i < count; i++)
        size += parts[i].iov_len;
    if (s->unsent + size >= PG_COPY_CHUNK)
        return -EAGAIN;
    return stream_put_all(s, parts, count, false, done);
}

static int copy_stream_flush(eddy_stream *stream, size_t kept)
{
    struct copy_stream *s = copy_stream_of(stream);
    EDDY_TIMEOUT_AT(limit, s->deadline);

    return s->unsent > kept ? stream_flush(s) : 0;
}

static size_t copy_stream_pending(const eddy_stream *stream)
{
    return ((const struct copy_stream *)stream)->unsent;
}

static int copy_stream_write_eof(eddy_stream *stream)
{
    struct copy_stream *s = copy_stream_of(stream);
    EDDY_TIMEOUT_AT(limit, s->deadline);
    int64_t rows;

    if (!s->copy.in)
        return eddy_raise(-ENOTSUP, "COPY TO STDOUT is read, not written");
    rows = stream_end(s, 0);
    return rows < 0 ? (int)rows : 0;
}

/* Ending ---------------------------------------------------------------------------- */

static void copy_stream_abort(eddy_stream *stream, int rc)
{
    copy_stream_of(stream)->unsent = 0; /* the close does the rest */
    (void)rc;
}

static int copy_stream_close(eddy_stream *stream)
{
    struct copy_stream *s = copy_stream_of(stream);

    (void)stream_end(s, s->copy.ended ? 0 : -ECANCELED);
    return 0;
}

static void copy_stream_free(eddy_stream *stream)
{
    struct copy_stream *s = copy_stream_of(stream);

    PQfreemem(s->row);
    eddy_free(s->sql);
    eddy_free(s);
}

static const eddy_stream_class copy_class = {
    .name = "copy",
    .read = copy_stream_read,
    .write = copy_stream_write,
    .flush = copy_stream_flush,
    .pending = copy_stream_pending,
    .write_eof = copy_stream_write_eof,
    .abort = copy_stream_abort,
    .close = copy_stream_close,
    .free = copy_stream_free,
    .read_ahead = PG_COPY_CHUNK,
};

int eddy_pg_copy_open(eddy_pg_connection *connection, const char *sql, eddy_stream **out)
{
    struct copy_stream *s = eddy_alloc_(sizeof *s);
    int rc = s ? eddy_stream_init(&s->stream, &copy_class) : -ENOMEM;

    if (rc == 0 && !(s->sql = eddy_strdup_(sql)))
        rc = -ENOMEM;
    if (rc == 0) {
        s->deadline = eddy_time() + pg_connection_command_timeout(connection);
        EDDY_TIMEOUT_AT(limit, s->deadline);
        rc = pg_copy_begin(&s->copy, connection, s->sql);
    }
    if (rc == 0)
        *out = &s->stream;
    else if (s)
        copy_stream_free(&s->stream);
    return rc;
}

int64_t eddy_pg_copy_finish(eddy_stream *copy)
{
    struct copy_stream *s = copy_stream_of(copy);

    if (copy->kind != &copy_class)
        return eddy_raise(EDDY_EPG_USE, "eddy_pg_copy_finish of a stream that is no COPY");
    if (!s->copy.in && !s->copy.ended && !s->over)
        return eddy_raise(EDDY_EPG_USE, "a COPY that is read ends with its last row");
    if (s->copy.in)
        EDDY_TRY(eddy_write_eof(copy));
    return stream_end(s, 0);
}
