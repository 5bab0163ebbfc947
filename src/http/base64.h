/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648, 4), with its padding. */
#ifndef ED_HTTP_BASE64_H
#define ED_HTTP_BASE64_H

#include <sys/types.h>

#include "base/compat.h"

#define ED_BASE64_SIZE(size)                                                                       \
    (((size) + 2) / 3 * 4 + 1) /* characters for so many bytes, with a NUL */

/* Writes `size` bytes as text with a NUL behind it, ED_BASE64_SIZE(size) characters. */
void ed_base64_encode(const void *data, size_t size, char *out);

/* The other way: how many bytes, at most `room`; -1 for what is not Base64, or too long. */
ssize_t ed_base64_decode(const char *text, size_t size, void *out, size_t room);

#endif
