/* SPDX-License-Identifier: MIT */
/*
 * The event loop: a queue of what is ready, timers, and an engine.
 *
 * What is ready is a node with a function to run; the loop does not know that
 * most of them are tasks. One turn of the loop:
 *
 *        +-------------------------------------------------------+
 *        v                                                       |
 *   run up to 64     complete      take the     put due timers   |
 *   ready nodes ---> operations -> inbox     -> behind them -----+
 *                    (sleeps only when nothing is ready)
 *
 * Tasks switch to the next ready task directly; they come back to the loop when
 * the turn's resumes are used up, a callback is next, or nothing is ready. So
 * the kernel and the clock are consulted at least every 64 resumes.
 */
#ifndef ED_LOOP_LOOP_H
#define ED_LOOP_LOOP_H

#include <pthread.h>

#include "base/compat.h"
#include "base/list.h"
#include "base/locals.h"
#include "base/time.h"
#include "eddy/loop.h"
#include "eddy/switch.h"
#include "engine/engine.h"
#include "loop/timer.h"

#define ED_TURN 64
#define ED_RESOURCE_TEXT 256
#define ED_HURRY (-1000000) /* for `turns`: a timer is due now, end this turn */

/* Something that is to run, once. In the queue at most once at a time. */
struct ed_ready {
    struct ed_ready *next;
    void (*run)(struct ed_ready *node);
};

/* Something that its owner has to close, such as a stream. What is left when the loop closes
 * is told twice: first to let go of the kernel, then, when nothing is in flight and no task is
 * left, to free itself. */
struct ed_resource {
    struct eddy_link_ link;
    /* writes what it is, such as "a server"; NULL: the library keeps it for itself */
    void (*describe)(struct ed_resource *resource, char *text, size_t size);
    void (*close)(struct ed_resource *resource, bool end);
};

struct eddy_loop {
    /* the hot line: what each switch between tasks touches */
    struct ed_ready *ready, **ready_end;
    int turns; /* resumes left in this turn */
    bool running, closed, stopped;
    bool virtual_clock;
    bool shuffled;
    bool debug;
    bool abandoned;               /* in a child of fork(2): it is the parent's */
    struct eddy_context_ context; /* of the loop itself, while a task runs */
    void *fake_stack;             /* AddressSanitizer's, for the same */
    const void *stack_bottom;
    size_t stack_size;
    void *fiber; /* ThreadSanitizer's */

    struct ed_engine *engine;
    int64_t virtual_now;
    uint64_t seed;
    struct ed_ready stop; /* the mark in the queue behind which a run ends */
    bool stop_asked, stop_queued;
    int reporting;   /* calls of the exception handler that are open */
    size_t eager;    /* nodes at the front of the queue that nothing may overtake */
    size_t holds;    /* explicit, and thread-settable futures */
    size_t jobs;     /* in threads or processes, or at a file: real time passes until they end */
    size_t quiet;    /* operations in flight that can make nothing ready by themselves */
    size_t programs; /* that run for us: the virtual clock keeps pace with the real one */
    size_t task_count, generator_count; /* not freed, kept by the layer above */

    struct eddy_list_ handle_chunks;
    struct ed_handle *free_handles;
    uint64_t next_handle;

    struct ed_reader **readers; /* by 2 * descriptor + direction */
    size_t readers_capacity;
    struct eddy_list_ retired; /* readers whose operation has not completed */

    uint64_t *owned; /* a bit for each descriptor that is an object's */
    size_t owned_words;

    /* for tests: called on the loop's stack before each node runs, and after it */
    void (*step)(eddy_loop *loop, const struct ed_ready *node, bool before);

    eddy_exception_handler *handler;
    void *handler_argument;

    /* for the watchdog of debug mode, which reads it from its thread */
    uint64_t turn;           /* how many there were */
    uint64_t turns_max;      /* for tests: a run gives up behind so many, with -ELOOP */
    bool resting;            /* inside the engine's wait */
    eddy_callback *callback; /* that runs, or ran last */
    int64_t slow;            /* ns that one may take */

    /* what the layers above attach; ended by the close */
    struct ed_tasks *tasks;
    struct ed_locals *(*task_locals)(void);          /* those of the running task */
    void (*tasks_run)(eddy_loop *loop, bool begins); /* a run begins or ends */
    struct ed_watchdog *watchdog;
    void (*tasks_stop)(eddy_loop *loop); /* nothing waits any more */
    void (*tasks_close)(eddy_loop *loop);
    struct ed_executors *executors;
    void (*executors_close)(eddy_loop *loop);
    struct eddy_list_ resources;     /* struct ed_resource */
    struct ed_socks *socks;          /* one of them, */
    struct ed_signals *signals;      /* and another */
    struct eddy_stream *standard[3]; /* others, by descriptor; NULL: not used yet */
    struct eddy_list_ closing;       /* descriptors of the user's that are being closed */
    struct ed_names *names;
    void (*names_close)(eddy_loop *loop);

    struct eddy_link_ link; /* in the list of all loops */
    pthread_t thread;       /* that opened it, */
    int thread_id;          /* and what the kernel calls it */

    /* shared with other threads, atomic */
    struct eddy_post_ *inbox; /* newest first */
    int posting;              /* threads that are inside eddy_loop_post */

