/* SPDX-License-Identifier: MIT */
/*
 * Who waits at a lock, event or the like: a list of waits, first come first, of
 * one loop at a time. Whoever wakes a waiter has already given it what it waits
 * for; a woken task never looks again, and nobody overtakes it.
 */
#ifndef ED_SYNC_WAITERS_H
#define ED_SYNC_WAITERS_H

#include "base/die.h"
#include "eddy/sync.h"
#include "task/park.h"

/* Waits here until woken. */
ED_INLINE int ed_waiters_wait(struct eddy_waiters_ *waiters, struct ed_wait *wait)
{
    if (ed_list_empty(&waiters->list))
        waiters->loop = wait->task->loop;
    else if (ed_unlikely(waiters->loop != wait->task->loop))
        ed_die("%s: tasks of two loops wait for one object, which is not thread-safe",
               wait->kind->name);
    wait->list = &waiters->list;
    return ed_park(wait);
}

/* Takes the first waiter out, to be given something and woken; NULL if none. */
ED_INLINE struct ed_wait *ed_waiters_take(struct eddy_waiters_ *waiters)
{
    struct eddy_link_ *link = ed_list_pop(&waiters->list);
    struct ed_wait *wait;

    if (!link)
        return NULL;
    wait = ed_container_of(link, struct ed_wait, link);
    if (ed_unlikely(waiters->loop != eddy_thread_.loop))
        ed_die("%s: woken from another thread; use eddy_loop_call_soon_threadsafe",
               wait->kind->name);
    return wait;
}

#endif
