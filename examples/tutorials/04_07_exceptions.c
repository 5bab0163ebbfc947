/* SPDX-License-Identifier: MIT */
/* An error in one of three gathered calls ends the gather at once, not after 2 seconds. */
#include <eddy.h>
#include <stdio.h>

struct text {
    char string[32];
};

static int fetch_data_with_error(int input_data, struct text *result)
{
    if (input_data == 2)
        return eddy_raise(-EINVAL, "Simulated error for input %d", input_data);
    EDDY_TRY(eddy_sleep(2));
    snprintf(result->string, sizeof result->string, "Data for input %d", input_data);
    return 0;
}
EDDY_ASYNC_RESULT(struct text, fetch_data_with_error, int);

static int amain(void)
{
    struct text results[3];
    eddy_call tasks[] = {
        EDDY_CALL(fetch_data_with_error, 1, &results[0]),
        EDDY_CALL(fetch_data_with_error, 2, &results[1]),
        EDDY_CALL(fetch_data_with_error, 3, &results[2]),
    };

    int rc = eddy_gather_calls(tasks, 3);
    if (rc == -EINVAL) {
        printf("Caught an exception: %s\n", eddy_error_message(rc));
        return 0;
    }
    EDDY_TRY(rc);
    for (int idx = 1; idx <= 3; idx++)
        printf("Data %d: %s\n", idx, results[idx - 1].string);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
