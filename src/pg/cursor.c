/* SPDX-License-Identifier: MIT */
/*
 * Cursors of the server's, of DECLARE and FETCH: libpq asks for all rows of a portal at once.
 *
 * The query is prepared as any other, which tells the types of its parameters and columns, and then
 * declared; what FETCH gives travels in binary form, whatever the cursor says, where those types
 * can. A cursor ends with its transaction. Which one that was is a number that moves on whenever
 * the server was seen to be in none.
 */
#include "eddy/pg_cursor.h"

#include <stdio.h>
#include <string.h>

#include "eddy/scope.h"
#include "pg/query.h"
#include "pg/result.h"
#include "task/task.h"

struct eddy_pg_cursor {
    struct pg_handle handle;
    uint64_t transaction;
    bool binary;    /* how its rows travel */
    bool exhausted; /* there are no more */
    char name[32];
};

/* Commands ----------------------------------------------------------------------------------- */

/* Runs a command without parameters, and takes what comes as `query` says. */
static EDDY_AWAITS int cursor_command(struct pg_operation *operation, const eddy_pg_cursor *cursor,
                                      const char *sql, struct pg_query *query)
{
    PGconn *pg = pg_connection_libpq(operation->connection);
    int rc = 0;

    if (!PQsendQueryParams(pg, sql, 0, NULL, NULL, NULL, NULL, cursor->binary))
        return pg_raise_failure(operation->connection, sql);
    rc = pg_flush(operation->connection);
    return rc < 0 ? rc : pg_query_receive(operation->connection, query);
}

/* Begins an operation of an open cursor. */
static EDDY_AWAITS int
cursor_begin(eddy_pg_cursor *cursor, const char *sql, struct pg_operation *operation)
{
    eddy_pg_connection *connection;
    int rc;

    if (!cursor)
        return eddy_raise(EDDY_EPG_USE, "there is no cursor: NULL");
    EDDY_TRY(pg_handle_connection(&cursor->handle, "cursor", &connection));
    rc = pg_operation_begin(operation, connection, sql);
    if (rc < 0)
        return rc;
    pg_statements_note_ready(*pg_connection_statements(connection));
    if ((*pg_connection_statements(connection))->transaction == cursor->transaction)
        return 0;
    rc = eddy_raise(EDDY_EPG_USE, "the cursor has ended with its transaction");
    return pg_operation_end(operation, rc);
}

static int cursor_leave(struct pg_operation *operation, int rc)
{
    pg_statements_note_ready(*pg_connection_statements(operation->connection));
    return pg_operation_end(operation, rc);
}

/* Opening ------------------------------------------------------------------------------------ */

static char *declare_text(const eddy_pg_cursor *cursor, const char *sql)
{
    size_t size = strlen(sql) + sizeof cursor->name + 64;
    char *text = eddy_alloc_(size);

    if (text)
        snprintf(text, size, "DECLARE %s NO SCROLL CURSOR FOR %s", cursor->name, sql);
    return text;
}

static int
declare_send(eddy_pg_connection *connection, const struct pg_statement *statement, const char *text)
{
    const struct pg_parameters *room = &statement->cache->room;

    if (!PQsendQueryParams(pg_connection_libpq(connection), text, room->count,
                           (const Oid *)statement->parameter_types, room->values, room->lengths,
                           room->formats, 0))
        return pg_raise_failure(connection, text);
    return 0;
}

static EDDY_AWAITS int
cursor_declare(struct pg_operation *operation, eddy_pg_cursor *cursor, const struct pg_query *query)
{
    struct pg_query command = {.sql = query->sql};
    struct pg_statement *statement;
    int rc = pg_statement_get(operation, query->sql, &statement);
    char *text = NULL;

    if (rc < 0)
        return rc;
    cursor->binary = statement->binary;
    rc = pg_query_encode(statement->cache, statement, query->values, query->count);
    if (rc == 0)
        rc = (text = declare_text(cursor, query->sql)) ? 0 : -ENOMEM;
    if (rc == 0)
        rc = declare_send(operation->connection, statement, text);
    if (rc == 0)
        rc = pg_flush(operation->connection);
    if (rc == 0)
        rc = pg_query_receive(operation->connection, &command);
    if (command.stale)
        pg_statements_forget(operation->connection);
    pg_statement_unref(statement);
    eddy_free(text);
    return rc;
}

static EDDY_AWAITS int
cursor_open(struct pg_operation *operation, eddy_pg_cursor *cursor, const struct pg_query *query)
{
    PGTransactionStatusType status =
        PQtransactionStatus(pg_connection_libpq(operation->connection));

    if (status == PQTRANS_IDLE)
        return eddy_raise(EDDY_PG_SQLSTATE("25P01"), "25P01: a cursor is for a transaction");
    return cursor_declare(operation, cursor, query);
}

