/* SPDX-License-Identifier: MIT */
/*
 * One value of a result: a field, and the functions that read it, which eddy_pg_get of
 * eddy/pg_result.h chooses among. They return what it returns. Nothing here suspends.
 */
#ifndef EDDY_PG_FIELD_H
#define EDDY_PG_FIELD_H

#include "eddy/compat.h"
#include "eddy/error.h"
#include "eddy/pg_type.h"

EDDY_BEGIN_DECLS

typedef struct eddy_pg_result eddy_pg_result;

/* One value of a row, or element of an array: borrowed from the result. */
typedef struct eddy_pg_field {
    const char *data; /* NULL: there is none, see size */
    int32_t size;     /* bytes; a NUL stands behind a column's, and not behind an element's.
                       * Of none: EDDY_EPG_NULL for NULL, or the error of looking for it */
    uint32_t type;    /* its oid */
    const eddy_pg_result *result;
    int32_t column; /* for the texts of errors */
    bool is_text;   /* in text form */
} eddy_pg_field;

/* Each reads into a variable of its type, or leaves it untouched. */
EDDY_NODISCARD EDDY_API int eddy_pg_read_bool(eddy_pg_field field, bool *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_int8(eddy_pg_field field, int8_t *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_int16(eddy_pg_field field, int16_t *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_int32(eddy_pg_field field, int32_t *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_int64(eddy_pg_field field, int64_t *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_uint8(eddy_pg_field field, uint8_t *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_uint16(eddy_pg_field field, uint16_t *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_uint32(eddy_pg_field field, uint32_t *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_uint64(eddy_pg_field field, uint64_t *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_float(eddy_pg_field field, float *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_double(eddy_pg_field field, double *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_text(eddy_pg_field field, const char **out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_copy(eddy_pg_field field, char **out);
/* A numeric (or integer) times 10^scale, exactly: 19.99 with a scale of 2 is 1999. -ERANGE when it
 * has more digits behind the point, is no number, or does not fit. */
EDDY_NODISCARD EDDY_API int
eddy_pg_read_decimal(eddy_pg_field field, unsigned scale, int64_t *unscaled);
EDDY_NODISCARD EDDY_API int eddy_pg_read_date(eddy_pg_field field, eddy_pg_date *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_time(eddy_pg_field field, eddy_pg_time *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_timestamp(eddy_pg_field field, eddy_pg_timestamp *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_interval(eddy_pg_field field, eddy_pg_interval *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_uuid(eddy_pg_field field, eddy_pg_uuid *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_inet(eddy_pg_field field, eddy_pg_inet *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_mac(eddy_pg_field field, eddy_pg_mac *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_bytes(eddy_pg_field field, eddy_pg_bytes *out);
EDDY_NODISCARD EDDY_API int eddy_pg_read_bits(eddy_pg_field field, eddy_pg_bits *out);

/* An array, of up to six dimensions: its elements in row-major order, borrowed from the result; or
 * a multirange: its ranges. */
typedef struct eddy_pg_array_view {
    size_t count;   /* elements in all */
    int dimensions; /* 0: empty */
    int32_t sizes[6];
    int32_t bounds[6]; /* the lower ones, as a rule 1 */
    uint32_t type;     /* of the elements */
    const char *next, *end;
    const eddy_pg_result *result;
    int32_t column;
    bool is_text;
} eddy_pg_array_view;
/* Looks at one, whose elements are then taken in turn. */
EDDY_NODISCARD EDDY_API int eddy_pg_read_array(eddy_pg_field field, eddy_pg_array_view *out);
/* The next element: 1 with a field, whose data is NULL for NULL; 0 behind the last. */
EDDY_NODISCARD EDDY_API int eddy_pg_next_element(eddy_pg_array_view *array, eddy_pg_field *out);

/* A composite, a value of a row type: its fields in their order, borrowed from the result. Those of
 * a record, ROW(1, 'a'), have no types, and are read as whatever is wanted. */
typedef struct eddy_pg_composite_view {
    size_t count; /* fields */
    const char *next, *end;
    const eddy_pg_result *result;
    int32_t column;
    bool is_text;
} eddy_pg_composite_view;
/* Looks at one, whose fields are then taken in turn. */
EDDY_NODISCARD EDDY_API int
eddy_pg_read_composite(eddy_pg_field field, eddy_pg_composite_view *out);
/* The next field: 1 with it, whose data is NULL for NULL; 0 behind the last. */
EDDY_NODISCARD EDDY_API int
eddy_pg_next_field(eddy_pg_composite_view *composite, eddy_pg_field *out);

/* A range; data of NULL: there is no bound on that side. Borrowed from the result. */
typedef struct eddy_pg_range_view {
    bool is_empty, includes_lower, includes_upper;
    eddy_pg_field lower, upper;
} eddy_pg_range_view;
/* Takes one apart. */
EDDY_NODISCARD EDDY_API int eddy_pg_read_range(eddy_pg_field field, eddy_pg_range_view *out);

EDDY_END_DECLS

#ifndef __cplusplus
EDDY_NODISCARD static inline int eddy_pg_read_long_long_(eddy_pg_field field, long long *out)
{
    int64_t value = 0;
    int rc = eddy_pg_read_int64(field, &value);

    if (rc == 0)
        *out = value;
    return rc;
}
EDDY_NODISCARD static inline int
eddy_pg_read_unsigned_long_long_(eddy_pg_field field, unsigned long long *out)
{
    uint64_t value = 0;
    int rc = eddy_pg_read_uint64(field, &value);

    if (rc == 0)
        *out = value;
    return rc;
}
/* The commonest ones, read where they are: the caller need not hand a copy of the field over. */
static inline uint64_t eddy_pg_big_endian_(const char *data, int size)
{
    uint64_t value = 0;

    for (int i = 0; i < size; i++)
        value = value << 8 | (unsigned char)data[i];
    return value;
}
EDDY_NODISCARD static inline int eddy_pg_get_int32_(eddy_pg_field field, int32_t *out)
{
    if (!EDDY_LIKELY_(field.type == EDDY_PG_INT4 && field.size == 4 && !field.is_text))
        return eddy_pg_read_int32(field, out);
    *out = (int32_t)eddy_pg_big_endian_(field.data, 4);
    return 0;
}
EDDY_NODISCARD static inline int eddy_pg_get_int64_(eddy_pg_field field, int64_t *out)
{
    if (!EDDY_LIKELY_(field.type == EDDY_PG_INT8 && field.size == 8 && !field.is_text))
        return eddy_pg_read_int64(field, out);
    *out = (int64_t)eddy_pg_big_endian_(field.data, 8);
    return 0;
}
EDDY_NODISCARD static inline int eddy_pg_get_double_(eddy_pg_field field, double *out)
{
    uint64_t bits;

    if (!EDDY_LIKELY_(field.type == EDDY_PG_FLOAT8 && field.size == 8 && !field.is_text))
        return eddy_pg_read_double(field, out);
    bits = eddy_pg_big_endian_(field.data, 8);
    __builtin_memcpy(out, &bits, sizeof bits);
    return 0;
}
EDDY_NODISCARD static inline int eddy_pg_get_timestamp_(eddy_pg_field field, eddy_pg_timestamp *out)
{
    if (!EDDY_LIKELY_(field.type == EDDY_PG_TIMESTAMPTZ && field.size == 8 && !field.is_text))
        return eddy_pg_read_timestamp(field, out);
    out->microseconds = (int64_t)eddy_pg_big_endian_(field.data, 8);
    return 0;
}
EDDY_NODISCARD static inline int eddy_pg_get_text_(eddy_pg_field field, const char **out)
{
    if (!EDDY_LIKELY_(field.type == EDDY_PG_TEXT && field.data && field.data[field.size] == '\0'))
        return eddy_pg_read_text(field, out);
    *out = field.data;
    return 0;
}

/* A field as it is; NULL is no error here. */
EDDY_NODISCARD static inline int eddy_pg_read_field_(eddy_pg_field field, eddy_pg_field *out)
{
    if (!field.data && field.size != EDDY_EPG_NULL)
        return field.size;
    *out = field;
    return 0;
}
#endif
#endif
