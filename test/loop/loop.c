/* SPDX-License-Identifier: MIT */
/* The loop's life: rules A-LOOP-1, A-LOOP-5 and A-RUNL-1 to A-RUNL-14. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/time.h"
#include "loop/trace.h"

static eddy_loop *the_loop;
static int calls;

/* Running -------------------------------------------------------------------- */

static int answer(int input, int *result)
{
    EDDY_TRY(eddy_sleep(1));
    *result = input * 2;
    return 0;
}
EDDY_ASYNC_RESULT(int, answer, int);

static int fail_with(int code)
{
    EDDY_TRY(eddy_sleep(1));
    return eddy_raise(code, "what went wrong");
}
EDDY_ASYNC(fail_with, int);

/* A-RUNL-1. */
RAW_TEST(run_until_complete_gives_the_result_of_the_call)
{
    eddy_loop *loop = loop_open();
    int result = 0;

    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(answer, 21, &result)));
    CHECK_EQ(result, 42);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(answer, 4, &result))); /* again */
    CHECK_EQ(result, 8);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(answer, 5)));
    CHECK_EQ(result, 8);
    CHECK(eddy_loop_time(loop) == 3);
    eddy_loop_free(loop);
}

/* A-RUNL-1, -6: its error, which counts as read: no report. */
RAW_TEST(run_until_complete_gives_the_error_of_the_call)
{
    eddy_loop *loop = loop_open();

    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(fail_with, -EDOM)), -EDOM);
    CHECK_STR(eddy_error_message(-EDOM), "what went wrong");
    eddy_loop_free(loop);
    CHECK_STR(test_report(), "");
}

static int slow(void)
{
    EDDY_TRY(eddy_sleep(10));
    trace_add("slow");
    return 0;
}
EDDY_ASYNC(slow);

/* A-RUNL-5: stopped before it has ended: the task goes on in the next run. */
RAW_TEST(run_until_complete_that_is_stopped_leaves_the_task_pending)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_later(loop, 1, loop_stop, loop);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(slow)), -ESHUTDOWN);
    CHECK_STR(trace, "");
    CHECK_OK(loop_run_for(loop, 20));
    CHECK_STR(trace, "slow ");
    eddy_loop_free(loop);
}

static int await_it(eddy_task **task, int *result)
{
    EDDY_TRY(eddy_await(*task, result));
    eddy_task_release(task);
    return 0;
}
EDDY_ASYNC(await_it, eddy_task **, int *);

/* loop.create_task, of a loop that need not run yet. */
RAW_TEST(task_that_is_created_before_the_run_starts_with_it)
{
    eddy_loop *loop = loop_open();
    eddy_task *task = eddy_loop_create_task(loop, EDDY_CALL(answer, 21));
    eddy_task *other = eddy_loop_create_task(loop, EDDY_CALL(slow));
    int result = 0;

    CHECK(task && other);
    CHECK(!eddy_task_done(task));
    eddy_task_detach(&other);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(await_it, &task, &result)));
    CHECK_EQ(result, 42);
    CHECK_STR(trace, "");
    CHECK_OK(loop_run_for(loop, 20));
    CHECK_STR(trace, "slow ");
    eddy_loop_free(loop);
}

/* A task that never started is freed and reported by the close. */
RAW_TEST(task_that_is_created_on_a_loop_that_never_runs_is_freed_with_it)
{
    eddy_loop *loop = loop_open();
    eddy_task *task = eddy_loop_create_task(loop, EDDY_CALL(slow));

    CHECK(task);
    CHECK_OK(eddy_loop_close(loop));
    CHECK_HAS(test_report(), "slow()");
    eddy_loop_free(loop);
    CHECK_STR(trace, "");
}

static void *create_from_thread(void *loop)
{
    eddy_task *task = eddy_loop_create_task(loop, EDDY_CALL(slow));

    if (!task && !strstr(eddy_error_message(-EPERM), "from another thread than its loop's"))
        test_fail(__FILE__, __LINE__, "%s", eddy_error_message(-EPERM));
    return task;
}

