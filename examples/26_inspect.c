/* SPDX-License-Identifier: MIT */
/*
 * Looking inside a program: the tree of its tasks with what each waits for, and
 * what the library holds.
 */
#include <eddy.h>
#include <stdio.h>

static int cook(eddy_lock *oven)
{
    EDDY_TRY(eddy_lock_acquire(oven));
    EDDY_DEFER(eddy_lock_release, oven);
    return eddy_sleep(3);
}
EDDY_ASYNC(cook, eddy_lock *);

static int look(void)
{
    eddy_stats stats;

    EDDY_TRY(eddy_sleep(1));
    eddy_dump_tasks(stdout);
    eddy_get_stats(&stats);
    printf("%zu tasks, %zu timer\n", stats.tasks, stats.timers);
    return 0;
}
EDDY_ASYNC(look);

static int amain(void)
{
    eddy_lock oven = EDDY_LOCK_INIT;
    EDDY_GROUP(kitchen);
    EDDY_TASK looker = eddy_create_task(look);

    eddy_task_set_name(eddy_current_task(), "chef");
    eddy_group_create_task(&kitchen, cook, &oven);
    eddy_group_create_task(&kitchen, cook, &oven);
    EDDY_TRY(eddy_group_join(&kitchen));
    return eddy_await(looker);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
