/* SPDX-License-Identifier: MIT */
/* Tasks: rules A-TASK-1 to A-TASK-20, their handles and their end. */
#include "harness.h"

#include <stdlib.h>
#include <unistd.h>

static char trace[128];

static int note(char word)
{
    size_t length = strlen(trace);

    if (length + 1 < sizeof trace)
        trace[length] = word;
    return 0;
}
EDDY_ASYNC(note, char);

static int answer(int *out)
{
    *out = 42;
    return 0;
}
EDDY_ASYNC_RESULT(int, answer);

static int fails(int code)
{
    return eddy_raise(code, "failed on purpose");
}
EDDY_ASYNC(fails, int);

static int naps(double seconds)
{
    return eddy_sleep(seconds);
}
EDDY_ASYNC(naps, double);

static int awaits_and_notes(eddy_task *task, char word)
{
    int value = 0;

    EDDY_TRY(eddy_await(task, &value));
    note(word);
    return value;
}
EDDY_ASYNC(awaits_and_notes, eddy_task *, char);

static int later_answer(double seconds, int *out)
{
    EDDY_TRY(eddy_sleep(seconds));
    *out = 42;
    return 0;
}
EDDY_ASYNC_RESULT(int, later_answer, double);

static int naps_and_notes(double seconds, char word)
{
    EDDY_TRY(eddy_sleep(seconds));
    return note(word);
}
EDDY_ASYNC(naps_and_notes, double, char);

/* A-TASK-1: creating only schedules; the creator goes on first. */
TEST(a_created_task_starts_when_its_creator_suspends)
{
    EDDY_TASK task = eddy_create_task(note, 'b');

    note('a');
    CHECK_STR(trace, "a");
    CHECK(!eddy_task_done(task));
    CHECK_OK(eddy_await(task));
    CHECK_STR(trace, "ab");
    CHECK(eddy_task_done(task));
}

/* A-TASK-2: tasks start in the order of their creation. */
TEST(tasks_start_in_the_order_in_which_they_were_created)
{
    EDDY_TASK a = eddy_create_task(note, 'a');
    EDDY_TASK b = eddy_create_task(note, 'b');
    EDDY_TASK c = eddy_create_task(note, 'c');

    CHECK(a && b && c);
    CHECK_OK(eddy_sleep(0));
    CHECK_STR(trace, "abc");
}

static int same_task(eddy_task *caller)
{
    return eddy_current_task() == caller ? 1 : -EINVAL;
}
EDDY_ASYNC(same_task, eddy_task *);

/* A-TASK-3: a plain call makes no task, does not yield, and is the caller. */
TEST(a_plain_call_of_an_async_function_is_no_task_and_does_not_yield)
{
    EDDY_TASK other = eddy_create_task(note, 'x');
    size_t before = eddy_all_tasks(NULL, 0);
    int value = 0;

    CHECK_EQ(same_task(eddy_current_task()), 1);
    CHECK_OK(answer(&value));
    CHECK_EQ(value, 42);
    CHECK_EQ(eddy_all_tasks(NULL, 0), before);
    CHECK_STR(trace, "");
    CHECK_OK(eddy_await(other));
}

/* A-TASK-4: awaiting what has ended returns at once (up to the budget). */
TEST(awaiting_an_ended_task_does_not_yield)
{
    EDDY_TASK task = eddy_create_task(answer);
    int value = 0;

    CHECK_OK(eddy_await(task));
    EDDY_TASK other = eddy_create_task(note, 'x');
    CHECK_OK(eddy_await(task, &value));
    CHECK_EQ(value, 42);
    CHECK_STR(trace, "");
    CHECK_OK(eddy_await(other));
}

/* A-TASK-5: a waiter goes on in its own turn, behind what is ready, not inside the end. */
TEST(a_waiter_is_resumed_behind_what_is_ready_when_the_task_ends)
{
    EDDY_TASK task = eddy_create_task(answer);
    EDDY_TASK waiter = eddy_create_task(awaits_and_notes, task, 'w');

    CHECK_OK(eddy_sleep(0)); /* task has ended, and the waiter saw that */
    CHECK_STR(trace, "w");
    EDDY_TASK second = eddy_create_task(later_answer, 1.0);
    EDDY_TASK second_waiter = eddy_create_task(awaits_and_notes, second, 'v');
    EDDY_TASK other = eddy_create_task(naps_and_notes, 1.0, 'o'); /* ready in the same turn */
    CHECK_EQ(eddy_await(second_waiter), 42);
    CHECK_STR(trace, "wov");
    CHECK_OK(eddy_await(other));
    CHECK_EQ(eddy_await(waiter), 42);
}

