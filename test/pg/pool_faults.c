/* SPDX-License-Identifier: MIT */
/* Pools and COPY with a server that dies, freezes, comes again, or has no room: issue 7, 3. */
#include "copies.h"
#include "pg/connection.h"

#define OPEN(pool, the_server, ...)                                                                \
    eddy_pg_pool_open((the_server).dsn, &(eddy_pg_pool_options){__VA_ARGS__}, (pool))

static int use(eddy_pg_pool *pool, double seconds)
{
    EDDY_PG_ACQUIRED db = NULL;
    int one;

    EDDY_TRY(eddy_pg_acquire(pool, &db));
    EDDY_TRY(eddy_pg_fetchval(db, &one, "SELECT 1"));
    EDDY_TRY(eddy_sleep(seconds));
    return one;
}
EDDY_ASYNC(use, eddy_pg_pool *, double);

/* P-POOL-12: behind a restart of the server nobody sees an error of the old connections. */
TEST(pg_pool_goes_on_behind_a_restart_of_the_server)
{
    struct pg_server server = {0};
    EDDY_PG_POOL pool = NULL;
    EDDY_DEFER(pg_server_close, &server);

    pg_server_start(&server, NULL);
    CHECK_OK(OPEN(&pool, server, .min_size = 3, .max_size = 3));
    pg_server_end(&server, SIGINT);
    pg_server_restart(&server);
    CHECK_OK(eddy_sleep(2));
    {
        EDDY_GROUP(group);

        for (int i = 0; i < 6; i++)
            CHECK_OK(eddy_group_create_task(&group, use, pool, 0.1));
        CHECK_OK(eddy_group_join(&group));
    }
    CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 3);
    eddy_pg_pool_close(&pool);
}

/* P-POOL-19: while the server is away all get errors, and no slot is lost. */
TEST(pg_pool_loses_no_slot_while_the_server_is_away)
{
    struct pg_server server = {0};
    EDDY_PG_POOL pool = NULL;
    EDDY_DEFER(pg_server_close, &server);

    pg_server_start(&server, NULL);
    CHECK_OK(OPEN(&pool, server, .min_size = 2, .max_size = 2));
    pg_server_kill(&server);
    CHECK_OK(eddy_sleep(2));
    for (int i = 0; i < 10; i++)
        CHECK(use(pool, 0) < 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).in_use, 0);
    pg_server_restart(&server);
    CHECK_OK(eddy_sleep(2));
    CHECK_EQ(use(pool, 0), 1);
    eddy_pg_pool_close(&pool);
}

/* P-POOL-19: a server that has no room refuses some; the others go on, and later all. */
TEST(pg_pool_goes_on_when_the_server_has_no_room)
{
    struct pg_server server = {0};
    EDDY_PG_POOL pool = NULL;
    int refused = 0;
    EDDY_DEFER(pg_server_close, &server);

    pg_server_start(&server, "max_connections = 4\nsuperuser_reserved_connections = 0\n"
                             "max_wal_senders = 0\n");
    CHECK_OK(OPEN(&pool, server, .lazy = true, .max_size = 10));
    {
        EDDY_TASKS(tasks, 10);

        CHECK(tasks);
        for (int i = 0; i < 10; i++)
            tasks[i] = eddy_create_task(use, pool, 0.5);
        for (int i = 0; i < 10; i++) {
            int rc = eddy_await(tasks[i]);

            CHECK_THAT(rc == 1 || rc == EDDY_EPG_TOO_MANY_CONNECTIONS, "%s", eddy_error_name(rc));
            refused += rc < 0;
        }
    }
    CHECK(refused >= 6);
    CHECK(eddy_pg_pool_get_counters(pool).size <= 4);
    CHECK_EQ(use(pool, 0), 1);
    eddy_pg_pool_close(&pool);
}

static int sleep_there(eddy_pg_pool *pool)
{
    EDDY_PG_ACQUIRED db = NULL;

    EDDY_TRY(eddy_pg_acquire(pool, &db));
    EDDY_TRY(eddy_pg_execute(db, "SELECT pg_sleep(1000)"));
    return 0;
}
EDDY_ASYNC(sleep_there, eddy_pg_pool *);

