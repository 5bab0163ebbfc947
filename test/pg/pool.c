/* SPDX-License-Identifier: MIT */
/* Who gets which connection: P-POOL-3, -5 to -7, -9 to -13, -16, -19. */
#include "pg/pool.h"

#include <eddy/debug.h>

#include "pools.h"

/* A user of a connection, who notes when he got it. */
struct user {
    eddy_pg_pool *pool;
    char *log, name;
    eddy_event leave;
    bool uses;
};

static int use(struct user *user)
{
    FAKE db = NULL;

    EDDY_TRY(eddy_pg_acquire(user->pool, &db));
    user->log[strlen(user->log)] = user->name;
    if (user->uses)
        fake_use(db);
    return eddy_event_wait(&user->leave);
}
EDDY_ASYNC(use, struct user *);

#define USER(the_name)                                                                             \
    {                                                                                              \
        .pool = pool, .log = log, .name = (the_name), .leave = EDDY_EVENT_INIT                     \
    }

/* P-POOL-3: the last one that was given back comes first. */
TEST(pg_pool_gives_the_connection_that_was_given_back_last)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE one = NULL, two = NULL, three = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &one));
    CHECK_OK(eddy_pg_acquire(pool, &two));
    CHECK_OK(eddy_pg_acquire(pool, &three));
    give(&two);
    give(&one);
    give(&three);
    CHECK_OK(eddy_pg_acquire(pool, &three));
    CHECK_EQ(fake_number(three), 3);
    CHECK_OK(eddy_pg_acquire(pool, &one));
    CHECK_EQ(fake_number(one), 1);
    CHECK_OK(eddy_pg_acquire(pool, &two));
    CHECK_EQ(fake_number(two), 2);
    CHECK_EQ(stand.connects, 3);
}

/* P-POOL-5: first come, first served. */
TEST(pg_pool_serves_waiters_in_the_order_of_coming)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    char log[8] = "";

    CHECK_OK(OPEN(&pool, .max_size = 2));
    {
        struct user users[] = {USER('1'), USER('2'), USER('3'), USER('4'), USER('5')};
        EDDY_GROUP(group);

        for (size_t i = 0; i < 5; i++)
            CHECK_OK(eddy_group_create_task(&group, use, &users[i]));
        test_settle();
        CHECK_STR(log, "12");
        CHECK_EQ(eddy_pg_pool_get_counters(pool).waiting, 3);
        eddy_event_set(&users[1].leave);
        test_settle();
        CHECK_STR(log, "123");
        for (size_t i = 0; i < 5; i++)
            eddy_event_set(&users[i].leave);
        CHECK_OK(eddy_group_join(&group));
    }
    CHECK_STR(log, "12345");
    CHECK_EQ(stand.most, 2);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).in_use, 0);
}

/* P-POOL-5: what is given back while somebody waits is his before he has run again. */
TEST(pg_pool_lets_nobody_overtake_a_waiter)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;
    char log[8] = "";

    CHECK_OK(OPEN(&pool, .max_size = 1));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    {
        struct user waiter = USER('w');
        EDDY_TASK task = eddy_create_task(use, &waiter);

        test_settle();
        give(&db);
        CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 0);
        CHECK_EQ(eddy_pg_pool_get_counters(pool).in_use, 1);
        CHECK_EQ(eddy_pg_pool_get_counters(pool).waiting, 0);
        eddy_event_set(&waiter.leave);
        CHECK_OK(eddy_pg_acquire(pool, &db));
        CHECK_STR(log, "w");
        CHECK_OK(eddy_await(task));
    }
}

/* P-POOL-5: a waiter who gives up leaves no trace; in the same moment, either. */
TEST(pg_pool_passes_on_what_a_cancelled_waiter_was_given)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;
    char log[8] = "";

    CHECK_OK(OPEN(&pool, .max_size = 1));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    {
        struct user users[] = {USER('1'), USER('2'), USER('3')};
        EDDY_TASK first = eddy_create_task(use, &users[0]);
        EDDY_TASK second = eddy_create_task(use, &users[1]);
        EDDY_TASK third = eddy_create_task(use, &users[2]);

        test_settle();
        CHECK_OK(eddy_cancel(first));
        test_settle();
        CHECK_EQ(eddy_pg_pool_get_counters(pool).waiting, 2);
        CHECK_OK(eddy_cancel(second));
        give(&db);
        test_settle();
        CHECK_STR(log, "3");
        eddy_event_set(&users[2].leave);
        CHECK_OK(eddy_await(third));
        CHECK_EQ(eddy_await(first), -ECANCELED);
        CHECK_EQ(eddy_await(second), -ECANCELED);
    }
    CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 1);
}

