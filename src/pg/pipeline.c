/* SPDX-License-Identifier: MIT */
/*
 * A pipeline: its beginning and end, and the task that drives it.
 *
 * Callers send by themselves, one batch at a time, and wait for their flight; the driver flushes
 * and reads whenever the socket lets it, and ends flights in their order. It is woken by one event,
 * which callbacks of the socket set too, so that new batches never have to interrupt a wait of its
 * own.
 *
 * Two things stop the sending for a while (`held`). A cancel request, which is made only when
 * nobody waits for anything that is in flight: it hits whatever the server runs when it arrives,
 * and from the moment that its own connection has been closed nothing that is sent later. And types
 * that the server has to be asked for, outside of pipeline mode, once nothing is in flight.
 */
#include "pg/pipeline.h"

#include <errno.h>
#include <string.h>

#include "eddy/loop.h"
#include "eddy/scope.h"
#include "eddy/task.h"
#include "task/task.h"

/* The driver --------------------------------------------------------------------------------- */

static int reader_ready(void *argument)
{
    eddy_pg_pipeline *pipeline = argument;

    eddy_event_set(&pipeline->work);
    return 0;
}

static int pipeline_watch(eddy_pg_pipeline *pipeline)
{
    return eddy_loop_add_reader(eddy_get_running_loop(), pipeline->descriptor, reader_ready,
                                pipeline);
}

static void pipeline_unwatch(eddy_pg_pipeline *pipeline)
{
    (void)eddy_loop_remove_reader(eddy_get_running_loop(), pipeline->descriptor);
    (void)eddy_loop_remove_writer(eddy_get_running_loop(), pipeline->descriptor);
    pipeline->writing = false;
}

/* Asks the server to stop what nobody waits for any more, once for each flight. */
static EDDY_AWAITS int drive_cancel(eddy_pg_pipeline *pipeline)
{
    struct pg_flight *first = pipeline->flights.first
                                  ? ed_container_of(pipeline->flights.first, struct pg_flight, link)
                                  : NULL;
    int rc;

    if (!first || pipeline->wanted || first->cancelled || first->kind == PG_FLIGHT_CLOSE)
        return 0;
    first->cancelled = true;
    pipeline->held = true;
    rc = pg_cancel_request(pipeline->connection);
    return rc == -ECANCELED ? rc : 0; /* one that did not get through changes nothing */
}

static EDDY_AWAITS int learn_flight(struct pg_operation *operation, struct pg_flight *flight)
{
    for (size_t i = 0; i < flight->count; i++) {
        struct pg_statement *statement = flight->statements[i];

        if (statement->state != PG_STATEMENT_LEARNING)
            continue;
        EDDY_TRY(pg_statement_learn(operation, statement));
        pg_flight_settle(statement, PG_STATEMENT_READY);
    }
    return 0;
}

/* What has not been learned has failed. */
static void learn_end(struct pg_flight *flight)
{
    for (size_t i = 0; i < flight->count; i++) {
        if (flight->statements[i]->state == PG_STATEMENT_LEARNING)
            pg_flight_settle(flight->statements[i], PG_STATEMENT_FAILED);
    }
    pg_flight_free(flight);
}

/* Learns types, outside of pipeline mode. */
static EDDY_AWAITS int learn_all(eddy_pg_pipeline *pipeline)
{
    struct pg_operation operation;
    struct eddy_link_ *link;
    int rc = 0;

    pg_operation_borrow(&operation, pipeline->connection, "types");
    while ((link = ed_list_pop(&pipeline->learners))) {
        struct pg_flight *flight = ed_container_of(link, struct pg_flight, link);

        if (rc == 0)
            rc = learn_flight(&operation, flight);
        learn_end(flight);
    }
    return pg_operation_end(&operation, rc);
}

