/* SPDX-License-Identifier: MIT */
/*
 * Mutual exclusion. A release with waiters hands the lock to the first: `locked`
 * stays true throughout, so that no newcomer can take it in between.
 */
#include "sync/lock.h"

#include <errno.h>

static eddy_task *lock_holder(const struct ed_wait *wait)
{
    const eddy_lock *lock = wait->object;

    return ed_task_if_alive(wait->task->loop, lock->owner, lock->owner_id);
}

static const struct ed_wait_kind lock_kind = {"lock.acquire", NULL, lock_holder};

ED_INLINE void lock_set_owner(eddy_lock *lock, eddy_task *owner)
{
    lock->owner = owner;
    lock->owner_id = owner ? owner->id : 0;
}

/* Takes the lock, or waits for it. */
static int lock_take(eddy_lock *lock, bool shielded)
{
    struct ed_wait wait = ED_WAIT(&lock_kind, lock, NULL);

    if (ed_likely(!lock->locked)) {
        lock->locked = true;
        lock_set_owner(lock, wait.task);
        return 0;
    }
    wait.shielded = shielded;
    return ed_waiters_wait(&lock->waiters, &wait);
}

int eddy_lock_acquire(eddy_lock *lock)
{
    int rc = ed_checkpoint();

    return ed_unlikely(rc < 0) ? rc : lock_take(lock, false);
}

void ed_lock_take_shielded(eddy_lock *lock)
{
    (void)lock_take(lock, true); /* cannot fail: it is shielded */
}

int eddy_lock_acquire_nowait(eddy_lock *lock)
{
    if (lock->locked)
        return ed_fail(-EAGAIN);
    lock->locked = true;
    lock_set_owner(lock, eddy_thread_.task);
    return 0;
}

int eddy_lock_release(eddy_lock *lock)
{
    struct ed_wait *wait;

    if (ed_unlikely(!lock->locked))
        return ed_raise(-EPERM, "a lock is released that nobody holds");
    wait = ed_waiters_take(&lock->waiters);
    lock->locked = wait != NULL;
    lock_set_owner(lock, wait ? wait->task : NULL);
    if (wait)
        ed_wake(wait, 0);
    return 0;
}

bool eddy_lock_locked(const eddy_lock *lock)
{
    return lock->locked;
}
