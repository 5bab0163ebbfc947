/* SPDX-License-Identifier: MIT */
/* One statement for many rows: all or nothing (P-Q-9, P-Q-11). */
#include <malloc.h>
#include <stdlib.h>

#include "pg/database.h"

#define INSERT "INSERT INTO t VALUES ($1, $2)"

static int make_table(eddy_pg_connection *db)
{
    return (int)eddy_pg_execute(db, "CREATE TEMP TABLE t (a int PRIMARY KEY, b text)");
}

static long long rows(eddy_pg_connection *db)
{
    return number_of(db, "SELECT count(*) FROM t");
}

/* P-Q-9 */
DATABASE_TEST(pg_executemany_inserts_all_rows)
{
    eddy_pg_value values[200];

    for (int i = 0; i < 100; i++) {
        values[2 * i] = eddy_pg_int(i);
        values[2 * i + 1] = eddy_pg_text(i % 2 ? "odd" : NULL);
    }
    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_executemany(db, INSERT, values, 100, 2));
    CHECK_EQ(rows(db), 100);
    CHECK_EQ(number_of(db, "SELECT count(b) FROM t"), 50);
    CHECK_STR(eddy_pg_last_tag(db), "SELECT 1");
    CHECK_IN_SYNC(db);
}

/* P-Q-9: an empty list is fine. */
DATABASE_TEST(pg_executemany_of_nothing_is_fine)
{
    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_executemany(db, INSERT, NULL, 0, 2));
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

