/* SPDX-License-Identifier: MIT */
/*
 * Groups that are cancelled, timed out, or nested: A-TG-5, A-TG-8 to A-TG-10,
 * A-TG-18, A-TMO-13, and the same-tick cases of the peers' trackers.
 */
#include "harness.h"

static int log_of[64], logged;

/* Since `start`, in tenths of a second. */
static long tenths(double start)
{
    return (long)((eddy_time() - start) * 10 + 0.5);
}

static void note(int value)
{
    if (logged < 64)
        log_of[logged++] = value;
}

static int linger(double cleanup, int value)
{
    int rc = eddy_sleep(EDDY_FOREVER);
    {
        EDDY_SHIELD(clean_up);
        (void)eddy_sleep(cleanup);
    }
    note(value);
    return rc;
}
EDDY_ASYNC(linger, double, int);

static int linger_and_fail(double cleanup, int code)
{
    (void)eddy_sleep(EDDY_FOREVER);
    {
        EDDY_SHIELD(clean_up);
        (void)eddy_sleep(cleanup);
    }
    return eddy_raise(code, "clean-up failed");
}
EDDY_ASYNC(linger_and_fail, double, int);

static int fail_after(double seconds, int code)
{
    EDDY_TRY(eddy_sleep(seconds));
    return eddy_raise(code, "failed after %g", seconds);
}
EDDY_ASYNC(fail_after, double, int);

static int own_two(int *joined)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, linger, 2.0, 1));
    EDDY_TRY(eddy_group_create_task(&group, linger, 1.0, 2));
    *joined = eddy_group_join(&group);
    REQUIRE(eddy_sleep(0) == *joined); /* a cancel goes on, level-triggered */
    return *joined;
}
EDDY_ASYNC(own_two, int *);

/* A-TG-8: a cancel of the owner cancels the children, and is told after their clean-up. */
TEST(group_owner_that_is_cancelled_waits_for_its_children)
{
    static int joined;
    double start = eddy_time();
    EDDY_TASK owner = eddy_create_task(own_two, &joined);

    test_settle();
    CHECK_OK(eddy_cancel(owner));
    CHECK_EQ(eddy_await(owner), -ECANCELED);
    CHECK_EQ(joined, -ECANCELED);
    CHECK_EQ(tenths(start), 20);
    CHECK_EQ(logged, 2);
}

static int own_failing(int *joined)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, linger_and_fail, 2.0, -EIO));
    EDDY_TRY(eddy_group_create_task(&group, linger, 1.0, 2));
    *joined = eddy_group_join(&group);
    REQUIRE(eddy_cancelled());
    REQUIRE(eddy_sleep(0) == -ECANCELED);
    return *joined;
}
EDDY_ASYNC(own_failing, int *);

/* A-TG-9: children that fail in clean-up are told, and the cancel is not lost. */
TEST(group_owner_that_is_cancelled_while_children_fail_sees_both)
{
    static int joined;
    EDDY_TASK owner = eddy_create_task(own_failing, &joined);

    test_settle();
    CHECK_OK(eddy_cancel(owner));
    CHECK_EQ(eddy_await(owner), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "clean-up failed");
    CHECK_EQ(joined, -EIO);
}

static int own_failure(int *joined)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, fail_after, 1.0, -EIO));
    EDDY_TRY(eddy_group_create_task(&group, linger, 5.0, 2));
    *joined = eddy_group_join(&group);
    REQUIRE(eddy_sleep(0) == -ECANCELED);
    return *joined;
}
EDDY_ASYNC(own_failure, int *);

/* A-TG-10: cancelled from outside while it waits for the clean-up after a failure. */
TEST(group_owner_cancelled_after_a_child_failed_sees_the_error_and_then_the_cancel)
{
    static int joined;
    double start = eddy_time();
    EDDY_TASK owner = eddy_create_task(own_failure, &joined);

    CHECK_OK(eddy_sleep(3)); /* failed at 1, in clean-up until 6 */
    CHECK_OK(eddy_cancel(owner));
    CHECK_EQ(eddy_await(owner), -EIO);
    CHECK_EQ(tenths(start), 60);
    CHECK_EQ(joined, -EIO);
}

static int work_in_block(int *sleep_rc)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, fail_after, 1.0, -EIO));
    *sleep_rc = eddy_sleep(10);
    return *sleep_rc;
}
EDDY_ASYNC(work_in_block, int *);

static int cancel_after(eddy_task **task, double seconds)
{
    EDDY_TRY(eddy_sleep(seconds));
    (void)eddy_cancel(*task);
    return 0;
}
EDDY_ASYNC(cancel_after, eddy_task **, double);

/* Promise 2, peers 6a (cpython 95289): failure and outer cancel in one tick; the cancel
 * outranks the group's error, whichever came first. */
