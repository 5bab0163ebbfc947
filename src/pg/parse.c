/* SPDX-License-Identifier: MIT */
/*
 * The binary form of a text: what came from the server in text form is read so, and parameters that
 * were given as texts are sent so. Each kind has the scanner of its text.
 */
#include "pg/parse.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "pg/append.h"
#include "pg/calendar.h"
#include "pg/network.h"
#include "pg/numeric.h"
#include "pg/real.h"
#include "pg/scan.h"

static int parse_whole(enum pg_kind kind, struct pg_scan scan, struct eddy_buffer_ *to)
{
    bool negative = pg_scan_char(&scan, '-');
    unsigned __int128 size = 0, most;

    switch (kind) {
    case PG_KIND_INT2: most = INT16_MAX + (unsigned)negative; break;
    case PG_KIND_INT4: most = (uint32_t)INT32_MAX + negative; break;
    case PG_KIND_INT8: most = (uint64_t)INT64_MAX + negative; break;
    case PG_KIND_OID: most = negative ? 0 : UINT32_MAX; break;
    default: most = negative ? 0 : UINT64_MAX; break;
    }
    if (!pg_scan_is_digit(&scan))
        return -EINVAL;
    for (; pg_scan_is_digit(&scan); scan.at++) {
        size = size * 10 + (unsigned)(*scan.at - '0');
        if (size > most)
            return -ERANGE;
    }
    if (!pg_scan_ended(&scan))
        return -EINVAL;
    return pg_append_whole(to, kind, negative ? -(uint64_t)size : (uint64_t)size);
}

static int parse_real(enum pg_kind kind, const char *text, size_t size, struct eddy_buffer_ *to)
{
    double value;
    int rc = pg_real_parse(text, size, &value);

    if (rc < 0)
        return rc;
    if (kind == PG_KIND_FLOAT4 && isinf((float)value) && !isinf(value))
        return -ERANGE;
    return pg_append_real(to, kind, value);
}

static int parse_bool(struct pg_scan scan, struct eddy_buffer_ *to)
{
    bool is_true = pg_scan_word(&scan, "true", 4) || pg_scan_char(&scan, 't');

    if (!is_true && !pg_scan_word(&scan, "false", 5) && !pg_scan_char(&scan, 'f'))
        return -EINVAL;
    if (!pg_scan_ended(&scan))
        return -EINVAL;
    return ed_buffer_append(to, is_true ? "\1" : "\0", 1);
}

static int parse_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_octal(const char *at, const char *end)
{
    int value = 0;

    if (end - at < 3)
        return -1;
    for (int i = 0; i < 3; i++) {
        if (at[i] < '0' || at[i] > '7')
            return -1;
        value = value * 8 + at[i] - '0';
    }
    return value > 255 ? -1 : value;
}

/* The older form, of settings that ask for it: "a\\b\000". */
static int parse_escaped(struct pg_scan scan, struct eddy_buffer_ *to)
{
    int rc = 0;

    while (rc == 0 && !pg_scan_ended(&scan)) {
        char c = *scan.at++;

        if (c == '\\' && !pg_scan_char(&scan, '\\')) {
            int value = parse_octal(scan.at, scan.end);

            if (value < 0)
                return -EINVAL;
            c = (char)value;
            scan.at += 3;
        }
        rc = ed_buffer_append(to, &c, 1);
    }
    return rc;
}

static int parse_bytea(struct pg_scan scan, struct eddy_buffer_ *to)
{
    size_t size = (size_t)(scan.end - scan.at) / 2;
    char *at;

    if (!pg_scan_word(&scan, "\\x", 2))
        return parse_escaped(scan, to);
    if ((scan.end - scan.at) % 2 != 0)
        return -EINVAL;
    at = pg_extend(to, size - 1);
    if (!at)
        return -ENOMEM;
    for (; !pg_scan_ended(&scan); scan.at += 2) {
        int high = parse_hex(scan.at[0]), low = parse_hex(scan.at[1]);

        if (high < 0 || low < 0)
            return -EINVAL;
        *at++ = (char)(high * 16 + low);
    }
    return 0;
}

