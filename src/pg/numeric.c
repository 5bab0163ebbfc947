/* SPDX-License-Identifier: MIT */
/*
 * numeric between its binary form and texts, scaled integers and doubles (PostgreSQL,
 * src/backend/utils/adt/numeric.c, numeric_send).
 *
 * A digit of base 10000 is four decimal ones, and the point stands between two of them. So decimal
 * digits of a text are counted from the point, and its first group may begin with zeros that the
 * text does not have. Zeros at both ends are not sent.
 */
#include "pg/numeric.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "eddy/error.h"
#include "pg/real.h"
#include "pg/scan.h"

#define NUMERIC_GROUP 4            /* decimal digits in a digit */
#define NUMERIC_WEIGHT_MOST 0x7fff /* what an int16 holds */
#define NUMERIC_COUNT_MOST 0xffff  /* a uint16 */
#define NUMERIC_EXPONENT_MOST 200000
#define NUMERIC_DOUBLE_DIGITS 200 /* more than any double has, in digits of base 10000 */

static unsigned numeric_digit(const struct pg_numeric *numeric, int place)
{
    return place < 0 || place >= numeric->count ? 0 : pg_load16(numeric->digits + 2 * place);
}

int pg_numeric_read(const char *data, size_t size, struct pg_numeric *out)
{
    struct pg_numeric numeric;

    if (size < 8)
        return EDDY_EPG_PROTOCOL;
    numeric = (struct pg_numeric){.digits = data + 8,
                                  .count = pg_load16(data),
                                  .weight = (int16_t)pg_load16(data + 2),
                                  .sign = pg_load16(data + 4),
                                  .scale = pg_load16(data + 6)};
    if (size != 8 + 2 * (size_t)numeric.count || numeric.scale > PG_NUMERIC_SCALE_MOST)
        return EDDY_EPG_PROTOCOL;
    if (numeric.sign == PG_NUMERIC_NAN || numeric.sign == PG_NUMERIC_INFINITY ||
        numeric.sign == PG_NUMERIC_MINUS_INFINITY)
        numeric.count = 0;
    else if (numeric.sign != 0 && numeric.sign != PG_NUMERIC_NEGATIVE)
        return EDDY_EPG_PROTOCOL;
    for (int i = 0; i < numeric.count; i++)
        if (numeric_digit(&numeric, i) > 9999)
            return EDDY_EPG_PROTOCOL;
    for (; numeric.count > 0 && numeric_digit(&numeric, 0) == 0; numeric.count--) {
        numeric.digits += 2; /* nobody sends these */
        numeric.weight--;
    }
    if (numeric.count == 0)
        numeric.weight = 0;
    if (numeric.count == 0 && numeric.sign == PG_NUMERIC_NEGATIVE)
        numeric.sign = 0;
    *out = numeric;
    return 0;
}

/* What is no number, or NULL. */
static const char *numeric_name(uint16_t sign)
{
    switch (sign) {
    case PG_NUMERIC_NAN: return "NaN";
    case PG_NUMERIC_INFINITY: return "Infinity";
    case PG_NUMERIC_MINUS_INFINITY: return "-Infinity";
    default: return NULL;
    }
}

/* Writes a digit's four decimals, or from the first that is not 0, if `trim`. */
static char *numeric_put(char *at, unsigned digit, bool trim)
{
    for (unsigned unit = 1000; unit > 0; unit /= 10) {
        if (trim && digit < unit && unit > 1)
            continue;
        *at++ = (char)('0' + digit / unit % 10);
        trim = false;
    }
    return at;
}

int pg_numeric_format(const struct pg_numeric *numeric, struct eddy_buffer_ *to)
{
    size_t whole = numeric->weight < 0 ? 0 : (size_t)numeric->weight + 1;
    size_t room = 8 + (whole + 1 + numeric->scale / NUMERIC_GROUP + 1) * NUMERIC_GROUP;
    const char *name = numeric_name(numeric->sign);
    char *start, *at;

    if (name)
        return pg_append_text(to, name);
    if (ed_buffer_reserve(to, room) < 0)
        return -ENOMEM;
    start = at = ed_buffer_free_space(to);
    if (numeric->sign == PG_NUMERIC_NEGATIVE)
        *at++ = '-';
    if (whole == 0)
        *at++ = '0';
    for (int i = 0; i <= numeric->weight; i++)
        at = numeric_put(at, numeric_digit(numeric, i), i == 0);
    if (numeric->scale > 0) {
        char *point = at++;

        *point = '.';
        for (int i = numeric->weight + 1; at - point - 1 < numeric->scale; i++)
            at = numeric_put(at, numeric_digit(numeric, i), false);
        at = point + 1 + numeric->scale;
    }
    ed_buffer_commit(to, (size_t)(at - start));
    return 0;
}

