/* SPDX-License-Identifier: MIT */
/* Talking to a process: A-SUBP-5 to -7. */
#include "eddy/process.h"
#include "os/child.h"

static void free_text(void *text)
{
    free(*(void **)text);
}

static eddy_process_options pipes = {.in = EDDY_PIPE, .out = EDDY_PIPE, .err = EDDY_PIPE};

TEST(communicate_feeds_the_input_and_returns_both_outputs)
{
    EDDY_PROCESS process = NULL;
    eddy_process_output output = {.out = NULL};

    CHECK_OK(eddy_create_subprocess_shell("cat; echo bad >&2; exit 3", &pipes, &process));
    CHECK_OK(eddy_process_communicate(process, "good", 4, &output));
    EDDY_DEFER(eddy_process_output_free, &output);
    CHECK_STR(output.out, "good");
    CHECK_STR(output.err, "bad\n");
    CHECK(output.out_size == 4 && output.err_size == 4);
    CHECK_EQ(eddy_process_returncode(process), 3);
    CHECK(eddy_process_in(process) == NULL);
}

/* What is no pipe is "". */
TEST(communicate_returns_nothing_for_what_is_no_pipe)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.in = EDDY_DEVNULL, .out = EDDY_DEVNULL, .err = EDDY_PIPE};
    eddy_process_output output = {.out = NULL};

    CHECK_OK(eddy_create_subprocess_shell("cat; echo x; echo y >&2", &options, &process));
    CHECK_FAILS(eddy_process_communicate(process, "x", 1, &output), -EINVAL, "takes no input");
    CHECK(output.out == NULL);
    CHECK_OK(eddy_process_communicate(process, NULL, 0, &output));
    EDDY_DEFER(eddy_process_output_free, &output);
    CHECK_STR(output.out, "");
    CHECK_STR(output.err, "y\n");
    CHECK(eddy_process_in(process) == NULL && eddy_process_out(process) == NULL);
}

/* More than any pipe holds, in all directions at once. */
TEST(communicate_does_not_deadlock_at_any_size)
{
    size_t size = test_is_slow() || test_is_swept() ? 1 << 20 : 20 << 20;
    char *input = malloc(size);
    EDDY_DEFER(free_text, &input);

    for (size_t i = 0; i < size; i++)
        input[i] = (char)(i * 7 >> 3);

    EDDY_PROCESS process = NULL;
    eddy_process_output output = {.out = NULL};

    CHECK_OK(eddy_create_subprocess_shell("tee /dev/stderr", &pipes, &process));
    CHECK_OK(eddy_process_communicate(process, input, size, &output));
    EDDY_DEFER(eddy_process_output_free, &output);
    CHECK(output.out_size == size && memcmp(output.out, input, size) == 0);
    CHECK(output.err_size == size && memcmp(output.err, input, size) == 0);
    CHECK_OK(eddy_process_check(process));
}

/* A-SUBP-6 */
TEST(communicate_ignores_that_the_input_is_not_read)
{
    size_t size = 1 << 20;
    char *input = calloc(1, size);
    EDDY_DEFER(free_text, &input);
    EDDY_PROCESS process = NULL, small = NULL;
    eddy_process_output output = {.out = NULL};

    CHECK_OK(eddy_create_subprocess_shell("exec <&-; echo done", &pipes, &process));
    CHECK_OK(eddy_process_communicate(process, input, size, &output));
    EDDY_DEFER(eddy_process_output_free, &output);
    CHECK_STR(output.out, "done\n");
    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("true"), &pipes, &small));
    CHECK_OK(eddy_process_wait(small, NULL));
    CHECK_OK(eddy_process_communicate(small, "x", 1, NULL));
}

TEST(communicate_drops_outputs_that_nobody_wants)
{
    EDDY_PROCESS process = NULL;

    CHECK_OK(eddy_create_subprocess_shell("head -c 3000000 /dev/zero; exit 2", &pipes, &process));
    CHECK_OK(eddy_process_communicate_limited(process, NULL, 0, 10, NULL));
    CHECK_EQ(eddy_process_returncode(process), 2);
}