/* A byte; also as it is written when it is not ASCII. */
static int parse_char(const char *text, size_t size, struct eddy_buffer_ *to)
{
    int value = size == 4 && text[0] == '\\' ? parse_octal(text + 1, text + 4) : -1;
    char c = (char)(size > 0 ? *text : '\0');

    if (size > 1 && value < 0)
        return -EINVAL;
    if (value >= 0)
        c = (char)value;
    return ed_buffer_append(to, &c, 1);
}

static int parse_bits(const char *text, size_t size, struct eddy_buffer_ *to)
{
    size_t place = ed_buffer_size(to);
    char *at;

    if (size > INT32_MAX)
        return -ERANGE;
    if (!pg_extend(to, 4 + (size + 7) / 8))
        return -ENOMEM;
    at = to->data + to->start + place;
    memset(at, 0, 4 + (size + 7) / 8);
    pg_store32(at, (uint32_t)size);
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '0' && text[i] != '1')
            return -EINVAL;
        if (text[i] == '1')
            at[4 + i / 8] = (char)(at[4 + i / 8] | 0x80 >> i % 8);
    }
    return 0;
}

static int parse_hex_number(struct pg_scan *scan, uint32_t *out)
{
    int digits = 0, digit;

    *out = 0;
    for (; !pg_scan_ended(scan) && (digit = parse_hex(*scan->at)) >= 0; scan->at++, digits++)
        *out = *out << 4 | (uint32_t)digit;
    return digits >= 1 && digits <= 8 ? 0 : -EINVAL;
}

/* "16/B374D848" */
static int parse_lsn(struct pg_scan scan, struct eddy_buffer_ *to)
{
    uint32_t high, low;

    if (parse_hex_number(&scan, &high) < 0 || !pg_scan_char(&scan, '/') ||
        parse_hex_number(&scan, &low) < 0 || !pg_scan_ended(&scan))
        return -EINVAL;
    return pg_append64(to, (uint64_t)high << 32 | low);
}

/* "(0,1)" */
static int parse_tid(struct pg_scan scan, struct eddy_buffer_ *to)
{
    int64_t block, offset;
    int rc;

    if (!pg_scan_char(&scan, '(') || pg_scan_digits(&scan, 10, &block) == 0 ||
        !pg_scan_char(&scan, ',') || pg_scan_digits(&scan, 5, &offset) == 0 ||
        !pg_scan_char(&scan, ')') || !pg_scan_ended(&scan))
        return -EINVAL;
    if (block > UINT32_MAX || offset > UINT16_MAX)
        return -ERANGE;
    rc = pg_append32(to, (uint32_t)block);
    return rc < 0 ? rc : pg_append16(to, (uint16_t)offset);
}

static int parse_clock(enum pg_kind kind, const char *text, size_t size, struct eddy_buffer_ *to)
{
    eddy_pg_timestamp timestamp;
    eddy_pg_interval interval;
    eddy_pg_date date;
    eddy_pg_time time;
    bool has_zone, is_infinite;
    int rc;

    switch (kind) {
    case PG_KIND_DATE:
        rc = pg_scan_date(text, size, &date);
        return rc < 0 ? rc : pg_append32(to, (uint32_t)date.days);
    case PG_KIND_TIME:
    case PG_KIND_TIMETZ:
        rc = pg_scan_time(text, size, &time, &has_zone);
        if (rc == 0 && has_zone != (kind == PG_KIND_TIMETZ))
            rc = -EINVAL;
        return rc < 0 ? rc : pg_append_time(to, has_zone, time);
    case PG_KIND_INTERVAL:
        rc = pg_scan_interval(text, size, &interval);
        return rc < 0 ? rc : pg_append_interval(to, interval);
    default: /* of a point without a zone the server must know which is meant */
        rc = pg_scan_timestamp(text, size, &timestamp, &has_zone);
        is_infinite =
            rc == 0 && (timestamp.microseconds == INT64_MAX || timestamp.microseconds == INT64_MIN);
        if (rc == 0 && has_zone != (kind == PG_KIND_TIMESTAMPTZ) && !is_infinite)
            rc = -EINVAL;
        return rc < 0 ? rc : pg_append64(to, (uint64_t)timestamp.microseconds);
    }
}

