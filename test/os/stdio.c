/* SPDX-License-Identifier: MIT */
/* The standard streams, over whatever a shell may give: rule F-36. */
#include "os/stdio.h"

#include <pthread.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "io/socket.h"
#include "os/standard.h"

/* Both ends of a pipe: none of them is inherited. */
static void make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        test_fail(__FILE__, __LINE__, "no pipe");
}

static int count_lines(int *count)
{
    eddy_stream *input;
    eddy_line line;
    int rc;

    EDDY_TRY(eddy_stdin(&input));
    *count = 0;
    EDDY_FOR_EACH(rc, line, eddy_lines(input))
        ++*count;
    REQUIRE(blocks(STDIN_FILENO));
    return rc;
}
EDDY_ASYNC_RESULT(int, count_lines);

RAW_TEST(stdin_reads_a_pipe)
{
    int ends[2], count = 0;

    make_pipe(ends);
    CHECK_EQ(write(ends[1], "one\ntwo\nthree", 13), 13);
    close(ends[1]);
    become(0, ends[0]);
    CHECK_OK(eddy_run(count_lines, &count));
    CHECK_EQ(count, 3);
    CHECK(blocks(0));
    put_back(0);
}

/* Nobody has flushed. */
RAW_TEST(stdout_is_written_out_at_the_end)
{
    int ends[2];

    make_pipe(ends);
    become(1, ends[1]);
    CHECK_OK(eddy_test(say, "hello\n"));
    CHECK(blocks(1));
    put_back(1);
    CHECK_STR(all_of(ends[0]), "hello\n");
    close(ends[0]);
}

static int say_and_cancel(const char *text)
{
    EDDY_TRY(say(text));
    eddy_cancel(eddy_current_task());
    return eddy_sleep(1);
}
EDDY_ASYNC(say_and_cancel, const char *);

RAW_TEST(stdout_is_written_out_when_the_main_task_is_cancelled)
{
    int ends[2];

    make_pipe(ends);
    become(1, ends[1]);
    CHECK_EQ(eddy_run(say_and_cancel, "hello\n"), -ECANCELED);
    put_back(1);
    CHECK_STR(all_of(ends[0]), "hello\n");
    close(ends[0]);
}

#define MUCH 200000

static char much[MUCH + 1];

static const char *fill_much(void)
{
    for (int i = 0; i < MUCH; i++)
        much[i] = (char)('a' + i % 23);
    return much;
}

static int say_much(void)
{
    eddy_stream *output;

    EDDY_TRY(eddy_stdout(&output));
    EDDY_TRY(eddy_stream_set_write_limits(output, 2 * MUCH, SIZE_MAX));
    for (int at = 0; at < MUCH; at += 1000)
        EDDY_TRY(eddy_write(output, much + at, 1000));
    return 0;
}
EDDY_ASYNC(say_much);

static void *read_late(void *argument)
{
    struct timespec pause = {.tv_nsec = 50000000};

    nanosleep(&pause, NULL); /* so that the writer finds a full pipe, and an end */
    return (void *)(uintptr_t)all_of(*(int *)argument);
}

/* More than a pipe holds, for a reader who is late. */
RAW_TEST(stdout_waits_at_the_end_for_a_slow_reader)
{
    int ends[2];
    pthread_t reader;
    void *text;

    fill_much();
    for (int i = 0; i < 2; i++) {
        make_pipe(ends);
        become(1, ends[1]);
        ed_stdio_descriptors = i ? "/none" : "/proc/self/fd";
        CHECK_OK(pthread_create(&reader, NULL, read_late, &ends[0]));
        CHECK_OK(eddy_run(say_much));
        put_back(1);
        CHECK_OK(pthread_join(reader, &text));
        CHECK_STR((const char *)text, much);
        close(ends[0]);
    }
}

static char reported[200];

static void note_report(eddy_loop *loop, const eddy_report *report, void *unused)
{
    (void)loop, (void)unused;
    snprintf(reported, sizeof reported, "%s", report->message);
}

static int say_much_to_nobody(void)
{
    eddy_loop_set_exception_handler(eddy_get_running_loop(), note_report, NULL);
    return say_much();
}
EDDY_ASYNC(say_much_to_nobody);

RAW_TEST(stdout_gives_a_reader_up_who_does_not_read)
{
    int ends[2];

    make_pipe(ends);
    become(1, ends[1]);
    ed_standard_patience = 0.1;
    CHECK_OK(eddy_run(say_much_to_nobody));
    put_back(1);
    CHECK_HAS(reported, "standard output: 1");
    CHECK_HAS(reported, " bytes are lost: nobody");
    close(ends[0]);
}

