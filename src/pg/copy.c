/* SPDX-License-Identifier: MIT */
/*
 * A COPY that runs: bytes between the server and a stream.
 *
 * Out: libpq gives a row at a time; they are gathered, and go to the stream in chunks. While the
 * stream takes one nothing is read from the server, so that a slow sink slows the server down. What
 * is there goes out before the task waits for more.
 *
 * In: chunks are given to libpq, and each is sent before the next one is read from the source, so
 * that libpq keeps no more than one.
 *
 *     a server that refuses says so at once, and then drops what comes: libpq does not look at its
 *     word before the end. So what has come is looked at before libpq reads it. An error message
 *     stops the sending; anything else, notices above all, is libpq's to read.
 *
 *     libpq also reads where a send would block, and what it has read nobody can look at. So it is
 *     given small pieces, and only when the socket takes one whole: that is what readiness means,
 *     but for tiny buffers, where a refusal may be seen at the end of the source only.
 *
 * However it ends before its end, a COPY into a table is ended by CopyFail, which the server
 * answers by undoing it, and one out of it by a cancel request; reading the answers is left to the
 * settling of the connection.
 */
#include "pg/copy.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "pg/statement.h"
#include "task/task.h"

#define COPY_PAUSE 0.001 /* seconds, for the rest of a message that has begun */

/* What the server says while it takes rows ------------------------------------------ */

/* ErrorResponse: 'E', its size, and fields, of which the first is the severity: S, "ERROR",
 * "FATAL", "PANIC", or a translation. Two NULs of the size stand in no other message but at its
 * end. */
int pg_copy_is_error(const unsigned char *bytes, size_t size)
{
    static const unsigned char begin[] = {'E', 0, 0};

    for (size_t i = 0; i < size && i < sizeof begin; i++)
        if (bytes[i] != begin[i])
            return 0;
    if (size < 7)
        return -1;
    return bytes[5] == 'S' && bytes[6] >= 'A' ? 1 : 0;
}

/* Looks at what the server has said: 0; 1: nothing more is to be sent; or an error. In *held
 * whether its word has begun, which must stay where it is until more of it is there. */
static int copy_look(struct pg_copy *copy, bool *held)
{
    unsigned char bytes[16];
    ssize_t size = pg_peek(copy->libpq, bytes, sizeof bytes);
    int verdict = size > 0 ? pg_copy_is_error(bytes, (size_t)size) : 0;

    *held = verdict < 0;
    copy->stopped = size < 0 || verdict > 0;
    if (copy->stopped || *held || size == 0)
        return copy->stopped;
    if (!pg_read_input(copy->connection))
        return copy->stopped = true; /* what was the end of it is among the results */
    (void)PQisBusy(copy->libpq);     /* takes notices out; it is not, before the end */
    return 0;
}

static bool copy_takes(const struct pg_copy *copy)
{
    struct pollfd socket = {.fd = PQsocket(copy->libpq), .events = POLLOUT};

    return poll(&socket, 1, 0) != 0;
}

/* Waits until a piece can be sent. 0; 1: the server takes no more; or an error. */
static int copy_wait(struct pg_copy *copy)
{
    for (;;) {
        bool held;
        int rc = copy_look(copy, &held);

        if (rc != 0)
            return rc;
        if (held)
            EDDY_TRY(eddy_sleep(COPY_PAUSE));
        else if (copy_takes(copy))
            return 0;
        else
            EDDY_TRY(pg_wait_socket(copy->connection, true));
    }
}

/* Sends what libpq keeps. As pg_copy_send. */
int pg_copy_flush(struct pg_copy *copy)
{
    int rc;

    while ((rc = copy_wait(copy)) == 0) {
        int left = PQflush(copy->libpq);

        if (left < 0)
            return pg_raise_failure(copy->connection, copy->operation.query);
        if (left == 0)
            return 0;
    }
    return rc;
}

/* Beginning and ending -------------------------------------------------------------- */

static int copy_start(struct pg_copy *copy, const char *sql)
{
    PGresult *result = NULL;
    ExecStatusType status;
    int rc = 0;

    if (!PQsendQuery(copy->libpq, sql))
        return pg_raise_failure(copy->connection, sql);
    EDDY_TRY(pg_flush(copy->connection));
    EDDY_TRY(pg_next_result(copy->connection, &result));
    status = result ? PQresultStatus(result) : PGRES_EMPTY_QUERY;
    copy->in = status == PGRES_COPY_IN;
    if (status != PGRES_COPY_IN && status != PGRES_COPY_OUT) {
        rc = result ? pg_raise_result(copy->connection, result, sql) : 0;
        if (rc == 0)
            rc = eddy_raise(EDDY_EPG_USE, "not COPY ... TO STDOUT or FROM STDIN: %.100s", sql);
    }
    PQclear(result);
    return rc;
}

