/* SPDX-License-Identifier: MIT */
/* Values for parameters. */
#include "pg/encode.h"

#include <math.h>

#include "pg/calendar.h"
#include "values.h"

#define CHECK_PARAMETER(value, oid, literal)                                                       \
    do {                                                                                           \
        eddy_pg_value checked = (value);                                                           \
                                                                                                   \
        CHECK_OK(encode_one(&checked, (oid)));                                                     \
        CHECK_EQ(parameters.lengths[0], sizeof(literal) - 1);                                      \
        CHECK(memcmp(parameters.values[0], (literal), sizeof(literal) - 1) == 0);                  \
    } while (0)
#define CHECK_REFUSED(value, oid, part)                                                            \
    do {                                                                                           \
        eddy_pg_value checked = (value);                                                           \
                                                                                                   \
        CHECK_FAILS(encode_one(&checked, (oid)), EDDY_EPG_VALUE, "$1: ");                          \
        CHECK_HAS(eddy_error_message(EDDY_EPG_VALUE), (part));                                     \
    } while (0)

static struct pg_parameters parameters;

static int encode_one(const eddy_pg_value *value, uint32_t oid)
{
    return pg_parameters_encode(&parameters, NULL, &oid, 1, value, 1);
}

RAW_TEST(encode_numbers_for_types_of_numbers)
{
    CHECK_PARAMETER(EDDY_PG(-2), EDDY_PG_INT2, "\xff\xfe");
    CHECK_PARAMETER(EDDY_PG(7), EDDY_PG_INT4, "\0\0\0\7");
    CHECK_PARAMETER(EDDY_PG(true), EDDY_PG_INT8, "\0\0\0\0\0\0\0\1");
    CHECK_PARAMETER(EDDY_PG(1), EDDY_PG_BOOL, "\1");
    CHECK_PARAMETER(EDDY_PG(UINT32_MAX), EDDY_PG_OID, "\xff\xff\xff\xff");
    CHECK_PARAMETER(EDDY_PG(UINT64_MAX), 5069, "\xff\xff\xff\xff\xff\xff\xff\xff");
    CHECK_PARAMETER(EDDY_PG(1), EDDY_PG_FLOAT8, "\x3f\xf0\0\0\0\0\0\0");
    CHECK_PARAMETER(EDDY_PG(1.0), EDDY_PG_FLOAT4, "\x3f\x80\0\0");
    CHECK_PARAMETER(EDDY_PG((double)INFINITY), EDDY_PG_FLOAT4, "\x7f\x80\0\0");
    CHECK_PARAMETER(EDDY_PG(10000), EDDY_PG_NUMERIC, "\0\1\0\1\0\0\0\0\0\1");
    CHECK_PARAMETER(EDDY_PG(UINT64_MAX), EDDY_PG_NUMERIC,
                    "\0\5\0\4\0\0\0\0\x07\x34\x1a\x58\x02\xe1\x03\xbb\x06\x4f");
    CHECK_PARAMETER(EDDY_PG(0.1), EDDY_PG_NUMERIC, "\0\1\xff\xff\0\0\0\1\x03\xe8");
    CHECK_PARAMETER(EDDY_PG("0.10"), EDDY_PG_NUMERIC, "\0\1\xff\xff\0\0\0\2\x03\xe8");
    CHECK_PARAMETER(eddy_pg_decimal(-15, 1), EDDY_PG_NUMERIC, "\0\2\0\0\x40\0\0\1\0\1\x13\x88");
    CHECK_PARAMETER(EDDY_PG((double)NAN), EDDY_PG_NUMERIC, "\0\0\0\0\xc0\0\0\0");
    pg_parameters_free(&parameters);
}

