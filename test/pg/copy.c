/* SPDX-License-Identifier: MIT */
/* COPY between tables and streams: P-COPY-1 to -5, -7, -8. */
#include "pg/copy.h"

#include <eddy/file.h>
#include <stdlib.h>

#include "copies.h"

/* What an error message begins with is told apart from all else. */
TEST(pg_copy_knows_an_error_message_by_its_first_bytes)
{
    static const unsigned char error[] = "E\0\0\0\x5fSERROR\0VERROR";
    static const unsigned char foreign[] = "E\0\0\0\x5fS\xd0\x9e\xd0\xa8";
    static const unsigned char notice[] = "N\0\0\0\x5fSNOTICE\0VNOTICE";
    static const unsigned char tail[] = "E\0VNOTICE\0C01000";
    static const unsigned char end[] = "E\0\0N\0\0\0\x5fSNOTICE";

    CHECK_EQ(pg_copy_is_error(error, sizeof error), 1);
    CHECK_EQ(pg_copy_is_error(foreign, sizeof foreign), 1);
    CHECK_EQ(pg_copy_is_error(error, 7), 1);
    for (size_t size = 1; size < 7; size++)
        CHECK_EQ(pg_copy_is_error(error, size), -1);
    CHECK_EQ(pg_copy_is_error(notice, sizeof notice), 0);
    CHECK_EQ(pg_copy_is_error(tail, sizeof tail), 0);
    CHECK_EQ(pg_copy_is_error(end, sizeof end), 0);
}

/* P-COPY-1 */
TEST(pg_copy_takes_rows_from_a_stream)
{
    EDDY_PG_CONNECTION db = NULL;
    const char text[] = "1\tone\n2\t\\N\n3\tthree\n";

    CHECK_OK(copies_open(&db));
    CHECK_EQ(copies_in(db, "t", NULL, text, sizeof text - 1), 3);
    CHECK_STR(eddy_pg_last_tag(db), "COPY 3");
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t WHERE name IS NULL"), 1);
    CHECK_EQ(copies_in(db, "t", NULL, "", 0), 0);
}

/* P-COPY-1 */
TEST(pg_copy_gives_rows_to_a_stream)
{
    EDDY_PG_CONNECTION db = NULL;
    COPIES_SINK(sink, collector, data, size);

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_execute(db, "INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, E'a\tb')"));
    CHECK_EQ(eddy_pg_copy_out(db, "t", NULL, sink), 3);
    CHECK_OK(eddy_stream_close(&sink));
    CHECK_OK(eddy_await(collector));
    CHECK_STR(data, "1\tone\n2\t\\N\n3\ta\\tb\n");
}

/* P-COPY-2: all options, both ways. */
TEST(pg_copy_has_the_options_of_copy)
{
    EDDY_PG_CONNECTION db = NULL;
    const char *columns[] = {"name", "i", NULL}, *name[] = {"name", NULL};
    const eddy_pg_copy_options out = {.schema = "pg_temp",
                                      .columns = columns,
                                      .format = "csv",
                                      .delimiter = ";",
                                      .null = "nil",
                                      .quote = "'",
                                      .escape = "!",
                                      .encoding = "LATIN1",
                                      .header = true,
                                      .force_quote = name};
    const eddy_pg_copy_options in = {.columns = columns,
                                     .format = "csv",
                                     .delimiter = ";",
                                     .quote = "'",
                                     .escape = "!",
                                     .encoding = "LATIN1",
                                     .header = true,
                                     .force_not_null = name,
                                     .where = "i > 1"};
    COPIES_SINK(sink, collector, data, size);

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_execute(db, "INSERT INTO t VALUES (1, 'it''s'), (2, NULL), (3, 'ä')"));
    CHECK_EQ(eddy_pg_copy_out(db, "t", &out, sink), 3);
    CHECK_OK(eddy_stream_close(&sink));
    CHECK_OK(eddy_await(collector));
    CHECK_STR(data, "name;i\n'it!'s';1\nnil;2\n'\xe4';3\n");
    CHECK_OK(eddy_pg_execute(db, "DELETE FROM t"));
    CHECK_EQ(copies_in(db, "t", &in, data, size), 2);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t WHERE name IN ('nil', 'ä')"), 2);
}

