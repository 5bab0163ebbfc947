/* SPDX-License-Identifier: MIT */
/* SIGINT: rules A-RUN-14 to A-RUN-18. */
#include "harness.h"

#include <pthread.h>
#include <unistd.h>

#include "base/compat.h"

static char trace[64];
static int later_rc;

static void note(char word)
{
    trace[strlen(trace)] = word;
}

static int interrupt(void *unused)
{
    (void)unused;
    return kill(getpid(), SIGINT);
}

static void interrupt_after(double seconds)
{
    (void)eddy_loop_call_later(eddy_get_running_loop(), seconds, interrupt, NULL);
}

static int waits_interrupted(void)
{
    int rc;

    interrupt_after(1);
    rc = eddy_sleep(100);
    note('c');
    later_rc = eddy_sleep(1);
    return rc;
}
EDDY_ASYNC(waits_interrupted);

/* A-RUN-14, -15: the first SIGINT cancels the main task; the run says -EINTR. */
RAW_TEST(a_first_interrupt_cancels_the_main_task)
{
    CHECK_EQ(eddy_run(waits_interrupted), -EINTR);
    CHECK_STR(trace, "c");
    CHECK_EQ(later_rc, -ECANCELED);
}

static int computes_interrupted(void)
{
    kill(getpid(), SIGINT);
    for (int i = 0; i < 100000; i++)
        if (eddy_sleep(0) < 0)
            return -ECANCELED;
    return 0;
}
EDDY_ASYNC(computes_interrupted);

/* A-RUN-14: also a task that never rests. */
RAW_TEST(an_interrupt_reaches_a_busy_task)
{
    CHECK_EQ(eddy_run(computes_interrupted), -EINTR);
}

static void *interrupt_from_thread(void *unused)
{
    usleep(2000);
    return (void *)(intptr_t)interrupt(unused);
}

static int holds_and_waits(void)
{
    eddy_event event = EDDY_EVENT_INIT;
    pthread_t thread;
    int rc;

    eddy_loop_hold(eddy_get_running_loop());
    pthread_create(&thread, NULL, interrupt_from_thread, NULL);
    rc = eddy_event_wait(&event);
    pthread_join(thread, NULL);
    eddy_loop_release(eddy_get_running_loop());
    return rc;
}
EDDY_ASYNC(holds_and_waits);

/* A-RUN-14: and wakes a loop that rests in the kernel. */
RAW_TEST(an_interrupt_wakes_a_loop_that_rests)
{
    if (ED_TSAN)
        test_skip("ThreadSanitizer holds a signal back until a call that it intercepts");
    CHECK_EQ(eddy_run(holds_and_waits), -EINTR);
}

static int swallows(void)
{
    interrupt_after(1);
    (void)eddy_sleep(100);
    REQUIRE(eddy_uncancel() == 0);
    EDDY_TRY(eddy_sleep(1));
    return 9;
}
EDDY_ASYNC(swallows);

/* A-RUN-16: a main task that withdraws the cancel goes on, and its return counts. */
RAW_TEST(a_main_task_may_go_on_after_an_interrupt)
{
    CHECK_EQ(eddy_run(swallows), 9);
}

static int fails_interrupted(void)
{
    interrupt_after(1);
    return eddy_sleep(100) == -ECANCELED ? eddy_raise(-EIO, "instead") : 0;
}
EDDY_ASYNC(fails_interrupted);

/* A-RUN-15: only a cancelled main task ends the run by -EINTR. */
RAW_TEST(a_main_task_that_fails_after_an_interrupt_has_failed)
{
    CHECK_EQ(eddy_run(fails_interrupted), -EIO);
}

static int cancels_itself(void)
{
    eddy_cancel(eddy_current_task());
    return eddy_sleep(1);
}
EDDY_ASYNC(cancels_itself);

/* Without a SIGINT a cancelled main task is just that. */
RAW_TEST(a_main_task_that_is_cancelled_otherwise_was_not_interrupted)
{
    CHECK_EQ(eddy_run(cancels_itself), -ECANCELED);
}

