/* SPDX-License-Identifier: MIT */
/*
 * Random tests. Each of their programs comes from a seed: a few hundred in an ordinary
 * run, 10,000 with EDDY_TEST_DEPTH=full. EDDY_TEST_SEED=N runs the one of that seed.
 */
#ifndef SEEDS_H
#define SEEDS_H

#include <stdlib.h>

#include "harness.h"

static uint64_t random_state;

static inline uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline int random_below(int limit)
{
    return (int)(random_next() % (unsigned)limit);
}

static inline void random_begin(uint64_t seed)
{
    random_state = (seed + 1) * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 4; i++)
        random_next();
}

/* Gives each seed its run. `few` is the number of an ordinary test. */
static inline void seeds_run(void (*run)(uint64_t seed), uint64_t few)
{
    const char *one = getenv("EDDY_TEST_SEED");
    uint64_t count = test_is_deep() ? 10000 : test_is_slow() ? few / 10 : few;

    if (one) {
        run(strtoull(one, NULL, 0));
        return;
    }
    for (uint64_t seed = 1; seed <= count; seed++)
        run(seed);
}

#endif
