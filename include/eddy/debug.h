/* SPDX-License-Identifier: MIT */
/* Looking inside: what tasks there are, and what each waits for. */
#ifndef EDDY_DEBUG_H
#define EDDY_DEBUG_H

#include <stdio.h>

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/*
 * Prints the tasks of the running loop as a tree, each under the task that
 * awaits it: its name, function, where it was created, and what it waits for
 * and who holds that. Tasks that wait for each other are shown as a cycle. In debug
 * mode also how much of its stack each has used.
 */
EDDY_API void eddy_dump_tasks(FILE *stream);

/*
 * Debug mode, of a loop whose programmer wants to know more. It costs a few percent
 * and one page of memory a stack, and reports (see eddy_loop_set_exception_handler):
 *
 *   a task or callback that held the loop for longer than the slow-callback
 *   duration, with its name, where it was created, and how long, to about a quarter
 *   of that duration; one that goes on for ten times as long is also named at
 *   once, on standard error
 *   a task that its owner ended before it had ever run, and handles that were never
 *   released or awaited, at the end of eddy_run
 *   a task that used more than three quarters of its stack
 *   a task that ended with -ECANCELED although nobody had cancelled it, which nobody
 *   read; and one that is cancelled and goes on for 128 calls more
 *
 * Operations of the kernel are watched too: memory that one still uses must not be
 * freed (abort). SIGQUIT (Ctrl-\), where it has its default action, makes each loop
 * in debug mode print its tasks to standard error, and the program goes on; as any
 * signal it may cut a blocking system call short (EINTR).
 *
 * EDDY_DEBUG=1 turns it on for every loop in which a task is made; one with callbacks
 * alone needs the call. For the loop's own thread.
 */
EDDY_API void eddy_loop_set_debug(eddy_loop *loop, bool debug);
EDDY_API bool eddy_loop_get_debug(const eddy_loop *loop); /* Whether it is on. */

/* The seconds that a task or callback may hold the loop in debug mode: 0.1 at first,
 * EDDY_FOREVER for no limit; less than 0.004 counts as that. */
EDDY_API void eddy_loop_set_slow_callback_duration(eddy_loop *loop, double seconds);
/* See eddy_loop_set_slow_callback_duration. */
EDDY_API double eddy_loop_get_slow_callback_duration(const eddy_loop *loop);

/* How many bytes of a task's stack were touched, in whole pages, by it or by a task that
 * had the same stack before; 0 for NULL. Any task of the calling thread's loop. */
EDDY_API size_t eddy_task_stack_used(const eddy_task *task);

/* What the process uses now; at rest, outside every loop, all are 0. */
typedef struct eddy_stats {
    size_t loops;       /* open */
    size_t tasks;       /* not freed */
    size_t generators;  /* not freed */
    size_t timers;      /* pending */
    size_t operations;  /* submitted to the kernel and not completed */
    size_t descriptors; /* opened by the library */
    size_t threads;     /* of executors */
    size_t stacks;      /* mapped, in use or pooled */
    size_t blocks;      /* of heap memory */
    size_t bytes;       /* of heap memory, as asked for */
} eddy_stats;

/* Counts what the library holds. Any thread; figures of running loops are those
 * of the moment. */
EDDY_API void eddy_get_stats(eddy_stats *stats);

EDDY_END_DECLS
#endif
