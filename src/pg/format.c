/* SPDX-License-Identifier: MIT */
/*
 * Values in text form, from their binary form: what the `_out` functions of PostgreSQL write. Types
 * that are made of others are written from the inside: each part on its own, which then gets the
 * quotes that it needs.
 */
#include "pg/format.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "eddy/error.h"
#include "pg/array.h"
#include "pg/decode.h"
#include "pg/numeric.h"
#include "pg/range.h"
#include "pg/real.h"

#define FORMAT_DEPTH 64 /* types within types */

/* Where a part comes from, on its way down. */
struct format {
    const struct pg_types *types;
    struct eddy_buffer_ *to;
    int depth;
};

static int format_value(struct format format, uint32_t oid, const char *data, size_t size);

static int format_bytea(const char *data, size_t size, struct eddy_buffer_ *to)
{
    static const char digits[] = "0123456789abcdef";
    char *at = pg_extend(to, 2 + 2 * size);

    if (!at)
        return -ENOMEM;
    *at++ = '\\';
    *at++ = 'x';
    for (size_t i = 0; i < size; i++) {
        *at++ = digits[(uint8_t)data[i] >> 4];
        *at++ = digits[data[i] & 15];
    }
    return 0;
}

static int format_bits(const char *data, size_t size, struct eddy_buffer_ *to)
{
    eddy_pg_bits bits;
    int rc = pg_decode_bits(data, size, &bits);
    char *at = rc < 0 ? NULL : pg_extend(to, bits.count);

    if (rc == 0 && !at)
        rc = -ENOMEM;
    for (size_t i = 0; rc == 0 && i < bits.count; i++)
        at[i] = bits.data[i / 8] & (0x80 >> i % 8) ? '1' : '0';
    return rc;
}

/* A byte that is not ASCII is written as "\ooo", a NUL as nothing. */
static int format_char(char c, struct eddy_buffer_ *to)
{
    char text[8];

    if (c == '\0')
        return 0;
    if ((uint8_t)c < 0x80)
        return ed_buffer_append(to, &c, 1);
    (void)snprintf(text, sizeof text, "\\%03o", (uint8_t)c);
    return pg_append_text(to, text);
}

static int format_unsigned(uint64_t value, struct eddy_buffer_ *to)
{
    char text[24], *at = text + sizeof text;

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return ed_buffer_append(to, at, (size_t)(text + sizeof text - at));
}

static int format_signed(int64_t value, struct eddy_buffer_ *to)
{
    if (value >= 0)
        return format_unsigned((uint64_t)value, to);
    if (ed_buffer_append(to, "-", 1) < 0)
        return -ENOMEM;
    return format_unsigned(-(uint64_t)value, to);
}

static int format_numeric(const char *data, size_t size, struct eddy_buffer_ *to)
{
    struct pg_numeric numeric;
    int rc = pg_numeric_read(data, size, &numeric);

    return rc < 0 ? rc : pg_numeric_format(&numeric, to);
}

static int format_text(enum pg_kind kind, const char *data, size_t size, struct eddy_buffer_ *to)
{
    eddy_pg_bytes bytes;
    int rc = pg_decode_text(kind, data, size, &bytes);

    return rc < 0 ? rc : ed_buffer_append(to, bytes.data, bytes.size);
}

static int format_real(double value, bool single, struct eddy_buffer_ *to)
{
    char text[PG_REAL_SIZE];
    int size = pg_real_format(value, single, text);

    return ed_buffer_append(to, text, (size_t)size);
}

/* Kinds of numbers, whose size was checked. */
static int format_number(enum pg_kind kind, const char *data, struct eddy_buffer_ *to)
{
    char text[40];

    switch (kind) {
    case PG_KIND_CHAR: return format_char(*data, to);
    case PG_KIND_BOOL: return ed_buffer_append(to, *data ? "t" : "f", 1);
    case PG_KIND_INT2: return format_signed((int16_t)pg_load16(data), to);
    case PG_KIND_INT4: return format_signed((int32_t)pg_load32(data), to);
    case PG_KIND_INT8: return format_signed((int64_t)pg_load64(data), to);
    case PG_KIND_OID: return format_unsigned(pg_load32(data), to);
    case PG_KIND_XID8: return format_unsigned(pg_load64(data), to);
    case PG_KIND_FLOAT4: return format_real((double)pg_load_float(data), true, to);
    case PG_KIND_FLOAT8: return format_real(pg_load_double(data), false, to);
    case PG_KIND_LSN:
        (void)snprintf(text, sizeof text, "%X/%X", pg_load32(data), pg_load32(data + 4));
        return pg_append_text(to, text);
    default: /* PG_KIND_TID */
        (void)snprintf(text, sizeof text, "(%u,%u)", pg_load32(data), pg_load16(data + 4));
        return pg_append_text(to, text);
    }
}

