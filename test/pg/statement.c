/* SPDX-License-Identifier: MIT */
/* The cache of prepared statements (P-PREP-1 to -5). */
#include <stdlib.h>

#include "pg/database.h"

/* How many the server has. */
static long long prepared(eddy_pg_connection *db)
{
    int64_t count = -1;
    EDDY_PG_RESULT result = NULL;
    const char *text;

    /* By a cursor of its own, which is no prepared statement of the cache's. */
    if (eddy_pg_fetchrow(db, &result, "SELECT count(*)::text FROM pg_prepared_statements") < 0 ||
        eddy_pg_get(result, 0, &text) < 0)
        return -1;
    count = strtoll(text, NULL, 10);
    return count;
}

static int connect_with(size_t statements, double lifetime, size_t size, eddy_pg_connection **out)
{
    eddy_pg_options options = {.statement_cache = statements,
                               .statement_cache_lifetime = lifetime,
                               .statement_cache_size = size};

    return eddy_pg_connect(pg_test_dsn(), &options, out);
}

/* P-PREP-1: a statement is prepared once. */
DATABASE_TEST(pg_statement_is_prepared_once)
{
    CHECK_EQ(prepared(db), 1); /* itself */
    for (int i = 0; i < 10; i++) {
        int value;

        CHECK_OK(eddy_pg_fetchval(db, &value, "SELECT $1 + 1", i));
        CHECK_EQ(value, i + 1);
    }
    CHECK_EQ(prepared(db), 2);
}

/* P-PREP-1, -2: beyond the limit the least recently used one goes, on the server too. */
TEST(pg_statement_least_recently_used_is_closed)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(connect_with(3, 0, 0, &db));
    CHECK_EQ(number_of(db, "SELECT 1"), 1);
    CHECK_EQ(number_of(db, "SELECT 2"), 2);
    CHECK_EQ(prepared(db), 3);
    CHECK_EQ(number_of(db, "SELECT 1"), 1); /* so 2 is the oldest */
    CHECK_EQ(number_of(db, "SELECT 4"), 4);
    CHECK_EQ(prepared(db), 3);
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_prepared_statements WHERE statement = "
                           "'SELECT 2'"),
             0);
}

/* P-PREP-1: after its lifetime it is prepared anew. */
TEST(pg_statement_gets_too_old)
{
    EDDY_PG_CONNECTION db = NULL;
    char *first = NULL, *second = NULL;
    const char *sql = "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%me!%'";

    CHECK_OK(connect_with(0, 0.05, 0, &db));
    CHECK_OK(eddy_pg_fetchval(db, &first, sql));
    CHECK_OK(eddy_sleep(0.1));
    CHECK_OK(eddy_pg_fetchval(db, &second, sql));
    CHECK(strcmp(first, second) != 0);
    eddy_free(first);
    eddy_free(second);
    CHECK_OK(eddy_sleep(0.1));
    CHECK_EQ(prepared(db), 1);
}

/* P-PREP-1, -3: a long one is not kept, and uses the unnamed statement. */
TEST(pg_statement_that_is_long_is_not_kept)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(connect_with(0, 0, 20, &db));
    CHECK_EQ(number_of(db, "SELECT 123 AS a_name_that_is_long"), 123);
    CHECK_EQ(number_of(db, "SELECT 123 AS a_name_that_is_long"), 123);
    CHECK_EQ(number_of(db, "SELECT 1"), 1);
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_prepared_statements"), 1);
}

/* P-PREP-1, -3: without a cache everything uses the unnamed statement. */
TEST(pg_statement_cache_can_be_switched_off)
{
    EDDY_PG_CONNECTION db = NULL;
    int value;

    CHECK_OK(connect_with(SIZE_MAX, 0, 0, &db));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_pg_fetchval(db, &value, "SELECT $1 + 1", i));
        CHECK_EQ(value, i + 1);
        CHECK_EQ(prepared(db), 0);
    }
    CHECK_OK(eddy_pg_execute(db, "CREATE TYPE pg_temp.mood AS ENUM ('sad', 'glad')"));
    CHECK_EQ(number_of(db, "SELECT 5 FROM (SELECT 'sad'::pg_temp.mood) m"), 5);
    {
        EDDY_PG_RESULT result = NULL;
        const char *text;

        CHECK_OK(eddy_pg_fetch(db, &result, "SELECT $1::pg_temp.mood", "glad"));
        CHECK_OK(eddy_pg_get(result, 0, &text));
        CHECK_STR(text, "glad");
    }
}

