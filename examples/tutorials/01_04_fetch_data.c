/* SPDX-License-Identifier: MIT */
/* A sleep pauses the coroutine until it has finished. */
#include <eddy.h>
#include <stdio.h>

static int fetch_data(void)
{
    puts("Starting data fetch...");
    EDDY_TRY(eddy_sleep(2));
    puts("Data fetched!");
    return 0;
}
EDDY_ASYNC(fetch_data);
EDDY_MAIN(fetch_data)
