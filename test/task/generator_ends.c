/* SPDX-License-Identifier: MIT */
/*
 * How generators end: close, early exits, cancels and timeouts (A-AGEN-4 to
 * A-AGEN-7, A-AGEN-9 to A-AGEN-12), and misuse.
 */
#include "base/fault.h"
#include "harness.h"

static int log_of[64], logged, bodies;

static void note(int value)
{
    if (logged < 64)
        log_of[logged++] = value;
}

/* Clean-up that waits. */
static void clean_up(int *value)
{
    if (eddy_sleep(2) == 0)
        note(*value);
}

/* Yields for ever; its clean-up, open across the yields, waits for two seconds. */
static int endless(eddy_generator *g, int start)
{
    int cleanup = start;

    bodies++;
    EDDY_DEFER(clean_up, &cleanup);
    for (int i = start;; i++)
        EDDY_TRY(eddy_yield(g, &i));
}
EDDY_ASYNC_GENERATOR(int, endless, int);

static int sleep_and_yield(eddy_generator *g, int *seen)
{
    int cleanup = 7, value = 1;

    EDDY_DEFER(clean_up, &cleanup);
    for (;;) {
        *seen = eddy_sleep(1);
        if (*seen < 0)
            return *seen;
        EDDY_TRY(eddy_yield(g, &value));
    }
}
EDDY_ASYNC_GENERATOR(int, sleep_and_yield, int *);

/* Since `start`, in tenths of a second. */
static long tenths(double start)
{
    return (long)((eddy_time() - start) * 10 + 0.5);
}

/* A-AGEN-4: one that has not started never runs. */
TEST(generator_closed_before_it_started_never_runs)
{
    EDDY_GENERATOR g = eddy_generate(endless, 5);
    int value = 0;

    CHECK_OK(eddy_generator_close(g));
    CHECK_EQ(eddy_next(g, &value), 0);
    CHECK_EQ(bodies, 0);
    CHECK_EQ(logged, 0);
}

/* A-AGEN-5: the pending yield is refused, the clean-up runs and may wait; idempotent. */
TEST(generator_close_runs_clean_up_that_waits)
{
    EDDY_GENERATOR g = eddy_generate(endless, 5);
    double start = eddy_time();
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_OK(eddy_generator_close(g));
    CHECK_EQ(tenths(start), 20);
    CHECK_EQ(log_of[0], 5);
    CHECK_OK(eddy_generator_close(g));
    CHECK_EQ(logged, 1);
    CHECK_EQ(eddy_next(g, &value), 0);
}

static int yield_when_closed(eddy_generator *g)
{
    int value = 1;

    while (eddy_yield(g, &value) == 0)
        ;
    for (int i = 0; i < 3; i++)
        REQUIRE(eddy_yield(g, &value) == -ECANCELED); /* refused, without a switch */
    return eddy_raise(-EIO, "the clean-up failed");
}
EDDY_ASYNC_GENERATOR(int, yield_when_closed);

static int wait_after_the_last_yield(eddy_generator *g, int *rc)
{
    int value = 1;

    while (eddy_yield(g, &value) == 0)
        ;
    *rc = eddy_sleep(3); /* plain code of the body, no deferred call */
    return *rc;
}
EDDY_ASYNC_GENERATOR(int, wait_after_the_last_yield, int *);

static int close_when_cancelled(int *rc)
{
    EDDY_GENERATOR g = eddy_generate(wait_after_the_last_yield, rc);
    int value;

    REQUIRE(eddy_next(g, &value) == 1);
    eddy_cancel(eddy_current_task());
    return eddy_generator_close(g);
}
EDDY_ASYNC(close_when_cancelled, int *);

/* Promise 2: a close is a release: all of its clean-up is shielded from a cancel. */
TEST(generator_close_in_a_cancelled_task_shields_the_body)
{
    static int rc = -1;
    double start = eddy_time();
    EDDY_TASK task = eddy_create_task(close_when_cancelled, &rc);

    CHECK_EQ(eddy_await(task), -ECANCELED); /* it had not met its cancel */
    CHECK_OK(rc);
    CHECK_EQ(tenths(start), 30);
}

/* A-AGEN-6: a yield during the close is refused; the body's own error is told. */
TEST(generator_close_refuses_yields_and_tells_the_error_of_the_clean_up)
{
    EDDY_GENERATOR g = eddy_generate(yield_when_closed);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_generator_close(g), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the clean-up failed");
    CHECK_EQ(eddy_next(g, &value), 0);
}

static int leave_by_return(void)
{
    int value, rc;

    EDDY_FOR_EACH(rc, value, eddy_generate(endless, 10))
        if (value == 12)
            return value;
    return rc;
}

static int leave_by_error(void)
{
    int value, rc;

    EDDY_FOR_EACH(rc, value, eddy_generate(endless, 20))
        EDDY_TRY(value == 21 ? eddy_raise(-EIO, "the loop's own") : 0);
    return rc;
}

