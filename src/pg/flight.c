/* SPDX-License-Identifier: MIT */
/*
 * What is on its way in a pipeline.
 *
 * A flight is a list of commands that ends with a sync. libpq gives results in the order of
 * sending: for each command results and then none, and for each sync a result of its own; so the
 * first flight of the list is always the one whose answers come. A flight whose caller has gone
 * stays in the list, and what comes of it is dropped.
 */
#include <errno.h>
#include <string.h>

#include "eddy/loop.h"
#include "eddy/sock.h"
#include "pg/pipeline.h"

struct pg_flight *pg_flight_new(enum pg_flight_kind kind, size_t count)
{
    size_t pointers = kind == PG_FLIGHT_BATCH     ? count * sizeof(PGresult *)
                      : kind == PG_FLIGHT_PREPARE ? count * sizeof(struct pg_statement *)
                                                  : 0;
    struct pg_flight *flight = eddy_alloc_(sizeof *flight + pointers);

    if (!flight)
        return NULL;
    flight->kind = kind;
    flight->count = count;
    flight->failed = SIZE_MAX;
    if (kind == PG_FLIGHT_PREPARE)
        flight->statements = (struct pg_statement **)(void *)(flight + 1);
    return flight;
}

void pg_flight_free(struct pg_flight *flight)
{
    if (!flight)
        return;
    for (size_t i = 0; flight->kind == PG_FLIGHT_BATCH && i < flight->count; i++)
        PQclear(flight->results[i]);
    for (size_t i = 0; flight->kind == PG_FLIGHT_PREPARE && i < flight->count; i++)
        pg_statement_unref(flight->statements[i]);
    PQclear(flight->error);
    eddy_free(flight);
}

void pg_flight_start(eddy_pg_pipeline *pipeline, struct pg_flight *flight)
{
    if (ed_list_empty(&pipeline->flights))
        eddy_keep_pace_(true); /* with the server, until nothing is in flight */
    eddy_event_clear(&pipeline->idle);
    ed_list_append(&pipeline->flights, &flight->link);
    pipeline->begun = true;
    flight->abandoned = flight->kind == PG_FLIGHT_CLOSE; /* nobody waits for it */
    pipeline->wanted += !flight->abandoned;
}

/* Sending ---------------------------------------------------------------------------------- */

static int writer_ready(void *argument)
{
    eddy_pg_pipeline *pipeline = argument;

    eddy_event_set(&pipeline->work);
    return 0;
}

/* Looks out for the socket's being writable, or no more. */
static void pipeline_watch_writing(eddy_pg_pipeline *pipeline, bool writing)
{
    eddy_loop *loop = eddy_get_running_loop();

    if (writing == pipeline->writing)
        return;
    pipeline->writing = writing;
    if (!writing)
        (void)eddy_loop_remove_writer(loop, pipeline->descriptor);
    else if (eddy_loop_add_writer(loop, pipeline->descriptor, writer_ready, pipeline) < 0)
        pipeline->writing = false; /* no memory: with the next answer, or the next batch, again */
}

int pg_flights_flush(eddy_pg_pipeline *pipeline)
{
    int left = PQflush(pipeline->pg);

    if (ed_unlikely(left < 0))
        return pg_pipeline_fail(pipeline);
    pipeline_watch_writing(pipeline, left > 0);
    if (left == 0)
        pipeline->unsent = 0;
    if (pipeline->unsent <= PG_PIPELINE_UNSENT)
        eddy_event_set(&pipeline->room);
    return 0;
}

int pg_flight_sync(eddy_pg_pipeline *pipeline)
{
    if (ed_unlikely(!PQpipelineSync(pipeline->pg)))
        return pg_pipeline_fail(pipeline);
    pipeline->asked++;
    pipeline->begun = false;
    return pg_flights_flush(pipeline);
}

/* Receiving -------------------------------------------------------------------------------- */

static struct pg_flight *flight_first(const eddy_pg_pipeline *pipeline)
{
    struct eddy_link_ *link = pipeline->flights.first;

    return link ? ed_container_of(link, struct pg_flight, link) : NULL;
}

void pg_flight_settle(struct pg_statement *statement, enum pg_statement_state state)
{
    statement->state = state;
    if (state == PG_STATEMENT_FAILED)
        pg_statement_forget(statement);
    eddy_event_set(&statement->settled);
}

/* A description has come, or an error in its place; a server that ends may say so behind them
 * all. */
static void prepare_take(struct pg_flight *flight, PGresult *result)
{
    struct pg_statement *statement;

    if (PQresultStatus(result) != PGRES_COMMAND_OK || flight->answered / 2 >= flight->count)
        return;
    statement = flight->statements[flight->answered / 2];
    if (statement->state != PG_STATEMENT_PREPARING || flight->answered % 2 == 0)
        return;
    if (pg_statement_describe(statement, result) < 0)
        return; /* it ends with the flight: no memory */
    if (pg_statement_finish(statement)) {
        eddy_event_set(&statement->settled);
        return;
    }
    statement->state = PG_STATEMENT_LEARNING;
}

