/* SPDX-License-Identifier: MIT */
/*
 * Queues: rules A-Q-1 to A-Q-15. Shutdown, memory and misuse stand in
 * queue_ends.c, random operations against a model in queue_model.c.
 */
#include "harness.h"

static int log_of[64], logged; /* what the tasks of a test noted, in order */
static int bumps;

static void note(int value)
{
    if (logged < 64)
        log_of[logged++] = value;
}

static int get_one(eddy_queue *queue)
{
    int item;

    return eddy_queue_get(queue, &item);
}
EDDY_ASYNC(get_one, eddy_queue *);

/* Gets one item and notes it with its own number: 100 * who + item. */
static int take(eddy_queue *queue, int who, int *out)
{
    int item = 0;

    EDDY_TRY(eddy_queue_get(queue, &item));
    note(100 * who + item);
    *out = item;
    return 0;
}
EDDY_ASYNC_RESULT(int, take, eddy_queue *, int);

static int give(eddy_queue *queue, int item)
{
    EDDY_TRY(eddy_queue_put(queue, &item));
    note(item);
    return 0;
}
EDDY_ASYNC(give, eddy_queue *, int);

static int bump_for_ever(void)
{
    for (;;) {
        bumps++;
        EDDY_TRY(eddy_sleep(0));
    }
}
EDDY_ASYNC(bump_for_ever);

static int join_and_note(eddy_queue *queue, int who)
{
    EDDY_TRY(eddy_queue_join(queue));
    note(who);
    return 0;
}
EDDY_ASYNC(join_and_note, eddy_queue *, int);

/* A-Q-6: a getter cancelled while it waits must not swallow the next item. */
TEST(queue_get_cancelled_while_waiting_takes_nothing)
{
    eddy_queue q = EDDY_QUEUE_INIT(int, 1);
    EDDY_TASK getter = eddy_create_task(get_one, &q);

    test_settle(); /* the getter is parked in get() */
    eddy_cancel(getter);
    CHECK_OK(eddy_queue_put(&q, &(int){7}));
    CHECK_EQ(eddy_await(getter), -ECANCELED);

    int item = 0;
    CHECK_OK(eddy_queue_get(&q, &item)); /* still there */
    CHECK_EQ(item, 7);
}

/* A-Q-6: a putter cancelled while it waits adds nothing, and leaves its turn to the next. */
TEST(queue_put_cancelled_while_waiting_adds_nothing)
{
    EDDY_QUEUE(q, int, 1);
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    EDDY_TASK first = eddy_create_task(give, &q, 2);
    EDDY_TASK second = eddy_create_task(give, &q, 3);
    int item = 0;

    test_settle();
    eddy_cancel(first);
    CHECK_EQ(eddy_await(first), -ECANCELED);
    CHECK_OK(eddy_queue_get(&q, &item));
    CHECK_EQ(item, 1);
    CHECK_OK(eddy_await(second));
    CHECK_OK(eddy_queue_get(&q, &item));
    CHECK_EQ(item, 3);
    CHECK(eddy_queue_empty(&q));
}

/* A-Q-1: maxsize 0 means no bound. */
TEST(queue_without_a_bound_is_never_full)
{
    EDDY_QUEUE(q, int, 0);

    for (int i = 0; i < 1000; i++) {
        CHECK(!eddy_queue_full(&q));
        CHECK_OK(eddy_queue_put_nowait(&q, &i));
    }
    CHECK_EQ(eddy_queue_size(&q), 1000);
}

/* A-Q-2: what need not wait does not yield. */
TEST(queue_put_and_get_that_need_not_wait_do_not_yield)
{
    EDDY_QUEUE(q, int, 10);
    EDDY_TASK other = eddy_create_task(bump_for_ever);
    int item = 0;

    CHECK_OK(eddy_sleep(0));
    int before = bumps;

    for (int i = 0; i < 10; i++)
        CHECK_OK(eddy_queue_put(&q, &i));
    for (int i = 0; i < 10; i++)
        CHECK_OK(eddy_queue_get(&q, &item));
    CHECK_EQ(bumps, before);
    CHECK_OK(eddy_sleep(0));
    CHECK(bumps > before); /* the other one was there all the time */
}

