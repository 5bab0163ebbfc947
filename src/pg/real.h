/* SPDX-License-Identifier: MIT */
/* Texts of floating point numbers, whatever the locale is. */
#ifndef ED_PG_REAL_H
#define ED_PG_REAL_H

#include "base/compat.h"

enum pg_real_style {
    PG_REAL_DOUBLE,
    PG_REAL_SINGLE, /* of a float */
    PG_REAL_PYTHON, /* of a double, as Python writes it */
};

/* The shortest decimal digits that are read as the same number, without point or zeros at their
 * end: value = 0.DIGITS * 10^*point. Of a finite number, its sign apart. Returns how many there
 * are. */
int pg_real_digits(double value, enum pg_real_style style, char digits[24], int *point);

/* Writes the shortest text that is read as the same number, as the server does with
 * extra_float_digits of 1 or more: "0.1", "1e+15", "NaN", "-Infinity". Returns its length. */
#define PG_REAL_SIZE 40
int pg_real_format(double value, bool single, char text[PG_REAL_SIZE]);

/* Reads a number, "NaN" or "Infinity": 0, infinite for what is too large; -EINVAL. */
int pg_real_parse(const char *text, size_t size, double *out);

#endif
