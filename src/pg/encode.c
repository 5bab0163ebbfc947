/* SPDX-License-Identifier: MIT */
/*
 * Values for the types that a statement asks for. A value goes out in binary form: what is text in
 * both forms is lent to libpq as it is, all else is written into one buffer, whose places are known
 * when it has stopped growing.
 *
 * Numbers are checked, and never rounded to what they are not: no double for an integer (P-TYPE-2),
 * nothing that is out of range (P-TYPE-3). Texts are UTF-8 without a NUL (P-TYPE-4), so that the
 * server has nothing to say about them in the middle of a transaction. A text for a type that Eddy
 * does not know by its binary form, or in a form that only the server knows, goes out as text.
 */
#include "pg/encode.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>

#include "eddy/error.h"
#include "eddy/stream_class.h"
#include "pg/append.h"
#include "pg/calendar.h"
#include "pg/decode.h"
#include "pg/network.h"
#include "pg/numeric.h"
#include "pg/parse.h"
#include "pg/real.h"
#include "pg/utf8.h"

#define ENCODE_ZONE_MOST (16 * 3600) /* seconds; a zone is smaller */
#define ENCODE_KEPT 65536            /* bytes that are kept for the next statement */
#define ENCODE_SHOWN 40              /* of a text, in an error */

int pg_refuse(const struct pg_type *type, const eddy_pg_value *value)
{
    return eddy_raise(EDDY_EPG_VALUE, "%s for %s", pg_value_name(value), type->name);
}

static int encode_out_of_range(const struct pg_type *type)
{
    return eddy_raise(EDDY_EPG_VALUE, "out of the range of %s", type->name);
}

int pg_check_text(const eddy_pg_value *value)
{
    size_t at = pg_utf8_check(value->pointer, value->size);

    if (at == value->size)
        return 0;
    return eddy_raise(EDDY_EPG_VALUE, "a text that %s at byte %zu",
                      ((const char *)value->pointer)[at] ? "is not UTF-8" : "has a NUL", at);
}

/* Whether a value is a whole number, and which. */
static bool encode_whole(const eddy_pg_value *value, __int128 *out)
{
    if (value->kind == PG_VALUE_UINT)
        *out = value->natural;
    else
        *out = value->integer;
    return value->kind == PG_VALUE_INT || value->kind == PG_VALUE_UINT ||
           value->kind == PG_VALUE_BOOL;
}

static int
encode_integer(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    static const struct {
        int64_t least;
        uint64_t most;
    } ranges[PG_KINDS] = {
        [PG_KIND_BOOL] = {0, 1},
        [PG_KIND_INT2] = {INT16_MIN, INT16_MAX},
        [PG_KIND_INT4] = {INT32_MIN, INT32_MAX},
        [PG_KIND_INT8] = {INT64_MIN, INT64_MAX},
        [PG_KIND_OID] = {0, UINT32_MAX},
        [PG_KIND_XID8] = {0, UINT64_MAX},
        [PG_KIND_LSN] = {0, UINT64_MAX},
    };
    __int128 whole;

    if (!encode_whole(value, &whole))
        return pg_refuse(type, value);
    if (whole < ranges[type->kind].least || whole > ranges[type->kind].most)
        return eddy_raise(EDDY_EPG_VALUE, "%s%llu is out of the range of %s", whole < 0 ? "-" : "",
                          (unsigned long long)(whole < 0 ? -whole : whole), type->name);
    return pg_append_whole(to, type->kind, (uint64_t)whole);
}

static int
encode_real(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    double real = value->real;
    __int128 whole;

    if (encode_whole(value, &whole))
        real = (double)whole;
    else if (value->kind != PG_VALUE_DOUBLE)
        return pg_refuse(type, value);
    if (type->kind == PG_KIND_FLOAT4 && isinf((float)real) && !isinf(real))
        return eddy_raise(EDDY_EPG_VALUE, "%g is out of the range of %s", real, type->name);
    return pg_append_real(to, type->kind, real);
}

/* Appends what a text says; EDDY_EPG_VALUE. */
static int
encode_text(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    int rc = pg_check_text(value);

    if (rc == 0)
        rc = pg_parse(type->kind, value->pointer, value->size, to);
    if (rc == -EINVAL || rc == -ERANGE)
        rc = eddy_raise(EDDY_EPG_VALUE, "\"%.*s\"%s is %s %s",
                        (int)(value->size < ENCODE_SHOWN ? value->size : ENCODE_SHOWN),
                        (const char *)value->pointer, value->size > ENCODE_SHOWN ? "..." : "",
                        rc == -EINVAL ? "no" : "out of the range of", type->name);
    return rc;
}

