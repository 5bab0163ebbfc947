/* SPDX-License-Identifier: MIT */
/* Awaiting the first task does not delay the second. */
#include <eddy.h>
#include <stdio.h>

static int task1(void)
{
    EDDY_TRY(eddy_sleep(2));
    puts("Task 1 completed");
    return 0;
}
EDDY_ASYNC(task1);

static int task2(void)
{
    EDDY_TRY(eddy_sleep(1));
    puts("Task 2 completed");
    return 0;
}
EDDY_ASYNC(task2);

static int amain(void)
{
    EDDY_TASK t1 = eddy_create_task(task1);
    EDDY_TASK t2 = eddy_create_task(task2);
    EDDY_TRY(eddy_await(t1)); /* Wait for task 1 to finish */
    EDDY_TRY(eddy_await(t2)); /* Wait for task 2 to finish */
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
