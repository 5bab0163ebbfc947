/* SPDX-License-Identifier: MIT */
/*
 * Tasks: async functions that run concurrently on one loop, each on a stack of
 * its own, switching only where a call suspends.
 *
 * A task belongs to the loop of the thread that created it. Only
 * eddy_loop_call_soon_threadsafe and its relatives may be called from another
 * thread; everything here is for the loop's own thread.
 *
 * Owner. Whoever creates a task owns its handle and ends it in one of three
 * ways: EDDY_TASK does so at the end of its block, eddy_task_release does so
 * now, eddy_task_detach lets the task go on alone. A handle must not be used
 * after that. An await does not end ownership: eddy_await(eddy_create_task(f)) keeps
 * the task's stack until eddy_run, which ends and frees what was forgotten; call f
 * plainly instead.
 */
#ifndef EDDY_TASK_H
#define EDDY_TASK_H

#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/switch.h"

EDDY_BEGIN_DECLS

/* How a task is to be made; all zero means the defaults. */
typedef struct eddy_task_options {
    const char *name;  /* copied, cut after 31 bytes; NULL: "Task-N" */
    size_t stack_size; /* usable bytes, rounded up; 0: EDDY_STACK_SIZE */
    bool eager_start;  /* runs within its creation: see eddy_create_task_eager */
} eddy_task_options;

/* The usable stack of a task: 192 KiB, of which a sleeping task occupies one
 * page. Enough for printf with any format (10 KiB), a TLS handshake (30 KiB)
 * and the name-service modules behind getaddrinfo (90 KiB). */
#define EDDY_STACK_SIZE ((size_t)192 * 1024)

/*
 * Starts f(arguments...) as a task: it runs when the calling task next
 * suspends, after all tasks that were created before it. The arguments are
 * copied; f must be declared by EDDY_ASYNC or EDDY_ASYNC_RESULT, and its result
 * stays with the task until eddy_await takes it.
 *
 * Returns the handle, owned by the caller, or NULL when there is no memory, no
 * mapping left for a stack, or no running loop; every function that takes a
 * handle accepts NULL, and reports -ENOMEM.
 */
#define eddy_create_task(f, ...) f##_eddy_task(EDDY_HERE_, NULL __VA_OPT__(, ) __VA_ARGS__)

/* The same with options, a const eddy_task_options * that is read during the call: a
 * variable's address, or a literal in parentheses, since its commas would end the
 * argument: (&(eddy_task_options){.name = "x", .eager_start = true}). */
#define eddy_create_task_with(options, f, ...)                                                     \
    f##_eddy_task(EDDY_HERE_, (options)__VA_OPT__(, ) __VA_ARGS__)

/*
 * The same, but the task runs at once, inside this call, up to where it first
 * suspends; then the caller goes on, before anybody else. A task that never
 * suspends has ended when it has been created, and costs no place in the queue; its
 * error stays with it until it is read. Outside a running loop an eager task is one
 * like any other.
 */
#define eddy_create_task_eager(f, ...)                                                             \
    f##_eddy_task(EDDY_HERE_, &eddy_task_eager_ __VA_OPT__(, ) __VA_ARGS__)

/*
 * Declares an owning handle, safe by default: at the end of its block, on every
 * path, the task is cancelled for good and joined, and its memory given back.
 *
 *     EDDY_TASK first = eddy_create_task(fetch, 1);
 */
#define EDDY_TASK EDDY_CLEANUP_(eddy_task_end_scope_) eddy_task *const

/*
 * Declares an array of `count` owning handles, all NULL, for a count known at
 * run time: at the end of the block all are cancelled, joined and freed. The
 * array itself is NULL when memory is short.
 *
 *     EDDY_TASKS(tasks, n);
 *     if (!tasks)
 *         return -ENOMEM;
 *     for (size_t i = 0; i < n; i++)
 *         tasks[i] = eddy_create_task(fetch, urls[i]);
 */
