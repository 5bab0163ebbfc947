/* SPDX-License-Identifier: MIT */
/*
 * Jobs that a cancelled caller abandons (promise 4), and what the two forms of a thread
 * job have in common with the pool and the loop. Jobs stand at a gate until the test
 * opens it; what an abandoned one leaves is waited for in real time, as nobody else does.
 */
#include "base/fault.h"
#include "base/memory.h"
#include "os/gate.h"

#include <stdlib.h>

#include "loop/loop.h"
#include "os/executor.h"

static int destroyed; /* atomic: results that nobody took */

struct request {
    int number;
    int fails;
    char text[40];
};

static int make(struct request request, int **out)
{
    int *memory = ed_alloc(sizeof *memory);

    if (!memory)
        return -ENOMEM;
    stand_at_gate(0);
    if (request.fails) {
        ed_free(memory);
        return eddy_raise(-EIO, "request %d of %s failed", request.number, request.text);
    }
    *memory = request.number;
    *out = memory;
    return 0;
}

static void destroy(int **out)
{
    ed_free(*out);
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_ACQ_REL);
}
EDDY_ASYNC_OWNED(int *, destroy, make, struct request);

static int make_plain(int number, double factor, double *out)
{
    *out = number * factor;
    return 0;
}
EDDY_ASYNC_RESULT(double, make_plain, int, double);

/* EDDY_ABANDONABLE_CALL refuses, by an assertion, what counts pointers here. */
static int with_pointers(int a, const char *b, double c, void (*d)(void), struct request e)
{
    return b && d ? a + (int)c + e.number : 0;
}
EDDY_ASYNC(with_pointers, int, const char *, double, void (*)(void), struct request);
_Static_assert(with_pointers_eddy_pointers == 2, "a string and a function");
_Static_assert(make_eddy_pointers == 0 && make_plain_eddy_pointers == 0, "values, and the result");

/* Until what was abandoned is gone, with its thread, and no byte is left. */
static void wait_for_the_abandoned(int count)
{
    open_gate(0);
    while (__atomic_load_n(&destroyed, __ATOMIC_ACQUIRE) < count || threads() > 0)
        usleep(100);
}

static const struct request seven = {.number = 7, .text = "seven"};
static const struct request bad = {.number = 8, .text = "eight", .fails = 1};
static const eddy_executor_options one = {.name = "one", .threads = 1};

/* While its caller stays it is a job like any other. */
TEST(abandonable_job_gives_its_result_or_its_error_with_the_text)
{
    int *out = NULL;
    double product = 0;

    open_gate(0);
    CHECK_OK(eddy_to_thread_abandonable(make, seven, &out));
    CHECK_EQ(*out, 7);
    EDDY_DEFER(ed_free, out);
    CHECK_EQ(eddy_to_thread_abandonable(make, bad, &out), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "request 8 of eight failed");
    CHECK(eddy_error_origin(-EIO) && strstr(eddy_error_origin(-EIO), "job.c:"));
    CHECK_OK(eddy_to_thread_abandonable(make_plain, 4, 2.5, &product));
    CHECK(product == 10);
    CHECK_EQ(destroyed, 0);
    CHECK_OK(eddy_to_thread_abandonable(make, seven)); /* nobody wants it */
    CHECK_EQ(destroyed, 1);
}

TEST(abandonable_job_stands_beside_coroutines_wherever_calls_go)
{
    EDDY_EXECUTOR(executor, &one);
    double a = 0, b = 0, c = 0;

    CHECK_OK(eddy_gather(EDDY_ABANDONABLE_CALL(executor, make_plain, 1, 2, &a),
                         EDDY_ABANDONABLE_CALL(NULL, make_plain, 3, 4, &b)));
    CHECK(a == 2 && b == 12);
    CHECK_OK(eddy_wait_for(EDDY_ABANDONABLE_CALL(executor, make_plain, 5, 6, &c), EDDY_FOREVER));
    CHECK(c == 30);
}

static int call_and_leave(int **out)
{
    int *mine = *out, rc = eddy_to_thread_abandonable(make, seven, &mine);

    REQUIRE(mine == *out); /* untouched */
    return rc;
}
EDDY_ASYNC(call_and_leave, int **);

static int leave_a_running_job(int *left)
{
    int *untouched = left;
    EDDY_TASK caller = eddy_create_task(call_and_leave, &untouched);

    EDDY_TRY(until_running(1));
    REQUIRE(eddy_cancel(caller) == 0);
    REQUIRE(eddy_await(caller) == -ECANCELED); /* the gate is shut */
    REQUIRE(untouched == left);
    return 0;
}
EDDY_ASYNC(leave_a_running_job, int *);