RAW_TEST(task_is_created_neither_on_a_closed_loop_nor_by_another_thread)
{
    eddy_loop *loop = loop_open();
    void *task = loop;
    pthread_t thread;

    pthread_create(&thread, NULL, create_from_thread, loop);
    pthread_join(thread, &task);
    CHECK(!task);
    CHECK_OK(eddy_loop_close(loop));
    (void)eddy_raise(-EPERM, "an older text");
    CHECK(!eddy_loop_create_task(loop, EDDY_CALL(slow)));
    CHECK_HAS(eddy_error_message(-EPERM), "on a closed loop");
    eddy_loop_free(loop);
}

static int stop_and_schedule(void *word)
{
    trace_add(word);
    eddy_loop_stop(the_loop);
    eddy_loop_stop(the_loop); /* A-RUNL-4: the same as once */
    (void)eddy_loop_call_soon(the_loop, trace_add, "kept");
    return 0;
}

static int schedule(void *word)
{
    trace_add(word);
    (void)eddy_loop_call_soon(the_loop, trace_add, "kept2");
    return 0;
}

/* A-RUNL-2: what stands behind the stop in the same batch still runs; what that
 * schedules is kept for the next run. */
RAW_TEST(stop_lets_what_is_ready_run_and_keeps_the_rest)
{
    the_loop = loop_open();
    (void)eddy_loop_call_soon(the_loop, stop_and_schedule, "stop");
    (void)eddy_loop_call_soon(the_loop, schedule, "behind");
    (void)eddy_loop_call_soon(the_loop, trace_add, "last");
    CHECK_OK(eddy_loop_run_forever(the_loop));
    CHECK_STR(trace, "stop behind last ");
    CHECK_OK(loop_run_for(the_loop, 1));
    CHECK_STR(trace, "stop behind last kept kept2 ");
    eddy_loop_free(the_loop);
}

/* The same where more is ready than a turn runs. */
RAW_TEST(stop_lets_all_run_that_is_ready_also_beyond_a_turn)
{
    static char dot[] = ".";

    the_loop = loop_open();
    (void)eddy_loop_call_soon(the_loop, stop_and_schedule, "stop");
    for (int i = 0; i < 3 * ED_TURN; i++)
        (void)eddy_loop_call_soon(the_loop, trace_add, dot);
    CHECK_OK(eddy_loop_run_forever(the_loop));
    CHECK_EQ(strlen(trace), 5 + 2 * 3 * ED_TURN);
    CHECK(!strstr(trace, "kept"));
    eddy_loop_free(the_loop);
}

static int nest(void *word)
{
    trace_add(word);
    (void)eddy_loop_call_soon(the_loop, trace_add, "nested");
    return 0;
}

static int read_byte(void *descriptor)
{
    char byte[2] = "";

    REQUIRE(read(*(int *)descriptor, byte, 1) == 1);
    trace_add(byte);
    return 0;
}

/* A-RUNL-3: stop before a run: one turn, then back; what it scheduled is kept. */
RAW_TEST(stop_before_a_run_makes_one_turn)
{
    the_loop = loop_open();
    (void)eddy_loop_call_soon(the_loop, nest, "once");
    eddy_loop_stop(the_loop);
    CHECK_OK(eddy_loop_run_forever(the_loop));
    CHECK_STR(trace, "once ");
    eddy_loop_stop(the_loop);
    CHECK_OK(eddy_loop_run_forever(the_loop));
    CHECK_STR(trace, "once nested ");
    eddy_loop_stop(the_loop);
    CHECK_OK(eddy_loop_run_forever(the_loop)); /* nothing is ready: it does not wait */
    eddy_loop_free(the_loop);
}

/* A-RUNL-3: with a poll. A foreign event loop drives Eddy's like this; under the
 * virtual clock a turn with nothing to run would have to leave the clock alone. */
RAW_TEST(stop_before_a_run_makes_one_turn_that_polls)
{
    int ends[2];

    the_loop = loop_open();
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "r", 1), 1);
    CHECK_OK(eddy_loop_add_reader(the_loop, ends[0], read_byte, &ends[0]));
    (void)eddy_loop_call_later(the_loop, 0, trace_add, "timer");
    (void)eddy_loop_call_later(the_loop, 60, trace_add, "early");
    CHECK_OK(eddy_loop_call_soon_threadsafe(the_loop, trace_add, "post"));
    for (int i = 0; i < 5; i++) {
        eddy_loop_stop(the_loop);
        CHECK_OK(eddy_loop_run_forever(the_loop));
    }
    CHECK_HAS(trace, "timer ");
    CHECK_HAS(trace, "post ");
    CHECK_HAS(trace, "r ");
    CHECK(!strstr(trace, "early"));
    CHECK(eddy_loop_remove_reader(the_loop, ends[0]));
    close(ends[0]);
    close(ends[1]);
    eddy_loop_free(the_loop);
}

