/* SPDX-License-Identifier: MIT */
/* Groups: rules A-TG-1 to A-TG-18. Cancels, deadlines and nesting stand in group_cancel.c. */
#include <stdlib.h>

#include "base/fault.h"
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

static int give_after(double seconds, int value, int *out)
{
    EDDY_TRY(eddy_sleep(seconds));
    note(value);
    *out = value;
    return 0;
}
EDDY_ASYNC_RESULT(int, give_after, double, int);

static int fail_after(double seconds, int code, const char *text)
{
    EDDY_TRY(eddy_sleep(seconds));
    return text ? eddy_raise(code, "%s", text) : code;
}
EDDY_ASYNC(fail_after, double, int, const char *);

/* Waits for ever, and cleans up for a while when cancelled. */
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

/* The same, but its clean-up fails with an error of its own. */
static int linger_and_fail(double cleanup, int code)
{
    (void)eddy_sleep(EDDY_FOREVER);
    {
        EDDY_SHIELD(clean_up);
        (void)eddy_sleep(cleanup);
    }
    return eddy_raise(code, "clean-up %d failed", -code);
}
EDDY_ASYNC(linger_and_fail, double, int);

/* A-TG-1: waits for all, and the results are where they belong. */
TEST(group_join_waits_for_all_children)
{
    int values[3] = {0};
    double start = eddy_time();
    EDDY_GROUP(group);

    for (int i = 0; i < 3; i++)
        CHECK_OK(eddy_group_create_task(&group, give_after, 3.0 - i, i + 1, &values[i]));
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(tenths(start), 30);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(values[i], i + 1);
    CHECK_EQ(log_of[0], 3); /* concurrently */
    CHECK_EQ(eddy_group_error_count(&group), 0);
}

static int spawn_more(eddy_group *group, int depth);
EDDY_ASYNC(spawn_more, eddy_group *, int);

static int spawn_more(eddy_group *group, int depth)
{
    EDDY_TRY(eddy_sleep(1));
    note(depth);
    if (depth > 0)
        EDDY_TRY(eddy_group_create_task(group, spawn_more, group, depth - 1));
    return 0;
}

/* A-TG-2: also for those that children start while the owner joins. */
TEST(group_join_waits_for_children_that_children_start)
{
    EDDY_GROUP(group);

    CHECK_OK(eddy_group_create_task(&group, spawn_more, &group, 5));
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(logged, 6);
    CHECK_EQ(log_of[5], 0);
}

/* A-TG-3, A-TG-4: the first failure cancels the siblings and everybody's clean-up is awaited. */
TEST(group_first_failure_cancels_the_siblings_and_waits_for_their_clean_up)
{
    double start = eddy_time();
    int value = -1;
    EDDY_GROUP(group);

    CHECK_OK(eddy_group_create_task(&group, linger, 5.0, 1));
    CHECK_OK(eddy_group_create_task(&group, fail_after, 1.0, -EIO, "broken pipe organ"));
    CHECK_OK(eddy_group_create_task(&group, give_after, 2.0, 7, &value));
    CHECK_EQ(eddy_group_join(&group), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "broken pipe organ");
    CHECK(eddy_error_origin(-EIO) && strstr(eddy_error_origin(-EIO), "group.c:"));
    CHECK_EQ(tenths(start), 60);
    CHECK_EQ(log_of[0], 1);
    CHECK_EQ(value, -1); /* written only on success */
    CHECK_EQ(eddy_group_error_count(&group), 1);
}

static int block_that_works(int *reached)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, fail_after, 1.0, -EIO, "the child's text"));
    EDDY_TRY(eddy_sleep(10)); /* the owner works on in the block */
    *reached = 1;
    return eddy_group_join(&group);
}

