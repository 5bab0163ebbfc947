/* SPDX-License-Identifier: MIT */
/* What the benchmarks of eddy-file have in common. */
#ifndef BENCH_EDDY_FILE_JOB_H
#define BENCH_EDDY_FILE_JOB_H

#include <eddy.h>

#include "contest/stopwatch.h"
#include "file/work.h"

/* Something that is done `count` times, by `depth` tasks. */
struct job {
    const struct order *order;
    int (*step)(struct job *job, unsigned number);
    void *argument; /* of the step's */
    unsigned next;  /* number to be done */
    uint64_t bytes; /* that the steps have counted */
};

/* Does it, in the calling task itself if there is no other, and prints what it took. */
EDDY_AWAITS int job_play(struct job *job);

/* The benchmarks. */
EDDY_AWAITS int read_small_files(const struct order *order);
EDDY_AWAITS int read_whole_files(const struct order *order);
EDDY_AWAITS int read_random(const struct order *order);
EDDY_AWAITS int read_lines(const struct order *order);
EDDY_AWAITS int copy_big(const struct order *order);
EDDY_AWAITS int spawn_often(const struct order *order);
EDDY_AWAITS int tick_beside(const struct order *order);

#endif
