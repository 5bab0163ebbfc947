/* SPDX-License-Identifier: MIT */
/*
 * Who owns a task, and how it ends: handles, release, detach, and the report of
 * errors that nobody read (promises 1 and 4, A-FUT-8, A-FUT-9, A-TASK-14).
 */
#include "harness.h"

static char trace[64];
static int ended;

static int cleans_up(char word)
{
    int rc = eddy_sleep(100);

    if (rc == -ECANCELED) {
        EDDY_SHIELD(cleanup);
        (void)eddy_sleep(1);
        trace[strlen(trace)] = word;
    }
    ended++;
    return rc;
}
EDDY_ASYNC(cleans_up, char);

static int fails(int code)
{
    ended++;
    return eddy_raise(code, "failed on purpose");
}
EDDY_ASYNC(fails, int);

static int fails_after(double seconds, int code)
{
    int rc = eddy_sleep(seconds);

    ended++;
    return rc == 0 || rc == -ECANCELED ? eddy_raise(code, "failed late") : rc;
}
EDDY_ASYNC(fails_after, double, int);

static int adds(double seconds)
{
    EDDY_TRY(eddy_sleep(seconds));
    ended++;
    return 0;
}
EDDY_ASYNC(adds, double);

static void two_scoped_tasks(void)
{
    EDDY_TASK a = eddy_create_task(cleans_up, 'a');
    EDDY_TASK b = eddy_create_task(cleans_up, 'b');

    CHECK(a && b);
    CHECK_OK(eddy_sleep(1));
}

/* Promise 4: a scoped handle cancels and joins at the end of its block, the last
 * declared first, and one after the other. */
TEST(scoped_tasks_are_cancelled_and_joined_in_reverse_order)
{
    double start = eddy_time();

    two_scoped_tasks();
    CHECK_EQ(ended, 2);
    CHECK_STR(trace, "ba");
    CHECK(eddy_time() - start >= 3.0); /* 1 asleep, and 1 for each clean-up */
}

static int leaves_early(void)
{
    EDDY_TASK a = eddy_create_task(cleans_up, 'a');

    EDDY_TRY(eddy_sleep(1));
    EDDY_TRY(eddy_raise(-EIO, "a way out: %s", eddy_task_name(a)));
    return 0;
}

/* Promise 4: on every path out of the block. */
TEST(a_return_out_of_the_block_ends_its_tasks)
{
    CHECK_EQ(leaves_early(), -EIO);
    CHECK_STR(trace, "a");
    CHECK_HAS(eddy_error_message(-EIO), "a way out"); /* kept over the join */
}

/* The join is a release: a cancelled owner waits all the same. */
static int owner_of_one(void)
{
    EDDY_TASK a = eddy_create_task(cleans_up, 'a');

    (void)a;
    return eddy_sleep(50);
}
EDDY_ASYNC(owner_of_one);

TEST(a_cancelled_owner_still_joins_its_tasks)
{
    EDDY_TASK owner = eddy_create_task(owner_of_one);

    CHECK_OK(eddy_sleep(1));
    eddy_cancel(owner);
    CHECK_EQ(eddy_await(owner), -ECANCELED);
    CHECK_STR(trace, "a");
}

/* EDDY_TASKS cancels all before it joins any. */
TEST(an_array_of_tasks_is_cancelled_as_a_whole)
{
    double start = eddy_time();

    {
        EDDY_TASKS(tasks, 4);

        CHECK(tasks);
        CHECK(!tasks[0] && !tasks[3]);
        for (int i = 0; i < 3; i++) /* the fourth stays NULL */
            tasks[i] = eddy_create_task(cleans_up, (char)('a' + i));
        CHECK_OK(eddy_sleep(1));
        start = eddy_time();
    }
    CHECK_EQ(ended, 3);
    CHECK_STR(trace, "abc");
    CHECK(eddy_time() - start < 1.5); /* their clean-ups ran together */
}

