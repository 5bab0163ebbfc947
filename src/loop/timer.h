/* SPDX-License-Identifier: MIT */
/* The timer queue of a loop: see timer.c for how it works. */
#ifndef ED_LOOP_TIMER_H
#define ED_LOOP_TIMER_H

#include "base/compat.h"
#include "eddy/scope.h"

#define ED_TIMER_LEVELS 11 /* of 6 bits: 66 cover an int64_t */
#define ED_TIMER_SLOTS 64

struct ed_timer_bucket {
    struct eddy_list_ timers;
    int64_t bound; /* no timer in it is earlier; meaningless when empty */
};

struct ed_timer_queue {
    int64_t base; /* no pending timer is earlier */
    size_t count;
    uint16_t levels;                 /* bit L: level L has a timer */
    uint64_t slots[ED_TIMER_LEVELS]; /* bit S: bucket S of the level has one */
    struct ed_timer_bucket buckets[ED_TIMER_LEVELS * ED_TIMER_SLOTS];
};

/* Makes an empty queue at time `now`. */
void ed_timer_init(struct ed_timer_queue *queue, int64_t now);

/* Sets timer->when and starts it. The timer must not be pending; its memory is
 * the caller's and is used until it fired or was stopped. Never fails. */
void ed_timer_start(struct ed_timer_queue *queue, struct eddy_timer_ *timer, int64_t when);

/* Stops a timer; no effect on one that is not pending. */
void ed_timer_stop(struct ed_timer_queue *queue, struct eddy_timer_ *timer);

/* The first timer that is due at `now`, taken out of the queue, or NULL: equal
 * deadlines come in the order in which they were started. */
struct eddy_timer_ *ed_timer_take_due(struct ed_timer_queue *queue, int64_t now);

/* A time that no pending timer is earlier than: exact unless the first timer was
 * stopped; ED_NEVER when there is none. */
int64_t ed_timer_next(const struct ed_timer_queue *queue);

/* clang-format off */
#define ED_TIMER_INIT(function) {{NULL, NULL}, 0, -1, (function)}
/* clang-format on */

ED_INLINE bool ed_timer_pending(const struct eddy_timer_ *timer)
{
    return timer->bucket >= 0;
}

#endif
