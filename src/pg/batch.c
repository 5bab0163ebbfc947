/* SPDX-License-Identifier: MIT */
/*
 * Batches: statements that go into a pipeline together, and calls, which are batches of one.
 *
 * A batch goes through three rooms. Its statements are prepared, all that are new in one flight,
 * which others may wait for, too. It waits for its turn to send, and while more than 1 MiB has not
 * left; its values are encoded, and all of them before the first is sent, so that one that does not
 * fit leaves nothing on its way. Then it waits for its flight. A caller that is cancelled in the
 * first two rooms has sent nothing, or what it began is undone by the end that it gets; in the
 * third it leaves its flight to the driver.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "eddy/scope.h"
#include "pg/pipeline.h"
#include "pg/result.h"
#include "task/task.h"

struct batch_entry {
    char *sql;
    eddy_pg_value *values;
    size_t count;
};

struct eddy_pg_batch {
    eddy_pg_connection *connection;
    struct batch_entry *entries; /* added, and not run */
    size_t count, room;
    eddy_pg_result **results; /* of the last run */
    size_t result_count, failed;
};

/* Who is inside ---------------------------------------------------------------------------- */

static int pipeline_raise(const eddy_pg_pipeline *pipeline)
{
    int rc = pipeline->rc;

    if (rc == -ECANCELED || rc == EDDY_EPG_CLOSED)
        return eddy_raise(EDDY_EPG_CLOSED, "the pipeline has ended with its connection");
    if (rc == EDDY_EPG_USE)
        return eddy_raise(rc, "the pipeline %s",
                          pipeline->closing ? "was closed" : "was broken by a COPY");
    return eddy_raise(rc, "the pipeline has ended: %s", eddy_strerror(rc));
}

static int pipeline_enter(eddy_pg_pipeline *pipeline)
{
    if (pipeline->rc < 0)
        return pipeline_raise(pipeline);
    if (pipeline->closing)
        return eddy_raise(EDDY_EPG_USE, "the pipeline is being closed");
    if (pipeline->users++ == 0)
        eddy_event_clear(&pipeline->left);
    return 0;
}

static void pipeline_exit(eddy_pg_pipeline *pipeline)
{
    if (--pipeline->users == 0)
        eddy_event_set(&pipeline->left);
}

/* Statements ------------------------------------------------------------------------------- */

/* What would reach beyond its batch, or cannot be in a pipeline at all. */
static int item_check(const char *sql)
{
    static const char *const words[] = {"COPY",     "BEGIN", "START",     "COMMIT", "END",
                                        "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"};
    size_t length;

    sql += strspn(sql, " \t\r\n\f");
    length = strspn(sql, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (size_t i = 0; i < ED_ARRAY_LENGTH(words); i++) {
        if (strlen(words[i]) == length && strncasecmp(words[i], sql, length) == 0)
            return eddy_raise(EDDY_EPG_USE, "%s does not go into a pipeline", words[i]);
    }
    return 0;
}

/* Sends a flight that prepares those of the statements that are new. */
static int prepare_send(eddy_pg_pipeline *pipeline, struct pg_item *items, size_t count, size_t new)
{
    struct pg_flight *flight = pg_flight_new(PG_FLIGHT_PREPARE, new);
    size_t number = 0;

    if (!flight)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct pg_statement *statement = items[i].statement;

        if (statement->state != PG_STATEMENT_NEW)
            continue;
        statement->references++;
        statement->state = PG_STATEMENT_PREPARING;
        statement->known = true;
        flight->statements[number++] = statement;
    }
    flight->count = number; /* one may be twice in a batch, or prepared by another meanwhile */
    if (number == 0) {
        pg_flight_free(flight);
        return 0;
    }
    pg_flight_start(pipeline, flight);
    for (size_t i = 0; i < number; i++) {
        const struct pg_statement *statement = flight->statements[i];

        if (!PQsendPrepare(pipeline->pg, statement->name, statement->sql, 0, NULL) ||
            !PQsendDescribePrepared(pipeline->pg, statement->name))
            return pg_pipeline_fail(pipeline);
        pipeline->asked += 2;
        pipeline->unsent += statement->size;
    }
    return pg_flight_sync(pipeline);
}

