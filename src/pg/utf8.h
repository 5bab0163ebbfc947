/* SPDX-License-Identifier: MIT */
/* UTF-8, as the server takes it. */
#ifndef ED_PG_UTF8_H
#define ED_PG_UTF8_H

#include "base/compat.h"

/* The place of the first byte that is not UTF-8 (RFC 3629), or is a NUL; `size` for a text that has
 * none. */
size_t pg_utf8_check(const char *text, size_t size);
/* The length of the character at `text`, of `size` bytes, and in *character what it is; 0: none. */
size_t pg_utf8_next(const char *text, size_t size, uint32_t *character);

#endif
