/* SPDX-License-Identifier: MIT */
/* Dispositions that are taken over and given back, in any order. */
#include "loop/signal.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "harness.h"

static int low_calls, high_calls, own_calls; /* atomic */
static bool high_goes_on;

static bool low(int number)
{
    (void)number;
    __atomic_add_fetch(&low_calls, 1, __ATOMIC_SEQ_CST);
    return false;
}

static bool high(int number)
{
    (void)number;
    __atomic_add_fetch(&high_calls, 1, __ATOMIC_SEQ_CST);
    return high_goes_on;
}

static void own(int number)
{
    (void)number;
    own_calls++;
}

static void own_with_information(int number, siginfo_t *info, void *context)
{
    if (context && info->si_signo == number && info->si_pid == getpid())
        own_calls++;
}

static bool is_now(int number, void (*handler)(int))
{
    struct sigaction now;

    sigaction(number, NULL, &now);
    return !(now.sa_flags & SA_SIGINFO) && now.sa_handler == handler;
}

/* The ranks may come and go in any order: the last gives the former disposition back. */
RAW_TEST(a_signal_that_two_ranks_have_taken_is_given_back_in_any_order)
{
    for (int order = 0; order < 2; order++) {
        enum ed_signal_rank first = order ? ED_SIGNAL_LIBRARY : ED_SIGNAL_PROGRAM;

        CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_LIBRARY, low));
        CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_PROGRAM, high));
        kill(getpid(), SIGUSR1);
        ed_signal_give_back(SIGUSR1, first);
        CHECK(!is_now(SIGUSR1, SIG_DFL));
        kill(getpid(), SIGUSR1);
        ed_signal_give_back(SIGUSR1,
                            first == ED_SIGNAL_LIBRARY ? ED_SIGNAL_PROGRAM : ED_SIGNAL_LIBRARY);
        CHECK(is_now(SIGUSR1, SIG_DFL));
    }
    CHECK_EQ(high_calls, 3);
    CHECK_EQ(low_calls, 1);
}

/* What the higher rank does not keep goes on to the lower. */
RAW_TEST(a_signal_goes_on_to_the_lower_rank)
{
    high_goes_on = true;
    CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_LIBRARY, low));
    CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_PROGRAM, high));
    kill(getpid(), SIGUSR1);
    CHECK_EQ(high_calls, 1);
    CHECK_EQ(low_calls, 1);
    ed_signal_give_back(SIGUSR1, ED_SIGNAL_PROGRAM);
    ed_signal_give_back(SIGUSR1, ED_SIGNAL_LIBRARY);
}

/* And then to the handler of before, with all that it would get. */
RAW_TEST(a_signal_goes_on_to_the_handler_of_the_program)
{
    struct sigaction action = {.sa_sigaction = own_with_information, .sa_flags = SA_SIGINFO};

    high_goes_on = true;
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGUSR2, own);
    CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_PROGRAM, high));
    CHECK_OK(ed_signal_take(SIGUSR2, ED_SIGNAL_PROGRAM, high));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    CHECK_EQ(own_calls, 2);
    ed_signal_give_back(SIGUSR1, ED_SIGNAL_PROGRAM);
    ed_signal_give_back(SIGUSR2, ED_SIGNAL_PROGRAM);
    CHECK(is_now(SIGUSR2, own));
}

/* Signals that are ignored by default, or by the program, stay so when they go on. */
RAW_TEST(a_signal_that_was_ignored_may_go_on)
{
    high_goes_on = true;
    signal(SIGUSR1, SIG_IGN);
    CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_PROGRAM, high));
    CHECK_OK(ed_signal_take(SIGWINCH, ED_SIGNAL_PROGRAM, high));
    for (int i = 0; i < 2; i++) {
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGWINCH);
    }
    CHECK_EQ(high_calls, 4);
    ed_signal_give_back(SIGUSR1, ED_SIGNAL_PROGRAM);
    ed_signal_give_back(SIGWINCH, ED_SIGNAL_PROGRAM);
    CHECK(is_now(SIGUSR1, SIG_IGN));
    CHECK(is_now(SIGWINCH, SIG_DFL));
}

static void dies(void)
{
    high_goes_on = true;
    (void)ed_signal_take(SIGUSR1, ED_SIGNAL_PROGRAM, high);
    kill(getpid(), SIGUSR1);
}

