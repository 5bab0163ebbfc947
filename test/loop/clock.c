/* SPDX-License-Identifier: MIT */
/* Time, and the end of it: the virtual clock, holds and deadlocks: promises 8, 10. */
#include <pthread.h>
#include <unistd.h>

#include "base/time.h"
#include "loop/trace.h"

static eddy_loop *loop;

/* Virtual time ---------------------------------------------------------------- */

static int say_time(void *unused)
{
    char text[32];

    (void)unused;
    snprintf(text, sizeof text, "%g", eddy_loop_time(loop));
    trace_add(text);
    return 0;
}

/* Hours pass in no time, and each callback sees the time of its deadline. */
RAW_TEST(virtual_clock_jumps_from_deadline_to_deadline)
{
    int64_t start = ed_time_monotonic();

    loop = loop_open();
    (void)eddy_loop_call_later(loop, 86400, say_time, NULL);
    (void)eddy_loop_call_later(loop, 0.5, say_time, NULL);
    (void)eddy_loop_call_later(loop, 3600, say_time, NULL);
    (void)eddy_loop_call_soon(loop, say_time, NULL);
    CHECK_OK(loop_run_for(loop, 100000));
    CHECK_STR(trace, "0 0.5 3600 86400 ");
    CHECK(eddy_loop_time(loop) == 100000);
    CHECK(ed_time_monotonic() - start < 5 * ED_SECOND);
    eddy_loop_free(loop);
}

/* It stands still while there is something to run. */
RAW_TEST(virtual_clock_stands_while_something_can_run)
{
    loop = loop_open();
    (void)eddy_loop_call_later(loop, 1, say_time, NULL);
    for (int i = 0; i < 1000; i++)
        (void)eddy_loop_call_soon(loop, say_time, NULL);
    (void)eddy_loop_call_soon(loop, loop_stop, loop);
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK(eddy_loop_time(loop) == 0);
    CHECK(!strstr(trace, "1"));
    eddy_loop_free(loop);
}

static int read_all(void *descriptor)
{
    char byte;

    REQUIRE(read(*(int *)descriptor, &byte, 1) == 1);
    say_time(NULL);
    return 0;
}

/* What the kernel has ready comes before the jump. */
RAW_TEST(virtual_clock_waits_for_what_the_kernel_has_ready)
{
    int ends[2];

    loop = loop_open();
    CHECK_EQ(pipe(ends), 0);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], read_all, &ends[0]));
    (void)eddy_loop_call_later(loop, 7, say_time, NULL);
    CHECK_EQ(write(ends[1], "xyz", 3), 3);
    CHECK_OK(loop_run_for(loop, 9));
    CHECK_STR(trace, "0 0 0 7 ");
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    close(ends[0]);
    close(ends[1]);
    eddy_loop_free(loop);
}

/* Only EDDY_CLOCK=virtual is virtual; else the clock is CLOCK_MONOTONIC. */
RAW_TEST(real_clock_is_the_monotonic_one)
{
    double before, after;

    loop = loop_open_real();
    before = ed_time_to_seconds(ed_time_monotonic());
    CHECK(eddy_loop_time(loop) >= before);
    CHECK(eddy_time() >= before); /* outside a loop too */
    CHECK_OK(loop_run_for(loop, 0.01));
    after = ed_time_to_seconds(ed_time_monotonic());
    CHECK(after - before >= 0.01);
    CHECK(eddy_loop_time(loop) <= ed_time_to_seconds(ed_time_monotonic()));
    eddy_loop_free(loop);
}

/* Deadlocks ------------------------------------------------------------------- */

static eddy_future never = EDDY_FUTURE_INIT(int);

static int wait_for_ever(void)
{
    return eddy_await(&never);
}
EDDY_ASYNC(wait_for_ever);

RAW_TEST(loop_that_nothing_can_wake_is_a_deadlock)
{
    loop = loop_open();
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(wait_for_ever)), -EDEADLK);
    CHECK_HAS(test_report(), "wait_for_ever");
    CHECK_OK(eddy_loop_close(loop));
    CHECK_HAS(test_report(), "wait_for_ever"); /* it was still pending */
    eddy_loop_free(loop);
}

