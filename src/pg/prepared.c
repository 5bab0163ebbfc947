/* SPDX-License-Identifier: MIT */
/*
 * Statements that a program prepares and holds.
 *
 * Each has a name of its own and is not in the cache, so that it lasts as long as its handle. What
 * it is on the server goes to the list of statements to be closed when the handle is closed, or
 * when the connection or its turn from a pool ends. One that has got out of date is prepared anew
 * where nothing was done with it yet, outside a transaction, like those of the cache.
 */
#include <string.h>

#include "eddy/scope.h"
#include "pg/query.h"

struct eddy_pg_statement {
    struct pg_handle handle;
    struct pg_statement *statement; /* NULL: it has ended */
};

static void prepared_end(struct pg_handle *handle)
{
    eddy_pg_statement *statement = ed_container_of(handle, eddy_pg_statement, handle);

    pg_statement_unref(statement->statement);
    statement->statement = NULL;
}

/* Within an operation of its own. */
static EDDY_AWAITS int
prepared_prepare(eddy_pg_connection *connection, const char *sql, struct pg_statement **out)
{
    struct pg_operation operation;
    struct pg_statements *statements;
    struct pg_statement *statement;
    int rc;

    EDDY_TIMEOUT(limit, pg_command_time(connection));
    rc = pg_operation_begin(&operation, connection, sql);
    if (rc < 0)
        return rc;
    statements = pg_statements_of(connection);
    statement = statements ? pg_statement_new(statements, sql, true) : NULL;
    rc = statement ? pg_statement_prepare(&operation, statement) : -ENOMEM;
    if (rc == 0)
        *out = statement;
    else
        pg_statement_unref(statement);
    return pg_operation_end(&operation, rc);
}

int eddy_pg_prepare(eddy_pg_connection *connection, const char *sql, eddy_pg_statement **out)
{
    eddy_pg_statement *made;
    int rc;

    if (!connection)
        return eddy_raise(EDDY_EPG_CLOSED, "there is no connection: NULL");
    made = eddy_alloc_(sizeof *made);
    if (!made)
        return -ENOMEM;
    pg_connection_ref(connection);
    rc = prepared_prepare(connection, sql, &made->statement);
    if (rc < 0) {
        eddy_free(made);
    } else {
        pg_handle_join(&made->handle, &pg_statements_of(connection)->prepared, connection,
                       prepared_end);
        *out = made;
    }
    pg_connection_unref(connection);
    return rc;
}

void eddy_pg_statement_close(eddy_pg_statement **statement)
{
    eddy_pg_statement *closing = *statement;

    *statement = NULL;
    if (!closing)
        return;
    pg_handle_leave(&closing->handle);
    prepared_end(&closing->handle);
    eddy_free(closing);
}

/* What it is ------------------------------------------------------------------------------- */

size_t eddy_pg_statement_parameters(const eddy_pg_statement *statement)
{
    return statement && statement->statement ? statement->statement->parameters : 0;
}

uint32_t eddy_pg_statement_parameter_type(const eddy_pg_statement *statement, size_t index)
{
    return index < eddy_pg_statement_parameters(statement)
               ? statement->statement->parameter_types[index]
               : 0;
}

size_t eddy_pg_statement_columns(const eddy_pg_statement *statement)
{
    return statement && statement->statement ? statement->statement->columns : 0;
}

const char *eddy_pg_statement_column_name(const eddy_pg_statement *statement, size_t index)
{
    const char *name;

    if (index >= eddy_pg_statement_columns(statement))
        return NULL;
    name = statement->statement->column_names;
    while (index-- > 0)
        name += strlen(name) + 1;
    return name;
}

uint32_t eddy_pg_statement_column_type(const eddy_pg_statement *statement, size_t index)
{
    return index < eddy_pg_statement_columns(statement) ? statement->statement->column_types[index]
                                                        : 0;
}

/* Running it --------------------------------------------------------------------------------- */

/* The text of a statement that is prepared anew stays the same, but not its place. */
static EDDY_AWAITS int prepared_renew(eddy_pg_statement *statement, eddy_pg_connection *connection)
{
    struct pg_statement *old = statement->statement, *renewed;

    EDDY_TRY(prepared_prepare(connection, old->sql, &renewed));
    if (statement->statement != old) { /* ended meanwhile */
        pg_statement_unref(renewed);
        return eddy_raise(EDDY_EPG_USE, "the statement was closed while it ran");
    }
    statement->statement = renewed;
    pg_statement_unref(old);
    return 0;
}

static EDDY_AWAITS int
prepared_run(eddy_pg_statement *statement, struct pg_query *query, eddy_pg_result **out)
{
    eddy_pg_connection *connection;
    bool outside;
    int rc;

    if (!statement)
        return eddy_raise(EDDY_EPG_USE, "there is no statement: NULL");
    EDDY_TRY(pg_handle_connection(&statement->handle, "statement", &connection));
    outside = !eddy_pg_is_in_transaction(connection);
    query->statement = statement->statement;
    query->sql = query->statement->sql;
    rc = pg_query_run(connection, query);
    if (query->stale && outside && prepared_renew(statement, connection) == 0) {
        query->stale = false;
        query->statement = statement->statement;
        query->sql = query->statement->sql;
        rc = pg_query_run(connection, query);
    }
    if (rc == 0 && out)
        rc = pg_query_result(connection, query, out);
    PQclear(query->result);
    return rc;
}

int64_t eddy_pg_statement_execute_values(eddy_pg_statement *statement, const eddy_pg_value *values,
                                         size_t count)
{
    struct pg_query query = {.values = values, .count = count};
    int rc = prepared_run(statement, &query, NULL);

    return rc < 0 ? rc : query.affected;
}

int eddy_pg_statement_fetch_values(eddy_pg_statement *statement, eddy_pg_result **out,
                                   const eddy_pg_value *values, size_t count)
{
    struct pg_query query = {.values = values, .count = count, .want = PG_WANT_ALL};

    return prepared_run(statement, &query, out);
}

int eddy_pg_statement_fetchrow_values(eddy_pg_statement *statement, eddy_pg_result **out,
                                      const eddy_pg_value *values, size_t count)
{
    struct pg_query query = {.values = values, .count = count, .want = PG_WANT_ROW};

    return prepared_run(statement, &query, out);
}

int eddy_pg_statement_executemany(eddy_pg_statement *statement, const eddy_pg_value *values,
                                  size_t rows, size_t columns)
{
    eddy_pg_connection *connection;

    if (!statement)
        return eddy_raise(EDDY_EPG_USE, "there is no statement: NULL");
    EDDY_TRY(pg_handle_connection(&statement->handle, "statement", &connection));
    return pg_execute_many(connection, statement->statement, statement->statement->sql, values,
                           rows, columns);
}

int eddy_pg_reload_schema_state(eddy_pg_connection *connection)
{
    struct pg_operation operation;
    int rc;

    if (!connection)
        return eddy_raise(EDDY_EPG_CLOSED, "there is no connection: NULL");
    rc = pg_operation_begin(&operation, connection, "");
    if (rc < 0)
        return rc;
    pg_statements_forget(connection);
    return pg_operation_end(&operation, pg_connection_forget_types(connection));
}