/* A-TG-3: the block itself fails with the child's error and its text, at once. */
TEST(group_block_fails_with_the_error_of_its_child)
{
    double start = eddy_time();
    int reached = 0;

    CHECK_EQ(block_that_works(&reached), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the child's text");
    CHECK_EQ(tenths(start), 10);
    CHECK(!reached);
    CHECK_OK(eddy_sleep(1)); /* A-TG-5: the owner is as before */
    CHECK(!eddy_cancelled());
}

/* A-TG-3: an owner who does not heed one error meets it at every call, and at the join. */
TEST(group_block_goes_on_failing_until_it_ends)
{
    {
        EDDY_GROUP(group);
        CHECK_OK(eddy_group_create_task(&group, fail_after, 1.0, -EIO, "once"));
        CHECK_EQ(eddy_sleep(10), -EIO);
        CHECK_EQ(eddy_sleep(10), -EIO);
        CHECK_EQ(eddy_sleep(0), -EIO);
        CHECK_EQ(eddy_group_join(&group), -EIO);
        CHECK_STR(eddy_error_message(-EIO), "once");
        CHECK_OK(eddy_sleep(1)); /* told by the join */
    }
    CHECK_OK(eddy_sleep(1));
}

/* A-TG-4: all errors in the order in which the children failed, with their texts. */
TEST(group_errors_can_be_read_in_the_order_in_which_children_failed)
{
    const char *text = NULL;
    EDDY_GROUP(group);

    CHECK_OK(eddy_group_create_task(&group, linger_and_fail, 2.0, -ENOENT));
    CHECK_OK(eddy_group_create_task(&group, linger_and_fail, 1.0, -EPIPE));
    CHECK_OK(eddy_group_create_task(&group, fail_after, 1.0, -EIO, "first"));
    CHECK_OK(eddy_group_create_task(&group, linger, 1.5, 0));
    CHECK_EQ(eddy_group_error(&group, 0, NULL), -ENOENT); /* none yet */
    CHECK_EQ(eddy_group_join(&group), -EIO);
    CHECK_EQ(eddy_group_error_count(&group), 3); /* the cancelled one is none */
    CHECK_EQ(eddy_group_error(&group, 0, &text), -EIO);
    CHECK_STR(text, "first");
    CHECK_EQ(eddy_group_error(&group, 1, &text), -EPIPE);
    CHECK_HAS(text, "failed");
    CHECK_EQ(eddy_group_error(&group, 2, &text), -ENOENT);
    CHECK_EQ(eddy_group_error(&group, 2, NULL), -ENOENT);
    CHECK_EQ(eddy_group_error(&group, 3, &text), -ENOENT); /* there is no such */
    CHECK_EQ(eddy_group_error(&group, SIZE_MAX, NULL), -ENOENT);
}

static int cancel_myself(void)
{
    eddy_cancel(eddy_current_task());
    return eddy_sleep(1);
}
EDDY_ASYNC(cancel_myself);

/* A-TG-6: a child that ends cancelled has not failed; its siblings go on. */
TEST(group_child_that_is_cancelled_alone_is_no_failure)
{
    int value = 0;
    EDDY_GROUP(group);

    CHECK_OK(eddy_group_create_task(&group, cancel_myself));
    CHECK_OK(eddy_group_create_task(&group, give_after, 5.0, 7, &value));
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(value, 7);
    CHECK_EQ(eddy_group_error_count(&group), 0);
}

static int block_that_fails(void)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, linger, 2.0, 1));
    EDDY_TRY(eddy_sleep(1));
    return eddy_raise(-EDOM, "the block's own");
}

/* A-TG-7: an error of the block cancels the children, awaits them, and leaves the block. */
TEST(group_block_that_fails_ends_its_children_first)
{
    double start = eddy_time();

    CHECK_EQ(block_that_fails(), -EDOM);
    CHECK_STR(eddy_error_message(-EDOM), "the block's own"); /* clean-up does not hide it */
    CHECK_EQ(tenths(start), 30);
    CHECK_EQ(logged, 1);
}

