/* SPDX-License-Identifier: MIT */
/*
 * Thread jobs: rules A-EXEC-1 to A-EXEC-14. The threads are real; gates make what
 * they do independent of how fast anybody is.
 */
#include "base/fault.h"
#include "os/executor.h"
#include "os/gate.h"

#include <pthread.h>

static int sequence; /* atomic */

static int add(int a, int b, int *sum)
{
    *sum = a + b;
    return 0;
}
EDDY_ASYNC_RESULT(int, add, int, int);

static int fail(int code)
{
    return eddy_raise(code, "job %d went wrong", -code);
}
EDDY_ASYNC(fail, int);

static int stand_at(int which, int *order)
{
    stand_at_gate(which);
    *order = __atomic_fetch_add(&sequence, 1, __ATOMIC_ACQ_REL);
    return 0;
}
EDDY_ASYNC_RESULT(int, stand_at, int);

/* How many threads the default pool may have. */
static int pool_size(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors + 4 < 32 ? (int)processors + 4 : 32;
}

static int nothing(void)
{
    return 0;
}
EDDY_ASYNC(nothing);

/* A-EXEC-3: result, error and text come back. */
TEST(thread_job_gives_its_result_or_its_error_with_the_text)
{
    int sum = 0;

    CHECK_OK(eddy_to_thread(add, 40, 2, &sum));
    CHECK_EQ(sum, 42);
    CHECK_OK(eddy_to_thread(add, 1, 2)); /* nobody wants it */
    CHECK_EQ(eddy_to_thread(fail, -EIO), -EIO);
    CHECK_STR(eddy_error_message(-EIO), "job 5 went wrong");
    CHECK(eddy_error_origin(-EIO) && strstr(eddy_error_origin(-EIO), "executor.c:"));
}

static int note_thread(pthread_t *self)
{
    *self = pthread_self();
    return 0;
}
EDDY_ASYNC_RESULT(pthread_t, note_thread);

/* A-EXEC-3: the function runs elsewhere, who waits for it goes on in the loop's thread. */
TEST(thread_job_runs_in_another_thread_and_ends_in_the_loops)
{
    pthread_t self = pthread_self(), other = self;

    CHECK_OK(eddy_to_thread(note_thread, &other));
    CHECK(!pthread_equal(self, other));
    CHECK(pthread_equal(self, pthread_self()));
}

static int fail_with(int code, int say, int end)
{
    if (say)
        (void)eddy_raise(code, "the text of the first job");
    return end ? code : 0;
}
EDDY_ASYNC(fail_with, int, int, int);

/* Promise 1: an error without a text is not explained by another job's. */
TEST(thread_job_error_is_not_explained_by_an_earlier_job)
{
    for (int i = 0; i < 2 * pool_size(); i++) /* so that a thread has both kinds */
        CHECK_OK(eddy_to_thread(fail_with, -EIO, 1, 0));
    for (int i = 0; i < 2 * pool_size(); i++) {
        CHECK_EQ(eddy_to_thread(fail_with, -EIO, 0, 1), -EIO);
        CHECK_STR(eddy_error_message(-EIO), eddy_strerror(-EIO));
    }
}

/* A-EXEC-1, A-EXEC-2: threads are made when all are busy, and no more than the limit. */
TEST(thread_pool_grows_on_demand_up_to_its_limit)
{
    EDDY_TASKS(tasks, 60);
    CHECK(tasks != NULL);
    EDDY_DEFER(open_all, NULL);

    CHECK_EQ(threads(), 0);
    for (int i = 0; i < 3; i++)
        tasks[i] = eddy_run_in_executor(NULL, stand_at, i);
    CHECK_OK(until_running(3));
    CHECK_EQ(threads(), 3);
    for (int i = 3; i < 60; i++)
        tasks[i] = eddy_run_in_executor(NULL, stand_at, i);
    CHECK_OK(until_running(pool_size()));
    test_settle();
    CHECK_EQ(threads(), pool_size());
    CHECK_EQ(__atomic_load_n(&running, __ATOMIC_ACQUIRE), pool_size());
    open_all(NULL);
    for (int i = 0; i < 60; i++)
        CHECK_OK(eddy_await(tasks[i]));
    CHECK_EQ(threads(), pool_size());
}

