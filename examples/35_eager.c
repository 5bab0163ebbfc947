/* SPDX-License-Identifier: MIT */
/*
 * Eager tasks run at once, up to where they first wait. What a cache answers has
 * ended before its creation returns; only what is missing takes its place in the queue.
 */
#include <eddy.h>
#include <stdio.h>

static int cache[10] = {[3] = 9, [5] = 25};

static int square(int n, int *out)
{
    if (!cache[n]) {
        EDDY_TRY(eddy_sleep(1)); /* ask somebody who knows */
        cache[n] = n * n;
    }
    *out = cache[n];
    return 0;
}
EDDY_ASYNC_RESULT(int, square, int);

static int amain(void)
{
    int known, asked;

    EDDY_TASK five = eddy_create_task_eager(square, 5);
    EDDY_TASK six = eddy_create_task_eager(square, 6);
    printf("5: %s\n", eddy_task_done(five) ? "known already" : "being asked");
    printf("6: %s\n", eddy_task_done(six) ? "known already" : "being asked");

    EDDY_TRY(eddy_await(five, &known));
    EDDY_TRY(eddy_await(six, &asked));
    printf("%d and %d\n", known, asked);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