TEST(group_failure_and_outer_cancel_in_one_tick_end_as_cancelled)
{
    for (int order = 0; order < 2; order++) {
        static int sleep_rc[2];
        eddy_task *owner = NULL;
        EDDY_TASK early = eddy_create_task(cancel_after, &owner, order == 0 ? 1.0 : 99.0);
        EDDY_TASK task = eddy_create_task(work_in_block, &sleep_rc[order]);

        owner = task;
        test_settle(); /* the child's timer is set now */
        EDDY_TASK late = eddy_create_task(cancel_after, &owner, order == 1 ? 1.0 : 99.0);
        CHECK_EQ(eddy_await(task), -ECANCELED);
        CHECK_EQ(sleep_rc[order], -ECANCELED);
    }
}

/* A-TMO-13: a timeout around a group cancels the children and waits for them. */
TEST(group_in_a_timeout_is_cancelled_and_joined)
{
    double start = eddy_time();
    {
        EDDY_TIMEOUT(limit, 3);
        EDDY_GROUP(group);
        CHECK_OK(eddy_group_create_task(&group, linger, 2.0, 1));
        CHECK_EQ(eddy_group_join(&group), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&limit));
    }
    CHECK_EQ(tenths(start), 50);
    CHECK_EQ(logged, 1);
    CHECK_OK(eddy_sleep(0));
}

/* The other way round: a timeout in a group's block ends only what stands in it. */
TEST(group_survives_a_timeout_in_its_block)
{
    EDDY_GROUP(group);

    CHECK_OK(eddy_group_create_task(&group, linger, 0.0, 1));
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_sleep(5), -ETIMEDOUT);
    }
    CHECK_OK(eddy_sleep(1));
    CHECK_EQ(logged, 0);
    eddy_group_cancel(&group);
    CHECK_OK(eddy_group_join(&group));
}

static int own_with_deadline(int *rcs)
{
    EDDY_TIMEOUT(limit, 1);
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, linger, 2.0, 1));
    rcs[0] = eddy_group_join(&group);
    rcs[1] = eddy_sleep(0);
    return rcs[1];
}
EDDY_ASYNC(own_with_deadline, int *);

/* Peers 6a (cpython 155433): cancelled by its owner while a deadline around it fires too. */
TEST(group_cancelled_while_a_deadline_around_it_fires_too_is_not_confused)
{
    for (int order = 0; order < 3; order++) {
        static int rcs[3][2];
        double start = eddy_time();
        EDDY_TASK owner = eddy_create_task(own_with_deadline, rcs[order]);

        CHECK_OK(eddy_sleep(order == 0 ? 0.5 : order == 1 ? 1 : 2)); /* fires at 1 */
        CHECK_OK(eddy_cancel(owner));
        CHECK_EQ(eddy_await(owner), -ECANCELED);
        CHECK_EQ(rcs[order][1], -ECANCELED); /* the cancel outranks the timeout */
        CHECK(rcs[order][0] == -ECANCELED);
        CHECK_EQ(tenths(start), order == 0 ? 25 : 30);
    }
    CHECK_EQ(logged, 3);
}

static int cancel_the_group_then_time_out(void)
{
    EDDY_TIMEOUT(limit, 1);
    {
        EDDY_GROUP(group);
        EDDY_TRY(eddy_group_create_task(&group, linger, 2.0, 1));
        EDDY_TRY(eddy_sleep(0));
        eddy_group_cancel(&group);
        int rc = eddy_group_join(&group); /* the deadline fires meanwhile */
        REQUIRE(rc == -ETIMEDOUT);
    }
    REQUIRE(eddy_timeout_expired(&limit));
    return eddy_sleep(0);
}

/* The same, when the owner cancels the group and not somebody the owner. */
TEST(group_cancel_and_a_deadline_during_the_clean_up_time_out)
{
    CHECK_EQ(cancel_the_group_then_time_out(), -ETIMEDOUT);
    CHECK_OK(eddy_sleep(0));
}

static int inner_group(int code)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, linger, 1.0, 10));
    EDDY_TRY(eddy_group_create_task(&group, fail_after, 1.0, code));
    return eddy_group_join(&group);
}
EDDY_ASYNC(inner_group, int);

/* A-TG-18: the inner group's error is one failure of the outer's child. */
TEST(group_in_a_group_fails_as_one_child)
{
    EDDY_GROUP(outer);

    CHECK_OK(eddy_group_create_task(&outer, inner_group, -EIO));
    CHECK_OK(eddy_group_create_task(&outer, linger, 1.0, 20));
    CHECK_EQ(eddy_group_join(&outer), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "failed after 1");
    CHECK_EQ(eddy_group_error_count(&outer), 1);
    CHECK_EQ(logged, 2);
    CHECK_EQ(log_of[0], 10);
    CHECK_EQ(log_of[1], 20);
}