/* A-EXEC-2: waiting jobs are first come, first served. */
TEST(thread_jobs_that_wait_are_served_in_order)
{
    EDDY_TASKS(tasks, 64);
    CHECK(tasks != NULL);
    EDDY_DEFER(open_all, NULL);
    int busy = pool_size(), order = -1;

    for (int i = 0; i < busy; i++)
        tasks[i] = eddy_run_in_executor(NULL, stand_at, i);
    CHECK_OK(until_running(busy));
    for (int i = busy; i < 60; i++) {
        open_gate(i);
        tasks[i] = eddy_run_in_executor(NULL, stand_at, i);
    }
    test_settle();
    open_gate(0); /* one thread alone works off the queue */
    for (int i = busy; i < 60; i++) {
        CHECK_OK(eddy_await(tasks[i], &order));
        CHECK_EQ(order, i - busy + 1);
    }
}

/* 200 jobs, each with its result. */
TEST(thread_jobs_by_the_hundred_give_each_its_result)
{
    static eddy_call calls[200];
    static int sums[200];

    for (int i = 0; i < 200; i++)
        calls[i] = EDDY_THREAD_CALL(add, i, 1000, &sums[i]);
    CHECK_OK(eddy_gather_calls(calls, 200));
    for (int i = 0; i < 200; i++)
        CHECK_EQ(sums[i], i + 1000);
    CHECK(threads() >= 1 && threads() <= (size_t)pool_size());
}

static int twice(int value, int *out)
{
    EDDY_TRY(eddy_sleep(0));
    *out = 2 * value;
    return 0;
}
EDDY_ASYNC_RESULT(int, twice, int);

/* Issue 2, 2.7: a thread job is a call like any other: gather, group, wait_for, shield. */
TEST(thread_job_stands_beside_coroutines_wherever_calls_go)
{
    int a = 0, b = 0, c = 0, d = 0;

    CHECK_OK(eddy_gather(EDDY_THREAD_CALL(add, 1, 2, &a), EDDY_CALL(twice, 4, &b)));
    CHECK(a == 3 && b == 8);
    CHECK_EQ(eddy_gather(EDDY_THREAD_CALL(fail, -EDOM), EDDY_CALL(twice, 4, &b)), -EDOM);
    CHECK_STR(eddy_error_message(-EDOM), "job 33 went wrong");
    {
        EDDY_GROUP(group);
        CHECK_OK(eddy_group_start(&group, EDDY_THREAD_CALL(add, 3, 4, &c)));
        CHECK_OK(eddy_group_join(&group));
    }
    CHECK_EQ(c, 7);
    CHECK_OK(eddy_wait_for(EDDY_THREAD_CALL(add, 5, 6, &d), EDDY_FOREVER));
    CHECK_EQ(d, 11);
    CHECK_OK(eddy_shield(EDDY_THREAD_CALL(add, 7, 8, &d)));
    CHECK_EQ(d, 15);
}

static eddy_local who = EDDY_LOCAL_INIT("who", "nobody");

static int use_local(const char **seen)
{
    *seen = eddy_local_get(&who);
    return eddy_local_set(&who, "the job", NULL);
}
EDDY_ASYNC_RESULT(const char *, use_local);

/* A-EXEC-4, A-CTX-5: the job has a copy of its caller's values, and keeps its changes. */
TEST(thread_job_reads_its_callers_local_values_and_changes_only_a_copy)
{
    const char *seen = "";

    CHECK_OK(eddy_local_set(&who, "the caller", NULL));
    CHECK_OK(eddy_to_thread(use_local, &seen));
    CHECK_STR(seen, "the caller");
    CHECK_STR(eddy_local_get(&who), "the caller");
    EDDY_TASK task = eddy_run_in_executor(NULL, use_local);
    CHECK_OK(eddy_await(task, &seen));
    CHECK_STR(seen, "the caller");
    CHECK_STR(eddy_local_get(&who), "the caller");
}

static int job_and_then(int which, int *order, int *then)
{
    int rc = eddy_to_thread(stand_at, which, order);

    *then = eddy_sleep(0);
    return rc;
}
EDDY_ASYNC(job_and_then, int, int *, int *);

/* A-EXEC-5, where Eddy differs (promise 4): a job that runs is waited for; its result
 * stands, and the cancel is seen at the next call. */
