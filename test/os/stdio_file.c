/* SPDX-License-Identifier: MIT */
/* The standard streams over files, whose position they share with others: rule F-36. */
#include <sys/resource.h>

#include "engine/engine.h"
#include "os/file_call.h"
#include "os/standard.h"

/* With stdio beside, and what was there before. */
static int say_in_turns(void)
{
    EDDY_TRY(say("two\n"));
    REQUIRE(write(STDOUT_FILENO, "three\n", 6) == 6);
    EDDY_TRY(say("four\n"));
    return 0;
}
EDDY_ASYNC(say_in_turns);

RAW_TEST(stdout_shares_the_position_in_a_file)
{
    struct folder folder = folder_make();
    const char *path = in(&folder, "a");

    CHECK_OK(file_add(path, "old, and long enough\n"));
    become(1, open(path, O_WRONLY | O_TRUNC | O_CLOEXEC));
    CHECK_EQ(write(1, "one\n", 4), 4);
    CHECK_OK(eddy_test(say_in_turns));
    CHECK_EQ(write(1, "five\n", 5), 5);
    put_back(1);
    CHECK_STR(file_text(path), "one\ntwo\nthree\nfour\nfive\n");
    become(1, open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
    CHECK_OK(eddy_test(say, "six\n"));
    put_back(1);
    CHECK_STR(file_text(path), "one\ntwo\nthree\nfour\nfive\nsix\n");
    folder_remove(&folder);
}

static int say_nowait(void)
{
    eddy_stream *output;

    EDDY_TRY(eddy_stdout(&output));
    return eddy_printf_nowait(output, "at once\n");
}
EDDY_ASYNC(say_nowait);

RAW_TEST(stdout_into_a_file_keeps_what_could_not_wait)
{
    struct folder folder = folder_make();
    const char *path = in(&folder, "a");

    become(1, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK_OK(eddy_test(say_nowait));
    CHECK_EQ(write(1, "later\n", 6), 6);
    put_back(1);
    CHECK_STR(file_text(path), "at once\nlater\n");
    folder_remove(&folder);
}

#define SAYERS 2
#define LINES 1000

static int in_threads; /* atomic: operations that threads have begun */

static void count_in_threads(const struct ed_op *op)
{
    (void)op;
    __atomic_add_fetch(&in_threads, 1, __ATOMIC_RELAXED);
}

/* Says many lines, one at a time, so that each is a write of its own. */
static int say_lines(int who)
{
    eddy_stream *output;

    EDDY_TRY(eddy_stdout(&output));
    for (int i = 0; i < LINES; i++)
        EDDY_TRY(eddy_printf(output, "%d: line %04d\n", who, i));
    REQUIRE(__atomic_load_n(&in_threads, __ATOMIC_RELAXED) == LINES); /* a ring takes no lock */
    return 0;
}
EDDY_ASYNC(say_lines, int);

/* Whether a text has all lines of all sayers, those of each in order. */
static bool has_all_lines(const char *said)
{
    int next[SAYERS] = {0}, who, line, used;

    while (sscanf(said, "%d: line %4d\n%n", &who, &line, &used) == 2) {
        if (who < 0 || who >= SAYERS || line != next[who]++)
            return false;
        said += used;
    }
    for (who = 0; who < SAYERS; who++)
        if (next[who] != LINES)
            return false;
    return *said == '\0';
}

/* As in { a & b; } >file: the kernel moves the position that both share, and loses none, whatever
 * way a write takes. */
RAW_TEST(stdout_that_processes_share_loses_no_line)
{
    struct folder folder = folder_make();
    int fd = open(in(&folder, "a"), O_RDWR | O_CREAT | O_CLOEXEC, 0600), status;
    bool fine = true;

    ed_file_never_ready = true; /* at once is the kernel's own write(2) */
    ed_file_calls_hold = count_in_threads;
    become(1, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    for (int who = 0; who < SAYERS; who++) {
        if (fork() == 0)
            _exit(eddy_run(say_lines, who) < 0);
    }
    for (int who = 0; who < SAYERS; who++)
        fine = wait(&status) > 0 && status == 0 && fine;
    put_back(1);
    lseek(fd, 0, SEEK_SET);
    fine = fine && has_all_lines(all_of(fd));
    close(fd);
    folder_remove(&folder);
    CHECK(fine);
}

static int stands; /* atomic: a thread is at its write */

static int flush_now(eddy_stream *output)
{
    return eddy_flush(output);
}
EDDY_ASYNC(flush_now, eddy_stream *);

static void write_slowly(const struct ed_op *op)
{
    (void)op;
    __atomic_store_n(&stands, 1, __ATOMIC_RELEASE);
    usleep(50000); /* the loop's end comes first */
}

/* Leaves a flush while its write is under way, and ends. */
static int leave_flush(void)
{
    eddy_stream *output;

    EDDY_TRY(eddy_stdout(&output));
    EDDY_TRY(eddy_printf_nowait(output, "once\n"));
    EDDY_TASK flusher = eddy_create_task(flush_now, output);
    while (!__atomic_load_n(&stands, __ATOMIC_ACQUIRE))
        EDDY_TRY(eddy_sleep(0));
    eddy_cancel(flusher);
    return eddy_await(flusher) == -ECANCELED ? 0 : -EPROTO;
}
EDDY_ASYNC(leave_flush);

RAW_TEST(stdout_is_not_written_twice_behind_a_flush_that_was_left)
{
    struct folder folder = folder_make();
    const char *path = in(&folder, "a");

    ed_file_never_ready = ed_file_calls_in_threads = true;
    ed_file_calls_hold = write_slowly;
    become(1, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK_OK(eddy_run(leave_flush));
    put_back(1);
    CHECK_STR(file_text(path), "once\n");
    folder_remove(&folder);
}

/* Stands until the loop is gone, its grace with it. */
static void write_late(const struct ed_op *op)
{
    (void)op;
    __atomic_store_n(&stands, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&stands, __ATOMIC_ACQUIRE))
        usleep(1000);
}

static int leave_flush_and_write_more(void)
{
    eddy_stream *output;

    EDDY_TRY(leave_flush());
    EDDY_TRY(eddy_stdout(&output));
    return eddy_write_nowait(output, "more", 4) == -EAGAIN ? 0 : -EPROTO;
}
EDDY_ASYNC(leave_flush_and_write_more);

/* Nor when its thread outlives the loop: then it is told that nobody knows. */
RAW_TEST(stdout_is_not_written_twice_by_a_thread_that_outlives_the_loop)
{
    struct folder folder = folder_make();
    const char *path = in(&folder, "a");
    eddy_loop *loop;
    eddy_stats stats;

    ed_file_never_ready = ed_file_calls_in_threads = true;
    ed_file_calls_hold = write_late;
    become(1, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leave_flush_and_write_more)));
    eddy_loop_free(loop);
    CHECK_STR(file_text(path), "");
    CHECK_HAS(test_report(), "standard output: 5 bytes are lost: an earlier write");
    __atomic_store_n(&stands, 0, __ATOMIC_RELEASE);
    do {
        usleep(1000);
        eddy_get_stats(&stats);
    } while (stats.threads > 0);
    put_back(1);
    CHECK_STR(file_text(path), "once\n");
    folder_remove(&folder);
}

static int say_too_much(void)
{
    struct rlimit usual, limit;
    eddy_stream *output;

    getrlimit(RLIMIT_FSIZE, &usual);
    limit = (struct rlimit){4, usual.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    EDDY_TRY(eddy_stdout(&output));
    EDDY_TRY(eddy_printf_nowait(output, "hello\n"));
    return 0;
}
EDDY_ASYNC(say_too_much);

/* What is written at the end of the loop does not end the program either. */
RAW_TEST(stdout_beyond_the_limit_of_the_process_is_reported)
{
    struct folder folder = folder_make();
    const char *path = in(&folder, "a");
    eddy_loop *loop;

    become(1, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(say_too_much)));
    eddy_loop_free(loop);
    put_back(1);
    CHECK_HAS(test_report(), "standard output: 2 bytes are lost: File too large");
    CHECK_STR(file_text(path), "hell");
    folder_remove(&folder);
}

static int seek_to_end(eddy_stream *output)
{
    return (int)eddy_seek(output, 0, SEEK_HOLE);
}
EDDY_ASYNC(seek_to_end, eddy_stream *);

/* Leaves a seek while a thread asks for a position, which is that of all. */
static int leave_seek(void)
{
    eddy_stream *output;

    EDDY_TRY(eddy_stdout(&output));
    EDDY_TASK seeker = eddy_create_task(seek_to_end, output);
    while (!__atomic_load_n(&stands, __ATOMIC_ACQUIRE))
        EDDY_TRY(eddy_sleep(0));
    eddy_cancel(seeker);
    REQUIRE(eddy_await(seeker) == -ECANCELED);
    return eddy_printf(output, "AB"); /* waits until it has come back */
}
EDDY_ASYNC(leave_seek);

RAW_TEST(stdout_stays_where_it_is_behind_a_seek_that_was_left)
{
    struct folder folder = folder_make();
    const char *path = in(&folder, "a");

    CHECK_OK(file_add(path, "0123456789"));
    ed_file_calls_hold = write_slowly;
    become(1, open(path, O_WRONLY | O_CLOEXEC));
    CHECK_OK(eddy_run(leave_seek));
    CHECK_EQ(lseek(1, 0, SEEK_CUR), 2);
    put_back(1);
    CHECK_STR(file_text(path), "AB23456789");
    folder_remove(&folder);
}

static int take_a_line(void)
{
    eddy_stream *input;
    char line[20];

    EDDY_TRY(eddy_stdin(&input));
    EDDY_TRY(eddy_read_line(input, line, sizeof line));
    REQUIRE(strcmp(line, "two\n") == 0);
    return 0;
}
EDDY_ASYNC(take_a_line);

/* As in { read one; mine; cat; } <file */
RAW_TEST(stdin_from_a_file_leaves_the_rest_to_others)
{
    struct folder folder = folder_make();
    char line[4];

    CHECK_OK(file_add(in(&folder, "a"), "one\ntwo\nthree\n"));
    become(0, open(in(&folder, "a"), O_RDONLY | O_CLOEXEC));
    CHECK_EQ(read(0, line, 4), 4);
    CHECK_OK(eddy_test(take_a_line));
    CHECK_STR(all_of(0), "three\n");
    put_back(0);
    folder_remove(&folder);
}
