/* SPDX-License-Identifier: MIT */
/* Operations: one at a time. */
#include "pg/connection.h"

#include <stdlib.h>

#include "pg/database.h"

static int sleep_there(eddy_pg_connection *db)
{
    return pg_command(db, "SELECT pg_sleep(0.2)");
}
EDDY_ASYNC(sleep_there, eddy_pg_connection *);

/* P-Q-12: a second operation is refused, and the first goes on. */
DATABASE_TEST(pg_operation_is_not_disturbed_by_a_second_one)
{
    EDDY_TASK first = eddy_create_task(sleep_there, db);

    test_settle();
    CHECK_FAILS(pg_command(db, "SELECT 1"), -EBUSY, "another operation is in progress");
    CHECK_EQ(pg_connection_settle(db), -EBUSY);
    CHECK_OK(eddy_await(first));
    CHECK_IN_SYNC(db);
}

/* On entry a pending cancel wins, and nothing is sent. */
DATABASE_TEST(pg_operation_does_not_begin_behind_a_cancel)
{
    uint64_t operations = pg_connection_operations(db);

    (void)eddy_cancel(eddy_current_task());
    CHECK_EQ(pg_command(db, "SELECT 1"), -ECANCELED);
    CHECK_OK(eddy_uncancel());
    CHECK_EQ(pg_connection_operations(db), operations);
    CHECK_IN_SYNC(db);
}

/* P-LIFE-1: nothing works on a closed connection. */
DATABASE_TEST(pg_operation_is_refused_on_a_closed_connection)
{
    pg_connection_break(db);
    CHECK(eddy_pg_is_closed(db));
    CHECK_FAILS(pg_command(db, "SELECT 1"), EDDY_EPG_CLOSED, "the connection is closed");
    CHECK_EQ(pg_connection_settle(db), EDDY_EPG_CLOSED);
    CHECK_EQ(eddy_pg_server_version(db), 0);
    CHECK(!eddy_pg_is_in_transaction(db));
}

/* A text that is larger than all buffers goes out while answers come in. */
DATABASE_TEST(pg_operation_sends_and_receives_megabytes)
{
    size_t size = (size_t)8 << 20;
    char *text = malloc(size + 1);
    const char *parameters[] = {text};
    struct pg_operation operation;
    PGresult *result = NULL;
    int rc;

    memset(text, 'x', size);
    text[size] = '\0';
    CHECK_OK(pg_operation_begin(&operation, db, "SELECT $1"));
    rc = pg_operation_end(&operation,
                          pg_query_text(&operation, "SELECT $1::text", parameters, 1, &result));
    free(text);
    CHECK_OK(rc);
    CHECK_EQ(PQgetlength(result, 0, 0), (long long)size);
    PQclear(result);
    CHECK_IN_SYNC(db);
}

/* A COPY in a command of the library's own, or in a script, ends, and is an error. */
DATABASE_TEST(pg_operation_is_no_copy)
{
    CHECK_EQ(pg_command(db, "COPY (SELECT 1) TO STDOUT"), EDDY_EPG_USE);
    CHECK_IN_SYNC(db);
    CHECK_EQ(pg_command(db, "CREATE TEMP TABLE t (a int); COPY t FROM STDIN"), EDDY_EPG_USE);
    CHECK_IN_SYNC(db);
}

/* P-TMO-1: the connection's own limit, and one of the caller's within it. */
TEST(pg_operation_has_the_command_timeout)
{
    EDDY_PG_CONNECTION db = NULL;
    eddy_pg_options options = {.command_timeout = 0.1};
    double begun = eddy_time();

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), &options, &db));
    CHECK_EQ(pg_command(db, "SELECT pg_sleep(60)"), -ETIMEDOUT);
    CHECK_OK(pg_command(db, "SELECT 1"));
    CHECK(eddy_time() - begun < 10);
}
