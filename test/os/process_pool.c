/* SPDX-License-Identifier: MIT */
/* Pools of worker processes: rules A-PPOOL-1 to A-PPOOL-9. The workers are this test runner. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "harness.h"

static void needs_workers(void)
{
    if (test_is_on_valgrind())
        test_skip("/proc/self/exe is valgrind itself there");
}

/* Jobs --------------------------------------------------------------------------- */

struct pair {
    long a;
    double b;
};

static int add(long a, struct pair b, struct pair *sum)
{
    *sum = (struct pair){a + b.a, b.b * 2};
    return 0;
}
EDDY_ASYNC_RESULT(struct pair, add, long, struct pair);

static int fib(int n, long *result)
{
    long a = 0, b = 0;

    if (n < 2) {
        *result = n;
        return 0;
    }
    EDDY_TRY(fib(n - 1, &a));
    EDDY_TRY(fib(n - 2, &b));
    *result = a + b;
    return 0;
}
EDDY_ASYNC_RESULT(long, fib, int);

static int fail(int code)
{
    return eddy_raise(code, "job %d went wrong", -code);
}
EDDY_ASYNC(fail, int);

static int process_id(int *pid)
{
    *pid = getpid();
    return 7;
}
EDDY_ASYNC_RESULT(int, process_id);

static int sleep_for(double seconds)
{
    usleep((useconds_t)(seconds * 1e6));
    return 0;
}
EDDY_ASYNC(sleep_for, double);

enum crash { EXIT, ABORT, SEGV, KILL, CLOSE, FORK_AND_DIE, CRASHES };

static int crash(int how)
{
    signal(SIGABRT, SIG_DFL); /* as a sanitizer may not have it */
    signal(SIGSEGV, SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    switch (how) {
    case EXIT: _exit(3);
    case ABORT: abort();
    case SEGV: raise(SIGSEGV); break;
    case KILL: kill(getpid(), SIGKILL); break;
    case CLOSE: close(3); break;
    default:
        if (fork() == 0) {
            usleep(300000); /* with the socket open */
            _exit(0);
        }
        kill(getpid(), SIGKILL);
    }
    return 0;
}
EDDY_ASYNC(crash, int);

static int count_calls(int *count)
{
    static int calls;

    *count = ++calls;
    return 0;
}
EDDY_ASYNC_RESULT(int, count_calls);

static int reverse(const void *input, size_t size, eddy_bytes *output)
{
    EDDY_TRY(eddy_bytes_resize(output, size));
    for (size_t i = 0; i < size; i++)
        ((char *)output->data)[i] = ((const char *)input)[size - 1 - i];
    return 0;
}

static int make_bytes(const void *input, size_t size, eddy_bytes *output)
{
    size_t wanted;

    if (size != sizeof wanted)
        return eddy_raise(-EINVAL, "%zu bytes", size);
    memcpy(&wanted, input, sizeof wanted);
    EDDY_TRY(eddy_bytes_resize(output, wanted));
    memset(output->data, 'x', wanted);
    return 0;
}

static bool is_gone(int pid)
{
    return kill(pid, 0) < 0 && errno == ESRCH;
}

/* Results and errors --------------------------------------------------------------- */

/* A-PPOOL-1: arguments and result go as values; the function is named, not copied. */
TEST(process_job_gives_its_result)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 2});
    struct pair sum = {0, 0};
    long number = 0;
    int pid = 0;

    CHECK_OK(eddy_to_process(pool, add, 40, ((struct pair){2, 1.5}), &sum));
    CHECK_EQ(sum.a, 42);
    CHECK(sum.b == 3);
    CHECK_OK(eddy_to_process(pool, fib, 20, &number));
    CHECK_EQ(number, 6765);
    CHECK_OK(eddy_to_process(pool, fib, 3)); /* nobody wants it */
    CHECK_EQ(eddy_to_process(pool, process_id, &pid), 7);
    CHECK(pid > 0 && pid != getpid());
}