/* A-TASK-6: any number of tasks may await one; each gets the outcome, in order. */
TEST(several_tasks_await_one_and_wake_in_the_order_in_which_they_began)
{
    EDDY_TASK task = eddy_create_task(later_answer, 1.0);
    EDDY_TASKS(waiters, 5);

    CHECK(waiters);
    for (int i = 0; i < 5; i++)
        waiters[i] = eddy_create_task(awaits_and_notes, task, (char)('a' + i));
    for (int i = 0; i < 5; i++)
        CHECK_EQ(eddy_await(waiters[i]), 42);
    CHECK_STR(trace, "abcde");
}

/* A-TASK-6: the same for an error. */
TEST(several_tasks_that_await_a_failing_task_all_get_its_error)
{
    EDDY_TASK task = eddy_create_task(fails, -EIO);
    EDDY_TASK a = eddy_create_task(awaits_and_notes, task, 'a');
    EDDY_TASK b = eddy_create_task(awaits_and_notes, task, 'b');

    (void)task;
    CHECK_EQ(eddy_await(b), -EIO);
    CHECK_EQ(eddy_await(a), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "failed on purpose");
}

/* A-TASK-7: result and error are kept, and can be read any number of times. */
TEST(a_result_can_be_read_again_and_again)
{
    EDDY_TASK task = eddy_create_task(answer);

    for (int i = 0; i < 3; i++) {
        int value = 0;

        CHECK_OK(eddy_await(task, &value));
        CHECK_EQ(value, 42);
        value = 0;
        CHECK_OK(eddy_task_result(task, &value));
        CHECK_EQ(value, 42);
    }
}

/* A-TASK-8: awaiting a failed task gives its error each time. */
TEST(a_failed_task_gives_its_error_each_time)
{
    EDDY_TASK task = eddy_create_task(fails, -EIO);

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(eddy_await(task), -EIO);
        CHECK_STR(eddy_error_message(-EIO), "failed on purpose");
        CHECK_EQ(eddy_task_error(task), -EIO);
    }
    CHECK(!eddy_task_cancelled(task));
}

/* A-TASK-7: a positive return is the outcome of a successful task. */
TEST(what_a_task_returns_may_be_positive)
{
    EDDY_TASK task = eddy_create_task(same_task, eddy_current_task());
    EDDY_TASK other = eddy_create_task(awaits_and_notes, NULL, 'x');

    CHECK_EQ(eddy_await(task), -EINVAL); /* it is a task of its own */
    CHECK_EQ(eddy_await(other), -ENOMEM);
    EDDY_TASK source = eddy_create_task(answer);
    EDDY_TASK number = eddy_create_task(awaits_and_notes, source, 'y');
    CHECK_EQ(eddy_await(number), 42);
    CHECK_EQ(eddy_task_error(number), 42);
}

/* A-TASK-9: Task-N by default, with N growing in the process. */
TEST(tasks_are_named_task_n_with_a_growing_n)
{
    EDDY_TASK a = eddy_create_task(note, 'a');
    EDDY_TASK b = eddy_create_task(note, 'b');
    long first, second;

    CHECK(strncmp(eddy_task_name(b), "Task-", 5) == 0);
    second = strtol(eddy_task_name(b) + 5, NULL, 10);
    first = strtol(eddy_task_name(a) + 5, NULL, 10);
    CHECK_EQ(second, first + 1);
}

/* A-TASK-9: a name can be given at creation, or later; it is copied and cut. */
TEST(a_task_can_be_named)
{
    char name[] = "a name of more than thirty-one bytes";
    EDDY_TASK task =
        eddy_create_task_with((&(eddy_task_options){.name = "the first name"}), note, 'a');

    CHECK_STR(eddy_task_name(task), "the first name");
    eddy_task_set_name(task, name);
    name[0] = 'X';
    CHECK_STR(eddy_task_name(task), "a name of more than thirty-one ");
    eddy_task_set_name(eddy_current_task(), "me");
    CHECK_STR(eddy_task_name(eddy_current_task()), "me");
}

static int first_name(char *name)
{
    snprintf(name, 32, "%s", eddy_task_name(eddy_current_task()));
    return 0;
}
EDDY_ASYNC(first_name, char *);

/* A-TASK-9: no two loops of a process give the same number. */
RAW_TEST(task_names_are_unique_among_loops)
{
    char names[3][32];

    for (int i = 0; i < 3; i++)
        CHECK_OK(eddy_run(first_name, names[i]));
    CHECK(strcmp(names[0], names[1]) != 0);
    CHECK(strcmp(names[1], names[2]) != 0);
}

