/* SPDX-License-Identifier: MIT */
/* Debug mode: what it tells, and that it is silent about what is right. */
#include <pthread.h>
#include <stdlib.h>

#include "base/flight.h"
#include "harness.h"

/* Without the watchdog's reports: a busy machine makes any step slow. */
static void debug_on(void)
{
    eddy_loop_set_slow_callback_duration(eddy_get_running_loop(), EDDY_FOREVER);
    eddy_loop_set_debug(eddy_get_running_loop(), true);
}

static int nothing(void)
{
    return 0;
}
EDDY_ASYNC(nothing);

static int sleeps(double seconds)
{
    return eddy_sleep(seconds);
}
EDDY_ASYNC(sleeps, double);

static int passes_on_an_error(void)
{
    return eddy_raise(-EIO, "%0511d", 1);
}
EDDY_ASYNC(passes_on_an_error);

/* The switch ---------------------------------------------------------------------- */

/* A-DEBUG-1. */
TEST(debug_mode_can_be_turned_on_and_off_while_the_loop_runs)
{
    eddy_loop *loop = eddy_get_running_loop();

    eddy_loop_set_slow_callback_duration(loop, EDDY_FOREVER);
    for (int i = 0; i < 3; i++) {
        eddy_loop_set_debug(loop, true);
        CHECK(eddy_loop_get_debug(loop));
        eddy_loop_set_debug(loop, true);
        CHECK_OK(eddy_sleep(1));
        eddy_loop_set_debug(loop, false);
        CHECK(!eddy_loop_get_debug(loop));
        CHECK_OK(eddy_sleep(1));
    }
}

RAW_TEST(debug_mode_is_what_the_environment_says)
{
    const char *values[] = {"1", "", "0", "yes", NULL};

    for (int i = 0; i < 5; i++) {
        eddy_loop *loop;

        if (values[i])
            setenv("EDDY_DEBUG", values[i], 1);
        else
            unsetenv("EDDY_DEBUG");
        CHECK_OK(eddy_loop_new(&loop));
        CHECK_EQ(eddy_loop_get_debug(loop), i == 0);
        eddy_loop_free(loop);
    }
}

RAW_TEST(debug_mode_watches_operations_in_flight)
{
    eddy_loop *loop;

    ed_flight_watch(false);
    CHECK_OK(eddy_loop_new(&loop));
    eddy_loop_set_debug(loop, true);
    CHECK(ed_flight_watched());
    eddy_loop_free(loop);
}

/* What is right is not reported: the whole vocabulary under debug mode. */
static int works(eddy_queue *queue)
{
    EDDY_TIMEOUT(limit, 100);
    int item;

    for (int i = 0; i < 10; i++) {
        EDDY_TRY(eddy_queue_put(queue, &i));
        EDDY_TRY(eddy_sleep(0.1));
        EDDY_TRY(eddy_queue_get(queue, &item));
    }
    return 0;
}
EDDY_ASYNC(works, eddy_queue *);

TEST(debug_mode_is_silent_about_what_is_right)
{
    eddy_queue queue = EDDY_QUEUE_INIT(int, 2);
    EDDY_DEFER(eddy_queue_deinit, &queue);

    debug_on();
    {
        EDDY_TASK background = eddy_create_task(sleeps, 1000.0);
        EDDY_GROUP(group);

        for (int i = 0; i < 20; i++)
            CHECK_OK(eddy_group_create_task(&group, works, &queue));
        CHECK_OK(eddy_gather(EDDY_CALL(works, &queue), EDDY_CALL(sleeps, 3)));
        CHECK_EQ(eddy_wait_for(EDDY_CALL(sleeps, 3), 1), -ETIMEDOUT);
        CHECK_OK(eddy_group_join(&group));
        CHECK(!eddy_task_done(background)); /* ended by its block: that is what it is for */
    }
}

/* Tasks that nobody awaits -------------------------------------------------------- */

/* A-DEBUG-4: the nearest that C has to a coroutine that was never awaited. */
TEST(debug_mode_reports_a_task_that_was_ended_before_it_ran)
{
    debug_on();
    {
        EDDY_TASK task = eddy_create_task(nothing);

        eddy_task_set_name(task, "hasty");
    }
    CHECK_HAS(test_report(), "task hasty, nothing() created at ");
    {
        EDDY_TASK task = eddy_create_task(nothing);

        CHECK_OK(eddy_await(task));
    }
    {
        EDDY_TASK task = eddy_create_task(nothing);

        CHECK_OK(eddy_sleep(0)); /* it ran, and nobody wants to know */
        CHECK(eddy_task_done(task));
    }
}

static int forgets(int count)
{
    test_watch_reports(eddy_get_running_loop());
    debug_on();
    for (int i = 0; i < count; i++) {
        eddy_task *task = eddy_create_task(nothing);

        EDDY_TRY(i % 2 ? eddy_await(task) : eddy_sleep(0));
    }
    return 0;
}
EDDY_ASYNC(forgets, int);