/* Finds the statements of all items, new ones too; *new says how many are to be prepared. */
static int items_find(eddy_pg_pipeline *pipeline, struct pg_item *items, size_t count, size_t *new)
{
    struct pg_statements *statements = *pg_connection_statements(pipeline->connection);

    *new = 0;
    for (size_t i = 0; i < count; i++) {
        struct pg_item *item = &items[i];

        if (item->statement)
            continue; /* a program's own, or found before */
        item->statement = pg_statement_find(statements, item->sql, eddy_time());
        if (!item->statement) {
            EDDY_TRY(item_check(item->sql));
            item->statement = pg_statement_new(statements, item->sql, true);
            if (!item->statement)
                return -ENOMEM;
            pg_statement_keep(item->statement);
        }
        *new += item->statement->state == PG_STATEMENT_NEW;
    }
    return 0;
}

static void items_release(struct pg_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct pg_statement *statement = items[i].statement;

        if (statement && statement->state == PG_STATEMENT_NEW)
            pg_statement_forget(statement); /* nobody will prepare it */
        pg_statement_unref(statement);
        items[i].statement = NULL;
    }
}

/* Waits until a statement is prepared, or not. */
static EDDY_AWAITS int
statement_await(eddy_pg_pipeline *pipeline, struct pg_statement *statement, const char *sql)
{
    int rc = 0;

    while (rc == 0 && statement->state != PG_STATEMENT_READY &&
           statement->state != PG_STATEMENT_FAILED && pipeline->rc == 0)
        rc = eddy_event_wait(&statement->settled);
    if (rc < 0)
        return rc;
    if (pipeline->rc < 0)
        return pipeline_raise(pipeline);
    if (statement->state == PG_STATEMENT_READY)
        return 0;
    if (statement->error)
        return pg_raise_result(pipeline->connection, statement->error, sql);
    return -EAGAIN; /* one before it in its flight has failed, or there was no memory */
}

/* Sending ---------------------------------------------------------------------------------- */

/* Waits until this one may send: there is room, and nothing holds the pipeline, unless its batch
 * has begun. */
static EDDY_AWAITS int room_await(eddy_pg_pipeline *pipeline, bool begun)
{
    while (pipeline->rc == 0 &&
           ((pipeline->held && !begun) || pipeline->unsent > PG_PIPELINE_UNSENT)) {
        eddy_event_clear(&pipeline->room);
        EDDY_TRY(eddy_event_wait(&pipeline->room));
    }
    return pipeline->rc < 0 ? pipeline_raise(pipeline) : 0;
}

/* Prepares what is new, and waits for all. */
static EDDY_AWAITS int
items_prepare(eddy_pg_pipeline *pipeline, struct pg_item *items, size_t count, size_t *failed)
{
    size_t new;
    int rc = items_find(pipeline, items, count, &new);

    if (rc < 0)
        return rc;
    if (new) {
        EDDY_TRY(eddy_lock_acquire(&pipeline->sending));
        rc = room_await(pipeline, false);
        if (rc == 0)
            rc = prepare_send(pipeline, items, count, new);
        (void)eddy_lock_release(&pipeline->sending);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = statement_await(pipeline, items[i].statement, items[i].sql);
        *failed = rc < 0 ? i : SIZE_MAX;
    }
    return rc;
}

/* Encodes all values, and sends nothing: so that one that does not fit is found before. */
static int items_check(const eddy_pg_pipeline *pipeline, const struct pg_item *items, size_t count,
                       size_t *failed)
{
    struct pg_statements *statements = *pg_connection_statements(pipeline->connection);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = pg_query_encode(statements, items[i].statement, items[i].values, items[i].count);
        *failed = rc < 0 ? i : SIZE_MAX;
    }
    return rc;
}

