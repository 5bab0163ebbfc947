/* SPDX-License-Identifier: MIT */
/* A generator of numbers, one a second. */
#include <eddy.h>
#include <stdio.h>

static int async_number_generator(eddy_generator *g)
{
    for (int i = 0; i < 5; i++) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_yield(g, &i));
    }
    return 0;
}
EDDY_ASYNC_GENERATOR(int, async_number_generator);

static int amain(void)
{
    int number, rc;

    EDDY_FOR_EACH(rc, number, eddy_generate(async_number_generator))
        printf("Generated number: %d\n", number);
    return rc;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
