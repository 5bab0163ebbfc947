/* SPDX-License-Identifier: MIT */
/* A COPY as a stream: P-COPY-3 to -5, -7. */
#include <eddy/line.h>
#include <stdlib.h>

#include "copies.h"

TEST(pg_copy_is_a_stream_to_write_to)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM copy = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_copy_open(db, "COPY t FROM STDIN WITH (FORMAT csv)", &copy));
    CHECK_STR(eddy_stream_kind(copy), "copy");
    CHECK_EQ(eddy_pg_execute(db, "SELECT 1"), -EBUSY);
    for (int i = 0; i < 30000; i++)
        CHECK_OK(eddy_printf(copy, "%d,name %d\n", i, i));
    CHECK_EQ(eddy_pg_copy_finish(copy), 30000);
    CHECK_EQ(eddy_pg_copy_finish(copy), 30000);
    CHECK_EQ(eddy_write(copy, "x", 1), -EPIPE);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 30000);
    CHECK_OK(eddy_stream_close(&copy));
}

TEST(pg_copy_is_a_stream_to_read_from)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM copy = NULL;
    eddy_line line;
    int rows = 0, rc;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_copy_open(db, "COPY (SELECT generate_series(0, 29999)) TO STDOUT", &copy));
    CHECK_FAILS((int)eddy_pg_copy_finish(copy), EDDY_EPG_USE, "ends with its last row");
    EDDY_FOR_EACH(rc, line, eddy_lines(copy)) {
        CHECK_EQ(strtol(line.text, NULL, 10), rows);
        rows++;
    }
    CHECK_OK(rc);
    CHECK_EQ(rows, 30000);
    CHECK_EQ(eddy_pg_copy_finish(copy), 30000);
    CHECK_EQ(copies_count(db, "SELECT 1"), 1);
}

/* P-COPY-5: a close without a finish is as if nothing had been. */
TEST(pg_copy_stream_that_is_closed_early_has_no_effect)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM copy = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_copy_open(db, "COPY t FROM STDIN", &copy));
    CHECK_OK(eddy_printf(copy, "1\tone\n"));
    CHECK_OK(eddy_stream_close(&copy));
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
    CHECK_OK(eddy_pg_copy_open(db, "COPY (SELECT generate_series(1, 10000000)) TO STDOUT", &copy));
    CHECK_OK(eddy_skip_until(copy, "5\n", 2));
    CHECK_OK(eddy_stream_close(&copy));
    CHECK_EQ(copies_count(db, "SELECT 1"), 1);
}

/* The end of the stream is the end of the COPY, for what writes any stream. */
TEST(pg_copy_stream_ends_by_its_end)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM copy = NULL, near = NULL, far = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(eddy_printf(near, "1\tone\n2\ttwo\n"));
    CHECK_OK(eddy_write_eof(near));
    CHECK_OK(eddy_pg_copy_open(db, "COPY t FROM STDIN", &copy));
    CHECK_EQ(eddy_stream_copy(far, copy), 12);
    CHECK_OK(eddy_write_eof(copy));
    CHECK_EQ(eddy_pg_copy_finish(copy), 2);
}

/* P-COPY-7: the write that finds the refusal returns it. */
TEST(pg_copy_stream_fails_with_the_refusal_of_the_server)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM copy = NULL;
    int rc = 0;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_copy_open(db, "COPY t FROM STDIN", &copy));
    for (int i = 0; i < 10000000 && rc == 0; i++)
        rc = eddy_printf(copy, "%d\tname\n", i / 2);
    CHECK_EQ(rc, EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_HAS(eddy_error_message(rc), "23505");
    CHECK_EQ(eddy_pg_copy_finish(copy), EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_EQ(eddy_stream_close(&copy), EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
}

/* The refusal of the last row comes with the finish. */
TEST(pg_copy_finish_returns_the_refusal_of_the_server)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM copy = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_copy_open(db, "COPY t FROM STDIN", &copy));
    CHECK_OK(eddy_printf(copy, "1\tone\n1\ttwo\n"));
    CHECK_EQ(eddy_pg_copy_finish(copy), EDDY_EPG_UNIQUE_VIOLATION);
}

TEST(pg_copy_stream_goes_one_way)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM copy = NULL;
    char byte;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_copy_open(db, "COPY t FROM STDIN", &copy));
    CHECK_EQ(eddy_read(copy, &byte, 1), -ENOTSUP);
    CHECK_OK(eddy_stream_close(&copy));
    CHECK_OK(eddy_pg_copy_open(db, "COPY t TO STDOUT", &copy));
    CHECK_EQ(eddy_write(copy, "x", 1), -ENOTSUP);
}

TEST(pg_copy_finish_is_for_copies)
{
    EDDY_STREAM near = NULL, far = NULL;

    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_FAILS((int)eddy_pg_copy_finish(near), EDDY_EPG_USE, "no COPY");
}

static int write_and_read(void)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM copy = NULL;
    char text[8];
    int count;

    EDDY_TRY(copies_open(&db));
    EDDY_TRY(eddy_pg_copy_open(db, "COPY t FROM STDIN", &copy));
    EDDY_TRY(eddy_printf(copy, "1\tone\n"));
    EDDY_TRY(eddy_pg_copy_finish(copy));
    EDDY_TRY(eddy_stream_close(&copy));
    EDDY_TRY(eddy_pg_copy_open(db, "COPY t TO STDOUT", &copy));
    EDDY_TRY(eddy_read_exactly(copy, text, 6));
    EDDY_TRY(eddy_stream_close(&copy));
    EDDY_TRY(count = copies_count(db, "SELECT count(*)::int FROM t"));
    return eddy_expect_equal(count, 1);
}
EDDY_ASYNC(write_and_read);

RAW_TEST(pg_copy_stream_survives_every_cancel_and_lack_of_memory)
{
    (void)pg_test_dsn();
    CHECK_OK(eddy_test_cancels(write_and_read));
    CHECK_OK(eddy_test_allocations(write_and_read));
}
