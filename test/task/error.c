/* SPDX-License-Identifier: MIT */
/* Errors, their texts and origins: promise 1. */
#include "harness.h"

#include <stdlib.h>

#include "base/fault.h"

static int fails(int code, const char *text)
{
    EDDY_TRY(eddy_sleep(1));
    return eddy_raise(code, "%s", text);
}
EDDY_ASYNC(fails, int, const char *);

static int fails_silently(int code)
{
    return code;
}
EDDY_ASYNC(fails_silently, int);

static int passes_on(int code, const char *text)
{
    EDDY_TASK task = eddy_create_task(fails, code, text);

    EDDY_TRY(eddy_await(task));
    return 0;
}
EDDY_ASYNC(passes_on, int, const char *);

static bool origin_is_here(int code)
{
    const char *origin = eddy_error_origin(code);

    return origin && strstr(origin, "error.c:");
}

/* A raise gives the text and the place, and returns the code. */
TEST(a_raise_keeps_text_and_place)
{
    int rc = eddy_raise(-EIO, "disk %d of %s", 2, "two");

    CHECK_EQ(rc, -EIO);
    CHECK_STR(eddy_error_message(rc), "disk 2 of two");
    CHECK(origin_is_here(rc));
}

/* Another code has no text but its own meaning; 0 has none. */
TEST(a_text_belongs_to_its_code)
{
    (void)eddy_raise(-EIO, "disk");
    CHECK_STR(eddy_error_message(-EINVAL), eddy_strerror(-EINVAL));
    CHECK(eddy_error_origin(-EINVAL) == NULL);
    CHECK_STR(eddy_error_message(0), "success");
    CHECK(eddy_error_origin(0) == NULL);
    CHECK(eddy_error_message(-99999) != NULL);
    CHECK(eddy_error_message(1) != NULL);
}

/* The last raise of a code counts. */
TEST(a_later_raise_replaces_the_text)
{
    (void)eddy_raise(-EIO, "first");
    (void)eddy_raise(-EIO, "second");
    CHECK_STR(eddy_error_message(-EIO), "second");
    (void)eddy_raise(-EIO, "again: %s", eddy_error_message(-EIO)); /* built from itself */
    CHECK_STR(eddy_error_message(-EIO), "again: second");
}

/* Texts are cut after 511 bytes. */
TEST(a_long_text_is_cut)
{
    char text[600];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    (void)eddy_raise(-EIO, "%s", text);
    CHECK_EQ(strlen(eddy_error_message(-EIO)), 511);
}

/* Texts and places travel to the awaiter, through any number of tasks. */
TEST(a_text_travels_to_the_awaiter)
{
    EDDY_TASK task = eddy_create_task(passes_on, -EIO, "from below");

    CHECK_EQ(eddy_await(task), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "from below");
    CHECK(origin_is_here(-EIO));
}

/* The text of another task does not show here before it is awaited. */
TEST(texts_of_tasks_are_apart)
{
    (void)eddy_raise(-EIO, "mine");
    EDDY_TASK task = eddy_create_task(fails, -EIO, "another's");

    CHECK_OK(eddy_sleep(2));
    CHECK_STR(eddy_error_message(-EIO), "mine");
    CHECK_EQ(eddy_await(task), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "another's");
}

/* They travel through gather, groups, wait_for and shield. */
TEST(a_text_travels_through_gather_and_groups)
{
    CHECK_EQ(eddy_gather(EDDY_CALL(fails, -EIO, "in a gather"), EDDY_CALL(fails_silently, 0)),
             -EIO);
    CHECK_STR(eddy_error_message(-EIO), "in a gather");
    CHECK(origin_is_here(-EIO));
    {
        EDDY_GROUP(group);

        CHECK_OK(eddy_group_create_task(&group, passes_on, -EINVAL, "in a group"));
        CHECK_EQ(eddy_group_join(&group), -EINVAL);
        CHECK_STR(eddy_error_message(-EINVAL), "in a group");
    }
    CHECK_STR(eddy_error_message(-EINVAL), "in a group"); /* kept over the group's end */
    CHECK_EQ(eddy_wait_for(EDDY_CALL(fails, -EIO, "in a limit"), 5.0), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "in a limit");
    CHECK_EQ(eddy_shield(EDDY_CALL(fails, -EIO, "in a shield")), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "in a shield");
}

