/* SPDX-License-Identifier: MIT */
/* Rows one by one: a generator with bounded memory. */
#include <malloc.h>

#include "pg/database.h"

DATABASE_TEST(pg_rows_come_one_by_one_in_order)
{
    eddy_pg_row row;
    int rc, value, expected = 0;

    EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, "SELECT generate_series(1, $1)", 5000)) {
        CHECK_OK(eddy_pg_get(row, 0, &value));
        CHECK_EQ(value, ++expected);
    }
    CHECK_OK(rc);
    CHECK_EQ(expected, 5000);
    CHECK_STR(eddy_pg_last_tag(db), "SELECT 5000");
    CHECK_IN_SYNC(db);
}

/* P-Q-14: a result of 100 MB takes no memory to speak of, however slowly it is read. */
DATABASE_TEST(pg_rows_take_bounded_memory)
{
    struct mallinfo2 before = mallinfo2(), now;
    eddy_pg_row row;
    size_t count = 0;
    int rc;

    EDDY_FOR_EACH(rc, row,
                  eddy_pg_rows(db, "SELECT repeat('x', 10000) FROM generate_series(1, 10000)")) {
        if (count++ % 1000 == 0)
            CHECK_OK(eddy_sleep(0.001));
        now = mallinfo2();
        CHECK(now.uordblks + now.hblkhd < before.uordblks + before.hblkhd + (size_t)1024 * 1024);
    }
    CHECK_OK(rc);
    CHECK_EQ(count, 10000);
    CHECK_IN_SYNC(db);
}

/* The connection is busy meanwhile; leaving early stops the query and the next one is right. */
DATABASE_TEST(pg_rows_that_are_left_early_stop_the_query)
{
    double begun = eddy_time();
    eddy_pg_row row;
    int rc, value;

    for (int i = 0; i < 5; i++) {
        EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, "SELECT generate_series(1, 1000000000)")) {
            CHECK_OK(eddy_pg_get(row, 0, &value));
            CHECK_EQ(number_of(db, "SELECT 1"), -EBUSY);
            if (value == 10 * i + 1)
                break;
        }
        CHECK_OK(rc);
        CHECK_IN_SYNC(db);
    }
    CHECK(eddy_time() - begun < 15);
}

/* An error comes where it happens, behind the rows before it. */
DATABASE_TEST(pg_rows_tell_of_errors_behind_rows)
{
    eddy_pg_row row;
    int rc, count = 0;

    EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, "SELECT 1 / (50 - i) FROM generate_series(1, 100) i"))
        count++;
    CHECK_EQ(rc, EDDY_EPG_DIVISION_BY_ZERO);
    CHECK_EQ(count, 49);
    EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, "SELECT $1::int2", 70000))
        count++;
    CHECK_EQ(rc, EDDY_EPG_VALUE);
    CHECK_IN_SYNC(db);
}

/* One that never starts leaves nothing, and says nothing to the server. */
DATABASE_TEST(pg_rows_that_never_start_leave_nothing)
{
    EDDY_GENERATOR rows = eddy_pg_rows(db, "SELECT $1", "a text");

    CHECK(rows != NULL);
    CHECK_IN_SYNC(db);
}

/* A limit around one wait does not break the generator's rules, and ends the query. */
DATABASE_TEST(pg_rows_can_be_limited_between_two_of_them)
{
    eddy_pg_row row;
    int rc, count = 0;
    EDDY_GENERATOR rows = eddy_pg_rows(db, "SELECT i FROM (SELECT 1 AS i UNION ALL "
                                           "SELECT 2 FROM pg_sleep(30)) s");

    for (;;) {
        EDDY_TIMEOUT(limit, 0.2);
        rc = eddy_next(rows, &row);
        if (rc <= 0)
            break;
        count++;
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK(count <= 1);
    CHECK_IN_SYNC(db);
}
