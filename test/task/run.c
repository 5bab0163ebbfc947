/* SPDX-License-Identifier: MIT */
/* Running a program: rules A-RUN-1 to A-RUN-13, and EDDY_MAIN. */
#include "../programs/program.h"
#include "harness.h"

#include <pthread.h>
#include <unistd.h>

static char trace[64];

static int note(char word)
{
    trace[strlen(trace)] = word;
    return 0;
}

static int doubles(int a, int *out)
{
    EDDY_TRY(eddy_sleep(1));
    *out = 2 * a;
    return 3;
}
EDDY_ASYNC_RESULT(int, doubles, int);

static int fails(int code)
{
    EDDY_TRY(eddy_sleep(1));
    return eddy_raise(code, "the main task failed");
}
EDDY_ASYNC(fails, int);

/* A-RUN-1: it returns what the main task returned, and its result. */
RAW_TEST(a_run_returns_what_its_main_task_returned)
{
    int value = 0;

    CHECK_EQ(eddy_run(doubles, 21, &value), 3);
    CHECK_EQ(value, 42);
    CHECK_EQ(eddy_run(doubles, 21), 3); /* the result may be left out */
    CHECK_EQ(eddy_run(fails, -EIO), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the main task failed");
    CHECK(eddy_get_running_loop() == NULL);
}

/* A-RUN-13: the call may be a value. */
RAW_TEST(a_run_takes_a_call_as_a_value)
{
    int value = 0;
    eddy_call call = EDDY_CALL(doubles, 4, &value);

    CHECK_EQ(eddy_run_call(call), 3);
    CHECK_EQ(value, 8);
}

static int runs_again(int *nested)
{
    *nested = eddy_run(fails, -EIO);
    REQUIRE(strcmp(eddy_error_message(-EBUSY), "a loop runs in this thread already") == 0);
    return 0;
}
EDDY_ASYNC(runs_again, int *);

/* A-RUN-2: not while a loop runs in this thread; the call does not start. */
RAW_TEST(a_run_inside_a_run_is_refused)
{
    int nested = 0;

    CHECK_OK(eddy_run(runs_again, &nested));
    CHECK_EQ(nested, -EBUSY);
}

static int run_in_callback(void *nested)
{
    *(int *)nested = eddy_run(fails, -EIO);
    return 0;
}

TEST(a_run_inside_a_callback_is_refused)
{
    int nested = 0;

    eddy_loop_call_soon(eddy_get_running_loop(), run_in_callback, &nested);
    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(nested, -EBUSY);
}

static int cleans_up(char word)
{
    int rc = eddy_sleep(100);

    EDDY_SHIELD(cleanup);
    EDDY_TRY(eddy_sleep(word - 'a' + 1));
    note(word);
    return rc;
}
EDDY_ASYNC(cleans_up, char);

static int job_started; /* atomic */

static int job(char word)
{
    __atomic_store_n(&job_started, 1, __ATOMIC_RELEASE);
    usleep(2000);
    return note(word);
}
EDDY_ASYNC(job, char);

static int detaches(void)
{
    for (char word = 'a'; word <= 'c'; word++) {
        eddy_task *task = eddy_create_task(cleans_up, word);

        eddy_task_detach(&task);
    }
    EDDY_TRY(eddy_sleep(1));
    note('m');
    return 7;
}
EDDY_ASYNC(detaches);

/* A-RUN-4, -5, promise 4: what is left is cancelled, all at once, and its clean-up,
 * which may wait, is waited for; detached or not. */
RAW_TEST(the_tasks_that_are_left_are_cancelled_and_joined)
{
    CHECK_EQ(eddy_run(detaches), 7);
    CHECK_STR(trace, "mabc");
}

static int leaves_job(void)
{
    eddy_task *task = eddy_run_in_executor(NULL, job, 'j');

    eddy_task_detach(&task);
    while (!__atomic_load_n(&job_started, __ATOMIC_ACQUIRE))
        EDDY_TRY(eddy_sleep(0));
    return 0;
}
EDDY_ASYNC(leaves_job);

/* A-RUN-4: the default executor ends after its jobs; the harness counts the threads. */
RAW_TEST(the_jobs_that_run_are_waited_for)
{
    CHECK_OK(eddy_run(leaves_job));
    CHECK_STR(trace, "j");
}

static int counts(eddy_generator *g)
{
    int i = 1;

    EDDY_TRY(eddy_yield(g, &i));
    note('!'); /* D-10: destroying it runs no code */
    return 0;
}
EDDY_ASYNC_GENERATOR(int, counts);

static int forgets_generator(void)
{
    int value = 0;
    eddy_generator *generator = eddy_generate(counts);

    EDDY_TRY(eddy_next(generator, &value));
    return 0;
}
EDDY_ASYNC(forgets_generator);

/* A-RUN-4 (3) differs: generators close at the end of their scope; one that was
 * forgotten is freed without running on. */
RAW_TEST(a_forgotten_generator_is_freed)
{
    CHECK_OK(eddy_run(forgets_generator));
    CHECK_STR(trace, "");
}

static int fails_in_clean_up(void)
{
    (void)eddy_sleep(100);
    return eddy_raise(-EIO, "the clean-up failed");
}
EDDY_ASYNC(fails_in_clean_up);

static int leaves_failing(void)
{
    eddy_task *task =
        eddy_create_task_with((&(eddy_task_options){.name = "left"}), fails_in_clean_up);

    test_watch_reports(eddy_get_running_loop());
    eddy_task_detach(&task);
    EDDY_TRY(eddy_sleep(1));
    return 4;
}
EDDY_ASYNC(leaves_failing);

/* A-RUN-6: a task that fails meanwhile is reported, and changes no result. */
RAW_TEST(a_task_that_fails_while_the_run_ends_is_reported)
{
    CHECK_EQ(eddy_run(leaves_failing), 4);
    const char *report = test_report();
    CHECK_HAS(report, "task left, fails_in_clean_up() created at ");
    CHECK_HAS(report, "failed while the program ended");
    CHECK_HAS(report, "the clean-up failed (EIO)");
    CHECK_STR(test_report(), "");
}

static int tries_to_stay(void)
{
    (void)eddy_sleep(100);
    if (eddy_uncancel() == -EPERM)
        note('p');
    if (eddy_sleep(1) == -ECANCELED)
        note('c');
    return 0;
}
EDDY_ASYNC(tries_to_stay);

static int leaves_stubborn(void)
{
    eddy_task *task = eddy_create_task(tries_to_stay);

    eddy_task_detach(&task);
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves_stubborn);

/* A-RUN-7 differs: the cancel of the run is an owner's: it stays, and cannot be
 * withdrawn. */
RAW_TEST(the_cancel_of_the_run_cannot_be_withdrawn)
{
    CHECK_OK(eddy_run(leaves_stubborn));
    CHECK_STR(trace, "pc");
}

static int starts_another(void)
{
    eddy_task *task;

    (void)eddy_sleep(100);
    task = eddy_create_task(cleans_up, 'a');
    eddy_task_detach(&task);
    return -ECANCELED;
}
EDDY_ASYNC(starts_another);

static int leaves_starter(void)
{
    eddy_task *task = eddy_create_task(starts_another);

    eddy_task_detach(&task);
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves_starter);

/* A-RUN-8 differs: tasks that the clean-up starts are cancelled and joined too. */
RAW_TEST(tasks_that_the_clean_up_starts_are_ended_too)
{
    CHECK_OK(eddy_run(leaves_starter));
    CHECK_STR(trace, "a");
}

/* Runner -------------------------------------------------------------------- */

static int ticks(void)
{
    for (int i = 0; i < 3; i++) {
        EDDY_TRY(eddy_sleep(1));
        note('t');
    }
    return 0;
}
EDDY_ASYNC(ticks);

static int starts_ticks(void)
{
    eddy_task *task = eddy_create_task(ticks);

    eddy_task_detach(&task);
    return eddy_sleep(1.5);
}
EDDY_ASYNC(starts_ticks);

static int sleeps(double seconds)
{
    return eddy_sleep(seconds);
}
EDDY_ASYNC(sleeps, double);

static int leaves_cleaner(void)
{
    eddy_task *task = eddy_create_task(cleans_up, 'a');

    eddy_task_detach(&task);
    return eddy_sleep(0);
}
EDDY_ASYNC(leaves_cleaner);

/* A-RUN-10, -12: the loop is made at the first use and shared; what a run leaves behind
 * rests, and goes on in the next; the close cancels it. */
RAW_TEST(a_runner_keeps_what_a_run_leaves_behind)
{
    eddy_runner runner = EDDY_RUNNER_INIT;
    eddy_loop *loop;

    CHECK(runner.loop == NULL);
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(starts_ticks)));
    CHECK_STR(trace, "t");
    loop = eddy_runner_get_loop(&runner);
    CHECK(loop != NULL && loop == runner.loop);
    CHECK(!eddy_loop_is_running(loop));
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(sleeps, 3.0)));
    CHECK_STR(trace, "ttt");
    CHECK(eddy_runner_get_loop(&runner) == loop);
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(leaves_cleaner)));
    eddy_runner_close(&runner);
    CHECK_STR(trace, "ttta");
}