/* P-POOL-6: the limit is of the waiting, */
TEST(pg_pool_gives_up_waiting_in_time)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL, none = NULL;
    double begun = eddy_time();

    CHECK_OK(OPEN(&pool, .max_size = 1, .acquire_timeout = 3));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_FAILS(eddy_pg_acquire(pool, &none), -ETIMEDOUT, "within 3 s: of 1 at most 1 are in use");
    CHECK(eddy_time() - begun < 3.1);
    CHECK(!none);
    give(&db);
    CHECK_OK(eddy_pg_acquire(pool, &none));
}

/* and of the connecting. */
TEST(pg_pool_gives_up_connecting_in_time)
{
    STAND(stand, .connect_time = 5);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool, .max_size = 1, .acquire_timeout = 3));
    CHECK_FAILS(eddy_pg_acquire(pool, &db), -ETIMEDOUT, "within 3 s");
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).failed, 1);
    stand.connect_time = 1;
    CHECK_OK(eddy_pg_acquire(pool, &db));
}

/* A cancelled task gets none, not even one that lies idle. */
TEST(pg_pool_gives_nothing_to_a_cancelled_task)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    give(&db);
    (void)eddy_cancel(eddy_current_task());
    CHECK_EQ(eddy_pg_acquire(pool, &db), -ECANCELED);
    (void)eddy_uncancel();
    CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 1);
}

/* P-POOL-7: a second handle gives back nothing. */
TEST(pg_pool_takes_a_connection_back_once)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    eddy_pg_connection *copy;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    copy = db;
    give(&db);
    CHECK(!db);
    give(&copy);
    give(&db);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 1);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 1);
}

/* No allocation, no timer, no round trip for one that was not used. */
TEST(pg_pool_takes_and_gives_an_idle_connection_for_nothing)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;
    eddy_stats before, after;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    give(&db);
    test_settle();
    eddy_get_stats(&before);
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(eddy_pg_acquire(pool, &db));
        give(&db);
    }
    eddy_get_stats(&after);
    CHECK_EQ(after.blocks, before.blocks);
    CHECK_EQ(after.timers, before.timers);
    CHECK_EQ(stand.settles, 0);
    CHECK_EQ(stand.resets, 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).acquired, 1001);
}

/* P-POOL-8: what was run is undone, an open transaction said. */
TEST(pg_pool_resets_a_connection_that_was_used)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    fake_use(db);
    give(&db);
    CHECK_EQ(stand.resets, 1);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    give(&db);
    CHECK_EQ(stand.resets, 1);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    fake_use(db);
    fake_of(db)->in_transaction = true;
    give(&db);
    CHECK_HAS(test_report(), "within a transaction, which is rolled back");
    CHECK_EQ(stand.resets, 2);
    CHECK_EQ(stand.closes, 0);
}

/* P-NOTIFY-7: what a user has left on it without a query is undone, too. */
TEST(pg_pool_resets_a_connection_that_is_listened_to)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    fake_of(db)->held = true;
    give(&db);
    CHECK_EQ(stand.settles, 1);
    CHECK_EQ(stand.resets, 1);
}

/* P-POOL-9: what cannot be reset is closed, and its slot is free. */
TEST(pg_pool_closes_a_connection_that_cannot_be_reset)
{
    STAND(stand, .reset_code = -EIO);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool, .max_size = 1));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    fake_use(db);
    give(&db);
    CHECK_EQ(stand.open, 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 0);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_EQ(fake_number(db), 2);
}

/* P-POOL-9: or takes too long. */
TEST(pg_pool_closes_a_connection_whose_reset_takes_too_long)
{
    STAND(stand, .settle_time = 1000);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;
    eddy_pg_options options = {.close_timeout = 2};
    double begun;

    CHECK_OK(OPEN(&pool, .max_size = 1, .connection = &options));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    fake_use(db);
    begun = eddy_time();
    give(&db);
    CHECK(eddy_time() - begun >= 2 && eddy_time() - begun < 2.1);
    CHECK_EQ(stand.open, 0);
}

/* Ends with what it does not give back itself. */
static int use_and_wait(eddy_pg_pool *pool)
{
    FAKE db = NULL;

    EDDY_TRY(eddy_pg_acquire(pool, &db));
    fake_use(db);
    return eddy_sleep(1000);
}
EDDY_ASYNC(use_and_wait, eddy_pg_pool *);

