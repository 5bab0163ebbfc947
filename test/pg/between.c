/* SPDX-License-Identifier: MIT */
#include "pg/between.h"

#include <arpa/inet.h>

#include "base/compat.h"
#include "pg/connection.h"
#include "pg/database.h"

/* The proxy ------------------------------------------------------------------------ */

struct pg_way {
    struct pg_proxy *proxy;
    eddy_stream *from, *to;
    bool counted;
};

static int way_pass(struct pg_way *way, const char *data, size_t size)
{
    struct pg_proxy *proxy = way->proxy;

    for (size_t at = 0; at < size;) {
        size_t piece = proxy->piece && proxy->piece < size - at ? proxy->piece : size - at;

        if (way->counted && proxy->cut && proxy->passed + piece > (size_t)proxy->cut) {
            piece = (size_t)proxy->cut - proxy->passed;
            EDDY_TRY(eddy_write(way->to, data + at, piece));
            return -ECONNABORTED;
        }
        if (proxy->delay > 0)
            EDDY_TRY(eddy_sleep(proxy->delay));
        EDDY_TRY(eddy_write(way->to, data + at, piece));
        if (proxy->piece)
            EDDY_TRY(eddy_flush(way->to));
        at += piece;
        if (way->counted)
            proxy->passed += piece;
    }
    return 0;
}

static int way_run(struct pg_way *way)
{
    char data[8192];
    ssize_t size;

    while ((size = eddy_read(way->from, data, sizeof data)) > 0)
        EDDY_TRY(way_pass(way, data, (size_t)size));
    return size < 0 ? (int)size : -EPIPE; /* the other way ends with this one */
}
EDDY_ASYNC(way_run, struct pg_way *);

static int proxy_serve(eddy_stream *client, void *argument)
{
    struct pg_proxy *proxy = argument;
    EDDY_STREAM server = NULL;
    char place[200];

    proxy->connections++;
    proxy->passed = 0;
    snprintf(place, sizeof place, "unix:%s/.s.PGSQL.%d", pg_test_folder(), pg_test_port());
    EDDY_TRY(eddy_connect(place, &server));
    struct pg_way there = {proxy, client, server, false}, back = {proxy, server, client, true};
    eddy_keep_pace_(true);
    (void)eddy_gather(EDDY_CALL(way_run, &there), EDDY_CALL(way_run, &back));
    eddy_keep_pace_(false);
    return 0;
}

int pg_proxy_open(struct pg_proxy *proxy)
{
    (void)pg_test_dsn();
    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", proxy_serve, proxy, &proxy->server));
    snprintf(proxy->dsn, sizeof proxy->dsn,
             "host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable",
             eddy_server_port(proxy->server));
    return 0;
}

void pg_proxy_close(struct pg_proxy *proxy)
{
    if (proxy->server)
        eddy_server_close(&proxy->server);
}

/* The fake server ------------------------------------------------------------------ */

static const char fake_login[] = "R\0\0\0\x08\0\0\0\0"
                                 "S\0\0\0\x19"
                                 "client_encoding\0UTF8\0"
                                 "K\0\0\0\x0c\0\0\0\x07\0\0\0\x08"
                                 "Z\0\0\0\x05I";

/* Reads a message, with its type or, at first, without: its type; 0 at the end. */
static int fake_read(eddy_stream *stream, bool typed)
{
    char type = 1, body[4096];
    uint32_t size;

    if (typed)
        EDDY_TRY(eddy_read_exactly(stream, &type, 1));
    EDDY_TRY(eddy_read_exactly(stream, &size, sizeof size));
    size = ntohl(size) - 4;
    if (size > sizeof body)
        return -EMSGSIZE;
    EDDY_TRY(size ? eddy_read_exactly(stream, body, size) : 0);
    return type;
}

static int fake_serve(eddy_stream *stream, void *argument)
{
    const struct pg_fake *fake = argument;
    int type;

    EDDY_TRY(fake_read(stream, false));
    if (fake->login) {
        EDDY_TRY(eddy_write(stream, fake->login, fake->login_size));
        if (!fake->keeps)
            return 0;
    } else {
        EDDY_TRY(eddy_write(stream, fake_login, sizeof fake_login - 1));
    }
    while ((type = fake_read(stream, true)) > 0 && type != 'X') {
        EDDY_TRY(eddy_write(stream, fake->answer, fake->answer_size));
        if (!fake->keeps)
            break;
    }
    return 0;
}

int pg_fake_open(struct pg_fake *fake)
{
    EDDY_TRY(eddy_start_server("tcp://127.0.0.1:0", fake_serve, fake, &fake->server));
    snprintf(fake->dsn, sizeof fake->dsn,
             "host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable password=s3cret",
             eddy_server_port(fake->server));
    return 0;
}

