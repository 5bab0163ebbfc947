/* SPDX-License-Identifier: MIT */
/*
 * Statements, one at a time: executed, fetched, and their first row.
 *
 * A statement is found in the cache or prepared, its values are encoded as the server wants them,
 * and it goes out in one send; then results are read until the server is ready. Whatever happens on
 * the way, the operation ends: with all of its answers read, or with a connection that settles.
 * Rows that nobody wants are taken one by one, so that they are never all in memory. libpq has no
 * way to ask for one row alone: those behind the first come and are dropped (P-Q-6).
 */
#include "pg/query.h"

#include <stdlib.h>
#include <string.h>

#include "eddy/scope.h"
#include "pg/pipeline.h"
#include "pg/result.h"
#include "task/task.h"

/* Sending ---------------------------------------------------------------------------------- */

int pg_query_encode(struct pg_statements *statements, const struct pg_statement *statement,
                    const eddy_pg_value *values, size_t count)
{
    return pg_parameters_encode(&statements->room, pg_connection_types(statements->connection),
                                statement->parameter_types, statement->parameters, values, count);
}

int pg_query_send(eddy_pg_connection *connection, const struct pg_statement *statement)
{
    const struct pg_parameters *room = &statement->cache->room;

    if (ed_unlikely(!PQsendQueryPrepared(pg_connection_libpq(connection), statement->name,
                                         room->count, room->values, room->lengths, room->formats,
                                         statement->binary)))
        return pg_raise_failure(connection, statement->sql);
    return 0;
}

static int query_send_script(eddy_pg_connection *connection, const struct pg_query *query)
{
    PGconn *pg = pg_connection_libpq(connection);

    if (!PQsendQuery(pg, query->sql))
        return pg_raise_failure(connection, query->sql);
    (void)PQsetSingleRowMode(pg); /* rows are dropped one by one */
    return 0;
}

/* Receiving -------------------------------------------------------------------------------- */

static void query_keep(struct pg_query *query, PGresult *result)
{
    PQclear(query->result);
    query->result = result;
}

static int64_t result_affected(PGresult *result)
{
    const char *count = PQcmdTuples(result);

    return *count ? (int64_t)strtoull(count, NULL, 10) : 0;
}

/* A command is done: its tag, and what is wanted of its result. */
static void
query_take_done(eddy_pg_connection *connection, struct pg_query *query, PGresult *result)
{
    pg_statements_note_tag(*pg_connection_statements(connection), PQcmdStatus(result));
    if (query->want == PG_WANT_NOTHING)
        query->affected = result_affected(result);
    if (query->want == PG_WANT_ALL || (query->want == PG_WANT_ROW && !query->result))
        query_keep(query, result);
    else
        PQclear(result);
}

static int
query_take_error(eddy_pg_connection *connection, struct pg_query *query, PGresult *result)
{
    int rc = pg_raise_result(connection, result, query->sql);

    query->stale = !query->script && pg_is_stale(result);
    PQclear(result);
    return rc;
}

/* A COPY has begun, which is not what this call is for. */
static int query_refuse_copy(eddy_pg_connection *connection, PGresult *result)
{
    if (PQresultStatus(result) == PGRES_COPY_IN)
        (void)PQputCopyEnd(pg_connection_libpq(connection), "COPY goes by eddy_pg_copy_open");
    PQclear(result);
    return eddy_raise(EDDY_EPG_USE, "COPY goes by eddy_pg_copy_in, _out and _open");
}

int pg_query_take(eddy_pg_connection *connection, struct pg_query *query, PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        if (query->want == PG_WANT_ROW && !query->result)
            query_keep(query, result);
        else
            PQclear(result);
        return 0;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY: query_take_done(connection, query, result); return 0;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: return query_refuse_copy(connection, result);
    default: return query_take_error(connection, query, result);
    }
}

int pg_query_end(eddy_pg_connection *connection, int failed)
{
    struct ed_error *error = eddy_error_set_aside_();
    PGresult *result;
    int rc;

    while ((rc = pg_next_result(connection, &result)) == 0 && result)
        PQclear(result);
    if (rc < 0 && rc != EDDY_EPG_LOST)
        failed = rc; /* the task's own: the rest is settled */
    eddy_error_put_back_(error);
    return failed;
}

int pg_query_receive(eddy_pg_connection *connection, struct pg_query *query)
{
    for (;;) {
        PGresult *result;
        int rc = pg_next_result(connection, &result);

        if (ed_unlikely(rc < 0 || !result))
            return rc;
        rc = pg_query_take(connection, query, result);
        if (ed_unlikely(rc < 0)) /* in the middle of a COPY it is settled */
            return rc == EDDY_EPG_USE ? rc : pg_query_end(connection, rc);
    }
}

/* Running ------------------------------------------------------------------------------------ */

static EDDY_AWAITS int query_run_script(struct pg_operation *operation, struct pg_query *query)
{
    int rc = pg_statements_close_unused(operation);

    if (rc == 0 && !pg_statements_of(operation->connection))
        rc = -ENOMEM;
    if (rc == 0)
        rc = query_send_script(operation->connection, query);
    if (rc == 0)
        rc = pg_flush(operation->connection);
    return rc < 0 ? rc : pg_query_receive(operation->connection, query);
}

