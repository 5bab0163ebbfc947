/* SPDX-License-Identifier: MIT */
/* Limits, shutdowns and ends of pools of worker processes, and what goes wrong in them. */
#include <errno.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/worker_jobs.h"

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
        CHECK_HAS(eddy_error_message(-EAGAIN), "no more processes or threads may be started");
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
