/* SPDX-License-Identifier: MIT */
/*
 * The watchdog. It measures real time, so that these tests take some: a step that is
 * slow lasts 60 ms, where 10 are allowed.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "harness.h"

#define ALLOWED 0.01
#define SLOW 0.06

static int block(double seconds)
{
    struct timespec pause = {0, (long)(seconds * 1e9)};

    while (nanosleep(&pause, &pause) != 0)
        continue;
    return 0;
}
EDDY_ASYNC(block, double);

static void watch(void)
{
    eddy_loop *loop = eddy_get_running_loop();

    test_watch_reports(loop);
    eddy_loop_set_slow_callback_duration(loop, ALLOWED);
    eddy_loop_set_debug(loop, true);
}

/* Looks for a report that has this part, for a while: it is on its way, and a busy
 * machine may make others. "" if the watchdog had no time to look, too. */
static const char *report_with(const char *part)
{
    for (int i = 0; i < 50; i++) {
        const char *report = test_report();

        if (strstr(report, part))
            return report;
        if (!*report && (eddy_sleep(0) < 0 || block(0.002) < 0))
            break;
    }
    return "";
}

/* At the end of a test: other steps may have been slow, too. */
static void drop_reports(void)
{
    eddy_loop_set_debug(eddy_get_running_loop(), false);
    while (*test_report())
        continue;
}

/* The seconds that a report names, or -1. */
static double seconds_of(const char *report)
{
    const char *about = strstr(report, " about ");

    return about ? strtod(about + 7, NULL) : -1;
}

/* A-DEBUG-2. */
TEST(watchdog_reports_a_slow_step_with_the_task_the_place_and_the_time)
{
    const char *report = "";

    watch();
    for (int i = 0; i < 20 && !*report; i++) {
        EDDY_TASK task = eddy_create_task(block, SLOW);
        eddy_task_set_name(task, "sluggish");
        CHECK_OK(eddy_await(task));
        report = report_with("task sluggish, block() created at ");
    }
    CHECK_HAS(report, __FILE__);
    CHECK(seconds_of(report) >= ALLOWED);
    CHECK(seconds_of(report) < SLOW + 10); /* the machine may be busy */
    drop_reports();
}

static int blocks_in_a_callback(void *event)
{
    (void)block(SLOW);
    eddy_event_set(event);
    return 0;
}

TEST(watchdog_reports_a_slow_callback_with_its_address)
{
    const char *report = "";

    watch();
    for (int i = 0; i < 20 && !*report; i++) {
        eddy_event over = EDDY_EVENT_INIT;

        eddy_loop_call_soon(eddy_get_running_loop(), blocks_in_a_callback, &over);
        CHECK_OK(eddy_event_wait(&over));
        report = report_with("the callback ");
    }
    CHECK_HAS(report, "held the loop for about");
    drop_reports();
}

static int yields_for(double seconds)
{
    struct timespec t;
    double start, now;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = start = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    for (; now < start + seconds; now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec) {
        EDDY_TRY(eddy_sleep(0));
        clock_gettime(CLOCK_MONOTONIC, &t);
    }
    return 0;
}
EDDY_ASYNC(yields_for, double);

static int quick_and_idle(void)
{
    eddy_loop *loop = eddy_get_running_loop();

    test_watch_reports(loop);
    eddy_loop_set_slow_callback_duration(loop, 1); /* so that a busy machine is no reason */
    eddy_loop_set_debug(loop, true);
    eddy_loop_set_slow_callback_duration(loop, 0.5);
    EDDY_TRY(eddy_gather(EDDY_CALL(yields_for, 0.7), EDDY_CALL(yields_for, 0.7)));
    return eddy_sleep(0.7);
}
EDDY_ASYNC(quick_and_idle);

/* Many short steps are not one long one, and rest is none at all. */
RAW_TEST(watchdog_is_silent_about_short_steps_and_idle_loops)
{
    unsetenv("EDDY_CLOCK");
    CHECK_OK(eddy_run(quick_and_idle));
    CHECK_STR(test_report(), "");
}

