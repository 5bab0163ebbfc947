/* SPDX-License-Identifier: MIT */
/*
 * Parking and waking: order, the budget of promise 6, and what happens when a
 * wake-up and a cancel meet (promise 3).
 */
#include "harness.h"

static int flag;

static int sets_flag(void)
{
    flag = 1;
    return 0;
}
EDDY_ASYNC(sets_flag);

static int cancels(eddy_task **task)
{
    flag = 1;
    return eddy_cancel(*task);
}
EDDY_ASYNC(cancels, eddy_task **);

static int set_flag_callback(void *argument)
{
    (void)argument;
    flag = 1;
    return 0;
}

/* Promise 6: at most one forced yield in 128 checked calls of one resume. */
TEST(a_task_gives_way_after_128_checked_calls)
{
    eddy_event event = EDDY_EVENT_INIT;
    int calls = 0;

    eddy_event_set(&event);
    CHECK_OK(eddy_sleep(0)); /* a new resume */
    EDDY_TASK other = eddy_create_task(sets_flag);
    while (!flag && calls < 1000) {
        CHECK_OK(eddy_event_wait(&event)); /* need not wait */
        calls++;
    }
    CHECK_OK(eddy_await(other));
    CHECK(calls > 100);
    CHECK(calls <= 129);
}

/* The same for every kind of call that need not wait. */
TEST(a_tight_loop_over_a_queue_lets_others_run)
{
    EDDY_QUEUE(queue, int, 4);
    EDDY_TASK other = eddy_create_task(sets_flag);
    int rounds = 0;

    for (; !flag && rounds < 1000; rounds++) {
        int item = rounds;

        CHECK_OK(eddy_queue_put(&queue, &item));
        CHECK_OK(eddy_queue_get(&queue, &item));
        CHECK_EQ(item, rounds);
    }
    CHECK(rounds <= 65);
    CHECK_OK(eddy_await(other));
}

TEST(a_tight_loop_over_an_ended_task_or_a_lock_lets_others_run)
{
    eddy_lock lock = EDDY_LOCK_INIT;
    EDDY_TASK ended = eddy_create_task(sets_flag);
    int rounds = 0;

    CHECK_OK(eddy_await(ended));
    flag = 0;
    EDDY_TASK other = eddy_create_task(sets_flag);
    for (; !flag && rounds < 1000; rounds++)
        CHECK_OK(eddy_await(ended));
    CHECK(rounds <= 129);
    flag = 0;
    EDDY_TASK another = eddy_create_task(sets_flag);
    for (rounds = 0; !flag && rounds < 1000; rounds++) {
        CHECK_OK(eddy_lock_acquire(&lock));
        eddy_lock_release(&lock);
    }
    CHECK(rounds <= 129);
    CHECK_OK(eddy_await(other));
    CHECK_OK(eddy_await(another));
}

static int gets_until_cancelled(eddy_queue *queue, int *got)
{
    int item, rc;

    while ((rc = eddy_queue_get(queue, &item)) == 0)
        ++*got;
    return rc;
}
EDDY_ASYNC(gets_until_cancelled, eddy_queue *, int *);

/* Promise 6: the forced yield comes before the check and never after the effect: a
 * cancel that arrives in it takes no item. */
TEST(a_cancel_in_a_forced_yield_takes_nothing)
{
    EDDY_QUEUE(queue, int, 0);
    int got = 0;
    eddy_task *getter = NULL;

    for (int i = 0; i < 300; i++)
        CHECK_OK(eddy_queue_put_nowait(&queue, &i));
    getter = eddy_create_task(gets_until_cancelled, &queue, &got);
    EDDY_TASK canceller = eddy_create_task(cancels, &getter);
    int rc = eddy_await(getter);
    eddy_task_release(&getter);
    CHECK_EQ(rc, -ECANCELED);
    CHECK(got > 0 && got < 300);
    CHECK_EQ(got + (int)eddy_queue_size(&queue), 300);
    CHECK_OK(eddy_await(canceller));
}

static int gives_way(int *rounds, const int *stop)
{
    while (!*stop && *rounds < 10000) {
        EDDY_TRY(eddy_sleep(0));
        ++*rounds;
    }
    return 0;
}
EDDY_ASYNC(gives_way, int *, const int *);

/* Promise 6: while tasks are ready, the kernel and other threads are heard at least
 * every 64 resumes. */
TEST(the_inbox_is_emptied_although_tasks_are_always_ready)
{
    int a = 0, b = 0;
    static eddy_post post = EDDY_POST_INIT(set_flag_callback, NULL);
    EDDY_TASK first = eddy_create_task(gives_way, &a, &flag);
    EDDY_TASK second = eddy_create_task(gives_way, &b, &flag);

    CHECK_OK(eddy_loop_post(eddy_get_running_loop(), &post));
    (void)eddy_await(first);
    (void)eddy_await(second);
    CHECK(flag);
    CHECK(a + b <= 130);
}

/* Every one of N ready tasks runs once before any runs again. */
TEST(each_of_many_ready_tasks_has_its_turn)
{
    int rounds[200] = {0}, stop = 0;

    {
        EDDY_TASKS(tasks, 200);

        CHECK(tasks);
        for (int i = 0; i < 200; i++)
            tasks[i] = eddy_create_task(gives_way, &rounds[i], &stop);
        for (int turn = 1; turn <= 5; turn++) {
            CHECK_OK(eddy_sleep(0));
            for (int i = 0; i < 200; i++)
                CHECK_EQ(rounds[i], turn - 1);
        }
        stop = 1;
        for (int i = 0; i < 200; i++)
            CHECK_OK(eddy_await(tasks[i]));
    }
}

