/* SPDX-License-Identifier: MIT */
/*
 * The proleptic Gregorian calendar in days from 2000-01-01, for any number of days that an int32 or
 * the microseconds of an int64 hold (the arithmetic of "chrono-Compatible Low-Level Date
 * Algorithms", Howard Hinnant). Years count through 0, which is 1 BC.
 */
#include <errno.h>

#include "pg/calendar.h"

#include "base/compat.h"

#define CALENDAR_CYCLE 146097            /* days in 400 years */
#define CALENDAR_EPOCH 730425            /* 2000-01-01, in days from 0000-03-01 */
#define CALENDAR_UNIX INT64_C(946684800) /* 2000-01-01, in seconds from 1970-01-01 */

static int64_t calendar_floor(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static int64_t calendar_days(int64_t year, int month, int day)
{
    int64_t from_march = month > 2 ? year : year - 1;
    int64_t cycle = calendar_floor(from_march, 400), of_cycle = from_march - cycle * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return cycle * CALENDAR_CYCLE + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year -
           CALENDAR_EPOCH;
}

static void calendar_parts(int64_t days, int *year, int *month, int *day)
{
    int64_t from_march = days + CALENDAR_EPOCH;
    int64_t cycle = calendar_floor(from_march, CALENDAR_CYCLE);
    int64_t of_cycle = from_march - cycle * CALENDAR_CYCLE;
    int64_t years = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    int64_t of_year = of_cycle - (365 * years + years / 4 - years / 100);
    int64_t march = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * march + 2) / 5 + 1);
    *month = (int)(march < 10 ? march + 3 : march - 9);
    *year = (int)(cycle * 400 + years + (march >= 10));
}

static int calendar_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

int eddy_pg_date_from(int year, int month, int day, eddy_pg_date *out)
{
    int64_t days;

    if (month < 1 || month > 12 || day < 1 || day > calendar_month_days(year, month))
        return -ERANGE;
    days = calendar_days(year, month, day);
    if (days < PG_DATE_FIRST || days >= PG_DATE_END)
        return -ERANGE;
    out->days = (int32_t)days;
    return 0;
}

int eddy_pg_date_parts(eddy_pg_date date, int *year, int *month, int *day)
{
    if (date.days == INT32_MAX || date.days == INT32_MIN)
        return -ERANGE;
    calendar_parts(date.days, year, month, day);
    return 0;
}

static int calendar_check(__int128 microseconds, eddy_pg_timestamp *out)
{
    if (microseconds < PG_TIMESTAMP_FIRST || microseconds >= PG_TIMESTAMP_END)
        return -ERANGE;
    out->microseconds = (int64_t)microseconds;
    return 0;
}

int eddy_pg_timestamp_from_timespec(struct timespec time, eddy_pg_timestamp *out)
{
    if (time.tv_nsec < 0 || time.tv_nsec > 999999999)
        return -ERANGE;
    return calendar_check(((__int128)time.tv_sec - CALENDAR_UNIX) * PG_SECOND + time.tv_nsec / 1000,
                          out);
}

static bool calendar_is_infinite(eddy_pg_timestamp timestamp)
{
    return timestamp.microseconds == INT64_MAX || timestamp.microseconds == INT64_MIN;
}

int eddy_pg_timestamp_timespec(eddy_pg_timestamp timestamp, struct timespec *out)
{
    int64_t seconds = calendar_floor(timestamp.microseconds, PG_SECOND);

    if (calendar_is_infinite(timestamp))
        return -ERANGE;
    *out = (struct timespec){.tv_sec = seconds + CALENDAR_UNIX,
                             .tv_nsec = (timestamp.microseconds - seconds * PG_SECOND) * 1000};
    return 0;
}

int eddy_pg_timestamp_from_tm(const struct tm *tm, eddy_pg_timestamp *out)
{
    int64_t year = (int64_t)tm->tm_year + 1900, days;

    if (tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_mday < 1 ||
        tm->tm_mday > calendar_month_days(year, tm->tm_mon + 1) || tm->tm_hour < 0 ||
        tm->tm_hour > 23 || tm->tm_min < 0 || tm->tm_min > 59 || tm->tm_sec < 0 || tm->tm_sec > 60)
        return -ERANGE;
    days = calendar_days(year, tm->tm_mon + 1, tm->tm_mday);
    return calendar_check((__int128)days * PG_DAY +
                              ((tm->tm_hour * 60 + tm->tm_min) * INT64_C(60) + tm->tm_sec) *
                                  PG_SECOND,
                          out);
}

int eddy_pg_timestamp_tm(eddy_pg_timestamp timestamp, struct tm *out)
{
    int64_t days = calendar_floor(timestamp.microseconds, PG_DAY);
    int64_t seconds = (timestamp.microseconds - days * PG_DAY) / PG_SECOND;
    int year, month, day;

    if (calendar_is_infinite(timestamp))
        return -ERANGE;
    calendar_parts(days, &year, &month, &day);
    *out = (struct tm){.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = day,
                       .tm_hour = (int)(seconds / 3600),
                       .tm_min = (int)(seconds / 60 % 60),
                       .tm_sec = (int)(seconds % 60),
                       .tm_wday = (int)((days % 7 + 13) % 7), /* 2000-01-01 was a Saturday */
                       .tm_yday = (int)(days - calendar_days(year, 1, 1))};
    return 0;
}

eddy_pg_timestamp eddy_pg_now(void)
{
    eddy_pg_timestamp now = {0};
    struct timespec time;

    (void)clock_gettime(CLOCK_REALTIME, &time);
    (void)eddy_pg_timestamp_from_timespec(time, &now); /* a clock beyond 294276 shows 2000 */
    return now;
}
