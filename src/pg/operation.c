/* SPDX-License-Identifier: MIT */
/*
 * Operations: one at a time has the connection, from its begin to its end.
 *
 * The task that has it waits at the socket itself: for readable while it reads, for both while it
 * has something to send, so that a server that waits for us to read never waits for ever. libpq is
 * asked for a result only when that cannot wait (PQisBusy), and has no blocking call on this way.
 *
 * An operation that ends with answers still to come does not wait for them. The connection settles
 * instead (settle.c), and who begins the next operation waits until it has.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eddy/scope.h"
#include "eddy/sock.h"
#include "eddy/task.h"
#include "pg/handle.h"
#include "pg/pool.h"

/* Waiting ------------------------------------------------------------------------ */

int pg_wait_socket(eddy_pg_connection *connection, bool write)
{
    unsigned events = EDDY_POLL_IN_ | (write ? EDDY_POLL_OUT_ : 0);
    int rc;

    if (connection->closed)
        return pg_connection_refuse(connection);
    connection->waiting++;
    rc = eddy_poll_(connection->fd, events, true);
    connection->waiting--;
    if (ed_unlikely(connection->closed)) {
        pg_connection_leave(connection);
        return rc < 0 ? rc : pg_connection_refuse(connection);
    }
    return rc < 0 ? rc : 0;
}

/* Has libpq read what is there. False: the connection is lost, and libpq's object says why. Over
 * TLS a record may be larger than what libpq reads at once; the rest of it makes no socket ready.
 * */
bool pg_read_input(eddy_pg_connection *connection)
{
    PGconn *libpq = connection->libpq;
    bool read = PQconsumeInput(libpq) && (!PQsslInUse(libpq) || PQconsumeInput(libpq));

    if (ed_unlikely(PQsocket(libpq) != connection->fd)) {
        eddy_poll_forget_(connection->fd); /* libpq has closed it */
        connection->fd = -1;
    }
    if (connection->listeners)
        pg_listeners_collect(connection);
    return read && PQstatus(libpq) == CONNECTION_OK;
}

int pg_wait_input(eddy_pg_connection *connection)
{
    EDDY_TRY(pg_wait_socket(connection, false));
    return pg_read_input(connection) ? 0 : pg_raise_failure(connection, NULL);
}

int pg_flush(eddy_pg_connection *connection)
{
    int left;

    if (connection->closed)
        return pg_connection_refuse(connection);
    while ((left = PQflush(connection->libpq)) > 0) {
        EDDY_TRY(pg_wait_socket(connection, true));
        if (!pg_read_input(connection))
            return 0; /* what the server said of it, if anything, is a result */
    }
    return left < 0 ? pg_raise_failure(connection, NULL) : 0;
}

/* What libpq makes of the end of a connection: the server's last words; else the failure itself. */
static int operation_last_result(eddy_pg_connection *connection, PGresult **out)
{
    PGresult *result = connection->fd < 0 || !PQisBusy(connection->libpq)
                           ? PQgetResult(connection->libpq) /* nothing to wait for any more */
                           : NULL;

    if (result && PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
        *out = result;
        return 0;
    }
    PQclear(result);
    return pg_raise_failure(connection, NULL);
}

int pg_next_result(eddy_pg_connection *connection, PGresult **out)
{
    if (connection->closed)
        return pg_connection_refuse(connection);
    while (PQisBusy(connection->libpq)) {
        EDDY_TRY(pg_wait_socket(connection, false));
        if (ed_unlikely(!pg_read_input(connection)))
            return operation_last_result(connection, out);
    }
    if (ed_unlikely(PQstatus(connection->libpq) != CONNECTION_OK))
        return operation_last_result(connection, out);
    *out = PQgetResult(connection->libpq);
    return 0;
}

/* Begin and end ------------------------------------------------------------------ */

static void
operation_enter(struct pg_operation *operation, eddy_pg_connection *connection, const char *query)
{
    *operation = (struct pg_operation){
        .connection = connection,
        .query = query,
        .begun = eddy_time(),
    };
    connection->operation = operation;
    connection->references++;
}

static void operation_leave(struct pg_operation *operation)
{
    eddy_pg_connection *connection = operation->connection;

    connection->operation = NULL;
    pg_connection_leave(connection);
    pg_connection_unref(connection);
}

/* Waits until the settler has ended. */
static int operation_await_settler(eddy_pg_connection *connection)
{
    while (connection->settler)
        EDDY_TRY(eddy_event_wait(&connection->settled));
    return connection->closed ? pg_connection_refuse(connection) : 0;
}

