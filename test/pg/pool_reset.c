/* SPDX-License-Identifier: MIT */
/* Pools of real connections: P-POOL-7, -8, -10, -12, -14, -16, -18. */
#include <eddy/pg.h>
#include <poll.h>
#include <unistd.h>

#include "harness.h"
#include "pg/connection.h"
#include "pg/server.h"

/* One connection at most, unless told otherwise. */
#define OPEN(pool, ...)                                                                            \
    eddy_pg_pool_open(pg_test_dsn(),                                                               \
                      &(eddy_pg_pool_options){.lazy = true, .max_size = 1, __VA_ARGS__}, (pool))

/* Runs a statement on the pool's connection, and gives it back. */
static int run_once(eddy_pg_pool *pool, const char *sql)
{
    EDDY_PG_ACQUIRED db = NULL;

    EDDY_TRY(eddy_pg_acquire(pool, &db));
    EDDY_TRY(eddy_pg_execute(db, sql));
    return 0;
}

static int count_of(eddy_pg_pool *pool, const char *sql)
{
    int count = -1;
    int rc = eddy_pg_fetchval(pool, &count, sql);

    return rc < 0 ? rc : count;
}

/* P-POOL-14: a call on a pool takes a connection and gives it back. */
TEST(pg_pool_runs_a_statement_by_itself)
{
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_EQ(count_of(pool, "SELECT 42"), 42);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).in_use, 0);
    CHECK_EQ(eddy_pg_execute(pool, "SELECT $1::int / 0", 1), EDDY_EPG_DIVISION_BY_ZERO);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).in_use, 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).opened, 1);
}

/* P-POOL-8, -18: settings, locks, cursors and channels go back to what they were. */
TEST(pg_pool_undoes_what_a_user_has_set)
{
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(run_once(pool, "SET statement_timeout = 54321; SET search_path = nowhere;"
                            "SELECT pg_catalog.pg_advisory_lock(4711 + pg_backend_pid());"
                            "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT;"
                            "LISTEN a_channel"));
    CHECK_EQ(count_of(pool, "SELECT current_setting('statement_timeout')::int"), 0);
    CHECK_EQ(count_of(pool, "SELECT (current_setting('search_path') = 'nowhere')::int"), 0);
    CHECK_EQ(count_of(pool, "SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' "
                            "AND pid = pg_backend_pid()"),
             0);
    CHECK_EQ(count_of(pool, "SELECT count(*)::int FROM pg_cursors WHERE is_holdable"), 0);
    CHECK_EQ(count_of(pool, "SELECT count(*)::int FROM pg_listening_channels()"), 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).opened, 1);
}

/* P-POOL-8 [C]: and so does who the user was. */
TEST(pg_pool_undoes_a_change_of_role)
{
    const char *is_changed =
        "SELECT (current_user <> session_user OR session_user = 'pg_monitor')::int";
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(run_once(pool, "SET ROLE pg_monitor"));
    CHECK_EQ(count_of(pool, is_changed), 0);
    CHECK_OK(run_once(pool, "SET SESSION AUTHORIZATION pg_monitor"));
    CHECK_EQ(count_of(pool, is_changed), 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).opened, 1);
}

/* P-POOL-8: temporary tables stay; they are the session's. */
TEST(pg_pool_keeps_temporary_tables)
{
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(run_once(pool, "CREATE TEMPORARY TABLE t (i int)"));
    CHECK_EQ(count_of(pool, "SELECT count(*)::int FROM t"), 0);
}

/* P-POOL-8: an open transaction, also one that has failed, is rolled back and reported. */
TEST(pg_pool_rolls_back_what_a_user_has_left_open)
{
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(run_once(pool, "BEGIN; CREATE TEMPORARY TABLE t (i int)"));
    CHECK_HAS(test_report(), "rolled back");
    CHECK_EQ(count_of(pool, "SELECT (to_regclass('t') IS NULL)::int"), 1);
    CHECK_EQ(run_once(pool, "BEGIN; SAVEPOINT s; SELECT 1 / 0"), EDDY_EPG_DIVISION_BY_ZERO);
    CHECK_HAS(test_report(), "rolled back");
    CHECK_EQ(count_of(pool, "SELECT 5"), 5);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).opened, 1);
}

static void hear(eddy_pg_connection *connection, const eddy_pg_message *message, void *argument)
{
    (void)connection, (void)message;
    ++*(int *)argument;
}

/* P-NOTIFY-7: listeners that a user has left hear nothing of the next one. */
TEST(pg_pool_removes_the_listeners_of_a_user)
{
    EDDY_PG_POOL pool = NULL;
    EDDY_PG_ACQUIRED db = NULL;
    int heard = 0;

    CHECK_OK(OPEN(&pool));
    CHECK_EQ(count_of(pool, "SELECT 1"), 1);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_OK(eddy_pg_add_log_listener(db, hear, &heard));
    eddy_pg_release(&db);
    CHECK_HAS(test_report(), "a listener was left on a connection");
    CHECK_OK(run_once(pool, "DO $$ BEGIN RAISE NOTICE 'x'; END $$"));
    test_settle();
    CHECK_EQ(heard, 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).opened, 1);
}

/* P-POOL-9: a connection whose pipeline is open cannot be reset. */
TEST(pg_pool_closes_a_connection_with_an_open_pipeline)
{
    EDDY_PG_POOL pool = NULL;
    EDDY_PG_ACQUIRED db = NULL;
    EDDY_PG_PIPELINE pipeline = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_OK(eddy_pg_pipeline_open(db, &pipeline));
    eddy_pg_release(&db);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 0);
    CHECK_EQ(count_of(pool, "SELECT 1"), 1);
}

