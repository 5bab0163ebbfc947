/* SPDX-License-Identifier: MIT */
/*
 * Values: what any of them takes fits into the 16 bytes of two unions and the one number beside
 * them, or is borrowed. One of zeros is NULL.
 *
 * A copy is one block: the values themselves, then what they point to, each part where the one
 * before it ends, at an address that is a multiple of 8. It is measured first by the code that then
 * copies.
 */
#include "pg/value.h"

#include <string.h>

#include "base/compat.h"
#include "eddy/stream_class.h"
#include "pg/range.h"

#define VALUE_IPV6 256

eddy_pg_value eddy_pg_null(void)
{
    return (eddy_pg_value){.kind = PG_VALUE_NULL};
}

eddy_pg_value eddy_pg_bool(bool value)
{
    return (eddy_pg_value){.kind = PG_VALUE_BOOL, .integer = value};
}

eddy_pg_value eddy_pg_int(int64_t value)
{
    return (eddy_pg_value){.kind = PG_VALUE_INT, .integer = value};
}

eddy_pg_value eddy_pg_uint(uint64_t value)
{
    return (eddy_pg_value){.kind = value > INT64_MAX ? PG_VALUE_UINT : PG_VALUE_INT,
                           .natural = value};
}

eddy_pg_value eddy_pg_double(double value)
{
    return (eddy_pg_value){.kind = PG_VALUE_DOUBLE, .real = value};
}

eddy_pg_value eddy_pg_text(const char *text)
{
    if (!text)
        return eddy_pg_null();
    return (eddy_pg_value){
        .kind = PG_VALUE_TEXT, .extra = 1, .pointer = text, .size = strlen(text)};
}

eddy_pg_value eddy_pg_text_of(const char *text, size_t size)
{
    return (eddy_pg_value){.kind = PG_VALUE_TEXT, .pointer = text ? text : "", .size = size};
}

eddy_pg_value eddy_pg_bytea(const void *data, size_t size)
{
    return (eddy_pg_value){.kind = PG_VALUE_BYTES, .pointer = data ? data : "", .size = size};
}

eddy_pg_value eddy_pg_decimal(int64_t unscaled, unsigned scale)
{
    return (eddy_pg_value){.kind = PG_VALUE_DECIMAL,
                           .extra = scale > INT32_MAX ? INT32_MAX : (int32_t)scale,
                           .integer = unscaled};
}

eddy_pg_value eddy_pg_of_date(eddy_pg_date date)
{
    return (eddy_pg_value){.kind = PG_VALUE_DATE, .integer = date.days};
}

eddy_pg_value eddy_pg_of_time(eddy_pg_time time)
{
    return (eddy_pg_value){.kind = PG_VALUE_TIME, .extra = time.zone, .integer = time.microseconds};
}

eddy_pg_value eddy_pg_of_timestamp(eddy_pg_timestamp timestamp)
{
    return (eddy_pg_value){.kind = PG_VALUE_TIMESTAMP, .integer = timestamp.microseconds};
}

eddy_pg_value eddy_pg_of_interval(eddy_pg_interval interval)
{
    return (eddy_pg_value){.kind = PG_VALUE_INTERVAL,
                           .extra = interval.months,
                           .integer = interval.microseconds,
                           .more = interval.days};
}

/* Bytes that go over both unions. */
static eddy_pg_value value_of_bytes(enum pg_value_kind kind, int32_t extra, const uint8_t bytes[16])
{
    eddy_pg_value value = {.kind = kind, .extra = extra};

    memcpy(&value.integer, bytes, 8);
    memcpy(&value.more, bytes + 8, 8);
    return value;
}

static void value_bytes(const eddy_pg_value *value, uint8_t bytes[16])
{
    memcpy(bytes, &value->integer, 8);
    memcpy(bytes + 8, &value->more, 8);
}

eddy_pg_value eddy_pg_of_uuid(eddy_pg_uuid uuid)
{
    return value_of_bytes(PG_VALUE_UUID, 0, uuid.bytes);
}

eddy_pg_value eddy_pg_of_bytes(eddy_pg_bytes bytes)
{
    return eddy_pg_bytea(bytes.data, bytes.size);
}

