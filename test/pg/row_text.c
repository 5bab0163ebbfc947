/* SPDX-License-Identifier: MIT */
/* Rows as asyncpg prints them (P-REC-1). */
#include "eddy/stream.h"
#include "pg/append.h"
#include "values.h"

/* What Python shows of a value in text form; and of the same in binary form. */
static void check_shown(uint32_t type, const char *text, const char *shown)
{
    struct eddy_buffer_ binary = {.data = NULL};
    EDDY_PG_RESULT as_text = test_text(type, text), as_binary = NULL;
    char expected[512], *row = eddy_pg_row_text(eddy_pg_row_at(as_text, 0));

    (void)snprintf(expected, sizeof expected, "<Record v=%s>", shown);
    CHECK_STR(row, expected);
    eddy_free(row);
    if (pg_parse(pg_types_find(NULL, type)->kind, text, strlen(text), &binary) == 0) {
        as_binary = test_value(type, binary.data ? ed_buffer_bytes(&binary) : "",
                               (int)ed_buffer_size(&binary));
        row = eddy_pg_row_text(eddy_pg_row_at(as_binary, 0));
        CHECK_STR(row, expected);
        eddy_free(row);
    }
    ed_buffer_release(&binary);
}

RAW_TEST(row_text_is_a_record_of_names_and_values)
{
    EDDY_PG_RESULT result = test_result(
        (struct test_value[]){
            {"id", EDDY_PG_INT4, BYTES("\0\0\0\1"), false},
            {"name", EDDY_PG_TEXT, BYTES("Ann"), false},
            {"?column?", EDDY_PG_BOOL, NULL, 0, false},
        },
        3);
    EDDY_PG_RESULT none = test_result(NULL, 0);
    char *text = eddy_pg_row_text(eddy_pg_row_at(result, 0)), printed[128] = "";
    FILE *file = fmemopen(printed, sizeof printed, "w");

    CHECK_STR(text, "<Record id=1 name='Ann' ?column?=None>");
    eddy_free(text);
    eddy_pg_print(eddy_pg_row_at(result, 0), file);
    (void)fclose(file);
    CHECK_STR(printed, "<Record id=1 name='Ann' ?column?=None>\n");
    text = eddy_pg_row_text(eddy_pg_row_at(none, 0));
    CHECK_STR(text, "<Record>");
    eddy_free(text);
}

RAW_TEST(row_text_quotes_texts_as_python_does)
{
    check_shown(EDDY_PG_TEXT, "", "''");
    check_shown(EDDY_PG_TEXT, "it's", "\"it's\"");
    check_shown(EDDY_PG_TEXT, "\"x\"", "'\"x\"'");
    check_shown(EDDY_PG_TEXT, "'\"", "'\\'\"'");
    check_shown(EDDY_PG_TEXT, "a\\b\t\n\r\x1b\x7f", "'a\\\\b\\t\\n\\r\\x1b\\x7f'");
    check_shown(EDDY_PG_TEXT, "äö€\xf0\x9f\x98\x80", "'äö€\xf0\x9f\x98\x80'");
    check_shown(EDDY_PG_TEXT, "\xc2\xa0\xe2\x80\xa8\xf3\xa0\x80\x81", "'\\xa0\\u2028\\U000e0001'");
    check_shown(EDDY_PG_BYTEA, "\\x00417f2027ff0a", "b\"\\x00A\\x7f '\\xff\\n\"");
}

RAW_TEST(row_text_shows_numbers_as_python_does)
{
    check_shown(EDDY_PG_BOOL, "t", "True");
    check_shown(EDDY_PG_BOOL, "f", "False");
    check_shown(EDDY_PG_INT8, "-9223372036854775808", "-9223372036854775808");
    check_shown(EDDY_PG_FLOAT8, "1", "1.0");
    check_shown(EDDY_PG_FLOAT8, "-0", "-0.0");
    check_shown(EDDY_PG_FLOAT8, "1e15", "1000000000000000.0");
    check_shown(EDDY_PG_FLOAT8, "1e16", "1e+16");
    check_shown(EDDY_PG_FLOAT8, "1.5e-05", "1.5e-05");
    check_shown(EDDY_PG_FLOAT8, "0.00012", "0.00012");
    check_shown(EDDY_PG_FLOAT8, "1e+23", "1e+23");
    check_shown(EDDY_PG_FLOAT8, "123.25", "123.25");
    check_shown(EDDY_PG_FLOAT8, "1e100", "1e+100");
    check_shown(EDDY_PG_FLOAT8, "NaN", "nan");
    check_shown(EDDY_PG_FLOAT8, "-Infinity", "-inf");
    check_shown(EDDY_PG_NUMERIC, "1.50", "Decimal('1.50')");
    check_shown(EDDY_PG_NUMERIC, "NaN", "Decimal('NaN')");
}

