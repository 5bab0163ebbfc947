/* SPDX-License-Identifier: MIT */
/* Executing and fetching (P-Q), and what a cancel and a limit do to it (P-TMO). */
#include "pg/database.h"

/* P-Q-1: without values a text may be a script, and the last command counts. */
DATABASE_TEST(pg_execute_runs_a_script)
{
    CHECK_EQ(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1), (2); "
                                 "INSERT INTO t VALUES (3), (4)"),
             2);
    CHECK_STR(eddy_pg_last_tag(db), "INSERT 0 2");
    CHECK_EQ(number_of(db, "SELECT sum(a) FROM t"), 10);
}

/* P-Q-1: it is one transaction of its own. */
DATABASE_TEST(pg_execute_undoes_a_script_that_fails)
{
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_EQ(
        eddy_pg_execute(db, "INSERT INTO t VALUES (1); SELECT 1 / 0; INSERT INTO t VALUES (2)"),
        EDDY_EPG_DIVISION_BY_ZERO);
    CHECK_EQ(number_of(db, "SELECT count(*) FROM t"), 0);
    CHECK_IN_SYNC(db);
}

/* P-Q-2 */
DATABASE_TEST(pg_execute_takes_values)
{
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int, b text)"));
    CHECK_EQ(eddy_pg_execute(db, "INSERT INTO t VALUES ($1, $2)", 7, "it's"), 1);
    CHECK_EQ(eddy_pg_execute(db, "UPDATE t SET a = a + $1", 1), 1);
    CHECK_STR(eddy_pg_last_tag(db), "UPDATE 1");
    CHECK_EQ(number_of(db, "SELECT a FROM t WHERE b = 'it''s'"), 8);
    CHECK_EQ(eddy_pg_execute(db, "SELECT generate_series(1, $1)", 5), 5);
}

/* P-Q-3: an empty text is no error, and has no tag. */
DATABASE_TEST(pg_execute_of_nothing_does_nothing)
{
    EDDY_PG_RESULT result = NULL;

    CHECK_EQ(eddy_pg_execute(db, "SELECT 1"), 1);
    CHECK_EQ(eddy_pg_execute(db, ""), 0);
    CHECK_STR(eddy_pg_last_tag(db), "");
    CHECK_EQ(eddy_pg_execute(db, "; ;"), 0);
    CHECK_OK(eddy_pg_fetch(db, &result, ""));
    CHECK_EQ(eddy_pg_rows_count(result), 0);
    CHECK_IN_SYNC(db);
}

/* P-Q-4 */
DATABASE_TEST(pg_execute_refuses_several_statements_with_values)
{
    CHECK_EQ(eddy_pg_execute(db, "SELECT $1::int; SELECT 2", 1), EDDY_EPG_SYNTAX_ERROR);
    CHECK_IN_SYNC(db);
}

/* P-Q-5, P-Q-14: all rows, in the server's order. */
DATABASE_TEST(pg_fetch_gives_all_rows_in_order)
{
    EDDY_PG_RESULT result = NULL, none = NULL;
    eddy_pg_row row;
    int expected = 0;

    CHECK_OK(
        eddy_pg_fetch(db, &result, "SELECT i, 'n' || i AS n FROM generate_series(1, $1) i", 1000));
    CHECK_EQ(eddy_pg_rows_count(result), 1000);
    CHECK_STR(eddy_pg_tag(result), "SELECT 1000");
    EDDY_PG_FOR_EACH(row, result) {
        char name[16];
        const char *n;
        int i;

        CHECK_OK(eddy_pg_get(row, 0, &i));
        CHECK_OK(eddy_pg_get(row, "n", &n));
        CHECK_EQ(i, ++expected);
        snprintf(name, sizeof name, "n%d", i);
        CHECK_STR(n, name);
    }
    CHECK_OK(eddy_pg_fetch(db, &none, "SELECT 1 WHERE false"));
    CHECK_EQ(eddy_pg_rows_count(none), 0);
}

