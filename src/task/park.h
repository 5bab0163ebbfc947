/* SPDX-License-Identifier: MIT */
/*
 * Waiting: the one way in which a task stops and goes on. Every wait of every
 * task is a struct ed_wait on its own stack and goes through ed_park, so that
 * cancellation, deadlines and the deadlock report live here and nowhere else.
 *
 * How to write a call that may wait:
 *
 *     int rc = ed_checkpoint();          a pending cancel wins, nothing taken
 *     if (rc < 0)
 *         return rc;
 *     if (...)                           done without waiting
 *         return 0;
 *     struct ed_wait wait = ED_WAIT(&kind, object, &list);
 *     return ed_park(&wait);             linked into the list, in order
 *
 * Whoever can let it go on unlinks the wait, gives it what it waited for, and
 * calls ed_wake. From then on the wait has succeeded: a cancel that comes later
 * is seen by the next call.
 */
#ifndef ED_TASK_PARK_H
#define ED_TASK_PARK_H

#include "base/compat.h"
#include "base/list.h"
#include "task/task.h"

struct ed_wait;

struct ed_wait_kind {
    const char *name; /* "queue.get" */
    /* Ends the wait early, after a cancel or timeout: undoes it and returns true,
     * or asks for its end, which will call ed_wake, and returns false. NULL: it is
     * unlinked from its list. */
    bool (*abort)(struct ed_wait *wait);
    /* The task that could end it, for reports; NULL: none is known. */
    eddy_task *(*holder)(const struct ed_wait *wait);
};

struct ed_wait {
    struct eddy_link_ link;
    struct eddy_list_ *list; /* the list it is linked into, or NULL */
    eddy_task *task;
    const struct ed_wait_kind *kind;
    const void *object; /* what it waits for */
    int rc;
    bool shielded; /* a release: nothing cuts it short */
    bool aborting; /* asked for its end already */
};

#define ED_WAIT(the_kind, the_object, the_list)                                                    \
    {                                                                                              \
        .list = (the_list), .task = eddy_thread_.task, .kind = (the_kind), .object = (the_object)  \
    }

/* 0 when the call may go on; else the error that it must return at once. */
int ed_checkpoint_slow(void);
ED_INLINE int ed_checkpoint(void)
{
    if (ed_likely(eddy_thread_.credit > 0)) {
        eddy_thread_.credit--;
        return 0;
    }
    return ed_checkpoint_slow();
}

/* Links the wait into its list, if it has one, and lets others run until it is
 * woken. Returns what ed_wake gave, or what cut the wait short. */
int ed_park(struct ed_wait *wait);

/* Makes the task of a wait, which is unlinked, ready; ed_park returns `rc`. */
void ed_wake(struct ed_wait *wait, int rc);

/* Lets everything that is ready run once. Returns what is pending then. */
int ed_yield(void);

/* Leaves the running task, which has ended, for good. */
_Noreturn void ed_depart(eddy_task *task);

#endif
