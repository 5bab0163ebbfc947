/* SPDX-License-Identifier: MIT */
/* Rows of values into a table: P-COPY-1, -5, -6. */
#include "copies.h"

TEST(pg_copy_takes_records)
{
    EDDY_PG_CONNECTION db = NULL;
    const eddy_pg_value values[] = {EDDY_PG(1),     EDDY_PG("one"), EDDY_PG(2),
                                    eddy_pg_null(), EDDY_PG(3),     EDDY_PG("it's \\ \t\n")};

    CHECK_OK(copies_open(&db));
    CHECK_EQ(eddy_pg_copy_records(db, "t", NULL, values, 3, 2), 3);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t WHERE name IS NULL AND i = 2"), 1);
    CHECK_EQ(copies_count(db, "SELECT i FROM t WHERE name = E'it''s \\\\ \\t\\n'"), 3);
    CHECK_EQ(eddy_pg_copy_records(db, "t", NULL, NULL, 0, 2), 0);
}

/* Columns by name, in any order; generated ones take none. */
TEST(pg_copy_takes_records_for_some_columns)
{
    EDDY_PG_CONNECTION db = NULL;
    const char *columns[] = {"b", "A a", NULL}, *none[] = {"c", NULL};
    const eddy_pg_value values[] = {EDDY_PG("x"), EDDY_PG(1.5)};
    const eddy_pg_value more[] = {EDDY_PG(2.5), EDDY_PG("y")};

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMPORARY TABLE g (\"A a\" float8, gone int, "
                                 "c text GENERATED ALWAYS AS (b || '!') STORED, b text)"));
    CHECK_OK(eddy_pg_execute(db, "ALTER TABLE g DROP COLUMN gone"));
    CHECK_EQ(
        eddy_pg_copy_records(db, "g", &(eddy_pg_copy_options){.columns = columns}, values, 1, 2),
        1);
    CHECK_EQ(
        eddy_pg_copy_records(db, "g", &(eddy_pg_copy_options){.schema = "pg_temp"}, more, 1, 2), 1);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM g WHERE (\"A a\", c) IN "
                              "((1.5, 'x!'), (2.5, 'y!'))"),
             2);
    CHECK_FAILS(
        (int)eddy_pg_copy_records(db, "g", &(eddy_pg_copy_options){.columns = none}, values, 1, 1),
        EDDY_EPG_UNDEFINED_COLUMN, "no column \"c\"");
    CHECK_EQ(eddy_pg_copy_records(db, "nothing", NULL, values, 1, 2), EDDY_EPG_UNDEFINED_TABLE);
}

/* P-COPY-6: a value that does not fit says where it stands, and nothing stays. */
TEST(pg_copy_names_the_row_and_column_of_a_bad_value)
{
    EDDY_PG_CONNECTION db = NULL;
    const eddy_pg_value values[] = {EDDY_PG(1), EDDY_PG("one"), EDDY_PG("two"), EDDY_PG("two")};

    CHECK_OK(copies_open(&db));
    CHECK_FAILS((int)eddy_pg_copy_records(db, "t", NULL, values, 2, 2), EDDY_EPG_VALUE,
                "row 2, column \"i\": ");
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
    CHECK_FAILS((int)eddy_pg_copy_records(db, "t", NULL, values, 1, 3), EDDY_EPG_VALUE,
                "3 values in a row, for 2 columns");
    CHECK_FAILS(
        (int)eddy_pg_copy_records(db, "t", &(eddy_pg_copy_options){.format = "csv"}, values, 1, 2),
        -EINVAL, "binary form");
}

static int numbers(eddy_generator *g, int count, int fail)
{
    for (int i = 0; i < count; i++) {
        const eddy_pg_value values[] = {EDDY_PG(i), EDDY_PG("name")}, *row = values;

        EDDY_TRY(eddy_sleep(0));
        EDDY_TRY(eddy_yield(g, &row));
    }
    return fail;
}
EDDY_ASYNC_GENERATOR(const eddy_pg_value *, numbers, int, int);

/* P-COPY-6: from a generator, which may wait; P-COPY-5: its error undoes all. */
TEST(pg_copy_takes_records_from_a_generator)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_EQ(eddy_pg_copy_records_from(db, "t", NULL, eddy_generate(numbers, 20000, 0)), 20000);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 20000);
    CHECK_OK(eddy_pg_execute(db, "DELETE FROM t"));
    CHECK_EQ(eddy_pg_copy_records_from(db, "t", NULL, eddy_generate(numbers, 20000, -EDOM)), -EDOM);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
    CHECK_EQ(eddy_pg_copy_records_from(db, "t", NULL, NULL), -ENOMEM);
}

/* P-COPY-7: the server's refusal ends a generator that would not end by itself. */
TEST(pg_copy_of_records_stops_when_the_server_refuses)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_execute(db, "INSERT INTO t VALUES (10)"));
    CHECK_EQ(eddy_pg_copy_records_from(db, "t", NULL, eddy_generate(numbers, 1 << 30, 0)),
             EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 1);
}

/* P-TYPE: each kind of value by the type of its column, domains and arrays too. */
TEST(pg_copy_encodes_records_by_the_types_of_columns)
{
    EDDY_PG_CONNECTION db = NULL;
    const int64_t numbers_of[] = {1, 2, 3};
    const eddy_pg_value values[] = {EDDY_PG(true),
                                    EDDY_PG(7),
                                    EDDY_PG(1LL << 40),
                                    EDDY_PG(0.5),
                                    eddy_pg_decimal(1999, 2),
                                    EDDY_PG("{\"a\": 1}"),
                                    eddy_pg_bytea("\0x", 2),
                                    EDDY_PG(9),
                                    eddy_pg_int_array(numbers_of, 3),
                                    EDDY_PG("happy")};

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_execute(db, "CREATE TYPE pg_temp.mood AS ENUM ('sad', 'happy');"
                                 "CREATE DOMAIN pg_temp.digit AS int CHECK (value < 10);"
                                 "CREATE TEMPORARY TABLE k (a bool, b int2, c int8, d float8, "
                                 "e numeric, f jsonb, g bytea, h pg_temp.digit, i int[], "
                                 "j pg_temp.mood)"));
    CHECK_EQ(eddy_pg_copy_records(db, "k", NULL, values, 1, 10), 1);
    CHECK_EQ(copies_count(db,
                          "SELECT count(*)::int FROM k WHERE a AND b = 7 AND c = 1::bigint << 40 "
                          "AND d = 0.5 AND e = 19.99 AND f->>'a' = '1' AND g = '\\x0078' "
                          "AND h = 9 AND i = '{1,2,3}' AND j = 'happy'"),
             1);
}

static int short_records(void)
{
    EDDY_PG_CONNECTION db = NULL;
    int count;

    EDDY_TRY(copies_open(&db));
    EDDY_TRY(eddy_pg_copy_records_from(db, "t", NULL, eddy_generate(numbers, 3, 0)));
    EDDY_TRY(count = copies_count(db, "SELECT count(*)::int FROM t"));
    return eddy_expect_equal(count, 3);
}
EDDY_ASYNC(short_records);

RAW_TEST(pg_copy_of_records_survives_every_cancel_and_lack_of_memory)
{
    (void)pg_test_dsn();
    CHECK_OK(eddy_test_cancels(short_records));
    CHECK_OK(eddy_test_allocations(short_records));
}
