/* SPDX-License-Identifier: MIT */
/* Tests that run on a connection: each gets one of its own, and keeps what it makes to itself. */
#ifndef TEST_PG_DATABASE_H
#define TEST_PG_DATABASE_H

#include <eddy/pg.h>

#include "harness.h"
#include "pg/server.h"

/* A test with a connection, `db`. */
#define DATABASE_TEST(name)                                                                        \
    static void name##_on(eddy_pg_connection *db);                                                 \
    TEST(name)                                                                                     \
    {                                                                                              \
        EDDY_PG_CONNECTION connection = NULL;                                                      \
                                                                                                   \
        CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &connection));                               \
        name##_on(connection);                                                                     \
    }                                                                                              \
    static void name##_on(eddy_pg_connection *db)

/* The one number that a statement gives. */
static inline long long number_of(eddy_pg_connection *db, const char *sql)
{
    int64_t value = -1;
    int rc = eddy_pg_fetchval(db, &value, sql);

    return rc < 0 ? rc : value;
}

/* Checks that a connection is as good as new: in no transaction, and each answer is its own. */
#define CHECK_IN_SYNC(db)                                                                          \
    do {                                                                                           \
        CHECK_EQ(number_of((db), "SELECT 1234"), 1234);                                            \
        CHECK(!eddy_pg_is_in_transaction(db));                                                     \
        CHECK_EQ(number_of((db), "SELECT 5678"), 5678);                                            \
    } while (0)

#endif
