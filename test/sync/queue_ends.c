/* SPDX-License-Identifier: MIT */
/* Queues: shutdown (A-Q-13 to A-Q-15), memory, and misuse. */
#include "base/fault.h"
#include "harness.h"

#include <pthread.h>

static int take(eddy_queue *queue, int *out)
{
    return eddy_queue_get(queue, out);
}
EDDY_ASYNC_RESULT(int, take, eddy_queue *);

static int give(eddy_queue *queue, int item)
{
    return eddy_queue_put(queue, &item);
}
EDDY_ASYNC(give, eddy_queue *, int);

static int join(eddy_queue *queue)
{
    return eddy_queue_join(queue);
}
EDDY_ASYNC(join, eddy_queue *);

static size_t blocks(void)
{
    eddy_stats stats;

    eddy_get_stats(&stats);
    return stats.blocks;
}

/* A-Q-13: puts fail, those that wait too; gets drain, then fail. */
TEST(queue_shutdown_refuses_puts_and_lets_gets_drain)
{
    EDDY_QUEUE(q, int, 2);
    int item = 0;

    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    CHECK_OK(eddy_queue_put(&q, &(int){2}));
    EDDY_TASK putter = eddy_create_task(give, &q, 3);
    test_settle();
    eddy_queue_shutdown(&q, false);
    CHECK_EQ(eddy_await(putter), -ESHUTDOWN);
    CHECK_EQ(eddy_queue_put(&q, &(int){4}), -ESHUTDOWN);
    CHECK_EQ(eddy_queue_put_nowait(&q, &(int){4}), -ESHUTDOWN);
    for (int i = 1; i <= 2; i++) {
        CHECK_OK(eddy_queue_get(&q, &item));
        CHECK_EQ(item, i);
    }
    CHECK_EQ(eddy_queue_put(&q, &(int){4}), -ESHUTDOWN); /* there is room again */
    CHECK_EQ(eddy_queue_get(&q, &item), -ESHUTDOWN);
    CHECK_EQ(eddy_queue_get_nowait(&q, &item), -ESHUTDOWN);
}

/* A-Q-13: getters that wait on an empty queue are sent away. */
TEST(queue_shutdown_sends_waiting_getters_away)
{
    EDDY_QUEUE(q, int, 0);
    EDDY_TASK a = eddy_create_task(take, &q);
    EDDY_TASK b = eddy_create_task(take, &q);

    test_settle();
    eddy_queue_shutdown(&q, false);
    CHECK_EQ(eddy_await(a), -ESHUTDOWN);
    CHECK_EQ(eddy_await(b), -ESHUTDOWN);
}

/* A-Q-13, promise 3: an item that was handed over before the shutdown arrives. */
TEST(queue_shutdown_does_not_take_back_what_was_granted)
{
    EDDY_QUEUE(q, int, 0);
    EDDY_TASK getter = eddy_create_task(take, &q);
    int item = 0;

    test_settle();
    CHECK_OK(eddy_queue_put_nowait(&q, &(int){4}));
    eddy_queue_shutdown(&q, true);
    CHECK_OK(eddy_await(getter, &item));
    CHECK_EQ(item, 4);
    CHECK_OK(eddy_queue_task_done(&q)); /* it is the getter's to say so */
}

/* A-Q-14: what is left is dropped and counted as done; what was got is not. */
TEST(queue_immediate_shutdown_drops_items_and_counts_them_as_done)
{
    EDDY_QUEUE(q, int, 0);
    int item = 0;

    for (int i = 0; i < 5; i++)
        CHECK_OK(eddy_queue_put(&q, &i));
    CHECK_OK(eddy_queue_get(&q, &item));
    EDDY_TASK joiner = eddy_create_task(join, &q);
    test_settle();
    eddy_queue_shutdown(&q, true);
    CHECK(eddy_queue_empty(&q));
    CHECK_EQ(eddy_queue_get(&q, &item), -ESHUTDOWN);
    test_settle();
    CHECK(!eddy_task_done(joiner)); /* one was got, and is not done */
    CHECK_OK(eddy_queue_task_done(&q));
    CHECK_OK(eddy_await(joiner));
    CHECK_EQ(eddy_queue_task_done(&q), -EOVERFLOW);
}

