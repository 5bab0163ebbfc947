/* SPDX-License-Identifier: MIT */
/* The texts of COPY statements: P-COPY-2. */
#include "harness.h"
#include "pg/copy.h"

static const char *const columns[] = {"a", "b\"c", NULL}, *const all[] = {"*", NULL};

static void check(const char *expected, int rc, struct eddy_buffer_ *sql)
{
    CHECK_EQ(rc, 0);
    CHECK_STR(ed_buffer_bytes(sql), expected);
    ed_buffer_release(sql);
}

TEST(pg_copy_writes_its_statement)
{
    struct eddy_buffer_ sql = {0};
    const eddy_pg_copy_options options = {.schema = "s",
                                          .columns = columns,
                                          .format = "csv",
                                          .delimiter = "'",
                                          .null = "\\N",
                                          .header = true,
                                          .force_quote = all,
                                          .force_null = columns};
    const eddy_pg_copy_options in = {.quote = "q",
                                     .escape = "e",
                                     .encoding = "UTF8",
                                     .force_not_null = columns,
                                     .where = "a > 1"};

    check("COPY \"t\" TO STDOUT", pg_copy_sql_out(&sql, "t", NULL), &sql);
    check("COPY \"t\" FROM STDIN", pg_copy_sql_in(&sql, "t", NULL), &sql);
    check("COPY (SELECT 1 -- one\n) TO STDOUT", pg_copy_sql_query(&sql, "SELECT 1 -- one", NULL),
          &sql);
    check("COPY \"s\".\"t\" (\"a\", \"b\"\"c\") TO STDOUT WITH (FORMAT 'csv', DELIMITER '''', "
          "NULL  E'\\\\N', HEADER true, FORCE_QUOTE *, FORCE_NULL (\"a\", \"b\"\"c\"))",
          pg_copy_sql_out(&sql, "t", &options), &sql);
    check("COPY \"t\" FROM STDIN WITH (QUOTE 'q', ESCAPE 'e', ENCODING 'UTF8', "
          "FORCE_NOT_NULL (\"a\", \"b\"\"c\")) WHERE a > 1",
          pg_copy_sql_in(&sql, "t", &in), &sql);
}

TEST(pg_copy_refuses_names_that_are_not_utf8)
{
    struct eddy_buffer_ sql = {0};

    CHECK_FAILS(pg_copy_sql_in(&sql, "t\xff", NULL), -EINVAL, "not UTF-8");
    ed_buffer_release(&sql);
}