int pg_numeric_scaled(const struct pg_numeric *numeric, unsigned scale, __int128 *out)
{
    const __int128 most = ((__int128)1 << 100); /* far from where sums overflow */
    __int128 sum = 0;

    if (numeric_name(numeric->sign))
        return -ERANGE;
    for (int i = 0; i < numeric->count; i++) {
        int64_t exponent = (int64_t)NUMERIC_GROUP * (numeric->weight - i) + scale;
        __int128 term = numeric_digit(numeric, i);

        for (; term != 0 && exponent < 0; exponent++, term /= 10)
            if (term % 10 != 0)
                return -ERANGE;
        for (; term != 0 && exponent > 0; exponent--) {
            term *= 10;
            if (term > most)
                return -ERANGE;
        }
        sum += term;
        if (sum > most)
            return -ERANGE;
    }
    *out = numeric->sign == PG_NUMERIC_NEGATIVE ? -sum : sum;
    return 0;
}

/* By way of a text with as many digits as can count, and one more for all that follow. */
static double numeric_double_slowly(const struct pg_numeric *numeric)
{
    int count = numeric->count < NUMERIC_DOUBLE_DIGITS ? numeric->count : NUMERIC_DOUBLE_DIGITS;
    char text[NUMERIC_GROUP * (NUMERIC_DOUBLE_DIGITS + 1) + 32], *at = text;
    int exponent = NUMERIC_GROUP * (numeric->weight - count + 1);
    double value;

    for (int i = 0; i < count; i++)
        at = numeric_put(at, numeric_digit(numeric, i), false);
    if (count < numeric->count) {
        at = numeric_put(at, 1, false);
        exponent -= NUMERIC_GROUP;
    }
    at += snprintf(at, 16, "e%d", exponent);
    (void)pg_real_parse(text, (size_t)(at - text), &value);
    return value;
}

double pg_numeric_double(const struct pg_numeric *numeric)
{
    /* those powers of ten that a double holds */
    static const double powers[] = {1e0, 1e4, 1e8, 1e12, 1e16, 1e20};
    int groups = numeric->weight - numeric->count + 1;
    uint64_t whole = 0;
    double value;

    if (numeric_name(numeric->sign))
        return numeric->sign == PG_NUMERIC_NAN        ? NAN
               : numeric->sign == PG_NUMERIC_INFINITY ? INFINITY
                                                      : -INFINITY;
    if (numeric->count == 0)
        return 0;
    for (int i = 0; i < numeric->count && i < 4; i++)
        whole = whole * 10000 + numeric_digit(numeric, i);
    if (numeric->count > 4 || whole >> 53 || groups > 5 || groups < -5)
        value = numeric_double_slowly(numeric);
    else
        value = groups < 0 ? (double)whole / powers[-groups] : (double)whole * powers[groups];
    return numeric->sign == PG_NUMERIC_NEGATIVE ? -value : value;
}

static int
numeric_append_head(struct eddy_buffer_ *to, int count, int weight, uint16_t sign, int scale)
{
    char *head = pg_extend(to, 8);

    if (!head)
        return -ENOMEM;
    pg_store16(head, (uint16_t)count);
    pg_store16(head + 2, (uint16_t)weight);
    pg_store16(head + 4, sign);
    pg_store16(head + 6, (uint16_t)scale);
    return 0;
}

/* A decimal text in its parts. */
struct numeric_text {
    const char *first, *end; /* its digits, with a point among them or not */
    int64_t whole, decimals; /* how many there are of both kinds */
    uint16_t sign;
};

static int numeric_scan_exponent(struct pg_scan *scan, int64_t *exponent)
{
    bool negative;

    *exponent = 0;
    if (!pg_scan_word(scan, "e", 1))
        return 0;
    negative = pg_scan_char(scan, '-');
    if (!negative)
        (void)pg_scan_char(scan, '+');
    if (pg_scan_digits(scan, 9, exponent) == 0)
        return -EINVAL;
    if (pg_scan_is_digit(scan) || *exponent > NUMERIC_EXPONENT_MOST)
        return -ERANGE;
    *exponent = negative ? -*exponent : *exponent;
    return 0;
}

static int numeric_scan(struct pg_scan *scan, struct numeric_text *out)
{
    int64_t exponent;
    int rc;

    out->first = scan->at;
    while (pg_scan_is_digit(scan))
        scan->at++;
    out->whole = scan->at - out->first;
    out->decimals = 0;
    if (pg_scan_char(scan, '.')) {
        const char *point = scan->at;

        while (pg_scan_is_digit(scan))
            scan->at++;
        out->decimals = scan->at - point;
    }
    out->end = scan->at;
    if (out->whole + out->decimals == 0)
        return -EINVAL;
    rc = numeric_scan_exponent(scan, &exponent);
    out->whole += exponent;
    out->decimals -= exponent;
    return rc;
}

