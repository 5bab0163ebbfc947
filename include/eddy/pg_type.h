/* SPDX-License-Identifier: MIT */
/*
 * C types for those of PostgreSQL that C lacks. Plain values, of no owner but where a pointer
 * says so; nothing here suspends. Both directions use them: eddy_pg_value makes parameters of
 * them, and eddy_pg_get reads them.
 */
#ifndef EDDY_PG_TYPE_H
#define EDDY_PG_TYPE_H

#include <time.h>

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* The numbers of built-in types (src/include/catalog/pg_type.dat of PostgreSQL). */
enum eddy_pg_oid {
    EDDY_PG_BOOL = 16,
    EDDY_PG_BYTEA = 17,
    EDDY_PG_CHAR = 18,
    EDDY_PG_NAME = 19,
    EDDY_PG_INT8 = 20,
    EDDY_PG_INT2 = 21,
    EDDY_PG_INT4 = 23,
    EDDY_PG_TEXT = 25,
    EDDY_PG_OID = 26,
    EDDY_PG_JSON = 114,
    EDDY_PG_XML = 142,
    EDDY_PG_CIDR = 650,
    EDDY_PG_FLOAT4 = 700,
    EDDY_PG_FLOAT8 = 701,
    EDDY_PG_MACADDR8 = 774,
    EDDY_PG_MACADDR = 829,
    EDDY_PG_INET = 869,
    EDDY_PG_BPCHAR = 1042,
    EDDY_PG_VARCHAR = 1043,
    EDDY_PG_DATE = 1082,
    EDDY_PG_TIME = 1083,
    EDDY_PG_TIMESTAMP = 1114,
    EDDY_PG_TIMESTAMPTZ = 1184,
    EDDY_PG_INTERVAL = 1186,
    EDDY_PG_TIMETZ = 1266,
    EDDY_PG_BIT = 1560,
    EDDY_PG_VARBIT = 1562,
    EDDY_PG_NUMERIC = 1700,
    EDDY_PG_UUID = 2950,
    EDDY_PG_JSONB = 3802,
};

/* A date: days from 2000-01-01, also before Christ (year 0 is 1 BC). */
typedef struct eddy_pg_date {
    int32_t days;
} eddy_pg_date;
#define EDDY_PG_DATE_INFINITY ((eddy_pg_date){INT32_MAX})
#define EDDY_PG_DATE_MINUS_INFINITY ((eddy_pg_date){INT32_MIN})

/* A time of day, with 24:00:00 among them; a zone of a timetz in seconds east of UTC. */
typedef struct eddy_pg_time {
    int64_t microseconds; /* from midnight */
    int32_t zone;         /* of timetz; else 0 */
} eddy_pg_time;

/* A point in time: microseconds from 2000-01-01 00:00:00; UTC for timestamptz, of no zone for
 * timestamp. */
typedef struct eddy_pg_timestamp {
    int64_t microseconds;
} eddy_pg_timestamp;
#define EDDY_PG_TIMESTAMP_INFINITY ((eddy_pg_timestamp){INT64_MAX})
#define EDDY_PG_TIMESTAMP_MINUS_INFINITY ((eddy_pg_timestamp){INT64_MIN})

/* An interval; its three parts are not converted into each other. */
typedef struct eddy_pg_interval {
    int32_t months, days;
    int64_t microseconds;
} eddy_pg_interval;

typedef struct eddy_pg_uuid {
    uint8_t bytes[16];
} eddy_pg_uuid;

/* An address or network: inet, cidr. */
typedef struct eddy_pg_inet {
    uint8_t bytes[16]; /* network order; the first 4 for IPv4 */
    uint8_t prefix;    /* bits of the network: 32 or 128 for a host */
    bool ipv6;
} eddy_pg_inet;

/* macaddr (6 bytes), macaddr8 (8). */
typedef struct eddy_pg_mac {
    uint8_t bytes[8];
    uint8_t size;
} eddy_pg_mac;

