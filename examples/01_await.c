/* SPDX-License-Identifier: MIT */
/*
 * Sequential awaits. An async function is an ordinary function that returns 0
 * or a negative error; to await it is to call it. Its result, if it has one,
 * goes through the last parameter.
 */
#include <eddy.h>
#include <stdio.h>

struct record {
    int input;
    double seconds;
};

static int fetch_data(int input, struct record *record)
{
    double start = eddy_time();

    printf("fetching %d\n", input);
    EDDY_TRY(eddy_sleep(3)); /* an error, such as a cancel, returns from here */
    *record = (struct record){input, eddy_time() - start};
    return 0;
}

static int amain(void)
{
    struct record one, two;

    EDDY_TRY(fetch_data(1, &one));
    EDDY_TRY(fetch_data(2, &two)); /* starts when the first has returned */
    printf("record %d took %.0f seconds\n", one.input, one.seconds);
    printf("record %d took %.0f seconds\n", two.input, two.seconds);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