/* A lower bound of the bytes that an encoded statement takes. */
static size_t room_size(const struct pg_parameters *room)
{
    size_t size = 64;

    for (int i = 0; i < room->count; i++)
        size += !room->values[i]   ? 0
                : room->formats[i] ? (size_t)room->lengths[i]
                                   : strlen(room->values[i]);
    return size;
}

static int item_send(eddy_pg_pipeline *pipeline, const struct pg_item *item)
{
    struct pg_statements *statements = *pg_connection_statements(pipeline->connection);

    EDDY_TRY(pg_query_encode(statements, item->statement, item->values, item->count));
    if (ed_unlikely(!PQsendQueryPrepared(
            pipeline->pg, item->statement->name, statements->room.count, statements->room.values,
            statements->room.lengths, statements->room.formats, item->statement->binary)))
        return pg_pipeline_fail(pipeline);
    pipeline->asked++;
    pipeline->unsent += room_size(&statements->room);
    return 0;
}

/* The rest of a batch will not be sent: what was is not to be committed by the sync. */
static void batch_give_up(eddy_pg_pipeline *pipeline)
{
    const char *command = pipeline->in_transaction ? "the batch was given up" : "ROLLBACK";

    if (pipeline->rc < 0)
        return;
    if (PQsendQueryParams(pipeline->pg, command, 0, NULL, NULL, NULL, NULL, 0)) {
        pipeline->asked++;
        (void)pg_flight_sync(pipeline); /* a failure has ended the pipeline */
    } else {
        (void)pg_pipeline_fail(pipeline);
    }
}

static EDDY_AWAITS int
batch_send_items(eddy_pg_pipeline *pipeline, const struct pg_item *items, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (ed_unlikely(pipeline->unsent > PG_PIPELINE_UNSENT)) {
            rc = pg_flights_flush(pipeline);
            rc = rc < 0 ? rc : room_await(pipeline, true);
        }
        if (rc == 0)
            rc = item_send(pipeline, &items[i]);
    }
    return rc;
}

/* Sends a batch whose turn it is. With an error it is on its way all the same, if `*out` is set. */
static EDDY_AWAITS int batch_send(eddy_pg_pipeline *pipeline, const struct pg_item *items,
                                  size_t count, struct pg_flight **out, size_t *failed)
{
    struct pg_flight *flight;
    int rc = room_await(pipeline, false);

    if (rc == 0)
        rc = items_check(pipeline, items, count, failed);
    if (rc < 0)
        return rc;
    flight = pg_flight_new(PG_FLIGHT_BATCH, count);
    if (!flight)
        return -ENOMEM;
    pg_flight_start(pipeline, flight);
    *out = flight;
    rc = batch_send_items(pipeline, items, count);
    if (ed_unlikely(rc < 0))
        batch_give_up(pipeline);
    else
        rc = pg_flight_sync(pipeline);
    return rc;
}

/* Waiting ---------------------------------------------------------------------------------- */

/* What a flight that has ended says. */
static int flight_judge(eddy_pg_pipeline *pipeline, const struct pg_flight *flight,
                        const struct pg_item *items, size_t *failed)
{
    if (flight->lost)
        return pipeline_raise(pipeline);
    if (!flight->error)
        return 0;
    *failed = flight->failed < flight->count ? flight->failed : SIZE_MAX;
    return pg_raise_result(pipeline->connection, flight->error,
                           *failed < flight->count ? items[*failed].sql : NULL);
}