/* A-PPOOL-5: so does an error, with its text and origin, and the pool goes on. */
TEST(process_job_gives_its_error_with_the_text)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    long number = 5;

    CHECK_FAILS(eddy_to_process(pool, fail, -EIO), -EIO, "job 5 went wrong");
    CHECK(eddy_error_origin(-EIO) && strstr(eddy_error_origin(-EIO), "process_pool.c:"));
    CHECK_EQ(eddy_to_process(pool, fail, EDDY_ELIMIT), EDDY_ELIMIT);
    CHECK_OK(eddy_to_process(pool, fib, 10, &number));
    CHECK_EQ(number, 55);
}

/* A-PPOOL-1: as calls, in gather, and as tasks. */
TEST(process_jobs_run_in_gather_and_as_tasks)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 2});
    EDDY_TASK task = eddy_run_in_process(pool, fib, 15);
    long a, b, c;

    CHECK_OK(
        eddy_gather(EDDY_PROCESS_CALL(pool, fib, 10, &a), EDDY_PROCESS_CALL(pool, fib, 11, &b)));
    CHECK_OK(eddy_await(task, &c));
    CHECK_EQ(a, 55);
    CHECK_EQ(b, 89);
    CHECK_EQ(c, 610);
}

/* A-PPOOL-2, -3: started on demand, two workers are enough for any number of jobs. */
TEST(a_thousand_process_jobs_run_in_two_workers)
{
    int count = test_is_slow() ? 100 : 1000, pids[1000], distinct = 0, idle;

    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 2});
    CHECK_OK(eddy_to_process(pool, process_id, &idle));
    CHECK_OK(eddy_to_process(pool, process_id, &pids[0]));
    CHECK_EQ(idle, pids[0]); /* it rested: no other was started */

    EDDY_GROUP(group);
    for (int i = 0; i < count; i++)
        CHECK_OK(eddy_group_start(&group, EDDY_PROCESS_CALL(pool, process_id, &pids[i])));
    CHECK_OK(eddy_group_join(&group));
    for (int i = 0; i < count; i++) {
        bool seen = false;

        for (int j = 0; j < i; j++)
            seen |= pids[j] == pids[i];
        distinct += !seen;
    }
    CHECK_EQ(distinct, 2);
}

/* Bytes of any size, up to the limit. */
TEST(process_job_on_bytes)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1, .limit = 4 << 20});
    EDDY_BYTES output = {0};
    size_t sizes[] = {0, 1, 4096, 1 << 20, 4 << 20, (4 << 20) + 1};

    CHECK_OK(eddy_to_process_bytes(pool, reverse, "hello", 5, &output));
    CHECK_EQ(output.size, 5);
    CHECK_STR((char *)output.data, "olleh");
    CHECK_OK(eddy_to_process_bytes(pool, reverse, "", 0, &output));
    CHECK_EQ(output.size, 0);
    CHECK_OK(eddy_to_process_bytes(pool, reverse, "drop", 4, NULL));
    CHECK_FAILS(eddy_to_process_bytes(pool, make_bytes, "x", 1, &output), -EINVAL, "1 bytes");
    for (size_t i = 0; i < 5; i++) {
        CHECK_OK(eddy_to_process_bytes(pool, make_bytes, &sizes[i], sizeof sizes[i], &output));
        CHECK_EQ(output.size, sizes[i]);
        CHECK(sizes[i] == 0 || ((char *)output.data)[sizes[i] - 1] == 'x');
        CHECK_OK(eddy_to_process_bytes(pool, reverse, output.data, output.size, &output));
        CHECK_EQ(output.size, sizes[i]);
    }
    CHECK_FAILS(eddy_to_process_bytes(pool, make_bytes, &sizes[5], sizeof sizes[5], &output),
                EDDY_ELIMIT, "an output of 4194305 bytes is over the limit of 4194304");
    CHECK_EQ(output.size, sizes[4]); /* untouched */
    CHECK_OK(eddy_bytes_resize(&output, sizes[5]));
    CHECK_FAILS(eddy_to_process_bytes(pool, reverse, output.data, output.size, &output),
                EDDY_ELIMIT, "an input of 4194305 bytes");
}

/* Ends of workers -------------------------------------------------------------------- */

static const char *const crash_texts[] = {"ended with status 3", "by SIGABRT", "by SIGSEGV",
                                          "by SIGKILL",          "",           "by SIGKILL"};

