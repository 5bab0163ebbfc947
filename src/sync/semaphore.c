/* SPDX-License-Identifier: MIT */
/*
 * Semaphores. A permit that is released while somebody waits goes to the first
 * waiter directly and never shows in `value`; so whenever somebody waits, value
 * is 0, and a newcomer cannot overtake.
 */
#include <errno.h>

#include "sync/waiters.h"

static const struct ed_wait_kind semaphore_kind = {"semaphore.acquire", NULL, NULL};

int eddy_semaphore_acquire(eddy_semaphore *semaphore)
{
    struct ed_wait wait = ED_WAIT(&semaphore_kind, semaphore, NULL);
    int rc = ed_checkpoint();

    if (ed_unlikely(rc < 0))
        return rc;
    if (ed_unlikely(semaphore->value < 0))
        return ed_raise(-EINVAL, "a semaphore's initial value %ld is negative", semaphore->value);
    if (semaphore->value == 0)
        return ed_waiters_wait(&semaphore->waiters, &wait);
    semaphore->value--;
    return 0;
}

int eddy_semaphore_acquire_nowait(eddy_semaphore *semaphore)
{
    if (semaphore->value <= 0)
        return ed_fail(-EAGAIN);
    semaphore->value--;
    return 0;
}

int eddy_semaphore_release(eddy_semaphore *semaphore)
{
    struct ed_wait *wait;

    if (ed_unlikely(semaphore->value >= semaphore->bound))
        return ed_raise(-EOVERFLOW, "a bounded semaphore of %ld is released too often",
                        semaphore->bound);
    wait = ed_waiters_take(&semaphore->waiters);
    if (wait)
        ed_wake(wait, 0);
    else
        semaphore->value++;
    return 0;
}

bool eddy_semaphore_locked(const eddy_semaphore *semaphore)
{
    return semaphore->value <= 0;
}