/* A-TASK-11: a task that awaits itself gets -EDEADLK. */
TEST(a_task_that_awaits_itself_is_told)
{
    eddy_task_set_name(eddy_current_task(), "narcissus");
    CHECK_EQ(eddy_await(eddy_current_task()), -EDEADLK);
    CHECK_STR(eddy_error_message(-EDEADLK), "task narcissus awaits itself");
}

static int leaves_a_task(eddy_task **out)
{
    *out = eddy_create_task_with((&(eddy_task_options){.name = "stranger"}), naps, 10.0);
    return 0;
}
EDDY_ASYNC(leaves_a_task, eddy_task **);

static int awaits_stranger(eddy_task *task)
{
    int rc = eddy_await(task);

    REQUIRE(strcmp(eddy_error_message(rc), "task stranger belongs to another loop") == 0);
    return rc;
}
EDDY_ASYNC(awaits_stranger, eddy_task *);

/* A-TASK-12: awaiting a task of another loop is an error of the awaiter. */
RAW_TEST(a_task_of_another_loop_cannot_be_awaited)
{
    eddy_runner first = EDDY_RUNNER_INIT;
    eddy_task *task = NULL;

    CHECK_OK(eddy_runner_run(&first, EDDY_CALL(leaves_a_task, &task)));
    CHECK_EQ(eddy_run(awaits_stranger, task), -EINVAL);
    eddy_runner_close(&first);
}

static int sees_no_task(void *place)
{
    *(eddy_task **)place = eddy_current_task();
    return 0;
}

/* A-TASK-13: the running task, and none in a callback. */
TEST(the_current_task_is_none_in_a_callback)
{
    eddy_task *seen = eddy_current_task();

    CHECK(seen != NULL);
    CHECK(eddy_loop_call_soon(eddy_get_running_loop(), sees_no_task, &seen).handle);
    CHECK_OK(eddy_sleep(0));
    CHECK(seen == NULL);
}

static bool listed(eddy_task **tasks, size_t count, const eddy_task *task)
{
    for (size_t i = 0; i < count; i++)
        if (tasks[i] == task)
            return true;
    return false;
}

/* A-TASK-13: all_tasks has those that have not ended, started or not. */
TEST(all_tasks_lists_what_has_not_ended)
{
    eddy_task *tasks[8];
    EDDY_TASK ended = eddy_create_task(note, 'a');

    CHECK_OK(eddy_await(ended));
    EDDY_TASK waiting = eddy_create_task(naps, 5.0);
    CHECK_OK(eddy_sleep(0));
    EDDY_TASK fresh = eddy_create_task(note, 'b');
    CHECK_EQ(eddy_all_tasks(tasks, 8), 3);
    CHECK(listed(tasks, 3, eddy_current_task()));
    CHECK(listed(tasks, 3, waiting) && listed(tasks, 3, fresh));
    tasks[1] = NULL;
    CHECK_EQ(eddy_all_tasks(tasks, 1), 3); /* how many there are, not what fits */
    CHECK(tasks[1] == NULL);
}

/* A-TASK-13: outside a loop there is no task. */
RAW_TEST(outside_a_loop_there_is_no_task)
{
    CHECK(eddy_current_task() == NULL);
    CHECK_EQ(eddy_all_tasks(NULL, 0), 0);
    CHECK(eddy_create_task(note, 'a') == NULL);
    CHECK_EQ(eddy_sleep(1), -EPERM);
    CHECK_EQ(eddy_uncancel(), -ENOENT);
    CHECK(!eddy_cancelled());
}

static int start_in_callback(void *place)
{
    *(eddy_task **)place = eddy_create_task(note, 'c');
    return eddy_await(*(eddy_task **)place) == -EPERM ? 0 : -EINVAL;
}

/* A callback may create tasks, but wait for none. */
TEST(a_callback_may_create_a_task_but_not_await_it)
{
    eddy_task *task = NULL;
    EDDY_DEFER(eddy_task_release, &task);

    CHECK(eddy_loop_call_soon(eddy_get_running_loop(), start_in_callback, &task).handle);
    CHECK_OK(eddy_sleep(0));
    CHECK_OK(eddy_await(task));
    CHECK_STR(trace, "c");
}

/* A-TASK-20: no task can be made for a closed loop, and its body never runs. */
RAW_TEST(a_closed_loop_runs_nothing)
{
    eddy_loop *loop;

    CHECK_OK(eddy_loop_new(&loop));
    CHECK_EQ(eddy_loop_close(loop), 0);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(note, 'a')), -EPERM);
    CHECK_STR(trace, "");
    eddy_loop_free(loop);
}

