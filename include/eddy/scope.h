/* SPDX-License-Identifier: MIT */
/*
 * Scopes: declarations that hold to the end of their block, on every way out.
 *
 *     EDDY_TIMEOUT(limit, 1.5);          async with asyncio.timeout(1.5)
 *     EDDY_SHIELD(cleanup);              what follows is not cut short
 *     EDDY_DEFER(conn_close, conn);      conn_close(conn) at the end
 *
 * Scopes of one task are nested like the blocks they stand in. A timeout, shield
 * or group must not stay open across an eddy_yield (abort); an EDDY_DEFER may, as
 * a generator's "finally". Deferred calls by the number: eddy/exit_stack.h.
 */
#ifndef EDDY_SCOPE_H
#define EDDY_SCOPE_H

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* Link and list of the library's own; a zeroed list is empty. */
struct eddy_link_ {
    struct eddy_link_ *next, *prev;
};
struct eddy_list_ {
    struct eddy_link_ *first, *last;
};

struct eddy_timer_ {
    struct eddy_link_ link;
    int64_t when;   /* deadline, ns of the loop's clock */
    int16_t bucket; /* in the timer queue, -1 while not pending */
    void (*fire)(struct eddy_timer_ *timer);
};

struct eddy_scope_ {
    struct eddy_scope_ *outer;
    eddy_task *task;
    int code; /* what calls in this block return: 0 while all is well */
    unsigned char kind;
    const char *where;
};

/* A deadline for everything between its declaration and the end of its block. */
typedef struct eddy_timeout {
    struct eddy_scope_ scope;
    struct eddy_timer_ timer;
} eddy_timeout;

typedef struct eddy_shield_scope {
    struct eddy_scope_ scope;
} eddy_shield_scope;

struct eddy_defer_ {
    void (*function)(void *);
    void *argument;
};

/*
 * Limits the rest of the block to `seconds` from now: once they have passed,
 * every suspending call in the block returns -ETIMEDOUT, beginning with the one
 * that waits. Expiry is an event of the loop, so that a block that never
 * suspends is not cut short. EDDY_FOREVER sets no limit; NaN counts as 0.
 *
 * A pending cancel outranks a timeout, and an outer timeout an inner one.
 * EDDY_TIMEOUT_AT takes a time of eddy_time() instead.
 */
#define EDDY_TIMEOUT(name, seconds)                                                                \
    EDDY_CLEANUP_(eddy_timeout_exit) eddy_timeout name;                                            \
    eddy_timeout_enter(&name, (seconds), EDDY_HERE_)
#define EDDY_TIMEOUT_AT(name, when)                                                                \
    EDDY_CLEANUP_(eddy_timeout_exit) eddy_timeout name;                                            \
    eddy_timeout_enter_at(&name, (when), EDDY_HERE_)

/* Whether this block's own deadline has fired; not true for an outer one. */
EDDY_API bool eddy_timeout_expired(const eddy_timeout *timeout);

/* The deadline in seconds of eddy_time(), or EDDY_FOREVER. */
EDDY_API double eddy_timeout_when(const eddy_timeout *timeout);

/*
 * Moves the deadline to `when`, seconds of eddy_time(): earlier, later, or
 * EDDY_FOREVER for none; one in the past fires at the loop's next turn. Returns
 * 0, or -EINVAL when the deadline has fired, the block has ended, or `when` is
 * NaN.
 */
EDDY_API int eddy_timeout_reschedule(eddy_timeout *timeout, double when);

/*
 * The rest of the block is clean-up that must wait: cancels and the timeouts
 * around it are held back until the block ends. Timeouts inside it work.
 */
#define EDDY_SHIELD(name)                                                                          \
    EDDY_CLEANUP_(eddy_shield_exit) eddy_shield_scope name;                                        \
    eddy_shield_enter(&name, EDDY_HERE_)

/*
 * Calls function(argument) at the end of the block, shielded, so that it may
 * suspend; whatever it returns is dropped. The argument is a pointer, evaluated
 * now; what it points to must outlive the block. With a plain call in front this is
 * asyncio's "async with":
 *
 *     EDDY_TRY(eddy_lock_acquire(&lock));
 *     EDDY_DEFER(eddy_lock_release, &lock);
 */
#ifndef __cplusplus
#define EDDY_DEFER(function, argument)                                                             \
    _Static_assert(sizeof(1 ? (argument) : (argument)) == sizeof(void *),                          \
                   "EDDY_DEFER(" #function ", ...): " #argument " is not a pointer");              \
    EDDY_CLEANUP_(eddy_defer_run_)                                                                 \
    struct eddy_defer_ EDDY_JOIN_(eddy_defer_, __COUNTER__) = {                                    \
        ((void)sizeof((function)(argument), 0), (void (*)(void *))(void (*)(void))(function)),     \
        (void *)(argument)}
#endif

/*
 * The functions under the macros, for bindings and C++. Each enter is matched by an
 * exit, the innermost first (abort); `where` is for reports, and must stay valid.
 */
EDDY_API void eddy_timeout_enter(eddy_timeout *timeout, double seconds, const char *where);
/* See EDDY_TIMEOUT_AT. */
EDDY_API void eddy_timeout_enter_at(eddy_timeout *timeout, double when, const char *where);
/* Ends a timeout scope; what expired is forgotten. */
EDDY_API void eddy_timeout_exit(eddy_timeout *timeout);
/* See EDDY_SHIELD. */
EDDY_API void eddy_shield_enter(eddy_shield_scope *shield, const char *where);
/* Ends a shield; what it held back takes effect at the next call. */
EDDY_API void eddy_shield_exit(eddy_shield_scope *shield);
EDDY_API EDDY_AWAITS void eddy_defer_run_(struct eddy_defer_ *defer); /* Suspends if it does. */

EDDY_END_DECLS
#endif
