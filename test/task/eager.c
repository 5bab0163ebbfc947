/* SPDX-License-Identifier: MIT */
/* Eager tasks: they run within their creation, and nobody comes between. */
#include "harness.h"

static char trace[64];

static int say(int letter)
{
    if (strlen(trace) + 1 < sizeof trace)
        trace[strlen(trace)] = (char)letter;
    return 0;
}
EDDY_ASYNC(say, int);

/* Says a letter, suspends, says another. */
static int say_twice(int first, int second)
{
    say(first);
    EDDY_TRY(eddy_sleep(0));
    return say(second);
}
EDDY_ASYNC(say_twice, int, int);

static int answer(int *out)
{
    *out = 42;
    return 0;
}
EDDY_ASYNC_RESULT(int, answer);

static int fail(int code)
{
    return eddy_raise(code, "at once");
}
EDDY_ASYNC(fail, int);

/* A-EAGER-1: the first part of the body, then the creator, then the rest. */
TEST(eager_task_runs_up_to_its_first_suspension_within_its_creation)
{
    EDDY_TASK before = eddy_create_task(say, '1');
    EDDY_TASK task = eddy_create_task_eager(say_twice, 'a', 'b');

    say('c');
    CHECK_STR(trace, "ac");
    CHECK(!eddy_task_done(task));
    CHECK_OK(eddy_await(task));
    CHECK_STR(trace, "ac1b");
    CHECK_OK(eddy_await(before));
}

/* A-EAGER-2: one that never suspends is done; what it returned is stored. */
TEST(eager_task_that_never_suspends_is_done_when_it_has_been_created)
{
    EDDY_TASK task = eddy_create_task_eager(answer);
    int value = 0;

    CHECK(eddy_task_done(task));
    CHECK_OK(eddy_task_result(task, &value));
    CHECK_EQ(value, 42);
    value = 0;
    CHECK_OK(eddy_await(task, &value));
    CHECK_EQ(value, 42);
}

TEST(eager_task_that_fails_at_once_keeps_its_error_until_it_is_read)
{
    EDDY_TASK task = eddy_create_task_eager(fail, -EIO);

    CHECK(eddy_task_done(task));
    CHECK_EQ(eddy_await(task), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "at once");
    {
        EDDY_TASK unread = eddy_create_task_eager(fail, -EPIPE);

        CHECK(eddy_task_done(unread));
    }
    CHECK_HAS(test_report(), "nobody read its error: at once (EPIPE)");
}

/* A-EAGER-3. */
static int check_current(eddy_task *creator)
{
    eddy_task *self = eddy_current_task();

    REQUIRE(self != creator);
    REQUIRE(strcmp(eddy_task_name(self), "eager") == 0);
    EDDY_TRY(eddy_sleep(0));
    REQUIRE(eddy_current_task() == self);
    return 0;
}
EDDY_ASYNC(check_current, eddy_task *);

TEST(eager_task_is_the_current_one_during_its_part)
{
    eddy_task *self = eddy_current_task();
    eddy_task_options options = {.name = "eager", .eager_start = true};
    EDDY_TASK task = eddy_create_task_with(&options, check_current, self);

    CHECK(eddy_current_task() == self);
    CHECK_OK(eddy_await(task));
}

/* A-EAGER-4: before the loop runs there is nowhere to run it. */
RAW_TEST(eager_task_outside_a_running_loop_is_like_any_other)
{
    eddy_task *task = eddy_create_task_eager(say, 'x');

    CHECK(task == NULL);
    CHECK_EQ(eddy_task_error(task), -ENOMEM);
    CHECK_STR(trace, "");
}

/* A-EAGER-5, A-TG-14: groups account for children that are done at once. */
TEST(eager_children_of_a_group_that_are_done_at_once_count)
{
    EDDY_GROUP(group);
    int values[3] = {0};

    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_group_create_task_eager(&group, answer, &values[i]));
        CHECK_EQ(values[i], 42);
    }
    CHECK_OK(eddy_group_create_task_eager(&group, say_twice, 'a', 'b'));
    CHECK_STR(trace, "a");
    CHECK_OK(eddy_group_join(&group));
    CHECK_STR(trace, "ab");
}

TEST(eager_child_of_a_group_that_fails_at_once_aborts_it)
{
    EDDY_GROUP(group);
    const char *message;

    CHECK_OK(eddy_group_create_task(&group, say_twice, 'a', 'b'));
    CHECK_OK(eddy_group_create_task_eager(&group, fail, -EIO));
    CHECK_EQ(eddy_sleep(1), -EIO); /* what a child's error does to the block */
    CHECK_STR(eddy_error_message(-EIO), "at once");
    CHECK_EQ(eddy_group_create_task_eager(&group, say, 'c'), -EIO);
    CHECK_EQ(eddy_group_join(&group), -EIO);
    CHECK_EQ(eddy_group_error(&group, 0, &message), -EIO);
    CHECK_STR(trace, "a");
}

/* One inside another: each creator goes on when its own child suspends. */
static int nest(int depth);
EDDY_ASYNC(nest, int);

static int nest(int depth)
{
    say('0' + depth);
    if (depth == 0)
        return eddy_sleep(0);
    EDDY_TASK inner = eddy_create_task_eager(nest, depth - 1);
    say('a' + depth);
    EDDY_TRY(eddy_await(inner));
    return say('A' + depth);
}