/* P-POOL-10, -16: a cancelled task gives its connection back, reset. */
TEST(pg_pool_resets_behind_a_cancelled_task)
{
    STAND(stand, .settle_time = 1);
    EDDY_PG_POOL pool = NULL;

    CHECK_OK(OPEN(&pool));
    {
        EDDY_TASK task = eddy_create_task(use_and_wait, pool);

        test_settle();
        CHECK_OK(eddy_cancel(task));
        CHECK_EQ(eddy_await(task), -ECANCELED);
    }
    CHECK_EQ(stand.resets, 1);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).idle, 1);
}

/* P-POOL-11 */
TEST(pg_pool_replaces_a_connection_behind_so_many_queries)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool, .max_queries = 5));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_pg_acquire(pool, &db));
        CHECK_EQ(fake_number(db), 1);
        fake_use(db);
        give(&db);
    }
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_EQ(fake_number(db), 2);
}

/* P-POOL-11 and `age`: at the next use, or when it is given back. */
TEST(pg_pool_replaces_a_connection_of_its_age)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool, .age = 60, .idle_time = EDDY_FOREVER));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    give(&db);
    CHECK_OK(eddy_sleep(61));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_EQ(fake_number(db), 2);
    CHECK_OK(eddy_sleep(61));
    give(&db);
    CHECK_EQ(stand.open, 0);
}

/* P-POOL-12: one that is closed is not given, nor one that is found dead when it was idle. */
TEST(pg_pool_replaces_a_dead_connection_unseen)
{
    STAND(stand);
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool, .max_size = 1));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    fake_of(db)->closed = true;
    give(&db);
    CHECK_EQ(stand.open, 0);
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_EQ(fake_number(db), 2);
    fake_of(db)->half_dead = true;
    give(&db);
    CHECK_OK(eddy_pg_acquire(pool, &db)); /* at once: nobody has looked */
    CHECK_EQ(fake_number(db), 2);
    give(&db);
    CHECK_OK(eddy_sleep(2));
    CHECK_OK(eddy_pg_acquire(pool, &db));
    CHECK_EQ(fake_number(db), 3);
    CHECK_EQ(stand.open, 1);
}

/* P-POOL-19: the next one tries. */
TEST(pg_pool_lets_the_next_one_try_when_connecting_fails)
{
    STAND(stand, .connect_time = 1, .refuse = 1, .code = -ECONNREFUSED);
    EDDY_PG_POOL pool = NULL;
    char log[8] = "";

    CHECK_OK(OPEN(&pool, .max_size = 1));
    {
        struct user users[] = {USER('1'), USER('2')};
        EDDY_TASK first = eddy_create_task(use, &users[0]);
        EDDY_TASK second = eddy_create_task(use, &users[1]);

        CHECK_EQ(eddy_await(first), -ECONNREFUSED);
        eddy_event_set(&users[1].leave);
        CHECK_OK(eddy_await(second));
    }
    CHECK_STR(log, "2");
    CHECK_EQ(stand.most_connecting, 1);
}

static int by_chance(struct user *user)
{
    FAKE db = NULL;

    EDDY_TRY(eddy_pg_acquire(user->pool, &db));
    if (user->uses)
        fake_use(db);
    fake_of(db)->closed = user->name == 'c';
    (void)eddy_event_wait(&user->leave); /* a cancel leaves, too */
    return 0;
}
EDDY_ASYNC(by_chance, struct user *);

static void check_invariant(const eddy_pg_pool *pool, const struct stand *stand)
{
    size_t sum = 0;

    for (size_t i = 0; i < PG_SLOT_STATES; i++)
        sum += pool->counts[i];
    CHECK_EQ(sum, pool->size);
    CHECK(pool->size <= pool->options.max_size);
    CHECK(stand->open + stand->connecting <= (int)pool->options.max_size);
    CHECK(!pool->waiters.first || (!pool->idle.first && pool->size == pool->options.max_size));
}

/* P-POOL-19: never more than max_size, and nobody is forgotten, whatever happens. */
TEST(pg_pool_forgets_nobody_whoever_leaves_or_fails)
{
    enum { USERS = 60 };
    STAND(stand, .connect_time = 0.001, .code = -EIO);
    EDDY_PG_POOL pool = NULL;
    struct user users[USERS];
    uint32_t seed = 7;

    CHECK_OK(OPEN(&pool, .max_size = 5));
    {
        EDDY_TASKS(tasks, USERS);

        CHECK(tasks);
        for (size_t i = 0; i < USERS; i++) {
            seed = seed * 1103515245 + 12345;
            users[i] = (struct user){.pool = pool,
                                     .name = seed & 0x800 ? 'c' : 'o',
                                     .uses = seed & 0x1000,
                                     .leave = EDDY_EVENT_INIT};
            tasks[i] = eddy_create_task(by_chance, &users[i]);
        }
        for (int step = 0; step < 400; step++) {
            size_t i = (seed >> 9) % USERS;

            seed = seed * 1103515245 + 12345;
            stand.refuse = (seed >> 20) % 3;
            if (seed & 0x10000)
                (void)eddy_cancel(tasks[i]);
            else
                eddy_event_set(&users[i].leave);
            CHECK_OK(eddy_sleep(seed & 0x20000 ? 0.0007 : 0));
            check_invariant(pool, &stand);
        }
        for (size_t i = 0; i < USERS; i++)
            eddy_event_set(&users[i].leave);
        CHECK_OK(eddy_sleep(10));
        for (size_t i = 0; i < USERS; i++)
            CHECK(eddy_task_done(tasks[i]) && eddy_task_error(tasks[i]) <= 0);
    }
    check_invariant(pool, &stand);
    CHECK_EQ(pool->size, pool->counts[PG_SLOT_IDLE]);
    CHECK_EQ(pool->waiting, 0);
}

