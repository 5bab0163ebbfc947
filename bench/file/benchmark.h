/* SPDX-License-Identifier: MIT */
/* What is measured: the names of the command line. */
#ifndef BENCH_FILE_BENCHMARK_H
#define BENCH_FILE_BENCHMARK_H

#include "contest/contest.h"
#include "contest/stopwatch.h"

#define SMALL_FILES 10000
#define LINES 1000000

struct benchmark {
    const char *name, *text;
    struct competitor *competitors; /* up to one without a name */
    void (*make)(void);             /* once; or NULL */
    void (*prepare)(void);          /* before each measurement; or NULL */
    struct figure figures[FIGURES + 1];
    void (*convert)(const struct reading *reading, double *figures);
};

/* Their order is the order in which they are run; the last one has no name. */
extern const struct benchmark benchmarks[];

#endif
