/* SPDX-License-Identifier: MIT */
/*
 * One statement for many rows: prepared once, bound and executed for each, all in one transaction.
 *
 * The rows go out in libpq's pipeline mode with one sync behind the last, so that together they are
 * done or not done. Both directions are bounded: what libpq holds back is sent whenever it has
 * grown by some 64 KiB, and meanwhile answers are read and dropped as they come, so that neither
 * side waits for the other with its buffers full.
 *
 * What is given up half-way, because a value does not fit, the source fails, or the task is
 * cancelled, must not be committed by the sync that has to follow: a ROLLBACK is sent in front of
 * it. Within a transaction of the program's a savepoint stands before the first row, which is gone
 * back to, so that the transaction stays good. A server that has seen an error skips either one.
 */
#include <string.h>

#include "eddy/scope.h"
#include "pg/query.h"
#include "task/task.h"

/* Bytes between two looks at the socket. With as many libpq sends by itself, and while the socket
 * is full tries that in vain with each row more. */
#define MANY_UNSENT ((size_t)8 * 1024)
#define MANY_ROW 64 /* bytes that a row takes beside its values, or so */
#define MANY_SAVEPOINT "eddy_executemany"

struct pg_many {
    struct pg_operation operation;
    const char *sql;
    struct pg_statement *statement;
    /* the source: an array, or a generator */
    const eddy_pg_value *values;
    size_t rows, columns;
    eddy_generator *generator;

    size_t number;          /* of the row that is next */
    size_t unsent;          /* bytes given to libpq since it was last asked to send */
    size_t asked, answered; /* commands, and those of them whose answers have ended */
    bool nested;            /* within a transaction */
    bool synced;            /* the sync was sent, */
    bool ready;             /* and answered */
    bool stale;
    int failed; /* the server's first error */
};

/* Answers ------------------------------------------------------------------------------------ */

static void many_take(struct pg_many *many, PGresult *result)
{
    eddy_pg_connection *connection = many->operation.connection;

    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC: many->ready = true; break;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        if (many->answered >= (size_t)many->nested) /* that of a row, not of the savepoint */
            pg_statements_note_tag(many->statement->cache, PQcmdStatus(result));
        break;
    case PGRES_EMPTY_QUERY:
    case PGRES_SINGLE_TUPLE:
    case PGRES_PIPELINE_ABORTED: break;
    default:
        if (many->failed == 0) {
            many->stale = pg_is_stale(result);
            many->failed = pg_raise_result(connection, result, many->sql);
        }
    }
    PQclear(result);
}

/* Takes all answers that have come. */
static void many_take_all(struct pg_many *many)
{
    PGconn *pg = pg_connection_libpq(many->operation.connection);

    while (!many->ready && many->answered < many->asked + many->synced && !PQisBusy(pg)) {
        PGresult *result = PQgetResult(pg);

        if (result)
            many_take(many, result);
        else
            many->answered++;
    }
}

/* Sends what libpq holds back, and takes what comes meanwhile; with `whole` until the sync was
 * answered. Suspends. */
static EDDY_AWAITS int many_exchange(struct pg_many *many, bool whole)
{
    eddy_pg_connection *connection = many->operation.connection;
    PGconn *pg = pg_connection_libpq(connection);
    int left, rc;

    for (;;) {
        left = PQflush(pg);
        if (left < 0 || !pg_read_input(connection))
            return pg_raise_failure(connection, many->sql);
        many_take_all(many);
        if (whole ? many->ready : left == 0)
            break;
        rc = pg_wait_socket(connection, left > 0);
        if (rc < 0)
            return rc;
    }
    many->unsent = 0;
    return 0;
}

/* Rows ------------------------------------------------------------------------------------- */

static int many_command(struct pg_many *many, const char *sql)
{
    PGconn *pg = pg_connection_libpq(many->operation.connection);

    if (!PQsendQueryParams(pg, sql, 0, NULL, NULL, NULL, NULL, 0))
        return pg_raise_failure(many->operation.connection, many->sql);
    many->asked++;
    return 0;
}