/* A-RUNL-4: the flag is cleared when the loop returns. */
RAW_TEST(loop_may_run_again_after_a_stop)
{
    the_loop = loop_open();
    for (int i = 0; i < 100; i++) {
        (void)eddy_loop_call_soon(the_loop, loop_stop, the_loop);
        CHECK_OK(eddy_loop_run_forever(the_loop));
        CHECK(!eddy_loop_is_running(the_loop));
    }
    eddy_loop_free(the_loop);
}

static int count_and_schedule(void *unused)
{
    if (++calls < 2000)
        (void)eddy_loop_call_soon(the_loop, count_and_schedule, unused);
    return 0;
}

static int calls_at_reader;

static int note_calls(void *descriptor)
{
    calls_at_reader = calls;
    (void)eddy_loop_remove_reader(the_loop, *(int *)descriptor); /* itself */
    return 0;
}

/* A-LOOP-1, -20: the kernel is asked at least every 64 callbacks. */
RAW_TEST(kernel_is_asked_while_callbacks_are_always_ready)
{
    int ends[2];

    the_loop = loop_open();
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_add_reader(the_loop, ends[0], note_calls, &ends[0]));
    (void)eddy_loop_call_soon(the_loop, count_and_schedule, NULL);
    CHECK_OK(loop_run_for(the_loop, 1));
    CHECK_EQ(calls, 2000);
    CHECK_THAT(calls_at_reader <= 3 * ED_TURN, "after %d callbacks", calls_at_reader);
    close(ends[0]);
    close(ends[1]);
    eddy_loop_free(the_loop);
}

/* A-LOOP-5: a loop that waits does not use the processor. Real time, which it must
 * let pass. */
RAW_TEST(loop_that_waits_sleeps)
{
    eddy_loop *loop = loop_open_real();
    struct timespec before, after;

    (void)eddy_handle_cancel(eddy_loop_call_later(loop, 0.01, loop_stop, loop));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    CHECK_OK(loop_run_for(loop, 0.2));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    CHECK((after.tv_sec - before.tv_sec) * ED_SECOND + after.tv_nsec - before.tv_nsec <
          ED_SECOND / 10);
    eddy_loop_free(loop);
}

/* Misuse --------------------------------------------------------------------- */

static eddy_loop *second;

static int run_inside(void *unused)
{
    (void)unused;
    REQUIRE(eddy_loop_run_forever(the_loop) == -EBUSY);
    REQUIRE(eddy_loop_run_forever(second) == -EBUSY);
    REQUIRE(eddy_loop_run_until_complete(second, EDDY_CALL(slow)) == -EBUSY);
    REQUIRE(eddy_run(slow) == -EBUSY);
    REQUIRE(eddy_loop_close(the_loop) == -EBUSY);
    REQUIRE(eddy_loop_is_running(the_loop));
    REQUIRE(!eddy_loop_is_running(second));
    REQUIRE(eddy_get_running_loop() == the_loop);
    trace_add("inside");
    return 0;
}

/* A-RUNL-7, -9, -13. */
RAW_TEST(loop_that_runs_is_neither_run_again_nor_closed)
{
    the_loop = loop_open();
    second = loop_open();
    CHECK(!eddy_get_running_loop());
    CHECK(!eddy_loop_is_running(the_loop));
    (void)eddy_loop_call_soon(the_loop, run_inside, NULL);
    CHECK_OK(loop_run_for(the_loop, 1));
    CHECK_STR(trace, "inside ");
    CHECK(!eddy_get_running_loop());
    CHECK(!eddy_loop_is_running(the_loop));
    CHECK_OK(loop_run_for(second, 1)); /* one after the other is fine */
    CHECK_OK(loop_run_for(the_loop, 1));
    eddy_loop_free(second);
    eddy_loop_free(the_loop);
}

static int suspend_in_a_callback(void *unused)
{
    (void)unused;
    calls = eddy_sleep(1);
    return 0;
}

