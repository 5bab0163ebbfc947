/* SPDX-License-Identifier: MIT */
/* gather and its outcomes: rules A-GATHER-1 to A-GATHER-15. */
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

/* Withstands a cancel and gives a value. */
static int give_in_any_case(double seconds, int value, int *out)
{
    EDDY_SHIELD(whatever);
    (void)eddy_sleep(seconds);
    *out = value;
    return 0;
}
EDDY_ASYNC_RESULT(int, give_in_any_case, double, int);

static int note_start(int value)
{
    note(value);
    return 0;
}
EDDY_ASYNC(note_start, int);

/* A-GATHER-1: started in the order of the arguments. */
TEST(gather_starts_its_calls_in_order)
{
    CHECK_OK(
        eddy_gather(EDDY_CALL(note_start, 1), EDDY_CALL(note_start, 2), EDDY_CALL(note_start, 3)));
    CHECK_EQ(logged, 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(log_of[i], i + 1);
}

/* A-GATHER-2: nothing to do is done without yielding. */
TEST(gather_of_nothing_does_not_yield)
{
    EDDY_TASK other = eddy_create_task(note_start, 1);
    int outcome = 7;

    CHECK_OK(eddy_gather_calls(NULL, 0));
    CHECK_OK(eddy_gather_outcomes_calls(&outcome, NULL, 0));
    CHECK_EQ(logged, 0);
    CHECK_EQ(outcome, 7);
}

/* A-GATHER-3: results go to their places, whoever ends first; time is that of the longest. */
TEST(gather_puts_results_in_their_places)
{
    int a = 0, b = 0, c = 0;
    double start = eddy_time();

    CHECK_OK(eddy_gather(EDDY_CALL(give_after, 3.0, 1, &a), EDDY_CALL(give_after, 1.0, 2, &b),
                         EDDY_CALL(give_after, 2.0, 3, &c)));
    CHECK_EQ(tenths(start), 30);
    CHECK(a == 1 && b == 2 && c == 3);
    CHECK(log_of[0] == 2 && log_of[1] == 3 && log_of[2] == 1);
}

/* A call whose result nobody wants, and one without a result. */
TEST(gather_drops_results_that_have_no_place)
{
    CHECK_OK(eddy_gather(EDDY_CALL(give_after, 1.0, 1), EDDY_CALL(note_start, 2)));
    CHECK_EQ(logged, 2);
}

/* A-GATHER-1, A-GATHER-4: tasks that exist are awaited, one may be given twice. */
TEST(gather_awaits_tasks_and_the_same_one_twice)
{
    EDDY_TASK task = eddy_create_task(give_after, 2.0, 7);
    int a = 0, b = 0, c = 0;

    CHECK_OK(
        eddy_gather(EDDY_AWAIT(task, &a), EDDY_CALL(give_after, 1.0, 8, &c), EDDY_AWAIT(task, &b)));
    CHECK(a == 7 && b == 7 && c == 8);
}

/* A-GATHER-5, where Eddy differs: the first error cancels and joins the others. */
TEST(gather_first_error_cancels_and_joins_the_others)
{
    double start = eddy_time();
    int value = -1, done = -1;

    CHECK_EQ(eddy_gather(EDDY_CALL(linger, 3.0, 1), EDDY_CALL(fail_after, 2.0, -EIO, "the first"),
                         EDDY_CALL(give_after, 1.0, 7, &done),
                         EDDY_CALL(give_after, 5.0, 9, &value)),
             -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the first");
    CHECK_EQ(tenths(start), 50); /* with the clean-up */
    CHECK_EQ(logged, 2);
    CHECK_EQ(done, 7);   /* written when its call succeeded */
    CHECK_EQ(value, -1); /* not written */
}

/* A-GATHER-6: later failures are consumed without a report. */
TEST(gather_does_not_report_later_failures)
{
    CHECK_EQ(eddy_gather(EDDY_CALL(fail_after, 1.0, -EIO, "the first"),
                         EDDY_CALL(fail_after, 1.0, -EDOM, "the second")),
             -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the first");
    CHECK_STR(test_report(), "");
}

/* A-GATHER-7: outcomes waits for all and tells of each. */
TEST(gather_outcomes_waits_for_all_whatever_fails)
{
    int outcomes[4] = {1, 1, 1, 1}, a = -1, b = -1;
    double start = eddy_time();
    EDDY_TASK cancelled = eddy_create_task(linger, 0.0, 0);

    eddy_cancel(cancelled);
    CHECK_OK(eddy_gather_outcomes(outcomes, EDDY_CALL(give_after, 3.0, 7, &a),
                                  EDDY_CALL(fail_after, 1.0, -EIO, "not reported"),
                                  EDDY_AWAIT(cancelled), EDDY_CALL(give_after, 2.0, 8, &b)));
    CHECK_EQ(tenths(start), 30);
    CHECK(outcomes[0] == 0 && outcomes[1] == -EIO);
    CHECK(outcomes[2] == -ECANCELED && outcomes[3] == 0);
    CHECK(a == 7 && b == 8);
}

/* A-GATHER-8: a child cancelled by somebody else has failed; the caller is not cancelled. */
TEST(gather_child_cancelled_by_somebody_else_counts_as_failed)
{
    EDDY_TASK task = eddy_create_task(linger, 0.0, 1);

    eddy_cancel(task);
    CHECK_EQ(eddy_gather(EDDY_AWAIT(task), EDDY_CALL(linger, 1.0, 2)), -ECANCELED);
    CHECK(!eddy_cancelled());
    CHECK_EQ(logged, 2);
    CHECK_OK(eddy_sleep(0));
}

static int gather_two(int *value)
{
    return eddy_gather(EDDY_CALL(linger, 2.0, 1), EDDY_CALL(linger, 1.0, 2),
                       EDDY_CALL(give_in_any_case, 3.0, 5, value));
}
EDDY_ASYNC(gather_two, int *);

static int gather_two_outcomes(int *outcomes)
{
    return eddy_gather_outcomes(outcomes, EDDY_CALL(linger, 2.0, 1),
                                EDDY_CALL(give_in_any_case, 3.0, 5));
}
EDDY_ASYNC(gather_two_outcomes, int *);

/* A-GATHER-9, A-GATHER-10, where Eddy differs: cancels all, and waits for all. */
TEST(gather_that_is_cancelled_cancels_all_and_waits_for_all)
{
    static int value;
    double start = eddy_time();
    EDDY_TASK task = eddy_create_task(gather_two, &value);

    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(tenths(start), 30);
    CHECK_EQ(logged, 2);
    CHECK_EQ(value, 5); /* its call succeeded all the same */
}

/* A-GATHER-11: outcomes likewise, with the outcomes of those that ended. */
TEST(gather_outcomes_that_is_cancelled_waits_for_all)
{
    static int outcomes[2] = {1, 1};
    double start = eddy_time();
    EDDY_TASK task = eddy_create_task(gather_two_outcomes, outcomes);

    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(tenths(start), 30);
    CHECK_EQ(outcomes[0], -ECANCELED);
    CHECK_EQ(outcomes[1], 0);
}

static int gather_stubborn(int *values)
{
    return eddy_gather(EDDY_CALL(give_in_any_case, 2.0, 1, &values[0]),
                       EDDY_CALL(give_in_any_case, 1.0, 2, &values[1]));
}
EDDY_ASYNC(gather_stubborn, int *);

/* A-GATHER-12: the cancel is told although every child swallowed it. */
TEST(gather_that_is_cancelled_says_so_though_all_children_succeeded)
{
    static int values[2];
    EDDY_TASK task = eddy_create_task(gather_stubborn, values);

    test_settle();
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK(values[0] == 1 && values[1] == 2);
}

/* A-GATHER-13, -14, promise 3: all children had ended when the cancel came. */
TEST(gather_cancelled_in_the_tick_of_its_end_has_succeeded)
{
    static int values[2];
    EDDY_TASK task = eddy_create_task(gather_stubborn, values);

    CHECK_OK(eddy_sleep(2));
    while (values[0] == 0 && eddy_sleep(0) == 0)
        ;
    if (!eddy_task_done(task)) {
        CHECK_OK(eddy_cancel(task));
        CHECK_OK(eddy_await(task)); /* nothing left to cancel */
    }
    CHECK_EQ(eddy_cancel(task), -EALREADY);
}

/* A timeout around a gather is a cancel with another code. */
TEST(gather_that_times_out_cancels_and_joins)
{
    double start = eddy_time();
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_gather(EDDY_CALL(linger, 2.0, 1), EDDY_CALL(linger, 0.0, 2)), -ETIMEDOUT);
    }
    CHECK_EQ(tenths(start), 30);
    CHECK_EQ(logged, 2);
    CHECK_OK(eddy_sleep(0));
}

static int gather_when_cancelled(void)
{
    eddy_cancel(eddy_current_task());
    REQUIRE(eddy_gather(EDDY_CALL(note_start, 1)) == -ECANCELED);
    REQUIRE(logged == 0);
    return 0;
}
EDDY_ASYNC(gather_when_cancelled);

/* Promise 3: on entry a pending cancel wins; nothing starts. */
TEST(gather_of_a_cancelled_task_starts_nothing)
{
    EDDY_TASK task = eddy_create_task(gather_when_cancelled);

    CHECK_OK(eddy_await(task));
}

/* One call, and a thousand. */
TEST(gather_of_one_and_of_a_thousand)
{
    static eddy_call calls[1000];
    static int values[1000], outcomes[1000];
    int one = 0;

    CHECK_OK(eddy_gather(EDDY_CALL(give_after, 1.0, 4, &one)));
    CHECK_EQ(one, 4);
    for (int i = 0; i < 1000; i++)
        calls[i] = EDDY_CALL(give_after, (i * 13) % 7, i, &values[i]);
    CHECK_OK(eddy_gather_calls(calls, 1000));
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(values[i], i);
    for (int i = 0; i < 1000; i++)
        calls[i] = EDDY_CALL(fail_after, (i * 13) % 7, -1 - i % 5, NULL);
    CHECK_OK(eddy_gather_outcomes_calls(outcomes, calls, 1000));
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(outcomes[i], -1 - i % 5);
}

/* Issue 2, section 5: -ENOMEM at the k-th call: the others are cancelled and joined. */
TEST(gather_without_memory_for_a_call_starts_none_in_the_end)
{
    static eddy_call calls[1500];
    static int values[1500], outcomes[1500];
    eddy_task *found[4];
    size_t before = eddy_all_tasks(found, 4);

    for (int i = 0; i < 1500; i++) /* more than the stacks of a slab */
        calls[i] = EDDY_CALL(give_after, 1.0, i, &values[i]);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        int rc = eddy_gather_calls(calls, 1500);
        ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK_EQ(rc, -ENOMEM);
        ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        rc = eddy_gather_outcomes_calls(outcomes, calls, 1500);
        ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK_EQ(rc, -ENOMEM);
        CHECK_EQ(outcomes[0], -ECANCELED);
        CHECK_EQ(eddy_all_tasks(found, 4), before); /* all were joined */
        CHECK_EQ(logged, 0);
    }
    CHECK_OK(eddy_gather_calls(calls, 1500)); /* everything is usable */
    CHECK_EQ(values[1499], 1499);
}

