/* SPDX-License-Identifier: MIT */
/* Scheduled callbacks: rules A-LOOP-2 to A-LOOP-13, A-LOOP-17 and A-LOOP-19. */
#include <math.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "loop/trace.h"

static eddy_loop *the_loop;
static int counted[1000], count;

static int count_up(void *number)
{
    counted[count++] = (int)(intptr_t)number;
    return 0;
}

/* A-LOOP-3: call_soon is first in, first out; more than one turn of 64. */
RAW_TEST(callbacks_run_once_each_in_the_order_of_call_soon)
{
    eddy_loop *loop = loop_open();

    for (intptr_t i = 0; i < 1000; i++)
        CHECK(eddy_loop_call_soon(loop, count_up, (void *)i).handle);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_EQ(count, 1000);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(counted[i], i);
    eddy_loop_free(loop);
}

static int schedule_nested(void *word)
{
    trace_add(word);
    (void)eddy_loop_call_soon(the_loop, trace_add, "nested");
    return 0;
}

/* A-LOOP-2: what a callback schedules runs behind all that was ready. */
RAW_TEST(callback_scheduled_by_a_callback_runs_behind_what_was_ready)
{
    the_loop = loop_open();
    (void)eddy_loop_call_soon(the_loop, schedule_nested, "a");
    (void)eddy_loop_call_soon(the_loop, trace_add, "b");
    (void)eddy_loop_call_soon(the_loop, trace_add, "c");
    CHECK_OK(loop_run_for(the_loop, 1));
    CHECK_STR(trace, "a b c nested ");
    eddy_loop_free(the_loop);
}

/* A-LOOP-4: what call_soon has queued runs before timers that become due. */
RAW_TEST(callbacks_that_are_ready_run_before_timers_that_become_due)
{
    the_loop = loop_open();
    (void)eddy_loop_call_later(the_loop, 0, trace_add, "later");
    (void)eddy_loop_call_soon(the_loop, schedule_nested, "soon1");
    (void)eddy_loop_call_soon(the_loop, trace_add, "soon2");
    CHECK_OK(loop_run_for(the_loop, 1));
    /* In asyncio "later" comes before "nested": Eddy's turn is up to 64 callbacks. */
    CHECK_STR(trace, "soon1 soon2 nested later ");
    eddy_loop_free(the_loop);
}

/* A-LOOP-7, D-1: by deadline; equal ones in the order in which they were set. */
RAW_TEST(timers_run_by_deadline_and_equal_ones_in_order)
{
    eddy_loop *loop = loop_open();
    double now = eddy_loop_time(loop);

    (void)eddy_loop_call_at(loop, now + 3, trace_add, "3a");
    (void)eddy_loop_call_at(loop, now + 1, trace_add, "1a");
    (void)eddy_loop_call_at(loop, now + 3, trace_add, "3b");
    (void)eddy_loop_call_at(loop, now + 2, trace_add, "2");
    (void)eddy_loop_call_at(loop, now + 1, trace_add, "1b");
    (void)eddy_loop_call_at(loop, now + 3, trace_add, "3c");
    CHECK_OK(loop_run_for(loop, 10));
    CHECK_STR(trace, "1a 1b 2 3a 3b 3c ");
    eddy_loop_free(loop);
}

/* A-LOOP-7 holds for deadlines in the past too. */
RAW_TEST(overdue_deadlines_run_in_deadline_order)
{
    eddy_loop *loop = loop_open();

    CHECK_OK(loop_run_for(loop, 100));
    (void)eddy_loop_call_at(loop, 70, trace_add, "70");
    (void)eddy_loop_call_at(loop, -1, trace_add, "-1a");
    (void)eddy_loop_call_at(loop, 0, trace_add, "0");
    (void)eddy_loop_call_at(loop, -1, trace_add, "-1b");
    (void)eddy_loop_call_at(loop, -EDDY_FOREVER, trace_add, "-inf");
    (void)eddy_loop_call_at(loop, 100, trace_add, "100");
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "-inf -1a -1b 0 70 100 ");
    eddy_loop_free(loop);
}