/* A-RUN-11: close is idempotent; afterwards nothing runs. */
RAW_TEST(a_closed_runner_runs_nothing)
{
    eddy_runner runner = EDDY_RUNNER_INIT, unused = EDDY_RUNNER_INIT;

    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(sleeps, 1.0)));
    eddy_runner_close(&runner);
    eddy_runner_close(&runner);
    CHECK_EQ(eddy_runner_run(&runner, EDDY_CALL(fails, -EIO)), -EPERM);
    CHECK(eddy_runner_get_loop(&runner) == NULL);
    eddy_runner_close(&unused);
    CHECK_EQ(eddy_runner_run(&unused, EDDY_CALL(fails, -EIO)), -EPERM);
}

static int stops_loop(void)
{
    eddy_loop_stop(eddy_get_running_loop());
    return eddy_sleep(5);
}
EDDY_ASYNC(stops_loop);

/* When somebody stops the loop under its main task, the run says so and ends it. */
RAW_TEST(a_run_whose_loop_is_stopped_ends_its_main_task)
{
    CHECK_EQ(eddy_run(stops_loop), -ESHUTDOWN);
    CHECK_HAS(eddy_error_message(-ESHUTDOWN), "stops_loop()");
}

static void *run_in_thread(void *value)
{
    return (void *)(intptr_t)eddy_run(doubles, 21, (int *)value);
}