static int
encode_numeric(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    char text[PG_REAL_SIZE];
    __int128 whole;
    int rc;

    if (value->kind == PG_VALUE_TEXT)
        return encode_text(to, type, value);
    if (value->kind == PG_VALUE_DOUBLE)
        return pg_numeric_parse(text, (size_t)pg_real_format(value->real, false, text), to);
    if (value->kind != PG_VALUE_DECIMAL && !encode_whole(value, &whole))
        return pg_refuse(type, value);
    if (value->kind == PG_VALUE_DECIMAL)
        rc = pg_numeric_from_scaled(value->integer, (unsigned)value->extra, to);
    else
        rc = pg_numeric_from_scaled(whole, 0, to);
    return rc == -ERANGE ? encode_out_of_range(type) : rc;
}

static int
encode_date(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    int32_t days = pg_value_date(value).days;

    if (value->kind != PG_VALUE_DATE)
        return pg_refuse(type, value);
    if (days != INT32_MIN && days != INT32_MAX && (days < PG_DATE_FIRST || days >= PG_DATE_END))
        return encode_out_of_range(type);
    return pg_append32(to, (uint32_t)days);
}

static int
encode_time(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    eddy_pg_time time = pg_value_time(value);

    if (value->kind != PG_VALUE_TIME)
        return pg_refuse(type, value);
    if (time.microseconds < 0 || time.microseconds > PG_DAY || time.zone <= -ENCODE_ZONE_MOST ||
        time.zone >= ENCODE_ZONE_MOST)
        return encode_out_of_range(type);
    if (type->kind == PG_KIND_TIME && time.zone != 0)
        return eddy_raise(EDDY_EPG_VALUE, "a time with a zone for %s", type->name);
    return pg_append_time(to, type->kind == PG_KIND_TIMETZ, time);
}

static int
encode_timestamp(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    int64_t at = value->integer;

    if (value->kind != PG_VALUE_TIMESTAMP)
        return pg_refuse(type, value);
    if (at != INT64_MIN && at != INT64_MAX && (at < PG_TIMESTAMP_FIRST || at >= PG_TIMESTAMP_END))
        return encode_out_of_range(type);
    return pg_append64(to, (uint64_t)at);
}

static int
encode_inet(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    eddy_pg_inet inet = pg_value_inet(value);

    if (value->kind != PG_VALUE_INET)
        return pg_refuse(type, value);
    if (inet.prefix > (inet.ipv6 ? 128 : 32))
        return eddy_raise(EDDY_EPG_VALUE, "a network of %u bits for %s", inet.prefix, type->name);
    if (type->kind == PG_KIND_CIDR && !pg_inet_is_network(&inet))
        return eddy_raise(EDDY_EPG_VALUE, "bits behind the network's %u for %s", inet.prefix,
                          type->name);
    return pg_append_inet(to, type->kind == PG_KIND_CIDR, &inet);
}

static int
encode_mac(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    eddy_pg_mac mac = pg_value_mac(value);

    if (value->kind != PG_VALUE_MAC)
        return pg_refuse(type, value);
    if (mac.size == 6 && type->kind == PG_KIND_MACADDR8)
        mac = pg_mac_widen(mac);
    if (mac.size != pg_kind_size(type->kind))
        return eddy_raise(EDDY_EPG_VALUE, "a MAC address of %u bytes for %s", mac.size, type->name);
    return ed_buffer_append(to, mac.bytes, mac.size);
}

static int
encode_bytes(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    if (value->kind == PG_VALUE_BYTES && type->kind == PG_KIND_BYTEA)
        return ed_buffer_append(to, value->pointer, value->size);
    if (value->kind != PG_VALUE_BITS || type->kind != PG_KIND_BIT)
        return pg_refuse(type, value);
    if (value->size > INT32_MAX)
        return encode_out_of_range(type);
    return pg_append_bits(to, (eddy_pg_bits){value->pointer, value->size});
}

static int
encode_uuid(struct eddy_buffer_ *to, const struct pg_type *type, const eddy_pg_value *value)
{
    eddy_pg_uuid uuid = pg_value_uuid(value);

    if (value->kind != PG_VALUE_UUID)
        return pg_refuse(type, value);
    return ed_buffer_append(to, uuid.bytes, sizeof uuid.bytes);
}

/* Whether a text may stand for a value of a kind. */
static bool encode_takes_text(enum pg_kind kind)
{
    switch (kind) {
    case PG_KIND_BOOL:
    case PG_KIND_INT2:
    case PG_KIND_INT4:
    case PG_KIND_INT8:
    case PG_KIND_OID:
    case PG_KIND_XID8:
    case PG_KIND_FLOAT4:
    case PG_KIND_FLOAT8:
    case PG_KIND_BYTEA: return false;
    default: return true;
    }
}

