/* SPDX-License-Identifier: MIT */
/*
 * Futures: a place for one result that somebody else will set.
 *
 *     eddy_future answer = EDDY_FUTURE_INIT(int);
 *     eddy_future_set_result(&answer, &(int){42});      in one task or callback
 *     EDDY_TRY(eddy_await(&answer, &value));            in another
 *
 * Embedded in the caller's memory, which must outlive all who await it. A
 * future belongs to one loop; to set it from another thread it must be declared
 * for that, see EDDY_THREADSAFE_FUTURE.
 */
#ifndef EDDY_FUTURE_H
#define EDDY_FUTURE_H

#include <stdalign.h>

#include "eddy/compat.h"
#include "eddy/loop.h"
#include "eddy/scope.h"

EDDY_BEGIN_DECLS

/* Results of a future take at most 64 bytes; what is larger goes by pointer. */
#define EDDY_FUTURE_MAX 64

typedef struct eddy_future {
    size_t size; /* of the result, bytes */
    int code;    /* of a future that failed */
    int state;   /* 0 pending, 1 done */
    int posted;  /* threadsafe: set by the first who sets it; atomic */
    bool threadsafe;
    struct eddy_list_ waiters;
    struct eddy_list_ callbacks;
    eddy_loop *loop;
    struct eddy_post_ post;
    alignas(16) unsigned char value[EDDY_FUTURE_MAX];
} eddy_future;

/* An empty future for a result of this type. */
/* clang-format off */
#define EDDY_FUTURE_INIT(type)                                                                     \
    {.size = sizeof(type) + 0 * sizeof(char[sizeof(type) <= EDDY_FUTURE_MAX ? 1 : -1])}
/* clang-format on */

/* The same as a function, for bindings and C++. `size` at most EDDY_FUTURE_MAX
 * (abort). */
EDDY_API void eddy_future_init(eddy_future *future, size_t size);

/*
 * Declares a future that any thread may set, by the threadsafe forms below. While
 * it is pending the loop counts it as something that may still happen. At the end
 * of its block it is closed: threads must not touch it from then on. Only in a
 * task or callback (abort).
 */
#define EDDY_THREADSAFE_FUTURE(name, type)                                                         \
    EDDY_CLEANUP_(eddy_future_close) eddy_future name = EDDY_FUTURE_INIT(type);                    \
    eddy_future_init_threadsafe(&name, sizeof(type))
EDDY_API void eddy_future_init_threadsafe(eddy_future *future, size_t size);

/*
 * Ends a threadsafe future: cancels it if nobody has set it; where a thread has
 * begun to, waits the moment until it is done. Suspends in that case, shielded.
 */
EDDY_API EDDY_AWAITS void eddy_future_close(eddy_future *future);

/*
 * Sets the result and wakes all who wait: eddy_future_set_result(&f, &value).
 * Returns 0, or -EALREADY when it is done.
 */
#define eddy_future_set_result(future, ...)                                                        \
    eddy_future_set((future), (__VA_ARGS__), sizeof *(__VA_ARGS__))
EDDY_API int eddy_future_set(eddy_future *future, const void *value, size_t size);
/* Sets an error, a negative code, for all who wait. 0, -EALREADY, or -EPERM outside
 * a running loop while callbacks are to be called. */
EDDY_API int eddy_future_set_error(eddy_future *future, int code);
/* Sets -ECANCELED. 0, or -EALREADY when it is done. */
EDDY_API int eddy_future_cancel(eddy_future *future);

/* The same from any thread, not from a signal handler. Whoever comes second
 * gets -EALREADY; -EPERM if the future was not prepared for it. */
#define eddy_future_set_result_threadsafe(future, ...)                                             \
    eddy_future_set_threadsafe((future), (__VA_ARGS__), sizeof *(__VA_ARGS__))
EDDY_API int eddy_future_set_threadsafe(eddy_future *future, const void *value, size_t size);
/* See eddy_future_set_result_threadsafe. */
EDDY_API int eddy_future_set_error_threadsafe(eddy_future *future, int code);

/* eddy_await(&future, out), see eddy/task.h. Suspends until it is done. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_future_await(eddy_future *future, void *out, size_t size);

/* The result without waiting: 0 or the error, -EINPROGRESS while pending. */
EDDY_API int eddy_future_result_nowait(eddy_future *future, void *out, size_t size);
EDDY_API bool eddy_future_done(const eddy_future *future);      /* Set, failed or cancelled. */
EDDY_API bool eddy_future_cancelled(const eddy_future *future); /* Done with -ECANCELED. */

/*
 * Calls callback(argument) on the loop, as by eddy_loop_call_soon, once the
 * future is done; callbacks run in the order in which they were added. A future
 * that is dropped while it is pending keeps their memory: cancel it first. Returns
 * 0, -ENOMEM, or -EPERM outside a running loop.
 */
EDDY_API int
eddy_future_add_done_callback(eddy_future *future, eddy_callback *callback, void *argument);
/* Removes every equal entry that has not been scheduled; returns how many. */
EDDY_API size_t eddy_future_remove_done_callback(eddy_future *future, eddy_callback *callback,
                                                 void *argument);

EDDY_END_DECLS
#endif
