/* SPDX-License-Identifier: MIT */
/*
 * A connection inside: libpq's object, which does the talking, and the state around it.
 *
 * Invariant: at most one operation has the connection (`operation`), or the pipeline has
 * (`pipeline`). An operation that ends before the server is ready for the next one leaves the
 * connection `settling`: a task of the connection's own sends the cancel request and reads until
 * the server is ready; who begins the next operation waits for that. A connection is in sync,
 * settling, or closed; there is nothing else.
 */
#ifndef ED_PG_CONNECTION_H
#define ED_PG_CONNECTION_H

#include <libpq-fe.h>

#include "eddy/pg_connection.h"
#include "eddy/pg_result.h"

struct pg_types;
struct pg_statements;

struct pg_operation {
    eddy_pg_connection *connection;
    const char *query; /* for errors and loggers */
    double begun;
    size_t values; /* parameters, for loggers; set by the caller behind the begin */
};

/*
 * Begins an operation: 0, and the connection is the caller's until pg_operation_end;
 * EDDY_EPG_CLOSED, -EBUSY, EDDY_EPG_USE while a pipeline is open; an error of waiting for a
 * connection that settles. The command_timeout is the caller's scope: EDDY_TIMEOUT(limit,
 * connection->command_timeout). Suspends.
 */
EDDY_AWAITS int pg_operation_begin(struct pg_operation *operation, eddy_pg_connection *connection,
                                   const char *query);
/* Ends it with its outcome, and returns `rc` (EDDY_EPG_LOST where the connection went). Where
 * answers are still to come the connection begins to settle: with a cancel request for an `rc`
 * below 0, and by reading them alone for 0. Does not suspend. */
int pg_operation_end(struct pg_operation *operation, int rc);

/* The same for a pipeline, which has the connection, outside of pipeline mode: nothing is waited
 * for or checked. It is ended like any other. */
void pg_operation_borrow(struct pg_operation *operation, eddy_pg_connection *connection,
                         const char *query);

/* Sends all that libpq has queued, and reads meanwhile, so that neither side is stuck. Suspends. */
EDDY_AWAITS int pg_flush(eddy_pg_connection *connection);
/* The next result of the operation: *out is the caller's, to PQclear; NULL when the server is ready
 * (or, in libpq's pipeline mode, at the end of one statement). What the server says before it ends
 * the connection is still a result; then comes EDDY_EPG_LOST. Suspends. */
EDDY_AWAITS int pg_next_result(eddy_pg_connection *connection, PGresult **out);
/* Waits until libpq has read something more. Suspends. */
EDDY_AWAITS int pg_wait_input(eddy_pg_connection *connection);

/* Waits until the socket can be read, or written too with `write`; reads nothing. Suspends. */
EDDY_AWAITS int pg_wait_socket(eddy_pg_connection *connection, bool write);
/* Has libpq read what is there, without waiting. False: the connection is lost, and libpq's object
 * says why: pg_raise_failure. */
bool pg_read_input(eddy_pg_connection *connection);
/* Asks the server to stop what it runs, and waits until the server has closed that request's own
 * connection: from then on the request hits nothing that is sent. For a limited time. Suspends. */
EDDY_AWAITS int pg_cancel_request(eddy_pg_connection *connection);

/* Raises what a result says, where it is an error, and keeps its parts for eddy_pg_last_error; 0
 * else. `query` may be NULL. */
int pg_raise_result(eddy_pg_connection *connection, const PGresult *result, const char *query);
/* Raises a failure of libpq's own, PQerrorMessage, after a call that returned 0: EDDY_EPG_LOST for
 * a connection that went, which is closed with that, EDDY_EPG_PROTOCOL, -ENOMEM. */
int pg_raise_failure(eddy_pg_connection *connection, const char *query);

/* Runs a statement without parameters of the library's own (BEGIN, LISTEN, RESET, ...) within an
 * operation of its own, for as long as the command_timeout allows. Suspends. */
EDDY_AWAITS int pg_command(eddy_pg_connection *connection, const char *sql);
/* The same within the caller's operation, by the extended protocol with text parameters and
 * results; *out, which may be NULL, is the caller's. Suspends. */
EDDY_AWAITS int pg_query_text(struct pg_operation *operation, const char *sql,
                              const char *const *parameters, int count, PGresult **out);

/* The parts of the connection that other files own; they are freed with it. */
struct pg_types *pg_connection_types(eddy_pg_connection *connection);
struct pg_statements **pg_connection_statements(eddy_pg_connection *connection);
/* Closes it at once; the object stays, who waits in it gets EDDY_EPG_CLOSED. Does not suspend. */
void pg_connection_break(eddy_pg_connection *connection);

/* The pipeline that has the connection, or NULL: pg_operation_begin refuses while one has it, and
 * libpq's object stays. It calls pg_connection_leave when it has taken itself out, and is told of
 * the end by pg_pipeline_connection_gone. */
struct eddy_pg_pipeline **pg_connection_pipeline(eddy_pg_connection *connection);
/* The options that it was made with, defaults filled in. */
const eddy_pg_options *pg_connection_options(const eddy_pg_connection *connection);
/* Another struct pg_types from now on, which knows the built-in ones alone: 0, -ENOMEM. */
int pg_connection_forget_types(eddy_pg_connection *connection);
/* libpq's object; NULL once the connection is closed and nobody is inside. */
PGconn *pg_connection_libpq(eddy_pg_connection *connection);
/* Moves on each time that a pool takes the connection back, and when it is closed: statements,
 * cursors and transactions keep the number that they were made with, and end with it. */
uint64_t pg_connection_generation(const eddy_pg_connection *connection);

/* Seconds of an operation; EDDY_FOREVER: no limit. */
double pg_connection_command_timeout(const eddy_pg_connection *connection);

/* For pools. The slot of the pool whose it is; NULL in it: it is nobody's. eddy_pg_close and
 * eddy_pg_terminate of a pool's connection abort it, and give it back to the pool
 * (eddy_pg_release), which frees it. */
struct pg_slot **pg_connection_slot(eddy_pg_connection *connection);
/* Operations that were begun so far: whether anything was run since. */
uint64_t pg_connection_operations(const eddy_pg_connection *connection);
/* Whether anybody listens on it, or to it. */
bool pg_connection_is_listened(const eddy_pg_connection *connection);
/* Waits while it settles: 0 and it is in sync, -EBUSY while an operation runs, or an error and it
 * is closed. Suspends. */
EDDY_AWAITS int pg_connection_settle(eddy_pg_connection *connection);
/* A pool takes it back: see pg_connection_generation; listeners, loggers and callbacks of its last
 * user go, and an open pipeline. */
void pg_connection_retire(eddy_pg_connection *connection);

/* To be called by whoever has left it: lets go of libpq's object where the connection is closed and
 * nobody is inside any more. */
void pg_connection_leave(eddy_pg_connection *connection);
/* One user more, or less, of the object, which goes with the last; it may be closed long before. */
void pg_connection_ref(eddy_pg_connection *connection);
void pg_connection_unref(eddy_pg_connection *connection);

#endif
