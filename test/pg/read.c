/* SPDX-License-Identifier: MIT */
/* Fields into variables. */
#include <math.h>

#include "eddy/stream.h"
#include "pg/calendar.h"
#include "pg/encode.h"
#include "values.h"

#define GET(variable, type, literal)                                                               \
    ({                                                                                             \
        EDDY_PG_RESULT got = test_value((type), BYTES(literal));                                   \
        eddy_pg_get(got, 0, (variable));                                                           \
    })
#define GET_TEXT(variable, type, text)                                                             \
    ({                                                                                             \
        EDDY_PG_RESULT got = test_text((type), (text));                                            \
        eddy_pg_get(got, 0, (variable));                                                           \
    })

RAW_TEST(read_integers_of_every_size_into_every_size)
{
    int8_t i8 = 0;
    uint8_t u8 = 0;
    int16_t i16 = 0;
    uint16_t u16 = 0;
    int32_t i32 = 0;
    uint32_t u32 = 0;
    int64_t i64 = 0;
    uint64_t u64 = 0;
    long long ll = 0;
    unsigned long long ull = 0;

    CHECK_OK(GET(&i8, EDDY_PG_INT4, "\xff\xff\xff\x80"));
    CHECK_EQ(i8, -128);
    CHECK_OK(GET(&u8, EDDY_PG_INT8, "\0\0\0\0\0\0\0\xff"));
    CHECK_EQ(u8, 255);
    CHECK_OK(GET(&i16, EDDY_PG_INT2, "\x80\0"));
    CHECK_EQ(i16, INT16_MIN);
    CHECK_OK(GET(&u16, EDDY_PG_OID, "\0\0\xff\xff"));
    CHECK_EQ(u16, UINT16_MAX);
    CHECK_OK(GET(&i32, EDDY_PG_INT4, "\x80\0\0\0"));
    CHECK_EQ(i32, INT32_MIN);
    CHECK_OK(GET(&i32, EDDY_PG_INT2, "\xff\xff"));
    CHECK_EQ(i32, -1);
    CHECK_OK(GET(&u32, EDDY_PG_OID, "\xff\xff\xff\xff"));
    CHECK_EQ(u32, UINT32_MAX);
    CHECK_OK(GET(&i64, EDDY_PG_INT8, "\x7f\xff\xff\xff\xff\xff\xff\xff"));
    CHECK_EQ(i64, INT64_MAX);
    CHECK_OK(GET(&i64, EDDY_PG_INT4, "\xff\xff\xff\xff"));
    CHECK_EQ(i64, -1);
    CHECK_OK(GET(&u64, 5069, "\xff\xff\xff\xff\xff\xff\xff\xff"));
    CHECK(u64 == UINT64_MAX);
    CHECK_OK(GET(&ll, EDDY_PG_BOOL, "\1"));
    CHECK_EQ(ll, 1);
    CHECK_OK(GET(&ull, EDDY_PG_NUMERIC, "\0\1\0\1\0\0\0\0\0\1")); /* sum(bigint) is one */
    CHECK_EQ(ull, 10000);
}

RAW_TEST(read_refuses_numbers_that_do_not_fit)
{
    int8_t i8 = 5;
    uint8_t u8 = 5;
    int32_t i32 = 5;
    uint32_t u32 = 5;
    int64_t i64 = 5;
    float f = 5;

    CHECK_FAILS(GET(&i8, EDDY_PG_INT4, "\0\0\0\x80"), -ERANGE, "column \"v\", int4, does not fit");
    CHECK_EQ(GET(&u8, EDDY_PG_INT2, "\xff\xff"), -ERANGE);
    CHECK_EQ(GET(&i32, EDDY_PG_INT8, "\0\0\0\0\x80\0\0\0"), -ERANGE);
    CHECK_EQ(GET(&i32, EDDY_PG_OID, "\x80\0\0\0"), -ERANGE);
    CHECK_EQ(GET(&u32, EDDY_PG_INT4, "\xff\xff\xff\xff"), -ERANGE);
    CHECK_EQ(GET(&i64, 5069, "\xff\xff\xff\xff\xff\xff\xff\xff"), -ERANGE);
    CHECK_EQ(GET(&i64, EDDY_PG_NUMERIC, "\0\1\xff\xff\0\0\0\1\x03\xe8"), -ERANGE); /* 0.1 */
    CHECK_EQ(GET(&i64, EDDY_PG_NUMERIC, "\0\0\0\0\xc0\0\0\0"), -ERANGE);           /* NaN */
    CHECK_EQ(GET(&f, EDDY_PG_FLOAT8, "\x7f\xe0\0\0\0\0\0\0"), -ERANGE);
    CHECK(i8 == 5 && u8 == 5 && i32 == 5 && u32 == 5 && i64 == 5 && f == 5);
}

