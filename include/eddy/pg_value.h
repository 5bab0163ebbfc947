/* SPDX-License-Identifier: MIT */
/*
 * Parameters of a statement, $1 and on, from C values. Whatever stands behind the statement of
 * eddy_pg_fetch and its like becomes one:
 *
 *     eddy_pg_execute(db, &tag, "INSERT INTO users VALUES ($1, $2, $3)", 7, "Ann", eddy_pg_now());
 *
 * The server says of which type a parameter is. A value that is not of that kind, or out of its
 * range, is an error, EDDY_EPG_VALUE, that names the parameter, before anything is sent:
 *
 *     C                          for
 *     any integer                smallint, integer, bigint, oid, numeric, real, double precision;
 *                                0 and 1 for boolean, since these are C's true and false
 *     bool                       boolean, and what integers are for, as 0 and 1
 *     float, double              real, double precision; numeric as the shortest decimal of it
 *     const char *, char *       text and its relatives, json, jsonb, xml, enums, numeric, uuid,
 *                                inet, cidr, macaddr, dates and times, and any type that is not
 *                                listed here, in its text form; UTF-8 without a NUL inside. NULL
 *                                is NULL
 *     eddy_pg_date, ..., eddy_pg_uuid, eddy_pg_bytes, eddy_pg_bits    their types
 *     eddy_pg_value              made by one of the functions below
 *     NULL                       NULL of every type
 *
 * Texts of dates and times that Eddy cannot read itself ('tomorrow', a time without its zone for
 * timestamptz) go to the server as they are, but from an array or by binary COPY. Texts, bytes and
 * arrays are borrowed until the call returns.
 */
#ifndef EDDY_PG_VALUE_H
#define EDDY_PG_VALUE_H

#include "eddy/compat.h"
#include "eddy/pg_type.h"

EDDY_BEGIN_DECLS

/* One value, by value. Its members are the library's. */
typedef struct eddy_pg_value {
    uint32_t kind;
    int32_t extra; /* a scale, a zone, months, days, a prefix */
    union {
        int64_t integer;
        uint64_t natural;
        double real;
        const void *pointer;
    };
    union {
        int64_t more;
        size_t size;
    };
} eddy_pg_value;

EDDY_API eddy_pg_value eddy_pg_null(void); /* NULL */
EDDY_API eddy_pg_value eddy_pg_bool(bool value);
EDDY_API eddy_pg_value eddy_pg_int(int64_t value);
EDDY_API eddy_pg_value eddy_pg_uint(uint64_t value);
EDDY_API eddy_pg_value eddy_pg_double(double value);
EDDY_API eddy_pg_value eddy_pg_text(const char *text); /* NUL-terminated; NULL is NULL */
EDDY_API eddy_pg_value eddy_pg_text_of(const char *text, size_t size);
EDDY_API eddy_pg_value eddy_pg_bytea(const void *data, size_t size);
/* The number unscaled / 10^scale, exactly: eddy_pg_decimal(1999, 2) is 19.99. */
EDDY_API eddy_pg_value eddy_pg_decimal(int64_t unscaled, unsigned scale);
EDDY_API eddy_pg_value eddy_pg_of_date(eddy_pg_date date);
EDDY_API eddy_pg_value eddy_pg_of_time(eddy_pg_time time);
EDDY_API eddy_pg_value eddy_pg_of_timestamp(eddy_pg_timestamp timestamp);
EDDY_API eddy_pg_value eddy_pg_of_interval(eddy_pg_interval interval);
EDDY_API eddy_pg_value eddy_pg_of_uuid(eddy_pg_uuid uuid);
EDDY_API eddy_pg_value eddy_pg_of_bytes(eddy_pg_bytes bytes);
EDDY_API eddy_pg_value eddy_pg_of_bits(eddy_pg_bits bits);
EDDY_API eddy_pg_value eddy_pg_of_inet(eddy_pg_inet inet);
EDDY_API eddy_pg_value eddy_pg_of_mac(eddy_pg_mac mac);

/* Arrays. Of elements of one kind, which may be arrays of the same length themselves: more
 * dimensions. Borrowed, so are the elements. */
EDDY_API eddy_pg_value eddy_pg_array(const eddy_pg_value *elements, size_t count);
EDDY_API eddy_pg_value eddy_pg_int_array(const int64_t *elements, size_t count);
EDDY_API eddy_pg_value eddy_pg_double_array(const double *elements, size_t count);
EDDY_API eddy_pg_value eddy_pg_text_array(const char *const *elements, size_t count);

/* A composite, of as many fields as its type has, in their order; a range, from bounds[0] to
 * bounds[1], where NULL is no bound. A multirange is an array of ranges. Borrowed likewise. */
EDDY_API eddy_pg_value eddy_pg_composite(const eddy_pg_value *fields, size_t count);
EDDY_API eddy_pg_value eddy_pg_range(const eddy_pg_value bounds[2], bool includes_lower,
                                     bool includes_upper);
EDDY_API eddy_pg_value eddy_pg_empty_range(void);

/* For EDDY_PG(NULL). Another pointer of that type is a value for no parameter. */
EDDY_API eddy_pg_value eddy_pg_nothing_(const void *pointer);

EDDY_END_DECLS

#ifndef __cplusplus
static inline eddy_pg_value eddy_pg_same_(eddy_pg_value value)
{
    return value;
}

