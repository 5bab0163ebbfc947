/* SPDX-License-Identifier: MIT */
/* Timeouts, shields and deferred calls: rules A-TMO-1 to A-TMO-13, A-STACK-1, -2, -9. */
#include "harness.h"

#include <math.h>
#include <unistd.h>

static char trace[64];

static int note(char word)
{
    trace[strlen(trace)] = word;
    return 0;
}

static size_t timers(void)
{
    eddy_stats stats;

    eddy_get_stats(&stats);
    return stats.timers;
}

/* Runs `limit` around a sleep. */
static int sleep_within(double limit, double seconds)
{
    EDDY_TIMEOUT(scope, limit);

    return eddy_sleep(seconds);
}
EDDY_ASYNC(sleep_within, double, double);

/* A-TMO-1: the deadline is that of the declaration; EDDY_FOREVER is none. */
TEST(a_timeout_counts_from_its_declaration)
{
    double start = eddy_time();

    EDDY_TIMEOUT(limit, 2.0);
    CHECK(eddy_timeout_when(&limit) == start + 2.0);
    CHECK_OK(eddy_sleep(1.5));
    CHECK_EQ(eddy_sleep(1.5), -ETIMEDOUT);
    CHECK(eddy_time() == start + 2.0);
}

TEST(a_timeout_without_a_limit_never_fires)
{
    EDDY_TIMEOUT(limit, EDDY_FOREVER);

    CHECK(isinf(eddy_timeout_when(&limit)));
    CHECK_EQ(timers(), 0);
    CHECK_OK(eddy_sleep(1e9));
    CHECK(!eddy_timeout_expired(&limit));
}

/* A-TMO-1: timeout_at takes a time of the loop's clock. */
TEST(a_timeout_can_be_given_as_a_time)
{
    double start = eddy_time();

    EDDY_TIMEOUT_AT(limit, start + 1.0);
    CHECK(eddy_timeout_when(&limit) == start + 1.0);
    CHECK_EQ(eddy_sleep(5), -ETIMEDOUT);
    CHECK(eddy_time() == start + 1.0);
}

/* A-TMO-2: inside the block every call fails, behind it all is as before. */
TEST(behind_an_expired_block_everything_works_again)
{
    {
        EDDY_TIMEOUT(limit, 1.0);

        CHECK_EQ(eddy_sleep(5), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&limit));
        CHECK_EQ(eddy_sleep(5), -ETIMEDOUT);
        CHECK_EQ(eddy_sleep(0), -ETIMEDOUT);
        CHECK(!eddy_cancelled());
    }
    CHECK_OK(eddy_sleep(5));
    CHECK_EQ(timers(), 0);
}

static int within_cancelled(bool *expired)
{
    int rc;

    {
        EDDY_TIMEOUT(limit, 5.0);

        rc = eddy_sleep(100);
        *expired = eddy_timeout_expired(&limit);
    }
    REQUIRE(eddy_sleep(0) == rc); /* still cancelled behind the block */
    return rc;
}
EDDY_ASYNC(within_cancelled, bool *);

/* A-TMO-3: somebody else's cancel goes through a timeout as itself. */
TEST(a_cancel_goes_through_a_timeout)
{
    bool expired = true;
    EDDY_TASK task = eddy_create_task(within_cancelled, &expired);

    CHECK_OK(eddy_sleep(1));
    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK(!expired);
}

static int timed_out_then_cancelled(int *before, int *after)
{
    EDDY_TIMEOUT(limit, 1.0);

    *before = eddy_sleep(100);
    eddy_cancel(eddy_current_task());
    *after = eddy_sleep(100);
    REQUIRE(eddy_timeout_expired(&limit));
    return 0;
}
EDDY_ASYNC(timed_out_then_cancelled, int *, int *);

/* Promise 2: a pending cancel outranks a timeout. */
TEST(a_cancel_outranks_an_expired_timeout)
{
    int before = 0, after = 0;
    EDDY_TASK task = eddy_create_task(timed_out_then_cancelled, &before, &after);

    (void)eddy_await(task);
    CHECK_EQ(before, -ETIMEDOUT);
    CHECK_EQ(after, -ECANCELED);
}

