/* SPDX-License-Identifier: MIT */
/*
 * SIGQUIT in debug mode: each loop prints its tasks, and the program goes on.
 *
 * The handler only posts, to the loops in a table of fixed size. A loop leaves the
 * table before its post becomes invalid, and waits for handlers that are inside.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "eddy/debug.h"
#include "loop/signal.h"
#include "task/debug.h"

#define QUIT_LOOPS 64 /* that can be asked; more are not */

static pthread_mutex_t quit_mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t quit_users;                 /* under the mutex */
static bool quit_taken;                   /* the signal is ours */
static eddy_loop *quit_loops[QUIT_LOOPS]; /* atomic each */

/* On the loop's thread. */
static int quit_dump(void *argument)
{
    eddy_loop *loop = argument;

    ed_watchdog_expect(loop, false);
    fprintf(stderr, "eddy: SIGQUIT: ");
    eddy_dump_tasks(stderr);
    return 0;
}

static bool quit_signal(int number)
{
    (void)number;
    for (int i = 0; i < QUIT_LOOPS; i++) {
        eddy_loop *loop = __atomic_load_n(&quit_loops[i], __ATOMIC_SEQ_CST);

        if (!loop)
            continue;
        ed_watchdog_expect(loop, true);
        (void)eddy_loop_post(loop, &loop->tasks->quit); /* open: it runs */
    }
    return false;
}

void ed_quit_watch(eddy_loop *loop)
{
    loop->tasks->quit.callback = quit_dump;
    loop->tasks->quit.argument = loop;
    pthread_mutex_lock(&quit_mutex);
    for (int i = 0; i < QUIT_LOOPS; i++) {
        if (quit_loops[i])
            continue;
        __atomic_store_n(&quit_loops[i], loop, __ATOMIC_SEQ_CST);
        if (quit_users++ == 0)
            quit_taken = ed_signal_take(SIGQUIT, ED_SIGNAL_LIBRARY, quit_signal) == 0;
        break;
    }
    pthread_mutex_unlock(&quit_mutex);
}

void ed_quit_unwatch(eddy_loop *loop)
{
    pthread_mutex_lock(&quit_mutex);
    for (int i = 0; i < QUIT_LOOPS; i++) {
        if (quit_loops[i] != loop)
            continue;
        __atomic_store_n(&quit_loops[i], NULL, __ATOMIC_SEQ_CST);
        if (--quit_users == 0 && quit_taken)
            ed_signal_give_back(SIGQUIT, ED_SIGNAL_LIBRARY);
    }
    pthread_mutex_unlock(&quit_mutex);
    ed_signal_settle(); /* one may have found the loop just before */
}

void ed_quit_forget(void)
{
    quit_users = 0;
    for (int i = 0; i < QUIT_LOOPS; i++)
        quit_loops[i] = NULL;
    pthread_mutex_init(&quit_mutex, NULL); /* another thread may have held it */
}
