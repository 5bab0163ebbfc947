/* SPDX-License-Identifier: MIT */
/* Locks: rules A-LOCK-1 to A-LOCK-7. */
#include "harness.h"

#include <pthread.h>

static int order[32], passed; /* who got the lock, in order */
static int holders, bumps;

/* Holds the lock for `seconds`. */
static int hold(eddy_lock *lock, int who, double seconds)
{
    EDDY_TRY(eddy_lock_acquire(lock));
    EDDY_DEFER(eddy_lock_release, lock);
    if (++holders != 1)
        test_fail(__FILE__, __LINE__, "%d tasks hold the lock", holders);
    order[passed++] = who;
    int rc = eddy_sleep(seconds);
    holders--;
    return rc;
}
EDDY_ASYNC(hold, eddy_lock *, int, double);

static int bump_for_ever(void)
{
    for (;;) {
        bumps++;
        EDDY_TRY(eddy_sleep(0));
    }
}
EDDY_ASYNC(bump_for_ever);

/* A-LOCK-1: a free lock is taken without yielding. */
TEST(lock_that_is_free_is_taken_without_yielding)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    EDDY_TASK other = eddy_create_task(bump_for_ever);

    CHECK(!eddy_lock_locked(&lock));
    CHECK_OK(eddy_lock_acquire(&lock));
    CHECK(eddy_lock_locked(&lock));
    CHECK_OK(eddy_lock_release(&lock));
    CHECK(!eddy_lock_locked(&lock));
    CHECK_OK(eddy_lock_acquire_nowait(&lock));
    CHECK_EQ(eddy_lock_acquire_nowait(&lock), -EAGAIN);
    CHECK_OK(eddy_lock_release(&lock));
    CHECK_EQ(bumps, 0);
}

/* A-LOCK-2: first come, first served; a newcomer queues behind those who wait. */
TEST(lock_serves_waiters_first_come_first_served)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    CHECK_OK(eddy_lock_acquire(&lock));
    EDDY_TASK a = eddy_create_task(hold, &lock, 0, 1.0);
    EDDY_TASK b = eddy_create_task(hold, &lock, 1, 1.0);
    EDDY_TASK c = eddy_create_task(hold, &lock, 2, 1.0);

    test_settle();
    CHECK_OK(eddy_lock_release(&lock));
    CHECK_OK(hold(&lock, 3, 0)); /* asks in the tick of the release */
    CHECK_EQ(passed, 4);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(order[i], i);
    CHECK_OK(eddy_await(c));
}

/* A-LOCK-3, where Eddy differs: a release hands over, so the lock is never seen free. */
TEST(lock_released_to_a_waiter_stays_locked)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    CHECK_OK(eddy_lock_acquire(&lock));
    EDDY_TASK waiter = eddy_create_task(hold, &lock, 0, 0.0);

    test_settle();
    CHECK_OK(eddy_lock_release(&lock));
    CHECK(eddy_lock_locked(&lock)); /* it is the waiter's */
    CHECK_EQ(eddy_lock_acquire_nowait(&lock), -EAGAIN);
    CHECK_OK(eddy_await(waiter));
    CHECK(!eddy_lock_locked(&lock));
}

/* A-LOCK-4: a cancelled waiter leaves the queue; the others keep their order. */
TEST(lock_waiter_cancelled_while_it_waits_leaves_the_queue)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    CHECK_OK(eddy_lock_acquire(&lock));
    EDDY_TASK a = eddy_create_task(hold, &lock, 0, 0.0);
    EDDY_TASK b = eddy_create_task(hold, &lock, 1, 0.0);

    test_settle();
    CHECK_OK(eddy_cancel(a));
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK(!eddy_task_done(b));
    CHECK_OK(eddy_lock_release(&lock));
    CHECK_OK(eddy_await(b));
    CHECK_EQ(passed, 1);
}

/* A-LOCK-4, promise 3: one that had been given it has it, and gives it on. */
TEST(lock_waiter_cancelled_in_the_tick_of_its_grant_passes_the_lock_on)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    CHECK_OK(eddy_lock_acquire(&lock));
    EDDY_TASK granted = eddy_create_task(hold, &lock, 0, 5.0);
    EDDY_TASK next = eddy_create_task(hold, &lock, 1, 0.0);

    test_settle();
    CHECK_OK(eddy_lock_release(&lock));
    CHECK_OK(eddy_cancel(granted));
    CHECK_OK(eddy_await(next));
    CHECK_EQ(eddy_await(granted), -ECANCELED); /* seen at its sleep */
    CHECK_EQ(passed, 2);
    CHECK(!eddy_lock_locked(&lock));
}