static int no_suspension(void)
{
    EDDY_TIMEOUT(limit, 0);

    for (volatile int i = 0; i < 1000; i++)
        ;
    return eddy_timeout_expired(&limit) ? -EINVAL : 0;
}

/* A-TMO-4: a block that never suspends is not cut short; timeout(0) is, at its first
 * suspension. */
TEST(a_timeout_of_nothing_fires_at_the_first_suspension)
{
    CHECK_OK(no_suspension());
    CHECK_OK(sleep_within(1.0, 0)); /* and not sooner than due */
    {
        EDDY_TIMEOUT(limit, 0);

        CHECK(!eddy_timeout_expired(&limit));
        CHECK_EQ(eddy_sleep(0), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&limit));
    }
    CHECK_EQ(sleep_within(0, 5), -ETIMEDOUT);
    CHECK_EQ(sleep_within(-1, 5), -ETIMEDOUT);
    CHECK_EQ(sleep_within((double)NAN, 5), -ETIMEDOUT);
}

/* Promise 2: expiry is an event of the loop, not a look at the clock: a call that need
 * not wait goes on although the time is up. */
TEST(a_call_that_need_not_wait_does_not_look_at_the_clock)
{
    eddy_lock lock = EDDY_LOCK_INIT;

    EDDY_TIMEOUT(limit, 0);
    CHECK_OK(eddy_lock_acquire(&lock));
    CHECK(!eddy_timeout_expired(&limit));
    eddy_lock_release(&lock);
}

static int swallows(bool *expired)
{
    EDDY_TIMEOUT(limit, 1.0);

    (void)eddy_sleep(100);
    *expired = eddy_timeout_expired(&limit);
    return 0;
}

/* A-TMO-5: a body that swallows the error has none. */
TEST(a_body_that_swallows_its_timeout_succeeds)
{
    bool expired = false;

    CHECK_OK(swallows(&expired));
    CHECK(expired);
    CHECK_OK(eddy_sleep(1));
}

static int converts(void)
{
    EDDY_TIMEOUT(limit, 1.0);

    return eddy_sleep(100) == -ETIMEDOUT ? eddy_raise(-EIO, "too slow") : 0;
}

/* A-TMO-6: a body may turn it into an error of its own. */
TEST(a_body_may_turn_its_timeout_into_another_error)
{
    CHECK_EQ(converts(), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "too slow");
}

/* A-TMO-7: only the block whose deadline fired has expired; an outer one goes through
 * the inner as the same code. */
TEST(an_outer_timeout_goes_through_an_inner_one)
{
    EDDY_TIMEOUT(outer, 1.0);
    {
        EDDY_TIMEOUT(inner, 5.0);

        CHECK_EQ(eddy_sleep(100), -ETIMEDOUT);
        CHECK(!eddy_timeout_expired(&inner));
        CHECK(eddy_timeout_expired(&outer));
    }
    CHECK_EQ(eddy_sleep(0), -ETIMEDOUT);
}

TEST(an_inner_timeout_does_not_touch_the_outer_one)
{
    EDDY_TIMEOUT(outer, 5.0);
    {
        EDDY_TIMEOUT(inner, 1.0);

        CHECK_EQ(eddy_sleep(100), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&inner));
        CHECK(!eddy_timeout_expired(&outer));
    }
    CHECK_OK(eddy_sleep(1));
    CHECK_EQ(eddy_sleep(100), -ETIMEDOUT);
    CHECK(eddy_timeout_expired(&outer));
}

/* Promise 2: both in the same tick: the outer one is not lost with the inner block. */
TEST(an_outer_timeout_in_the_same_tick_is_not_lost)
{
    double when = eddy_time() + 1.0;

    EDDY_TIMEOUT_AT(outer, when);
    {
        EDDY_TIMEOUT_AT(inner, when);

        CHECK_EQ(eddy_sleep(100), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&inner));
        CHECK(eddy_timeout_expired(&outer));
    }
    CHECK_EQ(eddy_sleep(1), -ETIMEDOUT);
}

