/* SPDX-License-Identifier: MIT */
/* Counting what is in use: eddy_get_stats and EDDY_STATS=1. */
#include "harness.h"

#include <stdlib.h>

static int naps(double seconds)
{
    return eddy_sleep(seconds);
}
EDDY_ASYNC(naps, double);

static int count(eddy_generator *g, int n)
{
    for (int i = 0; i < n; i++)
        EDDY_TRY(eddy_yield(g, &i));
    return 0;
}
EDDY_ASYNC_GENERATOR(int, count, int);

/* Each figure follows what it counts. */
TEST(stats_count_what_is_in_use)
{
    eddy_stats before, now;
    int value;

    eddy_get_stats(&before);
    CHECK_EQ(before.loops, 1);
    CHECK_EQ(before.tasks, 1);
    CHECK_EQ(before.timers, 0);
    CHECK_EQ(before.generators, 0);
    {
        EDDY_TASK a = eddy_create_task(naps, 1.0);
        EDDY_TASK b = eddy_create_task(naps, 2.0);
        EDDY_GENERATOR generator = eddy_generate(count, 3);
        EDDY_QUEUE(queue, long, 0);

        CHECK(a && b);
        CHECK_OK(eddy_sleep(0));
        CHECK_EQ(eddy_next(generator, &value), 1);
        CHECK_OK(eddy_queue_put(&queue, &(long){1}));
        for (long i = 0; i < 100; i++)
            CHECK_OK(eddy_queue_put(&queue, &i));
        eddy_get_stats(&now);
        CHECK_EQ(now.tasks, 3);
        CHECK_EQ(now.timers, 2);
        CHECK_EQ(now.generators, 1);
        CHECK(now.stacks >= 4);
        CHECK(now.blocks > before.blocks);
        CHECK(now.bytes >= before.bytes + 100 * sizeof(long));
    }
    eddy_get_stats(&now);
    CHECK_EQ(now.tasks, 1);
    CHECK_EQ(now.timers, 0);
    CHECK_EQ(now.generators, 0);
    CHECK_EQ(now.blocks, before.blocks);
    CHECK_EQ(now.bytes, before.bytes);
}

/* An ended task counts until its owner lets it go. */
TEST(an_ended_task_counts_until_it_is_freed)
{
    eddy_task *task = eddy_create_task(naps, 0.0);
    eddy_stats stats;

    (void)eddy_await(task);
    eddy_get_stats(&stats);
    eddy_task_release(&task);
    CHECK_EQ(stats.tasks, 2);
    eddy_get_stats(&stats);
    CHECK_EQ(stats.tasks, 1);
}

/* Outside every loop all is zero, as the harness checks for each test. */
RAW_TEST(at_rest_nothing_is_in_use)
{
    static const eddy_stats none;
    eddy_stats stats;

    CHECK_OK(eddy_run(naps, 1.0));
    eddy_get_stats(&stats);
    CHECK(memcmp(&stats, &none, sizeof stats) == 0);
}

static void run_with_stats(void)
{
    setenv("EDDY_STATS", "1", 1);
    exit(eddy_run(naps, 1.0) ? 1 : 0);
}

static void run_without_stats(void)
{
    exit(eddy_run(naps, 1.0) ? 1 : 0);
}

/* EDDY_STATS=1 prints them when the program ends. */
RAW_TEST(the_environment_asks_for_counters_at_exit)
{
    char text[1024];

    CHECK_EQ(test_fork(run_with_stats, text, sizeof text), 0);
    CHECK_HAS(text, "eddy: loops 0, tasks 0, generators 0, timers 0, operations 0, descriptors 0, "
                    "threads 0, stacks 0, blocks 0, bytes 0\n");
    CHECK_EQ(test_fork(run_without_stats, text, sizeof text), 0);
    CHECK_STR(text, "");
}
