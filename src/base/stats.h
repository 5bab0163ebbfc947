/* SPDX-License-Identifier: MIT */
/*
 * What the process holds, for eddy_get_stats and EDDY_STATS=1. These counters
 * change rarely, and may be changed by any thread; what changes often (tasks,
 * timers, operations) is counted by each loop for itself.
 */
#ifndef ED_BASE_STATS_H
#define ED_BASE_STATS_H

#include "base/compat.h"

enum ed_stat {
    ED_STAT_LOOPS,
    ED_STAT_DESCRIPTORS,
    ED_STAT_THREADS,
    ED_STAT_STACKS,
    ED_STAT_COUNT,
};

/* Changes a counter that only this thread writes, and any may read. */
ED_INLINE void ed_count(size_t *counter, long change)
{
    __atomic_store_n(counter, *counter + (size_t)change, __ATOMIC_RELAXED);
}

void ed_stats_add(enum ed_stat stat, long change);
void ed_stats_reset(enum ed_stat stat); /* in a child of fork(2): nothing of it came along */
size_t ed_stats_get(enum ed_stat stat);

#endif
