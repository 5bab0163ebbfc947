/* SPDX-License-Identifier: MIT */
/* Arguments and results of async functions: eddy/call.h. */
#include "harness.h"

struct point {
    double x, y;
    int tag;
};
typedef int operation(int, int);

static int add(int a, int b)
{
    return a + b;
}

static int take0(void)
{
    return 1;
}
EDDY_ASYNC(take0);

static int take1(double a)
{
    return (int)(a * 2);
}
EDDY_ASYNC(take1, double);

static int take2(const char *text, size_t n)
{
    return strlen(text) == n;
}
EDDY_ASYNC(take2, const char *, size_t);

static int take3(operation *f, int a, int b)
{
    return f(a, b);
}
EDDY_ASYNC(take3, operation *, int, int);

static int take4(struct point p, float f, char c, bool yes)
{
    return p.x == 1.5 && p.y == -2.5 && p.tag == 7 && f == 0.25F && c == 'c' && yes;
}
EDDY_ASYNC(take4, struct point, float, char, bool);

static int take5(int (*f)(int, int), int64_t a, unsigned char b, const void *c, short d)
{
    return f(1, 2) == 3 && a == INT64_MIN && b == 255 && c == NULL && d == -1;
}
EDDY_ASYNC(take5, int (*)(int, int), int64_t, unsigned char, const void *, short);

static int take6(char a, double b, char c, double d, char e, double f)
{
    return a == 'a' && b == 0.1 && c == 'c' && d == 0.2 && e == 'e' && f == 0.3;
}
EDDY_ASYNC(take6, char, double, char, double, char, double);

static int take7(int a, int b, int c, int d, int e, int f, struct point *g)
{
    g->tag = a + b + c + d + e + f;
    return 1;
}
EDDY_ASYNC(take7, int, int, int, int, int, int, struct point *);

static int take8(double a, int b, double c, int d, double e, int f, double g, int h)
{
    return a + b + c + d + e + f + g + h == 36;
}
EDDY_ASYNC(take8, double, int, double, int, double, int, double, int);

/* 0 to 8 arguments of any type reach the function as they were given. */
TEST(a_task_gets_its_arguments_of_any_number_and_type)
{
    struct point p = {1.5, -2.5, 7};
    EDDY_TASK t0 = eddy_create_task(take0);
    EDDY_TASK t1 = eddy_create_task(take1, 1.5);
    EDDY_TASK t2 = eddy_create_task(take2, "four", 4);
    EDDY_TASK t3 = eddy_create_task(take3, add, 3, 4);
    EDDY_TASK t4 = eddy_create_task(take4, p, 0.25F, 'c', true);
    EDDY_TASK t5 = eddy_create_task(take5, add, INT64_MIN, 255, NULL, -1);
    EDDY_TASK t6 = eddy_create_task(take6, 'a', 0.1, 'c', 0.2, 'e', 0.3);
    EDDY_TASK t7 = eddy_create_task(take7, 1, 2, 3, 4, 5, 6, &p);
    EDDY_TASK t8 = eddy_create_task(take8, 1.0, 2, 3.0, 4, 5.0, 6, 7.0, 8);

    p.x = 9; /* take4 has its own copy */
    CHECK_EQ(eddy_await(t0), 1);
    CHECK_EQ(eddy_await(t1), 3);
    CHECK_EQ(eddy_await(t2), 1);
    CHECK_EQ(eddy_await(t3), 7);
    CHECK_EQ(eddy_await(t4), 1);
    CHECK_EQ(eddy_await(t5), 1);
    CHECK_EQ(eddy_await(t6), 1);
    CHECK_EQ(eddy_await(t7), 1);
    CHECK_EQ(p.tag, 21);
    CHECK_EQ(eddy_await(t8), 1);
}