static int fails_in_thread(int code, const char *text)
{
    return text ? eddy_raise(code, "%s", text) : code;
}

static void sleeps_long(void *unused)
{
    (void)unused;
    (void)eddy_sleep(10); /* shielded: nothing cuts it short */
}

static void with_a_clean_up(void)
{
    EDDY_DEFER(sleeps_long, NULL);
    (void)eddy_raise(-EBUSY, "the block's own");
}

/* While a clean-up runs, its texts are apart from the block's; the text of a child
 * that fails meanwhile is there with the code. */
TEST(a_text_of_a_child_that_fails_during_a_clean_up_comes_with_its_code)
{
    EDDY_GROUP(group);
    CHECK_OK(eddy_group_create_task(&group, fails, -EIO, "disk"));
    with_a_clean_up();
    CHECK_STR(eddy_error_message(-EBUSY), "the block's own");
    CHECK_EQ(eddy_sleep(1), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "disk");
    (void)eddy_raise(-EIO, "another");
    CHECK_EQ(eddy_sleep(1), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "another"); /* the last one of that code */
}
EDDY_ASYNC(fails_in_thread, int, const char *);

/* And back from threads. */
TEST(a_text_travels_back_from_a_thread)
{
    CHECK_EQ(eddy_to_thread(fails_in_thread, -EIO, "in a thread"), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "in a thread");
    CHECK(origin_is_here(-EIO));
    CHECK_EQ(eddy_gather(EDDY_THREAD_CALL(fails_in_thread, -EINVAL, "in a job")), -EINVAL);
    CHECK_STR(eddy_error_message(-EINVAL), "in a job");
    CHECK_EQ(eddy_to_thread(fails_in_thread, -EINVAL, NULL), -EINVAL);
    CHECK_STR(eddy_error_message(-EINVAL), eddy_strerror(-EINVAL)); /* not the one before */
}

/* A call that fails without a text clears that of an earlier error. */
TEST(a_failure_without_text_clears_an_older_text)
{
    EDDY_QUEUE(queue, int, 1);
    EDDY_TASK silent = eddy_create_task(fails_silently, -EIO);
    int item;

    (void)eddy_raise(-EAGAIN, "old");
    CHECK_EQ(eddy_queue_get_nowait(&queue, &item), -EAGAIN);
    CHECK_STR(eddy_error_message(-EAGAIN), eddy_strerror(-EAGAIN));
    (void)eddy_raise(-EIO, "old");
    CHECK_EQ(eddy_await(silent), -EIO);
    CHECK_STR(eddy_error_message(-EIO), eddy_strerror(-EIO));
    (void)eddy_raise(-EIO, "old");
    CHECK_EQ(eddy_gather(EDDY_CALL(fails_silently, -EIO)), -EIO);
    CHECK_STR(eddy_error_message(-EIO), eddy_strerror(-EIO));
    (void)eddy_raise(-EINPROGRESS, "old");
    EDDY_TASK running = eddy_create_task(fails, -EIO, "x");
    CHECK_EQ(eddy_task_error(running), -EINPROGRESS);
    CHECK_STR(eddy_error_message(-EINPROGRESS), eddy_strerror(-EINPROGRESS));
    eddy_cancel(running);
    CHECK_EQ(eddy_await(running), -ECANCELED);
}

static int cleared_by_cancel(void)
{
    (void)eddy_raise(-ECANCELED, "old");
    eddy_cancel(eddy_current_task());
    REQUIRE(eddy_sleep(1) == -ECANCELED);
    REQUIRE(strcmp(eddy_error_message(-ECANCELED), eddy_strerror(-ECANCELED)) == 0);
    return -ECANCELED;
}
EDDY_ASYNC(cleared_by_cancel);

/* The same for a cancel and a timeout. */
TEST(a_cancel_and_a_timeout_clear_an_older_text)
{
    EDDY_TASK task = eddy_create_task(cleared_by_cancel);

    CHECK_EQ(eddy_await(task), -ECANCELED);
    (void)eddy_raise(-ETIMEDOUT, "old");
    EDDY_TIMEOUT(limit, 1.0);
    CHECK_EQ(eddy_sleep(5), -ETIMEDOUT);
    CHECK_STR(eddy_error_message(-ETIMEDOUT), eddy_strerror(-ETIMEDOUT));
}

static void clean_up(const char *text)
{
    (void)eddy_raise(-EIO, "%s", text);
    (void)eddy_sleep(1);
}