/* P-POOL-9, -10: a frozen server holds a release up for its limit, and no longer. */
TEST(pg_pool_gives_a_frozen_server_up_in_time)
{
    struct pg_server server = {0};
    const eddy_pg_options options = {.close_timeout = 0.3};
    EDDY_PG_POOL pool = NULL;
    double begun;
    EDDY_DEFER(pg_server_close, &server);

    pg_server_start(&server, NULL);
    CHECK_OK(OPEN(&pool, server, .lazy = true, .max_size = 1, .connection = &options));
    {
        EDDY_TASK task = eddy_create_task(sleep_there, pool);

        CHECK_OK(eddy_sleep(0.2));
        pg_server_freeze(&server);
        begun = eddy_time();
        CHECK_OK(eddy_cancel(task));
        CHECK_EQ(eddy_await(task), -ECANCELED);
        CHECK(eddy_time() - begun < 3);
    }
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 0);
    begun = eddy_time();
    eddy_pg_pool_close(&pool);
    CHECK(eddy_time() - begun < 1);
    pg_server_thaw(&server);
}

/* A pool whose connections are idle is closed at once, frozen server or not. */
TEST(pg_pool_of_a_frozen_server_is_closed_in_time)
{
    struct pg_server server = {0};
    EDDY_PG_POOL pool = NULL;
    double begun;
    EDDY_DEFER(pg_server_close, &server);

    pg_server_start(&server, NULL);
    CHECK_OK(OPEN(&pool, server, .min_size = 3, .max_size = 3));
    pg_server_freeze(&server);
    begun = eddy_time();
    eddy_pg_pool_close(&pool);
    CHECK(eddy_time() - begun < 1);
    pg_server_thaw(&server);
}

static int feed_slowly(eddy_stream *stream)
{
    EDDY_STREAM own = stream;

    for (int i = 0;; i++) {
        EDDY_TRY(eddy_printf(own, "%d\t%0500d\n", i, i));
        EDDY_TRY(eddy_sleep(0.001));
    }
}
EDDY_ASYNC(feed_slowly, eddy_stream *);

static int kill_later(struct pg_server *server)
{
    EDDY_TRY(eddy_sleep(0.3));
    pg_server_kill(server);
    return 0;
}
EDDY_ASYNC(kill_later, struct pg_server *);

/* What is left of a server may still say that it ends. */
static bool is_loss(int64_t rc)
{
    return rc == EDDY_EPG_LOST || rc == EDDY_EPG_CRASH_SHUTDOWN || rc == EDDY_EPG_ADMIN_SHUTDOWN;
}

/* A server that dies in the middle of a COPY ends it, both ways. */
TEST(pg_copy_ends_when_its_server_dies)
{
    struct pg_server server = {0};
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL;
    eddy_stream *far = NULL;
    EDDY_DEFER(pg_server_close, &server);

    pg_server_start(&server, NULL);
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &db));
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMPORARY TABLE t (i int, name text)"));
    CHECK_OK(eddy_stream_pair(&near, &far));
    {
        EDDY_TASK feeder = eddy_create_task(feed_slowly, far);
        EDDY_TASK killer = eddy_create_task(kill_later, &server);

        CHECK(is_loss(eddy_pg_copy_in(db, "t", NULL, near)));
        CHECK_OK(eddy_await(killer));
        CHECK(!eddy_task_done(feeder));
    }
    CHECK(eddy_pg_is_closed(db));
    CHECK_EQ(eddy_pg_copy_in(db, "t", NULL, near), EDDY_EPG_CLOSED);
    eddy_pg_close(&db);
}

static int drain(eddy_stream *stream)
{
    EDDY_STREAM own = stream;
    char data[4096];
    ssize_t size;

    while ((size = eddy_read(own, data, sizeof data)) > 0)
        continue;
    return (int)size;
}
EDDY_ASYNC(drain, eddy_stream *);

TEST(pg_copy_out_ends_when_its_server_dies)
{
    struct pg_server server = {0};
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL;
    eddy_stream *far = NULL;
    EDDY_DEFER(pg_server_close, &server);

    pg_server_start(&server, NULL);
    CHECK_OK(eddy_pg_connect(server.dsn, NULL, &db));
    CHECK_OK(eddy_stream_pair(&near, &far));
    {
        EDDY_TASK drainer = eddy_create_task(drain, far);
        EDDY_TASK killer = eddy_create_task(kill_later, &server);

        CHECK(is_loss(eddy_pg_copy_query_out(db, NULL, near,
                                             "SELECT g, pg_sleep(0.001) FROM "
                                             "generate_series(1, 100000000) g")));
        CHECK_OK(eddy_await(killer));
        CHECK_OK(eddy_stream_close(&near));
        CHECK_OK(eddy_await(drainer));
    }
    CHECK(eddy_pg_is_closed(db));
    eddy_pg_close(&db);
}