/* Says which row it was. */
static int many_name_row(const struct pg_many *many, int rc)
{
    char text[512];
    const char *message = eddy_error_message(rc);
    size_t size = strnlen(message, sizeof text - 1);

    memcpy(text, message, size);
    text[size] = '\0';
    return eddy_raise(rc, "row %zu: %s", many->number, text);
}

static int many_send_row(struct pg_many *many, const eddy_pg_value *values, size_t columns)
{
    const struct pg_parameters *room = &many->statement->cache->room;
    int rc = pg_query_encode(many->statement->cache, many->statement, values, columns);

    if (rc < 0)
        return rc == EDDY_EPG_VALUE ? many_name_row(many, rc) : rc;
    rc = pg_query_send(many->operation.connection, many->statement);
    if (rc < 0)
        return rc;
    many->asked++;
    many->number++;
    many->unsent += MANY_ROW;
    for (int i = 0; i < room->count; i++)
        many->unsent += room->values[i] && room->formats[i] ? (size_t)room->lengths[i]
                        : room->values[i]                   ? strlen(room->values[i])
                                                            : 0;
    return 0;
}

/* The next row's values: 1, 0 behind the last, or the source's error. */
static EDDY_AWAITS int many_next(struct pg_many *many, const eddy_pg_value **values)
{
    if (many->generator)
        return eddy_next(many->generator, values);
    if (many->number == many->rows)
        return 0;
    *values = many->values + many->number * many->columns;
    return 1;
}

static EDDY_AWAITS int many_send_rows(struct pg_many *many)
{
    const eddy_pg_value *values;
    int rc = 0;

    while (rc == 0 && many->failed == 0 && (rc = many_next(many, &values)) > 0) {
        rc = many_send_row(many, values,
                           many->generator ? many->statement->parameters : many->columns);
        if (rc == 0 && many->unsent >= MANY_UNSENT)
            rc = many_exchange(many, false);
    }
    return rc;
}

/* The whole ---------------------------------------------------------------------------------- */

/* What was sent is not to be: libpq gets all that has to follow, and nothing is waited for. */
static void many_give_up(struct pg_many *many)
{
    PGconn *pg = pg_connection_libpq(many->operation.connection);

    if (many->synced || !pg || PQpipelineStatus(pg) == PQ_PIPELINE_OFF)
        return;
    if (many->nested)
        (void)many_command(many, "ROLLBACK TO SAVEPOINT " MANY_SAVEPOINT);
    if (many_command(many, many->nested ? "RELEASE SAVEPOINT " MANY_SAVEPOINT : "ROLLBACK") == 0)
        many->synced = PQpipelineSync(pg);
    if (!many->synced)
        pg_connection_break(many->operation.connection); /* or a sync would commit it */
}

static EDDY_AWAITS int many_send_all(struct pg_many *many)
{
    PGconn *pg = pg_connection_libpq(many->operation.connection);
    int rc = 0;

    if (many->nested)
        rc = many_command(many, "SAVEPOINT " MANY_SAVEPOINT);
    if (rc == 0)
        rc = many_send_rows(many);
    if (rc == 0 && many->nested)
        rc = many_command(many, "RELEASE SAVEPOINT " MANY_SAVEPOINT);
    if (rc < 0)
        return rc;
    many->synced = PQpipelineSync(pg);
    return many->synced ? 0 : pg_raise_failure(many->operation.connection, many->sql);
}

/* An error of the source's or of a value: the answers are waited for here, where the server is
 * ready soon; one of the task's leaves them to the connection. */
