/* SPDX-License-Identifier: MIT */
/* Running a call on a loop from another thread: rules A-FUT-12, A-FUT-13, A-CANCEL-20. */
#include "harness.h"

#include <pthread.h>
#include <time.h>

#include "loop/loop.h"

struct caller {
    eddy_loop *loop;
    eddy_call call;
    double timeout;
    pthread_t thread;
    int rc;
    int ended; /* atomic */
};

static int cleaned;

static int adds(int a, int b, int *sum)
{
    EDDY_TRY(eddy_sleep(0));
    *sum = a + b;
    return 0;
}
EDDY_ASYNC_RESULT(int, adds, int, int);

static int fails(int code)
{
    EDDY_TRY(eddy_sleep(0));
    return eddy_raise(code, "on the loop");
}
EDDY_ASYNC(fails, int);

static int never(void)
{
    int rc;
    eddy_event event = EDDY_EVENT_INIT;

    rc = eddy_event_wait(&event);
    EDDY_SHIELD(cleanup);
    (void)eddy_sleep(0); /* no timer: virtual time stands still while a thread works */
    cleaned++;
    return rc;
}
EDDY_ASYNC(never);

static void *call(void *argument)
{
    struct caller *caller = argument;

    caller->rc = eddy_run_coroutine_threadsafe(caller->loop, caller->call, caller->timeout);
    __atomic_store_n(&caller->ended, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void start(struct caller *caller)
{
    if (!caller->loop)
        caller->loop = eddy_get_running_loop();
    pthread_create(&caller->thread, NULL, call, caller);
}

static int join_in_thread(struct caller *caller)
{
    return pthread_join(caller->thread, NULL);
}
EDDY_ASYNC(join_in_thread, struct caller *);

/* Lets the loop run until the thread has its answer, whatever happens to the test. */
static void finish(struct caller *caller)
{
    EDDY_SHIELD(shield);

    (void)eddy_to_thread(join_in_thread, caller);
}

/* A-FUT-12: the result comes back to the thread. */
TEST(a_thread_gets_the_result_of_a_call_on_the_loop)
{
    int sum = 0;
    struct caller caller = {.call = EDDY_CALL(adds, 2, 3, &sum), .timeout = EDDY_FOREVER};

    start(&caller);
    finish(&caller);
    CHECK_EQ(caller.rc, 0);
    CHECK_EQ(sum, 5);
}

/* A-FUT-12: the error too; it counts as read. */
TEST(a_thread_gets_the_error_of_a_call_on_the_loop)
{
    struct caller caller = {.call = EDDY_CALL(fails, -EIO), .timeout = EDDY_FOREVER};

    start(&caller);
    finish(&caller);
    CHECK_EQ(caller.rc, -EIO);
    CHECK_STR(test_report(), "");
}

/* A-FUT-12 differs: when the time is up the task is cancelled, and waited for, since
 * its arguments may be on the thread's stack. */
TEST(a_call_whose_thread_gives_up_is_cancelled)
{
    struct caller caller = {.call = EDDY_CALL(never), .timeout = 0.01};

    start(&caller);
    finish(&caller);
    CHECK_EQ(caller.rc, -ETIMEDOUT);
    CHECK_EQ(cleaned, 1);
}

/* A limit of nothing still starts it, and waits for its clean-up. */
TEST(a_thread_without_patience_cancels_at_once)
{
    struct caller caller = {.call = EDDY_CALL(never), .timeout = -1};

    start(&caller);
    finish(&caller);
    CHECK_EQ(caller.rc, -ETIMEDOUT);
    CHECK_EQ(cleaned, 1);
}

/* Many threads, each with its own answer. */
TEST(several_threads_call_at_once)
{
    struct caller callers[8];
    int sums[8] = {0};

    for (int i = 0; i < 8; i++) {
        callers[i] =
            (struct caller){.call = EDDY_CALL(adds, i, i, &sums[i]), .timeout = EDDY_FOREVER};
        start(&callers[i]);
    }
    for (int i = 0; i < 8; i++)
        finish(&callers[i]);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(callers[i].rc, 0);
        CHECK_EQ(sums[i], 2 * i);
    }
}

/* A-FUT-13: on the loop's own thread it would wait for itself. */
TEST(the_loops_own_thread_cannot_wait_for_it)
{
    int sum = 0;

    CHECK_EQ(
        eddy_run_coroutine_threadsafe(eddy_get_running_loop(), EDDY_CALL(adds, 1, 2, &sum), 1.0),
        -EDEADLK);
    CHECK_HAS(eddy_error_message(-EDEADLK), "own thread");
}

/* On a closed loop nothing starts. */
RAW_TEST(a_call_on_a_closed_loop_is_refused)
{
    struct caller caller = {.call = EDDY_CALL(fails, -EIO), .timeout = EDDY_FOREVER};

    CHECK_OK(eddy_loop_new(&caller.loop));
    eddy_loop_close(caller.loop);
    start(&caller);
    pthread_join(caller.thread, NULL);
    eddy_loop_free(caller.loop);
    CHECK_EQ(caller.rc, -EPERM);
}

static bool ends_within_two_seconds(struct caller *caller)
{
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 2;
    return pthread_timedjoin_np(caller->thread, NULL, &limit) == 0;
}

static bool inbox_filled(eddy_loop *loop)
{
    return __atomic_load_n(&loop->inbox, __ATOMIC_ACQUIRE) != NULL;
}

static bool has_post(eddy_loop *loop)
{
    struct timespec moment = {0, 1000000};

    for (int i = 0; i < 2000 && !inbox_filled(loop); i++)
        nanosleep(&moment, NULL);
    return inbox_filled(loop);
}

/* A loop that is closed before it looked: the thread is told, and does not hang. */
RAW_TEST(a_call_that_a_closing_loop_never_saw_is_refused)
{
    struct caller caller = {.call = EDDY_CALL(fails, -EIO), .timeout = EDDY_FOREVER};

    CHECK_OK(eddy_loop_new(&caller.loop));
    start(&caller);
    CHECK(has_post(caller.loop));
    eddy_loop_close(caller.loop);
    CHECK(ends_within_two_seconds(&caller));
    CHECK_EQ(caller.rc, -EPERM);
    eddy_loop_free(caller.loop);
}

static int stop(void *loop)
{
    eddy_loop_stop(loop);
    return 0;
}

/* A loop that is closed over the call's task: the same. */
RAW_TEST(a_call_whose_loop_closes_under_it_does_not_hang_its_thread)
{
    struct caller caller = {.call = EDDY_CALL(never), .timeout = EDDY_FOREVER};

    CHECK_OK(eddy_loop_new(&caller.loop));
    test_watch_reports(caller.loop);
    start(&caller);
    CHECK(has_post(caller.loop));
    eddy_loop_call_later(caller.loop, 1.0, stop, caller.loop);
    CHECK_OK(eddy_loop_run_forever(caller.loop));
    eddy_loop_close(caller.loop);
    CHECK_HAS(test_report(), "never() created at");
    CHECK(ends_within_two_seconds(&caller));
    CHECK_EQ(caller.rc, -ECANCELED);
    CHECK_EQ(cleaned, 0);
    eddy_loop_free(caller.loop);
}

static int main_until_called(void)
{
    return eddy_sleep(1);
}
EDDY_ASYNC(main_until_called);

/* eddy_run's clean-up cancels the task as any other, and the thread is told. */
RAW_TEST(a_call_that_the_end_of_the_run_cancels_is_told)
{
    eddy_runner runner = EDDY_RUNNER_INIT;
    struct caller caller = {.call = EDDY_CALL(never), .timeout = EDDY_FOREVER};

    caller.loop = eddy_runner_get_loop(&runner);
    start(&caller);
    CHECK(has_post(caller.loop));
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(main_until_called)));
    eddy_runner_close(&runner);
    CHECK(ends_within_two_seconds(&caller));
    CHECK_EQ(caller.rc, -ECANCELED);
    CHECK_EQ(cleaned, 1);
}
