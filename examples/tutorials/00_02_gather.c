/* SPDX-License-Identifier: MIT */
/* gather runs calls at the same time and waits for all of them. */
#include <eddy.h>
#include <stdio.h>

struct record {
    const char *data;
};

static int fetch_data(struct record *result)
{
    puts("Start fetching data...");
    EDDY_TRY(eddy_sleep(2));
    puts("Done fetching data");
    *result = (struct record){"Sample Data"};
    return 0;
}
EDDY_ASYNC_RESULT(struct record, fetch_data);

static int process_data(const char **result)
{
    puts("Start processing data...");
    EDDY_TRY(eddy_sleep(1));
    puts("Done processing data");
    *result = "Processed Data";
    return 0;
}
EDDY_ASYNC_RESULT(const char *, process_data);

static int amain(void)
{
    struct {
        struct record fetched_data;
        const char *processed_data;
    } results;

    return eddy_gather(EDDY_CALL(fetch_data, &results.fetched_data),
                       EDDY_CALL(process_data, &results.processed_data));
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
