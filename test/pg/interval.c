/* SPDX-License-Identifier: MIT */
/* Texts of intervals. */
#include "values.h"

/* P-TYPE-9, P-TYPE-7: months, days and microseconds are kept apart. */
RAW_TEST(interval_text_of_the_server_comes_back_as_it_was)
{
    static const char *const texts[] = {
        "00:00:00",
        "1 year",
        "-1 years",
        "1 year 2 mons -3 days +04:05:06.7",
        "-1 days +02:03:00",
        "1 day -02:03:00",
        "-00:00:00.000001",
        "178956970 years 7 mons 2147483647 days 2562047788:00:54.775806",
        "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807",
        "13 days",
        "11 mons",
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(EDDY_PG_INTERVAL, texts[i]), texts[i]);
}

RAW_TEST(interval_text_is_read_with_units_written_out)
{
    eddy_pg_interval interval;

    CHECK_OK(eddy_pg_interval_parse("2 weeks 1 hour 30 minutes 5 secs", &interval));
    CHECK(interval.months == 0 && interval.days == 14);
    CHECK_EQ(interval.microseconds, INT64_C(5405000000));
    CHECK_OK(eddy_pg_interval_parse("1 month 1 MON +3 days", &interval));
    CHECK(interval.months == 2 && interval.days == 3 && interval.microseconds == 0);
    CHECK_OK(eddy_pg_interval_parse("-1:30", &interval));
    CHECK_EQ(interval.microseconds, INT64_C(-5400000000));
}

RAW_TEST(interval_text_that_is_none_or_does_not_fit_is_refused)
{
    static const char *const none[] = {"",    " ",         "1",     "day",      "1 fortnight",
                                       "P1D", "1 day ago", "1:2:3", "1.5 days", "1 day  2 mons x"};
    static const char *const large[] = {"178956971 years",  "2147483648 days",
                                        "2562047789:00:00", "100000000000000000 years",
                                        "00:60:00",         "00:00:60"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(none); i++)
        CHECK_STR(test_text_again(EDDY_PG_INTERVAL, none[i]), "EINVAL");
    for (size_t i = 0; i < ED_ARRAY_LENGTH(large); i++)
        CHECK_STR(test_text_again(EDDY_PG_INTERVAL, large[i]), "ERANGE");
}

RAW_TEST(interval_text_knows_the_infinities_of_postgresql_17)
{
    char text[EDDY_PG_TEXT_SIZE];

    CHECK_STR(eddy_pg_interval_text((eddy_pg_interval){INT32_MAX, INT32_MAX, INT64_MAX}, text),
              "infinity");
    CHECK_STR(eddy_pg_interval_text((eddy_pg_interval){INT32_MIN, INT32_MIN, INT64_MIN}, text),
              "-infinity");
}
