/* SPDX-License-Identifier: MIT */
/* wait_for (A-WFOR-1 to A-WFOR-10) and shield (A-SHIELD-1 to A-SHIELD-7). */
#include "harness.h"

static int cleaned, started;
static eddy_task *ran_in;

/* Since `start`, in tenths of a second. */
static long tenths(double start)
{
    return (long)((eddy_time() - start) * 10 + 0.5);
}

static int give_after(double seconds, int value, int *out)
{
    started++;
    ran_in = eddy_current_task();
    EDDY_TRY(eddy_sleep(seconds));
    *out = value;
    return 0;
}
EDDY_ASYNC_RESULT(int, give_after, double, int);

static int fail_after(double seconds, int code)
{
    EDDY_TRY(eddy_sleep(seconds));
    return eddy_raise(code, "failed after %g", seconds);
}
EDDY_ASYNC(fail_after, double, int);

/* Waits for ever; when stopped cleans up for a second and returns `then`, or the cause. */
static int linger(int then)
{
    int rc = eddy_sleep(EDDY_FOREVER);
    {
        EDDY_SHIELD(clean_up);
        (void)eddy_sleep(1);
    }
    cleaned++;
    return then <= 0 ? (then ? eddy_raise(then, "clean-up failed") : rc) : 0;
}
EDDY_ASYNC(linger, int);

/* A-WFOR-1, A-WFOR-2: without a limit it is a plain call, in the calling task. */
TEST(wait_for_runs_a_call_in_the_calling_task)
{
    int value = 0;

    CHECK_OK(eddy_wait_for(EDDY_CALL(give_after, 5.0, 7, &value), EDDY_FOREVER));
    CHECK_EQ(value, 7);
    CHECK(ran_in == eddy_current_task());
    CHECK_EQ(eddy_wait_for(EDDY_CALL(fail_after, 1.0, -EIO), 2.0), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "failed after 1");
}

/* A-WFOR-3: on expiry the clean-up is awaited, however long it takes. */
TEST(wait_for_waits_for_the_clean_up_of_what_it_stops)
{
    double start = eddy_time();
    EDDY_TASK task = eddy_create_task(linger, 0);

    CHECK_EQ(eddy_wait_for(EDDY_CALL(linger, 0), 0.5), -ETIMEDOUT);
    CHECK_EQ(tenths(start), 15);
    CHECK_EQ(eddy_wait_for(task, 0.5), -ETIMEDOUT); /* A-WFOR-6: the task is cancelled */
    CHECK_EQ(tenths(start), 30);
    CHECK(eddy_task_cancelled(task));
    CHECK_EQ(cleaned, 2);
    CHECK_OK(eddy_sleep(0)); /* A-WFOR-10 */
    CHECK(!eddy_cancelled());
}

/* A-WFOR-4: a value that comes after all is a success. */
TEST(wait_for_returns_a_value_that_comes_after_all)
{
    EDDY_TASK task = eddy_create_task(linger, 1);

    CHECK_OK(eddy_wait_for(EDDY_CALL(linger, 1), 0.5));
    CHECK_OK(eddy_wait_for(task, 0.5));
    CHECK_EQ(cleaned, 2);
}

/* A-WFOR-5: another error is returned as itself, with its text. */
TEST(wait_for_returns_an_error_of_the_clean_up_as_itself)
{
    EDDY_TASK task = eddy_create_task(linger, -EIO);

    CHECK_EQ(eddy_wait_for(EDDY_CALL(linger, -EIO), 0.5), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "clean-up failed");
    CHECK_EQ(eddy_wait_for(task, 0.5), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "clean-up failed");
}

/* A-WFOR-7: no time at all: a call does not start, a task that is done is returned. */
TEST(wait_for_without_time_starts_nothing)
{
    int value = -1;
    EDDY_TASK done = eddy_create_task(give_after, 0.0, 5);

    CHECK_OK(eddy_await(done));
    started = 0;
    CHECK_EQ(eddy_wait_for(EDDY_CALL(give_after, 0.0, 7, &value), 0), -ETIMEDOUT);
    CHECK_EQ(eddy_wait_for(EDDY_CALL(give_after, 0.0, 7, &value), -1), -ETIMEDOUT);
    CHECK_EQ(started, 0);
    CHECK_EQ(value, -1);
    CHECK_OK(eddy_wait_for(done, 0));
    EDDY_TASK pending = eddy_create_task(give_after, 1.0, 5);
    CHECK_EQ(eddy_wait_for(pending, 0), -ETIMEDOUT);
    CHECK(eddy_task_cancelled(pending));
    CHECK_EQ(eddy_wait_for(pending, __builtin_nan("")), -EINVAL);
    CHECK_EQ(eddy_wait_for((eddy_task *)NULL, 1), -ENOMEM);
    CHECK_EQ(eddy_wait_for(eddy_current_task(), 1), -EDEADLK);
}

