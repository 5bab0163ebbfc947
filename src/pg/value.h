/* SPDX-License-Identifier: MIT */
/* What stands in an eddy_pg_value. */
#ifndef ED_PG_VALUE_H
#define ED_PG_VALUE_H

#include "eddy/pg_value.h"

/* The member that holds it, and what is in the others. */
enum pg_value_kind {
    PG_VALUE_NULL, /* a value of zeros */
    PG_VALUE_BOOL, /* integer */
    PG_VALUE_INT,
    PG_VALUE_UINT,      /* natural, above INT64_MAX */
    PG_VALUE_DOUBLE,    /* real */
    PG_VALUE_DECIMAL,   /* integer; extra: scale */
    PG_VALUE_TEXT,      /* pointer, size; extra: 1 when a NUL stands behind it */
    PG_VALUE_BYTES,     /* pointer, size */
    PG_VALUE_BITS,      /* pointer; size: bits */
    PG_VALUE_DATE,      /* integer: days */
    PG_VALUE_TIME,      /* integer: microseconds; extra: zone */
    PG_VALUE_TIMESTAMP, /* integer: microseconds */
    PG_VALUE_INTERVAL,  /* integer: microseconds; extra: months; more: days */
    PG_VALUE_UUID,      /* bytes, from `integer` on */
    PG_VALUE_INET,      /* bytes, from `integer` on; extra: prefix, and 256 for IPv6 */
    PG_VALUE_MAC,       /* bytes, in `integer`; size */
    PG_VALUE_ARRAY,     /* pointer: values; size: how many */
    PG_VALUE_INTS,      /* pointer: int64_t */
    PG_VALUE_DOUBLES,   /* pointer: double */
    PG_VALUE_TEXTS,     /* pointer: const char * */
    PG_VALUE_COMPOSITE, /* pointer: values; size: how many */
    PG_VALUE_RANGE,     /* pointer: two values, size: 2, but of an empty one; extra: its flags */
    PG_VALUE_POINTER,   /* a pointer of no type that is not NULL: no value */
};

/* An element of one of the arrays. */
eddy_pg_value pg_value_element(const eddy_pg_value *array, size_t index);
/* What it is, for errors: "an integer". */
const char *pg_value_name(const eddy_pg_value *value);

eddy_pg_date pg_value_date(const eddy_pg_value *value);
eddy_pg_time pg_value_time(const eddy_pg_value *value);
eddy_pg_interval pg_value_interval(const eddy_pg_value *value);
eddy_pg_uuid pg_value_uuid(const eddy_pg_value *value);
eddy_pg_inet pg_value_inet(const eddy_pg_value *value);
eddy_pg_mac pg_value_mac(const eddy_pg_value *value);

/* A deep copy of values, texts and arrays too, in one block, to be freed by eddy_free: for batches.
 * NULL: no memory. */
eddy_pg_value *pg_values_copy(const eddy_pg_value *values, size_t count);

#endif
