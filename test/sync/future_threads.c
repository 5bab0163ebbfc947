/* SPDX-License-Identifier: MIT */
/*
 * Futures that other threads set, and calls that other threads start: A-FUT-11 to
 * A-FUT-13, promise 11. The threads are real; nothing depends on how fast they are.
 */
#include "harness.h"

#include <pthread.h>
#include <unistd.h>

struct setter {
    eddy_future *future;
    int value, rc;
    int *start; /* atomic, or NULL: set at once */
    pthread_t thread;
};

static void *set_value(void *argument)
{
    struct setter *s = argument;

    while (s->start && !__atomic_load_n(s->start, __ATOMIC_ACQUIRE))
        ;
    s->rc = eddy_future_set_result_threadsafe(s->future, &s->value);
    return NULL;
}

static void *set_error_later(void *argument)
{
    struct setter *s = argument;

    usleep(2000); /* so that the loop has gone to sleep: the wake-up is what is tested */
    s->rc = eddy_future_set_error_threadsafe(s->future, -EIO);
    return NULL;
}

/* A-FUT-11: a value comes over from a thread. */
TEST(future_set_by_a_thread_wakes_the_loop)
{
    EDDY_THREADSAFE_FUTURE(future, int);
    struct setter s = {&future, 42, 1, NULL, 0};
    int value = 0;

    CHECK_EQ(pthread_create(&s.thread, NULL, set_value, &s), 0);
    int rc = eddy_await(&future, &value);
    pthread_join(s.thread, NULL);
    CHECK_OK(rc);
    CHECK_EQ(value, 42);
    CHECK_EQ(s.rc, 0);
}

/* A-FUT-11: an error likewise; and to wait for a thread is no deadlock. */
TEST(future_failed_by_a_thread_wakes_a_loop_that_sleeps)
{
    EDDY_THREADSAFE_FUTURE(future, int);
    struct setter s = {&future, 0, 1, NULL, 0};

    CHECK_EQ(pthread_create(&s.thread, NULL, set_error_later, &s), 0);
    int rc = eddy_await(&future);
    pthread_join(s.thread, NULL);
    CHECK_EQ(rc, -EIO);
    CHECK_EQ(s.rc, 0);
}

/* future.h: a plain one is not for threads. */
TEST(future_that_was_not_prepared_refuses_threads)
{
    eddy_future future = EDDY_FUTURE_INIT(int);

    CHECK_EQ(eddy_future_set_result_threadsafe(&future, &(int){1}), -EPERM);
    CHECK_EQ(eddy_future_set_error_threadsafe(&future, -EIO), -EPERM);
    CHECK(!eddy_future_done(&future));
}

/* A-FUT-1, A-FUT-2: of two threads that race to set it one wins, and it is that one's value. */
TEST(future_two_threads_race_to_set_and_one_wins)
{
    int rounds = test_is_swept() ? 4 : test_is_slow() ? 20 : 200;

    for (int round = 0; round < rounds; round++) {
        EDDY_THREADSAFE_FUTURE(future, int);
        int start = 0, value = -1;
        struct setter a = {&future, 1, 1, &start, 0}, b = {&future, 2, 1, &start, 0};

        CHECK_EQ(pthread_create(&a.thread, NULL, set_value, &a), 0);
        CHECK_EQ(pthread_create(&b.thread, NULL, set_value, &b), 0);
        __atomic_store_n(&start, 1, __ATOMIC_RELEASE);
        int rc = eddy_await(&future, &value);
        pthread_join(a.thread, NULL);
        pthread_join(b.thread, NULL);
        CHECK_OK(rc);
        CHECK_EQ(a.rc == 0 ? b.rc : a.rc, -EALREADY);
        CHECK(a.rc == 0 || b.rc == 0);
        CHECK_EQ(value, a.rc == 0 ? 1 : 2);
    }
}

/* The loop itself may come first; the thread is told. */
TEST(future_set_by_the_loop_refuses_the_thread)
{
    EDDY_THREADSAFE_FUTURE(future, int);
    struct setter s = {&future, 2, 1, NULL, 0};
    int value = 0;

    CHECK_OK(eddy_future_set_result(&future, &(int){1}));
    CHECK_EQ(pthread_create(&s.thread, NULL, set_value, &s), 0);
    pthread_join(s.thread, NULL);
    CHECK_EQ(s.rc, -EALREADY);
    CHECK_OK(eddy_await(&future, &value));
    CHECK_EQ(value, 1);
}

/* future.h: the end of its block waits for a set that has begun; nothing is left behind. */
TEST(future_closed_after_a_thread_has_set_it_waits_for_the_post)
{
    struct setter s = {NULL, 2, 1, NULL, 0};
    {
        EDDY_THREADSAFE_FUTURE(future, int);
        s.future = &future;
        CHECK_EQ(pthread_create(&s.thread, NULL, set_value, &s), 0);
        pthread_join(s.thread, NULL);
        CHECK_EQ(s.rc, 0);
        CHECK(!eddy_future_done(&future)); /* the loop has not seen it */
    }
    CHECK_OK(eddy_sleep(0));
}

/* future.h: one that nobody has set is cancelled by its close, and the loop is free again. */
TEST(future_closed_before_it_is_set_is_cancelled)
{
    static eddy_future future;

    eddy_future_init_threadsafe(&future, sizeof(int));
    eddy_future_close(&future);
    CHECK(eddy_future_cancelled(&future));
    CHECK_EQ(eddy_future_set_result_threadsafe(&future, &(int){1}), -EALREADY);
}