/* The end of the run does not wait, and the result is destroyed once, in the worker. */
RAW_TEST(abandoned_job_goes_on_without_its_loop_and_its_result_is_destroyed_once)
{
    int left = 0;

    CHECK_OK(eddy_run(leave_a_running_job, &left));
    CHECK_EQ(destroyed, 0);
    CHECK_EQ(threads(), 1);
    wait_for_the_abandoned(1);
    CHECK_EQ(destroyed, 1);
}

static int abandon_by_a_timeout(void)
{
    int *out = NULL;

    EDDY_TIMEOUT(limit, 0.01);
    REQUIRE(eddy_to_thread_abandonable(make, seven, &out) == -ETIMEDOUT);
    REQUIRE(eddy_timeout_expired(&limit));
    return 0;
}
EDDY_ASYNC(abandon_by_a_timeout);

static int abandon_five(void)
{
    EDDY_GROUP(group);
    EDDY_TRY(eddy_group_start(&group, EDDY_ABANDONABLE_CALL(NULL, make, seven)));
    EDDY_TRY(eddy_group_start(&group, EDDY_ABANDONABLE_CALL(NULL, make, bad)));
    EDDY_TRY(until_running(2));
    return -EDOM; /* the group's end cancels them */
}
EDDY_ASYNC(abandon_five);

RAW_TEST(abandoned_job_is_left_by_timeouts_and_groups_alike)
{
    setenv("EDDY_CLOCK", "real", 1);
    CHECK_OK(eddy_run(abandon_by_a_timeout));
    CHECK_EQ(eddy_run(abandon_five), -EDOM);
    wait_for_the_abandoned(__atomic_load_n(&running, __ATOMIC_ACQUIRE) - 1); /* one failed */
}

static int abandon_while_queued(void)
{
    EDDY_EXECUTOR(executor, &one);
    EDDY_TASK runs = eddy_task_from_call(EDDY_ABANDONABLE_CALL(executor, make, seven));
    EDDY_DEFER(open_all, NULL);
    size_t blocks;

    EDDY_TRY(until_running(1));
    blocks = ed_memory_blocks();
    EDDY_TASK waits = eddy_task_from_call(EDDY_ABANDONABLE_CALL(executor, make, seven));
    test_settle();
    REQUIRE(ed_memory_blocks() > blocks);
    REQUIRE(eddy_cancel(waits) == 0);
    REQUIRE(eddy_await(waits) == -ECANCELED);
    REQUIRE(ed_memory_blocks() == blocks); /* freed at once */
    open_gate(0);
    int *out = NULL;
    EDDY_TRY(eddy_await(runs, &out));
    EDDY_DEFER(ed_free, out);
    REQUIRE(*out == 7 && running == 1);
    return 0;
}
EDDY_ASYNC(abandon_while_queued);

RAW_TEST(abandonable_job_that_waits_is_withdrawn_and_freed)
{
    CHECK_OK(eddy_run(abandon_while_queued));
    CHECK_EQ(destroyed, 0);
}

static int nothing_left_to_wait_for(void)
{
    eddy_future never = EDDY_FUTURE_INIT(int);

    test_watch_reports(eddy_get_running_loop());
    EDDY_TASK caller = eddy_task_from_call(EDDY_ABANDONABLE_CALL(NULL, make, seven));

    EDDY_TRY(until_running(1));
    REQUIRE(eddy_cancel(caller) == 0);
    REQUIRE(eddy_await(caller) == -ECANCELED);
    return eddy_await(&never);
}
EDDY_ASYNC(nothing_left_to_wait_for);

/* Nobody waits for an abandoned job: it does not hide a deadlock. */
RAW_TEST(abandoned_job_does_not_count_as_something_that_may_still_happen)
{
    CHECK_EQ(eddy_run(nothing_left_to_wait_for), -EDEADLK);
    CHECK_HAS(test_report(), "deadlock");
    wait_for_the_abandoned(1);
}

static int stop_loop(void)
{
    EDDY_TRY(until_running(1));
    eddy_loop_stop(eddy_get_running_loop());
    return eddy_sleep(EDDY_FOREVER);
}
EDDY_ASYNC(stop_loop);