TEST(thread_job_that_runs_is_waited_for_when_its_caller_is_cancelled)
{
    static int order = -1, then;
    EDDY_TASK caller = eddy_create_task(job_and_then, 0, &order, &then);
    EDDY_DEFER(open_all, NULL);

    CHECK_OK(until_running(1));
    CHECK_OK(eddy_cancel(caller));
    test_settle();
    CHECK(!eddy_task_done(caller));
    open_gate(0);
    CHECK_OK(eddy_await(caller));
    CHECK_EQ(order, 0);
    CHECK_EQ(then, -ECANCELED);
}

static int stand_here(void *args, void *result)
{
    (void)result;
    stand_at_gate(*(int *)args);
    return 0;
}

static void open_here(void *args)
{
    open_gate(*(int *)args);
}

static int stand_until_interrupted(void)
{
    static const struct eddy_async function = {stand_here, "stand_here", NULL, 0, 0};
    int which = 9;

    return ed_executor_run_interruptible(ED_POOL_FILES, &function, &which, NULL, open_here);
}
EDDY_ASYNC(stand_until_interrupted);

/* One that can be asked to end early is; that it had to is its own affair. */
TEST(thread_job_that_is_interruptible_is_told_of_a_cancel)
{
    EDDY_TASK caller = eddy_create_task(stand_until_interrupted);
    EDDY_DEFER(open_all, NULL);

    CHECK_OK(until_running(1));
    CHECK_OK(eddy_cancel(caller));
    CHECK_OK(eddy_await(caller));
}

/* A-EXEC-6, A-FUT-11: a job that waits is withdrawn, and never runs. */
TEST(thread_job_that_waits_is_withdrawn_when_its_caller_is_cancelled)
{
    EDDY_TASKS(tasks, 64);
    CHECK(tasks != NULL);
    static int order = -1, then;
    EDDY_DEFER(open_all, NULL);
    int busy = pool_size();

    CHECK_OK(eddy_local_set(&who, "the caller", NULL)); /* a copy goes with each job */
    for (int i = 0; i < busy; i++)
        tasks[i] = eddy_run_in_executor(NULL, stand_at, i);
    CHECK_OK(until_running(busy));
    tasks[62] = eddy_create_task(job_and_then, 62, &order, &then);
    tasks[63] = eddy_run_in_executor(NULL, add, 1, 2);
    test_settle();
    CHECK_OK(eddy_cancel(tasks[62]));
    CHECK_EQ(eddy_await(tasks[62]), -ECANCELED); /* at once: all threads are busy */
    CHECK_EQ(then, -ECANCELED);
    eddy_task_release(&tasks[63]); /* the end of ownership withdraws likewise */
    open_all(NULL);
    for (int i = 0; i < busy; i++)
        CHECK_OK(eddy_await(tasks[i]));
    CHECK_EQ(order, -1);
    CHECK_EQ(__atomic_load_n(&running, __ATOMIC_ACQUIRE), busy);
}

/* The end of a scope waits for a job that runs: it may use what its arguments point to. */
TEST(thread_job_does_not_outlive_the_scope_of_its_task)
{
    int busy = 1;
    {
        EDDY_TASK task = eddy_run_in_executor(NULL, stand_at, 5);
        EDDY_DEFER(open_all, NULL); /* runs before the task's end */
        CHECK_OK(until_running(busy));
    }
    CHECK_EQ(__atomic_load_n(&sequence, __ATOMIC_ACQUIRE), 1);
}

/* A-EXEC-7: waits for all jobs without holding up the loop; then the pool is shut. */
TEST(thread_pool_shutdown_waits_for_its_jobs_and_refuses_later_ones)
{
    EDDY_TASK job = eddy_run_in_executor(NULL, stand_at, 0);
    EDDY_DEFER(open_all, NULL);
    int sum = -1;

    CHECK_OK(until_running(1));
    CHECK_EQ(eddy_shutdown_default_executor(0), -ETIMEDOUT); /* not waited for */
    CHECK_EQ(eddy_to_thread(add, 1, 2, &sum), -ESHUTDOWN);
    CHECK_HAS(eddy_error_message(-ESHUTDOWN), "shut down");
    CHECK_EQ(sum, -1);
    CHECK(!eddy_task_done(job));
    open_gate(0);
    CHECK_OK(eddy_shutdown_default_executor(EDDY_FOREVER));
    CHECK(__atomic_load_n(&sequence, __ATOMIC_ACQUIRE) == 1);
    CHECK_OK(eddy_await(job));
    CHECK_OK(eddy_shutdown_default_executor(EDDY_FOREVER));
}

