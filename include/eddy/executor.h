/* SPDX-License-Identifier: MIT */
/*
 * Blocking functions in threads.
 *
 *     EDDY_TRY(eddy_to_thread(checksum, path, &sum));         in the default pool
 *
 *     EDDY_EXECUTOR(images, &(eddy_executor_options){.name = "images", .threads = 2});
 *     EDDY_TRY(eddy_to_executor(images, shrink, file, &size));    in one's own
 *
 * The function is declared by EDDY_ASYNC like any other, but must not call what
 * suspends: in a thread such calls return -EPERM.
 *
 * Each loop has a default pool of min(32, processors + 4) threads, which ends with the
 * loop. An executor is a pool of one's own that takes jobs from any loop. Threads are
 * made on demand and block all signals; jobs wait first come, first served.
 *
 * After fork(2) the child has none of the threads. Loops that it opens make their own;
 * an executor of the parent's refuses jobs with -EPERM there, and can only be freed.
 */
#ifndef EDDY_EXECUTOR_H
#define EDDY_EXECUTOR_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/task.h"

EDDY_BEGIN_DECLS

/* A pool of threads that belongs to the process. */
typedef struct eddy_executor eddy_executor;

/* How an executor is to be made; all zero means the defaults. */
typedef struct eddy_executor_options {
    const char
        *name;      /* of its threads, "name-1"; copied, cut to 15 bytes in all; NULL: "executor" */
    size_t threads; /* at most, up to 4,096; 0: min(32, processors + 4) */
    size_t queue_limit; /* jobs that may wait for a thread; 0: no limit but memory */
} eddy_executor_options;

/*
 * Makes an executor, with no thread yet. `options` may be NULL: the defaults.
 * Returns 0, and *out is owned by the caller, who frees it with eddy_executor_free;
 * or with *out untouched -ENOMEM, or -EINVAL for too many threads.
 */
EDDY_NODISCARD EDDY_API int
eddy_executor_new(const eddy_executor_options *options, eddy_executor **out);

/*
 * Declares an executor that is freed at the end of its block, as by eddy_executor_free:
 * EDDY_EXECUTOR(name, options). Declare it before the tasks that use it, so that it
 * outlives them. If it cannot be made, each job that is sent to it gets that error.
 */
#define EDDY_EXECUTOR(name, ...)                                                                   \
    EDDY_CLEANUP_(eddy_executor_end_scope_)                                                        \
    eddy_executor *const name = eddy_executor_begin_(__VA_ARGS__)

/*
 * Takes no more jobs: they get -ESHUTDOWN. Those that wait still run; with `immediate`
 * they are dropped, and their callers get -ESHUTDOWN too, since it is not they who were
 * cancelled. Does not wait. Idempotent; an immediate one may follow. Any thread.
 */
EDDY_API void eddy_executor_shutdown(eddy_executor *executor, bool immediate);

/*
 * Waits until no job waits or runs, of whatever loop; abandoned ones do not count.
 * Suspends until then. Returns 0, -ECANCELED, -ETIMEDOUT; -EPERM for an executor of
 * the parent's; the error with which a declared one could not be made.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_executor_join(eddy_executor *executor);

/*
 * Shuts the executor, waits for its jobs as eddy_executor_join does, ends its threads
 * and sets the handle to NULL; a handle that is NULL already is left alone. A thread
 * that runs an abandoned job ends by itself after it. Not for executors declared by
 * EDDY_EXECUTOR, whose handles are const, and not in one of its own jobs (abort).
 *
 * Suspends until the jobs have ended, and is never refused or cut short; outside a
 * task it blocks the thread instead.
 */
EDDY_API EDDY_AWAITS void eddy_executor_free(eddy_executor **executor);

/*
 * Runs f(arguments...[, &out]) in a thread and waits for it; the caller's
 * task-local values can be read there. A job that has not started when the
 * caller is cancelled is withdrawn. One that runs is waited for, since it may
 * use what its arguments point to, and its result stands.
 *
 * Suspends until the job has ended.
 *
 * Returns what f returned, or with f not run:
 *   -EAGAIN      the executor is full: as many jobs wait as may; or it has no thread,
 *                and none can be made
 *   -ESHUTDOWN   it is shut down
 *   -EPERM       it is of the process before a fork(2)
 *   -ENOMEM, -ECANCELED, -ETIMEDOUT
 */
