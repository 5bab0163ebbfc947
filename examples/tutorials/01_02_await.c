/* SPDX-License-Identifier: MIT */
/* To await a coroutine is to call it. */
#include <eddy.h>
#include <stdio.h>

static int fetch_data(void)
{
    puts("Fetching data...");
    EDDY_TRY(eddy_sleep(2));
    puts("Data fetched");
    return 0;
}

static int amain(void)
{
    EDDY_TRY(fetch_data());
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