/* Callbacks must not suspend; misuse is an error and harms nothing. */
RAW_TEST(callback_that_would_suspend_gets_an_error)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_soon(loop, suspend_in_a_callback, NULL);
    CHECK_OK(loop_run_for(loop, 2));
    CHECK_EQ(calls, -EPERM);
    eddy_loop_free(loop);
}

static void *run_from_here(void *unused)
{
    calls = eddy_loop_run_forever(the_loop);
    if (calls == -EPERM)
        calls = eddy_loop_run_until_complete(the_loop, EDDY_CALL(slow));
    return unused;
}

RAW_TEST(loop_of_another_thread_may_not_be_run)
{
    pthread_t thread;

    the_loop = loop_open();
    CHECK_EQ(pthread_create(&thread, NULL, run_from_here, NULL), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(calls, -EPERM);
    CHECK_STR(trace, "");
    eddy_loop_free(the_loop);
}

static int free_inside(void *loop)
{
    eddy_loop_free(loop);
    return 0;
}

static void free_while_it_runs(void)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_soon(loop, free_inside, loop);
    (void)loop_run_for(loop, 1);
}

RAW_TEST(free_of_a_loop_that_runs_aborts)
{
    CHECK_DIES(free_while_it_runs, "eddy_loop_free: the loop is running");
    eddy_loop_free(NULL);
}

/* Closing -------------------------------------------------------------------- */

/* A-RUNL-9, -12. */
RAW_TEST(closed_loop_says_so_and_refuses_everything)
{
    eddy_loop *loop = loop_open();

    CHECK(!eddy_loop_is_closed(loop));
    CHECK_OK(eddy_loop_close(loop));
    CHECK_OK(eddy_loop_close(loop)); /* twice is fine */
    CHECK(eddy_loop_is_closed(loop));
    CHECK(!eddy_loop_is_running(loop));
    CHECK_EQ(eddy_loop_run_forever(loop), -EPERM);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(slow)), -EPERM);
    CHECK(!eddy_loop_call_soon(loop, trace_add, "x").handle);
    CHECK_EQ(eddy_loop_call_soon_threadsafe(loop, trace_add, "x"), -EPERM);
    eddy_loop_stop(loop); /* no effect */
    eddy_loop_free(loop);
}

/* A-RUNL-10: what is scheduled is dropped, not run. */
RAW_TEST(close_drops_callbacks_and_timers_without_running_them)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_soon(loop, trace_add, "x");
    (void)eddy_loop_call_later(loop, 0, trace_add, "x");
    (void)eddy_loop_call_later(loop, 5, trace_add, "x");
    CHECK_OK(eddy_loop_close(loop));
    eddy_loop_free(loop);
    CHECK_STR(trace, "");
}

static int clean_up(void)
{
    int rc = eddy_sleep(100);

    trace_add("ran-on");
    return rc;
}
EDDY_ASYNC(clean_up);

/* A-RUNL-11, D-10: a task that is pending at the close never runs again; it is
 * freed, and reported. */
RAW_TEST(close_frees_and_reports_a_pending_task_without_running_it)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_later(loop, 1, loop_stop, loop);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(clean_up)), -ESHUTDOWN);
    CHECK_OK(eddy_loop_close(loop));
    CHECK_STR(trace, "");
    CHECK_HAS(test_report(), "clean_up() created at ");
    eddy_loop_free(loop);
}

static int work_in_a_thread(void)
{
    usleep(50000);
    return 0;
}
EDDY_ASYNC(work_in_a_thread);

static int wait_for_a_thread(void)
{
    return eddy_to_thread(work_in_a_thread);
}
EDDY_ASYNC(wait_for_a_thread);

/* A-RUNL-10 differs: the job may use what its task's arguments point to, so that
 * the close waits for it. */
RAW_TEST(close_with_a_thread_job_pending_waits_for_it_and_frees_the_task)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_soon(loop, loop_stop, loop);
    (void)eddy_loop_call_soon(loop, loop_stop, loop);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(wait_for_a_thread)), -ESHUTDOWN);
    CHECK_OK(eddy_loop_close(loop));
    CHECK_HAS(test_report(), "wait_for_a_thread()");
    eddy_loop_free(loop);
}

