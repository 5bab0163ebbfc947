/* SPDX-License-Identifier: MIT */
/* wait: rules A-WAIT-1 to A-WAIT-10. as_completed, wait_for and shield: see their files. */
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

/* Since `start`, in tenths of a second. */
static long tenths(double start)
{
    return (long)((eddy_time() - start) * 10 + 0.5);
}

/* A-WAIT-1, A-WAIT-6: what makes no sense is refused. */
TEST(wait_refuses_no_tasks_unknown_modes_and_no_numbers)
{
    EDDY_TASK task = eddy_create_task(give_after, 1.0, 1);
    eddy_task *one[] = {task}, *none[] = {task, NULL}, *self[] = {eddy_current_task()};

    CHECK_EQ(eddy_wait(one, 0, EDDY_ALL_COMPLETED, EDDY_FOREVER), -EINVAL);
    CHECK_EQ(eddy_wait(one, 1, (enum eddy_wait_mode)3, EDDY_FOREVER), -EINVAL);
    CHECK_EQ(eddy_wait(one, 1, EDDY_ALL_COMPLETED, __builtin_nan("")), -EINVAL);
    CHECK_EQ(eddy_wait(none, 2, EDDY_ALL_COMPLETED, EDDY_FOREVER), -ENOMEM);
    CHECK_EQ(eddy_wait(self, 1, EDDY_ALL_COMPLETED, EDDY_FOREVER), -EDEADLK);
    CHECK(!eddy_task_done(task));
}

/* A-WAIT-2: waits for all, and passes no member's error on. */
TEST(wait_for_all_is_not_failed_by_a_member)
{
    EDDY_TASK a = eddy_create_task(fail_after, 1.0, -EIO);
    EDDY_TASK b = eddy_create_task(give_after, 2.0, 1);
    eddy_task *tasks[] = {a, b};
    double start = eddy_time();

    CHECK_EQ(eddy_wait(tasks, 2, EDDY_ALL_COMPLETED, EDDY_FOREVER), 2);
    CHECK_EQ(tenths(start), 20);
    CHECK_EQ(eddy_task_error(a), -EIO); /* read here, so not reported */
    CHECK_STR(eddy_error_message(-EIO), "failed after 1");
}

/* A-WAIT-2: reading is left to the caller: what nobody reads is reported. */
TEST(wait_does_not_read_errors)
{
    {
        EDDY_TASK a = eddy_create_task(fail_after, 1.0, -EIO);
        eddy_task *tasks[] = {a};
        CHECK_EQ(eddy_wait(tasks, 1, EDDY_ALL_COMPLETED, EDDY_FOREVER), 1);
    }
    CHECK_HAS(test_report(), "nobody read its error");
}

/* A-WAIT-3: a timeout is no error, and cancels nobody. */
TEST(wait_that_times_out_says_what_is_done_and_cancels_nobody)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 5.0, 2);
    eddy_task *tasks[] = {a, b};
    int value = 0;

    CHECK_EQ(eddy_wait(tasks, 2, EDDY_ALL_COMPLETED, 0.5), 0);
    CHECK_EQ(eddy_wait(tasks, 2, EDDY_ALL_COMPLETED, 1.5), 1);
    CHECK(eddy_task_done(a) && !eddy_task_done(b));
    CHECK_OK(eddy_await(b, &value));
    CHECK_EQ(value, 2);
}

/* A-WAIT-4: as soon as one is done; several may be. */
TEST(wait_for_the_first_returns_as_soon_as_one_is_done)
{
    EDDY_TASK a = eddy_create_task(give_after, 3.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 1.0, 2);
    EDDY_TASK c = eddy_create_task(fail_after, 1.0, -EIO);
    eddy_task *tasks[] = {a, b, c};
    double start = eddy_time();
    int done = eddy_wait(tasks, 3, EDDY_FIRST_COMPLETED, EDDY_FOREVER);

    CHECK(done == 1 || done == 2);
    CHECK_EQ(tenths(start), 10);
    CHECK(!eddy_task_done(a));
    CHECK_EQ(eddy_await(c), -EIO);
    CHECK_EQ(eddy_wait(tasks, 3, EDDY_FIRST_COMPLETED, EDDY_FOREVER), 2); /* already */
}

/* A-WAIT-5: until one has failed; a cancelled one has not. */
TEST(wait_for_the_first_failure_takes_no_cancel_for_one)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 9.0, 2);
    EDDY_TASK c = eddy_create_task(fail_after, 3.0, -EIO);
    eddy_task *tasks[] = {a, b, c};
    double start = eddy_time();

    eddy_cancel(b);
    CHECK_EQ(eddy_wait(tasks, 3, EDDY_FIRST_EXCEPTION, EDDY_FOREVER), 3);
    CHECK_EQ(tenths(start), 30);
    CHECK_EQ(eddy_task_error(c), -EIO);
}