static int set_never(void *unused)
{
    (void)unused;
    return eddy_future_set_result(&never, &(int){1});
}

static int bytes_of(int *ends)
{
    REQUIRE(eddy_loop_add_reader(eddy_get_running_loop(), ends[0], set_never, NULL) == 0);
    EDDY_TRY(eddy_await(&never));
    (void)eddy_loop_remove_reader(eddy_get_running_loop(), ends[0]);
    return 0;
}
EDDY_ASYNC(bytes_of, int *);

static int release_and_set(void *unused)
{
    eddy_loop_release(loop);
    return set_never(unused);
}

static void *post_later(void *unused)
{
    usleep(30000);
    if (eddy_loop_call_soon_threadsafe(loop, release_and_set, NULL) < 0)
        test_fail(__FILE__, __LINE__, "a post was refused");
    return unused;
}

/* A hold says that somebody outside will come; real time passes until then. */
RAW_TEST(loop_that_is_held_waits)
{
    pthread_t thread;

    loop = loop_open();
    eddy_loop_hold(loop);
    CHECK_EQ(pthread_create(&thread, NULL, post_later, NULL), 0);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(wait_for_ever)));
    pthread_join(thread, NULL);
    eddy_loop_free(loop);
}

static void *write_later(void *descriptor)
{
    usleep(30000);
    if (write(*(int *)descriptor, "x", 1) != 1)
        test_fail(__FILE__, __LINE__, "write");
    return NULL;
}

/* A reader can wake the loop: the kernel holds an operation. */
RAW_TEST(loop_with_a_reader_waits)
{
    pthread_t thread;
    int ends[2];

    loop = loop_open();
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(pthread_create(&thread, NULL, write_later, &ends[1]), 0);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(bytes_of, ends)));
    pthread_join(thread, NULL);
    close(ends[0]);
    close(ends[1]);
    eddy_loop_free(loop);
}

/* A timer can, and a post that has come already. */
RAW_TEST(loop_with_a_timer_or_a_post_is_no_deadlock)
{
    loop = loop_open();
    (void)eddy_loop_call_later(loop, 1000, set_never, NULL);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(wait_for_ever)));
    never = (eddy_future)EDDY_FUTURE_INIT(int);
    CHECK_OK(eddy_loop_call_soon_threadsafe(loop, set_never, NULL));
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(wait_for_ever)));
    eddy_loop_free(loop);
}

/* Promise 8: a time that never comes wakes nobody. */
RAW_TEST(timer_that_never_comes_hides_no_deadlock)
{
    loop = loop_open();
    (void)eddy_loop_call_later(loop, EDDY_FOREVER, set_never, NULL);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(wait_for_ever)), -EDEADLK);
    CHECK_HAS(test_report(), "wait_for_ever");
    CHECK_OK(eddy_loop_close(loop));
    CHECK_HAS(test_report(), "wait_for_ever");
    eddy_loop_free(loop);
}

/* Holds are counted, and need not be balanced at the close. */
RAW_TEST(holds_are_counted)
{
    loop = loop_open();
    eddy_loop_hold(loop);
    eddy_loop_hold(loop);
    eddy_loop_release(loop);
    eddy_loop_release(loop);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(wait_for_ever)), -EDEADLK);
    CHECK_HAS(test_report(), "wait_for_ever");
    eddy_loop_hold(loop);
    CHECK_OK(eddy_loop_close(loop));
    CHECK_HAS(test_report(), "wait_for_ever");
    eddy_loop_free(loop);
}

static void release_too_often(void)
{
    loop = loop_open();
    eddy_loop_hold(loop);
    eddy_loop_release(loop);
    eddy_loop_release(loop);
}

RAW_TEST(release_of_a_loop_that_is_not_held_aborts)
{
    CHECK_DIES(release_too_often, "eddy_loop_release: the loop is not held");
}
