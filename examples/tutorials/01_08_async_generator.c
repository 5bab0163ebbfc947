/* SPDX-License-Identifier: MIT */
/* An async generator waits a second before each value. */
#include <eddy.h>
#include <stdio.h>

static int async_gen(eddy_generator *g)
{
    for (int i = 0; i < 3; i++) {
        EDDY_TRY(eddy_sleep(1));
        EDDY_TRY(eddy_yield(g, &i));
    }
    return 0;
}
EDDY_ASYNC_GENERATOR(int, async_gen);

static int amain(void)
{
    int i, rc;

    EDDY_FOR_EACH(rc, i, eddy_generate(async_gen))
        printf("%d\n", i);
    return rc;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
