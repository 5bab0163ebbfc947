/* SPDX-License-Identifier: MIT */
/*
 * Lock, event, condition, semaphore and barrier between the tasks of one loop.
 *
 * All are plain structs to be embedded: initialise them with their macro, own
 * no memory, need no end. They serve waiters first come, first served, and hand
 * over directly: who is woken already has it. They serve the tasks of one loop
 * at a time; use from another loop or thread while somebody waits aborts.
 *
 * A cancelled wait leaves no trace: nothing is taken, nothing is lost. A grant
 * that came before the cancel stands, and the cancel is seen at the next call.
 */
#ifndef EDDY_SYNC_H
#define EDDY_SYNC_H

#include "eddy/compat.h"
#include "eddy/scope.h"

EDDY_BEGIN_DECLS

/* Who waits here, first come first. */
struct eddy_waiters_ {
    struct eddy_list_ list;
    eddy_loop *loop; /* of the first that waited */
};

/* Mutual exclusion. Not re-entrant; any task may release it. */
typedef struct eddy_lock {
    struct eddy_waiters_ waiters;
    eddy_task *owner; /* for reports; it may have ended: */
    uint64_t owner_id;
    bool locked;
} eddy_lock;
/* clang-format off */
#define EDDY_LOCK_INIT {{{NULL, NULL}, NULL}, NULL, 0, false}
/* clang-format on */

/*
 * Takes the lock, waiting behind those who wait. Follow it with
 * EDDY_DEFER(eddy_lock_release, lock). Suspends while the lock is held.
 *
 * Returns 0, or without the lock -ECANCELED or -ETIMEDOUT.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_lock_acquire(eddy_lock *lock);
/* Takes a free lock, or returns -EAGAIN. */
EDDY_NODISCARD EDDY_API int eddy_lock_acquire_nowait(eddy_lock *lock);
/* Gives the lock to the first waiter, or frees it. -EPERM if it is not held. */
EDDY_API int eddy_lock_release(eddy_lock *lock);
EDDY_API bool eddy_lock_locked(const eddy_lock *lock); /* Whether it is held. */

/* A flag that tasks can wait for. */
typedef struct eddy_event {
    struct eddy_waiters_ waiters;
    bool set;
} eddy_event;
/* clang-format off */
#define EDDY_EVENT_INIT {{{NULL, NULL}, NULL}, false}
/* clang-format on */

/* Waits until the event is set; a set followed by a clear still wakes all who
 * waited. Suspends while it is not set. Returns 0, -ECANCELED or -ETIMEDOUT. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_event_wait(eddy_event *event);
/* Sets the flag and wakes all who wait, in their order. Idempotent. */
EDDY_API void eddy_event_set(eddy_event *event);
/* Clears the flag. Idempotent. */
EDDY_API void eddy_event_clear(eddy_event *event);
EDDY_API bool eddy_event_is_set(const eddy_event *event); /* The flag. */

/* Waiting for a change of state that a lock guards. */
typedef struct eddy_condition {
    struct eddy_waiters_ waiters;
    eddy_lock *lock; /* borrowed; several conditions may share one */
} eddy_condition;
/* clang-format off */
#define EDDY_CONDITION_INIT(lock) {{{NULL, NULL}, NULL}, (lock)}
/* clang-format on */

/*
 * Releases the lock, waits for a notify, takes the lock again. The re-acquire
 * is never cut short: the lock is held on return, whatever the result. Check
 * the condition again afterwards: others may have run between. Suspends.
 *
 * Returns 0, -EPERM when the lock is not held, or -ECANCELED or -ETIMEDOUT; a
 * notify that this waiter had got then goes to the next.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_condition_wait(eddy_condition *condition);
/* Waits until predicate(argument) is true, checked now and after every wake-up.
 * Suspends while it is false. Returns as eddy_condition_wait does. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_condition_wait_for(eddy_condition *condition, bool (*predicate)(void *), void *argument);
/* Wakes up to `count` waiters, in their order. -EPERM if the lock is free. */
EDDY_API int eddy_condition_notify(eddy_condition *condition, size_t count);
/* Wakes all waiters. -EPERM if the lock is free. */
EDDY_API int eddy_condition_notify_all(eddy_condition *condition);

/* So many may hold it at once. */
typedef struct eddy_semaphore {
    struct eddy_waiters_ waiters;
    long value; /* permits left */
    long bound; /* a bounded one's initial value, else LONG_MAX */
} eddy_semaphore;
/* clang-format off */
#define EDDY_SEMAPHORE_INIT(value) {{{NULL, NULL}, NULL}, (value), __LONG_MAX__}
/* clang-format on */
/* clang-format off */
#define EDDY_BOUNDED_SEMAPHORE_INIT(value) {{{NULL, NULL}, NULL}, (value), (value)}
/* clang-format on */

/*
 * Takes a permit, waiting behind those who wait. Follow it with
 * EDDY_DEFER(eddy_semaphore_release, semaphore). Suspends while none is left.
 *
 * Returns 0, -EINVAL when the initial value was negative, or without a permit
 * -ECANCELED or -ETIMEDOUT.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_semaphore_acquire(eddy_semaphore *semaphore);
/* Takes a permit if one is left and nobody waits, or returns -EAGAIN. */
EDDY_NODISCARD EDDY_API int eddy_semaphore_acquire_nowait(eddy_semaphore *semaphore);
/* Gives a permit to the first waiter, or back. -EOVERFLOW, and no effect, when
 * a bounded semaphore would exceed its initial value. */
EDDY_API int eddy_semaphore_release(eddy_semaphore *semaphore);
/* Whether an acquire would have to wait. */
EDDY_API bool eddy_semaphore_locked(const eddy_semaphore *semaphore);

/* A point where `parties` tasks meet, again and again. */
typedef struct eddy_barrier {
    struct eddy_waiters_ waiters;
    int parties;
    int arrived; /* in this round, and waiting */
    bool broken;
} eddy_barrier;
/* clang-format off */
#define EDDY_BARRIER_INIT(parties) {{{NULL, NULL}, NULL}, (parties), 0, false}
/* clang-format on */

/*
 * Waits until `parties` tasks wait here; the last to arrive does not wait and
 * goes on first. A cancelled waiter lowers the count and breaks nothing.
 * Suspends unless it is the last.
 *
 * Returns the order of arrival, 0 to parties - 1; -EOWNERDEAD when the barrier
 * is broken or reset meanwhile; -EINVAL when parties < 1; -ECANCELED,
 * -ETIMEDOUT.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_barrier_wait(eddy_barrier *barrier);
/* Sends current waiters away with -EOWNERDEAD; mends a broken barrier. */
EDDY_API void eddy_barrier_reset(eddy_barrier *barrier);
/* Sends current and later waiters away with -EOWNERDEAD, until a reset. */
EDDY_API void eddy_barrier_abort(eddy_barrier *barrier);

EDDY_END_DECLS
#endif
