/* SPDX-License-Identifier: MIT */
/* Task-local values: rules A-CTX-1 to A-CTX-5, A-TASK-15. */
#include "harness.h"

static const char *const initial = "initial";
static eddy_local word = {"word", (void *)(uintptr_t) "initial"};
static eddy_local number = EDDY_LOCAL_INIT("number", NULL);

static const char *get(void)
{
    return eddy_local_get(&word);
}

static int sets(const char *value)
{
    return eddy_local_set(&word, value, NULL);
}
EDDY_ASYNC(sets, const char *);

static int sees(const char *value)
{
    return strcmp(get(), value) == 0 ? 0 : eddy_raise(-EINVAL, "it is %s", get());
}
EDDY_ASYNC(sees, const char *);

static int sets_and_waits(const char *value)
{
    EDDY_TRY(sets(value));
    EDDY_TRY(eddy_sleep(1));
    return sees(value);
}
EDDY_ASYNC(sets_and_waits, const char *);

/* A-CTX-1: the initial value, until it is set. */
TEST(a_local_has_its_initial_value_until_it_is_set)
{
    CHECK_STR(get(), initial);
    CHECK(!eddy_local_is_set(&word));
    CHECK(eddy_local_get(&number) == NULL);
    CHECK_OK(sets("one"));
    CHECK(eddy_local_is_set(&word));
    CHECK_STR(get(), "one");
    CHECK_OK(eddy_local_set(&word, NULL, NULL)); /* NULL is a value */
    CHECK(eddy_local_is_set(&word) && !eddy_local_get(&word));
}

/* A-CTX-1: a token restores what was, once. */
TEST(a_token_restores_the_value_before_once)
{
    eddy_local_token first, second;

    CHECK_OK(eddy_local_set(&word, "one", &first));
    CHECK_OK(eddy_local_set(&word, "two", &second));
    CHECK_EQ(eddy_local_reset(&word, &second), 0);
    CHECK_STR(get(), "one");
    CHECK_EQ(eddy_local_reset(&word, &second), -EALREADY);
    CHECK_HAS(eddy_error_message(-EALREADY), "\"word\"");
    CHECK_EQ(eddy_local_reset(&word, &first), 0);
    CHECK_STR(get(), initial);
    CHECK(!eddy_local_is_set(&word));
}

static int resets(eddy_local_token *token)
{
    return eddy_local_reset(&word, token);
}
EDDY_ASYNC(resets, eddy_local_token *);

/* A-CTX-1: in the same task only. */
TEST(a_token_is_of_no_use_to_another_task)
{
    eddy_local_token token;

    CHECK_OK(eddy_local_set(&word, "one", &token));
    EDDY_TASK other = eddy_create_task(resets, &token);
    CHECK_EQ(eddy_await(other), -EINVAL);
    CHECK_STR(get(), "one");
    CHECK_EQ(eddy_local_reset(&word, &token), 0); /* it is still good here */
}

/* A-CTX-1: for the same variable only. */
TEST(a_token_resets_its_own_variable_only)
{
    eddy_local_token token;

    CHECK_OK(eddy_local_set(&word, "one", &token));
    CHECK_OK(eddy_local_set(&number, "two", NULL));
    CHECK_EQ(eddy_local_reset(&number, &token), -EINVAL);
    CHECK_STR((char *)eddy_local_get(&number), "two");
    CHECK_EQ(eddy_local_reset(&word, &token), 0);
}

/* A-CTX-2, A-TASK-15: a task starts with a copy of its creator's values at creation;
 * neither sees what the other sets later. */
TEST(a_task_has_a_copy_of_its_creators_values)
{
    CHECK_OK(sets("at creation"));
    EDDY_TASK child = eddy_create_task(sees, "at creation");
    EDDY_TASK setter = eddy_create_task(sets_and_waits, "the child's");
    EDDY_TASK sibling = eddy_create_task(sets_and_waits, "the sibling's");
    CHECK_OK(sets("later"));
    CHECK_OK(eddy_await(child));
    CHECK_OK(eddy_await(setter));
    CHECK_OK(eddy_await(sibling));
    CHECK_STR(get(), "later");
}

/* The same for what the creator sets for the first time. */
TEST(values_set_after_creation_do_not_reach_the_task)
{
    EDDY_TASK child = eddy_create_task(sees, initial);

    CHECK_OK(sets("later"));
    CHECK_OK(eddy_await(child));
    CHECK_STR(get(), "later");
}