/* A-AGEN-9, where Eddy differs: a loop that is left early closes its generator. */
TEST(generator_loop_left_early_closes_it)
{
    int value, rc;

    EDDY_FOR_EACH(rc, value, eddy_generate(endless, 1))
        break;
    CHECK_OK(rc); /* no error */
    CHECK_EQ(logged, 1);
    CHECK_EQ(leave_by_return(), 12);
    CHECK_EQ(logged, 2);
    CHECK_EQ(leave_by_error(), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the loop's own"); /* clean-up does not hide it */
    CHECK_EQ(logged, 3);
    CHECK_EQ(log_of[1], 10);
    CHECK_EQ(log_of[2], 20);
}

static int take_and_wait(int *rc)
{
    EDDY_GENERATOR g = eddy_generate(endless, 3);
    int value;

    EDDY_TRY(eddy_next(g, &value));
    *rc = eddy_sleep(EDDY_FOREVER);
    REQUIRE(eddy_next(g, &value) == -ECANCELED); /* the body does not run on */
    return *rc;
}
EDDY_ASYNC(take_and_wait, int *);

/* A-AGEN-5, promise 2: the close of a cancelled task runs its clean-up in full. */
TEST(generator_of_a_cancelled_task_is_closed_with_its_clean_up)
{
    static int rc;
    EDDY_TASK task = eddy_create_task(take_and_wait, &rc);

    test_settle();
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(rc, -ECANCELED);
    CHECK_EQ(logged, 1);
}

static int drive(int *seen)
{
    EDDY_GENERATOR g = eddy_generate(sleep_and_yield, seen);
    int value, rc;

    while ((rc = eddy_next(g, &value)) > 0)
        ;
    return rc;
}
EDDY_ASYNC(drive, int *);

/* A-AGEN-11: a cancel of the task that waits in the body is seen by the body. */
TEST(generator_body_that_waits_is_cancelled_with_its_task)
{
    static int seen;
    EDDY_TASK task = eddy_create_task(drive, &seen);

    CHECK_OK(eddy_sleep(2.5));
    CHECK_OK(eddy_cancel(task));
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK_EQ(seen, -ECANCELED);
    CHECK_EQ(log_of[0], 7); /* and it cleaned up */
}

/* A timeout of the caller's is seen by the body that waits, which has then ended. */
TEST(generator_body_that_waits_times_out_with_its_caller)
{
    static int seen;
    EDDY_GENERATOR g = eddy_generate(sleep_and_yield, &seen);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    {
        EDDY_TIMEOUT(limit, 0.5);
        CHECK_EQ(eddy_next(g, &value), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&limit));
    }
    CHECK_EQ(seen, -ETIMEDOUT);
    CHECK_EQ(eddy_next(g, &value), 0);
}

static int withstand(eddy_generator *g, int *timeouts)
{
    for (int i = 0;; i++) {
        if (eddy_sleep(1) == -ETIMEDOUT)
            ++*timeouts;
        EDDY_TRY(eddy_yield(g, &i));
    }
}
EDDY_ASYNC_GENERATOR(int, withstand, int *);

/* A-AGEN-2: a scope of the caller's around one step does not disturb the next. */
TEST(generator_step_in_a_timeout_of_the_caller_is_like_any_other)
{
    static int timeouts;
    EDDY_GENERATOR g = eddy_generate(withstand, &timeouts);
    int value = -1;

    for (int i = 0; i < 10; i++) {
        EDDY_TIMEOUT(limit, i % 2 ? 0.5 : 2);
        CHECK_EQ(eddy_next(g, &value), 1);
        CHECK_EQ(value, i);
    }
    CHECK_EQ(timeouts, 5);
}

static int limit_inside(eddy_generator *g, int *rc)
{
    int value = 1;
    {
        EDDY_TIMEOUT(limit, 1);
        *rc = eddy_sleep(5);
    }
    return eddy_yield(g, &value); /* the scope is closed again */
}
EDDY_ASYNC_GENERATOR(int, limit_inside, int *);

/* A-AGEN-12: a scope between two yields is allowed. */
TEST(generator_may_use_scopes_between_its_yields)
{
    static int inner;
    int value, rc, count = 0;

    EDDY_FOR_EACH(rc, value, eddy_generate(limit_inside, &inner))
        count++;
    CHECK_OK(rc);
    CHECK_EQ(inner, -ETIMEDOUT);
    CHECK_EQ(count, 1);
}

static int leave_open(void)
{
    int value;
    eddy_generator *g = eddy_generate(endless, 3);

    return eddy_next(g, &value) == 1 ? 0 : -EINVAL;
}
EDDY_ASYNC(leave_open);

static int leave_open_and_watch(void)
{
    test_watch_reports(eddy_get_running_loop());
    return leave_open();
}
EDDY_ASYNC(leave_open_and_watch);

