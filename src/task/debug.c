/* SPDX-License-Identifier: MIT */
/*
 * Debug mode: what a programmer would like to be told of tasks, at a price that lets
 * it stay on.
 *
 * Nothing here is on the path of a switch. Making a task marks its stack at three
 * quarters of its depth, and its end looks whether the mark is still there; what
 * else is seen is seen when something unusual happens anyway.
 */
#include "task/debug.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/flight.h"
#include "eddy/debug.h"

#define DEBUG_FORGOTTEN 10     /* handles that are named, at the most */
#define DEBUG_SLOW_MIN 4000000 /* ns */

/* The mode ---------------------------------------------------------------------- */

void ed_debug_begin(eddy_loop *loop)
{
    ed_watchdog_start(loop);
    ed_quit_watch(loop);
}

void ed_debug_end(eddy_loop *loop)
{
    ed_quit_unwatch(loop);
    ed_watchdog_stop(loop);
}

void eddy_loop_set_debug(eddy_loop *loop, bool debug)
{
    ed_loop_check_thread(loop, "eddy_loop_set_debug");
    if (loop->closed || loop->debug == debug)
        return;
    loop->debug = debug;
    if (debug)
        ed_flight_watch(true); /* of the process: stays on */
    if (debug && loop->running && ed_tasks_of(loop))
        ed_debug_begin(loop);
    else if (!debug)
        ed_debug_end(loop);
}

bool eddy_loop_get_debug(const eddy_loop *loop)
{
    return loop->debug;
}

void eddy_loop_set_slow_callback_duration(eddy_loop *loop, double seconds)
{
    int64_t slow = ed_time_from_seconds(seconds);

    ed_loop_check_thread(loop, "eddy_loop_set_slow_callback_duration");
    __atomic_store_n(&loop->slow, slow < DEBUG_SLOW_MIN ? DEBUG_SLOW_MIN : slow, __ATOMIC_RELAXED);
    ed_watchdog_look(loop); /* at other times from now on */
}

double eddy_loop_get_slow_callback_duration(const eddy_loop *loop)
{
    return ed_time_to_seconds(loop->slow);
}

/* Stacks ------------------------------------------------------------------------ */

/* The lowest page from `start` on that is in memory, or `end`. */
static char *debug_touched(char *start, char *end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char there[64];

    while (start < end) {
        size_t size = (size_t)(end - start) < 64 * page ? (size_t)(end - start) : 64 * page;

        if (mincore(start, size, there) < 0)
            return end;
        for (size_t i = 0; i < size / page; i++, start += page)
            if (there[i] & 1)
                return start;
    }
    return end;
}

size_t eddy_task_stack_used(const eddy_task *task)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *start, *end, *lowest, *marked;

    if (!task)
        return 0;
    start = ed_stack_bottom(&task->stack);
    end = start + ed_stack_size(&task->stack);
    lowest = debug_touched(start, end);
    marked = (char *)((uintptr_t)ed_debug_mark(task) & ~(page - 1));
    if (lowest == marked && task->is.marked && ed_debug_mark_is_whole(task))
        lowest = debug_touched(marked + page, end); /* by nothing but the mark */
    return (size_t)(end - lowest);
}

/* Tasks --------------------------------------------------------------------------- */

void ed_debug_task_was_deep(eddy_task *task)
{
    ed_loop_report(task->loop, EDDY_REPORT_STACK, 0, task,
                   "task %s, %s() created at %s, used more than three quarters of its stack of "
                   "%zu KiB; eddy_task_options.stack_size gives a task a larger one",
                   eddy_task_name(task), task->function->name, task->where,
                   ed_stack_size(&task->stack) / 1024);
}

void ed_debug_task_cancelled(eddy_task *task)
{
    if (task->is.done && !task->is.error_read && !task->is.cancel_asked && !task->is.cancel_final)
        ed_loop_report(task->loop, EDDY_REPORT_CANCEL_NOT_READ, task->rc, task,
                       "task %s, %s() created at %s, ended with ECANCELED although nobody had "
                       "cancelled it, and nobody read that",
                       eddy_task_name(task), task->function->name, task->where);
}

void ed_debug_task_unborn(eddy_task *task)
{
    ed_loop_report(task->loop, EDDY_REPORT_NOT_AWAITED, 0, task,
                   "task %s, %s() created at %s, was ended by its owner before it had run, and "
                   "nobody awaited it",
                   eddy_task_name(task), task->function->name, task->where);
}

void ed_debug_task_refused(eddy_task *task)
{
    ed_loop_report(task->loop, EDDY_REPORT_CANCEL_NOT_READ, task->pending, task,
                   "task %s, %s() created at %s, goes on although its calls are refused: %d "
                   "returned %s, and it ignores them",
                   eddy_task_name(task), task->function->name, task->where, ED_CREDIT,
                   eddy_error_name(task->pending));
}

void ed_debug_forgotten(eddy_loop *loop)
{
    size_t count = 0;

    for (eddy_task *t = ed_task_next(loop->tasks, NULL); t; t = ed_task_next(loop->tasks, t)) {
        if (t->is.owner != ED_OWNER_HANDLE || !t->is.done)
            continue;
        if (++count <= DEBUG_FORGOTTEN)
            ed_loop_report(loop, EDDY_REPORT_NOT_AWAITED, 0, t,
                           "the handle of task %s, %s() created at %s, was never released%s: "
                           "EDDY_TASK, eddy_task_release and eddy_task_detach do that",
                           eddy_task_name(t), t->function->name, t->where,
                           t->is.awaited ? "" : ", and nobody awaited it");
    }
    if (count > DEBUG_FORGOTTEN)
        ed_loop_report(loop, EDDY_REPORT_NOT_AWAITED, 0, NULL,
                       "%zu more handles were never released", count - DEBUG_FORGOTTEN);
}
