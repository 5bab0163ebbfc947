/* SPDX-License-Identifier: MIT */
/*
 * The rows of a query one by one, as a generator.
 *
 * The server sends as fast as it is read, and it is read when the next row is asked for: what is
 * in between is libpq's buffer and the kernel's, so that any result takes the same memory. The
 * operation lasts as long as the body. One that is closed before the last row ends it like a
 * cancelled one: the server is told to stop, and the next operation waits for that.
 */
#include <string.h>

#include "eddy/pg_cursor.h"
#include "eddy/scope.h"
#include "pg/query.h"
#include "pg/result.h"

#define CURSOR_BATCH 50 /* rows fetched together, unless told otherwise (P-CUR-2) */

/* What the body is started with, in one block: values and text are copies. */
struct pg_rows {
    eddy_pg_target target;
    eddy_pg_value *values;
    size_t count, batch;
    char sql[];
};

static void rows_free(struct pg_rows *rows)
{
    if (rows)
        eddy_free(rows->values);
    eddy_free(rows);
}

static void rows_drop(void *arguments)
{
    rows_free(*(struct pg_rows **)arguments);
}

static struct pg_rows *rows_new(eddy_pg_target target, size_t batch, const char *sql,
                                const eddy_pg_value *values, size_t count)
{
    struct pg_rows *rows = eddy_alloc_(sizeof *rows + strlen(sql) + 1);

    if (!rows)
        return NULL;
    memcpy(rows->sql, sql, strlen(sql) + 1);
    rows->target = target;
    rows->count = count;
    rows->batch = batch;
    rows->values = count ? pg_values_copy(values, count) : NULL;
    if (count && !rows->values) {
        rows_free(rows);
        return NULL;
    }
    return rows;
}

static eddy_generator *
rows_generator(eddy_generator_entry *body, struct pg_rows *rows, const char *name)
{
    eddy_generator *generator = NULL;

    if (rows)
        generator = eddy_generator_create(body, &rows, sizeof rows, sizeof(eddy_pg_row), name,
                                          "eddy/pg_query.h");
    if (generator)
        eddy_generator_on_drop_(generator, rows_drop);
    else
        rows_free(rows);
    return generator;
}

/* One by one --------------------------------------------------------------------------------- */

/* Sends the statement and asks for its rows one by one. */
static EDDY_AWAITS int rows_send(struct pg_operation *operation, const struct pg_rows *rows)
{
    eddy_pg_connection *connection = operation->connection;
    struct pg_statement *statement;
    int rc = pg_statement_get(operation, rows->sql, &statement);

    if (rc < 0)
        return rc;
    rc = pg_query_encode(statement->cache, statement, rows->values, rows->count);
    if (rc == 0)
        rc = pg_query_send(connection, statement);
    if (rc == 0)
        (void)PQsetSingleRowMode(pg_connection_libpq(connection));
    if (rc == 0)
        rc = pg_flush(connection);
    pg_statement_unref(statement);
    return rc;
}

/* The next row of the answer in *query: 1; 0 behind the last; or an error. */
static EDDY_AWAITS int rows_receive(eddy_pg_connection *connection, struct pg_query *query)
{
    for (;;) {
        PGresult *result;
        int rc = pg_next_result(connection, &result);

        if (rc < 0 || !result)
            return rc;
        if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
            query->result = result;
            return 1;
        }
        rc = pg_query_take(connection, query, result);
        if (rc < 0)
            return rc == EDDY_EPG_USE ? rc : pg_query_end(connection, rc);
    }
}

/* The same within the time that an operation may take, of which each wait for a row counts as one:
 * a limit must not stay open across a yield. */
static EDDY_AWAITS int rows_receive_in_time(eddy_pg_connection *connection, struct pg_query *query)
{
    EDDY_TIMEOUT(limit, pg_command_time(connection));
    return rows_receive(connection, query);
}