static int complain_much_to_nobody(void)
{
    eddy_stream *errors;

    EDDY_TRY(eddy_stderr(&errors));
    while (eddy_printf_nowait(errors, "%01000d", 0) == 0)
        continue;
    return 0;
}
EDDY_ASYNC(complain_much_to_nobody);

static void complain_and_end(void)
{
    int ends[2];

    make_pipe(ends);
    dup2(ends[1], STDERR_FILENO);
    ed_standard_patience = 0.1;
    alarm(20);
    _exit(eddy_run(complain_much_to_nobody));
}

/* A report on standard error would be waited for in vain. */
RAW_TEST(stderr_that_nobody_reads_is_given_up_without_a_word)
{
    char text[200];

    CHECK_EQ(test_fork(complain_and_end, text, sizeof text), 0);
}

static int abort_output(void)
{
    eddy_stream *output;

    EDDY_TRY(say_much_to_nobody());
    EDDY_TRY(eddy_stdout(&output));
    eddy_stream_abort(output);
    return 0;
}
EDDY_ASYNC(abort_output);

/* A program that has aborted it knows. */
RAW_TEST(stdout_that_is_aborted_waits_for_nobody)
{
    int ends[2];

    make_pipe(ends);
    become(1, ends[1]);
    alarm(20);
    CHECK_OK(eddy_run(abort_output));
    put_back(1);
    CHECK_STR(reported, "");
    close(ends[0]);
}

static int say_to_a_closed_pipe(void)
{
    eddy_stream *output;

    EDDY_TRY(eddy_stdout(&output));
    EDDY_TRY(eddy_printf(output, "hello\n"));
    return eddy_flush(output);
}
EDDY_ASYNC(say_to_a_closed_pipe);

/* No signal, and nothing to report. */
RAW_TEST(stdout_whose_reader_has_gone_is_an_error)
{
    int ends[2];

    make_pipe(ends);
    become(1, ends[1]);
    close(ends[0]);
    CHECK_EQ(eddy_test(say_to_a_closed_pipe), -EPIPE);
    CHECK_HAS(eddy_error_message(-EPIPE), "standard output");
    CHECK_OK(eddy_test(say, "hello\n"));
    put_back(1);
}

/* A program's other side, in the same loop: if a call blocked, nobody would go on. */
static int other_side(int input, int output, size_t *size)
{
    EDDY_STREAM to = NULL;
    EDDY_STREAM from = NULL;
    char data[5000];
    ssize_t n;

    EDDY_TRY(eddy_file_from_fd(input, &to));
    EDDY_TRY(eddy_file_from_fd(output, &from));
    EDDY_TRY(eddy_printf(to, "go\n"));
    for (*size = 0; *size < MUCH; *size += (size_t)n) {
        EDDY_TRY(eddy_sleep(0.001));
        n = eddy_read(from, data, sizeof data);
        if (n <= 0)
            return (int)n;
        REQUIRE(memcmp(data, much + *size, (size_t)n) == 0);
    }
    return 0;
}
EDDY_ASYNC_RESULT(size_t, other_side, int, int);

static int answer(void)
{
    eddy_stream *input, *output;
    char line[10];

    EDDY_TRY(eddy_stdin(&input));
    EDDY_TRY(eddy_stdout(&output));
    EDDY_TRY(eddy_read_line(input, line, sizeof line));
    EDDY_TRY(eddy_write(output, much, 30000));
    for (int at = 30000; at < MUCH; at += 1000)
        EDDY_TRY(eddy_write(output, much + at, 1000));
    REQUIRE(blocks(STDIN_FILENO) && blocks(STDOUT_FILENO));
    return eddy_flush(output);
}
EDDY_ASYNC(answer);

static int talk(int to, int from)
{
    size_t size = 0;

    EDDY_TRY(eddy_gather(EDDY_CALL(answer), EDDY_CALL(other_side, to, from, &size)));
    REQUIRE(size == MUCH);
    return 0;
}
EDDY_ASYNC(talk, int, int);

RAW_TEST(stdio_over_pipes_never_blocks_the_loop)
{
    int in_[2], out[2];

    fill_much();
    for (int i = 0; i < 2; i++) {
        ed_stdio_descriptors = i ? "/none" : "/proc/self/fd";
        make_pipe(in_);
        make_pipe(out);
        become(0, in_[0]);
        become(1, out[1]);
        CHECK_OK(eddy_run(talk, in_[1], out[0]));
        CHECK(blocks(0) && blocks(1));
        put_back(0);
        put_back(1);
    }
}

RAW_TEST(stdio_over_a_socket_never_blocks_the_loop)
{
    int ends[2];

    fill_much();
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    become(0, fcntl(ends[0], F_DUPFD_CLOEXEC, 100));
    become(1, ends[0]);
    CHECK_OK(eddy_run(talk, fcntl(ends[1], F_DUPFD_CLOEXEC, 100), ends[1]));
    CHECK(blocks(0) && blocks(1));
    put_back(0);
    put_back(1);
}

