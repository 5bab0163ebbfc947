/* SPDX-License-Identifier: MIT */
/*
 * Texts of intervals, as IntervalStyle postgres writes them: "1 year 2 mons -3 days +04:05:06.7".
 *
 * Each part has its own sign; a part behind a negative one shows its plus. Units may be written out
 * when they are read, and weeks, hours, minutes and seconds too; other styles are the server's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pg/calendar.h"
#include "pg/scan.h"

struct interval_writer {
    char *at;
    bool is_first, is_behind_minus;
};

static void interval_put(struct interval_writer *writer, int64_t value, const char *unit)
{
    if (value == 0)
        return;
    writer->at += snprintf(writer->at, 32, "%s%s%lld %s%s", writer->is_first ? "" : " ",
                           writer->is_behind_minus && value > 0 ? "+" : "", (long long)value, unit,
                           value == 1 ? "" : "s");
    writer->is_first = false;
    writer->is_behind_minus = value < 0;
}

static void interval_put_time(struct interval_writer *writer, int64_t microseconds)
{
    uint64_t size = microseconds < 0 ? -(uint64_t)microseconds : (uint64_t)microseconds;
    uint64_t seconds = size / PG_SECOND, fraction = size % PG_SECOND;

    if (size == 0 && !writer->is_first)
        return;
    writer->at += snprintf(writer->at, 48, "%s%s%02llu:%02llu:%02llu", writer->is_first ? "" : " ",
                           microseconds < 0          ? "-"
                           : writer->is_behind_minus ? "+"
                                                     : "",
                           (unsigned long long)seconds / 3600,
                           (unsigned long long)seconds / 60 % 60, (unsigned long long)seconds % 60);
    if (fraction == 0)
        return;
    writer->at += snprintf(writer->at, 8, ".%06u", (unsigned)fraction);
    while (writer->at[-1] == '0')
        *--writer->at = '\0';
}

char *eddy_pg_interval_text(eddy_pg_interval interval, char text[EDDY_PG_TEXT_SIZE])
{
    struct interval_writer writer = {.at = text, .is_first = true};

    if (interval.months == INT32_MAX && interval.days == INT32_MAX &&
        interval.microseconds == INT64_MAX)
        return memcpy(text, "infinity", 9); /* of PostgreSQL 17 */
    if (interval.months == INT32_MIN && interval.days == INT32_MIN &&
        interval.microseconds == INT64_MIN)
        return memcpy(text, "-infinity", 10);
    interval_put(&writer, interval.months / 12, "year");
    interval_put(&writer, interval.months % 12, "mon");
    interval_put(&writer, interval.days, "day");
    interval_put_time(&writer, interval.microseconds);
    return text;
}

/* The sums of an interval's parts. */
struct interval_sums {
    __int128 months, days, microseconds;
};

static const struct interval_unit {
    const char *name; /* without an "s" at its end */
    int months, days;
    int64_t microseconds;
} interval_units[] = {
    {"year", 12, 0, 0},
    {"mon", 1, 0, 0},
    {"month", 1, 0, 0},
    {"week", 0, 7, 0},
    {"day", 0, 1, 0},
    {"hour", 0, 0, 3600 * PG_SECOND},
    {"min", 0, 0, 60 * PG_SECOND},
    {"minute", 0, 0, 60 * PG_SECOND},
    {"sec", 0, 0, PG_SECOND},
    {"second", 0, 0, PG_SECOND},
};

static const struct interval_unit *interval_unit_find(const char *name, size_t size)
{
    if (size > 1 && (name[size - 1] == 's' || name[size - 1] == 'S'))
        size--;
    for (size_t i = 0; i < ED_ARRAY_LENGTH(interval_units); i++)
        if (strlen(interval_units[i].name) == size &&
            strncasecmp(interval_units[i].name, name, size) == 0)
            return &interval_units[i];
    return NULL;
}

/* The rest of "04:05:06.7" behind the hours. */
static int
interval_scan_clock(struct pg_scan *scan, int64_t hours, int sign, struct interval_sums *sums)
{
    int64_t minutes, seconds = 0, fraction = 0;
    __int128 size;
    int digits = 0;

    if (pg_scan_digits(scan, 2, &minutes) != 2)
        return -EINVAL;
    if (pg_scan_char(scan, ':') && pg_scan_digits(scan, 2, &seconds) != 2)
        return -EINVAL;
    if (pg_scan_char(scan, '.'))
        digits = pg_scan_digits(scan, 6, &fraction);
    for (; digits < 6; digits++)
        fraction *= 10;
    if (minutes > 59 || seconds > 59)
        return -ERANGE;
    size = (((__int128)hours * 60 + minutes) * 60 + seconds) * PG_SECOND + fraction;
    sums->microseconds += sign * size;
    return 0;
}

static int interval_scan_part(struct pg_scan *scan, struct interval_sums *sums)
{
    int sign = pg_scan_char(scan, '-') ? -1 : 1;
    const struct interval_unit *unit;
    const char *name;
    int64_t number;

    if (sign > 0)
        (void)pg_scan_char(scan, '+');
    if (pg_scan_digits(scan, 18, &number) == 0)
        return -EINVAL;
    if (pg_scan_char(scan, ':'))
        return interval_scan_clock(scan, number, sign, sums);
    while (pg_scan_char(scan, ' '))
        ;
    name = scan->at;
    while (!pg_scan_ended(scan) && ((*scan->at | 0x20) >= 'a' && (*scan->at | 0x20) <= 'z'))
        scan->at++;
    unit = interval_unit_find(name, (size_t)(scan->at - name));
    if (!unit)
        return -EINVAL;
    sums->months += (__int128)sign * number * unit->months;
    sums->days += (__int128)sign * number * unit->days;
    sums->microseconds += (__int128)sign * number * unit->microseconds;
    return 0;
}

static bool interval_fits(const struct interval_sums *sums)
{
    return sums->months == (int32_t)sums->months && sums->days == (int32_t)sums->days &&
           sums->microseconds == (int64_t)sums->microseconds;
}

int pg_scan_interval(const char *text, size_t size, eddy_pg_interval *out)
{
    struct pg_scan scan = {text, text + size};
    struct interval_sums sums = {0};
    int rc;

    do {
        rc = interval_scan_part(&scan, &sums);
        if (rc == 0 && !pg_scan_ended(&scan) && !pg_scan_char(&scan, ' '))
            rc = -EINVAL;
        if (rc == 0 && !interval_fits(&sums))
            rc = -ERANGE;
    } while (rc == 0 && !pg_scan_ended(&scan));
    if (rc < 0)
        return rc;
    *out = (eddy_pg_interval){(int32_t)sums.months, (int32_t)sums.days, (int64_t)sums.microseconds};
    return 0;
}

int eddy_pg_interval_parse(const char *text, eddy_pg_interval *out)
{
    return pg_scan_interval(text, strlen(text), out);
}
