/* SPDX-License-Identifier: MIT */
/* LISTEN and NOTIFY. */
#include "eddy/pg_listen.h"

#include "pg/connection.h"
#include "pg/database.h"

struct heard {
    int count, pid;
    char text[512]; /* "channel=payload " for each */
};

static void hear(eddy_pg_connection *db, const eddy_pg_notification *notification, void *argument)
{
    struct heard *heard = argument;
    size_t length = strlen(heard->text);

    (void)db;
    heard->count++;
    heard->pid = notification->pid;
    snprintf(heard->text + length, sizeof heard->text - length, "%s=%s ", notification->channel,
             notification->payload);
}

/* Waits, while nothing runs on the connection that listens. */
static int await_count(eddy_pg_connection *other, const struct heard *heard, int count)
{
    for (int i = 0; i < 200 && heard->count < count; i++)
        EDDY_TRY(pg_command(other, "SELECT pg_sleep(0.01)"));
    return heard->count == count ? 0 : -ENODATA;
}

/* P-NOTIFY-1, -2, -3: of an idle connection, in order; own ones too; names keep their case. */
DATABASE_TEST(pg_listen_hears_while_it_is_idle)
{
    EDDY_PG_CONNECTION other = NULL;
    static struct heard heard; /* outlives the connection, also where this is left early */

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &other));
    CHECK_OK(eddy_pg_add_listener(db, "Idle \"one\"", hear, &heard));
    CHECK_OK(eddy_pg_notify(other, "Idle \"one\"", "a"));
    CHECK_OK(eddy_pg_notify(other, "Idle \"one\"", "b"));
    CHECK_OK(eddy_pg_notify(other, "idle \"one\"", "no"));
    CHECK_OK(await_count(other, &heard, 2));
    CHECK_EQ(heard.pid, eddy_pg_server_pid(other));
    CHECK_OK(eddy_pg_notify(db, "Idle \"one\"", "own"));
    CHECK_OK(await_count(other, &heard, 3));
    CHECK_STR(heard.text, "Idle \"one\"=a Idle \"one\"=b Idle \"one\"=own ");
    CHECK_EQ(heard.pid, eddy_pg_server_pid(db));
}

/* P-NOTIFY-1, -4: a second listener costs no command, the same one counts once, and the last one
 * to go ends it. */
DATABASE_TEST(pg_listen_ends_with_the_last_listener)
{
    EDDY_PG_CONNECTION other = NULL;
    static struct heard one, two; /* outlive the connection, also where this is left early */
    uint64_t operations;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &other));
    CHECK_OK(eddy_pg_add_listener(db, "pg_listen_last", hear, &one));
    operations = pg_connection_operations(db);
    CHECK_OK(eddy_pg_add_listener(db, "pg_listen_last", hear, &one));
    CHECK_OK(eddy_pg_add_listener(db, "pg_listen_last", hear, &two));
    CHECK_EQ(pg_connection_operations(db), operations);
    CHECK_OK(eddy_pg_notify(other, "pg_listen_last", "x"));
    CHECK_OK(await_count(other, &two, 1));
    CHECK_EQ(one.count, 1);
    CHECK_OK(eddy_pg_remove_listener(db, "pg_listen_last", hear, &one));
    CHECK_OK(eddy_pg_remove_listener(db, "pg_listen_last", hear, &one));
    CHECK_OK(eddy_pg_remove_listener(db, "nowhere", hear, &one));
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_listening_channels()"), 1);
    CHECK_OK(eddy_pg_remove_listener(db, "pg_listen_last", hear, &two));
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_listening_channels()"), 0);
}

/* A channel whose last listener goes while a query runs is left behind it. */
static int sleep_there(eddy_pg_connection *db)
{
    return pg_command(db, "SELECT pg_sleep(0.2)");
}
EDDY_ASYNC(sleep_there, eddy_pg_connection *);

DATABASE_TEST(pg_listen_ends_behind_a_query_that_runs)
{
    static struct heard heard; /* outlives the connection, also where this is left early */

    CHECK_OK(eddy_pg_add_listener(db, "pg_listen_behind", hear, &heard));
    EDDY_TASK query = eddy_create_task(sleep_there, db);
    test_settle();
    CHECK_EQ(eddy_pg_add_listener(db, "pg_listen_busy", hear, &heard), -EBUSY);
    CHECK_OK(eddy_pg_remove_listener(db, "pg_listen_behind", hear, &heard));
    CHECK_OK(eddy_await(query));
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_listening_channels()"), 0);
    CHECK_OK(eddy_pg_add_listener(db, "pg_listen_behind", hear, &heard));
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_listening_channels()"), 1);
}

