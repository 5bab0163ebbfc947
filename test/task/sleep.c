/* SPDX-License-Identifier: MIT */
/* Sleeping: rules A-SLEEP-1 to A-SLEEP-5. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>

static char trace[64];

static int naps(double seconds, char word)
{
    EDDY_TRY(eddy_sleep(seconds));
    trace[strlen(trace)] = word;
    return 0;
}
EDDY_ASYNC(naps, double, char);

static size_t timers(void)
{
    eddy_stats stats;

    eddy_get_stats(&stats);
    return stats.timers;
}

/* A-SLEEP-1: for at least so long, and on the virtual clock not longer. */
TEST(a_sleep_takes_its_time)
{
    static const double times[] = {1e-9, 1e-6, 0.25, 1, 3600, 86400 * 365.0};

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        double start = eddy_time();

        CHECK_OK(eddy_sleep(times[i]));
        CHECK(eddy_time() > start);
        CHECK(eddy_time() - start >= times[i] * (1 - 1e-12) - 1e-12); /* but for rounding */
        CHECK(eddy_time() - start < times[i] + 1e-6);
    }
}

static int real_sleep(void)
{
    double start = eddy_time();

    EDDY_TRY(eddy_sleep(0.002));
    return eddy_time() - start >= 0.002 ? 0 : -EINVAL;
}
EDDY_ASYNC(real_sleep);

/* A-SLEEP-1 on the real clock: never too short. */
RAW_TEST(a_real_sleep_is_never_too_short)
{
    unsetenv("EDDY_CLOCK");
    for (int i = 0; i < 10; i++)
        CHECK_OK(eddy_run(real_sleep));
}

/* A-SLEEP-2: 0 or less lets everything that is ready run once, and sets no timer. */
TEST(a_sleep_of_nothing_lets_the_others_run_once)
{
    EDDY_TASK a = eddy_create_task(naps, 0.0, 'a');
    EDDY_TASK b = eddy_create_task(naps, -1.0, 'b');
    EDDY_TASK c = eddy_create_task(naps, -INFINITY, 'c');

    CHECK(a && b && c);
    CHECK_OK(eddy_sleep(0));
    CHECK_STR(trace, ""); /* each has begun, and gave way in turn */
    CHECK_EQ(timers(), 0);
    CHECK_OK(eddy_sleep(-5));
    CHECK_STR(trace, "abc");
}

/* A-SLEEP-2: no time passes. */
TEST(a_sleep_of_nothing_takes_no_time)
{
    double start = eddy_time();

    for (int i = 0; i < 1000; i++)
        CHECK_OK(eddy_sleep(0));
    CHECK(eddy_time() == start);
}

/* A-SLEEP-3: NaN is an error. */
TEST(a_sleep_of_nan_is_refused)
{
    CHECK_EQ(eddy_sleep((double)NAN), -EINVAL);
    CHECK_STR(eddy_error_message(-EINVAL), "eddy_sleep: the time is not a number");
}

/* A-SLEEP-4: a cancelled sleeper goes on at once, and its timer is gone. */
TEST(a_cancelled_sleeper_leaves_no_timer)
{
    double start = eddy_time();
    EDDY_TASK task = eddy_create_task(naps, 1e6, 'x');

    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(timers(), 1);
    eddy_cancel(task);
    CHECK_EQ(timers(), 0);
    CHECK_EQ(eddy_await(task), -ECANCELED);
    CHECK(eddy_time() == start);
}

/* A-SLEEP-5: in the order of the deadlines; equal ones first come, first served (D-1). */
TEST(sleepers_wake_in_the_order_of_their_deadlines)
{
    EDDY_TASK c = eddy_create_task(naps, 3.0, 'c');
    EDDY_TASK a = eddy_create_task(naps, 1.0, 'a');
    EDDY_TASK d = eddy_create_task(naps, 3.0, 'd');
    EDDY_TASK b = eddy_create_task(naps, 2.0, 'b');

    CHECK(a && b && c && d);
    CHECK_OK(eddy_sleep(4));
    CHECK_STR(trace, "abcd");
}

/* A sleep for ever is a wait that only a cancel ends. */
TEST(a_sleep_for_ever_can_be_cancelled)
{
    EDDY_TASK task = eddy_create_task(naps, EDDY_FOREVER, 'x');

    CHECK_OK(eddy_sleep(1e9));
    CHECK(!eddy_task_done(task));
    eddy_cancel(task);
    CHECK_EQ(eddy_await(task), -ECANCELED);
}

/* The clock never goes back. */
TEST(the_time_of_the_loop_never_goes_back)
{
    double last = eddy_time();

    for (int i = 0; i < 100; i++) {
        CHECK_OK(eddy_sleep(i % 7 * 0.1));
        CHECK(eddy_time() >= last);
        last = eddy_time();
    }
}
