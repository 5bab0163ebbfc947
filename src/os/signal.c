/* SPDX-License-Identifier: MIT */
/*
 * Signals for loops. The kernel's handler sets a bit in each loop that has asked for the signal,
 * and posts to it; the rest is done by the loop, in the callback of that post.
 *
 * A loop that has ever asked stands in a list that handlers walk without a lock; so its entry
 * lives until the loop closes, and leaves the list before that, when no handler is inside any more.
 * The mutex is for those who change the list.
 *
 * Who asks sets the bit in `wanted` before the signal is taken over. Who asks no longer takes the
 * bit away, waits for the handlers that may have seen it, and drops what they have left: behind
 * that no signal comes any more, and none of before comes to the next who asks.
 */
#include "os/signal.h"

#include <errno.h>
#include <pthread.h>

#include "base/die.h"
#include "base/locals.h"
#include "base/memory.h"
#include "task/park.h"

static pthread_mutex_t signals_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct ed_signals *signals_first; /* atomic: of all loops that have asked */

/* In the kernel's handler, in any thread. */
static bool signals_arrived(int number)
{
    struct ed_signals *signals = __atomic_load_n(&signals_first, __ATOMIC_SEQ_CST);
    uint64_t bit = ED_SIGNAL_BIT(number);
    bool goes_on = ed_stops_count(number);

    for (; signals; signals = __atomic_load_n(&signals->next, __ATOMIC_SEQ_CST)) {
        if (!(__atomic_load_n(&signals->wanted, __ATOMIC_SEQ_CST) & bit))
            continue;
        __atomic_or_fetch(&signals->arrived, bit, __ATOMIC_SEQ_CST);
        (void)eddy_loop_post(signals->loop, &signals->post); /* closed: it is about to leave */
    }
    return goes_on;
}

/* On the loop's thread --------------------------------------------------------- */

static void signals_call_handler(struct ed_signals *signals, int number)
{
    struct ed_signal_handler handler = signals->handlers[number];

    if (!handler.callback)
        return;
    ed_locals_ref(handler.locals); /* it may remove itself */
    ed_loop_call(signals->loop, handler.callback, handler.argument, handler.locals);
    ed_locals_unref(handler.locals);
}

/* Gives a signal to whoever waits for it first, or keeps it. */
static void signals_receive(eddy_signals *receiver, int number)
{
    struct eddy_link_ *link = ed_list_pop(&receiver->waiters);

    if (link)
        ed_wake(ed_container_of(link, struct ed_wait, link), number);
    else
        receiver->pending |= ED_SIGNAL_BIT(number);
}

static void signals_tell(struct ed_signals *signals, int number)
{
    signals_call_handler(signals, number);
    ED_LIST_FOR_EACH(link, &signals->receivers) {
        eddy_signals *receiver = ed_container_of(link, eddy_signals, link);

        if (receiver->wanted & ED_SIGNAL_BIT(number))
            signals_receive(receiver, number);
    }
    ed_stops_tell(&signals->stops, number);
}

/* Looks at what has come until now; what comes meanwhile has posted again. A bit is taken only
 * when its turn has come, so that a handler which is removed by another one is not called. */
static int signals_seen(void *argument)
{
    struct ed_signals *signals = argument;
    uint64_t arrived = __atomic_load_n(&signals->arrived, __ATOMIC_SEQ_CST);

    for (; arrived; arrived &= arrived - 1) {
        uint64_t bit = arrived & -arrived;

        if (__atomic_fetch_and(&signals->arrived, ~bit, __ATOMIC_SEQ_CST) & bit)
            signals_tell(signals, __builtin_ctzll(bit) + 1);
    }
    return 0;
}

/* A loop's entry --------------------------------------------------------------- */

static void signals_unlist(struct ed_signals *signals)
{
    struct ed_signals **place = &signals_first;

    pthread_mutex_lock(&signals_mutex);
    while (*place != signals)
        place = &(*place)->next;
    __atomic_store_n(place, signals->next, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&signals_mutex);
    ed_signal_settle();
}

static void signals_free(struct ed_signals *signals)
{
    for (int number = 1; number <= ED_SIGNAL_MAX; number++)
        ed_locals_unref(signals->handlers[number].locals);
    ed_free(signals);
}