/* A timeout inside an expired one does not hide it. */
TEST(a_timeout_begun_in_an_expired_block_is_of_no_use)
{
    EDDY_TIMEOUT(outer, 1.0);

    CHECK_EQ(eddy_sleep(100), -ETIMEDOUT);
    CHECK_EQ(sleep_within(50, 1), -ETIMEDOUT);
}

/* A-TMO-8: reschedule moves a deadline later, earlier, away and back. */
TEST(a_deadline_can_be_moved)
{
    double start = eddy_time();

    EDDY_TIMEOUT(limit, 1.0);
    CHECK_OK(eddy_timeout_reschedule(&limit, start + 10));
    CHECK_OK(eddy_sleep(5));
    CHECK_OK(eddy_timeout_reschedule(&limit, EDDY_FOREVER));
    CHECK(isinf(eddy_timeout_when(&limit)));
    CHECK_OK(eddy_sleep(100));
    CHECK_OK(eddy_timeout_reschedule(&limit, start + 106));
    CHECK(eddy_timeout_when(&limit) == start + 106);
    CHECK_EQ(eddy_sleep(100), -ETIMEDOUT);
    CHECK(eddy_time() == start + 106);
}

/* A-TMO-8: into the past: at the loop's next turn. */
TEST(a_deadline_moved_into_the_past_fires_at_the_next_suspension)
{
    EDDY_TIMEOUT(limit, 100.0);

    CHECK_OK(eddy_sleep(5));
    CHECK_OK(eddy_timeout_reschedule(&limit, eddy_time() - 1));
    CHECK(!eddy_timeout_expired(&limit));
    CHECK_EQ(eddy_sleep(0), -ETIMEDOUT);
    CHECK(eddy_timeout_expired(&limit));
}

static int moves(eddy_timeout *limit)
{
    EDDY_TRY(eddy_sleep(0.5));
    return eddy_timeout_reschedule(limit, eddy_time() + 5);
}
EDDY_ASYNC(moves, eddy_timeout *);

/* A-TMO-8: another task may move it. */
TEST(another_task_may_move_a_deadline)
{
    double start = eddy_time();

    EDDY_TIMEOUT(limit, 1.0);
    EDDY_TASK mover = eddy_create_task(moves, &limit);
    CHECK_EQ(eddy_sleep(100), -ETIMEDOUT);
    CHECK(eddy_time() == start + 5.5);
    CHECK(eddy_task_done(mover));
}

/* A-TMO-9: not after it has fired, not behind its block, not to no number. */
TEST(a_deadline_that_fired_cannot_be_moved)
{
    eddy_timeout limit;

    eddy_timeout_enter(&limit, 1.0, "here");
    int nan = eddy_timeout_reschedule(&limit, (double)NAN);
    int timed_out = eddy_sleep(5);
    int late = eddy_timeout_reschedule(&limit, eddy_time() + 1);
    eddy_timeout_exit(&limit);
    int after = eddy_timeout_reschedule(&limit, eddy_time() + 1);
    CHECK_EQ(nan, -EINVAL);
    CHECK_EQ(timed_out, -ETIMEDOUT);
    CHECK_EQ(late, -EINVAL);
    CHECK_EQ(after, -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "block has ended");
    CHECK(eddy_timeout_expired(&limit)); /* A-TMO-11: from the firing on */
}

/* A-TMO-10 differs: outside a task a timeout limits nothing, since nothing waits. */
RAW_TEST(a_timeout_outside_a_task_has_no_effect)
{
    EDDY_TIMEOUT(limit, 0);
    EDDY_SHIELD(shield);

    CHECK(!eddy_timeout_expired(&limit));
    CHECK_EQ(eddy_timeout_reschedule(&limit, 1), -EINVAL);
    CHECK_EQ(eddy_sleep(1), -EPERM);
    CHECK_EQ(timers(), 0);
}