/* P-PREP-4: outside a transaction nobody sees that a table has changed. */
DATABASE_TEST(pg_statement_follows_a_table_that_changes)
{
    EDDY_PG_RESULT result = NULL;

    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1)"));
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT * FROM t"));
    CHECK_EQ(eddy_pg_columns(result), 1);
    eddy_pg_result_free(&result);
    CHECK_OK(eddy_pg_execute(db, "ALTER TABLE t ADD b text DEFAULT 'x'"));
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT * FROM t"));
    CHECK_EQ(eddy_pg_columns(result), 2);
    eddy_pg_result_free(&result);
    CHECK_OK(eddy_pg_execute(db, "ALTER TABLE t ALTER a TYPE text"));
    CHECK_OK(eddy_pg_fetchrow(db, &result, "SELECT * FROM t"));
    CHECK_EQ(eddy_pg_column_type(result, 0), EDDY_PG_TEXT);
}

/* P-PREP-4: inside one the error is told, and the next try outside is good. */
DATABASE_TEST(pg_statement_that_is_stale_fails_a_transaction)
{
    EDDY_PG_RESULT result = NULL;
    EDDY_PG_TRANSACTION transaction = NULL;
    int rc;

    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT * FROM t"));
    eddy_pg_result_free(&result);
    CHECK_OK(eddy_pg_execute(db, "ALTER TABLE t ADD b text"));
    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    rc = eddy_pg_fetch(db, &result, "SELECT * FROM t");
    CHECK_EQ(rc, EDDY_EPG_FEATURE_NOT_SUPPORTED);
    CHECK_HAS(eddy_error_message(rc), "cached plan must not change result type");
    CHECK_OK(eddy_pg_rollback(transaction));
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT * FROM t"));
    CHECK_EQ(eddy_pg_columns(result), 2);
}

/* A server that has forgotten all statements, or one, is no trouble. */
DATABASE_TEST(pg_statements_that_the_server_has_dropped_are_prepared_again)
{
    CHECK_EQ(number_of(db, "SELECT 11"), 11);
    CHECK_OK(eddy_pg_execute(db, "DISCARD ALL"));
    CHECK_EQ(number_of(db, "SELECT 11"), 11);
    CHECK_OK(eddy_pg_execute(db, "DEALLOCATE ALL"));
    CHECK_EQ(number_of(db, "SELECT 11"), 11);
    CHECK_OK(eddy_pg_execute(db, "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"));
    CHECK_EQ(number_of(db, "SELECT 11"), 11);
    CHECK_IN_SYNC(db);
}

/* P-PREP-8 */
DATABASE_TEST(pg_statement_cannot_be_prepared_in_a_failed_transaction)
{
    CHECK_OK(eddy_pg_execute(db, "BEGIN"));
    CHECK_EQ(number_of(db, "SELECT 1 / 0"), EDDY_EPG_DIVISION_BY_ZERO);
    CHECK_EQ(number_of(db, "SELECT 77"), EDDY_EPG_IN_FAILED_TRANSACTION);
    CHECK_OK(eddy_pg_execute(db, "ROLLBACK"));
    CHECK_EQ(number_of(db, "SELECT 77"), 77);
}

/* P-PREP-2: what is to be closed waits for the end of a transaction, whatever becomes of it. */
TEST(pg_statements_are_closed_outside_of_transactions)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(connect_with(2, 0, 0, &db));
    CHECK_OK(eddy_pg_execute(db, "BEGIN"));
    for (int i = 0; i < 5; i++) {
        char sql[32];

        snprintf(sql, sizeof sql, "SELECT %d", i);
        CHECK_EQ(number_of(db, sql), i);
    }
    CHECK(prepared(db) > 2);
    CHECK_EQ(number_of(db, "SELECT 1 / 0"), EDDY_EPG_DIVISION_BY_ZERO);
    CHECK_OK(eddy_pg_execute(db, "ROLLBACK"));
    CHECK_EQ(number_of(db, "SELECT 6"), 6);
    CHECK(prepared(db) <= 3); /* itself, and two that were kept until it was */
}

/* P-PREP-5: what is known of types and statements can be forgotten by hand. */
DATABASE_TEST(pg_reload_forgets_statements_and_types)
{
    EDDY_PG_RESULT result = NULL;

    CHECK_OK(eddy_pg_execute(db, "CREATE TYPE pg_temp.mood AS ENUM ('sad', 'glad')"));
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT 'sad'::pg_temp.mood"));
    eddy_pg_result_free(&result);
    CHECK_OK(eddy_pg_reload_schema_state(db));
    CHECK_EQ(prepared(db), 1);
    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT 'sad'::pg_temp.mood"));
}
