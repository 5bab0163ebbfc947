/* SPDX-License-Identifier: MIT */
/*
 * Pools of one's own: rules A-EXEC-8 and issues of ownership.
 */
#include "base/compat.h"
#include "base/fault.h"
#include "os/gate.h"

#include <pthread.h>

#include "os/executor.h"

static int passed; /* atomic */

static int stand_at(int which)
{
    stand_at_gate(which);
    __atomic_add_fetch(&passed, 1, __ATOMIC_ACQ_REL);
    return 0;
}
EDDY_ASYNC(stand_at, int);

static int add(int a, int b, int *sum)
{
    *sum = a + b;
    return 0;
}
EDDY_ASYNC_RESULT(int, add, int, int);

static const eddy_executor_options one = {.name = "one", .threads = 1};
static const eddy_executor_options small = {.name = "small", .threads = 1, .queue_limit = 2};

/* Result and error come back from a pool of one's own, by every way there is. */
TEST(executor_runs_jobs_by_every_kind_of_call)
{
    EDDY_EXECUTOR(executor, NULL);
    int a = 0, b = 0, c = 0, d = 0;

    CHECK_OK(eddy_to_executor(executor, add, 1, 2, &a));
    CHECK_EQ(a, 3);
    EDDY_TASK task = eddy_run_in_executor(executor, add, 3, 4);
    CHECK_OK(eddy_await(task, &b));
    CHECK_EQ(b, 7);
    CHECK_OK(eddy_gather(EDDY_EXECUTOR_CALL(executor, add, 5, 6, &c),
                         EDDY_EXECUTOR_CALL(NULL, add, 7, 8, &d)));
    CHECK(c == 11 && d == 15);
    CHECK_OK(eddy_wait_for(EDDY_EXECUTOR_CALL(executor, add, 9, 10, &a), EDDY_FOREVER));
    CHECK_EQ(a, 19);
}

static int name_of_thread(char (*name)[16])
{
    pthread_getname_np(pthread_self(), *name, sizeof *name);
    return 0;
}
typedef char thread_name[16];

static int thread_name_is(const char *prefix)
{
    thread_name name;

    REQUIRE(name_of_thread(&name) == 0);
    REQUIRE(strncmp(name, prefix, strlen(prefix)) == 0);
    return 0;
}
EDDY_ASYNC(thread_name_is, const char *);

TEST(executor_threads_have_its_name)
{
    EDDY_EXECUTOR(executor, &one);
    EDDY_EXECUTOR(other, NULL);

    CHECK_OK(eddy_to_executor(executor, thread_name_is, "one-1"));
    CHECK_OK(eddy_to_executor(other, thread_name_is, "executor-1"));
    CHECK_OK(eddy_to_thread(thread_name_is, "eddy-default-1"));
}

TEST(executor_has_no_more_threads_than_it_was_given)
{
    EDDY_EXECUTOR(executor, &(eddy_executor_options){.threads = 2});
    EDDY_TASKS(tasks, 4);
    CHECK(tasks != NULL);
    EDDY_DEFER(open_all, NULL);

    CHECK_EQ(threads(), 0);
    for (int i = 0; i < 4; i++)
        tasks[i] = eddy_run_in_executor(executor, stand_at, 0);
    CHECK_OK(until_running(2));
    test_settle();
    CHECK_EQ(threads(), 2);
    CHECK_EQ(__atomic_load_n(&running, __ATOMIC_ACQUIRE), 2);
    open_gate(0);
    for (int i = 0; i < 4; i++)
        CHECK_OK(eddy_await(tasks[i]));
}

TEST(executor_that_is_full_refuses_the_job_with_its_name_and_limit)
{
    EDDY_EXECUTOR(executor, &small);
    EDDY_TASKS(tasks, 3);
    CHECK(tasks != NULL);
    EDDY_DEFER(open_all, NULL);

    tasks[0] = eddy_run_in_executor(executor, stand_at, 0);
    CHECK_OK(until_running(1));
    for (int i = 1; i < 3; i++)
        tasks[i] = eddy_run_in_executor(executor, stand_at, 0);
    test_settle();
    CHECK_EQ(eddy_to_executor(executor, stand_at, 0), -EAGAIN);
    CHECK_STR(eddy_error_message(-EAGAIN), "the executor small is full: its queue limit is 2");
    eddy_task_release(&tasks[2]); /* withdrawn */
    tasks[2] = eddy_run_in_executor(executor, stand_at, 0);
    test_settle();
    CHECK(!eddy_task_done(tasks[2]));
    open_gate(0);
    CHECK_OK(eddy_executor_join(executor));
    CHECK_EQ(passed, 3);
    CHECK_OK(eddy_to_executor(executor, stand_at, 0)); /* of use again */
}