static EDDY_AWAITS int query_run_statement(struct pg_operation *operation, struct pg_query *query,
                                           const struct pg_statement *statement)
{
    eddy_pg_connection *connection = operation->connection;
    int rc = pg_query_encode(statement->cache, statement, query->values, query->count);

    if (rc < 0)
        return rc;
    rc = pg_query_send(connection, statement);
    if (rc == 0 && query->want != PG_WANT_ALL && statement->columns)
        (void)PQsetSingleRowMode(pg_connection_libpq(connection));
    if (rc == 0)
        rc = pg_flush(connection);
    return rc < 0 ? rc : pg_query_receive(connection, query);
}

int pg_query_in_operation(struct pg_operation *operation, struct pg_query *query)
{
    struct pg_statement *statement;
    int rc;

    if (query->script)
        return query_run_script(operation, query);
    if (query->statement)
        return query_run_statement(operation, query, query->statement);
    rc = pg_statement_get(operation, query->sql, &statement);
    if (rc < 0)
        return rc;
    rc = query_run_statement(operation, query, statement);
    pg_statement_unref(statement);
    return rc;
}

/* A statement of the cache is out of date: whatever else is in it may be, too. */
static EDDY_AWAITS ED_NOINLINE int
query_run_again(struct pg_operation *operation, struct pg_query *query, bool again, int rc)
{
    query->stale = false;
    pg_statements_forget(operation->connection);
    return again ? pg_query_in_operation(operation, query) : rc;
}

static EDDY_AWAITS int query_run_now(eddy_pg_connection *connection, struct pg_query *query)
{
    struct pg_operation operation;
    bool outside;
    int rc;

    rc = pg_operation_begin(&operation, connection, query->sql);
    if (rc < 0)
        return rc;
    operation.values = query->count;
    outside = PQtransactionStatus(pg_connection_libpq(connection)) == PQTRANS_IDLE;
    rc = pg_query_in_operation(&operation, query);
    if (ed_unlikely(query->stale && !query->statement))
        rc = query_run_again(&operation, query, outside, rc);
    if (ed_likely(*pg_connection_statements(connection) != NULL))
        pg_statements_note_ready(*pg_connection_statements(connection));
    return pg_operation_end(&operation, rc);
}

double pg_command_time(eddy_pg_connection *connection)
{
    double seconds = pg_connection_options(connection)->command_timeout;

    return seconds > 0 ? seconds : EDDY_FOREVER;
}

int pg_query_run(eddy_pg_connection *connection, struct pg_query *query)
{
    double seconds = pg_command_time(connection);

    if (ed_unlikely(*pg_connection_pipeline(connection) != NULL))
        return pg_pipeline_run(*pg_connection_pipeline(connection), query);
    if (ed_likely(seconds == EDDY_FOREVER))
        return query_run_now(connection, query);
    EDDY_TIMEOUT(limit, seconds);
    return query_run_now(connection, query);
}

int pg_query_result(eddy_pg_connection *connection, struct pg_query *query, eddy_pg_result **out)
{
    PGresult *result = query->result;
    eddy_pg_result *made;

    query->result = NULL;
    if (query->want == PG_WANT_ROW && PQntuples(result) == 0) {
        PQclear(result);
        return eddy_raise(EDDY_EPG_NO_ROW, "no row came of %s", query->sql);
    }
    made = pg_result_new(result, pg_connection_types(connection));
    if (!made)
        return -ENOMEM;
    *out = made;
    return 0;
}

/* What programs call --------------------------------------------------------------------------- */

/* Runs a query of a target's, and makes its result, if one is wanted. */
static EDDY_AWAITS int
query_run_on(eddy_pg_target target, struct pg_query *query, eddy_pg_result **out)
{
    eddy_pg_connection *connection;
    int rc = pg_target_open(target, &connection);

    if (rc < 0)
        return rc;
    rc = pg_query_run(connection, query);
    if (rc == 0 && out)
        rc = pg_query_result(connection, query, out);
    PQclear(query->result);
    pg_target_close(target, connection);
    return rc;
}

int64_t eddy_pg_execute_values(eddy_pg_target db, const char *sql, const eddy_pg_value *values,
                               size_t count)
{
    struct pg_query query = {.sql = sql, .values = values, .count = count, .script = count == 0};
    int rc = query_run_on(db, &query, NULL);

    return rc < 0 ? rc : query.affected;
}

int eddy_pg_fetch_values(eddy_pg_target db, eddy_pg_result **out, const char *sql,
                         const eddy_pg_value *values, size_t count)
{
    struct pg_query query = {.sql = sql, .values = values, .count = count, .want = PG_WANT_ALL};

    return query_run_on(db, &query, out);
}

int eddy_pg_fetchrow_values(eddy_pg_target db, eddy_pg_result **out, const char *sql,
                            const eddy_pg_value *values, size_t count)
{
    struct pg_query query = {.sql = sql, .values = values, .count = count, .want = PG_WANT_ROW};

    return query_run_on(db, &query, out);
}

const char *eddy_pg_last_tag(const eddy_pg_connection *connection)
{
    /* Read only: the place is the connection's own. */
    struct pg_statements **statements =
        pg_connection_statements((eddy_pg_connection *)(uintptr_t)connection);

    return *statements ? (*statements)->tag : "";
}
