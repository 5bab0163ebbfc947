/* SPDX-License-Identifier: MIT */
/* Settling: back into sync behind an operation that was cut short. */
#include "pg/handle.h"

#include "pg/database.h"

static int cut_short(eddy_pg_connection *db, const char *sql, double seconds)
{
    EDDY_TIMEOUT(limit, seconds);

    return pg_command(db, sql);
}

/* P-TMO-2, -3, -4: each timeout comes at once, and the next query gets its own answer. */
DATABASE_TEST(pg_settle_comes_before_the_next_query)
{
    double begun = eddy_time();

    for (int i = 0; i < 5; i++) {
        char sql[64];

        CHECK_EQ(cut_short(db, "SELECT pg_sleep(60)", 0.01 * i), -ETIMEDOUT);
        snprintf(sql, sizeof sql, "SELECT %d", 100 + i);
        CHECK_EQ(number_of(db, sql), 100 + i);
    }
    CHECK(eddy_time() - begun < 10);
}

/* P-TMO-4: inside a transaction it has failed. */
DATABASE_TEST(pg_settle_leaves_a_transaction_that_has_failed)
{
    CHECK_OK(pg_command(db, "BEGIN"));
    CHECK_EQ(cut_short(db, "SELECT pg_sleep(60)", 0.05), -ETIMEDOUT);
    CHECK(eddy_pg_is_in_transaction(db));
    CHECK_EQ(pg_command(db, "SELECT 1"), EDDY_EPG_IN_FAILED_TRANSACTION);
    CHECK_OK(pg_command(db, "ROLLBACK"));
    CHECK_IN_SYNC(db);
}

/* P-TMO-3, -5: a query that ends at the moment of its cancel: whatever comes first, a late cancel
 * never hits the next one. */
DATABASE_TEST(pg_settle_lets_no_cancel_hit_the_next_query)
{
    int cut = 0;

    for (int i = 0; i < 40; i++) {
        int rc = cut_short(db, "SELECT pg_sleep(0.004)", 0.0002 * (30 - i % 30));

        CHECK(rc == 0 || rc == -ETIMEDOUT);
        cut += rc < 0;
        CHECK_OK(pg_command(db, "SELECT pg_sleep(0.002)"));
    }
    CHECK(cut > 0);
    CHECK_IN_SYNC(db);
}

/* While it settles, who begins first waits, and a second one is refused. */
static int ask(eddy_pg_connection *db)
{
    return number_of(db, "SELECT 7") == 7 ? 0 : -EPROTO;
}
EDDY_ASYNC(ask, eddy_pg_connection *);

DATABASE_TEST(pg_settle_is_waited_for_by_one)
{
    CHECK_EQ(cut_short(db, "SELECT pg_sleep(60)", 0.05), -ETIMEDOUT);
    CHECK(db->settler != NULL);
    EDDY_TASK first = eddy_create_task(ask, db);
    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(pg_command(db, "SELECT 1"), -EBUSY);
    CHECK_OK(eddy_await(first));
    CHECK_OK(pg_connection_settle(db));
    CHECK(!db->settler);
}

/* A COPY in each direction ends, too, and pipeline mode. */
DATABASE_TEST(pg_settle_ends_a_copy)
{
    struct pg_operation operation;
    PGresult *result = NULL;

    CHECK_OK(pg_command(db, "CREATE TEMP TABLE t (a text)"));
    CHECK_OK(pg_operation_begin(&operation, db, "COPY t FROM STDIN"));
    CHECK(PQsendQuery(pg_connection_libpq(db), "COPY t FROM STDIN"));
    CHECK_OK(pg_next_result(db, &result));
    CHECK_EQ(PQresultStatus(result), PGRES_COPY_IN);
    PQclear(result);
    CHECK_EQ(pg_operation_end(&operation, -ECANCELED), -ECANCELED);
    CHECK_IN_SYNC(db);
    CHECK_OK(pg_operation_begin(&operation, db, "COPY OUT"));
    CHECK(PQsendQuery(pg_connection_libpq(db),
                      "COPY (SELECT generate_series(1, 1000000)) TO STDOUT"));
    CHECK_OK(pg_next_result(db, &result));
    CHECK_EQ(PQresultStatus(result), PGRES_COPY_OUT);
    PQclear(result);
    CHECK_OK(pg_operation_end(&operation, 0));
    CHECK_IN_SYNC(db);
}

DATABASE_TEST(pg_settle_leaves_pipeline_mode)
{
    PGconn *libpq = pg_connection_libpq(db);

    for (int syncs = 0; syncs < 3; syncs++) {
        struct pg_operation operation;

        CHECK_OK(pg_operation_begin(&operation, db, "pipeline"));
        CHECK(PQenterPipelineMode(libpq));
        for (int i = 0; i < 3; i++) {
            CHECK(PQsendQueryParams(libpq, "SELECT pg_sleep(0.01)", 0, NULL, NULL, NULL, NULL, 0));
            if (i < syncs)
                CHECK(PQpipelineSync(libpq));
        }
        CHECK_EQ(pg_operation_end(&operation, -ECANCELED), -ECANCELED);
        CHECK_IN_SYNC(db);
        CHECK_EQ(PQpipelineStatus(libpq), PQ_PIPELINE_OFF);
    }
}

/* What has come already is taken without a task. */
DATABASE_TEST(pg_settle_at_once_where_all_has_come)
{
    struct pg_operation operation;
    PGresult *result = NULL;

    CHECK_OK(pg_operation_begin(&operation, db, "SELECT 1"));
    CHECK(PQsendQuery(pg_connection_libpq(db), "SELECT 1; SELECT 2"));
    CHECK_OK(pg_next_result(db, &result));
    PQclear(result);
    CHECK_OK(pg_command(db, "") == -EBUSY ? 0 : -1);
    CHECK_OK(pg_operation_end(&operation, 0));
    CHECK_IN_SYNC(db);
}

/* A program that ends meanwhile leaves nothing behind. */
TEST(pg_settle_ends_with_the_program)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_EQ(cut_short(db, "SELECT pg_sleep(60)", 0.05), -ETIMEDOUT);
}
