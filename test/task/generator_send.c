/* SPDX-License-Identifier: MIT */
/* Values sent and errors thrown into generators (A-AGEN-1, -2, -6, -7), and misuse. */
#include "base/fault.h"
#include "harness.h"

static int bodies, logged, log_of[64];

static void note(int value)
{
    if (logged < 64)
        log_of[logged++] = value;
}

/* The average of what is sent; ends when it is asked without a value. */
static int averages(eddy_generator *g)
{
    double value, sum = 0, average = 0;
    int rc, count = 0;

    bodies++;
    while ((rc = eddy_yield_receive(g, &average, &value)) > 0) {
        sum += value;
        average = sum / ++count;
    }
    return rc;
}
EDDY_ASYNC_GENERATOR(double, averages);

/* Yields 1, 2, ...; each yield takes a value if one is sent, and notes it, or -1. */
static int count_and_note(eddy_generator *g)
{
    for (int i = 1, sent = 0, rc;; i++) {
        rc = eddy_yield_receive(g, &i, &sent);
        if (rc < 0)
            return rc;
        note(rc ? sent : -1);
    }
}
EDDY_ASYNC_GENERATOR(int, count_and_note);

/* Plain yields and receiving ones in turn: 1 plain, 2 receiving, ... */
static int count_alternately(eddy_generator *g)
{
    for (int i = 1, sent = 0, rc;; i++) {
        EDDY_TRY(eddy_yield(g, &i));
        i++;
        rc = eddy_yield_receive(g, &i, &sent);
        if (rc < 0)
            return rc;
        note(rc ? sent : -1);
    }
}
EDDY_ASYNC_GENERATOR(int, count_alternately);

static int count(eddy_generator *g, int last)
{
    bodies++;
    for (int i = 1; i <= last; i++)
        EDDY_TRY(eddy_yield(g, &i));
    return 0;
}
EDDY_ASYNC_GENERATOR(int, count, int);

/* A-AGEN-2: the pending yield receives a copy of what was sent. */
TEST(generator_receives_what_is_sent)
{
    EDDY_GENERATOR g = eddy_generate(averages);
    double average = -1;

    CHECK_EQ(eddy_next(g, &average), 1);
    CHECK(average == 0);
    CHECK_EQ(eddy_send(g, &(double){10}, &average), 1);
    CHECK(average == 10);
    CHECK_EQ(eddy_send(g, &(double){20}, &average), 1);
    CHECK(average == 15);
    CHECK_EQ(eddy_send(g, &(double){60}, &average), 1);
    CHECK(average == 30);
    CHECK_EQ(eddy_next(g, &average), 0);
    CHECK(average == 30); /* untouched */
}

/* A yield that receives says whether it was sent something; a plain next sends nothing. */
TEST(generator_asked_by_a_plain_next_receives_nothing)
{
    EDDY_GENERATOR g = eddy_generate(count_and_note);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_send(g, &(int){7}, &value), 1);
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_send(g, &(int){8}, &value), 1);
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(value, 5);
    CHECK_EQ(logged, 4);
    CHECK_EQ(log_of[0], 7);
    CHECK_EQ(log_of[1], -1);
    CHECK_EQ(log_of[2], 8);
    CHECK_EQ(log_of[3], -1);
}

/* A plain yield drops what is sent, and the next one does not find it. */
TEST(generator_with_a_plain_yield_drops_what_is_sent)
{
    EDDY_GENERATOR g = eddy_generate(count_alternately);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_send(g, &(int){7}, &value), 1); /* to the plain one */
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(log_of[0], -1);
    CHECK_EQ(eddy_send(g, &(long){7}, &value), 1); /* of whatever size */
    CHECK_EQ(eddy_send(g, &(int){9}, &value), 1);
    CHECK_EQ(value, 5);
    CHECK_EQ(log_of[1], 9);
}

/* A-AGEN-1: no yield waits for a value before the first next. */
TEST(generator_that_has_not_started_takes_no_value)
{
    EDDY_GENERATOR g = eddy_generate(averages);
    double average = -1;

    CHECK_EQ(eddy_send(g, &(double){10}, &average), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "averages() of ");
    CHECK_HAS(eddy_error_message(-EINVAL), "has not started");
    CHECK_EQ(bodies, 0);
    CHECK_EQ(eddy_next(g, &average), 1); /* and is as before */
    CHECK_EQ(eddy_send(g, &(double){10}, &average), 1);
    CHECK(average == 10);
}

