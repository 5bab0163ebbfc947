/* SPDX-License-Identifier: MIT */
/*
 * What a program that measures itself took, and the line that tells the driver:
 *
 *     count=N wall=S cpu=S worst=S
 */
#ifndef BENCH_CONTEST_STOPWATCH_H
#define BENCH_CONTEST_STOPWATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Seconds of the monotonic clock. */
double now(void);

/* Seconds at the start, of the clock and of the processor. */
struct stopwatch {
    double wall, cpu;
};

struct stopwatch stopwatch_start(void);

/* Prints the line: so many were done since the start. The processor time is that of all threads,
 * and of the children that have been waited for, user and system. `worst` is the longest delay,
 * or 0 where there is no such thing. */
void stopwatch_report(const struct stopwatch *start, uint64_t count, double worst);

/* What the line says. */
struct reading {
    double count, wall, cpu, worst;
};

/* Reads it; false if it is none, or nothing was done. */
bool reading_parse(FILE *in, struct reading *out);

#endif
