/* SPDX-License-Identifier: MIT */
/* A server that is killed, frozen or stopped under queries, transactions and pipelines. */
#include "pg/database.h"

#include <unistd.h>

static int wait_on_server(eddy_pg_connection *db, double seconds)
{
    return (int)eddy_pg_execute(db, "SELECT pg_sleep($1)", seconds);
}
EDDY_ASYNC(wait_on_server, eddy_pg_connection *, double);

static int
connect_to(const struct pg_server *server, double close_timeout, eddy_pg_connection **out)
{
    return eddy_pg_connect(server->dsn, &(eddy_pg_options){.close_timeout = close_timeout}, out);
}

/* P-TX-3: rolling back waits for a frozen server no longer than the close_timeout. */
TEST(pg_transaction_on_a_frozen_server_ends_in_time)
{
    struct pg_server server = {0};
    EDDY_PG_CONNECTION db = NULL;
    double begun;
    int rc;

    EDDY_DEFER(pg_server_close, &server);
    pg_server_start(&server, NULL);
    CHECK_OK(connect_to(&server, 0.3, &db));
    {
        EDDY_PG_TRANSACTION transaction = NULL;

        CHECK_OK(eddy_pg_begin(db, NULL, &transaction));
        pg_server_freeze(&server);
        begun = eddy_time();
        {
            EDDY_TIMEOUT(limit, 0.1);
            rc = wait_on_server(db, 0);
        }
        CHECK_EQ(rc, -ETIMEDOUT);
    }
    CHECK(eddy_time() - begun < 5);
    CHECK(eddy_pg_is_closed(db));
    pg_server_thaw(&server);
}

/* A pipeline whose task is cancelled does not wait longer than that for its end. */
TEST(pg_pipeline_on_a_frozen_server_ends_in_time)
{
    struct pg_server server = {0};
    EDDY_PG_CONNECTION db = NULL;
    double begun;
    int rc;

    EDDY_DEFER(pg_server_close, &server);
    pg_server_start(&server, NULL);
    CHECK_OK(connect_to(&server, 0.3, &db));
    pg_server_freeze(&server);
    begun = eddy_time();
    {
        EDDY_TIMEOUT(limit, 0.1);
        EDDY_PG_PIPELINE pipeline = NULL;

        rc = eddy_pg_pipeline_open(db, &pipeline);
        if (rc == 0)
            rc = wait_on_server(db, 0);
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    CHECK(eddy_time() - begun < 5);
    pg_server_thaw(&server);
}

static int endless(eddy_generator *g)
{
    for (int i = 0;; i++) {
        eddy_pg_value values[2] = {eddy_pg_int(i), eddy_pg_text("text")};
        const eddy_pg_value *row = values;

        EDDY_TRY(eddy_yield(g, &row));
    }
}
EDDY_ASYNC_GENERATOR(const eddy_pg_value *, endless);

static int insert_for_ever(eddy_pg_connection *db)
{
    EDDY_TRY((int)eddy_pg_execute(db, "CREATE TEMP TABLE t (a int, b text)"));
    return eddy_pg_executemany_from(db, "INSERT INTO t VALUES ($1, $2)", eddy_generate(endless));
}
EDDY_ASYNC(insert_for_ever, eddy_pg_connection *);

static int rows_seen;

static int rows_for_ever(eddy_pg_connection *db)
{
    eddy_pg_row row;
    int rc;

    EDDY_FOR_EACH(rc, row, eddy_pg_rows(db, "SELECT generate_series(1, 1000000000)"))
        rows_seen++;
    return rc;
}
EDDY_ASYNC(rows_for_ever, eddy_pg_connection *);

static int transaction_for_ever(eddy_pg_connection *db)
{
    return eddy_pg_in_transaction(db, NULL, EDDY_CALL(wait_on_server, db, 1000.0));
}
EDDY_ASYNC(transaction_for_ever, eddy_pg_connection *);

static int pipeline_for_ever(eddy_pg_connection *db)
{
    EDDY_PG_PIPELINE pipeline = NULL;

    EDDY_TRY(eddy_pg_pipeline_open(db, &pipeline));
    return eddy_gather(EDDY_CALL(wait_on_server, db, 1000.0),
                       EDDY_CALL(wait_on_server, db, 1000.0));
}
EDDY_ASYNC(pipeline_for_ever, eddy_pg_connection *);

static void end_under_operations(void (*end)(struct pg_server *server))
{
    struct pg_server server = {0};
    eddy_pg_connection *dbs[4] = {NULL};
    int rcs[4];

    EDDY_DEFER(pg_server_close, &server);
    pg_server_start(&server, NULL);
    for (int i = 0; i < 4; i++)
        CHECK_OK(connect_to(&server, 0, &dbs[i]));
    {
        EDDY_TASK one = eddy_create_task(insert_for_ever, dbs[0]);
        EDDY_TASK two = eddy_create_task(rows_for_ever, dbs[1]);
        EDDY_TASK three = eddy_create_task(transaction_for_ever, dbs[2]);
        EDDY_TASK four = eddy_create_task(pipeline_for_ever, dbs[3]);

        while (rows_seen < 2000) { /* by then the others wait, too */
            usleep(200);           /* the server takes real time */
            CHECK_OK(eddy_sleep(0));
        }
        end(&server);
        rcs[0] = eddy_await(one);
        rcs[1] = eddy_await(two);
        rcs[2] = eddy_await(three);
        rcs[3] = eddy_await(four);
    }
    for (int i = 0; i < 4; i++) {
        CHECK_THAT(rcs[i] == EDDY_EPG_LOST || rcs[i] == EDDY_EPG_ADMIN_SHUTDOWN, "operation %d: %s",
                   i, eddy_error_name(rcs[i]));
        CHECK_EQ(number_of(dbs[i], "SELECT 1"), EDDY_EPG_CLOSED);
        eddy_pg_close(&dbs[i]);
    }
}

static void stop_fast(struct pg_server *server)
{
    pg_server_end(server, SIGINT);
}

/* P-LIFE-2: who waits is told that the connection was lost. */
TEST(pg_operations_on_a_server_that_is_killed_are_told)
{
    end_under_operations(pg_server_kill);
}

/* P-LIFE-3: or what the server said last. */
TEST(pg_operations_on_a_server_that_stops_are_told)
{
    end_under_operations(stop_fast);
}
