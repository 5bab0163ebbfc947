/* SPDX-License-Identifier: MIT */
/*
 * The dispositions of the process that the library takes over and gives back.
 *
 * There is one handler for all signals and all ranks, so that they come and go in any order: a
 * run that ends while another loop still has SIGINT must not leave its own handler behind as the
 * former one. The handler reads the table below and takes no lock. Whoever takes something out of
 * the table waits until no handler is inside, and may then free what it was about; the disposition
 * of before is written only while no handler can read it.
 *
 * Fork: all signals wait from before it until the child has its own dispositions again, so that
 * none that is meant for the child runs the parent's handler there.
 */
#include "loop/signal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

struct signal_entry {
    ed_signal_function *taken[ED_SIGNAL_RANKS]; /* atomic each */
    unsigned users[ED_SIGNAL_RANKS];            /* under the mutex */
    struct sigaction before;
};

static pthread_mutex_t signal_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct signal_entry signal_entries[ED_SIGNAL_MAX + 1];
static int signal_inside;               /* atomic: handlers that look at the table */
static __thread sigset_t signal_masked; /* by this thread, before its fork */

/* What would have happened without the library, when that was the default action. */
static void signal_do_default(int number)
{
    switch (number) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH: break;
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU: raise(SIGSTOP); break;
    default: /* it ends the process as soon as this handler returns */
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void
signal_do_before(const struct sigaction *before, int number, siginfo_t *info, void *context)
{
    if (before->sa_flags & SA_SIGINFO)
        before->sa_sigaction(number, info, context);
    else if (before->sa_handler == SIG_DFL)
        signal_do_default(number);
    else if (before->sa_handler != SIG_IGN)
        before->sa_handler(number);
}

static void signal_arrived(int number, siginfo_t *info, void *context)
{
    struct signal_entry *entry = &signal_entries[number];
    struct sigaction before;
    bool goes_on = true;
    int error = errno;

    __atomic_add_fetch(&signal_inside, 1, __ATOMIC_SEQ_CST);
    for (int rank = ED_SIGNAL_RANKS - 1; goes_on && rank >= 0; rank--) {
        ed_signal_function *arrived = __atomic_load_n(&entry->taken[rank], __ATOMIC_SEQ_CST);

        if (arrived)
            goes_on = arrived(number);
    }
    before = entry->before;
    __atomic_sub_fetch(&signal_inside, 1, __ATOMIC_SEQ_CST);
    errno = error;
    if (goes_on) /* outside: the program's handler may never return */
        signal_do_before(&before, number, info, context);
}

void ed_signal_settle(void)
{
    while (__atomic_load_n(&signal_inside, __ATOMIC_SEQ_CST))
        sched_yield();
}

static bool signal_is_ours(const struct sigaction *now)
{
    return (now->sa_flags & SA_SIGINFO) && now->sa_sigaction == signal_arrived;
}

static bool signal_is_default(const struct sigaction *now)
{
    return !(now->sa_flags & SA_SIGINFO) && now->sa_handler == SIG_DFL;
}

static void signal_give_back_all(void)
{
    for (int number = 1; number <= ED_SIGNAL_MAX; number++) {
        struct signal_entry *entry = &signal_entries[number];
        struct sigaction now;

        if (entry->taken[ED_SIGNAL_LIBRARY] || entry->taken[ED_SIGNAL_PROGRAM]) {
            if (sigaction(number, NULL, &now) == 0 && signal_is_ours(&now))
                sigaction(number, &entry->before, NULL);
            *entry = (struct signal_entry){.users = {0}};
        }
    }
}

static void signal_before_fork(void)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &signal_masked);
    pthread_mutex_lock(&signal_mutex);
}

static void signal_after_fork(void)
{
    pthread_mutex_unlock(&signal_mutex);
    pthread_sigmask(SIG_SETMASK, &signal_masked, NULL);
}

static void signal_in_child(void)
{
    signal_give_back_all();
    signal_inside = 0; /* of threads that the child has not */
    signal_after_fork();
}

static void signal_watch_forks(void)
{
    pthread_atfork(signal_before_fork, signal_after_fork, signal_in_child);
}

/* Puts the handler in its place, unless it is there. */
static int signal_install(int number, const struct sigaction *now)
{
    struct sigaction action = {.sa_sigaction = signal_arrived, .sa_flags = SA_RESTART | SA_SIGINFO};

    if (signal_is_ours(now))
        return 0;
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

/* Under the mutex. */
static int signal_take(int number, enum ed_signal_rank rank, ed_signal_function *arrived)
{
    struct signal_entry *entry = &signal_entries[number];
    struct sigaction now;
    int rc;

    if (sigaction(number, NULL, &now) < 0)
        return -EINVAL;
    if (rank == ED_SIGNAL_LIBRARY &&
        !signal_is_default(signal_is_ours(&now) ? &entry->before : &now))
        return -EBUSY;
    if (!signal_is_ours(&now)) {
        ed_signal_settle(); /* the program may have put its own in place of ours */
        entry->before = now;
    }
    __atomic_store_n(&entry->taken[rank], arrived, __ATOMIC_SEQ_CST);
    rc = signal_install(number, &now);
    if (rc == 0)
        entry->users[rank]++;
    else if (entry->users[rank] == 0)
        __atomic_store_n(&entry->taken[rank], NULL, __ATOMIC_SEQ_CST);
    return rc;
}

int ed_signal_take(int number, enum ed_signal_rank rank, ed_signal_function *arrived)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int rc;

    if (number < 1 || number > ED_SIGNAL_MAX)
        return -EINVAL;
    pthread_once(&once, signal_watch_forks);
    pthread_mutex_lock(&signal_mutex);
    rc = signal_take(number, rank, arrived);
    pthread_mutex_unlock(&signal_mutex);
    return rc;
}

void ed_signal_give_back(int number, enum ed_signal_rank rank)
{
    struct signal_entry *entry = &signal_entries[number];
    struct sigaction now;

    pthread_mutex_lock(&signal_mutex);
    if (--entry->users[rank] == 0)
        __atomic_store_n(&entry->taken[rank], NULL, __ATOMIC_SEQ_CST);
    if (!entry->users[ED_SIGNAL_LIBRARY] && !entry->users[ED_SIGNAL_PROGRAM] &&
        sigaction(number, NULL, &now) == 0 && signal_is_ours(&now))
        sigaction(number, &entry->before, NULL);
    pthread_mutex_unlock(&signal_mutex);
    ed_signal_settle();
}