RAW_TEST(read_refuses_values_of_other_types)
{
    eddy_pg_timestamp timestamp;
    eddy_pg_array_view array;
    eddy_pg_bytes bytes;
    eddy_pg_uuid uuid;
    eddy_pg_date date;
    double real;
    bool truth;
    int number;

    CHECK_FAILS(GET(&number, EDDY_PG_TEXT, "7"), EDDY_EPG_TYPE, "column \"v\" is text, not int32");
    CHECK_EQ(GET(&number, EDDY_PG_FLOAT8, "\0\0\0\0\0\0\0\0"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&number, 999999, "\0\0\0\0"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&real, EDDY_PG_TEXT, "7"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&real, EDDY_PG_BOOL, "\1"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&truth, EDDY_PG_INT4, "\0\0\0\1"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&date, EDDY_PG_TIMESTAMP, "\0\0\0\0\0\0\0\0"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&timestamp, EDDY_PG_DATE, "\0\0\0\0"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&uuid, EDDY_PG_TEXT, "1234567890123456"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&bytes, EDDY_PG_TEXT, "x"), EDDY_EPG_TYPE);
    CHECK_EQ(GET(&array, EDDY_PG_TEXT, "{}"), EDDY_EPG_TYPE);
    CHECK_EQ(GET_TEXT(&number, EDDY_PG_TEXT, "7"), EDDY_EPG_TYPE);
    CHECK_EQ(GET_TEXT(&date, EDDY_PG_TIMESTAMP, "2000-01-01 00:00:00"), EDDY_EPG_TYPE);
}