RAW_TEST(debug_mode_reports_handles_that_were_never_released)
{
    CHECK_OK(eddy_run(forgets, 2));
    CHECK_HAS(test_report(), "nothing() created at ");
    CHECK_HAS(test_report(), "was never released: EDDY_TASK");
    CHECK_STR(test_report(), "");
}

static int has_a_child(void)
{
    EDDY_TASK child = eddy_create_task(sleeps, 1000.0);

    return eddy_await(child);
}
EDDY_ASYNC(has_a_child);

static int leaves_a_background_task(void)
{
    test_watch_reports(eddy_get_running_loop());
    debug_on();
    eddy_task *background = eddy_create_task(has_a_child);
    eddy_task_detach(&background);
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves_a_background_task);

/* What a background task still holds when the run ends, it releases in its clean-up. */
RAW_TEST(debug_mode_is_silent_about_handles_of_tasks_that_the_run_ends)
{
    CHECK_OK(eddy_run(leaves_a_background_task));
    CHECK_STR(test_report(), "");
}

RAW_TEST(debug_mode_names_ten_handles_and_counts_the_rest)
{
    const char *text = "";

    CHECK_OK(eddy_run(forgets, 100));
    for (int i = 0; i < 11; i++)
        text = test_report();
    CHECK_STR(text, "90 more handles were never released");
    CHECK_STR(test_report(), "");
}

/* Stacks ------------------------------------------------------------------------- */

static int uses(size_t size)
{
    volatile char room[160 * 1024];

    for (size_t i = 0; i < size; i += 64)
        room[sizeof room - 1 - i] = 1;
    return 0;
}
EDDY_ASYNC(uses, size_t);

TEST(debug_mode_reports_a_stack_that_is_nearly_full)
{
    EDDY_TASK small = eddy_create_task(uses, (size_t)100 * 1024);
    CHECK_OK(eddy_await(small));
    debug_on();
    EDDY_TASK deep = eddy_create_task(uses, (size_t)160 * 1024);
    CHECK_OK(eddy_await(deep));
    CHECK_HAS(test_report(), "used more than three quarters of its stack of 192 KiB");
    EDDY_TASK again = eddy_create_task(uses, (size_t)100 * 1024); /* on a used stack */
    CHECK_OK(eddy_await(again));
}

/* reliability: the high-water mark of a task, to the page. */
TEST(stack_use_of_a_task_is_known_to_the_page)
{
    EDDY_TASK idle = eddy_create_task(sleeps, 1.0);
    EDDY_TASK deep = eddy_create_task(uses, (size_t)100 * 1024);

    CHECK_OK(eddy_await(deep));
    CHECK_EQ(eddy_task_stack_used(NULL), 0);
    if (test_is_slow())
        return; /* sanitizers use more */
    CHECK(eddy_task_stack_used(idle) <= 8192);
    CHECK(eddy_task_stack_used(deep) >= 100 * 1024);
    CHECK(eddy_task_stack_used(deep) <= 112 * 1024);
    debug_on();
    EDDY_TASK marked = eddy_create_task(sleeps, 1.0); /* its mark does not count */
    CHECK_OK(eddy_sleep(0));
    CHECK(eddy_task_stack_used(marked) <= 8192);
}

TEST(debug_mode_shows_the_use_of_stacks_in_a_dump)
{
    char text[2048] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");

    debug_on();
    eddy_dump_tasks(stream);
    fclose(stream);
    CHECK_HAS(text, ", has used ");
    CHECK_HAS(text, " of 192 KiB of stack");
}

/* What the library's own calls need, the deepest of them: reports, dumps, clean-up. */
static int calls_everything(FILE *stream)
{
    eddy_queue queue = EDDY_QUEUE_INIT(int, 0);
    EDDY_DEFER(eddy_queue_deinit, &queue);
    EDDY_EXIT_STACK(stack);
    EDDY_TASK failed = eddy_create_task(passes_on_an_error);

    EDDY_TRY(eddy_exit_stack_callback(&stack, eddy_queue_deinit, &queue));
    EDDY_TRY(eddy_gather(EDDY_CALL(nothing), EDDY_CALL(sleeps, 1)));
    EDDY_TRY(eddy_wait_for(EDDY_CALL(sleeps, 1), 2));
    EDDY_TRY(eddy_to_thread(nothing));
    EDDY_TRY(eddy_expect_error(eddy_await(failed), -EIO));
    for (int i = 0; i < 1000; i++)
        EDDY_TRY(eddy_queue_put(&queue, &i));
    eddy_dump_tasks(stream);
    eddy_loop_call_exception_handler(
        eddy_get_running_loop(), &(eddy_report){.kind = EDDY_REPORT_RESOURCE, .message = "a word"});
    return 0;
}
EDDY_ASYNC(calls_everything, FILE *);

