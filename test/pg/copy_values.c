/* SPDX-License-Identifier: MIT */
/* Values in a query for COPY: P-COPY-1. What needs no server is above, what does below. */
#include "pg/copy.h"

#include "copies.h"

static const char *const literals[] = {"('one'::text)", "(2::int)", "(3::int)"};

/* What becomes of a query, or the name of the error. */
static const char *substituted(const char *sql, bool escapes)
{
    static char text[1000];
    struct eddy_buffer_ out = {0};
    int rc = pg_copy_substitute(sql, literals, 3, escapes, &out);

    snprintf(text, sizeof text, "%s", rc < 0 ? eddy_error_name(rc) : ed_buffer_bytes(&out));
    ed_buffer_release(&out);
    return text;
}

static void check(const char *sql, const char *expected)
{
    CHECK_STR(substituted(sql, false), expected);
}

static void check_same(const char *sql)
{
    check(sql, sql);
}

TEST(pg_copy_puts_literals_in_the_place_of_parameters)
{
    check("SELECT $1", "SELECT ('one'::text)");
    check("SELECT $1,$2+$3", "SELECT ('one'::text),(2::int)+(3::int)");
    check("$2", "(2::int)");
    check("SELECT a[$2]", "SELECT a[(2::int)]");
    check("SELECT 1-$2", "SELECT 1-(2::int)");
    check("SELECT 1$2", "SELECT 1(2::int)");
    check("SELECT $1::text", "SELECT ('one'::text)::text");
    check("", "");
}

TEST(pg_copy_leaves_what_only_looks_like_a_parameter)
{
    check_same("SELECT '$1'");
    check_same("SELECT 'it''s $1'");
    check_same("SELECT \"$1\", \"a\"\"$1\"");
    check_same("SELECT a$1, _$1, \xc3\xa4$1");
    check_same("SELECT $$ $1 ' $$");
    check_same("SELECT $a$ $1 $$ $b$ $1 $a$");
    check_same("SELECT $\xc3\xa4_1$ $1 $\xc3\xa4_1$");
    check_same("SELECT 1 -- $1");
    check_same("SELECT 1 /* $1 /* $1 */ $1 */");
    check_same("SELECT 1 /* ' $1 */");
    check_same("SELECT B'$1', X'$1', N'$1', U&'$1', U&\"$1\"");
    check_same("SELECT 'open $1");
    check_same("SELECT $$ open $1");
    check_same("SELECT /* open $1");
}

TEST(pg_copy_finds_the_end_of_what_it_leaves)
{
    check("SELECT 'a' || $1", "SELECT 'a' || ('one'::text)");
    check("SELECT '' || $1", "SELECT '' || ('one'::text)");
    check("SELECT 'a\\' || $1", "SELECT 'a\\' || ('one'::text)");
    check("SELECT \"a\\\" || $1", "SELECT \"a\\\" || ('one'::text)");
    check("SELECT $$a$$ || $1", "SELECT $$a$$ || ('one'::text)");
    check("SELECT $a$ $ $a $ $a$ || $1", "SELECT $a$ $ $a $ $a$ || ('one'::text)");
    check("SELECT 1 -- ' \n , $2", "SELECT 1 -- ' \n , (2::int)");
    check("SELECT 1 +--\r$2", "SELECT 1 +--\r(2::int)");
    check("SELECT 1 /**/ + $2", "SELECT 1 /**/ + (2::int)");
    check("SELECT 1 /*/*/ */*/ + $2", "SELECT 1 /*/*/ */*/ + (2::int)");
    check("SELECT 5 / $2 * $3", "SELECT 5 / (2::int) * (3::int)");
    check("SELECT 5 $ $2", "SELECT 5 $ (2::int)");
}

TEST(pg_copy_knows_where_backslashes_escape)
{
    check_same("SELECT E'a\\' $1'");
    check_same("SELECT e'a\\\\\\' $1'");
    check("SELECT E'a\\\\', $2", "SELECT E'a\\\\', (2::int)");
    check("SELECT nameE'a\\', $2, '", "SELECT nameE'a\\', (2::int), '");
    check_same("SELECT E'a'\n'b\\' $1'");
    check_same("SELECT E'a' -- it's\n  'b\\' $1'");
    check("SELECT E'a' 'b\\', $2", "SELECT E'a' 'b\\', (2::int)");
    CHECK_STR(substituted("SELECT 'a\\' $1'", true), "SELECT 'a\\' $1'");
    CHECK_STR(substituted("SELECT N'a\\' $1'", true), "SELECT N'a\\' $1'");
    CHECK_STR(substituted("SELECT 'a'\n'\\' $1'", true), "SELECT 'a'\n'\\' $1'");
    CHECK_STR(substituted("SELECT \"a\\\", $2", true), "SELECT \"a\\\", (2::int)");
}

