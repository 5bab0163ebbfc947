/* SPDX-License-Identifier: MIT */
/*
 * Cancelling a task: who asked for it, and until when. What a cancel does to the
 * task's calls is worked out in park.c.
 *
 * There are two of them. eddy_cancel's can be withdrawn by the task itself; the
 * owner's, at the end of a scope, a group or the run, cannot, and counts as the first
 * as well.
 */
#include <errno.h>

#include "task/park.h"
#include "task/task.h"

int eddy_cancel(eddy_task *task)
{
    if (!task)
        return -ENOMEM;
    ed_task_check_thread(task, "eddy_cancel");
    if (task->is.done)
        return -EALREADY;
    if (task->error && task->error->code == -ECANCELED)
        task->error->code = 0; /* the text of another one */
    task->is.cancel_asked = true;
    if (task == eddy_thread_.task && !task->pending)
        task->is.cancel_unseen = true;
    ed_task_refresh(task);
    return 0;
}

void ed_task_cancel_final(eddy_task *task)
{
    task->is.cancel_final = true;
    (void)eddy_cancel(task); /* nothing to say if it has ended */
}

bool eddy_cancelled(void)
{
    eddy_task *self = eddy_thread_.task;

    return self && (self->is.cancel_asked || self->is.cancel_final);
}

int eddy_uncancel(void)
{
    eddy_task *self = eddy_thread_.task;

    if (!self || !self->is.cancel_asked)
        return ed_fail(-ENOENT);
    if (self->is.cancel_final)
        return ed_raise(-EPERM, "the cancel came from the owner of task %s", eddy_task_name(self));
    self->is.cancel_asked = self->is.cancel_unseen = false;
    ed_task_refresh(self);
    return 0;
}