/* A-WAIT-5: it ends at the failure; and without one when all are done. */
TEST(wait_for_the_first_failure_ends_at_it)
{
    EDDY_TASK a = eddy_create_task(give_after, 9.0, 1);
    EDDY_TASK b = eddy_create_task(fail_after, 2.0, -EIO);
    EDDY_TASK c = eddy_create_task(give_after, 3.0, 1);
    eddy_task *tasks[] = {a, b, c}, *good[] = {a, c};
    double start = eddy_time();

    CHECK_EQ(eddy_wait(tasks, 3, EDDY_FIRST_EXCEPTION, EDDY_FOREVER), 1);
    CHECK_EQ(tenths(start), 20);
    CHECK_EQ(eddy_task_error(b), -EIO);
    CHECK_EQ(eddy_wait(good, 2, EDDY_FIRST_EXCEPTION, EDDY_FOREVER), 2);
    CHECK_EQ(tenths(start), 90);
}

/* A-WAIT-7, D-5: a member may be listed twice; the array keeps its order. */
TEST(wait_takes_a_task_listed_twice)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 2.0, 1);
    eddy_task *tasks[] = {a, b, a};

    CHECK_EQ(eddy_wait(tasks, 3, EDDY_FIRST_COMPLETED, EDDY_FOREVER), 2);
    CHECK_EQ(eddy_wait(tasks, 3, EDDY_ALL_COMPLETED, EDDY_FOREVER), 3);
    CHECK(tasks[0] == a && tasks[1] == b && tasks[2] == a);
}

static int bumps;

static int bump_for_ever(void)
{
    for (;;) {
        bumps++;
        EDDY_TRY(eddy_sleep(0));
    }
}
EDDY_ASYNC(bump_for_ever);

/* A-WAIT-8: always at least one turn, also when all are done or the time is 0. */
TEST(wait_always_yields)
{
    EDDY_TASK a = eddy_create_task(give_after, 0.0, 1);
    eddy_task *tasks[] = {a};

    CHECK_OK(eddy_await(a));
    EDDY_TASK other = eddy_create_task(bump_for_ever);
    CHECK_EQ(eddy_wait(tasks, 1, EDDY_ALL_COMPLETED, EDDY_FOREVER), 1);
    CHECK_EQ(bumps, 1);
    eddy_task *never[] = {other};
    CHECK_EQ(eddy_wait(never, 1, EDDY_ALL_COMPLETED, 0), 0);
    CHECK_EQ(bumps, 2);
}

static int wait_for_both(eddy_task **tasks)
{
    return eddy_wait(tasks, 2, EDDY_ALL_COMPLETED, 50.0);
}
EDDY_ASYNC(wait_for_both, eddy_task **);

/* A-WAIT-9: the waiter is cancelled alone, and leaves nothing with the members. */
TEST(wait_that_is_cancelled_leaves_the_members_alone)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 2.0, 2);
    static eddy_task *tasks[2];

    tasks[0] = a;
    tasks[1] = b;
    EDDY_TASK waiter = eddy_create_task(wait_for_both, tasks);
    test_settle();
    CHECK_OK(eddy_cancel(waiter));
    CHECK_EQ(eddy_await(waiter), -ECANCELED);
    CHECK_OK(eddy_await(a));
    CHECK_OK(eddy_await(b)); /* nobody is told who has gone */
}

/* Promise 3, peers 6a: the end came before the cancel, in one tick. */
TEST(wait_cancelled_in_the_tick_of_the_last_end_has_succeeded)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 0.0, 2);
    static eddy_task *tasks[2];

    tasks[0] = a;
    tasks[1] = b;
    EDDY_TASK waiter = eddy_create_task(wait_for_both, tasks);
    while (!eddy_task_done(a) && eddy_await(a) == 0)
        ; /* resumed after the waiter was woken, perhaps before it ran */
    if (!eddy_task_done(waiter))
        CHECK_OK(eddy_cancel(waiter));
    int rc = eddy_await(waiter);
    CHECK(rc == 2);
}

/* A-WAIT-10: what is done is judged when the waiter runs. */
TEST(wait_counts_what_ended_until_the_waiter_ran)
{
    EDDY_TASK a = eddy_create_task(give_after, 1.0, 1);
    EDDY_TASK b = eddy_create_task(give_after, 1.0, 2);
    EDDY_TASK c = eddy_create_task(give_after, 1.0, 3);
    eddy_task *tasks[] = {a, b, c};

    CHECK_EQ(eddy_wait(tasks, 3, EDDY_FIRST_COMPLETED, EDDY_FOREVER),
             eddy_task_done(a) + eddy_task_done(b) + eddy_task_done(c));
}