TEST(pg_copy_refuses_a_parameter_that_has_no_value)
{
    check("SELECT $4", "EDDY_EPG_VALUE");
    check("SELECT $0", "EDDY_EPG_VALUE");
    check("SELECT $99999999999999999999", "EDDY_EPG_VALUE");
}

/* With a server --------------------------------------------------------------------- */

/* Copies a query of one text out, and compares what came, without its newline. */
static void check_out(eddy_pg_connection *db, const char *expected, const char *sql,
                      const eddy_pg_value *values, size_t count)
{
    const eddy_pg_copy_options options = {
        .format = "csv", .delimiter = "\x01", .quote = "\x02", .escape = "\x02"};
    COPIES_SINK(sink, collector, data, size);

    CHECK_EQ(eddy_pg_copy_query_out_values(db, &options, sink, sql, values, count), 1);
    CHECK_OK(eddy_stream_close(&sink));
    CHECK_OK(eddy_await(collector));
    CHECK(size > 0);
    data[size - 1] = '\0';
    CHECK_STR(data, expected);
}

/* P-COPY-1: a query with values of many types, none of which becomes SQL. */
TEST(pg_copy_of_a_query_quotes_its_values)
{
    static const char *const hostile[] = {"it's",
                                          "\\",
                                          "\\'",
                                          "'; DROP TABLE t; --",
                                          "$1",
                                          "$$",
                                          "E'",
                                          "a\\",
                                          "''",
                                          "\xc3\xa4",
                                          "/* ",
                                          "-- ",
                                          "\"",
                                          "U&'",
                                          "')::text) TO STDOUT; DROP TABLE t; --"};
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(copies_open(&db));
    for (int on = 0; on < 2; on++) {
        CHECK_OK(eddy_pg_execute(db, on ? "SET standard_conforming_strings = on"
                                        : "SET standard_conforming_strings = off; "
                                          "SET escape_string_warning = off"));
        for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
            const eddy_pg_value values[] = {eddy_pg_text(hostile[i])};

            check_out(db, hostile[i], "SELECT $1::text", values, 1);
            check_out(db, hostile[i], "SELECT coalesce($1, 'it''s $1')", values, 1);
        }
    }
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
}

TEST(pg_copy_of_a_query_keeps_the_types_of_its_values)
{
    const int64_t numbers[] = {1, 2, 3};
    const char *const texts[] = {"a'b", NULL, "c\\d"};
    const eddy_pg_value values[] = {EDDY_PG(7),
                                    eddy_pg_null(),
                                    EDDY_PG(0.1),
                                    eddy_pg_int_array(numbers, 3),
                                    eddy_pg_text_array(texts, 3),
                                    eddy_pg_bytea("\0'\\", 3),
                                    EDDY_PG(true)};
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(copies_open(&db));
    check_out(db, "integer t double precision 3 a'b bytea 00275c t",
              "SELECT concat_ws(' ', pg_typeof($1 + 1), $2::int IS NULL, pg_typeof($3::float8), "
              "($4::int[])[3], ($5::text[])[1], pg_typeof($6::bytea), encode($6, 'hex'), $7::bool)",
              values, 7);
    check_out(db, "abc", "SELECT $1::bpchar", (eddy_pg_value[]){eddy_pg_text("abc")}, 1);
}

TEST(pg_copy_of_a_query_refuses_what_does_not_fit)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL, far = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_EQ(eddy_pg_copy_query_out(db, NULL, near, "SELECT $1::int", "many"), EDDY_EPG_VALUE);
    CHECK_EQ(eddy_pg_copy_query_out(db, NULL, near, "SELECT $1::int", 1, 2), EDDY_EPG_VALUE);
    CHECK_EQ(eddy_pg_copy_query_out(db, NULL, near, "SELECT $1::int; SELECT 2", 1),
             EDDY_EPG_SYNTAX_ERROR);
    CHECK_EQ(copies_count(db, "SELECT 1"), 1);
}