/* The loop closes: whoever has asked is gone, or never runs again. */
static void signals_left(struct ed_resource *resource, bool end)
{
    struct ed_signals *signals = ed_container_of(resource, struct ed_signals, resource);

    if (end) {
        signals->loop->signals = NULL;
        signals_free(signals);
        return;
    }
    for (int number = 1; number <= ED_SIGNAL_MAX; number++) {
        if (signals->askers[number]) {
            signals->askers[number] = 1;
            ed_signals_drop(signals, number);
        }
    }
    ED_LIST_FOR_EACH(link, &signals->stops)
        ed_stop_drop(ed_container_of(link, eddy_stop_scope, link));
    signals_unlist(signals);
}

static void signals_before_fork(void)
{
    pthread_mutex_lock(&signals_mutex);
}

static void signals_after_fork(void)
{
    pthread_mutex_unlock(&signals_mutex);
}

/* The loops are the parent's. */
static void signals_in_child(void)
{
    signals_first = NULL;
    ed_stops_forget();
    signals_after_fork();
}

static void signals_watch_forks(void)
{
    pthread_atfork(signals_before_fork, signals_after_fork, signals_in_child);
}

static struct ed_signals *signals_new(eddy_loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ed_signals *signals = ed_alloc_zero(sizeof *signals);

    if (!signals)
        return NULL;
    pthread_once(&once, signals_watch_forks);
    signals->loop = loop;
    signals->post = (eddy_post)EDDY_POST_INIT(signals_seen, signals);
    signals->resource.close = signals_left;
    ed_loop_enter_resource(loop, &signals->resource);
    pthread_mutex_lock(&signals_mutex);
    signals->next = signals_first;
    __atomic_store_n(&signals_first, signals, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&signals_mutex);
    return signals;
}

struct ed_signals *ed_signals_of(eddy_loop *loop, int *rc)
{
    *rc = loop->closed ? -EPERM : -ENOMEM;
    if (!loop->closed && !loop->signals)
        loop->signals = signals_new(loop);
    return loop->closed ? NULL : loop->signals;
}

/* Asking ----------------------------------------------------------------------- */

/* Those that say where the program has gone wrong are not for a loop. */
static bool signals_can_come(int number)
{
    return number >= 1 && number <= ED_SIGNAL_MAX && number != SIGSEGV && number != SIGBUS &&
           number != SIGFPE && number != SIGILL;
}

int ed_signals_ask(struct ed_signals *signals, int number)
{
    int rc;

    if (!signals_can_come(number))
        return -EINVAL;
    if (signals->askers[number]++)
        return 0;
    __atomic_or_fetch(&signals->wanted, ED_SIGNAL_BIT(number), __ATOMIC_SEQ_CST);
    rc = ed_signal_take(number, ED_SIGNAL_PROGRAM, signals_arrived);
    if (rc == 0)
        return 0;
    __atomic_and_fetch(&signals->wanted, ~ED_SIGNAL_BIT(number), __ATOMIC_SEQ_CST);
    signals->askers[number]--;
    return rc;
}