/* A-TG-11: nothing starts in a group that is joined or aborted. */
TEST(group_that_is_joined_or_aborted_takes_no_more_children)
{
    {
        EDDY_GROUP(group);
        CHECK_OK(eddy_group_join(&group));
        CHECK_EQ(eddy_group_create_task(&group, linger, 0.0, 1), -ESHUTDOWN);
        CHECK_HAS(eddy_error_message(-ESHUTDOWN), "joined or aborted");
    }
    EDDY_GROUP(group);
    CHECK_OK(eddy_group_create_task(&group, fail_after, 0.0, -EIO, NULL));
    CHECK_EQ(eddy_sleep(1), -EIO);
    CHECK_EQ(eddy_group_create_task(&group, linger, 0.0, 1), -EIO); /* what EDDY_TRY passes on */
    CHECK_EQ(eddy_group_join(&group), -EIO);
    CHECK_EQ(logged, 0);
}

/* A-TG-11, A-TG-16: nor in one that was cancelled, which ends without an error. */
TEST(group_that_is_cancelled_ends_without_an_error_and_takes_no_more_children)
{
    EDDY_GROUP(group);

    CHECK_OK(eddy_group_create_task(&group, linger, 2.0, 1));
    CHECK_OK(eddy_group_create_task(&group, linger, 1.0, 2));
    test_settle();
    eddy_group_cancel(&group);
    eddy_group_cancel(&group); /* idempotent */
    CHECK_EQ(eddy_group_create_task(&group, linger, 1.0, 3), -ESHUTDOWN);
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(logged, 2);
    eddy_group_cancel(&group); /* without effect */
}

/* A-TG-17: an empty group does not yield. */
TEST(group_without_children_does_not_yield)
{
    EDDY_TASK other = eddy_create_task(linger, 0.0, 1);
    eddy_task *found[4];
    size_t before = eddy_all_tasks(found, 4);
    {
        EDDY_GROUP(group);
        CHECK_OK(eddy_group_join(&group));
    }
    CHECK_EQ(eddy_all_tasks(found, 4), before);
    CHECK_EQ(logged, 0);
}

/* 1,000 children, each with its result. */
TEST(group_holds_a_thousand_children)
{
    int values[1000] = {0};
    EDDY_GROUP(group);

    for (int i = 0; i < 1000; i++)
        CHECK_OK(eddy_group_create_task(&group, give_after, (i * 7) % 10, i, &values[i]));
    CHECK_OK(eddy_group_join(&group));
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(values[i], i);
}

static int owned_alive;

static int make_owned(int **out)
{
    owned_alive++;
    *out = &owned_alive;
    return 0;
}
static void free_owned(int **owned)
{
    --**owned;
}
EDDY_ASYNC_OWNED(int *, free_owned, make_owned);

/* Promise 4: a result that has no place is destroyed, one that has is the caller's. */
TEST(group_destroys_results_that_have_no_place)
{
    int *mine = NULL;
    EDDY_GROUP(group);

    CHECK_OK(eddy_group_create_task(&group, make_owned));
    CHECK_OK(eddy_group_create_task(&group, make_owned, &mine));
    CHECK_OK(eddy_group_join(&group));
    CHECK_EQ(owned_alive, 1);
    CHECK(mine == &owned_alive);
}

static int start_many(int *started)
{
    EDDY_GROUP(group);

    for (int i = 0; i < 1500; i++) /* more than the stacks of a slab */
        if (eddy_group_create_task(&group, linger, 0.0, 1) == 0)
            ++*started;
    return eddy_group_join(&group);
}

/* Issue 2, section 5: -ENOMEM at a child cancels and joins the others; the join tells. */
TEST(group_without_memory_for_a_child_is_aborted)
{
    for (uint64_t nth = 1; nth <= 2; nth++) { /* a slab's record, its mapping */
        int started = 0, rc;

        ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        {
            EDDY_TIMEOUT(limit, 1);
            rc = start_many(&started);
        }
        ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK_EQ(rc, -ENOMEM);
        CHECK_HAS(eddy_error_message(-ENOMEM), "could not be created");
        CHECK(started > 0 && started < 1500); /* the k-th failed, and closed the group */
        CHECK_OK(eddy_sleep(0));
    }
}

static eddy_group *shared;
static int started, refused;

