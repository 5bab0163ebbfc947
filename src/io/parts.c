/* SPDX-License-Identifier: MIT */
/* Bytes in several parts. A part that is partly done begins later; one that is done is left out. */
#include "io/parts.h"

size_t
ed_parts_rest(const struct iovec *parts, size_t count, size_t skip, struct iovec *rest, size_t room)
{
    size_t used = 0;

    for (size_t i = 0; i < count && used < room; i++) {
        size_t from = skip < parts[i].iov_len ? skip : parts[i].iov_len;

        skip -= from;
        if (parts[i].iov_len == from)
            continue;
        rest[used].iov_base = (char *)parts[i].iov_base + from;
        rest[used].iov_len = parts[i].iov_len - from;
        if (rest[used].iov_len > ED_PARTS_TRANSFER)
            rest[used].iov_len = ED_PARTS_TRANSFER;
        used++;
    }
    return used;
}
