/* SPDX-License-Identifier: MIT */
/*
 * Barriers. The last to arrive ends the round at once: it wakes all who wait,
 * each with its place, and goes on. So a newcomer always belongs to the next
 * round, and `arrived` counts exactly those who wait.
 */
#include <errno.h>

#include "sync/waiters.h"

struct barrier_wait {
    struct ed_wait wait;
    eddy_barrier *barrier;
};

static bool barrier_abort_wait(struct ed_wait *wait)
{
    eddy_barrier *barrier = ed_container_of(wait, struct barrier_wait, wait)->barrier;

    ed_list_remove(&barrier->waiters.list, &wait->link);
    barrier->arrived--;
    return true;
}

static const struct ed_wait_kind barrier_kind = {"barrier.wait", barrier_abort_wait, NULL};

/* Ends the round: places from 0 on for rc 0, else the error for all. */
static void barrier_end_round(eddy_barrier *barrier, int rc)
{
    struct ed_wait *wait;
    int place = 0;

    barrier->arrived = 0;
    while ((wait = ed_waiters_take(&barrier->waiters)))
        ed_wake(wait, rc < 0 ? rc : place++);
}

int eddy_barrier_wait(eddy_barrier *barrier)
{
    struct barrier_wait wait = {.wait = ED_WAIT(&barrier_kind, barrier, NULL), .barrier = barrier};
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (barrier->parties < 1)
        return ed_raise(-EINVAL, "a barrier needs at least 1 party, not %d", barrier->parties);
    if (barrier->broken)
        return ed_fail(-EOWNERDEAD);
    if (barrier->arrived + 1 == barrier->parties) {
        barrier_end_round(barrier, 0);
        return barrier->parties - 1;
    }
    barrier->arrived++;
    return ed_waiters_wait(&barrier->waiters, &wait.wait);
}

void eddy_barrier_reset(eddy_barrier *barrier)
{
    barrier->broken = false;
    barrier_end_round(barrier, -EOWNERDEAD);
}

void eddy_barrier_abort(eddy_barrier *barrier)
{
    barrier->broken = true;
    barrier_end_round(barrier, -EOWNERDEAD);
}
