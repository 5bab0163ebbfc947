/* SPDX-License-Identifier: MIT */
/* Uses timers, a reader, a thread and a task on whatever engine it gets, then says
 * which that was. */
#include <eddy.h>
#include <stdio.h>
#include <unistd.h>

static int ends[2];

static int readable(void *future)
{
    char byte;

    if (read(ends[0], &byte, 1) != 1)
        return -EIO;
    return eddy_future_set_result((eddy_future *)future, &(int){1});
}

static int write_one(void)
{
    return write(ends[1], "x", 1) == 1 ? 0 : -EIO;
}
EDDY_ASYNC(write_one);

static int amain(void)
{
    eddy_future ready = EDDY_FUTURE_INIT(int);
    int value;

    if (pipe(ends) < 0)
        return -errno;
    EDDY_TRY(eddy_sleep(0.001));
    EDDY_TRY(eddy_loop_add_reader(eddy_get_running_loop(), ends[0], readable, &ready));
    EDDY_TRY(eddy_to_thread(write_one));
    EDDY_TRY(eddy_await(&ready, &value));
    (void)eddy_loop_remove_reader(eddy_get_running_loop(), ends[0]); /* there is one */
    puts(eddy_engine_info());
    return 0;
}
EDDY_ASYNC(amain);

EDDY_MAIN(amain)
