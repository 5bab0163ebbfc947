/* SPDX-License-Identifier: MIT */
/*
 * The end of a program that was misused: a sentence, then abort(3).
 *
 * For programmers' errors only, where going on could corrupt something. Bad
 * input, a bad peer and a lack of anything are error codes.
 */
#ifndef ED_BASE_DIE_H
#define ED_BASE_DIE_H

#include "base/compat.h"

/* Prints "eddy: " and the sentence to standard error, then aborts. */
_Noreturn ED_COLD EDDY_API void eddy_die_(const char *format, ...) EDDY_PRINTF_(1, 2);
#define ed_die(...) eddy_die_(__VA_ARGS__)

/* An invariant of the library; always on. */
#define ED_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (ed_unlikely(!(condition)))                                                             \
            ed_die("broken invariant: %s (%s)", #condition, EDDY_HERE_);                           \
    } while (0)

#endif
