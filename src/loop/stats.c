/* SPDX-License-Identifier: MIT */
/* What the process holds: the counters of base/stats.h and of each loop. */
#include "base/stats.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eddy/debug.h"
#include "loop/loop.h"

static size_t stats_read(const size_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void stats_add_loop(eddy_loop *loop, void *argument)
{
    eddy_stats *stats = argument;

    stats->timers += stats_read(&loop->timers.count);
    stats->operations += stats_read(&loop->engine->in_flight);
    stats->tasks += stats_read(&loop->task_count);
    stats->generators += stats_read(&loop->generator_count);
}

void eddy_get_stats(eddy_stats *stats)
{
    *stats = (eddy_stats){
        .loops = ed_stats_get(ED_STAT_LOOPS),
        .descriptors = ed_stats_get(ED_STAT_DESCRIPTORS),
        .threads = ed_stats_get(ED_STAT_THREADS),
        .stacks = ed_stats_get(ED_STAT_STACKS),
        .blocks = ed_memory_blocks(),
        .bytes = ed_memory_bytes(),
    };
    ed_loop_for_each(stats_add_loop, stats);
}

static void stats_print(void)
{
    const char *wanted = getenv("EDDY_STATS");
    eddy_stats s;

    if (!wanted || strcmp(wanted, "1") != 0)
        return;
    eddy_get_stats(&s);
    fprintf(stderr,
            "eddy: loops %zu, tasks %zu, generators %zu, timers %zu, operations %zu, "
            "descriptors %zu, threads %zu, stacks %zu, blocks %zu, bytes %zu\n",
            s.loops, s.tasks, s.generators, s.timers, s.operations, s.descriptors, s.threads,
            s.stacks, s.blocks, s.bytes);
}

static void stats_at_exit(void)
{
    atexit(stats_print);
}

void ed_loop_watch_stats(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, stats_at_exit);
}
