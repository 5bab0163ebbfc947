/* SPDX-License-Identifier: MIT */
/* Reports: rules A-EXC-1 to A-EXC-5 as far as the loop goes, and A-LOOP-14. */
#include "loop/trace.h"

static int fail(void *code)
{
    return (int)(intptr_t)code;
}

/* A-LOOP-14: the failure goes to the handler, and the next callback runs. */
RAW_TEST(callback_that_fails_is_reported_and_the_next_one_runs)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_soon(loop, fail, (void *)(intptr_t)-EIO);
    (void)eddy_loop_call_soon(loop, trace_add, "next");
    (void)eddy_loop_call_later(loop, 1, fail, (void *)(intptr_t)-ETIMEDOUT);
    (void)eddy_loop_call_later(loop, 1, trace_add, "timer");
    CHECK_OK(loop_run_for(loop, 2));
    CHECK_STR(trace, "next timer ");
    CHECK_STR(test_report(), "a callback failed: Input/output error (EIO)");
    CHECK_STR(test_report(), "a callback failed: timed out (ETIMEDOUT)");
    CHECK_STR(test_report(), "");
    eddy_loop_free(loop);
}

RAW_TEST(callback_that_returns_a_positive_number_has_not_failed)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_soon(loop, fail, (void *)(intptr_t)7);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(test_report(), "");
    eddy_loop_free(loop);
}

static eddy_report seen;
static eddy_loop *seen_loop;
static void *seen_argument;

static void look(eddy_loop *loop, const eddy_report *report, void *argument)
{
    static char message[256];

    snprintf(message, sizeof message, "%s", report->message);
    seen = *report;
    seen.message = message;
    seen_loop = loop;
    seen_argument = argument;
}

/* A-EXC-1, -2: the handler gets the loop, the record and its own argument. */
RAW_TEST(handler_gets_the_whole_record)
{
    eddy_loop *loop = loop_open();
    int mine;

    eddy_loop_set_exception_handler(loop, look, &mine);
    (void)eddy_loop_call_soon(loop, fail, (void *)(intptr_t)-ENOSPC);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_EQ(seen.kind, EDDY_REPORT_CALLBACK_FAILED);
    CHECK_EQ(seen.code, -ENOSPC);
    CHECK(!seen.task);
    CHECK_HAS(seen.message, "ENOSPC");
    CHECK(seen_loop == loop);
    CHECK(seen_argument == &mine);
    eddy_loop_free(loop);
}

/* A program's own report goes the same way, word for word. */
RAW_TEST(report_of_the_program_reaches_the_handler_unchanged)
{
    eddy_loop *loop = loop_open();
    eddy_report report = {EDDY_REPORT_RESOURCE, -EMFILE, "no more descriptors", NULL};

    eddy_loop_set_exception_handler(loop, look, NULL);
    eddy_loop_call_exception_handler(loop, &report);
    CHECK_EQ(seen.kind, EDDY_REPORT_RESOURCE);
    CHECK_EQ(seen.code, -EMFILE);
    CHECK_STR(seen.message, "no more descriptors");
    eddy_loop_free(loop);
}

static void report_by_default(void)
{
    eddy_loop *loop = loop_open();

    eddy_loop_set_exception_handler(loop, NULL, NULL);
    (void)eddy_loop_call_soon(loop, fail, (void *)(intptr_t)-EIO);
    (void)loop_run_for(loop, 1);
    eddy_loop_free(loop);
}

/* A-EXC-2: without a handler, or with NULL again, one line on standard error. */
RAW_TEST(report_without_a_handler_is_a_line_on_standard_error)
{
    char text[512];

    CHECK_EQ(test_fork(report_by_default, text, sizeof text), 0);
    CHECK_STR(text, "eddy: a callback failed: Input/output error (EIO)\n");
}

static int set_twice(void *loop)
{
    eddy_loop_set_exception_handler(loop, look, NULL);
    return -EIO;
}

/* A-EXC-3: a handler cannot fail, but it may use the loop, and be replaced. */
static void schedule_more(eddy_loop *loop, const eddy_report *report, void *word)
{
    (void)report;
    (void)eddy_loop_call_soon(loop, trace_add, word);
    (void)eddy_loop_call_soon(loop, set_twice, loop);
}

RAW_TEST(handler_may_schedule_and_may_be_replaced)
{
    eddy_loop *loop = loop_open();

    eddy_loop_set_exception_handler(loop, schedule_more, "from-handler");
    (void)eddy_loop_call_soon(loop, fail, (void *)(intptr_t)-EPIPE);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "from-handler ");
    CHECK_EQ(seen.code, -EIO);
    eddy_loop_free(loop);
}

static eddy_local color = EDDY_LOCAL_INIT("color", "none");

static int set_and_fail(void *value)
{
    REQUIRE(eddy_local_set(&color, value, NULL) == 0);
    return -EIO;
}

static void say_color(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)report, (void)unused;
    trace_add(eddy_local_get(&color));
}

/* A-EXC-4: the handler runs in the context of what failed. */
RAW_TEST(handler_sees_the_local_values_of_the_callback_that_failed)
{
    eddy_loop *loop = loop_open();

    eddy_loop_set_exception_handler(loop, say_color, NULL);
    (void)eddy_loop_call_soon(loop, set_and_fail, "red");
    (void)eddy_loop_call_soon(loop, fail, (void *)(intptr_t)-EIO);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(trace, "red none ");
    eddy_loop_free(loop);
}

static int fail_unread(void)
{
    return eddy_raise(-ENOENT, "no such thing");
}
EDDY_ASYNC(fail_unread);

static int leave_unread(void)
{
    eddy_task *task = eddy_create_task(fail_unread);

    eddy_task_detach(&task);
    return eddy_sleep(1);
}
EDDY_ASYNC(leave_unread);

/* A-EXC-1, -5: a task's error that nobody read, with the task. */
RAW_TEST(report_of_an_error_nobody_read_names_the_task)
{
    eddy_loop *loop = loop_open();

    eddy_loop_set_exception_handler(loop, look, NULL);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leave_unread)));
    CHECK_EQ(seen.kind, EDDY_REPORT_ERROR_NOT_READ);
    CHECK_EQ(seen.code, -ENOENT);
    CHECK(seen.task);
    CHECK_HAS(seen.message, "fail_unread");
    CHECK_HAS(seen.message, "loop/report.c:");
    CHECK_HAS(seen.message, "no such thing");
    eddy_loop_free(loop);
}

static int long_fail(void *unused)
{
    (void)unused;
    return -4090; /* no such code */
}

RAW_TEST(report_of_a_code_that_does_not_exist_still_says_something)
{
    eddy_loop *loop = loop_open();

    (void)eddy_loop_call_soon(loop, long_fail, NULL);
    CHECK_OK(loop_run_for(loop, 1));
    CHECK_STR(test_report(), "a callback failed: unknown error (E?)");
    eddy_loop_free(loop);
}

static int close_code;

static void close_in_handler(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)report, (void)unused;
    close_code = eddy_loop_close(loop);
}

/* Whoever reports goes on with the loop after that. */
RAW_TEST(handler_may_not_close_the_loop)
{
    eddy_loop *loop = loop_open();

    eddy_loop_set_exception_handler(loop, close_in_handler, NULL);
    eddy_loop_call_exception_handler(loop, &(eddy_report){.message = "outside of a run"});
    CHECK_EQ(close_code, -EBUSY);
    CHECK_OK(eddy_loop_close(loop));
    eddy_loop_free(loop);
}
