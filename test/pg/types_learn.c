/* SPDX-License-Identifier: MIT */
/* Types that the server tells of (P-PREP-7). */
#include "eddy/stream.h"
#include "pg/connection.h"
#include "pg/database.h"
#include "pg/types.h"

#define MAKE                                                                                       \
    "BEGIN; CREATE SCHEMA learned; SET LOCAL search_path TO learned;"                              \
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');"                                        \
    "CREATE DOMAIN age AS int4 CHECK (VALUE >= 0);"                                                \
    "CREATE DOMAIN older AS age CHECK (VALUE > 17);"                                               \
    "CREATE DOMAIN ages AS int4[];"                                                                \
    "CREATE TYPE pair AS (n age, t text, m mood[]);"                                               \
    "CREATE TYPE pairs AS (a pair, b pair);"                                                       \
    "CREATE TYPE words AS (v tsvector);"                                                           \
    "CREATE TYPE moods AS RANGE (subtype = mood);"

/* Within a transaction that is never committed, so that nothing is left of it. */
#define LEARN_TEST(name)                                                                           \
    static void name##_in(eddy_pg_connection *db);                                                 \
    DATABASE_TEST(name)                                                                            \
    {                                                                                              \
        CHECK_OK(eddy_pg_execute(db, MAKE));                                                       \
        name##_in(db);                                                                             \
    }                                                                                              \
    static void name##_in(eddy_pg_connection *db)

/* The text form of a statement's one value. */
#define CHECK_VALUE(db, expected, ...)                                                             \
    do {                                                                                           \
        char *value_of = NULL;                                                                     \
                                                                                                   \
        CHECK_OK(eddy_pg_fetchval((db), &value_of, __VA_ARGS__));                                  \
        CHECK_STR(value_of, (expected));                                                           \
        eddy_free(value_of);                                                                       \
    } while (0)

LEARN_TEST(types_learn_enums)
{
    EDDY_PG_RESULT result = NULL;
    const char *text = NULL;

    CHECK_OK(eddy_pg_fetch(db, &result, "SELECT 'ok'::mood AS m, 1"));
    CHECK_OK(eddy_pg_get(result, "m", &text));
    CHECK_STR(text, "ok");
    CHECK_STR(eddy_pg_column_type_name(result, 0), "mood");
    CHECK_VALUE(db, "very happy", "SELECT $1::mood", "very happy");
    CHECK_VALUE(db, "{ok,\"very happy\",NULL}", "SELECT $1::mood[]",
                eddy_pg_text_array((const char *const[]){"ok", "very happy", NULL}, 3));
    CHECK_EQ(eddy_pg_execute(db, "SELECT $1::mood", 7), EDDY_EPG_VALUE);
}

LEARN_TEST(types_learn_domains_as_their_bases)
{
    int age = 0;

    CHECK_OK(eddy_pg_fetchval(db, &age, "SELECT $1::older", 40));
    CHECK_EQ(age, 40);
    CHECK_FAILS((int)eddy_pg_execute(db, "SELECT $1::older", "x"), EDDY_EPG_VALUE, "a text for");
    CHECK_VALUE(db, "{1,2}", "SELECT $1::ages", eddy_pg_int_array((const int64_t[]){1, 2}, 2));
    CHECK_VALUE(db, "{1,2}", "SELECT $1::age[]", eddy_pg_int_array((const int64_t[]){1, 2}, 2));
    CHECK_VALUE(db, "{20}", "SELECT ARRAY[20::older]");
    CHECK_EQ(eddy_pg_execute(db, "SELECT $1::older", 7), EDDY_EPG_CHECK_VIOLATION);
}

LEARN_TEST(types_learn_composites_and_what_is_in_them)
{
    CHECK_VALUE(db, "(7,\"a \"\"b\"\", c\",\"{ok,NULL}\")",
                "SELECT ROW(7, 'a \"b\", c', ARRAY['ok', NULL]::mood[])::pair");
    CHECK_VALUE(db, "(\"(1,,)\",)", "SELECT ROW(ROW(1, NULL, NULL)::pair, NULL)::pairs");
    CHECK_VALUE(db, "{\"(1,x,)\"}", "SELECT ARRAY[ROW(1, 'x', NULL)::pair]");
    CHECK_VALUE(db, "(5,five,{sad})", "SELECT $1::pair", "(5,five,{sad})");
    CHECK_VALUE(db, "('a')", "SELECT ROW('a'::tsvector)::words");
    CHECK_VALUE(db, "(1,a)", "SELECT ROW(1, 'a'::text)");
}