bool ed_signals_drop(struct ed_signals *signals, int number)
{
    uint64_t bit = ED_SIGNAL_BIT(number);

    if (--signals->askers[number])
        return false;
    __atomic_and_fetch(&signals->wanted, ~ED_SIGNAL_BIT(number), __ATOMIC_SEQ_CST);
    ed_signal_give_back(number, ED_SIGNAL_PROGRAM); /* and waits for the handlers */
    return (__atomic_fetch_and(&signals->arrived, ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

int ed_signals_ask_all(struct ed_signals *signals, const int *numbers, uint64_t *wanted,
                       int *refused)
{
    uint64_t asked = 0;

    for (; *numbers; numbers++) {
        int rc = signals_can_come(*numbers) && (asked & ED_SIGNAL_BIT(*numbers))
                     ? 0
                     : ed_signals_ask(signals, *numbers);

        if (rc < 0) {
            ed_signals_drop_all(signals, asked);
            *refused = *numbers;
            return rc;
        }
        asked |= ED_SIGNAL_BIT(*numbers);
    }
    *wanted = asked;
    return 0;
}

uint64_t ed_signals_drop_all(struct ed_signals *signals, uint64_t wanted)
{
    uint64_t unseen = 0;

    for (; wanted; wanted &= wanted - 1)
        if (ed_signals_drop(signals, __builtin_ctzll(wanted) + 1))
            unseen |= wanted & -wanted;
    return unseen;
}

/* Handlers of the program's ----------------------------------------------------- */

int eddy_loop_add_signal_handler(eddy_loop *loop, int number, eddy_callback *callback,
                                 void *argument)
{
    struct ed_signal_handler *handler;
    struct ed_signals *signals;
    int rc;

    ed_loop_check_thread(loop, "eddy_loop_add_signal_handler");
    signals = ed_signals_of(loop, &rc);
    if (!signals)
        return ed_fail(rc);
    rc = ed_signals_ask(signals, number);
    if (rc < 0)
        return ed_raise(rc, "signal %d cannot be handled", number);
    handler = &signals->handlers[number];
    if (handler->callback)
        ed_signals_drop(signals, number); /* the former one's */
    else
        loop->holds++;
    ed_locals_unref(handler->locals);
    *handler = (struct ed_signal_handler){callback, argument, ed_loop_take_locals()};
    return 0;
}

bool eddy_loop_remove_signal_handler(eddy_loop *loop, int number)
{
    struct ed_signals *signals = loop->signals;
    struct ed_signal_handler *handler;

    ed_loop_check_thread(loop, "eddy_loop_remove_signal_handler");
    if (loop->closed || !signals || !signals_can_come(number))
        return false;
    handler = &signals->handlers[number];
    if (!handler->callback)
        return false;
    loop->holds--;
    ed_signals_drop(signals, number);
    ed_locals_unref(handler->locals);
    *handler = (struct ed_signal_handler){NULL, NULL, NULL};
    return true;
}

/* Receivers --------------------------------------------------------------------- */

void eddy_signals_begin(eddy_signals *receiver, const int *numbers)
{
    eddy_loop *loop = eddy_thread_.loop;
    struct ed_signals *signals;

    *receiver = (eddy_signals){.error = -EPERM};
    if (!loop)
        return;
    signals = ed_signals_of(loop, &receiver->error);
    if (!signals)
        return;
    receiver->error = ed_signals_ask_all(signals, numbers, &receiver->wanted, &receiver->refused);
    if (receiver->error < 0)
        return;
    receiver->loop = loop;
    ed_list_append(&signals->receivers, &receiver->link);
}

void eddy_signals_end(eddy_signals *receiver)
{
    eddy_loop *loop = receiver->loop;

    if (!loop || loop->closed) /* in a child of fork(2) */
        return;
    ed_loop_check_thread(loop, "the end of EDDY_SIGNALS");
    if (!ed_list_empty(&receiver->waiters))
        ed_die("EDDY_SIGNALS: the block ends while a task waits for its signals");
    ed_list_remove(&loop->signals->receivers, &receiver->link);
    ed_signals_drop_all(loop->signals, receiver->wanted);
}

static int signals_fail(const eddy_signals *receiver)
{
    if (receiver->refused)
        return ed_raise(receiver->error, "signal %d cannot be received", receiver->refused);
    return receiver->error == -EPERM ? ed_raise(-EPERM, "EDDY_SIGNALS stands outside a loop")
                                     : ed_fail(receiver->error);
}

int eddy_signal_wait(eddy_signals *receiver)
{
    static const struct ed_wait_kind kind = {"signal.wait", NULL, NULL};
    struct ed_wait wait = ED_WAIT(&kind, receiver, &receiver->waiters);
    eddy_loop *loop = receiver->loop;
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (!loop)
        return signals_fail(receiver);
    ed_loop_check_thread(loop, "eddy_signal_wait");
    if (receiver->pending) {
        rc = __builtin_ctzll(receiver->pending) + 1;
        receiver->pending &= receiver->pending - 1;
        return rc;
    }
    loop->holds++; /* somebody outside may send it */
    rc = ed_park(&wait);
    loop->holds--;
    return rc;
}