/* The same through a call, which is a value that can be kept. */
TEST(a_call_keeps_its_arguments)
{
    struct point p = {1.5, -2.5, 7};
    eddy_call calls[] = {
        EDDY_CALL(take0),
        EDDY_CALL(take1, 0.5),
        EDDY_CALL(take3, add, 0, 1),
        EDDY_CALL(take4, p, 0.25F, 'c', true),
        EDDY_CALL(take7, 1, 2, 3, 4, 5, 6, &p),
        EDDY_CALL(take8, 1.0, 2, 3.0, 4, 5.0, 6, 7.0, 8),
    };

    p = (struct point){0, 0, 0};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        EDDY_TASK task = eddy_task_from_call(calls[i]);

        CHECK_EQ(eddy_await(task), 1);
    }
}

/* Arguments are converted as in a plain call. */
TEST(arguments_are_converted_to_the_declared_types)
{
    EDDY_TASK task = eddy_create_task(take1, 3); /* an int for a double */

    CHECK_EQ(eddy_await(task), 6);
}

struct full {
    unsigned char bytes[EDDY_ARGS_MAX];
};

static int take_full(struct full full)
{
    for (size_t i = 0; i < sizeof full.bytes; i++)
        REQUIRE(full.bytes[i] == i);
    return 0;
}
EDDY_ASYNC(take_full, struct full);

/* Ninety-six bytes of arguments arrive whole. */
TEST(arguments_may_fill_all_their_room)
{
    struct full full;

    for (size_t i = 0; i < sizeof full.bytes; i++)
        full.bytes[i] = (unsigned char)i;
    EDDY_TASK task = eddy_create_task(take_full, full);
    memset(&full, 0, sizeof full);
    CHECK_OK(eddy_await(task));
}