/* P-TYPE-2, with what it recommends: no double is cut off to be an integer. */
RAW_TEST(encode_refuses_values_of_other_types)
{
    CHECK_REFUSED(EDDY_PG("7"), EDDY_PG_INT4, "a text for int4");
    CHECK_REFUSED(EDDY_PG(1.9), EDDY_PG_INT4, "a double for int4");
    CHECK_REFUSED(eddy_pg_decimal(1, 0), EDDY_PG_INT8, "a decimal for int8");
    CHECK_REFUSED(EDDY_PG(7), EDDY_PG_TEXT, "an integer for text");
    CHECK_REFUSED(EDDY_PG("1.5"), EDDY_PG_FLOAT8, "a text for float8");
    CHECK_REFUSED(EDDY_PG("t"), EDDY_PG_BOOL, "a text for bool");
    CHECK_REFUSED(EDDY_PG(2), EDDY_PG_BOOL, "2 is out of the range of bool");
    CHECK_REFUSED(EDDY_PG("bytes"), EDDY_PG_BYTEA, "a text for bytea");
    CHECK_REFUSED(eddy_pg_bytea("ab", 2), EDDY_PG_TEXT, "bytes for text");
    CHECK_REFUSED(EDDY_PG(7), EDDY_PG_DATE, "an integer for date");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_date){1})), EDDY_PG_TIMESTAMP, "a date for timestamp");
    CHECK_REFUSED(EDDY_PG(7), EDDY_PG_UUID, "an integer for uuid");
    CHECK_REFUSED(EDDY_PG(7), EDDY_PG_INTERVAL, "an integer for interval");
    CHECK_REFUSED(EDDY_PG(7), EDDY_PG_INET, "an integer for inet");
    CHECK_REFUSED(EDDY_PG(7), EDDY_PG_MACADDR, "an integer for macaddr");
    CHECK_REFUSED(EDDY_PG(7), EDDY_PG_JSONB, "an integer for jsonb");
    CHECK_REFUSED(EDDY_PG(7), 1007, "an integer for int4[]");
    CHECK_REFUSED(EDDY_PG(7), 3614, "an integer for tsvector");
    CHECK_REFUSED(EDDY_PG((void *)&parameters), EDDY_PG_TEXT,
                  "a pointer that is not NULL for text");
    CHECK_REFUSED(EDDY_PG(7), 999999, "type 999999 is not known");
    CHECK_REFUSED(((eddy_pg_value){.kind = 12345}), EDDY_PG_INT4, "no value for int4");
    pg_parameters_free(&parameters);
}

/* P-TYPE-3 */
RAW_TEST(encode_refuses_values_out_of_range)
{
    CHECK_REFUSED(EDDY_PG(32768), EDDY_PG_INT2, "32768 is out of the range of int2");
    CHECK_REFUSED(EDDY_PG(-32769), EDDY_PG_INT2, "-32769 is out");
    CHECK_REFUSED(EDDY_PG(INT64_C(2147483648)), EDDY_PG_INT4, "2147483648 is out");
    CHECK_REFUSED(EDDY_PG(UINT64_MAX), EDDY_PG_INT8, "18446744073709551615 is out");
    CHECK_REFUSED(EDDY_PG(-1), EDDY_PG_OID, "-1 is out");
    CHECK_REFUSED(EDDY_PG(1e39), EDDY_PG_FLOAT4, "out of the range of float4");
    CHECK_REFUSED(EDDY_PG("1e200000"), EDDY_PG_NUMERIC, "out of the range of numeric");
    CHECK_REFUSED(eddy_pg_decimal(1, 20000), EDDY_PG_NUMERIC, "out of the range of numeric");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_date){PG_DATE_FIRST - 1})), EDDY_PG_DATE, "out of the range");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_timestamp){PG_TIMESTAMP_END})), EDDY_PG_TIMESTAMPTZ, "out of");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_time){PG_DAY + 1, 0})), EDDY_PG_TIME,
                  "out of the range of time");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_time){0, 57600})), EDDY_PG_TIMETZ, "out of the range");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_time){0, 60})), EDDY_PG_TIME, "a time with a zone for time");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_inet){{10, 1}, 8, false})), EDDY_PG_CIDR, "bits behind");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_inet){{10}, 33, false})), EDDY_PG_INET, "33 bits");
    CHECK_REFUSED(EDDY_PG(((eddy_pg_mac){{1}, 8})), EDDY_PG_MACADDR, "8 bytes");
    CHECK_REFUSED(EDDY_PG("10.0.0.1/8"), EDDY_PG_CIDR,
                  "\"10.0.0.1/8\" is out of the range of cidr");
    CHECK_REFUSED(EDDY_PG("2024-02-30"), EDDY_PG_DATE,
                  "\"2024-02-30\" is out of the range of date");
    CHECK_REFUSED(EDDY_PG("x"), EDDY_PG_UUID, "\"x\" is no uuid");
    pg_parameters_free(&parameters);
}