/* A-Q-2, where Eddy differs (promise 6): a tight loop gives way once in 128 calls. */
TEST(queue_tight_producer_does_not_starve_others)
{
    EDDY_QUEUE(q, int, 0);
    EDDY_TASK other = eddy_create_task(bump_for_ever);
    int puts = 0;

    while (bumps == 0 && puts < 1000 && eddy_queue_put(&q, &puts) == 0)
        puts++;
    CHECK(bumps > 0);
    CHECK(puts <= 129);
    CHECK_EQ(eddy_queue_size(&q), puts); /* the forced yield lost no item */
}

/* A-Q-3: items in order, getters in order, one item each. */
TEST(queue_serves_getters_first_come_first_served)
{
    EDDY_QUEUE(q, int, 0);
    EDDY_TASK a = eddy_create_task(take, &q, 1);
    EDDY_TASK b = eddy_create_task(take, &q, 2);
    EDDY_TASK c = eddy_create_task(take, &q, 3);

    test_settle();
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    CHECK_OK(eddy_queue_put(&q, &(int){2}));
    test_settle();
    CHECK_EQ(logged, 2);
    CHECK_EQ(log_of[0], 101);
    CHECK_EQ(log_of[1], 202);
    CHECK(!eddy_task_done(c));
    CHECK_OK(eddy_queue_put(&q, &(int){3}));
    CHECK_OK(eddy_await(c));
    CHECK_EQ(log_of[2], 303);
}

/* A-Q-3: putters in order, one a freed slot. */
TEST(queue_serves_putters_first_come_first_served)
{
    EDDY_QUEUE(q, int, 1);
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    EDDY_TASK a = eddy_create_task(give, &q, 2);
    EDDY_TASK b = eddy_create_task(give, &q, 3);
    EDDY_TASK c = eddy_create_task(give, &q, 4);
    int item = 0;

    test_settle();
    CHECK_EQ(logged, 0);
    for (int i = 1; i <= 4; i++) {
        CHECK_OK(eddy_queue_get(&q, &item));
        CHECK_EQ(item, i);
        test_settle();
        CHECK_EQ(logged, i < 4 ? i : 3); /* one slot, one putter */
    }
    CHECK_EQ(log_of[0], 2);
    CHECK_EQ(log_of[2], 4);
}

/* A-Q-4, where Eddy differs: an item is handed over, so that nobody overtakes. */
TEST(queue_item_given_to_a_waiting_getter_cannot_be_taken_by_another)
{
    EDDY_QUEUE(q, int, 1);
    EDDY_TASK getter = eddy_create_task(take, &q, 1);
    int item = 0;

    test_settle();
    CHECK_OK(eddy_queue_put_nowait(&q, &(int){5}));
    CHECK_EQ(eddy_queue_size(&q), 0); /* it is the getter's */
    CHECK_EQ(eddy_queue_get_nowait(&q, &item), -EAGAIN);
    CHECK_OK(eddy_await(getter, &item));
    CHECK_EQ(item, 5);
}

/* A-Q-4, likewise: a freed slot belongs to the first putter at once. */
TEST(queue_slot_given_to_a_waiting_putter_cannot_be_taken_by_another)
{
    EDDY_QUEUE(q, int, 1);
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    EDDY_TASK putter = eddy_create_task(give, &q, 2);
    int item = 0;

    test_settle();
    CHECK_OK(eddy_queue_get_nowait(&q, &item));
    CHECK(eddy_queue_full(&q));
    CHECK_EQ(eddy_queue_put_nowait(&q, &(int){3}), -EAGAIN);
    CHECK_OK(eddy_await(putter));
    CHECK_OK(eddy_queue_get(&q, &item));
    CHECK_EQ(item, 2);
}

/* A-Q-5, promise 3, peers 6a (aiohttp 9670): what was granted before the cancel stands. */
TEST(queue_get_cancelled_in_the_tick_of_its_grant_keeps_the_item)
{
    EDDY_QUEUE(q, int, 1);
    EDDY_TASK granted = eddy_create_task(take, &q, 1);
    EDDY_TASK next = eddy_create_task(take, &q, 2);
    int item = 0;

    test_settle();
    CHECK_OK(eddy_queue_put_nowait(&q, &(int){5}));
    CHECK_OK(eddy_cancel(granted));
    CHECK_OK(eddy_await(granted, &item)); /* exactly one of the two: the item */
    CHECK_EQ(item, 5);
    CHECK_OK(eddy_queue_put_nowait(&q, &(int){6}));
    CHECK_OK(eddy_await(next, &item)); /* the next waiter is served as usual */
    CHECK_EQ(item, 6);
}

