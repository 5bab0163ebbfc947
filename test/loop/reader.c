/* SPDX-License-Identifier: MIT */
/* Readers and writers: rules A-FD-1 to A-FD-5. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/time.h"
#include "loop/trace.h"

static eddy_loop *loop;
static int ends[2], calls, limit;

static void pipe_open(void)
{
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
        test_fail(__FILE__, __LINE__, "pipe: %s", strerror(errno));
}

static void pipe_close(void)
{
    close(ends[0]);
    close(ends[1]);
}

static int call_count(void *unused)
{
    (void)unused;
    if (++calls == limit)
        eddy_loop_stop(loop);
    return 0;
}

static int read_one(void *unused)
{
    char byte[2] = "";

    (void)unused;
    REQUIRE(read(ends[0], byte, 1) == 1);
    trace_add(byte);
    return 0;
}

/* Some turns of the loop, without a jump of its clock. */
static int turns(int count)
{
    while (count-- > 0) {
        (void)eddy_loop_call_later(loop, 0, loop_stop, loop);
        if (eddy_loop_run_forever(loop) < 0)
            return -EIO;
    }
    return 0;
}

RAW_TEST(reader_is_called_when_there_is_something_to_read)
{
    loop = loop_open();
    pipe_open();
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], read_one, NULL));
    CHECK_OK(turns(5));
    CHECK_STR(trace, "");
    CHECK_EQ(write(ends[1], "ab", 2), 2);
    CHECK_OK(turns(10));
    CHECK_STR(trace, "a b ");
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    pipe_close();
    eddy_loop_free(loop);
}

/* A-FD-1: level-triggered: called again and again while it is ready. */
RAW_TEST(reader_is_called_in_every_turn_while_ready)
{
    loop = loop_open();
    pipe_open();
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], call_count, NULL));
    limit = 50;
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_EQ(calls, 50);
    CHECK_EQ(read(ends[0], &(char){0}, 1), 1);
    CHECK_OK(turns(2)); /* one call may be under way */
    calls = 0;
    CHECK_OK(turns(10));
    CHECK_EQ(calls, 0);
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    pipe_close();
    eddy_loop_free(loop);
}

RAW_TEST(writer_is_called_while_there_is_room)
{
    char block[4096] = {0};

    loop = loop_open();
    pipe_open();
    CHECK_OK(eddy_loop_add_writer(loop, ends[1], call_count, NULL));
    limit = 10;
    CHECK_OK(eddy_loop_run_forever(loop));
    while (write(ends[1], block, sizeof block) > 0)
        ;
    CHECK_OK(turns(2));
    calls = 0;
    CHECK_OK(turns(10));
    CHECK_EQ(calls, 0);
    CHECK(eddy_loop_remove_writer(loop, ends[1]));
    pipe_close();
    eddy_loop_free(loop);
}

static int say(void *word)
{
    trace_add(word);
    eddy_loop_stop(loop);
    return 0;
}

/* A-FD-2: one reader a descriptor: adding again replaces. */
RAW_TEST(reader_added_again_replaces_the_first)
{
    loop = loop_open();
    pipe_open();
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], say, "first"));
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], say, "second"));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], say, "third")); /* "second" may be queued */
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_STR(trace, "second third ");
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    CHECK(!eddy_loop_remove_reader(loop, ends[0])); /* there was one, not three */
    pipe_close();
    eddy_loop_free(loop);
}

/* A-FD-3: whether there was one; of the right kind. */
RAW_TEST(remove_tells_whether_there_was_one)
{
    loop = loop_open();
    pipe_open();
    CHECK(!eddy_loop_remove_reader(loop, ends[0]));
    CHECK(!eddy_loop_remove_writer(loop, ends[0]));
    CHECK(!eddy_loop_remove_reader(loop, -1));
    CHECK(!eddy_loop_remove_reader(loop, 1 << 30));
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], call_count, NULL));
    CHECK(!eddy_loop_remove_writer(loop, ends[0]));
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    CHECK(!eddy_loop_remove_reader(loop, ends[0]));
    pipe_close();
    eddy_loop_free(loop);
}

static int other[2];