static int fails_over_scopes(void)
{
    static const char *text = "of the clean-up";

    EDDY_DEFER(clean_up, text);
    EDDY_TASK task = eddy_create_task(fails, -EIO, "of a child that nobody awaits");
    EDDY_GROUP(group);
    EDDY_TRY(eddy_group_create_task(&group, fails, -EIO, "of a group's child"));
    return eddy_raise(-EIO, "the reason, from %s", eddy_task_done(task) ? "behind" : "inside");
}

/* Promise 1: joins and clean-up at the end of a scope do not change the text. */
TEST(a_text_is_kept_over_the_ends_of_scopes)
{
    CHECK_EQ(fails_over_scopes(), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "the reason, from inside");
}

/* The library says what, on what, why. */
TEST(errors_of_the_library_have_texts_without_a_place)
{
    CHECK_EQ(eddy_await(eddy_current_task()), -EDEADLK);
    CHECK_HAS(eddy_error_message(-EDEADLK), "awaits itself");
    CHECK(eddy_error_origin(-EDEADLK) == NULL);
}

static int awaits_failure(void)
{
    EDDY_TASK task = eddy_create_task(fails, -EIO, "beyond the run");

    return eddy_await(task);
}
EDDY_ASYNC(awaits_failure);

/* Beyond the run: main() sees the text of what the main task returned. */
RAW_TEST(a_text_is_there_behind_the_run)
{
    CHECK_EQ(eddy_run(awaits_failure), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "beyond the run");
    CHECK(origin_is_here(-EIO));
    CHECK_EQ(eddy_run(fails_silently, -EIO), -EIO);
    CHECK_STR(eddy_error_message(-EIO), eddy_strerror(-EIO));
}

/* With memory failing the code still travels, without its text. */
TEST(with_memory_failing_the_code_still_travels)
{
    EDDY_TASK task = eddy_create_task(fails, -EIO, "lost");

    CHECK_OK(eddy_sleep(0));
    for (uint64_t nth = 1; nth <= 2; nth++) { /* the child's text, then the awaiter's */
        ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        int rc = eddy_await(task);

        ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK_EQ(rc, -EIO);
        CHECK_STR(eddy_error_message(-EIO), eddy_strerror(-EIO));
    }
}

static void raises_zero(void)
{
    (void)eddy_raise(0, "no error");
}

static void raises_positive(void)
{
    (void)eddy_raise(EIO, "not negative");
}

/* A code that is no error aborts, naming the place. */
RAW_TEST(a_raise_of_no_error_aborts)
{
    CHECK_DIES(raises_zero, "error.c:");
    CHECK_DIES(raises_zero, "the code 0 is not negative");
    CHECK_DIES(raises_positive, "the code 5 is not negative");
}

/* Each errno value has a text and a name of its own; so has every code that the headers
 * speak of. */
RAW_TEST(every_code_has_a_text_and_a_name)
{
    static const int codes[] = {-EAGAIN,    -EALREADY,    -EBADF,     -EBUSY,      -ECANCELED,
                                -EDEADLK,   -EINPROGRESS, -EINTR,     -EINVAL,     -EMFILE,
                                -ENOENT,    -ENOMEM,      -EOVERFLOW, -EOWNERDEAD, -EPERM,
                                -ESHUTDOWN, -ETIMEDOUT};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        CHECK(strcmp(eddy_strerror(codes[i]), "unknown error") != 0);
        CHECK(eddy_error_name(codes[i])[0] == 'E' && eddy_error_name(codes[i])[1] != '?');
    }
    for (int code = 10; code > -5000; code--) {
        CHECK(eddy_strerror(code) && *eddy_strerror(code));
        CHECK(eddy_error_name(code) && *eddy_error_name(code));
    }
    CHECK_STR(eddy_error_name(0), "0");
    CHECK_STR(eddy_error_name(-4000), "E?");
    CHECK_STR(eddy_strerror(-4000), "unknown error");
}

static int tries(int first, int second)
{
    EDDY_TRY(first);
    EDDY_TRY((ssize_t)second);
    return 7;
}

/* EDDY_TRY returns an error of the call, and nothing else. */
RAW_TEST(try_returns_errors_only)
{
    CHECK_EQ(tries(0, 5), 7);
    CHECK_EQ(tries(-EIO, 0), -EIO);
    CHECK_EQ(tries(3, -EINVAL), -EINVAL);
}
