/* SPDX-License-Identifier: MIT */
/* Generators: rules A-AGEN-1 to A-AGEN-12. Ends, cancels and misuse: generator_ends.c. */
#include "harness.h"

static int log_of[64], logged;

static void note(int value)
{
    if (logged < 64)
        log_of[logged++] = value;
}

static int count_to(eddy_generator *g, int last)
{
    note(-1);
    for (int i = 1; i <= last; i++)
        EDDY_TRY(eddy_yield(g, &i));
    return 0;
}
EDDY_ASYNC_GENERATOR(int, count_to, int);

static int count_slowly(eddy_generator *g, int last, double seconds)
{
    for (int i = 1; i <= last; i++) {
        EDDY_TRY(eddy_sleep(seconds));
        EDDY_TRY(eddy_yield(g, &i));
    }
    return 0;
}
EDDY_ASYNC_GENERATOR(int, count_slowly, int, double);

static int fail_after(eddy_generator *g, int values, int code)
{
    for (int i = 1; i <= values; i++)
        EDDY_TRY(eddy_yield(g, &i));
    return eddy_raise(code, "after %d values", values);
}
EDDY_ASYNC_GENERATOR(int, fail_after, int, int);

/* A-AGEN-1: nothing runs before the first value is asked for. */
TEST(generator_runs_nothing_before_the_first_next)
{
    EDDY_GENERATOR g = eddy_generate(count_to, 2);
    int value = 0;

    CHECK_OK(eddy_sleep(1));
    CHECK_EQ(logged, 0);
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(logged, 1);
    CHECK_EQ(value, 1);
}

/* A-AGEN-2, A-AGEN-3: values, then the end, then and ever after. */
TEST(generator_gives_its_values_and_then_ends_for_ever)
{
    EDDY_GENERATOR g = eddy_generate(count_to, 3);
    int value = 0;

    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(eddy_next(g, &value), 1);
        CHECK_EQ(value, i);
    }
    for (int i = 0; i < 3; i++)
        CHECK_EQ(eddy_next(g, &value), 0);
    CHECK_EQ(value, 3); /* untouched */
}

/* The loop: async for. */
TEST(generator_loop_takes_every_value)
{
    int value, rc, sum = 0;

    EDDY_FOR_EACH(rc, value, eddy_generate(count_to, 100))
        sum += value;
    CHECK_OK(rc);
    CHECK_EQ(sum, 5050);
    EDDY_FOR_EACH(rc, value, eddy_generate(count_to, 0))
        sum = 0;
    CHECK_OK(rc);
    CHECK_EQ(sum, 5050);
}

static eddy_task *ran_in;

static int note_task(eddy_generator *g)
{
    for (;;) {
        ran_in = eddy_current_task();
        EDDY_TRY(eddy_yield(g, &(char){1}));
    }
}
EDDY_ASYNC_GENERATOR(char, note_task);

static int next_of(eddy_generator *g)
{
    char value;

    REQUIRE(eddy_next(g, &value) == 1);
    REQUIRE(ran_in == eddy_current_task());
    return 0;
}
EDDY_ASYNC(next_of, eddy_generator *);

/* A-AGEN-2: the body runs in whatever task asks; several may, in turn. */
TEST(generator_body_runs_in_the_task_that_asks)
{
    EDDY_GENERATOR g = eddy_generate(note_task);
    EDDY_TASK a = eddy_create_task(next_of, g);
    EDDY_TASK b = eddy_create_task(next_of, g);

    CHECK_OK(next_of(g));
    CHECK_OK(eddy_await(a));
    CHECK_OK(eddy_await(b));
    CHECK_OK(next_of(g));
}

/* A-AGEN-2: it may wait between its values, and others run meanwhile. */
TEST(generator_may_wait_between_its_values)
{
    double start = eddy_time();
    int value, rc, count = 0;

    EDDY_FOR_EACH(rc, value, eddy_generate(count_slowly, 3, 2.0))
        count++;
    CHECK_OK(rc);
    CHECK_EQ(count, 3);
    CHECK(eddy_time() - start >= 6);
}

