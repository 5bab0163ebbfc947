/* SPDX-License-Identifier: MIT */
/* Blocking code runs in a thread beside the loop: 3 seconds, not 5. */
#include <eddy.h>
#include <stdio.h>
#include <unistd.h>

static int async_task(void)
{
    puts("Starting async task");
    EDDY_TRY(eddy_sleep(2));
    puts("Async task complete");
    return 0;
}
EDDY_ASYNC(async_task);

static int blocking_task(void)
{
    puts("Starting blocking task");
    sleep(3);
    puts("Blocking task complete");
    return 0;
}
EDDY_ASYNC(blocking_task);

static int amain(void)
{
    EDDY_TASK blocking = eddy_run_in_executor(NULL, blocking_task);

    return eddy_gather(EDDY_CALL(async_task), EDDY_AWAIT(blocking));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
