/* SPDX-License-Identifier: MIT */
/* The text form of values. */
#ifndef ED_PG_FORMAT_H
#define ED_PG_FORMAT_H

#include "pg/types.h"
#include "pg/wire.h"

/* Appends the text form of a value in binary form, as the server writes it (with DateStyle ISO,
 * IntervalStyle postgres, TimeZone UTC): 0, EDDY_EPG_PROTOCOL for bytes that are none of the type,
 * or -ENOMEM, when some of it may be there. */
int pg_format(const struct pg_types *types, const struct pg_type *type, const char *data,
              size_t size, struct eddy_buffer_ *to);

/* Appends a part of an array, or composite, in quotes if it needs them. */
int pg_format_element(const char *text, size_t size, char delimiter, struct eddy_buffer_ *to);
int pg_format_field(const char *text, size_t size, struct eddy_buffer_ *to);

#endif
