/* SPDX-License-Identifier: MIT */
/*
 * Rows as asyncpg prints them: each value as Python shows the object that asyncpg makes of it. What
 * Python cannot hold (a year before 1 or beyond 9999, 24:00), and what it has no object for, is
 * shown as the text that it is in PostgreSQL.
 *
 * Values are read by the public readers, so that one in text form looks like one in binary form.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "eddy/stream_class.h"
#include "pg/calendar.h"
#include "pg/real.h"
#include "pg/result.h"
#include "pg/utf8.h"

#define ROW_DEPTH 64 /* arrays in arrays */

static int row_put_field(const eddy_pg_field *field, int depth, struct eddy_buffer_ *to);

static int row_put(struct eddy_buffer_ *to, const char *text)
{
    return ed_buffer_append(to, text, strlen(text));
}

static int row_printf(struct eddy_buffer_ *to, const char *format, ...) EDDY_PRINTF_(2, 3);
static int row_printf(struct eddy_buffer_ *to, const char *format, ...)
{
    char text[160];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return row_put(to, text);
}

/* A value that could not be read: for want of memory none is shown at all. */
static int row_put_unreadable(int rc, struct eddy_buffer_ *to)
{
    return rc == -ENOMEM ? rc : row_put(to, "?");
}

/* Characters that Python does not show: controls, formats, blanks of other kinds, private ones. */
static bool row_is_hidden(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0, 0x1f},          {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},
        {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x8e2, 0x8e2},
        {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},
        {0x205f, 0x206f},   {0x3000, 0x3000},   {0xe000, 0xf8ff},   {0xfeff, 0xfeff},
        {0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
        {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(ranges); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

/* A character within quotes. */
static int
row_put_character(const char *bytes, size_t size, uint32_t c, char quote, struct eddy_buffer_ *to)
{
    switch (c) {
    case '\t': return row_put(to, "\\t");
    case '\n': return row_put(to, "\\n");
    case '\r': return row_put(to, "\\r");
    case '\\': return row_put(to, "\\\\");
    default: break;
    }
    if (c == (unsigned char)quote)
        return row_printf(to, "\\%c", quote);
    if (!row_is_hidden(c))
        return ed_buffer_append(to, bytes, size);
    return row_printf(to, c > 0xffff ? "\\U%08x" : c > 0xff ? "\\u%04x" : "\\x%02x", c);
}

/* A text or bytes in quotes: single ones, but where it has only those. */
static int row_put_quoted(const char *text, size_t size, bool is_bytes, struct eddy_buffer_ *to)
{
    bool has_single = memchr(text, '\'', size) != NULL,
         has_double = memchr(text, '"', size) != NULL;
    char quote = (char)(has_single && !has_double ? '"' : '\'');
    int rc = row_printf(to, "%s%c", is_bytes ? "b" : "", quote);

    for (size_t at = 0, length; rc == 0 && at < size; at += length) {
        uint32_t character = (unsigned char)text[at];

        length = is_bytes ? 1 : pg_utf8_next(text + at, size - at, &character);
        if (length == 0 || (is_bytes && character > 0x7e)) {
            length = 1;
            rc = row_printf(to, "\\x%02x", character);
        } else {
            rc = row_put_character(text + at, length, character, quote, to);
        }
    }
    return rc < 0 ? rc : ed_buffer_append(to, &quote, 1);
}

/* The text form, within others: UUID('...'); or in quotes alone, where `name` is NULL. */
static int row_put_text_form(const eddy_pg_field *field, const char *name, struct eddy_buffer_ *to)
{
    struct eddy_buffer_ text = {.data = NULL};
    int rc = pg_field_format(field, &text);
    const char *bytes = text.data ? ed_buffer_bytes(&text) : "";

    if (rc == EDDY_EPG_PROTOCOL)
        rc = row_put(to, "?");
    else if (rc == 0 && name)
        rc = row_printf(to, "%s('%.*s')", name, (int)ed_buffer_size(&text), bytes);
    else if (rc == 0)
        rc = row_put_quoted(bytes, ed_buffer_size(&text), false, to);
    ed_buffer_release(&text);
    return rc;
}

static int row_put_plain(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    int rc = pg_field_format(field, to);

    return rc == EDDY_EPG_PROTOCOL ? row_put(to, "?") : rc;
}

/* A decimal may be longer than what is printed at once. */
static int row_put_decimal(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    int rc = row_put(to, "Decimal('");

    if (rc == 0)
        rc = row_put_plain(field, to);
    return rc < 0 ? rc : row_put(to, "')");
}

static int row_put_bool(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    bool value;
    int rc;

    rc = eddy_pg_read_bool(*field, &value);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    return row_put(to, value ? "True" : "False");
}

/* The shortest digits, with a point, and an exponent from 16 digits on. */
static int row_put_double(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    char digits[24];
    double value;
    int count, point;
    int rc;

    rc = eddy_pg_read_double(*field, &value);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    if (isnan(value) || isinf(value))
        return row_put(to, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    count = pg_real_digits(value, PG_REAL_PYTHON, digits, &point);
    if (signbit(value) && ed_buffer_append(to, "-", 1) < 0)
        return -ENOMEM;
    if (point > 16 || point < -3)
        return row_printf(to, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1,
                          point > 0 ? '+' : '-', abs(point - 1));
    if (point <= 0)
        return row_printf(to, "0.%.*s%s", -point, "000", digits);
    if (count <= point)
        return row_printf(to, "%s%.*s.0", digits, point - count, "0000000000000000");
    return row_printf(to, "%.*s.%s", point, digits, digits + point);
}

static int row_put_bytes(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    eddy_pg_bytes bytes;
    int rc;

    rc = eddy_pg_read_bytes(*field, &bytes);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    return row_put_quoted(bytes.data, bytes.size, true, to);
}

static int row_put_bits(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    eddy_pg_bits bits;
    int rc;

    rc = eddy_pg_read_bits(*field, &bits);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    rc = row_put(to, "<BitString ");
    for (size_t i = 0; rc == 0 && i < bits.count; i++) {
        if (i > 0 && i % 4 == 0)
            rc = ed_buffer_append(to, " ", 1);
        if (rc == 0)
            rc = ed_buffer_append(to, bits.data[i / 8] & (0x80 >> i % 8) ? "1" : "0", 1);
    }
    return rc < 0 ? rc : row_put(to, ">");
}

static int row_put_inet(const eddy_pg_field *field, bool cidr, struct eddy_buffer_ *to)
{
    char text[EDDY_PG_TEXT_SIZE];
    eddy_pg_inet inet;
    int rc;

    rc = eddy_pg_read_inet(*field, &inet);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    return row_printf(to, "%s%s('%s')", inet.ipv6 ? "IPv6" : "IPv4",
                      cidr                                    ? "Network"
                      : inet.prefix == (inet.ipv6 ? 128 : 32) ? "Address"
                                                              : "Interface",
                      eddy_pg_inet_text(inet, cidr, text));
}

static int row_put_date(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    int year, month, day;
    eddy_pg_date date;
    int rc;

    rc = eddy_pg_read_date(*field, &date);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    if (date.days == INT32_MAX)
        return row_put(to, "datetime.date(9999, 12, 31)");
    if (date.days == INT32_MIN)
        return row_put(to, "datetime.date(1, 1, 1)");
    if (eddy_pg_date_parts(date, &year, &month, &day) < 0 || year < 1 || year > 9999)
        return row_put_text_form(field, NULL, to);
    return row_printf(to, "datetime.date(%d, %d, %d)", year, month, day);
}

/* "10, 30", with seconds and microseconds if there are any. */
static int row_put_clock(int64_t microseconds, struct eddy_buffer_ *to)
{
    int seconds = (int)(microseconds / PG_SECOND), rest = (int)(microseconds % PG_SECOND);
    int rc = row_printf(to, "%d, %d", seconds / 3600, seconds / 60 % 60);

    if (rc == 0 && (seconds % 60 != 0 || rest != 0))
        rc = row_printf(to, ", %d", seconds % 60);
    if (rc == 0 && rest != 0)
        rc = row_printf(to, ", %d", rest);
    return rc;
}

static int row_put_delta(__int128 microseconds, struct eddy_buffer_ *to)
{
    int64_t days = (int64_t)(microseconds / PG_DAY), of_day = (int64_t)(microseconds % PG_DAY);
    const char *between = "";
    int rc = row_put(to, "datetime.timedelta(");

    if (of_day < 0) {
        of_day += PG_DAY;
        days--;
    }
    if (rc == 0 && days != 0) {
        rc = row_printf(to, "days=%lld", (long long)days);
        between = ", ";
    }
    if (rc == 0 && of_day / PG_SECOND != 0) {
        rc = row_printf(to, "%sseconds=%lld", between, (long long)(of_day / PG_SECOND));
        between = ", ";
    }
    if (rc == 0 && of_day % PG_SECOND != 0)
        rc = row_printf(to, "%smicroseconds=%lld", between, (long long)(of_day % PG_SECOND));
    return rc < 0 ? rc : row_put(to, microseconds == 0 ? "0)" : ")");
}

static int row_put_time(const eddy_pg_field *field, bool with_zone, struct eddy_buffer_ *to)
{
    eddy_pg_time time;
    int rc;

    rc = eddy_pg_read_time(*field, &time);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    if (time.microseconds == PG_DAY)
        return row_put_text_form(field, NULL, to);
    rc = row_put(to, "datetime.time(");
    if (rc == 0)
        rc = row_put_clock(time.microseconds, to);
    if (rc == 0 && with_zone && time.zone == 0)
        rc = row_put(to, ", tzinfo=datetime.timezone.utc");
    if (rc == 0 && with_zone && time.zone != 0) {
        rc = row_put(to, ", tzinfo=datetime.timezone(");
        if (rc == 0)
            rc = row_put_delta((__int128)time.zone * PG_SECOND, to);
        if (rc == 0)
            rc = row_put(to, ")");
    }
    return rc < 0 ? rc : row_put(to, ")");
}

static int row_put_timestamp(const eddy_pg_field *field, bool with_zone, struct eddy_buffer_ *to)
{
    eddy_pg_timestamp timestamp;
    int64_t of_day;
    struct tm tm;
    int rc;

    rc = eddy_pg_read_timestamp(*field, &timestamp);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    if (eddy_pg_timestamp_tm(timestamp, &tm) < 0 || tm.tm_year < 1 - 1900 ||
        tm.tm_year > 9999 - 1900)
        return row_put_text_form(field, NULL, to);
    of_day = timestamp.microseconds % PG_DAY;
    rc = row_printf(to, "datetime.datetime(%d, %d, %d, ", tm.tm_year + 1900, tm.tm_mon + 1,
                    tm.tm_mday);
    if (rc == 0)
        rc = row_put_clock(of_day < 0 ? of_day + PG_DAY : of_day, to);
    return rc < 0 ? rc : row_put(to, with_zone ? ", tzinfo=datetime.timezone.utc)" : ")");
}

/* Years of 365 days, months of 30, as asyncpg counts them. */
static int row_put_interval(const eddy_pg_field *field, struct eddy_buffer_ *to)
{
    eddy_pg_interval interval;
    int rc;

    rc = eddy_pg_read_interval(*field, &interval);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    return row_put_delta(
        ((__int128)interval.months / 12 * 365 + interval.months % 12 * 30 + interval.days) *
                PG_DAY +
            interval.microseconds,
        to);
}

/* Brackets within brackets, as the dimensions are. */
static int
row_put_elements(eddy_pg_array_view *array, int dimension, int depth, struct eddy_buffer_ *to)
{
    int rc = ed_buffer_append(to, "[", 1);
    eddy_pg_field element;

    for (int32_t i = 0; rc == 0 && array->dimensions > 0 && i < array->sizes[dimension]; i++) {
        if (i > 0)
            rc = row_put(to, ", ");
        if (rc == 0 && dimension + 1 < array->dimensions)
            rc = row_put_elements(array, dimension + 1, depth, to);
        else if (rc == 0 && eddy_pg_next_element(array, &element))
            rc = row_put_field(&element, depth + 1, to);
    }
    return rc < 0 ? rc : ed_buffer_append(to, "]", 1);
}

static int row_put_array(const eddy_pg_field *field, int depth, struct eddy_buffer_ *to)
{
    eddy_pg_array_view array;
    int rc;

    rc = depth > ROW_DEPTH ? -ERANGE : eddy_pg_read_array(*field, &array);
    if (rc < 0)
        return row_put_unreadable(rc, to);
    return row_put_elements(&array, 0, depth, to);
}

static int row_put_field(const eddy_pg_field *field, int depth, struct eddy_buffer_ *to)
{
    const struct pg_type *type = pg_field_type(field);

    if (!field->data)
        return row_put(to, "None");
    switch (type ? type->kind : PG_KIND_FOREIGN) {
    case PG_KIND_BOOL: return row_put_bool(field, to);
    case PG_KIND_INT2:
    case PG_KIND_INT4:
    case PG_KIND_INT8:
    case PG_KIND_OID:
    case PG_KIND_XID8: return row_put_plain(field, to);
    case PG_KIND_FLOAT4:
    case PG_KIND_FLOAT8: return row_put_double(field, to);
    case PG_KIND_NUMERIC: return row_put_decimal(field, to);
    case PG_KIND_BYTEA: return row_put_bytes(field, to);
    case PG_KIND_BIT: return row_put_bits(field, to);
    case PG_KIND_DATE: return row_put_date(field, to);
    case PG_KIND_TIME: return row_put_time(field, false, to);
    case PG_KIND_TIMETZ: return row_put_time(field, true, to);
    case PG_KIND_TIMESTAMP: return row_put_timestamp(field, false, to);
    case PG_KIND_TIMESTAMPTZ: return row_put_timestamp(field, true, to);
    case PG_KIND_INTERVAL: return row_put_interval(field, to);
    case PG_KIND_UUID: return row_put_text_form(field, "UUID", to);
    case PG_KIND_INET: return row_put_inet(field, false, to);
    case PG_KIND_CIDR: return row_put_inet(field, true, to);
    case PG_KIND_ARRAY: return row_put_array(field, depth, to);
    default: return row_put_text_form(field, NULL, to);
    }
}

static int row_put_all(eddy_pg_row row, struct eddy_buffer_ *to)
{
    size_t columns = row.result ? eddy_pg_columns(row.result) : 0;
    int rc = row_put(to, "<Record");

    for (size_t i = 0; rc == 0 && i < columns; i++) {
        eddy_pg_field field = eddy_pg_field_at(row, (ptrdiff_t)i);

        rc = ed_buffer_append(to, " ", 1);
        if (rc == 0)
            rc = row_put(to, eddy_pg_column_name(row.result, i));
        if (rc == 0)
            rc = row_put(to, "=");
        if (rc == 0)
            rc = row_put_field(&field, 0, to);
    }
    return rc < 0 ? rc : row_put(to, ">");
}

char *eddy_pg_row_text(eddy_pg_row row)
{
    struct eddy_buffer_ buffer = {.data = NULL};

    if (row_put_all(row, &buffer) < 0 || ed_buffer_append(&buffer, "", 1) < 0) {
        ed_buffer_release(&buffer);
        return NULL;
    }
    return ed_buffer_hand_over(&buffer);
}

void eddy_pg_print(eddy_pg_row row, FILE *file)
{
    char *text = eddy_pg_row_text(row);

    (void)fprintf(file, "%s\n", text ? text : "<Record ?>");
    eddy_free(text);
}
