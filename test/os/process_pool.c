/* SPDX-License-Identifier: MIT */
/* Pools of worker processes: rules A-PPOOL-1 to A-PPOOL-9. The workers are this test runner. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/worker_jobs.h"

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

static int fail(int code)
{
    return eddy_raise(code, "job %d went wrong", -code);
}
EDDY_ASYNC(fail, int);

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
    int count = test_is_slow() || test_is_swept() ? 100 : 1000, pids[1000], distinct = 0, idle;

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

static int kill_worker(void *pid)
{
    kill((int)(intptr_t)pid, SIGKILL);
    return 0;
}

/* Sends a large job, whose worker is killed that many seconds later. */
static int job_under_fire(eddy_process_pool *pool, double delay)
{
    EDDY_BYTES output = {0};
    size_t size = 1 << 20;
    int pid, rc;

    EDDY_TRY(eddy_to_process(pool, process_id, &pid));
    EDDY_TRY(eddy_bytes_resize(&output, size));
    (void)eddy_loop_call_later(eddy_get_running_loop(), delay, kill_worker, (void *)(intptr_t)pid);
    rc = eddy_to_process_bytes(pool, reverse, output.data, size, &output);
    REQUIRE(rc == EDDY_EPROCESS || (rc == 0 && output.size == size));
    return eddy_sleep(delay + 0.001); /* until it is killed in any case */
}

static int jobs_under_fire(int count)
{
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});

    for (int i = 0; i < count; i++)
        EDDY_TRY(job_under_fire(pool, i * 50e-6));
    return 0;
}
EDDY_ASYNC(jobs_under_fire, int);

/* At whatever moment it is killed, its job has succeeded or failed, and the next one is fine. */
RAW_TEST(worker_that_is_killed_at_any_moment_is_replaced)
{
    needs_workers();
    CHECK_OK(eddy_run(jobs_under_fire, test_is_slow() ? 10 : 60));
}

static int rest_and_tell(int *pid)
{
    usleep(50000);
    *pid = getpid();
    return 0;
}
EDDY_ASYNC_RESULT(int, rest_and_tell);

/* A-PPOOL-2: as many as processors, unless it is said. */
TEST(process_pool_has_a_worker_for_each_processor)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int pids[64], distinct = 0, jobs = (int)processors + 2;

    needs_workers();
    if (processors > 16)
        test_skip("that would be many processes");
    EDDY_PROCESS_POOL(pool, NULL);
    EDDY_GROUP(group);
    for (int i = 0; i < jobs; i++)
        CHECK_OK(eddy_group_start(&group, EDDY_PROCESS_CALL(pool, rest_and_tell, &pids[i])));
    CHECK_OK(eddy_group_join(&group));
    for (int i = 0; i < jobs; i++) {
        bool seen = false;

        for (int j = 0; j < i; j++)
            seen |= pids[j] == pids[i];
        distinct += !seen;
    }
    CHECK_EQ(distinct, processors);
}

static int fib_in_a_pool(int n, long *result)
{
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});

    return eddy_to_process(pool, fib, n, result);
}
EDDY_ASYNC_RESULT(long, fib_in_a_pool, int);

static int fib_in_a_run(int n, long *result)
{
    return eddy_run(fib_in_a_pool, n, result);
}
EDDY_ASYNC_RESULT(long, fib_in_a_run, int);

/* A job may run a loop of its own, and that a pool: a worker is a program like any other. */
TEST(process_job_has_a_pool_of_its_own)
{
    long result = 0;

    needs_workers();
    EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 1});
    CHECK_OK(eddy_to_process(pool, fib_in_a_run, 10, &result));
    CHECK_EQ(result, 55);
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