static int shut(void)
{
    return eddy_shutdown_default_executor(EDDY_FOREVER);
}
EDDY_ASYNC(shut);

/* A-EXEC-7: who waits for the shutdown can be cancelled, the jobs go on. */
TEST(thread_pool_shutdown_can_be_cancelled)
{
    EDDY_TASK job = eddy_run_in_executor(NULL, stand_at, 0);
    EDDY_TASK waiter = eddy_create_task(shut);
    EDDY_DEFER(open_all, NULL);

    CHECK_OK(until_running(1));
    CHECK_OK(eddy_cancel(waiter));
    CHECK_EQ(eddy_await(waiter), -ECANCELED);
    CHECK(!eddy_task_done(job));
    open_gate(0);
    CHECK_OK(eddy_await(job));
}

/* A pool that was never used is shut at once. */
TEST(thread_pool_that_was_never_used_can_be_shut)
{
    CHECK_OK(eddy_shutdown_default_executor(1));
    CHECK_EQ(eddy_to_thread(nothing), -ESHUTDOWN);
    CHECK_EQ(threads(), 0);
}

/* Reliability 3: the first thread that cannot be made is an error with its reason. */
TEST(thread_that_cannot_be_made_is_an_error)
{
    int sum = -1;

    ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    CHECK_EQ(eddy_to_thread(add, 1, 2, &sum), -EAGAIN);
    CHECK_HAS(eddy_error_message(-EAGAIN), "add() cannot be run in a thread");
    CHECK_EQ(sum, -1);
    CHECK_OK(eddy_to_thread(add, 1, 2, &sum)); /* the next one works */
    CHECK_EQ(sum, 3);
    ed_fault_set(ED_FAULT_THREAD, 0, 0);
}

/* The injected error is the one that is told. */
TEST(thread_that_cannot_be_made_tells_the_error_it_met)
{
    ed_fault_set(ED_FAULT_THREAD, 1, -ENOMEM);
    CHECK_EQ(eddy_to_thread(nothing), -ENOMEM);
    ed_fault_set(ED_FAULT_THREAD, 0, 0);
}

/* Without a second thread the first one does the work of both. */
TEST(thread_jobs_share_a_thread_when_no_other_can_be_made)
{
    EDDY_TASK a = eddy_run_in_executor(NULL, stand_at, 0);
    EDDY_DEFER(open_all, NULL);

    CHECK_OK(until_running(1));
    ed_fault_set(ED_FAULT_THREAD, 1, -EAGAIN);
    EDDY_TASK b = eddy_run_in_executor(NULL, stand_at, 0);
    test_settle();
    CHECK_EQ(threads(), 1);
    CHECK(!eddy_task_done(b));
    open_gate(0);
    CHECK_OK(eddy_await(a));
    CHECK_OK(eddy_await(b));
    ed_fault_set(ED_FAULT_THREAD, 0, 0);
}

/* Issue 2, section 5: every allocation fails once: -ENOMEM, no job, everything usable. */
TEST(thread_job_without_memory_does_not_run)
{
    int sum = -1, rc = -ENOMEM, failures = 0;

    CHECK_OK(eddy_local_set(&who, "me", NULL));
    for (uint64_t nth = 1; nth < 20 && rc == -ENOMEM; nth++) {
        ed_fault_set(ED_FAULT_ALLOC, nth, -ENOMEM);
        rc = eddy_to_thread(add, 1, 2, &sum);
        ed_fault_set(ED_FAULT_ALLOC, 0, 0);
        CHECK(rc == 0 || rc == -ENOMEM);
        CHECK_EQ(sum, rc == 0 ? 3 : -1);
        failures += rc < 0;
    }
    CHECK_OK(rc);
    CHECK(failures > 0);
}

