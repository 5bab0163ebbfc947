/* SPDX-License-Identifier: MIT */
/* Conditions: rules A-COND-1 to A-COND-7. */
#include "harness.h"

struct place {
    eddy_lock lock;
    eddy_condition changed;
    int value;
};
#define PLACE_INIT(name)                                                                           \
    {                                                                                              \
        EDDY_LOCK_INIT, EDDY_CONDITION_INIT(&(name).lock), 0                                       \
    }

static int order[32], woken, inside;

/* Waits once, under the lock, and checks that the lock is held on return. */
static int wait_once(struct place *place, int who)
{
    EDDY_TRY(eddy_lock_acquire(&place->lock));
    EDDY_DEFER(eddy_lock_release, &place->lock);
    int rc = eddy_condition_wait(&place->changed);
    if (!eddy_lock_locked(&place->lock) || ++inside != 1)
        test_fail(__FILE__, __LINE__, "the lock is not held, or by two");
    if (rc == 0)
        order[woken++] = who;
    inside--;
    return rc;
}
EDDY_ASYNC(wait_once, struct place *, int);

static int notify(struct place *place, size_t count)
{
    EDDY_TRY(eddy_lock_acquire(&place->lock));
    EDDY_DEFER(eddy_lock_release, &place->lock);
    return eddy_condition_notify(&place->changed, count);
}

/* A-COND-1: nothing works without the lock. */
TEST(condition_calls_without_the_lock_are_refused)
{
    struct place place = PLACE_INIT(place);

    CHECK_EQ(eddy_condition_wait(&place.changed), -EPERM);
    CHECK_HAS(eddy_error_message(-EPERM), "without its lock");
    CHECK_EQ(eddy_condition_notify(&place.changed, 1), -EPERM);
    CHECK_EQ(eddy_condition_notify_all(&place.changed), -EPERM);
    CHECK(!eddy_lock_locked(&place.lock));
}

/* A-COND-1: several conditions may share a lock, and do not hear each other. */
TEST(condition_shares_its_lock_with_others)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    struct place place = {EDDY_LOCK_INIT, EDDY_CONDITION_INIT(&lock), 0};
    eddy_condition other = EDDY_CONDITION_INIT(&lock);

    place.changed.lock = &place.lock;
    other.lock = &place.lock;
    EDDY_TASK waiter = eddy_create_task(wait_once, &place, 0);
    test_settle();
    CHECK_OK(eddy_lock_acquire(&place.lock));
    CHECK_OK(eddy_condition_notify_all(&other));
    CHECK_OK(eddy_lock_release(&place.lock));
    test_settle();
    CHECK(!eddy_task_done(waiter));
    CHECK_OK(notify(&place, 1));
    CHECK_OK(eddy_await(waiter));
}

/* A-COND-2, A-COND-3: the waiter lets go of the lock; the notifier keeps it. */
TEST(condition_waiter_runs_when_the_notifier_lets_go_of_the_lock)
{
    struct place place = PLACE_INIT(place);
    EDDY_TASK waiter = eddy_create_task(wait_once, &place, 0);

    test_settle();
    CHECK(!eddy_lock_locked(&place.lock)); /* released while it waits */
    {
        CHECK_OK(eddy_lock_acquire(&place.lock));
        EDDY_DEFER(eddy_lock_release, &place.lock);
        CHECK_OK(eddy_condition_notify(&place.changed, 1));
        CHECK_OK(eddy_sleep(1));
        CHECK_EQ(woken, 0);
    }
    CHECK_OK(eddy_await(waiter));
    CHECK_EQ(woken, 1);
    CHECK(!eddy_lock_locked(&place.lock));
}

/* A-COND-3: at most n, in their order; then all. */
TEST(condition_notify_wakes_so_many_in_their_order)
{
    struct place place = PLACE_INIT(place);
    EDDY_GROUP(group);

    for (int i = 0; i < 6; i++)
        CHECK_OK(eddy_group_create_task(&group, wait_once, &place, i));
    test_settle();
    CHECK_OK(notify(&place, 0));
    test_settle();
    CHECK_EQ(woken, 0);
    CHECK_OK(notify(&place, 2));
    test_settle();
    CHECK_EQ(woken, 2);
    CHECK_OK(eddy_lock_acquire(&place.lock));
    CHECK_OK(eddy_condition_notify_all(&place.changed));
    CHECK_OK(eddy_lock_release(&place.lock));
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(woken, 6);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(order[i], i);
}

/* A-COND-3: a notify that nobody waits for is lost. */
TEST(condition_notify_without_waiters_is_lost)
{
    struct place place = PLACE_INIT(place);

    CHECK_OK(notify(&place, 5));
    EDDY_TASK waiter = eddy_create_task(wait_once, &place, 0);
    CHECK_OK(eddy_sleep(1));
    CHECK(!eddy_task_done(waiter));
}

