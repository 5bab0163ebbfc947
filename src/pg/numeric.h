/* SPDX-License-Identifier: MIT */
/*
 * numeric: a sign, digits of base 10000 with the weight of the first, and how many decimals it
 * shows ("dscale"): 1.50 is not 1.5.
 */
#ifndef ED_PG_NUMERIC_H
#define ED_PG_NUMERIC_H

#include "pg/wire.h"

#define PG_NUMERIC_NEGATIVE 0x4000
#define PG_NUMERIC_NAN 0xc000
#define PG_NUMERIC_INFINITY 0xd000
#define PG_NUMERIC_MINUS_INFINITY 0xf000
#define PG_NUMERIC_SCALE_MOST 0x3fff

struct pg_numeric {
    const char *digits; /* two bytes each */
    int count, weight;  /* the first digit's: it counts 10000^weight */
    uint16_t sign, scale;
};

/* Looks at a value in binary form; EDDY_EPG_PROTOCOL for what is none. Borrows it. */
int pg_numeric_read(const char *data, size_t size, struct pg_numeric *out);

/* Appends the text form, as the server writes it: "-1.50", "NaN". 0 or -ENOMEM. */
int pg_numeric_format(const struct pg_numeric *numeric, struct eddy_buffer_ *to);
/* The number times 10^scale; -ERANGE when that is not whole, is no number, or does not fit. */
int pg_numeric_scaled(const struct pg_numeric *numeric, unsigned scale, __int128 *out);
/* The nearest double, infinite for what is beyond all. */
double pg_numeric_double(const struct pg_numeric *numeric);

/* Appends the binary form of a text: 0; -EINVAL for what is no number, -ERANGE for one that the
 * type cannot hold, -ENOMEM. */
int pg_numeric_parse(const char *text, size_t size, struct eddy_buffer_ *to);
/* The same of unscaled / 10^scale, with a scale of at most PG_NUMERIC_SCALE_MOST. */
int pg_numeric_from_scaled(__int128 unscaled, unsigned scale, struct eddy_buffer_ *to);

#endif
