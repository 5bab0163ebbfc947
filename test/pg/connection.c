/* SPDX-License-Identifier: MIT */
/* The life of a connection: its end, in order, at once, and by others. */
#include "pg/connection.h"

#include <unistd.h>

#include "eddy/pg_listen.h"
#include "pg/database.h"

static int sleep_long(eddy_pg_connection *db)
{
    return pg_command(db, "SELECT pg_sleep(60)");
}
EDDY_ASYNC(sleep_long, eddy_pg_connection *);

/* How many of the server's processes there are with that number. */
static long long count_processes(int pid)
{
    EDDY_PG_CONNECTION other = NULL;
    char sql[120];
    int rc = eddy_pg_connect(pg_test_dsn(), NULL, &other);

    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.03) WHERE pid = %d", pid);
    return rc < 0 ? rc : number_of(other, sql);
}

/* Waits until the server's process has gone. */
static long long await_end(int pid)
{
    long long count = 1;

    for (int i = 0; i < 1000 && count == 1; i++) {
        count = count_processes(pid);
        usleep(2000); /* it takes real time */
    }
    return count;
}

/* P-TMO-7: closing while a query runs stops it, and its caller is told. */
TEST(pg_connection_is_closed_while_a_query_runs)
{
    EDDY_PG_CONNECTION db = NULL;
    double begun = eddy_time();
    int pid, rc;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    pid = eddy_pg_server_pid(db);
    EDDY_TASK query = eddy_create_task(sleep_long, db);
    test_settle();
    eddy_pg_close(&db);
    CHECK(db == NULL);
    rc = eddy_await(query);
    CHECK(rc == EDDY_EPG_CLOSED || rc == EDDY_EPG_QUERY_CANCELED);
    CHECK_EQ(await_end(pid), 0);
    CHECK(eddy_time() - begun < 10);
}

/* P-TMO-7: terminate says nothing to the server, and does not wait. */
TEST(pg_connection_is_terminated_while_a_query_runs)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    EDDY_TASK query = eddy_create_task(sleep_long, db);
    test_settle();
    eddy_pg_terminate(&db);
    CHECK(db == NULL);
    CHECK_EQ(eddy_await(query), EDDY_EPG_CLOSED);
    eddy_pg_terminate(&db);
}

static void count_end(eddy_pg_connection *db, void *argument)
{
    (void)db;
    ++*(int *)argument;
}

/* P-LIFE-2: the server goes while a query runs: the query says so, later ones too, and listeners
 * are told once. P-LIFE-3: with the server's last words, if it has any. */
TEST(pg_connection_is_ended_by_the_server_during_a_query)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_CONNECTION other = NULL;
    char sql[100];
    int ends = 0;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &other));
    CHECK_OK(eddy_pg_add_termination_listener(db, count_end, &ends));
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", eddy_pg_server_pid(db));
    EDDY_TASK query = eddy_create_task(sleep_long, db);
    CHECK_OK(eddy_sleep(0.1));
    CHECK_OK(pg_command(other, sql));
    CHECK_EQ(eddy_await(query), EDDY_EPG_ADMIN_SHUTDOWN);
    test_settle();
    CHECK(eddy_pg_is_closed(db));
    CHECK_EQ(ends, 1);
    CHECK_FAILS(pg_command(db, "SELECT 1"), EDDY_EPG_CLOSED, "lost");
    eddy_pg_close(&db);
    test_settle();
    CHECK_EQ(ends, 1);
}

static void keep_message(eddy_pg_connection *db, const eddy_pg_message *message, void *argument)
{
    (void)db;
    snprintf(argument, 64, "%s %s", message->severity, message->sqlstate);
}

/* P-LIFE-2, -3: the same while it is idle, and somebody listens. */
TEST(pg_connection_is_ended_by_the_server_while_it_is_idle)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_CONNECTION other = NULL;
    char sql[100], said[64] = "";
    int ends = 0;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &other));
    CHECK_OK(eddy_pg_add_termination_listener(db, count_end, &ends));
    CHECK_OK(eddy_pg_add_log_listener(db, keep_message, said));
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", eddy_pg_server_pid(db));
    CHECK_OK(pg_command(other, sql));
    for (int i = 0; i < 100 && ends == 0; i++)
        CHECK_OK(pg_command(other, "SELECT pg_sleep(0.02)"));
    CHECK_EQ(ends, 1);
    CHECK_STR(said, "FATAL 57P01");
    CHECK(eddy_pg_is_closed(db));
}

/* An idle one that nobody listens to is found dead with the next query, with the last words. */
TEST(pg_connection_that_died_idle_says_so_with_the_next_query)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_CONNECTION other = NULL;
    char sql[100];

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &other));
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", eddy_pg_server_pid(db));
    CHECK_OK(pg_command(other, sql));
    CHECK_EQ(pg_command(db, "SELECT 1"), EDDY_EPG_ADMIN_SHUTDOWN);
    CHECK(eddy_pg_is_closed(db));
    CHECK_EQ(pg_command(db, "SELECT 1"), EDDY_EPG_CLOSED);
}

/* P-LIFE-2: closed in order, listeners are told as well, and once. */
TEST(pg_connection_tells_of_its_own_end)
{
    EDDY_PG_CONNECTION db = NULL;
    int ends = 0, none = 0;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_add_termination_listener(db, count_end, &ends));
    CHECK_OK(eddy_pg_add_termination_listener(db, count_end, &ends));
    CHECK_OK(eddy_pg_add_termination_listener(db, count_end, &none));
    eddy_pg_remove_termination_listener(db, count_end, &none);
    eddy_pg_close(&db);
    CHECK_EQ(ends, 1);
    CHECK_EQ(none, 0);
}

/* What outlives the loop can still be freed. */
static eddy_pg_connection *left;

static int connect_and_leave(void)
{
    static int ends;

    EDDY_TRY(eddy_pg_connect(pg_test_dsn(), NULL, &left));
    return eddy_pg_add_termination_listener(left, count_end, &ends);
}
EDDY_ASYNC(connect_and_leave);

RAW_TEST(pg_connection_may_be_terminated_behind_its_loop)
{
    CHECK_OK(eddy_run(connect_and_leave));
    eddy_pg_terminate(&left);
}