/* reliability: at most half of the default stack. */
TEST(stack_use_of_the_librarys_calls_leaves_half_of_it)
{
    FILE *stream = fopen("/dev/null", "w");
    EDDY_DEFER(fclose, stream);
    EDDY_TASK task = eddy_create_task(calls_everything, stream);

    CHECK_OK(eddy_await(task));
    CHECK_STR(test_report(), "a word");
    CHECK_THAT(test_is_slow() || eddy_task_stack_used(task) <= EDDY_STACK_SIZE / 2, "%zu bytes",
               eddy_task_stack_used(task));
}

/* Cancels ------------------------------------------------------------------------- */

static int passes_on(eddy_task *other)
{
    return eddy_await(other);
}
EDDY_ASYNC(passes_on, eddy_task *);

TEST(debug_mode_reports_a_cancel_that_nobody_asked_for_and_nobody_read)
{
    debug_on();
    EDDY_TASK victim = eddy_create_task(sleeps, 10.0);
    {
        EDDY_TASK task = eddy_create_task(passes_on, victim);

        CHECK_OK(eddy_sleep(1));
        CHECK_OK(eddy_cancel(victim));
        CHECK_OK(eddy_sleep(1));
        CHECK(eddy_task_done(task));
    }
    CHECK_HAS(test_report(), "passes_on() created at ");
    {
        EDDY_TASK task = eddy_create_task(passes_on, victim);

        CHECK_EQ(eddy_await(task), -ECANCELED); /* read */
    }
    {
        EDDY_TASK task = eddy_create_task(sleeps, 10.0);

        CHECK_OK(eddy_sleep(1));
        CHECK_OK(eddy_cancel(task)); /* asked for */
        CHECK_OK(eddy_sleep(1));
    }
}

static int stubborn(int *calls)
{
    for (*calls = 0; *calls < 300; ++*calls)
        (void)eddy_sleep(1); /* as if it could not fail */
    return 0;
}
EDDY_ASYNC(stubborn, int *);

TEST(debug_mode_reports_a_task_that_does_not_look_at_its_cancel)
{
    int calls;

    debug_on();
    EDDY_TASK task = eddy_create_task(stubborn, &calls);
    CHECK_OK(eddy_sleep(1));
    CHECK_OK(eddy_cancel(task));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(calls, 300);
    CHECK_HAS(test_report(), "goes on although its calls are refused: 128 returned ECANCELED");
    CHECK_STR(test_report(), "");
}

/* Wrong threads: in every mode ---------------------------------------------------- */

static eddy_loop *loop;
static eddy_task *task;
static eddy_handle handle;

static int callback(void *argument)
{
    (void)argument;
    return 0;
}

static void *schedules(void *argument)
{
    switch (*(int *)argument) {
    case 0: (void)eddy_loop_call_soon(loop, callback, NULL); break;
    case 1: (void)eddy_loop_call_later(loop, 1, callback, NULL); break;
    case 2: (void)eddy_loop_call_at(loop, 1, callback, NULL); break;
    case 3: (void)eddy_handle_cancel(handle); break;
    case 4: eddy_loop_stop(loop); break;
    case 5: (void)eddy_loop_add_reader(loop, 0, callback, NULL); break;
    case 6: (void)eddy_loop_remove_writer(loop, 0); break;
    case 7: eddy_cancel(task); break;
    case 8: eddy_task_release(&task); break;
    case 9: eddy_task_detach(&task); break;
    case 10: eddy_loop_hold(loop); break;
    case 11: eddy_loop_set_debug(loop, true); break;
    default: abort();
    }
    return NULL;
}

static int which;

static int misuses(void)
{
    pthread_t thread;

    loop = eddy_get_running_loop();
    handle = eddy_loop_call_later(loop, 1, callback, NULL);
    task = eddy_create_task(sleeps, 1.0);
    pthread_create(&thread, NULL, schedules, &which);
    pthread_join(thread, NULL);
    return 0;
}
EDDY_ASYNC(misuses);

static void misuse(void)
{
    (void)eddy_run(misuses);
}

/* A-DEBUG-3. */
RAW_TEST(loop_used_from_another_thread_aborts_and_names_the_call)
{
    const char *names[] = {
        "eddy_loop_call_soon",     "eddy_loop_call_later", "eddy_loop_call_at",
        "eddy_handle_cancel",      "eddy_loop_stop",       "eddy_loop_add_reader",
        "eddy_loop_remove_writer", "eddy_cancel",          "eddy_task_release",
        "eddy_task_detach",        "eddy_loop_hold",       "eddy_loop_set_debug"};

    for (which = 0; which < (int)(sizeof names / sizeof *names); which++) {
        CHECK_DIES(misuse, "is called from another thread than its loop's");
        CHECK_DIES(misuse, names[which]);
    }
}
