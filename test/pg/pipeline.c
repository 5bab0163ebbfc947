/* SPDX-License-Identifier: MIT */
/* Pipelines: many tasks on one connection at once. */
#include <stdlib.h>

#include "pg/database.h"

static int add(eddy_pg_connection *db, int value, int *sum)
{
    EDDY_TRY(eddy_pg_fetchval(db, sum, "SELECT $1::int + 1000", value));
    return *sum == value + 1000 ? 0 : -EBADMSG;
}
EDDY_ASYNC(add, eddy_pg_connection *, int, int *);

/* Each task gets its own answer. */
DATABASE_TEST(pg_pipeline_answers_each_task)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    int sums[100];
    EDDY_TASKS(tasks, 100);

    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    for (int i = 0; i < 100; i++)
        tasks[i] = eddy_create_task(add, db, i, &sums[i]);
    for (int i = 0; i < 100; i++)
        CHECK_OK(eddy_await(tasks[i]));
}

/* The connection is as before when the pipeline is closed. */
DATABASE_TEST(pg_pipeline_leaves_the_connection_as_it_was)
{
    for (int i = 0; i < 3; i++) {
        EDDY_PG_PIPELINE pipeline = NULL;
        int sum;

        CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
        CHECK_OK(add(db, i, &sum));
        eddy_pg_pipeline_end_scope_(&pipeline);
        CHECK_IN_SYNC(db);
    }
}

static int divide(eddy_pg_connection *db, int by)
{
    int value;

    return eddy_pg_fetchval(db, &value, "SELECT 12 / $1", by);
}
EDDY_ASYNC(divide, eddy_pg_connection *, int);

/* An error is that of its own batch alone, also one of preparing, or of a value. */
DATABASE_TEST(pg_pipeline_confines_errors)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    int sums[30];
    EDDY_TASKS(tasks, 60);

    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    for (int i = 0; i < 30; i++) {
        tasks[2 * i] = eddy_create_task(add, db, i, &sums[i]);
        tasks[2 * i + 1] = eddy_create_task(divide, db, i % 2);
    }
    for (int i = 0; i < 30; i++) {
        CHECK_OK(eddy_await(tasks[2 * i]));
        CHECK_EQ(eddy_await(tasks[2 * i + 1]), i % 2 ? 0 : EDDY_EPG_DIVISION_BY_ZERO);
    }
    CHECK_EQ(number_of(db, "SELEC"), EDDY_EPG_SYNTAX_ERROR);
    CHECK_EQ(number_of(db, "SELECT * FROM there_is_none"), EDDY_EPG_UNDEFINED_TABLE);
    CHECK_EQ(eddy_pg_execute(db, "SELECT $1::int2", 70000), EDDY_EPG_VALUE);
    CHECK_EQ(eddy_pg_execute(db, "SELECT $1::int2"), EDDY_EPG_VALUE);
    CHECK_EQ(number_of(db, "SELECT 5"), 5);
}

static int wait_on_server(eddy_pg_connection *db, double seconds)
{
    return (int)eddy_pg_execute(db, "SELECT pg_sleep($1)", seconds);
}
EDDY_ASYNC(wait_on_server, eddy_pg_connection *, double);

/* A cancel of one batch never reaches another, before it or behind it. */
DATABASE_TEST(pg_pipeline_confines_cancels)
{
    EDDY_PG_PIPELINE pipeline = NULL;

    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    for (int i = 0; i < 40; i++) {
        int sums[3], rc;
        EDDY_TASK before = eddy_create_task(add, db, i, &sums[0]);
        EDDY_TASK victim = eddy_create_task(wait_on_server, db, 0.002);
        EDDY_TASK behind = eddy_create_task(add, db, i + 1, &sums[1]);

        CHECK_OK(eddy_sleep(i * 1e-4));
        eddy_cancel(victim);
        rc = eddy_await(victim);
        CHECK(rc == -ECANCELED || rc == 1);
        CHECK_OK(eddy_await(before));
        CHECK_OK(eddy_await(behind));
        CHECK_OK(add(db, 7, &sums[2]));
    }
}