void pg_fake_close(struct pg_fake *fake)
{
    if (fake->server)
        eddy_server_close(&fake->server);
}

/* Through a proxy ------------------------------------------------------------------ */

static int exchange(const char *dsn)
{
    EDDY_PG_CONNECTION db = NULL;
    int64_t value;
    int rc;

    EDDY_TRY(eddy_pg_connect(dsn, &(eddy_pg_options){.timeout = 20, .close_timeout = 2}, &db));
    rc = eddy_pg_fetchval(db, &value, "SELECT sum($1 + i) FROM generate_series(1, 100) i", 7);
    return rc < 0 ? rc : value == 5750 ? 0 : -EPROTO;
}

/* Issue 7, 3: bytes that come one at a time, and late. */
TEST(pg_between_that_splits_and_delays_changes_nothing)
{
    struct pg_proxy proxy = {.piece = 1};
    EDDY_DEFER(pg_proxy_close, &proxy);

    CHECK_OK(pg_proxy_open(&proxy));
    CHECK_OK(exchange(proxy.dsn));
    proxy.piece = 50;
    proxy.delay = 0.002;
    CHECK_OK(exchange(proxy.dsn));
    CHECK_EQ(proxy.connections, 2);
}

/* Issue 7, 3: a connection that breaks at any byte is an error, and leaves nothing. */
TEST(pg_between_that_is_cut_anywhere_is_an_error)
{
    struct pg_proxy proxy = {.cut = 0};
    EDDY_DEFER(pg_proxy_close, &proxy);
    size_t whole;

    CHECK_OK(pg_proxy_open(&proxy));
    CHECK_OK(exchange(proxy.dsn));
    whole = proxy.passed;
    for (proxy.cut = 1; (size_t)proxy.cut < whole; proxy.cut += test_is_deep() ? 1 : 17) {
        int rc = exchange(proxy.dsn);

        CHECK_THAT(rc == EDDY_EPG_LOST || rc == EDDY_EPG_CONNECT || rc == -ECONNRESET,
                   "cut behind %ld bytes: %s (%s)", proxy.cut, eddy_error_message(rc),
                   eddy_error_name(rc));
    }
}

/* P-TMO-2, -3 over a slow link: the request comes late, and hits nothing but its own query. */
TEST(pg_between_that_delays_lets_no_cancel_hit_the_next_query)
{
    struct pg_proxy proxy = {.delay = 0.005};
    EDDY_DEFER(pg_proxy_close, &proxy);
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(pg_proxy_open(&proxy));
    CHECK_OK(eddy_pg_connect(proxy.dsn, NULL, &db));
    for (int i = 0; i < 10; i++) {
        int rc;
        {
            EDDY_TIMEOUT(limit, 0.003 * i);

            rc = pg_command(db, "SELECT pg_sleep(0.01)");
        }
        CHECK(rc == 0 || rc == -ETIMEDOUT);
        CHECK_OK(pg_command(db, "SELECT pg_sleep(0.01)"));
    }
    CHECK_IN_SYNC(db);
}

/* From a server that does not speak the protocol ------------------------------------ */

#define BYTES(text) text, sizeof text - 1

static const struct {
    const char *what, *bytes;
    size_t size;
} malformed[] = {
    {"no message", BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")},
    {"a length below 4", BYTES("T\0\0\0\x03")},
    {"a length of 2 GiB", BYTES("T\x7f\xff\xff\xff\0\x01")},
    {"a negative length", BYTES("T\xff\xff\xff\xff\0\x01")},
    {"a description that ends early", BYTES("T\0\0\0\x06\0\x05")},
    {"a row without a description", BYTES("D\0\0\0\x0a\0\x01\0\0\0\x04")},
    {"a row of another number of columns",
     BYTES("T\0\0\0\x1a\0\x01x\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"
           "D\0\0\0\x06\0\x09")},
    {"a value longer than its row",
     BYTES("T\0\0\0\x1a\0\x01x\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"
           "D\0\0\0\x0e\0\x01\0\0\x10\0abcd")},
    {"an error without fields", BYTES("E\0\0\0\x05\0Z\0\0\0\x05I")},
    {"an error whose end is missing", BYTES("E\0\0\0\x0aSERROR")},
    {"an error with a state that is none", BYTES("E\0\0\0\x14SERROR\0Cab\0Mno\0\0Z\0\0\0\x05I")},
    {"an unknown type", BYTES("@\0\0\0\x04")},
    {"a command that ends without a NUL", BYTES("C\0\0\0\x0aSELECT")},
    {"a parameter's description that ends early", BYTES("t\0\0\0\x06\0\x09")},
    {"a COPY of both directions", BYTES("W\0\0\0\x07\0\0\0")},
    {"an answer to nothing", BYTES("1\0\0\0\x04n\0\0\0\x04I\0\0\0\x04Z\0\0\0\x05I")},
};

/* P-LIFE-5, P-ERR-2: whatever comes, the query fails or ends, and the connection is closed or in
 * order; nothing is read that is not there. */
TEST(pg_between_of_nonsense_is_an_error)
{
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct pg_fake fake = {.answer = malformed[i].bytes, .answer_size = malformed[i].size};
        EDDY_DEFER(pg_fake_close, &fake);
        EDDY_PG_CONNECTION db = NULL;
        int rc;

        CHECK_OK(pg_fake_open(&fake));
        CHECK_OK(eddy_pg_connect(fake.dsn, &(eddy_pg_options){.close_timeout = 0.2}, &db));
        {
            EDDY_TIMEOUT(limit, 5);

            rc = pg_command(db, "SELECT 1");
        }
        CHECK_THAT(rc <= EDDY_EPG_NULL || rc == -ENOMEM || i + 1 == ED_ARRAY_LENGTH(malformed),
                   "%s: %s (%s)", malformed[i].what, eddy_error_message(rc), eddy_error_name(rc));
    }
}

