/* SPDX-License-Identifier: MIT */
/* Composites, ranges and multiranges, part by part; arrays are in read.c. */
#include "pg/database.h"
#include "values.h"

#define INT "\0\0\0\4\0\0\0"

RAW_TEST(read_parts_of_ranges_in_both_forms)
{
    EDDY_PG_RESULT binary = test_value(3904, BYTES("\2" INT "\1" INT "\x0a"));
    EDDY_PG_RESULT text = test_text(3904, "[1,10)"), half = test_text(3904, "(,5]");
    EDDY_PG_RESULT empty = test_value(3904, BYTES("\1")),
                   number = test_value(23, BYTES("\0\0\0\1"));
    EDDY_PG_RESULT wrong = test_value(3904, BYTES("\2")), none = test_text(3904, "[1");
    eddy_pg_result *both[] = {binary, text};
    eddy_pg_range_view range;
    int lower, upper;

    for (int i = 0; i < 2; i++) {
        CHECK_OK(eddy_pg_get(both[i], 0, &range));
        CHECK(!range.is_empty && range.includes_lower && !range.includes_upper);
        CHECK_OK(eddy_pg_read_int32(range.lower, &lower));
        CHECK_OK(eddy_pg_read_int32(range.upper, &upper));
        CHECK(lower == 1 && upper == 10);
    }
    CHECK_OK(eddy_pg_get(half, 0, &range));
    CHECK(!range.lower.data && range.upper.data && range.includes_upper);
    CHECK_OK(eddy_pg_get(empty, 0, &range));
    CHECK(range.is_empty && !range.lower.data && !range.upper.data);
    CHECK_EQ(eddy_pg_get(number, 0, &range), EDDY_EPG_TYPE);
    CHECK_EQ(eddy_pg_get(wrong, 0, &range), EDDY_EPG_PROTOCOL);
    CHECK_EQ(eddy_pg_get(none, 0, &range), EDDY_EPG_PROTOCOL);
}

RAW_TEST(read_parts_of_multiranges_in_both_forms)
{
    EDDY_PG_RESULT binary = test_value(
        4451, BYTES("\0\0\0\2\0\0\0\x11\2" INT "\1" INT "\3\0\0\0\x11\2" INT "\5" INT "\x08"));
    EDDY_PG_RESULT text = test_text(4451, "{[1,3),[5,8)}"), empty = test_text(4451, "{}");
    eddy_pg_result *both[] = {binary, text};
    eddy_pg_array_view ranges;
    eddy_pg_range_view range;
    eddy_pg_field element = {.data = NULL};
    int lower;

    for (int i = 0; i < 2; i++) {
        CHECK_OK(eddy_pg_get(both[i], 0, &ranges));
        CHECK(ranges.count == 2 && ranges.type == 3904);
        CHECK(eddy_pg_next_element(&ranges, &element) && eddy_pg_next_element(&ranges, &element));
        CHECK_OK(eddy_pg_read_range(element, &range));
        CHECK_OK(eddy_pg_read_int32(range.lower, &lower));
        CHECK_EQ(lower, 5);
        CHECK(!eddy_pg_next_element(&ranges, &element));
    }
    CHECK_OK(eddy_pg_get(empty, 0, &ranges));
    CHECK_EQ(ranges.count, 0);
}

/* A record has no types: its fields are what is wanted of them. */
RAW_TEST(read_parts_of_a_record)
{
    EDDY_PG_RESULT record = test_text(2249, "(7,\"a b\",,\"(1,2)\")");
    EDDY_PG_RESULT text = test_text(25, "(7)"), bad = test_text(2249, "(7");
    eddy_pg_composite_view view;
    eddy_pg_field field = {.data = NULL};
    const char *name;
    int number;

    CHECK_OK(eddy_pg_get(record, 0, &view));
    CHECK_EQ(view.count, 4);
    CHECK_EQ(eddy_pg_next_field(&view, &field), 1);
    CHECK_OK(eddy_pg_read_int32(field, &number));
    CHECK_EQ(number, 7);
    CHECK_EQ(eddy_pg_next_field(&view, &field), 1);
    CHECK_OK(eddy_pg_read_text(field, &name));
    CHECK_STR(name, "a b");
    CHECK_EQ(eddy_pg_next_field(&view, &field), 1);
    CHECK_EQ(eddy_pg_read_int32(field, &number), EDDY_EPG_NULL);
    CHECK_EQ(eddy_pg_next_field(&view, &field), 1);
    CHECK_EQ(eddy_pg_next_field(&view, &field), 0);
    CHECK_EQ(eddy_pg_get(text, 0, &view), EDDY_EPG_TYPE);
    CHECK_EQ(eddy_pg_get(bad, 0, &view), EDDY_EPG_PROTOCOL);
}

/* A composite from a server: in binary form, and beside a column that has none. */
DATABASE_TEST(read_parts_of_a_composite_of_the_server)
{
    static const char *const statements[] = {
        "SELECT ROW(7, 'it''s', ARRAY[1, NULL], '[1,2]')::pg_temp.four",
        "SELECT ROW(7, 'it''s', ARRAY[1, NULL], '[1,2]')::pg_temp.four, '1'::money",
    };

    CHECK_OK(
        eddy_pg_execute(db, "CREATE TYPE pg_temp.four AS (n int4, t text, a int4[], r int4range)"));
    for (int i = 0; i < 2; i++) {
        EDDY_PG_RESULT result = NULL;
        eddy_pg_composite_view view;
        eddy_pg_array_view array;
        eddy_pg_range_view range;
        eddy_pg_field field = {.data = NULL};
        const char *text;
        int number;

        CHECK_OK(eddy_pg_fetch(db, &result, statements[i]));
        CHECK_OK(eddy_pg_get(result, 0, &view));
        CHECK(view.count == 4 && view.is_text == (i == 1));
        CHECK_EQ(eddy_pg_next_field(&view, &field), 1);
        CHECK_EQ(field.type, EDDY_PG_INT4);
        CHECK_OK(eddy_pg_read_int32(field, &number));
        CHECK_EQ(number, 7);
        CHECK_EQ(eddy_pg_next_field(&view, &field), 1);
        CHECK_OK(eddy_pg_read_text(field, &text));
        CHECK_STR(text, "it's");
        CHECK_EQ(eddy_pg_next_field(&view, &field), 1);
        CHECK_OK(eddy_pg_read_array(field, &array));
        CHECK_EQ(array.count, 2);
        CHECK_EQ(eddy_pg_next_field(&view, &field), 1);
        CHECK_OK(eddy_pg_read_range(field, &range));
        CHECK_OK(eddy_pg_read_int32(range.upper, &number));
        CHECK_EQ(number, 3);
        CHECK_EQ(eddy_pg_next_field(&view, &field), 0);
    }
}