/* A-Q-14: join ends when all that was unfinished was dropped. */
TEST(queue_immediate_shutdown_ends_a_join)
{
    EDDY_LIFO_QUEUE(q, int, 2);
    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    CHECK_OK(eddy_queue_put(&q, &(int){2}));
    EDDY_TASK putter = eddy_create_task(give, &q, 3);
    EDDY_TASK joiner = eddy_create_task(join, &q);

    test_settle();
    eddy_queue_shutdown(&q, true);
    CHECK_OK(eddy_await(joiner));
    CHECK_EQ(eddy_await(putter), -ESHUTDOWN); /* its item never counted */
}

/* A-Q-15: idempotent, an immediate one may follow, join and task_done go on. */
TEST(queue_shutdown_may_be_repeated_and_made_immediate)
{
    EDDY_QUEUE(q, int, 0);
    int item = 0;

    CHECK_OK(eddy_queue_put(&q, &(int){1}));
    CHECK_OK(eddy_queue_put(&q, &(int){2}));
    eddy_queue_shutdown(&q, false);
    eddy_queue_shutdown(&q, false);
    CHECK_OK(eddy_queue_get(&q, &item));
    eddy_queue_shutdown(&q, true);
    eddy_queue_shutdown(&q, true);
    eddy_queue_shutdown(&q, false); /* does not open it again */
    CHECK_EQ(eddy_queue_get(&q, &item), -ESHUTDOWN);
    CHECK_EQ(eddy_queue_put(&q, &(int){1}), -ESHUTDOWN);
    CHECK_OK(eddy_queue_task_done(&q));
    CHECK_OK(eddy_queue_join(&q));
}

static int wait_after_another_text(eddy_queue *queue)
{
    int item;

    (void)eddy_raise(-ESHUTDOWN, "the text of another error");
    REQUIRE(eddy_queue_get(queue, &item) == -ESHUTDOWN);
    REQUIRE(strcmp(eddy_error_message(-ESHUTDOWN), eddy_strerror(-ESHUTDOWN)) == 0);
    return 0;
}
EDDY_ASYNC(wait_after_another_text, eddy_queue *);

/* Promise 1: a call that fails without a text forgets the text of an earlier error. */
TEST(queue_shutdown_is_not_explained_by_an_older_error)
{
    EDDY_QUEUE(q, int, 0);
    EDDY_TASK waiting = eddy_create_task(wait_after_another_text, &q);

    test_settle();
    eddy_queue_shutdown(&q, false);
    CHECK_OK(eddy_await(waiting));
    EDDY_TASK late = eddy_create_task(wait_after_another_text, &q);
    CHECK_OK(eddy_await(late));
}

/* Memory -------------------------------------------------------------------- */

/* queue.h: queues of up to 32 bytes in all need no memory. */
TEST(queue_of_up_to_32_bytes_allocates_nothing)
{
    EDDY_QUEUE(fifo, int, 8);
    EDDY_LIFO_QUEUE(lifo, char, 32);
    EDDY_QUEUE(unbounded, long, 0);
    size_t before = blocks();

    for (int round = 0; round < 3; round++) {
        int item;

        for (int i = 0; i < 8; i++)
            CHECK_OK(eddy_queue_put_nowait(&fifo, &i));
        for (int i = 0; i < 32; i++)
            CHECK_OK(eddy_queue_put_nowait(&lifo, &(char){1}));
        for (int i = 0; i < 4; i++)
            CHECK_OK(eddy_queue_put_nowait(&unbounded, &(long){1}));
        for (int i = 0; i < 8; i++)
            CHECK_OK(eddy_queue_get_nowait(&fifo, &item));
        for (int i = 0; i < 32; i++)
            CHECK_OK(eddy_queue_get_nowait(&lifo, &(char){1}));
        for (int i = 0; i < 4; i++)
            CHECK_OK(eddy_queue_get_nowait(&unbounded, &(long){1}));
    }
    CHECK_EQ(blocks(), before);
}

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* queue.h: the same is said of every queue, and this one holds 32 bytes in all. */
TEST(queue_memory_of_a_priority_queue_is_bounded_by_its_size)
{
    EDDY_PRIORITY_QUEUE(q, int, 4, compare_ints);
    size_t before = blocks();
    int item;

    for (int i = 0; i < 100; i++) {
        CHECK_OK(eddy_queue_put_nowait(&q, &i));
        CHECK_OK(eddy_queue_get_nowait(&q, &item));
        CHECK_EQ(item, i);
    }
    CHECK(blocks() <= before + 1);
}

