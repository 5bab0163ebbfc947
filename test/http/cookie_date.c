/* SPDX-License-Identifier: MIT */
/* Dates of cookies, as RFC 6265, 5.1.1 reads them. */
#include "http/cookies.h"

static int64_t date(const char *text)
{
    int64_t seconds = -1;
    int rc = ed_cookie_parse_date(text, strlen(text), &seconds);

    return rc < 0 ? rc : seconds;
}

/* H-COOK-7 */
RAW_TEST(dates_of_cookies_are_read_in_all_the_ways_that_servers_write_them)
{
    static const char *const same[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",  "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",       "06 Nov 1994 8:49:37",
        "1994 november 6 08:49:37",       "08:49:37GMT,06/NOV/94",
        "6 Nov 94 08:49:37 +0100",        "x;y 08:49:37 06 Nov 1994 Dec 7",
        "Sun, 06-Nov-1994 08:49:37x GMT",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(same); i++)
        CHECK_THAT(date(same[i]) == 784111777, "%s", same[i]);
    CHECK_EQ(date("1 Jan 1970 00:00:00"), 0);
    CHECK_EQ(date("1 Jan 70 00:00:00"), 0);
    CHECK_EQ(date("1 Jan 69 00:00:00"), 3124224000);
    CHECK_EQ(date("1 Jan 00 00:00:00"), 946684800);
    CHECK_EQ(date("1 Jan 1601 00:00:00"), -11644473600);
    CHECK_EQ(date("29 Feb 2000 00:00:00"), 951782400);
    CHECK_EQ(date("31 Dec 9999 23:59:59"), ED_COOKIE_LAST);
}

RAW_TEST(what_lacks_a_part_of_a_date_is_none)
{
    static const char *const bad[] = {
        "",
        "Sun, 06 Nov 1994",
        "08:49:37",
        "Nov 1994 08:49:37",
        "06 1994 08:49:37",
        "06 Nov 08:49:37",
        "32 Jan 2000 00:00:00",
        "00 Jan 2000 00:00:00",
        "30 Feb 2000 00:00:00",
        "29 Feb 1900 00:00:00",
        "1 Jan 1600 00:00:00",
        "1 Jan 2000 24:00:00",
        "1 Jan 2000 00:60:00",
        "1 Jan 2000 00:00:60",
        "1 Jan 2000 00:00",
        "1 Jan 2000 000:00:00",
        "1 Jan 2000 00:00:000",
        "1 Jan 20000 00:00:00",
        "001 Jan 2000 00:00:00",
        "1 Jnu 2000 00:00:00",
        "tomorrow",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_THAT(date(bad[i]) == -EINVAL, "%s is %lld", bad[i], (long long)date(bad[i]));
}
