/* SPDX-License-Identifier: MIT */
/* Listing 3 of document 4, on which the three after it build. */
#include <eddy.h>
#include <stdio.h>
#include <time.h>

struct record {
    int input;
    char start_time[9], end_time[9];
};

/* datetime.now().strftime("%H:%M:%S"), by the loop's clock: virtual when that is. */
static inline void now(char text[9])
{
    static time_t started;
    static double first;
    if (started == 0) {
        started = time(NULL);
        first = eddy_time();
    }
    time_t wall = started + (time_t)(eddy_time() - first + 0.5);
    strftime(text, 9, "%H:%M:%S", localtime(&wall));
}

static int fetch_data(int input_data, struct record *result)
{
    struct record record = {.input = input_data};

    puts("Fetching data...");
    now(record.start_time);
    EDDY_TRY(eddy_sleep(3)); /* Simulate asynchronous task */
    now(record.end_time);
    puts("Data retrieved.");
    *result = record;
    return 0;
}
EDDY_ASYNC_RESULT(struct record, fetch_data, int);

/* print(f"{name}: {data}") */
static inline void print_record(const char *name, struct record data)
{
    printf("%s: {'input': %d, 'start_time': '%s', 'end_time': '%s'}\n", name, data.input,
           data.start_time, data.end_time);
}