/* The next digit of base 10000, of which the first `skip` decimals are not in the text. */
static unsigned numeric_next(const char **at, const char *end, int skip)
{
    unsigned digit = 0;

    for (int i = 0; i < NUMERIC_GROUP; i++) {
        digit *= 10;
        if (i < skip)
            continue;
        if (*at < end && **at == '.')
            ++*at;
        if (*at < end)
            digit += (unsigned)(*(*at)++ - '0');
    }
    return digit;
}

/* Appends the digits of a text whose first decimal stands just before, or behind, the point as
 * `whole` says: those between the zeros at both ends. */
static int numeric_append(const struct numeric_text *text, struct eddy_buffer_ *to)
{
    const char *at = text->first;
    int64_t weight = text->whole > 0 ? (text->whole + 3) / 4 - 1 : -(-text->whole / 4 + 1);
    int skip = (int)((weight + 1) * NUMERIC_GROUP - text->whole);
    int64_t most = (text->end - text->first + skip) / NUMERIC_GROUP + 2, count = 0, kept = 0;
    int64_t decimals = text->decimals > 0 ? text->decimals : 0;
    size_t head = ed_buffer_size(to);
    int rc;

    if (decimals > PG_NUMERIC_SCALE_MOST || most > NUMERIC_COUNT_MOST)
        return -ERANGE;
    rc = numeric_append_head(to, 0, 0, 0, (int)decimals);
    for (bool first = true; rc == 0 && (at < text->end || first); first = false) {
        unsigned digit = numeric_next(&at, text->end, first ? skip : 0);

        if (digit == 0 && count == 0) {
            weight--;
            continue;
        }
        rc = pg_append16(to, (uint16_t)digit);
        count++;
        kept = digit == 0 ? kept : count;
    }
    if (rc < 0)
        return rc;
    if (kept == 0)
        weight = 0;
    if (kept > NUMERIC_COUNT_MOST || weight > NUMERIC_WEIGHT_MOST || weight < -NUMERIC_WEIGHT_MOST)
        return -ERANGE;
    to->end -= (size_t)(2 * (count - kept));
    pg_store16(to->data + to->start + head, (uint16_t)kept);
    pg_store16(to->data + to->start + head + 2, (uint16_t)weight);
    pg_store16(to->data + to->start + head + 4, kept == 0 ? 0 : text->sign);
    return 0;
}

/* "NaN", "inf", "-Infinity": the sign that says so, or 0. */
static uint16_t numeric_scan_name(struct pg_scan scan)
{
    bool negative = pg_scan_char(&scan, '-');

    if (!negative && pg_scan_word(&scan, "NaN", 3))
        return pg_scan_ended(&scan) ? PG_NUMERIC_NAN : 0;
    if (!negative)
        (void)pg_scan_char(&scan, '+');
    if (!pg_scan_word(&scan, "inf", 3))
        return 0;
    (void)pg_scan_word(&scan, "inity", 5);
    if (!pg_scan_ended(&scan))
        return 0;
    return negative ? PG_NUMERIC_MINUS_INFINITY : PG_NUMERIC_INFINITY;
}

int pg_numeric_parse(const char *text, size_t size, struct eddy_buffer_ *to)
{
    struct pg_scan scan = {text, text + size};
    struct numeric_text parts = {.sign = 0};
    uint16_t sign;
    int rc;

    while (pg_scan_char(&scan, ' '))
        ;
    while (scan.end > scan.at && scan.end[-1] == ' ')
        scan.end--;
    sign = numeric_scan_name(scan);
    if (sign != 0)
        return numeric_append_head(to, 0, 0, sign, 0);
    if (pg_scan_char(&scan, '-'))
        parts.sign = PG_NUMERIC_NEGATIVE;
    else
        (void)pg_scan_char(&scan, '+');
    rc = numeric_scan(&scan, &parts);
    if (rc == 0 && !pg_scan_ended(&scan))
        rc = -EINVAL;
    return rc < 0 ? rc : numeric_append(&parts, to);
}

int pg_numeric_from_scaled(__int128 unscaled, unsigned scale, struct eddy_buffer_ *to)
{
    unsigned __int128 rest =
        unscaled < 0 ? -(unsigned __int128)unscaled : (unsigned __int128)unscaled;
    char text[48], *at = text + sizeof text;

    if (scale > PG_NUMERIC_SCALE_MOST)
        return -ERANGE;
    do {
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    return numeric_append(&(struct numeric_text){.first = at,
                                                 .end = text + sizeof text,
                                                 .whole = text + sizeof text - at - (int64_t)scale,
                                                 .decimals = scale,
                                                 .sign = unscaled < 0 ? PG_NUMERIC_NEGATIVE : 0},
                          to);
}
