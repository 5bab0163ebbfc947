/* SPDX-License-Identifier: MIT */
/*
 * Debug mode, as EDDY_DEBUG=1 gives it to any program: a call that blocks holds up
 * everybody, and the report names the task that made it. Here a handler prints the
 * reports to standard output.
 */
#include <eddy.h>
#include <stdio.h>
#include <unistd.h>

static void print_report(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)unused;
    if (report->kind == EDDY_REPORT_SLOW)
        printf("slow: %s\n", report->message);
}

static int load_settings(void)
{
    puts("loading settings");
    usleep(300000); /* a mistake: this belongs into eddy_to_thread */
    return 0;
}
EDDY_ASYNC(load_settings);

static int tick(int count)
{
    for (int i = 0; i < count; i++)
        EDDY_TRY(eddy_sleep(0.05));
    return 0;
}
EDDY_ASYNC(tick, int);

static int amain(void)
{
    eddy_loop *loop = eddy_get_running_loop();

    eddy_loop_set_exception_handler(loop, print_report, NULL);
    eddy_loop_set_debug(loop, true);
    EDDY_TRY(eddy_gather(EDDY_CALL(tick, 20), EDDY_CALL(load_settings)));
    eddy_loop_set_debug(loop, false);
    puts("ready");
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
