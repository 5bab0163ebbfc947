/* SPDX-License-Identifier: MIT */
/* Listeners of other kinds, and what callbacks may do. */
#include "pg/listeners.h"

#include "pg/database.h"

struct log {
    int count;
    char text[512];
};

static void keep(eddy_pg_connection *db, const eddy_pg_message *message, void *argument)
{
    struct log *log = argument;
    size_t length = strlen(log->text);

    (void)db;
    log->count++;
    snprintf(log->text + length, sizeof log->text - length, "%s: %s (%s); ", message->severity,
             message->message, message->hint);
}

/* P-NOTIFY-5: notices and warnings as objects with the fields of errors. */
DATABASE_TEST(pg_listeners_hear_notices_and_warnings)
{
    static struct log log; /* outlives the connection, also where this is left early */

    CHECK_OK(pg_command(db, "DO $$ BEGIN RAISE NOTICE 'nobody hears this'; END $$"));
    CHECK_OK(eddy_pg_add_log_listener(db, keep, &log));
    CHECK_OK(eddy_pg_add_log_listener(db, keep, &log));
    CHECK_OK(pg_command(db, "DO $$ BEGIN RAISE NOTICE 'one' USING HINT = 'two';"
                            "RAISE WARNING 'three'; END $$"));
    test_settle();
    CHECK_STR(log.text, "NOTICE: one (two); WARNING: three (); ");
    eddy_pg_remove_log_listener(db, keep, &log);
    eddy_pg_remove_log_listener(db, keep, &log);
    CHECK_OK(pg_command(db, "DO $$ BEGIN RAISE NOTICE 'nobody hears this'; END $$"));
    test_settle();
    CHECK_EQ(log.count, 2);
}

struct queries {
    int count, code;
    double elapsed;
    char query[64];
};

static void note(eddy_pg_connection *db, const eddy_pg_query_record *record, void *argument)
{
    struct queries *queries = argument;

    (void)db;
    queries->count++;
    queries->code = record->code;
    queries->elapsed = record->elapsed;
    snprintf(queries->query, sizeof queries->query, "%s", record->query);
}

/* P-NOTIFY-6: after each query: what it was, how long it took, and how it went. */
DATABASE_TEST(pg_listeners_hear_of_queries)
{
    static struct queries queries; /* outlives the connection, also where this is left early */
    EDDY_TIMEOUT(limit, 60);       /* while there is one, time passes */

    CHECK_OK(eddy_pg_add_query_logger(db, note, &queries));
    CHECK_OK(pg_command(db, "SELECT pg_sleep(0.05)"));
    test_settle();
    CHECK_EQ(queries.count, 1);
    CHECK_STR(queries.query, "SELECT pg_sleep(0.05)");
    CHECK(queries.elapsed > 0.04 && queries.elapsed < 10);
    CHECK_EQ(queries.code, 0);
    CHECK_EQ(pg_command(db, "SELECT 1 / 0"), EDDY_EPG_DIVISION_BY_ZERO);
    test_settle();
    CHECK_EQ(queries.code, EDDY_EPG_DIVISION_BY_ZERO);
    eddy_pg_remove_query_logger(db, note, &queries);
    CHECK_OK(pg_command(db, "SELECT 1"));
    test_settle();
    CHECK_EQ(queries.count, 2);
}

/* A callback may remove itself and others, and end the connection. */
struct ending {
    eddy_pg_connection **db;
    int count;
};

static void end_it(eddy_pg_connection *db, const eddy_pg_notification *notification, void *argument)
{
    struct ending *ending = argument;

    (void)db, (void)notification;
    ending->count++;
    eddy_pg_terminate(ending->db);
}

static void never(eddy_pg_connection *db, const eddy_pg_message *message, void *argument)
{
    (void)db, (void)message;
    ++*(int *)argument;
}

static void remove_never(eddy_pg_connection *db, const eddy_pg_message *message, void *argument)
{
    (void)message;
    eddy_pg_remove_log_listener(db, never, argument);
    eddy_pg_remove_log_listener(db, remove_never, argument);
}

TEST(pg_listeners_may_remove_each_other_and_end_the_connection)
{
    EDDY_PG_CONNECTION db = NULL;
    struct ending ending = {&db, 0};
    int calls = 0;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_add_log_listener(db, remove_never, &calls));
    CHECK_OK(eddy_pg_add_log_listener(db, never, &calls));
    CHECK_OK(pg_command(db, "DO $$ BEGIN RAISE NOTICE 'x'; RAISE NOTICE 'y'; END $$"));
    test_settle();
    CHECK_EQ(calls, 0);
    CHECK_OK(eddy_pg_add_listener(db, "pg_listeners_end", end_it, &ending));
    CHECK_OK(eddy_pg_notify(db, "pg_listeners_end", "1"));
    for (int i = 0; i < 100 && ending.count == 0; i++)
        CHECK_OK(eddy_sleep(0));
    CHECK_EQ(ending.count, 1);
    CHECK(db == NULL);
}

/* P-NOTIFY-7: what a user has left on a pool's connection goes, with a warning. */
DATABASE_TEST(pg_listeners_that_are_left_are_removed_with_a_warning)
{
    static struct log log; /* outlives the connection, also where this is left early */

    CHECK_OK(eddy_pg_add_listener(db, "left", end_it, &log));
    CHECK_OK(eddy_pg_add_log_listener(db, keep, &log));
    pg_connection_retire(db);
    CHECK_HAS(test_report(), "a listener of the channel left was left on a connection");
    CHECK_OK(pg_command(db, "UNLISTEN *; DO $$ BEGIN RAISE NOTICE 'x'; END $$"));
    test_settle();
    CHECK_EQ(log.count, 0);
    pg_connection_retire(db);
}

/* What is queued when the connection is closed is told before its end; nothing is left. */
TEST(pg_listeners_are_told_before_the_end)
{
    EDDY_PG_CONNECTION db = NULL;
    static struct log log; /* outlives the connection, also where this is left early */

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    CHECK_OK(eddy_pg_add_log_listener(db, keep, &log));
    CHECK_OK(pg_command(db, "DO $$ BEGIN RAISE NOTICE 'x'; END $$"));
    eddy_pg_close(&db);
    CHECK_EQ(log.count, 1);
}
