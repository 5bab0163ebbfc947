/* SPDX-License-Identifier: MIT */
/* The signals that the handlers, receivers and stop scopes of a loop have asked for. */
#ifndef ED_OS_SIGNAL_H
#define ED_OS_SIGNAL_H

#include "eddy/signal.h"
#include "loop/loop.h"
#include "loop/signal.h"

#define ED_SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

struct ed_signal_handler {
    eddy_callback *callback; /* NULL: none */
    void *argument;
    struct ed_locals *locals;
};

/* A loop's, attached at first use. */
struct ed_signals {
    struct ed_resource resource;
    eddy_loop *loop;
    eddy_post post;
    unsigned askers[ED_SIGNAL_MAX + 1];
    struct ed_signal_handler handlers[ED_SIGNAL_MAX + 1];
    struct eddy_list_ receivers, stops;

    /* shared with the handler of the kernel's, atomic */
    struct ed_signals *next; /* in the list of all */
    uint64_t wanted;         /* a bit for each signal that has an asker */
    uint64_t arrived;        /* those that have come and were not seen */
};

/* Those of a loop. NULL with an error in *rc: it is closed, or memory is short. */
struct ed_signals *ed_signals_of(eddy_loop *loop, int *rc);

/* One more who wants to see a signal: 0, or -EINVAL with nothing changed. One less: whether that
 * was the last, and one had come that the loop has not looked at. */
int ed_signals_ask(struct ed_signals *signals, int number);
bool ed_signals_drop(struct ed_signals *signals, int number);

/* The same for a list that ends with 0, and the set of bits that it stands for: all or none;
 * *refused is the number for which it is none. drop_all returns those that nobody has seen. */
int ed_signals_ask_all(struct ed_signals *signals, const int *numbers, uint64_t *wanted,
                       int *refused);
uint64_t ed_signals_drop_all(struct ed_signals *signals, uint64_t wanted);

/* Stop scopes (stop.c): counts a signal, in the kernel's handler, and says whether it is to do
 * what it did before; tells those of a loop, on its thread; counts one no longer. */
bool ed_stops_count(int number);
void ed_stops_tell(const struct eddy_list_ *stops, int number);
void ed_stop_drop(eddy_stop_scope *stop);
void ed_stops_forget(void); /* in a child of fork(2) */

#endif