/* A-RUNL-14: a run leaves the thread as it found it. */
RAW_TEST(run_restores_what_the_thread_had_before)
{
    eddy_loop *loop = loop_open();

    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(fail_with, -EIO)), -EIO);
    CHECK(!eddy_get_running_loop());
    CHECK(!eddy_current_task());
    CHECK_EQ(eddy_sleep(1), -EPERM);
    eddy_loop_free(loop);
}

/* What runs short ------------------------------------------------------------- */

/* Practice 2: opening a loop and running a task, with the nth allocation failing. */
RAW_TEST(loop_without_memory_is_not_opened_and_leaves_nothing)
{
    int rc = -ENOMEM, result = 0;

    for (uint64_t n = 1; rc == -ENOMEM; n++) {
        eddy_loop *loop = NULL;

        CHECK(n < 50);
        (void)ed_fault_set(ED_FAULT_ALLOC, n, -ENOMEM);
        rc = eddy_loop_new(&loop);
        if (rc == 0) {
            test_watch_reports(loop);
            rc = eddy_loop_run_until_complete(loop, EDDY_CALL(answer, 1, &result));
        }
        CHECK(rc == 0 || rc == -ENOMEM);
        eddy_loop_free(loop);
    }
    CHECK_EQ(result, 2);
}

RAW_TEST(loop_without_descriptors_is_not_opened)
{
    struct rlimit limit;
    eddy_loop *loop;
    int lowest = dup(0);

    close(lowest);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)lowest, limit.rlim_max}), 0);
    CHECK_EQ(eddy_loop_new(&loop), -EMFILE);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_OK(eddy_loop_new(&loop));
    eddy_loop_free(loop);
}

static struct ed_engine_class broken;
static const struct ed_engine_class *real;

static int fail_to_wait(struct ed_engine *engine, int64_t timeout)
{
    engine->class = real;
    (void)timeout;
    return -EIO;
}

/* An error of the kernel's ends the run, not the loop; a stop that was under way
 * stands behind the same callbacks in the next. */
RAW_TEST(engine_error_leaves_the_loop_usable)
{
    int ends[2];

    the_loop = loop_open();
    CHECK_EQ(pipe(ends), 0);
    CHECK_OK(eddy_loop_add_reader(the_loop, ends[0], read_byte, &ends[0]));
    real = the_loop->engine->class;
    broken = *real;
    broken.wait = fail_to_wait;
    the_loop->engine->class = &broken;
    (void)eddy_loop_call_soon(the_loop, loop_stop, the_loop);
    for (int i = 0; i < 2 * ED_TURN; i++) /* so that it waits before the stop's turn */
        (void)eddy_loop_call_soon(the_loop, trace_add, "");
    CHECK_EQ(eddy_loop_run_forever(the_loop), -EIO);
    CHECK(!eddy_loop_is_running(the_loop));
    (void)eddy_loop_call_soon(the_loop, trace_add, "later");
    CHECK_OK(eddy_loop_run_forever(the_loop)); /* ends at the stop */
    CHECK_OK(loop_run_for(the_loop, 1));
    CHECK_HAS(trace, "later ");
    eddy_loop_free(the_loop);
    close(ends[0]);
    close(ends[1]);
}

struct late_timer {
    struct ed_op op;
    struct eddy_timer_ timer;
    eddy_event fired;
};

static void late_timer_start(struct ed_op *op)
{
    struct late_timer *late = ed_container_of(op, struct late_timer, op);
    eddy_loop *loop = eddy_get_running_loop();

    ed_loop_start_timer(loop, &late->timer, ed_loop_now(loop) + 1000000);
}

static void late_timer_fired(struct eddy_timer_ *timer)
{
    eddy_event_set(&ed_container_of(timer, struct late_timer, timer)->fired);
}

/* One may complete as the loop hands it over, just before it sleeps. */
TEST(loop_sleeps_no_longer_than_a_timer_that_a_completion_started)
{
    struct late_timer late = {.op = {.done = late_timer_start, .kind = ED_OP_NOP},
                              .timer = ED_TIMER_INIT(late_timer_fired),
                              .fired = EDDY_EVENT_INIT};

    ed_engine_submit(eddy_get_running_loop()->engine, &late.op);
    EDDY_SHIELD(whole); /* nobody could take the timer back */
    CHECK_OK(eddy_event_wait(&late.fired));
}