static int is_stuck(void)
{
    watch();
    eddy_task_set_name(eddy_current_task(), "stuck");
    eddy_loop_set_slow_callback_duration(eddy_get_running_loop(), 0.004);
    return block(0.2);
}
EDDY_ASYNC(is_stuck);

static void get_stuck(void)
{
    (void)eddy_run(is_stuck);
}

/* A-INTRO-8: a loop that does not come back is named while it is stuck. */
RAW_TEST(watchdog_names_a_stuck_step_at_once)
{
    char text[1024] = "";

    for (int i = 0; i < 20 && !strstr(text, "has held the loop of thread "); i++)
        (void)test_fork(get_stuck, text, sizeof text);
    CHECK_HAS(text, "eddy: task stuck, is_stuck() created at ");
    CHECK_HAS(text, "has held the loop of thread ");
}

static int slow_at_the_end(void)
{
    watch();
    return block(SLOW);
}
EDDY_ASYNC(slow_at_the_end);

RAW_TEST(watchdog_reports_the_last_step_of_a_run)
{
    const char *report = "";

    for (int i = 0; i < 20 && !strstr(report, "slow_at_the_end() created at "); i++) {
        CHECK_OK(eddy_run(slow_at_the_end));
        while (*(report = test_report()) && !strstr(report, "slow_at_the_end() created at "))
            continue;
    }
    CHECK_HAS(report, "slow_at_the_end() created at ");
}

TEST(watchdog_without_a_thread_says_so)
{
    test_watch_reports(eddy_get_running_loop());
    ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    eddy_loop_set_debug(eddy_get_running_loop(), true);
    CHECK_STR(test_report(), "no thread for the watchdog: slow steps are not reported");
    CHECK_OK(eddy_sleep(1));
}

/* Durations are what was set, within reason. */
TEST(watchdog_durations_are_bounded)
{
    eddy_loop *loop = eddy_get_running_loop();

    CHECK(eddy_loop_get_slow_callback_duration(loop) == 0.1);
    eddy_loop_set_slow_callback_duration(loop, -1);
    CHECK(eddy_loop_get_slow_callback_duration(loop) == 0.004);
    eddy_loop_set_slow_callback_duration(loop, EDDY_FOREVER);
    CHECK(eddy_loop_get_slow_callback_duration(loop) == EDDY_FOREVER);
    eddy_loop_set_debug(loop, true); /* a watchdog that never barks */
    CHECK_OK(eddy_sleep(1));
}

static void turns_it_off(eddy_loop *loop, const eddy_report *report, void *count)
{
    (void)report;
    ++*(int *)count;
    eddy_loop_set_slow_callback_duration(loop, 1);
    eddy_loop_set_debug(loop, false);
}

static int slow_with_a_handler(int *count)
{
    watch();
    eddy_loop_set_exception_handler(eddy_get_running_loop(), turns_it_off, count);
    return block(SLOW);
}
EDDY_ASYNC(slow_with_a_handler, int *);

/* The last report comes while the watchdog is being stopped. */
RAW_TEST(watchdog_may_be_turned_off_by_the_handler_of_its_report)
{
    int count = 0;

    for (int i = 0; i < 20 && count == 0; i++)
        CHECK_OK(eddy_run(slow_with_a_handler, &count));
    CHECK_EQ(count, 1);
}

/* It goes on with another limit: nobody may look at one that was freed. */
TEST(watchdog_takes_another_limit_while_it_runs)
{
    eddy_loop *loop = eddy_get_running_loop();

    eddy_loop_set_debug(loop, true);
    for (int i = 0; i < 1000; i++) {
        eddy_loop_set_slow_callback_duration(loop, i % 2 ? 100 : 1000);
        if (i % 100 == 0)
            kill(getpid(), SIGQUIT);
    }
    CHECK_OK(eddy_sleep(1));
    eddy_loop_set_debug(loop, false);
}