/* A growing ring keeps the order, wherever its head stands. */
TEST(queue_growth_keeps_the_order_from_every_position)
{
    for (int shift = 0; shift < 20; shift++) {
        EDDY_QUEUE(q, int, 0);
        int item = 0, next = 0;

        for (int i = 0; i < shift; i++) { /* moves the head on */
            CHECK_OK(eddy_queue_put(&q, &i));
            CHECK_OK(eddy_queue_get(&q, &item));
        }
        for (int i = 0; i < 100; i++)
            CHECK_OK(eddy_queue_put_nowait(&q, &i));
        for (int i = 0; i < 50; i++, next++) {
            CHECK_OK(eddy_queue_get(&q, &item));
            CHECK_EQ(item, next);
        }
        for (int i = 100; i < 400; i++)
            CHECK_OK(eddy_queue_put_nowait(&q, &i));
        for (; next < 400; next++) {
            CHECK_OK(eddy_queue_get(&q, &item));
            CHECK_EQ(item, next);
        }
    }
}

/* A full memory refuses the put, and the queue is as it was. */
TEST(queue_put_without_memory_adds_nothing)
{
    EDDY_QUEUE(q, long, 0);
    long item = 0;

    for (long i = 0; i < 4; i++)
        CHECK_OK(eddy_queue_put_nowait(&q, &i));
    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(eddy_queue_put(&q, &(long){4}), -ENOMEM);
    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    CHECK_EQ(eddy_queue_size(&q), 4);
    CHECK_OK(eddy_queue_put(&q, &(long){4}));
    for (long i = 0; i < 5; i++) {
        CHECK_OK(eddy_queue_get(&q, &item));
        CHECK_EQ(item, i);
    }
    for (int i = 0; i < 5; i++)
        CHECK_OK(eddy_queue_task_done(&q)); /* the refused one does not count */
    CHECK_EQ(eddy_queue_task_done(&q), -EOVERFLOW);
}

static struct {
    char before;
    eddy_queue queue;
    char after;
} embedded = {1, EDDY_QUEUE_INIT(int, 3), 2};

/* Static initialisation, embedded in a struct; freed by hand. */
TEST(queue_can_be_static_and_embedded)
{
    EDDY_DEFER(eddy_queue_deinit, &embedded.queue);
    int item = 0;

    for (int i = 0; i < 3; i++)
        CHECK_OK(eddy_queue_put(&embedded.queue, &i));
    CHECK(eddy_queue_full(&embedded.queue));
    CHECK_OK(eddy_queue_get(&embedded.queue, &item));
    CHECK(embedded.before == 1 && embedded.after == 2);
}

/* Misuse -------------------------------------------------------------------- */

static int put_wrong_size(void)
{
    EDDY_QUEUE(q, int, 3);
    return eddy_queue_put(&q, &(char[7]){0});
}
EDDY_ASYNC(put_wrong_size);

static int get_wrong_size(void)
{
    EDDY_QUEUE(q, int, 3);
    long item = 0;

    EDDY_TRY(eddy_queue_put(&q, &(int){1}));
    return eddy_queue_get(&q, &item); /* the inline path must see it too */
}
EDDY_ASYNC(get_wrong_size);

static void run_put_wrong_size(void)
{
    (void)eddy_run(put_wrong_size);
}
static void run_get_wrong_size(void)
{
    (void)eddy_run(get_wrong_size);
}

