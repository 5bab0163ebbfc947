/* SPDX-License-Identifier: MIT */
/* as_completed: rules A-ASC-1 to A-ASC-8. */
#include "base/fault.h"
#include "harness.h"

static int give_after(double seconds, int value, int *out)
{
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

/* A-ASC-1, A-ASC-3: in the order in which they end, the tasks themselves, done. */
TEST(as_completed_gives_tasks_in_the_order_of_their_ends)
{
    EDDY_TASK a = eddy_create_task(give_after, 3.0, 30);
    EDDY_TASK b = eddy_create_task(give_after, 1.0, 10);
    EDDY_TASK c = eddy_create_task(give_after, 2.0, 20);
    eddy_task *tasks[] = {a, b, c}, *task;
    int value = 0, expected = 10, rc;

    EDDY_AS_COMPLETED(finished, tasks, 3, EDDY_FOREVER);
    while ((rc = eddy_as_completed_next(&finished, &task)) > 0) {
        CHECK(eddy_task_done(task));
        CHECK_OK(eddy_await(task, &value));
        CHECK_EQ(value, expected);
        expected += 10;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(expected, 40);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 0); /* and ever after */
}

/* A-ASC-2: an error is the task's own, in its turn. */
TEST(as_completed_leaves_errors_with_their_tasks)
{
    EDDY_TASK a = eddy_create_task(fail_after, 1.0, -EIO);
    EDDY_TASK b = eddy_create_task(give_after, 2.0, 20);
    eddy_task *tasks[] = {b, a}, *task = NULL;

    EDDY_AS_COMPLETED(finished, tasks, 2, EDDY_FOREVER);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 1);
    CHECK(task == a);
    CHECK_EQ(eddy_await(task), -EIO);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 1);
    CHECK(task == b);
}

/* A-ASC-4: listed twice, given once; nothing listed, nothing given. */
TEST(as_completed_merges_duplicates_and_takes_none)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    eddy_task *tasks[] = {a, a, a}, *task = NULL;

    EDDY_AS_COMPLETED(finished, tasks, 3, EDDY_FOREVER);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 1);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 0);
    EDDY_AS_COMPLETED(empty, tasks, 0, EDDY_FOREVER);
    CHECK_EQ(eddy_as_completed_next(&empty, &task), 0);
}

/* A-ASC-5: the limit runs from the declaration, hits every later step, cancels nobody. */
TEST(as_completed_limit_runs_from_the_declaration)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 5.0, 2);
    EDDY_TASK c = eddy_create_task(give_after, 6.0, 3);
    eddy_task *tasks[] = {a, b, c}, *task = NULL;
    double start = eddy_time();

    EDDY_AS_COMPLETED(finished, tasks, 3, 2.0);
    CHECK_OK(eddy_sleep(1.5));
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 1);
    CHECK(task == a);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), -ETIMEDOUT);
    CHECK((eddy_time() - start) < 2.5);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), -ETIMEDOUT);
    CHECK(!eddy_task_done(b));
    CHECK_OK(eddy_await(b)); /* it ended after the limit: */
    CHECK_EQ(eddy_as_completed_next(&finished, &task), -ETIMEDOUT);
}

/* A-ASC-5, A-ASC-6: also when nobody asked at the moment of the limit. */
TEST(as_completed_gives_what_ended_before_the_limit_and_no_more)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 1.5, 2);
    EDDY_TASK c = eddy_create_task(give_after, 3.0, 3);
    eddy_task *tasks[] = {a, b, c}, *task = NULL;

    EDDY_AS_COMPLETED(finished, tasks, 3, 2.0);
    CHECK_OK(eddy_sleep(5));
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 1);
    CHECK(task == a);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 1);
    CHECK(task == b);
    CHECK_EQ(eddy_as_completed_next(&finished, &task), -ETIMEDOUT); /* c ended at 3 */
}

/* A-ASC-7: leaving early leaves the rest running. */
TEST(as_completed_left_early_leaves_the_rest_running)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 2.0, 2);
    eddy_task *tasks[] = {a, b}, *task = NULL;
    {
        EDDY_AS_COMPLETED(finished, tasks, 2, EDDY_FOREVER);
        CHECK_EQ(eddy_as_completed_next(&finished, &task), 1);
    }
    CHECK(!eddy_task_done(b));
    CHECK_OK(eddy_await(b));
}

/* A cancelled or timed-out step takes nothing: the next one gives it. */
TEST(as_completed_step_that_times_out_loses_no_task)
{
    EDDY_TASK a = eddy_create_task(give_after, 2.0, 1);
    eddy_task *tasks[] = {a}, *task = NULL;

    EDDY_AS_COMPLETED(finished, tasks, 1, EDDY_FOREVER);
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_as_completed_next(&finished, &task), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&limit));
    }
    CHECK_EQ(eddy_as_completed_next(&finished, &task), 1);
    CHECK(task == a);
}

static int ask(eddy_as_completed *iterator)
{
    eddy_task *task;
    return eddy_as_completed_next(iterator, &task);
}
EDDY_ASYNC(ask, eddy_as_completed *);

/* Two tasks cannot wait in one iteration. */
TEST(as_completed_used_by_two_tasks_at_once_is_busy)
{
    EDDY_TASK a = eddy_create_task(give_after, 2.0, 1);
    eddy_task *tasks[] = {a}, *task = NULL;

    EDDY_AS_COMPLETED(finished, tasks, 1, EDDY_FOREVER);
    EDDY_TASK other = eddy_create_task(ask, &finished);
    test_settle();
    CHECK_EQ(eddy_as_completed_next(&finished, &task), -EBUSY);
    CHECK_EQ(eddy_await(other), 1);
}

/* A-ASC-8 is the compiler's; what it cannot see is told by the first step. */
TEST(as_completed_tells_bad_input_at_the_first_step)
{
    EDDY_TASK a = eddy_create_task(give_after, 2.0, 1);
    eddy_task *tasks[] = {a, NULL}, *task = NULL;

    EDDY_AS_COMPLETED(null, tasks, 2, EDDY_FOREVER);
    CHECK_EQ(eddy_as_completed_next(&null, &task), -ENOMEM);
    EDDY_AS_COMPLETED(nan, tasks, 1, __builtin_nan(""));
    CHECK_EQ(eddy_as_completed_next(&nan, &task), -EINVAL);
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    EDDY_AS_COMPLETED(poor, tasks, 1, EDDY_FOREVER);
    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    CHECK_EQ(eddy_as_completed_next(&poor, &task), -ENOMEM);
}

/* A thousand. */
TEST(as_completed_gives_a_thousand_tasks_once_each)
{
    EDDY_TASKS(tasks, 1000);
    CHECK(tasks != NULL);
    eddy_task *task;
    int seen = 0, sum = 0, value = 0;

    for (int i = 0; i < 1000; i++)
        tasks[i] = eddy_create_task(give_after, (i * 37) % 11, i);
    EDDY_AS_COMPLETED(finished, tasks, 1000, EDDY_FOREVER);
    while (eddy_as_completed_next(&finished, &task) > 0) {
        CHECK_OK(eddy_await(task, &value));
        sum += value;
        seen++;
    }
    CHECK_EQ(seen, 1000);
    CHECK_EQ(sum, 999 * 1000 / 2);
}