/* A-LOOP-8: zero or less is due now, by the way of the timers. */
RAW_TEST(delay_of_zero_or_less_is_due_now_behind_what_is_ready)
{
    eddy_loop *loop = loop_open();

    CHECK_OK(loop_run_for(loop, 5));
    (void)eddy_loop_call_later(loop, 0, trace_add, "0");
    (void)eddy_loop_call_later(loop, -1, trace_add, "-1");
    (void)eddy_loop_call_later(loop, -EDDY_FOREVER, trace_add, "-inf");
    (void)eddy_loop_call_later(loop, -0.0, trace_add, "-0");
    (void)eddy_loop_call_soon(loop, trace_add, "soon");
    CHECK_OK(loop_run_for(loop, 0));
    CHECK_STR(trace, "soon 0 -1 -inf -0 ");
    CHECK(eddy_loop_time(loop) == 5);
    eddy_loop_free(loop);
}

/* A-LOOP-8: a time that is no number is misuse. */
RAW_TEST(time_that_is_no_number_is_not_scheduled)
{
    eddy_loop *loop = loop_open();

    CHECK(!eddy_loop_call_later(loop, NAN, trace_add, "x").handle);
    CHECK(!eddy_loop_call_at(loop, NAN, trace_add, "x").handle);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "");
    eddy_loop_free(loop);
}

/* A-LOOP-9: call_at counts on the loop's clock. */
RAW_TEST(call_at_means_the_clock_of_the_loop)
{
    eddy_loop *loop = loop_open();

    CHECK(eddy_loop_time(loop) == 0); /* virtual time begins there */
    (void)eddy_loop_call_at(loop, 1000000, trace_add, "far");
    CHECK_OK(loop_run_for(loop, 999999));
    CHECK_STR(trace, "");
    CHECK(eddy_loop_time(loop) == 999999);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "far ");
    eddy_loop_free(loop);
}

static double ran_at;

static int note_time(void *loop)
{
    ran_at = eddy_loop_time(loop);
    eddy_loop_stop(loop);
    return 0;
}

/* A-LOOP-6: never early. Real time: a virtual clock is always exact. */
RAW_TEST(timer_is_never_early_on_a_real_clock)
{
    eddy_loop *loop = loop_open_real();

    for (double delay = 1e-6; delay < 0.05; delay *= 2.7) {
        double start = eddy_loop_time(loop);

        (void)eddy_loop_call_later(loop, delay, note_time, loop);
        CHECK_OK(eddy_loop_run_forever(loop));
        CHECK_THAT(ran_at - start >= delay, "%.9f s instead of %.9f", ran_at - start, delay);
        CHECK(ran_at - start < delay + 5);
    }
    eddy_loop_free(loop);
}

/* Cancelling ----------------------------------------------------------------- */

static eddy_handle cancel_me[3];

static int cancel_all(void *word)
{
    trace_add(word);
    for (int i = 0; i < 3; i++)
        trace_add(eddy_handle_cancel(cancel_me[i]) ? "took" : "had");
    return 0;
}

/* A-LOOP-10: a cancel is idempotent and silent, also in the batch that runs. */
RAW_TEST(cancelled_callback_does_not_run_even_if_its_turn_has_come)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_soon(loop, cancel_all, "c");
    cancel_me[0] = eddy_loop_call_soon(loop, trace_add, "no");
    cancel_me[1] = eddy_loop_call_later(loop, 0, trace_add, "no");
    cancel_me[2] = eddy_loop_call_soon(loop, trace_add, "no");
    (void)eddy_loop_call_soon(loop, cancel_all, "c");
    CHECK(!eddy_handle_cancelled(cancel_me[0]));
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "c took took took c had had had ");
    eddy_loop_free(loop);
}

/* Timers that are due in one turn: the first takes the second back. */
RAW_TEST(cancelled_timer_does_not_run_even_if_it_is_due)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_later(loop, 1, cancel_all, "c");
    cancel_me[0] = eddy_loop_call_later(loop, 1, trace_add, "no");
    cancel_me[1] = eddy_loop_call_later(loop, 1, trace_add, "no");
    cancel_me[2] = eddy_loop_call_later(loop, 2, trace_add, "no");
    CHECK_OK(loop_run_for(loop, 5));
    CHECK_STR(trace, "c took took took ");
    for (int i = 0; i < 3; i++)
        CHECK(!eddy_handle_cancel(cancel_me[i]));
    eddy_loop_free(loop);
}