/* P-COPY-2: binary goes round. */
TEST(pg_copy_of_binary_rows_goes_round)
{
    EDDY_PG_CONNECTION db = NULL;
    const eddy_pg_copy_options binary = {.format = "binary"};
    COPIES_SINK(sink, collector, data, size);

    CHECK_OK(copies_open(&db));
    CHECK_OK(
        eddy_pg_execute(db, "INSERT INTO t SELECT g, 'n' || g FROM generate_series(1, 500) g"));
    CHECK_EQ(eddy_pg_copy_out(db, "t", &binary, sink), 500);
    CHECK_OK(eddy_stream_close(&sink));
    CHECK_OK(eddy_await(collector));
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMPORARY TABLE u (LIKE t)"));
    CHECK_EQ(copies_in(db, "u", &binary, data, size), 500);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t NATURAL JOIN u"), 500);
}

/* P-COPY-2: names are quoted, whatever is in them. */
TEST(pg_copy_quotes_names)
{
    EDDY_PG_CONNECTION db = NULL;
    const char *columns[] = {"sel\"ect", NULL};
    const eddy_pg_copy_options options = {.columns = columns};

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMPORARY TABLE \"T t\"\"; DROP TABLE t; --\" "
                                 "(\"sel\"\"ect\" text)"));
    CHECK_EQ(copies_in(db, "T t\"; DROP TABLE t; --", &options, "a\n", 2), 1);
    CHECK_EQ(copies_in(db, "nothing\" FROM STDIN; DROP TABLE t; --", NULL, "a\n", 2),
             EDDY_EPG_UNDEFINED_TABLE);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
    CHECK_EQ(
        copies_in(db, "t", &(eddy_pg_copy_options){.format = "text); DROP TABLE t; --"}, "", 0),
        EDDY_PG_STATE('2', '2', '0', '2', '3'));
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
}

TEST(pg_copy_refuses_options_that_do_not_belong_there)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL, far = NULL;
    const eddy_pg_copy_options where = {.where = "true"}, schema = {.schema = "s"};

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_FAILS((int)eddy_pg_copy_out(db, "t", &where, near), -EINVAL, "takes no condition");
    CHECK_FAILS((int)eddy_pg_copy_query_out(db, &schema, near, "SELECT 1"), -EINVAL, "no schema");
}

/* Rows that are larger than a chunk, and many that are not. */
TEST(pg_copy_gives_small_and_large_rows_whole)
{
    EDDY_PG_CONNECTION db = NULL;
    size_t expected = 0;
    COPIES_SINK(sink, collector, data, size);

    CHECK_OK(copies_open(&db));
    CHECK_EQ(eddy_pg_copy_query_out(db, NULL, sink,
                                    "SELECT repeat('x', (g * g * g) % 200000) "
                                    "FROM generate_series(1, 300) g"),
             300);
    CHECK_OK(eddy_stream_close(&sink));
    CHECK_OK(eddy_await(collector));
    for (size_t g = 1; g <= 300; g++) {
        size_t length = g * g * g % 200000;

        CHECK(size >= expected + length + 1);
        CHECK_EQ(data[expected + length], '\n');
        expected += length + 1;
    }
    CHECK_EQ(size, expected);
}

/* P-COPY-4: while the sink takes nothing the server is not read. */
TEST(pg_copy_lets_a_slow_sink_slow_the_server_down)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL, far = NULL;
    eddy_stream_counters counters;
    int rc;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_stream_pair(&near, &far));
    {
        EDDY_TIMEOUT(limit, 0.3);
        rc = (int)eddy_pg_copy_query_out(
            db, NULL, near, "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)");
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    counters = eddy_stream_get_counters(far);
    CHECK(counters.received < 1000000);
    CHECK_EQ(copies_count(db, "SELECT 1"), 1);
}