/* With nothing behind it the server is asked to stop; what comes later waits for that, and is not
 * hit. */
DATABASE_TEST(pg_pipeline_stops_what_nobody_waits_for)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    double begun = eddy_time();

    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    for (int i = 0; i < 5; i++) {
        int rc, sum;

        {
            EDDY_TIMEOUT(limit, 0.02);
            rc = wait_on_server(db, 30);
        }
        CHECK_EQ(rc, -ETIMEDOUT);
        CHECK_OK(add(db, i, &sum));
    }
    CHECK(eddy_time() - begun < 20);
}

/* Several that nobody waits for are all stopped, one after the other. */
DATABASE_TEST(pg_pipeline_stops_all_that_nobody_waits_for)
{
    double begun = eddy_time();
    int rc;

    {
        EDDY_PG_PIPELINE pipeline = NULL;

        CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
        {
            EDDY_TASK one = eddy_create_task(wait_on_server, db, 30.0);
            EDDY_TASK two = eddy_create_task(wait_on_server, db, 30.0);
            EDDY_TASK three = eddy_create_task(wait_on_server, db, 30.0);

            rc = eddy_sleep(0.05);
            (void)one, (void)two, (void)three;
        }
    }
    CHECK_OK(rc);
    CHECK(eddy_time() - begun < 20);
    CHECK_IN_SYNC(db);
}

/* What belongs to the whole connection does not go into a pipeline. */
DATABASE_TEST(pg_pipeline_refuses_what_is_not_for_it)
{
    EDDY_PG_PIPELINE pipeline = NULL, second = NULL;
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_CURSOR cursor = NULL;
    eddy_pg_row row;
    int rc;

    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    CHECK_EQ(eddy_pg_pipeline_open(db, &second), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_begin(db, NULL, &transaction), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_cursor_open(db, &cursor, "SELECT 1"), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_execute(db, "  begin"), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_execute(db, "COPY t FROM STDIN"), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_execute(db, "SELECT 1; SELECT 2"), EDDY_EPG_SYNTAX_ERROR);
    EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, "SELECT 1"))
        CHECK(false);
    CHECK_EQ(rc, EDDY_EPG_USE);
    CHECK_EQ(number_of(db, "SELECT 5"), 5);
}

/* A transaction that is open makes batches depend on each other. */
DATABASE_TEST(pg_pipeline_is_not_for_a_transaction)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_PIPELINE pipeline = NULL;

    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_EQ(eddy_pg_pipeline_open(db, &pipeline), EDDY_EPG_USE);
    CHECK_OK(eddy_pg_commit(transaction));
    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
}

/* An operation that runs is in its way. */
DATABASE_TEST(pg_pipeline_does_not_open_beside_an_operation)
{
    EDDY_TASK task = eddy_create_task(wait_on_server, db, 0.05);
    EDDY_PG_PIPELINE pipeline = NULL;

    CHECK_OK(eddy_sleep(0.01));
    CHECK_EQ(eddy_pg_pipeline_open(db, &pipeline), -EBUSY);
    CHECK_EQ(eddy_await(task), 1);
}

static int fetch_enum(eddy_pg_connection *db, int *same)
{
    EDDY_PG_RESULT result = NULL;
    const char *text;

    EDDY_TRY(eddy_pg_fetch(db, &result, "SELECT 'glad'::pg_temp.mood, ARRAY['sad'::pg_temp.mood]"));
    EDDY_TRY(eddy_pg_get(result, 0, &text));
    *same += strcmp(text, "glad") == 0;
    return 0;
}
EDDY_ASYNC(fetch_enum, eddy_pg_connection *, int *);

