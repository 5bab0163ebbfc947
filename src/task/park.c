/* SPDX-License-Identifier: MIT */
/*
 * Parking and waking.
 *
 * A task that stops takes the next ready task from the queue and switches to it
 * directly. It goes through the loop only when the turn's resumes are used up,
 * when a callback is next, or when nothing is ready. `eddy_thread_` always
 * describes what runs; whoever resumes a task sets it first.
 *
 * Fairness is counted: a resume has ED_CREDIT checked calls, then the next call
 * yields before it does anything. A task that is refused has no credit, so that
 * each of its calls comes to ed_checkpoint_slow, which counts refusals likewise.
 */
#include "task/park.h"

#include <errno.h>

#include "base/die.h"
#include "task/debug.h"
#include "task/scope.h"

void ed_task_run(struct ed_ready *node)
{
    eddy_task *task = ed_container_of(node, eddy_task, ready);
    eddy_loop *loop = task->loop;

    if (ED_FIBERS) {
        ed_fiber_now = &loop->tasks->fiber;
        ed_fiber_now->tsan = __tsan_get_current_fiber();
    }
    ed_thread_enter(task);
    ed_switch(&loop->context, &task->context, task->fiber, false);
}

/* Gives way without a check. */
ED_INLINE void park_give_way(eddy_task *self)
{
    eddy_loop *loop = self->loop;

    if (!loop->ready && loop->turns > 1) { /* nobody to give way to */
        loop->turns--;
        ed_thread_enter(self);
        return;
    }
    ed_loop_ready(loop, &self->ready);
    ed_leave(self, false);
}

int ed_yield(void)
{
    eddy_task *self = eddy_thread_.task;

    park_give_way(self);
    return self->pending;
}

/* Lets others run although the task is refused again and again. */
static void park_refuse(eddy_task *self)
{
    if (self->loop->debug && self->is.refusals == ED_CREDIT)
        ed_debug_task_refused(self);
    self->loop->turn++; /* as much as one, for whoever limits them */
    park_give_way(self);
}

int ed_checkpoint_slow(void)
{
    eddy_task *self = eddy_thread_.task;

    if (!self)
        return ed_raise(-EPERM, "called outside a task: only a task can wait");
    if (self->pending == 0)
        park_give_way(self);
    else if (++self->is.refusals % ED_CREDIT == 0)
        park_refuse(self);
    if (ed_likely(self->pending == 0)) {
        eddy_thread_.credit--;
        return 0;
    }
    self->is.cancel_unseen = false;
    ed_scope_give_text(self);
    return self->pending;
}

/* What the next suspending call must return: a cancel outranks a timeout, an
 * outer scope an inner one, a shield holds back what is outside it, and an
 * orderly end the stops among that. */
static int task_pending(const eddy_task *task)
{
    bool ending = false;
    int code = 0;

    for (const struct eddy_scope_ *scope = task->scope; scope; scope = scope->outer) {
        if (scope->kind == ED_SCOPE_SHIELD && !task->is.pierced)
            return code;
        ending |= scope->kind == ED_SCOPE_ENDING;
        if (scope->code && !(ending && scope->kind == ED_SCOPE_STOP))
            code = scope->code;
    }
    return task->is.cancel_asked || task->is.cancel_final ? -ECANCELED : code;
}

void ed_task_refresh(eddy_task *task)
{
    struct ed_wait *wait = task->wait;

    int before = task->pending;

    task->pending = task->is.done ? 0 : task_pending(task);
    if (task == eddy_thread_.task && !before != !task->pending) {
        /* the credit is kept aside while calls are refused */
        int credit = eddy_thread_.credit;

        eddy_thread_.credit = task->pending ? 0 : task->is.credit;
        task->is.credit = (uint8_t)credit;
    }
    if (task->is.interrupted && !wait && task->pending && task != eddy_thread_.task)
        task->rc = task->pending; /* it has not seen the first reason yet */
    if (!task->pending || !wait || wait->shielded || wait->aborting)
        return;
    task->is.cancel_unseen = false;
    if (wait->kind->abort) {
        wait->aborting = true;
        if (!wait->kind->abort(wait))
            return;
    } else {
        ed_list_remove(wait->list, &wait->link);
    }
    ed_wake_with_text(wait, task->pending);
    task->is.interrupted = true;
}