/* Kinds with a type of C of their own. */
static int format_typed(enum pg_kind kind, const char *data, size_t size, struct eddy_buffer_ *to)
{
    char text[EDDY_PG_TEXT_SIZE];
    union {
        eddy_pg_date date;
        eddy_pg_time time;
        eddy_pg_timestamp timestamp;
        eddy_pg_interval interval;
        eddy_pg_uuid uuid;
        eddy_pg_inet inet;
        eddy_pg_mac mac;
    } value;
    int rc;

    switch (kind) {
    case PG_KIND_DATE:
        rc = pg_decode_date(data, size, &value.date);
        return rc < 0 ? rc : pg_append_text(to, eddy_pg_date_text(value.date, text));
    case PG_KIND_TIME:
    case PG_KIND_TIMETZ:
        rc = pg_decode_time(kind == PG_KIND_TIMETZ, data, size, &value.time);
        return rc < 0 ? rc
                      : pg_append_text(to,
                                       eddy_pg_time_text(value.time, kind == PG_KIND_TIMETZ, text));
    case PG_KIND_TIMESTAMP:
    case PG_KIND_TIMESTAMPTZ:
        rc = pg_decode_timestamp(data, size, &value.timestamp);
        return rc < 0 ? rc
                      : pg_append_text(to, eddy_pg_timestamp_text(
                                               value.timestamp, kind == PG_KIND_TIMESTAMPTZ, text));
    case PG_KIND_INTERVAL:
        rc = pg_decode_interval(data, size, &value.interval);
        return rc < 0 ? rc : pg_append_text(to, eddy_pg_interval_text(value.interval, text));
    case PG_KIND_UUID:
        rc = pg_decode_uuid(data, size, &value.uuid);
        return rc < 0 ? rc : pg_append_text(to, eddy_pg_uuid_text(value.uuid, text));
    case PG_KIND_INET:
    case PG_KIND_CIDR:
        rc = pg_decode_inet(data, size, &value.inet);
        return rc < 0
                   ? rc
                   : pg_append_text(to, eddy_pg_inet_text(value.inet, kind == PG_KIND_CIDR, text));
    default: /* PG_KIND_MACADDR, PG_KIND_MACADDR8 */
        rc = pg_decode_mac(data, size, &value.mac);
        return rc < 0 ? rc : pg_append_text(to, eddy_pg_mac_text(value.mac, text));
    }
}

/* Appends a text in quotes, each of `escaped` in it behind a backslash, or behind itself. */
static int format_quoted(const char *text, size_t size, bool doubled, struct eddy_buffer_ *to)
{
    int rc = ed_buffer_append(to, "\"", 1);

    for (size_t i = 0; rc == 0 && i < size; i++) {
        if (text[i] == '"' || text[i] == '\\')
            rc = ed_buffer_append(to, doubled ? &text[i] : "\\", 1);
        if (rc == 0)
            rc = ed_buffer_append(to, &text[i], 1);
    }
    return rc < 0 ? rc : ed_buffer_append(to, "\"", 1);
}

static bool format_is_special(const char *text, size_t size, const char *special)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '"' || text[i] == '\\' || text[i] == ' ' ||
            (text[i] >= '\t' && text[i] <= '\r') || (text[i] && strchr(special, text[i])))
            return true;
    return size == 0;
}

int pg_format_element(const char *text, size_t size, char delimiter, struct eddy_buffer_ *to)
{
    const char special[] = {'{', '}', delimiter, '\0'};

    if (format_is_special(text, size, special) || (size == 4 && strncasecmp(text, "NULL", 4) == 0))
        return format_quoted(text, size, false, to);
    return ed_buffer_append(to, text, size);
}

int pg_format_field(const char *text, size_t size, struct eddy_buffer_ *to)
{
    if (format_is_special(text, size, "(),"))
        return format_quoted(text, size, true, to);
    return ed_buffer_append(to, text, size);
}

static int format_bound(const char *text, size_t size, struct eddy_buffer_ *to)
{
    if (format_is_special(text, size, "()[],"))
        return format_quoted(text, size, true, to);
    return ed_buffer_append(to, text, size);
}

/* A part that is not NULL: what is written of it goes to `part` first, which is empty again
 * afterwards. */
static int format_part(struct format format, struct eddy_buffer_ *part, uint32_t oid,
                       const char *data, int32_t size)
{
    part->end = part->start;
    format.to = part;
    return format_value(format, oid, data, (size_t)size);
}