/* Whether a text goes out as it is, for the server to read. */
static bool encode_is_servers(enum pg_kind kind)
{
    return kind >= PG_KIND_ARRAY;
}

int pg_encode_value(struct eddy_buffer_ *to, const struct pg_types *types,
                    const struct pg_type *type, const eddy_pg_value *value)
{
    if (value->kind == PG_VALUE_TEXT && encode_takes_text(type->kind) &&
        !encode_is_servers(type->kind))
        return encode_text(to, type, value);
    switch (type->kind) {
    case PG_KIND_BOOL:
    case PG_KIND_INT2:
    case PG_KIND_INT4:
    case PG_KIND_INT8:
    case PG_KIND_OID:
    case PG_KIND_XID8:
    case PG_KIND_LSN: return encode_integer(to, type, value);
    case PG_KIND_FLOAT4:
    case PG_KIND_FLOAT8: return encode_real(to, type, value);
    case PG_KIND_NUMERIC: return encode_numeric(to, type, value);
    case PG_KIND_BYTEA:
    case PG_KIND_BIT: return encode_bytes(to, type, value);
    case PG_KIND_DATE: return encode_date(to, type, value);
    case PG_KIND_TIME:
    case PG_KIND_TIMETZ: return encode_time(to, type, value);
    case PG_KIND_TIMESTAMP:
    case PG_KIND_TIMESTAMPTZ: return encode_timestamp(to, type, value);
    case PG_KIND_INTERVAL:
        if (value->kind != PG_VALUE_INTERVAL)
            return pg_refuse(type, value);
        return pg_append_interval(to, pg_value_interval(value));
    case PG_KIND_UUID: return encode_uuid(to, type, value);
    case PG_KIND_INET:
    case PG_KIND_CIDR: return encode_inet(to, type, value);
    case PG_KIND_MACADDR:
    case PG_KIND_MACADDR8: return encode_mac(to, type, value);
    case PG_KIND_ARRAY:
        if (pg_value_is_array(value))
            return pg_encode_array(to, types, type, value);
        return pg_refuse(type, value);
    case PG_KIND_COMPOSITE:
    case PG_KIND_RANGE:
    case PG_KIND_MULTIRANGE: return pg_encode_parts(to, types, type, value);
    default: return pg_refuse(type, value);
    }
}

int pg_encode_field(struct eddy_buffer_ *to, const struct pg_types *types, uint32_t oid,
                    const eddy_pg_value *value)
{
    const struct pg_type *type = pg_types_find(types, oid);
    size_t before = ed_buffer_size(to), place;
    int rc;

    if (value->kind == PG_VALUE_NULL)
        return pg_append32(to, UINT32_MAX);
    if (!type)
        return eddy_raise(EDDY_EPG_VALUE, "type %u is not known", oid);
    rc = pg_append_length(to, &place);
    if (rc == 0)
        rc = pg_encode_value(to, types, type, value);
    if (rc == 0)
        pg_end_length(to, place);
    else
        to->end = to->start + before;
    return rc;
}

static int parameters_reserve(struct pg_parameters *parameters, size_t count)
{
    size_t each =
        sizeof *parameters->values + sizeof *parameters->lengths + sizeof *parameters->formats;
    void *block;

    parameters->bytes.end = parameters->bytes.start;
    if (parameters->bytes.capacity > ENCODE_KEPT)
        ed_buffer_release(&parameters->bytes);
    if (count <= parameters->room)
        return 0;
    block = eddy_realloc_(parameters->block, count * each);
    if (!block)
        return -ENOMEM;
    parameters->block = block;
    parameters->room = count;
    parameters->values = block;
    parameters->lengths = (int *)(parameters->values + count);
    parameters->formats = parameters->lengths + count;
    return 0;
}

/* Lends a text to libpq: to the server a type's own bytes, or its text form, which a NUL ends. */
static int
parameters_lend(struct pg_parameters *parameters, size_t i, const eddy_pg_value *value, bool binary)
{
    int rc = pg_check_text(value);

    if (rc == 0 && value->size > INT32_MAX)
        rc = eddy_raise(EDDY_EPG_VALUE, "a text of %zu bytes", value->size);
    if (rc < 0)
        return rc;
    parameters->formats[i] = binary;
    parameters->lengths[i] = (int)value->size;
    if (binary || value->extra == 1) {
        parameters->values[i] = value->pointer;
        return 0;
    }
    rc = ed_buffer_append(&parameters->bytes, value->pointer, value->size);
    return rc < 0 ? rc : ed_buffer_append(&parameters->bytes, "", 1);
}

