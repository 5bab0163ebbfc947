/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection.
 *
 * It is closed once, by whoever comes first: the program, its pool, or the task that notices that
 * the server has gone. From then on every call is refused. The socket is shut down at once, so that
 * a task that waits at it wakes; libpq's object, and with it the descriptor, goes when nobody is
 * inside any more: no operation, no pipeline, no settler, no wait.
 *
 * A close in order waits for that, asks the server to stop what runs, and takes no longer than the
 * close_timeout: then the socket is closed all the same. The object itself goes with its last
 * reference.
 */
#include "eddy/pg_connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "eddy/pg_pool.h"
#include "eddy/sock.h"
#include "eddy/task.h"
#include "pg/handle.h"
#include "pg/pool.h"
#include "pg/pipeline.h"
#include "pg/statement.h"
#include "pg/types.h"

static double seconds_or(double seconds, double usual)
{
    return seconds > 0 ? seconds : usual;
}

/* The numbers of the options. Texts are for connecting alone. */
static eddy_pg_options connection_options(const eddy_pg_options *given)
{
    eddy_pg_options options = given ? *given : (eddy_pg_options){0};

    return (eddy_pg_options){
        .port = options.port,
        .timeout = seconds_or(options.timeout, PG_CONNECT_TIMEOUT),
        .command_timeout = seconds_or(options.command_timeout, EDDY_FOREVER),
        .close_timeout = seconds_or(options.close_timeout, PG_CLOSE_TIMEOUT),
        .statement_cache = options.statement_cache,
        .statement_cache_lifetime = options.statement_cache_lifetime,
        .statement_cache_size = options.statement_cache_size,
    };
}

eddy_pg_connection *pg_connection_new(PGconn *libpq, const eddy_pg_options *options)
{
    eddy_pg_connection *connection = eddy_alloc_(sizeof *connection);

    if (!connection)
        return NULL;
    memset(connection, 0, sizeof *connection);
    connection->types = pg_types_new();
    if (!connection->types) {
        eddy_free(connection);
        return NULL;
    }
    connection->loop = eddy_get_running_loop();
    connection->libpq = libpq;
    connection->fd = PQsocket(libpq);
    connection->options = connection_options(options);
    connection->references = 1;
    PQsetNoticeReceiver(libpq, pg_listeners_notice, connection);
    return connection;
}

void pg_connection_ref(eddy_pg_connection *connection)
{
    connection->references++;
}

void pg_connection_unref(eddy_pg_connection *connection)
{
    if (--connection->references > 0)
        return;
    pg_statements_free(connection->statements);
    pg_listeners_free(connection->listeners);
    pg_types_unref(connection->types);
    eddy_free(connection->error);
    eddy_free(connection);
}

/* Closing ------------------------------------------------------------------------ */

bool pg_connection_is_free(const eddy_pg_connection *connection)
{
    return !connection->operation && !connection->settler && !connection->pipeline &&
           connection->waiting == 0;
}

void pg_connection_leave(eddy_pg_connection *connection)
{
    if (connection->closed && connection->libpq && pg_connection_is_free(connection)) {
        eddy_poll_forget_(connection->fd);
        PQfinish(connection->libpq);
        connection->libpq = NULL;
        connection->fd = -1;
    }
    eddy_event_set(&connection->left);
}

/* Closes it, but for libpq's object, for a reason that is kept already. */
static void connection_shut(eddy_pg_connection *connection)
{
    if (connection->closed)
        return;
    connection->closed = true;
    connection->generation++;
    pg_listeners_watch(connection);
    if (connection->pipeline)
        pg_pipeline_connection_gone(connection->pipeline);
    if (connection->fd >= 0 && !pg_connection_is_free(connection))
        (void)shutdown(connection->fd, SHUT_RDWR); /* it may be so already; who waits wakes */
    if (connection->settler)
        (void)eddy_cancel(connection->settler); /* it ends soon in any case */
}

void pg_connection_lose(eddy_pg_connection *connection, const char *reason)
{
    if (!connection->closed)
        snprintf(connection->reason, sizeof connection->reason, "%s", reason);
    connection_shut(connection);
    pg_connection_leave(connection);
    pg_listeners_terminate(connection, false);
}

void pg_connection_break(eddy_pg_connection *connection)
{
    pg_connection_lose(connection, "");
}

int pg_connection_refuse(const eddy_pg_connection *connection)
{
    if (connection->reason[0])
        return eddy_raise(EDDY_EPG_CLOSED, "the connection was lost: %s", connection->reason);
    return eddy_raise(EDDY_EPG_CLOSED, "the connection is closed");
}

/* Stops what runs, in order, for as long as the scope around it allows. */
static void connection_stop(eddy_pg_connection *connection)
{
    if (connection->operation && !connection->closed)
        (void)pg_cancel_request(connection); /* the connection is closed in any case */
    while (connection->settler && !connection->closed)
        if (eddy_event_wait(&connection->settled) < 0)
            return;
}

