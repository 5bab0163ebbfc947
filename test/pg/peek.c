/* SPDX-License-Identifier: MIT */
/* What the server has said, before libpq has read it, also over TLS. */
#include <poll.h>

#include "copies.h"
#include "pg/copy.h"

static void check_peek(eddy_pg_connection *db)
{
    PGconn *libpq = pg_connection_libpq(db);
    struct pollfd state = {.fd = PQsocket(libpq), .events = POLLIN};
    unsigned char bytes[16];

    CHECK_EQ(pg_peek(libpq, bytes, sizeof bytes), 0);
    CHECK(PQsendQuery(libpq, "SELECT 1 / 0"));
    while (PQflush(libpq) > 0)
        continue;
    for (int i = 0; i < 100 && pg_peek(libpq, bytes, sizeof bytes) == 0; i++)
        CHECK(poll(&state, 1, 5000) > 0);
    CHECK_EQ(pg_peek(libpq, bytes, sizeof bytes), 16);
    CHECK_EQ(bytes[0], 'E');
    CHECK_EQ(pg_copy_is_error(bytes, sizeof bytes), 1);
}

TEST(pg_peek_shows_what_has_come)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_dsn(), NULL, &db));
    check_peek(db);
}

TEST(pg_peek_shows_what_has_come_over_tls)
{
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(eddy_pg_connect(pg_test_tcp_dsn("postgres", "sslmode=require"), NULL, &db));
    CHECK(eddy_pg_uses_tls(db));
    check_peek(db);
}