static bool encode_has_texts(const eddy_pg_value *value)
{
    for (size_t i = 0; i < value->size; i++) {
        eddy_pg_value element = pg_value_element(value, i);

        if (pg_value_is_array(&element) ? element.size > 0 : element.kind != PG_VALUE_NULL)
            return pg_value_is_array(&element) ? encode_has_texts(&element)
                                               : element.kind == PG_VALUE_TEXT;
    }
    return false;
}

/* Whether an array is of texts for the server to read: its first element that is not NULL tells. */
static bool parameters_is_text_array(const struct pg_types *types, const struct pg_type *type,
                                     const eddy_pg_value *value)
{
    const struct pg_type *element = type->kind == PG_KIND_ARRAY && pg_value_is_array(value)
                                        ? pg_types_find(types, type->element)
                                        : NULL;

    return element && encode_is_servers(element->kind) && encode_has_texts(value);
}

/* One value: its bytes are those that the buffer gets, unless `values[i]` has a place already. */
static int parameters_put(struct pg_parameters *parameters, const struct pg_types *types,
                          const struct pg_type *type, size_t i, const eddy_pg_value *value)
{
    struct eddy_buffer_ *to = &parameters->bytes;
    int rc;

    parameters->formats[i] = 1;
    if (value->kind == PG_VALUE_TEXT) {
        if (type->kind == PG_KIND_TEXT)
            return parameters_lend(parameters, i, value, true);
        if (encode_is_servers(type->kind))
            return parameters_lend(parameters, i, value, false);
        if (type->kind >= PG_KIND_DATE && type->kind <= PG_KIND_INTERVAL) {
            rc = pg_parse(type->kind, value->pointer, value->size, to);
            if (rc == -EINVAL)
                return parameters_lend(parameters, i, value, false);
            if (rc == 0)
                return 0;
        }
    }
    if (!parameters_is_text_array(types, type, value))
        return pg_encode_value(to, types, type, value);
    parameters->formats[i] = 0;
    rc = pg_encode_array_text(to, types, type, value);
    return rc < 0 ? rc : ed_buffer_append(to, "", 1);
}

/* The same, with the place in the buffer in `values[i]` until it is known where that is;
 * `lengths[i]` is -1 - the length then. */
static int parameters_add(struct pg_parameters *parameters, const struct pg_types *types,
                          uint32_t oid, size_t i, const eddy_pg_value *value)
{
    static const char unset;
    const struct pg_type *type = pg_types_find(types, oid);
    size_t before = ed_buffer_size(&parameters->bytes), size;
    int rc;

    parameters->values[i] = NULL;
    parameters->lengths[i] = 0;
    parameters->formats[i] = 1;
    if (value->kind == PG_VALUE_NULL)
        return 0;
    if (!type)
        return eddy_raise(EDDY_EPG_VALUE, "type %u is not known", oid);
    parameters->values[i] = &unset;
    rc = parameters_put(parameters, types, type, i, value);
    size = ed_buffer_size(&parameters->bytes) - before;
    if (rc == 0 && size > INT32_MAX)
        rc = encode_out_of_range(type);
    if (rc == 0 && parameters->values[i] == &unset) {
        parameters->values[i] = (const char *)(uintptr_t)before;
        parameters->lengths[i] = -1 - (int)size;
    }
    return rc;
}

static void parameters_place(struct pg_parameters *parameters)
{
    const char *bytes = ed_buffer_bytes(&parameters->bytes);

    for (int i = 0; i < parameters->count; i++)
        if (parameters->lengths[i] < 0) {
            parameters->lengths[i] = -1 - parameters->lengths[i];
            parameters->values[i] = bytes ? bytes + (uintptr_t)parameters->values[i] : "";
        }
}

static int parameters_refuse(size_t index, int code)
{
    char text[256];

    if (code != EDDY_EPG_VALUE)
        return code;
    (void)snprintf(text, sizeof text, "%s", eddy_error_message(code));
    return eddy_raise(EDDY_EPG_VALUE, "$%zu: %s", index + 1, text);
}

int pg_parameters_encode(struct pg_parameters *parameters, const struct pg_types *types,
                         const uint32_t *oids, size_t expected, const eddy_pg_value *values,
                         size_t count)
{
    int rc;

    if (count != expected)
        return eddy_raise(EDDY_EPG_VALUE, "%zu values for a statement of %zu parameters", count,
                          expected);
    rc = parameters_reserve(parameters, count);
    parameters->count = rc < 0 ? 0 : (int)count;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = parameters_add(parameters, types, oids[i], i, &values[i]);
        if (rc < 0)
            return parameters_refuse(i, rc);
    }
    if (rc == 0)
        parameters_place(parameters);
    return rc;
}

void pg_parameters_free(struct pg_parameters *parameters)
{
    ed_buffer_release(&parameters->bytes);
    eddy_free(parameters->block);
    *parameters = (struct pg_parameters){.block = NULL};
}