/* What is sent is not taken back by a reset when the loop ends. */
RAW_TEST(stdout_over_a_socket_is_whole_at_the_end)
{
    int ends[2];

    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    become(1, ends[0]);
    CHECK_OK(eddy_test(say, "hello\n"));
    CHECK_EQ(write(1, "and more\n", 9), 9); /* it is open still */
    put_back(1);
    CHECK_STR(all_of(ends[1]), "hello\nand more\n");
    close(ends[1]);
}

static int echo_line(void)
{
    eddy_stream *input, *output;
    char line[20];

    EDDY_TRY(eddy_stdin(&input));
    EDDY_TRY(eddy_stdout(&output));
    REQUIRE(strcmp(eddy_stream_kind(input), "terminal") == 0);
    EDDY_TRY(eddy_read_line(input, line, sizeof line));
    REQUIRE(blocks(STDIN_FILENO) && blocks(STDOUT_FILENO));
    return eddy_printf(output, "you said %s", line);
}
EDDY_ASYNC(echo_line);

RAW_TEST(stdio_of_a_terminal_leaves_it_as_it_is)
{
    int master, slave;
    char line[100] = "";
    ssize_t n = 0;

    for (int i = 0; i < 2; i++) {
        if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
            test_skip("there are no terminals here");
        ed_stdio_descriptors = i ? "/none" : "/proc/self/fd";
        become(0, fcntl(slave, F_DUPFD_CLOEXEC, 100));
        become(1, slave);
        CHECK_EQ(write(master, "hello\n", 6), 6);
        CHECK_OK(eddy_test(echo_line));
        CHECK(blocks(0) && blocks(1));
        for (n = 0; !strstr(line, "you said hello\r\n") && n < 90;)
            n += read(master, line + n, sizeof line - 1 - (size_t)n);
        CHECK_HAS(line, "hello\r\nyou said hello\r\n");
        memset(line, 0, sizeof line);
        put_back(0);
        put_back(1);
        close(master);
    }
}

/* What a flush says of six bytes that nobody takes. */
static int say_and_flush(int error, bool late)
{
    eddy_stream *output;
    int rc;

    EDDY_TRY(eddy_stdout(&output));
    EDDY_TRY(eddy_printf(output, "hello\n"));
    if (late) /* the write has failed by then */
        EDDY_TRY(eddy_sleep(0.1));
    rc = eddy_flush(output);
    REQUIRE(rc == error);
    REQUIRE(strcmp(eddy_error_message(rc), "pipe standard output: write: 6 bytes of earlier writes "
                                           "were not sent: Broken pipe") == 0);
    REQUIRE(eddy_flush(output) == error && eddy_drain(output) == error);
    return 0;
}
EDDY_ASYNC(say_and_flush, int, bool);

RAW_TEST(stdout_without_a_reader_says_how_much_is_lost)
{
    int ends[2];

    for (int late = 0; late < 2; late++) {
        make_pipe(ends);
        close(ends[0]);
        become(1, ends[1]);
        CHECK_OK(eddy_run(say_and_flush, -EPIPE, late));
        put_back(1);
    }
}

static int use_devices(void)
{
    eddy_stream *input, *output;
    char data[4];

    EDDY_TRY(eddy_stdin(&input));
    EDDY_TRY(eddy_stdout(&output));
    REQUIRE(strcmp(eddy_stream_kind(input), "file") == 0);
    REQUIRE(strcmp(eddy_stream_kind(output), "file") == 0);
    REQUIRE(eddy_read(input, data, sizeof data) == 0);
    REQUIRE(eddy_write(output, "x", 1) == -ENOSPC);
    REQUIRE(eddy_stream_partial(output) == 0);
    return 0;
}
EDDY_ASYNC(use_devices);

/* As eddy_open says of them. */
RAW_TEST(stdio_of_devices_that_have_positions_are_files)
{
    become(0, open("/dev/null", O_RDONLY | O_CLOEXEC));
    become(1, open("/dev/full", O_WRONLY | O_CLOEXEC));
    CHECK_OK(eddy_run(use_devices));
    put_back(0);
    put_back(1);
}

static int ask_for_stdin(void)
{
    eddy_stream *input = NULL;
    int rc = eddy_stdin(&input);

    REQUIRE(rc < 0 ? !input : input != NULL);
    return rc;
}
EDDY_ASYNC(ask_for_stdin);

