/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several tasks at once, or for one within a limit. These borrow
 * handles: they end no task, but where the text says so.
 */
#ifndef EDDY_WAIT_H
#define EDDY_WAIT_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/scope.h"
#include "eddy/task.h"

EDDY_BEGIN_DECLS

enum eddy_wait_mode {
    EDDY_ALL_COMPLETED,   /* until every task has ended */
    EDDY_FIRST_COMPLETED, /* until one has ended */
    EDDY_FIRST_EXCEPTION, /* until one has failed; a cancelled task has not */
};

/*
 * asyncio.wait: waits until enough of `count` tasks have ended, or `timeout`
 * seconds have passed (EDDY_FOREVER: no limit), which is no error. Afterwards
 * eddy_task_done tells which have. A task may be listed twice.
 *
 * Suspends, at least for one turn of the loop.
 *
 * Returns how many of the tasks listed have ended, or with the tasks untouched:
 *   -EINVAL      count is 0, the mode does not exist, the timeout is NaN, or a
 *                task belongs to another loop
 *   -EDEADLK     a task waits for itself
 *   -ENOMEM      a handle is NULL, or memory is short
 *   -ECANCELED, -ETIMEDOUT
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_wait(eddy_task *const *tasks, size_t count, enum eddy_wait_mode mode, double timeout);

/*
 * asyncio.as_completed: gives tasks in the order in which they end.
 *
 *     EDDY_AS_COMPLETED(finished, tasks, n, EDDY_FOREVER);
 *     eddy_task *task;
 *     int rc;
 *     while ((rc = eddy_as_completed_next(&finished, &task)) > 0)
 *         EDDY_TRY(eddy_await(task, &page));
 *
 * The timeout, in seconds, runs from the declaration. Leaving the block early
 * leaves the tasks running. A task listed twice is given once.
 */
typedef struct eddy_as_completed {
    struct watched *watched; /* one a task */
    size_t count;
    struct eddy_list_ ended; /* not given yet, in order */
    size_t remaining;        /* not given yet, in all */
    int64_t deadline;        /* ns of the loop's clock */
    int error;               /* of the declaration: -ENOMEM, -EINVAL */
    bool expired;
    void *waiter; /* the wait in next, or NULL */
} eddy_as_completed;

#define EDDY_AS_COMPLETED(name, tasks, count, timeout)                                             \
    EDDY_CLEANUP_(eddy_as_completed_end) eddy_as_completed name;                                   \
    eddy_as_completed_begin(&name, (tasks), (count), (timeout))

/*
 * The next task to end, borrowed. Returns 1 with a task, 0 when all have been
 * given, -ETIMEDOUT at every call once the iteration's limit has passed and
 * those that ended before it have been given, or -ECANCELED.
 *
 * Suspends unless a task has ended that was not given yet.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_as_completed_next(eddy_as_completed *iterator, eddy_task **task);

/*
 * asyncio.wait_for: runs a call within a limit.
 *
 *     rc = eddy_wait_for(EDDY_CALL(fetch, url, &page), 1.5);
 *     rc = eddy_wait_for(task, 1.5);
 *
 * A call runs in the calling task under a timeout. A task is awaited, and when
 * the time is up cancelled and waited for, however long its clean-up takes.
 * Either way a value that comes after all is returned as success, another error
 * as itself. With a limit of 0 or less a call does not start, and a task that
 * has not ended is cancelled.
 *
 * Suspends if the call does, or until the task has ended.
 *
 * Returns what the call or task returned, -ETIMEDOUT, or -ECANCELED, which
 * cancels the task as well; -EINVAL for NaN or a task of another loop, -EDEADLK
 * for the calling task.
 */
#ifndef __cplusplus
#define eddy_wait_for(what, seconds)                                                               \
    _Generic((what), eddy_call                                                                     \
             : eddy_wait_for_call, eddy_task *                                                     \
             : eddy_wait_for_task)((what), (seconds))
#endif
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_wait_for_call(eddy_call call, double seconds);
/* See eddy_wait_for. Suspends until the task has ended. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_wait_for_task(eddy_task *task, double seconds);

/*
 * asyncio.shield: runs a call as a task of its own, which goes on when the
 * caller is cancelled or timed out; only the end of eddy_run cancels it. What
 * its arguments point to must live as long; its output is written only while
 * the caller waits. (Awaiting a handle never passes a cancel on: for a task,
 * shield is eddy_await.)
 *
 * Suspends.
 *
 * Returns what the call returned, -ENOMEM, or -ECANCELED or -ETIMEDOUT at once
 * while the call goes on; an error that it then ends with is reported.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_shield(eddy_call call);

/* The functions under EDDY_AS_COMPLETED. */
EDDY_API void eddy_as_completed_begin(eddy_as_completed *iterator, eddy_task *const *tasks,
                                      size_t count, double timeout);
/* Ends an iteration; the tasks go on. */
EDDY_API void eddy_as_completed_end(eddy_as_completed *iterator);

EDDY_END_DECLS
#endif