#define eddy_to_thread(f, ...) eddy_to_thread_call(EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_to_thread_call(eddy_call call);

/* The same in an executor; NULL is the loop's default pool. */
#define eddy_to_executor(executor, f, ...)                                                         \
    eddy_to_executor_call((executor), EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
/* See eddy_to_executor. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_to_executor_call(eddy_executor *executor, eddy_call call);

/* A thread job as a call, for gather, groups and wait_for. The job is submitted when the
 * call runs; the executor must live until then. */
#define EDDY_EXECUTOR_CALL(executor, f, ...)                                                       \
    eddy_executor_call_((executor), EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__))
#define EDDY_THREAD_CALL(f, ...) EDDY_EXECUTOR_CALL(NULL, f __VA_OPT__(, ) __VA_ARGS__)

/*
 * The same as a task: loop.run_in_executor(executor, f, ...). NULL is the loop's
 * default pool. The job is submitted within this call. Returns a handle as
 * eddy_create_task does; eddy_await takes the result.
 */
#define eddy_run_in_executor(executor, f, ...)                                                     \
    eddy_task_from_call(EDDY_EXECUTOR_CALL(executor, f __VA_OPT__(, ) __VA_ARGS__))

/*
 * Runs f in a thread as eddy_to_thread does, but abandons it when the caller is
 * cancelled or its time is up: the caller leaves at once, and the job goes on by itself,
 * or is withdrawn if it has not started. What it then returns is dropped, its result by
 * the destructor that EDDY_ASYNC_OWNED names, in the job's thread. Nobody waits for it:
 * no scope, no executor's end, and not the end of the loop or of eddy_run.
 *
 * Therefore f takes values only, which are copied for it; a pointer among its
 * parameters is refused when the program is compiled. What is inside a structure, or
 * in a task-local value that the job reads, is for the caller to see to. `out` is
 * written only while the caller waits.
 *
 * Suspends. Returns as eddy_to_thread does.
 */
#define eddy_to_thread_abandonable(f, ...)                                                         \
    eddy_abandonable_await_(EDDY_ABANDONABLE_CALL(NULL, f __VA_OPT__(, ) __VA_ARGS__))

/* The same in an executor; NULL is the loop's default pool. */
#define eddy_to_executor_abandonable(executor, f, ...)                                             \
    eddy_abandonable_await_(EDDY_ABANDONABLE_CALL((executor), f __VA_OPT__(, ) __VA_ARGS__))

/* The same as a call, for gather, groups and wait_for. */
#define EDDY_ABANDONABLE_CALL(executor, f, ...)                                                    \
    eddy_abandonable_call_((executor), EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__),                    \
                           EDDY_ONLY_VALUES_(f))
#define EDDY_ONLY_VALUES_(f)                                                                       \
    sizeof(struct {                                                                                \
        _Static_assert(f##_eddy_pointers == 0,                                                     \
                       #f "() takes a pointer, which may be gone while an abandoned job runs: "    \
                          "pass the value");                                                       \
        char eddy_values;                                                                          \
    })

/* A job for eddy_run_abandonable. */
typedef struct eddy_abandonable {
    eddy_entry *entry;             /* called as entry(args, result), in a thread */
    const char *name;              /* for errors' texts; read during the call; NULL: "job" */
    const void *args;              /* copied */
    size_t args_size;              /* bytes, of any size */
    size_t result_size;            /* bytes, of any size; 0: none, entry gets NULL */
    void (*destroy)(void *result); /* frees a result that nobody takes, or NULL */
} eddy_abandonable;

/*
 * The function under eddy_to_thread_abandonable, for bindings and for values larger
 * than a call may have. `out` has room for the result, or is NULL: it is dropped.
 * Suspends. Returns as eddy_to_thread does.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_run_abandonable(eddy_executor *executor, const eddy_abandonable *job, void *out);

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

/* For the macros above. */
EDDY_API eddy_executor *eddy_executor_begin_(const eddy_executor_options *options);
EDDY_API EDDY_AWAITS void eddy_executor_end_scope_(eddy_executor *const *executor); /* Suspends. */
EDDY_API eddy_call eddy_executor_call_(eddy_executor *executor, eddy_call call);
EDDY_API eddy_call eddy_abandonable_call_(eddy_executor *executor, eddy_call call,
                                          size_t only_values);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_abandonable_await_(eddy_call call); /* Suspends. */

EDDY_END_DECLS
#endif
