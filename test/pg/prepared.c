/* SPDX-License-Identifier: MIT */
/* Statements that a program prepares (P-PREP-6). */
#include "pg/database.h"

/* P-PREP-6 */
DATABASE_TEST(pg_prepare_describes_a_statement)
{
    EDDY_PG_STATEMENT statement = NULL;

    CHECK_OK(eddy_pg_prepare(db, "SELECT $1::int + 1 AS sum, $2::text AS t", &statement));
    CHECK_EQ(eddy_pg_statement_parameters(statement), 2);
    CHECK_EQ(eddy_pg_statement_parameter_type(statement, 0), EDDY_PG_INT4);
    CHECK_EQ(eddy_pg_statement_parameter_type(statement, 1), EDDY_PG_TEXT);
    CHECK_EQ(eddy_pg_statement_parameter_type(statement, 2), 0);
    CHECK_EQ(eddy_pg_statement_columns(statement), 2);
    CHECK_STR(eddy_pg_statement_column_name(statement, 0), "sum");
    CHECK_STR(eddy_pg_statement_column_name(statement, 1), "t");
    CHECK(eddy_pg_statement_column_name(statement, 2) == NULL);
    CHECK_EQ(eddy_pg_statement_column_type(statement, 1), EDDY_PG_TEXT);
}

/* P-PREP-6 */
DATABASE_TEST(pg_prepared_statement_runs_again_and_again)
{
    EDDY_PG_STATEMENT statement = NULL;

    CHECK_OK(eddy_pg_prepare(db, "SELECT generate_series(1, $1)", &statement));
    for (int i = 1; i < 5; i++) {
        EDDY_PG_RESULT all = NULL, one = NULL;

        CHECK_OK(eddy_pg_statement_fetch(statement, &all, i));
        CHECK_EQ(eddy_pg_rows_count(all), i);
        CHECK_OK(eddy_pg_statement_fetchrow(statement, &one, i));
        CHECK_EQ(eddy_pg_rows_count(one), 1);
        CHECK_EQ(eddy_pg_statement_execute(statement, i), i);
    }
}

DATABASE_TEST(pg_prepared_statement_runs_for_many_rows)
{
    EDDY_PG_STATEMENT statement = NULL;
    eddy_pg_value values[] = {eddy_pg_int(1), eddy_pg_int(2), eddy_pg_int(3)};

    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_OK(eddy_pg_prepare(db, "INSERT INTO t VALUES ($1)", &statement));
    CHECK_OK(eddy_pg_statement_executemany(statement, values, 3, 1));
    CHECK_EQ(number_of(db, "SELECT sum(a) FROM t"), 6);
}

/* P-PREP-2: the server forgets it with the next operation. */
DATABASE_TEST(pg_prepared_statement_is_closed_on_the_server)
{
    EDDY_PG_STATEMENT statement = NULL;
    const char *count = "SELECT count(*) FROM pg_prepared_statements";

    CHECK_EQ(number_of(db, count), 1);
    CHECK_OK(eddy_pg_prepare(db, "SELECT 1", &statement));
    CHECK_EQ(number_of(db, count), 2);
    eddy_pg_statement_close(&statement);
    CHECK(statement == NULL);
    CHECK_EQ(number_of(db, count), 1);
}

/* P-Q-4, P-PREP-6: errors leave nothing behind. */
DATABASE_TEST(pg_prepare_refuses_what_is_no_statement)
{
    EDDY_PG_STATEMENT statement = NULL;

    CHECK_EQ(eddy_pg_prepare(db, "SELECT 1; SELECT 2", &statement), EDDY_EPG_SYNTAX_ERROR);
    CHECK_EQ(eddy_pg_prepare(db, "SELEC", &statement), EDDY_EPG_SYNTAX_ERROR);
    CHECK(statement == NULL);
    CHECK_IN_SYNC(db);
}

/* P-PREP-6: it can do nothing once its connection is closed. */
TEST(pg_prepared_statement_ends_with_its_connection)
{
    EDDY_PG_STATEMENT statement = NULL;
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_prepare(db, "SELECT 1", &statement));
    eddy_pg_close(&db);
    CHECK_EQ(eddy_pg_statement_execute(statement), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_statement_columns(statement), 0);
}

/* One whose table has changed is prepared anew, too. */
DATABASE_TEST(pg_prepared_statement_follows_a_table_that_changes)
{
    EDDY_PG_STATEMENT statement = NULL;
    EDDY_PG_RESULT result = NULL;

    CHECK_OK(eddy_pg_execute(db, "CREATE TEMP TABLE t (a int)"));
    CHECK_OK(eddy_pg_prepare(db, "SELECT * FROM t", &statement));
    CHECK_OK(eddy_pg_statement_fetch(statement, &result));
    eddy_pg_result_free(&result);
    CHECK_OK(eddy_pg_execute(db, "ALTER TABLE t ADD b text"));
    CHECK_OK(eddy_pg_statement_fetch(statement, &result));
    CHECK_EQ(eddy_pg_columns(result), 2);
    CHECK_EQ(eddy_pg_statement_columns(statement), 2);
}