/* An array for no tasks is an array. */
TEST(an_array_of_no_tasks_is_no_failure)
{
    EDDY_TASKS(tasks, 0);

    CHECK(tasks);
}

/* A count that cannot be allocated gives NULL. */
TEST(an_array_of_too_many_tasks_is_null)
{
    EDDY_TASKS(tasks, SIZE_MAX / 4);

    CHECK(!tasks);
}

/* Release ends a task now, and clears the handle. */
TEST(a_release_cancels_joins_and_clears_the_handle)
{
    eddy_task *task = eddy_create_task(cleans_up, 'a');

    (void)eddy_sleep(0);
    eddy_task_release(&task);
    CHECK(task == NULL);
    CHECK_EQ(ended, 1);
    eddy_task_release(&task);
}

static int releases_twice(void)
{
    eddy_task *task = eddy_create_task(adds, 0.0), *copy = task;

    eddy_task_release(&task);
    eddy_task_release(&copy);
    return 0;
}
EDDY_ASYNC(releases_twice);

static void run_releases_twice(void)
{
    (void)eddy_run(releases_twice);
}

static int releases_itself(void)
{
    eddy_task *self = eddy_current_task();

    eddy_task_set_name(self, "ouroboros");
    eddy_task_release(&self);
    return 0;
}
EDDY_ASYNC(releases_itself);

static int starts_ouroboros(void)
{
    EDDY_TASK task = eddy_create_task(releases_itself);

    return eddy_await(task);
}
EDDY_ASYNC(starts_ouroboros);

static void run_releases_itself(void)
{
    (void)eddy_run(starts_ouroboros);
}

static int releases_in_callback(void *argument)
{
    eddy_task *task = argument;

    eddy_task_release(&task);
    return 0;
}

static int lends_to_callback(void)
{
    eddy_task *task =
        eddy_create_task_with((&(eddy_task_options){.name = "sleeper"}), cleans_up, 'a');

    eddy_loop_call_soon(eddy_get_running_loop(), releases_in_callback, task);
    return eddy_sleep(1);
}
EDDY_ASYNC(lends_to_callback);

static void run_releases_in_callback(void)
{
    (void)eddy_run(lends_to_callback);
}

/* Promise 1: misuse that could corrupt aborts with a sentence. */
RAW_TEST(wrong_releases_abort_with_a_sentence)
{
    CHECK_DIES(run_releases_twice, "a task handle is released that is not owned");
    CHECK_DIES(run_releases_itself, "task ouroboros releases itself");
    CHECK_DIES(run_releases_in_callback,
               "a task handle was released outside a task, while its task sleeper still runs");
}

/* A-TASK-14: a detached task lives on by itself, and frees itself. */
TEST(a_detached_task_goes_on_alone)
{
    eddy_task *task = eddy_create_task(adds, 1.0);

    eddy_task_detach(&task);
    CHECK(task == NULL);
    CHECK_OK(eddy_sleep(2));
    CHECK_EQ(ended, 1);
    task = eddy_create_task(adds, 0.0);
    (void)eddy_sleep(1);
    CHECK(eddy_task_done(task) || test_is_cancelled());
    eddy_task_detach(&task); /* one that has ended is freed at once */
    CHECK_EQ(eddy_all_tasks(NULL, 0), 1);
}

static int forgets_a_task(void)
{
    REQUIRE(eddy_create_task(cleans_up, 'a') != NULL);
    return eddy_sleep(1);
}
EDDY_ASYNC(forgets_a_task);

/* Promise 4: what nobody released is ended and freed by the run. */
RAW_TEST(a_forgotten_task_is_ended_by_the_run)
{
    CHECK_OK(eddy_run(forgets_a_task));
}

/* A-FUT-8: an error that nobody read is reported once, with name and place. */
TEST(an_error_that_nobody_read_is_reported_once)
{
    {
        EDDY_TASK task = eddy_create_task_with((&(eddy_task_options){.name = "lost"}), fails, -EIO);

        (void)task;
        CHECK_OK(eddy_sleep(0));
        CHECK_STR(test_report(), ""); /* not while somebody may still read it */
    }
    const char *report = test_report();

    CHECK_HAS(report, "task lost, fails() created at ");
    CHECK_HAS(report, "owner.c:");
    CHECK_HAS(report, "nobody read its error: failed on purpose (EIO)");
    CHECK_STR(test_report(), "");
}