/* P-Q-9: a row that the server refuses undoes all. */
DATABASE_TEST(pg_executemany_is_all_or_nothing)
{
    eddy_pg_value values[8];

    for (int i = 0; i < 4; i++) {
        values[2 * i] = eddy_pg_int(i % 3); /* 0 twice */
        values[2 * i + 1] = eddy_pg_text("x");
    }
    CHECK_OK(make_table(db));
    CHECK_EQ(eddy_pg_executemany(db, INSERT, values, 4, 2), EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

/* P-Q-11: a value that does not fit names its row, and undoes all. */
DATABASE_TEST(pg_executemany_names_the_row_that_does_not_fit)
{
    eddy_pg_value values[] = {eddy_pg_int(1), eddy_pg_text("a"), eddy_pg_int((int64_t)1 << 40),
                              eddy_pg_text("b")};
    int rc;

    CHECK_OK(make_table(db));
    rc = eddy_pg_executemany(db, INSERT, values, 2, 2);
    CHECK_EQ(rc, EDDY_EPG_VALUE);
    CHECK_HAS(eddy_error_message(rc), "row 1: $1");
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

/* P-Q-11: within a transaction nothing of it stays either, and the transaction is good. */
DATABASE_TEST(pg_executemany_within_a_transaction_goes_back_alone)
{
    eddy_pg_value values[] = {eddy_pg_int(1), eddy_pg_text("a"), eddy_pg_int((int64_t)1 << 40),
                              eddy_pg_text("b")};
    EDDY_PG_TRANSACTION transaction = NULL;

    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_EQ(eddy_pg_execute(db, INSERT, 7, "kept"), 1);
    CHECK_EQ(eddy_pg_executemany(db, INSERT, values, 2, 2), EDDY_EPG_VALUE);
    CHECK_EQ(rows(db), 1);
    CHECK_OK(eddy_pg_executemany(db, INSERT, values, 1, 2));
    CHECK_OK(eddy_pg_commit(transaction));
    CHECK_EQ(rows(db), 2);
    CHECK_IN_SYNC(db);
}

static int many_rows(eddy_generator *g, int count, int rc)
{
    for (int i = 0; i < count; i++) {
        eddy_pg_value values[2] = {eddy_pg_int(i), eddy_pg_text("text")};
        const eddy_pg_value *row = values;

        if (i % 100 == 0)
            EDDY_TRY(eddy_sleep(0));
        EDDY_TRY(eddy_yield(g, &row));
    }
    return rc;
}
EDDY_ASYNC_GENERATOR(const eddy_pg_value *, many_rows, int, int);

/* P-Q-11: the source's own error ends everything. */
DATABASE_TEST(pg_executemany_takes_rows_from_a_generator)
{
    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_executemany_from(db, INSERT, eddy_generate(many_rows, 1000, 0)));
    CHECK_EQ(rows(db), 1000);
    CHECK_OK(eddy_pg_execute(db, "TRUNCATE t"));
    CHECK_EQ(eddy_pg_executemany_from(db, INSERT, eddy_generate(many_rows, 1000, -EDOM)), -EDOM);
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

static int large_rows(eddy_generator *g, int count, size_t size)
{
    struct mallinfo2 before = mallinfo2();
    char *text = malloc(size + 1);

    memset(text, 'x', size);
    text[size] = '\0';
    for (int i = 0; i < count; i++) {
        struct mallinfo2 now = mallinfo2();
        eddy_pg_value values[2] = {eddy_pg_int(i), eddy_pg_text(text)};
        const eddy_pg_value *row = values;
        int rc = eddy_yield(g, &row);

        if (rc == 0 &&
            now.uordblks + now.hblkhd > before.uordblks + before.hblkhd + (size_t)2 * 1024 * 1024)
            rc = -EOVERFLOW;
        if (rc < 0) {
            free(text);
            return rc;
        }
    }
    free(text);
    return 0;
}
EDDY_ASYNC_GENERATOR(const eddy_pg_value *, large_rows, int, size_t);

/* Both directions are bounded, also where each row comes back. */
DATABASE_TEST(pg_executemany_takes_bounded_memory)
{
    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_executemany_from(db, INSERT " RETURNING b, b, b",
                                      eddy_generate(large_rows, 5000, 10000)));
    CHECK_EQ(rows(db), 5000);
    CHECK_IN_SYNC(db);
}

static int insert_slowly(eddy_pg_connection *db, int *given)
{
    (void)given;
    return eddy_pg_executemany_from(db, INSERT, eddy_generate(many_rows, 100000000, 0));
}
EDDY_ASYNC(insert_slowly, eddy_pg_connection *, int *);

/* P-TMO-2, -4: a cancel in the middle leaves nothing of it. */
DATABASE_TEST(pg_executemany_that_is_cancelled_leaves_nothing)
{
    CHECK_OK(make_table(db));
    for (int i = 0; i < 10; i++) {
        int rc;

        {
            EDDY_TIMEOUT(limit, 0.001 * i * i);
            rc = insert_slowly(db, NULL);
        }
        CHECK_EQ(rc, -ETIMEDOUT);
        CHECK_EQ(rows(db), 0);
        CHECK_IN_SYNC(db);
    }
}

static int stop_after(eddy_generator *g, int count)
{
    for (int i = 0; i < count; i++) {
        eddy_pg_value values[2] = {eddy_pg_int(i), eddy_pg_text("text")};
        const eddy_pg_value *row = values;

        EDDY_TRY(eddy_yield(g, &row));
    }
    return eddy_sleep(1000);
}
EDDY_ASYNC_GENERATOR(const eddy_pg_value *, stop_after, int);

/* The same while the server waits for more: what it has is not committed. */
DATABASE_TEST(pg_executemany_that_is_cancelled_while_the_server_waits_leaves_nothing)
{
    int rc;

    CHECK_OK(make_table(db));
    {
        EDDY_TIMEOUT(limit, 0.1);
        rc = eddy_pg_executemany_from(db, INSERT, eddy_generate(stop_after, 5000));
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_EQ(rows(db), 0);
    CHECK_IN_SYNC(db);
}

/* P-PREP-4 */
DATABASE_TEST(pg_executemany_follows_a_table_that_changes)
{
    eddy_pg_value values[] = {eddy_pg_int(1), eddy_pg_text("a")};

    CHECK_OK(make_table(db));
    CHECK_OK(eddy_pg_executemany(db, INSERT " RETURNING *", values, 1, 2));
    CHECK_OK(eddy_pg_execute(db, "TRUNCATE t; ALTER TABLE t ADD c int"));
    CHECK_OK(eddy_pg_executemany(db, INSERT " RETURNING *", values, 1, 2));
    CHECK_EQ(rows(db), 1);
    CHECK_IN_SYNC(db);
}

/* A generator that is missing, for want of memory. */
DATABASE_TEST(pg_executemany_without_a_generator_is_an_error)
{
    CHECK_EQ(eddy_pg_executemany_from(db, "SELECT $1", NULL), -ENOMEM);
}