/* A-TMO-12: a block that is left in time takes its timer with it. */
TEST(a_block_left_in_time_leaves_no_timer)
{
    CHECK_OK(sleep_within(100, 1));
    CHECK_EQ(timers(), 0);
    CHECK_OK(eddy_sleep(200));
}

static int child(double seconds)
{
    int rc = eddy_sleep(seconds);

    EDDY_SHIELD(cleanup);
    (void)eddy_sleep(1);
    (void)note('c');
    return rc;
}
EDDY_ASYNC(child, double);

static int group_within(double limit)
{
    EDDY_TIMEOUT(scope, limit);
    EDDY_GROUP(group);

    eddy_group_create_task(&group, child, 100.0);
    eddy_group_create_task(&group, child, 200.0);
    return eddy_group_join(&group);
}

/* A-TMO-13: around a group: the children are cancelled and waited for. */
TEST(a_timeout_around_a_group_waits_for_the_children)
{
    double start = eddy_time();

    CHECK_EQ(group_within(1.0), -ETIMEDOUT);
    CHECK_STR(trace, "cc");
    CHECK(eddy_time() == start + 2.0);
}

/* Shields ------------------------------------------------------------------- */

static int shielded(int *in, int *out)
{
    {
        EDDY_SHIELD(shield);

        *in = eddy_sleep(5);
    }
    *out = eddy_sleep(5);
    return 0;
}
EDDY_ASYNC(shielded, int *, int *);

/* Promise 2: a shield holds a cancel back until its end; nothing is lost. */
TEST(a_shield_holds_a_cancel_back)
{
    int in = 1, out = 1;
    EDDY_TASK task = eddy_create_task(shielded, &in, &out);

    CHECK_OK(eddy_sleep(1));
    eddy_cancel(task);
    CHECK_OK(eddy_sleep(1));
    CHECK(!eddy_task_done(task));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(in, 0);
    CHECK_EQ(out, -ECANCELED);
}

/* The same for a cancel that was pending before the shield began. */
TEST(a_shield_holds_back_what_was_pending)
{
    int in = 1, out = 1;
    EDDY_TASK task = eddy_create_task(shielded, &in, &out);

    eddy_cancel(task);
    CHECK_OK(eddy_await(task));
    CHECK_EQ(in, 0);
    CHECK_EQ(out, -ECANCELED);
}

/* A shield holds back the timeouts around it, and not those inside it. */
TEST(a_shield_holds_back_outer_timeouts_only)
{
    double start = eddy_time();

    EDDY_TIMEOUT(outer, 1.0);
    {
        EDDY_SHIELD(shield);

        CHECK_OK(eddy_sleep(2));
        CHECK(eddy_timeout_expired(&outer));
        CHECK_EQ(sleep_within(1, 50), -ETIMEDOUT);
        CHECK(eddy_time() == start + 3.0);
        CHECK_OK(eddy_sleep(1));
        {
            EDDY_SHIELD(nested);

            CHECK_OK(eddy_sleep(1));
        }
        CHECK_OK(eddy_sleep(1));
    }
    CHECK_EQ(eddy_sleep(0), -ETIMEDOUT);
}

/* Deferred calls ------------------------------------------------------------ */

static const char words[] = "abc";

static void leave(const char *word)
{
    (void)eddy_sleep(1);
    (void)note(*word);
}

static int leave_failing(const char *word)
{
    (void)note(*word);
    return eddy_raise(-EIO, "the clean-up failed");
}

static int defers(int rc)
{
    EDDY_DEFER(leave, &words['a' - 'a']);
    EDDY_DEFER(leave_failing, &words['b' - 'a']);
    EDDY_DEFER(leave, &words['c' - 'a']);

    if (rc < 0)
        return eddy_raise(rc, "the reason");
    (void)note('x');
    return eddy_sleep(10);
}
EDDY_ASYNC(defers, int);

/* A-STACK-1, -3, -9: at the end of the block, last in, first out; each of them. */
TEST(deferred_calls_run_in_reverse_order)
{
    CHECK_OK(defers(0));
    CHECK_STR(trace, "xcba");
}