static int own_shared(void)
{
    EDDY_GROUP(group);
    int value, rc;

    shared = &group;
    EDDY_TRY(eddy_group_create_task(&group, give_after, 1.0, 1, &value));
    rc = eddy_group_join(&group);
    shared = NULL;
    return rc;
}
EDDY_ASYNC(own_shared);

static int start_one_after(double seconds)
{
    EDDY_TRY(eddy_sleep(seconds));
    return shared ? eddy_group_create_task(shared, give_after, 0.0, 2) : -ENOENT;
}
EDDY_ASYNC(start_one_after, double);

/* Between the end of the last child and the owner's turn the group is joined already. A
 * child that was accepted there was cancelled without a word. */
TEST(group_takes_no_child_when_its_last_has_ended_and_the_owner_is_yet_to_run)
{
    EDDY_TASK owner = eddy_create_task(own_shared);

    test_settle(); /* the child's timer is set now */
    EDDY_TASK other = eddy_create_task(start_one_after, 1.0);
    CHECK_OK(eddy_await(owner));
    CHECK_EQ(eddy_await(other), -ESHUTDOWN);
    CHECK_EQ(logged, 1);
}

static int count_started(void)
{
    started++;
    return 0;
}
EDDY_ASYNC(count_started);

static int own_short(void)
{
    EDDY_GROUP(group);
    int rc;

    shared = &group;
    EDDY_TRY(eddy_group_create_task(&group, fail_after, 0.0, 0, NULL));
    rc = eddy_group_join(&group);
    shared = NULL;
    return rc;
}
EDDY_ASYNC(own_short);

static int add_until_it_ends(eddy_task **owner)
{
    while (!eddy_task_done(*owner)) {
        if (shared && eddy_group_create_task(shared, count_started) == 0)
            started--;
        else
            refused++;
        EDDY_TRY(eddy_sleep(0));
    }
    return 0;
}
EDDY_ASYNC(add_until_it_ends, eddy_task **);

static int share_groups(void)
{
    for (int i = 0; i < 50; i++) {
        eddy_task *task;
        EDDY_TASK owner = eddy_create_task(own_short);
        EDDY_TASK other = eddy_create_task(add_until_it_ends, &task);

        task = owner;
        EDDY_TRY(eddy_await(owner));
        EDDY_TRY(eddy_await(other));
    }
    return 0;
}
EDDY_ASYNC(share_groups);

/* With a seed such a child could end before the owner ran, who was made ready twice: the
 * ready queue lost tasks. What is accepted runs. */
RAW_TEST(group_owner_is_woken_once_whatever_the_order)
{
    for (int seed = 1; seed <= 8; seed++) {
        char text[8];

        snprintf(text, sizeof text, "%d", seed);
        setenv("EDDY_SEED", text, 1);
        CHECK_OK(eddy_run(share_groups));
        CHECK_EQ(started, 0);
    }
    CHECK(refused > 0);
}

static void group_outside(void)
{
    EDDY_GROUP(group);
}

static int join_of_another(eddy_group *group)
{
    return eddy_group_join(group);
}
EDDY_ASYNC(join_of_another, eddy_group *);

static int let_another_join(void)
{
    EDDY_GROUP(group);

    EDDY_TRY(eddy_group_create_task(&group, join_of_another, &group));
    return eddy_group_join(&group);
}
EDDY_ASYNC(let_another_join);

static void run_let_another_join(void)
{
    (void)eddy_run(let_another_join);
}

static int start_after_the_end(void)
{
    static eddy_group group;

    eddy_group_enter(&group, "here");
    eddy_group_exit(&group);
    return eddy_group_create_task(&group, linger, 0.0, 1);
}
EDDY_ASYNC(start_after_the_end);

static void run_start_after_the_end(void)
{
    (void)eddy_run(start_after_the_end);
}

/* A-TG-11, A-TG-12: misuse that could corrupt aborts with a sentence. */
RAW_TEST(group_misuse_aborts_with_a_sentence)
{
    CHECK_DIES(group_outside, "outside a task");
    CHECK_DIES(run_let_another_join, "another task than its owner");
    CHECK_DIES(run_start_after_the_end, "has ended");
}