/* A-AGEN-10: one that is forgotten is closed by the end of the run, with its clean-up. */
RAW_TEST(generator_that_is_forgotten_is_closed_by_the_run)
{
    CHECK_OK(eddy_run(leave_open_and_watch));
    CHECK_EQ(logged, 1);
    CHECK_STR(test_report(), "");
}

/* No memory: next says so, as every function that takes a handle. */
TEST(generator_without_memory_is_told_by_next)
{
    EDDY_GENERATOR none = NULL;
    int value = 0, rc;

    CHECK_EQ(eddy_next(none, &value), -ENOMEM);
    CHECK_EQ(eddy_generator_close(none), -ENOMEM);
    eddy_generator_free(NULL);
    EDDY_FOR_EACH(rc, value, (eddy_generator *)NULL)
        ;
    CHECK_EQ(rc, -ENOMEM);
}

/* Issue 2, section 5: a generator that cannot be made, and all is usable afterwards. */
TEST(generator_that_cannot_be_made_is_null)
{
    enum { MANY = 1200 }; /* more than the stacks of a slab */
    static eddy_generator *many[MANY];
    int made = 0, value = 0;

    ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    while (made < MANY && (many[made] = eddy_generate(endless, 1)))
        made++;
    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    int last = made < MANY ? eddy_next(many[made], &value) : 0;
    for (int i = 0; i < made; i++)
        eddy_generator_free(many[i]);
    CHECK(made > 0 && made < MANY);
    CHECK_EQ(last, -ENOMEM);
    CHECK_EQ(bodies, 0);
}

/* Misuse ------------------------------------------------------------------------ */

static int timeout_across(eddy_generator *g)
{
    EDDY_TIMEOUT(limit, 5);
    return eddy_yield(g, &(int){1});
}
EDDY_ASYNC_GENERATOR(int, timeout_across);

static int shield_across(eddy_generator *g)
{
    EDDY_SHIELD(shield);
    return eddy_yield(g, &(int){1});
}
EDDY_ASYNC_GENERATOR(int, shield_across);

static int group_across(eddy_generator *g)
{
    EDDY_GROUP(group);
    return eddy_yield(g, &(int){1});
}
EDDY_ASYNC_GENERATOR(int, group_across);

static int yield_wrong_size(eddy_generator *g)
{
    return eddy_yield(g, &(char[3]){0});
}
EDDY_ASYNC_GENERATOR(int, yield_wrong_size);

static int ask(eddy_generator *g)
{
    int value;

    return eddy_next(g, &value);
}
EDDY_ASYNC(ask, eddy_generator *);

static int misuse(int which)
{
    long value;
    EDDY_GENERATOR g = which == 0   ? eddy_generate(timeout_across)
                       : which == 1 ? eddy_generate(shield_across)
                       : which == 2 ? eddy_generate(group_across)
                       : which == 3 ? eddy_generate(yield_wrong_size)
                                    : eddy_generate(endless, 1);

    if (which == 4)
        return eddy_next(g, &value);
    EDDY_TRY(ask(g));
    if (which == 5)
        return eddy_next(g, &value); /* where the inline path stands */
    if (which == 6)
        return eddy_yield(g, &(int){1}); /* not in the body */
    eddy_generator_free(g);
    eddy_generator_free(g);
    return 0;
}
EDDY_ASYNC(misuse, int);

static int which_misuse;

static void run_misuse(void)
{
    (void)eddy_run(misuse, which_misuse);
}

/* A-AGEN-12: a scope open across a yield aborts with its sentence; so does a wrong size. */
RAW_TEST(generator_misuse_aborts_with_a_sentence)
{
    static const char *const sentences[] = {
        "yields inside a scope", "yields inside a scope", "yields inside a scope", "4 bytes",
        "but 8 were asked for",  "but 8 were asked for",  "outside its body",      "freed twice"};

    for (which_misuse = 0; which_misuse < 8; which_misuse++)
        CHECK_DIES(run_misuse, sentences[which_misuse]);
}

static int sleep_inside(eddy_generator *g)
{
    EDDY_TRY(eddy_sleep(5));
    return eddy_yield(g, &(int){1});
}
EDDY_ASYNC_GENERATOR(int, sleep_inside);

static int free_while_it_runs(void)
{
    eddy_generator *g = eddy_generate(sleep_inside);
    EDDY_TASK asker = eddy_create_task(ask, g);

    EDDY_TRY(eddy_sleep(0));
    eddy_generator_free(g);
    return 0;
}
EDDY_ASYNC(free_while_it_runs);

static void run_free_while_it_runs(void)
{
    (void)eddy_run(free_while_it_runs);
}

/* Freed while a task is inside. */
RAW_TEST(generator_freed_while_it_runs_aborts)
{
    CHECK_DIES(run_free_while_it_runs, "freed while it runs");
}
