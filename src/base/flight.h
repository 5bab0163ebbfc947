/* SPDX-License-Identifier: MIT */
/*
 * Memory in flight: what the kernel may still write to or read from, from the
 * submit of an operation to its completion. Sanitizers do not see the kernel, so
 * the library keeps a register itself, and aborts with a sentence when such memory
 * is freed. It is kept while it is watched: with EDDY_DEBUG=1, EDDY_GUARD=1, and in
 * the tests.
 *
 * One register a thread, since an operation belongs to the thread of its loop.
 */
#ifndef ED_BASE_FLIGHT_H
#define ED_BASE_FLIGHT_H

#include "base/compat.h"

/* What one operation holds; part of the operation, and by that in flight itself. */
struct ed_flight {
    const void *memory; /* the buffer, or NULL for none */
    size_t size;        /* bytes */
    const char *what;   /* the operation, such as "recv" */
    const char *where;  /* "file:line" of the submit */
    size_t entry;       /* in the register, from 1; 0: it is not */
};

/* How many entries this thread has. */
extern __thread size_t ed_flights __attribute__((tls_model("initial-exec")));

/* Whether operations are entered from now on. */
void ed_flight_watch(bool watch);
bool ed_flight_watched(void);

/* Enters an operation if they are watched, and takes it out if it was entered. */
void ed_flight_begin(struct ed_flight *flight);
void ed_flight_end(struct ed_flight *flight);

/* Aborts if any of `size` bytes at `memory`, about to be lost at `where`, is in flight. */
void ed_flight_check_slow(const void *memory, size_t size, const char *how, const char *where);
ED_INLINE void ed_flight_check(const void *memory, size_t size, const char *how, const char *where)
{
    if (ed_unlikely(ed_flights > 0))
        ed_flight_check_slow(memory, size, how, where);
}

#endif