/* A-PPOOL-4 differs: a crash is the error of that job alone, and its worker is replaced. */
TEST(process_job_that_crashes_has_failed_alone)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    int first, second;

    for (int how = 0; how < CRASHES; how++) {
        CHECK_OK(eddy_to_process(pool, process_id, &first));
        CHECK_FAILS(eddy_to_process(pool, crash, how), EDDY_EPROCESS, "the worker of crash() ");
        CHECK_HAS(eddy_error_message(EDDY_EPROCESS), crash_texts[how]);
        CHECK_OK(eddy_to_process(pool, process_id, &second));
        CHECK(first != second);
        CHECK(is_gone(first)); /* and reaped */
    }
}

/* Those that wait for a worker are not the crashed one's. */
TEST(process_jobs_that_wait_outlive_a_crash)
{
    long a = 0;

    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    EDDY_TASK one = eddy_run_in_process(pool, crash, KILL);
    EDDY_TASK two = eddy_run_in_process(pool, crash, ABORT);
    EDDY_TASK three = eddy_run_in_process(pool, fib, 10);

    CHECK_EQ(eddy_await(one), EDDY_EPROCESS);
    CHECK_EQ(eddy_await(two), EDDY_EPROCESS);
    CHECK_OK(eddy_await(three, &a));
    CHECK_EQ(a, 55);
}

/* A worker that has ended while it rested costs no job, whether the loop has seen it or not. */
TEST(worker_that_is_killed_at_rest_is_replaced)
{
    int first, second;

    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    for (int i = 0; i < 4; i++) {
        CHECK_OK(eddy_to_process(pool, process_id, &first));
        kill(first, SIGKILL);
        waitid(P_PID, (id_t)first, &(siginfo_t){0}, WEXITED | WNOWAIT);
        for (int turns = 0; i % 2 && turns < 10; turns++)
            CHECK_OK(eddy_sleep(0));
        CHECK_OK(eddy_to_process(pool, process_id, &second));
        CHECK(first != second);
    }
}

/* A-PPOOL-6: it is replaced after so many jobs. */
TEST(worker_is_replaced_after_its_jobs)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1, .jobs_per_worker = 3});
    int count = 0;

    for (int i = 0; i < 10; i++) {
        CHECK_OK(eddy_to_process(pool, count_calls, &count));
        CHECK_EQ(count, i % 3 + 1); /* what a job leaves is seen by the worker's next */
    }
}

/* What a job sees ---------------------------------------------------------------------- */

static int set_in_main = 1;

static int look_around(int *found)
{
    char byte;

    *found = 0;
    if (set_in_main != 1)
        *found |= 1;
    if (read(STDIN_FILENO, &byte, 1) != 0)
        *found |= 2;
    if (getenv("EDDY_WORKER"))
        *found |= 4;
    if (eddy_sleep(0) != -EPERM)
        *found |= 8;
    if (signal(SIGINT, SIG_IGN) != SIG_IGN || signal(SIGTERM, SIG_DFL) != SIG_DFL)
        *found |= 16;
    for (int fd = 3; fd < 100; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && fd != 3)
            *found |= 32;
    if (eddy_get_running_loop())
        *found |= 64;
    return 0;
}
EDDY_ASYNC_RESULT(int, look_around);

/* A-PPOOL-7: a worker is a new program, not a copy of ours; it has no descriptor but its own. */
TEST(process_job_sees_a_program_that_has_just_begun)
{
    int found = -1, fd;

    needs_workers();
    fd = open("/dev/null", O_RDONLY); /* not close-on-exec, all the same */
    set_in_main = 2;
    {
        EDDY_PROCESS_POOL(pool, NULL);
        (void)eddy_to_process(pool, look_around, &found);
    }
    close(fd);
    CHECK_EQ(found, 0);
}

static int print(int number)
{
    printf("job %d\n", number);
    return 0;
}
EDDY_ASYNC(print, int);

/* What it prints is there when it has returned. */
TEST(process_job_prints_before_it_returns)
{
    char text[64] = "";
    int saved, file;

    needs_workers();
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    dup2(file, STDOUT_FILENO);
    {
        EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
        if (eddy_to_process(pool, print, 1) == 0)
            (void)eddy_to_process(pool, print, 2);
        (void)!pread(file, text, sizeof text - 1, 0);
    }
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(file);
    CHECK_STR(text, "job 1\njob 2\n");
}

