/* SPDX-License-Identifier: MIT */
/*
 * A program with worker processes, for what a pool makes of a whole program: pool WAY.
 * A worker that came to main would print its line once more.
 */
#include <eddy.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int set_by_constructor;

__attribute__((constructor)) static void construct(void)
{
    set_by_constructor = 1;
}

static int triple(int number, int *result)
{
    *result = number * 3;
    return 0;
}
EDDY_ASYNC_RESULT(int, triple, int);

static int constructed(int *result)
{
    *result = set_by_constructor;
    return 0;
}
EDDY_ASYNC_RESULT(int, constructed);

static int tell_and_sleep(double seconds)
{
    printf("%d\n", (int)getpid());
    fflush(stdout);
    usleep((useconds_t)(seconds * 1e6));
    return 0;
}
EDDY_ASYNC(tell_and_sleep, double);

/* A child that goes on behind the program's end, with all its descriptors. */
static int fork_child(void)
{
    pid_t child = fork();

    if (child == 0)
        for (;;)
            pause();
    printf("%d\n", (int)child);
    fflush(stdout);
    return child < 0 ? -EAGAIN : 0;
}

static int amain(int argc, char **argv)
{
    const char *way = argc == 2 ? argv[1] : "";
    int result = 0;

    puts("main");
    fflush(stdout);
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    if (strcmp(way, "fork") == 0) {
        EDDY_TRY(eddy_to_process(pool, triple, 1, &result)); /* the worker is there */
        EDDY_TRY(fork_child());
    }
    if (strcmp(way, "sleep") == 0 || strcmp(way, "fork") == 0)
        return eddy_to_process(pool, tell_and_sleep, 1000.0);
    if (strcmp(way, "constructor") == 0)
        EDDY_TRY(eddy_to_process(pool, constructed, &result));
    else
        EDDY_TRY(eddy_to_process(pool, triple, 14, &result));
    printf("%d\n", result);
    return 0;
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
