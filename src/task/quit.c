/* SPDX-License-Identifier: MIT */
/*
 * SIGQUIT in debug mode: each loop prints its tasks, and the program goes on.
 *
 * The handler only posts, to the loops in a table of fixed size. A loop leaves the
 * table before its post becomes invalid, and waits for handlers that are inside.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "eddy/debug.h"
#include "task/debug.h"

#define QUIT_LOOPS 64 /* that can be asked; more are not */

static pthread_mutex_t quit_mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t quit_users; /* under the mutex */
static struct sigaction quit_before;
static eddy_loop *quit_loops[QUIT_LOOPS]; /* atomic each */
static int quit_inside;                   /* atomic: handlers that run */

/* On the loop's thread. */
static int quit_dump(void *argument)
{
    eddy_loop *loop = argument;

    ed_watchdog_expect(loop, false);
    fprintf(stderr, "eddy: SIGQUIT: ");
    eddy_dump_tasks(stderr);
    return 0;
}

static void quit_signal(int number)
{
    int error = errno;

    (void)number;
    __atomic_add_fetch(&quit_inside, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < QUIT_LOOPS; i++) {
        eddy_loop *loop = __atomic_load_n(&quit_loops[i], __ATOMIC_SEQ_CST);

        if (!loop)
            continue;
        ed_watchdog_expect(loop, true);
        (void)eddy_loop_post(loop, &loop->tasks->quit); /* open: it runs */
    }
    __atomic_sub_fetch(&quit_inside, 1, __ATOMIC_SEQ_CST);
    errno = error;
}

static void quit_install(void)
{
    struct sigaction action = {.sa_handler = quit_signal, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGQUIT, NULL, &quit_before) == 0 && !(quit_before.sa_flags & SA_SIGINFO) &&
        quit_before.sa_handler == SIG_DFL)
        sigaction(SIGQUIT, &action, NULL);
}

static void quit_uninstall(void)
{
    struct sigaction now;

    if (sigaction(SIGQUIT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
        now.sa_handler == quit_signal)
        sigaction(SIGQUIT, &quit_before, NULL);
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
            quit_install();
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
        if (--quit_users == 0)
            quit_uninstall();
    }
    pthread_mutex_unlock(&quit_mutex);
    while (__atomic_load_n(&quit_inside, __ATOMIC_SEQ_CST))
        sched_yield(); /* one may have found the loop just before */
}

void ed_quit_forget(void)
{
    if (quit_users)
        quit_uninstall();
    quit_users = 0;
    for (int i = 0; i < QUIT_LOOPS; i++)
        quit_loops[i] = NULL;
    quit_inside = 0;
    pthread_mutex_init(&quit_mutex, NULL); /* another thread may have held it */
}
