/* SPDX-License-Identifier: MIT */
/* Results and the fields in them. */
#include "pg/result.h"

#include "values.h"

static eddy_pg_result *three_columns(void)
{
    return test_result(
        (struct test_value[]){
            {"id", EDDY_PG_INT4, BYTES("\0\0\0\7"), false},
            {"name", EDDY_PG_TEXT, BYTES("Ann"), false},
            {"id", EDDY_PG_INT4, NULL, 0, false},
        },
        3);
}

/* P-REC-1, P-REC-2: by index, from the end too, and by name. */
RAW_TEST(result_fields_are_found_by_index_and_by_name)
{
    EDDY_PG_RESULT result = three_columns();
    eddy_pg_row row = eddy_pg_row_at(result, 0);
    const char *name = NULL;
    int id = 0;

    CHECK_OK(eddy_pg_get(row, 0, &id));
    CHECK_EQ(id, 7);
    CHECK_OK(eddy_pg_get(row, -2, &name));
    CHECK_STR(name, "Ann");
    CHECK_OK(eddy_pg_get(row, "name", &name));
    CHECK_OK(eddy_pg_get(result, 0, &id));
    CHECK_FAILS(eddy_pg_get(row, "none", &id), -ENOENT, "no column \"none\"");
    CHECK_FAILS(eddy_pg_get(row, 3, &id), -ERANGE, "no column 3: there are 3");
    CHECK_EQ(eddy_pg_get(row, -4, &id), -ERANGE);
    CHECK(!eddy_pg_is_null(row, "none") && !eddy_pg_is_null(row, 3));
    CHECK_EQ(id, 7);
}

/* P-REC-3: of columns of one name the last is found by it, all of them by index. */
RAW_TEST(result_finds_the_last_column_of_a_name)
{
    EDDY_PG_RESULT result = three_columns();
    eddy_pg_row row = eddy_pg_row_at(result, 0);
    int id = 3;

    CHECK_EQ(eddy_pg_column_index(result, "id"), 2);
    CHECK_EQ(eddy_pg_column_index(result, "x"), -ENOENT);
    CHECK(eddy_pg_is_null(row, "id") && eddy_pg_is_null(row, 2) && !eddy_pg_is_null(row, 0));
    CHECK_FAILS(eddy_pg_get(row, "id", &id), EDDY_EPG_NULL, "column \"id\" is NULL");
    CHECK_EQ(id, 3);
}

RAW_TEST(result_tells_of_its_columns)
{
    EDDY_PG_RESULT result = three_columns();

    CHECK_EQ(eddy_pg_columns(result), 3);
    CHECK_STR(eddy_pg_column_name(result, 1), "name");
    CHECK(!eddy_pg_column_name(result, 3));
    CHECK_EQ(eddy_pg_column_type(result, 1), EDDY_PG_TEXT);
    CHECK_STR(eddy_pg_column_type_name(result, 0), "int4");
    CHECK(!eddy_pg_column_type_name(result, 3));
    CHECK_STR(eddy_pg_tag(result), "");
    CHECK_EQ(eddy_pg_affected(result), 0);
}

RAW_TEST(result_rows_are_walked_over)
{
    PGresult *libpq = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc column = {.name = (char *)(uintptr_t) "n", .typid = EDDY_PG_INT4, .format = 1};
    EDDY_PG_RESULT rows = NULL;
    int sum = 0, n;
    eddy_pg_row each;

    CHECK(PQsetResultAttrs(libpq, 1, &column));
    for (int i = 0; i < 10; i++)
        CHECK(PQsetvalue(libpq, i, 0, (char[]){0, 0, 0, (char)i}, 4));
    rows = pg_result_new(libpq, NULL);
    CHECK_EQ(eddy_pg_rows_count(rows), 10);
    EDDY_PG_FOR_EACH(each, rows) {
        CHECK_OK(eddy_pg_get(each, "n", &n));
        sum = sum * 10 + n;
    }
    CHECK_EQ(sum, 123456789);
    CHECK_OK(eddy_pg_get(eddy_pg_row_at(rows, -1), 0, &n));
    CHECK_EQ(n, 9);
    CHECK(!eddy_pg_row_at(rows, 10).result && !eddy_pg_row_at(rows, -11).result);
    CHECK_EQ(eddy_pg_get(eddy_pg_row_at(rows, 10), 0, &n), EDDY_EPG_NO_ROW);
    CHECK_EQ(eddy_pg_get(eddy_pg_row_at(rows, 10), "n", &n), EDDY_EPG_NO_ROW);
    CHECK(!eddy_pg_row_at(NULL, 0).result);
}

/* A row generator puts other rows into the same object. */
RAW_TEST(result_takes_other_rows_and_frees_what_was_made_of_the_old)
{
    EDDY_PG_RESULT result = test_value(EDDY_PG_INT4, BYTES("\0\0\0\1"));
    EDDY_PG_RESULT other = test_value(EDDY_PG_INT4, BYTES("\0\0\0\2"));
    const char *text;

    CHECK_OK(eddy_pg_get(result, 0, &text));
    CHECK_STR(text, "1");
    pg_result_replace(result, PQcopyResult(other->libpq, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES));
    CHECK_OK(eddy_pg_get(result, "v", &text));
    CHECK_STR(text, "2");
}

RAW_TEST(result_without_memory_is_none)
{
    eddy_pg_result *none = NULL;

    eddy_pg_result_free(&none);
    CHECK(!none);
}
