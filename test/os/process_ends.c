/* SPDX-License-Identifier: MIT */
/* How child processes end when their parent is to end: in order, or with it. */
#include <signal.h>

#include "eddy/process.h"
#include "os/child.h"

static const char deaf[] = "trap '' TERM; echo; while :; do sleep 100; done";
static const char orderly[] = "trap 'sleep 0.05; exit 9' TERM; echo; while :; do sleep 0.01; done";

static int signal_us(void *number)
{
    return kill(getpid(), (int)(intptr_t)number);
}

/* The same in 0.01 s, unless the block that declares it is left before. */
#define SIGNAL_US_SOON(number)                                                                     \
    EDDY_CLEANUP_(take_back)                                                                       \
    eddy_handle soon =                                                                             \
        eddy_loop_call_later(eddy_get_running_loop(), 0.01, signal_us, (void *)(intptr_t)(number))

static void take_back(eddy_handle *soon)
{
    eddy_handle_cancel(*soon);
}

/* For a signal that comes where a cancel has kept the block from being entered. */
static void unseen(int number)
{
    (void)number;
}

/* A signal that asks for an orderly end does not take the children's away, when it comes before
 * the end of the block, nor within. */
TEST(process_has_its_time_in_a_block_that_a_signal_has_stopped)
{
    EDDY_PROCESS process = NULL, other = NULL;

    CHECK_OK(start_ready(orderly, (eddy_process_options){.stop_timeout = 0}, &process));
    CHECK_OK(start_ready(orderly, (eddy_process_options){.stop_timeout = 0}, &other));
    {
        EDDY_STOP_ON_SIGNALS(stop);
        SIGNAL_US_SOON(SIGTERM);
        CHECK_EQ(eddy_process_close(&process), 9);
        CHECK_EQ(eddy_stop_signal(&stop), SIGTERM);
        CHECK_FAILS(eddy_sleep(0), -EINTR, "stopped by SIGTERM");
        CHECK_EQ(eddy_process_close(&other), 9);
        CHECK_FAILS(eddy_sleep(0), -EINTR, "stopped by SIGTERM");
    }
    CHECK_OK(eddy_sleep(0));
    CHECK(no_child_is_left());
}

static int close_deaf_twice_stopped(eddy_process **process)
{
    EDDY_STOP_ON(stop, SIGUSR1, SIGUSR2);

    signal_us((void *)SIGUSR1);
    REQUIRE(eddy_sleep(1) == -EINTR);
    SIGNAL_US_SOON(SIGUSR2);
    REQUIRE(eddy_process_close(process) == -SIGKILL);
    return eddy_sleep(0);
}
EDDY_ASYNC(close_deaf_twice_stopped, eddy_process **);

static int close_deaf_in_time(eddy_process **process)
{
    EDDY_TIMEOUT(limit, 0.2);
    EDDY_STOP_ON(stop, SIGUSR1);

    signal_us((void *)SIGUSR1);
    REQUIRE(eddy_sleep(1) == -EINTR);
    REQUIRE(eddy_process_close(process) == -SIGKILL);
    return eddy_sleep(0);
}
EDDY_ASYNC(close_deaf_in_time, eddy_process **);

/* But a second one, or a timeout around the block, hurries it. */
TEST(process_in_a_stopped_block_is_killed_by_a_second_signal_or_a_timeout)
{
    eddy_process_options options = {.stop_timeout = 1000, .new_group = true};
    EDDY_PROCESS process = NULL, other = NULL;

    signal(SIGUSR1, unseen);
    CHECK_OK(start_ready(deaf, options, &process));
    CHECK_OK(start_ready(deaf, options, &other));

    EDDY_TASK task = eddy_create_task(close_deaf_twice_stopped, &process);

    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(close_deaf_in_time(&other), -ETIMEDOUT);
    CHECK(no_child_is_left());
}

static eddy_process *left; /* to the kernel */

static int start_and_be_killed(int kind)
{
    eddy_process_options options = {
        .out = EDDY_DEVNULL, .err = EDDY_DEVNULL, .dies_with_us = kind != 0};

    if (geteuid() == 0) {
        options.set_user = kind == 2; /* which makes the kernel forget */
        options.user = options.gid = 65534;
    }
    EDDY_TRY(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &options, &left));
    fprintf(stderr, "%d\n", (int)eddy_process_pid(left));
    return raise(SIGKILL);
}
EDDY_ASYNC(start_and_be_killed, int);

static int kind_of_death;

static void run_and_be_killed(void)
{
    _exit(eddy_run(start_and_be_killed, kind_of_death) < 0);
}

/* Nobody is left who could end a child in order. */
RAW_TEST(process_dies_with_us_if_it_was_asked_to)
{
    char text[1000];

    for (kind_of_death = 0; kind_of_death < 3; kind_of_death++) {
        CHECK_EQ(test_fork(run_and_be_killed, text, sizeof text), SIGKILL);
        if (kind_of_death == 0)
            CHECK(child_lives(number_of(text)) && kill(number_of(text), SIGKILL) == 0);
        else
            CHECK(child_dies(number_of(text)));
    }
}

/* In the middle of things it lasts as long as any other: the thread that has started it stays. */
TEST(process_that_dies_with_us_lives_until_then)
{
    EDDY_PROCESS process = NULL;
    int code;

    CHECK_OK(start_ready("echo; sleep 0.1; exit 7", (eddy_process_options){.dies_with_us = true},
                         &process));
    CHECK_OK(eddy_process_wait(process, &code));
    CHECK_EQ(code, 7);
}
