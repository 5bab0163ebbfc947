/* SPDX-License-Identifier: MIT */
/*
 * Values of every type to a real server and back (P-TYPE-9): what is read of a literal is the text
 * that the server itself makes of it, and what is sent as a parameter is equal to the literal.
 */
#include <math.h>

#include "base/compat.h"
#include "eddy/stream_class.h"
#include "pg/calendar.h"
#include "pg/database.h"
#include "pg/types.h"

#define LITERALS 24

static const struct round_trip {
    const char *type;
    const char *literals[LITERALS];
} round_trips[] = {
    {"bool", {"t", "f"}},
    {"int2", {"-32768", "0", "32767"}},
    {"int4", {"-2147483648", "0", "2147483647"}},
    {"int8", {"-9223372036854775808", "9223372036854775807"}},
    {"oid", {"0", "4294967295"}},
    {"xid", {"4294967295"}},
    {"cid", {"4294967295"}},
    {"xid8", {"0", "18446744073709551615"}},
    {"pg_lsn", {"0/0", "16/B374D848"}},
    {"tid", {"(0,1)", "(4294967295,65535)"}},
    {"\"char\"", {"a", "", "\\200"}},
    {"float4",
     {"1.1", "NaN", "Infinity", "-Infinity", "-0", "1e20", "1e-20", "3.4028235e38", "1.4e-45",
      "16777216", "123456", "1234567", "0.0001", "0.00001", "35325808"}},
    {"float8",
     {"1.1", "NaN", "Infinity", "-Infinity", "-0", "1e15", "1e14", "1e-4", "1e-5", "5e-324",
      "1.7976931348623157e308", "2.2250738585072014e-308", "5.684341886080802e-14",
      "0.30000000000000004", "9007199254740993", "1e23", "4.35", "6.5294498705027984e16"}},
    {"numeric",
     {"0", "1.50", "-1.5", "NaN", "Infinity", "-Infinity", "10000", "0.0001", "1e100",
      "12345678901234567890.123456789", "1e-100", "-0.00000001", "9999.9999"}},
    {"text", {"", "a", "äöü€\xf0\x9f\x98\x80", "it's", "NULL"}},
    {"varchar", {"x"}},
    {"bpchar(4)", {"ab"}},
    {"name", {"a_name"}},
    {"xml", {"<a>1</a>"}},
    {"json", {"{\"a\":  1}"}},
    {"jsonb", {"{\"a\": 1}", "null", "[]"}},
    {"jsonpath", {"$.\"a\""}},
    {"bytea", {"\\x", "\\x00ff4142"}},
    {"date",
     {"2024-02-29", "0001-01-01", "0001-12-31 BC", "4714-11-24 BC", "5874897-12-31", "infinity",
      "-infinity", "1999-12-31", "10000-01-01"}},
    {"time", {"00:00:00", "24:00:00", "23:59:59.999999", "10:30:00.5"}},
    {"timetz", {"10:30:00+00", "10:30:00.25-05:30", "24:00:00+15:59:59", "10:00:00+01:02:03"}},
    {"timestamp",
     {"2024-02-29 10:30:00", "294276-12-31 23:59:59.999999", "4714-11-24 00:00:00 BC", "infinity",
      "-infinity", "1999-12-31 23:59:59.5", "0044-03-15 12:00:00 BC"}},
    {"timestamptz",
     {"2024-02-29 10:30:00+00", "294276-12-31 23:59:59.999999+00", "infinity",
      "4714-11-24 00:00:00+00 BC", "-infinity", "2024-02-29 10:30:00+05:30"}},
    {"interval",
     {"00:00:00", "1 year 2 mons -3 days +04:05:06.7", "-1 years", "-1 days +02:03:00",
      "-00:00:00.000001", "178956970 years 7 mons", "-2147483648 days", "13 mons"}},
    {"uuid", {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
    {"inet", {"1.2.3.4", "1.2.3.4/24", "::1", "::ffff:1.2.3.4", "2001:db8::1/64", "0.0.0.0/0"}},
    {"cidr", {"10.0.0.0/8", "1.2.3.4/32", "2001:db8::/32"}},
    {"macaddr", {"08:00:2b:01:02:03"}},
    {"macaddr8", {"08:00:2b:01:02:03:04:05"}},
    {"bit(4)", {"1010"}},
    {"varbit", {"", "1", "10101010101"}},
    {"int4[]",
     {"{}", "{1,2,NULL}", "{{1,2},{3,4}}", "[2:3]={1,2}", "{{{{{{1}}}}}}",
      "[0:1][-1:0]={{1,2},{3,4}}"}},
    {"text[]", {"{a,\"b c\",NULL,\"NULL\",\"\",\"a\\\"b\\\\c\"}"}},
    {"bool[]", {"{t,f,NULL}"}},
    {"numeric[]", {"{1.50,NaN,NULL}"}},
    {"timestamptz[]", {"{\"2024-02-29 10:30:00+00\",infinity}"}},
    {"jsonb[]", {"{\"{\\\"a\\\": 1}\"}"}},
    {"oidvector", {"", "1 2 3"}},
    {"int2vector", {"1 2"}},
    {"int4range", {"[1,10)", "empty", "(,5)", "(,)"}},
    {"int8range", {"[1,10)"}},
    {"numrange", {"(1.5,2.5]", "[1.5,)"}},
    {"tsrange", {"[\"2024-01-01 00:00:00\",\"2024-02-01 00:00:00\")"}},
    {"tstzrange", {"[\"2024-01-01 00:00:00+00\",\"2024-02-01 00:00:00+00\")"}},
    {"daterange", {"[2024-01-01,2024-02-01)"}},
    {"int4multirange", {"{}", "{[1,3),[5,8)}"}},
    {"int4range[]", {"{\"[1,3)\",NULL}"}},
    {"point", {"(1.5,-2)"}},
    {"line", {"{1,2,3}"}},
    {"lseg", {"[(0,0),(1,1)]"}},
    {"box", {"(1,1),(0,0)"}},
    {"box[]", {"{(1,1),(0,0);(2,2),(1,1)}"}},
    {"path", {"((0,0),(1,1))"}},
    {"polygon", {"((0,0),(1,1),(1,0))"}},
    {"circle", {"<(0,0),2>"}},
    {"money", {"$1,234.50"}},
    {"tsvector", {"'a':1 'b':2"}},
    {"tsquery", {"'a' & 'b'"}},
    {"tsvector[]", {"{\"'a' 'b'\",NULL}"}},
    {"regclass", {"pg_class"}},
    {"regtype", {"integer"}},
    {"pg_snapshot", {"10:20:10,14,15"}},
    {"refcursor", {"c"}},
};

/* What the server's own output function makes of a literal. The bpchar loses its padding there. */
static void check_read(eddy_pg_connection *db, const char *type, const char *literal)
{
    EDDY_PG_RESULT result = NULL;
    char sql[256], *copy = NULL;
    const char *text = NULL, *expected = NULL;

    (void)snprintf(sql, sizeof sql,
                   "SELECT $q$%s$q$::%s AS v, pg_catalog.format('%%s', $q$%s$q$::%s)", literal,
                   type, literal, type);
    CHECK_OK(eddy_pg_fetch(db, &result, sql));
    CHECK_OK(eddy_pg_get(result, 1, &expected));
    CHECK_OK(eddy_pg_get(result, "v", &copy));
    CHECK_STR(copy, expected);
    eddy_free(copy);
    CHECK_OK(eddy_pg_get(result, "v", &text));
    CHECK_STR(text, expected);
}

/* What every type lets be read of it, as a value that goes back. */
union held {
    int64_t whole;
    uint64_t natural;
    double real;
    bool truth;
    eddy_pg_date date;
    eddy_pg_time time;
    eddy_pg_timestamp timestamp;
    eddy_pg_interval interval;
    eddy_pg_uuid uuid;
    eddy_pg_inet inet;
    eddy_pg_mac mac;
    eddy_pg_bytes bytes;
    eddy_pg_bits bits;
    const char *text;
};

static int hold(eddy_pg_field field, enum pg_kind kind, union held *held, eddy_pg_value *value)
{
    int rc;

    switch (kind) {
#define HOLD(member, read)                                                                         \
    rc = read(field, &held->member);                                                               \
    *value = EDDY_PG(held->member);                                                                \
    return rc
    case PG_KIND_BOOL: HOLD(truth, eddy_pg_read_bool);
    case PG_KIND_INT2:
    case PG_KIND_INT4:
    case PG_KIND_INT8: HOLD(whole, eddy_pg_read_int64);
    case PG_KIND_OID:
    case PG_KIND_XID8:
    case PG_KIND_LSN: HOLD(natural, eddy_pg_read_uint64);
    case PG_KIND_FLOAT4:
    case PG_KIND_FLOAT8: HOLD(real, eddy_pg_read_double);
    case PG_KIND_BYTEA: HOLD(bytes, eddy_pg_read_bytes);
    case PG_KIND_DATE: HOLD(date, eddy_pg_read_date);
    case PG_KIND_TIME:
    case PG_KIND_TIMETZ: HOLD(time, eddy_pg_read_time);
    case PG_KIND_TIMESTAMP:
    case PG_KIND_TIMESTAMPTZ: HOLD(timestamp, eddy_pg_read_timestamp);
    case PG_KIND_INTERVAL: HOLD(interval, eddy_pg_read_interval);
    case PG_KIND_UUID: HOLD(uuid, eddy_pg_read_uuid);
    case PG_KIND_INET:
    case PG_KIND_CIDR: HOLD(inet, eddy_pg_read_inet);
    case PG_KIND_MACADDR:
    case PG_KIND_MACADDR8: HOLD(mac, eddy_pg_read_mac);
    case PG_KIND_BIT: HOLD(bits, eddy_pg_read_bits);
    default: HOLD(text, eddy_pg_read_text);
#undef HOLD
    }
}

static void check_sent(eddy_pg_connection *db, const char *type, const char *literal)
{
    EDDY_PG_RESULT result = NULL, back = NULL;
    const char *expected = NULL, *text = NULL;
    eddy_pg_value values[2];
    eddy_pg_field field = {.data = NULL};
    union held held;
    char sql[256];

    (void)snprintf(sql, sizeof sql,
                   "SELECT $q$%s$q$::%s AS v, pg_catalog.format('%%s', $q$%s$q$::%s)", literal,
                   type, literal, type);
    CHECK_OK(eddy_pg_fetch(db, &result, sql));
    CHECK_OK(eddy_pg_get(result, "v", &field));
    CHECK_OK(eddy_pg_get(result, 1, &expected));
    CHECK_OK(hold(field, pg_types_find(NULL, field.type)->kind, &held, &values[0]));
    CHECK_OK(eddy_pg_get(result, "v", &text));
    values[1] = EDDY_PG(text);
    (void)snprintf(sql, sizeof sql, "SELECT pg_catalog.format('%%s', $1::%s)", type);
    CHECK_OK(eddy_pg_fetch_values((eddy_pg_target){.connection = db}, &back, sql, values, 1));
    CHECK_OK(eddy_pg_get(back, 0, &text));
    CHECK_STR(text, expected);
}

DATABASE_TEST(round_trip_from_the_server_of_every_type)
{
    CHECK_OK(eddy_pg_execute(db, "SET TimeZone = 'UTC'; SET lc_monetary = 'C'"));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(round_trips); i++)
        for (int j = 0; j < LITERALS && round_trips[i].literals[j]; j++)
            check_read(db, round_trips[i].type, round_trips[i].literals[j]);
}

DATABASE_TEST(round_trip_to_the_server_of_every_type)
{
    CHECK_OK(eddy_pg_execute(db, "SET TimeZone = 'UTC'; SET lc_monetary = 'C'"));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(round_trips); i++)
        for (int j = 0; j < LITERALS && round_trips[i].literals[j]; j++)
            check_sent(db, round_trips[i].type, round_trips[i].literals[j]);
}

