/* SPDX-License-Identifier: MIT */
/*
 * Dates of header fields (RFC 9110, 5.6.7): written in one form, read in three, always UTC and in
 * English, whatever the locale says. Days are counted by the proleptic Gregorian calendar in years
 * that begin in March, so that a leap day is the last of its year.
 *
 *     IMF-fixdate   Sun, 06 Nov 1994 08:49:37 GMT
 *     RFC 850       Sunday, 06-Nov-94 08:49:37 GMT
 *     asctime       Sun Nov  6 08:49:37 1994
 *
 * A form is read by a pattern, in which a letter stands for a part of the date. The day of the week
 * says nothing that the date does not, and is only read over.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/http_message.h"

#define DATE_DAY 86400           /* seconds */
#define DATE_LAST 253402300799ll /* the end of the year 9999 */

static const char date_days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
static const char date_months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct date {
    int year, month, day; /* the month from 1 */
    int hour, minute, second;
};

/* Days from 1970-01-01 to a date. */
static int64_t date_to_days(int year, int month, int day)
{
    int64_t years = month > 2 ? year : year - 1;

    return years * 365 + years / 4 - years / 100 + years / 400 +
           (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1 - 719468;
}

/* The date of a day from 1970-01-01 to 9999-12-31. */
static void date_from_days(int64_t days, struct date *out)
{
    int64_t day = days + 719468, era = day / 146097, of_era = day % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = (int)(of_era - (365 * year + year / 4 - year / 100));
    int month = (5 * of_year + 2) / 153;

    out->day = of_year - (153 * month + 2) / 5 + 1;
    out->month = month < 10 ? month + 3 : month - 9;
    out->year = (int)(year + era * 400) + (out->month <= 2);
}

void eddy_http_format_date(time_t time, char text[EDDY_HTTP_DATE_SIZE])
{
    int64_t seconds = time < 0 ? 0 : time > DATE_LAST ? DATE_LAST : time;
    int second = (int)(seconds % DATE_DAY);
    struct date date;

    date_from_days(seconds / DATE_DAY, &date);
    snprintf(text, EDDY_HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
             date_days[seconds / DATE_DAY % 7], (unsigned)date.day % 100u,
             date_months[date.month - 1], (unsigned)date.year % 10000u, (unsigned)second / 3600u,
             (unsigned)second / 60u % 60u, (unsigned)second % 60u);
}

/* Reads `count` digits, of which the first may be a blank when `padded`; -1: they are none. */
static int date_number(const char *text, int count, bool padded)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        if (padded && i == 0 && text[i] == ' ')
            continue;
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = 10 * number + (text[i] - '0');
    }
    return number;
}

/* The number of a month's name, 1 to 12; -1. */
static int date_month(const char *text)
{
    for (int i = 0; i < 12; i++) {
        if (memcmp(text, date_months[i], 3) == 0)
            return i + 1;
    }
    return -1;
}

/* Reads one part of a pattern: how many characters it has, or 0 when they are wrong. */
static int date_part(char part, const char *text, struct date *out)
{
    switch (part) {
    case 'd': return (out->day = date_number(text, 2, false)) < 0 ? 0 : 2;
    case 'e': return (out->day = date_number(text, 2, true)) < 0 ? 0 : 2;
    case 'b': return (out->month = date_month(text)) < 0 ? 0 : 3;
    case 'Y': return (out->year = date_number(text, 4, false)) < 0 ? 0 : 4;
    case 'y': return (out->year = date_number(text, 2, false)) < 0 ? 0 : 2;
    case 'H': return (out->hour = date_number(text, 2, false)) < 0 ? 0 : 2;
    case 'i': return (out->minute = date_number(text, 2, false)) < 0 ? 0 : 2;
    case 's': return (out->second = date_number(text, 2, false)) < 0 ? 0 : 2;
    default: return *text == part;
    }
}

/* Reads all of a text by a pattern. Each part is as long as it is in the text that it must be
 * followed by, so nothing is read behind its end. */
static bool date_match(const char *pattern, const char *text, size_t least, struct date *out)
{
    if (strlen(text) != least)
        return false;
    for (; *pattern; pattern++) {
        int size = date_part(*pattern, text, out);

        if (size == 0)
            return false;
        text += size;
    }
    return true;
}

/* Of years with two digits that are more than 50 years ahead, the last that has been. */
static int date_full_year(int year)
{
    char now[EDDY_HTTP_DATE_SIZE];
    int this_year;

    eddy_http_format_date(time(NULL), now);
    this_year = date_number(now + 12, 4, false);
    year += this_year - this_year % 100;
    return year > this_year + 50 ? year - 100 : year;
}

static bool date_is_valid(const struct date *date)
{
    static const int lengths[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (date->year % 4 == 0 && date->year % 100 != 0) || date->year % 400 == 0;

    return date->year >= 1 && date->day >= 1 && date->day <= lengths[date->month - 1] &&
           (date->month != 2 || date->day < 29 || leap) && date->hour < 24 && date->minute < 60 &&
           date->second <= 60; /* a leap second */
}

/* Behind the name of the day of RFC 850's form, which is written out; NULL. */
static const char *date_behind_weekday(const char *text)
{
    static const char *const names[] = {"Thursday", "Friday",  "Saturday", "Sunday",
                                        "Monday",   "Tuesday", "Wednesday"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(names); i++) {
        size_t size = strlen(names[i]);

        if (strncmp(text, names[i], size) == 0)
            return text + size;
    }
    return NULL;
}

int eddy_http_parse_date(const char *text, time_t *out)
{
    const char *behind = date_behind_weekday(text);
    struct date date = {0};
    bool short_day = false;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(date_days); i++)
        short_day |= strncmp(text, date_days[i], 3) == 0;
    if (behind && date_match(", d-b-y H:i:s GMT", behind, 24, &date))
        date.year = date_full_year(date.year);
    else if (!short_day || (!date_match(", d b Y H:i:s GMT", text + 3, 26, &date) &&
                            !date_match(" b e H:i:s Y", text + 3, 21, &date)))
        return -EINVAL;
    if (!date_is_valid(&date))
        return -EINVAL;
    *out = (time_t)(date_to_days(date.year, date.month, date.day) * DATE_DAY + date.hour * 3600 +
                    date.minute * 60 + date.second);
    return 0;
}
