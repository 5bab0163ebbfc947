/* SPDX-License-Identifier: MIT */
/* Two coroutines gathered: both start at once, the shorter ends first. */
#include <eddy.h>
#include <stdio.h>

static int task1(void)
{
    puts("Task 1 started");
    EDDY_TRY(eddy_sleep(2));
    puts("Task 1 finished");
    return 0;
}
EDDY_ASYNC(task1);

static int task2(void)
{
    puts("Task 2 started");
    EDDY_TRY(eddy_sleep(1));
    puts("Task 2 finished");
    return 0;
}
EDDY_ASYNC(task2);

static int amain(void)
{
    return eddy_gather(EDDY_CALL(task1), EDDY_CALL(task2));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
