/* SPDX-License-Identifier: MIT */
/* Texts of dates and times. */
#include "pg/calendar.h"

#include "values.h"

#define DATE EDDY_PG_DATE
#define TIME EDDY_PG_TIME
#define TIMETZ EDDY_PG_TIMETZ
#define TIMESTAMP EDDY_PG_TIMESTAMP
#define TIMESTAMPTZ EDDY_PG_TIMESTAMPTZ

/* P-TYPE-9: what the server writes is read and written again as it was. */
RAW_TEST(calendar_text_of_the_server_comes_back_as_it_was)
{
    static const struct {
        uint32_t type;
        const char *text;
    } texts[] = {
        {DATE, "2024-02-29"},
        {DATE, "0001-01-01"},
        {DATE, "0001-12-31 BC"},
        {DATE, "4714-11-24 BC"},
        {DATE, "5874897-12-31"},
        {DATE, "infinity"},
        {DATE, "-infinity"},
        {TIME, "00:00:00"},
        {TIME, "24:00:00"},
        {TIME, "23:59:59.999999"},
        {TIME, "10:30:00.5"},
        {TIME, "10:30:00.000001"},
        {TIMETZ, "10:30:00+00"},
        {TIMETZ, "10:30:00.25-05:30"},
        {TIMETZ, "10:30:00+01:02:03"},
        {TIMETZ, "24:00:00+15:59:59"},
        {TIMESTAMP, "2024-02-29 10:30:00"},
        {TIMESTAMP, "294276-12-31 23:59:59.999999"},
        {TIMESTAMP, "4714-11-24 00:00:00 BC"},
        {TIMESTAMP, "1999-12-31 23:59:59.5"},
        {TIMESTAMP, "infinity"},
        {TIMESTAMP, "-infinity"},
        {TIMESTAMPTZ, "2024-02-29 10:30:00+00"},
        {TIMESTAMPTZ, "0044-03-15 12:00:00+00 BC"},
        {TIMESTAMPTZ, "infinity"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(texts[i].type, texts[i].text), texts[i].text);
}

RAW_TEST(calendar_text_is_read_in_other_forms_too)
{
    static const struct {
        uint32_t type;
        const char *text, *again;
    } texts[] = {
        {DATE, "2024-2-9", "2024-02-09"},
        {DATE, "Infinity", "infinity"},
        {TIME, "9:30", "09:30:00"},
        {TIME, "23:59:59.9999999", "24:00:00"},
        {TIME, "10:00:00.0000005", "10:00:00"},
        {TIME, "10:00:00.0000006", "10:00:00.000001"},
        {TIMETZ, "10:30Z", "10:30:00+00"},
        {TIMETZ, "10:30 +02", "10:30:00+02"},
        {TIMETZ, "10:30-0530", "10:30:00-05:30"},
        {TIMESTAMP, "2024-02-29", "2024-02-29 00:00:00"},
        {TIMESTAMP, "2024-02-29T10:30", "2024-02-29 10:30:00"},
        {TIMESTAMP, "0044-03-15 BC", "0044-03-15 00:00:00 BC"},
        {TIMESTAMPTZ, "2024-02-29 10:30:00+05:30", "2024-02-29 05:00:00+00"},
        {TIMESTAMPTZ, "2024-02-29T23:30:00-02", "2024-03-01 01:30:00+00"},
        {TIMESTAMPTZ, "2024-02-29t10:30:00z", "2024-02-29 10:30:00+00"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(texts[i].type, texts[i].text), texts[i].again);
}

/* What the server alone may know is told apart from what does not exist. */
RAW_TEST(calendar_text_that_is_none_is_told_apart_from_dates_that_do_not_exist)
{
    static const struct {
        uint32_t type;
        const char *text, *error;
    } texts[] = {
        {DATE, "", "EINVAL"},
        {DATE, "tomorrow", "EINVAL"},
        {DATE, "24-01-01", "EINVAL"},
        {DATE, "2024-01-01x", "EINVAL"},
        {DATE, "2024-01-01 BCE", "EINVAL"},
        {DATE, "2024-02-30", "ERANGE"},
        {DATE, "0000-01-01", "ERANGE"},
        {DATE, "4714-11-23 BC", "ERANGE"},
        {DATE, "5874898-01-01", "ERANGE"},
        {TIME, "10", "EINVAL"},
        {TIME, "10:3", "EINVAL"},
        {TIME, "10:30 PM", "EINVAL"},
        {TIME, "10:30+02", "EINVAL"},
        {TIME, "10:60", "ERANGE"},
        {TIME, "24:00:01", "ERANGE"},
        {TIMETZ, "10:30", "EINVAL"},
        {TIMETZ, "10:30+16", "ERANGE"},
        {TIMETZ, "10:30 Europe/Berlin", "EINVAL"},
        {TIMESTAMP, "now", "EINVAL"},
        {TIMESTAMP, "2024-01-01 10:00:00+02", "EINVAL"},
        {TIMESTAMP, "294277-01-01", "ERANGE"},
        {TIMESTAMP, "2024-01-01 25:00:00", "ERANGE"},
        {TIMESTAMPTZ, "2024-01-01 10:00:00", "EINVAL"},
        {TIMESTAMPTZ, "294276-12-31 23:59:59-02", "ERANGE"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++)
        CHECK_STR(test_text_again(texts[i].type, texts[i].text), texts[i].error);
}

RAW_TEST(calendar_text_of_every_number_of_days_and_microseconds_fits)
{
    static const int64_t numbers[] = {INT64_MIN + 1, INT64_MAX - 1, INT64_MIN, INT64_MAX, 0, -1};
    char text[EDDY_PG_TEXT_SIZE];

    for (size_t i = 0; i < ED_ARRAY_LENGTH(numbers); i++) {
        (void)eddy_pg_timestamp_text((eddy_pg_timestamp){numbers[i]}, true, text);
        CHECK(strlen(text) < EDDY_PG_TEXT_SIZE);
        (void)eddy_pg_date_text((eddy_pg_date){(int32_t)numbers[i]}, text);
        CHECK(strlen(text) < EDDY_PG_TEXT_SIZE);
        (void)eddy_pg_time_text((eddy_pg_time){numbers[i], (int32_t)numbers[i]}, true, text);
        CHECK(strlen(text) < EDDY_PG_TEXT_SIZE);
    }
}

RAW_TEST(calendar_text_is_parsed_by_the_public_functions)
{
    eddy_pg_timestamp timestamp;
    eddy_pg_date date;
    eddy_pg_time time;

    CHECK_OK(eddy_pg_date_parse("2000-01-02", &date));
    CHECK_EQ(date.days, 1);
    CHECK_OK(eddy_pg_time_parse("00:00:01+01", &time));
    CHECK(time.microseconds == PG_SECOND && time.zone == 3600);
    CHECK_OK(eddy_pg_timestamp_parse("2000-01-01 00:00:01+00:00:01", &timestamp));
    CHECK_EQ(timestamp.microseconds, 0);
    CHECK_EQ(eddy_pg_date_parse("x", &date), -EINVAL);
    CHECK_EQ(eddy_pg_time_parse("x", &time), -EINVAL);
    CHECK_EQ(eddy_pg_timestamp_parse("x", &timestamp), -EINVAL);
}