static int shielded(void)
{
    EDDY_SHIELD(shield);
    int rc;

    interrupt_after(1);
    interrupt_after(3);
    EDDY_TRY(eddy_sleep(2)); /* the first is held back */
    note('1');
    rc = eddy_sleep(100); /* the second is not */
    note('2');
    return rc;
}
EDDY_ASYNC(shielded);

/* A-RUN-17 differs: the second SIGINT pierces the shields of the main task. */
RAW_TEST(a_second_interrupt_pierces_shields)
{
    CHECK_EQ(eddy_run(shielded), -EINTR);
    CHECK_STR(trace, "12");
}

static int cleans_up_for_ever(void)
{
    int rc = eddy_sleep(1e9);

    {
        EDDY_SHIELD(shield);

        note('s');
        rc = eddy_sleep(1e9);
        note('p');
    }
    return rc;
}
EDDY_ASYNC(cleans_up_for_ever);

static int leaves_slow_clean_up(void)
{
    eddy_task *task = eddy_create_task(cleans_up_for_ever);

    eddy_task_detach(&task);
    interrupt_after(5); /* comes in the clean-up, where nothing is left to cancel */
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves_slow_clean_up);

/* A-RUN-17: a first SIGINT when the main task is done pierces what still cleans up. */
RAW_TEST(an_interrupt_in_the_clean_up_pierces_shields)
{
    CHECK_OK(eddy_run(leaves_slow_clean_up));
    CHECK_STR(trace, "sp");
}

static int interrupts_three_times(void)
{
    for (int i = 0; i < 3; i++)
        kill(getpid(), SIGINT);
    return 0;
}
EDDY_ASYNC(interrupts_three_times);

static void run_three_times(void)
{
    (void)eddy_run(interrupts_three_times);
}

/* Promise 2: a third takes the default action. */
RAW_TEST(a_third_interrupt_kills)
{
    char text[256];
    int status = test_fork(run_three_times, text, sizeof text);

    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGINT);
}

static int count_of_own;

static void own_handler(int number)
{
    (void)number;
    count_of_own++;
}

static int interrupts_itself(void)
{
    kill(getpid(), SIGINT);
    return eddy_sleep(1);
}
EDDY_ASYNC(interrupts_itself);

/* A-RUN-14: a handler of the program's is left alone. */
RAW_TEST(a_handler_of_the_program_keeps_its_signal)
{
    struct sigaction action = {.sa_handler = own_handler}, now;

    sigaction(SIGINT, &action, NULL);
    CHECK_OK(eddy_run(interrupts_itself));
    CHECK_EQ(count_of_own, 1);
    sigaction(SIGINT, NULL, &now);
    CHECK(now.sa_handler == own_handler);
}

/* An ignored signal stays ignored. */
RAW_TEST(an_ignored_interrupt_stays_ignored)
{
    struct sigaction now;

    signal(SIGINT, SIG_IGN);
    CHECK_OK(eddy_run(interrupts_itself));
    sigaction(SIGINT, NULL, &now);
    CHECK(now.sa_handler == SIG_IGN);
}

/* A-RUN-18: behind the run the action is what it was. */
RAW_TEST(the_action_is_restored_behind_the_run)
{
    struct sigaction now;

    CHECK_EQ(eddy_run(waits_interrupted), -EINTR);
    sigaction(SIGINT, NULL, &now);
    CHECK(now.sa_handler == SIG_DFL);
}

static int replaces_handler(void)
{
    signal(SIGINT, own_handler);
    return 0;
}
EDDY_ASYNC(replaces_handler);

/* A-RUN-18: unless somebody replaced it meanwhile. */
RAW_TEST(a_handler_that_was_set_in_the_run_stays)
{
    struct sigaction now;

    CHECK_OK(eddy_run(replaces_handler));
    sigaction(SIGINT, NULL, &now);
    CHECK(now.sa_handler == own_handler);
}

