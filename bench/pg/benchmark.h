/* SPDX-License-Identifier: MIT */
/* What is measured: the names of the command line. */
#ifndef BENCH_PG_BENCHMARK_H
#define BENCH_PG_BENCHMARK_H

#include "contest/contest.h"
#include "contest/stopwatch.h"

struct benchmark {
    const char *name, *text;
    struct competitor *competitors; /* up to one without a name */
    unsigned rate;       /* how many are done for each second of measuring; 0: all of the rows */
    bool link;           /* over the link */
    const char *prepare; /* SQL before each measurement; or NULL */
    struct figure figures[FIGURES + 1];
    void (*convert)(const struct reading *reading, double *figures);
};

/* Their order is the order in which they are run; the last one has no name. */
extern const struct benchmark benchmarks[];

#endif