/* The close races with the set: either the thread was first, or it is refused. */
TEST(future_close_races_with_a_set_and_one_wins)
{
    static eddy_future future; /* outlives the thread */
    int rounds = test_is_slow() ? 20 : 200;

    for (int round = 0; round < rounds; round++) {
        int start = 0;
        struct setter s = {&future, round, 1, &start, 0};

        eddy_future_init_threadsafe(&future, sizeof(int));
        if (pthread_create(&s.thread, NULL, set_value, &s) != 0)
            test_fail(__FILE__, __LINE__, "no thread");
        __atomic_store_n(&start, 1, __ATOMIC_RELEASE);
        for (volatile int i = 0; i < round * 50; i++)
            ; /* meets the thread at different places */
        eddy_future_close(&future);
        pthread_join(s.thread, NULL);
        CHECK(s.rc == 0 || s.rc == -EALREADY);
        CHECK_EQ(eddy_future_cancelled(&future), s.rc != 0);
    }
}

static int leave_while_cancelled(void)
{
    struct setter s = {NULL, 2, 1, NULL, 0};
    EDDY_THREADSAFE_FUTURE(future, int);

    s.future = &future;
    REQUIRE(pthread_create(&s.thread, NULL, set_value, &s) == 0);
    pthread_join(s.thread, NULL);
    eddy_cancel(eddy_current_task());
    return eddy_sleep(0); /* the block ends with the thread's post on its way */
}
EDDY_ASYNC(leave_while_cancelled);

/* Promise 2: a close is a release, never refused to a cancelled task. */
TEST(future_close_is_not_refused_to_a_cancelled_task)
{
    EDDY_TASK task = eddy_create_task(leave_while_cancelled);

    CHECK_EQ(eddy_await(task), -ECANCELED);
}

static void declare_outside(void)
{
    EDDY_THREADSAFE_FUTURE(future, int);
}

/* future.h: only in a task or callback. */
RAW_TEST(future_for_threads_declared_outside_a_loop_aborts)
{
    CHECK_DIES(declare_outside, "outside a running loop");
}

/* Calls from other threads ----------------------------------------------------- */

struct caller {
    eddy_loop *loop;
    double seconds, timeout;
    int fail, rc, result;
    eddy_future *told;
};

static bool work_was_cancelled;

static int work(double seconds, int fail, int *result)
{
    int rc = eddy_sleep(seconds);

    work_was_cancelled = rc == -ECANCELED;
    if (rc < 0)
        return rc;
    if (fail)
        return eddy_raise(fail, "it went wrong");
    *result = 42;
    return 0;
}
EDDY_ASYNC_RESULT(int, work, double, int);

static void *call_from_thread(void *argument)
{
    struct caller *c = argument;

    c->rc = eddy_run_coroutine_threadsafe(c->loop, EDDY_CALL(work, c->seconds, c->fail, &c->result),
                                          c->timeout);
    (void)eddy_future_set_result_threadsafe(c->told, &(char){1});
    return NULL;
}

static int let_a_thread_call(struct caller *c)
{
    EDDY_THREADSAFE_FUTURE(told, char);
    pthread_t thread;
    int rc;

    c->loop = eddy_get_running_loop();
    c->told = &told;
    if (pthread_create(&thread, NULL, call_from_thread, c) != 0)
        test_fail(__FILE__, __LINE__, "no thread");
    rc = eddy_await(&told);
    if (rc < 0) {
        EDDY_SHIELD(until_it_has_ended);
        (void)eddy_await(&told);
    }
    pthread_join(thread, NULL);
    return rc;
}

/* A-FUT-12: value and error come back to the thread. */
TEST(future_call_from_a_thread_gives_value_or_error)
{
    struct caller good = {.seconds = 0, .timeout = EDDY_FOREVER};
    struct caller bad = {.seconds = 0, .timeout = EDDY_FOREVER, .fail = -EIO};

    CHECK_OK(let_a_thread_call(&good));
    CHECK_OK(good.rc);
    CHECK_EQ(good.result, 42);
    CHECK_OK(let_a_thread_call(&bad));
    CHECK_EQ(bad.rc, -EIO);
    CHECK_EQ(bad.result, 0);
}

static int wait_for_ever(void)
{
    eddy_future never = EDDY_FUTURE_INIT(int);
    int rc = eddy_await(&never);

    work_was_cancelled = rc == -ECANCELED;
    return rc;
}
EDDY_ASYNC(wait_for_ever);

static void *call_with_a_limit(void *argument)
{
    struct caller *c = argument;

    /* a short real wait: the limit is the thread's, which has no virtual clock */
    c->rc = eddy_run_coroutine_threadsafe(c->loop, EDDY_CALL(wait_for_ever), 0.005);
    (void)eddy_future_set_result_threadsafe(c->told, &(char){1});
    return NULL;
}

/* A-FUT-12, where Eddy differs: once the time is up the task is cancelled and waited for. */
TEST(future_call_from_a_thread_that_times_out_is_cancelled)
{
    EDDY_THREADSAFE_FUTURE(told, char);
    struct caller c = {.loop = eddy_get_running_loop(), .told = &told};
    pthread_t thread;
    int rc;

    CHECK_EQ(pthread_create(&thread, NULL, call_with_a_limit, &c), 0);
    rc = eddy_await(&told);
    {
        EDDY_SHIELD(until_it_has_ended);
        CHECK_OK(eddy_await(&told));
    }
    pthread_join(thread, NULL);
    CHECK_OK(rc);
    CHECK_EQ(c.rc, -ETIMEDOUT);
    CHECK(work_was_cancelled);
}

/* A-FUT-13: on the loop's own thread it would wait for itself. */
TEST(future_call_from_the_loops_own_thread_is_a_deadlock)
{
    int result = 0;

    CHECK_EQ(eddy_run_coroutine_threadsafe(eddy_get_running_loop(),
                                           EDDY_CALL(work, 0.0, 0, &result), EDDY_FOREVER),
             -EDEADLK);
}