TEST(communicate_stops_at_its_limit)
{
    EDDY_PROCESS process = NULL, bad = NULL;
    eddy_process_output output = {.out = NULL};
    char data[12];

    CHECK_OK(eddy_create_subprocess_shell("printf 0123456789", &pipes, &process));
    CHECK_FAILS(eddy_process_communicate_limited(process, NULL, 0, 9, &output), EDDY_ELIMIT,
                "more than 9 bytes");
    CHECK(output.out == NULL);
    CHECK_EQ(eddy_read(eddy_process_out(process), data, sizeof data), 10); /* stays readable */
    CHECK_OK(eddy_create_subprocess_shell("printf 0123456789 >&2; cat", &pipes, &bad));
    CHECK_EQ(eddy_process_communicate_limited(bad, NULL, 0, 9, &output), EDDY_ELIMIT);
    CHECK_EQ(eddy_read(eddy_process_err(bad), data, sizeof data), 10);
    CHECK_OK(eddy_process_communicate_limited(bad, NULL, 0, 0, &output));
    eddy_process_output_free(&output);
}

/* A-SUBP-7: the process goes on, and another call returns everything. */
TEST(communicate_that_is_cut_short_loses_no_output)
{
    EDDY_PROCESS process = NULL;
    eddy_process_output output = {.out = NULL};
    int rc;

    CHECK_OK(eddy_create_subprocess_shell("echo one; echo two >&2; read x; echo three", &pipes,
                                          &process));
    CHECK_OK(eddy_peek(eddy_process_out(process), 4, &(const char *){NULL}));
    {
        EDDY_TIMEOUT(limit, 0.001);
        rc = eddy_process_communicate_limited(process, NULL, 0, 100, &output);
    }
    if (rc == 0) /* its input had ended, and it was fast */
        goto done;
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_OK(eddy_process_communicate(process, NULL, 0, &output));
done:
    CHECK_STR(output.out, "one\nthree\n");
    CHECK_STR(output.err, "two\n");
    eddy_process_output_free(&output);
}

static int read_on(eddy_stream *stream)
{
    char byte;

    return (int)eddy_read(stream, &byte, 1);
}
EDDY_ASYNC(read_on, eddy_stream *);

TEST(communicate_refuses_an_output_that_another_task_reads)
{
    EDDY_PROCESS process = NULL;
    eddy_process_output output = {.out = NULL};

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &pipes, &process));
    EDDY_TASK reader = eddy_create_task(read_on, eddy_process_err(process));

    test_settle();
    CHECK_EQ(eddy_process_communicate(process, NULL, 0, &output), -EBUSY);
    CHECK_OK(eddy_process_kill(process));
    CHECK_EQ(eddy_await(reader), 0);
}

static int talk(eddy_process *process)
{
    return eddy_process_communicate(process, NULL, 0, NULL);
}
EDDY_ASYNC(talk, eddy_process *);

TEST(communicate_ends_when_the_process_is_closed)
{
    EDDY_PROCESS process = NULL;
    int rc;

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("sleep", "100"), &pipes, &process));
    EDDY_TASK talker = eddy_create_task(talk, process);

    test_settle();
    CHECK_EQ(eddy_process_close(&process), -SIGTERM);
    rc = eddy_await(talker);
    CHECK(rc == 0 || rc == -ESHUTDOWN); /* the end of the outputs may come first */
}

/* A-SUBP-15: the input is a stream like others; its end is what the child reads as the end. */
TEST(communicate_may_be_done_by_hand)
{
    EDDY_PROCESS process = NULL;
    char line[20];

    CHECK_OK(eddy_create_subprocess_exec(EDDY_ARGV("cat"), &pipes, &process));
    CHECK_OK(eddy_printf(eddy_process_in(process), "line %d\n", 1));
    CHECK_OK(eddy_drain(eddy_process_in(process)));
    CHECK_EQ(eddy_read_line(eddy_process_out(process), line, sizeof line), 7);
    CHECK_STR(line, "line 1\n");
    CHECK_OK(eddy_process_end_input(process));
    CHECK_OK(eddy_process_end_input(process));
    CHECK_EQ(eddy_read(eddy_process_out(process), line, sizeof line), 0);
    CHECK_OK(eddy_process_check(process));
}

/* A-SUBP-5: a pipe that is full and not read holds the process up; and it ends all the same. */
TEST(communicate_is_what_a_full_pipe_needs)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.out = EDDY_PIPE};
    eddy_process_output output = {.out = NULL};
    int rc;

    CHECK_OK(eddy_create_subprocess_shell("head -c 1000000 /dev/zero", &options, &process));
    {
        EDDY_TIMEOUT(limit, 0.02);
        rc = eddy_process_wait(process, NULL);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_OK(eddy_process_communicate(process, NULL, 0, &output));
    CHECK_EQ(output.out_size, 1000000);
    eddy_process_output_free(&output);
}
