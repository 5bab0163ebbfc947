/* SPDX-License-Identifier: MIT */
/* What debug mode looks at: tasks (debug.c), time (watchdog.c), SIGQUIT (quit.c). */
#ifndef ED_TASK_DEBUG_H
#define ED_TASK_DEBUG_H

#include "task/task.h"

/* A run of a loop in debug mode begins and ends. */
void ed_debug_begin(eddy_loop *loop);
void ed_debug_end(eddy_loop *loop);

/* The mark in the stack of a task, at three quarters of its depth. Inlined, since these
 * two are what debug mode does for every task. */
#define ED_DEBUG_MARK UINT64_C(0x7465737361667265)
#define ED_DEBUG_MARK_WORDS 8
ED_INLINE uint64_t *ed_debug_mark(const eddy_task *task)
{
    const char *bottom = task->stack.fiber.bottom;

    return (uint64_t *)(uintptr_t)(bottom + (task->stack.fiber.size / 4 & ~(size_t)63));
}

ED_INLINE void ed_debug_task_made(eddy_task *task)
{
    uint64_t *mark = ed_debug_mark(task);

    for (int i = 0; i < ED_DEBUG_MARK_WORDS; i++)
        mark[i] = ED_DEBUG_MARK;
    task->is.marked = true;
}

ED_INLINE bool ed_debug_mark_is_whole(const eddy_task *task)
{
    const uint64_t *mark = ed_debug_mark(task);
    bool whole = true;

    ed_valgrind_look_away(); /* it lies below the stack pointer */
    for (int i = 0; i < ED_DEBUG_MARK_WORDS; i++)
        whole &= mark[i] == ED_DEBUG_MARK;
    ed_valgrind_look_again();
    return whole;
}

/* What happens to tasks of such a loop, and is unusual. */
void ed_debug_task_was_deep(eddy_task *task);  /* its body has returned, without the mark */
void ed_debug_task_cancelled(eddy_task *task); /* it is freed, and ended as cancelled */
void ed_debug_task_unborn(eddy_task *task);    /* its owner ended it before it ever ran */
void ed_debug_task_refused(eddy_task *task);   /* ED_CREDIT calls since it was cancelled */

/* Reports the handles that are left, when all tasks of a loop have ended. */
void ed_debug_forgotten(eddy_loop *loop);

/* A thread that watches how long the steps of a loop take. Starting may fail: then
 * nobody watches. No effect when it runs, or does not. */
void ed_watchdog_start(eddy_loop *loop);
void ed_watchdog_stop(eddy_loop *loop);
/* The time that a step may take has changed. */
void ed_watchdog_look(eddy_loop *loop);
/* The loop was asked for a dump, or has given it: if it does not come to it, the
 * watchdog says what it is busy with. Async-signal-safe. */
void ed_watchdog_expect(eddy_loop *loop, bool expect);

/* SIGQUIT for a loop, while the signal's action is the default. */
void ed_quit_watch(eddy_loop *loop);
void ed_quit_unwatch(eddy_loop *loop);
void ed_quit_forget(void); /* in a child of fork(2) */

#endif
