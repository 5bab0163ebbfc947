/* SPDX-License-Identifier: MIT */
/* What EDDY_MAIN_ARGS makes of the ends of a program: main WAY. */
#include <eddy.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int waits_for_ever(void)
{
    eddy_event event = EDDY_EVENT_INIT;

    return eddy_event_wait(&event);
}

static int interrupted(void)
{
    int rc;

    kill(getpid(), SIGINT);
    rc = eddy_sleep(5);
    puts("cleaned up");
    return rc;
}

static int stopped(bool again)
{
    int rc;

    EDDY_STOP_ON_SIGNALS(stop);
    kill(getpid(), SIGTERM);
    rc = eddy_sleep(5);
    if (again)
        kill(getpid(), SIGTERM);
    rc = again ? eddy_sleep(5) : rc;
    puts(eddy_error_message(rc));
    return rc;
}

static int stopped_in_order(void)
{
    {
        EDDY_STOP_ON_SIGNALS(stop);
        kill(getpid(), SIGTERM);
        (void)eddy_sleep(5);
    }
    return eddy_sleep(0);
}

static int amain(int argc, char **argv)
{
    const char *way = argc == 2 ? argv[1] : "";

    if (strcmp(way, "status") == 0)
        return 42;
    if (strcmp(way, "error") == 0) {
        fputs("printed before\n", stdout);
        return eddy_raise(-ENOENT, "no such dish: %s", "spam");
    }
    if (strcmp(way, "silent") == 0)
        return -ENOMEM;
    if (strcmp(way, "deadlock") == 0)
        return waits_for_ever();
    if (strcmp(way, "interrupt") == 0)
        return interrupted();
    if (strcmp(way, "stop") == 0 || strcmp(way, "stop-again") == 0)
        return stopped(strcmp(way, "stop-again") == 0);
    if (strcmp(way, "stop-in-order") == 0)
        return stopped_in_order();
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
