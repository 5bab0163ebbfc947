/* SPDX-License-Identifier: MIT */
/*
 * Functions in other processes: for what computes for long, and for what may crash.
 *
 *     static int fib(int n, long *result);
 *     EDDY_ASYNC_RESULT(long, fib, int);
 *
 *     EDDY_PROCESS_POOL(pool, &(eddy_process_pool_options){.workers = 4});
 *     EDDY_TRY(eddy_to_process(pool, fib, 40, &result));
 *
 * A worker is this program once more, which stops before its main: it has the program's functions
 * and nothing of its state. So a job sees its arguments, and everything else as it is when a
 * program starts: not what main, other threads or other jobs have set up, unless they were jobs of
 * this worker; and in a program that is linked with the shared library, not what constructors of
 * the program itself have. Jobs take values; pointers are refused when the program is compiled, and
 * so must be whatever is inside a structure. A job must not call what suspends (-EPERM).
 *
 * A job that exits, aborts, crashes or is killed ends its worker: that is this job's error, and
 * another worker takes its place. What a job prints is written when it returns. Standard input is
 * empty; SIGINT is ignored, since a Ctrl-C reaches the program, which ends its pools. Workers end
 * with the program, also when it is killed.
 *
 * A pool belongs to a loop. Not in programs with raised privileges (setuid).
 */
#ifndef EDDY_PROCESS_POOL_H
#define EDDY_PROCESS_POOL_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/executor.h"
#include "eddy/task.h"

EDDY_BEGIN_DECLS

typedef struct eddy_process_pool eddy_process_pool;

/* How a pool is to be made; all zero means the defaults. */
typedef struct eddy_process_pool_options {
    const char *name;       /* for texts; copied, cut to 31 bytes; NULL: "process pool" */
    size_t workers;         /* at most, up to 1,024; 0: as many as processors */
    size_t queue_limit;     /* jobs that may wait for a worker; 0: no limit but memory */
    size_t jobs_per_worker; /* after so many it is replaced; 0: never */
    size_t limit;           /* bytes of an input and of an output; 0: 64 MiB */
} eddy_process_pool_options;

/*
 * Makes a pool for the running loop, with no worker yet: each is started when a job finds none that
 * rests. `options` may be NULL: the defaults.
 * Returns 0, and *out is owned by the caller, who frees it with eddy_process_pool_free; or with
 * *out untouched -ENOMEM; -EINVAL for too many workers; -EPERM outside a loop, and with raised
 * privileges.
 */
EDDY_NODISCARD EDDY_API int
eddy_process_pool_new(const eddy_process_pool_options *options, eddy_process_pool **out);

/*
 * Declares a pool that is freed at the end of its block, as by eddy_process_pool_free:
 * EDDY_PROCESS_POOL(name, options). Declare it before the tasks that use it. If it cannot be made,
 * each job that is sent to it gets that error.
 */
#define EDDY_PROCESS_POOL(name, ...)                                                               \
    EDDY_CLEANUP_(eddy_process_pool_end_scope_)                                                    \
    eddy_process_pool *const name = eddy_process_pool_begin_(__VA_ARGS__)

/* Takes no more jobs: they get -ESHUTDOWN. Those that wait still run; with `immediate` they are
 * dropped, and their callers get -ESHUTDOWN too. Does not wait. Idempotent. */
EDDY_API void eddy_process_pool_shutdown(eddy_process_pool *pool, bool immediate);

/* Shuts the pool at once, and sends SIGTERM to its workers: jobs that run are ended by it, with
 * EDDY_EPROCESS. Does not wait. */
EDDY_API void eddy_process_pool_terminate_workers(eddy_process_pool *pool);
EDDY_API void eddy_process_pool_kill_workers(eddy_process_pool *pool); /* The same with SIGKILL. */

/* Waits until no job waits or runs; those that nobody waits for do not count. Suspends until then.
 * Returns 0, -ECANCELED, -ETIMEDOUT; the error with which a declared pool could not be made. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_process_pool_join(eddy_process_pool *pool);

/*
 * Shuts the pool, waits for its jobs as eddy_process_pool_join does, ends its workers, with the
 * jobs that nobody waits for, and sets the handle to NULL; NULL is left alone. Not for declared
 * pools, whose handles are const.
 *
 * Suspends until the workers are gone, and is never refused or cut short. Outside a task it does
 * not wait: who still waits gets -ESHUTDOWN, or EDDY_EPROCESS for a job that runs.
 */
