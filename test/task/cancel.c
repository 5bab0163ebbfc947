/* SPDX-License-Identifier: MIT */
/*
 * Cancelling: rules A-CANCEL-1 to A-CANCEL-20, level-triggered and owned, as the
 * promises 2 and 3 have it.
 */
#include "harness.h"

#include <pthread.h>

static int steps, refused;

static int sleeps(double seconds)
{
    int rc;

    steps++;
    rc = eddy_sleep(seconds);
    steps++;
    return rc;
}
EDDY_ASYNC(sleeps, double);

static int returns(int rc)
{
    return rc;
}
EDDY_ASYNC(returns, int);

/* A-CANCEL-1: on an ended task nothing happens; on another it is a request. */
TEST(a_cancel_of_an_ended_task_does_nothing)
{
    EDDY_TASK task = eddy_create_task(returns, 0);
    EDDY_TASK asleep = eddy_create_task(sleeps, 5.0);

    CHECK_OK(eddy_await(task));
    CHECK_EQ(eddy_cancel(task), -EALREADY);
    CHECK(!eddy_task_cancelled(task));
    CHECK_EQ(eddy_task_error(task), 0);
    CHECK_EQ(eddy_cancel(asleep), 0);
    CHECK_EQ(eddy_cancel(asleep), 0); /* a second request is the same request */
    CHECK_EQ(eddy_await(asleep), -ECANCELED);
    CHECK_EQ(eddy_cancel(asleep), -EALREADY);
}

/* A-CANCEL-2, A-CANCEL-15: it arrives at the suspension, never inside eddy_cancel. */
TEST(a_cancel_is_delivered_where_the_task_waits_and_not_at_once)
{
    EDDY_TASK task = eddy_create_task(sleeps, 5.0);

    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(steps, 1);
    eddy_cancel(task);
    CHECK_EQ(steps, 1);
    CHECK(!eddy_task_done(task) && !eddy_task_cancelled(task));
    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(steps, 2);
    CHECK(eddy_task_done(task) && eddy_task_cancelled(task));
}

/* A-CANCEL-3 differs: the body always runs, so that it can free what it was given. */
TEST(a_task_cancelled_before_its_start_still_runs_its_body)
{
    EDDY_TASK task = eddy_create_task(sleeps, 5.0);

    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(steps, 2);
}

static int counts_refusals(int times)
{
    for (int i = 0; i < times; i++)
        refused += eddy_sleep(1) == -ECANCELED;
    return eddy_cancelled() ? -ECANCELED : 0;
}
EDDY_ASYNC(counts_refusals, int);

/* A-CANCEL-4, -5, -12, -18 differ: a cancel stays until the task ends or withdraws it,
 * however often it was asked, and whether its error was looked at or not. */
TEST(every_call_of_a_cancelled_task_is_refused)
{
    double start = eddy_time();
    EDDY_TASK task = eddy_create_task(counts_refusals, 10);

    CHECK_OK(eddy_sleep(0));
    eddy_cancel(task);
    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(refused, 10);
    CHECK(eddy_time() == start);
}

static int waits_in_every_way(void)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    eddy_event event = EDDY_EVENT_INIT;
    eddy_queue queue = EDDY_QUEUE_INIT(int, 1);
    eddy_future future = EDDY_FUTURE_INIT(int);
    eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(1);
    eddy_task *self = eddy_current_task();
    int item = 1;

    eddy_cancel(self);
    REQUIRE(eddy_sleep(0) == -ECANCELED);
    REQUIRE(eddy_sleep(1) == -ECANCELED);
    REQUIRE(eddy_await(self) == -ECANCELED);
    REQUIRE(eddy_await(&future, &item) == -ECANCELED);
    REQUIRE(eddy_event_wait(&event) == -ECANCELED);
    REQUIRE(eddy_gather(EDDY_CALL(returns, 0)) == -ECANCELED);
    REQUIRE(eddy_wait(&self, 1, EDDY_ALL_COMPLETED, 0) == -ECANCELED);
    REQUIRE(eddy_wait_for(EDDY_CALL(returns, 0), 1.0) == -ECANCELED);
    REQUIRE(eddy_shield(EDDY_CALL(returns, 0)) == -ECANCELED);
    REQUIRE(eddy_to_thread(returns, 0) == -ECANCELED);
    REQUIRE(eddy_queue_put(&queue, &item) == -ECANCELED); /* would not have to wait */
    REQUIRE(eddy_queue_empty(&queue));
    REQUIRE(eddy_lock_acquire(&lock) == -ECANCELED);
    REQUIRE(!eddy_lock_locked(&lock));
    REQUIRE(eddy_semaphore_acquire(&semaphore) == -ECANCELED);
    REQUIRE(!eddy_semaphore_locked(&semaphore));
    REQUIRE(eddy_uncancel() == 0);
    REQUIRE(eddy_queue_put(&queue, &item) == 0);
    eddy_cancel(self);
    REQUIRE(eddy_queue_get(&queue, &item) == -ECANCELED);
    REQUIRE(eddy_queue_size(&queue) == 1);
    eddy_queue_deinit(&queue);
    return 5;
}
EDDY_ASYNC(waits_in_every_way);