static int remove_both(void *word)
{
    trace_add(word);
    REQUIRE(eddy_loop_remove_reader(loop, ends[0]));
    REQUIRE(eddy_loop_remove_reader(loop, other[0]));
    (void)eddy_loop_call_later(loop, 1, loop_stop, loop);
    return 0;
}

/* A-FD-3: two are ready; whichever comes first removes both: one call. */
RAW_TEST(reader_removed_while_it_is_queued_does_not_run)
{
    loop = loop_open();
    pipe_open();
    CHECK_EQ(pipe(other), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(write(other[1], "x", 1), 1);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], remove_both, "one"));
    CHECK_OK(eddy_loop_add_reader(loop, other[0], remove_both, "one"));
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_STR(trace, "one ");
    pipe_close();
    close(other[0]);
    close(other[1]);
    eddy_loop_free(loop);
}

static int remove_itself(void *unused)
{
    (void)unused;
    REQUIRE(eddy_loop_remove_reader(loop, ends[0]));
    trace_add("self");
    return 0;
}

RAW_TEST(reader_may_remove_itself)
{
    loop = loop_open();
    pipe_open();
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], remove_itself, NULL));
    CHECK_OK(turns(10));
    CHECK_STR(trace, "self ");
    pipe_close();
    eddy_loop_free(loop);
}

static int replace_itself(void *unused)
{
    (void)unused;
    trace_add("old");
    return eddy_loop_add_reader(loop, ends[0], remove_itself, NULL);
}

RAW_TEST(reader_may_replace_itself)
{
    loop = loop_open();
    pipe_open();
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], replace_itself, NULL));
    CHECK_OK(turns(10));
    CHECK_STR(trace, "old self ");
    pipe_close();
    eddy_loop_free(loop);
}

/* A-FD-4: reader and writer of one descriptor know nothing of each other. */
RAW_TEST(reader_and_writer_of_one_descriptor_are_independent)
{
    loop = loop_open();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], say, "reader"));
    CHECK_OK(eddy_loop_add_writer(loop, ends[0], say, "writer"));
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_STR(trace, "writer ");
    CHECK(eddy_loop_remove_writer(loop, ends[0]));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_STR(trace, "writer reader ");
    CHECK_OK(eddy_loop_add_writer(loop, ends[0], say, "again"));
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_STR(trace, "writer reader again ");
    CHECK(eddy_loop_remove_writer(loop, ends[0]));
    pipe_close();
    eddy_loop_free(loop);
}

static int reader_calls, writer_calls;

static int count_reader(void *unused)
{
    (void)unused;
    reader_calls++;
    return 0;
}

static int count_writer(void *unused)
{
    (void)unused;
    writer_calls++;
    return 0;
}

/* A-FD-4: hang-up and error call both. */
RAW_TEST(hang_up_and_error_call_reader_and_writer)
{
    loop = loop_open();
    pipe_open();
    CHECK_OK(eddy_loop_add_reader(loop, ends[1], count_reader, NULL)); /* the end to write to */
    CHECK_OK(eddy_loop_add_writer(loop, ends[0], count_writer, NULL)); /* the end to read from */
    CHECK_OK(turns(5));
    CHECK_EQ(reader_calls + writer_calls, 0);
    CHECK(eddy_loop_remove_reader(loop, ends[1]));
    CHECK_OK(turns(2));
    close(ends[1]); /* hang-up for the other end */
    CHECK_OK(turns(10));
    CHECK(writer_calls > 0);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], count_reader, NULL));
    CHECK_OK(turns(10));
    CHECK(reader_calls > 0);
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    CHECK(eddy_loop_remove_writer(loop, ends[0]));
    close(ends[0]);

    pipe_open();
    CHECK_OK(eddy_loop_add_reader(loop, ends[1], count_reader, NULL));
    reader_calls = 0;
    close(ends[0]); /* an error for the end to write to */
    CHECK_OK(turns(10));
    CHECK(reader_calls > 0);
    CHECK(eddy_loop_remove_reader(loop, ends[1]));
    close(ends[1]);
    eddy_loop_free(loop);
}

