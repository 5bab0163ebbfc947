/* SPDX-License-Identifier: MIT */
/* EDDY_MAIN: a main without arguments. */
#include <eddy.h>
#include <stdio.h>

static int amain(void)
{
    EDDY_TRY(eddy_sleep(1));
    puts("slept");
    return 3;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
