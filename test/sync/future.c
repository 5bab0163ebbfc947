/* SPDX-License-Identifier: MIT */
/* Futures: rules A-FUT-1 to A-FUT-13, except for what belongs to tasks. */
#include "harness.h"

#include <pthread.h>

static int log_of[16], logged;

static int await_int(eddy_future *future, int *out)
{
    return eddy_await(future, out);
}
EDDY_ASYNC_RESULT(int, await_int, eddy_future *);

static int note(void *number)
{
    log_of[logged++] = (int)(intptr_t)number;
    return 0;
}

static void *number(int value)
{
    return (void *)(intptr_t)value;
}

/* A-FUT-1, A-FUT-2: pending, then done for good. */
TEST(future_is_set_once)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    int value = -1;

    CHECK(!eddy_future_done(&future));
    CHECK_EQ(eddy_future_result_nowait(&future, &value, sizeof value), -EINPROGRESS);
    CHECK_OK(eddy_future_set_result(&future, &(int){42}));
    CHECK_EQ(eddy_future_set_result(&future, &(int){43}), -EALREADY);
    CHECK_EQ(eddy_future_set_error(&future, -EIO), -EALREADY);
    CHECK_EQ(eddy_future_cancel(&future), -EALREADY);
    CHECK(eddy_future_done(&future) && !eddy_future_cancelled(&future));
    CHECK_OK(eddy_future_result_nowait(&future, &value, sizeof value));
    CHECK_EQ(value, 42);
    CHECK_OK(eddy_await(&future)); /* without its value, and as often as one likes */
    CHECK_OK(eddy_await(&future, &value));
}

/* A-FUT-1: all who wait get their own copy, in the order in which they came. */
TEST(future_gives_its_result_to_all_who_wait)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    EDDY_TASK a = eddy_create_task(await_int, &future);
    EDDY_TASK b = eddy_create_task(await_int, &future);
    int value = 0;

    test_settle();
    CHECK_OK(eddy_future_set_result(&future, &(int){7}));
    memset(future.value, 0xff, sizeof future.value); /* nobody looks there any more */
    CHECK_OK(eddy_await(a, &value));
    CHECK_EQ(value, 7);
    CHECK_OK(eddy_await(b, &value));
    CHECK_EQ(value, 7);
}

/* A-FUT-2, A-FUT-7: an error goes to all, a value is no error; outputs stay as they were. */
TEST(future_error_goes_to_all_who_wait)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    EDDY_TASK a = eddy_create_task(await_int, &future);
    int value = -1;

    test_settle();
    CHECK_OK(eddy_future_set_error(&future, -EIO));
    CHECK_EQ(eddy_await(a), -EIO);
    CHECK_EQ(eddy_await(&future, &value), -EIO);
    CHECK_EQ(eddy_future_result_nowait(&future, &value, sizeof value), -EIO);
    CHECK_EQ(value, -1);
    CHECK(!eddy_future_cancelled(&future));
}

/* A-FUT-3, A-FUT-7: cancelled at once; those who wait are told. */
TEST(future_can_be_cancelled)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    EDDY_TASK a = eddy_create_task(await_int, &future);

    test_settle();
    CHECK_OK(eddy_future_cancel(&future));
    CHECK(eddy_future_cancelled(&future));
    CHECK_EQ(eddy_future_cancel(&future), -EALREADY);
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK_EQ(eddy_future_result_nowait(&future, NULL, 0), -ECANCELED);
}

/* A-CANCEL-19, where Eddy differs: a cancelled waiter leaves the future alone. */
TEST(future_is_not_cancelled_by_its_waiters_cancel)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    EDDY_TASK a = eddy_create_task(await_int, &future);
    EDDY_TASK b = eddy_create_task(await_int, &future);

    test_settle();
    CHECK_OK(eddy_cancel(a));
    CHECK_EQ(eddy_await(a), -ECANCELED);
    CHECK(!eddy_future_done(&future));
    CHECK_OK(eddy_future_set_result(&future, &(int){1}));
    CHECK_OK(eddy_await(b));
}

