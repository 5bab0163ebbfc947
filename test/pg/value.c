/* SPDX-License-Identifier: MIT */
/* Parameters from C values. */
#include "pg/value.h"

#include "base/compat.h"
#include "eddy/stream_class.h"
#include "harness.h"

/* Each type of C gives the value that is meant. */
RAW_TEST(value_of_each_type_of_c)
{
    static const char text[] = "text";
    const char *const pointer = text;
    enum { ONE = 1, TWO } two = TWO;
    char copy[8] = "copy";
    const eddy_pg_value values[] = {
        EDDY_PG((bool)true),
        EDDY_PG('a'),
        EDDY_PG((unsigned char)200),
        EDDY_PG((short)-3),
        EDDY_PG(two),
        EDDY_PG(4000000000u),
        EDDY_PG(-5l),
        EDDY_PG(UINT64_MAX),
        EDDY_PG((size_t)6),
        EDDY_PG(-7ll),
        EDDY_PG(1.5f),
        EDDY_PG(2.5),
        EDDY_PG("literal"),
        EDDY_PG(text),
        EDDY_PG(pointer),
        EDDY_PG(copy),
        EDDY_PG((const char *)NULL),
        EDDY_PG(NULL),
        EDDY_PG((void *)copy),
        EDDY_PG(eddy_pg_decimal(1999, 2)),
    };
    static const enum pg_value_kind kinds[] = {
        PG_VALUE_BOOL,   PG_VALUE_INT,    PG_VALUE_INT,  PG_VALUE_INT,     PG_VALUE_INT,
        PG_VALUE_INT,    PG_VALUE_INT,    PG_VALUE_UINT, PG_VALUE_INT,     PG_VALUE_INT,
        PG_VALUE_DOUBLE, PG_VALUE_DOUBLE, PG_VALUE_TEXT, PG_VALUE_TEXT,    PG_VALUE_TEXT,
        PG_VALUE_TEXT,   PG_VALUE_NULL,   PG_VALUE_NULL, PG_VALUE_POINTER, PG_VALUE_DECIMAL,
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(values); i++)
        CHECK_EQ(values[i].kind, kinds[i]);
    CHECK_EQ(values[2].integer, 200);
    CHECK_EQ(values[5].integer, 4000000000);
    CHECK_EQ(values[6].integer, -5);
    CHECK(values[7].natural == UINT64_MAX);
    CHECK(values[10].real == 1.5);
    CHECK_EQ(values[12].size, 7);
    CHECK_EQ((eddy_pg_value){0}.kind, PG_VALUE_NULL);
}

RAW_TEST(value_holds_the_types_of_the_library)
{
    const eddy_pg_inet inet = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 64, true};
    const eddy_pg_uuid uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    const eddy_pg_mac mac = {{1, 2, 3, 4, 5, 6}, 6};
    const eddy_pg_interval interval = {-1, -2, -3};
    eddy_pg_value value = EDDY_PG(inet);

    CHECK_EQ(pg_value_inet(&value).prefix, 64);
    CHECK(pg_value_inet(&value).ipv6 && memcmp(pg_value_inet(&value).bytes, inet.bytes, 16) == 0);
    value = EDDY_PG(uuid);
    CHECK(memcmp(pg_value_uuid(&value).bytes, uuid.bytes, 16) == 0);
    value = EDDY_PG(mac);
    CHECK(pg_value_mac(&value).size == 6 && memcmp(pg_value_mac(&value).bytes, mac.bytes, 8) == 0);
    value = EDDY_PG(interval);
    CHECK(pg_value_interval(&value).months == -1 && pg_value_interval(&value).days == -2);
    CHECK_EQ(pg_value_interval(&value).microseconds, -3);
    value = EDDY_PG(((eddy_pg_time){5, -3600}));
    CHECK(pg_value_time(&value).microseconds == 5 && pg_value_time(&value).zone == -3600);
    value = EDDY_PG(((eddy_pg_date){-9}));
    CHECK_EQ(pg_value_date(&value).days, -9);
    CHECK_EQ(EDDY_PG(((eddy_pg_bytes){"ab", 2})).kind, PG_VALUE_BYTES);
    CHECK_EQ(EDDY_PG(((eddy_pg_bits){NULL, 0})).kind, PG_VALUE_BITS);
}