static int gather_inner(double seconds, int fail, int *out)
{
    int a = 0, b = 0;

    EDDY_TRY(
        eddy_gather(EDDY_CALL(give_after, seconds, 1, &a), EDDY_CALL(give_after, seconds, 2, &b)));
    if (fail)
        return eddy_raise(fail, "the inner one's");
    *out = a + b;
    return 0;
}
EDDY_ASYNC_RESULT(int, gather_inner, double, int);

/* gathers in gathers; the inner text reaches the outermost caller. */
TEST(gather_in_a_gather_passes_results_and_texts)
{
    int a = 0, b = 0;

    CHECK_OK(eddy_gather(EDDY_CALL(gather_inner, 1.0, 0, &a), EDDY_CALL(gather_inner, 2.0, 0, &b)));
    CHECK(a == 3 && b == 3);
    CHECK_EQ(eddy_gather(EDDY_CALL(gather_inner, 1.0, -EIO, &a), EDDY_CALL(linger, 0.0, 9)), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the inner one's");
}

static int owned_alive;

static int make_owned(double seconds, int **out)
{
    EDDY_TRY(eddy_sleep(seconds));
    owned_alive++;
    *out = &owned_alive;
    return 0;
}
static void free_owned(int **owned)
{
    --**owned;
}
EDDY_ASYNC_OWNED(int *, free_owned, make_owned, double);

/* Promise 4: what was made before the failure is the caller's; what has no place is freed. */
TEST(gather_destroys_owned_results_without_a_place)
{
    int *mine = NULL;

    CHECK_EQ(eddy_gather(EDDY_CALL(make_owned, 0.0, &mine), EDDY_CALL(make_owned, 0.0),
                         EDDY_CALL(make_owned, 5.0), EDDY_CALL(fail_after, 1.0, -EIO, NULL)),
             -EIO);
    CHECK(mine == &owned_alive);
    CHECK_EQ(owned_alive, 1);
}

static eddy_task *foreign;

static int make_foreign(void)
{
    foreign = eddy_create_task(linger, 0.0, 1);
    return eddy_sleep(0);
}
EDDY_ASYNC(make_foreign);

static int gather_foreign(void)
{
    REQUIRE(eddy_gather(EDDY_AWAIT(foreign), EDDY_CALL(linger, 0.0, 2)) == -EINVAL);
    REQUIRE(strstr(eddy_error_message(-EINVAL), "another loop"));
    return 0;
}
EDDY_ASYNC(gather_foreign);

/* A-GATHER-15: a task of another loop is an error; the other calls are cancelled. */
RAW_TEST(gather_of_a_task_of_another_loop_is_refused)
{
    eddy_runner first = EDDY_RUNNER_INIT, second = EDDY_RUNNER_INIT;

    CHECK_OK(eddy_runner_run(&first, EDDY_CALL(make_foreign)));
    CHECK_OK(eddy_runner_run(&second, EDDY_CALL(gather_foreign)));
    CHECK(!eddy_task_done(foreign));
    eddy_runner_close(&second);
    eddy_runner_close(&first);
}