/* A-Q-5: the same for a putter: its item is in the queue, once. */
TEST(queue_put_cancelled_in_the_tick_of_its_grant_has_added_its_item)
{
    EDDY_QUEUE(q, int, 1);
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    EDDY_TASK granted = eddy_create_task(give, &q, 2);
    EDDY_TASK next = eddy_create_task(give, &q, 3);
    int item = 0;

    test_settle();
    CHECK_OK(eddy_queue_get(&q, &item));
    CHECK_OK(eddy_cancel(granted));
    CHECK_OK(eddy_await(granted));
    for (int i = 2; i <= 3; i++) {
        CHECK_OK(eddy_queue_get(&q, &item));
        CHECK_EQ(item, i);
    }
    CHECK_OK(eddy_await(next));
    CHECK(eddy_queue_empty(&q));
}

/* A-Q-5: a cancelled getter leaves no trace: the item goes to the one behind it. */
TEST(queue_getter_behind_a_cancelled_one_gets_the_item)
{
    EDDY_QUEUE(q, int, 1);
    EDDY_TASK first = eddy_create_task(take, &q, 1);
    EDDY_TASK second = eddy_create_task(take, &q, 2);
    int item = 0;

    test_settle();
    CHECK_OK(eddy_cancel(first));
    CHECK_OK(eddy_queue_put_nowait(&q, &(int){5})); /* in the same tick */
    CHECK_EQ(eddy_await(first), -ECANCELED);
    CHECK_OK(eddy_await(second, &item));
    CHECK_EQ(item, 5);
}

/* A cancelled task that gets from a queue which is not empty. */
static int get_when_cancelled(eddy_queue *queue)
{
    int item = -1;

    eddy_cancel(eddy_current_task());
    REQUIRE(eddy_queue_get(queue, &item) == -ECANCELED);
    REQUIRE(eddy_queue_put(queue, &item) == -ECANCELED);
    REQUIRE(eddy_queue_join(queue) == -ECANCELED);
    REQUIRE(item == -1);
    return 0;
}
EDDY_ASYNC(get_when_cancelled, eddy_queue *);

/* A-Q-6, promise 3: on entry a pending cancel wins, and nothing is taken or added. */
TEST(queue_calls_of_a_cancelled_task_take_and_add_nothing)
{
    EDDY_QUEUE(q, int, 5);
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    EDDY_TASK task = eddy_create_task(get_when_cancelled, &q);

    CHECK_OK(eddy_await(task));
    CHECK_EQ(eddy_queue_size(&q), 1);
}

/* A-Q-6: a timeout is no other than a cancel. */
TEST(queue_get_that_times_out_takes_nothing)
{
    EDDY_QUEUE(q, int, 1);
    int item = -1;
    {
        EDDY_TIMEOUT(limit, 2);
        CHECK_EQ(eddy_queue_get(&q, &item), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&limit));
    }
    CHECK_EQ(item, -1);
    CHECK_OK(eddy_queue_put(&q, &(int){3}));
    {
        EDDY_TIMEOUT(limit, 2);
        CHECK_EQ(eddy_queue_put(&q, &(int){4}), -ETIMEDOUT);
    }
    CHECK_OK(eddy_queue_get(&q, &item));
    CHECK_EQ(item, 3);
    CHECK(eddy_queue_empty(&q));
}

/* A-Q-7: the twins that do not wait. */
TEST(queue_nowait_says_again_and_has_no_effect)
{
    EDDY_QUEUE(q, int, 1);
    int item = -1;

    CHECK_EQ(eddy_queue_get_nowait(&q, &item), -EAGAIN);
    CHECK_EQ(item, -1);
    CHECK_OK(eddy_queue_put_nowait(&q, &(int){1}));
    CHECK_EQ(eddy_queue_put_nowait(&q, &(int){2}), -EAGAIN);
    CHECK_EQ(eddy_queue_size(&q), 1);
    CHECK_OK(eddy_queue_get_nowait(&q, &item));
    CHECK_EQ(item, 1);
}

