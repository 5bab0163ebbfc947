/* SPDX-License-Identifier: MIT */
/*
 * Servers that stop, die, freeze and are full (issue 7, section 3). Whatever happens, who waits is
 * told, the loop goes on, and a close ends in time.
 */
#include "pg/connection.h"
#include "pg/database.h"

static int sleep_long(eddy_pg_connection *db)
{
    return pg_command(db, "SELECT pg_sleep(60)");
}
EDDY_ASYNC(sleep_long, eddy_pg_connection *);

/* P-LIFE-3: a server that stops says so; connecting is refused then, and works once it is back. */
TEST(pg_fault_a_server_is_stopped_and_started_again)
{
    struct pg_server server = {.pid = 0};
    EDDY_DEFER(pg_server_close, &server);
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_CONNECTION again = NULL;

    pg_server_start(&server, NULL);
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &db));
    EDDY_TASK query = eddy_create_task(sleep_long, db);
    test_settle();
    CHECK_OK(pg_command(db, "") == -EBUSY ? 0 : -1);
    pg_server_end(&server, SIGINT);
    CHECK_EQ(eddy_await(query), EDDY_EPG_ADMIN_SHUTDOWN);
    CHECK(eddy_pg_is_closed(db));
    CHECK_EQ(eddy_pg_connect(server.dsn, NULL, &again), -ECONNREFUSED);
    pg_server_restart(&server);
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &again));
    CHECK_IN_SYNC(again);
    CHECK_EQ(pg_command(db, "SELECT 1"), EDDY_EPG_CLOSED);
}

/* P-LIFE-2: one that is killed has no last words. */
TEST(pg_fault_a_server_is_killed)
{
    struct pg_server server = {.pid = 0};
    EDDY_DEFER(pg_server_close, &server);
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_CONNECTION idle = NULL;
    int rc;

    pg_server_start(&server, NULL);
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &db));
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &idle));
    EDDY_TASK query = eddy_create_task(sleep_long, db);
    test_settle();
    pg_server_kill(&server);
    rc = eddy_await(query);
    CHECK(rc == EDDY_EPG_LOST || rc == EDDY_EPG_CRASH_SHUTDOWN || rc == EDDY_EPG_ADMIN_SHUTDOWN);
    CHECK_EQ(pg_command(db, "SELECT 1"), EDDY_EPG_CLOSED);
    rc = pg_command(idle, "SELECT 1"); /* its process may have noticed, and said so */
    CHECK(rc == EDDY_EPG_LOST || rc == EDDY_EPG_CRASH_SHUTDOWN || rc == EDDY_EPG_ADMIN_SHUTDOWN);
    CHECK(eddy_pg_is_closed(idle));
    eddy_pg_close(&idle);
    eddy_pg_close(&db);
}

/* Counts how often the loop comes by. */
static int tick(int *ticks)
{
    for (;; ++*ticks)
        EDDY_TRY(eddy_sleep(0.01));
}
EDDY_ASYNC(tick, int *);

/* P-TMO-2, -7: a frozen server holds up neither a timeout, nor the loop, nor a close. */
TEST(pg_fault_a_server_is_frozen_in_a_query)
{
    struct pg_server server = {.pid = 0};
    EDDY_DEFER(pg_server_close, &server);
    EDDY_PG_CONNECTION db = NULL;
    int ticks = 0, rc;
    double begun;

    pg_server_start(&server, NULL);
    CHECK_OK(eddy_pg_connect(server.dsn, &(eddy_pg_options){.close_timeout = 0.5}, &db));
    pg_server_freeze(&server);
    EDDY_TASK ticking = eddy_create_task(tick, &ticks);
    begun = eddy_time();
    {
        EDDY_TIMEOUT(limit, 0.2);

        rc = pg_command(db, "SELECT 1");
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK(eddy_time() - begun < 0.4);
    {
        EDDY_TIMEOUT(limit, 0.2);

        rc = pg_command(db, "SELECT 1"); /* waits for it to settle */
    }
    CHECK(rc == -ETIMEDOUT);
    begun = eddy_time();
    eddy_pg_close(&db);
    CHECK(eddy_time() - begun < 1);
    CHECK(ticks > 20);
    (void)ticking;
}

/* P-TMO-3: one that thaws is settled, and its answers are the right ones. */
TEST(pg_fault_a_server_is_frozen_and_goes_on)
{
    struct pg_server server = {.pid = 0};
    EDDY_DEFER(pg_server_close, &server);
    EDDY_PG_CONNECTION db = NULL;
    int rc;

    pg_server_start(&server, NULL);
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &db));
    pg_server_freeze(&server);
    {
        EDDY_TIMEOUT(limit, 0.1);

        rc = pg_command(db, "SELECT 1");
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    pg_server_thaw(&server);
    CHECK_IN_SYNC(db);
}

/* P-CONN-9: the timeout covers a login that never ends. */
TEST(pg_fault_a_server_is_frozen_in_a_login)
{
    struct pg_server server = {.pid = 0};
    EDDY_DEFER(pg_server_close, &server);
    EDDY_PG_CONNECTION db = NULL;
    double begun;

    pg_server_start(&server, NULL);
    pg_server_freeze(&server);
    begun = eddy_time();
    CHECK_FAILS(eddy_pg_connect(server.dsn, &(eddy_pg_options){.timeout = 0.3}, &db), -ETIMEDOUT,
                "no connection to the server within 0.3 s");
    CHECK(eddy_time() - begun < 1);
    CHECK(db == NULL);
    pg_server_thaw(&server);
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &db));
}

/* P-CONN-10: out of connections, and then not any more. */
TEST(pg_fault_a_server_is_out_of_connections)
{
    struct pg_server server = {.pid = 0};
    EDDY_DEFER(pg_server_close, &server);
    EDDY_PG_CONNECTION one = NULL;
    EDDY_PG_CONNECTION two = NULL;
    EDDY_PG_CONNECTION three = NULL;
    int rc = 0;

    pg_server_start(&server, "max_connections = 2\nsuperuser_reserved_connections = 0\n");
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &one));
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &two));
    CHECK_FAILS(eddy_pg_connect(server.dsn, NULL, &three), EDDY_EPG_TOO_MANY_CONNECTIONS,
                "53300: ");
    eddy_pg_close(&one);
    for (int i = 0; i < 100; i++) {
        rc = eddy_pg_connect(server.dsn, NULL, &three);
        if (rc != EDDY_EPG_TOO_MANY_CONNECTIONS)
            break;
        CHECK_OK(pg_command(two, "SELECT pg_sleep(0.02)"));
    }
    CHECK_OK(rc);
}