/* A-EXEC-8: shut without a wait; what it has still runs. */
TEST(executor_that_is_shut_runs_what_it_has_and_takes_no_more)
{
    EDDY_EXECUTOR(executor, &one);
    EDDY_TASK first = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_TASK second = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_DEFER(open_all, NULL);

    CHECK_OK(until_running(1));
    eddy_executor_shutdown(executor, false);
    eddy_executor_shutdown(executor, false);
    CHECK_EQ(eddy_to_executor(executor, stand_at, 0), -ESHUTDOWN);
    CHECK_STR(eddy_error_message(-ESHUTDOWN), "the executor one is shut down");
    CHECK(!eddy_task_done(second));
    open_gate(0);
    CHECK_OK(eddy_await(first));
    CHECK_OK(eddy_await(second));
}

/* A-EXEC-8: cancel_futures. */
TEST(executor_that_is_shut_at_once_drops_the_jobs_that_wait)
{
    EDDY_EXECUTOR(executor, &one);
    EDDY_TASK runs = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_TASK waits = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_TASK leaves = eddy_task_from_call(EDDY_ABANDONABLE_CALL(executor, stand_at, 0));
    EDDY_DEFER(open_all, NULL);

    CHECK_OK(until_running(1));
    eddy_executor_shutdown(executor, false);
    eddy_executor_shutdown(executor, true);
    CHECK_EQ(eddy_await(waits), -ESHUTDOWN);
    CHECK_STR(eddy_error_message(-ESHUTDOWN),
              "the executor one was shut down before stand_at() began");
    CHECK_EQ(eddy_await(leaves), -ESHUTDOWN);
    CHECK(!eddy_task_done(runs));
    open_gate(0);
    CHECK_OK(eddy_await(runs));
    CHECK_EQ(passed, 1);
}

/* Dropped and cancelled in the same tick: it was told first. */
TEST(executor_job_that_was_dropped_is_not_cancelled_as_well)
{
    EDDY_EXECUTOR(executor, &one);
    EDDY_TASK runs = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_TASK waits = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_TASK leaves = eddy_task_from_call(EDDY_ABANDONABLE_CALL(executor, stand_at, 0));
    EDDY_DEFER(open_all, NULL);

    CHECK_OK(until_running(1));
    eddy_executor_shutdown(executor, true);
    CHECK_OK(eddy_cancel(waits));
    CHECK_OK(eddy_cancel(leaves));
    CHECK_EQ(eddy_await(waits), -ESHUTDOWN);
    CHECK_EQ(eddy_await(leaves), -ESHUTDOWN);
    open_gate(0);
    CHECK_OK(eddy_await(runs));
}

static int join(eddy_executor *executor)
{
    return eddy_executor_join(executor);
}
EDDY_ASYNC(join, eddy_executor *);

TEST(executor_join_waits_for_all_jobs_and_can_be_cancelled)
{
    EDDY_EXECUTOR(executor, &one);
    CHECK_OK(eddy_executor_join(executor)); /* no job, no wait */
    EDDY_TASK first = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_TASK second = eddy_run_in_executor(executor, stand_at, 1);
    EDDY_TASK joins = eddy_create_task(join, executor);
    EDDY_TASK leaves = eddy_create_task(join, executor);
    EDDY_DEFER(open_all, NULL);

    CHECK_OK(until_running(1));
    test_settle();
    CHECK_OK(eddy_cancel(leaves));
    CHECK_EQ(eddy_await(leaves), -ECANCELED);
    CHECK(!eddy_task_done(joins));
    open_gate(0);
    CHECK_OK(until_running(2));
    CHECK(!eddy_task_done(joins));
    open_gate(1);
    CHECK_OK(eddy_await(joins));
    CHECK_EQ(passed, 2);
    CHECK_OK(eddy_await(first));
    CHECK_OK(eddy_await(second));
}

