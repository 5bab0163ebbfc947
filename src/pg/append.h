/* SPDX-License-Identifier: MIT */
/* Values of C's types, appended in binary form: 0 or -ENOMEM. They must be of what the type holds.
 * */
#ifndef ED_PG_APPEND_H
#define ED_PG_APPEND_H

#include "eddy/pg_type.h"
#include "pg/types.h"
#include "pg/wire.h"

/* A number in as many bytes as its kind has. */
int pg_append_whole(struct eddy_buffer_ *to, enum pg_kind kind, uint64_t value);
int pg_append_real(struct eddy_buffer_ *to, enum pg_kind kind, double value);
int pg_append_time(struct eddy_buffer_ *to, bool with_zone, eddy_pg_time time);
int pg_append_interval(struct eddy_buffer_ *to, eddy_pg_interval interval);
int pg_append_inet(struct eddy_buffer_ *to, bool is_cidr, const eddy_pg_inet *inet);
int pg_append_bits(struct eddy_buffer_ *to, eddy_pg_bits bits);

/* What is behind a value that is to be measured: its length goes where `place` was. */
int pg_append_length(struct eddy_buffer_ *to, size_t *place);
void pg_end_length(struct eddy_buffer_ *to, size_t place);

#endif