static int parse_address(enum pg_kind kind, const char *text, size_t size, struct eddy_buffer_ *to)
{
    eddy_pg_inet inet;
    eddy_pg_mac mac;
    eddy_pg_uuid uuid;
    int rc;

    switch (kind) {
    case PG_KIND_UUID:
        rc = pg_scan_uuid(text, size, &uuid);
        return rc < 0 ? rc : ed_buffer_append(to, uuid.bytes, sizeof uuid.bytes);
    case PG_KIND_INET:
    case PG_KIND_CIDR:
        rc = pg_scan_inet(text, size, &inet);
        if (rc == 0 && kind == PG_KIND_CIDR && !pg_inet_is_network(&inet))
            rc = -ERANGE;
        return rc < 0 ? rc : pg_append_inet(to, kind == PG_KIND_CIDR, &inet);
    default: /* PG_KIND_MACADDR, PG_KIND_MACADDR8 */
        rc = pg_scan_mac(text, size, &mac);
        if (rc == 0 && kind == PG_KIND_MACADDR8)
            mac = pg_mac_widen(mac);
        if (rc == 0 && kind == PG_KIND_MACADDR && mac.size != 6)
            rc = -ERANGE;
        return rc < 0 ? rc : ed_buffer_append(to, mac.bytes, mac.size);
    }
}

static int parse_jsonb(const char *text, size_t size, struct eddy_buffer_ *to)
{
    int rc = ed_buffer_append(to, "\1", 1);

    return rc < 0 ? rc : ed_buffer_append(to, text, size);
}

static int parse_any(enum pg_kind kind, const char *text, size_t size, struct eddy_buffer_ *to)
{
    struct pg_scan scan = {text, text + size};

    switch (kind) {
    case PG_KIND_TEXT: return ed_buffer_append(to, text, size);
    case PG_KIND_JSONB: return parse_jsonb(text, size, to);
    case PG_KIND_CHAR: return parse_char(text, size, to);
    case PG_KIND_BOOL: return parse_bool(scan, to);
    case PG_KIND_INT2:
    case PG_KIND_INT4:
    case PG_KIND_INT8:
    case PG_KIND_OID:
    case PG_KIND_XID8: return parse_whole(kind, scan, to);
    case PG_KIND_FLOAT4:
    case PG_KIND_FLOAT8: return parse_real(kind, text, size, to);
    case PG_KIND_NUMERIC: return pg_numeric_parse(text, size, to);
    case PG_KIND_BYTEA: return parse_bytea(scan, to);
    case PG_KIND_BIT: return parse_bits(text, size, to);
    case PG_KIND_LSN: return parse_lsn(scan, to);
    case PG_KIND_TID: return parse_tid(scan, to);
    case PG_KIND_DATE:
    case PG_KIND_TIME:
    case PG_KIND_TIMETZ:
    case PG_KIND_TIMESTAMP:
    case PG_KIND_TIMESTAMPTZ:
    case PG_KIND_INTERVAL: return parse_clock(kind, text, size, to);
    case PG_KIND_UUID:
    case PG_KIND_INET:
    case PG_KIND_CIDR:
    case PG_KIND_MACADDR:
    case PG_KIND_MACADDR8: return parse_address(kind, text, size, to);
    default: return -EINVAL;
    }
}

int pg_parse(enum pg_kind kind, const char *text, size_t size, struct eddy_buffer_ *to)
{
    size_t before = ed_buffer_size(to);
    int rc = parse_any(kind, text, size, to);

    if (rc < 0)
        to->end = to->start + before;
    return rc;
}