/* Promise 6: every suspending call is a check, whether it needs to wait or not, and
 * promise 3: with nothing taken. */
TEST(every_kind_of_call_is_refused_with_nothing_taken)
{
    EDDY_TASK task = eddy_create_task(waits_in_every_way);

    CHECK_EQ(eddy_await(task), 5);
}

static int ignores_and_returns(void)
{
    (void)eddy_sleep(5);
    return 3;
}
EDDY_ASYNC(ignores_and_returns);

/* A-CANCEL-14: what the body returns decides: finished, failed or cancelled. */
TEST(what_the_body_returns_decides_how_a_cancelled_task_ended)
{
    EDDY_TASK finished = eddy_create_task(ignores_and_returns);

    CHECK_OK(eddy_sleep(0));
    eddy_cancel(finished);
    CHECK_EQ(eddy_await(finished), 3);
    CHECK(!eddy_task_cancelled(finished));
}

static int turns_into_error(void)
{
    return eddy_sleep(5) == -ECANCELED ? eddy_raise(-EIO, "instead of the cancel") : 0;
}
EDDY_ASYNC(turns_into_error);

/* A-CANCEL-14: failed, not cancelled. */
TEST(a_cancelled_task_may_end_with_another_error)
{
    EDDY_TASK task = eddy_create_task(turns_into_error);

    CHECK_OK(eddy_sleep(0));
    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -EIO);
    CHECK(!eddy_task_cancelled(task));
    CHECK_STR(eddy_error_message(-EIO), "instead of the cancel");
}

/* A-CANCEL-13, -16: a body that returns -ECANCELED is cancelled, whoever asked. */
TEST(a_body_that_returns_the_cancel_code_is_cancelled)
{
    EDDY_TASK task = eddy_create_task(returns, -ECANCELED);

    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK(eddy_task_cancelled(task));
    CHECK_EQ(eddy_task_error(task), -ECANCELED);
    CHECK(!eddy_cancelled()); /* not me */
}

static int cancels_itself(bool waits)
{
    eddy_cancel(eddy_current_task());
    steps++;
    REQUIRE(eddy_cancelled());
    if (waits)
        (void)eddy_sleep(0);
    return 3;
}
EDDY_ASYNC(cancels_itself, bool);

/* A-CANCEL-10: without a suspension it ends cancelled, and its result is dropped.
 * Where a call has told it, its return decides. */
TEST(a_task_that_cancels_itself_and_returns_is_cancelled)
{
    EDDY_TASK task = eddy_create_task(cancels_itself, false);
    EDDY_TASK told = eddy_create_task(cancels_itself, true);

    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK(eddy_task_cancelled(task));
    CHECK_EQ(steps, 2);
    CHECK_EQ(eddy_await(told), 3);
}

static int withdraws(void)
{
    int rc = eddy_sleep(5);

    REQUIRE(rc == -ECANCELED);
    REQUIRE(eddy_cancelled());
    REQUIRE(eddy_uncancel() == 0);
    REQUIRE(!eddy_cancelled());
    REQUIRE(eddy_uncancel() == -ENOENT);
    REQUIRE(eddy_sleep(1) == 0);
    rc = eddy_sleep(5); /* asked anew meanwhile */
    REQUIRE(rc == -ECANCELED);
    return eddy_uncancel();
}
EDDY_ASYNC(withdraws);

/* A-CANCEL-11: uncancel makes calls work again; a later cancel is a new one. */
TEST(uncancel_withdraws_a_cancel_until_the_next)
{
    EDDY_TASK task = eddy_create_task(withdraws);

    CHECK_OK(eddy_sleep(0));
    eddy_cancel(task);
    CHECK_OK(eddy_sleep(2));
    eddy_cancel(task);
    CHECK_OK(eddy_await(task));
}

static int withdraws_early(void)
{
    eddy_cancel(eddy_current_task());
    REQUIRE(eddy_uncancel() == 0);
    return eddy_sleep(1) == 0 ? 4 : -EINVAL;
}
EDDY_ASYNC(withdraws_early);

