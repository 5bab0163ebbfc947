/* SPDX-License-Identifier: MIT */
/* What debug mode looks at: tasks (debug.c), time (watchdog.c), SIGQUIT (quit.c). */
#ifndef ED_TASK_DEBUG_H
#define ED_TASK_DEBUG_H

#include "task/task.h"

/* A run of a loop in debug mode begins and ends. */
void ed_debug_begin(eddy_loop *loop);
void ed_debug_end(eddy_loop *loop);

/* Steps in the life of a task of such a loop. */
void ed_debug_task_made(eddy_task *task);
void ed_debug_task_ended(eddy_task *task);   /* its body has returned */
void ed_debug_task_freed(eddy_task *task);   /* its owner has let go of it */
void ed_debug_task_unborn(eddy_task *task);  /* and does so before it ever ran */
void ed_debug_task_refused(eddy_task *task); /* ED_CREDIT calls since it was cancelled */

/* Reports the handles that are left, when a loop is about to end its tasks. */
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