LEARN_TEST(types_learn_ranges_and_multiranges)
{
    CHECK_VALUE(db, "[sad,\"very happy\")", "SELECT moods('sad', 'very happy')");
    CHECK_VALUE(db, "[ok,\"very happy\"]", "SELECT $1::moods", "[ok,very happy]");
    if (eddy_pg_server_version(db) >= 140000)
        CHECK_VALUE(db, "{[sad,ok)}", "SELECT multirange(moods('sad', 'ok'))");
}

LEARN_TEST(types_learn_each_type_once)
{
    const struct pg_type *first;
    uint32_t oid = 0;

    CHECK_OK(eddy_pg_fetchval(db, &oid, "SELECT 'mood'::regtype::oid"));
    CHECK_VALUE(db, "ok", "SELECT 'ok'::mood");
    first = pg_types_find(pg_connection_types(db), oid);
    CHECK(first && first->kind == PG_KIND_TEXT);
    CHECK_VALUE(db, "sad", "SELECT 'sad'::mood");
    CHECK(pg_types_find(pg_connection_types(db), oid) == first);
}

/* An extension's type that sends as text does; and one that has a form of its own. */
DATABASE_TEST(types_learn_types_of_extensions)
{
    if (number_of(db, "SELECT count(*) FROM pg_available_extensions"
                      " WHERE name IN ('citext', 'hstore')") < 2)
        test_skip("the server's contrib modules are not installed");
    CHECK_OK(eddy_pg_execute(
        db, "BEGIN; CREATE SCHEMA extended; CREATE EXTENSION citext SCHEMA extended;"
            "CREATE EXTENSION hstore SCHEMA extended;"
            "SET LOCAL search_path TO extended, pg_catalog"));
    CHECK_VALUE(db, "Ann", "SELECT $1::citext", "Ann");
    CHECK_VALUE(db, "true", "SELECT ($1::citext = 'ANN')::text", "Ann");
    CHECK_VALUE(db, "{A,b}", "SELECT ARRAY['A', 'b']::citext[]");
    CHECK_VALUE(db, "\"a\"=>\"1\"", "SELECT 'a=>1'::hstore");
    CHECK_VALUE(db, "\"a\"=>\"1\"", "SELECT $1::hstore", "a=>1");
}

/* What is not there any more is known to be nothing, once. */
DATABASE_TEST(types_learn_that_a_type_is_gone)
{
    struct pg_operation operation;
    uint32_t oid = 4000000000;

    CHECK_OK(pg_operation_begin(&operation, db, "test"));
    CHECK_OK(pg_operation_end(&operation, pg_types_learn(&operation, &oid, 1)));
    CHECK_EQ(pg_types_find(pg_connection_types(db), oid)->kind, PG_KIND_FOREIGN);
    CHECK_IN_SYNC(db);
}

/* A statement of types that are not known yet. */
static int learn_types(void)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_RESULT result = NULL;

    EDDY_TRY(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    EDDY_TRY((int)eddy_pg_execute(db,
                                  "CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok');"
                                  "CREATE TYPE pg_temp.moods AS (a pg_temp.mood[], b int4range);"));
    return eddy_pg_fetch(db, &result, "SELECT $1::pg_temp.moods", "({ok},)");
}
EDDY_ASYNC(learn_types);

RAW_TEST(types_learn_cancelled_anywhere)
{
    int rc;

    (void)pg_test_dsn();
    rc = eddy_test_cancels(learn_types);
    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}

RAW_TEST(types_learn_without_memory_anywhere)
{
    int rc;

    (void)pg_test_dsn();
    rc = eddy_test_allocations(learn_types);
    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}
