/* SPDX-License-Identifier: MIT */
/*
 * An awaited operation lives in the frame of its task, which cannot be left before the
 * completion: a cancel only asks, and the wait ends with the completion in any case. If that
 * is a success it stands, and the cancel is seen by the next call.
 */
#include "io/op.h"

#include <errno.h>

static void op_completed(struct ed_op *op)
{
    struct ed_awaited *awaited = ed_container_of(op, struct ed_awaited, op);

    ed_op_wake(&awaited->wait, op->result);
}

void ed_op_wake(struct ed_wait *wait, int result)
{
    eddy_task *task = wait->task;

    if (ed_unlikely(result == -ECANCELED && wait->aborting && task->pending)) {
        ed_wake_with_text(wait, task->pending);
        task->is.interrupted = true;
        return;
    }
    ed_wake(wait, result);
}

bool ed_op_abort(struct ed_wait *wait)
{
    struct ed_awaited *awaited = ed_container_of(wait, struct ed_awaited, wait);

    ed_engine_cancel(wait->task->loop->engine, &awaited->op);
    return false;
}

int ed_op_await_at(struct ed_awaited *awaited, const struct ed_wait_kind *kind, bool shielded,
                   const char *where)
{
    eddy_task *task = eddy_thread_.task;

    if (ed_unlikely(task->pending && !shielded))
        return task->pending; /* nothing would interrupt this wait any more */
    awaited->op.done = op_completed;
    awaited->wait =
        (struct ed_wait){.task = task, .kind = kind, .object = awaited, .shielded = shielded};
    ed_engine_submit_at(task->loop->engine, &awaited->op, where);
    return ed_park(&awaited->wait);
}

void ed_awaited_left(struct ed_awaited *awaited)
{
    ed_op_left(&awaited->op);
}