/* Nothing run, nothing sent. */
TEST(pg_pool_resets_nothing_where_nothing_was_run)
{
    EDDY_PG_POOL pool = NULL;
    EDDY_PG_ACQUIRED db = NULL;
    uint64_t before;

    CHECK_OK(OPEN(&pool));
    CHECK_EQ(count_of(pool, "SELECT 1"), 1);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    before = pg_connection_operations(db);
    for (int i = 0; i < 10; i++) {
        eddy_pg_release(&db);
        CHECK_OK(eddy_pg_acquire(pool, &db));
    }
    CHECK_EQ(pg_connection_operations(db), before);
}

static int sleep_there(eddy_pg_pool *pool)
{
    EDDY_PG_ACQUIRED db = NULL;

    EDDY_TRY(eddy_pg_acquire(pool, &db));
    EDDY_TRY(eddy_pg_execute(db, "SELECT pg_sleep(1000)"));
    return 0;
}
EDDY_ASYNC(sleep_there, eddy_pg_pool *);

/* P-POOL-10: a query that was cancelled is over when its connection is idle again. */
TEST(pg_pool_waits_for_a_cancelled_query_to_end)
{
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_EQ(count_of(pool, "SELECT 1"), 1);
    {
        EDDY_TASK task = eddy_create_task(sleep_there, pool);

        CHECK_OK(eddy_sleep(0.1));
        CHECK_OK(eddy_cancel(task));
        CHECK_EQ(eddy_await(task), -ECANCELED);
    }
    CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 1);
    CHECK_EQ(count_of(pool, "SELECT 7"), 7);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).opened, 1);
}

/* Ends the server's process of a connection, and waits until it has gone. */
static int kill_backend(eddy_pg_pool *other, int pid)
{
    bool there = true;

    EDDY_TRY(eddy_pg_execute(other, "SELECT pg_terminate_backend($1)", pid));
    while (there)
        EDDY_TRY(eddy_pg_fetchval(
            other, &there, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid));
    return 0;
}

/* P-POOL-12: one that died in use is replaced, */
TEST(pg_pool_replaces_a_connection_that_was_lost_in_use)
{
    EDDY_PG_POOL pool = NULL, other = NULL;
    EDDY_PG_ACQUIRED db = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(OPEN(&other));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_OK(kill_backend(other, eddy_pg_server_pid(db)));
    CHECK(eddy_pg_execute(db, "SELECT 1") < 0);
    CHECK(eddy_pg_is_closed(db));
    eddy_pg_release(&db);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 0);
    CHECK_EQ(count_of(pool, "SELECT 3"), 3);
}

/* and one that died while it was idle for long, which nobody has seen, too. */
TEST(pg_pool_replaces_a_connection_that_died_while_it_was_idle)
{
    EDDY_PG_POOL pool = NULL, other = NULL;
    EDDY_PG_ACQUIRED db = NULL;
    struct pollfd state = {.events = POLLIN};
    int pid;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(OPEN(&other));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    pid = eddy_pg_server_pid(db);
    state.fd = PQsocket(pg_connection_libpq(db));
    eddy_pg_release(&db);
    CHECK_OK(kill_backend(other, pid));
    CHECK(poll(&state, 1, 5000) > 0); /* it has gone, but its last words come later */
    CHECK_OK(eddy_sleep(2));
    CHECK_EQ(count_of(pool, "SELECT 4"), 4);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).opened, 2);
}

/* P-POOL-7: statements end with the use of their connection. */
TEST(pg_pool_ends_the_statements_of_a_user)
{
    EDDY_PG_POOL pool = NULL;
    EDDY_PG_ACQUIRED db = NULL;
    EDDY_PG_STATEMENT statement = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_OK(eddy_pg_prepare(db, "SELECT 1", &statement));
    eddy_pg_release(&db);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK(eddy_pg_statement_execute(statement) < 0);
}

/* P-POOL-7: nor can a copy of the handle be used, as long as the connection is idle. */
TEST(pg_pool_refuses_a_connection_that_was_given_back)
{
    EDDY_PG_POOL pool = NULL;
    EDDY_PG_ACQUIRED db = NULL;
    eddy_pg_connection *copy;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    copy = db;
    eddy_pg_release(&db);
    CHECK_FAILS((int)eddy_pg_execute(copy, "SELECT 1"), EDDY_EPG_USE, "given back to its pool");
    eddy_pg_release(&copy);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 1);
}

/* A user may close what he has: the pool gets its place back. */
TEST(pg_pool_survives_the_close_of_a_connection_of_its_own)
{
    EDDY_PG_POOL pool = NULL;
    eddy_pg_connection *db = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    eddy_pg_close(&db);
    CHECK(!db);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 0);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    eddy_pg_terminate(&db);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).in_use, 0);
    CHECK_EQ(count_of(pool, "SELECT 6"), 6);
}

/* P-POOL-15 */
TEST(pg_pool_terminate_ends_a_query_that_runs)
{
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    {
        EDDY_TASK task = eddy_create_task(sleep_there, pool);

        CHECK_OK(eddy_sleep(0.1));
        eddy_pg_pool_terminate(pool);
        CHECK(eddy_await(task) < 0);
    }
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 0);
}

static eddy_pg_connection *strange;

static void release_strange(void)
{
    eddy_pg_release(&strange);
}

/* P-POOL-7 */
TEST(pg_pool_takes_no_connection_of_others)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    strange = db;
    CHECK_DIES(release_strange, "not a pool's");
}
