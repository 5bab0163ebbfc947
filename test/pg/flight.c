/* SPDX-License-Identifier: MIT */
/* What is on its way in a pipeline: order, and what becomes of it at the end. */
#include "pg/database.h"

static int note_order(eddy_pg_connection *db, int number, int *order, int *ended)
{
    int64_t rc = eddy_pg_execute(db, "SELECT pg_sleep($1)", number % 3 ? 0.0 : 0.01);

    order[(*ended)++] = number;
    return rc < 0 ? (int)rc : 0;
}
EDDY_ASYNC(note_order, eddy_pg_connection *, int, int *, int *);

/* Answers come in the order of sending. */
DATABASE_TEST(pg_flights_end_in_their_order)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    int order[20], ended = 0, rc;
    EDDY_TASKS(tasks, 20);

    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    CHECK_OK(note_order(db, 0, order, &ended)); /* it is prepared */
    ended = 0;
    for (int i = 0; i < 20; i++)
        tasks[i] = eddy_create_task(note_order, db, i, order, &ended);
    for (int i = 0; i < 20; i++) {
        rc = eddy_await(tasks[i]);
        CHECK_OK(rc);
    }
    for (int i = 0; i < 20; i++)
        CHECK_EQ(order[i], i);
}

/* The end of a pipeline waits for what was sent. */
DATABASE_TEST(pg_flights_are_waited_for_at_the_end)
{
    int order[3], ended = 0, rc = 0;
    eddy_task *task;

    {
        EDDY_PG_PIPELINE pipeline = NULL;

        CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
        CHECK_OK(note_order(db, 1, order, &ended)); /* it is prepared */
        ended = 0;
        task = eddy_create_task(note_order, db, 3, order, &ended);
        rc = eddy_sleep(0.001);
    }
    if (rc == 0)
        rc = eddy_await(task);
    eddy_task_release(&task);
    CHECK_OK(rc);
    CHECK_EQ(ended, 1);
    CHECK_IN_SYNC(db);
}
