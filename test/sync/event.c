/* SPDX-License-Identifier: MIT */
/* Events: rules A-EVENT-1 to A-EVENT-4. */
#include "harness.h"

#include <pthread.h>

static int order[32], woken;
static int bumps;

static int wait_for_it(eddy_event *event, int who)
{
    EDDY_TRY(eddy_event_wait(event));
    order[woken++] = who;
    return 0;
}
EDDY_ASYNC(wait_for_it, eddy_event *, int);

static int bump_for_ever(void)
{
    for (;;) {
        bumps++;
        EDDY_TRY(eddy_sleep(0));
    }
}
EDDY_ASYNC(bump_for_ever);

/* A-EVENT-1: a set event is no wait. */
TEST(event_that_is_set_is_no_wait)
{
    eddy_event event = EDDY_EVENT_INIT;
    EDDY_TASK other = eddy_create_task(bump_for_ever);

    eddy_event_set(&event);
    CHECK_OK(eddy_event_wait(&event));
    CHECK_OK(eddy_event_wait(&event));
    CHECK_EQ(bumps, 0);
}

/* A-EVENT-2: a set wakes all in their order; it is idempotent. */
TEST(event_set_wakes_all_in_their_order)
{
    eddy_event event = EDDY_EVENT_INIT;
    EDDY_GROUP(group);

    for (int i = 0; i < 10; i++)
        CHECK_OK(eddy_group_create_task(&group, wait_for_it, &event, i));
    test_settle();
    CHECK_EQ(woken, 0);
    eddy_event_set(&event);
    eddy_event_set(&event);
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(woken, 10);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(order[i], i);
}

/* A-EVENT-3: set and clear in one tick wakes who waited, and nobody else. */
TEST(event_cleared_at_once_still_wakes_who_waited)
{
    eddy_event event = EDDY_EVENT_INIT;
    EDDY_TASK waiter = eddy_create_task(wait_for_it, &event, 0);

    test_settle();
    eddy_event_set(&event);
    eddy_event_clear(&event);
    CHECK(!eddy_event_is_set(&event));
    EDDY_TASK late = eddy_create_task(wait_for_it, &event, 1);
    CHECK_OK(eddy_await(waiter));
    test_settle();
    CHECK(!eddy_task_done(late));
}

/* A-EVENT-4: clear is idempotent, the flag exact. */
TEST(event_flag_is_exact)
{
    eddy_event event = EDDY_EVENT_INIT;

    CHECK(!eddy_event_is_set(&event));
    eddy_event_clear(&event);
    CHECK(!eddy_event_is_set(&event));
    eddy_event_set(&event);
    CHECK(eddy_event_is_set(&event));
    eddy_event_clear(&event);
    eddy_event_clear(&event);
    CHECK(!eddy_event_is_set(&event));
}

/* A-EVENT-4: a cancelled waiter goes alone. */
TEST(event_waiter_that_is_cancelled_goes_alone)
{
    eddy_event event = EDDY_EVENT_INIT;
    EDDY_TASK a = eddy_create_task(wait_for_it, &event, 0);
    EDDY_TASK b = eddy_create_task(wait_for_it, &event, 1);

    test_settle();
    CHECK_OK(eddy_cancel(a));
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK(!eddy_task_done(b));
    eddy_event_set(&event);
    CHECK_OK(eddy_await(b));
}

/* Promise 3, peers 6a (cpython 86296): exactly one of the two is seen. */
TEST(event_waiter_cancelled_in_the_tick_of_the_set_has_succeeded)
{
    eddy_event event = EDDY_EVENT_INIT;
    EDDY_TASK set_first = eddy_create_task(wait_for_it, &event, 0);

    test_settle();
    eddy_event_set(&event);
    CHECK_OK(eddy_cancel(set_first));
    CHECK_OK(eddy_await(set_first));

    eddy_event_clear(&event);
    EDDY_TASK cancelled_first = eddy_create_task(wait_for_it, &event, 1);
    test_settle();
    CHECK_OK(eddy_cancel(cancelled_first));
    eddy_event_set(&event);
    CHECK_EQ(eddy_await(cancelled_first), -ECANCELED);
    CHECK_EQ(woken, 1);
}

/* A timeout ends the wait without a trace. */
TEST(event_wait_can_time_out)
{
    eddy_event event = EDDY_EVENT_INIT;
    double start = eddy_time();
    {
        EDDY_TIMEOUT(limit, 1.5);
        CHECK_EQ(eddy_event_wait(&event), -ETIMEDOUT);
    }
    CHECK(eddy_time() - start >= 1.5);
    eddy_event_set(&event); /* nobody is in its list any more */
    CHECK_OK(eddy_event_wait(&event));
}

static eddy_event shared = EDDY_EVENT_INIT;

static void *set_in_thread(void *event)
{
    eddy_event_set(event);
    return NULL;
}

static int let_a_thread_set(void)
{
    EDDY_TASK waiter = eddy_create_task(wait_for_it, &shared, 0);
    pthread_t thread;

    EDDY_TRY(eddy_sleep(0));
    pthread_create(&thread, NULL, set_in_thread, &shared);
    pthread_join(thread, NULL);
    return eddy_await(waiter);
}
EDDY_ASYNC(let_a_thread_set);

static void run_let_a_thread_set(void)
{
    (void)eddy_run(let_a_thread_set);
}

/* sync.h: use from another thread aborts where it is seen, with a hint. */
RAW_TEST(event_set_for_a_waiter_by_another_thread_aborts)
{
    CHECK_DIES(run_let_a_thread_set, "eddy_loop_call_soon_threadsafe");
}

static int set_it(void *event)
{
    eddy_event_set(event);
    return 0;
}

static void *set_by_callback(void *loop)
{
    (void)eddy_loop_call_soon_threadsafe(loop, set_it, &shared);
    return NULL;
}

/* The way that the hint names works. */
TEST(event_is_set_from_a_thread_by_a_callback)
{
    eddy_loop *loop = eddy_get_running_loop();
    pthread_t thread;

    eddy_loop_hold(loop); /* the thread is somebody who may still wake it */
    pthread_create(&thread, NULL, set_by_callback, loop);
    int rc = eddy_event_wait(&shared);
    pthread_join(thread, NULL);
    eddy_loop_release(loop);
    CHECK_OK(rc);
}