static EDDY_AWAITS int batch_run_once(eddy_pg_pipeline *pipeline, struct pg_item *items,
                                      size_t count, struct pg_flight **out, size_t *failed)
{
    struct pg_flight *flight = NULL;
    int rc = items_prepare(pipeline, items, count, failed);

    if (rc == 0)
        rc = eddy_lock_acquire(&pipeline->sending);
    if (rc == 0) {
        rc = batch_send(pipeline, items, count, &flight, failed);
        (void)eddy_lock_release(&pipeline->sending);
    }
    if (rc == 0)
        rc = eddy_event_wait(&flight->done);
    if (rc == 0)
        rc = flight_judge(pipeline, flight, items, failed);
    if (flight && !eddy_event_is_set(&flight->done))
        pg_flight_abandon(pipeline, flight); /* it is the driver's from here on */
    else
        *out = flight;
    return rc;
}

/* Whether the error of a batch is that a statement of the cache is out of date. */
static bool batch_is_stale(const eddy_pg_pipeline *pipeline, const struct pg_flight *flight)
{
    return flight && flight->error && !pipeline->in_transaction && pg_is_stale(flight->error);
}

/* Some of these may be tried again: statements of the cache, of which another caller's was wrong.
 * */
static EDDY_AWAITS int batch_run(eddy_pg_pipeline *pipeline, struct pg_item *items, size_t count,
                                 struct pg_flight **out, size_t *failed)
{
    bool stale = false;
    int rc;

    for (int tries = 0;; tries++) {
        *failed = SIZE_MAX;
        rc = batch_run_once(pipeline, items, count, out, failed);
        stale = rc < 0 && batch_is_stale(pipeline, *out);
        items_release(items, count);
        if ((rc != -EAGAIN && !stale) || tries == 8)
            break;
        pg_flight_free(*out);
        *out = NULL;
        if (stale)
            pg_statements_forget(pipeline->connection);
    }
    if (rc < 0) {
        pg_flight_free(*out);
        *out = NULL;
    }
    return rc == -EAGAIN ? -ENOMEM : rc;
}

int pg_pipeline_batch(eddy_pg_pipeline *pipeline, struct pg_item *items, size_t count,
                      struct pg_flight **out, size_t *failed)
{
    EDDY_TIMEOUT(limit, pg_command_time(pipeline->connection));
    *out = NULL;
    EDDY_TRY(pipeline_enter(pipeline));
    int rc = batch_run(pipeline, items, count, out, failed);
    pipeline_exit(pipeline);
    return rc;
}

int pg_pipeline_run(eddy_pg_pipeline *pipeline, struct pg_query *query)
{
    struct pg_item item = {query->sql, query->values, query->count, query->statement};
    struct pg_flight *flight;
    size_t failed;
    int rc;

    if (item.statement)
        item.statement->references++;
    rc = pg_pipeline_batch(pipeline, &item, 1, &flight, &failed);
    if (rc == 0) {
        rc = pg_query_take(pipeline->connection, query, flight->results[0]);
        flight->results[0] = NULL;
    }
    pg_flight_free(flight);
    return rc;
}

/* What programs call ------------------------------------------------------------------------- */

int eddy_pg_batch_open(eddy_pg_connection *connection, eddy_pg_batch **out)
{
    eddy_pg_batch *batch;

    if (!connection)
        return eddy_raise(EDDY_EPG_CLOSED, "there is no connection: NULL");
    batch = eddy_alloc_(sizeof *batch);
    if (!batch)
        return -ENOMEM;
    batch->connection = connection;
    batch->failed = SIZE_MAX;
    *out = batch;
    return 0;
}

static void batch_drop_results(eddy_pg_batch *batch)
{
    for (size_t i = 0; i < batch->result_count; i++)
        eddy_pg_result_free(&batch->results[i]);
    eddy_free(batch->results);
    batch->results = NULL;
    batch->result_count = 0;
}

static void batch_drop_entries(eddy_pg_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        eddy_free(batch->entries[i].sql);
        eddy_free(batch->entries[i].values);
    }
    batch->count = 0;
}

