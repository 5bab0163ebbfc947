/* SPDX-License-Identifier: MIT */
/* A hundred statements in flight on one connection: as a batch, and of as many tasks. */
#include "job.h"

static int run_batch(eddy_pg_connection *db, unsigned first)
{
    EDDY_PG_BATCH batch = NULL;

    EDDY_TRY(eddy_pg_batch_open(db, &batch));
    for (unsigned i = 0; i < DEPTH; i++)
        EDDY_TRY(eddy_pg_batch_add(batch, POINT, point_id(first + i)));
    EDDY_TRY(eddy_pg_batch_run(batch));
    for (unsigned i = 0; i < DEPTH; i++) {
        if (eddy_pg_rows_count(eddy_pg_batch_result(batch, i)) != 1)
            fail("a row is missing", EPROTO);
    }
    return 0;
}

int ask_in_batches(unsigned count)
{
    EDDY_PG_CONNECTION db = NULL;

    EDDY_TRY(eddy_pg_connect(NULL, NULL, &db));
    EDDY_TRY(run_batch(db, 0)); /* prepares the statement */
    struct stopwatch start = stopwatch_start();
    for (unsigned done = 0; done < count; done += DEPTH)
        EDDY_TRY(run_batch(db, done));
    stopwatch_report(&start, count, 0);
    return 0;
}

/* What the tasks share. */
struct numbers {
    eddy_pg_connection *db;
    unsigned next, count;
};

static int work(struct numbers *numbers)
{
    while (numbers->next < numbers->count) {
        EDDY_PG_RESULT row = NULL;

        EDDY_TRY(eddy_pg_fetchrow(numbers->db, &row, POINT, point_id(numbers->next++)));
    }
    return 0;
}
EDDY_ASYNC(work, struct numbers *);

static int work_together(struct numbers *numbers)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    EDDY_TRY(eddy_pg_pipeline_open(numbers->db, &pipeline));
    EDDY_GROUP(group);

    for (unsigned i = 0; i < DEPTH; i++)
        EDDY_TRY(eddy_group_create_task(&group, work, numbers));
    return eddy_group_join(&group);
}

int ask_in_tasks(unsigned count)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_TRY(eddy_pg_connect(NULL, NULL, &db));
    struct numbers numbers = {db, 0, 1};

    EDDY_TRY(work_together(&numbers)); /* prepares the statement */
    numbers = (struct numbers){db, 0, count};
    struct stopwatch start = stopwatch_start();
    EDDY_TRY(work_together(&numbers));
    stopwatch_report(&start, count, 0);
    return 0;
}