#define EDDY_TASKS(name, count)                                                                    \
    EDDY_CLEANUP_(eddy_tasks_end_scope_) eddy_task **const name = eddy_tasks_new_(count)

/*
 * Waits until a task or future has ended: eddy_await(task) or eddy_await(task,
 * &result). Returns what the task returned; the result is copied out only on
 * success, and its size must be the declared one (abort). May be called by many
 * tasks, and again; a result declared by EDDY_ASYNC_OWNED can be taken once.
 *
 * Suspends unless the task has ended.
 *
 * Returns 0 or what the task returned, or:
 *   -ENOMEM      the handle is NULL
 *   -EDEADLK     a task awaits itself
 *   -EINVAL      the task belongs to another loop
 *   -EALREADY    an owned result was taken before
 *   -ECANCELED, -ETIMEDOUT   the wait ended, the awaited task goes on; or it is
 *                the task's own error: eddy_task_done(task) tells
 */
#ifndef __cplusplus
#define eddy_await(...) EDDY_JOIN_(EDDY_AWAIT_, EDDY_COUNT_(__VA_ARGS__))(__VA_ARGS__)
#define EDDY_AWAIT_1(x) EDDY_AWAIT_FUNCTION_(x)((x), NULL, 0)
#define EDDY_AWAIT_2(x, out) EDDY_AWAIT_FUNCTION_(x)((x), (out), sizeof *(out))
#define EDDY_AWAIT_FUNCTION_(x)                                                                    \
    _Generic((x), struct eddy_future * : eddy_future_await, default : eddy_task_await)

/* An await as a call, for gather, groups and wait_for: EDDY_AWAIT(task) or
 * EDDY_AWAIT(task, &result). */
#define EDDY_AWAIT(...) EDDY_JOIN_(EDDY_AWAIT_CALL_, EDDY_COUNT_(__VA_ARGS__))(__VA_ARGS__)
#define EDDY_AWAIT_CALL_1(task) eddy_await_call_((task), NULL, 0, EDDY_HERE_)
#define EDDY_AWAIT_CALL_2(task, out) eddy_await_call_((task), (out), sizeof *(out), EDDY_HERE_)
#endif

/*
 * The functions under the macros, for bindings and C++: `entry` is called as
 * entry(args, result), with a copy of the `args_size` bytes at `args` and room
 * for `result_size` bytes. `options` may be NULL. Same returns as above.
 */
EDDY_NODISCARD EDDY_API eddy_task *eddy_task_create(eddy_entry *entry, const void *args,
                                                    size_t args_size, size_t result_size,
                                                    const eddy_task_options *options);

/* eddy_await(task, out) with the size spelled out; out may be NULL.
 * Suspends unless the task has ended. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_task_await(eddy_task *task, void *out, size_t size);

/*
 * Asks a task to stop: from now on every suspending call in it returns
 * -ECANCELED, beginning with the one it waits in, until it ends or calls
 * eddy_uncancel(). Its body always runs, also when it had not started. A task
 * may cancel itself.
 *
 * Returns 0, -EALREADY when the task has ended, -ENOMEM for NULL.
 */
EDDY_API int eddy_cancel(eddy_task *task);

/* Whether a cancel is pending on the running task. */
EDDY_API bool eddy_cancelled(void);

/*
 * Withdraws what eddy_cancel asked of the running task, so that its calls work
 * again. Returns 0, -ENOENT when nothing was asked, or -EPERM when the cancel
 * came from the task's owner (end of its scope or group, end of eddy_run).
 */
EDDY_API int eddy_uncancel(void);

/*
 * Ends ownership: cancels the task for good if it still runs, joins it, frees
 * it, and sets the handle to NULL; a handle that is NULL already is left alone.
 * Not for handles declared by EDDY_TASK, which are const.
 * Suspends until the task has ended, and is never refused or cut short.
 */