int pg_copy_begin(struct pg_copy *copy, eddy_pg_connection *connection, const char *sql)
{
    int rc;

    *copy = (struct pg_copy){.connection = connection};
    EDDY_TRY(pg_operation_begin(&copy->operation, connection, sql));
    copy->libpq = pg_connection_libpq(connection);
    rc = copy_start(copy, sql);
    return rc < 0 ? pg_operation_end(&copy->operation, rc) : 0;
}

/* What the command did: its tag counts the rows. */
static void copy_note(struct pg_copy *copy, PGresult *result)
{
    struct pg_statements *statements = pg_statements_of(copy->connection);

    copy->rows = strtoll(PQcmdTuples(result), NULL, 10);
    if (statements)
        pg_statements_note_tag(statements, PQcmdStatus(result));
}

/* Another COPY in the same text, which does not end by reading results: settling ends it. */
static int copy_refuse_another(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
        return eddy_raise(EDDY_EPG_USE, "one COPY at a time");
    return 0;
}

/* Reads the results behind the data. */
static int copy_read_results(struct pg_copy *copy)
{
    PGresult *result = NULL;
    int first = 0;

    for (;;) {
        int rc = pg_next_result(copy->connection, &result);

        if (rc < 0)
            return rc;
        if (!result)
            break;
        if (first == 0)
            first = pg_raise_result(copy->connection, result, copy->operation.query);
        if (first == 0)
            copy_note(copy, result);
        rc = copy_refuse_another(result);
        PQclear(result);
        if (rc < 0)
            return rc;
    }
    copy->ended = true;
    return first;
}

/* Says that all rows were sent, or that no more of them will be. */
static int copy_send_end(struct pg_copy *copy, const char *why)
{
    if (PQputCopyEnd(copy->libpq, why) <= 0)
        return pg_raise_failure(copy->connection, copy->operation.query);
    return 0;
}

static int copy_finish(struct pg_copy *copy)
{
    if (copy->ended)
        return 0;
    if (copy->in) {
        EDDY_TRY(copy_send_end(copy, copy->stopped ? "the server has refused" : NULL));
        EDDY_TRY(pg_flush(copy->connection));
    }
    return copy_read_results(copy);
}

int64_t pg_copy_end(struct pg_copy *copy, int rc)
{
    struct ed_error *error;

    if (rc == 0)
        rc = copy_finish(copy);
    if (rc < 0 && copy->in && !copy->ended) {
        error = eddy_error_set_aside_(); /* what goes wrong here is not why */
        (void)PQputCopyEnd(copy->libpq, "cancelled by the client");
        eddy_error_put_back_(error);
    }
    rc = pg_operation_end(&copy->operation, rc);
    return rc < 0 ? rc : copy->rows;
}

/* Moving bytes ---------------------------------------------------------------------- */

/* Has libpq read what comes. In *lost whether the connection is; the server's last words may have
 * come before that. */
static int copy_read_more(struct pg_copy *copy, bool wait, bool *lost)
{
    if (wait)
        EDDY_TRY(pg_wait_socket(copy->connection, false));
    *lost = !pg_read_input(copy->connection);
    return 0;
}

ssize_t pg_copy_receive(struct pg_copy *copy, char **data, bool wait)
{
    bool tried = false, lost = false;

    while (!copy->ended) {
        int size = PQgetCopyData(copy->libpq, data, true);

        if (size > 0)
            return size;
        if (size == -1)
            return copy_read_results(copy);
        if (size < 0 || lost)
            return pg_raise_failure(copy->connection, copy->operation.query);
        if (tried && !wait)
            return -EAGAIN;
        EDDY_TRY(copy_read_more(copy, wait, &lost));
        tried = true;
    }
    return 0;
}

int pg_copy_put(struct pg_copy *copy, const void *data, size_t size)
{
    if (PQputCopyData(copy->libpq, data, (int)size) <= 0)
        return pg_raise_failure(copy->connection, copy->operation.query);
    return 0;
}

int pg_copy_send(struct pg_copy *copy, const void *data, size_t size)
{
    const char *bytes = data;

    while (size > 0 && !copy->stopped) {
        size_t part = size < PG_COPY_PIECE ? size : PG_COPY_PIECE;

        EDDY_TRY(pg_copy_put(copy, bytes, part));
        EDDY_TRY(pg_copy_flush(copy));
        bytes += part;
        size -= part;
    }
    return copy->stopped;
}

/* Gathers rows in a chunk that goes to the stream when it is full. */
struct copy_sink {
    eddy_stream *stream;
    char *chunk;
    size_t used;
};

static int sink_flush(struct copy_sink *sink)
{
    size_t used = sink->used;

    sink->used = 0;
    return used ? eddy_write(sink->stream, sink->chunk, used) : 0;
}