eddy_pg_value eddy_pg_of_bits(eddy_pg_bits bits)
{
    return (eddy_pg_value){.kind = PG_VALUE_BITS, .pointer = bits.data, .size = bits.count};
}

eddy_pg_value eddy_pg_of_inet(eddy_pg_inet inet)
{
    return value_of_bytes(PG_VALUE_INET, inet.prefix + (inet.ipv6 ? VALUE_IPV6 : 0), inet.bytes);
}

eddy_pg_value eddy_pg_of_mac(eddy_pg_mac mac)
{
    eddy_pg_value value = {.kind = PG_VALUE_MAC, .size = mac.size};

    memcpy(&value.integer, mac.bytes, sizeof mac.bytes);
    return value;
}

static eddy_pg_value value_array(enum pg_value_kind kind, const void *elements, size_t count)
{
    return (eddy_pg_value){.kind = kind, .pointer = elements, .size = count};
}

eddy_pg_value eddy_pg_array(const eddy_pg_value *elements, size_t count)
{
    return value_array(PG_VALUE_ARRAY, elements, count);
}

eddy_pg_value eddy_pg_int_array(const int64_t *elements, size_t count)
{
    return value_array(PG_VALUE_INTS, elements, count);
}

eddy_pg_value eddy_pg_double_array(const double *elements, size_t count)
{
    return value_array(PG_VALUE_DOUBLES, elements, count);
}

eddy_pg_value eddy_pg_text_array(const char *const *elements, size_t count)
{
    return value_array(PG_VALUE_TEXTS, elements, count);
}

eddy_pg_value eddy_pg_composite(const eddy_pg_value *fields, size_t count)
{
    return value_array(PG_VALUE_COMPOSITE, fields, count);
}

eddy_pg_value eddy_pg_range(const eddy_pg_value bounds[2], bool includes_lower, bool includes_upper)
{
    return (eddy_pg_value){.kind = PG_VALUE_RANGE,
                           .extra = (includes_lower ? PG_RANGE_LOWER_INCLUSIVE : 0) |
                                    (includes_upper ? PG_RANGE_UPPER_INCLUSIVE : 0),
                           .pointer = bounds,
                           .size = 2};
}

eddy_pg_value eddy_pg_empty_range(void)
{
    return (eddy_pg_value){.kind = PG_VALUE_RANGE, .extra = PG_RANGE_EMPTY};
}

eddy_pg_value eddy_pg_nothing_(const void *pointer)
{
    return (eddy_pg_value){.kind = pointer ? PG_VALUE_POINTER : PG_VALUE_NULL};
}

eddy_pg_value pg_value_element(const eddy_pg_value *array, size_t index)
{
    switch (array->kind) {
    case PG_VALUE_INTS: return eddy_pg_int(((const int64_t *)array->pointer)[index]);
    case PG_VALUE_DOUBLES: return eddy_pg_double(((const double *)array->pointer)[index]);
    case PG_VALUE_TEXTS: return eddy_pg_text(((const char *const *)array->pointer)[index]);
    default: return ((const eddy_pg_value *)array->pointer)[index];
    }
}

const char *pg_value_name(const eddy_pg_value *value)
{
    static const char *const names[] = {
        [PG_VALUE_NULL] = "NULL",
        [PG_VALUE_BOOL] = "a bool",
        [PG_VALUE_INT] = "an integer",
        [PG_VALUE_UINT] = "an integer",
        [PG_VALUE_DOUBLE] = "a double",
        [PG_VALUE_DECIMAL] = "a decimal",
        [PG_VALUE_TEXT] = "a text",
        [PG_VALUE_BYTES] = "bytes",
        [PG_VALUE_BITS] = "bits",
        [PG_VALUE_DATE] = "a date",
        [PG_VALUE_TIME] = "a time",
        [PG_VALUE_TIMESTAMP] = "a timestamp",
        [PG_VALUE_INTERVAL] = "an interval",
        [PG_VALUE_UUID] = "a UUID",
        [PG_VALUE_INET] = "an address",
        [PG_VALUE_MAC] = "a MAC address",
        [PG_VALUE_ARRAY] = "an array",
        [PG_VALUE_INTS] = "an array",
        [PG_VALUE_DOUBLES] = "an array",
        [PG_VALUE_TEXTS] = "an array",
        [PG_VALUE_COMPOSITE] = "a composite",
        [PG_VALUE_RANGE] = "a range",
        [PG_VALUE_POINTER] = "a pointer that is not NULL",
    };

    return value->kind < ED_ARRAY_LENGTH(names) ? names[value->kind] : "no value";
}