/* A-CANCEL-11: also one that was never delivered. */
TEST(uncancel_withdraws_an_undelivered_cancel)
{
    EDDY_TASK task = eddy_create_task(withdraws_early);

    CHECK_EQ(eddy_await(task), 4);
}

static int tries_to_stay(int *said)
{
    int rc = eddy_sleep(5);

    *said = eddy_uncancel();
    REQUIRE(strcmp(eddy_task_name(eddy_current_task()), "stays") == 0);
    REQUIRE(strstr(eddy_error_message(-EPERM), "from the owner of task stays"));
    REQUIRE(eddy_cancelled());
    REQUIRE(eddy_sleep(1) == -ECANCELED);
    return rc;
}
EDDY_ASYNC(tries_to_stay, int *);

/* Promise 2: what the owner asked cannot be withdrawn: end of scope, of group. */
TEST(an_owners_cancel_cannot_be_withdrawn)
{
    int said = 0;

    {
        EDDY_TASK task =
            eddy_create_task_with((&(eddy_task_options){.name = "stays"}), tries_to_stay, &said);

        (void)task;
        CHECK_OK(eddy_sleep(0));
    }
    CHECK_EQ(said, -EPERM);
}

static int awaits(eddy_task *task)
{
    return eddy_await(task);
}
EDDY_ASYNC(awaits, eddy_task *);

/* A-CANCEL-7, -19 differ: awaiting passes no cancel on. */
TEST(a_cancelled_awaiter_does_not_cancel_what_it_awaits)
{
    EDDY_TASK inner = eddy_create_task(sleeps, 5.0);
    EDDY_TASK outer = eddy_create_task(awaits, inner);
    EDDY_TASK other = eddy_create_task(awaits, inner);

    CHECK_OK(eddy_sleep(1));
    eddy_cancel(outer);
    CHECK_EQ(eddy_await(outer), -ECANCELED);
    CHECK(!eddy_task_done(inner));
    CHECK_OK(eddy_await(inner));
    CHECK_OK(eddy_await(other));
}

/* A-CANCEL-16: who awaits a cancelled task gets -ECANCELED, and is not cancelled. */
TEST(awaiting_a_cancelled_task_does_not_cancel_the_awaiter)
{
    EDDY_TASK task = eddy_create_task(sleeps, 5.0);

    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK(!eddy_cancelled());
    CHECK_OK(eddy_sleep(1));
}

/* A-CANCEL-17: the code is of its own, not an ordinary error's. */
RAW_TEST(the_cancel_code_has_its_own_name)
{
    CHECK_STR(eddy_error_name(-ECANCELED), "ECANCELED");
    CHECK_STR(eddy_strerror(-ECANCELED), "cancelled");
}

static int retries(int *others)
{
    while (*others < 3)
        (void)eddy_sleep(1); /* refused each time */
    return 0;
}
EDDY_ASYNC(retries, int *);

static int works(int *rounds)
{
    for (; *rounds < 3; ++*rounds)
        EDDY_TRY(eddy_sleep(0));
    return 0;
}
EDDY_ASYNC(works, int *);

/* Promise 6: refused calls use up the budget too, so that this does not hang. */
TEST(a_retry_loop_of_a_cancelled_task_lets_others_run)
{
    int rounds = 0;
    EDDY_TASK worker = eddy_create_task(works, &rounds);
    EDDY_TASK task = eddy_create_task(retries, &rounds);

    eddy_cancel(task);
    (void)eddy_await(task);
    CHECK_EQ(rounds, 3);
    CHECK_OK(eddy_await(worker));
}

/* A-CANCEL-20: from another thread, by a callback on the loop. */
struct remote {
    eddy_loop *loop;
    eddy_task *task;
};

static int cancel_task(void *argument)
{
    return eddy_cancel(argument);
}

static void *cancel_from_thread(void *argument)
{
    struct remote *remote = argument;

    (void)eddy_loop_call_soon_threadsafe(remote->loop, cancel_task, remote->task);
    return NULL;
}

TEST(another_thread_cancels_by_a_callback)
{
    EDDY_TASK task = eddy_create_task(sleeps, EDDY_FOREVER);
    struct remote remote = {eddy_get_running_loop(), task};
    pthread_t thread;

    eddy_loop_hold(remote.loop);
    pthread_create(&thread, NULL, cancel_from_thread, &remote);
    int rc = eddy_await(task);
    pthread_join(thread, NULL);
    eddy_loop_release(remote.loop);
    CHECK_EQ(rc, -ECANCELED);
}

