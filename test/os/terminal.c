/* SPDX-License-Identifier: MIT */
/* Child processes on a terminal of their own: eddy_process_options.pty. */
#include "os/terminal.h"

#include "base/fault.h"
#include "eddy/process.h"
#include "os/child.h"

/* Starts a command line on a terminal. */
static int start(const char *line, eddy_process_options options, eddy_process **out)
{
    options.pty = true;
    return eddy_create_subprocess_shell(line, &options, out);
}

/* All that it shows, up to the end of the stream. */
static int shown(eddy_process *process, char *text, size_t size)
{
    char *data = NULL;

    EDDY_TRY(eddy_read_all(eddy_process_terminal(process), 0, &data, NULL));
    EDDY_DEFER(eddy_free, data);
    snprintf(text, size, "%s", data);
    return eddy_process_check(process);
}

TEST(terminal_is_what_the_child_has_for_its_streams)
{
    EDDY_PROCESS process = NULL, other = NULL;
    char text[200];

    CHECK_OK(start("test -t 0 && test -t 1 && test -t 2 && echo yes >/dev/tty; tty",
                   (eddy_process_options){0}, &process));
    CHECK_STR(eddy_stream_kind(eddy_process_terminal(process)), "terminal");
    CHECK(!eddy_process_in(process) && !eddy_process_out(process) && !eddy_process_err(process));
    CHECK_OK(shown(process, text, sizeof text));
    CHECK(strncmp(text, "yes\r\n/dev/", 10) == 0);
    CHECK_EQ(eddy_read(eddy_process_terminal(process), text, sizeof text), 0); /* again */
    CHECK_EQ(eddy_process_close(&process), 0);
    CHECK_OK(eddy_create_subprocess_shell("true", NULL, &other));
    CHECK(!eddy_process_terminal(other));
    CHECK_FAILS(eddy_process_resize_terminal(other, 1, 1), -ENOTTY, "started without one");
}

TEST(terminal_leaves_out_the_streams_that_are_to_be_something_else)
{
    EDDY_PROCESS process = NULL, hidden = NULL;
    eddy_process_options all = {.in = EDDY_DEVNULL, .out = EDDY_DEVNULL, .err = EDDY_STDOUT};
    char text[200];

    CHECK_OK(start("test -t 0 && test -t 1 && ! test -t 2 && echo error >&2",
                   (eddy_process_options){.err = EDDY_PIPE}, &process));
    CHECK_OK(shown(process, text, sizeof text));
    CHECK_STR(text, "");
    CHECK_EQ(eddy_read_line(eddy_process_err(process), text, sizeof text), 6);
    CHECK_STR(text, "error\n");
    CHECK_FAILS(start("true", all, &hidden), -EINVAL, "the terminal of true: no stream is to be");
}

TEST(terminal_is_as_large_as_asked_for)
{
    EDDY_PROCESS process = NULL, large = NULL;
    char text[200];

    CHECK_OK(start("stty size", (eddy_process_options){0}, &process));
    CHECK_OK(shown(process, text, sizeof text));
    CHECK_STR(text, "24 80\r\n");
    CHECK_OK(start("stty size; trap 'stty size; exit' WINCH; echo ready; "
                   "while :; do sleep 0.01; done",
                   (eddy_process_options){.pty_rows = 50, .pty_columns = 132}, &large));
    CHECK_OK(eddy_read_exactly(eddy_process_terminal(large), text, 15));
    CHECK(memcmp(text, "50 132\r\nready\r\n", 15) == 0);
    CHECK_OK(eddy_process_resize_terminal(large, 10, 0));
    CHECK_OK(shown(large, text, sizeof text));
    CHECK_STR(text, "10 80\r\n");
}

/* What is typed: lines, which come back twice; Ctrl-D is the end, Ctrl-C a signal. */
TEST(terminal_is_typed_at)
{
    if (test_is_on_valgrind())
        test_skip("valgrind goes into the children, too, which may be slow to take a signal");
    EDDY_PROCESS cat = NULL, sleeper = NULL;
    char text[200];

    CHECK_OK(start("cat", (eddy_process_options){0}, &cat));
    CHECK_OK(eddy_printf(eddy_process_terminal(cat), "hello\n"));
    CHECK_OK(eddy_read_exactly(eddy_process_terminal(cat), text, 14));
    CHECK(memcmp(text, "hello\r\nhello\r\n", 14) == 0);
    CHECK_OK(eddy_write(eddy_process_terminal(cat), "\4", 1));
    CHECK_OK(shown(cat, text, sizeof text));
    CHECK_STR(text, "");

    CHECK_OK(start("echo ready; exec sleep 1000", (eddy_process_options){0}, &sleeper));
    CHECK_OK(eddy_read_exactly(eddy_process_terminal(sleeper), text, 7));
    CHECK_OK(eddy_write(eddy_process_terminal(sleeper), "\3", 1));
    CHECK_OK(eddy_process_wait(sleeper, NULL));
    CHECK_EQ(eddy_process_returncode(sleeper), -SIGINT);
}