/* Bytes of bytea; borrowed. */
typedef struct eddy_pg_bytes {
    const void *data;
    size_t size;
} eddy_pg_bytes;

/* A bit string: bit, varbit; borrowed. The first bit is the highest of the first byte. */
typedef struct eddy_pg_bits {
    const uint8_t *data;
    size_t count; /* bits */
} eddy_pg_bits;

/* Of the calendar (proleptic Gregorian) and back. -ERANGE for what does not exist, or what the
 * type cannot hold; infinities become none. A year of 0 is 1 BC. */
EDDY_NODISCARD EDDY_API int eddy_pg_date_from(int year, int month, int day, eddy_pg_date *out);
EDDY_NODISCARD EDDY_API int eddy_pg_date_parts(eddy_pg_date date, int *year, int *month, int *day);

/* From and to UNIX time: seconds from 1970-01-01, and a struct tm in UTC. -ERANGE likewise. */
EDDY_NODISCARD EDDY_API int
eddy_pg_timestamp_from_timespec(struct timespec time, eddy_pg_timestamp *out);
EDDY_NODISCARD EDDY_API int
eddy_pg_timestamp_timespec(eddy_pg_timestamp timestamp, struct timespec *out);
EDDY_NODISCARD EDDY_API int eddy_pg_timestamp_from_tm(const struct tm *tm, eddy_pg_timestamp *out);
EDDY_NODISCARD EDDY_API int eddy_pg_timestamp_tm(eddy_pg_timestamp timestamp, struct tm *out);
/* The clock's time now, for timestamptz. */
EDDY_API eddy_pg_timestamp eddy_pg_now(void);

/*
 * Texts of these types, as PostgreSQL writes them with DateStyle ISO and IntervalStyle postgres,
 * and back. The writers fill a buffer of EDDY_PG_TEXT_SIZE and return it; the readers return
 * -EINVAL for what is not such a text.
 */
#define EDDY_PG_TEXT_SIZE 128
EDDY_API char *eddy_pg_date_text(eddy_pg_date date, char text[EDDY_PG_TEXT_SIZE]);
EDDY_API char *eddy_pg_time_text(eddy_pg_time time, bool with_zone, char text[EDDY_PG_TEXT_SIZE]);
EDDY_API char *
eddy_pg_timestamp_text(eddy_pg_timestamp timestamp, bool with_zone, char text[EDDY_PG_TEXT_SIZE]);
EDDY_API char *eddy_pg_interval_text(eddy_pg_interval interval, char text[EDDY_PG_TEXT_SIZE]);
EDDY_API char *eddy_pg_uuid_text(eddy_pg_uuid uuid, char text[EDDY_PG_TEXT_SIZE]);
EDDY_API char *eddy_pg_inet_text(eddy_pg_inet inet, bool cidr, char text[EDDY_PG_TEXT_SIZE]);
EDDY_API char *eddy_pg_mac_text(eddy_pg_mac mac, char text[EDDY_PG_TEXT_SIZE]);
EDDY_NODISCARD EDDY_API int eddy_pg_date_parse(const char *text, eddy_pg_date *out);
EDDY_NODISCARD EDDY_API int eddy_pg_time_parse(const char *text, eddy_pg_time *out);
EDDY_NODISCARD EDDY_API int eddy_pg_timestamp_parse(const char *text, eddy_pg_timestamp *out);
EDDY_NODISCARD EDDY_API int eddy_pg_interval_parse(const char *text, eddy_pg_interval *out);
EDDY_NODISCARD EDDY_API int eddy_pg_uuid_parse(const char *text, eddy_pg_uuid *out);
EDDY_NODISCARD EDDY_API int eddy_pg_inet_parse(const char *text, eddy_pg_inet *out);
EDDY_NODISCARD EDDY_API int eddy_pg_mac_parse(const char *text, eddy_pg_mac *out);

EDDY_END_DECLS
#endif
