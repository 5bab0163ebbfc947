/* SPDX-License-Identifier: MIT */
/*
 * Reads fields into variables. What came in text form is turned into the binary form first, in a
 * buffer of its own, so that there is one way to read each type; a text of a type that nobody knows
 * (a field of a record in text form) is taken for what the reader wants. The commonest readers try
 * the common case before all else.
 *
 * A variable is written once, when nothing can fail any more.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/error.h"
#include "eddy/stream_class.h"
#include "pg/decode.h"
#include "pg/format.h"
#include "pg/numeric.h"
#include "pg/parse.h"
#include "pg/result.h"

#define READ_UNKNOWN 705 /* the type of a text that has none */

const struct pg_type *pg_field_type(const eddy_pg_field *field)
{
    return pg_types_find(field->result ? field->result->types : NULL, field->type);
}

static const char *read_column_name(const eddy_pg_field *field)
{
    const char *name = field->result && field->column >= 0
                           ? eddy_pg_column_name(field->result, (size_t)field->column)
                           : NULL;

    return name ? name : "?";
}

/* There is no value: NULL, or an error of looking for it, which has its text already. */
ED_COLD int pg_field_nothing(const eddy_pg_field *field)
{
    if (field->size == EDDY_EPG_NULL)
        return eddy_raise(EDDY_EPG_NULL, "column \"%s\" is NULL", read_column_name(field));
    return field->size;
}

/* The end of a reader: the text of an error that comes from inside. */
ED_COLD int pg_field_refuse(const eddy_pg_field *field, int code, const char *wanted)
{
    const struct pg_type *type = pg_field_type(field);
    const char *name = type ? type->name : "a type that is not known";

    switch (code) {
    case EDDY_EPG_TYPE:
        return eddy_raise(code, "column \"%s\" is %s, not %s", read_column_name(field), name,
                          wanted);
    case -ERANGE:
        return eddy_raise(code, "column \"%s\", %s, does not fit into %s", read_column_name(field),
                          name, wanted);
    case EDDY_EPG_PROTOCOL:
        return eddy_raise(code, "column \"%s\" is not in the form of %s", read_column_name(field),
                          name);
    default: return code;
    }
}

/* A field in binary form. */
struct read_value {
    enum pg_kind kind;
    const char *data;
    size_t size;
    struct eddy_buffer_ buffer; /* where it is, when it came as text */
};

static int read_begin(const eddy_pg_field *field, enum pg_kind of_unknown, struct read_value *out)
{
    const struct pg_type *type;
    int rc;

    if (!field->data)
        return pg_field_nothing(field);
    type = pg_field_type(field);
    *out = (struct read_value){.kind = type ? type->kind : PG_KIND_FOREIGN,
                               .data = field->data,
                               .size = (size_t)field->size};
    if (!field->is_text)
        return 0;
    if (!type || type->oid == READ_UNKNOWN)
        out->kind = of_unknown;
    if (out->kind >= PG_KIND_ARRAY)
        return 0;
    rc = pg_parse(out->kind, field->data, (size_t)field->size, &out->buffer);
    if (rc == -EINVAL || rc == -ERANGE)
        rc = !type || type->oid == READ_UNKNOWN ? EDDY_EPG_TYPE : EDDY_EPG_PROTOCOL;
    out->data = rc == 0 && out->buffer.data ? ed_buffer_bytes(&out->buffer) : "";
    out->size = ed_buffer_size(&out->buffer);
    return rc;
}

static int
read_end(const eddy_pg_field *field, struct read_value *value, int rc, const char *wanted)
{
    ed_buffer_release(&value->buffer);
    return ed_likely(rc == 0) ? 0 : !field->data ? rc : pg_field_refuse(field, rc, wanted);
}