/* Cancelling ------------------------------------------------------------------------------ */

static int write_later(double seconds, int fd)
{
    (void)fd;
    usleep((useconds_t)(seconds * 1e6));
    kill(getppid(), SIGUSR1);
    return 0;
}
EDDY_ASYNC(write_later, double, int);

static int received; /* signals */

static int count_signal(void *unused)
{
    (void)unused;
    received++;
    return 0;
}

/* A-PPOOL-9: one that runs goes on; one that waits is withdrawn. */
TEST(cancelled_process_job_goes_on_if_it_runs)
{
    int count = 0;

    needs_workers();
    CHECK_OK(eddy_loop_add_signal_handler(eddy_get_running_loop(), SIGUSR1, count_signal, NULL));
    {
        EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
        EDDY_TASK runs = eddy_run_in_process(pool, write_later, 0.05, 0);
        EDDY_TASK waits = eddy_run_in_process(pool, count_calls);

        test_settle();
        eddy_cancel(runs);
        eddy_cancel(waits);
        CHECK_EQ(eddy_await(runs), -ECANCELED);
        CHECK_EQ(eddy_await(waits), -ECANCELED);
        CHECK_EQ(received, 0);
        CHECK_OK(eddy_process_pool_join(pool)); /* nobody waits for it */
        CHECK_OK(eddy_to_process(pool, count_calls, &count));
        CHECK_EQ(count, 1);
        CHECK_OK(eddy_sleep(0));
    }
    CHECK_OK(eddy_sleep(0));
    CHECK(eddy_loop_remove_signal_handler(eddy_get_running_loop(), SIGUSR1));
    CHECK_EQ(received, 1);
}

/* A timeout likewise. */
TEST(process_job_that_takes_too_long_is_left)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    int rc;
    {
        EDDY_TIMEOUT(limit, 0);
        rc = eddy_to_process(pool, sleep_for, 1000.0);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
} /* the end of the pool ends the job, too */

/* Limits and ends --------------------------------------------------------------------------- */

TEST(process_pool_refuses_what_it_cannot_do)
{
    eddy_process_pool *none = NULL, *pool = NULL;

    needs_workers();
    CHECK_FAILS(eddy_process_pool_new(&(eddy_process_pool_options){.workers = 2000}, &pool),
                -EINVAL, "2000 workers");
    CHECK_EQ(eddy_to_process(none, fib, 3), -ENOMEM);
    CHECK_EQ(eddy_to_process_bytes(none, reverse, "", 0, NULL), -ENOMEM);
    CHECK_EQ(eddy_process_pool_join(none), -ENOMEM);
    eddy_process_pool_free(&none);
    eddy_process_pool_shutdown(none, true);
    {
        EDDY_PROCESS_POOL(large, &(eddy_process_pool_options){.workers = 2000});
        CHECK_FAILS(eddy_to_process(large, fib, 3), -EINVAL, "could not be made");
        CHECK_EQ(eddy_process_pool_join(large), -EINVAL);
    }
    CHECK_OK(eddy_process_pool_new(NULL, &pool));
    eddy_process_pool_free(&pool);
    CHECK(!pool);
}

RAW_TEST(process_pool_outside_a_loop_is_refused)
{
    eddy_process_pool *pool;

    CHECK_EQ(eddy_process_pool_new(NULL, &pool), -EPERM);
}

/* A-PPOOL-3: no more than so many wait. */
TEST(process_pool_has_a_limit_of_jobs_that_wait)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1, .queue_limit = 1});
    EDDY_TASK runs = eddy_run_in_process(pool, sleep_for, 0.01);
    EDDY_TASK waits = eddy_run_in_process(pool, sleep_for, 0.0);

    test_settle();
    CHECK_FAILS(eddy_to_process(pool, fib, 3), -EAGAIN, "is full");
    CHECK_OK(eddy_await(runs));
    CHECK_OK(eddy_await(waits));
}

TEST(process_pool_that_is_shut_down_takes_no_jobs)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.name = "sums", .workers = 1});
    EDDY_TASK runs = eddy_run_in_process(pool, sleep_for, 0.01);
    EDDY_TASK waits = eddy_run_in_process(pool, sleep_for, 0.0);

    test_settle();
    eddy_process_pool_shutdown(pool, false);
    CHECK_FAILS(eddy_to_process(pool, fib, 3), -ESHUTDOWN, "the sums is shut down");
    CHECK_OK(eddy_await(waits));
    CHECK_OK(eddy_await(runs));
}

