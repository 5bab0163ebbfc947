/* SPDX-License-Identifier: MIT */
/* EDDY_SEED: promise 10. */
#include "loop/trace.h"

#define NODES 100

static eddy_loop *loop;
static int order[4 * NODES], count;

static int note(void *number)
{
    order[count++] = (int)(intptr_t)number;
    return 0;
}

/* Runs NODES callbacks on a loop with this seed, and sums up their order. */
static uint64_t order_of(const char *seed)
{
    uint64_t sum = 0;
    bool seen[NODES] = {false};

    setenv("EDDY_SEED", seed, 1);
    loop = loop_open();
    count = 0;
    for (intptr_t i = 0; i < NODES; i++)
        (void)eddy_loop_call_soon(loop, note, (void *)i);
    if (loop_run_for(loop, 1) < 0 || count != NODES)
        test_fail(__FILE__, __LINE__, "%d callbacks ran", count);
    eddy_loop_free(loop);
    for (int i = 0; i < NODES; i++) {
        if (seen[order[i]])
            test_fail(__FILE__, __LINE__, "a callback ran twice");
        seen[order[i]] = true;
        sum = sum * 31 + (uint64_t)order[i];
    }
    return sum;
}

RAW_TEST(seed_is_the_same_order_each_time)
{
    CHECK_EQ(order_of("1"), order_of("1"));
    CHECK_EQ(order_of("0x12345678"), order_of("305419896"));
    CHECK_EQ(order_of("18446744073709551615"), order_of("18446744073709551615"));
}

RAW_TEST(seeds_differ_in_their_order)
{
    uint64_t sums[20], unshuffled = order_of("");
    char seed[8];

    for (int i = 0; i < 20; i++) {
        snprintf(seed, sizeof seed, "%d", i);
        sums[i] = order_of(seed);
        CHECK(sums[i] != unshuffled);
        for (int j = 0; j < i; j++)
            CHECK_THAT(sums[i] != sums[j], "seeds %d and %d give one order", i, j);
    }
}

/* Without a seed the order is that of call_soon. */
RAW_TEST(no_seed_is_no_shuffle)
{
    (void)order_of("");
    for (int i = 0; i < NODES; i++)
        CHECK_EQ(order[i], i);
}

/* Any of three may come first, and each order of three is seen. */
RAW_TEST(every_order_is_possible)
{
    unsigned seen = 0;

    for (int i = 0; i < 300 && seen != 63; i++) {
        char seed[8];

        snprintf(seed, sizeof seed, "%d", i);
        setenv("EDDY_SEED", seed, 1);
        loop = loop_open();
        count = 0;
        for (intptr_t j = 0; j < 3; j++)
            (void)eddy_loop_call_soon(loop, note, (void *)j);
        CHECK_OK(loop_run_for(loop, 1));
        eddy_loop_free(loop);
        seen |= 1u << (order[0] * 2 + (order[1] > order[2]));
    }
    CHECK_EQ(seen, 63);
}

static int note_and_return(void *number)
{
    note(number);
    if (count <= 2 * NODES)
        (void)eddy_loop_call_soon(loop, note_and_return, number);
    return 0;
}

/* Invariant: each of N ready nodes runs once before any runs again. */
RAW_TEST(every_ready_callback_runs_once_a_round)
{
    setenv("EDDY_SEED", "77", 1);
    loop = loop_open();
    for (intptr_t i = 0; i < NODES; i++)
        (void)eddy_loop_call_soon(loop, note_and_return, (void *)i);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK(count >= 3 * NODES);
    for (int round = 0; round < 3; round++) {
        bool seen[NODES] = {false};

        for (int i = 0; i < NODES; i++) {
            CHECK(!seen[order[round * NODES + i]]);
            seen[order[round * NODES + i]] = true;
        }
    }
    eddy_loop_free(loop);
}

static int stop_here(void *unused)
{
    (void)unused;
    eddy_loop_stop(loop);
    for (intptr_t i = 10; i < 20; i++)
        (void)eddy_loop_call_soon(loop, note, (void *)i);
    return 0;
}

/* A-RUNL-2 holds in any order: what stands before the stop runs, the rest is kept. */
RAW_TEST(stop_is_not_shuffled)
{
    for (int i = 0; i < 30; i++) {
        char seed[8];

        snprintf(seed, sizeof seed, "%d", i);
        setenv("EDDY_SEED", seed, 1);
        loop = loop_open();
        count = 0;
        (void)eddy_loop_call_soon(loop, stop_here, NULL);
        for (intptr_t j = 0; j < 10; j++)
            (void)eddy_loop_call_soon(loop, note, (void *)j);
        CHECK_OK(eddy_loop_run_forever(loop));
        CHECK_EQ(count, 10);
        for (int j = 0; j < 10; j++)
            CHECK(order[j] < 10);
        CHECK_OK(loop_run_for(loop, 1));
        CHECK_EQ(count, 20);
        eddy_loop_free(loop);
    }
}

static int child(int number)
{
    for (int i = 0; i < 3; i++) {
        note((void *)(intptr_t)number);
        EDDY_TRY(eddy_sleep(i));
    }
    return 0;
}
EDDY_ASYNC(child, int);

static int parent(void)
{
    EDDY_GROUP(group);
    for (int i = 0; i < 20; i++)
        EDDY_TRY(eddy_group_create_task(&group, child, i));
    return eddy_group_join(&group);
}
EDDY_ASYNC(parent);

/* Two runs of one seed have the same trace, tasks and timers included. */
RAW_TEST(run_of_tasks_with_a_seed_is_repeatable)
{
    int first[60], others = 0;

    for (int run = 0; run < 6; run++) {
        setenv("EDDY_SEED", run < 3 ? "5" : run == 3 ? "6" : run == 4 ? "7" : "8", 1);
        count = 0;
        CHECK_OK(eddy_run(parent));
        CHECK_EQ(count, 60);
        if (run == 0)
            memcpy(first, order, sizeof first);
        else if (run < 3)
            CHECK_EQ(memcmp(first, order, sizeof first), 0);
        else
            others += memcmp(first, order, sizeof first) != 0;
    }
    CHECK_EQ(others, 3);
}

static int note_and_yield(int number)
{
    for (int i = 0; i < 40; i++) {
        note((void *)(intptr_t)number);
        EDDY_TRY(eddy_sleep(0));
    }
    return 0;
}
EDDY_ASYNC(note_and_yield, int);

static int yielders(int tasks)
{
    EDDY_GROUP(group);
    for (int i = 0; i < tasks; i++)
        EDDY_TRY(eddy_group_create_task(&group, note_and_yield, i));
    return eddy_group_join(&group);
}
EDDY_ASYNC(yielders, int);

/* The same for tasks. The last node of a round was shuffled again with those that had
 * run: with two tasks each round was one long, and one of them ran 28 times in a row. */
RAW_TEST(every_ready_task_runs_once_a_round)
{
    for (int seed = 1; seed <= 20; seed++) {
        int tasks = seed % 2 ? 2 : 5;
        char text[8];

        snprintf(text, sizeof text, "%d", seed);
        setenv("EDDY_SEED", text, 1);
        count = 0;
        CHECK_OK(eddy_run(yielders, tasks));
        CHECK_EQ(count, 40 * tasks);
        for (int start = 0; start < count; start += tasks) {
            bool seen[5] = {false};

            for (int i = start; i < start + tasks; i++) {
                CHECK_THAT(!seen[order[i]], "seed %d: task %d runs twice in the round at %d", seed,
                           order[i], start);
                seen[order[i]] = true;
            }
        }
    }
}