/* P-TYPE-8: the reader gets the error, and nothing is read behind the value's end. */
RAW_TEST(read_refuses_bytes_that_are_no_value)
{
    eddy_pg_timestamp timestamp;
    eddy_pg_array_view array;
    const char *text;
    int64_t number;
    char *copy;
    double real;

    CHECK_FAILS(GET(&number, EDDY_PG_INT4, "\0\0\0"), EDDY_EPG_PROTOCOL,
                "column \"v\" is not in the form of int4");
    CHECK_EQ(GET(&number, EDDY_PG_INT8, "\0\0\0\0\0\0\0\0\0"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET(&number, EDDY_PG_NUMERIC, "\0\2\0\0\0\0\0\0\0\1"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET(&real, EDDY_PG_FLOAT8, "\0\0\0\0"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET(&timestamp, EDDY_PG_TIMESTAMPTZ, "\0"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET(&text, EDDY_PG_JSONB, "\2{}"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET(&text, EDDY_PG_INT4, "\0"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET(&copy, EDDY_PG_UUID, "\0"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET(&array, 1007, "\0\0\0\1\0\0\0\0\0\0\0\x17"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET(&array, 1007, "\0\0\0\0\0\0\0\0\0\0\0\x19"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET_TEXT(&number, EDDY_PG_INT4, "x"), EDDY_EPG_PROTOCOL);
    CHECK_EQ(GET_TEXT(&array, 1007, "{1"), EDDY_EPG_PROTOCOL);
}

/* P-TYPE-1, of every reader. */
RAW_TEST(read_says_that_a_value_is_null)
{
    EDDY_PG_RESULT result = test_value(EDDY_PG_INT4, NULL, 0);
    eddy_pg_array_view array;
    eddy_pg_bytes bytes;
    eddy_pg_field field = {.data = NULL};
    eddy_pg_date date;
    const char *text = "untouched";
    char *copy = NULL;
    double real = 1;
    int number = 5;

    CHECK(eddy_pg_is_null(result, 0) && eddy_pg_is_null(result, "v"));
    CHECK_FAILS(eddy_pg_get(result, 0, &number), EDDY_EPG_NULL, "column \"v\" is NULL");
    CHECK_EQ(eddy_pg_get(result, 0, &text), EDDY_EPG_NULL);
    CHECK_EQ(eddy_pg_get(result, 0, &copy), EDDY_EPG_NULL);
    CHECK_EQ(eddy_pg_get(result, 0, &real), EDDY_EPG_NULL);
    CHECK_EQ(eddy_pg_get(result, 0, &date), EDDY_EPG_NULL);
    CHECK_EQ(eddy_pg_get(result, 0, &bytes), EDDY_EPG_NULL);
    CHECK_EQ(eddy_pg_get(result, 0, &array), EDDY_EPG_NULL);
    CHECK_OK(eddy_pg_get(result, 0, &field));
    CHECK(!field.data && number == 5 && !copy);
    CHECK_STR(text, "untouched");
}

/* NULL is told apart from what is empty. */
RAW_TEST(read_empty_values_are_not_null)
{
    EDDY_PG_RESULT result = test_value(EDDY_PG_TEXT, "", 0);
    eddy_pg_bytes bytes;
    const char *text;

    CHECK(!eddy_pg_is_null(result, 0));
    CHECK_OK(eddy_pg_get(result, 0, &text));
    CHECK_STR(text, "");
    CHECK_OK(GET(&bytes, EDDY_PG_BYTEA, ""));
    CHECK(bytes.data && bytes.size == 0);
}

RAW_TEST(read_floats_with_nan_and_infinities)
{
    double real;
    float single;

    CHECK_OK(GET(&real, EDDY_PG_FLOAT8, "\x7f\xf8\0\0\0\0\0\0"));
    CHECK(isnan(real));
    CHECK_OK(GET(&real, EDDY_PG_FLOAT4, "\xff\x80\0\0"));
    CHECK(isinf(real) && real < 0);
    CHECK_OK(GET(&single, EDDY_PG_FLOAT8, "\x7f\xf0\0\0\0\0\0\0"));
    CHECK(isinf(single));
    CHECK_OK(GET(&real, EDDY_PG_NUMERIC, "\0\0\0\0\xd0\0\0\0"));
    CHECK(isinf(real));
    CHECK_OK(GET(&real, EDDY_PG_INT4, "\0\0\0\7"));
    CHECK(real == 7);
}

RAW_TEST(read_numeric_as_a_scaled_integer)
{
    EDDY_PG_RESULT price = test_value(EDDY_PG_NUMERIC, BYTES("\0\2\0\0\x40\0\0\2\0\x13\x26\xac"));
    EDDY_PG_RESULT whole = test_value(EDDY_PG_INT4, BYTES("\0\0\0\7"));
    int64_t cents = 0;

    CHECK_OK(eddy_pg_read_decimal(eddy_pg_field_at(eddy_pg_row_at(price, 0), 0), 2, &cents));
    CHECK_EQ(cents, -1999);
    CHECK_EQ(eddy_pg_read_decimal(eddy_pg_field_at(eddy_pg_row_at(price, 0), 0), 1, &cents),
             -ERANGE);
    CHECK_EQ(eddy_pg_read_decimal(eddy_pg_field_at(eddy_pg_row_at(price, 0), 0), 18, &cents),
             -ERANGE);
    CHECK_OK(eddy_pg_read_decimal(eddy_pg_field_at(eddy_pg_row_at(whole, 0), 0), 2, &cents));
    CHECK_EQ(cents, 700);
    CHECK_EQ(eddy_pg_read_decimal(eddy_pg_field_at(eddy_pg_row_at(whole, 0), 0), 19, &cents),
             -ERANGE);
}

RAW_TEST(read_types_of_the_library)
{
    eddy_pg_date date;
    eddy_pg_time time;
    eddy_pg_timestamp timestamp;
    eddy_pg_interval interval;
    eddy_pg_uuid uuid;
    eddy_pg_inet inet;
    eddy_pg_mac mac;
    eddy_pg_bits bits;

    CHECK_OK(GET(&date, EDDY_PG_DATE, "\xff\xff\xff\xff"));
    CHECK_EQ(date.days, -1);
    CHECK_OK(GET(&time, EDDY_PG_TIME, "\0\0\0\0\0\0\0\1"));
    CHECK_EQ(time.microseconds, 1);
    CHECK_OK(GET(&timestamp, EDDY_PG_TIMESTAMP, "\x7f\xff\xff\xff\xff\xff\xff\xff"));
    CHECK_EQ(timestamp.microseconds, INT64_MAX);
    CHECK_OK(GET(&timestamp, EDDY_PG_TIMESTAMPTZ, "\0\0\0\0\0\0\0\1"));
    CHECK_EQ(timestamp.microseconds, 1);
    CHECK_OK(GET(&interval, EDDY_PG_INTERVAL, "\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0\1"));
    CHECK(interval.months == 1 && interval.days == 2 && interval.microseconds == 3);
    CHECK_OK(GET(&uuid, EDDY_PG_UUID, "0123456789abcdef"));
    CHECK_EQ(uuid.bytes[15], 'f');
    CHECK_OK(GET(&inet, EDDY_PG_CIDR, "\2\x08\1\4\x0a\0\0\0"));
    CHECK_EQ(inet.prefix, 8);
    CHECK_OK(GET(&mac, EDDY_PG_MACADDR, "\1\2\3\4\5\6"));
    CHECK_EQ(mac.size, 6);
    CHECK_OK(GET(&bits, EDDY_PG_VARBIT, "\0\0\0\3\xe0"));
    CHECK_EQ(bits.count, 3);
}

/* Where one column cannot travel in binary form all travel as text. */
RAW_TEST(read_values_that_came_as_text_all_the_same)
{
    EDDY_PG_RESULT result = test_result(
        (struct test_value[]){
            {"i", EDDY_PG_INT4, BYTES("-7"), true},
            {"d", EDDY_PG_FLOAT8, BYTES("1.5"), true},
            {"n", EDDY_PG_NUMERIC, BYTES("19.99"), true},
            {"b", EDDY_PG_BOOL, BYTES("t"), true},
            {"z", EDDY_PG_TIMESTAMPTZ, BYTES("2000-01-01 02:00:00+02"), true},
            {"x", EDDY_PG_BYTEA, BYTES("\\x00ff"), true},
            {"v", EDDY_PG_VARBIT, BYTES("101"), true},
            {"a", 1007, BYTES("{{1,NULL}}"), true},
            {"t", EDDY_PG_TEXT, BYTES("text"), true},
            {"s", 3614, BYTES("'a' 'b'"), true},
            {"u", 705, BYTES("42"), true},
        },
        11);
    eddy_pg_timestamp timestamp;
    eddy_pg_array_view array;
    eddy_pg_field element = {.data = NULL};
    eddy_pg_bytes bytes;
    eddy_pg_bits bits;
    const char *text;
    int64_t cents;
    double real;
    bool truth;
    int number;

    CHECK_OK(eddy_pg_get(result, "i", &number));
    CHECK_EQ(number, -7);
    CHECK_OK(eddy_pg_get(result, "d", &real));
    CHECK(real == 1.5);
    CHECK_OK(eddy_pg_get(result, "n", &real));
    CHECK(real == 19.99);
    CHECK_OK(eddy_pg_read_decimal(eddy_pg_field_named(eddy_pg_row_at(result, 0), "n"), 2, &cents));
    CHECK_EQ(cents, 1999);
    CHECK_OK(eddy_pg_get(result, "b", &truth));
    CHECK(truth);
    CHECK_OK(eddy_pg_get(result, "z", &timestamp));
    CHECK_EQ(timestamp.microseconds, 0);
    CHECK_OK(eddy_pg_get(result, "x", &bytes));
    CHECK(bytes.size == 2 && memcmp(bytes.data, "\0\xff", 2) == 0);
    CHECK_OK(eddy_pg_get(result, "v", &bits));
    CHECK(bits.count == 3 && bits.data[0] == 0xa0);
    CHECK_OK(eddy_pg_get(result, "a", &array));
    CHECK(array.count == 2 && array.dimensions == 2);
    CHECK_EQ(eddy_pg_next_element(&array, &element), 1);
    CHECK_OK(eddy_pg_read_int32(element, &number));
    CHECK_EQ(number, 1);
    CHECK_EQ(eddy_pg_next_element(&array, &element), 1);
    CHECK_EQ(eddy_pg_read_int32(element, &number), EDDY_EPG_NULL);
    CHECK_EQ(eddy_pg_next_element(&array, &element), 0);
    CHECK_OK(eddy_pg_get(result, "t", &text));
    CHECK_STR(text, "text");
    CHECK_OK(eddy_pg_get(result, "s", &text));
    CHECK_STR(text, "'a' 'b'");
    CHECK_OK(eddy_pg_get(result, "i", &text));
    CHECK_STR(text, "-7");
    CHECK_OK(eddy_pg_get(result, "u", &number)); /* of no type: what is wanted */
    CHECK_EQ(number, 42);
    CHECK_EQ(eddy_pg_get(result, "u", &timestamp), EDDY_EPG_TYPE);
}

RAW_TEST(read_texts_of_any_type_borrowed_or_owned)
{
    const char *text = NULL, *again = NULL;
    char *copy = NULL;
    EDDY_PG_RESULT number = test_value(EDDY_PG_NUMERIC, BYTES("\0\2\0\0\x40\0\0\2\0\x13\x26\xac"));
    EDDY_PG_RESULT json = test_value(EDDY_PG_JSONB, BYTES("\1{}"));

    CHECK_OK(eddy_pg_get(number, 0, &text));
    CHECK_OK(eddy_pg_get(number, 0, &again));
    CHECK_STR(text, "-19.99");
    CHECK_STR(again, "-19.99");
    CHECK_OK(eddy_pg_get(number, 0, &copy));
    CHECK_STR(copy, "-19.99");
    eddy_free(copy);
    CHECK_OK(eddy_pg_get(json, 0, &text));
    CHECK_STR(text, "{}");
    CHECK_OK(eddy_pg_get(json, 0, &copy));
    CHECK_STR(copy, "{}");
    eddy_free(copy);
}

/* An element's text ends with a NUL too: where one stands behind it, and where none does. */
RAW_TEST(read_elements_of_an_array_of_texts)
{
    EDDY_PG_RESULT result =
        test_value(1009, BYTES("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\4\0\0\0\1\0\0\0\2ab\0\0\0\3"
                               "cde"
                               "\xff\xff\xff\xff\0\0\0\1f"));
    static const char *const expected[] = {"ab", "cde", NULL, "f"};
    eddy_pg_array_view array;
    eddy_pg_field element = {.data = NULL};
    const char *text;

    CHECK_OK(eddy_pg_get(result, 0, &array));
    CHECK_EQ(array.count, 4);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(eddy_pg_next_element(&array, &element), 1);
        CHECK_EQ(element.data == NULL, expected[i] == NULL);
        if (!expected[i])
            continue;
        CHECK_OK(eddy_pg_read_text(element, &text));
        CHECK_STR(text, expected[i]);
    }
    CHECK_EQ(eddy_pg_next_element(&array, &element), 0);
    CHECK_EQ(eddy_pg_next_element(&array, &element), 0);
}

/* All that takes memory on the way of values, out and in. */
static int use_memory(void)
{
    static const uint32_t oids[] = {EDDY_PG_NUMERIC, 3614, 1007, 3643, EDDY_PG_JSONB};
    const eddy_pg_value *values =
        EDDY_PG_VALUES("1.5", eddy_pg_text_of("'a'", 3), eddy_pg_int_array((int64_t[]){1, 2}, 2),
                       eddy_pg_text_array((const char *const[]){"x y", NULL}, 2), "{}");
    const struct test_value columns[] = {
        {"x", EDDY_PG_BYTEA, BYTES("\\x00ff"), true},
        {"v", EDDY_PG_VARBIT, BYTES("101"), true},
        {"a", 1009, BYTES("{a,\"b c\"}"), true},
        {"r", 3904, BYTES("[1,2)"), true},
        {"n", EDDY_PG_NUMERIC, BYTES("1.50"), true},
        {"d", EDDY_PG_DATE, BYTES("2024-01-01"), true},
    };
    EDDY_PG_RESULT text = test_result(columns, 6);
    EDDY_PG_RESULT number = test_value(EDDY_PG_NUMERIC, BYTES("\0\1\0\0\0\0\0\0\0\7"));
    struct pg_parameters parameters = {.count = 0};
    eddy_pg_array_view array;
    eddy_pg_range_view range;
    eddy_pg_bytes bytes;
    eddy_pg_value *copy;
    const char *borrowed;
    eddy_pg_bits bits;
    char *owned = NULL;
    int rc = pg_parameters_encode(&parameters, NULL, oids, 5, values, 5);

    pg_parameters_free(&parameters);
    EDDY_TRY(rc);
    copy = pg_values_copy(values, 5);
    eddy_free(copy);
    if (!copy || !text || !number)
        return -ENOMEM;
    EDDY_TRY(eddy_pg_get(text, "x", &bytes));
    EDDY_TRY(eddy_pg_get(text, "v", &bits));
    EDDY_TRY(eddy_pg_get(text, "a", &array));
    EDDY_TRY(eddy_pg_get(text, "r", &range));
    EDDY_TRY(eddy_pg_get(number, 0, &borrowed));
    EDDY_TRY(eddy_pg_get(number, 0, &owned));
    eddy_free(owned);
    owned = eddy_pg_row_text(eddy_pg_row_at(text, 0));
    if (!owned)
        return -ENOMEM;
    rc = strcmp(owned, "<Record x=b'\\x00\\xff' v=<BitString 101> a=['a', 'b c'] r='[1,2)'"
                       " n=Decimal('1.50') d=datetime.date(2024, 1, 1)>");
    eddy_free(owned);
    return rc == 0 ? 0 : -EILSEQ;
}
EDDY_ASYNC(use_memory);

RAW_TEST(read_without_memory_anywhere)
{
    int rc = eddy_test_allocations(use_memory);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}