int eddy_pg_cursor_open_values(eddy_pg_connection *connection, eddy_pg_cursor **out,
                               const char *sql, const eddy_pg_value *values, size_t count)
{
    struct pg_query query = {.sql = sql, .values = values, .count = count};
    struct pg_operation operation;
    struct pg_statements *statements;
    eddy_pg_cursor *cursor;
    int rc;

    if (!connection)
        return eddy_raise(EDDY_EPG_CLOSED, "there is no connection: NULL");
    EDDY_TIMEOUT(limit, pg_command_time(connection));
    rc = pg_operation_begin(&operation, connection, sql);
    if (rc < 0)
        return rc;
    statements = pg_statements_of(connection);
    cursor = statements ? eddy_alloc_(sizeof *cursor) : NULL;
    if (!cursor)
        return pg_operation_end(&operation, -ENOMEM);
    snprintf(cursor->name, sizeof cursor->name, "eddy_cursor_%llu",
             (unsigned long long)++statements->named);
    rc = cursor_open(&operation, cursor, &query);
    cursor->transaction = statements->transaction;
    pg_handle_join(&cursor->handle, &statements->cursors, connection, NULL);
    rc = pg_operation_end(&operation, rc);
    if (rc < 0) {
        pg_handle_leave(&cursor->handle);
        eddy_free(cursor);
        return rc;
    }
    *out = cursor;
    return 0;
}

/* Fetching --------------------------------------------------------------------------------- */

static EDDY_AWAITS int cursor_fetch_now(struct pg_operation *operation, eddy_pg_cursor *cursor,
                                        const char *sql, size_t rows, eddy_pg_result **out)
{
    struct pg_query query = {.sql = sql, .want = PG_WANT_ALL};
    int rc = cursor_command(operation, cursor, sql, &query);

    if (rc == 0)
        cursor->exhausted = (size_t)PQntuples(query.result) < rows;
    if (rc == 0)
        rc = pg_query_result(operation->connection, &query, out);
    PQclear(query.result);
    return rc;
}

/* What FETCH and MOVE understand. */
static size_t rows_most(size_t rows)
{
    return rows > INT32_MAX ? INT32_MAX : rows;
}

int eddy_pg_cursor_fetch(eddy_pg_cursor *cursor, size_t rows, eddy_pg_result **out)
{
    struct pg_operation operation;
    char sql[96];

    if (rows == 0)
        return eddy_raise(-EINVAL, "a cursor cannot fetch 0 rows");
    if (cursor && cursor->exhausted) /* nothing, and its columns */
        rows = 1;
    EDDY_TIMEOUT(limit, cursor && cursor->handle.connection
                            ? pg_command_time(cursor->handle.connection)
                            : EDDY_FOREVER);
    rows = rows_most(rows);
    snprintf(sql, sizeof sql, "FETCH FORWARD %zu FROM %s", rows, cursor ? cursor->name : "");
    EDDY_TRY(cursor_begin(cursor, sql, &operation));
    return cursor_leave(&operation, cursor_fetch_now(&operation, cursor, sql, rows, out));
}

static EDDY_AWAITS int64_t cursor_move(eddy_pg_cursor *cursor, size_t rows)
{
    struct pg_operation operation;
    struct pg_query query = {0};
    char sql[96];
    int rc;

    snprintf(sql, sizeof sql, "MOVE FORWARD %zu FROM %s", rows, cursor ? cursor->name : "");
    query.sql = sql;
    EDDY_TRY(cursor_begin(cursor, sql, &operation));
    rc = cursor_leave(&operation, cursor_command(&operation, cursor, sql, &query));
    if (rc == 0 && (size_t)query.affected < rows)
        cursor->exhausted = true;
    return rc < 0 ? rc : query.affected;
}

int64_t eddy_pg_cursor_forward(eddy_pg_cursor *cursor, size_t rows)
{
    int64_t moved = 0, more;

    if (rows == 0)
        return eddy_raise(-EINVAL, "a cursor cannot skip 0 rows");
    EDDY_TIMEOUT(limit, cursor && cursor->handle.connection
                            ? pg_command_time(cursor->handle.connection)
                            : EDDY_FOREVER);
    do {
        more = cursor_move(cursor, rows_most(rows));
        if (more < 0)
            return more;
        moved += more;
        rows -= (size_t)more;
    } while (rows > 0 && !cursor->exhausted);
    return moved;
}

/* Closing ------------------------------------------------------------------------------------ */

static EDDY_AWAITS void cursor_close(eddy_pg_cursor *cursor, eddy_pg_connection *connection)
{
    struct pg_query query = {.sql = "CLOSE"};
    struct pg_operation operation;
    char sql[64];
    int rc;

    EDDY_SHIELD(clean_up);
    EDDY_TIMEOUT(limit, pg_connection_options(connection)->close_timeout);
    snprintf(sql, sizeof sql, "CLOSE %s", cursor->name);
    rc = cursor_begin(cursor, sql, &operation);
    if (rc < 0)
        return; /* it has ended, or cannot be reached: its transaction ends it */
    if (PQtransactionStatus(pg_connection_libpq(connection)) == PQTRANS_INTRANS)
        rc = cursor_command(&operation, cursor, sql, &query);
    (void)cursor_leave(&operation, rc);
    if (rc < 0 && eddy_timeout_expired(&limit))
        pg_connection_break(connection);
}

void eddy_pg_cursor_end_scope_(eddy_pg_cursor **cursor)
{
    eddy_pg_cursor *ending = *cursor;
    struct ed_error *error;

    *cursor = NULL;
    if (!ending)
        return;
    if (ending->handle.connection && !eddy_pg_is_closed(ending->handle.connection)) {
        eddy_pg_connection *connection = ending->handle.connection;

        error = eddy_error_set_aside_();
        pg_connection_ref(connection);
        cursor_close(ending, connection);
        pg_connection_unref(connection);
        eddy_error_put_back_(error);
    }
    pg_handle_leave(&ending->handle);
    eddy_free(ending);
}
