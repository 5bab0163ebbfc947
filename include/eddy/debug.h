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
 * and who holds that. Tasks that wait for each other are shown as a cycle.
 */
EDDY_API void eddy_dump_tasks(FILE *stream);

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