/* Beside a column that has no binary form all come as text, in the session's own zone. */
DATABASE_TEST(round_trip_is_the_same_where_all_columns_come_as_text)
{
    static const char sql[] =
        "SELECT 7::int4, 1.5::float8, 19.99::numeric, true, '\\x00ff'::bytea, '101'::varbit,"
        " '2024-07-01 12:00:00+00'::timestamptz, '{{1,2},{3,NULL}}'::int4[], '1.2.3.4/24'::inet,"
        " '1 mon -1 days'::interval, '10:00:00+01'::timetz,"
        " 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid";
    EDDY_PG_RESULT binary = NULL, text = NULL;
    char with_money[640], *shown, *shown_too;
    eddy_pg_field field = {.data = NULL};

    (void)snprintf(with_money, sizeof with_money, "%s, '1'::money", sql);
    CHECK_OK(eddy_pg_execute(db, "SET TimeZone = 'Europe/Berlin'; SET bytea_output = 'escape'"));
    CHECK_OK(eddy_pg_fetch(db, &binary, sql));
    CHECK_OK(eddy_pg_fetch(db, &text, with_money));
    CHECK_OK(eddy_pg_get(binary, 0, &field));
    CHECK(!field.is_text);
    CHECK_OK(eddy_pg_get(text, 0, &field));
    CHECK(field.is_text);
    shown = eddy_pg_row_text(eddy_pg_row_at(binary, 0));
    shown_too = eddy_pg_row_text(eddy_pg_row_at(text, 0));
    CHECK_HAS(shown, "datetime.datetime(2024, 7, 1, 12, 0, tzinfo=datetime.timezone.utc)");
    CHECK(strncmp(shown, shown_too, strlen(shown) - 1) == 0);
    eddy_free(shown);
    eddy_free(shown_too);
}

