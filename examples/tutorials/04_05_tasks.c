/* SPDX-License-Identifier: MIT */
/* Concurrent execution: two tasks run the same fetches at the same time; 3 seconds. */
#include "04_fetch_data.h"

static int amain(void)
{
    /* Create asynchronous tasks */
    EDDY_TASK task_one = eddy_create_task(fetch_data, 1);
    EDDY_TASK task_two = eddy_create_task(fetch_data, 2);

    /* Await the completion of both tasks */
    struct record data_one, data_two;
    EDDY_TRY(eddy_await(task_one, &data_one));
    EDDY_TRY(eddy_await(task_two, &data_two));

    print_record("Data one", data_one);
    print_record("Data two", data_two);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