/* A-AGEN-3: an error is told once, with its text; then the values have ended. */
TEST(generator_error_is_told_once)
{
    EDDY_GENERATOR g = eddy_generate(fail_after, 1, -EIO);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_next(g, &value), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "after 1 values");
    CHECK_EQ(eddy_next(g, &value), 0);
    CHECK_OK(eddy_generator_close(g));
    CHECK_EQ(eddy_next(g, &value), 0);
}

/* The loop tells the error too. */
TEST(generator_loop_ends_with_the_error_of_the_body)
{
    int value, rc, count = 0;

    EDDY_FOR_EACH(rc, value, eddy_generate(fail_after, 4, -EDOM))
        count++;
    CHECK_EQ(rc, -EDOM);
    CHECK_STR(eddy_error_message(-EDOM), "after 4 values");
    CHECK_EQ(count, 4);
}

static int squares(eddy_generator *g, int last)
{
    int value, rc;

    EDDY_FOR_EACH(rc, value, eddy_generate(count_slowly, last, 0.1)) {
        value *= value;
        EDDY_TRY(eddy_yield(g, &value)); /* leaves the loop when it is closed */
    }
    return rc;
}
EDDY_ASYNC_GENERATOR(int, squares, int);

static int sums(eddy_generator *g, int last)
{
    int value, rc, sum = 0;

    EDDY_FOR_EACH(rc, value, eddy_generate(squares, last)) {
        sum += value;
        EDDY_TRY(eddy_yield(g, &sum));
    }
    return rc;
}
EDDY_ASYNC_GENERATOR(int, sums, int);

/* Generators over generators; closing the outermost closes all. */
TEST(generator_over_a_generator_over_a_generator)
{
    static const int expected[] = {1, 5, 14, 30};
    int value, rc, count = 0;

    EDDY_FOR_EACH(rc, value, eddy_generate(sums, 4))
        CHECK_EQ(value, expected[count++]);
    CHECK_OK(rc);
    CHECK_EQ(count, 4);
    EDDY_FOR_EACH(rc, value, eddy_generate(sums, 1000000))
        if (value > 100)
            break;
    CHECK_OK(rc);
}

/* Several at once in one task, asked in turn. */
TEST(generator_beside_generator_is_asked_in_turn)
{
    EDDY_GENERATOR a = eddy_generate(count_to, 50);
    EDDY_GENERATOR b = eddy_generate(count_slowly, 50, 0.5);
    int x = 0, y = 0;

    for (int i = 1; i <= 50; i++) {
        CHECK_EQ(eddy_next(a, &x), 1);
        CHECK_EQ(eddy_next(b, &y), 1);
        CHECK(x == i && y == i);
    }
}

static int take_half(eddy_generator *g, int *sum)
{
    int value;

    for (int i = 0; i < 5; i++) {
        REQUIRE(eddy_next(g, &value) == 1);
        *sum += value;
        EDDY_TRY(eddy_sleep(0.1));
    }
    return 0;
}
EDDY_ASYNC(take_half, eddy_generator *, int *);

/* Two tasks that take turns share the values: each is given once. */
TEST(generator_driven_by_two_tasks_in_turn_gives_each_value_once)
{
    static int sums_of[2];
    EDDY_GENERATOR g = eddy_generate(count_to, 10);

    CHECK_OK(
        eddy_gather(EDDY_CALL(take_half, g, &sums_of[0]), EDDY_CALL(take_half, g, &sums_of[1])));
    CHECK_EQ(sums_of[0] + sums_of[1], 55);
}

static int next_once(eddy_generator *g, int *rc)
{
    int value;

    *rc = eddy_next(g, &value);
    return 0;
}
EDDY_ASYNC(next_once, eddy_generator *, int *);

