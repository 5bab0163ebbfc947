/* SPDX-License-Identifier: MIT */
/* Two fetches, one after the other and then at the same time: 6 seconds, and 3. */
#include <eddy.h>
#include <stdio.h>

static int fetch(const char *name)
{
    printf("fetching %s\n", name);
    EDDY_TRY(eddy_sleep(3)); /* others run meanwhile */
    printf("fetched %s\n", name);
    return 0;
}
EDDY_ASYNC(fetch, const char *);

static int amain(void)
{
    double start = eddy_time();
    EDDY_TRY(fetch("apples")); /* await fetch("apples"): a plain call */
    EDDY_TRY(fetch("pears"));
    printf("one after the other: %.0f seconds\n", eddy_time() - start);

    start = eddy_time();
    EDDY_TRY(eddy_gather(EDDY_CALL(fetch, "apples"), EDDY_CALL(fetch, "pears")));
    printf("at the same time: %.0f seconds\n", eddy_time() - start);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain) /* asyncio.run(amain()) */