/* Those that are not described have failed: one by the error, the others with it. Whether there are
 * types to be learned. */
static bool prepare_end(struct pg_flight *flight)
{
    bool learning = false;

    for (size_t i = 0; i < flight->count; i++) {
        struct pg_statement *statement = flight->statements[i];

        learning |= statement->state == PG_STATEMENT_LEARNING;
        if (statement->state != PG_STATEMENT_PREPARING)
            continue;
        if (flight->error && flight->failed == i) {
            statement->error = flight->error;
            flight->error = NULL;
            statement->known = false;
        }
        pg_flight_settle(statement, PG_STATEMENT_FAILED);
    }
    return learning;
}

static void flight_end(eddy_pg_pipeline *pipeline, struct pg_flight *flight)
{
    ed_list_remove(&pipeline->flights, &flight->link);
    pipeline->wanted -= !flight->abandoned;
    if (flight->kind == PG_FLIGHT_CLOSE)
        pipeline->closes = false;
    if (flight->kind == PG_FLIGHT_PREPARE && prepare_end(flight))
        ed_list_append(&pipeline->learners, &flight->link);
    else if (flight->abandoned || flight->kind == PG_FLIGHT_PREPARE)
        pg_flight_free(flight);
    else
        eddy_event_set(&flight->done);
    if (ed_list_empty(&pipeline->flights)) {
        eddy_keep_pace_(false);
        eddy_event_set(&pipeline->idle);
    }
}

static size_t flight_statement(const struct pg_flight *flight)
{
    return flight->kind == PG_FLIGHT_PREPARE ? flight->answered / 2 : flight->answered;
}

/* Takes a result of a command of the flight; keeps it where somebody waits for it. */
static void flight_take(eddy_pg_pipeline *pipeline, struct pg_flight *flight, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    size_t number = flight_statement(flight);
    bool good =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;

    if (flight->kind == PG_FLIGHT_CLOSE)
        pg_statements_take_close(*pg_connection_statements(pipeline->connection), result);
    else if (!good && status != PGRES_PIPELINE_ABORTED && !flight->error) {
        flight->error = result;
        flight->failed = number;
        return;
    } else if (flight->kind == PG_FLIGHT_PREPARE) {
        prepare_take(flight, result);
    } else if (good && !flight->abandoned && number < flight->count) {
        PQclear(flight->results[number]);
        flight->results[number] = result;
        return;
    }
    PQclear(result);
}

/* A COPY in a pipeline cannot be ended in order: what stands behind it has been sent. */
static bool result_is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

void pg_flights_take(eddy_pg_pipeline *pipeline)
{
    while (pipeline->asked && pipeline->rc == 0 && !PQisBusy(pipeline->pg)) {
        struct pg_flight *flight = flight_first(pipeline);
        PGresult *result = PQgetResult(pipeline->pg);

        if (!flight) {
            PQclear(result);
            pipeline->rc = eddy_raise(EDDY_EPG_PROTOCOL, "an answer that nobody asked for");
        } else if (!result) {
            pipeline->asked--;
            flight->answered++;
        } else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            pipeline->asked--;
            flight_end(pipeline, flight);
        } else if (result_is_copy(result)) {
            PQclear(result);
            pipeline->rc =
                eddy_raise(EDDY_EPG_USE, "COPY does not go into a pipeline: it broke it");
        } else {
            flight_take(pipeline, flight, result);
        }
    }
}

/* Ends ------------------------------------------------------------------------------------- */

int pg_pipeline_fail(eddy_pg_pipeline *pipeline)
{
    int rc = pg_raise_failure(pipeline->connection, "pipeline");

    pg_flights_lose(pipeline, rc);
    return rc;
}

void pg_flights_lose(eddy_pg_pipeline *pipeline, int rc)
{
    struct pg_flight *flight;

    if (pipeline->rc == 0)
        pipeline->rc = rc;
    pipeline->asked = 0;
    while ((flight = flight_first(pipeline))) {
        flight->lost = true;
        flight_end(pipeline, flight);
    }
    eddy_event_set(&pipeline->idle);
    eddy_event_set(&pipeline->room);
    eddy_event_set(&pipeline->work);
}

void pg_flight_abandon(eddy_pg_pipeline *pipeline, struct pg_flight *flight)
{
    flight->abandoned = true;
    if (--pipeline->wanted == 0)
        pipeline->held = true; /* until the driver has had it stopped */
    for (size_t i = 0; i < flight->count; i++) {
        PQclear(flight->results[i]);
        flight->results[i] = NULL;
    }
    eddy_event_set(&pipeline->work);
}
