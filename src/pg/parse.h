/* SPDX-License-Identifier: MIT */
/* Values from their text form. */
#ifndef ED_PG_PARSE_H
#define ED_PG_PARSE_H

#include "pg/types.h"
#include "pg/wire.h"

/*
 * Appends the binary form of a value in text form, of a kind that is not made of others. Returns 0,
 * or with the buffer as it was:
 *   -EINVAL   it is none, or in a form that the server may know and Eddy does not
 *   -ERANGE   the type cannot hold it
 *   -ENOMEM
 */
int pg_parse(enum pg_kind kind, const char *text, size_t size, struct eddy_buffer_ *to);

#endif
