/* SPDX-License-Identifier: MIT */
/*
 * A blocking function in a thread beside an async function in the loop. Both
 * are calls, so gather takes them alike.
 */
#include <eddy.h>
#include <stdio.h>

/* Computes, and never waits: in the loop it would hold up everybody. */
static int count_primes(int limit, int *count)
{
    int found = 0;

    for (int n = 2; n < limit; n++) {
        int divisor = 2;
        while (divisor * divisor <= n && n % divisor != 0)
            divisor++;
        found += divisor * divisor > n;
    }
    *count = found;
    return 0;
}
EDDY_ASYNC_RESULT(int, count_primes, int);

static int tick(int times)
{
    for (int i = 0; i < times; i++) {
        EDDY_TRY(eddy_sleep(0.01));
        printf("tick %d\n", i);
    }
    return 0;
}
EDDY_ASYNC(tick, int);

static int amain(void)
{
    int primes;

    EDDY_TRY(eddy_gather(EDDY_THREAD_CALL(count_primes, 1000000, &primes), EDDY_CALL(tick, 5)));
    printf("%d primes below a million\n", primes);

    EDDY_TRY(eddy_to_thread(count_primes, 1000, &primes)); /* alone */
    printf("%d below a thousand\n", primes);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
