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
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
