/* SPDX-License-Identifier: MIT */
/*
 * Texts of dates, times and points in time, as DateStyle ISO writes them: "2024-02-29",
 * "0044-03-15 BC", "10:30:00.5", "10:30:00+05:30", "2024-02-29 10:30:00+00", "infinity".
 *
 * What is read is that, with a "T" in between too, "Z" for a zone, and zones of hours alone. All
 * else that the server would take ('yesterday', '1 Jan', names of zones) is none of these forms.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pg/calendar.h"
#include "pg/scan.h"

#define CALENDAR_ZONE_HOURS 15 /* the most that the server takes */

static char *calendar_put(char *at, const char *text)
{
    size_t size = strlen(text);

    memcpy(at, text, size + 1);
    return at + size;
}

static char *calendar_put_number(char *at, int64_t number, int digits)
{
    return at + snprintf(at, 24, "%0*lld", digits, (long long)number);
}

static char *calendar_put_date(char *at, int year, int month, int day)
{
    at = calendar_put_number(at, year > 0 ? year : 1 - (int64_t)year, 4);
    *at++ = '-';
    at = calendar_put_number(at, month, 2);
    *at++ = '-';
    return calendar_put_number(at, day, 2);
}

/* "10:30:00", with as many digits behind the point as it takes. */
static char *calendar_put_time(char *at, int64_t microseconds)
{
    int64_t seconds = microseconds / PG_SECOND, fraction = microseconds % PG_SECOND;

    at = calendar_put_number(at, seconds / 3600, 2);
    *at++ = ':';
    at = calendar_put_number(at, seconds / 60 % 60, 2);
    *at++ = ':';
    at = calendar_put_number(at, seconds % 60, 2);
    if (fraction == 0)
        return at;
    *at++ = '.';
    at = calendar_put_number(at, fraction, 6);
    while (at[-1] == '0')
        *--at = '\0';
    return at;
}

static char *calendar_put_zone(char *at, int64_t zone)
{
    int64_t size = zone < 0 ? -zone : zone;

    *at++ = zone < 0 ? '-' : '+';
    at = calendar_put_number(at, size / 3600, 2);
    if (size % 3600 == 0)
        return at;
    *at++ = ':';
    at = calendar_put_number(at, size / 60 % 60, 2);
    if (size % 60 == 0)
        return at;
    *at++ = ':';
    return calendar_put_number(at, size % 60, 2);
}

char *eddy_pg_date_text(eddy_pg_date date, char text[EDDY_PG_TEXT_SIZE])
{
    int year, month, day;
    char *at;

    if (eddy_pg_date_parts(date, &year, &month, &day) < 0) {
        (void)calendar_put(text, date.days < 0 ? "-infinity" : "infinity");
        return text;
    }
    at = calendar_put_date(text, year, month, day);
    (void)calendar_put(at, year > 0 ? "" : " BC");
    return text;
}

char *eddy_pg_time_text(eddy_pg_time time, bool with_zone, char text[EDDY_PG_TEXT_SIZE])
{
    int64_t time_of_day = time.microseconds < 0 ? 0 : time.microseconds;
    char *at = calendar_put_time(text, time_of_day);

    if (with_zone)
        (void)calendar_put_zone(at, time.zone);
    return text;
}

char *
eddy_pg_timestamp_text(eddy_pg_timestamp timestamp, bool with_zone, char text[EDDY_PG_TEXT_SIZE])
{
    int64_t of_day = timestamp.microseconds % PG_DAY;
    int64_t days = timestamp.microseconds / PG_DAY - (of_day < 0);
    int year, month, day;
    char *at;

    if (timestamp.microseconds == INT64_MAX || timestamp.microseconds == INT64_MIN) {
        (void)calendar_put(text, timestamp.microseconds < 0 ? "-infinity" : "infinity");
        return text;
    }
    (void)eddy_pg_date_parts((eddy_pg_date){(int32_t)days}, &year, &month, &day);
    at = calendar_put_date(text, year, month, day);
    *at++ = ' ';
    at = calendar_put_time(at, of_day < 0 ? of_day + PG_DAY : of_day);
    at = calendar_put(at, with_zone ? "+00" : "");
    (void)calendar_put(at, year > 0 ? "" : " BC");
    return text;
}