static int takes(eddy_queue *queue, int *item, int *next)
{
    int rc = eddy_queue_get(queue, item);

    *next = eddy_sleep(0);
    return rc;
}
EDDY_ASYNC(takes, eddy_queue *, int *, int *);

/* Promise 3: once a call has parked, completion wins; the cancel is seen at the next. */
TEST(a_wake_up_that_came_before_the_cancel_stands)
{
    EDDY_QUEUE(queue, int, 1);
    int item = 0, next = 0;
    EDDY_TASK getter = eddy_create_task(takes, &queue, &item, &next);

    CHECK_OK(eddy_sleep(0));
    CHECK_OK(eddy_queue_put_nowait(&queue, &(int){7})); /* handed to it */
    eddy_cancel(getter);
    CHECK_OK(eddy_await(getter));
    CHECK_EQ(item, 7);
    CHECK_EQ(next, -ECANCELED);
    CHECK(eddy_queue_empty(&queue));
}

TEST(a_wake_up_that_came_after_the_cancel_takes_nothing)
{
    EDDY_QUEUE(queue, int, 1);
    int item = 0, next = 0;
    EDDY_TASK getter = eddy_create_task(takes, &queue, &item, &next);

    CHECK_OK(eddy_sleep(0));
    eddy_cancel(getter);
    CHECK_OK(eddy_queue_put_nowait(&queue, &(int){7}));
    CHECK_EQ(eddy_await(getter), -ECANCELED);
    CHECK_EQ(item, 0);
    CHECK_EQ(eddy_queue_size(&queue), 1);
}

static int naps_with_limit(double limit, int *rc, int *next)
{
    EDDY_TIMEOUT(scope, limit);

    *rc = eddy_sleep(100);
    *next = eddy_sleep(0);
    return 0;
}
EDDY_ASYNC(naps_with_limit, double, int *, int *);

static int cancels_after(double seconds, eddy_task **task)
{
    EDDY_TRY(eddy_sleep(seconds));
    return eddy_cancel(*task);
}
EDDY_ASYNC(cancels_after, double, eddy_task **);

/* Promise 2: a pending cancel outranks a timeout, also one that fired in the same
 * tick, before the task could go on (CPython #95289, #116720). */
TEST(a_cancel_outranks_a_timeout_that_fired_in_the_same_tick)
{
    eddy_task *task = NULL;
    int rc = 0, next = 0;
    EDDY_TASK canceller = eddy_create_task(cancels_after, 1.0, &task);

    CHECK_OK(eddy_sleep(0)); /* its timer comes first, so it runs before the sleeper */
    task = eddy_create_task(naps_with_limit, 1.0, &rc, &next);
    (void)eddy_await(task);
    eddy_task_release(&task);
    CHECK_EQ(rc, -ECANCELED);
    CHECK_EQ(next, -ECANCELED);
    CHECK_OK(eddy_await(canceller));
}

/* A thousand tasks in a ring, each waking the next: no wake-up is lost. */
static int passes_on(eddy_event *mine, eddy_event *next, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        EDDY_TRY(eddy_event_wait(mine));
        eddy_event_clear(mine);
        eddy_event_set(next);
    }
    return 0;
}
EDDY_ASYNC(passes_on, eddy_event *, eddy_event *, int);

TEST(no_wake_up_is_lost_in_a_ring_of_tasks)
{
    enum { COUNT = 100, ROUNDS = 20 };
    static eddy_event events[COUNT];
    EDDY_TASKS(tasks, COUNT);

    CHECK(tasks);
    for (int i = 0; i < COUNT; i++)
        tasks[i] = eddy_create_task(passes_on, &events[i], &events[(i + 1) % COUNT], ROUNDS);
    eddy_event_set(&events[0]);
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(eddy_await(tasks[i]));
}

static int note_that_it_ran(bool *ran)
{
    *ran = true;
    return 0;
}
EDDY_ASYNC(note_that_it_ran, bool *);

static int take_a_free_lock(void)
{
    eddy_lock lock = EDDY_LOCK_INIT;

    EDDY_TRY(eddy_lock_acquire(&lock));
    return eddy_lock_release(&lock);
}

/* Promise 6: a forced yield comes after 128 checked calls, not because calls were
 * refused before. */
TEST(a_call_behind_refused_ones_does_not_give_way)
{
    bool ran = false;

    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_sleep(5), -ETIMEDOUT);
    }
    EDDY_TASK other = eddy_create_task(note_that_it_ran, &ran);
    CHECK_OK(take_a_free_lock());
    CHECK(!ran);
    CHECK_OK(eddy_await(other));
}

static int withdraw_and_take(bool *ran)
{
    REQUIRE(eddy_sleep(5) == -ECANCELED);
    REQUIRE(eddy_uncancel() == 0);
    EDDY_TASK other = eddy_create_task(note_that_it_ran, ran);
    EDDY_TRY(take_a_free_lock());
    REQUIRE(!*ran);
    return eddy_await(other);
}
EDDY_ASYNC(withdraw_and_take, bool *);

TEST(a_call_behind_a_withdrawn_cancel_does_not_give_way)
{
    bool ran = false;
    EDDY_TASK task = eddy_create_task(withdraw_and_take, &ran);

    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
}
