/* SPDX-License-Identifier: MIT */
/* Ranges (range_send): a byte of flags, and those bounds that are not infinite, each behind its
 * length. */
#include "pg/range.h"

#include "eddy/error.h"
#include "pg/wire.h"

#define RANGE_FLAGS 31

int pg_range_read(const char *data, size_t size, struct pg_range *out)
{
    static const uint8_t infinite[] = {PG_RANGE_LOWER_INFINITE, PG_RANGE_UPPER_INFINITE};
    struct pg_rest rest = {data, data + size};
    const char *flags = pg_take(&rest, 1);
    struct pg_range range = {.flags = flags ? (uint8_t)*flags : 0};

    if (!flags || range.flags & ~RANGE_FLAGS)
        return EDDY_EPG_PROTOCOL;
    for (int i = 0; i < 2 && !(range.flags & PG_RANGE_EMPTY); i++)
        if (!(range.flags & infinite[i]) &&
            (pg_take_part(&rest, &range.bounds[i], &range.sizes[i]) < 0 || !range.bounds[i]))
            return EDDY_EPG_PROTOCOL;
    if (rest.next != rest.end)
        return EDDY_EPG_PROTOCOL;
    *out = range;
    return 0;
}