#define SIZED(n)                                                                                   \
    struct sized##n {                                                                              \
        unsigned char bytes[n];                                                                    \
    };                                                                                             \
    static int make##n(unsigned char seed, struct sized##n *out)                                   \
    {                                                                                              \
        EDDY_TRY(eddy_sleep(seed % 3));                                                            \
        for (size_t i = 0; i < (n); i++)                                                           \
            out->bytes[i] = (unsigned char)(seed + i * 7);                                         \
        return 0;                                                                                  \
    }                                                                                              \
    EDDY_ASYNC_RESULT(struct sized##n, make##n, unsigned char);                                    \
    static int check##n(unsigned char seed)                                                        \
    {                                                                                              \
        struct sized##n out[2];                                                                    \
                                                                                                   \
        memset(out, 0x55, sizeof out);                                                             \
        EDDY_TASK task = eddy_create_task(make##n, seed);                                          \
        EDDY_TRY(eddy_await(task, &out[0]));                                                       \
        for (size_t i = 0; i < (n); i++)                                                           \
            REQUIRE(out[0].bytes[i] == (unsigned char)(seed + i * 7));                             \
        for (size_t i = 0; i < (n); i++)                                                           \
            REQUIRE(out[1].bytes[i] == 0x55); /* nothing past its end */                           \
        return 0;                                                                                  \
    }
SIZED(1)
SIZED(3)
SIZED(8)
SIZED(17)
SIZED(64)
SIZED(255)
SIZED(1000)
SIZED(4095)
SIZED(4096)

/* Results of every size up to 4,096 bytes come back whole. */
TEST(a_result_of_any_size_comes_back_whole)
{
    CHECK_OK(check1(1));
    CHECK_OK(check3(2));
    CHECK_OK(check8(3));
    CHECK_OK(check17(4));
    CHECK_OK(check64(5));
    CHECK_OK(check255(6));
    CHECK_OK(check1000(7));
    CHECK_OK(check4095(8));
    CHECK_OK(check4096(9));
}

struct aligned {
    alignas(16) long double value;
};

static int make_aligned(struct aligned *out)
{
    if ((uintptr_t)out % 16)
        return -EFAULT;
    out->value = 0.5L;
    return 0;
}
EDDY_ASYNC_RESULT(struct aligned, make_aligned);

/* The room for a result is aligned for every ordinary type. */
TEST(a_result_has_its_alignment)
{
    struct aligned value = {0};
    EDDY_TASK task = eddy_create_task(make_aligned);

    CHECK_OK(eddy_await(task, &value));
    CHECK(value.value == 0.5L);
}

static int make_value_then_fail(bool fail, int *out)
{
    *out = 99;
    return fail ? -EIO : 0;
}
EDDY_ASYNC_RESULT(int, make_value_then_fail, bool);

/* An output is written on success only. */
TEST(a_failed_task_leaves_the_output_alone)
{
    int value = 7;
    EDDY_TASK task = eddy_create_task(make_value_then_fail, true);

    CHECK_EQ(eddy_await(task, &value), -EIO);
    CHECK_EQ(value, 7);
    CHECK_EQ(eddy_task_result(task, &value), -EIO);
    CHECK_EQ(value, 7);
    CHECK_EQ(eddy_gather(EDDY_CALL(make_value_then_fail, true, &value)), -EIO);
    CHECK_EQ(value, 7);
}

static int takes_too_much(void)
{
    long value = 0;
    EDDY_TASK task = eddy_create_task(make_value_then_fail, false);

    return eddy_await(task, &value);
}
EDDY_ASYNC(takes_too_much);

static int takes_of_ended(void)
{
    char value = 0;
    EDDY_TASK task = eddy_create_task(make_value_then_fail, false);

    EDDY_TRY(eddy_await(task));
    return eddy_task_result(task, &value);
}
EDDY_ASYNC(takes_of_ended);

static int takes_of_nothing(void)
{
    int value = 0;
    EDDY_TASK task = eddy_create_task(take0);

    return eddy_await(task, &value);
}
EDDY_ASYNC(takes_of_nothing);

static void run_takes_too_much(void)
{
    (void)eddy_run(takes_too_much);
}

static void run_takes_of_ended(void)
{
    (void)eddy_run(takes_of_ended);
}

static void run_takes_of_nothing(void)
{
    (void)eddy_run(takes_of_nothing);
}

/* Promise 1: a result of the wrong size aborts, naming both sizes. */
RAW_TEST(a_result_of_the_wrong_size_aborts_naming_both)
{
    CHECK_DIES(run_takes_too_much, "the result of make_value_then_fail() (task created at ");
    CHECK_DIES(run_takes_too_much, "has 4 bytes, but 8 were asked for");
    CHECK_DIES(run_takes_of_ended, "has 4 bytes, but 1 were asked for");
    CHECK_DIES(run_takes_of_nothing, "has 0 bytes, but 4 were asked for");
}

/* Owned results ------------------------------------------------------------- */

static int destroyed, last_destroyed;

static void destroy(int *owned)
{
    destroyed++;
    last_destroyed = *owned;
}

static int make_owned(double seconds, int rc, int *out)
{
    EDDY_TRY(eddy_sleep(seconds));
    *out = 5;
    return rc;
}
EDDY_ASYNC_OWNED(int, destroy, make_owned, double, int);

static int make_owned_cancelling_itself(int *out)
{
    *out = 6;
    eddy_cancel(eddy_current_task());
    return 0;
}
EDDY_ASYNC_OWNED(int, destroy, make_owned_cancelling_itself);

/* Promise 4: a result that nobody took is destroyed, once. */
TEST(an_owned_result_that_nobody_took_is_destroyed)
{
    {
        EDDY_TASK task = eddy_create_task(make_owned, 1.0, 0);

        CHECK_OK(eddy_await(task)); /* without taking it */
        CHECK_EQ(destroyed, 0);
    }
    CHECK_EQ(destroyed, 1);
    CHECK_EQ(last_destroyed, 5);
}

/* The same for a detached task, and for a child whose result is not wanted. */
TEST(an_owned_result_without_a_taker_is_destroyed_everywhere)
{
    eddy_task *task = eddy_create_task(make_owned, 1.0, 0);

    eddy_task_detach(&task);
    CHECK_OK(eddy_sleep(2));
    CHECK_EQ(destroyed, 1);
    CHECK_OK(eddy_gather(EDDY_CALL(make_owned, 1.0, 0)));
    CHECK_EQ(destroyed, 2);
    CHECK_OK(eddy_wait_for(EDDY_CALL(make_owned, 1.0, 0), 5.0));
    CHECK_EQ(destroyed, 3);
    CHECK_OK(eddy_shield(EDDY_CALL(make_owned, 1.0, 0)));
    CHECK_EQ(destroyed, 4);
}

/* A result that was taken is its taker's. */
TEST(an_owned_result_that_was_taken_is_not_destroyed)
{
    int value = 0;

    {
        EDDY_TASK task = eddy_create_task(make_owned, 1.0, 0);

        CHECK_OK(eddy_await(task, &value));
        CHECK_EQ(value, 5);
    }
    CHECK_OK(eddy_gather(EDDY_CALL(make_owned, 1.0, 0, &value)));
    CHECK_OK(eddy_wait_for(EDDY_CALL(make_owned, 1.0, 0, &value), 5.0));
    CHECK_OK(eddy_shield(EDDY_CALL(make_owned, 1.0, 0, &value)));
    CHECK_EQ(destroyed, 0);
}

/* It can be taken once: who asks again gets -EALREADY, of which no text tells but its own. */
TEST(an_owned_result_can_be_taken_once)
{
    EDDY_TASK task = eddy_create_task(make_owned, 1.0, 0);
    int value = 0;

    CHECK_OK(eddy_await(task, &value));
    value = 7;
    (void)eddy_raise(-EALREADY, "something else");
    CHECK_EQ(eddy_await(task, &value), -EALREADY);
    CHECK_EQ(value, 7);
    CHECK_STR(eddy_error_message(-EALREADY), eddy_strerror(-EALREADY));
    CHECK_EQ(eddy_task_result(task, &value), -EALREADY);
    CHECK_OK(eddy_await(task)); /* its end can be awaited as ever */
}

static int takes_owned(eddy_task *task)
{
    int value = 0;

    return eddy_await(task, &value);
}
EDDY_ASYNC(takes_owned, eddy_task *);

/* Of several waiters the first takes it. */
TEST(of_several_takers_of_an_owned_result_the_first_gets_it)
{
    EDDY_TASK task = eddy_create_task(make_owned, 1.0, 0);
    EDDY_TASK first = eddy_create_task(takes_owned, task);
    EDDY_TASK second = eddy_create_task(takes_owned, task);

    CHECK_OK(eddy_await(first));
    CHECK_EQ(eddy_await(second), -EALREADY);
    CHECK_EQ(destroyed, 0);
}

/* Nothing was made by a task that failed or was cancelled. */
TEST(no_result_of_a_failed_task_is_destroyed)
{
    {
        EDDY_TASK failed = eddy_create_task(make_owned, 1.0, -EIO);
        EDDY_TASK cancelled = eddy_create_task(make_owned, 1.0, 0);

        eddy_cancel(cancelled);
        CHECK_EQ(eddy_await(cancelled), -ECANCELED);
        CHECK_EQ(eddy_await(failed), -EIO);
    }
    CHECK_EQ(destroyed, 0);
}

/* A-CANCEL-10 with an owned result: the task ends cancelled although it succeeded, and
 * what it made is not lost. */
TEST(an_owned_result_of_a_task_that_cancelled_itself_is_destroyed)
{
    {
        int value = 0;
        EDDY_TASK task = eddy_create_task(make_owned_cancelling_itself);

        CHECK_EQ(eddy_await(task, &value), -ECANCELED);
    }
    CHECK_EQ(destroyed, 1);
    CHECK_EQ(last_destroyed, 6);
}

/* Promise 3: a result that comes in the tick of the waiter's cancel is not lost. */
TEST(an_owned_result_stays_with_its_task_when_the_waiter_is_cancelled)
{
    EDDY_TASK task = eddy_create_task(make_owned, 1.0, 0);

    {
        EDDY_TASK waiter = eddy_create_task(takes_owned, task);

        CHECK_OK(eddy_sleep(0));
        eddy_cancel(waiter);
        CHECK_EQ(eddy_await(waiter), -ECANCELED);
    }
    CHECK_OK(eddy_await(task));
    CHECK_EQ(destroyed, 0);
    int value = 0;
    CHECK_OK(eddy_await(task, &value));
    CHECK_EQ(value, 5);
}
