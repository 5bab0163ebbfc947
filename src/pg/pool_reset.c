/* SPDX-License-Identifier: MIT */
/*
 * What a pool does with real connections.
 *
 * One that comes back is made as new in one round trip: what a user may have left in a session is
 * undone, and above all who he was: behind SET ROLE or SET SESSION AUTHORIZATION the next user
 * would work with his rights. Temporary tables and prepared statements stay, the latter since the
 * cache of statements is made of them. Names are qualified, for search_path is the last user's.
 */
#include "pg/copy.h"
#include "pg/pool.h"

#define RESET_ROLLBACK "ROLLBACK"
#define RESET_ALL                                                                                  \
    "RESET SESSION AUTHORIZATION; RESET ROLE; SELECT pg_catalog.pg_advisory_unlock_all(); "        \
    "CLOSE ALL; UNLISTEN *; RESET ALL"

/* Runs a script of the library's own. */
static int reset_run(eddy_pg_connection *connection, const char *sql)
{
    struct pg_operation operation;
    PGresult *result = NULL;
    int rc = pg_operation_begin(&operation, connection, sql);

    if (rc < 0)
        return rc;
    if (!PQsendQuery(pg_connection_libpq(connection), sql))
        rc = pg_raise_failure(connection, sql);
    if (rc == 0)
        rc = pg_flush(connection);
    while (rc == 0 && (rc = pg_next_result(connection, &result)) == 0 && result) {
        rc = pg_raise_result(connection, result, sql);
        PQclear(result);
        result = NULL;
    }
    return pg_operation_end(&operation, rc);
}

/* Behind a failed statement in a transaction all others fail, so this goes apart. */
static int reset_settle(eddy_pg_connection *connection)
{
    PGTransactionStatusType status;

    EDDY_TRY(pg_connection_settle(connection));
    pg_connection_retire(connection);
    status = PQtransactionStatus(pg_connection_libpq(connection));
    if (status == PQTRANS_IDLE)
        return 0;
    EDDY_TRY(reset_run(connection, RESET_ROLLBACK));
    return 1;
}

static int reset_session(eddy_pg_connection *connection)
{
    return reset_run(connection, RESET_ALL);
}

/* Whether a connection that lay idle has lived on: nothing has come, or what has come is neither an
 * end nor an error, with which the server says goodbye. Two calls, for libpq sees the end behind a
 * message with the second one. */
static bool reset_is_alive(eddy_pg_connection *connection)
{
    PGconn *libpq = pg_connection_libpq(connection);
    unsigned char byte = 0;
    ssize_t size = pg_peek(libpq, &byte, 1);

    if (size < 0 || (size > 0 && byte == 'E'))
        return false;
    if (size == 0 && !PQsslInUse(libpq))
        return true;
    for (int i = 0; i < 2; i++)
        if (!pg_read_input(connection) || PQisBusy(libpq))
            return false;
    return true;
}

/* A connection with a pipeline is not reset, but closed. */
static bool reset_is_held(const eddy_pg_connection *connection)
{
    eddy_pg_connection *own = (eddy_pg_connection *)(uintptr_t)connection; /* only looked at */

    return pg_connection_is_listened(connection) || *pg_connection_pipeline(own) != NULL;
}

static int reset_connect(const char *dsn, const eddy_pg_options *options, void *argument,
                         eddy_pg_connection **out)
{
    (void)argument;
    return eddy_pg_connect(dsn, options, out);
}

const struct pg_pool_ways pg_pool_real_ways = {
    .connect = reset_connect,
    .close = eddy_pg_close,
    .terminate = eddy_pg_terminate,
    .abort = pg_connection_break,
    .slot = pg_connection_slot,
    .is_closed = eddy_pg_is_closed,
    .is_alive = reset_is_alive,
    .operations = pg_connection_operations,
    .is_held = reset_is_held,
    .settle = reset_settle,
    .reset = reset_session,
};