/* A-AGEN-8: two at the same time: the second one is refused, the first goes on. */
TEST(generator_asked_by_two_tasks_at_once_is_busy)
{
    static int rcs[2];
    EDDY_GENERATOR g = eddy_generate(count_slowly, 3, 1.0);
    EDDY_TASK a = eddy_create_task(next_once, g, &rcs[0]);
    int value = 0;

    test_settle();
    CHECK_EQ(eddy_next(g, &value), -EBUSY);
    CHECK_HAS(eddy_error_message(-EBUSY), "count_slowly");
    CHECK_EQ(eddy_generator_close(g), -EBUSY);
    CHECK_OK(eddy_await(a));
    CHECK_EQ(rcs[0], 1);
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(value, 2);
}

static int ask_itself(eddy_generator *g)
{
    int value;

    REQUIRE(eddy_next(g, &value) == -EBUSY);
    REQUIRE(eddy_generator_close(g) == -EBUSY);
    return 0;
}
EDDY_ASYNC_GENERATOR(int, ask_itself);

/* The same from within. */
TEST(generator_that_asks_itself_is_busy)
{
    int value, rc;

    EDDY_FOR_EACH(rc, value, eddy_generate(ask_itself))
        ;
    CHECK_OK(rc);
}

struct large {
    unsigned char bytes[10000];
};

static int make_large(eddy_generator *g, int count)
{
    struct large large;

    for (int i = 0; i < count; i++) {
        memset(&large, i, sizeof large);
        EDDY_TRY(eddy_yield(g, &large));
        memset(&large, 0xee, sizeof large); /* the caller has its own copy */
    }
    return 0;
}
EDDY_ASYNC_GENERATOR(struct large, make_large, int);

/* Values of any size are copied. */
TEST(generator_values_may_be_large)
{
    static struct large large;
    int rc, count = 0;

    EDDY_FOR_EACH(rc, large, eddy_generate(make_large, 5)) {
        CHECK_EQ(large.bytes[0], count);
        CHECK_EQ(large.bytes[9999], count);
        count++;
    }
    CHECK_OK(rc);
    CHECK_EQ(count, 5);
}

static eddy_local who = EDDY_LOCAL_INIT("who", "nobody");

static int note_who(eddy_generator *g)
{
    for (;;) {
        char *value = eddy_local_get(&who);

        EDDY_TRY(eddy_yield(g, &value));
    }
}
EDDY_ASYNC_GENERATOR(char *, note_who);

/* generator.h: the body shares the local values of the task that asks. */
TEST(generator_body_sees_the_local_values_of_who_asks)
{
    EDDY_GENERATOR g = eddy_generate(note_who);
    char *value = NULL;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_STR(value, "nobody");
    CHECK_OK(eddy_local_set(&who, "me", NULL));
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_STR(value, "me");
}

/* A million values; and the forced yield in a tight loop lets others run (promise 6). */
TEST(generator_gives_a_million_values)
{
    int last = test_is_slow() ? 20000 : 1000000;
    long long sum = 0;
    int value, rc;

    EDDY_FOR_EACH(rc, value, eddy_generate(count_to, last))
        sum += value;
    CHECK_OK(rc);
    CHECK_EQ(sum, (long long)last * (last + 1) / 2);
}

static int flag;

static int set_flag(void)
{
    flag = 1;
    return 0;
}
EDDY_ASYNC(set_flag);

/* Promise 6: at most 128 values without letting others run. */
TEST(generator_loop_does_not_starve_others)
{
    EDDY_TASK other = eddy_create_task(set_flag);
    int value, rc, count = 0;

    EDDY_FOR_EACH(rc, value, eddy_generate(count_to, 1000)) {
        if (flag)
            break;
        count++;
    }
    CHECK_OK(rc);
    CHECK(flag && count <= 130);
}