static EDDY_AWAITS int drive_learn(eddy_pg_pipeline *pipeline)
{
    int rc;

    pipeline->held = !ed_list_empty(&pipeline->learners);
    if (!pipeline->held)
        eddy_event_set(&pipeline->room);
    if (!pipeline->held || !ed_list_empty(&pipeline->flights))
        return 0; /* or when what is on its way has come */
    pipeline_unwatch(pipeline);
    if (!PQexitPipelineMode(pipeline->pg))
        return pg_pipeline_fail(pipeline);
    rc = learn_all(pipeline);
    if (eddy_pg_is_closed(pipeline->connection) ||
        PQtransactionStatus(pipeline->pg) == PQTRANS_ACTIVE) /* cut short in the middle of it */
        return rc < 0 ? rc : EDDY_EPG_LOST;
    if (!PQenterPipelineMode(pipeline->pg))
        return pg_pipeline_fail(pipeline);
    rc = pipeline_watch(pipeline);
    pipeline->held = false;
    eddy_event_set(&pipeline->room);
    return rc;
}

/* Has the server close statements that nobody wants. */
static int drive_close(eddy_pg_pipeline *pipeline)
{
    struct pg_statements *statements = *pg_connection_statements(pipeline->connection);
    struct pg_flight *flight;
    int sent;

    if (pipeline->closes || pipeline->held || ed_list_empty(&statements->closing) ||
        pipeline->in_transaction || pipeline->begun)
        return 0;
    flight = pg_flight_new(PG_FLIGHT_CLOSE, 0);
    sent = flight ? pg_statements_send_close(statements) : 0;
    if (sent <= 0) {
        pg_flight_free(flight);
        return sent < 0 ? pg_pipeline_fail(pipeline) : 0;
    }
    pipeline->closes = true;
    pg_flight_start(pipeline, flight);
    pipeline->asked += (size_t)sent;
    return pg_flight_sync(pipeline);
}

static EDDY_AWAITS int drive_turn(eddy_pg_pipeline *pipeline)
{
    int rc = pg_flights_flush(pipeline);
    bool read;

    if (rc < 0)
        return rc;
    read = pg_read_input(pipeline->connection);
    pg_flights_take(pipeline); /* what the server said before its end, too */
    if (!read)
        return pg_pipeline_fail(pipeline);
    if (pipeline->rc == 0)
        rc = drive_close(pipeline);
    if (rc == 0 && pipeline->rc == 0)
        rc = drive_cancel(pipeline);
    if (rc == 0 && pipeline->rc == 0)
        rc = drive_learn(pipeline);
    return rc < 0 ? rc : pipeline->rc;
}

static int pipeline_drive(eddy_pg_pipeline *pipeline)
{
    int rc = 0;

    while (rc == 0 && pipeline->rc == 0) {
        rc = eddy_event_wait(&pipeline->work);
        eddy_event_clear(&pipeline->work);
        if (rc == 0 && pipeline->rc == 0)
            rc = drive_turn(pipeline);
    }
    pipeline_unwatch(pipeline);
    pg_flights_lose(pipeline, pipeline->closing ? EDDY_EPG_USE : rc ? rc : EDDY_EPG_CLOSED);
    for (struct eddy_link_ *link; (link = ed_list_pop(&pipeline->learners));)
        learn_end(ed_container_of(link, struct pg_flight, link));
    return 0;
}
EDDY_ASYNC(pipeline_drive, eddy_pg_pipeline *);

void pg_pipeline_connection_gone(eddy_pg_pipeline *pipeline)
{
    pipeline_unwatch(pipeline);
    pg_flights_lose(pipeline, EDDY_EPG_LOST);
}

/* Opening and closing ------------------------------------------------------------------------ */

static int begin_check(eddy_pg_connection *connection, bool alone, bool *in_transaction)
{
    PGTransactionStatusType status = PQtransactionStatus(pg_connection_libpq(connection));

    *in_transaction = status != PQTRANS_IDLE;
    if (*in_transaction && !alone)
        return eddy_raise(EDDY_EPG_USE,
                          "a transaction is open: a pipeline's batches are their own");
    return pg_statements_of(connection) ? 0 : -ENOMEM;
}

static int pipeline_new(eddy_pg_connection *connection, eddy_pg_pipeline **out)
{
    eddy_pg_pipeline *pipeline = eddy_alloc_(sizeof *pipeline);

    if (!pipeline)
        return -ENOMEM;
    pipeline->connection = connection;
    pipeline->pg = pg_connection_libpq(connection);
    pipeline->descriptor = PQsocket(pipeline->pg);
    eddy_event_set(&pipeline->room);
    eddy_event_set(&pipeline->idle);
    eddy_event_set(&pipeline->left);
    pipeline->driver = eddy_create_task(pipeline_drive, pipeline);
    if (!pipeline->driver || !PQenterPipelineMode(pipeline->pg)) {
        eddy_task_release(&pipeline->driver);
        eddy_free(pipeline);
        return -ENOMEM;
    }
    *out = pipeline;
    return 0;
}

