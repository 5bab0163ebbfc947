/* SPDX-License-Identifier: MIT */
/* A coroutine is an ordinary function that may wait. */
#include <eddy.h>
#include <stdio.h>

static int fetch_data(void)
{
    puts("Fetching data...");
    EDDY_TRY(eddy_sleep(2));
    puts("Data fetched");
    return 0;
}
EDDY_ASYNC(fetch_data);
EDDY_MAIN(fetch_data)