static int looks(struct sigaction *now)
{
    return sigaction(SIGINT, NULL, now);
}
EDDY_ASYNC(looks, struct sigaction *);

static void *look_in_thread(void *now)
{
    return (void *)(intptr_t)eddy_run(looks, (struct sigaction *)now);
}

/* A-RUN-14: only in the main thread of the process. */
RAW_TEST(a_run_in_another_thread_leaves_the_signal_alone)
{
    struct sigaction now;
    pthread_t thread;

    CHECK_OK(eddy_run(looks, &now));
    CHECK(now.sa_handler != SIG_DFL);
    pthread_create(&thread, NULL, look_in_thread, &now);
    pthread_join(thread, NULL);
    CHECK(now.sa_handler == SIG_DFL);
}

/* The runs of a runner each begin anew. */
RAW_TEST(each_run_of_a_runner_counts_its_own_interrupts)
{
    eddy_runner runner = EDDY_RUNNER_INIT;

    for (int i = 0; i < 4; i++)
        CHECK_EQ(eddy_runner_run(&runner, EDDY_CALL(waits_interrupted)), -EINTR);
    CHECK_EQ(eddy_runner_run(&runner, EDDY_CALL(cancels_itself)), -ECANCELED);
    eddy_runner_close(&runner);
    CHECK_STR(trace, "cccc");
}

static int interrupts_in_its_last_step(void)
{
    return interrupt(NULL);
}
EDDY_ASYNC(interrupts_in_its_last_step);

static int sleeps(void)
{
    return eddy_sleep(1);
}
EDDY_ASYNC(sleeps);

/* A signal of the last step waits in the inbox of the loop. The next run made the posting
 * new while it was there: the next signal then closed the inbox to a ring. */
RAW_TEST(an_interrupt_in_the_last_step_of_a_run_does_not_harm_the_next)
{
    eddy_runner runner = EDDY_RUNNER_INIT;

    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(interrupts_in_its_last_step)));
        CHECK_EQ(eddy_runner_run(&runner, EDDY_CALL(interrupts_itself)), -EINTR);
        CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(interrupts_in_its_last_step)));
        CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(sleeps))); /* it was not for this one */
    }
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(interrupts_in_its_last_step)));
    eddy_runner_close(&runner);
    CHECK_EQ(eddy_run(interrupts_itself), -EINTR);
}

static int note_posted(void *unused)
{
    (void)unused;
    note('p');
    return 0;
}

static int posts_and_interrupts(void)
{
    EDDY_TRY(eddy_loop_call_soon_threadsafe(eddy_get_running_loop(), note_posted, NULL));
    return interrupt(NULL);
}
EDDY_ASYNC(posts_and_interrupts);

/* And cut off what had been posted before it. */
RAW_TEST(an_interrupt_in_the_last_step_of_a_run_loses_no_posts)
{
    eddy_runner runner = EDDY_RUNNER_INIT;

    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(posts_and_interrupts)));
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(sleeps)));
    CHECK_STR(trace, "p");
    eddy_runner_close(&runner);
    CHECK_OK(eddy_run(posts_and_interrupts)); /* the harness finds what is not freed */
}

static int forks(bool runs)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        alarm(10);
        if (runs)
            _exit(eddy_run(interrupts_itself) == -EINTR ? 0 : 9);
        (void)interrupt(NULL);
        _exit(9);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    if (runs)
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
    return WIFSIGNALED(status) ? WTERMSIG(status) : -EIO;
}
EDDY_ASYNC(forks, bool);

/* A child of fork had the handler, for a loop that is not its own: it could be ended by no
 * SIGINT, nor could its own runs. */
RAW_TEST(a_child_of_fork_is_interrupted_as_any_process)
{
    CHECK_EQ(eddy_run(forks, false), SIGINT);
    CHECK_EQ(eddy_run(forks, true), 0);
    CHECK_EQ(eddy_run(waits_interrupted), -EINTR); /* and the parent as before */
}
