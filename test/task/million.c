/* SPDX-License-Identifier: MIT */
/*
 * Very many tasks at once: a million at full depth, 20,000 else. What each costs is
 * counted by the kernel, page tables included.
 */
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "task/task.h"

#define BYTES_EACH 4813 /* 4.7 KiB */

/* Bytes that the process occupies, with its page tables. */
static long occupied(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    long kib = 0, part;
    char line[128];

    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmRSS: %ld kB", &part) == 1 || sscanf(line, "VmPTE: %ld kB", &part) == 1)
            kib += part;
    if (status)
        fclose(status);
    return kib * 1024;
}

/* Whether the lowest usable byte of a task's stack can be written, and none below it. */
static bool is_guarded(eddy_task *task, const int *pipe_ends)
{
    char *bottom = ed_stack_bottom(&task->stack), byte;
    bool guarded = true;

    for (size_t below = 1; below <= ED_STACK_GUARD; below = below * 2 + 4095) {
        if (write(pipe_ends[1], "x", 1) != 1)
            return false;
        guarded &= read(pipe_ends[0], bottom - below, 1) < 0 && errno == EFAULT;
        if (read(pipe_ends[0], &byte, 1) != 1)
            return false;
    }
    return guarded;
}

static int sleeps(size_t *asleep)
{
    ++*asleep;
    return eddy_sleep(1e6);
}
EDDY_ASYNC(sleeps, size_t *);

static size_t check_guards(void)
{
    struct ed_tasks *tasks = eddy_get_running_loop()->tasks;
    size_t number = 0, guarded = 0;
    int ends[2];

    if (pipe(ends) < 0)
        return 0;
    for (eddy_task *t = ed_task_next(tasks, NULL); t; t = ed_task_next(tasks, t))
        guarded += ++number % 1000 != 0 || is_guarded(t, ends);
    close(ends[0]);
    close(ends[1]);
    return number - guarded;
}

static int sleep_together(size_t count, long *each)
{
    size_t asleep = 0;
    long before = occupied();
    EDDY_GROUP(group);

    for (size_t i = 0; i < count; i++)
        EDDY_TRY(eddy_group_create_task(&group, sleeps, &asleep));
    EDDY_TRY(eddy_test_settle());
    REQUIRE(asleep == count);
    REQUIRE(eddy_all_tasks(NULL, 0) == count + 1);
    *each = (occupied() - before) / (long)count;
    REQUIRE(check_guards() == 0);
    eddy_group_cancel(&group);
    return eddy_group_join(&group);
}
EDDY_ASYNC(sleep_together, size_t, long *);

/* Scale does not end at vm.max_map_count; memory comes back, but for one slab. */
RAW_TEST(a_million_tasks_sleep_at_once_each_with_its_guard)
{
    size_t count = test_is_deep() ? 1000000 : 20000;
    eddy_stats stats;
    long each, before;

    if (test_is_slow())
        test_skip("sanitizers and valgrind have memory of their own for each stack");
    before = occupied();
    int rc = eddy_run(sleep_together, count, &each);
    if (rc == -ENOMEM)
        test_skip("this kernel ends it at vm.max_map_count: it has no guards without mappings");
    CHECK_OK(rc);
    CHECK_THAT(each <= BYTES_EACH, "%ld bytes a task", each);
    CHECK(occupied() - before < (long)32 << 20);
    eddy_get_stats(&stats);
    CHECK_EQ(stats.stacks, 0);
}
