/* SPDX-License-Identifier: MIT */
/* How long many things took: a histogram of times with an error of at most 1 in 64. */
#ifndef ED_TOOLS_LATENCY_H
#define ED_TOOLS_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#define ED_LATENCY_STEPS 64 /* in each doubling */
#define ED_LATENCY_ROWS 37  /* doublings: up to an hour */

/* All zero: empty. Nanoseconds. */
struct ed_latency {
    uint64_t counts[ED_LATENCY_ROWS * ED_LATENCY_STEPS];
    uint64_t count, most;
    double sum;
};

void ed_latency_add(struct ed_latency *latency, double seconds);

/* The time that `percent` of all did not exceed, in seconds; 0 when there is none. */
double ed_latency_percentile(const struct ed_latency *latency, double percent);

/* "850 us", "3.21 ms", "1.50 s". */
const char *ed_latency_text(double seconds, char text[32]);

#endif