/* A-FD-5: what is always ready has no readiness, whatever the engine. */
RAW_TEST(regular_files_and_directories_are_not_permitted)
{
    FILE *file = tmpfile();
    int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    loop = loop_open();
    CHECK_EQ(eddy_loop_add_reader(loop, fileno(file), call_count, NULL), -EPERM);
    CHECK_EQ(eddy_loop_add_writer(loop, fileno(file), call_count, NULL), -EPERM);
    CHECK_EQ(eddy_loop_add_reader(loop, folder, call_count, NULL), -EPERM);
    CHECK(!eddy_loop_remove_reader(loop, fileno(file)));
    fclose(file);
    close(folder);
    eddy_loop_free(loop);
}

RAW_TEST(descriptor_that_is_not_open_is_bad)
{
    loop = loop_open();
    pipe_open();
    pipe_close();
    CHECK_EQ(eddy_loop_add_reader(loop, ends[0], call_count, NULL), -EBADF);
    CHECK_EQ(eddy_loop_add_writer(loop, -1, call_count, NULL), -EBADF);
    eddy_loop_free(loop);
}

/* Reuse of numbers ----------------------------------------------------------- */

/* Class "descriptor reuse while an interest is live": what is removed and closed
 * leaves nothing that the next file of that number would see. */
RAW_TEST(descriptor_number_reused_after_remove_has_a_reader_of_its_own)
{
    char name[16];

    loop = loop_open();
    for (int i = 0; i < 1000; i++) {
        pipe_open();
        snprintf(name, sizeof name, "%d", i);
        CHECK_OK(eddy_loop_add_reader(loop, ends[0], say, name));
        if (i % 3 == 0) {
            CHECK_EQ(write(ends[1], "x", 1), 1);
            CHECK_OK(eddy_loop_run_forever(loop));
            CHECK_EQ(strtol(trace, NULL, 10), i);
            trace[0] = '\0';
        } else if (i % 3 == 1) {
            CHECK_OK(turns(1));
        }
        if (i % 5 == 0)
            CHECK_EQ(write(ends[1], "x", 1), 1); /* ready, but removed before it is told */
        CHECK(eddy_loop_remove_reader(loop, ends[0]));
        pipe_close();
        CHECK_STR(trace, "");
    }
    eddy_loop_free(loop);
}

/* The kernel keeps the file while a duplicate lives; the loop must not spin. */
RAW_TEST(reader_removed_and_closed_while_a_duplicate_lives_does_not_spin)
{
    struct timespec before, after;
    int64_t used;
    int duplicate;

    loop = loop_open_real();
    pipe_open();
    duplicate = dup(ends[0]);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], call_count, NULL));
    CHECK_OK(turns(3));
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    close(ends[0]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    CHECK_OK(loop_run_for(loop, 0.2));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    used = (after.tv_sec - before.tv_sec) * ED_SECOND + after.tv_nsec - before.tv_nsec;
    CHECK_THAT(used < ED_SECOND / 10, "%lld ns of processor time, while it had to sleep",
               (long long)used);
    close(ends[1]);
    close(duplicate);
    eddy_loop_free(loop);
}

/* Limits and ends ------------------------------------------------------------ */

RAW_TEST(reader_of_a_high_descriptor_number_works)
{
    int high;

    loop = loop_open();
    pipe_open();
    high = fcntl(ends[0], F_DUPFD_CLOEXEC, 900);
    CHECK(high >= 900);
    CHECK_OK(eddy_loop_add_reader(loop, high, say, "high"));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_STR(trace, "high ");
    CHECK(eddy_loop_remove_reader(loop, high));
    close(high);
    pipe_close();
    eddy_loop_free(loop);
}

/* The nth allocation of an add fails, for each n: it is refused, and the reader
 * that was there stays. */
RAW_TEST(reader_without_memory_is_refused_and_the_old_one_stays)
{
    int rc = -ENOMEM;

    loop = loop_open();
    pipe_open();
    for (uint64_t n = 1; rc == -ENOMEM; n++) {
        CHECK(n < 10);
        (void)ed_fault_set(ED_FAULT_ALLOC, n, -ENOMEM);
        rc = eddy_loop_add_reader(loop, ends[0], say, "old");
    }
    CHECK_OK(rc);
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    CHECK_EQ(eddy_loop_add_reader(loop, ends[0], say, "new"), -ENOMEM);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_run_forever(loop));
    CHECK_STR(trace, "old ");
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    pipe_close();
    eddy_loop_free(loop);
}