/* Each of the server's own types has the number, the array and the delimiter that the table says.
 * */
DATABASE_TEST(round_trip_table_of_types_is_the_servers)
{
    EDDY_PG_RESULT result = NULL;
    eddy_pg_row row;
    int known = 0;

    CHECK_OK(
        eddy_pg_fetch(db, &result,
                      "SELECT oid, typname::text, typarray, typdelim::text, typelem, typtype::text"
                      " FROM pg_catalog.pg_type WHERE oid < 10000"));
    EDDY_PG_FOR_EACH(row, result) {
        const char *name, *delimiter, *kind;
        uint32_t oid, array, element;
        const struct pg_type *type;

        CHECK_OK(eddy_pg_get(row, 0, &oid));
        CHECK_OK(eddy_pg_get(row, 1, &name));
        CHECK_OK(eddy_pg_get(row, 2, &array));
        CHECK_OK(eddy_pg_get(row, 3, &delimiter));
        CHECK_OK(eddy_pg_get(row, 4, &element));
        CHECK_OK(eddy_pg_get(row, 5, &kind));
        type = pg_types_find(NULL, oid);
        if (!type)
            continue;
        known++;
        if (type->kind == PG_KIND_ARRAY) {
            CHECK_EQ(type->element, element);
            continue;
        }
        CHECK_EQ(type->delimiter, delimiter[0]);
        CHECK_STR(type->oid == 18 ? "char" : type->name, name);
        if (array != 0)
            CHECK_EQ(pg_types_find(NULL, array)->element, oid);
    }
    CHECK(known > 140);
}

