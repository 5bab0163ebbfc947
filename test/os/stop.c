/* SPDX-License-Identifier: MIT */
/* EDDY_STOP_ON: a signal ends a block, as a deadline does. Rules A-RUN-14 to -18 for a block. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/fault.h"
#include "programs/program.h"

static char trace[64];

static void note(char word)
{
    trace[strlen(trace)] = word;
}

static int sends(void *number)
{
    kill(getpid(), (int)(intptr_t)number);
    return 0;
}

/* Sends it later, unless the block has ended before that. */
#define SEND_AFTER(seconds, number)                                                                \
    EDDY_DEFER(test_cancel_handle,                                                                 \
               &(eddy_handle[1]){eddy_loop_call_later(eddy_get_running_loop(), (seconds), sends,   \
                                                      (void *)(intptr_t)(number))}[0])

static bool is_default(int number)
{
    struct sigaction now;

    sigaction(number, NULL, &now);
    return !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
}

/* The call that waits, and every one behind it in the block; the text names the signal. */
TEST(signal_stops_what_the_block_does)
{
    double start = eddy_time();

    {
        EDDY_STOP_ON_SIGNALS(stop);
        CHECK(!is_default(SIGINT) && !is_default(SIGTERM));
        SEND_AFTER(1, SIGTERM);
        CHECK_FAILS(eddy_sleep(100), -EINTR, "stopped by SIGTERM");
        CHECK_EQ(eddy_stop_signal(&stop), SIGTERM);
        CHECK_EQ(eddy_raise(-EINTR, "another text"), -EINTR);
        eddy_raise(-EIO, "which is gone");
        CHECK_FAILS(eddy_sleep(0), -EINTR, "stopped by SIGTERM");
    }
    CHECK_OK(eddy_sleep(1)); /* behind it the task goes on */
    CHECK(eddy_time() - start < 3);
    CHECK(is_default(SIGTERM));
}

static void ignore(int number)
{
    (void)number;
}

/* One that comes to a task that does not wait is seen by its next call. When the block ends before,
 * as where a sweep cancels it, the signal goes to whom it would have gone to without. */
TEST(signal_stops_a_busy_block)
{
    signal(SIGRTMIN, ignore);
    EDDY_STOP_ON(stop, SIGUSR1, SIGRTMIN);

    kill(getpid(), SIGRTMIN);
    CHECK_EQ(eddy_stop_signal(&stop), 0);
    for (int i = 0; i < 1000 && eddy_sleep(0) == 0; i++)
        ;
    CHECK_EQ(eddy_stop_signal(&stop), SIGRTMIN);
    CHECK_HAS(eddy_error_message(-EINTR), "stopped by signal 34");
}

static int stops_inside(void)
{
    EDDY_TIMEOUT(limit, 2);
    EDDY_STOP_ON(stop, SIGUSR1);

    SEND_AFTER(1, SIGUSR1);
    REQUIRE(eddy_sleep(5) == -EINTR);
    {
        EDDY_SHIELD(clean_up);
        EDDY_TRY(eddy_sleep(0.5)); /* what is shielded is not stopped */
        EDDY_TRY(eddy_sleep(1));   /* the outer timeout comes */
    }
    REQUIRE(eddy_sleep(0) == -ETIMEDOUT); /* and outranks it */
    eddy_cancel(eddy_current_task());
    REQUIRE(eddy_sleep(0) == -ECANCELED); /* as a cancel does both */
    eddy_uncancel();
    REQUIRE(eddy_sleep(0) == -ETIMEDOUT);
    REQUIRE(eddy_stop_signal(&stop) == SIGUSR1);
    return 0;
}
EDDY_ASYNC(stops_inside);

/* What is pending: an outer timeout and a cancel outrank it, a shield holds it back. */
TEST(stop_scope_has_the_rank_of_a_timeout)
{
    CHECK_OK(stops_inside());
    {
        EDDY_STOP_ON(stop, SIGUSR1);
        EDDY_TIMEOUT(limit, 1);

        CHECK_EQ(eddy_sleep(5), -ETIMEDOUT);
        {
            EDDY_SHIELD(clean_up);
            kill(getpid(), SIGUSR1);
            CHECK_OK(eddy_sleep(1));
        }
        CHECK_EQ(eddy_stop_signal(&stop), SIGUSR1);
        CHECK_FAILS(eddy_sleep(0), -EINTR, "stopped by SIGUSR1"); /* it is the outer one */
    }
}

static int stops_twice(void)
{
    int rc;

    EDDY_STOP_ON(stop, SIGUSR1, SIGUSR2);
    SEND_AFTER(1, SIGUSR1);
    SEND_AFTER(2, SIGUSR2);
    rc = eddy_sleep(5);
    note(rc == -EINTR ? 'i' : '-');
    {
        EDDY_SHIELD(clean_up);
        (void)eddy_sleep(3);
    }
    rc = eddy_sleep(5);
    note(rc == -ECANCELED ? 'c' : '-');
    REQUIRE(eddy_stop_signal(&stop) == SIGUSR1);
    return rc;
}
EDDY_ASYNC(stops_twice);