int pg_operation_begin(struct pg_operation *operation, eddy_pg_connection *connection,
                       const char *query)
{
    int rc = pg_pending();

    if (ed_unlikely(rc < 0))
        return rc;
    if (ed_unlikely(connection->closed))
        return pg_connection_refuse(connection);
    if (ed_unlikely(connection->slot && pg_slot_is_idle(connection->slot)))
        return eddy_raise(EDDY_EPG_USE, "the connection was given back to its pool");
    if (ed_unlikely(connection->pipeline != NULL))
        return eddy_raise(EDDY_EPG_USE, "a pipeline is open on the connection");
    if (ed_unlikely(connection->operation != NULL))
        return eddy_raise(-EBUSY, "another operation is in progress on the connection");
    operation_enter(operation, connection, query);
    if (ed_unlikely(connection->settler != NULL)) {
        rc = operation_await_settler(connection);
        if (rc < 0) {
            operation_leave(operation);
            return rc;
        }
    }
    connection->operations++;
    if (connection->listeners)
        pg_listeners_watch(connection);
    return 0;
}

void pg_operation_borrow(struct pg_operation *operation, eddy_pg_connection *connection,
                         const char *query)
{
    operation_enter(operation, connection, query);
    connection->operations++;
}

/* Whether answers are still to come. */
static bool operation_is_open(const eddy_pg_connection *connection)
{
    return PQtransactionStatus(connection->libpq) == PQTRANS_ACTIVE ||
           (PQpipelineStatus(connection->libpq) != PQ_PIPELINE_OFF && !connection->pipeline);
}

/* Sees to the connection behind an operation. Returns its outcome. */
static int operation_settle(eddy_pg_connection *connection, int rc)
{
    if (PQstatus(connection->libpq) != CONNECTION_OK) {
        if (rc >= 0)
            return pg_raise_failure(connection, NULL);
        pg_connection_lose(connection, PQerrorMessage(connection->libpq)); /* the text is rc's */
        return rc;
    }
    if (operation_is_open(connection) && !pg_settle_at_once(connection)) {
        if (!connection->closed)
            pg_settle_begin(connection, rc < 0);
    } else if (connection->listeners && !connection->pipeline && pg_listeners_owe(connection)) {
        pg_settle_begin(connection, false);
    }
    return rc;
}

int pg_operation_end(struct pg_operation *operation, int rc)
{
    eddy_pg_connection *connection = operation->connection;
    struct pg_listeners *listeners = connection->listeners;

    if (!connection->closed)
        rc = operation_settle(connection, rc);
    if (!connection->closed && !operation_is_open(connection))
        connection->in_transaction = PQtransactionStatus(connection->libpq) != PQTRANS_IDLE;
    connection->operation = NULL;
    if (ed_unlikely(listeners != NULL)) {
        pg_listeners_watch(connection);
        pg_listeners_log(connection, operation, rc);
    }
    pg_connection_leave(connection);
    pg_connection_unref(connection);
    return rc;
}

int pg_connection_settle(eddy_pg_connection *connection)
{
    struct pg_operation operation;

    EDDY_TRY(pg_operation_begin(&operation, connection, ""));
    connection->operations--; /* nothing is run */
    operation_leave(&operation);
    pg_listeners_watch(connection);
    return 0;
}

/* Commands of the library's own -------------------------------------------------- */

/* A COPY has begun, which does not end by reading results: it is ended by settling. */
static bool operation_is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* Reads to the end; the first error counts, and *out gets the last result, or NULL. */
static int operation_read_all(eddy_pg_connection *connection, const char *query, PGresult **out)
{
    PGresult *last = NULL, *result;
    int failed = 0, rc = pg_flush(connection);

    while (rc == 0 && (rc = pg_next_result(connection, &result)) == 0 && result) {
        if (failed == 0)
            failed = pg_raise_result(connection, result, query);
        if (operation_is_copy(result))
            rc = eddy_raise(EDDY_EPG_USE, "COPY goes by eddy/pg_copy.h");
        PQclear(last);
        last = result;
    }
    rc = failed < 0 ? failed : rc;
    if (rc < 0 || !out)
        PQclear(last);
    else
        *out = last;
    return rc;
}

int pg_command(eddy_pg_connection *connection, const char *sql)
{
    struct pg_operation operation;
    int rc;
    EDDY_TIMEOUT(limit, connection->options.command_timeout);

    rc = pg_operation_begin(&operation, connection, sql);
    if (rc < 0)
        return rc;
    rc = PQsendQuery(connection->libpq, sql) ? operation_read_all(connection, sql, NULL)
                                             : pg_raise_failure(connection, sql);
    return pg_operation_end(&operation, rc);
}

int pg_query_text(struct pg_operation *operation, const char *sql, const char *const *parameters,
                  int count, PGresult **out)
{
    eddy_pg_connection *connection = operation->connection;

    if (connection->closed)
        return pg_connection_refuse(connection);
    if (!PQsendQueryParams(connection->libpq, sql, count, NULL, parameters, NULL, NULL, 0))
        return pg_raise_failure(connection, sql);
    return operation_read_all(connection, sql, out);
}