/* An enclosing timeout is an error, the own one is not. */
TEST(wait_in_a_timeout_times_out)
{
    EDDY_TASK a = eddy_create_task(give_after, 9.0, 1);
    eddy_task *tasks[] = {a};

    EDDY_TIMEOUT(limit, 1);
    CHECK_EQ(eddy_wait(tasks, 1, EDDY_ALL_COMPLETED, 5.0), -ETIMEDOUT);
    CHECK(!eddy_task_done(a));
}

/* A thousand members, and -ENOMEM with the tasks untouched. */
TEST(wait_for_a_thousand_tasks)
{
    EDDY_TASKS(tasks, 1000);
    CHECK(tasks != NULL);

    for (int i = 0; i < 1000; i++)
        tasks[i] = eddy_create_task(give_after, i % 10, i);
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(eddy_wait(tasks, 1000, EDDY_ALL_COMPLETED, EDDY_FOREVER), -ENOMEM);
    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    CHECK_EQ(eddy_wait(tasks, 1000, EDDY_ALL_COMPLETED, 4.5), 500);
    CHECK_EQ(eddy_wait(tasks, 1000, EDDY_ALL_COMPLETED, EDDY_FOREVER), 1000);
}

static eddy_task *foreign;

static int make_foreign(void)
{
    foreign = eddy_create_task(give_after, 100.0, 1);
    return eddy_sleep(0);
}
EDDY_ASYNC(make_foreign);

static int use_foreign(void)
{
    eddy_task *tasks[] = {foreign};

    REQUIRE(eddy_wait(tasks, 1, EDDY_ALL_COMPLETED, 1.0) == -EINVAL);
    EDDY_AS_COMPLETED(each, tasks, 1, EDDY_FOREVER);
    REQUIRE(eddy_as_completed_next(&each, &tasks[0]) == -EINVAL);
    EDDY_TIMEOUT(limit, 50);
    REQUIRE(eddy_wait_for(foreign, 1.0) == -EINVAL);
    REQUIRE(eddy_wait_for(foreign, 0) == -EINVAL);
    return 0;
}
EDDY_ASYNC(use_foreign);

static int foreign_is_untouched(void)
{
    return eddy_await(foreign);
}
EDDY_ASYNC(foreign_is_untouched);

/* wait.h: a task of another loop is an error everywhere, and is left alone. */
RAW_TEST(wait_for_a_task_of_another_loop_is_refused)
{
    eddy_runner first = EDDY_RUNNER_INIT, second = EDDY_RUNNER_INIT;

    CHECK_OK(eddy_runner_run(&first, EDDY_CALL(make_foreign)));
    CHECK_OK(eddy_runner_run(&second, EDDY_CALL(use_foreign)));
    eddy_runner_close(&second);
    CHECK_OK(eddy_runner_run(&first, EDDY_CALL(foreign_is_untouched)));
    eddy_runner_close(&first);
}

static eddy_task *shared, *fresh;

static int release_and_create(void)
{
    eddy_task *own = shared;

    eddy_task_release(&own);                      /* cancels it, and waits */
    fresh = eddy_create_task(give_after, 3.0, 1); /* in its place */
    return 0;
}
EDDY_ASYNC(release_and_create);

static int wait_for_shared(void)
{
    eddy_task *tasks[] = {shared};

    return eddy_wait(tasks, 1, EDDY_ALL_COMPLETED, EDDY_FOREVER);
}
EDDY_ASYNC(wait_for_shared);

/* It counted what was done by looking at the tasks, when they could be freed, and another
 * could stand in their place. */
TEST(wait_counts_a_task_that_its_owner_released_when_it_ended)
{
    shared = eddy_create_task(give_after, 2.0, 1);
    EDDY_DEFER(eddy_task_release, &fresh);
    EDDY_TASK owner = eddy_create_task(release_and_create);
    EDDY_TASK waiter = eddy_create_task(wait_for_shared);
    eddy_task *released = shared;

    CHECK_EQ(eddy_await(waiter), 1);
    CHECK_OK(eddy_await(owner));
    CHECK(fresh == released); /* else this tests nothing */
    CHECK_OK(eddy_await(fresh));
}

/* The same of a task that frees itself. */
TEST(wait_counts_a_detached_task)
{
    eddy_task *task = eddy_create_task(give_after, 1.0, 1);
    eddy_task *tasks[] = {task};

    eddy_task_detach(&task);
    CHECK_EQ(eddy_wait(tasks, 1, EDDY_ALL_COMPLETED, EDDY_FOREVER), 1);
}