static EDDY_AWAITS int rows_send_in_time(struct pg_operation *operation, struct pg_rows *rows)
{
    EDDY_TIMEOUT(limit, pg_command_time(operation->connection));
    return rows_send(operation, rows);
}

/* Hands a row out; the result that holds it is used again for the next. */
static EDDY_AWAITS int rows_yield(eddy_generator *generator, struct pg_query *query,
                                  eddy_pg_connection *connection, eddy_pg_result **held)
{
    PGresult *result = query->result;
    eddy_pg_row row;

    query->result = NULL;
    if (*held) {
        pg_result_replace(*held, result);
    } else {
        *held = pg_result_new(result, pg_connection_types(connection));
        if (!*held)
            return -ENOMEM;
    }
    row = eddy_pg_row_at(*held, 0);
    return eddy_yield(generator, &row);
}

static EDDY_AWAITS int
rows_run(eddy_generator *generator, eddy_pg_connection *connection, struct pg_rows *rows)
{
    struct pg_query query = {.sql = rows->sql};
    EDDY_PG_RESULT held = NULL;
    struct pg_operation operation;
    int rc = pg_operation_begin(&operation, connection, rows->sql);

    if (rc < 0)
        return rc;
    operation.values = rows->count;
    rc = pg_statements_of(connection) ? rows_send_in_time(&operation, rows) : -ENOMEM;
    while (rc == 0 && (rc = rows_receive_in_time(connection, &query)) > 0)
        rc = rows_yield(generator, &query, connection, &held);
    if (query.stale)
        pg_statements_forget(connection);
    PQclear(query.result);
    if (*pg_connection_statements(connection))
        pg_statements_note_ready(*pg_connection_statements(connection));
    return pg_operation_end(&operation, rc);
}

static int rows_body(eddy_generator *generator, void *arguments)
{
    struct pg_rows *rows = *(struct pg_rows **)arguments;
    eddy_pg_connection *connection;
    int rc = pg_target_open(rows->target, &connection);

    if (rc == 0) {
        rc = rows_run(generator, connection, rows);
        pg_target_close(rows->target, connection);
    }
    rows_free(rows);
    return rc;
}

eddy_generator *
eddy_pg_rows_values(eddy_pg_target db, const char *sql, const eddy_pg_value *values, size_t count)
{
    return rows_generator(rows_body, rows_new(db, 0, sql, values, count), "eddy_pg_rows");
}

/* By a cursor ------------------------------------------------------------------------------ */

static EDDY_AWAITS int
cursor_rows_run(eddy_generator *generator, eddy_pg_cursor *cursor, size_t batch)
{
    for (;;) {
        EDDY_PG_RESULT result = NULL;
        eddy_pg_row row;

        EDDY_TRY(eddy_pg_cursor_fetch(cursor, batch, &result));
        if (eddy_pg_rows_count(result) == 0)
            return 0;
        EDDY_PG_FOR_EACH(row, result)
            EDDY_TRY(eddy_yield(generator, &row));
    }
}

static int cursor_rows_body(eddy_generator *generator, void *arguments)
{
    struct pg_rows *rows = *(struct pg_rows **)arguments;
    eddy_pg_cursor *cursor;
    int rc = eddy_pg_cursor_open_values(rows->target.connection, &cursor, rows->sql, rows->values,
                                        rows->count);

    if (rc == 0) {
        rc = cursor_rows_run(generator, cursor, rows->batch);
        eddy_pg_cursor_end_scope_(&cursor);
    }
    rows_free(rows);
    return rc;
}

eddy_generator *eddy_pg_cursor_rows_values(eddy_pg_connection *connection, size_t batch,
                                           const char *sql, const eddy_pg_value *values,
                                           size_t count)
{
    eddy_pg_target target = {.connection = connection};

    return rows_generator(cursor_rows_body,
                          rows_new(target, batch ? batch : CURSOR_BATCH, sql, values, count),
                          "eddy_pg_cursor_rows");
}