RAW_TEST(stdin_that_is_closed_or_a_folder_says_so)
{
    become(0, open("/", O_RDONLY | O_CLOEXEC));
    CHECK_FAILS(eddy_test(ask_for_stdin), -EISDIR, "standard input");
    close(0);
    CHECK_FAILS(eddy_test(ask_for_stdin), -EBADF, "standard input: it is closed");
    put_back(0);
    CHECK_FAILS(ask_for_stdin(), -EPERM, "outside a running loop");
}

static int ask_without_descriptors(void)
{
    struct rlimit limit, none;
    eddy_stream *input = NULL;
    int rc;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = (struct rlimit){3, limit.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    rc = eddy_stdin(&input);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    REQUIRE(!input);
    return rc;
}
EDDY_ASYNC(ask_without_descriptors);

RAW_TEST(stdin_without_a_free_descriptor_says_so)
{
    int ends[2];

    make_pipe(ends);
    become(0, ends[0]);
    CHECK_FAILS(eddy_test(ask_without_descriptors), -EMFILE, "standard input");
    put_back(0);
    close(ends[1]);
}

static int take_stdin_twice(void)
{
    EDDY_STREAM input = NULL;

    EDDY_TRY(eddy_file_from_fd(STDIN_FILENO, &input));
    return ask_for_stdin();
}
EDDY_ASYNC(take_stdin_twice);

RAW_TEST(stdin_that_is_another_stream_is_refused)
{
    int ends[2];

    make_pipe(ends);
    become(0, ends[0]);
    CHECK_FAILS(eddy_test(take_stdin_twice), -EBUSY, "another stream");
    put_back(0);
    close(ends[1]);
}

static int use_dev_null(void)
{
    eddy_stream *input, *output;
    char data[4];

    EDDY_TRY(eddy_stdin(&input));
    EDDY_TRY(eddy_stdout(&output));
    REQUIRE(eddy_read(input, data, sizeof data) == 0);
    EDDY_TRY(eddy_printf(output, "nothing"));
    return eddy_flush(output);
}
EDDY_ASYNC(use_dev_null);

RAW_TEST(stdio_of_no_device_is_empty)
{
    become(0, open("/dev/null", O_RDONLY | O_CLOEXEC));
    become(1, open("/dev/null", O_WRONLY | O_CLOEXEC));
    CHECK_OK(eddy_test(use_dev_null));
    CHECK(blocks(0) && blocks(1));
    put_back(0);
    put_back(1);
}

static int try_to_close(void)
{
    eddy_stream *output, *again;

    EDDY_TRY(eddy_stdout(&output));
    {
        EDDY_STREAM scoped = output;
        REQUIRE(eddy_stream_close(&scoped) == -EPERM);
        REQUIRE(scoped == output);
        REQUIRE(strstr(eddy_error_message(-EPERM), "standard output"));
    }
    EDDY_TRY(eddy_stdout(&again));
    REQUIRE(again == output && !eddy_stream_is_closing(output));
    return eddy_printf(output, "still there\n");
}
EDDY_ASYNC(try_to_close);

RAW_TEST(stdout_is_the_loops_to_close)
{
    int ends[2];

    make_pipe(ends);
    become(1, ends[1]);
    CHECK_OK(eddy_test(try_to_close));
    put_back(1);
    CHECK_STR(all_of(ends[0]), "still there\n");
    close(ends[0]);
}

static void *say_in_a_loop(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)eddy_run(say, "hello\n");
}

RAW_TEST(stdout_is_of_each_loop_its_own)
{
    int ends[2];
    pthread_t threads[2];
    void *rc;

    make_pipe(ends);
    become(1, ends[1]);
    for (int i = 0; i < 2; i++)
        CHECK_OK(pthread_create(&threads[i], NULL, say_in_a_loop, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(pthread_join(threads[i], &rc));
        CHECK(!rc);
    }
    put_back(1);
    CHECK_STR(all_of(ends[0]), "hello\nhello\n");
    close(ends[0]);
}

static int use_both(void)
{
    EDDY_TRY(ask_for_stdin());
    return say("x");
}
EDDY_ASYNC(use_both);

RAW_TEST(stdio_survives_every_cancel_and_every_failing_allocation)
{
    struct folder folder = folder_make();
    int ends[2];

    make_pipe(ends);
    become(0, fcntl(ends[0], F_DUPFD_CLOEXEC, 100));
    become(1, ends[1]);
    CHECK_OK(eddy_test_thoroughly(use_both));
    put_back(0);
    put_back(1);
    close(ends[0]);
    CHECK_OK(file_add(in(&folder, "a"), "two\n"));
    become(0, open(in(&folder, "a"), O_RDONLY | O_CLOEXEC));
    become(1, open(in(&folder, "b"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK_OK(eddy_test_allocations(use_both));
    put_back(0);
    put_back(1);
    folder_remove(&folder);
}