/* Told and cancelled at once: whichever comes first, nothing is lost. */
TEST(executor_join_that_was_told_is_not_cancelled)
{
    for (int i = 0; i < (test_is_swept() ? 8 : 100); i++) {
        EDDY_EXECUTOR(executor, &one);
        EDDY_TASK job = eddy_run_in_executor(executor, add, 1, 2);
        EDDY_TASK joins = eddy_create_task(join, executor);

        for (int k = i % 4; k >= 0; k--)
            CHECK_OK(eddy_sleep(0));
        int cancelled = eddy_cancel(joins), rc = eddy_await(joins);
        CHECK(rc == 0 || (cancelled == 0 && rc == -ECANCELED));
        CHECK_OK(eddy_await(job));
    }
}

static int count_ticks(int *ticks)
{
    for (;;) {
        EDDY_TRY(eddy_sleep(0));
        if (++*ticks == 100)
            open_all(NULL);
    }
}
EDDY_ASYNC(count_ticks, int *);

/* The end of a scope parks, so that the loop goes on; here it must, for the job to end. */
TEST(executor_free_in_a_task_keeps_the_loop_going)
{
    static int ticks;
    EDDY_TASK ticker = eddy_create_task(count_ticks, &ticks);
    EDDY_DEFER(open_all, NULL);
    {
        EDDY_EXECUTOR(executor, &one);
        eddy_task *runs = eddy_run_in_executor(executor, stand_at, 0);
        eddy_task_detach(&runs);
        CHECK_OK(until_running(1));
        eddy_task *waits = eddy_run_in_executor(executor, stand_at, 0);
        eddy_task_detach(&waits);
        CHECK_OK(eddy_sleep(0));
    }
    CHECK(ticks >= 100);
    CHECK_EQ(__atomic_load_n(&passed, __ATOMIC_ACQUIRE), 2);
    CHECK_EQ(threads(), 0);
    CHECK(!eddy_task_done(ticker));
}

static int free_it(eddy_executor *executor, int *end)
{
    eddy_executor_free(&executor);
    *end = 1;
    return executor == NULL ? 0 : -EIO;
}
EDDY_ASYNC(free_it, eddy_executor *, int *);

/* Releases are never refused. */
TEST(executor_free_is_not_cut_short_by_a_cancel)
{
    static int end;
    eddy_executor *executor = NULL;

    CHECK_OK(eddy_executor_new(&one, &executor));
    EDDY_TASK job = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_TASK frees = eddy_create_task(free_it, executor, &end);
    EDDY_DEFER(open_all, NULL);
    CHECK_OK(eddy_sleep(0)); /* so that both have begun */
    CHECK_OK(until_running(1));
    CHECK_OK(eddy_cancel(frees));
    test_settle();
    CHECK_EQ(end, 0);
    open_gate(0);
    CHECK_OK(eddy_await(job));
    CHECK_OK(eddy_await(frees));
    CHECK_EQ(end, 1);
}

/* Nothing of it is left: threads, memory; NULL is left alone. */
RAW_TEST(executor_can_be_made_and_freed_outside_a_loop)
{
    eddy_executor *executor = NULL;

    eddy_executor_free(&executor);
    eddy_executor_shutdown(NULL, true);
    CHECK_OK(eddy_executor_new(NULL, &executor));
    CHECK_EQ(eddy_executor_join(executor), -EPERM); /* only a task can wait */
    eddy_executor_shutdown(executor, true);
    eddy_executor_free(&executor);
    CHECK(!executor);
}

TEST(executor_of_too_many_threads_is_refused)
{
    eddy_executor_options many = {.threads = 5000};
    eddy_executor *executor = NULL;

    CHECK_EQ(eddy_executor_new(&many, &executor), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "5000 threads");
    CHECK(!executor);
    EDDY_EXECUTOR(declared, &many);
    CHECK_EQ(eddy_to_executor(declared, add, 1, 2), -EINVAL);
    CHECK_EQ(eddy_executor_join(declared), -EINVAL);
    eddy_executor_shutdown(declared, true);
}