TEST(process_pool_that_is_shut_down_at_once_drops_what_waits)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    EDDY_TASK runs = eddy_run_in_process(pool, sleep_for, 0.01);
    EDDY_TASK waits = eddy_run_in_process(pool, sleep_for, 0.0);

    test_settle();
    eddy_process_pool_shutdown(pool, true);
    CHECK_FAILS(eddy_await(waits), -ESHUTDOWN, "before sleep_for() began");
    CHECK_OK(eddy_await(runs));
}

/* A-PPOOL-8: ended by SIGTERM or SIGKILL, and what is pending fails. */
TEST(process_pool_ends_its_workers_by_a_signal)
{
    needs_workers();
    for (int i = 0; i < 2; i++) {
        EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
        int pid;
        CHECK_OK(
            eddy_to_process(pool, process_id, &pid)); /* has come up: SIGTERM is the default's */
        EDDY_TASK runs = eddy_run_in_process(pool, sleep_for, 1000.0);
        EDDY_TASK waits = eddy_run_in_process(pool, sleep_for, 0.0);

        test_settle();
        (i ? eddy_process_pool_kill_workers : eddy_process_pool_terminate_workers)(pool);
        CHECK_FAILS(eddy_await(runs), EDDY_EPROCESS, i ? "by SIGKILL" : "by SIGTERM");
        CHECK_EQ(eddy_await(waits), -ESHUTDOWN);
        CHECK_EQ(eddy_to_process(pool, fib, 1), -ESHUTDOWN);
    }
}

/* Joining waits for what is waited for. */
TEST(process_pool_is_joined)
{
    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    EDDY_TASK runs = eddy_run_in_process(pool, sleep_for, 0.01);

    CHECK_OK(eddy_process_pool_join(pool));
    test_settle();
    CHECK_OK(eddy_process_pool_join(pool));
    CHECK(eddy_task_done(runs));
    CHECK_OK(eddy_await(runs));
}

static int use_and_free(eddy_process_pool **pool)
{
    eddy_process_pool_free(pool);
    return 0;
}
EDDY_ASYNC(use_and_free, eddy_process_pool **);

/* Its end waits for the jobs of other tasks, which get their results. */
TEST(process_pool_ends_behind_the_jobs_of_others)
{
    eddy_process_pool *pool;
    long a = 0;

    needs_workers();
    CHECK_OK(eddy_process_pool_new(&(eddy_process_pool_options){.workers = 1}, &pool));
    EDDY_TASK runs = eddy_run_in_process(pool, sleep_for, 0.01);
    EDDY_TASK waits = eddy_run_in_process(pool, fib, 10);
    test_settle();
    EDDY_TASK frees = eddy_create_task(use_and_free, &pool);
    CHECK_OK(eddy_await(waits, &a));
    CHECK_EQ(a, 55);
    CHECK_OK(eddy_await(runs));
    CHECK_OK(eddy_await(frees));
}

static int free_in_callback(void *pool)
{
    eddy_process_pool_free(pool);
    return 0;
}

/* Outside a task nobody waits for its end; who waits for a job is told. */
TEST(process_pool_may_be_freed_outside_a_task)
{
    eddy_process_pool *pool;

    needs_workers();
    CHECK_OK(eddy_process_pool_new(&(eddy_process_pool_options){.workers = 1}, &pool));
    EDDY_TASK runs = eddy_run_in_process(pool, sleep_for, 1000.0);
    EDDY_TASK waits = eddy_run_in_process(pool, fib, 10);
    test_settle();
    (void)eddy_loop_call_soon(eddy_get_running_loop(), free_in_callback, &pool);
    CHECK_EQ(eddy_await(waits), -ESHUTDOWN);
    CHECK_EQ(eddy_await(runs), EDDY_EPROCESS);
}