/* The value of any C expression of the table above. */
#define EDDY_PG(x)                                                                                 \
    _Generic((x),                                                                                  \
        eddy_pg_value: eddy_pg_same_,                                                              \
        bool: eddy_pg_bool,                                                                        \
        char: eddy_pg_int,                                                                         \
        signed char: eddy_pg_int,                                                                  \
        unsigned char: eddy_pg_int,                                                                \
        short: eddy_pg_int,                                                                        \
        unsigned short: eddy_pg_int,                                                               \
        int: eddy_pg_int,                                                                          \
        unsigned int: eddy_pg_int,                                                                 \
        long: eddy_pg_int,                                                                         \
        unsigned long: eddy_pg_uint,                                                               \
        long long: eddy_pg_int,                                                                    \
        unsigned long long: eddy_pg_uint,                                                          \
        float: eddy_pg_double,                                                                     \
        double: eddy_pg_double,                                                                    \
        char *: eddy_pg_text,                                                                      \
        const char *: eddy_pg_text,                                                                \
        void *: eddy_pg_nothing_,                                                                  \
        eddy_pg_date: eddy_pg_of_date,                                                             \
        eddy_pg_time: eddy_pg_of_time,                                                             \
        eddy_pg_timestamp: eddy_pg_of_timestamp,                                                   \
        eddy_pg_interval: eddy_pg_of_interval,                                                     \
        eddy_pg_uuid: eddy_pg_of_uuid,                                                             \
        eddy_pg_inet: eddy_pg_of_inet,                                                             \
        eddy_pg_mac: eddy_pg_of_mac,                                                               \
        eddy_pg_bytes: eddy_pg_of_bytes,                                                           \
        eddy_pg_bits: eddy_pg_of_bits)(x)

/* A list of 0 to 32 expressions as an array of values, and its length. */
#define EDDY_PG_VALUES(...)                                                                        \
    ((const eddy_pg_value[]){{0} __VA_OPT__(, EDDY_PG_EACH_(__VA_ARGS__))} + 1)
#define EDDY_PG_COUNT(...)                                                                         \
    ((size_t)EDDY_PG_NUMBER_(0 __VA_OPT__(, ) __VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, \
                             22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, \
                             3, 2, 1, 0))

/* What stands in the 34th place. */
#define EDDY_PG_NUMBER_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, \
                        z, a1, b1, c1, d1, e1, f1, g1, number, ...)                                \
    number

/* EDDY_PG(a), EDDY_PG(b), ... */
#define EDDY_PG_EACH_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_2_(__VA_ARGS__))
#define EDDY_PG_EACH_2_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_3_(__VA_ARGS__))
#define EDDY_PG_EACH_3_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_4_(__VA_ARGS__))
#define EDDY_PG_EACH_4_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_5_(__VA_ARGS__))
#define EDDY_PG_EACH_5_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_6_(__VA_ARGS__))
#define EDDY_PG_EACH_6_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_7_(__VA_ARGS__))
#define EDDY_PG_EACH_7_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_8_(__VA_ARGS__))
#define EDDY_PG_EACH_8_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_9_(__VA_ARGS__))
#define EDDY_PG_EACH_9_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_10_(__VA_ARGS__))
#define EDDY_PG_EACH_10_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_11_(__VA_ARGS__))
#define EDDY_PG_EACH_11_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_12_(__VA_ARGS__))
#define EDDY_PG_EACH_12_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_13_(__VA_ARGS__))
#define EDDY_PG_EACH_13_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_14_(__VA_ARGS__))
#define EDDY_PG_EACH_14_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_15_(__VA_ARGS__))
#define EDDY_PG_EACH_15_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_16_(__VA_ARGS__))
#define EDDY_PG_EACH_16_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_17_(__VA_ARGS__))
#define EDDY_PG_EACH_17_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_18_(__VA_ARGS__))
#define EDDY_PG_EACH_18_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_19_(__VA_ARGS__))
#define EDDY_PG_EACH_19_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_20_(__VA_ARGS__))
#define EDDY_PG_EACH_20_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_21_(__VA_ARGS__))
#define EDDY_PG_EACH_21_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_22_(__VA_ARGS__))
#define EDDY_PG_EACH_22_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_23_(__VA_ARGS__))
#define EDDY_PG_EACH_23_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_24_(__VA_ARGS__))
#define EDDY_PG_EACH_24_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_25_(__VA_ARGS__))
#define EDDY_PG_EACH_25_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_26_(__VA_ARGS__))
#define EDDY_PG_EACH_26_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_27_(__VA_ARGS__))
#define EDDY_PG_EACH_27_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_28_(__VA_ARGS__))
#define EDDY_PG_EACH_28_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_29_(__VA_ARGS__))
#define EDDY_PG_EACH_29_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_30_(__VA_ARGS__))
#define EDDY_PG_EACH_30_(x, ...) EDDY_PG(x) __VA_OPT__(, EDDY_PG_EACH_31_(__VA_ARGS__))
#define EDDY_PG_EACH_31_(x, ...)                                                                   \
    EDDY_PG(x) __VA_OPT__(, EDDY_PG_TAKES_32_VALUES_AT_MOST_(__VA_ARGS__))
#define EDDY_PG_TAKES_32_VALUES_AT_MOST_(x) EDDY_PG(x)
#endif
#endif
