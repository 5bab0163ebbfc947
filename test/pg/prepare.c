/* SPDX-License-Identifier: MIT */
/* What a server's errors say of prepared statements, and how statements are closed. */
#include "pg/database.h"

/* P-PREP-4: another error of the same class is not taken for a statement that is out of date. */
DATABASE_TEST(pg_feature_that_is_not_supported_is_not_tried_twice)
{
    EDDY_PG_RESULT result = NULL;
    const char *sql;

    CHECK_OK(eddy_pg_execute(
        db, "CREATE TEMP SEQUENCE twice; CREATE FUNCTION pg_temp.lock_it() RETURNS int AS $$ "
            "BEGIN RAISE feature_not_supported; END $$ LANGUAGE plpgsql"));
    sql = "SELECT nextval('twice'), pg_temp.lock_it()";
    CHECK_EQ(eddy_pg_fetch(db, &result, sql), EDDY_EPG_FEATURE_NOT_SUPPORTED);
    CHECK_EQ(number_of(db, "SELECT last_value FROM twice"), 1);
}

/* P-PREP-2: a statement that the server has closed by itself is no trouble when it is closed. */
DATABASE_TEST(pg_statement_that_is_gone_is_closed_without_trouble)
{
    EDDY_PG_STATEMENT one = NULL, two = NULL;

    CHECK_OK(eddy_pg_prepare(db, "SELECT 1", &one));
    CHECK_OK(eddy_pg_prepare(db, "SELECT 2", &two));
    CHECK_OK(eddy_pg_execute(db, "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"));
    eddy_pg_statement_close(&one);
    eddy_pg_statement_close(&two);
    CHECK_IN_SYNC(db);
    CHECK_OK(eddy_pg_execute(db, "SELECT 1"));
    CHECK_OK(eddy_pg_execute(db, "SELECT 1"));
    CHECK_IN_SYNC(db);
}

/* Names are never used twice, so that what a cancelled call has prepared meets nobody. */
DATABASE_TEST(pg_prepare_that_is_cut_short_meets_nobody)
{
    for (int i = 0; i < 50; i++) {
        EDDY_PG_STATEMENT statement = NULL;

        {
            EDDY_TIMEOUT(limit, i * 1e-5);
            (void)!eddy_pg_prepare(db, "SELECT 'another'", &statement);
        }
        CHECK_EQ(number_of(db, "SELECT 42"), 42);
    }
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE "
                           "'%another%' AND statement NOT LIKE '%count%'"),
             0);
}
