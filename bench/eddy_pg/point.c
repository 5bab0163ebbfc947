/* SPDX-License-Identifier: MIT */
/* Rows by their index: over several connections at once, one by one, and in pipelines. */
#include "job.h"

/* Numbers that are still to be asked for, by whoever is free. */
struct numbers {
    unsigned next, count;
};

static int ask_by_text(eddy_pg_connection *db, unsigned number)
{
    EDDY_PG_RESULT row = NULL;

    return eddy_pg_fetchrow(db, &row, POINT, point_id(number));
}

static int ask(eddy_pg_statement *statement, unsigned number)
{
    EDDY_PG_RESULT row = NULL;

    return eddy_pg_statement_fetchrow(statement, &row, point_id(number));
}

static int work(eddy_pg_statement *statement, struct numbers *numbers)
{
    while (numbers->next < numbers->count)
        EDDY_TRY(ask(statement, numbers->next++));
    return 0;
}
EDDY_ASYNC(work, eddy_pg_statement *, struct numbers *);

static int work_by_text(eddy_pg_connection *db, struct numbers *numbers)
{
    while (numbers->next < numbers->count)
        EDDY_TRY(ask_by_text(db, numbers->next++));
    return 0;
}
EDDY_ASYNC(work_by_text, eddy_pg_connection *, struct numbers *);

/* One connection and its statement. */
struct client {
    eddy_pg_connection *db;
    eddy_pg_statement *statement;
};

static int open_clients(struct client *clients)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        EDDY_TRY(eddy_pg_connect(NULL, NULL, &clients[i].db));
        EDDY_TRY(eddy_pg_prepare(clients[i].db, POINT, &clients[i].statement));
        EDDY_TRY(ask_by_text(clients[i].db, 0)); /* prepares it for the other way */
    }
    return 0;
}

static void close_clients(struct client *clients)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        eddy_pg_statement_close(&clients[i].statement);
        eddy_pg_close(&clients[i].db);
    }
}

static int ask_all(struct client *clients, unsigned count, bool by_text)
{
    struct numbers numbers = {0, count};
    EDDY_GROUP(group);

    EDDY_TRY(open_clients(clients));
    struct stopwatch start = stopwatch_start();
    for (int i = 0; i < CONNECTIONS; i++)
        EDDY_TRY(by_text ? eddy_group_create_task(&group, work_by_text, clients[i].db, &numbers)
                         : eddy_group_create_task(&group, work, clients[i].statement, &numbers));
    EDDY_TRY(eddy_group_join(&group));
    stopwatch_report(&start, count, 0);
    return 0;
}

int ask_points(unsigned count)
{
    struct client clients[CONNECTIONS] = {0};
    int rc = ask_all(clients, count, false);

    close_clients(clients);
    return rc;
}

int ask_points_by_text(unsigned count)
{
    struct client clients[CONNECTIONS] = {0};
    int rc = ask_all(clients, count, true);

    close_clients(clients);
    return rc;
}

int ask_one_by_one(unsigned count)
{
    EDDY_PG_CONNECTION db = NULL;
    EDDY_PG_STATEMENT statement = NULL;

    EDDY_TRY(eddy_pg_connect(NULL, NULL, &db));
    EDDY_TRY(eddy_pg_prepare(db, POINT, &statement));
    struct stopwatch start = stopwatch_start();
    for (unsigned i = 0; i < count; i++)
        EDDY_TRY(ask(statement, i));
    stopwatch_report(&start, count, 0);
    return 0;
}