/* A-AGEN-3: a send after the end is as a next after the end. */
TEST(generator_that_has_ended_answers_a_send_with_the_end)
{
    EDDY_GENERATOR g = eddy_generate(count, 1);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(eddy_send(g, &(int){1}, &value), 0);
    CHECK_EQ(value, 1);
}

struct large {
    int numbers[2000];
};

static int sum_of_large(eddy_generator *g)
{
    static struct large large;
    long sum = 0;
    int rc;

    while ((rc = eddy_yield_receive(g, &sum, &large)) > 0) {
        sum = 0;
        for (int i = 0; i < 2000; i++)
            sum += large.numbers[i];
    }
    return rc;
}
EDDY_ASYNC_GENERATOR(long, sum_of_large);

/* Values of any size, another one in than out, and without an allocation. */
TEST(generator_receives_large_values_without_an_allocation)
{
    static struct large large;
    EDDY_GENERATOR g = eddy_generate(sum_of_large);
    long sum = 0;

    for (int i = 0; i < 2000; i++)
        large.numbers[i] = i;
    CHECK_EQ(eddy_next(g, &sum), 1);
    ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    int rc = eddy_send(g, &large, &sum);
    CHECK_EQ(ed_fault_set(ED_FAULT_ALLOC, 0, 0), 0);
    CHECK_EQ(rc, 1);
    CHECK_EQ(sum, 1999000);
}

static int receive_slowly(eddy_generator *g)
{
    int value = 0, rc;

    while ((rc = eddy_yield_receive(g, &value, &value)) > 0)
        EDDY_TRY(eddy_sleep(1)); /* what was received is the body's own by then */
    return rc;
}
EDDY_ASYNC_GENERATOR(int, receive_slowly);

static int send_and_check(eddy_generator *g, int number, int *rc)
{
    int value = number, out = -1;

    *rc = eddy_send(g, &value, &out);
    return *rc == 1 && out != number ? -EINVAL : 0;
}
EDDY_ASYNC(send_and_check, eddy_generator *, int, int *);

/* The body may wait with a value; another sender is busy meanwhile and delivers nothing. */
TEST(generator_that_waits_with_a_value_refuses_another_sender)
{
    EDDY_GENERATOR g = eddy_generate(receive_slowly);
    int value = -1, a_rc = 0, b_rc = 0, out = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    EDDY_TASK a = eddy_create_task(send_and_check, g, 5, &a_rc);
    CHECK_OK(eddy_sleep(0.5));
    EDDY_TASK b = eddy_create_task(send_and_check, g, 6, &b_rc);
    CHECK_EQ(eddy_throw(g, -EIO, &out), -EBUSY);
    CHECK_OK(eddy_await(a));
    CHECK_OK(eddy_await(b));
    CHECK_EQ(a_rc, 1);
    CHECK_EQ(b_rc, -EBUSY);
}

static int send_when_cancelled(eddy_generator *g, int *sent, int *thrown)
{
    int out = 0;

    eddy_cancel(eddy_current_task());
    *sent = eddy_send(g, &(int){7}, &out);
    *thrown = eddy_throw(g, -EIO, &out);
    return 0;
}
EDDY_ASYNC(send_when_cancelled, eddy_generator *, int *, int *);

/* Promise 3: a cancelled sender is refused before the body runs on: nothing is delivered. */
TEST(generator_is_not_sent_the_value_of_a_cancelled_task)
{
    EDDY_GENERATOR g = eddy_generate(count_and_note);
    int value = 0, sent = 0, thrown = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    EDDY_TASK task = eddy_create_task(send_when_cancelled, g, &sent, &thrown);
    (void)eddy_await(task);
    CHECK_EQ(sent, -ECANCELED);
    CHECK_EQ(thrown, -ECANCELED);
    CHECK_EQ(logged, 0);
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(value, 2);
    CHECK_EQ(log_of[0], -1);
}

/* No memory: as every function that takes a handle. */
TEST(generator_without_memory_takes_no_value)
{
    EDDY_GENERATOR none = NULL;
    int value = 0;

    CHECK_EQ(eddy_send(none, &(int){1}, &value), -ENOMEM);
    CHECK_EQ(eddy_throw(none, -EIO, &value), -ENOMEM);
}

