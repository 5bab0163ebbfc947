/* SPDX-License-Identifier: MIT */
/*
 * Signals, as events of the loop.
 *
 *     EDDY_STOP_ON_SIGNALS(stop);                SIGINT and SIGTERM, to the end of the block
 *     rc = eddy_server_wait(server);             -EINTR when one has come
 *     if (eddy_stop_signal(&stop))
 *         printf("stopping: %s\n", strsignal(eddy_stop_signal(&stop)));
 *
 * The handler in the kernel's sense only notes the number and wakes the loops; everything else runs
 * on the loop's thread, where all calls are allowed. System calls are restarted. Several of one
 * signal that come quickly may be seen as one, as the kernel does it.
 *
 * Any loop in any thread may ask for a signal; all that have are told. The first who asks takes
 * over the disposition, and when the last has gone it is what it was before; one that the program
 * has changed meanwhile is left alone, until somebody asks again. What eddy_run does on SIGINT
 * rests while somebody here has asked for it. After fork(2) the child has the dispositions of
 * before, and nobody in it has asked.
 *
 * Not for SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL (-EINVAL).
 */
#ifndef EDDY_SIGNAL_H
#define EDDY_SIGNAL_H

#include <signal.h>

#include "eddy/compat.h"
#include "eddy/loop.h"
#include "eddy/scope.h"

EDDY_BEGIN_DECLS

/*
 * Calls callback(argument) on the loop for a signal, until it is removed or the loop is closed. One
 * a signal and loop: adding again replaces. Task-local values are those of the caller. A loop that
 * waits for a signal so is no deadlock. Returns 0; -EINVAL for what is no signal, or cannot be
 * handled; -ENOMEM; -EPERM for a closed loop.
 */
EDDY_NODISCARD EDDY_API int
eddy_loop_add_signal_handler(eddy_loop *loop, int number, eddy_callback *callback, void *argument);
/* Whether there was one. A signal that has come and was not seen yet is dropped. */
EDDY_API bool eddy_loop_remove_signal_handler(eddy_loop *loop, int number);

/* Signals that a block wants to see one by one. */
typedef struct eddy_signals {
    struct eddy_link_ link; /* among the loop's receivers */
    struct eddy_list_ waiters;
    eddy_loop *loop;          /* NULL: it receives nothing, */
    uint64_t wanted, pending; /* a bit a signal */
    int error;                /* for this reason, */
    int refused;              /* or because of this signal */
} eddy_signals;

/*
 * Receives signals from here to the end of the block:
 *
 *     EDDY_SIGNALS(signals, SIGHUP, SIGUSR1);
 *
 *     while ((number = eddy_signal_wait(&signals)) > 0)
 *         reload(number);
 *
 * Several tasks may wait at one, each signal is for the first. The block must not end while one
 * does (abort). A signal that has come and that nobody has taken by then is dropped.
 */
#define EDDY_SIGNALS(name, ...)                                                                    \
    EDDY_CLEANUP_(eddy_signals_end) eddy_signals name;                                             \
    eddy_signals_begin(&name, (const int[]){__VA_ARGS__, 0})

/*
 * Waits for the next of the signals, the lowest number first when several have come; one that came
 * twice before it was taken may count once. Suspends until then. Returns the number; -EINVAL when
 * one of them cannot be received, -ENOMEM, -EPERM outside a task; -ECANCELED, -ETIMEDOUT: none is
 * lost.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_signal_wait(eddy_signals *signals);

/* A block that signals stop. */
typedef struct eddy_stop_scope {
    struct eddy_scope_ scope;
    struct eddy_link_ link; /* among the loop's */
    eddy_loop *loop;        /* NULL: no signal stops it */
    uint64_t wanted;        /* a bit a signal */
    uint32_t before;        /* how many of them had come when it began */
    int number;             /* of the signal that has stopped it, or 0 */
} eddy_stop_scope;

/*
 * From here to the end of the block, SIGINT and SIGTERM stop what the block does: the call that
 * waits, and every one that follows in the block, returns -EINTR. Behind the block the task goes on
 * as after a timeout, and can come to an orderly end. A second signal while the block lasts cancels
 * the task; from the third of its kind on, they do what they did before. So does one that comes so
 * late in the block that it has not been looked at.
 *
 * What the block owns comes to its end as it would without the signal. A process gets SIGTERM and
 * its time, eddy_process_close; but the children of a group are cancelled, and that is no time.
 *
 * EDDY_STOP_ON takes the signals: EDDY_STOP_ON(stop, SIGHUP). A pending cancel outranks it, as it
 * does a timeout. Outside a task, without memory, or with one among them that cannot be handled,
 * the signals keep their meaning.
 *
 * When such an -EINTR comes to be the return of EDDY_MAIN's function, the program dies of the
 * signal, as a shell expects.
 */
#define EDDY_STOP_ON_SIGNALS(name) EDDY_STOP_ON(name, SIGINT, SIGTERM)
#define EDDY_STOP_ON(name, ...)                                                                    \
    EDDY_CLEANUP_(eddy_stop_exit) eddy_stop_scope name;                                            \
    eddy_stop_enter(&name, (const int[]){__VA_ARGS__, 0}, EDDY_HERE_)

/* The signal that has stopped the block; 0: none has. */
EDDY_API int eddy_stop_signal(const eddy_stop_scope *stop);

/* The functions under the macros; `numbers` ends with a 0. */
EDDY_API void eddy_signals_begin(eddy_signals *signals, const int *numbers);
EDDY_API void eddy_signals_end(eddy_signals *signals); /* See EDDY_SIGNALS. */
/* See EDDY_STOP_ON. `where` is for reports, and must stay valid. */
EDDY_API void eddy_stop_enter(eddy_stop_scope *stop, const int *numbers, const char *where);
EDDY_API void eddy_stop_exit(eddy_stop_scope *stop); /* See EDDY_STOP_ON. */

EDDY_END_DECLS
#endif