/* Nested in one task: the outer child's failure ends the inner join, its children first. */
TEST(group_around_a_group_in_one_task_ends_the_inner_one)
{
    {
        EDDY_GROUP(outer);
        CHECK_OK(eddy_group_create_task(&outer, fail_after, 1.0, -EDOM));
        {
            EDDY_GROUP(inner);
            CHECK_OK(eddy_group_create_task(&inner, linger, 2.0, 1));
            CHECK_EQ(eddy_group_join(&inner), -EDOM);
        }
        CHECK_EQ(logged, 1);
        CHECK_EQ(eddy_sleep(1), -EDOM);
        CHECK_EQ(eddy_group_join(&outer), -EDOM);
        CHECK_STR(eddy_error_message(-EDOM), "failed after 1");
    }
    CHECK_OK(eddy_sleep(1));
}

/* Both fail in one tick: an outer scope outranks an inner one. */
TEST(group_outer_and_inner_failures_in_one_tick_give_the_outer_ones_code)
{
    EDDY_GROUP(outer);
    CHECK_OK(eddy_group_create_task(&outer, fail_after, 1.0, -EDOM));
    {
        EDDY_GROUP(inner);
        CHECK_OK(eddy_group_create_task(&inner, fail_after, 1.0, -EIO));
        CHECK_EQ(eddy_sleep(5), -EDOM);
    }
    CHECK_EQ(eddy_group_join(&outer), -EDOM);
}

static int start_another_when_cancelled(eddy_group *group, int *rc)
{
    (void)eddy_sleep(EDDY_FOREVER);
    *rc = eddy_group_create_task(group, linger, 0.0, 99);
    return -ECANCELED;
}
EDDY_ASYNC(start_another_when_cancelled, eddy_group *, int *);

static int join_when_cancelled(int *rc)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, start_another_when_cancelled, &group, rc));
    EDDY_TRY(eddy_sleep(0));
    eddy_cancel(eddy_current_task());
    return eddy_group_join(&group);
}
EDDY_ASYNC(join_when_cancelled, int *);

/* A-TG-11: a join that begins cancelled lets no clean-up start new children: they would not
 * be cancelled, and the owner would wait for them for ever. */
TEST(group_joined_by_a_cancelled_owner_takes_no_more_children)
{
    static int rc;
    EDDY_TASK owner = eddy_create_task(join_when_cancelled, &rc);

    CHECK_EQ(eddy_wait_for(owner, 10.0), -ECANCELED);
    CHECK_EQ(rc, -ESHUTDOWN);
}

static int leave_block(eddy_task **task)
{
    EDDY_GROUP(group);

    *task = eddy_current_task();
    EDDY_TRY(eddy_group_create_task(&group, linger, 3.0, 1));
    EDDY_TRY(eddy_sleep(0));
    return 0; /* without a join */
}
EDDY_ASYNC(leave_block, eddy_task **);

/* Promise 2: the end of a block is never cut short, by no cancel and no deadline. */
TEST(group_block_left_without_a_join_cancels_and_waits_whatever_happens)
{
    eddy_task *inside = NULL;
    double start = eddy_time();
    EDDY_TASK owner = eddy_create_task(leave_block, &inside);

    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_cancel(owner));
    CHECK_OK(eddy_await(owner)); /* it was returning 0 */
    CHECK_EQ(tenths(start), 30);
    CHECK_EQ(logged, 1);
}

static int nest(int depth);
EDDY_ASYNC(nest, int);

static int nest(int depth)
{
    return depth ? eddy_gather(EDDY_CALL(nest, depth - 1)) : eddy_sleep(EDDY_FOREVER);
}

static int nest_groups(int depth);
EDDY_ASYNC(nest_groups, int);

static int nest_groups(int depth)
{
    EDDY_GROUP(group);

    if (depth == 0)
        return eddy_sleep(EDDY_FOREVER);
    EDDY_TRY(eddy_group_create_task(&group, nest_groups, depth - 1));
    EDDY_TRY(eddy_group_create_task(&group, linger, 1.0, 1));
    return eddy_group_join(&group);
}

/* A cancel called itself for each level: 5,000 overflowed the stack of who cancelled. */
TEST(group_cancel_goes_down_a_deep_tree_on_a_small_stack)
{
    int depth = test_is_slow() ? 1500 : 6000;
    EDDY_TASK gathers = eddy_create_task(nest, depth);
    EDDY_TASK groups = eddy_create_task(nest_groups, depth / 2);
    double start;

    CHECK_OK(eddy_sleep(1)); /* all are there */
    start = eddy_time();
    CHECK_OK(eddy_cancel(gathers));
    CHECK_EQ(eddy_await(gathers), -ECANCELED);
    CHECK_EQ(tenths(start), 0);
    CHECK_OK(eddy_cancel(groups));
    CHECK_EQ(eddy_await(groups), -ECANCELED);
    CHECK_EQ(tenths(start), 10); /* all clean up at once */
    CHECK_EQ(logged, 64);
}
