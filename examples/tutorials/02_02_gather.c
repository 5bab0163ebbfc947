/* SPDX-License-Identifier: MIT */
/* Task 2 completes first, since it sleeps for a shorter time. */
#include <eddy.h>
#include <stdio.h>

static int task1(void)
{
    EDDY_TRY(eddy_sleep(2));
    puts("Task 1 complete");
    return 0;
}
EDDY_ASYNC(task1);

static int task2(void)
{
    EDDY_TRY(eddy_sleep(1));
    puts("Task 2 complete");
    return 0;
}
EDDY_ASYNC(task2);

static int amain(void)
{
    return eddy_gather(EDDY_CALL(task1), EDDY_CALL(task2));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