/* A-LOOP-11: after it ran, and for a handle that stands for nothing. */
RAW_TEST(cancel_of_a_callback_that_ran_does_nothing)
{
    eddy_loop *loop = loop_open();
    eddy_handle ran = eddy_loop_call_soon(loop, trace_add, "ran");
    eddy_handle none = {NULL, 0};

    CHECK_OK(loop_run_for(loop, 1));
    CHECK(!eddy_handle_cancel(ran));
    CHECK(!eddy_handle_cancelled(ran));
    CHECK(!eddy_handle_cancel(none));
    CHECK(!eddy_handle_cancelled(none));
    CHECK(isnan(eddy_handle_when(none)));
    CHECK_STR(trace, "ran ");
    eddy_loop_free(loop);
}

/* A handle outlives its call: whoever has the memory next is not hit. */
RAW_TEST(stale_handle_does_not_cancel_the_call_that_took_its_place)
{
    eddy_loop *loop = loop_open();
    eddy_handle stale[200], fresh[200];

    for (int i = 0; i < 200; i++)
        stale[i] = i % 2 ? eddy_loop_call_soon(loop, trace_add, "")
                         : eddy_loop_call_later(loop, 1, trace_add, "");
    for (int i = 0; i < 200; i += 4)
        CHECK(eddy_handle_cancel(stale[i]));
    CHECK_OK(loop_run_for(loop, 2));
    for (int i = 0; i < 200; i++)
        fresh[i] = eddy_loop_call_later(loop, i, count_up, NULL);
    for (int i = 0; i < 200; i++) {
        CHECK(!eddy_handle_cancel(stale[i]));
        CHECK(isnan(eddy_handle_when(stale[i])));
    }
    for (int i = 0; i < 200; i++)
        CHECK(!eddy_handle_cancelled(fresh[i]));
    CHECK_OK(loop_run_for(loop, 300));
    CHECK_EQ(count, 200);
    eddy_loop_free(loop);
}

/* A-LOOP-12. */
RAW_TEST(handle_tells_its_deadline_and_whether_it_was_cancelled)
{
    eddy_loop *loop = loop_open();
    eddy_handle timer = eddy_loop_call_at(loop, 12.5, trace_add, "t");
    eddy_handle past = eddy_loop_call_at(loop, -3, trace_add, "p");
    eddy_handle soon = eddy_loop_call_soon(loop, trace_add, "s");

    CHECK(eddy_handle_when(timer) == 12.5);
    CHECK(eddy_handle_when(past) == -3);
    CHECK(isnan(eddy_handle_when(soon)));
    CHECK(!eddy_handle_cancelled(timer));
    CHECK(eddy_handle_cancel(timer));
    CHECK(eddy_handle_cancelled(timer));
    CHECK(eddy_handle_cancel(soon));
    CHECK(eddy_handle_cancelled(soon));
    CHECK_OK(loop_run_for(loop, 20));
    CHECK_STR(trace, "p ");
    CHECK(isnan(eddy_handle_when(past)));
    CHECK(!eddy_handle_cancelled(past));
    eddy_loop_free(loop);
}

/* A-LOOP-13: cancelled timers cost nothing, however far away they are. */
RAW_TEST(cancelled_timers_do_not_pile_up)
{
    eddy_loop *loop = loop_open();
    size_t blocks;

    CHECK(eddy_handle_cancel(eddy_loop_call_later(loop, 1, trace_add, "")));
    blocks = ed_memory_blocks();
    for (int i = 0; i < 100000; i++)
        CHECK(eddy_handle_cancel(eddy_loop_call_later(loop, 3600 + i, trace_add, "")));
    CHECK_EQ(ed_memory_blocks(), blocks);
    eddy_loop_free(loop);
}

/* Callbacks that schedule ---------------------------------------------------- */

static eddy_handle mine;

static int arm_again(void *loop)
{
    if (eddy_handle_cancel(mine)) /* it runs: there is nothing to take back */
        trace_add("took");
    if (++count < 10)
        mine = eddy_loop_call_later(loop, 1, arm_again, loop);
    return 0;
}

RAW_TEST(timer_may_arm_itself_again_in_its_callback)
{
    eddy_loop *loop = loop_open();

    mine = eddy_loop_call_later(loop, 1, arm_again, loop);
    CHECK_OK(loop_run_for(loop, 5.5));
    CHECK_EQ(count, 5);
    CHECK_OK(loop_run_for(loop, 100));
    CHECK_EQ(count, 10);
    CHECK_STR(trace, "");
    eddy_loop_free(loop);
}

static int soon_again(void *loop)
{
    if (++count < 5000)
        (void)eddy_loop_call_soon(loop, soon_again, loop);
    return 0;
}