/* The end comes behind all that was shown, however much that is. */
TEST(terminal_shows_everything_before_its_end)
{
    EDDY_PROCESS process = NULL;
    eddy_line line;
    int rc, count = 0;
    char number[16];

    CHECK_OK(start("seq 20000", (eddy_process_options){0}, &process));
    EDDY_FOR_EACH(rc, line, eddy_lines(eddy_process_terminal(process))) {
        count++;
        snprintf(number, sizeof number, "%d\r\n", count);
        CHECK_STR(line.text, number);
    }
    CHECK_OK(rc);
    CHECK_EQ(count, 20000);
    CHECK_OK(eddy_process_check(process));
}

/* A shell at a terminal does not heed SIGTERM. */
TEST(terminal_that_is_closed_hangs_up)
{
    EDDY_PROCESS shell = NULL;
    char text[200];
    double begun;

    if (test_is_on_valgrind())
        test_skip("valgrind goes into the children, too, which may be slow to take a signal");
    CHECK_OK(start("trap '' TERM; echo ready; exec sleep 1000", (eddy_process_options){0}, &shell));
    CHECK_OK(eddy_read_exactly(eddy_process_terminal(shell), text, 7));
    begun = eddy_time();
    CHECK_OK(eddy_write_nowait(eddy_process_terminal(shell), text, 7));
    CHECK_EQ(eddy_process_close(&shell), -SIGHUP);
    CHECK(eddy_time() - begun < 4);
    CHECK(no_child_is_left());
}

/* Nobody else holds a terminal open that we gave up. */
TEST(terminal_of_a_detached_process_hangs_up)
{
    EDDY_PROCESS process = NULL;
    char text[200];
    pid_t pid;

    if (test_is_on_valgrind())
        test_skip("valgrind goes into the children, too, which may be slow to take a signal");
    CHECK_OK(start("echo ready; exec sleep 1000", (eddy_process_options){0}, &process));
    CHECK_OK(eddy_read_exactly(eddy_process_terminal(process), text, 7));
    pid = eddy_process_pid(process);
    eddy_process_detach(&process);
    CHECK(child_dies(pid));
}

TEST(terminal_that_cannot_be_had_says_why)
{
    EDDY_PROCESS process = NULL;
    eddy_process_options options = {.pty = true};

    for (int nth = 1; nth <= 2; nth++) {
        (void)ed_fault_set(ED_FAULT_OPENAT, (uint64_t)nth, -ENOSPC);
        CHECK_FAILS(start("true", options, &process), -ENOSPC, "the terminal of true: No space");
    }
    (void)ed_fault_set(ED_FAULT_OPENAT, 0, 0);
    CHECK_FAILS(eddy_create_subprocess_exec(EDDY_ARGV("no-such-program"), &options, &process),
                -ENOENT, "cannot run no-such-program");
    CHECK(!process && no_child_is_left());
}

static int use_terminal(void)
{
    EDDY_PROCESS process = NULL;
    char text[20];

    EDDY_TRY(start("read line; echo $line", (eddy_process_options){.stop_timeout = -1}, &process));
    EDDY_TRY(eddy_printf(eddy_process_terminal(process), "x\n"));
    EDDY_TRY(eddy_flush(eddy_process_terminal(process))); /* tells of memory that was short */
    EDDY_TRY(eddy_read_exactly(eddy_process_terminal(process), text, 6));
    EDDY_TRY((int)eddy_read(eddy_process_terminal(process), text, sizeof text));
    return eddy_process_check(process);
}
EDDY_ASYNC(use_terminal);

RAW_TEST(terminal_stands_every_cancel_and_every_failing_allocation)
{
    CHECK_OK(eddy_test_cancels(use_terminal));
    CHECK_OK(eddy_test_allocations(use_terminal));
    CHECK(no_child_is_left());
}