/* Promise 1: every function that takes a handle takes NULL, and says -ENOMEM. */
TEST(a_null_handle_is_accepted_everywhere)
{
    eddy_task *none = NULL;
    int value = 7;

    CHECK_EQ(eddy_await(none), -ENOMEM);
    CHECK_EQ(eddy_await(none, &value), -ENOMEM);
    CHECK_EQ(eddy_task_result(none, &value), -ENOMEM);
    CHECK_EQ(eddy_task_error(none), -ENOMEM);
    CHECK_EQ(eddy_cancel(none), -ENOMEM);
    CHECK_EQ(eddy_wait_for(none, 1.0), -ENOMEM);
    CHECK_EQ(eddy_wait(&none, 1, EDDY_ALL_COMPLETED, 1.0), -ENOMEM);
    CHECK_EQ(eddy_gather(EDDY_AWAIT(none)), -ENOMEM);
    CHECK(!eddy_task_done(none));
    CHECK(!eddy_task_cancelled(none));
    CHECK_STR(eddy_task_name(none), "-");
    eddy_task_set_name(none, "nobody");
    eddy_task_release(&none);
    eddy_task_detach(&none);
    CHECK_EQ(value, 7);
}

/* The error of a task that has not ended is -EINPROGRESS, and takes nothing. */
TEST(an_unfinished_task_has_neither_result_nor_error)
{
    EDDY_TASK task = eddy_create_task(later_answer, 1.0);
    int value = 7;

    CHECK_EQ(eddy_task_error(task), -EINPROGRESS);
    CHECK_EQ(eddy_task_result(task, &value), -EINPROGRESS);
    CHECK_EQ(value, 7);
    CHECK_OK(eddy_await(task));
    CHECK_EQ(eddy_task_error(task), 0);
    CHECK_EQ(eddy_task_result(task, &value), 0);
    CHECK_EQ(value, 42);
}

static int plain_entry(void *args, void *result)
{
    *(long *)result = *(int *)args * 2L;
    return 0;
}

/* The function under eddy_create_task, for bindings. */
TEST(a_task_can_be_made_of_a_plain_entry)
{
    int number = 21;
    long value = 0;
    EDDY_TASK task = eddy_task_create(plain_entry, &number, sizeof number, sizeof value,
                                      &(eddy_task_options){.name = "plain", .stack_size = 100000});

    number = 0; /* was copied */
    CHECK_STR(eddy_task_name(task), "plain");
    CHECK_OK(eddy_await(task, &value));
    CHECK_EQ(value, 42);
}

/* Its sizes are checked. */
TEST(a_plain_entry_has_limits)
{
    char args[EDDY_ARGS_MAX + 1] = "";

    CHECK(!eddy_task_create(plain_entry, args, sizeof args, 8, NULL));
    CHECK_HAS(eddy_error_message(-EINVAL), "97");
    CHECK(!eddy_task_create(plain_entry, args, 4, EDDY_RESULT_MAX + 1, NULL));
    CHECK_HAS(eddy_error_message(-EINVAL), "4097");
}

/* Any call can be started as a task: A-TASK-18. */
TEST(a_call_becomes_a_task)
{
    EDDY_TASK task = eddy_task_from_call(EDDY_CALL(answer));
    int value = 0;

    CHECK_OK(eddy_await(task, &value));
    CHECK_EQ(value, 42);
}

/* An await is a call too, for gather, groups and wait_for. */
TEST(an_await_can_be_a_child_of_gather)
{
    EDDY_TASK task = eddy_create_task(later_answer, 1.0);
    int a = 0, b = 0;

    CHECK_OK(eddy_gather(EDDY_AWAIT(task, &a), EDDY_CALL(later_answer, 2.0, &b), EDDY_AWAIT(task)));
    CHECK_EQ(a + b, 84);
}

/* Twenty thousand tasks at once, each with its own stack. */
TEST(many_tasks_can_wait_at_once)
{
    size_t count = test_is_swept() ? 100 : test_is_slow() ? 1000 : 20000;
    EDDY_TASKS(tasks, count);
    long sum = 0;

    CHECK(tasks);
    for (size_t i = 0; i < count; i++)
        tasks[i] = eddy_create_task(later_answer, 1.0 + (double)(i % 7));
    CHECK_OK(eddy_sleep(0));
    CHECK_EQ(eddy_all_tasks(NULL, 0), count + 1);
    for (size_t i = 0; i < count; i++) {
        int value = 0;

        CHECK_OK(eddy_await(tasks[i], &value));
        sum += value;
    }
    CHECK_EQ(sum, 42L * (long)count);
}