/* A loop that is closed over its jobs abandons those that may be. */
RAW_TEST(abandonable_job_is_abandoned_by_the_close_of_its_loop)
{
    eddy_executor *executor = NULL;
    eddy_loop *loop;

    CHECK_OK(eddy_executor_new(&one, &executor));
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    for (int i = 0; i < 2; i++) /* one runs, one waits */
        CHECK(eddy_loop_create_task(loop, EDDY_ABANDONABLE_CALL(executor, make, seven)));
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(stop_loop)), -ESHUTDOWN);
    eddy_loop_free(loop);
    CHECK_EQ(destroyed, 0);
    for (int i = 0; i < 3; i++)
        CHECK_HAS(test_report(), "was pending when its loop was closed");
    eddy_executor_free(&executor); /* does not wait for it either */
    wait_for_the_abandoned(1);
    CHECK_EQ(destroyed, 1);
}

/* It had ended, but the loop was closed before it looked. */
RAW_TEST(abandonable_job_that_has_ended_is_dropped_with_its_loop)
{
    eddy_executor *executor = NULL;
    eddy_loop *loop;

    CHECK_OK(eddy_executor_new(&one, &executor));
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK(eddy_loop_create_task(loop, EDDY_ABANDONABLE_CALL(executor, make, seven)));
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(stop_loop)), -ESHUTDOWN);
    open_gate(0);
    eddy_executor_free(&executor); /* after the job: it was not abandoned */
    CHECK_EQ(destroyed, 0);
    eddy_loop_free(loop);
    CHECK_EQ(destroyed, 1);
    for (int i = 0; i < 2; i++)
        CHECK_HAS(test_report(), "was pending when its loop was closed");
}

static int race(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        int before = __atomic_load_n(&running, __ATOMIC_ACQUIRE);
        EDDY_TASK a = eddy_task_from_call(EDDY_ABANDONABLE_CALL(NULL, make, seven));
        EDDY_TASK b = eddy_task_from_call(EDDY_ABANDONABLE_CALL(NULL, make, bad));

        for (int k = i % 8; k > 0; k--)
            EDDY_TRY(eddy_sleep(0));
        if (i % 2)
            EDDY_TRY(until_running(before + 2)); /* too late to withdraw them */
        REQUIRE(eddy_cancel(a) == 0 || eddy_task_done(a));
        REQUIRE(eddy_cancel(b) == 0 || eddy_task_done(b));
        int rc = eddy_await(a); /* which came first, the job or the cancel */
        REQUIRE(rc == 0 || rc == -ECANCELED);
        rc = eddy_await(b);
        REQUIRE(rc == -EIO || rc == -ECANCELED);
    }
    return 0;
}
EDDY_ASYNC(race, int);

/* Claimed or abandoned, never both: nothing is leaked and nothing freed twice. */
RAW_TEST(abandonable_jobs_and_cancels_race_without_a_loss)
{
    open_gate(0);
    CHECK_OK(eddy_run(race, 1000));
    while (threads() > 0)
        usleep(100);
    CHECK(__atomic_load_n(&destroyed, __ATOMIC_ACQUIRE) >= 500);
}

struct big {
    char bytes[100000];
};

static int reverse(void *args, void *result)
{
    const struct big *from = args;
    struct big *to = result;

    for (size_t i = 0; i < sizeof from->bytes; i++)
        to->bytes[i] = from->bytes[sizeof from->bytes - 1 - i];
    return 0;
}

static int count_call(void *args, void *result)
{
    return args && !result ? __atomic_add_fetch(&running, 1, __ATOMIC_ACQ_REL) : -EINVAL;
}

/* For bindings: values of any size. */
TEST(abandonable_job_may_take_and_give_values_of_any_size)
{
    static struct big from, to;
    eddy_abandonable job = {.entry = reverse,
                            .name = "reverse",
                            .args = &from,
                            .args_size = sizeof from,
                            .result_size = sizeof to};

    from.bytes[0] = 'a';
    from.bytes[1] = 'b';
    CHECK_OK(eddy_run_abandonable(NULL, &job, &to));
    CHECK_EQ(to.bytes[99999], 'a');
    CHECK_EQ(to.bytes[99998], 'b');
    CHECK_OK(eddy_run_abandonable(NULL, &job, NULL));
    CHECK_EQ(eddy_run_abandonable(NULL, &(eddy_abandonable){.entry = count_call}, NULL), 1);
    job.args_size = SIZE_MAX - 3;
    CHECK_EQ(eddy_run_abandonable(NULL, &job, NULL), -ENOMEM);
    CHECK_STR(eddy_error_message(-ENOMEM), "no memory for the arguments and result of reverse()");
}

