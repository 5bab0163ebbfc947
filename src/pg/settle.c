/* SPDX-License-Identifier: MIT */
/*
 * Settling: how a connection comes back into sync behind an operation that did not wait for its
 * answers.
 *
 * A task of the connection's own asks the server to stop what it runs, if that is wanted, and then
 * reads until the server is ready. Both have an end: the request's own connection, which the server
 * closes once it has sent the signal, and the answer on this one. Whoever begins the next operation
 * waits for both, so that the signal cannot hit it. If the one or the other fails, the connection
 * is closed. How long it takes is the server's: close_timeout ends it when the program closes.
 */
#include <errno.h>
#include <string.h>

#include "eddy/sock.h"
#include "eddy/task.h"
#include "pg/handle.h"

#define SETTLE_PATIENCE 0.1 /* seconds behind the first cancel request; twice as many each time */

/* Takes what has come of a COPY to us: true when it has ended. */
static bool settle_drop_copy(PGconn *libpq)
{
    char *row;
    int size;

    while ((size = PQgetCopyData(libpq, &row, 1)) > 0)
        PQfreemem(row);
    return size < 0;
}

/* Goes on behind a result: false when that has to wait, or is not possible. */
static bool settle_behind(PGconn *libpq, ExecStatusType status)
{
    switch (status) {
    case PGRES_COPY_IN: return PQputCopyEnd(libpq, "cancelled") > 0;
    case PGRES_COPY_OUT: return settle_drop_copy(libpq);
    default: return true;
    }
}

bool pg_settle_at_once(eddy_pg_connection *connection)
{
    PGconn *libpq = connection->libpq;
    bool end = false; /* of one statement of a pipeline's */

    while (PQstatus(libpq) == CONNECTION_OK && !PQisBusy(libpq)) {
        PGresult *result = PQgetResult(libpq);
        ExecStatusType status = PQresultStatus(result);
        bool none = !result;

        PQclear(result);
        if (status == PGRES_COPY_BOTH) { /* as replication has it: nothing here ends it */
            pg_connection_lose(connection, "the server has begun a COPY in both directions");
            return false;
        }
        if (none && (PQpipelineStatus(libpq) == PQ_PIPELINE_OFF || PQexitPipelineMode(libpq)))
            return true;
        if (none ? end : !settle_behind(libpq, status))
            return false;
        end = none;
    }
    return false;
}

/* Ends libpq's pipeline mode, where it is on. */
static int settle_sync(eddy_pg_connection *connection)
{
    PGconn *libpq = connection->libpq;

    if (PQpipelineStatus(libpq) != PQ_PIPELINE_OFF && !PQpipelineSync(libpq))
        return pg_raise_failure(connection, NULL);
    return 0;
}

static int settle_read(eddy_pg_connection *connection)
{
    PGconn *libpq = connection->libpq;

    while (!pg_settle_at_once(connection)) {
        EDDY_TRY(pg_flush(connection));
        if (PQstatus(libpq) == CONNECTION_OK)
            EDDY_TRY(pg_wait_input(connection));
        if (PQstatus(libpq) != CONNECTION_OK)
            return pg_raise_failure(connection, NULL);
    }
    return 0;
}

/* Runs what is owed, such as UNLISTEN. */
static int settle_debts(eddy_pg_connection *connection)
{
    int rc = 0;

    while (rc == 0 && pg_listeners_owe(connection)) {
        char *command = pg_listeners_take_owed(connection);

        if (!command)
            return -ENOMEM;
        rc = PQsendQuery(connection->libpq, command) ? settle_read(connection)
                                                     : pg_raise_failure(connection, command);
        eddy_free(command);
    }
    return rc;
}

static int settle_read_for(eddy_pg_connection *connection, double seconds)
{
    EDDY_TIMEOUT(limit, seconds);
    int rc = settle_read(connection);

    return rc == -ETIMEDOUT && eddy_timeout_expired(&limit) ? -EAGAIN : rc;
}

/* Asks the server to stop, and reads. A request that arrives before what it is to stop stops
 * nothing; so it is sent again while the server is not ready. */
static int settle_stop(eddy_pg_connection *connection)
{
    double patience = SETTLE_PATIENCE;
    int rc;

    do {
        rc = pg_cancel_request(connection);
        if (rc == -ECANCELED || connection->closed)
            return rc;
        rc = rc < 0 ? settle_read(connection) : settle_read_for(connection, patience);
        patience *= 2;
    } while (rc == -EAGAIN);
    return rc;
}

static int settle_run(eddy_pg_connection *connection)
{
    int rc = settle_sync(connection);

    if (rc == 0)
        rc = connection->settler_cancels ? settle_stop(connection) : settle_read(connection);
    if (rc == 0)
        rc = settle_debts(connection);
    if (rc == 0)
        connection->in_transaction = PQtransactionStatus(connection->libpq) != PQTRANS_IDLE;
    connection->settler = NULL;
    if (rc < 0)
        pg_connection_lose(connection, "it could not be brought back into sync");
    eddy_event_set(&connection->settled);
    pg_listeners_watch(connection);
    pg_connection_leave(connection);
    pg_connection_unref(connection);
    return 0;
}
EDDY_ASYNC(settle_run, eddy_pg_connection *);

void pg_settle_begin(eddy_pg_connection *connection, bool cancel)
{
    eddy_task *task =
        eddy_create_task_with((&(eddy_task_options){.name = "pg settle"}), settle_run, connection);

    if (!task) {
        pg_connection_lose(connection, "no memory to bring it back into sync");
        return;
    }
    connection->settler = task;
    connection->settler_cancels = cancel;
    connection->references++;
    eddy_event_clear(&connection->settled);
    eddy_task_detach(&task);
}