/* P-COPY-5: the sink fails. */
TEST(pg_copy_ends_with_the_error_of_its_sink)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL, far = NULL;
    const char *sql = "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)";

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_OK(eddy_stream_close(&far));
    CHECK_EQ(eddy_pg_copy_query_out(db, NULL, near, sql), -EPIPE);
    CHECK_EQ(copies_count(db, "SELECT 1"), 1);
}

static int feed_and_break(eddy_stream *stream)
{
    EDDY_STREAM own = stream;

    for (int i = 0; i < 1000; i++)
        EDDY_TRY(eddy_printf(own, "%d\tname\n", i));
    eddy_stream_abort(own);
    return 0;
}
EDDY_ASYNC(feed_and_break, eddy_stream *);

/* P-COPY-5: the source fails; nothing of it stays. */
TEST(pg_copy_undoes_all_when_its_source_fails)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL;
    eddy_stream *far = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_stream_pair(&near, &far));
    {
        EDDY_TASK feeder = eddy_create_task(feed_and_break, far);

        CHECK_EQ(eddy_pg_copy_in(db, "t", NULL, near), -ECONNRESET);
        CHECK_OK(eddy_await(feeder));
    }
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
}

static int feed_for_ever(eddy_stream *stream, uint64_t *bytes, bool good)
{
    EDDY_STREAM own = stream;

    for (int i = 0;; i++) {
        EDDY_TRY(eddy_printf(own, "%d\tname\n", good ? i : i / 2));
        *bytes += 8;
    }
}
EDDY_ASYNC(feed_for_ever, eddy_stream *, uint64_t *, bool);

/* Feeds what the server refuses at the second row. */
static void check_refusal(eddy_pg_connection *db)
{
    EDDY_STREAM near = NULL;
    eddy_stream *far = NULL;
    uint64_t bytes = 0;

    CHECK_OK(eddy_stream_pair(&near, &far));
    {
        EDDY_TASK feeder = eddy_create_task(feed_for_ever, far, &bytes, false);

        CHECK_FAILS((int)eddy_pg_copy_in(db, "t", NULL, near), EDDY_EPG_UNIQUE_VIOLATION,
                    "23505: duplicate key");
        CHECK(!eddy_task_done(feeder));
    }
    CHECK(bytes < 50000000);
    CHECK_HAS(eddy_pg_last_error(db)->context, "line 2");
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
}

/* P-COPY-7: the server refuses a row: a source without end is left at once, */
TEST(pg_copy_stops_when_the_server_refuses)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(copies_open(&db));
    check_refusal(db);
}

/* also where what it says is encrypted. */
TEST(pg_copy_stops_when_the_server_refuses_over_tls)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_tcp_dsn("postgres", "sslmode=require"), NULL, &db));
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMPORARY TABLE t (i int PRIMARY KEY, name text)"));
    check_refusal(db);
}

/* P-COPY-5, -8: the time is over, or the task is cancelled, in the middle. */
TEST(pg_copy_undoes_all_when_its_time_is_over)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL;
    eddy_stream *far = NULL;
    uint64_t bytes = 0;
    int rc;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_stream_pair(&near, &far));
    {
        EDDY_TASK feeder = eddy_create_task(feed_for_ever, far, &bytes, true);
        EDDY_TIMEOUT(limit, 0.2);

        rc = (int)eddy_pg_copy_in(db, "t", NULL, near);
        (void)feeder;
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
}

/* P-COPY-8: the connection's own limit, with the time that a source takes. */
TEST(pg_copy_counts_the_time_of_its_source)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL, far = NULL;
    const eddy_pg_options options = {.command_timeout = 0.5};

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), &options, &db));
    CHECK_OK(eddy_pg_execute(db, "CREATE TEMPORARY TABLE t (i int)"));
    CHECK_OK(eddy_stream_pair(&near, &far));
    CHECK_EQ(eddy_pg_copy_in(db, "t", NULL, near), -ETIMEDOUT);
    CHECK_EQ(copies_count(db, "SELECT count(*)::int FROM t"), 0);
}