static int format_array_head(const struct pg_array *array, struct eddy_buffer_ *to)
{
    bool is_plain = true;
    char text[64];
    int rc = 0;

    for (int i = 0; i < array->dimensions; i++)
        is_plain &= array->bounds[i] == 1;
    for (int i = 0; rc == 0 && !is_plain && i < array->dimensions; i++) {
        (void)snprintf(text, sizeof text, "[%d:%lld]", array->bounds[i],
                       (long long)array->bounds[i] + array->sizes[i] - 1);
        rc = pg_append_text(to, text);
    }
    return rc < 0 || is_plain ? rc : ed_buffer_append(to, "=", 1);
}

/* The braces, or the comma, between element `index` and the one before it: one for each dimension
 * that ends there. */
static int format_array_between(const struct pg_array *array, size_t index, char delimiter,
                                struct eddy_buffer_ *to)
{
    int ended = 0, rc = 0;
    size_t block = 1;

    for (int i = array->dimensions - 1; i >= 0; i--) {
        block *= (size_t)array->sizes[i];
        if (index % block != 0)
            break;
        ended++;
    }
    for (int i = 0; rc == 0 && index > 0 && i < ended; i++)
        rc = ed_buffer_append(to, "}", 1);
    if (rc == 0 && index > 0 && index < array->count)
        rc = ed_buffer_append(to, &delimiter, 1);
    for (int i = 0; rc == 0 && index < array->count && i < ended; i++)
        rc = ed_buffer_append(to, "{", 1);
    return rc;
}

static int
format_array(struct format format, const struct pg_type *type, const char *data, size_t size)
{
    const struct pg_type *element = pg_types_find(format.types, type->element);
    char delimiter = (char)(element ? element->delimiter : ',');
    struct eddy_buffer_ part = {.data = NULL};
    struct pg_array array;
    int32_t length;
    int rc = pg_array_read(data, size, &array);

    if (rc == 0 && array.element != type->element)
        rc = EDDY_EPG_PROTOCOL;
    if (rc == 0 && array.dimensions == 0)
        return ed_buffer_append(format.to, "{}", 2);
    if (rc == 0)
        rc = format_array_head(&array, format.to);
    for (size_t i = 0; rc == 0 && i <= array.count; i++) {
        rc = format_array_between(&array, i, delimiter, format.to);
        if (rc < 0 || i == array.count)
            break;
        rc = pg_take_part(&array.parts, &data, &length);
        if (rc == 0 && !data)
            rc = ed_buffer_append(format.to, "NULL", 4);
        else if (rc == 0)
            rc = format_part(format, &part, array.element, data, length);
        if (rc == 0 && data)
            rc = pg_format_element(ed_buffer_bytes(&part), ed_buffer_size(&part), delimiter,
                                   format.to);
    }
    ed_buffer_release(&part);
    return rc;
}

/* The elements of an int2vector or oidvector have blanks between them. */
static int
format_vector(struct format format, const struct pg_type *type, const char *data, size_t size)
{
    struct pg_array array;
    int32_t length;
    int rc = pg_array_read(data, size, &array);

    if (rc == 0 && (array.element != type->element || array.dimensions > 1))
        rc = EDDY_EPG_PROTOCOL;
    for (size_t i = 0; rc == 0 && i < array.count; i++) {
        rc = pg_take_part(&array.parts, &data, &length);
        if (rc == 0 && !data)
            rc = EDDY_EPG_PROTOCOL;
        if (rc == 0 && i > 0)
            rc = ed_buffer_append(format.to, " ", 1);
        if (rc == 0)
            rc = format_value(format, array.element, data, (size_t)length);
    }
    return rc;
}

static int format_composite(struct format format, const char *data, size_t size)
{
    struct pg_rest rest = {data, data + size};
    const char *head = pg_take(&rest, 4);
    struct eddy_buffer_ part = {.data = NULL};
    uint32_t count = head ? pg_load32(head) : 0;
    int32_t length;
    int rc = head ? ed_buffer_append(format.to, "(", 1) : EDDY_EPG_PROTOCOL;

    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        const char *oid = pg_take(&rest, 4);

        rc = oid ? pg_take_part(&rest, &data, &length) : EDDY_EPG_PROTOCOL;
        if (rc == 0 && i > 0)
            rc = ed_buffer_append(format.to, ",", 1);
        if (rc == 0 && data)
            rc = format_part(format, &part, pg_load32(oid), data, length);
        if (rc == 0 && data)
            rc = pg_format_field(ed_buffer_bytes(&part), ed_buffer_size(&part), format.to);
    }
    ed_buffer_release(&part);
    if (rc == 0 && rest.next != rest.end)
        rc = EDDY_EPG_PROTOCOL;
    return rc < 0 ? rc : ed_buffer_append(format.to, ")", 1);
}