static eddy_generator *foreign;
static int foreign_sent, foreign_thrown;

static int use_foreign(void)
{
    int value = 0;

    foreign_sent = eddy_send(foreign, &(int){1}, &value);
    foreign_thrown = eddy_throw(foreign, -EIO, &value);
    return 0;
}
EDDY_ASYNC(use_foreign);

static int run_foreign(void)
{
    return eddy_run(use_foreign);
}
EDDY_ASYNC(run_foreign);

/* It belongs to one loop. */
TEST(generator_of_another_loop_takes_no_value)
{
    EDDY_GENERATOR g = eddy_generate(count, 3);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    foreign = g;
    CHECK_OK(eddy_to_thread(run_foreign));
    CHECK_EQ(foreign_sent, -EINVAL);
    CHECK_EQ(foreign_thrown, -EINVAL);
}

/* Errors thrown in ---------------------------------------------------------- */

/* Goes on after -EAGAIN with 100 more, ends after -ESHUTDOWN, else fails. */
static int withstand(eddy_generator *g, int start)
{
    bodies++;
    for (int i = start;; i++) {
        int rc = eddy_yield(g, &i);

        if (rc == -EAGAIN)
            i += 100;
        else if (rc == -ESHUTDOWN)
            return 0;
        else if (rc == -EDOM)
            return eddy_raise(-ERANGE, "in place of \"%s\"", eddy_error_message(rc));
        else if (rc < 0)
            return rc;
    }
}
EDDY_ASYNC_GENERATOR(int, withstand, int);

/* A-AGEN-7: the pending yield returns the error; the body may catch it and yield again. */
TEST(generator_may_go_on_after_an_error_is_thrown)
{
    EDDY_GENERATOR g = eddy_generate(withstand, 1);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_throw(g, -EAGAIN, &value), 1);
    CHECK_EQ(value, 102);
    CHECK_EQ(eddy_throw(g, -EAGAIN, &value), 1);
    CHECK_EQ(value, 203);
    CHECK_EQ(eddy_next(g, &value), 1); /* the next one is as ever */
    CHECK_EQ(value, 204);
    CHECK_EQ(eddy_send(g, &(int){0}, &value), 1);
    CHECK_EQ(value, 205);
    CHECK_EQ(eddy_throw(g, -ESHUTDOWN, &value), 0); /* it may end */
    CHECK_EQ(value, 205);
    CHECK_EQ(eddy_next(g, &value), 0);
}

/* A-AGEN-7: or lets it through, with its text; then it has ended. */
TEST(generator_that_does_not_catch_a_thrown_error_ends_with_it)
{
    EDDY_GENERATOR g = eddy_generate(withstand, 1);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_throw(g, eddy_raise(-EIO, "the disk is full"), &value), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the disk is full");
    CHECK_EQ(eddy_next(g, &value), 0);
}

/* A-AGEN-7: or fails with another one, having read the text of the first. */
TEST(generator_may_turn_a_thrown_error_into_another)
{
    EDDY_GENERATOR g = eddy_generate(withstand, 1);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_throw(g, eddy_raise(-EDOM, "minus one"), &value), -ERANGE);
    CHECK_STR(eddy_error_message(-ERANGE), "in place of \"minus one\"");
    CHECK_EQ(eddy_throw(g, -EDOM, &value), -EDOM); /* ended: nobody handles it */
    CHECK_EQ(eddy_next(g, &value), 0);
}

/* A-AGEN-7: one that has not started is ended by it and never runs. */
TEST(generator_that_has_not_started_is_ended_by_a_throw)
{
    EDDY_GENERATOR g = eddy_generate(withstand, 1);
    int value = 0;

    CHECK_EQ(eddy_throw(g, eddy_raise(-EIO, "too early"), &value), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "too early");
    CHECK_EQ(bodies, 0);
    CHECK_EQ(eddy_next(g, &value), 0);
    CHECK_OK(eddy_generator_close(g));
}

static int receive_or_fail(eddy_generator *g, int *last)
{
    int rc, value = 1, sent = 0;

    while ((rc = eddy_yield_receive(g, &value, &sent)) >= 0 || rc == -EAGAIN)
        *last = rc;
    *last = rc;
    for (int i = 0; rc == -ECANCELED && i < 3; i++)
        REQUIRE(eddy_yield_receive(g, &value, &sent) == -ECANCELED);
    return sent ? -EINVAL : rc;
}
EDDY_ASYNC_GENERATOR(int, receive_or_fail, int *);