TEST(executor_without_memory_gives_each_job_that_error)
{
    eddy_executor *executor = NULL;

    for (uint64_t nth = 1; nth <= 2; nth++) {
        (void)ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        CHECK_EQ(eddy_executor_new(NULL, &executor), -ENOMEM);
        (void)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK(!executor);
    }
    (void)ed_fault_set(ED_FAULT_ALLOC, 1, -ENOMEM);
    EDDY_EXECUTOR(declared, NULL);
    (void)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
    CHECK_EQ(eddy_to_executor(declared, add, 1, 2), -ENOMEM);
    CHECK_HAS(eddy_error_message(-ENOMEM), "could not be made");
    CHECK_EQ(eddy_run_abandonable(declared, &(eddy_abandonable){.entry = NULL}, NULL), -ENOMEM);
    CHECK_EQ(eddy_executor_join(declared), -ENOMEM);
    CHECK_EQ(eddy_executor_join(NULL), -ENOMEM);
}

/* Every allocation of a job fails once: -ENOMEM, no job, everything usable. */
TEST(executor_job_without_memory_does_not_run)
{
    EDDY_EXECUTOR(executor, &one);
    int sum = -1, rc = -ENOMEM, failures = 0;

    for (uint64_t nth = 1; nth < 20 && rc == -ENOMEM; nth++) {
        (void)ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        rc = eddy_to_executor(executor, add, 1, 2, &sum);
        (void)ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK(rc == 0 || rc == -ENOMEM);
        failures += rc < 0;
    }
    CHECK_OK(rc);
    CHECK_EQ(sum, 3);
    CHECK(failures > 0);
}

TEST(executor_without_any_thread_refuses_the_job)
{
    EDDY_EXECUTOR(executor, &one);

    (void)ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_EQ(eddy_to_executor(executor, add, 1, 2), -EAGAIN);
    (void)ed_fault_set(ED_FAULT_THREAD, 0, 0);
    CHECK_HAS(eddy_error_message(-EAGAIN), "add() cannot be run in a thread");
    CHECK_OK(eddy_executor_join(executor));
    CHECK_OK(eddy_to_executor(executor, add, 1, 2));
}

/* Several loops ------------------------------------------------------------------ */

static int use_executor(eddy_executor *executor, int *total)
{
    int sum = 0;

    for (int i = 0; i < 200; i++) {
        REQUIRE(eddy_to_executor(executor, add, sum, i, &sum) == 0);
        if (i % 10 == 0)
            REQUIRE(eddy_executor_join(executor) == 0);
    }
    *total = sum;
    return 0;
}
EDDY_ASYNC_RESULT(int, use_executor, eddy_executor *);

static void *run_a_loop(void *executor)
{
    int total = 0;

    return eddy_run(use_executor, executor, &total) == 0 && total == 19900 ? executor : NULL;
}

RAW_TEST(executor_serves_several_loops_at_once)
{
    eddy_executor *executor = NULL;
    pthread_t loops[3];
    void *value;

    CHECK_OK(eddy_executor_new(&(eddy_executor_options){.threads = 2}, &executor));
    for (int i = 0; i < 3; i++)
        pthread_create(&loops[i], NULL, run_a_loop, executor);
    for (int i = 0; i < 3; i++) {
        pthread_join(loops[i], &value);
        CHECK(value == executor);
    }
    eddy_executor_free(&executor);
    CHECK_EQ(threads(), 0);
}

static void *run_a_job_of_another_loop(void *executor)
{
    eddy_loop *loop;
    int rc = eddy_loop_new(&loop);

    if (rc == 0) {
        rc = eddy_loop_run_until_complete(loop, EDDY_EXECUTOR_CALL(executor, stand_at, 0));
        eddy_loop_free(loop);
    }
    return rc == 0 ? executor : NULL;
}

static int other_loop_ended; /* well: its thread says so */

static void join_thread(void *thread)
{
    void *value = NULL;

    pthread_join(*(pthread_t *)thread, &value);
    other_loop_ended = value != NULL;
}

/* The join of one loop waits for the job of another, and is no deadlock. */
TEST(executor_join_waits_for_jobs_of_other_loops)
{
    EDDY_EXECUTOR(executor, &one);
    pthread_t other;

    pthread_create(&other, NULL, run_a_job_of_another_loop, executor);
    {
        EDDY_DEFER(join_thread, &other);
        EDDY_DEFER(open_all, NULL);
        while (__atomic_load_n(&running, __ATOMIC_ACQUIRE) < 1)
            usleep(100);
        EDDY_TASK joins = eddy_create_task(join, executor);
        test_settle();
        CHECK(!eddy_task_done(joins));
        open_gate(0);
        CHECK_OK(eddy_await(joins));
        CHECK_EQ(passed, 1);
    }
    CHECK(other_loop_ended);
}