/* Sends an empty flight: libpq 15 forgets the single-row mode of the query before only behind the
 * first command of a pipeline. */
static int pipeline_start(eddy_pg_pipeline *pipeline)
{
    struct pg_flight *flight = pg_flight_new(PG_FLIGHT_CLOSE, 0);
    int rc;

    if (!flight)
        return -ENOMEM;
    rc = pipeline_watch(pipeline);
    if (rc < 0) {
        pg_flight_free(flight);
        return rc;
    }
    pg_flight_start(pipeline, flight);
    return pg_flight_sync(pipeline);
}

static void pipeline_take(eddy_pg_pipeline *pipeline, eddy_pg_connection *connection)
{
    *pg_connection_pipeline(connection) = pipeline;
    pg_connection_ref(connection);
}

int pg_pipeline_begin(eddy_pg_connection *connection, bool alone, eddy_pg_pipeline **out)
{
    struct pg_operation operation;
    eddy_pg_pipeline *pipeline = NULL;
    bool in_transaction;
    int rc;

    if (!connection)
        return eddy_raise(EDDY_EPG_CLOSED, "there is no connection: NULL");
    rc = pg_operation_begin(&operation, connection, "pipeline");
    if (rc < 0)
        return rc;
    rc = begin_check(connection, alone, &in_transaction);
    if (rc == 0)
        rc = pipeline_new(connection, &pipeline);
    if (rc == 0)
        pipeline_take(pipeline, connection);
    rc = pg_operation_end(&operation, rc);
    if (rc < 0)
        return rc;
    pipeline->in_transaction = in_transaction;
    rc = pipeline_start(pipeline);
    if (rc < 0)
        pg_pipeline_end(pipeline);
    else
        *out = pipeline;
    return rc;
}

/* Waits until nothing is in flight. A cancelled task waits for the close_timeout, and breaks the
 * connection behind it. */
static EDDY_AWAITS void pipeline_drain(eddy_pg_pipeline *pipeline)
{
    if (eddy_event_wait(&pipeline->idle) == 0)
        return;
    EDDY_SHIELD(clean_up);
    EDDY_TIMEOUT(limit, pg_connection_options(pipeline->connection)->close_timeout);
    if (eddy_event_wait(&pipeline->idle) < 0)
        pg_connection_break(pipeline->connection);
}

static EDDY_AWAITS void pipeline_leave(eddy_pg_pipeline *pipeline)
{
    EDDY_SHIELD(clean_up);
    eddy_task_release(&pipeline->driver);
    (void)eddy_event_wait(&pipeline->left); /* calls that have got their error, and not run since */
}

void pg_pipeline_end(eddy_pg_pipeline *pipeline)
{
    struct ed_error *error;
    eddy_pg_connection *connection;

    if (!pipeline)
        return;
    error = eddy_error_set_aside_();
    pipeline->closing = true;
    eddy_event_set(&pipeline->room);
    pipeline_drain(pipeline);
    pipeline_leave(pipeline);
    connection = pipeline->connection;
    if (!eddy_pg_is_closed(connection) && PQpipelineStatus(pipeline->pg) != PQ_PIPELINE_OFF &&
        !PQexitPipelineMode(pipeline->pg))
        pg_connection_break(connection);
    *pg_connection_pipeline(connection) = NULL;
    pg_connection_leave(connection);
    pg_connection_unref(connection);
    eddy_error_put_back_(error);
    eddy_free(pipeline);
}

int eddy_pg_pipeline_open(eddy_pg_connection *connection, eddy_pg_pipeline **out)
{
    return pg_pipeline_begin(connection, false, out);
}

void eddy_pg_pipeline_end_scope_(eddy_pg_pipeline **pipeline)
{
    eddy_pg_pipeline *ending = *pipeline;

    *pipeline = NULL;
    pg_pipeline_end(ending);
}
