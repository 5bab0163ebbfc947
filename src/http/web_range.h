/* SPDX-License-Identifier: MIT */
/* Ranges of bytes (RFC 9110, 14). */
#ifndef ED_HTTP_WEB_RANGE_H
#define ED_HTTP_WEB_RANGE_H

#include "base/compat.h"

enum ed_range {
    ED_RANGE_WHOLE, /* as if there were none: 200 */
    ED_RANGE_PART,  /* 206 */
    ED_RANGE_NONE,  /* 416 */
};

/*
 * What a Range field asks for of `size` bytes: *first and *last, both included, with ED_RANGE_PART.
 * Another unit than bytes is to be ignored, and several ranges may be, which is done here. One that
 * is malformed, reversed or behind the end is refused.
 */
enum ed_range ed_range_parse(const char *value, uint64_t size, uint64_t *first, uint64_t *last);

#endif