static int leaves_it_open(int *pid)
{
    eddy_process_pool *pool;
    eddy_task *task;

    EDDY_TRY(eddy_process_pool_new(NULL, &pool));
    EDDY_TRY(eddy_to_process(pool, process_id, pid));
    task = eddy_run_in_process(pool, sleep_for, 1000.0);
    eddy_task_detach(&task);
    return eddy_sleep(0);
}
EDDY_ASYNC_RESULT(int, leaves_it_open);

/* A loop that closes over a pool reports it, and leaves no process. */
RAW_TEST(process_pool_that_is_left_open_goes_with_its_loop)
{
    eddy_loop *loop;
    int pid = 0;

    needs_workers();
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leaves_it_open, &pid)));
    eddy_loop_free(loop);
    CHECK(is_gone(pid));
    CHECK_HAS(test_report(), "a process pool (process pool) was not closed");
    CHECK_HAS(test_report(), "was pending when its loop was closed");
}

static int waits_beside_it(void)
{
    eddy_event event = EDDY_EVENT_INIT;
    int pid;

    EDDY_PROCESS_POOL(pool, NULL);
    EDDY_TRY(eddy_to_process(pool, process_id, &pid));
    return eddy_event_wait(&event);
}
EDDY_ASYNC(waits_beside_it);

/* Promise 8: a pool that rests does not hide a deadlock. */
RAW_TEST(process_pool_that_rests_is_no_reason_to_wait)
{
    eddy_loop *loop;

    needs_workers();
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(waits_beside_it)), -EDEADLK);
    CHECK_HAS(test_report(), "deadlock");
    eddy_loop_free(loop);
    CHECK_HAS(test_report(), "process pool");
    CHECK_HAS(test_report(), "was pending when its loop was closed");
}

/* Every allocation may fail, and every start of a worker. */
TEST(process_job_without_memory_fails_cleanly)
{
    int failed = 0, nth, pid;

    needs_workers();
    for (nth = 1; nth < 100; nth++) {
        int rc;

        ed_fault_set(ED_FAULT_ALLOC, (uint64_t)nth, -ENOMEM);
        {
            EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
            rc = eddy_to_process(pool, process_id, &pid);
        }
        if (ed_fault_set(ED_FAULT_ALLOC, 0, 0) < (uint64_t)nth)
            break;
        CHECK(rc == 7 || rc == -ENOMEM || rc == EDDY_EPROCESS);
        failed += rc < 0;
    }
    CHECK(failed > 2 && nth < 100);
    {
        EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
        ed_fault_set(ED_FAULT_SPAWN, 1, -EAGAIN);
        CHECK_FAILS(eddy_to_process(pool, process_id, &pid), -EAGAIN, "no worker could be started");
        CHECK_EQ(eddy_to_process(pool, process_id, &pid), 7);
    }
}

/* And every operation of the engine. */
TEST(process_job_without_the_engine_fails_cleanly)
{
    enum ed_fault kinds[] = {ED_FAULT_POLL, ED_FAULT_SEND, ED_FAULT_RECV};
    int pid;

    needs_workers();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
        ed_fault_set(kinds[i], 1, -EIO);
        int rc = eddy_to_process(pool, process_id, &pid);
        CHECK(rc == EDDY_EPROCESS || rc == 7); /* it may have been faster than its end */
        CHECK_EQ(eddy_to_process(pool, process_id, &pid), 7);
    }
    for (int nth = 1; nth < 6; nth++) {
        EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
        ed_fault_set(nth % 2 ? ED_FAULT_SEND : ED_FAULT_RECV, (uint64_t)nth / 2 + 1,
                     ED_FAULT_SHORT);
        CHECK_EQ(eddy_to_process(pool, process_id, &pid), 7);
    }
}

static int forks_and_uses_it(void)
{
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    int pid, status = -1;
    pid_t child;

    EDDY_TRY(eddy_to_process(pool, process_id, &pid));
    child = fork();
    if (child == 0) {
        eddy_process_pool_end_scope_(&pool); /* the parent's */
        _exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    return eddy_to_process(pool, process_id, &pid);
}
EDDY_ASYNC(forks_and_uses_it);

/* In a child of fork the pool is the parent's, and nothing there disturbs it. */
RAW_TEST(process_pool_is_the_parents_in_a_child_of_fork)
{
    needs_workers();
    CHECK_EQ(eddy_run(forks_and_uses_it), 7);
}
