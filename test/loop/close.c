/* SPDX-License-Identifier: MIT */
/*
 * A loop that is closed over tasks: they are destroyed where they stand (D-10), and
 * nothing may keep a link into their stacks: no timer, and no list of waiters.
 */
#include "loop/trace.h"

#define HOUR 3600.

/* Timers ---------------------------------------------------------------------- */

static int waits_in_a_timeout(void)
{
    eddy_event event = EDDY_EVENT_INIT;
    EDDY_TIMEOUT(limit, HOUR);

    return eddy_event_wait(&event);
}
EDDY_ASYNC(waits_in_a_timeout);

static int sleeps_in_a_timeout(void)
{
    EDDY_TIMEOUT(limit, HOUR);

    return eddy_sleep(HOUR);
}
EDDY_ASYNC(sleeps_in_a_timeout);

static int waits_with_a_limit(void)
{
    eddy_task *task = eddy_create_task(sleeps_in_a_timeout);
    eddy_task *tasks[] = {task};
    int rc = eddy_wait(tasks, 1, EDDY_ALL_COMPLETED, HOUR);

    eddy_task_release(&task);
    return rc;
}
EDDY_ASYNC(waits_with_a_limit);

static int waits_for_with_a_limit(void)
{
    eddy_task *task = eddy_create_task(sleeps_in_a_timeout);
    int rc = eddy_wait_for(task, HOUR);

    eddy_task_release(&task);
    return rc;
}
EDDY_ASYNC(waits_for_with_a_limit);

static int leaves(int which)
{
    eddy_task *task = which == 0   ? eddy_create_task(waits_in_a_timeout)
                      : which == 1 ? eddy_create_task(sleeps_in_a_timeout)
                      : which == 2 ? eddy_create_task(waits_for_with_a_limit)
                                   : eddy_create_task(waits_with_a_limit);

    eddy_task_detach(&task);
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves, int);

static void schedule_around(eddy_loop *loop, double seconds)
{
    for (int i = 0; i < 5; i++)
        (void)eddy_loop_call_later(loop, seconds + i * 1e-6, trace_add, "x");
}

static void close_over(int which)
{
    eddy_loop *loop = loop_open();

    schedule_around(loop, HOUR);
    CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leaves, which)));
    schedule_around(loop, HOUR - 1);
    CHECK_OK(eddy_loop_close(loop));
    eddy_loop_free(loop);
    CHECK_HAS(test_report(), "was pending when its loop was closed");
    if (which >= 2)
        CHECK_HAS(test_report(), "was pending when its loop was closed");
    CHECK_STR(test_report(), "");
    CHECK_STR(trace, "");
}

/* The stacks were unmapped first; then the handles' timers were unlinked from lists that
 * still held the timers of timeouts in these stacks: a crash. */
RAW_TEST(close_over_timeouts_in_the_stacks_of_tasks_drops_them)
{
    for (int which = 0; which < 3; which++)
        close_over(which);
}

static void close_over_wait(void)
{
    close_over(3);
}

/* The same of the timer of eddy_wait, in a process of its own: what the wait allocated is
 * not freed. */
RAW_TEST(close_over_a_wait_with_a_limit_drops_its_timer)
{
    char text[1024];
    int status = test_fork(close_over_wait, text, sizeof text);

    CHECK_THAT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", text);
}

/* Lists of waiters ------------------------------------------------------------- */

enum { EVENT, LOCK, SEMAPHORE, CONDITION, FUTURE, GET, PUT, JOIN, KINDS };

static eddy_event event = EDDY_EVENT_INIT;
static eddy_lock lock = EDDY_LOCK_INIT, monitor = EDDY_LOCK_INIT;
static eddy_semaphore semaphore = EDDY_SEMAPHORE_INIT(0);
static eddy_condition condition = EDDY_CONDITION_INIT(&monitor);
static eddy_future future = EDDY_FUTURE_INIT(int);
static eddy_queue empty = EDDY_QUEUE_INIT(int, 1), full = EDDY_QUEUE_INIT(int, 1);
static eddy_queue unfinished = EDDY_QUEUE_INIT(int, 1);

static int waits_for(int kind)
{
    int item = 0;

    switch (kind) {
    case EVENT: EDDY_TRY(eddy_event_wait(&event)); break;
    case LOCK: EDDY_TRY(eddy_lock_acquire(&lock)); break;
    case SEMAPHORE: EDDY_TRY(eddy_semaphore_acquire(&semaphore)); break;
    case CONDITION:
        EDDY_TRY(eddy_lock_acquire(&monitor));
        EDDY_TRY(eddy_condition_wait(&condition));
        break;
    case FUTURE: EDDY_TRY(eddy_await(&future, &item)); break;
    case GET: EDDY_TRY(eddy_queue_get(&empty, &item)); break;
    case PUT: EDDY_TRY(eddy_queue_put(&full, &item)); break;
    default: EDDY_TRY(eddy_queue_join(&unfinished)); break;
    }
    trace_add("ran-on");
    return 0;
}
EDDY_ASYNC(waits_for, int);

static int leaves_waiting(int kind)
{
    eddy_task *task;

    if (kind == LOCK)
        EDDY_TRY(eddy_lock_acquire(&lock));
    if (kind == PUT)
        EDDY_TRY(eddy_queue_put_nowait(&full, &(int){1}));
    if (kind == JOIN)
        EDDY_TRY(eddy_queue_put_nowait(&unfinished, &(int){1}));
    task = eddy_create_task(waits_for, kind);
    eddy_task_detach(&task);
    return eddy_sleep(1);
}
EDDY_ASYNC(leaves_waiting, int);

static int wakes(int kind)
{
    int item = 0;

    switch (kind) {
    case EVENT: eddy_event_set(&event); break;
    case LOCK: EDDY_TRY(eddy_lock_release(&lock)); break;
    case SEMAPHORE: EDDY_TRY(eddy_semaphore_release(&semaphore)); break;
    case CONDITION:
        EDDY_TRY(eddy_lock_acquire(&monitor));
        EDDY_TRY(eddy_condition_notify_all(&condition));
        EDDY_TRY(eddy_lock_release(&monitor));
        break;
    case FUTURE: EDDY_TRY(eddy_future_set_result(&future, &(int){1})); break;
    case GET: EDDY_TRY(eddy_queue_put_nowait(&empty, &(int){1})); break;
    case PUT: EDDY_TRY(eddy_queue_get_nowait(&full, &item)); break;
    default:
        EDDY_TRY(eddy_queue_get_nowait(&unfinished, &item));
        EDDY_TRY(eddy_queue_task_done(&unfinished));
        break;
    }
    return eddy_sleep(1);
}
EDDY_ASYNC(wakes, int);

/* Only waits that know how to abort were undone; the others stayed in the list of what
 * they waited for, and the next loop woke a task whose stack was unmapped. */
RAW_TEST(close_takes_waiting_tasks_out_of_what_they_wait_for)
{
    for (int kind = 0; kind < KINDS; kind++) {
        eddy_loop *loop = loop_open();

        CHECK_OK(eddy_loop_run_until_complete(loop, EDDY_CALL(leaves_waiting, kind)));
        eddy_loop_free(loop);
        CHECK_HAS(test_report(), "was pending when its loop was closed");
        CHECK_OK(eddy_run(wakes, kind));
    }
    CHECK_STR(test_report(), "");
    CHECK_STR(trace, "");
    CHECK(!lock.locked);
    eddy_queue_deinit(&empty);
    eddy_queue_deinit(&full);
    eddy_queue_deinit(&unfinished);
}
