/* SPDX-License-Identifier: MIT */
/*
 * One operation of the engine, awaited by the task that submits it:
 *
 *     ED_AWAITED(shut);
 *
 *     shut.op.kind = ED_OP_SHUTDOWN;
 *     shut.op.fd = fd;
 *     return ed_op_await(&shut, &kind);
 *
 * A cancel asks the kernel and waits for the completion: the memory is the caller's again
 * when the call returns, and an operation that was faster than its cancel has succeeded.
 */
#ifndef ED_IO_OP_H
#define ED_IO_OP_H

#include "engine/engine.h"
#include "task/park.h"

struct ed_awaited {
    struct ed_op op;
    struct ed_wait wait;
};

/* Declares one in the frame that awaits it; see ED_LOCAL_OP. */
#define ED_AWAITED(name)                                                                           \
    EDDY_CLEANUP_(ed_awaited_left)                                                                 \
    struct ed_awaited name = {.op.flight.where = EDDY_HERE_}
void ed_awaited_left(struct ed_awaited *awaited);

/* What a wait of that name, of an operation, is. */
#define ED_OP_WAIT_KIND(its_name)                                                                  \
    {                                                                                              \
        .name = (its_name), .abort = ed_op_abort                                                   \
    }
bool ed_op_abort(struct ed_wait *wait);

/* Submits the operation and waits for its result; with a cancel pending it does neither. No
 * checkpoint: that is the caller's, before anything is done. Suspends. Returns the result, or
 * what cut it short. */
#define ed_op_await(awaited, kind) ed_op_await_at((awaited), (kind), false, EDDY_HERE_)

/* The same for a release, which nothing cuts short. */
#define ed_op_await_shielded(awaited, kind) ed_op_await_at((awaited), (kind), true, EDDY_HERE_)

int ed_op_await_at(struct ed_awaited *awaited, const struct ed_wait_kind *kind, bool shielded,
                   const char *where);

/* Wakes a wait whose operation has completed with `result`: one that was asked to end early
 * gets the reason. */
void ed_op_wake(struct ed_wait *wait, int result);

#endif
