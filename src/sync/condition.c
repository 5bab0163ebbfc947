/* SPDX-License-Identifier: MIT */
/*
 * Conditions. A notified waiter is woken at once and queues for the lock like
 * anybody else; that part of the wait is a release and is never cut short, so
 * that the lock is held whatever eddy_condition_wait returns.
 */
#include <errno.h>

#include "sync/lock.h"

static const struct ed_wait_kind condition_kind = {"condition.wait", NULL, NULL};

int eddy_condition_wait(eddy_condition *condition)
{
    struct ed_wait wait = ED_WAIT(&condition_kind, condition, NULL);
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (!condition->lock->locked)
        return ed_raise(-EPERM, "a condition is waited for without its lock");
    (void)eddy_lock_release(condition->lock); /* it is locked */
    rc = ed_waiters_wait(&condition->waiters, &wait);
    ed_lock_take_shielded(condition->lock);
    return rc;
}

int eddy_condition_wait_for(eddy_condition *condition, bool (*predicate)(void *), void *argument)
{
    int rc = ed_checkpoint();

    while (rc == 0 && !predicate(argument))
        rc = eddy_condition_wait(condition);
    return rc;
}

int eddy_condition_notify(eddy_condition *condition, size_t count)
{
    struct ed_wait *wait;

    if (!condition->lock->locked)
        return ed_raise(-EPERM, "a condition is notified without its lock");
    while (count-- > 0 && (wait = ed_waiters_take(&condition->waiters)))
        ed_wake(wait, 0);
    return 0;
}

int eddy_condition_notify_all(eddy_condition *condition)
{
    return eddy_condition_notify(condition, SIZE_MAX);
}
