/* SPDX-License-Identifier: MIT */
/* Composites, ranges and multiranges in text form, as the layout of their binary form. */
#ifndef ED_PG_COMPOSITE_H
#define ED_PG_COMPOSITE_H

#include "pg/types.h"
#include "pg/wire.h"

/* Appends the layout of the binary form, with parts that are texts: 0; -EINVAL for what is none,
 * -ENOMEM. Of a composite the fields are of these types, and of none behind the last. */
int pg_composite_from_text(const char *text, size_t size, const uint32_t *fields, size_t count,
                           struct eddy_buffer_ *to);
int pg_range_from_text(const char *text, size_t size, struct eddy_buffer_ *to);
int pg_multirange_from_text(const char *text, size_t size, struct eddy_buffer_ *to);

/* The fields of a composite in binary form, or laid out like it: all of them fit, and nothing is
 * behind them. Their number, or EDDY_EPG_PROTOCOL. */
int64_t pg_composite_read(const char *data, size_t size, struct pg_rest *out);
/* The next one: its type, and *data NULL for NULL. */
int pg_composite_next(struct pg_rest *rest, uint32_t *type, const char **data, int32_t *size);
/* The ranges of a multirange likewise. */
int64_t pg_multirange_read(const char *data, size_t size, struct pg_rest *out);

#endif
