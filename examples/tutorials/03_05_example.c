/* SPDX-License-Identifier: MIT */
/* The structure of an application: async functions, tasks, a gather, a main. */
#include <eddy.h>
#include <stdio.h>

/* Example async function */
static int fetch_data(void)
{
    EDDY_TRY(eddy_sleep(1)); /* Simulate a network delay */
    puts("Data fetched");
    return 0;
}
EDDY_ASYNC(fetch_data);

/* Example async function */
static int process_data(void)
{
    EDDY_TRY(eddy_sleep(2)); /* Simulate data processing delay */
    puts("Data processed");
    return 0;
}
EDDY_ASYNC(process_data);

/* Main function to run tasks concurrently */
static int amain(void)
{
    EDDY_TASK task1 = eddy_create_task(fetch_data);
    EDDY_TASK task2 = eddy_create_task(process_data);

    return eddy_gather(EDDY_AWAIT(task1), EDDY_AWAIT(task2)); /* Wait for all tasks to finish */
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain) /* Run the main function */
