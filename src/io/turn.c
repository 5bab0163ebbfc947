/* SPDX-License-Identifier: MIT */
/*
 * The kernel promises no order among those that wait for one descriptor, and the two engines
 * keep different ones. So only the first of a line has an operation there, and the others wait
 * for their turn.
 *
 * A turn is in the list from enter to leave. While it waits behind others it can be taken out
 * at once; one that was woken for its turn and is cancelled before it runs finds out when it
 * submits, and leaves, so that the next one has the turn.
 */
#include "io/turn.h"

#include <errno.h>

#include "base/die.h"
#include "eddy/task.h"

#define TURN_PAUSE_FIRST 0.001 /* seconds between tries where readiness tells nothing */
#define TURN_PAUSE_LONGEST 0.05

bool ed_turn_abort(struct ed_wait *wait)
{
    struct ed_turn *turn = ed_container_of(wait, struct ed_turn, awaited.wait);

    if (!turn->waiting)
        return ed_op_abort(wait);
    turn->waiting = false;
    ed_list_remove(&turn->line->turns, &turn->link);
    return true;
}

int ed_line_join(struct ed_line *line, struct ed_turn *turn)
{
    if (line->ended)
        return ed_fail(line->ended);
    turn->line = line;
    ed_list_append(&line->turns, &turn->link);
    return 0;
}

int ed_line_enter(struct ed_line *line, struct ed_turn *turn, const struct ed_wait_kind *kind)
{
    int rc = ed_line_join(line, turn);

    if (rc < 0 || line->turns.first == &turn->link)
        return rc;
    turn->waiting = true;
    turn->awaited.wait = (struct ed_wait){.task = eddy_thread_.task, .kind = kind, .object = turn};
    return ed_park(&turn->awaited.wait);
}

static int turn_await_op(struct ed_turn *turn, const struct ed_wait_kind *kind)
{
    int rc;

    if (turn->line->ended)
        return ed_fail(turn->line->ended);
    rc = ed_op_await(&turn->awaited, kind);
    if (rc == -ECANCELED && turn->line->ended && !turn->awaited.wait.aborting)
        return ed_fail(turn->line->ended);
    return rc;
}

/*
 * A send that had no room waits for readiness and tries again: io_uring, asked to wait by
 * itself, sends an empty datagram in the place of one that found a unix receiver full (seen on
 * 6.18: the first try has used up the bytes). And an unconnected unix socket is ready all the
 * same while its receiver is full, so that the tries come at growing distances.
 */
static int turn_await_room(struct ed_turn *turn, const struct ed_wait_kind *kind)
{
    struct ed_op send = turn->awaited.op;
    double pause = TURN_PAUSE_FIRST;
    int rc;

    for (;;) {
        turn->awaited.op = (struct ed_op){.kind = ED_OP_POLL, .fd = send.fd, .events = ED_POLL_OUT};
        rc = turn_await_op(turn, kind);
        turn->awaited.op = send;
        if (rc < 0)
            return rc;
        rc = ed_engine_try(&turn->awaited.op);
        if (rc != -EAGAIN)
            return rc < 0 ? ed_fail(rc) : rc;
        rc = eddy_sleep(pause);
        if (rc < 0)
            return rc;
        pause = pause * 2 < TURN_PAUSE_LONGEST ? pause * 2 : TURN_PAUSE_LONGEST;
    }
}

int ed_turn_await(struct ed_turn *turn, const struct ed_wait_kind *kind)
{
    const struct ed_op *op = &turn->awaited.op;
    bool sends =
        ed_op_awaits(op) == ED_POLL_OUT && op->kind != ED_OP_CONNECT && op->kind != ED_OP_POLL;

    return sends ? turn_await_room(turn, kind) : turn_await_op(turn, kind);
}

void ed_line_leave(struct ed_turn *turn)
{
    struct ed_line *line = turn->line;
    struct ed_turn *next;

    ed_list_remove(&line->turns, &turn->link);
    if (line->turns.first) {
        next = ed_container_of(line->turns.first, struct ed_turn, link);
        if (next->waiting) {
            next->waiting = false;
            ed_wake(&next->awaited.wait, 0);
        }
    } else if (line->closer) {
        ed_wake(line->closer, 0);
        line->closer = NULL;
    }
}

int ed_line_do(struct ed_line *line, struct ed_turn *turn, const struct ed_wait_kind *kind)
{
    int rc;

    if (ed_line_is_free(line)) {
        rc = ed_engine_try(&turn->awaited.op);
        if (rc != -EAGAIN)
            return rc < 0 ? ed_fail(rc) : rc;
    }
    rc = ed_line_enter(line, turn, kind);
    if (rc < 0)
        return rc;
    rc = ed_turn_await(turn, kind);
    ed_line_leave(turn);
    return rc;
}

void ed_line_end(struct ed_line *line, int rc)
{
    line->ended = rc;
    ED_LIST_FOR_EACH(link, &line->turns) {
        struct ed_turn *turn = ed_container_of(link, struct ed_turn, link);

        if (turn->waiting) {
            turn->waiting = false;
            ed_list_remove(&line->turns, link);
            ed_wake(&turn->awaited.wait, rc);
        } else {
            ed_engine_cancel(eddy_thread_.loop->engine, &turn->awaited.op);
        }
    }
}

void ed_line_wait(struct ed_line *line)
{
    static const struct ed_wait_kind kind = {"close", NULL, NULL};
    struct ed_wait wait = ED_WAIT(&kind, line, NULL);

    if (ed_list_empty(&line->turns))
        return;
    ED_ASSERT(!line->closer);
    wait.shielded = true;
    line->closer = &wait;
    (void)ed_park(&wait); /* nothing cuts it short */
}

void ed_turn_left(struct ed_turn *turn)
{
    ed_awaited_left(&turn->awaited);
}