RAW_TEST(value_lists_have_from_none_to_thirty_two)
{
    const eddy_pg_value *values = EDDY_PG_VALUES(1, "two", 3.0);

    CHECK_EQ(EDDY_PG_COUNT(), 0);
    CHECK_EQ(EDDY_PG_COUNT(1), 1);
    CHECK_EQ(EDDY_PG_COUNT(1, "two", 3.0), 3);
    CHECK_EQ(EDDY_PG_COUNT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                           21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32),
             32);
    CHECK_EQ(values[0].integer, 1);
    CHECK_STR((const char *)values[1].pointer, "two");
    CHECK(values[2].real == 3);
    values = EDDY_PG_VALUES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                            21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32);
    for (int i = 0; i < 32; i++)
        CHECK_EQ(values[i].integer, i + 1);
    CHECK(EDDY_PG_VALUES());
}

static int evaluated;
static int evaluate(void)
{
    return ++evaluated;
}

RAW_TEST(value_expressions_are_evaluated_once)
{
    const eddy_pg_value *values = EDDY_PG_VALUES(evaluate(), evaluate());

    CHECK(values[0].integer == 1 && values[1].integer == 2);
    CHECK_EQ(EDDY_PG_COUNT(evaluate()), 1);
    CHECK_EQ(evaluated, 2);
}

RAW_TEST(value_copies_take_all_with_them)
{
    char text[] = "text", *texts[] = {text, NULL}, bytes[] = {1, 2, 3};
    int64_t ints[] = {1, 2, 3};
    double doubles[] = {1.5};
    uint8_t bits[] = {0xff, 0x80};
    eddy_pg_value parts[] = {eddy_pg_text(text), eddy_pg_null(), eddy_pg_int(5)};
    eddy_pg_value values[] = {
        eddy_pg_text(text),
        eddy_pg_text_of(text, 2),
        eddy_pg_bytea(bytes, 3),
        eddy_pg_int_array(ints, 3),
        eddy_pg_double_array(doubles, 1),
        eddy_pg_text_array((const char *const *)texts, 2),
        eddy_pg_array(parts, 3),
        eddy_pg_of_bits((eddy_pg_bits){bits, 9}),
        eddy_pg_int(7),
    };
    eddy_pg_value *copy = pg_values_copy(values, ED_ARRAY_LENGTH(values)), element;

    memset(text, 'x', 4), memset(bytes, 9, 3), memset(ints, 9, sizeof ints), doubles[0] = 9;
    memset(bits, 0, 2), parts[2] = eddy_pg_null(), texts[0] = NULL;
    memset(values, 0xff, sizeof values);
    CHECK_STR((const char *)copy[0].pointer, "text");
    CHECK(copy[1].size == 2 && memcmp(copy[1].pointer, "te", 2) == 0);
    CHECK(memcmp(copy[2].pointer, "\1\2\3", 3) == 0);
    CHECK_EQ(pg_value_element(&copy[3], 2).integer, 3);
    CHECK(pg_value_element(&copy[4], 0).real == 1.5);
    element = pg_value_element(&copy[5], 0);
    CHECK_STR((const char *)element.pointer, "text");
    CHECK_EQ(pg_value_element(&copy[5], 1).kind, PG_VALUE_NULL);
    element = pg_value_element(&copy[6], 0);
    CHECK_STR((const char *)element.pointer, "text");
    CHECK_EQ(pg_value_element(&copy[6], 2).integer, 5);
    CHECK(memcmp(copy[7].pointer, "\xff\x80", 2) == 0);
    CHECK_EQ(copy[8].integer, 7);
    eddy_free(copy);
    copy = pg_values_copy(NULL, 0);
    CHECK(copy);
    eddy_free(copy);
}
