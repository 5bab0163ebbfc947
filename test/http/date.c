/* SPDX-License-Identifier: MIT */
/* Dates of header fields, against the C library's calendar. */
#include <eddy/http_message.h>
#include <time.h>

#include "seeds.h"

static const char example[] = "Sun, 06 Nov 1994 08:49:37 GMT";

RAW_TEST(date_is_read_in_three_forms_and_written_in_one)
{
    char text[EDDY_HTTP_DATE_SIZE];
    time_t time = 0;

    CHECK_OK(eddy_http_parse_date(example, &time));
    CHECK_EQ(time, 784111777);
    CHECK_OK(eddy_http_parse_date("Sunday, 06-Nov-94 08:49:37 GMT", &time));
    CHECK_EQ(time, 784111777);
    CHECK_OK(eddy_http_parse_date("Sun Nov  6 08:49:37 1994", &time));
    CHECK_EQ(time, 784111777);
    CHECK_OK(eddy_http_parse_date("Sun Nov 16 08:49:37 1994", &time));
    CHECK_EQ(time, 784111777 + 10 * 86400);
    eddy_http_format_date(784111777, text);
    CHECK_STR(text, example);
    eddy_http_format_date(0, text);
    CHECK_STR(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    eddy_http_format_date(-1, text);
    CHECK_STR(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    eddy_http_format_date(INT64_MAX, text);
    CHECK_STR(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

/* RFC 9110, 5.6.7: more than 50 years ahead means the century before. */
RAW_TEST(date_with_a_short_year_is_not_far_ahead)
{
    time_t now = time(NULL), parsed = 0;
    struct tm parts;
    char text[64];

    gmtime_r(&now, &parts);
    for (int ahead = 0; ahead < 100; ahead++) {
        int year = parts.tm_year + 1900 + ahead, want = ahead > 50 ? year - 100 : year;
        struct tm read;

        snprintf(text, sizeof text, "Sunday, 06-Nov-%02d 08:49:37 GMT", year % 100);
        CHECK_OK(eddy_http_parse_date(text, &parsed));
        gmtime_r(&parsed, &read);
        /* The year's digits may also be those of a century that has begun. */
        CHECK(read.tm_year + 1900 == want || read.tm_year + 1900 == want - 100);
        CHECK(read.tm_year + 1900 <= parts.tm_year + 1900 + 50);
    }
}

static void date_random(uint64_t seed)
{
    char text[EDDY_HTTP_DATE_SIZE], want[64];
    time_t time, parsed = -1;
    struct tm parts;

    random_begin(seed);
    time = (time_t)(random_next() % 253402300800ull);
    gmtime_r(&time, &parts);
    strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    eddy_http_format_date(time, text);
    CHECK_STR(text, want);
    CHECK_OK(eddy_http_parse_date(text, &parsed));
    CHECK_EQ(parsed, time);
}

RAW_TEST(date_of_any_second_is_the_calendars)
{
    seeds_run(date_random, 2000);
}

RAW_TEST(date_that_is_none_is_refused)
{
    static const char *const texts[] = {
        "",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sux, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:-1 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "784111777",
    };
    time_t time = 42;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK_EQ(eddy_http_parse_date(texts[i], &time), -EINVAL);
    CHECK_EQ(time, 42);
    CHECK_OK(eddy_http_parse_date("Tue, 29 Feb 2000 23:59:60 GMT", &time));
    CHECK_EQ(time, 951868800);
}
