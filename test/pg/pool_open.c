/* SPDX-License-Identifier: MIT */
/* The beginning and the end of a pool: P-POOL-1, -2, -15, -17. */
#include <eddy/debug.h>
#include <math.h>

#include "pools.h"

/* P-POOL-1 */
TEST(pg_pool_has_ten_connections_unless_told_otherwise)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL, small = NULL, large = NULL;

    CHECK_OK(OPEN_FULL(&pool));
    CHECK_EQ(stand.open, 10);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).min_size, 10);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).max_size, 10);
    CHECK_OK(OPEN_FULL(&small, .max_size = 3));
    CHECK_EQ(eddy_pg_pool_get_counters(small).min_size, 3);
    CHECK_OK(OPEN_FULL(&large, .min_size = 12));
    CHECK_EQ(eddy_pg_pool_get_counters(large).max_size, 12);
}

/* P-POOL-1 */
TEST(pg_pool_refuses_sizes_and_times_that_make_no_sense)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;

    CHECK_FAILS(OPEN_FULL(&pool, .min_size = 3, .max_size = 2), -EINVAL, "greater than its max");
    CHECK_FAILS(OPEN_FULL(&pool, .min_size = 3, .lazy = true), -EINVAL, "no min_size");
    CHECK_FAILS(OPEN_FULL(&pool, .idle_time = -1), -EINVAL, "negative");
    CHECK_FAILS(OPEN_FULL(&pool, .age = (double)NAN), -EINVAL, "negative");
    CHECK_FAILS(OPEN_FULL(&pool, .acquire_timeout = -1), -EINVAL, "negative");
    CHECK_EQ(stand.connects, 0);
}

/* P-POOL-2: one, then all others together. */
TEST(pg_pool_opens_one_and_then_the_others_at_once)
{
    STAND(stand, .connect_time = 1);
    EDDY_PG_POOL pool = NULL;
    double begun = eddy_time();

    CHECK_OK(OPEN_FULL(&pool, .min_size = 8));
    CHECK(eddy_time() - begun < 2.1);
    CHECK_EQ(stand.open, 8);
    CHECK_EQ(stand.most_connecting, 7);
}

/* P-POOL-2: what is wrong shows at once, and once. */
TEST(pg_pool_that_cannot_connect_does_not_open)
{
    STAND(stand, .refuse = 1, .code = -EACCES);
    EDDY_PG_POOL pool = NULL;

    CHECK_FAILS(OPEN_FULL(&pool, .min_size = 8), -EACCES, "refused");
    CHECK_EQ(stand.connects, 1);
    CHECK(!pool);
}

static int refuse_fifth(const char *dsn, const eddy_pg_options *options, void *argument,
                        eddy_pg_connection **out)
{
    return fake_stand->connects >= 5 ? eddy_raise(-EMFILE, "no more")
                                     : fake_connect(dsn, options, argument, out);
}

TEST(pg_pool_that_cannot_connect_often_enough_does_not_open)
{
    STAND(stand, .connect_time = 1);
    EDDY_PG_POOL pool = NULL;

    CHECK_FAILS(OPEN_FULL(&pool, .min_size = 8, .connect = refuse_fifth), -EMFILE, "no more");
    CHECK_EQ(stand.open, 0);
}

/* A lazy one opens on demand. */
TEST(pg_pool_that_is_lazy_opens_nothing_at_first)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_EQ(stand.connects, 0);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 1);
}

RAW_TEST(pg_pool_is_opened_by_a_task)
{
    eddy_pg_pool *pool = NULL;

    CHECK_EQ(OPEN(&pool), -EPERM);
    eddy_pg_pool_close(&pool);
}

/* P-POOL-17: what later connections are made with; texts are the pool's own. */
TEST(pg_pool_copies_and_changes_what_it_connects_with)
{
    char dsn[] = "first", user[] = "ann", name[] = "search_path";
    const char *settings[] = {name, "a", NULL};
    eddy_pg_options options = {.user = user, .settings = settings};
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE one = NULL, two = NULL;

    CHECK_OK(pg_pool_open(dsn, &(eddy_pg_pool_options){.lazy = true, .connection = &options},
                          &fake_ways, &pool));
    dsn[0] = user[0] = name[0] = 'X';
    CHECK_OK(eddy_pg_acquire(pool, &one));
    CHECK_STR(stand.dsn, "first");
    CHECK_STR(stand.user, "ann");
    CHECK_STR(pool->arguments->options.settings[0], "search_path");
    CHECK_STR(pool->arguments->options.settings[1], "a");
    CHECK(!pool->arguments->options.settings[2]);
    CHECK_OK(eddy_pg_set_connect_arguments(pool, "second", NULL));
    CHECK_OK(eddy_pg_acquire(pool, &two));
    CHECK_STR(stand.dsn, "second");
    CHECK(!stand.user);
}

