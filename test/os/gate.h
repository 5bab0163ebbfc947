/* SPDX-License-Identifier: MIT */
/*
 * Gates for thread jobs. A job that must still run, or wait, at some point stands at a
 * gate until the test opens it, so that nothing depends on how fast anybody is.
 */
#ifndef GATE_H
#define GATE_H

#include <unistd.h>

#include "harness.h"

#define GATES 64

static int gate[GATES]; /* atomic: jobs wait until theirs is open */
static int running;     /* atomic: jobs that stand at a gate, or have passed one */

/* In a job. Real time: this is what a blocking function does. */
static inline void stand_at_gate(int which)
{
    __atomic_add_fetch(&running, 1, __ATOMIC_ACQ_REL);
    while (!__atomic_load_n(&gate[which], __ATOMIC_ACQUIRE))
        usleep(100);
}

static inline void open_gate(int which)
{
    __atomic_store_n(&gate[which], 1, __ATOMIC_RELEASE);
}

/* For EDDY_DEFER: what fails must not leave a job standing. */
static inline void open_all(void *unused)
{
    (void)unused;
    for (int i = 0; i < GATES; i++)
        open_gate(i);
}

/* Lets the loop run until so many jobs stand at their gates. */
static inline int until_running(int count)
{
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE) < count)
        EDDY_TRY(eddy_sleep(0));
    return 0;
}

static inline size_t threads(void)
{
    eddy_stats stats;

    eddy_get_stats(&stats);
    return stats.threads;
}

#endif
