/* SPDX-License-Identifier: MIT */
/* Three coroutines gathered; the third, not defined in the listing, takes 3 seconds here. */
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

static int task3(void)
{
    EDDY_TRY(eddy_sleep(3));
    puts("Task 3 completed");
    return 0;
}
EDDY_ASYNC(task3);

static int amain(void)
{
    return eddy_gather(EDDY_CALL(task1), EDDY_CALL(task2), EDDY_CALL(task3));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
