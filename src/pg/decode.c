/* SPDX-License-Identifier: MIT */
/*
 * Binary forms (the `_send` functions of PostgreSQL, src/backend/utils/adt). A value is of the size
 * that its kind has, or the size that it tells itself; never longer, never shorter.
 */
#include "pg/decode.h"

#include <errno.h>

#include "eddy/error.h"
#include "pg/calendar.h"
#include "pg/numeric.h"
#include "pg/wire.h"

#define DECODE_FAMILY_IPV4 2 /* PGSQL_AF_INET, of every system */
#define DECODE_FAMILY_IPV6 3
#define DECODE_ZONE_MOST (16 * 3600) /* seconds; a zone is smaller */

size_t pg_kind_size(enum pg_kind kind)
{
    static const uint8_t sizes[PG_KINDS] = {
        [PG_KIND_CHAR] = 1,      [PG_KIND_BOOL] = 1,        [PG_KIND_INT2] = 2,
        [PG_KIND_INT4] = 4,      [PG_KIND_INT8] = 8,        [PG_KIND_OID] = 4,
        [PG_KIND_XID8] = 8,      [PG_KIND_LSN] = 8,         [PG_KIND_TID] = 6,
        [PG_KIND_FLOAT4] = 4,    [PG_KIND_FLOAT8] = 8,      [PG_KIND_DATE] = 4,
        [PG_KIND_TIME] = 8,      [PG_KIND_TIMETZ] = 12,     [PG_KIND_TIMESTAMP] = 8,
        [PG_KIND_INTERVAL] = 16, [PG_KIND_TIMESTAMPTZ] = 8, [PG_KIND_UUID] = 16,
        [PG_KIND_MACADDR] = 6,   [PG_KIND_MACADDR8] = 8,
    };

    return sizes[kind];
}

static int decode_numeric_whole(const char *data, size_t size, __int128 *out)
{
    struct pg_numeric numeric;
    int rc = pg_numeric_read(data, size, &numeric);

    return rc < 0 ? rc : pg_numeric_scaled(&numeric, 0, out);
}

int pg_decode_whole(enum pg_kind kind, const char *data, size_t size, __int128 *out)
{
    size_t expected = pg_kind_size(kind);

    if (expected != 0 && size != expected)
        return EDDY_EPG_PROTOCOL;
    switch (kind) {
    case PG_KIND_BOOL:
        if (*data != 0 && *data != 1)
            return EDDY_EPG_PROTOCOL;
        *out = *data;
        return 0;
    case PG_KIND_INT2: *out = (int16_t)pg_load16(data); return 0;
    case PG_KIND_INT4: *out = (int32_t)pg_load32(data); return 0;
    case PG_KIND_INT8: *out = (int64_t)pg_load64(data); return 0;
    case PG_KIND_OID: *out = pg_load32(data); return 0;
    case PG_KIND_LSN:
    case PG_KIND_XID8: *out = pg_load64(data); return 0;
    case PG_KIND_NUMERIC: return decode_numeric_whole(data, size, out);
    default: return EDDY_EPG_TYPE;
    }
}

int pg_decode_double(enum pg_kind kind, const char *data, size_t size, double *out)
{
    struct pg_numeric numeric;
    __int128 whole;
    int rc;

    if (pg_kind_size(kind) != 0 && size != pg_kind_size(kind))
        return EDDY_EPG_PROTOCOL;
    switch (kind) {
    case PG_KIND_FLOAT4: *out = (double)pg_load_float(data); return 0;
    case PG_KIND_FLOAT8: *out = pg_load_double(data); return 0;
    case PG_KIND_NUMERIC:
        rc = pg_numeric_read(data, size, &numeric);
        if (rc == 0)
            *out = pg_numeric_double(&numeric);
        return rc;
    case PG_KIND_BOOL:
    case PG_KIND_LSN: return EDDY_EPG_TYPE;
    default:
        rc = pg_decode_whole(kind, data, size, &whole);
        if (rc == 0)
            *out = (double)whole;
        return rc;
    }
}

int pg_decode_text(enum pg_kind kind, const char *data, size_t size, eddy_pg_bytes *out)
{
    size_t head = kind == PG_KIND_JSONB; /* the version */

    if (size < head || (head && *data != 1))
        return EDDY_EPG_PROTOCOL;
    *out = (eddy_pg_bytes){data + head, size - head};
    return 0;
}

int pg_decode_date(const char *data, size_t size, eddy_pg_date *out)
{
    if (size != 4)
        return EDDY_EPG_PROTOCOL;
    out->days = (int32_t)pg_load32(data);
    return 0;
}

int pg_decode_time(bool with_zone, const char *data, size_t size, eddy_pg_time *out)
{
    int64_t microseconds;
    int32_t west = 0;

    if (size != (with_zone ? 12 : 8))
        return EDDY_EPG_PROTOCOL;
    microseconds = (int64_t)pg_load64(data);
    if (with_zone)
        west = (int32_t)pg_load32(data + 8);
    if (microseconds < 0 || microseconds > PG_DAY || west <= -DECODE_ZONE_MOST ||
        west >= DECODE_ZONE_MOST)
        return EDDY_EPG_PROTOCOL;
    *out = (eddy_pg_time){.microseconds = microseconds, .zone = -west};
    return 0;
}

int pg_decode_timestamp(const char *data, size_t size, eddy_pg_timestamp *out)
{
    if (size != 8)
        return EDDY_EPG_PROTOCOL;
    out->microseconds = (int64_t)pg_load64(data);
    return 0;
}

int pg_decode_interval(const char *data, size_t size, eddy_pg_interval *out)
{
    if (size != 16)
        return EDDY_EPG_PROTOCOL;
    *out = (eddy_pg_interval){.microseconds = (int64_t)pg_load64(data),
                              .days = (int32_t)pg_load32(data + 8),
                              .months = (int32_t)pg_load32(data + 12)};
    return 0;
}

int pg_decode_uuid(const char *data, size_t size, eddy_pg_uuid *out)
{
    if (size != sizeof out->bytes)
        return EDDY_EPG_PROTOCOL;
    memcpy(out->bytes, data, sizeof out->bytes);
    return 0;
}

int pg_decode_inet(const char *data, size_t size, eddy_pg_inet *out)
{
    eddy_pg_inet inet = {.ipv6 = size > 0 && data[0] == DECODE_FAMILY_IPV6};
    size_t length = inet.ipv6 ? 16 : 4;

    if (size != 4 + length || (data[0] != DECODE_FAMILY_IPV4 && !inet.ipv6) ||
        (uint8_t)data[1] > 8 * length || (uint8_t)data[3] != length)
        return EDDY_EPG_PROTOCOL;
    inet.prefix = (uint8_t)data[1];
    memcpy(inet.bytes, data + 4, length);
    *out = inet;
    return 0;
}

int pg_decode_mac(const char *data, size_t size, eddy_pg_mac *out)
{
    if (size != 6 && size != 8)
        return EDDY_EPG_PROTOCOL;
    *out = (eddy_pg_mac){.size = (uint8_t)size};
    memcpy(out->bytes, data, size);
    return 0;
}

int pg_decode_bits(const char *data, size_t size, eddy_pg_bits *out)
{
    int32_t count = size < 4 ? -1 : (int32_t)pg_load32(data);

    if (count < 0 || size - 4 != ((size_t)count + 7) / 8)
        return EDDY_EPG_PROTOCOL;
    *out = (eddy_pg_bits){.data = (const uint8_t *)data + 4, .count = (size_t)count};
    return 0;
}