static int wait_for_task(eddy_task *task, double seconds)
{
    return eddy_wait_for(task, seconds);
}
EDDY_ASYNC(wait_for_task, eddy_task *, double);

static int wait_for_linger(double seconds)
{
    return eddy_wait_for(EDDY_CALL(linger, 0), seconds);
}
EDDY_ASYNC(wait_for_linger, double);

/* A-WFOR-8: a cancel of the caller cancels the awaited, and is told after its clean-up. */
TEST(wait_for_that_is_cancelled_cancels_what_it_waits_for)
{
    EDDY_TASK inner = eddy_create_task(linger, 0);
    EDDY_TASK a = eddy_create_task(wait_for_task, inner, 50.0);
    EDDY_TASK b = eddy_create_task(wait_for_linger, 50.0);
    double start = eddy_time();

    test_settle();
    CHECK_OK(eddy_cancel(a));
    CHECK_OK(eddy_cancel(b));
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK_EQ(eddy_await(b), -ECANCELED);
    CHECK_EQ(tenths(start), 10);
    CHECK(eddy_task_cancelled(inner));
    CHECK_EQ(cleaned, 2);
}

/* A-WFOR-9, where Eddy differs (promise 3): result and limit in one tick, nothing is lost. */
TEST(wait_for_whose_result_and_limit_come_together_loses_nothing)
{
    int value = -1;
    EDDY_TASK first = eddy_create_task(give_after, 1.0, 7);

    test_settle(); /* the task's timer is set before the limit's */
    CHECK_OK(eddy_wait_for(first, 1.0));
    CHECK_OK(eddy_await(first, &value));
    CHECK_EQ(value, 7);
    value = -1;
    int rc = eddy_wait_for(EDDY_CALL(give_after, 1.0, 8, &value), 1.0);
    CHECK((rc == 0 && value == 8) || (rc == -ETIMEDOUT && value == -1));
}

/* Peers 6a (cpython 95289): an inner limit and an outer cancel in one tick: the outer wins. */
static int limited_sleep(int *inner)
{
    *inner = eddy_wait_for(EDDY_CALL(linger, 0), 1.0);
    return eddy_sleep(0);
}
EDDY_ASYNC(limited_sleep, int *);

TEST(wait_for_that_expires_in_the_tick_of_an_outer_cancel_is_cancelled)
{
    static int inner;
    EDDY_TASK task = eddy_create_task(limited_sleep, &inner);

    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED); /* not lost in any case */
    CHECK_EQ(inner, -ECANCELED);
}

/* shield ----------------------------------------------------------------------- */

static int finished;

static int work(double seconds, int fail, int *out)
{
    EDDY_TRY(eddy_sleep(seconds));
    finished++;
    if (fail)
        return eddy_raise(fail, "the work failed");
    *out = 42;
    return 0;
}
EDDY_ASYNC_RESULT(int, work, double, int);

static int shielded(double seconds, int fail, int *out)
{
    return eddy_shield(EDDY_CALL(work, seconds, fail, out));
}
EDDY_ASYNC(shielded, double, int, int *);

/* A-SHIELD-1: result and error pass through. */
TEST(shield_passes_result_and_error)
{
    static int value;

    CHECK_OK(eddy_shield(EDDY_CALL(work, 1.0, 0, &value)));
    CHECK_EQ(value, 42);
    CHECK_EQ(eddy_shield(EDDY_CALL(work, 1.0, -EIO)), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the work failed");
}

/* A-SHIELD-2, A-SHIELD-6: the caller goes at once, the work goes on; its output is left. */
TEST(shield_lets_the_caller_go_and_the_work_go_on)
{
    static int value = -1;
    double start = eddy_time();
    EDDY_TASK caller = eddy_create_task(shielded, 3.0, 0, &value);

    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_cancel(caller));
    CHECK_EQ(eddy_await(caller), -ECANCELED);
    CHECK_EQ(tenths(start), 10);
    CHECK_OK(eddy_sleep(5));
    CHECK_EQ(finished, 1);
    CHECK_EQ(value, -1);
}