/* P-Q-5: no row and NULL are told apart. */
DATABASE_TEST(pg_fetchrow_and_fetchval_tell_no_row_from_null)
{
    EDDY_PG_RESULT result = NULL;
    int value = 5;

    CHECK_OK(eddy_pg_fetchrow(db, &result, "SELECT 1 AS a, 2 AS b"));
    CHECK_EQ(eddy_pg_rows_count(result), 1);
    CHECK_OK(eddy_pg_get(result, "b", &value));
    CHECK_EQ(value, 2);
    eddy_pg_result_free(&result);
    CHECK_EQ(eddy_pg_fetchrow(db, &result, "SELECT 1 WHERE false"), EDDY_EPG_NO_ROW);
    CHECK(result == NULL);
    CHECK_EQ(eddy_pg_fetchval(db, &value, "SELECT 1 WHERE false"), EDDY_EPG_NO_ROW);
    CHECK_EQ(eddy_pg_fetchval(db, &value, "SELECT NULL::int"), EDDY_EPG_NULL);
    CHECK_EQ(value, 2);
}

/* P-Q-5: a text outlives the result that it came in. */
DATABASE_TEST(pg_fetchval_gives_a_text_of_the_callers_own)
{
    char *text = NULL;

    CHECK_OK(eddy_pg_fetchval(db, &text, "SELECT 'a' || $1", "b"));
    CHECK_STR(text, "ab");
    eddy_free(text);
}

/* P-Q-6: libpq sends no limit; but the rows behind the first are not kept. */
DATABASE_TEST(pg_fetchrow_keeps_one_row_of_many)
{
    EDDY_PG_RESULT result = NULL;
    int value;

    CHECK_OK(eddy_pg_fetchrow(db, &result, "SELECT generate_series(1, 100000)"));
    CHECK_EQ(eddy_pg_rows_count(result), 1);
    CHECK_OK(eddy_pg_get(result, 0, &value));
    CHECK_EQ(value, 1);
    CHECK_STR(eddy_pg_last_tag(db), "SELECT 100000");
    CHECK_IN_SYNC(db);
}

/* P-Q-7: another count than the statement asks for never reaches the server. */
DATABASE_TEST(pg_fetch_counts_its_values)
{
    EDDY_PG_RESULT result = NULL;

    CHECK_OK(eddy_pg_execute(db, "BEGIN"));
    CHECK_EQ(eddy_pg_fetch(db, &result, "SELECT $1::int + $2::int", 1), EDDY_EPG_VALUE);
    CHECK_EQ(eddy_pg_fetch(db, &result, "SELECT $1::int + $2::int", 1, 2, 3), EDDY_EPG_VALUE);
    CHECK_EQ(number_of(db, "SELECT 7"), 7); /* the transaction is still good */
    CHECK_OK(eddy_pg_execute(db, "ROLLBACK"));
}

/* P-Q-8: a value that does not fit names its parameter, and harms nothing. */
DATABASE_TEST(pg_fetch_names_the_value_that_does_not_fit)
{
    EDDY_PG_RESULT result = NULL;
    int rc;

    CHECK_OK(eddy_pg_execute(db, "BEGIN"));
    rc = eddy_pg_fetch(db, &result, "SELECT $1::int2, $2::int2", 1, 70000);
    CHECK_EQ(rc, EDDY_EPG_VALUE);
    CHECK_HAS(eddy_error_message(rc), "$2");
    CHECK_EQ(number_of(db, "SELECT 7"), 7);
    CHECK_OK(eddy_pg_execute(db, "COMMIT"));
    CHECK_STR(eddy_pg_last_tag(db), "COMMIT");
}

static int sleep_on_server(eddy_pg_connection *db, double seconds)
{
    return (int)eddy_pg_execute(db, "SELECT pg_sleep($1)", seconds);
}
EDDY_ASYNC(sleep_on_server, eddy_pg_connection *, double);

/* P-Q-12: a second operation is refused, and does not disturb the first. */
DATABASE_TEST(pg_second_operation_at_once_is_refused)
{
    EDDY_TASK first = eddy_create_task(sleep_on_server, db, 0.05);

    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(number_of(db, "SELECT 1"), -EBUSY);
    CHECK_EQ(eddy_pg_execute(db, "SELECT 1"), -EBUSY);
    CHECK_EQ(eddy_await(first), 1);
    CHECK_IN_SYNC(db);
}

/* P-Q-13 */
DATABASE_TEST(pg_error_leaves_the_connection_usable)
{
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(number_of(db, "SELECT 1 / 0"), EDDY_EPG_DIVISION_BY_ZERO);
        CHECK_EQ(number_of(db, "SELECT * FROM there_is_none"), EDDY_EPG_UNDEFINED_TABLE);
        CHECK_EQ(eddy_pg_execute(db, "SELEC"), EDDY_EPG_SYNTAX_ERROR);
    }
    CHECK_STR(eddy_pg_last_error(db)->sqlstate, "42601");
    CHECK_IN_SYNC(db);
}

