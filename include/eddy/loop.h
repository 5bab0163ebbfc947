/* SPDX-License-Identifier: MIT */
/*
 * The event loop, as bindings and foreign event loops see it. Programs made of
 * tasks need little of this: see eddy/run.h.
 *
 * A loop belongs to the thread that created it: everything here is for that
 * thread, except what says "any thread". Callbacks run on the loop's own stack,
 * one after the other; they must not call what suspends (-EPERM).
 *
 * In a child of fork(2) all loops of the parent are closed: they refuse (-EPERM)
 * what a closed loop refuses, eddy_loop_free has no effect, and their tasks never
 * run. The parent's go on as before. The child may exec, exit by _exit(2), or run
 * loops of its own, also when it was forked in a callback, a task or a thread job;
 * what returns from one of these in the child aborts it. All descriptors of the
 * library are close-on-exec.
 */
#ifndef EDDY_LOOP_H
#define EDDY_LOOP_H

#include "eddy/call.h"
#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* Returns 0, or a negative error, which goes to the exception handler and does
 * not stop the loop. */
typedef int eddy_callback(void *argument);

/* A scheduled callback. A plain value: may be copied, kept and dropped, and is
 * valid as long as its loop is, also after the callback ran. */
typedef struct eddy_handle {
    struct ed_handle *handle; /* NULL: could not be scheduled */
    uint64_t id;
} eddy_handle;

/* Opens a loop for the calling thread. *loop is owned: eddy_loop_free it.
 * Returns 0, -ENOMEM, or an error of the kernel's (-EMFILE, …). */
EDDY_NODISCARD EDDY_API int eddy_loop_new(eddy_loop **loop);

/*
 * Closes a loop: drops callbacks and timers, closes its descriptors, takes back
 * thread jobs that have not begun, abandons those that may be, and waits for the
 * others. Tasks that have not ended never run again; they are freed and reported.
 * Returns 0, also the second time, or -EBUSY while it runs.
 */
EDDY_API int eddy_loop_close(eddy_loop *loop);

/* Closes and frees. Accepts NULL; must not run (abort). Without effect on a loop of
 * the parent's in a child of fork(2). */
EDDY_API void eddy_loop_free(eddy_loop *loop);

/* Runs until eddy_loop_stop, also when nothing can wake it. Returns 0; -EBUSY when
 * this loop, or another in this thread, runs; -EPERM when it is closed or belongs to
 * another thread. */
EDDY_NODISCARD EDDY_API int eddy_loop_run_forever(eddy_loop *loop);

/*
 * Runs until the call, as a task, has ended, and returns what it returned; its
 * output is written on success. -ESHUTDOWN when the loop was stopped before, and
 * -EDEADLK, after the report, when nothing can wake any task; the task is then
 * detached, and others are left as they are.
 */
EDDY_NODISCARD EDDY_API int eddy_loop_run_until_complete(eddy_loop *loop, eddy_call call);

/* Makes run return once everything that is ready now has run. What that
 * schedules is kept for the next run. Idempotent. Before a run: it makes one
 * turn. */
EDDY_API void eddy_loop_stop(eddy_loop *loop);

EDDY_API bool eddy_loop_is_running(const eddy_loop *loop); /* Inside a run. */
EDDY_API bool eddy_loop_is_closed(const eddy_loop *loop);  /* After close. */
/* The loop that runs in this thread, borrowed; NULL when none does, as in a child of
 * fork(2). */
EDDY_API eddy_loop *eddy_get_running_loop(void);
EDDY_API double eddy_loop_time(const eddy_loop *loop); /* Seconds of its clock. */

/*
 * Schedules callback(argument): soon, behind what is ready; `delay` seconds
 * from now (0 or less: due now); or at a time of eddy_loop_time. Timers never
 * fire early, and equal deadlines in the order in which they were set.
 * Task-local values are those of the caller.
 *
 * Returns a handle whose `handle` is NULL when memory is short, the loop is
 * closed, or the time is NaN.
 */
EDDY_API eddy_handle eddy_loop_call_soon(eddy_loop *loop, eddy_callback *callback, void *argument);
/* See eddy_loop_call_soon. */
EDDY_API eddy_handle eddy_loop_call_later(eddy_loop *loop, double delay, eddy_callback *callback,
                                          void *argument);
/* See eddy_loop_call_soon. */
EDDY_API eddy_handle eddy_loop_call_at(eddy_loop *loop, double when, eddy_callback *callback,
                                       void *argument);

/* Takes a callback back; it will not run. Idempotent, and without effect once
 * it has run. Returns whether this call took it back. */
EDDY_API bool eddy_handle_cancel(eddy_handle handle);
/* Whether the callback was taken back (until its memory is used again). */
EDDY_API bool eddy_handle_cancelled(eddy_handle handle);
/* A timer's deadline, seconds of the loop's clock; NaN for others and once it
 * ran. */
EDDY_API double eddy_handle_when(eddy_handle handle);

/*
 * eddy_loop_call_soon from any thread, waking the loop; calls of one thread
 * keep their order. Not from a signal handler: see eddy_loop_post. The loop
 * must outlive the call. Returns 0, -ENOMEM, or -EPERM when it is closed.
 */
