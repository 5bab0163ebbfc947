/* SPDX-License-Identifier: MIT */
/* Two tasks, created and then awaited, run at the same time: 2 seconds, not 3. */
#include <eddy.h>
#include <stdio.h>

struct record {
    const char *data;
};

static int fetch_data(struct record *result)
{
    puts("Start fetching data...");
    EDDY_TRY(eddy_sleep(2)); /* Simulate a network request with a delay of 2 seconds */
    puts("Done fetching data");
    *result = (struct record){"Sample Data"};
    return 0;
}
EDDY_ASYNC_RESULT(struct record, fetch_data);

static int process_data(const char **result)
{
    puts("Start processing data...");
    EDDY_TRY(eddy_sleep(1)); /* Simulate some data processing with a delay of 1 second */
    puts("Done processing data");
    *result = "Processed Data";
    return 0;
}
EDDY_ASYNC_RESULT(const char *, process_data);

static int amain(void)
{
    /* Run both tasks concurrently */
    EDDY_TASK fetch_task = eddy_create_task(fetch_data);
    EDDY_TASK process_task = eddy_create_task(process_data);

    /* Wait for both tasks to complete */
    struct record fetched_data;
    const char *processed_data;
    EDDY_TRY(eddy_await(fetch_task, &fetched_data));
    EDDY_TRY(eddy_await(process_task, &processed_data));

    printf("Fetched Data: {'data': '%s'}\n", fetched_data.data);
    printf("Processed Data: %s\n", processed_data);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain) /* Run the event loop */
