/* SPDX-License-Identifier: MIT */
/* Quoting. */
#include "eddy/pg_connection.h"
#include "pg/connection.h"
#include "pg/database.h"

static void check_identifier(const char *name, const char *quoted)
{
    char *text = eddy_pg_quote_identifier(name);

    CHECK_STR(text ? text : "(null)", quoted);
    eddy_free(text);
}

static void check_literal(const char *value, const char *quoted)
{
    char *text = eddy_pg_quote_literal(value);

    CHECK_STR(text ? text : "(null)", quoted);
    eddy_free(text);
}

/* Issue 7, 3: identifiers are quoted by a function. */
RAW_TEST(pg_quote_doubles_what_would_end_a_name_or_text)
{
    check_identifier("users", "\"users\"");
    check_identifier("", "\"\"");
    check_identifier("a\"; DROP TABLE users; --", "\"a\"\"; DROP TABLE users; --\"");
    check_identifier("Größe", "\"Größe\"");
    check_literal("it's", "'it''s'");
    check_literal("", "''");
    check_literal("back\\slash'", " E'back\\\\slash'''");
}

/* A byte of a character cut short must not swallow the quote behind it. */
RAW_TEST(pg_quote_refuses_what_is_not_utf8)
{
    static const char *const texts[] = {"\xc3",         "\xe2\x82",         "\xc0\xaf",
                                        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
                                        "a\x80",        "\xe0\x80\x80",     "\xf0\x80\x80\x80"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK(eddy_pg_quote_identifier(texts[i]) == NULL);
        CHECK(eddy_pg_quote_literal(texts[i]) == NULL);
    }
    check_literal("\xf0\x9f\x90\x98", "'\xf0\x9f\x90\x98'");
}

/* The server reads back what was quoted, whatever standard_conforming_strings is. */
DATABASE_TEST(pg_quote_is_read_back_by_the_server)
{
    static const char text[] = "a'b\\c\"d\n$1 -- /*";
    char *quoted = eddy_pg_quote_literal(text), sql[128];
    char *back = NULL;

    snprintf(sql, sizeof sql, "SELECT %s::text", quoted);
    eddy_free(quoted);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(eddy_pg_fetchval(db, &back, sql));
        CHECK_STR(back, text);
        eddy_free(back);
        CHECK_OK(pg_command(db, "SET standard_conforming_strings = off"));
    }
}