/* The same when the task is detached, before or after it has ended. */
TEST(an_error_of_a_detached_task_is_reported)
{
    eddy_task *task = eddy_create_task(fails, -EIO);

    eddy_task_detach(&task);
    CHECK_OK(eddy_sleep(0));
    CHECK_HAS(test_report(), "failed on purpose (EIO)");
    task = eddy_create_task(fails, -EINVAL);
    (void)eddy_sleep(0);
    eddy_task_detach(&task);
    CHECK_HAS(test_report(), "failed on purpose (EINVAL)");
    CHECK_STR(test_report(), "");
}

static int awaits(eddy_task *task)
{
    return eddy_await(task);
}
EDDY_ASYNC(awaits, eddy_task *);

/* A-FUT-8: await, gather and eddy_task_error count as reading. */
TEST(an_error_that_was_read_is_not_reported)
{
    {
        EDDY_TASK a = eddy_create_task(fails, -EIO);
        EDDY_TASK b = eddy_create_task(fails, -EIO);
        EDDY_TASK c = eddy_create_task(fails, -EIO);
        EDDY_TASK d = eddy_create_task(fails, -EIO);

        CHECK_EQ(eddy_await(a), -EIO);
        CHECK_EQ(eddy_task_error(b), -EIO);
        CHECK_EQ(eddy_gather(EDDY_AWAIT(c)), -EIO);
        CHECK_EQ(eddy_wait_for(d, 1.0), -EIO);
    }
    CHECK_EQ(eddy_gather(EDDY_CALL(fails, -EIO)), -EIO);
    CHECK_STR(test_report(), "");
}

/* Looking whether a task has ended is not reading its error. */
TEST(an_error_is_not_read_by_a_look_at_the_state)
{
    {
        EDDY_TASK task = eddy_create_task(fails, -EIO);
        eddy_task *tasks[] = {task};

        CHECK_EQ(eddy_wait(tasks, 1, EDDY_ALL_COMPLETED, EDDY_FOREVER), 1);
        CHECK(eddy_task_done(task));
        CHECK(!eddy_task_cancelled(task));
    }
    CHECK_HAS(test_report(), "failed on purpose");
}

/* Promise 1: a task that fails after its owner cancelled it is not reported. */
TEST(an_error_after_the_owners_cancel_is_not_reported)
{
    {
        EDDY_TASK task = eddy_create_task(fails_after, 100.0, -EIO);

        (void)task;
        CHECK_OK(eddy_sleep(1));
    }
    CHECK_EQ(ended, 1);
    CHECK_STR(test_report(), "");
}

/* A cancelled task has no error to read. */
TEST(a_cancelled_task_is_not_reported)
{
    {
        EDDY_TASK task = eddy_create_task(cleans_up, 'a');

        CHECK_OK(eddy_sleep(1));
        eddy_cancel(task);
        CHECK_OK(eddy_sleep(2));
        CHECK(eddy_task_cancelled(task));
    }
    CHECK_STR(test_report(), "");
}

static int leaves_task(eddy_task **out)
{
    *out = eddy_create_task_with((&(eddy_task_options){.name = "left"}), cleans_up, 'a');
    return eddy_sleep(0);
}
EDDY_ASYNC(leaves_task, eddy_task **);

/* A-FUT-9, D-10: closing a loop with a task in it runs no code of the task's, frees
 * it and reports it. */
RAW_TEST(a_task_that_is_pending_when_its_loop_closes_is_reported)
{
    eddy_loop *loop;
    eddy_task *task;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leaves_task, &task)));
    eddy_loop_free(loop);
    CHECK_EQ(ended, 0);
    CHECK_HAS(test_report(), "task left, cleans_up() created at ");
}