/* A-COND-4: a cancelled waiter takes the lock before it returns, however long that takes. */
TEST(condition_waiter_that_is_cancelled_takes_the_lock_first)
{
    struct place place = PLACE_INIT(place);
    EDDY_TASK waiter = eddy_create_task(wait_once, &place, 0);

    test_settle();
    {
        CHECK_OK(eddy_lock_acquire(&place.lock));
        EDDY_DEFER(eddy_lock_release, &place.lock);
        CHECK_OK(eddy_cancel(waiter));
        CHECK_OK(eddy_sleep(1));
        CHECK(!eddy_task_done(waiter)); /* it is at the lock */
        CHECK_OK(eddy_cancel(waiter));  /* does not cut that short */
        CHECK_OK(eddy_sleep(1));
        CHECK(!eddy_task_done(waiter));
    }
    CHECK_EQ(eddy_await(waiter), -ECANCELED);
    CHECK(!eddy_lock_locked(&place.lock));
}

/* A-COND-5, promise 3: cancelled before the notify, it goes to the next; cancelled after
 * it, the waiter has got it. Either way one notify wakes one waiter. */
TEST(condition_notify_is_not_lost_with_a_cancelled_waiter)
{
    struct place place = PLACE_INIT(place);
    EDDY_TASK a = eddy_create_task(wait_once, &place, 0);
    EDDY_TASK b = eddy_create_task(wait_once, &place, 1);
    EDDY_TASK c = eddy_create_task(wait_once, &place, 2);

    test_settle();
    CHECK_OK(eddy_lock_acquire_nowait(&place.lock));
    CHECK_OK(eddy_cancel(a));
    CHECK_OK(eddy_condition_notify(&place.changed, 1)); /* to b */
    CHECK_OK(eddy_cancel(b));                           /* in the same tick, after it */
    CHECK_OK(eddy_lock_release(&place.lock));
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK_OK(eddy_await(b));
    CHECK_EQ(woken, 1);
    CHECK(!eddy_task_done(c));
    CHECK_OK(notify(&place, 1));
    CHECK_OK(eddy_await(c));
}

static bool is_positive(void *value)
{
    return *(int *)value > 0;
}

static int wait_for_positive(struct place *place)
{
    EDDY_TRY(eddy_lock_acquire(&place->lock));
    EDDY_DEFER(eddy_lock_release, &place->lock);
    EDDY_TRY(eddy_condition_wait_for(&place->changed, is_positive, &place->value));
    REQUIRE(place->value > 0);
    place->value--;
    return 0;
}
EDDY_ASYNC(wait_for_positive, struct place *);

/* A-COND-6, A-COND-7: at once if true; else checked again after every wake-up. */
TEST(condition_wait_for_checks_now_and_after_every_wake_up)
{
    struct place place = PLACE_INIT(place);

    place.value = 1;
    CHECK_OK(wait_for_positive(&place)); /* no wait: nobody would notify */

    EDDY_TASK a = eddy_create_task(wait_for_positive, &place);
    EDDY_TASK b = eddy_create_task(wait_for_positive, &place);
    test_settle();
    CHECK_OK(notify(&place, 2)); /* woken for nothing */
    test_settle();
    CHECK(!eddy_task_done(a) && !eddy_task_done(b));
    place.value = 1;
    CHECK_OK(notify(&place, 2));
    test_settle();
    CHECK(eddy_task_done(a) && !eddy_task_done(b));
    place.value = 1;
    CHECK_OK(notify(&place, 1));
    CHECK_OK(eddy_await(b));
}

/* A timeout is no other than a cancel, and the lock is held afterwards. */
TEST(condition_wait_can_time_out)
{
    struct place place = PLACE_INIT(place);

    CHECK_OK(eddy_lock_acquire(&place.lock));
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_condition_wait(&place.changed), -ETIMEDOUT);
        CHECK(eddy_lock_locked(&place.lock));
    }
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_condition_wait_for(&place.changed, is_positive, &place.value), -ETIMEDOUT);
        CHECK(eddy_lock_locked(&place.lock));
    }
    CHECK_OK(eddy_lock_release(&place.lock));
}

/* A-COND-4, promise 2: the re-acquire runs shielded also for a task that is cancelled
 * while it stands at the lock after its notify. */
TEST(condition_waiter_cancelled_at_the_lock_has_been_notified)
{
    struct place place = PLACE_INIT(place);
    EDDY_TASK waiter = eddy_create_task(wait_once, &place, 0);

    test_settle();
    {
        CHECK_OK(eddy_lock_acquire(&place.lock));
        EDDY_DEFER(eddy_lock_release, &place.lock);
        CHECK_OK(eddy_condition_notify(&place.changed, 1));
        CHECK_OK(eddy_sleep(1)); /* the waiter is at the lock now */
        CHECK_OK(eddy_cancel(waiter));
    }
    CHECK_OK(eddy_await(waiter)); /* notified first */
}

static eddy_lock static_lock = EDDY_LOCK_INIT;
static struct {
    eddy_condition condition;
} embedded = {EDDY_CONDITION_INIT(&static_lock)};

static int notify_embedded(void)
{
    EDDY_TRY(eddy_lock_acquire(&static_lock));
    EDDY_DEFER(eddy_lock_release, &static_lock);
    return eddy_condition_notify_all(&embedded.condition);
}
EDDY_ASYNC(notify_embedded);

/* Static initialisation, embedded in a struct. */
TEST(condition_can_be_static_and_embedded)
{
    CHECK_OK(eddy_lock_acquire(&static_lock));
    EDDY_TASK later = eddy_create_task(notify_embedded);
    CHECK_OK(eddy_condition_wait(&embedded.condition));
    CHECK_OK(eddy_lock_release(&static_lock));
    CHECK_OK(eddy_await(later));
}
