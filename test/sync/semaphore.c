/* SPDX-License-Identifier: MIT */
/* Semaphores: rules A-SEM-1 to A-SEM-7. */
#include "harness.h"

static int order[256], passed, holders, peak;
static int bumps;

static int hold(eddy_semaphore *semaphore, int who, double seconds)
{
    EDDY_TRY(eddy_semaphore_acquire(semaphore));
    EDDY_DEFER(eddy_semaphore_release, semaphore);
    if (++holders > peak)
        peak = holders;
    order[passed++] = who;
    int rc = eddy_sleep(seconds);
    holders--;
    return rc;
}
EDDY_ASYNC(hold, eddy_semaphore *, int, double);

static int bump_for_ever(void)
{
    for (;;) {
        bumps++;
        EDDY_TRY(eddy_sleep(0));
    }
}
EDDY_ASYNC(bump_for_ever);

/* A-SEM-1: a negative initial value is an error. */
TEST(semaphore_of_less_than_nothing_is_refused)
{
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(-1);

    CHECK_EQ(eddy_semaphore_acquire(&semaphore), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "-1");
    CHECK_EQ(eddy_semaphore_acquire_nowait(&semaphore), -EAGAIN);
}

/* A-SEM-2: a permit that is left is taken without yielding. */
TEST(semaphore_with_permits_is_no_wait)
{
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(3);
    EDDY_TASK other = eddy_create_task(bump_for_ever);

    for (int i = 0; i < 3; i++) {
        CHECK(!eddy_semaphore_locked(&semaphore));
        CHECK_OK(eddy_semaphore_acquire(&semaphore));
    }
    CHECK(eddy_semaphore_locked(&semaphore)); /* A-SEM-5 */
    CHECK_EQ(eddy_semaphore_acquire_nowait(&semaphore), -EAGAIN);
    CHECK_OK(eddy_semaphore_release(&semaphore));
    CHECK(!eddy_semaphore_locked(&semaphore));
    CHECK_EQ(bumps, 0);
}

/* A-SEM-2: first come, first served. */
TEST(semaphore_serves_waiters_first_come_first_served)
{
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(2);
    EDDY_GROUP(group);

    for (int i = 0; i < 20; i++)
        CHECK_OK(eddy_group_create_task(&group, hold, &semaphore, i, 1.0));
    CHECK_OK(eddy_group_join(&group));
    for (int i = 0; i < 20; i++)
        CHECK_EQ(order[i], i);
    CHECK(!eddy_semaphore_locked(&semaphore));
}

/* A-SEM-2, A-SEM-3: the permit is the first waiter's before it runs; no barging. */
TEST(semaphore_permit_released_to_a_waiter_cannot_be_taken_by_another)
{
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(1);
    CHECK_OK(eddy_semaphore_acquire(&semaphore));
    EDDY_TASK waiter = eddy_create_task(hold, &semaphore, 1, 0.0);

    test_settle();
    CHECK_OK(eddy_semaphore_release(&semaphore));
    CHECK(eddy_semaphore_locked(&semaphore));
    CHECK_EQ(eddy_semaphore_acquire_nowait(&semaphore), -EAGAIN);
    CHECK_OK(hold(&semaphore, 2, 0)); /* queues behind it */
    CHECK_EQ(order[0], 1);
    CHECK_EQ(order[1], 2);
    CHECK_OK(eddy_await(waiter));
}

/* A-SEM-4, peers 6a (aiohttp 9670): granted and cancelled in one tick, nothing is lost. */
TEST(semaphore_waiter_cancelled_in_the_tick_of_its_grant_gives_the_permit_on)
{
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(1);
    CHECK_OK(eddy_semaphore_acquire(&semaphore));
    EDDY_TASK granted = eddy_create_task(hold, &semaphore, 1, 5.0);
    EDDY_TASK next = eddy_create_task(hold, &semaphore, 2, 0.0);

    test_settle();
    CHECK_OK(eddy_semaphore_release(&semaphore));
    CHECK_OK(eddy_cancel(granted));
    CHECK_OK(eddy_await(next));
    CHECK_EQ(eddy_await(granted), -ECANCELED);
    CHECK_OK(eddy_semaphore_acquire_nowait(&semaphore));          /* there is one, */
    CHECK_EQ(eddy_semaphore_acquire_nowait(&semaphore), -EAGAIN); /* and no more */
}

