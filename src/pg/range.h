/* SPDX-License-Identifier: MIT */
/* Ranges in binary form. */
#ifndef ED_PG_RANGE_H
#define ED_PG_RANGE_H

#include <stddef.h>
#include <stdint.h>

#define PG_RANGE_EMPTY 1
#define PG_RANGE_LOWER_INCLUSIVE 2
#define PG_RANGE_UPPER_INCLUSIVE 4
#define PG_RANGE_LOWER_INFINITE 8
#define PG_RANGE_UPPER_INFINITE 16

struct pg_range {
    uint8_t flags;
    const char *bounds[2]; /* lower and upper; NULL: infinite, or of an empty range */
    int32_t sizes[2];
};

/* Looks at a range: EDDY_EPG_PROTOCOL for what is none. Borrows it. */
int pg_range_read(const char *data, size_t size, struct pg_range *out);

#endif