RAW_TEST(a_signal_may_go_on_to_its_default_action)
{
    char text[256];
    int status = test_fork(dies, text, sizeof text);

    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGUSR1);
}

/* The library takes a signal only in place of the default action; what the program has asked for
 * by way of the library does not count as its handler. */
RAW_TEST(the_library_leaves_a_signal_alone_that_the_program_handles)
{
    signal(SIGUSR1, own);
    CHECK_EQ(ed_signal_take(SIGUSR1, ED_SIGNAL_LIBRARY, low), -EBUSY);
    CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_PROGRAM, high));
    CHECK_EQ(ed_signal_take(SIGUSR1, ED_SIGNAL_LIBRARY, low), -EBUSY);
    ed_signal_give_back(SIGUSR1, ED_SIGNAL_PROGRAM);
    CHECK(is_now(SIGUSR1, own));
    CHECK_OK(ed_signal_take(SIGUSR2, ED_SIGNAL_PROGRAM, high));
    CHECK_OK(ed_signal_take(SIGUSR2, ED_SIGNAL_LIBRARY, low));
    ed_signal_give_back(SIGUSR2, ED_SIGNAL_PROGRAM);
    ed_signal_give_back(SIGUSR2, ED_SIGNAL_LIBRARY);
}

/* One that the program has put in its place stays, until somebody asks again. */
RAW_TEST(a_handler_that_was_set_meanwhile_is_left_alone)
{
    CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_PROGRAM, high));
    signal(SIGUSR1, own);
    ed_signal_give_back(SIGUSR1, ED_SIGNAL_PROGRAM);
    CHECK(is_now(SIGUSR1, own));

    CHECK_OK(ed_signal_take(SIGUSR2, ED_SIGNAL_PROGRAM, high));
    signal(SIGUSR2, own);
    CHECK_OK(ed_signal_take(SIGUSR2, ED_SIGNAL_PROGRAM, high));
    kill(getpid(), SIGUSR2);
    CHECK_EQ(high_calls, 1);
    ed_signal_give_back(SIGUSR2, ED_SIGNAL_PROGRAM);
    ed_signal_give_back(SIGUSR2, ED_SIGNAL_PROGRAM);
    CHECK(is_now(SIGUSR2, own));
}

RAW_TEST(what_is_no_signal_cannot_be_taken)
{
    int numbers[] = {-1, 0, SIGKILL, SIGSTOP, 32, 65, 1 << 20};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CHECK_EQ(ed_signal_take(numbers[i], ED_SIGNAL_PROGRAM, high), -EINVAL);
}

static void *sends(void *end)
{
    while (!__atomic_load_n((int *)end, __ATOMIC_SEQ_CST))
        kill(getpid(), SIGWINCH);
    return NULL;
}

/* Taken and given back while signals pour in from another thread. */
RAW_TEST(a_signal_is_taken_and_given_back_while_it_pours_in)
{
    int end = 0;
    pthread_t thread;

    pthread_create(&thread, NULL, sends, &end);
    for (int i = 0; i < (test_is_slow() ? 200 : 2000); i++) {
        CHECK_OK(ed_signal_take(SIGWINCH, ED_SIGNAL_PROGRAM, high));
        ed_signal_give_back(SIGWINCH, ED_SIGNAL_PROGRAM);
    }
    __atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    CHECK(is_now(SIGWINCH, SIG_DFL));
}

/* A child of fork has the dispositions of before, and the parent keeps its own. */
RAW_TEST(a_child_of_fork_has_the_dispositions_of_before)
{
    int status = -1;
    sigset_t mask;
    pid_t child;

    signal(SIGUSR1, own);
    CHECK_OK(ed_signal_take(SIGUSR1, ED_SIGNAL_PROGRAM, high));
    CHECK_OK(ed_signal_take(SIGINT, ED_SIGNAL_LIBRARY, low));
    child = fork();
    if (child == 0) {
        kill(getpid(), SIGUSR1);
        _exit(is_now(SIGUSR1, own) && is_now(SIGINT, SIG_DFL) && own_calls == 1 && high_calls == 0
                  ? 0
                  : 1);
    }
    waitpid(child, &status, 0);
    CHECK_EQ(status, 0);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(high_calls, 1);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGUSR1)); /* as before the fork */
    ed_signal_give_back(SIGUSR1, ED_SIGNAL_PROGRAM);
    ed_signal_give_back(SIGINT, ED_SIGNAL_LIBRARY);
}
