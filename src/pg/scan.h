/* SPDX-License-Identifier: MIT */
/* A text that is read from its front, piece by piece. */
#ifndef ED_PG_SCAN_H
#define ED_PG_SCAN_H

#include <strings.h>

#include "base/compat.h"

struct pg_scan {
    const char *at, *end;
};

/* The next character; 0 at the end. */
ED_INLINE char pg_scan_peek(const struct pg_scan *scan)
{
    return (char)(scan->at < scan->end ? *scan->at : '\0');
}
ED_INLINE bool pg_scan_is_digit(const struct pg_scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}
ED_INLINE bool pg_scan_ended(const struct pg_scan *scan)
{
    return scan->at == scan->end;
}

/* Takes a character, or a word in any case, if it is next. */
ED_INLINE bool pg_scan_char(struct pg_scan *scan, char c)
{
    bool found = scan->at < scan->end && *scan->at == c;

    scan->at += found;
    return found;
}
ED_INLINE bool pg_scan_word(struct pg_scan *scan, const char *word, size_t size)
{
    if ((size_t)(scan->end - scan->at) < size || strncasecmp(scan->at, word, size) != 0)
        return false;
    scan->at += size;
    return true;
}

/* Takes up to `most` digits, at most 18; returns how many. */
ED_INLINE int pg_scan_digits(struct pg_scan *scan, int most, int64_t *out)
{
    int64_t value = 0;
    int count = 0;

    for (; count < most && pg_scan_is_digit(scan); count++)
        value = value * 10 + (*scan->at++ - '0');
    *out = value;
    return count;
}

#endif
