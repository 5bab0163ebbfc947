/* SPDX-License-Identifier: MIT */
/* Cursors (P-CUR). */
#include "pg/database.h"

static long long first_of(const eddy_pg_result *result)
{
    int value = -1;

    return eddy_pg_get(result, 0, &value) < 0 ? -1 : value;
}

/* P-CUR-1 */
DATABASE_TEST(pg_cursor_is_for_a_transaction)
{
    EDDY_PG_CURSOR cursor = NULL;

    CHECK_EQ(eddy_pg_cursor_open(db, &cursor, "SELECT 1"), EDDY_EPG_NO_ACTIVE_TRANSACTION);
    CHECK(cursor == NULL);
    CHECK_IN_SYNC(db);
}

/* P-CUR-3 */
DATABASE_TEST(pg_cursor_fetches_skips_and_ends)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_CURSOR cursor = NULL;
    EDDY_PG_RESULT result = NULL;

    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_OK(
        eddy_pg_cursor_open(db, &cursor, "SELECT i, $2 FROM generate_series(1, $1) i", 10, "x"));
    CHECK_OK(eddy_pg_cursor_fetch(cursor, 3, &result));
    CHECK_EQ(eddy_pg_rows_count(result), 3);
    CHECK_EQ(first_of(result), 1);
    eddy_pg_result_free(&result);
    CHECK_EQ(eddy_pg_cursor_forward(cursor, 2), 2);
    CHECK_OK(eddy_pg_cursor_fetch(cursor, 1, &result));
    CHECK_EQ(first_of(result), 6);
    eddy_pg_result_free(&result);
    CHECK_OK(eddy_pg_cursor_fetch(cursor, (size_t)1 << 40, &result));
    CHECK_EQ(eddy_pg_rows_count(result), 4);
    eddy_pg_result_free(&result);
    for (int i = 0; i < 2; i++) { /* for ever */
        CHECK_OK(eddy_pg_cursor_fetch(cursor, 5, &result));
        CHECK_EQ(eddy_pg_rows_count(result), 0);
        eddy_pg_result_free(&result);
        CHECK_EQ(eddy_pg_cursor_forward(cursor, 5), 0);
    }
    CHECK_EQ(eddy_pg_cursor_fetch(cursor, 0, &result), -EINVAL);
    CHECK_EQ(eddy_pg_cursor_forward(cursor, 0), -EINVAL);
}

/* P-CUR-4: several are open together, and other statements run between. */
DATABASE_TEST(pg_cursors_go_side_by_side)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_CURSOR one = NULL, two = NULL;

    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_OK(eddy_pg_cursor_open(db, &one, "SELECT generate_series(1, 100)"));
    CHECK_OK(eddy_pg_cursor_open(db, &two, "SELECT generate_series(101, 200)"));
    for (int i = 1; i <= 5; i++) {
        EDDY_PG_RESULT result = NULL, other = NULL;

        CHECK_OK(eddy_pg_cursor_fetch(one, 1, &result));
        CHECK_EQ(first_of(result), i);
        CHECK_EQ(number_of(db, "SELECT 7"), 7);
        CHECK_OK(eddy_pg_cursor_fetch(two, 1, &other));
        CHECK_EQ(first_of(other), 100 + i);
    }
    CHECK_OK(eddy_pg_commit(transaction));
}

/* P-CUR-4: it ends with its transaction, and does not harm the next one. */
DATABASE_TEST(pg_cursor_ends_with_its_transaction)
{
    EDDY_PG_CURSOR cursor = NULL;
    EDDY_PG_RESULT result = NULL;
    EDDY_PG_TRANSACTION next = NULL;

    {
        EDDY_PG_TRANSACTION transaction = NULL;

        CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
        CHECK_OK(eddy_pg_cursor_open(db, &cursor, "SELECT generate_series(1, 100)"));
        CHECK_OK(eddy_pg_commit(transaction));
    }
    CHECK_EQ(eddy_pg_cursor_fetch(cursor, 1, &result), EDDY_EPG_USE);
    CHECK_OK(eddy_pg_begin(db, NULL, &next));
    CHECK_EQ(eddy_pg_cursor_fetch(cursor, 1, &result), EDDY_EPG_USE);
    CHECK_EQ(eddy_pg_cursor_forward(cursor, 1), EDDY_EPG_USE);
    CHECK_EQ(number_of(db, "SELECT 7"), 7);
    CHECK_OK(eddy_pg_commit(next));
}

/* A cursor whose connection was closed first is freed all the same. */
TEST(pg_cursor_ends_with_its_connection)
{
    EDDY_PG_CURSOR cursor = NULL;
    EDDY_PG_RESULT result = NULL;
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_execute(db, "BEGIN"));
    CHECK_OK(eddy_pg_cursor_open(db, &cursor, "SELECT 1"));
    eddy_pg_close(&db);
    CHECK_EQ(eddy_pg_cursor_fetch(cursor, 1, &result), EDDY_EPG_USE);
}

/* P-CUR-2: rows in order, a batch at a time. P-CUR-5: leaving early is fine. */
DATABASE_TEST(pg_cursor_rows_come_in_batches)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    eddy_pg_row row;
    int rc, expected = 0, value;

    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    EDDY_FOR_EACH(rc, row, eddy_pg_cursor_rows(db, 7, "SELECT generate_series(1, $1)", 100)) {
        CHECK_OK(eddy_pg_get(row, 0, &value));
        CHECK_EQ(value, ++expected);
        if (value == 50)
            CHECK_EQ(number_of(db, "SELECT 7"), 7);
    }
    CHECK_OK(rc);
    CHECK_EQ(expected, 100);
    EDDY_FOR_EACH(rc, row, eddy_pg_cursor_rows(db, 0, "SELECT generate_series(1, 1000000)")) {
        CHECK_OK(eddy_pg_get(row, 0, &value));
        if (value == 75)
            break;
    }
    CHECK_OK(rc);
    CHECK_OK(eddy_pg_commit(transaction));
    CHECK_IN_SYNC(db);
}

/* A value that does not fit, and a query that fails, are told when the cursor is opened. */
DATABASE_TEST(pg_cursor_errors_are_told)
{
    EDDY_PG_TRANSACTION transaction = NULL;
    EDDY_PG_CURSOR cursor = NULL;
    eddy_pg_row row;
    int rc;

    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_EQ(eddy_pg_cursor_open(db, &cursor, "SELECT $1::int2", 70000), EDDY_EPG_VALUE);
    CHECK_EQ(number_of(db, "SELECT 7"), 7);
    EDDY_FOR_EACH(rc, row, eddy_pg_cursor_rows(db, 0, "SELECT * FROM there_is_none"))
        CHECK(false);
    CHECK_EQ(rc, EDDY_EPG_UNDEFINED_TABLE);
    CHECK_EQ(eddy_pg_commit(transaction), EDDY_EPG_ROLLED_BACK);
    CHECK_IN_SYNC(db);
}

/* Generators that nobody asks for anything are freed with their values. */
DATABASE_TEST(pg_cursor_rows_that_never_start_leave_nothing)
{
    EDDY_GENERATOR rows = eddy_pg_cursor_rows(db, 0, "SELECT $1", "a text");

    CHECK(rows != NULL);
    CHECK_IN_SYNC(db);
}