RAW_TEST(encode_types_of_the_library_for_theirs)
{
    CHECK_PARAMETER(EDDY_PG(EDDY_PG_DATE_INFINITY), EDDY_PG_DATE, "\x7f\xff\xff\xff");
    CHECK_PARAMETER(EDDY_PG(EDDY_PG_TIMESTAMP_MINUS_INFINITY), EDDY_PG_TIMESTAMP,
                    "\x80\0\0\0\0\0\0\0");
    CHECK_PARAMETER(EDDY_PG(((eddy_pg_time){1, -1})), EDDY_PG_TIMETZ, "\0\0\0\0\0\0\0\1\0\0\0\1");
    CHECK_PARAMETER(EDDY_PG(((eddy_pg_interval){1, 2, 3})), EDDY_PG_INTERVAL,
                    "\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0\1");
    CHECK_PARAMETER(EDDY_PG(((eddy_pg_uuid){"123456789abcdefg"})), EDDY_PG_UUID,
                    "123456789abcdefg");
    CHECK_PARAMETER(EDDY_PG(((eddy_pg_inet){{10}, 8, false})), EDDY_PG_CIDR,
                    "\2\x08\1\4\x0a\0\0\0");
    CHECK_PARAMETER(EDDY_PG(((eddy_pg_mac){{1, 2, 3, 4, 5, 6}, 6})), EDDY_PG_MACADDR8,
                    "\1\2\3\xff\xfe\4\5\6");
    CHECK_PARAMETER(eddy_pg_bytea("a\0b", 3), EDDY_PG_BYTEA, "a\0b");
    CHECK_PARAMETER(eddy_pg_bytea(NULL, 0), EDDY_PG_BYTEA, "");
    CHECK_PARAMETER(eddy_pg_of_bits((eddy_pg_bits){(const uint8_t *)"\xff", 3}), EDDY_PG_VARBIT,
                    "\0\0\0\3\xe0");
    CHECK_PARAMETER(EDDY_PG("101"), EDDY_PG_BIT, "\0\0\0\3\xa0");
    CHECK_PARAMETER(EDDY_PG("2000-01-02"), EDDY_PG_DATE, "\0\0\0\1");
    CHECK_PARAMETER(EDDY_PG("{}"), EDDY_PG_JSONB, "\1{}");
    CHECK_PARAMETER(EDDY_PG("16/0"), 3220, "\0\0\0\x16\0\0\0\0");
    CHECK_EQ(parameters.formats[0], 1);
    pg_parameters_free(&parameters);
}

/* Texts are lent, not copied; what the server must read goes out as text. */
RAW_TEST(encode_lends_texts)
{
    static const char text[] = "a text";
    eddy_pg_value value = EDDY_PG(text);

    CHECK_OK(encode_one(&value, EDDY_PG_TEXT));
    CHECK(parameters.values[0] == text && parameters.lengths[0] == 6 && parameters.formats[0] == 1);
    CHECK_OK(encode_one(&value, 3614)); /* tsvector */
    CHECK(parameters.values[0] == text && parameters.formats[0] == 0);
    value = eddy_pg_text_of(text, 3);
    CHECK_OK(encode_one(&value, 3614));
    CHECK_STR(parameters.values[0], "a t");
    CHECK_EQ(parameters.formats[0], 0);
    value = EDDY_PG("tomorrow");
    CHECK_OK(encode_one(&value, EDDY_PG_DATE));
    CHECK_STR(parameters.values[0], "tomorrow");
    CHECK_EQ(parameters.formats[0], 0);
    value = EDDY_PG("2024-01-01 10:00"); /* in whose zone? */
    CHECK_OK(encode_one(&value, EDDY_PG_TIMESTAMPTZ));
    CHECK_EQ(parameters.formats[0], 0);
    value = EDDY_PG("{1,2}");
    CHECK_OK(encode_one(&value, 1007));
    CHECK_EQ(parameters.formats[0], 0);
    pg_parameters_free(&parameters);
}