/* A-POL-3: several loops in several threads. */
RAW_TEST(several_threads_run_loops_at_once)
{
    pthread_t threads[4];
    int values[4] = {0};

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run_in_thread, &values[i]);
    for (int i = 0; i < 4; i++) {
        void *rc;

        pthread_join(threads[i], &rc);
        CHECK_EQ((intptr_t)rc, 3);
        CHECK_EQ(values[i], 42);
    }
}

/* EDDY_MAIN ----------------------------------------------------------------- */

static char text[4096];

static int main_with(const char *what)
{
    return program_run(text, sizeof text, "main", what, NULL);
}

/* A positive return is the exit status, without a word. */
RAW_TEST(main_exits_with_a_positive_return)
{
    int status = main_with("status");

    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 42);
    CHECK_STR(text, "");
    CHECK_EQ(main_with("success"), 0);
    CHECK_STR(text, "");
}

/* An error is printed with function, text, name and place, behind what was printed
 * before, and the status is 1. */
RAW_TEST(main_prints_an_error_and_exits_with_one)
{
    int status = main_with("error");

    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 1);
    CHECK_HAS(text, "printed before\namain: no such dish: spam (ENOENT, ");
    CHECK_HAS(text, "main.c:");
    status = main_with("silent");
    CHECK_EQ(WEXITSTATUS(status), 1);
    CHECK_STR(text, "amain: out of memory, or a task that could not be created (ENOMEM)\n");
}

/* The form without arguments. */
RAW_TEST(main_without_arguments_works_alike)
{
    int status = program_run(text, sizeof text, "main-void", NULL);

    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 3);
    CHECK_STR(text, "slept\n");
}

/* A deadlock is told by its report and the status. */
RAW_TEST(main_that_deadlocks_exits_with_one)
{
    int status = main_with("deadlock");

    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 1);
    CHECK_HAS(text, "eddy: deadlock: no task can go on, and nothing can wake one:\n");
    CHECK_HAS(text, "amain() created at ");
    CHECK_HAS(text, "waits in event.wait");
    CHECK_HAS(text, "(EDEADLK)");
}

/* Interrupted, it dies of SIGINT, as a shell expects, after its clean-up. */
RAW_TEST(main_that_is_interrupted_dies_of_sigint)
{
    int status = main_with("interrupt");

    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGINT);
    CHECK_STR(text, "cleaned up\n");
}

static int answers_seven(void)
{
    return 7;
}
EDDY_ASYNC(answers_seven);

/* It ran the closed loop: a crash. */
RAW_TEST(a_runner_whose_loop_was_closed_refuses_to_run)
{
    eddy_runner runner = EDDY_RUNNER_INIT;
    eddy_loop *loop = eddy_runner_get_loop(&runner);

    CHECK(loop);
    CHECK_OK(eddy_loop_close(loop));
    CHECK_EQ(eddy_runner_run(&runner, EDDY_CALL(answers_seven)), -EPERM);
    CHECK_HAS(eddy_error_message(-EPERM), "the runner's loop is closed");
    eddy_runner_close(&runner);
}

static eddy_runner runner_of_itself = EDDY_RUNNER_INIT;

static int closes_its_runner(void)
{
    eddy_runner_close(&runner_of_itself);
    return 0;
}
EDDY_ASYNC(closes_its_runner);

static void run_closes_its_runner(void)
{
    (void)eddy_runner_run(&runner_of_itself, EDDY_CALL(closes_its_runner));
}

/* It ran the loop inside of itself. */
RAW_TEST(a_runner_that_is_closed_in_its_own_run_aborts)
{
    CHECK_DIES(run_closes_its_runner, "eddy_runner_close: its loop is running");
}