static EDDY_AWAITS int many_exchange_quietly(struct pg_many *many, int rc)
{
    struct ed_error *error;

    if (rc == -ECANCELED || rc == -ETIMEDOUT || !many->synced)
        return rc;
    error = eddy_error_set_aside_();
    (void)many_exchange(many, true); /* of both errors the first is told */
    eddy_error_put_back_(error);
    return rc;
}

static EDDY_AWAITS int many_run(struct pg_many *many)
{
    PGconn *pg = pg_connection_libpq(many->operation.connection);
    int rc;

    many->nested = PQtransactionStatus(pg) == PQTRANS_INTRANS;
    if (!PQenterPipelineMode(pg))
        return pg_raise_failure(many->operation.connection, many->sql);
    rc = many_send_all(many);
    if (rc == 0) {
        rc = many_exchange(many, true);
    } else {
        many_give_up(many);
        rc = many_exchange_quietly(many, rc);
    }
    if (many->ready && !PQexitPipelineMode(pg) && rc == 0)
        rc = pg_raise_failure(many->operation.connection, many->sql);
    return rc < 0 ? rc : many->failed;
}

static EDDY_AWAITS int many_run_statement(struct pg_many *many, struct pg_statement *statement)
{
    int rc;

    if (statement) {
        many->statement = statement;
        return many_run(many);
    }
    rc = pg_statement_get(&many->operation, many->sql, &many->statement);
    if (rc < 0)
        return rc;
    rc = many_run(many);
    pg_statement_unref(many->statement);
    return rc;
}

/* A statement that was out of date has done nothing: an array can be gone through again. */
static EDDY_AWAITS int many_run_again(struct pg_many *many, bool outside, int rc)
{
    eddy_pg_connection *connection = many->operation.connection;

    pg_statements_forget(connection);
    if (!outside || many->generator || !many->ready)
        return rc;
    many->number = many->unsent = many->asked = many->answered = 0;
    many->synced = many->ready = many->stale = false;
    many->failed = 0;
    return many_run_statement(many, NULL);
}

static EDDY_AWAITS int
many_begin(struct pg_many *many, eddy_pg_connection *connection, struct pg_statement *statement)
{
    bool outside;
    int rc;

    EDDY_TIMEOUT(limit, pg_command_time(connection));
    rc = pg_operation_begin(&many->operation, connection, many->sql);
    if (rc < 0)
        return rc;
    outside = PQtransactionStatus(pg_connection_libpq(connection)) == PQTRANS_IDLE;
    rc = pg_statements_of(connection) ? many_run_statement(many, statement) : -ENOMEM;
    if (many->stale && !statement)
        rc = many_run_again(many, outside, rc);
    if (*pg_connection_statements(connection))
        pg_statements_note_ready(*pg_connection_statements(connection));
    return pg_operation_end(&many->operation, rc);
}

int pg_execute_many(eddy_pg_connection *connection, struct pg_statement *statement, const char *sql,
                    const eddy_pg_value *values, size_t rows, size_t columns)
{
    struct pg_many many = {.sql = sql, .values = values, .rows = rows, .columns = columns};

    return many_begin(&many, connection, statement);
}

int eddy_pg_executemany_values(eddy_pg_target db, const char *sql, const eddy_pg_value *values,
                               size_t rows, size_t columns)
{
    eddy_pg_connection *connection;
    int rc;

    EDDY_TRY(pg_target_open(db, &connection));
    rc = pg_execute_many(connection, NULL, sql, values, rows, columns);
    pg_target_close(db, connection);
    return rc;
}

int eddy_pg_executemany_generator(eddy_pg_target db, const char *sql, eddy_generator *rows)
{
    EDDY_GENERATOR source = rows;
    struct pg_many many = {.sql = sql, .generator = source};
    eddy_pg_connection *connection;
    int rc;

    if (!rows)
        return eddy_raise(-ENOMEM, "executemany: there is no generator");
    EDDY_TRY(pg_target_open(db, &connection));
    rc = many_begin(&many, connection, NULL);
    pg_target_close(db, connection);
    return rc;
}