static int
format_range(struct format format, const struct pg_type *type, const char *data, size_t size)
{
    struct eddy_buffer_ part = {.data = NULL};
    struct pg_range range;
    int rc = pg_range_read(data, size, &range);

    if (rc == 0 && range.flags & PG_RANGE_EMPTY)
        return pg_append_text(format.to, "empty");
    if (rc == 0)
        rc = ed_buffer_append(format.to, range.flags & PG_RANGE_LOWER_INCLUSIVE ? "[" : "(", 1);
    for (int i = 0; rc == 0 && i < 2; i++) {
        if (range.bounds[i])
            rc = format_part(format, &part, type->element, range.bounds[i], range.sizes[i]);
        if (rc == 0 && range.bounds[i])
            rc = format_bound(ed_buffer_bytes(&part), ed_buffer_size(&part), format.to);
        if (rc == 0 && i == 0)
            rc = ed_buffer_append(format.to, ",", 1);
    }
    ed_buffer_release(&part);
    return rc < 0
               ? rc
               : ed_buffer_append(format.to, range.flags & PG_RANGE_UPPER_INCLUSIVE ? "]" : ")", 1);
}

static int
format_multirange(struct format format, const struct pg_type *type, const char *data, size_t size)
{
    struct pg_rest rest = {data, data + size};
    const char *head = pg_take(&rest, 4);
    uint32_t count = head ? pg_load32(head) : 0;
    int32_t length;
    int rc = head ? ed_buffer_append(format.to, "{", 1) : EDDY_EPG_PROTOCOL;

    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        rc = pg_take_part(&rest, &data, &length);
        if (rc == 0 && !data)
            rc = EDDY_EPG_PROTOCOL;
        if (rc == 0 && i > 0)
            rc = ed_buffer_append(format.to, ",", 1);
        if (rc == 0)
            rc = format_value(format, type->element, data, (size_t)length);
    }
    if (rc == 0 && rest.next != rest.end)
        rc = EDDY_EPG_PROTOCOL;
    return rc < 0 ? rc : ed_buffer_append(format.to, "}", 1);
}

static int
format_any(struct format format, const struct pg_type *type, const char *data, size_t size)
{
    size_t expected = pg_kind_size(type->kind);

    if (expected != 0 && size != expected)
        return EDDY_EPG_PROTOCOL;
    switch (type->kind) {
    case PG_KIND_TEXT:
    case PG_KIND_JSONB: return format_text(type->kind, data, size, format.to);
    case PG_KIND_NUMERIC: return format_numeric(data, size, format.to);
    case PG_KIND_BYTEA: return format_bytea(data, size, format.to);
    case PG_KIND_BIT: return format_bits(data, size, format.to);
    case PG_KIND_ARRAY:
        if (type->oid == 22 || type->oid == 30)
            return format_vector(format, type, data, size);
        return format_array(format, type, data, size);
    case PG_KIND_COMPOSITE: return format_composite(format, data, size);
    case PG_KIND_RANGE: return format_range(format, type, data, size);
    case PG_KIND_MULTIRANGE: return format_multirange(format, type, data, size);
    case PG_KIND_FOREIGN: return EDDY_EPG_PROTOCOL;
    case PG_KIND_DATE:
    case PG_KIND_TIME:
    case PG_KIND_TIMETZ:
    case PG_KIND_TIMESTAMP:
    case PG_KIND_TIMESTAMPTZ:
    case PG_KIND_INTERVAL:
    case PG_KIND_UUID:
    case PG_KIND_INET:
    case PG_KIND_CIDR:
    case PG_KIND_MACADDR:
    case PG_KIND_MACADDR8: return format_typed(type->kind, data, size, format.to);
    default: return format_number(type->kind, data, format.to);
    }
}

static int format_value(struct format format, uint32_t oid, const char *data, size_t size)
{
    const struct pg_type *type = pg_types_find(format.types, oid);

    if (!type || ++format.depth > FORMAT_DEPTH)
        return EDDY_EPG_PROTOCOL;
    return format_any(format, type, data, size);
}

int pg_format(const struct pg_types *types, const struct pg_type *type, const char *data,
              size_t size, struct eddy_buffer_ *to)
{
    return format_any((struct format){.types = types, .to = to}, type, data, size);
}