EDDY_API int
eddy_loop_call_soon_threadsafe(eddy_loop *loop, eddy_callback *callback, void *argument);

/* Room for one callback that is posted without an allocation. */
struct eddy_post_ {
    struct eddy_post_ *next;
    eddy_callback *callback;
    void *argument;
    void (*dropped)(void *argument); /* for the library: the loop closed over it */
    int posted;                      /* atomic: in the inbox */
};
typedef struct eddy_post_ eddy_post;
/* clang-format off */
#define EDDY_POST_INIT(callback, argument) {NULL, (callback), (argument), NULL, 0}
/* clang-format on */

/*
 * The same from any thread or signal handler, in the caller's memory: `post`
 * must stay valid until its callback has begun. Posting it again before that
 * has no effect. Returns 0, or -EPERM when the loop is closed.
 */
EDDY_API int eddy_loop_post(eddy_loop *loop, eddy_post *post);

/*
 * Starts a call as a task from another thread, and waits there, up to `timeout`
 * seconds, until it has ended: run_coroutine_threadsafe(...).result(timeout).
 * Its output is written on success. Returns what it returned, -EDEADLK on the
 * loop's own thread, -EPERM when the loop is closed, -ENOMEM, or -ETIMEDOUT
 * once the task, cancelled, has ended.
 */
EDDY_NODISCARD EDDY_API int
eddy_run_coroutine_threadsafe(eddy_loop *loop, eddy_call call, double timeout);

/*
 * Calls callback(argument) in each turn of the loop in which the descriptor can
 * be read (written), hang-up and error included, until removed. One reader and
 * one writer a descriptor: adding again replaces. Remove before you close it. A
 * call may come without need (an error of the kernel's, somebody else was faster):
 * the descriptor ought to be non-blocking.
 *
 * Returns 0, -EBADF, -EPERM for what is always ready (regular files,
 * directories) or for a closed loop, -EBUSY for a stream's or another object's of Eddy's,
 * -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int
eddy_loop_add_reader(eddy_loop *loop, int fd, eddy_callback *callback, void *argument);
/* See eddy_loop_add_reader. */
EDDY_NODISCARD EDDY_API int
eddy_loop_add_writer(eddy_loop *loop, int fd, eddy_callback *callback, void *argument);
/* Ends a registration, also one that is about to run. Whether there was one. */
EDDY_API bool eddy_loop_remove_reader(eddy_loop *loop, int fd);
/* See eddy_loop_remove_reader. */
EDDY_API bool eddy_loop_remove_writer(eddy_loop *loop, int fd);

/* Declares that somebody outside may still wake the loop, so that waiting for
 * it is no deadlock. Counted. */
EDDY_API void eddy_loop_hold(eddy_loop *loop);
/* Takes one hold back; more than were taken abort. */
EDDY_API void eddy_loop_release(eddy_loop *loop);

/* What the library has to report. */
enum eddy_report_kind {
    EDDY_REPORT_CALLBACK_FAILED, /* a callback returned an error */
    EDDY_REPORT_ERROR_NOT_READ,  /* a task failed, or a file's close, and nobody read the error */
    EDDY_REPORT_TASK_DESTROYED,  /* a loop was closed with a task in it */
    EDDY_REPORT_DEADLOCK,        /* nothing can go on; `message` lists the tasks */
    EDDY_REPORT_SHUTDOWN,        /* a task failed while eddy_run cleaned up */
    EDDY_REPORT_RESOURCE,        /* something ran short, or did not end in time */
    EDDY_REPORT_HANDLER_FAILED,  /* the handler of a server's connection returned an error */

    /* in debug mode, see eddy/debug.h */
    EDDY_REPORT_SLOW,            /* a task or callback held the loop for long */
    EDDY_REPORT_NOT_AWAITED,     /* a task's handle was forgotten */
    EDDY_REPORT_STACK,           /* a stack is nearly full */
    EDDY_REPORT_CANCEL_NOT_READ, /* nobody looks at a cancel */
};

typedef struct eddy_report {
    enum eddy_report_kind kind;
    int code;            /* the error, or 0 */
    const char *message; /* what happened: a sentence, or several lines */
    eddy_task *task;     /* whose it is, or NULL; borrowed for the call */
} eddy_report;

/* Called on the loop's thread, outside tasks or in one; must not suspend. */
typedef void eddy_exception_handler(eddy_loop *loop, const eddy_report *report, void *argument);

/* Sets where reports go; NULL for the default, which prints to standard error. */
EDDY_API void
eddy_loop_set_exception_handler(eddy_loop *loop, eddy_exception_handler *handler, void *argument);

/* Sends a report through the loop's handler. */
EDDY_API void eddy_loop_call_exception_handler(eddy_loop *loop, const eddy_report *report);

/* Which kernel interface the running loop uses and why, as one line, such as
 * "io_uring" or "epoll (io_uring: not permitted)". Valid as long as the loop.
 * Outside a loop: what a new loop would use. */
EDDY_API const char *eddy_engine_info(void);

EDDY_END_DECLS
#endif
