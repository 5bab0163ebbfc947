/* SPDX-License-Identifier: MIT */
/*
 * Texts of floating point numbers. A double is written with 15 digits, and if that is another
 * number with 16, then 17: of 15 digits or fewer the double nearest to them always shows the same
 * ones again, so that the first that comes back is the shortest. That does not hold below the
 * smallest normal number, where all lengths are tried, nor at powers of two, where the next number
 * below is only half as far as the one above: there a neighbour of the nearest decimal may be what
 * is shorter.
 *
 * A decimal that lies just between two numbers is read as the even one. Python writes it all the
 * same (1e+23), the server does not. Only whole numbers can lie so, of the digits that are tried.
 */
#include "pg/real.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/scan.h"

#define REAL_PARSE_STACK 1024 /* bytes of a text that need no memory */

/* Reads without regard to the locale; the C locale's object is static and nobody frees it. */
static locale_t real_locale;
static pthread_once_t real_once = PTHREAD_ONCE_INIT;

static void real_prepare(void)
{
    real_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double real_read(const char *text, bool single)
{
    (void)pthread_once(&real_once, real_prepare);
    return single ? (double)strtof_l(text, NULL, real_locale) : strtod_l(text, NULL, real_locale);
}

/* The digits of a number rounded to `count`, from a printf whose point may be any locale's. */
static void real_round(double value, int count, char *digits, int *point)
{
    char text[64];
    const char *at = text;
    int found = 0;

    (void)snprintf(text, sizeof text, "%.*e", count - 1, value);
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && found < count)
            digits[found++] = *at;
    digits[found] = '\0';
    *point = (int)strtol(at + 1, NULL, 10) + 1;
}

/* The place of the highest bit of a normal number, from 1 for 1.0, and whether it is its only one.
 * */
static int real_exponent(double value, bool *is_power)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    *is_power = (bits & ((UINT64_C(1) << (DBL_MANT_DIG - 1)) - 1)) == 0;
    return (int)(bits >> (DBL_MANT_DIG - 1) & 0x7ff) - (DBL_MAX_EXP - 2);
}

/* Whether a decimal lies just between a number and the next one. */
static bool real_is_between(const char *digits, int point, double value, bool single)
{
    int count = (int)strlen(digits), bits = single ? FLT_MANT_DIG : DBL_MANT_DIG;
    unsigned __int128 whole = 0, number, distance, step;
    bool is_power;
    int exponent = real_exponent(value, &is_power);

    if (exponent <= bits || point > 38 || count > point)
        return false;
    for (int i = 0; i < point; i++)
        whole = whole * 10 + (unsigned)(i < count ? digits[i] - '0' : 0);
    number = (unsigned __int128)value;
    step = (unsigned __int128)1 << (exponent - bits);
    distance = whole > number ? whole - number : number - whole;
    return 2 * distance == step || (is_power && whole < number && 4 * distance == step);
}

static bool real_is_same(const char *digits, int point, double value, enum pg_real_style style)
{
    bool single = style == PG_REAL_SINGLE;
    char text[48];

    (void)snprintf(text, sizeof text, "0.%se%d", digits, point);
    return real_read(text, single) == value &&
           (style == PG_REAL_PYTHON || !real_is_between(digits, point, value, single));
}

/* Adds one to the last digit; false where that would make one more. */
static bool real_step_up(char *digits)
{
    size_t i = strlen(digits);

    while (i > 0 && digits[i - 1] == '9')
        digits[--i] = '0';
    if (i == 0)
        return false;
    digits[i - 1]++;
    return true;
}

int pg_real_digits(double value, enum pg_real_style style, char digits[24], int *point)
{
    bool single = style == PG_REAL_SINGLE;
    double size = fabs(value);
    int most = single ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
    int count = size < (single ? (double)FLT_MIN : DBL_MIN) ? 1 : single ? FLT_DIG : DBL_DIG;
    bool is_power;

    if (size == 0) {
        *point = 1;
        return (int)(stpcpy(digits, "0") - digits);
    }
    (void)real_exponent(size, &is_power);
    for (;; count++) {
        real_round(size, count, digits, point);
        if (count >= most || real_is_same(digits, *point, size, style))
            break;
        if (is_power && real_step_up(digits) && real_is_same(digits, *point, size, style))
            break;
    }
    count = (int)strlen(digits);
    while (count > 1 && digits[count - 1] == '0')
        digits[--count] = '\0';
    return count;
}

/* "d.ddde+15" */
static char *real_put_scientific(char *at, const char *digits, int count, int exponent)
{
    *at++ = digits[0];
    if (count > 1) {
        *at++ = '.';
        memcpy(at, digits + 1, (size_t)count - 1);
        at += count - 1;
    }
    return at + snprintf(at, 8, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

/* "0.00ddd", "dd.d", "ddd000" */
static char *real_put_plain(char *at, const char *digits, int count, int point)
{
    int whole = point > 0 ? point : 0;

    if (whole == 0)
        *at++ = '0';
    for (int i = 0; i < whole; i++)
        *at++ = i < count ? digits[i] : '0';
    if (count <= point)
        return at;
    *at++ = '.';
    for (int i = point; i < count; i++)
        *at++ = i < 0 ? '0' : digits[i];
    return at;
}

int pg_real_format(double value, bool single, char text[PG_REAL_SIZE])
{
    char digits[24], *at = text;
    int count, point;

    if (isnan(value))
        return (int)(stpcpy(text, "NaN") - text);
    if (signbit(value))
        *at++ = '-';
    if (isinf(value))
        return (int)(stpcpy(at, "Infinity") - text);
    count = pg_real_digits(value, single ? PG_REAL_SINGLE : PG_REAL_DOUBLE, digits, &point);
    if (point - 1 < -4 || point - 1 >= (single ? FLT_DIG : DBL_DIG))
        at = real_put_scientific(at, digits, count, point - 1);
    else
        at = real_put_plain(at, digits, count, point);
    *at = '\0';
    return (int)(at - text);
}

/* Whether a text is a decimal number; a locale's or hexadecimal one is not. */
static bool real_is_number(struct pg_scan scan)
{
    int digits = 0;

    if (!pg_scan_char(&scan, '-'))
        (void)pg_scan_char(&scan, '+');
    for (; pg_scan_is_digit(&scan); digits++)
        scan.at++;
    if (pg_scan_char(&scan, '.'))
        for (; pg_scan_is_digit(&scan); digits++)
            scan.at++;
    if (digits == 0)
        return false;
    if (pg_scan_word(&scan, "e", 1)) {
        if (!pg_scan_char(&scan, '-'))
            (void)pg_scan_char(&scan, '+');
        if (!pg_scan_is_digit(&scan))
            return false;
        while (pg_scan_is_digit(&scan))
            scan.at++;
    }
    return pg_scan_ended(&scan);
}

static bool real_parse_name(struct pg_scan scan, double *out)
{
    bool negative = pg_scan_char(&scan, '-');

    if (pg_scan_word(&scan, "NaN", 3))
        *out = NAN;
    else if (pg_scan_word(&scan, "Infinity", 8))
        *out = negative ? -INFINITY : INFINITY;
    else
        return false;
    return pg_scan_ended(&scan);
}

int pg_real_parse(const char *text, size_t size, double *out)
{
    struct pg_scan scan = {text, text + size};
    char copy[REAL_PARSE_STACK];

    if (real_parse_name(scan, out))
        return 0;
    if (size >= sizeof copy || !real_is_number(scan))
        return -EINVAL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *out = real_read(copy, false);
    return 0;
}