/* A-RUNL-12. */
RAW_TEST(closed_loop_takes_no_reader)
{
    loop = loop_open();
    pipe_open();
    CHECK_OK(eddy_loop_close(loop));
    CHECK_EQ(eddy_loop_add_reader(loop, ends[0], call_count, NULL), -EPERM);
    CHECK(!eddy_loop_remove_reader(loop, ends[0]));
    eddy_loop_free(loop);
    pipe_close();
}

/* A-RUNL-10: registered, queued and removed ones all go with the loop. */
RAW_TEST(close_ends_readers_in_every_state)
{
    loop = loop_open();
    pipe_open();
    CHECK_EQ(pipe(other), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], call_count, NULL));  /* ready */
    CHECK_OK(eddy_loop_add_reader(loop, other[0], call_count, NULL)); /* waits */
    CHECK_OK(eddy_loop_add_writer(loop, other[1], call_count, NULL));
    CHECK_OK(turns(3));
    CHECK(eddy_loop_remove_writer(loop, other[1]));
    CHECK_OK(eddy_loop_close(loop));
    eddy_loop_free(loop);
    pipe_close();
    close(other[0]);
    close(other[1]);
}

/* Faults --------------------------------------------------------------------- */

/* A poll that failed calls the reader, who sees the error when it reads; then all
 * goes on. */
RAW_TEST(reader_whose_poll_fails_is_called_and_goes_on)
{
    loop = loop_open();
    pipe_open();
    (void)ed_fault_set(ED_FAULT_POLL, 1, -EIO);
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], call_count, NULL));
    CHECK_OK(turns(5));
    CHECK_EQ(calls, 1);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_OK(turns(5));
    CHECK(calls > 1);
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    pipe_close();
    eddy_loop_free(loop);
}

RAW_TEST(reader_whose_cancel_is_lost_does_not_hang_the_close)
{
    loop = loop_open();
    pipe_open();
    CHECK_OK(eddy_loop_add_reader(loop, ends[0], call_count, NULL));
    CHECK_OK(turns(1));
    (void)ed_fault_set(ED_FAULT_CANCEL, 1, -EALREADY);
    CHECK(eddy_loop_remove_reader(loop, ends[0]));
    CHECK_OK(turns(1));
    eddy_loop_free(loop);
    pipe_close();
}

/* With tasks ----------------------------------------------------------------- */

static int set_future(void *future)
{
    return eddy_future_set_result((eddy_future *)future, &(int){1});
}

static void remove_and_close(int *both)
{
    eddy_loop *running = eddy_get_running_loop();

    (void)eddy_loop_remove_reader(running, both[0]); /* it may be gone */
    close(both[0]);
    close(both[1]);
}

static int write_later(int fd)
{
    EDDY_TRY(eddy_sleep(3));
    return write(fd, "x", 1) == 1 ? 0 : -EIO;
}
EDDY_ASYNC(write_later, int);

/* The way in which a binding makes a task wait for a descriptor. */
TEST(task_waits_for_a_descriptor_by_a_reader_and_a_future)
{
    static eddy_local name = EDDY_LOCAL_INIT("name", NULL);
    eddy_future ready = EDDY_FUTURE_INIT(int);
    int both[2], value = 0;

    CHECK_EQ(pipe2(both, O_NONBLOCK | O_CLOEXEC), 0);
    EDDY_DEFER(remove_and_close, both);
    CHECK_OK(eddy_local_set(&name, "value", NULL));
    CHECK_OK(eddy_loop_add_reader(eddy_get_running_loop(), both[0], set_future, &ready));
    EDDY_TASK writer = eddy_create_task(write_later, both[1]);
    CHECK_OK(eddy_await(&ready, &value));
    CHECK_EQ(value, 1);
    CHECK(eddy_time() == 3);
    CHECK(eddy_loop_remove_reader(eddy_get_running_loop(), both[0]));
    CHECK_OK(eddy_await(writer));
}