/* Promise 1: an item of the wrong size aborts naming both. */
RAW_TEST(queue_item_of_the_wrong_size_aborts_naming_both)
{
    CHECK_DIES(run_put_wrong_size, "4 bytes");
    CHECK_DIES(run_put_wrong_size, "7");
    CHECK_DIES(run_get_wrong_size, "4 bytes");
    CHECK_DIES(run_get_wrong_size, "8");
}

static eddy_queue shared = EDDY_QUEUE_INIT(int, 1);

static void *put_from_thread(void *unused)
{
    (void)eddy_queue_put_nowait(&shared, &(int){1});
    return unused;
}

static int let_a_thread_put(void)
{
    EDDY_TASK getter = eddy_create_task(take, &shared);
    pthread_t thread;

    EDDY_TRY(eddy_sleep(0));
    pthread_create(&thread, NULL, put_from_thread, NULL);
    pthread_join(thread, NULL);
    return eddy_await(getter);
}
EDDY_ASYNC(let_a_thread_put);

static void run_let_a_thread_put(void)
{
    (void)eddy_run(let_a_thread_put);
}

/* None of the primitives is thread-safe; where it is seen, it aborts with a hint. */
RAW_TEST(queue_used_from_another_thread_aborts)
{
    CHECK_DIES(run_let_a_thread_put, "thread");
}

static int start_getter(void)
{
    eddy_task *getter = eddy_create_task(take, &shared);

    eddy_task_detach(&getter);
    return eddy_sleep(0);
}
EDDY_ASYNC(start_getter);

static void wait_in_two_loops(void)
{
    eddy_runner first = EDDY_RUNNER_INIT, second = EDDY_RUNNER_INIT;

    (void)eddy_runner_run(&first, EDDY_CALL(start_getter));
    (void)eddy_runner_run(&second, EDDY_CALL(start_getter));
}

/* Section 5 of the rules: bound to the loop whose tasks wait; another one is an error. */
RAW_TEST(queue_waited_for_in_two_loops_aborts)
{
    CHECK_DIES(wait_in_two_loops, "two loops");
}

static int free_while_waited_for(void)
{
    EDDY_TASK getter = eddy_create_task(take, &shared);

    EDDY_TRY(eddy_sleep(0));
    eddy_queue_deinit(&shared);
    return 0;
}
EDDY_ASYNC(free_while_waited_for);

static void run_free_while_waited_for(void)
{
    (void)eddy_run(free_while_waited_for);
}

/* queue.h: no task may wait in a queue that is freed. */
RAW_TEST(queue_freed_while_a_task_waits_aborts)
{
    CHECK_DIES(run_free_while_waited_for, "declare it before its tasks");
}

static int put_of_callback(void *queue)
{
    REQUIRE(eddy_queue_put(queue, &(int){1}) == -EPERM);
    REQUIRE(eddy_queue_put_nowait((eddy_queue *)queue, &(int){2}) == 0);
    return 0;
}

/* loop.h: callbacks must not call what suspends; the nowait twins are for them. */
TEST(queue_put_in_a_callback_is_refused_and_its_nowait_twin_works)
{
    EDDY_QUEUE(q, int, 1);
    EDDY_TASK getter = eddy_create_task(take, &q);
    int item = 0;

    CHECK(eddy_loop_call_soon(eddy_get_running_loop(), put_of_callback, &q).handle != NULL);
    test_settle();
    CHECK_OK(eddy_await(getter, &item));
    CHECK_EQ(item, 2);
}

static void put_without_an_order(void)
{
    eddy_queue queue;

    eddy_priority_queue_init(&queue, sizeof(int), 0, NULL);
    (void)eddy_queue_put_nowait(&queue, &(int){1});
}

/* It crashed at the second item, in the heap. */
RAW_TEST(queue_of_priorities_without_an_order_aborts_with_its_first_item)
{
    CHECK_DIES(put_without_an_order, "a priority queue has no function that compares its items");
}

static void put_without_a_size(void)
{
    eddy_queue queue;

    eddy_queue_init(&queue, 0, 0);
    (void)eddy_queue_put_item_nowait(&queue, &(int){1}, 0);
}

/* It divided by the size. */
RAW_TEST(queue_of_items_without_a_size_aborts)
{
    CHECK_DIES(put_without_a_size, "a queue of items without a size");
}