/* A second signal cancels the task. */
TEST(second_signal_cancels_the_task_of_a_stop_scope)
{
    EDDY_TASK task = eddy_create_task(stops_twice);

    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_STR(trace, "ic");
}

static int own_count;

static void own(int number)
{
    (void)number;
    own_count++;
}

/* From the third of its kind on it does what it did before, whatever the task does. */
TEST(third_signal_does_what_it_did_before)
{
    signal(SIGUSR1, own);
    {
        EDDY_STOP_ON(stop, SIGUSR1);
        for (int i = 0; i < 4; i++)
            kill(getpid(), SIGUSR1);
        CHECK_EQ(own_count, 2);
        while (!eddy_stop_signal(&stop))
            (void)eddy_sleep(0);
        CHECK_EQ(eddy_sleep(0), -ECANCELED); /* by the second */
        CHECK_OK(eddy_uncancel());
    }
    kill(getpid(), SIGUSR1);
    CHECK_EQ(own_count, 3);
    signal(SIGUSR1, SIG_DFL);
}

/* A signal that the loop has not looked at by the end of the block is not lost. */
TEST(signal_in_a_block_that_ends_at_once_does_what_it_did_before)
{
    signal(SIGUSR1, own);
    {
        EDDY_STOP_ON(outer, SIGUSR1);
        {
            EDDY_STOP_ON(inner, SIGUSR1);
            kill(getpid(), SIGUSR1);
        }
        CHECK_EQ(own_count, 0); /* the outer block asks for it, too */
        while (!eddy_stop_signal(&outer))
            (void)eddy_sleep(0);
    }
    {
        EDDY_STOP_ON(stop, SIGUSR1);
        kill(getpid(), SIGUSR1);
        CHECK_EQ(eddy_stop_signal(&stop), 0);
    }
    CHECK_EQ(own_count, 1);
    signal(SIGUSR1, SIG_DFL);
}

static int computes(void)
{
    EDDY_STOP_ON_SIGNALS(stop);

    for (int i = 0; i < 3; i++)
        kill(getpid(), SIGTERM);
    return 0;
}
EDDY_ASYNC(computes);

static void run_and_compute(void)
{
    (void)eddy_run(computes);
}

RAW_TEST(third_signal_ends_a_program_that_computes)
{
    char text[256];
    int status = test_fork(run_and_compute, text, sizeof text);

    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGTERM);
}

/* A block has a right to its own first two, however many came before. */
TEST(each_stop_scope_counts_its_own_signals)
{
    for (int i = 0; i < 4; i++) {
        EDDY_STOP_ON(stop, SIGUSR1);
        SEND_AFTER(1, SIGUSR1);
        CHECK_EQ(eddy_sleep(5), -EINTR);
    }
}

static int stopped_task(int number)
{
    int rc;

    EDDY_STOP_ON(stop, number);
    rc = eddy_sleep(5);
    note(rc == -EINTR ? 'i' : rc == -ECANCELED ? 'c' : '-');
    return 0;
}
EDDY_ASYNC(stopped_task, int);

/* Every block of every task; a signal that a block has not asked for does not count for it. */
TEST(signal_stops_the_blocks_of_all_tasks_that_want_it)
{
    EDDY_GROUP(group);

    eddy_group_create_task(&group, stopped_task, SIGUSR1);
    eddy_group_create_task(&group, stopped_task, SIGUSR1);
    eddy_group_create_task(&group, stopped_task, SIGUSR2);
    SEND_AFTER(1, SIGUSR1);
    SEND_AFTER(2, SIGUSR2);
    CHECK_OK(eddy_group_join(&group));
    CHECK_STR(trace, "iii");
}

/* Where it cannot be, the signals keep their meaning. */
TEST(stop_scope_that_cannot_be_leaves_the_signals_alone)
{
    {
        ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
        EDDY_STOP_ON_SIGNALS(stop);
        CHECK(is_default(SIGTERM));
    }
    {
        EDDY_STOP_ON(stop, SIGTERM, SIGKILL);
        CHECK(is_default(SIGTERM));
        CHECK_EQ(eddy_stop_signal(&stop), 0);
    }
}

static int enters(void *unused)
{
    EDDY_STOP_ON_SIGNALS(stop);

    (void)unused;
    note(is_default(SIGTERM) ? 'd' : '-');
    return 0;
}

