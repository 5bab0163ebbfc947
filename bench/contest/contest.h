/* SPDX-License-Identifier: MIT */
/*
 * A contest: each competitor is measured once a round, every second round in the opposite order,
 * so that a change of the machine's speed hits all alike. The table gives medians of the rounds,
 * the lowest and highest, and the median of each round's ratio to the base, which other noise
 * hardly touches. Under it stand the bars, and whether they were reached.
 */
#ifndef BENCH_CONTEST_CONTEST_H
#define BENCH_CONTEST_CONTEST_H

#include "competitor.h"

#define COMPETITORS_MAX 16
#define ROUNDS_MAX 1000

/* A kind of figure; `decimals` of it are printed. */
struct figure {
    const char *text;
    int decimals;
};

struct contest {
    const char *name;
    const struct figure *figures; /* up to one without a text */
    const struct competitor *competitors;
    size_t count; /* of them, COMPETITORS_MAX at most */
    bool peers;   /* take part */
    const void *argument;
    /* Measures one of them once and writes all figures; false if it could not. */
    bool (*measure)(const void *argument, const struct competitor *competitor, double *figures);
};

/* Plays so many rounds, ROUNDS_MAX at most, and prints the table. Who fails once is left out
 * from then on; then it returns false. */
bool contest_play(const struct contest *contest, unsigned rounds);

#endif