static void *open_soon(void *unused)
{
    (void)unused;
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE) < 1)
        usleep(100);
    usleep(1000); /* the close has begun, most likely */
    open_all(NULL);
    return NULL;
}

static int stop_loop(void)
{
    EDDY_TRY(until_running(1));
    eddy_loop_stop(eddy_get_running_loop());
    return eddy_sleep(EDDY_FOREVER);
}
EDDY_ASYNC(stop_loop);

static int *make_nothing_alive; /* counts owned results */

static int make_late(int which, int **out)
{
    EDDY_TRY(stand_at(which));
    __atomic_add_fetch(make_nothing_alive, 1, __ATOMIC_ACQ_REL);
    *out = make_nothing_alive;
    return 0;
}
static void free_late(int **alive)
{
    __atomic_sub_fetch(*alive, 1, __ATOMIC_ACQ_REL);
}
EDDY_ASYNC_OWNED(int *, free_late, make_late, int);

/* The close of a loop waits for its own jobs in any pool; what they give is destroyed. */
RAW_TEST(executor_job_is_waited_for_by_the_close_of_its_loop)
{
    eddy_executor *executor = NULL;
    eddy_loop *loop;
    pthread_t opener;
    int alive = 0;

    make_nothing_alive = &alive;
    CHECK_OK(eddy_executor_new(&one, &executor));
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK(eddy_loop_create_task(loop, EDDY_EXECUTOR_CALL(executor, make_late, 0)));
    CHECK(eddy_loop_create_task(loop, EDDY_EXECUTOR_CALL(executor, make_late, 0))); /* queued */
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(stop_loop)), -ESHUTDOWN);
    pthread_create(&opener, NULL, open_soon, NULL);
    eddy_loop_free(loop);
    CHECK_EQ(__atomic_load_n(&passed, __ATOMIC_ACQUIRE), 1);
    CHECK_EQ(alive, 0);
    pthread_join(opener, NULL);
    for (int i = 0; i < 3; i++)
        CHECK_HAS(test_report(), "was pending when its loop was closed");
    eddy_executor_free(&executor);
}

/* The other order: the executor ends while the loop has not looked at the result yet. */
RAW_TEST(executor_may_be_freed_before_the_loop_sees_that_its_job_has_ended)
{
    eddy_executor *executor = NULL;
    eddy_loop *loop;
    int alive = 0;

    make_nothing_alive = &alive;
    CHECK_OK(eddy_executor_new(&one, &executor));
    CHECK_OK(eddy_loop_new(&loop));
    test_watch_reports(loop);
    CHECK(eddy_loop_create_task(loop, EDDY_EXECUTOR_CALL(executor, make_late, 0)));
    CHECK(eddy_loop_create_task(loop, EDDY_CALL(join, executor)));
    CHECK_EQ(eddy_loop_run_until_complete(loop, EDDY_CALL(stop_loop)), -ESHUTDOWN);
    open_all(NULL);
    eddy_executor_free(&executor); /* blocks until the job has ended */
    eddy_loop_free(loop);
    CHECK_EQ(alive, 0);
    for (int i = 0; i < 3; i++)
        CHECK_HAS(test_report(), "was pending when its loop was closed");
}

/* The pools of a loop ------------------------------------------------------------ */

static int run_slow_name(int which)
{
    static const struct eddy_async *const function = &stand_at_eddy_async;

    return ed_executor_run(ED_POOL_NAMES, function, &which, NULL);
}
EDDY_ASYNC(run_slow_name, int);

/* A hundred slow names, and files and users' jobs get their turn at once. */
TEST(executor_of_names_that_is_busy_delays_neither_files_nor_users)
{
    EDDY_TASKS(tasks, 100);
    CHECK(tasks != NULL);
    EDDY_DEFER(open_all, NULL);
    int which = 1, sum = 0;

    for (int i = 0; i < 100; i++)
        tasks[i] = eddy_create_task(run_slow_name, 0);
    CHECK_OK(until_running(16));
    test_settle();
    CHECK_EQ(threads(), 16);
    open_gate(1);
    CHECK_OK(ed_executor_run(ED_POOL_FILES, &stand_at_eddy_async, &which, NULL));
    CHECK_OK(eddy_to_thread(add, 20, 22, &sum));
    CHECK_EQ(sum, 42);
    CHECK_EQ(threads(), 18);
    for (int i = 0; i < 100; i++)
        CHECK(!eddy_task_done(tasks[i]));
    open_gate(0);
    for (int i = 0; i < 100; i++)
        CHECK_OK(eddy_await(tasks[i]));
}