/* P-POOL-13: hooks, each of which may fail: the connection is closed, the acquirer told. */
struct hooks {
    int inits, setups, resets;
    int init_code, setup_code, reset_code;
};

static int count_init(eddy_pg_connection *connection, void *argument)
{
    struct hooks *hooks = argument;

    fake_use(connection);
    hooks->inits++;
    EDDY_TRY(eddy_sleep(0.1));
    return hooks->init_code;
}

static int count_setup(eddy_pg_connection *connection, void *argument)
{
    struct hooks *hooks = argument;

    (void)connection;
    hooks->setups++;
    EDDY_TRY(eddy_sleep(0.1));
    return hooks->setup_code;
}

static int count_reset(eddy_pg_connection *connection, void *argument)
{
    struct hooks *hooks = argument;

    (void)connection;
    hooks->resets++;
    EDDY_TRY(eddy_sleep(0.1));
    return hooks->reset_code;
}

TEST(pg_pool_calls_its_hooks)
{
    STAND(stand);
    struct hooks hooks = {0};
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool, .init = count_init, .setup = count_setup, .reset = count_reset,
                  .argument = &hooks));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_pg_acquire(pool, &db));
        give(&db);
    }
    CHECK_EQ(hooks.inits, 1);
    CHECK_EQ(hooks.setups, 3);
    CHECK_EQ(hooks.resets, 3);
    CHECK_EQ(stand.resets, 0);
}

TEST(pg_pool_closes_a_connection_whose_hook_fails)
{
    STAND(stand);
    struct hooks hooks = {.init_code = -EACCES};
    EDDY_PG_POOL pool = NULL;
    FAKE db = NULL;

    CHECK_OK(OPEN(&pool, .init = count_init, .setup = count_setup, .reset = count_reset,
                  .argument = &hooks, .max_size = 1));
    CHECK_EQ(eddy_pg_acquire(pool, &db), -EACCES);
    CHECK_EQ(stand.open, 0);
    hooks.init_code = 0;
    hooks.setup_code = -EBADMSG;
    CHECK_EQ(eddy_pg_acquire(pool, &db), -EBADMSG);
    CHECK_EQ(stand.open, 0);
    hooks.setup_code = 0;
    hooks.reset_code = -EDOM;
    CHECK_OK(eddy_pg_acquire(pool, &db));
    give(&db);
    CHECK_EQ(stand.open, 0);
    CHECK_EQ(eddy_pg_pool_get_counters(pool).size, 0);
}

/* All of it, for the sweeps below. */
static int one_day(void)
{
    STAND(stand, .connect_time = 0.1, .settle_time = 0.1, .close_time = 0.1);
    EDDY_PG_POOL pool = NULL;

    EDDY_TRY(OPEN_FULL(&pool, .min_size = 2, .max_size = 3, .idle_time = 1));
    {
        char log[8] = "";
        struct user users[] = {USER('1'), USER('2'), USER('3'), USER('4'), USER('5')};
        EDDY_GROUP(group);

        for (size_t i = 0; i < 5; i++) {
            users[i].uses = i % 2;
            eddy_event_set(&users[i].leave);
            EDDY_TRY(eddy_group_create_task(&group, use, &users[i]));
        }
        EDDY_TRY(eddy_group_join(&group));
    }
    EDDY_TRY(eddy_sleep(2));
    return eddy_expect_equal(pool->counts[PG_SLOT_OPENING], 0);
}
EDDY_ASYNC(one_day);

/* Issue 7, 3: no cancel and no lack of memory leaks a slot or a connection. */
RAW_TEST(pg_pool_survives_every_cancel_and_lack_of_memory)
{
    CHECK_OK(eddy_test_thoroughly(one_day));
}