/* Notifications that come in the middle of a query are heard as well, behind it or in it. */
DATABASE_TEST(pg_listen_hears_while_a_query_runs)
{
    EDDY_PG_CONNECTION other = NULL;
    static struct heard heard; /* outlives the connection, also where this is left early */

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &other));
    CHECK_OK(eddy_pg_add_listener(db, "pg_listen_query", hear, &heard));
    EDDY_TASK query = eddy_create_task(sleep_there, db);
    test_settle();
    CHECK_OK(eddy_pg_notify(other, "pg_listen_query", "x"));
    CHECK_OK(eddy_await(query));
    CHECK_OK(await_count(other, &heard, 1));
}

/* P-NOTIFY-3: in a transaction nothing comes before its commit. */
DATABASE_TEST(pg_listen_hears_behind_a_commit)
{
    static struct heard heard; /* outlives the connection, also where this is left early */

    CHECK_OK(eddy_pg_add_listener(db, "pg_listen_commit", hear, &heard));
    CHECK_OK(pg_command(db, "BEGIN"));
    CHECK_OK(eddy_pg_notify(db, "pg_listen_commit", "x"));
    CHECK_OK(eddy_pg_notify(db, "pg_listen_commit", "x"));
    CHECK_OK(pg_command(db, "SELECT 1"));
    test_settle();
    CHECK_EQ(heard.count, 0);
    CHECK_OK(pg_command(db, "COMMIT"));
    test_settle();
    CHECK_EQ(heard.count, 1);
}

static int notify_three(void)
{
    EDDY_PG_CONNECTION db = NULL;

    EDDY_TRY(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    EDDY_TRY(pg_command(db, "SELECT pg_sleep(0.2)"));
    for (int i = 0; i < 3; i++) {
        char payload[16];

        snprintf(payload, sizeof payload, "%d", i);
        EDDY_TRY(eddy_pg_notify(db, "pg_listen_each", payload));
    }
    return 0;
}
EDDY_ASYNC(notify_three);

static int end_soon(eddy_pg_connection *listening)
{
    EDDY_PG_CONNECTION db = NULL;
    char sql[100];

    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", eddy_pg_server_pid(listening));
    EDDY_TRY(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    EDDY_TRY(pg_command(db, "SELECT pg_sleep(0.2)"));
    return pg_command(db, sql);
}
EDDY_ASYNC(end_soon, eddy_pg_connection *);

/* Issue 7, 1.7: as a generator, beside other operations; it ends with its block. */
DATABASE_TEST(pg_listen_gives_notifications_one_by_one)
{
    eddy_pg_notification notification;
    int rc, count = 0;
    EDDY_TASK sender = eddy_create_task(notify_three);

    EDDY_FOR_EACH(rc, notification, eddy_pg_listen(db, "pg_listen_each")) {
        CHECK_STR(notification.channel, "pg_listen_each");
        CHECK_EQ(notification.payload[0], '0' + count);
        CHECK_IN_SYNC(db);
        if (++count == 3)
            break;
    }
    CHECK_OK(rc);
    CHECK_OK(eddy_await(sender));
    CHECK_EQ(number_of(db, "SELECT count(*) FROM pg_listening_channels()"), 0);
}

/* A limit around it is one of the wait, and ends it. */
DATABASE_TEST(pg_listen_waits_for_a_limited_time)
{
    eddy_pg_notification notification;
    EDDY_GENERATOR each = eddy_pg_listen(db, "pg_listen_limit");
    EDDY_GENERATOR never = eddy_pg_listen(db, "pg_listen_never");
    int rc;

    {
        EDDY_TIMEOUT(limit, 0.05);

        rc = eddy_next(each, &notification);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK(never != NULL);
    CHECK_IN_SYNC(db);
}

/* P-LIFE-2: the end of the connection is an error of it. */
DATABASE_TEST(pg_listen_ends_with_the_connection)
{
    eddy_pg_notification notification;
    EDDY_TASK end = eddy_create_task(end_soon, db);
    int rc, count = 0;

    EDDY_FOR_EACH(rc, notification, eddy_pg_listen(db, "pg_listen_lost"))
        count++;
    CHECK_EQ(rc, EDDY_EPG_LOST);
    CHECK_EQ(count, 0);
    CHECK_OK(eddy_await(end));
}
