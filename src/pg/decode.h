/* SPDX-License-Identifier: MIT */
/*
 * Values in binary form, one by one. Each length is checked: EDDY_EPG_PROTOCOL for bytes that are
 * no value of the type, with *out untouched (P-TYPE-8).
 */
#ifndef ED_PG_DECODE_H
#define ED_PG_DECODE_H

#include "eddy/pg_type.h"
#include "pg/types.h"

/* The bytes of a kind whose values are all of one size; 0: they are not. */
size_t pg_kind_size(enum pg_kind kind);

/* Of PG_KIND_BOOL, _INT2, _INT4, _INT8, _OID, _XID8, _LSN and _NUMERIC as a whole number, and of
 * those and the FLOATs as a double: EDDY_EPG_TYPE for another kind, -ERANGE for what is not whole.
 * */
int pg_decode_whole(enum pg_kind kind, const char *data, size_t size, __int128 *out);
int pg_decode_double(enum pg_kind kind, const char *data, size_t size, double *out);

/* Of PG_KIND_TEXT and _JSONB: a part of the value. */
int pg_decode_text(enum pg_kind kind, const char *data, size_t size, eddy_pg_bytes *out);
int pg_decode_date(const char *data, size_t size, eddy_pg_date *out);
int pg_decode_time(bool with_zone, const char *data, size_t size, eddy_pg_time *out);
int pg_decode_timestamp(const char *data, size_t size, eddy_pg_timestamp *out);
int pg_decode_interval(const char *data, size_t size, eddy_pg_interval *out);
int pg_decode_uuid(const char *data, size_t size, eddy_pg_uuid *out);
int pg_decode_inet(const char *data, size_t size, eddy_pg_inet *out);
int pg_decode_mac(const char *data, size_t size, eddy_pg_mac *out);
int pg_decode_bits(const char *data, size_t size, eddy_pg_bits *out);

#endif
