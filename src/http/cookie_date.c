/* SPDX-License-Identifier: MIT */
/*
 * Dates of cookies (RFC 6265, 5.1.1). Servers write them in many ways; so the text is cut into
 * words, and the first word that looks like a time, a day of the month, a month or a year is taken
 * for that, in whatever order they come. Anything else is passed over.
 */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "eddy/error.h"
#include "http/cookie_jar.h"

struct cookie_date {
    int hour, minute, second, day, month, year; /* -1: not found */
};

static bool date_is_delimiter(char c)
{
    unsigned char u = (unsigned char)c;

    return u == 0x09 || (u >= 0x20 && u <= 0x2f) || (u >= 0x3b && u <= 0x40) ||
           (u >= 0x5b && u <= 0x60) || (u >= 0x7b && u <= 0x7e);
}

static bool date_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number of `least` to `most` digits at *at, which moves behind it, and no more digits; -1:
 * none. */
static int date_number(const char **at, const char *end, int least, int most)
{
    int value = 0, digits = 0;

    for (; *at < end && date_is_digit(**at); (*at)++) {
        if (++digits > most)
            return -1;
        value = 10 * value + (**at - '0');
    }
    return digits >= least ? value : -1;
}

/* "hh:mm:ss", and then anything but a digit. */
static bool date_take_time(struct cookie_date *date, const char *at, const char *end)
{
    int numbers[3];

    for (int i = 0; i < 3; i++) {
        if (i > 0 && (at == end || *at++ != ':'))
            return false;
        numbers[i] = date_number(&at, end, 1, 2);
        if (numbers[i] < 0)
            return false;
    }
    date->hour = numbers[0];
    date->minute = numbers[1];
    date->second = numbers[2];
    return true;
}

static bool date_take_month(struct cookie_date *date, const char *at, const char *end)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int i = 0; i < 12 && end - at >= 3; i++) {
        if (strncasecmp(at, months + (ptrdiff_t)3 * i, 3) == 0) {
            date->month = i;
            return true;
        }
    }
    return false;
}

/* A number that nothing but itself says what it is. */
static bool date_take_number(int *place, const char *at, const char *end, int least, int most)
{
    int number = date_number(&at, end, least, most);

    if (number < 0)
        return false;
    *place = number;
    return true;
}

static void date_take_word(struct cookie_date *date, const char *at, const char *end)
{
    if (date->hour < 0 && date_take_time(date, at, end))
        return;
    if (date->day < 0 && date_take_number(&date->day, at, end, 1, 2))
        return;
    if (date->month < 0 && date_take_month(date, at, end))
        return;
    if (date->year < 0)
        (void)date_take_number(&date->year, at, end, 2, 4);
}

/* 0; -EINVAL for a day that there is not. */
static int date_to_seconds(const struct cookie_date *date, int64_t *out)
{
    struct tm tm = {.tm_hour = date->hour,
                    .tm_min = date->minute,
                    .tm_sec = date->second,
                    .tm_mday = date->day,
                    .tm_mon = date->month,
                    .tm_year = date->year - 1900};
    time_t time;

    if (date->hour < 0 || date->hour > 23 || date->minute > 59 || date->second > 59 ||
        date->day < 1 || date->month < 0 || date->year < 1601)
        return -EINVAL;
    time = timegm(&tm); /* which makes the 1st of March of the 30th of February */
    if (tm.tm_mday != date->day)
        return -EINVAL;
    *out = time;
    return 0;
}

int ed_cookie_parse_date(const char *text, size_t size, int64_t *out)
{
    struct cookie_date date = {-1, -1, -1, -1, -1, -1};
    const char *end = text + size, *word;

    while (text < end) {
        while (text < end && date_is_delimiter(*text))
            text++;
        for (word = text; text < end && !date_is_delimiter(*text);)
            text++;
        if (text > word)
            date_take_word(&date, word, text);
    }
    if (date.year >= 70 && date.year <= 99)
        date.year += 1900;
    else if (date.year >= 0 && date.year <= 69)
        date.year += 2000;
    return date_to_seconds(&date, out);
}