static bool calendar_scan_infinity(struct pg_scan scan, bool *negative)
{
    *negative = pg_scan_char(&scan, '-');
    return pg_scan_word(&scan, "infinity", 8) && pg_scan_ended(&scan);
}

/* A date's year, month and day; a "BC" is not here. */
static int calendar_scan_parts(struct pg_scan *scan, int64_t parts[3])
{
    if (pg_scan_digits(scan, 7, &parts[0]) < 4 || !pg_scan_char(scan, '-') ||
        pg_scan_digits(scan, 2, &parts[1]) == 0 || !pg_scan_char(scan, '-') ||
        pg_scan_digits(scan, 2, &parts[2]) == 0)
        return -EINVAL;
    return 0;
}

/* The end of a text: nothing, or "BC"; then the date of its parts. */
static int calendar_scan_end(struct pg_scan *scan, const int64_t parts[3], eddy_pg_date *out)
{
    int64_t year = parts[0];

    if (pg_scan_word(scan, " BC", 3))
        year = 1 - year;
    if (!pg_scan_ended(scan))
        return -EINVAL;
    if (parts[0] == 0)
        return -ERANGE;
    return eddy_pg_date_from((int)year, (int)parts[1], (int)parts[2], out);
}

int pg_scan_date(const char *text, size_t size, eddy_pg_date *out)
{
    struct pg_scan scan = {text, text + size};
    int64_t parts[3];
    bool negative;

    if (calendar_scan_infinity(scan, &negative)) {
        *out = negative ? EDDY_PG_DATE_MINUS_INFINITY : EDDY_PG_DATE_INFINITY;
        return 0;
    }
    if (calendar_scan_parts(&scan, parts) < 0)
        return -EINVAL;
    return calendar_scan_end(&scan, parts, out);
}

/* What stands behind the point, in microseconds; rounded as the server does it. */
static int calendar_scan_fraction(struct pg_scan *scan, int64_t *microseconds)
{
    static const int64_t powers[] = {1,      10,      100,      1000,      10000,
                                     100000, 1000000, 10000000, 100000000, 1000000000};
    int64_t value, rest;
    int count, more;

    *microseconds = 0;
    if (!pg_scan_char(scan, '.'))
        return 0;
    count = pg_scan_digits(scan, 6, &value);
    more = count == 6 ? pg_scan_digits(scan, 9, &rest) : 0;
    if (pg_scan_is_digit(scan))
        return -EINVAL;
    *microseconds = value * powers[6 - count];
    if (more > 0 && (2 * rest > powers[more] || (2 * rest == powers[more] && value % 2 != 0)))
        ++*microseconds;
    return 0;
}

/* "10:30", "10:30:00.5", up to "24:00:00". */
static int calendar_scan_clock(struct pg_scan *scan, int64_t *microseconds)
{
    int64_t hour, minute, second = 0, fraction = 0;

    if (pg_scan_digits(scan, 2, &hour) == 0 || !pg_scan_char(scan, ':') ||
        pg_scan_digits(scan, 2, &minute) != 2)
        return -EINVAL;
    if (pg_scan_char(scan, ':') && (pg_scan_digits(scan, 2, &second) != 2 || second == 60 ||
                                    calendar_scan_fraction(scan, &fraction) < 0))
        return -EINVAL;
    if (minute > 59 || second > 59)
        return -ERANGE;
    *microseconds = ((hour * 60 + minute) * 60 + second) * PG_SECOND + fraction;
    return *microseconds > PG_DAY ? -ERANGE : 0;
}

