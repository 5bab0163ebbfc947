/* SPDX-License-Identifier: MIT */
/* A call that waits lets other tasks run meanwhile. */
#include <eddy.h>
#include <stdio.h>

static int my_function(void)
{
    puts("Task started");
    EDDY_TRY(eddy_sleep(2)); /* Simulates an asynchronous wait */
    puts("Task completed");
    return 0;
}
EDDY_ASYNC(my_function);
EDDY_MAIN(my_function)