/* A-STACK-1, -6: on an error, which they neither see nor change (promise 1). */
TEST(deferred_calls_run_on_an_error_and_leave_its_text)
{
    CHECK_EQ(defers(-EIO), -EIO);
    CHECK_STR(trace, "cba");
    CHECK_STR(eddy_error_message(-EIO), "the reason");
}

/* A-STACK-1, promise 2: on a cancel, and may wait although the task is cancelled. */
TEST(deferred_calls_may_wait_in_a_cancelled_task)
{
    double start = eddy_time();
    EDDY_TASK task = eddy_create_task(defers, 0);

    CHECK_OK(eddy_sleep(1));
    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_STR(trace, "xcba");
    CHECK(eddy_time() == start + 3.0);
}

/* The same in a block whose time is up. */
TEST(deferred_calls_may_wait_when_the_time_is_up)
{
    EDDY_TIMEOUT(limit, 2.0);

    CHECK_EQ(defers(0), -ETIMEDOUT);
    CHECK_STR(trace, "xcba");
}

static int enters(int rc)
{
    return rc;
}

static int with_failing_enter(void)
{
    EDDY_TRY(enters(0));
    EDDY_DEFER(leave, &words['a' - 'a']);
    EDDY_TRY(enters(-ENOENT));
    EDDY_DEFER(leave, &words['b' - 'a']);
    return 0;
}

/* A-STACK-2, -5: what was not entered is not left, what was entered is. */
TEST(what_was_not_entered_is_not_left)
{
    CHECK_EQ(with_failing_enter(), -ENOENT);
    CHECK_STR(trace, "a");
}

/* The argument is evaluated where the defer stands. */
TEST(the_argument_of_a_deferred_call_is_taken_at_once)
{
    {
        const char *word = "o";

        EDDY_DEFER(leave, word);
        word = "n";
        (void)word;
    }
    CHECK(strcmp(trace, "o") == 0 || test_is_cancelled());
}

/* It may be an array, as a path or a line is. */
TEST(the_argument_of_a_deferred_call_may_be_an_array)
{
    {
        char word[] = "w";

        EDDY_DEFER(leave, word);
        EDDY_DEFER(leave, "v");
    }
    CHECK(strcmp(trace, "vw") == 0 || test_is_cancelled());
}

/* Order --------------------------------------------------------------------- */

static int closes_out_of_order(void)
{
    eddy_timeout outer, inner;

    eddy_timeout_enter(&outer, 1, "file.c:1");
    eddy_timeout_enter(&inner, 1, "file.c:2");
    eddy_timeout_exit(&outer);
    return 0;
}
EDDY_ASYNC(closes_out_of_order);

static int leaves_open(void)
{
    static eddy_shield_scope shield;

    eddy_task_set_name(eddy_current_task(), "careless");
    eddy_shield_enter(&shield, "file.c:3");
    return 0;
}
EDDY_ASYNC(leaves_open);

static void run_closes_out_of_order(void)
{
    (void)eddy_run(closes_out_of_order);
}

static void run_leaves_open(void)
{
    (void)eddy_run(leaves_open);
}

/* A scope that ends out of order, or not at all, aborts with its place. */
RAW_TEST(scopes_that_are_not_nested_abort)
{
    CHECK_DIES(run_closes_out_of_order, "the timeout of file.c:1 is closed out of order");
    CHECK_DIES(run_leaves_open, "task careless left the scope of file.c:3 open");
}

static int leaves_scopes_in_child(void)
{
    int status = -1;
    pid_t child;

    {
        EDDY_TIMEOUT(limit, 100);
        EDDY_SHIELD(shield);
        child = fork();
    }
    if (child == 0)
        _exit(eddy_run(sleep_within, 100.0, 1.0) < 0);
    REQUIRE(waitpid(child, &status, 0) == child);
    return status;
}
EDDY_ASYNC(leaves_scopes_in_child);

/* A child may leave the blocks in which it was forked; their loop is the parent's. */
RAW_TEST(scopes_end_in_a_child_of_fork)
{
    CHECK_EQ(eddy_run(leaves_scopes_in_child), 0);
}
