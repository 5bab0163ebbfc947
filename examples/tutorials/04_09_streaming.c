/* SPDX-License-Identifier: MIT */
/* A loop receives values of a generator as they become available. */
#include <eddy.h>
#include <stdio.h>

static int async_generator(eddy_generator *g)
{
    for (int i = 0; i < 5; i++) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_yield(g, &i));
    }
    return 0;
}
EDDY_ASYNC_GENERATOR(int, async_generator);

static int amain(void)
{
    int number, rc;

    EDDY_FOR_EACH(rc, number, eddy_generate(async_generator))
        printf("Received number: %d\n", number);
    return rc;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
