/* SPDX-License-Identifier: MIT */
/* Arrays: their binary form, and their text form as one of the same layout. */
#ifndef ED_PG_ARRAY_H
#define ED_PG_ARRAY_H

#include "pg/types.h"
#include "pg/wire.h"

#define PG_ARRAY_DIMENSIONS 6 /* MAXDIM of the server */

struct pg_array {
    size_t count;   /* elements in all */
    int dimensions; /* 0: empty */
    int32_t sizes[PG_ARRAY_DIMENSIONS], bounds[PG_ARRAY_DIMENSIONS];
    uint32_t element;     /* their type */
    struct pg_rest parts; /* they themselves, each with its length before it */
};

/* Looks at an array: all of its parts fit, and nothing is behind them. EDDY_EPG_PROTOCOL else. */
int pg_array_read(const char *data, size_t size, struct pg_array *out);

/* Appends an array in text form, "{1,2}", in the layout of the binary form, with elements that are
 * texts: 0; -EINVAL for what is none, -ENOMEM. */
int pg_array_from_text(const char *text, size_t size, char delimiter, uint32_t element,
                       struct eddy_buffer_ *to);
/* Appends the head of an array: 0 or -ENOMEM. */
int pg_array_append_head(struct eddy_buffer_ *to, const struct pg_array *array, bool has_null);

#endif