/* Promise 3, peers 6a (cpython 86296): result and cancel in one tick, in both orders. */
TEST(future_waiter_cancelled_in_the_tick_of_the_result_has_the_result)
{
    eddy_future future = EDDY_FUTURE_INIT(int), other = EDDY_FUTURE_INIT(int);
    EDDY_TASK result_first = eddy_create_task(await_int, &future);
    EDDY_TASK cancel_first = eddy_create_task(await_int, &other);
    int value = 0;

    test_settle();
    CHECK_OK(eddy_future_set_result(&future, &(int){5}));
    CHECK_OK(eddy_cancel(result_first));
    CHECK_OK(eddy_cancel(cancel_first));
    CHECK_OK(eddy_future_set_result(&other, &(int){6}));
    CHECK_OK(eddy_await(result_first, &value));
    CHECK_EQ(value, 5);
    CHECK_EQ(eddy_await(cancel_first), -ECANCELED);
    CHECK_OK(eddy_await(&other, &value)); /* the value is still there */
    CHECK_EQ(value, 6);
}

static int await_after_another_text(eddy_future *future)
{
    (void)eddy_raise(-EIO, "the text of another error");
    REQUIRE(eddy_await(future) == -EIO);
    REQUIRE(strcmp(eddy_error_message(-EIO), eddy_strerror(-EIO)) == 0);
    return 0;
}
EDDY_ASYNC(await_after_another_text, eddy_future *);

/* Promise 1: an error without a text is not explained by an older one's, and the text of
 * whoever sets it stays. */
TEST(future_error_is_not_explained_by_an_older_error)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    EDDY_TASK a = eddy_create_task(await_after_another_text, &future);

    test_settle();
    (void)eddy_raise(-EIO, "the setter's own");
    CHECK_OK(eddy_future_set_error(&future, -EIO));
    CHECK_STR(eddy_error_message(-EIO), "the setter's own");
    CHECK_OK(eddy_await(a));
}

/* A-FUT-4, A-FUT-5: callbacks run by the loop, in order, never inside the set; one that is
 * added twice runs twice, one that is added late runs too. */
TEST(future_callbacks_run_in_order_by_the_loop)
{
    eddy_future future = EDDY_FUTURE_INIT(int);

    CHECK_OK(eddy_future_add_done_callback(&future, note, number(1)));
    CHECK_OK(eddy_future_add_done_callback(&future, note, number(2)));
    CHECK_OK(eddy_future_add_done_callback(&future, note, number(1)));
    CHECK_OK(eddy_future_set_result(&future, &(int){1}));
    CHECK_EQ(logged, 0);
    CHECK_OK(eddy_future_add_done_callback(&future, note, number(3)));
    CHECK_EQ(logged, 0);
    test_settle();
    CHECK_EQ(logged, 4);
    CHECK(log_of[0] == 1 && log_of[1] == 2 && log_of[2] == 1 && log_of[3] == 3);
}

static eddy_local who = EDDY_LOCAL_INIT("who", "nobody");

static int note_who(void *out)
{
    *(const char **)out = eddy_local_get(&who);
    return 0;
}

static int add_as_adder(eddy_future *future, const char **seen)
{
    EDDY_TRY(eddy_local_set(&who, "adder", NULL));
    return eddy_future_add_done_callback(future, note_who, seen);
}
EDDY_ASYNC(add_as_adder, eddy_future *, const char **);

/* A-FUT-4, A-CTX-4: a callback runs with the values of whoever added it. */
TEST(future_callback_has_the_local_values_of_who_added_it)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    EDDY_DEFER(eddy_future_cancel, &future); /* or its callbacks keep their memory */
    static const char *seen = "";
    EDDY_TASK adder = eddy_create_task(add_as_adder, &future, &seen);

    CHECK_OK(eddy_local_set(&who, "setter", NULL));
    CHECK_OK(eddy_await(adder));
    CHECK_OK(eddy_future_set_result(&future, &(int){1}));
    test_settle();
    CHECK_STR(seen, "adder");
}

/* A-FUT-6: every equal entry goes; what is scheduled cannot be taken back. */
TEST(future_callbacks_can_be_removed_until_it_is_done)
{
    eddy_future future = EDDY_FUTURE_INIT(int);

    for (int i = 0; i < 6; i++)
        CHECK_OK(eddy_future_add_done_callback(&future, note, number(i % 2)));
    CHECK_EQ(eddy_future_remove_done_callback(&future, note, number(0)), 3);
    CHECK_EQ(eddy_future_remove_done_callback(&future, note, number(0)), 0);
    CHECK_OK(eddy_future_set_result(&future, &(int){1}));
    CHECK_EQ(eddy_future_remove_done_callback(&future, note, number(1)), 0);
    test_settle();
    CHECK_EQ(logged, 3);
}

