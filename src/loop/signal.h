/* SPDX-License-Identifier: MIT */
/*
 * Which signals the library handles, in the whole process; see signal.c.
 *
 * Two ranks may take a signal: what the library does by itself, such as SIGINT in eddy_run, and
 * what the program has asked for. The higher rank gets it; what it does not keep goes on to the
 * lower, and at last to the disposition that was there before.
 */
#ifndef ED_LOOP_SIGNAL_H
#define ED_LOOP_SIGNAL_H

#include "base/compat.h"

#define ED_SIGNAL_MAX 64

enum ed_signal_rank {
    ED_SIGNAL_LIBRARY, /* only in the place of the default action */
    ED_SIGNAL_PROGRAM,
    ED_SIGNAL_RANKS,
};

/* Runs in the kernel's handler, in any thread: atomics and eddy_loop_post, no more. Whether
 * the signal goes on to whom it went before. */
typedef bool ed_signal_function(int number);

/*
 * Takes a signal, in any thread. Several may take the same one with the same function: it is
 * counted. 0; -EINVAL for what is no signal or cannot be handled; -EBUSY when the library must
 * not have it, since the program handles or ignores it.
 */
int ed_signal_take(int number, enum ed_signal_rank rank, ed_signal_function *arrived);

/* Gives it back. Once the last has, the function is not called any more, and the disposition
 * is the former one, unless the program has changed it meanwhile. */
void ed_signal_give_back(int number, enum ed_signal_rank rank);

/* Waits until the functions that run now, in other threads, have returned: they have forgotten
 * what the caller has made unreachable. */
void ed_signal_settle(void);

#endif
