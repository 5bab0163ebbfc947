/* SPDX-License-Identifier: MIT */
/*
 * Blocking functions in threads.
 *
 *     EDDY_TRY(eddy_to_thread(checksum, path, &sum));
 *
 * The function is declared by EDDY_ASYNC like any other, but must not call what
 * suspends: in a thread such calls return -EPERM. It runs in the loop's default
 * pool of min(32, processors + 4) threads, made on demand; jobs wait first come,
 * first served. The pool ends with the loop, after its jobs.
 */
#ifndef EDDY_EXECUTOR_H
#define EDDY_EXECUTOR_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/task.h"

EDDY_BEGIN_DECLS

/*
 * Runs f(arguments...[, &out]) in a thread and waits for it; the caller's
 * task-local values can be read there. A job that has not started when the
 * caller is cancelled is withdrawn. One that runs is waited for, since it may
 * use what its arguments point to, and its result stands.
 *
 * Suspends until the job has ended.
 *
 * Returns what f returned, or with f not run: -ENOMEM, -EAGAIN when the pool
 * has no thread and none can be made, -ESHUTDOWN when the pool is shut, -ECANCELED, -ETIMEDOUT.
 */
#define eddy_to_thread(f, ...) eddy_to_thread_call(EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_to_thread_call(eddy_call call);

/* A thread job as a call, for gather, groups and wait_for. */
#define EDDY_THREAD_CALL(f, ...) eddy_thread_call_(EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))

/*
 * The same as a task: loop.run_in_executor(None, f, ...). Returns a handle as
 * eddy_create_task does; eddy_await takes the result.
 */
#define eddy_run_in_executor(f, ...)                                                               \
    eddy_task_from_call(EDDY_THREAD_CALL(f __VA_OPT__(, ) __VA_ARGS__))

/* Starts a call as a task of a loop that need not run yet, on the loop's own thread:
 * loop.create_task. NULL also when the loop is closed. */
EDDY_NODISCARD EDDY_API eddy_task *eddy_loop_create_task(eddy_loop *loop, eddy_call call);

/* Starts any call as a task, as eddy_create_task does; its `out` is unused. */
EDDY_NODISCARD EDDY_API eddy_task *eddy_task_from_call(eddy_call call);

/*
 * Shuts the default pool: waits for its jobs; later ones get -ESHUTDOWN.
 * `timeout`: seconds to wait at most, EDDY_FOREVER for no limit. eddy_run does
 * this itself. Suspends until the jobs have ended. Returns 0, -ETIMEDOUT when
 * they have not, or -ECANCELED.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_shutdown_default_executor(double timeout);

EDDY_API eddy_call eddy_thread_call_(eddy_call call);

EDDY_END_DECLS
#endif