RAW_TEST(stop_scope_outside_a_task_has_no_effect)
{
    eddy_loop *loop;

    enters(NULL);
    CHECK_OK(eddy_loop_new(&loop));
    (void)eddy_loop_call_soon(loop, enters, NULL);
    eddy_loop_stop(loop);
    CHECK_OK(eddy_loop_run_forever(loop));
    eddy_loop_free(loop);
    CHECK_STR(trace, "dd");
}

static int stopped_main(int kind)
{
    EDDY_STOP_ON_SIGNALS(stop);

    SEND_AFTER(1, SIGINT);
    SEND_AFTER(kind == 2 ? 2 : 1000, SIGINT);
    if (kind == 1) {
        (void)eddy_sleep(5);
        return 3;
    }
    (void)eddy_sleep(5);
    {
        EDDY_SHIELD(clean_up);
        (void)eddy_sleep(2);
    }
    return eddy_sleep(5);
}
EDDY_ASYNC(stopped_main, int);

static int interrupted_behind_it(void)
{
    {
        EDDY_STOP_ON_SIGNALS(stop);
        SEND_AFTER(1, SIGINT);
        (void)eddy_sleep(5);
    }
    SEND_AFTER(1, SIGINT); /* behind the block it is eddy_run's again */
    return eddy_sleep(5);
}
EDDY_ASYNC(interrupted_behind_it);

/* A-RUN-15, -18: eddy_run's own SIGINT rests, and is back behind the block. */
RAW_TEST(stop_scope_in_the_main_task_of_a_run)
{
    CHECK_EQ(eddy_run(stopped_main, 0), -EINTR);
    CHECK_HAS(eddy_error_message(-EINTR), "stopped by SIGINT");
    CHECK_EQ(eddy_run(stopped_main, 1), 3);
    CHECK_EQ(eddy_run(stopped_main, 2), -EINTR);
    CHECK_EQ(eddy_run(interrupted_behind_it), -EINTR);
    CHECK(is_default(SIGINT));
}

static int keeps_handler(void)
{
    return eddy_loop_add_signal_handler(eddy_get_running_loop(), SIGINT, sends, NULL);
}
EDDY_ASYNC(keeps_handler);

/* A-RUN-18: also when the program's handler outlives the run's own. */
RAW_TEST(interrupts_are_restored_behind_a_handler_that_was_not_removed)
{
    for (int i = 0; i < 2; i++) {
        CHECK_OK(eddy_run(keeps_handler));
        CHECK(is_default(SIGINT));
        CHECK_EQ(eddy_run(interrupted_behind_it), -EINTR);
    }
}

static int left_open(void)
{
    EDDY_STOP_ON_SIGNALS(stop);
    eddy_event event = EDDY_EVENT_INIT;

    return eddy_event_wait(&event);
}
EDDY_ASYNC(left_open);

/* A stop scope is no reason to wait: it wakes nobody by itself who could not be interrupted. */
RAW_TEST(stop_scope_of_a_task_that_never_ends_goes_with_its_loop)
{
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(left_open)), -EDEADLK);
    CHECK_HAS(test_report(), "deadlock");
    eddy_loop_free(loop);
    CHECK_HAS(test_report(), "left_open");
    CHECK(is_default(SIGTERM) && is_default(SIGINT));
}

static int forks(void)
{
    EDDY_STOP_ON(stop, SIGUSR1);
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        _exit(is_default(SIGUSR1) && eddy_run(stopped_main, 0) == -EINTR ? 0 : 1);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    return status;
}
EDDY_ASYNC(forks);

/* A child has the dispositions of before, and stop scopes of its own. */
RAW_TEST(stop_scope_is_not_that_of_a_child_of_fork)
{
    CHECK_EQ(eddy_run(forks), 0);
}

static int leaves_block_in_child(void)
{
    pid_t child;
    int status = -1;

    {
        EDDY_STOP_ON(stop, SIGUSR1);
        child = fork();
    }
    if (child == 0)
        _exit(is_default(SIGUSR1) && eddy_run(stopped_main, 0) == -EINTR ? 0 : 1);
    REQUIRE(waitpid(child, &status, 0) == child);
    return status;
}
EDDY_ASYNC(leaves_block_in_child);

/* Nor is its end there of any effect. */
RAW_TEST(stop_scope_ends_in_a_child_of_fork)
{
    CHECK_EQ(eddy_run(leaves_block_in_child), 0);
}

/* A program that a signal has stopped dies of it, unless it has ended in order. */
RAW_TEST(program_that_was_stopped_dies_of_the_signal)
{
    char text[512];
    int status = program_run(text, sizeof text, "main", "stop", NULL);

    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGTERM);
    CHECK_STR(text, "stopped by SIGTERM\n");

    status = program_run(text, sizeof text, "main", "stop-again", NULL);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGTERM);

    CHECK_EQ(program_run(text, sizeof text, "main", "stop-in-order", NULL), 0);
    CHECK_STR(text, "");
}
