/* SPDX-License-Identifier: MIT */
/*
 * One direction of a descriptor, in which tasks take turns:
 *
 *     ED_LINE_TURN(turn);
 *
 *     turn.awaited.op.kind = ED_OP_RECV;
 *     ...
 *     return ed_line_do(&line, &turn, &kind);
 *
 * First come, first served, on every engine. Whoever closes the descriptor ends its lines
 * first: everybody in them gets an error, and the closer waits until the last one has left.
 */
#ifndef ED_IO_TURN_H
#define ED_IO_TURN_H

#include "io/op.h"

/* Empty when zeroed. */
struct ed_line {
    struct eddy_list_ turns; /* struct ed_turn; the first has the descriptor */
    struct ed_wait *closer;  /* waits until it is empty */
    int ended;               /* what everybody gets from now on; 0: not yet */
};

struct ed_turn {
    struct ed_awaited awaited;
    struct eddy_link_ link;
    struct ed_line *line;
    bool waiting; /* for its turn, not for its operation */
};

/* Declares one in the frame that takes it; see ED_AWAITED. */
#define ED_LINE_TURN(name)                                                                         \
    EDDY_CLEANUP_(ed_turn_left)                                                                    \
    struct ed_turn name = {.awaited.op.flight.where = EDDY_HERE_}
void ed_turn_left(struct ed_turn *turn);

/* What a wait of that name, for a turn and for its operation, is. */
#define ED_TURN_WAIT_KIND(its_name)                                                                \
    {                                                                                              \
        .name = (its_name), .abort = ed_turn_abort                                                 \
    }
bool ed_turn_abort(struct ed_wait *wait);

/* Whether somebody who comes now has the turn at once. */
ED_INLINE bool ed_line_is_free(const struct ed_line *line)
{
    return ed_list_empty(&line->turns) && !line->ended;
}

/* Waits for the turn. No checkpoint. Suspends. 0: it is to be left by ed_line_leave; else what
 * cut the wait short, or what the line has ended with. */
int ed_line_enter(struct ed_line *line, struct ed_turn *turn, const struct ed_wait_kind *kind);

/* Enters without waiting for others, for operations that take nothing away from them. 0, or what
 * the line has ended with. */
int ed_line_join(struct ed_line *line, struct ed_turn *turn);

/* Submits the operation of a turn and waits for it, as ed_op_await does; may be done again.
 * Suspends. */
int ed_turn_await(struct ed_turn *turn, const struct ed_wait_kind *kind);

/* Lets the next one have it. The line may be gone when a later call suspends. */
void ed_line_leave(struct ed_turn *turn);

/* One operation in its turn, without a wait where that is possible. No checkpoint. Suspends. */
int ed_line_do(struct ed_line *line, struct ed_turn *turn, const struct ed_wait_kind *kind);

/* Ends a line with an error, for those that are in it and those that come, and waits until it
 * is empty; shielded. An operation that is done meanwhile has succeeded. The second one
 * suspends. */
void ed_line_end(struct ed_line *line, int rc);
void ed_line_wait(struct ed_line *line);

#endif