EDDY_API EDDY_AWAITS void eddy_task_release(eddy_task **task);

/*
 * Ends ownership without a wait: the task goes on alone and frees itself; an
 * error that it ends with is reported. eddy_run ends it before it returns. Sets
 * the handle to NULL; one that is NULL already is left alone.
 */
EDDY_API void eddy_task_detach(eddy_task **task);

/* Whether the task has ended: by a return, an error, or a cancel. */
EDDY_API bool eddy_task_done(const eddy_task *task);

/* Whether the task has ended with -ECANCELED. */
EDDY_API bool eddy_task_cancelled(const eddy_task *task);

/*
 * What the ended task returned, without waiting; counts as reading its error,
 * whose text eddy_error_message then gives.
 * Returns -EINPROGRESS when the task has not ended, -ENOMEM for NULL.
 */
EDDY_API int eddy_task_error(eddy_task *task);

/* Takes the result of an ended task without waiting: as eddy_await does, or
 * -EINPROGRESS. */
#define eddy_task_result(task, out) eddy_task_result_nowait((task), (out), sizeof *(out))
EDDY_NODISCARD EDDY_API int eddy_task_result_nowait(eddy_task *task, void *out, size_t size);

/* The task's name: "Task-N" until it is set. Borrowed until it changes or the
 * task is freed. "-" for NULL. */
EDDY_API const char *eddy_task_name(eddy_task *task);

/* Names a task; copied, cut after 31 bytes. */
EDDY_API void eddy_task_set_name(eddy_task *task, const char *name);

/* The running task; NULL in a callback and outside a loop. Borrowed. */
EDDY_API eddy_task *eddy_current_task(void);

/*
 * The tasks of the running loop that have not ended, in no order that means
 * anything: the first `capacity` are written to `tasks`, borrowed. Returns how
 * many there are in all.
 */
EDDY_API size_t eddy_all_tasks(eddy_task **tasks, size_t capacity);

/*
 * Waits for at least `seconds`, while others run. 0 or less sets no timer and
 * lets everything that is ready run once: asyncio's sleep(0).
 *
 * Suspends.
 *
 * Returns 0, -EINVAL for NaN, or -ECANCELED or -ETIMEDOUT at once when the
 * sleeper is cancelled or its scope expires.
 */
EDDY_NODISCARD static inline EDDY_AWAITS int eddy_sleep(double seconds);

/* The running loop's monotonic clock in seconds (CLOCK_MONOTONIC, or virtual
 * time); outside a loop CLOCK_MONOTONIC. */
EDDY_API double eddy_time(void);

/* For the macros and inline paths above. */
extern EDDY_API const eddy_task_options eddy_task_eager_;
EDDY_API void eddy_task_start_(eddy_task *task, const eddy_task_options *options);
EDDY_API EDDY_AWAITS int eddy_sleep_for_(double seconds); /* Suspends. */
EDDY_API int eddy_yield_begin_(void);
EDDY_API eddy_task *eddy_task_new_(const struct eddy_async *function, const char *where,
                                   const eddy_task_options *options);
EDDY_API EDDY_AWAITS void eddy_task_end_scope_(eddy_task *const *task); /* Suspends. */
EDDY_API eddy_task **eddy_tasks_new_(size_t count);
EDDY_API EDDY_AWAITS void eddy_tasks_end_scope_(eddy_task **const *tasks); /* Suspends. */
EDDY_API eddy_call eddy_await_call_(eddy_task *task, void *out, size_t size, const char *where);

static inline int eddy_sleep(double seconds)
{
    int rc;

    if (!EDDY_SWITCH_INLINE_ || seconds > 0 || seconds != seconds)
        return eddy_sleep_for_(seconds);
    rc = eddy_yield_begin_();
    return EDDY_LIKELY_(rc > 0) ? eddy_switch_begun_()->pending : rc;
}

EDDY_END_DECLS
#endif
