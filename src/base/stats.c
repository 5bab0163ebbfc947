/* SPDX-License-Identifier: MIT */
/* Counters of the process: one relaxed atomic each. */
#include "base/stats.h"

static size_t stats[ED_STAT_COUNT];

void ed_stats_add(enum ed_stat stat, long change)
{
    __atomic_add_fetch(&stats[stat], (size_t)change, __ATOMIC_RELAXED);
}

void ed_stats_reset(enum ed_stat stat)
{
    __atomic_store_n(&stats[stat], 0, __ATOMIC_RELAXED);
}

size_t ed_stats_get(enum ed_stat stat)
{
    return __atomic_load_n(&stats[stat], __ATOMIC_RELAXED);
}