/* An error that comes behind rows is one all the same. */
DATABASE_TEST(pg_error_behind_rows_is_told)
{
    EDDY_PG_RESULT result = NULL;

    CHECK_EQ(eddy_pg_fetch(db, &result, "SELECT 1 / (5000 - i) FROM generate_series(1, 9000) i"),
             EDDY_EPG_DIVISION_BY_ZERO);
    CHECK(result == NULL);
    CHECK_EQ(eddy_pg_fetchrow(db, &result, "SELECT 1 / (5000 - i) FROM generate_series(1, 9000) i"),
             EDDY_EPG_DIVISION_BY_ZERO);
    CHECK_IN_SYNC(db);
}

/* COPY is for other calls; the connection does not stay in it. */
DATABASE_TEST(pg_execute_refuses_copy)
{
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_EQ(eddy_pg_execute(db, "COPY t FROM STDIN"), EDDY_EPG_USE);
    CHECK_IN_SYNC(db);
    CHECK_EQ(eddy_pg_execute(db, "COPY (SELECT generate_series(1, 100000)) TO STDOUT"),
             EDDY_EPG_USE);
    CHECK_IN_SYNC(db);
    CHECK_EQ(eddy_pg_execute(db, "COPY t FROM STDIN WHERE a > 1; SELECT 1"), EDDY_EPG_USE);
    CHECK_IN_SYNC(db);
}

/* P-TMO-2, -3, -4: the caller leaves at once, the query ends, and the next one is its own. */
DATABASE_TEST(pg_limit_stops_the_query_on_the_server)
{
    double begun = eddy_time();
    int rc;

    {
        EDDY_TIMEOUT(limit, 0.05);
        rc = sleep_on_server(db, 30);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK(eddy_time() - begun < 5);
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid() "
                           "AND query LIKE '%pg_sleep%' AND query NOT LIKE '%activity%'"),
             0);
    CHECK(eddy_time() - begun < 5);
    CHECK_IN_SYNC(db);
}

/* P-TMO-4: within a transaction that has failed it. */
DATABASE_TEST(pg_cancel_fails_the_transaction)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    int rc;

    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    {
        EDDY_TIMEOUT(limit, 0.05);
        rc = sleep_on_server(db, 30);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_EQ(number_of(db, "SELECT 1"), EDDY_EPG_IN_FAILED_TRANSACTION);
    CHECK_OK(eddy_pg_rollback(transaction));
    CHECK_IN_SYNC(db);
}

/* P-TMO-5: whether the cancel or the answer comes first, the next answer is the next one's. */
DATABASE_TEST(pg_cancel_that_comes_late_hits_nothing)
{
    for (int i = 0; i < 60; i++) {
        int rc;

        {
            EDDY_TIMEOUT(limit, i * 1e-4);
            rc = sleep_on_server(db, 0.003);
        }
        CHECK(rc == 1 || rc == -ETIMEDOUT);
        CHECK_EQ(number_of(db, "SELECT 42"), 42);
    }
    CHECK_IN_SYNC(db);
}

/* P-TMO-1: a connection's own limit. */
TEST(pg_command_timeout_limits_each_operation)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), &(eddy_pg_options){.command_timeout = 0.1}, &db));
    CHECK_EQ(sleep_on_server(db, 30), -ETIMEDOUT);
    CHECK_EQ(eddy_pg_execute(db, "SELECT pg_sleep(30)"), -ETIMEDOUT);
    CHECK_IN_SYNC(db);
}

/* P-TMO-6: one limit for preparing and executing. */
DATABASE_TEST(pg_limit_covers_preparing)
{
    int rc;

    {
        EDDY_TIMEOUT(limit, 0.1);
        rc = (int)eddy_pg_execute(db, "SELECT pg_sleep($1), 'not yet prepared'", 30.0);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_IN_SYNC(db);
}

/* Values are not part of the text. */
DATABASE_TEST(pg_values_are_never_statements)
{
    char *text = NULL;

    CHECK_OK(eddy_pg_fetchval(db, &text, "SELECT $1::text", "'; DROP TABLE users; --"));
    CHECK_STR(text, "'; DROP TABLE users; --");
    eddy_free(text);
}

/* A result stays when its connection is closed. */
TEST(pg_result_outlives_its_connection)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_RESULT result = NULL;
    const char *text;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT 'still here'::text"));
    eddy_pg_close(&db);
    CHECK_OK(eddy_pg_get(result, 0, &text));
    CHECK_STR(text, "still here");
}