void eddy_pg_batch_free(eddy_pg_batch **batch)
{
    eddy_pg_batch *freed = *batch;

    *batch = NULL;
    if (!freed)
        return;
    batch_drop_results(freed);
    batch_drop_entries(freed);
    eddy_free(freed->entries);
    eddy_free(freed);
}

static int batch_grow(eddy_pg_batch *batch)
{
    size_t room = batch->room ? 2 * batch->room : 16;
    struct batch_entry *entries;

    if (batch->count < batch->room)
        return 0;
    entries = eddy_realloc_(batch->entries, room * sizeof *entries);
    if (!entries)
        return -ENOMEM;
    batch->entries = entries;
    batch->room = room;
    return 0;
}

int eddy_pg_batch_add_values(eddy_pg_batch *batch, const char *sql, const eddy_pg_value *values,
                             size_t count)
{
    struct batch_entry entry = {.count = count};

    if (batch_grow(batch) < 0)
        return -ENOMEM;
    entry.sql = eddy_strdup_(sql);
    entry.values = count ? pg_values_copy(values, count) : NULL;
    if (!entry.sql || (count && !entry.values)) {
        eddy_free(entry.sql);
        eddy_free(entry.values);
        return -ENOMEM;
    }
    batch->entries[batch->count++] = entry;
    return 0;
}

/* Makes results of what came. */
static int batch_keep(eddy_pg_batch *batch, struct pg_flight *flight)
{
    struct pg_types *types = pg_connection_types(batch->connection);

    batch->results = eddy_alloc_(flight->count * sizeof(eddy_pg_result *));
    if (!batch->results)
        return -ENOMEM;
    batch->result_count = flight->count;
    for (size_t i = 0; i < flight->count; i++) {
        PGresult *result = flight->results[i];

        flight->results[i] = NULL;
        pg_statements_note_tag(*pg_connection_statements(batch->connection), PQcmdStatus(result));
        batch->results[i] = pg_result_new(result, types);
        if (!batch->results[i])
            return -ENOMEM;
    }
    return 0;
}

static EDDY_AWAITS int
batch_run_in(eddy_pg_batch *batch, eddy_pg_pipeline *pipeline, struct pg_item *items)
{
    struct pg_flight *flight;
    int rc;

    for (size_t i = 0; i < batch->count; i++)
        items[i] = (struct pg_item){batch->entries[i].sql, batch->entries[i].values,
                                    batch->entries[i].count, NULL};
    rc = pg_pipeline_batch(pipeline, items, batch->count, &flight, &batch->failed);
    if (rc == 0)
        rc = batch_keep(batch, flight);
    if (rc == -ENOMEM)
        batch_drop_results(batch);
    pg_flight_free(flight);
    return rc;
}

/* Without a pipeline it has one of its own. */
static EDDY_AWAITS int batch_run_alone(eddy_pg_batch *batch, struct pg_item *items)
{
    EDDY_PG_PIPELINE pipeline = NULL;

    EDDY_TRY(pg_pipeline_begin(batch->connection, true, &pipeline));
    return batch_run_in(batch, pipeline, items);
}

int eddy_pg_batch_run(eddy_pg_batch *batch)
{
    eddy_pg_pipeline *pipeline = *pg_connection_pipeline(batch->connection);
    struct pg_item *items;
    int rc;

    batch_drop_results(batch);
    batch->failed = SIZE_MAX;
    if (batch->count == 0)
        return 0;
    items = eddy_alloc_(batch->count * sizeof *items);
    if (!items)
        return -ENOMEM;
    rc = pipeline ? batch_run_in(batch, pipeline, items) : batch_run_alone(batch, items);
    batch_drop_entries(batch);
    eddy_free(items);
    return rc;
}

size_t eddy_pg_batch_failed(const eddy_pg_batch *batch)
{
    return batch->failed;
}

const eddy_pg_result *eddy_pg_batch_result(const eddy_pg_batch *batch, size_t index)
{
    return index < batch->result_count ? batch->results[index] : NULL;
}
