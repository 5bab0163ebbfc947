/* SPDX-License-Identifier: MIT */
/* Cancel requests. */
#include "harness.h"
#include "pg/handle.h"
#include "pg/server.h"

static int run_long(eddy_pg_connection *db)
{
    return pg_command(db, "SELECT pg_sleep(60)");
}
EDDY_ASYNC(run_long, eddy_pg_connection *);

/* How many of the server's processes run such a query, asked by another connection. */
static int count_running(const char *dsn, int pid)
{
    EDDY_PG_CONNECTION other = NULL;
    struct pg_operation operation;
    char sql[128];
    PGresult *result = NULL;
    int rc, count;

    EDDY_TRY(eddy_pg_connect(dsn, NULL, &other));
    snprintf(sql, sizeof sql, "SELECT 1 FROM pg_stat_activity WHERE pid = %d AND state = 'active'",
             pid);
    EDDY_TRY(pg_operation_begin(&operation, other, sql));
    rc = pg_operation_end(&operation, pg_query_text(&operation, sql, NULL, 0, &result));
    count = PQntuples(result);
    PQclear(result);
    return rc < 0 ? rc : count;
}

/* P-TMO-2: a timeout comes at once, and the server stops the query. */
TEST(pg_cancel_leaves_at_once_and_stops_the_query_on_the_server)
{
    EDDY_PG_CONNECTION db = NULL;
    double begun;
    int rc;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    begun = eddy_time();
    {
        EDDY_TIMEOUT(limit, 0.1);

        rc = run_long(db);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK(eddy_time() - begun < 5);
    CHECK_OK(pg_command(db, "SELECT 1"));
    CHECK_EQ(count_running(pg_test_dsn(), eddy_pg_server_pid(db)), 0);
}

/* The key is that of the login; without it libpq's own call is made, in a thread. */
TEST(pg_cancel_goes_by_libpq_where_the_key_is_not_known)
{
    EDDY_PG_CONNECTION db = NULL;
    int rc;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK(db->has_key);
    db->has_key = false;
    {
        EDDY_TIMEOUT(limit, 0.1);

        rc = run_long(db);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_OK(pg_command(db, "SELECT 1"));
}

/* P-TLS-6: over TCP, also where the connection has TLS; the request itself has none. */
TEST(pg_cancel_reaches_a_server_over_tcp)
{
    EDDY_PG_CONNECTION db = NULL;
    int rc;

    CHECK_OK(eddy_pg_connect(pg_test_tcp_dsn("tls", "sslmode=require"), NULL, &db));
    CHECK(eddy_pg_uses_tls(db));
    {
        EDDY_TIMEOUT(limit, 0.1);

        rc = run_long(db);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_OK(pg_command(db, "SELECT 1"));
}

/* On a connection where nothing runs it hits nothing. */
TEST(pg_cancel_without_a_query_changes_nothing)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    for (int i = 0; i < 20; i++) {
        CHECK_OK(pg_cancel_request(db));
        CHECK_OK(pg_command(db, "SELECT 1"));
    }
    pg_connection_break(db);
    CHECK_EQ(pg_cancel_request(db), EDDY_EPG_CLOSED);
}