static int call_what_suspends(void)
{
    eddy_queue queue = EDDY_QUEUE_INIT(int, 1);
    eddy_lock lock = EDDY_LOCK_INIT;
    eddy_future future = EDDY_FUTURE_INIT(int);
    int item = 0;

    REQUIRE(eddy_sleep(0) == -EPERM);
    REQUIRE(strstr(eddy_error_message(-EPERM), "only a task can wait"));
    REQUIRE(eddy_queue_put(&queue, &item) == -EPERM);
    REQUIRE(eddy_queue_get(&queue, &item) == -EPERM);
    REQUIRE(eddy_lock_acquire(&lock) == -EPERM);
    REQUIRE(eddy_await(&future) == -EPERM);
    REQUIRE(eddy_gather(EDDY_CALL(nothing)) == -EPERM);
    REQUIRE(eddy_to_thread(nothing) == -EPERM);
    REQUIRE(eddy_wait_for(EDDY_CALL(nothing), 1) == -EPERM);
    REQUIRE(eddy_shield(EDDY_CALL(nothing)) == -EPERM);
    REQUIRE(eddy_create_task(nothing) == NULL);
    REQUIRE(eddy_current_task() == NULL && eddy_get_running_loop() == NULL);
    return eddy_sleep(1);
}
EDDY_ASYNC(call_what_suspends);

/* A-EXEC-13, executor.h: what suspends is refused in a thread. */
TEST(thread_job_that_calls_what_suspends_is_refused)
{
    CHECK_EQ(eddy_to_thread(call_what_suspends), -EPERM);
    CHECK_HAS(eddy_error_message(-EPERM), "only a task can wait");
}

static int set_from_job(eddy_future *future)
{
    return eddy_future_set_result_threadsafe(future, &(int){7});
}
EDDY_ASYNC(set_from_job, eddy_future *);

/* A-EXEC-13: a job talks to the loop by what is made for threads. */
TEST(thread_job_may_set_a_threadsafe_future)
{
    EDDY_THREADSAFE_FUTURE(future, int);
    int value = 0;

    CHECK_OK(eddy_to_thread(set_from_job, &future));
    CHECK_OK(eddy_await(&future, &value));
    CHECK_EQ(value, 7);
}

static int owned_alive;

static int make_owned(int **out)
{
    __atomic_add_fetch(&owned_alive, 1, __ATOMIC_ACQ_REL);
    *out = &owned_alive;
    return 0;
}
static void free_owned(int **owned)
{
    __atomic_sub_fetch(*owned, 1, __ATOMIC_ACQ_REL);
}
EDDY_ASYNC_OWNED(int *, free_owned, make_owned);

/* Promise 4: an owned result that nobody takes is destroyed. */
TEST(thread_job_result_that_nobody_takes_is_destroyed)
{
    int *mine = NULL;

    CHECK_OK(eddy_to_thread(make_owned));
    CHECK_EQ(owned_alive, 0);
    CHECK_OK(eddy_to_thread(make_owned, &mine));
    CHECK_EQ(owned_alive, 1);
    {
        EDDY_TASK task = eddy_run_in_executor(NULL, make_owned);
        CHECK_OK(eddy_sleep(0));
    }
    CHECK_EQ(owned_alive, 1);
}

static int job_when_cancelled(void)
{
    eddy_cancel(eddy_current_task());
    REQUIRE(eddy_to_thread(nothing) == -ECANCELED);
    REQUIRE(threads() == 0);
    return 0;
}
EDDY_ASYNC(job_when_cancelled);

/* Promise 3: on entry a pending cancel wins; no job, no thread. */
TEST(thread_job_of_a_cancelled_task_does_not_start)
{
    EDDY_TASK task = eddy_create_task(job_when_cancelled);

    CHECK_OK(eddy_await(task));
}

static int leave_a_job(void)
{
    eddy_task *task = eddy_run_in_executor(NULL, stand_at, 0);

    eddy_task_detach(&task);
    EDDY_TRY(until_running(1));
    open_gate(0);
    return 0;
}
EDDY_ASYNC(leave_a_job);

/* A-EXEC-9: the end of the run waits for a job that runs, and joins its thread. */
RAW_TEST(thread_job_is_waited_for_by_the_end_of_the_run)
{
    CHECK_OK(eddy_run(leave_a_job));
    CHECK_EQ(__atomic_load_n(&sequence, __ATOMIC_ACQUIRE), 1);
    CHECK_EQ(threads(), 0);
}
