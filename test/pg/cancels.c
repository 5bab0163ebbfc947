/* SPDX-License-Identifier: MIT */
/*
 * Every operation, cancelled at each of its waits, and with each allocation failing: whatever
 * happens, the connection is in sync or closed afterwards, and the next query gets its own answer.
 */
#include "pg/database.h"

typedef int operation(eddy_pg_connection *db);

/* Whatever became of the operation: it has done all or nothing, and the next answers are right. */
static int judge(eddy_pg_connection *db)
{
    int64_t value = 0;
    int rc;

    EDDY_SHIELD(whatever_happened);
    rc = eddy_pg_fetchval(db, &value, "SELECT $1 + 1", 1233);
    if (rc == EDDY_EPG_CLOSED)
        return 0; /* it could not be brought back into sync */
    EDDY_TRY(rc);
    EDDY_TRY(eddy_expect_equal(value, 1234));
    EDDY_TRY(eddy_expect(!eddy_pg_is_in_transaction(db)));
    EDDY_TRY(eddy_pg_fetchval(db, &value, "SELECT count(*) FROM t"));
    return eddy_expect(value == 0 || value == 10);
}

static int run_operation(operation *run)
{
    EDDY_PG_CONNECTION db = NULL;
    int rc, judged;

    EDDY_TRY(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    EDDY_TRY((int)eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    rc = run(db);
    judged = judge(db);
    if (judged == EDDY_ETEST || (rc == 0 && judged != -ENOMEM))
        return judged;
    return rc < 0 ? rc : judged;
}
EDDY_ASYNC(run_operation, operation *);

#define SWEEP(name)                                                                                \
    static int name(eddy_pg_connection *db);                                                       \
    RAW_TEST(pg_cancelled_anywhere_##name)                                                         \
    {                                                                                              \
        int rc;                                                                                    \
                                                                                                   \
        pg_test_dsn();                                                                             \
        rc = eddy_test_cancels(run_operation, name);                                               \
        CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));                                         \
    }                                                                                              \
    RAW_TEST(pg_without_memory_anywhere_##name)                                                    \
    {                                                                                              \
        int rc;                                                                                    \
                                                                                                   \
        pg_test_dsn();                                                                             \
        rc = eddy_test_allocations(run_operation, name);                                           \
        CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));                                         \
    }                                                                                              \
    static int name(eddy_pg_connection *db)

SWEEP(script)
{
    return (int)eddy_pg_execute(db, "SELECT 1; INSERT INTO t SELECT generate_series(1, 10)");
}

SWEEP(execute)
{
    EDDY_TRY((int)eddy_pg_execute(db, "INSERT INTO t SELECT generate_series(1, $1)", 10));
    return 0;
}

SWEEP(fetch)
{
    EDDY_PG_RESULT all = NULL, one = NULL;
    int value;

    EDDY_TRY(eddy_pg_fetch(db, &all, "SELECT generate_series(1, $1)", 5000));
    EDDY_TRY(eddy_pg_fetchrow(db, &one, "SELECT generate_series(1, $1)", 5));
    return eddy_pg_fetchval(db, &value, "SELECT $1::int", 5);
}

SWEEP(rows)
{
    eddy_pg_row row;
    int rc, count = 0;

    EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, "SELECT generate_series(1, $1)", 1000)) {
        if (++count == 500)
            break;
    }
    return rc;
}

SWEEP(prepare)
{
    EDDY_PG_STATEMENT statement = NULL;
    EDDY_PG_RESULT result = NULL;

    EDDY_TRY(eddy_pg_prepare(db, "SELECT $1::int", &statement));
    EDDY_TRY(eddy_pg_statement_fetch(statement, &result, 1));
    eddy_pg_statement_close(&statement);
    EDDY_TRY((int)eddy_pg_execute(db, "SELECT 1"));
    return 0;
}

SWEEP(executemany)
{
    eddy_pg_value values[10];

    for (int i = 0; i < 10; i++)
        values[i] = eddy_pg_int(i);
    return eddy_pg_executemany(db, "INSERT INTO t VALUES ($1)", values, 10, 1);
}

static int insert_ten(eddy_pg_connection *db)
{
    EDDY_TRY((int)eddy_pg_execute(db, "INSERT INTO t SELECT generate_series(1, $1)", 10));
    return 0;
}
EDDY_ASYNC(insert_ten, eddy_pg_connection *);

SWEEP(transaction)
{
    EDDY_PG_TRANSACTION outer = NULL, inner = NULL;

    EDDY_TRY(eddy_pg_begin(db, NULL, &outer));
    EDDY_TRY(eddy_pg_begin(db, NULL, &inner));
    EDDY_TRY(eddy_pg_in_transaction(db, NULL, EDDY_CALL(insert_ten, db)));
    EDDY_TRY(eddy_pg_commit(inner));
    return eddy_pg_commit(outer);
}

SWEEP(cursor)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_CURSOR cursor = NULL;
    EDDY_PG_RESULT result = NULL;

    EDDY_TRY(eddy_pg_begin(db, NULL, &transaction));
    EDDY_TRY(eddy_pg_cursor_open(db, &cursor, "SELECT generate_series(1, $1)", 100));
    EDDY_TRY(eddy_pg_cursor_fetch(cursor, 10, &result));
    EDDY_TRY((int)eddy_pg_cursor_forward(cursor, 10));
    return eddy_pg_commit(transaction);
}

SWEEP(batch)
{
    EDDY_PG_BATCH batch = NULL;

    EDDY_TRY(eddy_pg_batch_open(db, &batch));
    for (int i = 0; i < 10; i++)
        EDDY_TRY(eddy_pg_batch_add(batch, "INSERT INTO t VALUES ($1)", i));
    return eddy_pg_batch_run(batch);
}

static int one_of_many(eddy_pg_connection *db, int value)
{
    int64_t same = 0;

    EDDY_TRY(eddy_pg_fetchval(db, &same, "SELECT $1::int + 100", value));
    return eddy_expect_equal(same, value + 100);
}
EDDY_ASYNC(one_of_many, eddy_pg_connection *, int);

SWEEP(pipeline)
{
    EDDY_PG_PIPELINE pipeline = NULL;

    EDDY_TRY(eddy_pg_pipeline_open(db, &pipeline));
    EDDY_TRY(eddy_gather(EDDY_CALL(one_of_many, db, 1), EDDY_CALL(one_of_many, db, 2),
                         EDDY_CALL(one_of_many, db, 3)));
    return one_of_many(db, 4);
}

/* A type that has to be asked for. */
SWEEP(unknown_type)
{
    EDDY_PG_PIPELINE pipeline = NULL;
    EDDY_PG_RESULT result = NULL;

    EDDY_TRY((int)eddy_pg_execute(db, "CREATE TYPE pg_temp.mood AS ENUM ('sad', 'glad')"));
    EDDY_TRY(eddy_pg_fetch(db, &result, "SELECT 'sad'::pg_temp.mood"));
    eddy_pg_result_free(&result);
    EDDY_TRY(eddy_pg_reload_schema_state(db));
    EDDY_TRY(eddy_pg_pipeline_open(db, &pipeline));
    return eddy_pg_fetch(db, &result, "SELECT 'glad'::pg_temp.mood");
}
