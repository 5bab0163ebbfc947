/* SPDX-License-Identifier: MIT */
/* The task that closes and opens connections: P-POOL-4, -11, -12. */
#include <eddy/debug.h>

#include "pools.h"

/* P-POOL-3, -4: surplus ones expire, the latest stay in use; never below min_size. */
TEST(pg_pool_closes_what_is_idle_for_too_long_down_to_its_min_size)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE one = NULL, two = NULL, three = NULL;

    CHECK_OK(OPEN_FULL(&pool, .min_size = 1, .max_size = 3, .idle_time = 100));
    CHECK_OK(eddy_pg_acquire(pool, &one));
    CHECK_OK(eddy_pg_acquire(pool, &two));
    CHECK_OK(eddy_pg_acquire(pool, &three));
    give(&one);
    give(&two);
    CHECK_OK(eddy_sleep(60));
    give(&three);
    CHECK_OK(eddy_sleep(50));
    CHECK_EQ(stand.open, 1);
    CHECK_OK(eddy_sleep(1000));
    CHECK_EQ(stand.open, 1);
    CHECK_OK(eddy_pg_acquire(pool, &three));
    CHECK_EQ(fake_number(three), 3);
}

/* Those in use count: what is idle goes down to min_size in all. */
TEST(pg_pool_keeps_an_idle_connection_that_is_in_use_now_and_then)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool, .idle_time = 10));
    for (int i = 0; i < 20; i++) {
        CHECK_OK(eddy_pg_acquire(pool, &db));
        give(&db);
        CHECK_OK(eddy_sleep(4));
    }
    CHECK_EQ(stand.connects, 1);
    CHECK_OK(eddy_sleep(11));
    CHECK_EQ(stand.open, 0);
}

/* A pool at rest has neither a task nor a timer. */
TEST(pg_pool_at_rest_has_no_task_and_no_timer)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;
    eddy_stats stats;

    CHECK_OK(OPEN_FULL(&pool, .min_size = 1, .max_size = 3, .age = 7));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    give(&db);
    CHECK(!pool->keeper);
    eddy_get_stats(&stats);
    CHECK_EQ(stats.tasks, 1);
    CHECK_EQ(stats.timers, 0);
}

/* P-POOL-4 [C]: what is lost is made up for. */
TEST(pg_pool_refills_to_its_min_size)
{
    STAND(stand, .connect_time = 1);
    EDDY_PG_POOL pool = NULL;
    FAKE one = NULL, two = NULL;

    CHECK_OK(OPEN_FULL(&pool, .min_size = 2, .max_size = 4));
    CHECK_OK(eddy_pg_acquire(pool, &one));
    CHECK_OK(eddy_pg_acquire(pool, &two));
    fake_of(one)->closed = fake_of(two)->closed = true;
    give(&one);
    give(&two);
    CHECK_EQ(stand.open, 0);
    CHECK_OK(eddy_sleep(5));
    CHECK_EQ(stand.open, 2);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 2);
}

/* Without a server it does not try again and again. */
TEST(pg_pool_refills_once_a_second_at_most_while_it_fails)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE one = NULL, two = NULL;
    int before;

    CHECK_OK(OPEN_FULL(&pool, .min_size = 2, .max_size = 2));
    CHECK_OK(eddy_pg_acquire(pool, &one));
    CHECK_OK(eddy_pg_acquire(pool, &two));
    fake_of(one)->closed = true;
    stand.refuse = 1000;
    stand.code = -ECONNREFUSED;
    give(&one);
    before = stand.connects;
    for (int i = 0; i < 1000; i++) {
        give(&two);
        CHECK_OK(eddy_pg_acquire(pool, &two));
        CHECK_OK(eddy_sleep(0.01));
    }
    CHECK(stand.connects - before <= 11);
    CHECK(stand.connects - before >= 8);
    stand.refuse = 0;
    CHECK_OK(eddy_sleep(1));
    give(&two);
    test_settle();
    CHECK_EQ(stand.open, 2);
}

/* P-POOL-11: all are replaced: idle ones now, others when they are given back. */
TEST(pg_pool_replaces_all_connections_on_demand)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN_FULL(&pool, .min_size = 3, .max_size = 3));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    eddy_pg_expire_connections(pool);
    test_settle();
    CHECK_EQ(stand.connects, 5);
    CHECK_EQ(stand.open, 3);
    give(&db);
    test_settle();
    CHECK_EQ(stand.connects, 6);
    CHECK_EQ(stand.open, 3);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK(fake_number(db) > 3);
}

/* P-POOL-19: a connection that is being closed still counts. */
TEST(pg_pool_counts_a_connection_until_it_is_closed)
{
    STAND(stand, .close_time = 1);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN_FULL(&pool, .min_size = 1, .max_size = 1));
    eddy_pg_expire_connections(pool);
    CHECK_OK(eddy_sleep(0.5));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_EQ(stand.most, 1);
    CHECK_EQ(fake_number(db), 2);
}