/* Completion and cancel in one tick ---------------------------------------- */

static int later(double seconds, int *out)
{
    EDDY_TRY(eddy_sleep(seconds));
    *out = 42;
    return 0;
}
EDDY_ASYNC_RESULT(int, later, double);

static int takes_then_sleeps(eddy_task *task, int *value, int *next)
{
    int rc = eddy_await(task, value);

    *next = eddy_sleep(0);
    return rc;
}
EDDY_ASYNC(takes_then_sleeps, eddy_task *, int *, int *);

/* A-CANCEL-6 differs: once the result is there, it is the awaiter's; the cancel comes
 * with the next call (CPython #86296: one of the two, never both or none). */
TEST(a_result_that_came_before_the_cancel_is_delivered)
{
    int value = 0, next = 0;
    EDDY_TASK source = eddy_create_task(later, 1.0);
    EDDY_TASK taker = eddy_create_task(takes_then_sleeps, source, &value, &next);

    CHECK_OK(eddy_sleep(0));
    CHECK_OK(eddy_sleep(1)); /* source has ended in this tick, taker is ready */
    CHECK(eddy_task_done(source));
    CHECK(!eddy_task_done(taker));
    eddy_cancel(taker);
    CHECK_OK(eddy_await(taker));
    CHECK_EQ(value, 42);
    CHECK_EQ(next, -ECANCELED);
}

static int cancels_at(double seconds, eddy_task *task)
{
    EDDY_TRY(eddy_sleep(seconds));
    return eddy_cancel(task);
}
EDDY_ASYNC(cancels_at, double, eddy_task *);

static int cancels_through(double seconds, eddy_task **task)
{
    EDDY_TRY(eddy_sleep(seconds));
    return eddy_cancel(*task);
}
EDDY_ASYNC(cancels_through, double, eddy_task **);

/* The other order: the cancel came first, and the result stays with its task. */
TEST(a_result_that_came_after_the_cancel_stays_with_its_task)
{
    int value = 0, next = 0;
    eddy_task *taker = NULL, *source = NULL;
    EDDY_TASK canceller = eddy_create_task(cancels_through, 1.0, &taker);

    CHECK_OK(eddy_sleep(0)); /* its timer comes first */
    source = eddy_create_task(later, 1.0);
    taker = eddy_create_task(takes_then_sleeps, source, &value, &next);
    int rc = eddy_await(taker);
    eddy_task_release(&taker);
    int kept = 0, source_rc = eddy_await(source, &kept);
    eddy_task_release(&source);
    CHECK_EQ(rc, -ECANCELED);
    CHECK_EQ(value, 0);
    CHECK_EQ(next, -ECANCELED);
    CHECK_EQ(source_rc, 0);
    CHECK_EQ(kept, 42);
    CHECK_OK(eddy_await(canceller));
}

static int sleep_results[2];

static int sleeps_twice(void)
{
    sleep_results[0] = eddy_sleep(1);
    sleep_results[1] = eddy_sleep(1);
    return 0;
}
EDDY_ASYNC(sleeps_twice);

/* The same for a sleep: its timer fires, then the cancel comes in the same tick. */
TEST(a_sleep_that_was_over_before_the_cancel_has_succeeded)
{
    EDDY_TASK sleeper = eddy_create_task(sleeps_twice);
    EDDY_TASK canceller = eddy_create_task(cancels_at, 1.0, sleeper);
    EDDY_TASK first = eddy_create_task(sleeps, 0.5);

    CHECK_OK(eddy_await(first));
    CHECK_OK(eddy_await(sleeper));
    CHECK_OK(eddy_await(canceller));
    /* both timers fire at 1 s, and the sleeper goes on before the canceller */
    CHECK_EQ(sleep_results[0], 0);
    CHECK_EQ(sleep_results[1], -ECANCELED);
}

/* And the canceller first: the sleeper is already woken, but has not run yet. */
TEST(a_sleeper_cancelled_between_its_timer_and_its_turn_has_slept)
{
    eddy_task *sleeper = NULL;
    EDDY_TASK canceller = eddy_create_task(cancels_through, 1.0, &sleeper);

    CHECK_OK(eddy_sleep(0));
    sleeper = eddy_create_task(sleeps_twice);
    int rc = eddy_await(sleeper);
    eddy_task_release(&sleeper);
    CHECK_EQ(rc, 0);
    CHECK_EQ(sleep_results[0], 0); /* its timer had fired */
    CHECK_EQ(sleep_results[1], -ECANCELED);
    CHECK_OK(eddy_await(canceller));
}