/* A yield that receives is thrown at, and closed, as a plain one (A-AGEN-6). */
TEST(generator_that_receives_is_thrown_at_and_closed_as_any)
{
    static int last;
    EDDY_GENERATOR g = eddy_generate(receive_or_fail, &last);
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(eddy_throw(g, -EAGAIN, &value), 1);
    CHECK_EQ(last, -EAGAIN);
    CHECK_EQ(eddy_next(g, &value), 1);
    CHECK_EQ(last, 0);
    CHECK_OK(eddy_generator_close(g));
    CHECK_EQ(last, -ECANCELED);
    CHECK_EQ(eddy_send(g, &(int){1}, &value), 0);
}

static int yield_behind_scopes(eddy_generator *g)
{
    for (int i = 0;; i++) {
        int rc = eddy_yield(g, &i);
        EDDY_TIMEOUT(limit, 1);

        if (rc == -EAGAIN)
            rc = eddy_sleep(5) == -ETIMEDOUT ? 0 : -EINVAL;
        EDDY_TRY(rc);
    }
}
EDDY_ASYNC_GENERATOR(int, yield_behind_scopes);

/* An error that is thrown may be handled with waits, in scopes of its own. */
TEST(generator_may_wait_after_an_error_is_thrown)
{
    EDDY_GENERATOR g = eddy_generate(yield_behind_scopes);
    double start = eddy_time();
    int value = 0;

    CHECK_EQ(eddy_next(g, &value), 1);
    EDDY_TIMEOUT(limit, 10);
    CHECK_EQ(eddy_throw(g, -EAGAIN, &value), 1);
    CHECK(eddy_time() == start + 1);
    CHECK_EQ(value, 1);
}

static int echo(eddy_generator *g)
{
    uint64_t value = 0;
    int rc;

    do
        rc = eddy_yield_receive(g, &value, &value);
    while (rc >= 0 || rc == -EAGAIN);
    return rc;
}
EDDY_ASYNC_GENERATOR(uint64_t, echo);

/* Sends, nexts and throws in any order, many times, and lets others run (promise 6). */
TEST(generator_takes_a_hundred_thousand_requests)
{
    EDDY_GENERATOR g = eddy_generate(echo);
    EDDY_TASK other = eddy_create_task(send_when_cancelled, NULL, &(int){0}, &(int){0});
    uint64_t value = 1, last = 0, random = 1;

    CHECK_EQ(eddy_next(g, &value), 1);
    for (uint64_t i = 0; i < (test_is_slow() ? 5000 : 100000); i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        if (random >> 62 == 0)
            CHECK_EQ(eddy_next(g, &value), 1);
        else if (random >> 62 == 1)
            CHECK_EQ(eddy_throw(g, -EAGAIN, &value), 1);
        else {
            last = i;
            CHECK_EQ(eddy_send(g, &i, &value), 1);
        }
        CHECK_EQ(value, last);
    }
    CHECK(eddy_task_done(other));
}

/* Misuse -------------------------------------------------------------------- */

static int misuse(int which)
{
    EDDY_GENERATOR g = eddy_generate(count_and_note);
    long wide = 0;
    int value = 0;

    EDDY_TRY(eddy_next(g, &value));
    if (which == 0)
        return eddy_send(g, &wide, &value);
    if (which == 1)
        return eddy_send(g, &value, &wide);
    if (which == 2)
        return eddy_throw(g, -EIO, &wide);
    if (which == 3)
        return eddy_throw(g, 0, &value);
    return eddy_yield_receive(g, &value, &value); /* not in the body */
}
EDDY_ASYNC(misuse, int);

static int which_misuse;

static void run_misuse(void)
{
    (void)eddy_run(misuse, which_misuse);
}

/* A sender and a receiver of different sizes abort naming both; so does what corrupts. */
RAW_TEST(generator_that_is_sent_another_size_aborts)
{
    static const char *const sentences[] = {"receives values of 4 bytes, but 8 were sent",
                                            "but 8 were asked for", "but 8 were asked for",
                                            "the code 0 is not negative", "outside its body"};

    for (which_misuse = 0; which_misuse < 5; which_misuse++)
        CHECK_DIES(run_misuse, sentences[which_misuse]);
}