/* A-SEM-4: cancelled while it waits, it takes nothing. */
TEST(semaphore_waiter_cancelled_while_it_waits_takes_nothing)
{
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(1);
    CHECK_OK(eddy_semaphore_acquire(&semaphore));
    EDDY_TASK a = eddy_create_task(hold, &semaphore, 1, 0.0);
    EDDY_TASK b = eddy_create_task(hold, &semaphore, 2, 0.0);

    test_settle();
    CHECK_OK(eddy_cancel(a));
    CHECK_OK(eddy_semaphore_release(&semaphore)); /* in the same tick: to b */
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK_OK(eddy_await(b));
    CHECK_OK(eddy_semaphore_acquire_nowait(&semaphore));
    CHECK_EQ(eddy_semaphore_acquire_nowait(&semaphore), -EAGAIN);
}

/* A-SEM-6: a plain one may grow. */
TEST(semaphore_may_be_released_above_its_initial_value)
{
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(0);

    CHECK(eddy_semaphore_locked(&semaphore));
    CHECK_OK(eddy_semaphore_release(&semaphore));
    CHECK_OK(eddy_semaphore_release(&semaphore));
    CHECK_OK(eddy_semaphore_acquire_nowait(&semaphore));
    CHECK_OK(eddy_semaphore_acquire_nowait(&semaphore));
    CHECK_EQ(eddy_semaphore_acquire_nowait(&semaphore), -EAGAIN);
}

/* A-SEM-6: a bounded one may not, and is unchanged. */
TEST(semaphore_bounded_refuses_a_release_too_many)
{
    eddy_semaphore semaphore = EDDY_BOUNDED_SEMAPHORE_INIT(2);

    CHECK_EQ(eddy_semaphore_release(&semaphore), -EOVERFLOW);
    CHECK_HAS(eddy_error_message(-EOVERFLOW), "2");
    CHECK_OK(eddy_semaphore_acquire(&semaphore));
    CHECK_OK(eddy_semaphore_release(&semaphore));
    CHECK_EQ(eddy_semaphore_release(&semaphore), -EOVERFLOW);
    CHECK_OK(eddy_semaphore_acquire_nowait(&semaphore));
    CHECK_OK(eddy_semaphore_acquire_nowait(&semaphore));
    CHECK_EQ(eddy_semaphore_acquire_nowait(&semaphore), -EAGAIN);
}

/* A-SEM-7: never more than N holders, with cancels in between; and N are used. */
TEST(semaphore_has_never_more_than_its_value_of_holders)
{
    eddy_semaphore semaphore = EDDY_BOUNDED_SEMAPHORE_INIT(3);
    EDDY_TASKS(tasks, 60);
    CHECK(tasks != NULL);

    for (int i = 0; i < 60; i++)
        tasks[i] = eddy_create_task(hold, &semaphore, i, 1.0 + i % 5);
    for (int i = 0; i < 60; i += 7) {
        CHECK_OK(eddy_sleep(1.3));
        eddy_cancel(tasks[i]);
    }
    for (int i = 0; i < 60; i++)
        (void)eddy_await(tasks[i]); /* cancelled or not */
    CHECK_EQ(peak, 3);
    for (int i = 0; i < 3; i++)
        CHECK_OK(eddy_semaphore_acquire_nowait(&semaphore));
    CHECK_EQ(eddy_semaphore_acquire_nowait(&semaphore), -EAGAIN);
}

static struct {
    eddy_semaphore slots;
} pool = {EDDY_SEMAPHORE_INIT(1)};

/* Static initialisation, embedded; and a wait that times out. */
TEST(semaphore_can_be_static_and_its_wait_can_time_out)
{
    CHECK_OK(eddy_semaphore_acquire(&pool.slots));
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_semaphore_acquire(&pool.slots), -ETIMEDOUT);
    }
    CHECK_OK(eddy_semaphore_release(&pool.slots));
    CHECK_OK(eddy_semaphore_acquire(&pool.slots));
}