/* Waits until nobody is at the socket any more: soon, since it has been shut down. Whoever has an
 * operation but is not in a call of it, such as a generator between two rows, keeps libpq's object
 * until it goes on. */
static void connection_await_leaving(eddy_pg_connection *connection)
{
    while (connection->settler || connection->waiting > 0) {
        eddy_event_clear(&connection->left);
        (void)eddy_event_wait(&connection->left); /* shielded */
    }
}

/* The program has done with it. */
static void connection_part(eddy_pg_connection *connection)
{
    connection->pipeline = NULL; /* which has been told, and uses libpq's object no more */
    pg_connection_leave(connection);
    pg_listeners_terminate(connection, true);
    pg_connection_unref(connection);
}

/* A pool has its own ways of closing, which end here with no slot. */
static bool connection_give_back(eddy_pg_connection **connection)
{
    if (!(*connection)->slot)
        return false;
    pg_connection_break(*connection);
    eddy_pg_release(connection);
    return true;
}

void eddy_pg_close(eddy_pg_connection **handle)
{
    eddy_pg_connection *connection = *handle;
    EDDY_SHIELD(closing);

    if (!connection || connection_give_back(handle))
        return;
    *handle = NULL;
    if (!connection->closed) {
        EDDY_TIMEOUT(limit, connection->options.close_timeout);

        connection_stop(connection);
    }
    connection_shut(connection);
    connection_await_leaving(connection);
    connection_part(connection);
}

void eddy_pg_terminate(eddy_pg_connection **handle)
{
    eddy_pg_connection *connection = *handle;

    if (!connection)
        return;
    if (connection->slot)
        pg_slot_forget(connection->slot);
    *handle = NULL;
    if (!connection->closed && connection->fd >= 0)
        (void)shutdown(connection->fd, SHUT_RDWR); /* libpq's goodbye does not go out */
    connection_shut(connection);
    connection_part(connection);
}

void eddy_pg_connection_end_scope_(eddy_pg_connection **connection)
{
    if (*connection)
        eddy_pg_close(connection);
}

void pg_connection_retire(eddy_pg_connection *connection)
{
    connection->generation++;
    pg_listeners_retire(connection);
}

/* What it is --------------------------------------------------------------------- */

bool eddy_pg_is_closed(const eddy_pg_connection *connection)
{
    return !connection || connection->closed;
}

bool eddy_pg_is_in_transaction(const eddy_pg_connection *connection)
{
    PGTransactionStatusType status =
        connection->libpq ? PQtransactionStatus(connection->libpq) : PQTRANS_UNKNOWN;

    if (connection->closed)
        return false;
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR ||
           (status == PQTRANS_ACTIVE && connection->in_transaction);
}

int eddy_pg_server_version(const eddy_pg_connection *connection)
{
    return connection->libpq ? PQserverVersion(connection->libpq) : 0;
}

int eddy_pg_server_pid(const eddy_pg_connection *connection)
{
    return connection->pid;
}

const char *eddy_pg_setting(const eddy_pg_connection *connection, const char *name)
{
    return connection->libpq ? PQparameterStatus(connection->libpq, name) : NULL;
}

bool eddy_pg_uses_tls(const eddy_pg_connection *connection)
{
    return connection->libpq && PQsslInUse(connection->libpq);
}

/* What others keep in it --------------------------------------------------------- */

struct pg_types *pg_connection_types(eddy_pg_connection *connection)
{
    return connection->types;
}

int pg_connection_forget_types(eddy_pg_connection *connection)
{
    struct pg_types *types = pg_types_new();

    if (!types)
        return eddy_raise(-ENOMEM, "no memory for the types of a connection");
    pg_types_unref(connection->types);
    connection->types = types;
    return 0;
}

struct pg_statements **pg_connection_statements(eddy_pg_connection *connection)
{
    return &connection->statements;
}

struct eddy_pg_pipeline **pg_connection_pipeline(eddy_pg_connection *connection)
{
    return &connection->pipeline;
}

struct pg_slot **pg_connection_slot(eddy_pg_connection *connection)
{
    return &connection->slot;
}

const eddy_pg_options *pg_connection_options(const eddy_pg_connection *connection)
{
    return &connection->options;
}

double pg_connection_command_timeout(const eddy_pg_connection *connection)
{
    return connection->options.command_timeout;
}

PGconn *pg_connection_libpq(eddy_pg_connection *connection)
{
    return connection->libpq;
}

uint64_t pg_connection_generation(const eddy_pg_connection *connection)
{
    return connection->generation;
}

uint64_t pg_connection_operations(const eddy_pg_connection *connection)
{
    return connection->operations;
}