/* A-SHIELD-2: a timeout likewise. */
TEST(shield_in_a_timeout_lets_the_work_go_on)
{
    static int value = -1;
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_shield(EDDY_CALL(work, 3.0, 0, &value)), -ETIMEDOUT);
    }
    CHECK_OK(eddy_sleep(5));
    CHECK_EQ(finished, 1);
}

static int cancel_itself(void)
{
    eddy_cancel(eddy_current_task());
    return eddy_sleep(1);
}
EDDY_ASYNC(cancel_itself);

/* A-SHIELD-3: the work was cancelled, its caller was not. */
TEST(shield_tells_that_the_work_was_cancelled)
{
    CHECK_EQ(eddy_shield(EDDY_CALL(cancel_itself)), -ECANCELED);
    CHECK(!eddy_cancelled());
    CHECK_OK(eddy_sleep(0));
}

/* A-SHIELD-4: awaiting a handle is a shield by itself. */
TEST(shield_of_a_task_is_a_plain_await)
{
    EDDY_TASK task = eddy_create_task(work, 1.0, 0);
    int value = 0;

    CHECK_OK(eddy_shield(EDDY_AWAIT(task, &value)));
    CHECK_EQ(value, 42);
    CHECK_OK(eddy_shield(EDDY_AWAIT(task))); /* already done */
}

/* A-SHIELD-5, D-7: a late error is reported once, since nobody can read it. */
TEST(shield_reports_an_error_that_comes_when_the_caller_has_gone)
{
    EDDY_TASK caller = eddy_create_task(shielded, 3.0, -EIO, NULL);

    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_cancel(caller));
    CHECK_EQ(eddy_await(caller), -ECANCELED);
    CHECK_OK(eddy_sleep(5));
    CHECK_HAS(test_report(), "the work failed");
    CHECK_STR(test_report(), "");
}

static int leave_work_behind(void)
{
    EDDY_TIMEOUT(limit, 1);
    return eddy_shield(EDDY_CALL(linger, 0)) == -ETIMEDOUT ? 0 : -EINVAL;
}
EDDY_ASYNC(leave_work_behind);

/* A-SHIELD-7: the end of eddy_run cancels it, and waits. */
RAW_TEST(shield_does_not_outlive_the_run)
{
    CHECK_OK(eddy_run(leave_work_behind));
    CHECK_EQ(cleaned, 1);
}

/* Tasks that are gone -------------------------------------------------------------- */

static eddy_task *shared, *fresh;

static int release_and_create(void)
{
    eddy_task *own = shared;

    eddy_task_release(&own);                      /* cancels it, and waits */
    fresh = eddy_create_task(give_after, 3.0, 1); /* in its place */
    return 0;
}
EDDY_ASYNC(release_and_create);

/* It looked at the task after the end: that was freed, another stood in its place, and
 * was cancelled and joined. */
TEST(wait_for_leaves_a_task_alone_that_takes_the_place_of_the_awaited)
{
    shared = eddy_create_task(give_after, 2.0, 1);
    EDDY_DEFER(eddy_task_release, &fresh);
    EDDY_TASK owner = eddy_create_task(release_and_create);
    EDDY_TASK waiter = eddy_create_task(wait_for_task, shared, 10.0);
    eddy_task *released = shared;
    double start = eddy_time();

    CHECK_EQ(eddy_await(waiter), -ECANCELED);
    CHECK_OK(eddy_await(owner));
    CHECK(fresh == released); /* else this tests nothing */
    CHECK_EQ(tenths(start), 0);
    CHECK_OK(eddy_await(fresh));
    CHECK_EQ(tenths(start), 30);
}

/* The same of a task that frees itself; its error and text are passed on. */
TEST(wait_for_a_detached_task_passes_its_error_on)
{
    eddy_task *task = eddy_create_task(fail_after, 1.0, -EIO);
    eddy_task *detached = task;

    eddy_task_detach(&task);
    CHECK_EQ(eddy_wait_for(detached, 5), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "failed after 1");
    task = eddy_create_task(linger, 0);
    detached = task;
    eddy_task_detach(&task);
    CHECK_EQ(eddy_wait_for(detached, 5), -ETIMEDOUT);
    CHECK_EQ(cleaned, 1);
}
