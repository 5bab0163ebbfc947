/* SPDX-License-Identifier: MIT */
/* The calendar, in days and microseconds from 2000-01-01. */
#include "pg/calendar.h"

#include "base/compat.h"
#include "harness.h"

static const struct {
    int year, month, day, days;
} known_days[] = {
    {2000, 1, 1, 0},
    {1999, 12, 31, -1},
    {2000, 2, 29, 59},
    {1970, 1, 1, -10957},
    {1, 1, 1, -730119},
    {0, 12, 31, -730120},
    {-43, 3, 15, -746117},
    {1900, 3, 1, -36465},
    {2100, 3, 1, 36584},
    {9999, 12, 31, 2921939},
    {10000, 1, 1, 2921940},
    {-4713, 11, 24, -2451545},
    {5874897, 12, 31, 2145031948},
};

/* P-TYPE table, date: also before Christ and beyond 9999, which Python cannot hold. */
RAW_TEST(calendar_counts_days_also_before_christ_and_beyond_9999)
{
    for (size_t i = 0; i < ED_ARRAY_LENGTH(known_days); i++) {
        int year, month, day;
        eddy_pg_date date;

        CHECK_OK(
            eddy_pg_date_from(known_days[i].year, known_days[i].month, known_days[i].day, &date));
        CHECK_EQ(date.days, known_days[i].days);
        CHECK_OK(eddy_pg_date_parts(date, &year, &month, &day));
        CHECK_EQ(year, known_days[i].year);
        CHECK_EQ(month, known_days[i].month);
        CHECK_EQ(day, known_days[i].day);
    }
}

RAW_TEST(calendar_days_follow_each_other_for_two_thousand_years)
{
    int year = -1000, month = 1, day = 1;
    eddy_pg_date date, next;

    CHECK_OK(eddy_pg_date_from(year, month, day, &date));
    while (year < 1000) {
        date.days++;
        CHECK_OK(eddy_pg_date_parts(date, &year, &month, &day));
        CHECK_OK(eddy_pg_date_from(year, month, day, &next));
        CHECK_EQ(next.days, date.days);
    }
    CHECK(year == 1000 && month == 1 && day == 1);
}

RAW_TEST(calendar_refuses_dates_that_do_not_exist_or_are_out_of_range)
{
    static const int bad[][3] = {{2023, 2, 29},     {1900, 2, 29},    {2024, 4, 31},
                                 {2024, 13, 1},     {2024, 0, 1},     {2024, 1, 0},
                                 {2024, 1, 32},     {-4713, 11, 23},  {5874898, 1, 1},
                                 {INT32_MAX, 1, 1}, {INT32_MIN, 1, 1}};
    eddy_pg_date date = {77};
    int year, month, day;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(eddy_pg_date_from(bad[i][0], bad[i][1], bad[i][2], &date), -ERANGE);
    CHECK_EQ(date.days, 77);
    CHECK_EQ(eddy_pg_date_parts(EDDY_PG_DATE_INFINITY, &year, &month, &day), -ERANGE);
    CHECK_EQ(eddy_pg_date_parts(EDDY_PG_DATE_MINUS_INFINITY, &year, &month, &day), -ERANGE);
}

RAW_TEST(calendar_converts_unix_time_both_ways)
{
    static const struct {
        struct timespec unix_time;
        int64_t microseconds;
    } known[] = {
        {{946684800, 0}, 0},
        {{946684799, 999999000}, -1},
        {{0, 0}, INT64_C(-946684800000000)},
        {{-1, 500000000}, INT64_C(-946684800500000)},
        {{1709202600, 123456000}, INT64_C(762517800123456)},
    };
    eddy_pg_timestamp timestamp;
    struct timespec back;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(known); i++) {
        CHECK_OK(eddy_pg_timestamp_from_timespec(known[i].unix_time, &timestamp));
        CHECK_EQ(timestamp.microseconds, known[i].microseconds);
        CHECK_OK(eddy_pg_timestamp_timespec(timestamp, &back));
        CHECK_EQ(back.tv_sec, known[i].unix_time.tv_sec);
        CHECK_EQ(back.tv_nsec, known[i].unix_time.tv_nsec);
    }
    CHECK_EQ(eddy_pg_timestamp_from_timespec((struct timespec){INT64_MAX, 0}, &timestamp), -ERANGE);
    CHECK_EQ(eddy_pg_timestamp_from_timespec((struct timespec){INT64_MIN, 0}, &timestamp), -ERANGE);
    CHECK_EQ(eddy_pg_timestamp_from_timespec((struct timespec){0, 1000000000}, &timestamp),
             -ERANGE);
    CHECK_EQ(eddy_pg_timestamp_timespec(EDDY_PG_TIMESTAMP_INFINITY, &back), -ERANGE);
    CHECK_EQ(eddy_pg_timestamp_timespec(EDDY_PG_TIMESTAMP_MINUS_INFINITY, &back), -ERANGE);
}

RAW_TEST(calendar_converts_broken_down_time_as_the_c_library_does)
{
    int64_t seconds = INT64_C(-70000000000);

    for (int i = 0; i < 2000; i++, seconds += 70012345) {
        time_t unix_time = seconds;
        eddy_pg_timestamp timestamp, again;
        struct tm expected, tm;

        CHECK(gmtime_r(&unix_time, &expected));
        CHECK_OK(eddy_pg_timestamp_from_timespec((struct timespec){seconds, 0}, &timestamp));
        CHECK_OK(eddy_pg_timestamp_tm(timestamp, &tm));
        CHECK(tm.tm_year == expected.tm_year && tm.tm_mon == expected.tm_mon &&
              tm.tm_mday == expected.tm_mday && tm.tm_hour == expected.tm_hour &&
              tm.tm_min == expected.tm_min && tm.tm_sec == expected.tm_sec);
        CHECK(tm.tm_wday == expected.tm_wday && tm.tm_yday == expected.tm_yday);
        CHECK_OK(eddy_pg_timestamp_from_tm(&tm, &again));
        CHECK_EQ(again.microseconds, timestamp.microseconds);
    }
}

RAW_TEST(calendar_refuses_broken_down_times_that_do_not_exist)
{
    static const struct tm bad[] = {
        {.tm_year = 124, .tm_mon = 12, .tm_mday = 1}, {.tm_year = 124, .tm_mon = -1, .tm_mday = 1},
        {.tm_year = 123, .tm_mon = 1, .tm_mday = 29}, {.tm_year = 124, .tm_mday = 1, .tm_hour = 24},
        {.tm_year = 124, .tm_mday = 1, .tm_min = 60}, {.tm_year = 124, .tm_mday = 1, .tm_sec = 61},
        {.tm_year = INT32_MAX, .tm_mday = 1},         {.tm_year = INT32_MIN, .tm_mday = 1},
    };
    eddy_pg_timestamp timestamp;
    struct tm tm;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(eddy_pg_timestamp_from_tm(&bad[i], &timestamp), -ERANGE);
    CHECK_EQ(eddy_pg_timestamp_tm(EDDY_PG_TIMESTAMP_INFINITY, &tm), -ERANGE);
}

RAW_TEST(calendar_now_is_the_clock)
{
    struct timespec now, time;

    CHECK_OK(eddy_pg_timestamp_timespec(eddy_pg_now(), &time));
    CHECK_OK(clock_gettime(CLOCK_REALTIME, &now));
    CHECK(now.tv_sec - time.tv_sec >= -5 && now.tv_sec - time.tv_sec <= 5);
}