    struct ed_timer_queue timers;
};

/* Puts a node behind what is ready. */
ED_INLINE void ed_loop_ready(eddy_loop *loop, struct ed_ready *node)
{
    node->next = NULL;
    *loop->ready_end = node;
    loop->ready_end = &node->next;
}

/* Puts a node before what is ready. */
ED_INLINE void ed_loop_ready_first(eddy_loop *loop, struct ed_ready *node)
{
    node->next = loop->ready;
    if (!loop->ready)
        loop->ready_end = &node->next;
    loop->ready = node;
}

/* Takes the first node; there must be one. */
ED_INLINE struct ed_ready *ed_loop_take_ready(eddy_loop *loop)
{
    struct ed_ready *node = loop->ready;

    loop->ready = node->next;
    if (!loop->ready)
        loop->ready_end = &loop->ready;
    return node;
}

/* Enters a resource of the loop, and takes it out. */
ED_INLINE void ed_loop_enter_resource(eddy_loop *loop, struct ed_resource *resource)
{
    ed_list_append(&loop->resources, &resource->link);
}
ED_INLINE void ed_loop_remove_resource(eddy_loop *loop, struct ed_resource *resource)
{
    ed_list_remove(&loop->resources, &resource->link);
}

/* Describes the first resource that its owner has not closed; false: all are. */
bool ed_loop_describe_left(eddy_loop *loop, char *text, size_t size);

/* Sets the clock and the order of a loop in which nothing is scheduled yet: seed 0 is
 * the order of becoming ready. */
void ed_loop_set_order(eddy_loop *loop, bool virtual_clock, uint64_t seed);

/* The loop's clock, ns. */
int64_t ed_loop_now(const eddy_loop *loop);

/* Starts and stops a timer of the loop's clock. */
ED_INLINE void ed_loop_start_timer(eddy_loop *loop, struct eddy_timer_ *timer, int64_t when)
{
    ed_timer_start(&loop->timers, timer, when);
}

ED_INLINE void ed_loop_stop_timer(eddy_loop *loop, struct eddy_timer_ *timer)
{
    ed_timer_stop(&loop->timers, timer);
}

/*
 * Runs the loop until it is stopped. With `until_idle` it also returns, with
 * -EDEADLK, when nothing is ready and nothing can make anything ready. Else 0, or
 * the engine's error.
 */
int ed_loop_run(eddy_loop *loop, bool until_idle);

/* Aborts unless this is the loop's own thread; `what` was called. */
void ed_loop_check_thread(const eddy_loop *loop, const char *what);

/* Whether this thread may use the loop now: 0, -EPERM or, in a run, -EBUSY. */
int ed_loop_check_run(const eddy_loop *loop);

/* One more user of the local values of what runs now. */
struct ed_locals *ed_loop_take_locals(void);

/* eddy_loop_call_soon with local values that were taken before; takes them. */
eddy_handle ed_loop_call_soon(eddy_loop *loop, eddy_callback *callback, void *argument,
                              struct ed_locals *locals);

/* The handles of scheduled callbacks (handle.c) and readers (reader.c). */
void ed_loop_close_handles(eddy_loop *loop);
void ed_loop_free_handles(eddy_loop *loop);
void ed_loop_close_readers(eddy_loop *loop);
size_t ed_loop_count_readers(const eddy_loop *loop);

/* 0 when readiness of this descriptor means something to this loop's users: -EBADF, -EPERM
 * for what never blocks, -EBUSY for one that an object of the library owns. */
int ed_reader_check(const eddy_loop *loop, int fd);

/* Whether the kernel still holds a descriptor for a reader or writer that was removed. */
bool ed_reader_is_leaving(const eddy_loop *loop, int fd);

/* Notes whose a descriptor is (owner.c): of an object, from open to close, or the user's. */
void ed_loop_own(eddy_loop *loop, int fd);
void ed_loop_disown(eddy_loop *loop, int fd);
bool ed_loop_owns(const eddy_loop *loop, int fd);
void ed_loop_close_owners(eddy_loop *loop);

/* Runs what other threads posted (inbox.c). Whether there was anything. */
bool ed_loop_take_inbox(eddy_loop *loop);
void ed_loop_close_inbox(eddy_loop *loop);
void ed_loop_abandon_inbox(eddy_loop *loop); /* drops nothing */

/* Puts the ready nodes in an order drawn from the seed (shuffle.c), and returns
 * how many are to run in this turn: all, so that each runs once. */
int ed_loop_shuffle(eddy_loop *loop);

/* Calls a callback with its local values; a failure goes to the handler. */
void ed_loop_call(eddy_loop *loop, eddy_callback *callback, void *argument,
                  struct ed_locals *locals);

/* Sends a report; `format` makes its message. */
void ed_loop_report(eddy_loop *loop, enum eddy_report_kind kind, int code, eddy_task *task,
                    const char *format, ...) EDDY_PRINTF_(5, 6);

/* Arranges for EDDY_STATS=1 (stats.c). */
void ed_loop_watch_stats(void);

/* Sums over all open loops, for eddy_get_stats: tasks attach `count`. */
void ed_loop_for_each(void (*visit)(eddy_loop *loop, void *argument), void *argument);

#endif