/* A-LOOP-20: what is always ready does not keep the timers from running. */
RAW_TEST(callback_that_schedules_itself_does_not_starve_timers)
{
    eddy_loop *loop = loop_open();
    int before;

    (void)eddy_loop_call_soon(loop, soon_again, loop);
    (void)eddy_loop_call_later(loop, 0, loop_stop, loop);
    CHECK_OK(eddy_loop_run_forever(loop));
    before = count;
    CHECK_THAT(before <= 2 * ED_TURN, "the timer came after %d callbacks", before);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_EQ(count, 5000);
    eddy_loop_free(loop);
}

/* Local values --------------------------------------------------------------- */

static eddy_local color = EDDY_LOCAL_INIT("color", "none");

static int say_color(void *word)
{
    trace_add(word);
    trace_add(eddy_local_get(&color));
    return 0;
}

static int change_color(void *word)
{
    REQUIRE(eddy_local_set(&color, word, NULL) == 0);
    (void)eddy_loop_call_soon(the_loop, say_color, "soon");
    (void)eddy_loop_call_later(the_loop, 1, say_color, "later");
    REQUIRE(eddy_local_set(&color, "never", NULL) == 0); /* after the scheduling */
    return 0;
}

/* A-LOOP-19: a callback has the values that its scheduler had at that time. */
RAW_TEST(callback_runs_with_the_local_values_of_when_it_was_scheduled)
{
    the_loop = loop_open();
    (void)eddy_loop_call_soon(the_loop, change_color, "red");
    (void)eddy_loop_call_soon(the_loop, say_color, "outside");
    (void)eddy_loop_call_soon(the_loop, change_color, "blue");
    CHECK_OK(loop_run_for(the_loop, 2));
    CHECK_STR(trace, "outside none soon red soon blue later red later blue ");
    eddy_loop_free(the_loop);
}

/* A-LOOP-19, where the scheduler is a task. */
TEST(callback_runs_with_the_local_values_of_the_task_that_scheduled_it)
{
    eddy_loop *loop = eddy_get_running_loop();

    CHECK_OK(eddy_local_set(&color, "green", NULL));
    (void)eddy_loop_call_soon(loop, say_color, "soon");
    eddy_handle later = eddy_loop_call_later(loop, 1, say_color, "later");
    EDDY_DEFER(test_cancel_handle, &later);
    CHECK_OK(eddy_local_set(&color, "never", NULL));
    CHECK_OK(eddy_sleep(2));
    CHECK_STR(trace, "soon green later green ");
}

/* What ends ------------------------------------------------------------------ */

/* A-LOOP-17. */
RAW_TEST(closed_loop_schedules_nothing)
{
    eddy_loop *loop = loop_open();

    CHECK_OK(eddy_loop_close(loop));
    CHECK(!eddy_loop_call_soon(loop, trace_add, "x").handle);
    CHECK(!eddy_loop_call_later(loop, 0, trace_add, "x").handle);
    CHECK(!eddy_loop_call_at(loop, 0, trace_add, "x").handle);
    eddy_loop_free(loop);
    CHECK_STR(trace, "");
}

/* A handle is valid as long as its loop is. */
RAW_TEST(handle_may_be_cancelled_after_its_loop_was_closed)
{
    eddy_loop *loop = loop_open();
    eddy_handle soon = eddy_loop_call_soon(loop, trace_add, "x");
    eddy_handle timer = eddy_loop_call_later(loop, 1, trace_add, "x");

    CHECK_OK(eddy_loop_close(loop));
    CHECK(!eddy_handle_cancel(soon)); /* the close has dropped them */
    CHECK(!eddy_handle_cancel(timer));
    CHECK(isnan(eddy_handle_when(timer)));
    eddy_loop_free(loop);
    CHECK_STR(trace, "");
}

RAW_TEST(callback_that_cannot_be_scheduled_for_want_of_memory_has_no_handle)
{
    eddy_loop *loop = loop_open();

    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK(!eddy_loop_call_soon(loop, trace_add, "x").handle);
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK(!eddy_loop_call_later(loop, 1, trace_add, "x").handle);
    CHECK(eddy_loop_call_soon(loop, trace_add, "fine").handle);
    CHECK_OK(loop_run_for(loop, 2));
    CHECK_STR(trace, "fine ");
    eddy_loop_free(loop);
}