static int sink_put(struct copy_sink *sink, const char *data, size_t size)
{
    if (sink->used + size > PG_COPY_CHUNK)
        EDDY_TRY(sink_flush(sink));
    if (size >= PG_COPY_CHUNK)
        return eddy_write(sink->stream, data, size);
    memcpy(sink->chunk + sink->used, data, size);
    sink->used += size;
    return 0;
}

static int copy_pull(struct pg_copy *copy, struct copy_sink *sink)
{
    for (;;) {
        char *data = NULL;
        ssize_t size = pg_copy_receive(copy, &data, false);
        int rc;

        if (size == -EAGAIN) {
            EDDY_TRY(sink_flush(sink));
            size = pg_copy_receive(copy, &data, true);
        }
        if (size < 0)
            return (int)size;
        if (size == 0)
            return sink_flush(sink);
        rc = sink_put(sink, data, (size_t)size);
        PQfreemem(data);
        if (rc < 0)
            return rc;
    }
}

/* Sends what the source gives, in whole chunks: it is not read for a few bytes at a time. */
static int copy_push(struct pg_copy *copy, eddy_stream *from, char *chunk)
{
    ssize_t size = 1;

    while (size > 0) {
        size_t used = 0;
        int rc;

        while (used < PG_COPY_CHUNK &&
               (size = eddy_read(from, chunk + used, PG_COPY_CHUNK - used)) > 0)
            used += (size_t)size;
        if (size < 0)
            return (int)size;
        rc = pg_copy_send(copy, chunk, used);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return 0;
}

/* The calls ------------------------------------------------------------------------- */

static int64_t copy_to(eddy_pg_connection *connection, const char *sql, eddy_stream *to)
{
    EDDY_TIMEOUT(limit, pg_connection_command_timeout(connection));
    struct copy_sink sink = {.stream = to, .chunk = eddy_alloc_(PG_COPY_CHUNK)};
    struct pg_copy copy;
    int64_t rows;

    if (!sink.chunk)
        return -ENOMEM;
    rows = pg_copy_begin(&copy, connection, sql);
    if (rows == 0 && copy.in)
        rows = pg_copy_end(&copy, eddy_raise(EDDY_EPG_USE, "COPY FROM STDIN gives no rows"));
    else if (rows == 0)
        rows = pg_copy_end(&copy, copy_pull(&copy, &sink));
    eddy_free(sink.chunk);
    return rows;
}

static int64_t copy_from(eddy_pg_connection *connection, const char *sql, eddy_stream *from)
{
    EDDY_TIMEOUT(limit, pg_connection_command_timeout(connection));
    char *chunk = eddy_alloc_(PG_COPY_CHUNK);
    struct pg_copy copy;
    int64_t rows;

    if (!chunk)
        return -ENOMEM;
    rows = pg_copy_begin(&copy, connection, sql);
    if (rows == 0)
        rows = pg_copy_end(&copy, copy_push(&copy, from, chunk));
    eddy_free(chunk);
    return rows;
}

int64_t eddy_pg_copy_out(eddy_pg_connection *connection, const char *table,
                         const eddy_pg_copy_options *options, eddy_stream *to)
{
    struct eddy_buffer_ sql = {0};
    int64_t rows = pg_copy_sql_out(&sql, table, options);

    if (rows == 0)
        rows = copy_to(connection, ed_buffer_bytes(&sql), to);
    ed_buffer_release(&sql);
    return rows;
}

int64_t eddy_pg_copy_in(eddy_pg_connection *connection, const char *table,
                        const eddy_pg_copy_options *options, eddy_stream *from)
{
    struct eddy_buffer_ sql = {0};
    int64_t rows = pg_copy_sql_in(&sql, table, options);

    if (rows == 0)
        rows = copy_from(connection, ed_buffer_bytes(&sql), from);
    ed_buffer_release(&sql);
    return rows;
}

int64_t eddy_pg_copy_query_out_values(eddy_pg_connection *connection,
                                      const eddy_pg_copy_options *options, eddy_stream *to,
                                      const char *query, const eddy_pg_value *values, size_t count)
{
    EDDY_TIMEOUT(limit, pg_connection_command_timeout(connection)); /* of both */
    struct eddy_buffer_ whole = {0}, sql = {0};
    int64_t rows = count ? pg_copy_values(connection, query, values, count, &whole) : 0;

    if (rows == 0)
        rows = pg_copy_sql_query(&sql, count ? ed_buffer_bytes(&whole) : query, options);
    if (rows == 0)
        rows = copy_to(connection, ed_buffer_bytes(&sql), to);
    ed_buffer_release(&whole);
    ed_buffer_release(&sql);
    return rows;
}