/* A-Q-8: exact at the moment of the call, on the fast paths and off them. */
TEST(queue_size_empty_and_full_are_exact)
{
    EDDY_QUEUE(q, int, 2);
    int item = 0;

    CHECK(eddy_queue_empty(&q));
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    CHECK_EQ(eddy_queue_size(&q), 1);
    CHECK(!eddy_queue_empty(&q) && !eddy_queue_full(&q));
    CHECK_OK(eddy_queue_put(&q, &(int){2}));
    CHECK(eddy_queue_full(&q));
    EDDY_TASK putter = eddy_create_task(give, &q, 3);
    test_settle();
    CHECK_EQ(eddy_queue_size(&q), 2); /* a waiting putter's item is not in it */
    CHECK_OK(eddy_queue_get(&q, &item));
    CHECK_EQ(eddy_queue_size(&q), 2); /* its item took the place */
    CHECK_OK(eddy_queue_get(&q, &item));
    CHECK_OK(eddy_queue_get(&q, &item));
    CHECK(eddy_queue_empty(&q) && !eddy_queue_full(&q));
}

/* A-Q-9: each put counts, also one that is handed over or that had to wait. */
TEST(queue_task_done_balances_puts_and_no_more)
{
    EDDY_QUEUE(q, int, 1);
    EDDY_TASK getter = eddy_create_task(take, &q, 1);
    int item = 0;

    test_settle();
    CHECK_OK(eddy_queue_put(&q, &(int){1})); /* handed over */
    CHECK_OK(eddy_queue_put(&q, &(int){2}));
    EDDY_TASK putter = eddy_create_task(give, &q, 3);
    test_settle();
    CHECK_OK(eddy_queue_get(&q, &item)); /* lets the putter in */
    CHECK_OK(eddy_await(putter));
    for (int i = 0; i < 3; i++)
        CHECK_OK(eddy_queue_task_done(&q));
    CHECK_EQ(eddy_queue_task_done(&q), -EOVERFLOW);
    CHECK_HAS(eddy_error_message(-EOVERFLOW), "task_done");
    CHECK_OK(eddy_queue_join(&q)); /* the refused one had no effect */
}

/* A-Q-10: join returns at once without yielding, or waits; any number of joiners. */
TEST(queue_join_waits_for_all_that_was_put)
{
    EDDY_QUEUE(q, int, 0);
    EDDY_TASK other = eddy_create_task(bump_for_ever);

    CHECK_OK(eddy_queue_join(&q));
    CHECK_EQ(bumps, 0);

    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    CHECK_OK(eddy_queue_put(&q, &(int){2}));
    EDDY_TASK a = eddy_create_task(join_and_note, &q, 1);
    EDDY_TASK b = eddy_create_task(join_and_note, &q, 2);
    CHECK_OK(eddy_sleep(0));
    CHECK_OK(eddy_queue_task_done(&q));
    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(logged, 0);
    CHECK_OK(eddy_queue_task_done(&q));
    CHECK_OK(eddy_await(a));
    CHECK_OK(eddy_await(b));
    CHECK_EQ(log_of[0], 1);
    CHECK_EQ(log_of[1], 2);
}

/* A-Q-11: the joiner was released when the count was 0; what comes then is not its concern. */
TEST(queue_join_returns_though_the_count_rose_again)
{
    EDDY_QUEUE(q, int, 0);
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    EDDY_TASK joiner = eddy_create_task(join_and_note, &q, 1);

    test_settle();
    CHECK_OK(eddy_queue_task_done(&q));
    CHECK_OK(eddy_queue_put(&q, &(int){2})); /* before the joiner runs */
    CHECK_OK(eddy_await(joiner));
}

/* A-Q-10: a cancelled joiner goes alone, and the count is as before. */
TEST(queue_join_can_be_cancelled)
{
    EDDY_QUEUE(q, int, 0);
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    EDDY_TASK a = eddy_create_task(join_and_note, &q, 1);
    EDDY_TASK b = eddy_create_task(join_and_note, &q, 2);

    test_settle();
    CHECK_OK(eddy_cancel(a));
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK(!eddy_task_done(b));
    CHECK_OK(eddy_queue_task_done(&q));
    CHECK_OK(eddy_await(b));
}

/* A-Q-12: last in, first out; also with a getter and a putter that waited. */
TEST(queue_lifo_gives_the_last_first)
{
    EDDY_LIFO_QUEUE(q, int, 3);
    EDDY_TASK getter = eddy_create_task(take, &q, 1);
    int item = 0;

    test_settle();
    for (int i = 0; i < 4; i++)
        CHECK_OK(eddy_queue_put(&q, &i)); /* 0 goes to the getter */
    EDDY_TASK putter = eddy_create_task(give, &q, 4);
    test_settle();
    static const int order[] = {3, 4, 2, 1};
    for (int i = 0; i < 4; i++) {
        CHECK_OK(eddy_queue_get(&q, &item));
        CHECK_EQ(item, order[i]);
    }
    CHECK_OK(eddy_await(getter, &item));
    CHECK_EQ(item, 0);
}

