/* SPDX-License-Identifier: MIT */
/* Handles, whose connection may go before them, and targets. */
#include "pg/database.h"

TEST(pg_target_that_is_null_is_closed)
{
    eddy_pg_connection *none = NULL;
    EDDY_PG_RESULT result = NULL;
    EDDY_PG_STATEMENT statement = NULL;
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_CURSOR cursor = NULL;
    EDDY_PG_PIPELINE pipeline = NULL;
    EDDY_PG_BATCH batch = NULL;

    CHECK_EQ(eddy_pg_execute(none, "SELECT 1"), EDDY_EPG_CLOSED);
    CHECK_EQ(eddy_pg_fetch(none, &result, "SELECT 1"), EDDY_EPG_CLOSED);
    CHECK_EQ(eddy_pg_prepare(none, "SELECT 1", &statement), EDDY_EPG_CLOSED);
    CHECK_EQ(eddy_pg_begin(none, NULL, &transaction), EDDY_EPG_CLOSED);
    CHECK_EQ(eddy_pg_cursor_open(none, &cursor, "SELECT 1"), EDDY_EPG_CLOSED);
    CHECK_EQ(eddy_pg_pipeline_open(none, &pipeline), EDDY_EPG_CLOSED);
    CHECK_EQ(eddy_pg_batch_open(none, &batch), EDDY_EPG_CLOSED);
    CHECK_EQ(eddy_pg_statement_execute(statement), EDDY_EPG_USE);
}

/* All handles of a connection may outlive it. */
TEST(pg_handles_outlive_their_connection)
{
    EDDY_PG_STATEMENT statement = NULL;
    EDDY_PG_TRANSACTION outer = NULL, inner = NULL;
    EDDY_PG_CURSOR cursor = NULL;
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_prepare(db, "SELECT 1", &statement));
    CHECK_OK(eddy_pg_begin(db, NULL, &outer));
    CHECK_OK(eddy_pg_begin(db, NULL, &inner));
    CHECK_OK(eddy_pg_cursor_open(db, &cursor, "SELECT 1"));
    eddy_pg_terminate(&db);
    CHECK_EQ(eddy_pg_commit(inner), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_statement_execute(statement), EDDY_EPG_USE);
}