/* A timeout ends the wait, not the future. */
TEST(future_await_can_time_out)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    int value = -1;
    {
        EDDY_TIMEOUT(limit, 3);
        CHECK_EQ(eddy_await(&future, &value), -ETIMEDOUT);
    }
    CHECK_OK(eddy_future_set_result(&future, &(int){1}));
    CHECK_OK(eddy_await(&future, &value));
    CHECK_EQ(value, 1);
}

static struct {
    int before;
    eddy_future future;
} embedded = {3, EDDY_FUTURE_INIT(char[64])};

/* Static initialisation, embedded; results of up to 64 bytes. */
TEST(future_can_be_static_embedded_and_large)
{
    char value[64], out[64] = {0};

    memset(value, 'x', sizeof value);
    CHECK_OK(eddy_future_set(&embedded.future, value, sizeof value));
    CHECK_OK(eddy_future_await(&embedded.future, out, sizeof out));
    CHECK_EQ(memcmp(value, out, sizeof value), 0);
    CHECK_EQ(embedded.before, 3);
}

static int set_wrong_size(void)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    return eddy_future_set_result(&future, &(char[5]){0});
}
EDDY_ASYNC(set_wrong_size);

static int await_wrong_size(void)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    long value;

    return eddy_await(&future, &value);
}
EDDY_ASYNC(await_wrong_size);

static void run_set_wrong_size(void)
{
    (void)eddy_run(set_wrong_size);
}
static void run_await_wrong_size(void)
{
    (void)eddy_run(await_wrong_size);
}

static int set_no_error(void)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    return eddy_future_set_error(&future, 0);
}
EDDY_ASYNC(set_no_error);

static void run_set_no_error(void)
{
    (void)eddy_run(set_no_error);
}

/* Promise 1: the wrong size aborts naming both; so does an error that is none. */
RAW_TEST(future_misuse_aborts_with_a_sentence)
{
    CHECK_DIES(run_set_wrong_size, "4 bytes");
    CHECK_DIES(run_set_wrong_size, "5");
    CHECK_DIES(run_await_wrong_size, "8");
    CHECK_DIES(run_set_no_error, "not negative");
}

static int wait_on(eddy_future *future)
{
    return eddy_await(future);
}
EDDY_ASYNC(wait_on, eddy_future *);

static int leave_a_task(eddy_future *future)
{
    eddy_task *task = eddy_create_task(wait_on, future);

    eddy_task_detach(&task);
    return eddy_sleep(0);
}
EDDY_ASYNC(leave_a_task, eddy_future *);

/* A-FUT-9, D-10: a loop that is closed with a pending task reports it and runs no code. */
RAW_TEST(future_pending_task_of_a_closed_loop_is_reported)
{
    eddy_future future = EDDY_FUTURE_INIT(int);
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leave_a_task, &future)));
    eddy_loop_free(loop);
    CHECK_HAS(test_report(), "pending");
}

/* future.h: the initializer as a function, for bindings and C++. */
TEST(future_that_a_function_made_is_like_any_other)
{
    eddy_future future;
    int value = -1;

    memset(&future, 0xff, sizeof future);
    eddy_future_init(&future, sizeof value);
    CHECK(!eddy_future_done(&future));
    EDDY_TASK waiter = eddy_create_task(await_int, &future);
    test_settle();
    CHECK_OK(eddy_future_set_result(&future, &(int){42}));
    CHECK_OK(eddy_await(waiter, &value));
    CHECK_EQ(value, 42);
    eddy_future_init(&future, 0); /* again, and without a result */
    CHECK(!eddy_future_done(&future));
    CHECK_OK(eddy_future_cancel(&future));
    CHECK_EQ(eddy_await(&future), -ECANCELED);
}

static void make_a_large_one(void)
{
    eddy_future future;

    eddy_future_init(&future, EDDY_FUTURE_MAX);
    eddy_future_init(&future, EDDY_FUTURE_MAX + 1);
}

RAW_TEST(future_whose_result_is_too_large_aborts)
{
    CHECK_DIES(make_a_large_one, "is too large: use a pointer");
}

/* They called a loop that was not there. */
RAW_TEST(future_with_callbacks_needs_a_running_loop)
{
    eddy_future future = EDDY_FUTURE_INIT(int);

    CHECK_EQ(eddy_future_add_done_callback(&future, note, number(1)), -EPERM);
    CHECK_OK(eddy_future_set_result(&future, &(int){1})); /* nobody is to be called */
    CHECK_EQ(eddy_future_add_done_callback(&future, note, number(1)), -EPERM);
    CHECK_EQ(logged, 0);
}