RAW_TEST(row_text_shows_dates_as_python_does)
{
    check_shown(EDDY_PG_DATE, "2024-02-29", "datetime.date(2024, 2, 29)");
    check_shown(EDDY_PG_DATE, "infinity", "datetime.date(9999, 12, 31)");
    check_shown(EDDY_PG_DATE, "-infinity", "datetime.date(1, 1, 1)");
    check_shown(EDDY_PG_DATE, "0044-03-15 BC", "'0044-03-15 BC'");
    check_shown(EDDY_PG_TIME, "10:30:00", "datetime.time(10, 30)");
    check_shown(EDDY_PG_TIME, "10:30:05.000001", "datetime.time(10, 30, 5, 1)");
    check_shown(EDDY_PG_TIME, "24:00:00", "'24:00:00'");
    check_shown(EDDY_PG_TIMETZ, "10:30:00+00",
                "datetime.time(10, 30, tzinfo=datetime.timezone.utc)");
    check_shown(EDDY_PG_TIMETZ, "10:30:00-01",
                "datetime.time(10, 30, tzinfo=datetime.timezone(datetime.timedelta(days=-1,"
                " seconds=82800)))");
    check_shown(EDDY_PG_TIMESTAMP, "2024-02-29 10:30:00", "datetime.datetime(2024, 2, 29, 10, 30)");
    check_shown(EDDY_PG_TIMESTAMP, "1999-12-31 23:59:59.5",
                "datetime.datetime(1999, 12, 31, 23, 59, 59, 500000)");
    check_shown(EDDY_PG_TIMESTAMPTZ, "2024-02-29 10:30:01+00",
                "datetime.datetime(2024, 2, 29, 10, 30, 1, tzinfo=datetime.timezone.utc)");
    check_shown(EDDY_PG_TIMESTAMP, "infinity", "'infinity'");
    check_shown(EDDY_PG_INTERVAL, "00:00:00", "datetime.timedelta(0)");
    check_shown(EDDY_PG_INTERVAL, "1 year 2 mons 3 days 00:00:05.5",
                "datetime.timedelta(days=428, seconds=5, microseconds=500000)");
    check_shown(EDDY_PG_INTERVAL, "-00:00:01", "datetime.timedelta(days=-1, seconds=86399)");
}

RAW_TEST(row_text_shows_other_objects_as_python_does)
{
    check_shown(EDDY_PG_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                "UUID('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')");
    check_shown(EDDY_PG_INET, "1.2.3.4", "IPv4Address('1.2.3.4')");
    check_shown(EDDY_PG_INET, "1.2.3.4/24", "IPv4Interface('1.2.3.4/24')");
    check_shown(EDDY_PG_CIDR, "2001:db8::/32", "IPv6Network('2001:db8::/32')");
    check_shown(EDDY_PG_MACADDR, "08:00:2b:01:02:03", "'08:00:2b:01:02:03'");
    check_shown(EDDY_PG_VARBIT, "101010", "<BitString 1010 10>");
    check_shown(EDDY_PG_JSONB, "{\"a\": 1}", "'{\"a\": 1}'");
    check_shown(1007, "{}", "[]");
    check_shown(1007, "{{1,2},{NULL,4}}", "[[1, 2], [None, 4]]");
    check_shown(1009, "{a,\"b c\"}", "['a', 'b c']");
    check_shown(3614, "'a' 'b'", "\"'a' 'b'\"");
}

/* P-TYPE-8: what is no value is shown as such, the others are shown all the same. */
RAW_TEST(row_text_shows_what_cannot_be_read)
{
    EDDY_PG_RESULT result = test_result(
        (struct test_value[]){
            {"a", EDDY_PG_NUMERIC, BYTES("\0"), false},
            {"b", EDDY_PG_DATE, BYTES("\0"), false},
            {"c", 1007, BYTES("\0"), false},
            {"d", EDDY_PG_UUID, BYTES("\0"), false},
            {"e", 999999, BYTES("\0"), false},
            {"f", EDDY_PG_INT2, BYTES("\0\1"), false},
        },
        6);
    char *text = eddy_pg_row_text(eddy_pg_row_at(result, 0));

    CHECK_STR(text, "<Record a=Decimal('?') b=? c=? d=? e=? f=1>");
    eddy_free(text);
}
