/* SPDX-License-Identifier: MIT */
/* A task runs in the background while main goes on. */
#include <eddy.h>
#include <stdio.h>

static int background_task(void)
{
    EDDY_TRY(eddy_sleep(3));
    puts("Background Task Complete");
    return 0;
}
EDDY_ASYNC(background_task);

static int amain(void)
{
    EDDY_TASK task = eddy_create_task(background_task);
    puts("Main Task Running");
    EDDY_TRY(eddy_sleep(1));
    puts("Main Task Complete");
    EDDY_TRY(eddy_await(task)); /* Ensure background task completes */
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