/* A zone, in seconds east of UTC, if there is one. */
static int calendar_scan_zone(struct pg_scan *scan, int32_t *zone, bool *found)
{
    int64_t hours, minutes = 0, seconds = 0;
    bool west;

    *zone = 0;
    *found = pg_scan_word(scan, "Z", 1) || pg_scan_word(scan, " Z", 2);
    if (*found)
        return 0;
    if (scan->end - scan->at > 1 && *scan->at == ' ' && (scan->at[1] == '+' || scan->at[1] == '-'))
        scan->at++;
    west = pg_scan_peek(scan) == '-';
    if (!west && pg_scan_peek(scan) != '+')
        return 0;
    scan->at++;
    if (pg_scan_digits(scan, 2, &hours) == 0)
        return -EINVAL;
    if (pg_scan_char(scan, ':') || pg_scan_is_digit(scan)) {
        if (pg_scan_digits(scan, 2, &minutes) != 2)
            return -EINVAL;
        if (pg_scan_char(scan, ':') && pg_scan_digits(scan, 2, &seconds) != 2)
            return -EINVAL;
    }
    if (hours > CALENDAR_ZONE_HOURS || minutes > 59 || seconds > 59)
        return -ERANGE;
    *zone = (int32_t)((hours * 60 + minutes) * 60 + seconds);
    *zone = west ? -*zone : *zone;
    *found = true;
    return 0;
}

int pg_scan_time(const char *text, size_t size, eddy_pg_time *out, bool *has_zone)
{
    struct pg_scan scan = {text, text + size};
    eddy_pg_time time;
    int rc = calendar_scan_clock(&scan, &time.microseconds);

    if (rc == 0)
        rc = calendar_scan_zone(&scan, &time.zone, has_zone);
    if (rc == 0 && !pg_scan_ended(&scan))
        rc = -EINVAL;
    if (rc == 0)
        *out = time;
    return rc;
}

int pg_scan_timestamp(const char *text, size_t size, eddy_pg_timestamp *out, bool *has_zone)
{
    struct pg_scan scan = {text, text + size};
    int64_t parts[3], of_day = 0;
    __int128 microseconds;
    eddy_pg_date date;
    int32_t zone = 0;
    bool negative;
    int rc;

    *has_zone = calendar_scan_infinity(scan, &negative);
    if (*has_zone) {
        *out = negative ? EDDY_PG_TIMESTAMP_MINUS_INFINITY : EDDY_PG_TIMESTAMP_INFINITY;
        return 0;
    }
    rc = calendar_scan_parts(&scan, parts);
    if (rc == 0 && scan.end - scan.at > 1 && strchr(" Tt", *scan.at) && scan.at[1] >= '0' &&
        scan.at[1] <= '9') {
        scan.at++;
        rc = calendar_scan_clock(&scan, &of_day);
        if (rc == 0)
            rc = calendar_scan_zone(&scan, &zone, has_zone);
    }
    if (rc == 0)
        rc = calendar_scan_end(&scan, parts, &date);
    if (rc < 0)
        return rc;
    microseconds = (__int128)date.days * PG_DAY + of_day - zone * PG_SECOND;
    if (microseconds < PG_TIMESTAMP_FIRST || microseconds >= PG_TIMESTAMP_END)
        return -ERANGE;
    out->microseconds = (int64_t)microseconds;
    return 0;
}

int eddy_pg_date_parse(const char *text, eddy_pg_date *out)
{
    return pg_scan_date(text, strlen(text), out);
}

int eddy_pg_time_parse(const char *text, eddy_pg_time *out)
{
    bool has_zone;

    return pg_scan_time(text, strlen(text), out, &has_zone);
}

int eddy_pg_timestamp_parse(const char *text, eddy_pg_timestamp *out)
{
    bool has_zone;

    return pg_scan_timestamp(text, strlen(text), out, &has_zone);
}