/* Long and large: a thousand digits, the longest there are, an array of a hundred thousand. */
DATABASE_TEST(round_trip_of_large_values)
{
    static int64_t numbers[100000];
    static const char sql[] =
        "SELECT $1::numeric, $1::numeric = repeat('7', $2)::numeric + ('0.' ||"
        " repeat('7', $3))::numeric";
    static const int sizes[][2] = {{1000, 1000}, {131072, 16383}};
    EDDY_PG_RESULT result = NULL;
    int64_t sum = 0;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(sizes); i++) {
        size_t size = (size_t)sizes[i][0] + 1 + (size_t)sizes[i][1];
        char *text = eddy_alloc_(size + 1), *copy = NULL;
        bool equal = false;

        memset(text, '7', size);
        text[sizes[i][0]] = '.';
        eddy_pg_result_free(&result);
        CHECK_OK(eddy_pg_fetch(db, &result, sql, text, sizes[i][0], sizes[i][1]));
        CHECK_OK(eddy_pg_get(result, 0, &copy));
        CHECK_OK(eddy_pg_get(result, 1, &equal));
        CHECK(strcmp(copy, text) == 0 && equal);
        eddy_free(copy);
        eddy_free(text);
    }
    for (int i = 0; i < 100000; i++)
        numbers[i] = i;
    CHECK_OK(eddy_pg_fetchval(db, &sum, "SELECT sum(n) FROM unnest($1::int4[]) n",
                              eddy_pg_int_array(numbers, 100000)));
    CHECK_EQ(sum, INT64_C(4999950000));
}

/* P-TYPE-4, P-Q-8: a value that does not fit is not sent, and spoils nothing. */
DATABASE_TEST(round_trip_of_a_bad_value_leaves_the_transaction_whole)
{
    CHECK_OK(eddy_pg_execute(db, "BEGIN"));
    CHECK_FAILS(
        (int)eddy_pg_execute(db, "SELECT $1::int4, $2::text", 1, eddy_pg_text_of("a\0b", 3)),
        EDDY_EPG_VALUE, "$2: a text that has a NUL at byte 1");
    CHECK_FAILS((int)eddy_pg_execute(db, "SELECT $1::int2", 70000), EDDY_EPG_VALUE, "$1: 70000");
    CHECK_FAILS((int)eddy_pg_execute(db, "SELECT $1::int2", 1, 2), EDDY_EPG_VALUE, "2 values");
    CHECK_EQ(number_of(db, "SELECT 7"), 7);
    CHECK(eddy_pg_is_in_transaction(db));
    CHECK_OK(eddy_pg_execute(db, "COMMIT"));
}

/* Texts of dates that only the server reads. */
DATABASE_TEST(round_trip_of_dates_that_the_server_reads)
{
    bool same = false;

    CHECK_OK(eddy_pg_fetchval(db, &same, "SELECT $1::date = current_date + 1", "tomorrow"));
    CHECK(same);
    CHECK_OK(eddy_pg_execute(db, "SET TimeZone = 'Europe/Berlin'"));
    CHECK_OK(eddy_pg_fetchval(db, &same, "SELECT $1::timestamptz = '2024-07-01 10:00:00+00'",
                              "2024-07-01 12:00:00"));
    CHECK(same);
    CHECK_OK(eddy_pg_fetchval(db, &same, "SELECT $1::interval = '1 day 12 hours'", "P1DT12H"));
    CHECK(same);
}
