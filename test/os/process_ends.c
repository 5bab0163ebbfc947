/* SPDX-License-Identifier: MIT */
/* How child processes end when their parent is to end: in order. */
#include <signal.h>

#include "eddy/process.h"
#include "os/child.h"

static const char deaf[] = "trap '' TERM; echo; while :; do sleep 100; done";
static const char orderly[] = "trap 'sleep 0.05; exit 9' TERM; echo; while :; do sleep 0.01; done";

static int signal_us(void *number)
{
    return kill(getpid(), (int)(intptr_t)number);
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
        eddy_loop_call_later(eddy_get_running_loop(), 0.01, signal_us, (void *)SIGTERM);
        CHECK_EQ(eddy_process_close(&process), 9);
        CHECK_EQ(eddy_stop_signal(&stop), SIGTERM);
        CHECK_FAILS(eddy_sleep(0), -EINTR, "stopped by SIGTERM");
        CHECK_EQ(eddy_process_close(&other), 9);
        CHECK_FAILS(eddy_sleep(0), -EINTR, "stopped by SIGTERM");
    }
    CHECK_OK(eddy_sleep(0));
    CHECK(no_child_is_left());
}

static int close_deaf_twice_stopped(eddy_process *process)
{
    EDDY_STOP_ON(stop, SIGUSR1, SIGUSR2);

    signal_us((void *)SIGUSR1);
    REQUIRE(eddy_sleep(1) == -EINTR);
    eddy_loop_call_later(eddy_get_running_loop(), 0.01, signal_us, (void *)SIGUSR2);
    REQUIRE(eddy_process_close(&process) == -SIGKILL);
    return eddy_sleep(0);
}
EDDY_ASYNC(close_deaf_twice_stopped, eddy_process *);

static int close_deaf_in_time(eddy_process *process)
{
    EDDY_TIMEOUT(limit, 0.2);
    EDDY_STOP_ON(stop, SIGUSR1);

    signal_us((void *)SIGUSR1);
    REQUIRE(eddy_sleep(1) == -EINTR);
    REQUIRE(eddy_process_close(&process) == -SIGKILL);
    return eddy_sleep(0);
}
EDDY_ASYNC(close_deaf_in_time, eddy_process *);

/* But a second one, or a timeout around the block, hurries it. */
TEST(process_in_a_stopped_block_is_killed_by_a_second_signal_or_a_timeout)
{
    eddy_process_options options = {.stop_timeout = 1000, .new_group = true};
    EDDY_PROCESS process = NULL, other = NULL;
    eddy_process *taken, *other_taken;

    CHECK_OK(start_ready(deaf, options, &process));
    CHECK_OK(start_ready(deaf, options, &other));
    taken = process, other_taken = other, process = other = NULL;

    EDDY_TASK task = eddy_create_task(close_deaf_twice_stopped, taken);

    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(close_deaf_in_time(other_taken), -ETIMEDOUT);
    CHECK(no_child_is_left());
}