struct job {
    int priority, number;
};

static int job_order(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    return (x->priority > y->priority) - (x->priority < y->priority);
}

/* A-Q-12, D-4: smallest first, and equal ones in the order in which they were put. */
TEST(queue_priority_gives_the_smallest_first_and_equal_ones_in_order)
{
    EDDY_PRIORITY_QUEUE(q, struct job, 0, job_order);
    struct job before = {-1, -1}, job;
    unsigned seed = 7;

    for (int i = 0; i < 2000; i++) {
        seed = seed * 1103515245 + 12345;
        job = (struct job){(int)(seed >> 16) % 10, i};
        CHECK_OK(eddy_queue_put(&q, &job));
    }
    for (int i = 0; i < 2000; i++) {
        CHECK_OK(eddy_queue_get(&q, &job));
        CHECK(job.priority > before.priority ||
              (job.priority == before.priority && job.number > before.number));
        before = job;
    }
}

/* A-Q-12: a putter that waited is sorted in like any other. */
TEST(queue_priority_sorts_in_what_had_to_wait)
{
    EDDY_PRIORITY_QUEUE(q, struct job, 1, job_order);
    struct job job;

    CHECK_OK(eddy_queue_put(&q, &(struct job){5, 0}));
    CHECK_EQ(eddy_queue_put_nowait(&q, &(struct job){1, 1}), -EAGAIN);
    CHECK_OK(eddy_queue_get(&q, &job));
    CHECK_EQ(job.priority, 5);
    CHECK(eddy_queue_empty(&q));
}

/* Producer and consumers as in the tutorials, with a clean end. */
static int produce(eddy_queue *queue, int from, int to)
{
    for (int i = from; i < to; i++) {
        EDDY_TRY(eddy_sleep(0.5));
        EDDY_TRY(eddy_queue_put(queue, &i));
    }
    return 0;
}
EDDY_ASYNC(produce, eddy_queue *, int, int);

static int consume(eddy_queue *queue, int *sum)
{
    int item, rc;

    while ((rc = eddy_queue_get(queue, &item)) == 0) {
        *sum += item;
        EDDY_TRY(eddy_queue_task_done(queue));
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}
EDDY_ASYNC(consume, eddy_queue *, int *);

/* Conservation: what two producers put, three consumers have got when join returns. */
TEST(queue_two_producers_and_three_consumers_lose_nothing)
{
    EDDY_QUEUE(q, int, 2);
    int sums[3] = {0};
    EDDY_GROUP(group);

    for (int i = 0; i < 3; i++)
        CHECK_OK(eddy_group_create_task(&group, consume, &q, &sums[i]));
    CHECK_OK(eddy_gather(EDDY_CALL(produce, &q, 0, 50), EDDY_CALL(produce, &q, 50, 100)));
    CHECK_OK(eddy_queue_join(&q));
    CHECK_EQ(sums[0] + sums[1] + sums[2], 99 * 100 / 2);
    eddy_queue_shutdown(&q, false);
    CHECK_OK(eddy_group_join(&group));
}

static int descending(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

/* The functions under the initialisers make the same queues. */
TEST(queue_made_by_a_function_is_like_one_made_by_its_macro)
{
    static const int order[3][3] = {{1, 3, 2}, {2, 3, 1}, {3, 2, 1}};
    eddy_queue queues[3];

    eddy_queue_init(&queues[0], sizeof(int), 3);
    eddy_lifo_queue_init(&queues[1], sizeof(int), 3);
    eddy_priority_queue_init(&queues[2], sizeof(int), 3, descending);
    for (int i = 0; i < 3; i++) {
        EDDY_DEFER(eddy_queue_deinit, &queues[i]);

        CHECK_OK(eddy_queue_put(&queues[i], &(int){1}));
        CHECK_OK(eddy_queue_put(&queues[i], &(int){3}));
        CHECK_OK(eddy_queue_put(&queues[i], &(int){2}));
        CHECK(eddy_queue_full(&queues[i]));
        for (int k = 0; k < 3; k++) {
            int item = 0;

            CHECK_OK(eddy_queue_get(&queues[i], &item));
            CHECK_EQ(item, order[i][k]);
        }
    }
}