eddy_pg_date pg_value_date(const eddy_pg_value *value)
{
    return (eddy_pg_date){(int32_t)value->integer};
}

eddy_pg_time pg_value_time(const eddy_pg_value *value)
{
    return (eddy_pg_time){.microseconds = value->integer, .zone = value->extra};
}

eddy_pg_interval pg_value_interval(const eddy_pg_value *value)
{
    return (eddy_pg_interval){
        .months = value->extra, .days = (int32_t)value->more, .microseconds = value->integer};
}

eddy_pg_uuid pg_value_uuid(const eddy_pg_value *value)
{
    eddy_pg_uuid uuid;

    value_bytes(value, uuid.bytes);
    return uuid;
}

eddy_pg_inet pg_value_inet(const eddy_pg_value *value)
{
    eddy_pg_inet inet = {.prefix = (uint8_t)(value->extra & 255),
                         .ipv6 = value->extra >= VALUE_IPV6};

    value_bytes(value, inet.bytes);
    return inet;
}

eddy_pg_mac pg_value_mac(const eddy_pg_value *value)
{
    eddy_pg_mac mac = {.size = (uint8_t)value->size};

    memcpy(mac.bytes, &value->integer, sizeof mac.bytes);
    return mac;
}

/* Where a copy goes; without a block it is only measured. */
struct value_copy {
    char *block;
    size_t used;
};

static void *value_copy_bytes(struct value_copy *copy, const void *data, size_t size)
{
    char *place = copy->block ? copy->block + copy->used : NULL;

    if (place && size > 0)
        memcpy(place, data, size);
    copy->used += (size + 7) & ~(size_t)7;
    return place;
}

static void value_copy_texts(struct value_copy *copy, eddy_pg_value *value)
{
    const char *const *texts = value->pointer;
    const char **places = value_copy_bytes(copy, texts, value->size * sizeof *texts);

    for (size_t i = 0; i < value->size; i++) {
        char *text = texts[i] ? value_copy_bytes(copy, texts[i], strlen(texts[i]) + 1) : NULL;

        if (places)
            places[i] = text;
    }
    value->pointer = places;
}

/* Copies values, and from the inside of arrays those in them; returns where they are. */
static eddy_pg_value *
value_copy_all(struct value_copy *copy, const eddy_pg_value *values, size_t count)
{
    eddy_pg_value *places = value_copy_bytes(copy, values, count * sizeof *values);

    for (size_t i = 0; i < count; i++) {
        eddy_pg_value value = values[i];

        switch (value.kind) {
        case PG_VALUE_TEXT:
        case PG_VALUE_BYTES:
            value.pointer =
                value_copy_bytes(copy, value.pointer,
                                 value.size + (value.kind == PG_VALUE_TEXT && value.extra == 1));
            break;
        case PG_VALUE_BITS:
            value.pointer = value_copy_bytes(copy, value.pointer, (value.size + 7) / 8);
            break;
        case PG_VALUE_INTS:
        case PG_VALUE_DOUBLES:
            value.pointer = value_copy_bytes(copy, value.pointer, value.size * 8);
            break;
        case PG_VALUE_TEXTS: value_copy_texts(copy, &value); break;
        case PG_VALUE_ARRAY: value.pointer = value_copy_all(copy, value.pointer, value.size); break;
        default: break;
        }
        if (places)
            places[i] = value;
    }
    return places;
}

eddy_pg_value *pg_values_copy(const eddy_pg_value *values, size_t count)
{
    struct value_copy copy = {.block = NULL};

    (void)value_copy_all(&copy, values, count);
    copy.block = eddy_realloc_(NULL, copy.used > 0 ? copy.used : 1);
    copy.used = 0;
    return copy.block ? value_copy_all(&copy, values, count) : NULL;
}
