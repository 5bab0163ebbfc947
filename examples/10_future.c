/* SPDX-License-Identifier: MIT */
/*
 * A future that another thread sets: the bridge to libraries with threads of
 * their own. The loop sleeps meanwhile, and runs whatever else is ready.
 */
#include <eddy.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

/* A thread that knows nothing of the loop but the future. */
static void *measure(void *argument)
{
    eddy_future *reading = argument;
    int millivolts = 3300;

    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    eddy_future_set_result_threadsafe(reading, &millivolts);
    return NULL;
}

static int join_thread(pthread_t *thread)
{
    return -pthread_join(*thread, NULL);
}

static int amain(void)
{
    EDDY_THREADSAFE_FUTURE(reading, int);

    pthread_t thread;
    EDDY_TRY(-pthread_create(&thread, NULL, measure, &reading));
    EDDY_DEFER(join_thread, &thread); /* the thread must not outlive the future */

    int millivolts;
    puts("measuring");
    EDDY_TRY(eddy_await(&reading, &millivolts));
    printf("%d mV\n", millivolts);
    return 0;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
