/* SPDX-License-Identifier: MIT */
/* A coroutine that pauses for a second. */
#include <eddy.h>
#include <stdio.h>

static int example_coroutine(void)
{
    puts("Start");
    EDDY_TRY(eddy_sleep(1)); /* Pauses for 1 second */
    puts("End");
    return 0;
}
EDDY_ASYNC(example_coroutine);
EDDY_MAIN(example_coroutine)
