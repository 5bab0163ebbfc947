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

/* Chooses what runs after the running task, which is about to leave, and makes
 * eddy_thread_ describe it: the next ready task, or the loop. */
ED_INLINE struct eddy_context_ *ed_choose(struct ed_fiber **fiber)
{
    eddy_loop *loop = eddy_thread_.loop;
    struct ed_ready *node = loop->ready;

    if (ed_likely(node && node->run == ed_task_run && --loop->turns > 0)) {
        eddy_task *next = ed_container_of(node, eddy_task, ready);

        ed_loop_take_ready(loop);
        ed_thread_enter(next);
        *fiber = next->fiber;
        return &next->context;
    }
    eddy_thread_.task = NULL;
    eddy_thread_.credit = 0;
    *fiber = &loop->tasks->fiber;
    return &loop->context;
}

/* Goes from the running task to the next: a ready task, or the loop. With `last`
 * the running one has ended. Inlined wherever a task may stop: the return-stack
 * predictor misses once for every call that is open across a switch. */
ED_INLINE void ed_leave(eddy_task *self, bool last)
{
    struct ed_fiber *fiber;
    struct eddy_context_ *next = ed_choose(&fiber);

    if (ED_FIBERS)
        self->fiber = ed_fiber_now;
    ed_switch(&self->context, next, fiber, last);
}

/* Links the wait into its list, if it has one, and lets others run until it is
 * woken. Returns what ed_wake gave, or what cut the wait short. */
ED_INLINE int ed_park(struct ed_wait *wait)
{
    eddy_task *self = wait->task;

    if (wait->list)
        ed_list_append(wait->list, &wait->link);
    self->wait = wait;
    ed_leave(self, false);
    return self->rc;
}

/* Makes the task of a wait, which is unlinked, ready; ed_park returns `rc`. An
 * error's text, if it has one, is the task's already; ed_wake is for those without. */
ED_INLINE void ed_wake_with_text(struct ed_wait *wait, int rc)
{
    eddy_task *task = wait->task;

    task->rc = rc;
    task->wait = NULL;
    task->is.interrupted = false;
    ed_loop_ready(task->loop, &task->ready);
}

ED_INLINE void ed_wake(struct ed_wait *wait, int rc)
{
    if (ed_unlikely(rc < 0))
        ed_error_forget(wait->task, rc);
    ed_wake_with_text(wait, rc);
}

/* Begins a wait whose switch the caller makes inline, from eddy_thread_.waiting to
 * eddy_thread_.next, so that no call is open across it. The wait is the task's own,
 * set up and linked. */
ED_INLINE void ed_park_begin(struct ed_wait *wait)
{
    struct ed_fiber *fiber;

    wait->task->wait = wait;
    eddy_thread_.waiting = wait->task;
    eddy_thread_.next = ed_choose(&fiber);
}

/* Lets everything that is ready run once. Returns what is pending then. */
int ed_yield(void);

#endif
