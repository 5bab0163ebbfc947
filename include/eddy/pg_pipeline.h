/* SPDX-License-Identifier: MIT */
/*
 * Pipelining: many statements in flight on one connection, without waiting for each answer.
 *
 * A batch is a list of statements that go together, in one transaction: all or nothing.
 *
 *     EDDY_PG_BATCH batch = NULL;
 *     EDDY_TRY(eddy_pg_batch_open(db, &batch));
 *     for (int i = 0; i < 100; i++)
 *         EDDY_TRY(eddy_pg_batch_add(batch, "INSERT INTO log VALUES ($1)", i));
 *     EDDY_TRY(eddy_pg_batch_run(batch));
 *     eddy_pg_result *first = eddy_pg_batch_result(batch, 0);
 *
 * While a pipeline is open on a connection, any number of tasks may use the connection at once by
 * eddy_pg_execute, _fetch, _fetchrow, _fetchval and batches, each of which is a batch of its own:
 * they are sent at once and answered in order.
 *
 *     EDDY_PG_PIPELINE pipeline = NULL;
 *     EDDY_TRY(eddy_pg_pipeline_open(db, &pipeline));
 *     EDDY_TRY(eddy_gather(EDDY_CALL(insert, db, 1), EDDY_CALL(insert, db, 2), ...));
 *
 * An error is that of its own batch alone. So is a cancel: its caller leaves at once, and what is
 * answered is dropped. The server is asked to stop it only when nobody waits for anything that is
 * in flight, which the request could hit; batches that come meanwhile wait until it has been.
 * Transactions, COPY, cursors and row generators do not go into a pipeline: EDDY_EPG_USE; a script
 * is refused by the server, 42601. All rows of a result are kept, also by eddy_pg_fetchrow. Who
 * sends waits while more than 1 MiB has not left.
 */
#ifndef EDDY_PG_PIPELINE_H
#define EDDY_PG_PIPELINE_H

#include "eddy/compat.h"
#include "eddy/pg_query.h"

EDDY_BEGIN_DECLS

typedef struct eddy_pg_pipeline eddy_pg_pipeline;
#define EDDY_PG_PIPELINE EDDY_CLEANUP_(eddy_pg_pipeline_end_scope_) __typeof__(eddy_pg_pipeline *)

/* Opens a pipeline, until the end of the block. Suspends. Returns 0; -EBUSY while an operation
 * runs; EDDY_EPG_USE where one is open. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_pipeline_open(eddy_pg_connection *connection, eddy_pg_pipeline **out);
/* Suspends until what was sent is answered; never refused; a cancelled task closes the connection
 * after its close_timeout. */
EDDY_API EDDY_AWAITS void eddy_pg_pipeline_end_scope_(eddy_pg_pipeline **pipeline);

typedef struct eddy_pg_batch eddy_pg_batch;
#define EDDY_PG_BATCH EDDY_CLEANUP_(eddy_pg_batch_free) __typeof__(eddy_pg_batch *)

/* A batch, empty: owned by the caller, EDDY_PG_BATCH. 0, -ENOMEM, EDDY_EPG_CLOSED for NULL. */
EDDY_NODISCARD EDDY_API int eddy_pg_batch_open(eddy_pg_connection *connection, eddy_pg_batch **out);
/* Frees it with its results, and sets the handle to NULL. */
EDDY_API void eddy_pg_batch_free(eddy_pg_batch **batch);
/* Adds a statement; its values are copied, texts and arrays too. Does not suspend. Returns 0,
 * -ENOMEM. */
#define eddy_pg_batch_add(batch, ...) eddy_pg_batch_add_values((batch), EDDY_PG_SQL_(__VA_ARGS__))
EDDY_NODISCARD EDDY_API int eddy_pg_batch_add_values(eddy_pg_batch *batch, const char *sql,
                                                     const eddy_pg_value *values, size_t count);
/*
 * Sends what was added since the last run, and waits for all of it. Statements that are new are
 * prepared first, together, in one round trip. Without a pipeline it has one of its own, also
 * within a transaction; one that is cancelled then waits until the server has stopped, for the
 * close_timeout at most.
 *
 * Suspends. Returns 0; or the first error, and eddy_pg_batch_failed says whose: nothing of the run
 * was done.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_pg_batch_run(eddy_pg_batch *batch);
/* The number of the statement that failed in the last run; SIZE_MAX: none. */
EDDY_API size_t eddy_pg_batch_failed(const eddy_pg_batch *batch);
/* The result of statement `index` of the last run, borrowed until the next; NULL: none. */
EDDY_API const eddy_pg_result *eddy_pg_batch_result(const eddy_pg_batch *batch, size_t index);

EDDY_END_DECLS
#endif