/* Shutting the default pool is not for files and names. */
TEST(executor_of_files_outlives_the_shutdown_of_the_default_one)
{
    const char *name = "eddy-files-";

    CHECK_OK(eddy_shutdown_default_executor(EDDY_FOREVER));
    CHECK_OK(ed_executor_run(ED_POOL_FILES, &thread_name_is_eddy_async, &name, NULL));
    name = "eddy-names-";
    CHECK_OK(ed_executor_run(ED_POOL_NAMES, &thread_name_is_eddy_async, &name, NULL));
}

/* fork ---------------------------------------------------------------------------- */

static eddy_executor *parents;

static int use_in_child(void)
{
    int sum = 0;

    if (eddy_to_executor(parents, add, 1, 2, &sum) != -EPERM ||
        !strstr(eddy_error_message(-EPERM), "fork") || eddy_executor_join(parents) != -EPERM)
        return 1;
    eddy_executor_shutdown(parents, true);
    eddy_executor_free(&parents);
    if (eddy_to_thread(add, 1, 2, &sum) != 0 || sum != 3)
        return 2;
    EDDY_EXECUTOR(own, NULL);
    return eddy_to_executor(own, add, sum, 2, &sum) == 0 && sum == 5 ? 0 : 3;
}
EDDY_ASYNC(use_in_child);

static void run_in_child(void)
{
    _exit(eddy_run(use_in_child));
}

static int fork_with_threads(int *status)
{
    EDDY_EXECUTOR(executor, &one);
    EDDY_TASK job = eddy_run_in_executor(executor, stand_at, 0);
    EDDY_DEFER(open_all, NULL);
    char text[256];

    REQUIRE(eddy_to_thread(add, 1, 2) == 0);
    REQUIRE(until_running(1) == 0);
    parents = executor;
    *status = test_fork(run_in_child, text, sizeof text);
    open_gate(0);
    return eddy_await(job);
}
EDDY_ASYNC_RESULT(int, fork_with_threads);

/* A child has no threads: its own loops make theirs, the parent's pools say no. */
RAW_TEST(executor_of_the_parent_is_refused_in_a_child_which_makes_its_own)
{
    int status = -1;

    if (ED_TSAN)
        test_skip("ThreadSanitizer does not let a child of a process with threads make its own");
    CHECK_OK(eddy_run(fork_with_threads, &status));
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}

/* asyncio's run_in_executor submits within the call: what follows cannot overtake it. */
TEST(executor_may_be_freed_right_after_run_in_executor)
{
    int sum = 0;
    eddy_executor *executor;

    CHECK_OK(eddy_executor_new(&one, &executor));
    EDDY_TASK first = eddy_run_in_executor(executor, add, 2, 3);
    eddy_executor_shutdown(executor, false);
    eddy_executor_free(&executor);
    CHECK_OK(eddy_await(first, &sum));
    CHECK_EQ(sum, 5);
}

static int free_in_a_loop(eddy_executor *executor)
{
    eddy_executor_free(&executor);
    return 0;
}
EDDY_ASYNC(free_in_a_loop, eddy_executor *);

static int run_a_loop_in_a_job(eddy_executor *executor)
{
    return eddy_run(free_in_a_loop, executor);
}
EDDY_ASYNC(run_a_loop_in_a_job, eddy_executor *);

static int free_by_its_own_job(void)
{
    eddy_executor *executor;

    EDDY_TRY(eddy_executor_new(&one, &executor));
    return eddy_to_executor(executor, run_a_loop_in_a_job, executor);
}
EDDY_ASYNC(free_by_its_own_job);

static void free_by_its_own(void)
{
    (void)eddy_run(free_by_its_own_job);
}

RAW_TEST(executor_freed_by_a_loop_of_its_own_job_aborts)
{
    CHECK_DIES(free_by_its_own, "the executor one is freed by one of its own jobs");
}
