/* SPDX-License-Identifier: MIT */
/* UTF-8 (RFC 3629) that comes in pieces. */
#ifndef ED_HTTP_WEBSOCKET_UTF8_H
#define ED_HTTP_WEBSOCKET_UTF8_H

#include "base/compat.h"

/* Between two pieces; zeroed at the begin of a text. */
struct ed_utf8 {
    uint8_t missing;   /* bytes of the character that has begun */
    uint8_t seen;      /* bytes of it that have come */
    uint8_t low, high; /* between which the next one must be */
};

/* Takes a piece. False as soon as it cannot become valid any more. */
bool ed_utf8_check(struct ed_utf8 *state, const char *data, size_t size);

/* Whether the text may end here. */
ED_INLINE bool ed_utf8_may_end(const struct ed_utf8 *state)
{
    return state->missing == 0;
}

#endif