TEST(eager_tasks_may_be_nested)
{
    EDDY_TASK other = eddy_create_task(say, '!');
    EDDY_TASK task = eddy_create_task_eager(nest, 3);

    say('.');
    CHECK_STR(trace, "3210bcd.");
    CHECK_OK(eddy_await(task));
    CHECK_STR(trace, "3210bcd.!BCD");
    CHECK_OK(eddy_await(other));
}

/* Also with a turn that ends meanwhile, and with an order drawn from a seed. */
static int count_up(int *count)
{
    for (int i = 0; i < 100; i++, ++*count)
        EDDY_TRY(eddy_sleep(0));
    return 0;
}
EDDY_ASYNC(count_up, int *);

static int expires_at_once(int *count, int before)
{
    EDDY_TIMEOUT(limit, -1); /* ends the turn, whatever it is */

    EDDY_TRY(eddy_expect(*count == before));
    return eddy_expect_error(eddy_sleep(1), -ETIMEDOUT);
}
EDDY_ASYNC(expires_at_once, int *, int);

static int nobody_between(void)
{
    int count = 0;
    EDDY_GROUP(group);

    for (int i = 0; i < 10; i++)
        EDDY_TRY(eddy_group_create_task(&group, count_up, &count));
    for (int i = 0; i < 100; i++) {
        int before = count;

        EDDY_TRY(eddy_group_create_task_eager(&group, nest, 2));
        EDDY_TRY(eddy_expect(count == before));
        EDDY_TRY(eddy_group_create_task_eager(&group, expires_at_once, &count, before));
        EDDY_TRY(eddy_expect(count == before));
        EDDY_TRY(eddy_sleep(0));
        memset(trace, 0, sizeof trace);
    }
    return eddy_group_join(&group);
}
EDDY_ASYNC(nobody_between);

RAW_TEST(eager_start_lets_nobody_come_between)
{
    CHECK_OK(eddy_test_thoroughly(nobody_between));
}

/* Creating eager tasks for ever gives way as any loop of ready calls does. */
static int create_until(const int *count, int limit)
{
    while (*count < limit) {
        EDDY_TASK task = eddy_create_task_eager(answer);
        EDDY_TRY(eddy_await(task));
    }
    return 0;
}
EDDY_ASYNC(create_until, const int *, int);

TEST(eager_tasks_in_a_loop_do_not_starve_the_others)
{
    int count = 0;

    CHECK_OK(eddy_gather(EDDY_CALL(create_until, &count, 100), EDDY_CALL(count_up, &count)));
}

/* A creator that its eager child cancels sees it at its next call. */
static int cancel_it(eddy_task *task)
{
    return eddy_cancel(task);
}
EDDY_ASYNC(cancel_it, eddy_task *);

TEST(eager_task_may_cancel_its_creator)
{
    EDDY_TASK task = eddy_create_task_eager(cancel_it, eddy_current_task());

    CHECK(eddy_task_done(task));
    CHECK_EQ(eddy_sleep(1), -ECANCELED);
    CHECK_OK(eddy_uncancel());
    CHECK_OK(eddy_sleep(1));
}

static int make_in_callback(void *argument)
{
    eddy_task *task = eddy_create_task_eager(nest, 2);

    say('.');
    eddy_task_detach(&task);
    eddy_future_set_result((eddy_future *)argument, &(int){1});
    return eddy_current_task() == NULL ? 0 : -EPROTO;
}

TEST(eager_task_made_in_a_callback_runs_on_the_loop)
{
    eddy_future done = EDDY_FUTURE_INIT(int);
    int value;

    CHECK(eddy_loop_call_soon(eddy_get_running_loop(), make_in_callback, &done).handle);
    CHECK_OK(eddy_await(&done, &value));
    CHECK_STR(trace, "210bc.");
    test_settle();
    CHECK_STR(trace, "210bc.BC");
}

/* The function under the macros. */
static int say_one(void *args, void *result)
{
    (void)result;
    return say(*(int *)args);
}

TEST(eager_start_is_an_option_of_the_function_form)
{
    eddy_task_options options = {.eager_start = true};
    int letter = 'x';
    eddy_task *task = eddy_task_create(say_one, &letter, sizeof letter, 0, &options);

    CHECK_STR(trace, "x");
    CHECK(eddy_task_done(task));
    eddy_task_release(&task);
}

TEST(eager_task_inherits_and_changes_local_values_as_any_other)
{
    static eddy_local local = EDDY_LOCAL_INIT("who", "nobody");

    CHECK_OK(eddy_local_set(&local, "creator", NULL));
    EDDY_TASK task = eddy_create_task_eager(say_twice, 'a', 'b');
    CHECK_STR((const char *)eddy_local_get(&local), "creator");
    CHECK_OK(eddy_await(task));
}

static int posted(void *count)
{
    ++*(int *)count;
    return 0;
}

static int post_and_expire(int *count)
{
    EDDY_TRY(eddy_loop_call_soon_threadsafe(eddy_get_running_loop(), posted, count));
    EDDY_TIMEOUT(limit, 0); /* ends the turn */
    return eddy_sleep(1);
}
EDDY_ASYNC(post_and_expire, int *);

/* Not even a callback that somebody has posted. */
TEST(eager_start_lets_no_callback_come_between)
{
    static int count;
    EDDY_TASK task = eddy_create_task_eager(post_and_expire, &count);

    CHECK_EQ(count, 0);
    CHECK_EQ(eddy_await(task), -ETIMEDOUT);
    CHECK_EQ(count, 1);
}
