/* SPDX-License-Identifier: MIT */
/* Sleeping: a wait that only a timer ends. */
#include <errno.h>
#include <math.h>

#include "task/park.h"

struct sleep_wait {
    struct ed_wait wait;
    struct eddy_timer_ timer;
};

static void sleep_over(struct eddy_timer_ *timer)
{
    ed_wake(&ed_container_of(timer, struct sleep_wait, timer)->wait, 0);
}

static bool sleep_abort(struct ed_wait *wait)
{
    struct sleep_wait *sleep = ed_container_of(wait, struct sleep_wait, wait);

    ed_loop_stop_timer(wait->task->loop, &sleep->timer);
    return true;
}

static const struct ed_wait_kind sleep_kind = {"sleep", sleep_abort, NULL};

int eddy_sleep(double seconds)
{
    int rc = ed_checkpoint();

    if (ed_unlikely(rc < 0))
        return rc;
    if (seconds <= 0)
        return ed_yield();
    if (ed_unlikely(isnan(seconds)))
        return ed_raise(-EINVAL, "eddy_sleep: the time is not a number");

    struct sleep_wait sleep = {.wait = ED_WAIT(&sleep_kind, NULL, NULL),
                               .timer = ED_TIMER_INIT(sleep_over)};
    eddy_loop *loop = sleep.wait.task->loop;

    ed_loop_start_timer(loop, &sleep.timer,
                        ed_time_add(ed_loop_now(loop), ed_time_from_seconds(seconds)));
    return ed_park(&sleep.wait);
}

double eddy_time(void)
{
    return eddy_thread_.loop ? eddy_loop_time(eddy_thread_.loop)
                             : ed_time_to_seconds(ed_time_monotonic());
}