/* P-COPY-5: within a transaction the transaction has failed, and can be rolled back. */
TEST(pg_copy_that_fails_in_a_transaction_fails_it)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_TRANSACTION transaction = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
    CHECK_EQ(copies_in(db, "t", NULL, "1\ta\n1\tb\n", 8), EDDY_EPG_UNIQUE_VIOLATION);
    CHECK_EQ(copies_count(db, "SELECT 1"), EDDY_EPG_IN_FAILED_TRANSACTION);
    CHECK_OK(eddy_pg_rollback(transaction));
    CHECK_EQ(copies_in(db, "t", NULL, "1\ta\n2\tb\n", 8), 2);
}

/* Notices do not end a COPY, though they come while rows are sent. */
TEST(pg_copy_goes_on_behind_notices)
{
    EDDY_PG_CONNECTION db = NULL;
    char *text = malloc(3000000), *end = text;

    CHECK(text);
    EDDY_DEFER(free, text);
    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_execute(db,
                             "CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS "
                             "$$ BEGIN RAISE NOTICE 'THE ROW E %', NEW.i; RETURN NEW; END $$"));
    CHECK_OK(eddy_pg_execute(db, "CREATE TRIGGER tell BEFORE INSERT ON t FOR EACH ROW EXECUTE "
                                 "FUNCTION pg_temp.tell()"));
    for (int i = 0; i < 20000; i++)
        end += snprintf(end, 200, "%d\t%0100d\n", i, i);
    CHECK_EQ(copies_in(db, "t", NULL, text, (size_t)(end - text)), 20000);
}

TEST(pg_copy_refuses_what_is_no_copy)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM stream = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_FAILS(eddy_pg_copy_open(db, "SELECT 1", &stream), EDDY_EPG_USE, "not COPY");
    CHECK_FAILS(eddy_pg_copy_open(db, "", &stream), EDDY_EPG_USE, "not COPY");
    CHECK_EQ(eddy_pg_copy_open(db, "COPY", &stream), EDDY_EPG_SYNTAX_ERROR);
    CHECK_EQ(copies_count(db, "SELECT 1"), 1);
}

TEST(pg_copy_refuses_two_copies_in_one_text)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM stream = NULL;
    char *text = NULL;

    CHECK_OK(copies_open(&db));
    CHECK_OK(eddy_pg_copy_open(db, "COPY t TO STDOUT; COPY t FROM STDIN", &stream));
    CHECK_FAILS(eddy_read_all(stream, 0, &text, NULL), EDDY_EPG_USE, "one COPY at a time");
    (void)eddy_stream_close(&stream);
    CHECK_EQ(copies_count(db, "SELECT 1"), 1);
}

/* A few rows in and out, for the sweeps. */
static int round_trip(void)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_STREAM near = NULL, far = NULL;
    char text[20];
    int count;

    EDDY_TRY(copies_open(&db));
    EDDY_TRY(copies_in(db, "t", NULL, "1\tone\n2\ttwo\n", 12));
    EDDY_TRY(eddy_stream_pair(&near, &far));
    EDDY_TRY(eddy_pg_copy_out(db, "t", NULL, near));
    EDDY_TRY(eddy_read_exactly(far, text, 12));
    EDDY_TRY(count = copies_count(db, "SELECT count(*)::int FROM t"));
    return eddy_expect_equal(count, 2);
}
EDDY_ASYNC(round_trip);

/* Issue 7, 3: a cancel at each point, and each allocation that fails. */
RAW_TEST(pg_copy_survives_every_cancel_and_lack_of_memory)
{
    (void)pg_test_dsn();
    CHECK_OK(eddy_test_cancels(round_trip));
    CHECK_OK(eddy_test_allocations(round_trip));
}