EDDY_API EDDY_AWAITS void eddy_process_pool_free(eddy_process_pool **pool);

/*
 * Runs f(arguments...[, &out]) in a worker and waits for it. Jobs wait first come, first served; a
 * worker has one at a time. A job that no worker has yet when the caller is cancelled is withdrawn;
 * one that runs goes on by itself, and its result is dropped.
 *
 * Suspends until the job has ended.
 *
 * Returns what f returned, with its text; or:
 *   EDDY_EPROCESS   the job has ended its worker; the text says by which signal or status
 *   -EAGAIN         as many jobs wait as may; or no worker could be started, as of fork(2)
 *   -EINVAL         f's result owns memory (EDDY_ASYNC_OWNED), which would stay in the worker
 *   -ENOEXEC        the worker does not find f: the program's file or a library has changed
 *   EDDY_ELIMIT     the input or output is too large
 *   -ESHUTDOWN      the pool is shut down
 *   -EPERM          it is another loop's
 *   -ENOMEM, -ECANCELED, -ETIMEDOUT
 */
#define eddy_to_process(pool, f, ...)                                                              \
    eddy_process_await_(EDDY_PROCESS_CALL(pool, f __VA_OPT__(, ) __VA_ARGS__))

/* The same as a call, for gather, groups and wait_for; the pool must live until it runs. */
#define EDDY_PROCESS_CALL(pool, f, ...)                                                            \
    eddy_process_call_((pool), EDDY_CALL(f __VA_OPT__(, ) __VA_ARGS__), EDDY_ONLY_VALUES_(f))

/* The same as a task, as loop.run_in_executor does with a pool of processes. */
#define eddy_run_in_process(pool, f, ...)                                                          \
    eddy_task_from_call(EDDY_PROCESS_CALL(pool, f __VA_OPT__(, ) __VA_ARGS__))

/* Bytes that grow; zeroed is empty. */
typedef struct eddy_bytes {
    void *data; /* followed by a NUL; NULL while there was never any */
    size_t size;
    size_t room;
} eddy_bytes;

/* Declares bytes that are freed at the end of their block. EDDY_BYTES answer = {0}; */
#define EDDY_BYTES EDDY_CLEANUP_(eddy_bytes_free) eddy_bytes

/* Adds a copy at the end. 0, or -ENOMEM with nothing added. */
EDDY_NODISCARD EDDY_API int eddy_bytes_append(eddy_bytes *bytes, const void *data, size_t size);
/* Makes them so long; what is new is zero. 0, or -ENOMEM with nothing changed. */
EDDY_NODISCARD EDDY_API int eddy_bytes_resize(eddy_bytes *bytes, size_t size);
EDDY_API void eddy_bytes_free(eddy_bytes *bytes); /* Frees and empties them. */

/* A job on bytes: fills `output`, which is empty, and returns 0 or an error. */
typedef int eddy_bytes_function(const void *input, size_t size, eddy_bytes *output);

/*
 * Runs function(input, size, &its output) in a worker as eddy_to_process does. The input is copied.
 * On success `output`, unless NULL, gets what the function has written, in place of what was there;
 * the caller frees it. Suspends. Returns as eddy_to_process.
 */
#define eddy_to_process_bytes(pool, function, input, size, output)                                 \
    eddy_process_bytes((pool), (function), #function, (input), (size), (output))
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_process_bytes(eddy_process_pool *pool, eddy_bytes_function *function, const char *name,
                   const void *input, size_t size, eddy_bytes *output);

/* For the macros above. */
EDDY_API eddy_process_pool *eddy_process_pool_begin_(const eddy_process_pool_options *options);
EDDY_API EDDY_AWAITS void
eddy_process_pool_end_scope_(eddy_process_pool *const *pool); /* Suspends. */
EDDY_API eddy_call eddy_process_call_(eddy_process_pool *pool, eddy_call call, size_t only_values);
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_process_await_(eddy_call call); /* Suspends. */

EDDY_END_DECLS
#endif