/* P-TYPE-4, with what it recommends: neither a NUL nor another code gets to the server. */
RAW_TEST(encode_takes_texts_of_utf8_without_a_nul)
{
    static const uint32_t oids[] = {EDDY_PG_TEXT, EDDY_PG_JSONB, 3614, EDDY_PG_NUMERIC, 1009};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(oids); i++) {
        CHECK_REFUSED(eddy_pg_text_of("ab\0c", 4), oids[i], "a text that has a NUL at byte 2");
        CHECK_REFUSED(EDDY_PG("abc\xff"), oids[i], "a text that is not UTF-8 at byte 3");
    }
    pg_parameters_free(&parameters);
}

/* P-TYPE-1 */
RAW_TEST(encode_null_for_every_type)
{
    static const uint32_t oids[] = {EDDY_PG_BOOL, EDDY_PG_INT4, EDDY_PG_TEXT, EDDY_PG_NUMERIC,
                                    1007,         3614,         EDDY_PG_DATE, 999999};
    eddy_pg_value null = EDDY_PG(NULL);

    for (size_t i = 0; i < ED_ARRAY_LENGTH(oids); i++) {
        CHECK_OK(encode_one(&null, oids[i]));
        CHECK(!parameters.values[0]);
    }
    pg_parameters_free(&parameters);
}

/* P-Q-7, P-Q-8: the count, and which one it is. */
RAW_TEST(encode_counts_the_values_and_names_the_one_that_is_wrong)
{
    static const uint32_t oids[] = {EDDY_PG_INT4, EDDY_PG_BYTEA, EDDY_PG_TEXT, EDDY_PG_INT8};

    CHECK_FAILS(pg_parameters_encode(&parameters, NULL, oids, 4, EDDY_PG_VALUES(1, 2), 2),
                EDDY_EPG_VALUE, "2 values for a statement of 4 parameters");
    CHECK_FAILS(pg_parameters_encode(&parameters, NULL, oids, 4,
                                     EDDY_PG_VALUES(1, eddy_pg_bytea("", 0), 3, 4), 4),
                EDDY_EPG_VALUE, "$3: an integer for text");
    CHECK_OK(pg_parameters_encode(&parameters, NULL, oids, 4,
                                  EDDY_PG_VALUES(1, eddy_pg_bytea("xyz", 3), "three", NULL), 4));
    CHECK_EQ(parameters.count, 4);
    CHECK(memcmp(parameters.values[0], "\0\0\0\1", 4) == 0);
    CHECK(parameters.lengths[1] == 3 && memcmp(parameters.values[1], "xyz", 3) == 0);
    CHECK_STR(parameters.values[2], "three");
    CHECK(!parameters.values[3]);
    CHECK_OK(pg_parameters_encode(&parameters, NULL, NULL, 0, NULL, 0));
    CHECK_EQ(parameters.count, 0);
    pg_parameters_free(&parameters);
}

RAW_TEST(encode_fields_of_binary_copy)
{
    struct eddy_buffer_ buffer = {.data = NULL};
    eddy_pg_value values[] = {EDDY_PG(7), EDDY_PG(NULL), EDDY_PG("ab"), EDDY_PG("tomorrow")};

    CHECK_OK(pg_encode_field(&buffer, NULL, EDDY_PG_INT4, &values[0]));
    CHECK_OK(pg_encode_field(&buffer, NULL, EDDY_PG_INT4, &values[1]));
    CHECK_OK(pg_encode_field(&buffer, NULL, EDDY_PG_TEXT, &values[2]));
    CHECK_FAILS(pg_encode_field(&buffer, NULL, EDDY_PG_DATE, &values[3]), EDDY_EPG_VALUE,
                "\"tomorrow\" is no date");
    CHECK_EQ(pg_encode_field(&buffer, NULL, 3614, &values[2]), EDDY_EPG_VALUE);
    CHECK_EQ(ed_buffer_size(&buffer), 18);
    CHECK(memcmp(ed_buffer_bytes(&buffer), "\0\0\0\4\0\0\0\7\xff\xff\xff\xff\0\0\0\2ab", 18) == 0);
    ed_buffer_release(&buffer);
}
