/* SPDX-License-Identifier: MIT */
/*
 * Tasks run at the same time. eddy_create_task copies the arguments, so each
 * task has its own; EDDY_TASK cancels and joins its task wherever the block is
 * left, so that none outlives it.
 */
#include <eddy.h>
#include <stdio.h>

struct record {
    int input;
    double seconds;
};

static int fetch_data(int input, double seconds, struct record *record)
{
    printf("fetching %d\n", input);
    EDDY_TRY(eddy_sleep(seconds));
    printf("fetched %d\n", input);
    *record = (struct record){input, seconds};
    return 0;
}
EDDY_ASYNC_RESULT(struct record, fetch_data, int, double);

static int amain(void)
{
    struct record one, two;
    double start = eddy_time();

    EDDY_TASK first = eddy_create_task(fetch_data, 1, 3.0);
    EDDY_TASK second = eddy_create_task(fetch_data, 2, 2.0);
    EDDY_TRY(eddy_await(first, &one)); /* both run while we wait for one */
    EDDY_TRY(eddy_await(second, &two));

    printf("%.0f + %.0f seconds of work ", one.seconds, two.seconds);
    printf("in %.0f seconds\n", eddy_time() - start);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
