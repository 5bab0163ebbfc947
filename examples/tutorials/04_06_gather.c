/* SPDX-License-Identifier: MIT */
/* A list of calls is gathered, and their results are printed in order. */
#include "04_fetch_data.h"

static int amain(void)
{
    struct record results[3];
    eddy_call tasks[] = {
        EDDY_CALL(fetch_data, 1, &results[0]),
        EDDY_CALL(fetch_data, 2, &results[1]),
        EDDY_CALL(fetch_data, 3, &results[2]),
    };

    /* Gather results concurrently */
    EDDY_TRY(eddy_gather_calls(tasks, 3));

    for (int idx = 1; idx <= 3; idx++) {
        char name[16];
        snprintf(name, sizeof name, "Data %d", idx);
        print_record(name, results[idx - 1]);
    }
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