static eddy_local who = EDDY_LOCAL_INIT("who", "nobody");

static int who_am_i(int unused, const char **out)
{
    (void)unused;
    *out = eddy_local_get(&who);
    return 0;
}
EDDY_ASYNC_RESULT(const char *, who_am_i, int);

/* Every allocation fails once: -ENOMEM, no job, everything usable. */
TEST(abandonable_job_without_memory_does_not_run)
{
    const char *seen = "";
    int rc = -ENOMEM, failures = 0;

    CHECK_OK(eddy_local_set(&who, "me", NULL));
    for (uint64_t nth = 1; nth < 20 && rc == -ENOMEM; nth++) {
        (void)ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        rc = eddy_to_thread_abandonable(who_am_i, 0, &seen);
        (void)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK(rc == 0 || rc == -ENOMEM);
        CHECK_STR(seen, rc == 0 ? "me" : "");
        failures += rc < 0;
    }
    CHECK_OK(rc);
    CHECK(failures >= 3);
}

static int fail_for_lack_of_threads(void)
{
    double out = -1;

    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    REQUIRE(eddy_to_thread_abandonable(make_plain, 1, 2, &out) == -EAGAIN);
    (void)ed_fault_set(ED_FAULT_THREAD, 0, 0);
    REQUIRE(out == -1);
    REQUIRE(eddy_to_thread_abandonable(make_plain, 1, 2, &out) == 0);
    REQUIRE(eddy_shutdown_default_executor(EDDY_FOREVER) == 0);
    REQUIRE(eddy_to_thread_abandonable(make_plain, 1, 2, &out) == -ESHUTDOWN);
    return 0;
}
EDDY_ASYNC(fail_for_lack_of_threads);

RAW_TEST(abandonable_job_that_is_refused_is_freed)
{
    CHECK_OK(eddy_run(fail_for_lack_of_threads));
}

static int in_the_pools_of_a_loop(void)
{
    EDDY_TIMEOUT(limit, 0.01);
    struct request args = seven;
    eddy_abandonable job = {.entry = make_eddy_async.entry,
                            .name = "make",
                            .args = &args,
                            .args_size = sizeof args,
                            .result_size = sizeof(int *),
                            .destroy = make_eddy_async.destroy};

    REQUIRE(ed_executor_run_abandonable(ED_POOL_NAMES, &job, NULL) == -ETIMEDOUT);
    return 0;
}
EDDY_ASYNC(in_the_pools_of_a_loop);

/* What files and names are made of. */
RAW_TEST(abandonable_job_runs_in_each_pool_of_a_loop)
{
    setenv("EDDY_CLOCK", "real", 1);
    CHECK_OK(eddy_run(in_the_pools_of_a_loop));
    wait_for_the_abandoned(__atomic_load_n(&running, __ATOMIC_ACQUIRE));
}

static int stop_when_it_is_back(void)
{
    eddy_loop_stop(eddy_get_running_loop()); /* the mark stands in the queue, */
    open_gate(0);
    while (!__atomic_load_n(&eddy_get_running_loop()->inbox, __ATOMIC_ACQUIRE))
        usleep(100);       /* the job ends meanwhile, */
    EDDY_TIMEOUT(turn, 0); /* and is taken in: its task is ready behind the mark */
    return eddy_sleep(1);
}
EDDY_ASYNC(stop_when_it_is_back);

/* A result that came back to a loop that is closed before its task goes on. */
static void close_before_the_task_goes_on(eddy_call call)
{
    eddy_loop *loop;
    eddy_task *task;

    __atomic_store_n(&gate[0], 0, __ATOMIC_RELEASE);
    __atomic_store_n(&destroyed, 0, __ATOMIC_RELEASE);
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    task = eddy_loop_create_task(loop, call);
    eddy_task_detach(&task);
    task = eddy_loop_create_task(loop, EDDY_CALL(stop_when_it_is_back));
    eddy_task_detach(&task);
    CHECK_OK(eddy_loop_run_forever(loop));
    eddy_loop_free(loop);
    CHECK_EQ(__atomic_load_n(&destroyed, __ATOMIC_ACQUIRE), 1);
    while (*test_report())
        continue; /* both were pending */
}

RAW_TEST(job_result_of_a_loop_that_is_closed_before_its_task_goes_on_is_destroyed)
{
    struct request request = {.number = 1};

    close_before_the_task_goes_on(EDDY_THREAD_CALL(make, request));
    close_before_the_task_goes_on(EDDY_ABANDONABLE_CALL(NULL, make, request));
}
