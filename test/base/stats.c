/* SPDX-License-Identifier: MIT */
/* The counters of the process. */
#include "base/stats.h"

#include <pthread.h>

#include "harness.h"

RAW_TEST(stats_count_up_and_down_apart_from_each_other)
{
    ed_stats_add(ED_STAT_LOOPS, 3);
    ed_stats_add(ED_STAT_THREADS, 5);
    ed_stats_add(ED_STAT_LOOPS, -1);
    CHECK_EQ(ed_stats_get(ED_STAT_LOOPS), 2);
    CHECK_EQ(ed_stats_get(ED_STAT_THREADS), 5);
    CHECK_EQ(ed_stats_get(ED_STAT_STACKS), 0);
    ed_stats_add(ED_STAT_LOOPS, -2);
    ed_stats_add(ED_STAT_THREADS, -5);
}

static void *count_up_and_down(void *unused)
{
    for (int i = 0; i < 20000; i++) {
        ed_stats_add(ED_STAT_STACKS, 3);
        ed_stats_add(ED_STAT_STACKS, -2);
    }
    return unused;
}

RAW_TEST(stats_lose_nothing_between_threads)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, count_up_and_down, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(ed_stats_get(ED_STAT_STACKS), 80000);
    ed_stats_add(ED_STAT_STACKS, -80000);
}