/* Children of gather and groups are tasks; grandchildren inherit through their parent. */
static int has_child(const char *value)
{
    EDDY_TRY(sets(value));
    return eddy_gather(EDDY_CALL(sees, value), EDDY_CALL(sets, "a grandchild's"));
}
EDDY_ASYNC(has_child, const char *);

TEST(grandchildren_inherit_through_their_parent)
{
    CHECK_OK(eddy_gather(EDDY_CALL(has_child, "a"), EDDY_CALL(has_child, "b")));
    CHECK_STR(get(), initial);
}

/* A-CTX-3: a plain call shares its caller's values. */
TEST(a_plain_call_shares_its_callers_values)
{
    CHECK_OK(sets("by a call"));
    CHECK_STR(get(), "by a call");
    CHECK_OK(eddy_wait_for(EDDY_CALL(sets, "under a limit"), 1.0));
    CHECK_STR(get(), "under a limit");
}

static char seen[4][32];

static int look(void *place)
{
    snprintf(place, 32, "%s", get());
    return sets("a callback's");
}

/* A-CTX-4: callbacks and timers run with the values of whoever set them up, and what
 * they set stays theirs. */
TEST(callbacks_run_with_the_values_of_who_scheduled_them)
{
    eddy_loop *loop = eddy_get_running_loop();

    CHECK_OK(sets("soon"));
    eddy_loop_call_soon(loop, look, seen[0]);
    CHECK_OK(sets("later"));
    eddy_handle later = eddy_loop_call_later(loop, 1.0, look, seen[1]);
    EDDY_DEFER(test_cancel_handle, &later);
    CHECK_OK(sets("now"));
    eddy_loop_call_soon(loop, look, seen[2]);
    CHECK_OK(eddy_sleep(2));
    CHECK_STR(seen[0], "soon");
    CHECK_STR(seen[1], "later");
    CHECK_STR(seen[2], "now");
    CHECK_STR(get(), "now");
}

/* A-CTX-4: done callbacks too. */
TEST(done_callbacks_run_with_the_values_of_who_added_them)
{
    eddy_future future = EDDY_FUTURE_INIT(int);

    CHECK_OK(sets("added"));
    CHECK_OK(eddy_future_add_done_callback(&future, look, seen[0]));
    CHECK_OK(sets("set"));
    CHECK_OK(eddy_future_set_result(&future, &(int){1}));
    CHECK_OK(eddy_sleep(0));
    CHECK_STR(seen[0], "added");
}

static int in_thread(char *place)
{
    snprintf(place, 32, "%s", get());
    return sets("a thread's");
}
EDDY_ASYNC(in_thread, char *);

/* A-CTX-5: a thread job reads its caller's values; what it sets stays in the thread. */
TEST(a_thread_job_reads_its_callers_values)
{
    CHECK_OK(sets("the caller's"));
    CHECK_OK(eddy_to_thread(in_thread, seen[0]));
    CHECK_STR(seen[0], "the caller's");
    CHECK_STR(get(), "the caller's");
}

/* Many variables at once. */
TEST(a_task_may_have_many_locals)
{
    static eddy_local locals[100];
    eddy_local_token tokens[100];

    for (intptr_t i = 0; i < 100; i++)
        CHECK_OK(eddy_local_set(&locals[i], (void *)i, &tokens[i]));
    for (intptr_t i = 0; i < 100; i += 2)
        CHECK_EQ(eddy_local_reset(&locals[i], &tokens[i]), 0);
    for (intptr_t i = 0; i < 100; i++) {
        CHECK_EQ(eddy_local_is_set(&locals[i]), i % 2);
        CHECK(eddy_local_get(&locals[i]) == (i % 2 ? (void *)i : NULL));
    }
}

static int set_outside(void)
{
    return sees(initial);
}
EDDY_ASYNC(set_outside);

/* A-RUN-10: the runs of a runner share their values; another loop has its own. */
RAW_TEST(the_runs_of_a_runner_share_their_values)
{
    eddy_runner runner = EDDY_RUNNER_INIT;

    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(sets, "in the first run")));
    CHECK_OK(eddy_runner_run(&runner, EDDY_CALL(sees, "in the first run")));
    eddy_runner_close(&runner);
    CHECK_OK(eddy_run(set_outside));
}