/* P-PREP-7: types that are not known are asked for while the pipeline stands still. */
DATABASE_TEST(pg_pipeline_learns_types)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    int same = 0, sums[10];
    EDDY_TASKS(tasks, 20);

    CHECK_OK(eddy_pg_execute(db, "CREATE TYPE pg_temp.mood AS ENUM ('sad', 'glad')"));
    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    for (int i = 0; i < 10; i++) {
        tasks[2 * i] = eddy_create_task(fetch_enum, db, &same);
        tasks[2 * i + 1] = eddy_create_task(add, db, i, &sums[i]);
    }
    for (int i = 0; i < 20; i++)
        CHECK_OK(eddy_await(tasks[i]));
    CHECK_EQ(same, 10);
}

static int round_trip(eddy_pg_connection *db, size_t size, int seed)
{
    EDDY_PG_RESULT result = NULL;
    char *text = malloc(size + 1);
    const char *back;
    int rc;

    memset(text, 'a' + seed % 26, size);
    text[size] = '\0';
    rc = eddy_pg_fetchrow(db, &result, "SELECT $1::text", text);
    if (rc == 0)
        rc = eddy_pg_get(result, 0, &back);
    if (rc == 0)
        rc = strcmp(text, back) ? -EBADMSG : 0;
    free(text);
    return rc;
}
EDDY_ASYNC(round_trip, eddy_pg_connection *, size_t, int);

/* Large values both ways at once: neither side waits for the other with its buffers full. */
DATABASE_TEST(pg_pipeline_with_full_buffers_on_both_sides_goes_on)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    EDDY_TASKS(tasks, 40);

    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    for (int i = 0; i < 40; i++)
        tasks[i] = eddy_create_task(round_trip, db, (size_t)1000000, i);
    for (int i = 0; i < 40; i++)
        CHECK_OK(eddy_await(tasks[i]));
}

/* P-PREP-4: in a pipeline, too, nobody sees that a table has changed. */
DATABASE_TEST(pg_pipeline_follows_a_table_that_changes)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    EDDY_PG_RESULT result = NULL;

    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT * FROM t"));
    eddy_pg_result_free(&result);
    CHECK_OK(eddy_pg_execute(db, "ALTER TABLE t ADD b text"));
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT * FROM t"));
    CHECK_EQ(eddy_pg_columns(result), 2);
}

/* A connection that is lost, or closed, tells all who wait. */
DATABASE_TEST(pg_pipeline_on_a_lost_connection_tells_all)
{
    EDDY_PG_CONNECTION killer = NULL;
    EDDY_PG_PIPELINE pipeline = NULL;
    int lost = 0;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &killer));
    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    {
        EDDY_TASK one = eddy_create_task(wait_on_server, db, 30.0);
        EDDY_TASK two = eddy_create_task(wait_on_server, db, 30.0);

        CHECK_OK(eddy_sleep(0.02));
        CHECK_EQ(eddy_pg_execute(killer, "SELECT pg_terminate_backend($1)", eddy_pg_server_pid(db)),
                 1);
        lost += eddy_await(one) < 0;
        lost += eddy_await(two) < 0;
    }
    CHECK_EQ(lost, 2);
    CHECK(number_of(db, "SELECT 1") < 0);
    eddy_pg_pipeline_end_scope_(&pipeline);
    CHECK_EQ(number_of(db, "SELECT 1"), EDDY_EPG_CLOSED);
}

/* The same when the program closes it. */
TEST(pg_pipeline_ends_with_its_connection)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    {
        EDDY_TASK one = eddy_create_task(wait_on_server, db, 30.0);

        CHECK_OK(eddy_sleep(0.02));
        eddy_pg_terminate(&db);
        CHECK(eddy_await(one) < 0);
    }
}

/* More statements than the cache keeps do not pile up on the server. */
TEST(pg_pipeline_closes_statements)
{
    eddy_pg_options options = {.statement_cache = 3};
    EDDY_PG_PIPELINE pipeline = NULL;
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), &options, &db));
    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    for (int i = 0; i < 30; i++) {
        char sql[32];

        snprintf(sql, sizeof sql, "SELECT %d", i);
        CHECK_EQ(number_of(db, sql), i);
    }
    CHECK(number_of(db, "SELECT count(*) FROM pg_prepared_statements") < 8);
}
