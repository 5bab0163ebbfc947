/* SPDX-License-Identifier: MIT */
/* Batches: several statements in one transaction and one round trip. */
#include "pg/database.h"

static long long rows(eddy_pg_connection *db)
{
    return number_of(db, "SELECT count(*) FROM t");
}

static int make_table(eddy_pg_connection *db)
{
    return (int)eddy_pg_execute(db, "CREATE TEMP TABLE t (a int PRIMARY KEY)");
}

/* Without a pipeline a batch has one of its own. */
DATABASE_TEST(pg_batch_runs_all_statements)
{
    EDDY_PG_BATCH batch = NULL;
    int value;

    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_batch_open(db, &batch));
    for (int i = 0; i < 100; i++)
        CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", i));
    CHECK_OK(eddy_pg_batch_add(batch, "SELECT sum(a)::int FROM t"));
    CHECK_OK(eddy_pg_batch_run(batch));
    CHECK_EQ(eddy_pg_affected(eddy_pg_batch_result(batch, 0)), 1);
    CHECK_OK(eddy_pg_get(eddy_pg_batch_result(batch, 100), 0, &value));
    CHECK_EQ(value, 4950);
    CHECK(eddy_pg_batch_result(batch, 101) == NULL);
    CHECK_EQ(eddy_pg_batch_failed(batch), SIZE_MAX);
    CHECK_EQ(rows(db), 100);
    CHECK_OK(eddy_pg_batch_add(batch, "DELETE FROM t WHERE a < $1", 50)); /* what was added since */
    CHECK_OK(eddy_pg_batch_run(batch));
    CHECK_EQ(eddy_pg_affected(eddy_pg_batch_result(batch, 0)), 50);
    CHECK_OK(eddy_pg_batch_run(batch));
    CHECK(eddy_pg_batch_result(batch, 0) == NULL);
    CHECK_IN_SYNC(db);
}

/* All or nothing, and whose error it was. */
DATABASE_TEST(pg_batch_is_all_or_nothing)
{
    EDDY_PG_BATCH batch = NULL;
    int rc;

    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_batch_open(db, &batch));
    CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", 1));
    CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", 2));
    CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", 1));
    CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", 3));
    rc = eddy_pg_batch_run(batch);
    CHECK_EQ(rc, EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_EQ(eddy_pg_batch_failed(batch), 2);
    CHECK(eddy_pg_batch_result(batch, 0) == NULL);
    CHECK_EQ(rows(db), 0);
    CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", 1));
    CHECK_OK(eddy_pg_batch_add(batch, "SELEC"));
    CHECK_EQ(eddy_pg_batch_run(batch), EDDY_EPG_SYNTAX_ERROR);
    CHECK_EQ(eddy_pg_batch_failed(batch), 1);
    CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", 1));
    CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", "no number"));
    CHECK_EQ(eddy_pg_batch_run(batch), EDDY_EPG_VALUE);
    CHECK_EQ(eddy_pg_batch_failed(batch), 1);
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

/* Within a transaction it is part of it. */
DATABASE_TEST(pg_batch_within_a_transaction_is_part_of_it)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_BATCH batch = NULL;

    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_OK(eddy_pg_batch_open(db, &batch));
    for (int i = 0; i < 10; i++)
        CHECK_OK(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", i));
    CHECK_OK(eddy_pg_batch_run(batch));
    CHECK_EQ(rows(db), 10);
    CHECK_OK(eddy_pg_rollback(transaction));
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

static int add_rows(eddy_pg_connection *db, int from, int count)
{
    EDDY_PG_BATCH batch = NULL;

    EDDY_TRY(eddy_pg_batch_open(db, &batch));
    for (int i = 0; i < count; i++)
        EDDY_TRY(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", from + i));
    return eddy_pg_batch_run(batch);
}
EDDY_ASYNC(add_rows, eddy_pg_connection *, int, int);

/* Batches of several tasks do not mix, and each fails alone. */
DATABASE_TEST(pg_batches_in_a_pipeline_do_not_mix)
{
    EDDY_PG_PIPELINE pipeline = NULL;

    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    {
        EDDY_TASK one = eddy_create_task(add_rows, db, 0, 50);
        EDDY_TASK two = eddy_create_task(add_rows, db, 49, 50); /* 49 is there already */
        EDDY_TASK three = eddy_create_task(add_rows, db, 100, 50);

        CHECK_OK(eddy_await(one));
        CHECK_EQ(eddy_await(two), EDDY_EPG_UNIQUE_VIOLATION);
        CHECK_OK(eddy_await(three));
    }
    CHECK_EQ(rows(db), 100);
}

/* A batch of many megabytes is sent piece by piece, and its answers are read meanwhile. */
DATABASE_TEST(pg_batch_of_many_megabytes_is_sent_in_pieces)
{
    static char text[100001];
    EDDY_PG_BATCH batch = NULL;
    eddy_pg_field field = {0};

    memset(text, 'x', sizeof text - 1);
    CHECK_OK(eddy_pg_batch_open(db, &batch));
    for (int i = 0; i < 200; i++)
        CHECK_OK(eddy_pg_batch_add(batch, "SELECT $1::text || $2::int", text, i));
    CHECK_OK(eddy_pg_batch_run(batch));
    for (int i = 0; i < 200; i++) {
        CHECK_OK(eddy_pg_get(eddy_pg_batch_result(batch, (size_t)i), 0, &field));
        CHECK_EQ(field.size, 100000 + (i < 10 ? 1 : i < 100 ? 2 : 3));
    }
    CHECK_IN_SYNC(db);
}

/* One that is cut short while it is sent is undone. */
DATABASE_TEST(pg_batch_that_is_cut_short_is_undone)
{
    CHECK_OK(make_table(db));
    for (int i = 0; i < 40; i++) {
        long long count;
        int rc;

        {
            EDDY_TIMEOUT(limit, i * 2e-4);
            rc = add_rows(db, 0, 2000);
        }
        count = rows(db);
        CHECK(rc == 0 || rc == -ETIMEDOUT);
        CHECK(count == 2000 || (rc < 0 && count == 0));
        CHECK_OK(eddy_pg_execute(db, "TRUNCATE t"));
    }
    CHECK_IN_SYNC(db);
}

/* A batch may be freed without having run. */
DATABASE_TEST(pg_batch_that_is_not_run_leaves_nothing)
{
    EDDY_PG_BATCH batch = NULL;

    CHECK_OK(eddy_pg_batch_open(db, &batch));
    CHECK_OK(eddy_pg_batch_add(batch, "SELECT $1", "a text"));
    CHECK_IN_SYNC(db);
}