/* A whole number within limits. */
static int read_whole(const eddy_pg_field *field, __int128 least, __int128 most, const char *wanted,
                      __int128 *out)
{
    struct read_value value = {.data = NULL};
    int rc = read_begin(field, PG_KIND_NUMERIC, &value);

    if (rc == 0)
        rc = pg_decode_whole(value.kind, value.data, value.size, out);
    if (rc == 0 && (*out < least || *out > most))
        rc = -ERANGE;
    return read_end(field, &value, rc, wanted);
}

#define READ_INTEGER(name, type, least, most)                                                      \
    int eddy_pg_read_##name(eddy_pg_field field, type *out)                                        \
    {                                                                                              \
        __int128 value;                                                                            \
        int rc = read_whole(&field, least, most, #name, &value);                                   \
                                                                                                   \
        if (rc == 0)                                                                               \
            *out = (type)value;                                                                    \
        return rc;                                                                                 \
    }
READ_INTEGER(int8, int8_t, INT8_MIN, INT8_MAX)
READ_INTEGER(uint8, uint8_t, 0, UINT8_MAX)
READ_INTEGER(int16, int16_t, INT16_MIN, INT16_MAX)
READ_INTEGER(uint16, uint16_t, 0, UINT16_MAX)
READ_INTEGER(uint32, uint32_t, 0, UINT32_MAX)
READ_INTEGER(uint64, uint64_t, 0, UINT64_MAX)

int eddy_pg_read_int32(eddy_pg_field field, int32_t *out)
{
    __int128 value;
    int rc;

    if (ed_likely(field.type == EDDY_PG_INT4 && field.size == 4 && !field.is_text)) {
        *out = (int32_t)pg_load32(field.data);
        return 0;
    }
    rc = read_whole(&field, INT32_MIN, INT32_MAX, "int32", &value);
    if (rc == 0)
        *out = (int32_t)value;
    return rc;
}

int eddy_pg_read_int64(eddy_pg_field field, int64_t *out)
{
    __int128 value;
    int rc;

    if (ed_likely(field.type == EDDY_PG_INT8 && field.size == 8 && !field.is_text)) {
        *out = (int64_t)pg_load64(field.data);
        return 0;
    }
    rc = read_whole(&field, INT64_MIN, INT64_MAX, "int64", &value);
    if (rc == 0)
        *out = (int64_t)value;
    return rc;
}

int eddy_pg_read_bool(eddy_pg_field field, bool *out)
{
    struct read_value value = {.data = NULL};
    __int128 whole;
    int rc = read_begin(&field, PG_KIND_BOOL, &value);

    if (rc == 0)
        rc = value.kind == PG_KIND_BOOL
                 ? pg_decode_whole(value.kind, value.data, value.size, &whole)
                 : EDDY_EPG_TYPE;
    if (rc == 0)
        *out = whole != 0;
    return read_end(&field, &value, rc, "bool");
}

int eddy_pg_read_double(eddy_pg_field field, double *out)
{
    struct read_value value = {.data = NULL};
    double real;
    int rc;

    if (ed_likely(field.type == EDDY_PG_FLOAT8 && field.size == 8 && !field.is_text)) {
        *out = pg_load_double(field.data);
        return 0;
    }
    rc = read_begin(&field, PG_KIND_FLOAT8, &value);
    if (rc == 0)
        rc = pg_decode_double(value.kind, value.data, value.size, &real);
    if (rc == 0)
        *out = real;
    return read_end(&field, &value, rc, "double");
}

int eddy_pg_read_float(eddy_pg_field field, float *out)
{
    double value;
    int rc = eddy_pg_read_double(field, &value);

    if (rc == 0 && isinf((float)value) && !isinf(value))
        return pg_field_refuse(&field, -ERANGE, "float");
    if (rc == 0)
        *out = (float)value;
    return rc;
}

int eddy_pg_read_decimal(eddy_pg_field field, unsigned scale, int64_t *unscaled)
{
    struct read_value value = {.data = NULL};
    struct pg_numeric numeric;
    __int128 whole = 0;
    int rc = read_begin(&field, PG_KIND_NUMERIC, &value);

    if (rc == 0 && value.kind == PG_KIND_NUMERIC) {
        rc = pg_numeric_read(value.data, value.size, &numeric);
        if (rc == 0)
            rc = pg_numeric_scaled(&numeric, scale, &whole);
    } else if (rc == 0) {
        rc = pg_decode_whole(value.kind, value.data, value.size, &whole);
        for (; rc == 0 && scale > 0 && whole != 0; scale--) {
            whole *= 10;
            if (whole > UINT64_MAX || whole < INT64_MIN)
                rc = -ERANGE;
        }
    }
    if (rc == 0 && (whole > INT64_MAX || whole < INT64_MIN))
        rc = -ERANGE;
    if (rc == 0)
        *unscaled = (int64_t)whole;
    return read_end(&field, &value, rc, "a decimal of 64 bits");
}

/* A reader of a type of eddy/pg_type.h: `test` says which kinds it takes, `decode` reads it. */
#define READ_TYPED(name, of_unknown, test, decode, wanted)                                         \
    int eddy_pg_read_##name(eddy_pg_field field, eddy_pg_##name *out)                              \
    {                                                                                              \
        struct read_value value = {.data = NULL};                                                  \
        eddy_pg_##name decoded;                                                                    \
        int rc = read_begin(&field, of_unknown, &value);                                           \
                                                                                                   \
        if (rc == 0)                                                                               \
            rc = (test) ? (decode) : EDDY_EPG_TYPE;                                                \
        if (rc == 0)                                                                               \
            *out = decoded;                                                                        \
        return read_end(&field, &value, rc, wanted);                                               \
    }
READ_TYPED(date, PG_KIND_DATE, value.kind == PG_KIND_DATE,
           pg_decode_date(value.data, value.size, &decoded), "a date")
READ_TYPED(time, PG_KIND_TIME, value.kind == PG_KIND_TIME || value.kind == PG_KIND_TIMETZ,
           pg_decode_time(value.kind == PG_KIND_TIMETZ, value.data, value.size, &decoded), "a time")
READ_TYPED(interval, PG_KIND_INTERVAL, value.kind == PG_KIND_INTERVAL,
           pg_decode_interval(value.data, value.size, &decoded), "an interval")
READ_TYPED(uuid, PG_KIND_UUID, value.kind == PG_KIND_UUID,
           pg_decode_uuid(value.data, value.size, &decoded), "a UUID")
READ_TYPED(inet, PG_KIND_INET, value.kind == PG_KIND_INET || value.kind == PG_KIND_CIDR,
           pg_decode_inet(value.data, value.size, &decoded), "an address")
READ_TYPED(mac, PG_KIND_MACADDR, value.kind == PG_KIND_MACADDR || value.kind == PG_KIND_MACADDR8,
           pg_decode_mac(value.data, value.size, &decoded), "a MAC address")

int eddy_pg_read_timestamp(eddy_pg_field field, eddy_pg_timestamp *out)
{
    struct read_value value = {.data = NULL};
    eddy_pg_timestamp decoded;
    int rc;

    if (ed_likely(field.type == EDDY_PG_TIMESTAMPTZ && field.size == 8 && !field.is_text)) {
        out->microseconds = (int64_t)pg_load64(field.data);
        return 0;
    }
    rc = read_begin(&field, PG_KIND_TIMESTAMP, &value);
    if (rc == 0)
        rc = value.kind == PG_KIND_TIMESTAMP || value.kind == PG_KIND_TIMESTAMPTZ
                 ? pg_decode_timestamp(value.data, value.size, &decoded)
                 : EDDY_EPG_TYPE;
    if (rc == 0)
        *out = decoded;
    return read_end(&field, &value, rc, "a timestamp");
}

/* Bytes that live as long as the result: those of the field, or a copy of what they were made of.
 * */
int pg_field_keep(const eddy_pg_field *field, const char **data, size_t size)
{
    char *copy;

    if (!field->is_text)
        return 0;
    copy = pg_result_alloc(field->result, size + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, *data, size);
    copy[size] = '\0';
    *data = copy;
    return 0;
}

int eddy_pg_read_bytes(eddy_pg_field field, eddy_pg_bytes *out)
{
    struct read_value value = {.data = NULL};
    int rc = read_begin(&field, PG_KIND_BYTEA, &value);

    if (rc == 0)
        rc = value.kind == PG_KIND_BYTEA ? pg_field_keep(&field, &value.data, value.size)
                                         : EDDY_EPG_TYPE;
    if (rc == 0)
        *out = (eddy_pg_bytes){value.data, value.size};
    return read_end(&field, &value, rc, "bytes");
}

int eddy_pg_read_bits(eddy_pg_field field, eddy_pg_bits *out)
{
    struct read_value value = {.data = NULL};
    eddy_pg_bits bits;
    const char *data;
    int rc = read_begin(&field, PG_KIND_BIT, &value);

    if (rc == 0)
        rc = value.kind == PG_KIND_BIT ? pg_decode_bits(value.data, value.size, &bits)
                                       : EDDY_EPG_TYPE;
    if (rc == 0) {
        data = (const char *)bits.data;
        rc = pg_field_keep(&field, &data, (bits.count + 7) / 8);
    }
    if (rc == 0)
        *out = (eddy_pg_bits){(const uint8_t *)data, bits.count};
    return read_end(&field, &value, rc, "bits");
}

int pg_field_format(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    const struct pg_type *type = pg_field_type(field);

    if (field->is_text)
        return ed_buffer_append(to, field->data, (size_t)field->size);
    if (!type)
        return EDDY_EPG_PROTOCOL;
    return pg_format(field->result ? field->result->types : NULL, type, field->data,
                     (size_t)field->size, to);
}

/* The text form, in memory that `allocate` gets. */
static int read_format(const eddy_pg_field *field, bool keep, char **out)
{
    struct eddy_buffer_ buffer = {.data = NULL};
    int rc = pg_field_format(field, &buffer);
    size_t size = ed_buffer_size(&buffer);
    char *text = NULL;

    if (rc == 0) {
        text = keep ? pg_result_alloc(field->result, size + 1) : eddy_realloc_(NULL, size + 1);
        rc = text ? 0 : -ENOMEM;
    }
    if (rc == 0) {
        if (size > 0)
            memcpy(text, ed_buffer_bytes(&buffer), size);
        text[size] = '\0';
        *out = text;
    }
    ed_buffer_release(&buffer);
    return rc == 0 ? 0 : pg_field_refuse(field, rc, "a text");
}

int eddy_pg_read_text(eddy_pg_field field, const char **out)
{
    const struct pg_type *type;
    eddy_pg_bytes bytes;
    char *text = NULL;
    int rc;

    if (!field.data)
        return pg_field_nothing(&field);
    type = pg_field_type(&field);
    bytes = (eddy_pg_bytes){field.data, (size_t)field.size};
    if (!field.is_text && type && type->kind == PG_KIND_JSONB) {
        rc = pg_decode_text(type->kind, field.data, (size_t)field.size, &bytes);
        if (rc < 0)
            return pg_field_refuse(&field, rc, "a text");
    } else if (!field.is_text && (!type || type->kind != PG_KIND_TEXT)) {
        rc = read_format(&field, true, &text);
        if (rc == 0)
            *out = text;
        return rc;
    }
    /* Behind the last element of an array stands a NUL, and behind most others the first byte of
     * the next one's length, which is 0. */
    if (ed_likely(field.data[field.size] == '\0')) {
        *out = bytes.data;
        return 0;
    }
    text = pg_result_alloc(field.result, bytes.size + 1);
    if (!text)
        return -ENOMEM;
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    *out = text;
    return 0;
}

int eddy_pg_read_copy(eddy_pg_field field, char **out)
{
    if (!field.data)
        return pg_field_nothing(&field);
    return read_format(&field, false, out);
}