static int hold(eddy_pg_pool *pool, double seconds)
{
    FAKE db = NULL;

    EDDY_TRY(eddy_pg_acquire(pool, &db));
    return eddy_sleep(seconds);
}
EDDY_ASYNC(hold, eddy_pg_pool *, double);

/* P-POOL-15: a close waits for those in use; who waits for one is told. */
TEST(pg_pool_close_waits_for_connections_in_use)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    double begun = eddy_time();

    CHECK_OK(OPEN(&pool, .max_size = 1));
    {
        eddy_pg_pool *copy = pool;
        EDDY_TASK user = eddy_create_task(hold, copy, 5);
        EDDY_TASK waiter = eddy_create_task(hold, copy, 5);

        test_settle();
        eddy_pg_pool_close(&pool);
        CHECK(!pool);
        CHECK(eddy_time() - begun >= 5 && eddy_time() - begun < 5.1);
        CHECK_OK(eddy_await(user));
        CHECK_FAILS(eddy_await(waiter), EDDY_EPG_CLOSED, "the pool is closed");
    }
    CHECK_EQ(stand.open, 0);
    CHECK_EQ(stand.terminations, 0);
    eddy_pg_pool_close(&pool);
}

/* P-POOL-15: after a while it says so. */
TEST(pg_pool_close_says_that_it_waits_for_long)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    {
        EDDY_TASK user = eddy_create_task(hold, pool, 100);

        test_settle();
        eddy_pg_pool_close(&pool);
        CHECK_HAS(test_report(), "still waits for connections");
        CHECK_OK(eddy_await(user));
    }
}

static int close_pool(eddy_pg_pool *pool)
{
    eddy_pg_pool_close(&pool);
    return eddy_cancelled() ? -ECANCELED : 0;
}
EDDY_ASYNC(close_pool, eddy_pg_pool *);

/* P-POOL-15: a close that is cancelled terminates all; the last one given back frees the pool. */
TEST(pg_pool_close_that_is_cancelled_terminates)
{
    STAND(stand);
    eddy_pg_pool *pool = NULL;
    FAKE idle = NULL, db = NULL;
    int rc;

    CHECK_OK(OPEN(&pool));
    if ((rc = eddy_pg_acquire(pool, &db)) < 0 || (rc = eddy_pg_acquire(pool, &idle)) < 0) {
        give(&db);
        eddy_pg_pool_close(&pool);
        CHECK_OK(rc);
    }
    give(&idle);
    {
        EDDY_TASK closer = eddy_create_task(close_pool, pool);

        (void)eddy_sleep(1);
        CHECK_OK(eddy_cancel(closer));
        CHECK_EQ(eddy_await(closer), -ECANCELED);
    }
    CHECK(fake_is_closed(db));
    CHECK_EQ(stand.aborts, 1);
    CHECK_EQ(stand.open, 1);
    give(&db);
    CHECK_EQ(stand.open, 0);
}

/* P-POOL-15 */
TEST(pg_pool_terminate_ends_all_connections_at_once)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE idle = NULL, db = NULL, none = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_OK(eddy_pg_acquire(pool, &idle));
    give(&idle);
    eddy_pg_pool_terminate(pool);
    CHECK(fake_is_closed(db));
    CHECK_EQ(stand.terminations, 1);
    CHECK_FAILS(eddy_pg_acquire(pool, &none), EDDY_EPG_CLOSED, "the pool is closed");
    CHECK(eddy_pg_pool_get_counters(pool).closing);
    eddy_pg_pool_terminate(pool);
    give(&db);
    CHECK_EQ(stand.open, 0);
}

/* Who is connecting when the pool is closed gets nothing. */
TEST(pg_pool_close_waits_for_a_connect_and_closes_what_it_gave)
{
    STAND(stand, .connect_time = 5);
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    {
        EDDY_TASK user = eddy_create_task(hold, pool, 1);

        (void)eddy_sleep(1);
        eddy_pg_pool_close(&pool);
        CHECK_EQ(eddy_await(user), EDDY_EPG_CLOSED);
    }
    CHECK_EQ(stand.open, 0);
}