/* A-LOCK-5: the release of a free lock is an error. */
TEST(lock_that_nobody_holds_cannot_be_released)
{
    eddy_lock lock = EDDY_LOCK_INIT;

    CHECK_EQ(eddy_lock_release(&lock), -EPERM);
    CHECK_HAS(eddy_error_message(-EPERM), "nobody holds");
    CHECK(!eddy_lock_locked(&lock));
}

static int release(eddy_lock *lock)
{
    return eddy_lock_release(lock);
}
EDDY_ASYNC(release, eddy_lock *);

/* A-LOCK-6: not re-entrant, and not owned. */
TEST(lock_is_not_reentrant_and_any_task_may_release_it)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    CHECK_OK(eddy_lock_acquire(&lock));
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_lock_acquire(&lock), -ETIMEDOUT);
    }
    EDDY_TASK other = eddy_create_task(release, &lock);
    CHECK_OK(eddy_lock_acquire(&lock));
    CHECK_OK(eddy_await(other));
    CHECK_OK(eddy_lock_release(&lock));
}

/* A-LOCK-7: the scoped form releases on every exit, and not when the acquire failed. */
TEST(lock_scope_releases_on_error_and_cancel_and_only_what_it_took)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    EDDY_TASK holder = eddy_create_task(hold, &lock, 0, EDDY_FOREVER);
    EDDY_TASK waiter = eddy_create_task(hold, &lock, 1, EDDY_FOREVER);

    test_settle();
    CHECK_OK(eddy_cancel(waiter));
    CHECK_EQ(eddy_await(waiter), -ECANCELED);
    CHECK(eddy_lock_locked(&lock)); /* the holder's still */
    CHECK_OK(eddy_cancel(holder));
    CHECK_EQ(eddy_await(holder), -ECANCELED);
    CHECK(!eddy_lock_locked(&lock));
}

static int acquire_when_cancelled(eddy_lock *lock)
{
    eddy_cancel(eddy_current_task());
    REQUIRE(eddy_lock_acquire(lock) == -ECANCELED);
    REQUIRE(!eddy_lock_locked(lock));
    return 0;
}
EDDY_ASYNC(acquire_when_cancelled, eddy_lock *);

/* Promise 3: on entry a pending cancel wins. */
TEST(lock_is_not_taken_by_a_cancelled_task)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    EDDY_TASK task = eddy_create_task(acquire_when_cancelled, &lock);

    CHECK_OK(eddy_await(task));
}

static struct {
    int value;
    eddy_lock lock;
} guarded = {7, EDDY_LOCK_INIT};

/* Static initialisation, embedded in a struct; many holders, one at a time. */
TEST(lock_can_be_static_and_has_one_holder_at_a_time)
{
    EDDY_GROUP(group);

    for (int i = 0; i < 20; i++)
        CHECK_OK(eddy_group_create_task(&group, hold, &guarded.lock, i, 0.1));
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(passed, 20);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(order[i], i);
    CHECK_EQ(guarded.value, 7);
}

static void *release_in_thread(void *lock)
{
    (void)eddy_lock_release(lock);
    return NULL;
}

static int let_a_thread_release(void)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    pthread_t thread;

    EDDY_TRY(eddy_lock_acquire(&lock));
    EDDY_TASK waiter = eddy_create_task(hold, &lock, 0, 0.0);
    EDDY_TRY(eddy_sleep(0));
    pthread_create(&thread, NULL, release_in_thread, &lock);
    pthread_join(thread, NULL);
    return eddy_await(waiter);
}
EDDY_ASYNC(let_a_thread_release);

static void run_let_a_thread_release(void)
{
    (void)eddy_run(let_a_thread_release);
}

/* sync.h: use from another thread aborts where it is seen. */
RAW_TEST(lock_released_to_a_waiter_by_another_thread_aborts)
{
    CHECK_DIES(run_let_a_thread_release, "another thread");
}

static int start_waiter(void)
{
    eddy_task *waiter = eddy_create_task(hold, &guarded.lock, 0, 0.0);

    eddy_task_detach(&waiter);
    return eddy_sleep(0);
}
EDDY_ASYNC(start_waiter);

static void wait_in_two_loops(void)
{
    eddy_runner first = EDDY_RUNNER_INIT, second = EDDY_RUNNER_INIT;

    (void)eddy_lock_acquire_nowait(&guarded.lock);
    (void)eddy_runner_run(&first, EDDY_CALL(start_waiter));
    (void)eddy_runner_run(&second, EDDY_CALL(start_waiter));
}

/* Section 5 of the rules: one loop at a time. */
RAW_TEST(lock_waited_for_in_two_loops_aborts)
{
    CHECK_DIES(wait_in_two_loops, "two loops");
}
