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

int eddy_sleep_for_(double seconds)
{
    eddy_loop *loop = eddy_thread_.loop;
    int rc = ed_checkpoint();

    if (ed_unlikely(rc < 0))
        return rc;
    if (seconds <= 0)
        return ed_yield();
    if (ed_unlikely(isnan(seconds)))
        return ed_raise(-EINVAL, "eddy_sleep: the time is not a number");

    struct sleep_wait sleep = {.wait = ED_WAIT(&sleep_kind, NULL, NULL),
                               .timer = ED_TIMER_INIT(sleep_over)};

    ed_loop_start_timer(loop, &sleep.timer,
                        ed_time_add(ed_loop_now(loop), ed_time_from_seconds(seconds)));
    return ed_park(&sleep.wait);
}

int eddy_yield_begin_(void)
{
    eddy_task *self = eddy_thread_.task;
    eddy_loop *loop = eddy_thread_.loop;
    struct ed_ready *node;
    eddy_task *next;
    int rc = ed_checkpoint();

    if (ed_unlikely(rc < 0))
        return rc;
    node = loop->ready;
    if (ed_unlikely(!node || node->run != ed_task_run || loop->turns <= 1))
        return ed_yield();
    loop->turns--;
    ed_loop_ready(loop, &self->ready);
    loop->ready = node->next; /* not the last: this task is behind it */
    next = ed_container_of(node, eddy_task, ready);
    ed_thread_enter(next);
    eddy_thread_.waiting = self;
    eddy_thread_.next = &next->context;
    return 1;
}

double eddy_time(void)
{
    return eddy_thread_.loop ? eddy_loop_time(eddy_thread_.loop)
                             : ed_time_to_seconds(ed_time_monotonic());
}