static const struct {
    const char *what, *bytes;
    size_t size;
} logins[] = {
    {"nothing", BYTES("")},
    {"no message", BYTES("220 mail.example ESMTP\r\n")},
    {"an authentication that nobody knows", BYTES("R\0\0\0\x08\0\0\0\x63")},
    {"SASL without a mechanism", BYTES("R\0\0\0\x09\0\0\0\x0a\0")},
    {"SCRAM that begins with its end", BYTES("R\0\0\0\x0a\0\0\0\x0cv=")},
    {"an error without fields", BYTES("E\0\0\0\x05\0")},
    {"a length of 2 GiB", BYTES("R\x7f\xff\xff\xff\0\0\0\0")},
    {"an error of an old server", BYTES("EFATAL: go away\n\0")},
};

/* P-AUTH-1, -2, P-LIFE-5: the same while logging in, with nothing left open, and no secret said. */
TEST(pg_between_of_nonsense_in_a_login_is_an_error)
{
    for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++) {
        struct pg_fake fake = {.login = logins[i].bytes, .login_size = logins[i].size};
        EDDY_DEFER(pg_fake_close, &fake);
        EDDY_PG_CONNECTION db = NULL;
        int rc;

        CHECK_OK(pg_fake_open(&fake));
        rc = eddy_pg_connect(fake.dsn, &(eddy_pg_options){.timeout = 5}, &db);
        CHECK_THAT(rc == EDDY_EPG_CONNECT || rc == -ECONNRESET || rc == EDDY_EPG_PROTOCOL,
                   "%s: %s (%s)", logins[i].what, eddy_error_message(rc), eddy_error_name(rc));
        CHECK(strstr(eddy_error_message(rc), "s3cret") == NULL);
    }
}

/* P-TLS-2: bytes behind the server's answer to the request for TLS were injected. */
TEST(pg_between_with_bytes_injected_before_tls_is_an_error)
{
    struct pg_fake fake = {.login = BYTES("SR\0\0\0\x08\0\0\0\0"), .keeps = true};
    EDDY_DEFER(pg_fake_close, &fake);
    EDDY_PG_CONNECTION db = NULL;

    CHECK_OK(pg_fake_open(&fake));
    CHECK_FAILS(
        eddy_pg_connect(fake.dsn, &(eddy_pg_options){.sslmode = "require", .timeout = 5}, &db),
        EDDY_EPG_CONNECT, "SSL");
}

/* A server that never answers a cancel: the connection settles or is closed, in time. */
TEST(pg_between_to_a_server_that_says_nothing_is_closed_in_time)
{
    struct pg_fake fake = {.answer = "", .answer_size = 0, .keeps = true};
    EDDY_DEFER(pg_fake_close, &fake);
    EDDY_PG_CONNECTION db = NULL;
    double begun;
    int rc;

    CHECK_OK(pg_fake_open(&fake));
    CHECK_OK(eddy_pg_connect(fake.dsn, &(eddy_pg_options){.close_timeout = 0.3}, &db));
    {
        EDDY_TIMEOUT(limit, 0.1);

        rc = pg_command(db, "SELECT 1");
    }
    CHECK_EQ(rc, -ETIMEDOUT);
    begun = eddy_time();
    eddy_pg_close(&db);
    CHECK(eddy_time() - begun < 1);
}
