/* SPDX-License-Identifier: MIT */
/* SIGQUIT in debug mode: the tasks are printed, and the program goes on. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

static int sleeps(void)
{
    return eddy_sleep(1);
}
EDDY_ASYNC(sleeps);

static int asks_itself(void)
{
    EDDY_TASK task = eddy_create_task(sleeps);

    eddy_task_set_name(task, "sleeper");
    EDDY_TRY(eddy_sleep(0));
    kill(getpid(), SIGQUIT);
    EDDY_TRY(eddy_await(task));
    fprintf(stderr, "and goes on\n");
    return 0;
}
EDDY_ASYNC(asks_itself);

static void ask(void)
{
    _exit(eddy_run(asks_itself) < 0);
}

RAW_TEST(quit_prints_the_tasks_and_goes_on)
{
    char text[2048];
    int status;

    setenv("EDDY_DEBUG", "1", 1);
    status = test_fork(ask, text, sizeof text);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_HAS(text, "eddy: SIGQUIT: 2 tasks:");
    CHECK_HAS(text, "sleeper, sleeps() created at ");
    CHECK_HAS(text, "and goes on");
}

RAW_TEST(quit_kills_as_ever_without_debug_mode)
{
    char text[2048];
    int status;

    unsetenv("EDDY_DEBUG");
    status = test_fork(ask, text, sizeof text);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
}

static void own_handler(int number)
{
    (void)number;
    if (write(STDERR_FILENO, "mine", 4) < 0)
        _exit(3);
}

static void ask_with_a_handler(void)
{
    signal(SIGQUIT, own_handler);
    ask();
}

RAW_TEST(quit_leaves_a_handler_of_the_program_alone)
{
    char text[2048];

    setenv("EDDY_DEBUG", "1", 1);
    (void)test_fork(ask_with_a_handler, text, sizeof text);
    CHECK_HAS(text, "mine");
    CHECK(!strstr(text, "SIGQUIT"));
}

static int nothing(void)
{
    return 0;
}
EDDY_ASYNC(nothing);

RAW_TEST(quit_is_as_before_when_the_run_has_ended)
{
    struct sigaction action;

    setenv("EDDY_DEBUG", "1", 1);
    CHECK_OK(eddy_run(nothing));
    CHECK_EQ(sigaction(SIGQUIT, NULL, &action), 0);
    CHECK(action.sa_handler == SIG_DFL);
}

static pthread_barrier_t both_run;

static int meets_and_sleeps(void)
{
    pthread_barrier_wait(&both_run);
    return eddy_sleep(0.2);
}
EDDY_ASYNC(meets_and_sleeps);

static void *runs_a_loop(void *unused)
{
    return eddy_run(meets_and_sleeps) < 0 ? &both_run : unused;
}

static void two_loops(void)
{
    pthread_t thread[2];

    unsetenv("EDDY_CLOCK"); /* both must still be there when the signal comes */
    pthread_barrier_init(&both_run, NULL, 3);
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, runs_a_loop, NULL);
    pthread_barrier_wait(&both_run);
    kill(getpid(), SIGQUIT);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
}

RAW_TEST(quit_reaches_the_loops_of_all_threads)
{
    char text[8192];
    const char *at = text;
    int dumps = 0;

    setenv("EDDY_DEBUG", "1", 1);
    (void)test_fork(two_loops, text, sizeof text);
    for (; (at = strstr(at, "SIGQUIT: ")); at++)
        dumps++;
    CHECK_EQ(dumps, 2);
}

static int stays_busy(void)
{
    struct timespec pause = {0, 300000000};

    eddy_loop_set_slow_callback_duration(eddy_get_running_loop(), 0.1);
    kill(getpid(), SIGQUIT);
    while (nanosleep(&pause, &pause) != 0)
        continue;
    return 0;
}
EDDY_ASYNC(stays_busy);

static void be_busy(void)
{
    (void)eddy_run(stays_busy);
}

/* A-INTRO-8. Real time: the watchdog waits a while before it speaks for the loop. */
RAW_TEST(quit_of_a_stuck_loop_says_what_it_is_busy_with)
{
    char text[2048] = "";

    setenv("EDDY_DEBUG", "1", 1);
    for (int i = 0; i < 10 && !strstr(text, "has held the loop"); i++) /* on a busy machine */
        (void)test_fork(be_busy, text, sizeof text);
    CHECK_HAS(text, "stays_busy() created at ");
    CHECK_HAS(text, "has held the loop of thread ");
}
