/* SPDX-License-Identifier: MIT */
/* TLS as a stream: what waits, over pairs in memory. */
#include "net/tls.h"

#include <stdlib.h>

#include "harness.h"
#include "net/tls_certificate.h"

static int echo(eddy_stream **stream)
{
    char data[4096];
    ssize_t size;

    while ((size = eddy_read(*stream, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(*stream, data, (size_t)size));
    EDDY_TRY((int)size);
    return eddy_stream_close(stream);
}
EDDY_ASYNC(echo, eddy_stream **);

static int open_usual(struct tls_ends *ends)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();

    EDDY_TRY(tls_ends_open(ends, &client, "a.test", &server));
    return tls_ends_result(ends);
}

/* A-TLS-1, -4: the handshake is done before anything is read or written; two goodbyes. */
TEST(tls_carries_bytes_both_ways)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[16];

    CHECK_OK(open_usual(&ends));
    CHECK_STR(eddy_stream_kind(ends.client), "tls");
    CHECK_STR(eddy_stream_kind(eddy_tls_lower_stream(ends.client)), "memory");
    EDDY_TASK task = eddy_create_task(echo, &ends.server);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_write(ends.client, "hello", 5));
        CHECK_OK(eddy_read_exactly(ends.client, data, 5));
        CHECK(memcmp(data, "hello", 5) == 0);
    }
    CHECK_OK(eddy_stream_close(&ends.client));
    CHECK_OK(eddy_await(task));
    CHECK_EQ(eddy_time(), 0);
}

/* Between the two ends: passes so many bytes on, one by one or as they come, then ends. */
struct relay {
    eddy_stream *from, *to;
    size_t piece, limit, passed;
    int rc;
};

static int relay_run(struct relay *relay)
{
    char data[2048];
    ssize_t n = 1;

    while (relay->passed < relay->limit && n > 0) {
        size_t most = relay->limit - relay->passed;

        most = most < relay->piece ? most : relay->piece;
        n = eddy_read(relay->from, data, most < sizeof data ? most : sizeof data);
        if (n > 0) {
            EDDY_TRY(eddy_write(relay->to, data, (size_t)n));
            relay->passed += (size_t)n;
        }
    }
    EDDY_TRY((int)n);
    return eddy_write_eof(relay->to);
}

static int relay_start(struct relay *relay)
{
    relay->rc = relay_run(relay);
    return relay->rc == -ECANCELED ? -ECANCELED : 0;
}
EDDY_ASYNC(relay_start, struct relay *);

static int serve_echo(eddy_stream **stream, eddy_tls_context *context, int *result)
{
    *result = eddy_start_tls_server(stream, context);
    if (*result == 0)
        *result = echo(stream);
    (void)eddy_stream_close(stream);
    return *result == -ECANCELED ? -ECANCELED : 0;
}
EDDY_ASYNC(serve_echo, eddy_stream **, eddy_tls_context *, int *);

/* A client's exchange: "ping" there and back, and the goodbyes. */
static int exchange(eddy_stream **stream, eddy_tls_context *context)
{
    char data[4];

    EDDY_TRY(eddy_start_tls(stream, context, "a.test"));
    EDDY_TRY(eddy_write(*stream, "ping", 4));
    EDDY_TRY(eddy_read_exactly(*stream, data, 4));
    EDDY_TRY(memcmp(data, "ping", 4) == 0 ? 0 : -EBADMSG);
    return eddy_stream_close(stream);
}

struct relayed {
    struct relay there, back;
    int client, server; /* results */
};

/* The exchange through two relays. */
static int exchange_relayed(struct relayed *r, eddy_tls_context *client, eddy_tls_context *server)
{
    EDDY_STREAM a = NULL;
    EDDY_STREAM b = NULL;
    EDDY_STREAM c = NULL;
    EDDY_STREAM d = NULL;
    int rc;

    EDDY_TRY(eddy_stream_pair(&a, &b));
    EDDY_TRY(eddy_stream_pair(&c, &d));
    r->there.from = r->back.to = b;
    r->there.to = r->back.from = c;
    {
        EDDY_GROUP(group);

        EDDY_TRY(eddy_group_create_task(&group, relay_start, &r->there));
        EDDY_TRY(eddy_group_create_task(&group, relay_start, &r->back));
        EDDY_TRY(eddy_group_create_task(&group, serve_echo, &d, server, &r->server));
        r->client = exchange(&a, client);
        (void)eddy_stream_close(&a);
        rc = eddy_group_join(&group);
    }
    return r->client == -ECANCELED ? r->client : rc;
}

/* Short reads and writes: the peer's bytes come one at a time. */
TEST(tls_works_over_a_stream_that_gives_one_byte_at_a_time)
{
    eddy_tls_options options = tls_client_options(), server_options = tls_server_options();
    EDDY_TLS_CONTEXT client = NULL;
    EDDY_TLS_CONTEXT server = NULL;
    struct relayed r = {.there = {.piece = 1, .limit = SIZE_MAX},
                        .back = {.piece = 1, .limit = SIZE_MAX}};

    CHECK_OK(eddy_tls_client_context(&options, &client));
    CHECK_OK(eddy_tls_server_context(&server_options, &server));
    CHECK_OK(exchange_relayed(&r, client, server));
    CHECK_OK(r.client);
    CHECK_OK(r.server);
    CHECK(r.there.passed > 300 && r.back.passed > 600);
}

/* A-TLS-5: an exchange that is cut behind any of its bytes is an error to the one who was
 * not told of the end, and never takes a wrong turn. */
static int cut_everywhere(enum eddy_tls_version version, bool to_client)
{
    eddy_tls_options options = tls_client_options(), server_options = tls_server_options();
    EDDY_TLS_CONTEXT client = NULL;
    EDDY_TLS_CONTEXT server = NULL;
    struct relayed whole = {.there = {.piece = 2048, .limit = SIZE_MAX},
                            .back = {.piece = 2048, .limit = SIZE_MAX}};
    size_t all, step = test_is_slow() ? 37 : 3;

    options.least = options.most = version;
    options.no_resumption = true;
    EDDY_TRY(eddy_tls_client_context(&options, &client));
    EDDY_TRY(eddy_tls_server_context(&server_options, &server));
    EDDY_TRY(exchange_relayed(&whole, client, server));
    EDDY_TRY(whole.client);
    EDDY_TRY(whole.server);
    all = to_client ? whole.back.passed : whole.there.passed;
    for (size_t limit = 0; limit + 4 < all; limit += step) { /* signatures differ in length */
        struct relayed r = {.there = {.piece = 2048, .limit = to_client ? SIZE_MAX : limit},
                            .back = {.piece = 2048, .limit = to_client ? limit : SIZE_MAX}};

        EDDY_TRY(exchange_relayed(&r, client, server));
        if (to_client) /* it may have left before the cut, which was in the goodbye then */
            REQUIRE(r.client == EDDY_ETLS_TRUNCATED || (r.client == 0 && limit + 40 > all));
        else
            REQUIRE(r.server == EDDY_ETLS_TRUNCATED);
    }
    return 0;
}
EDDY_ASYNC(cut_everywhere, enum eddy_tls_version, bool);

RAW_TEST(tls_1_3_that_is_cut_is_truncated)
{
    CHECK_OK(eddy_test(cut_everywhere, EDDY_TLS_1_3, false));
    CHECK_OK(eddy_test(cut_everywhere, EDDY_TLS_1_3, true));
}

RAW_TEST(tls_1_2_that_is_cut_is_truncated)
{
    CHECK_OK(eddy_test(cut_everywhere, EDDY_TLS_1_2, false));
    CHECK_OK(eddy_test(cut_everywhere, EDDY_TLS_1_2, true));
}

/* Bulk, both ways at once. */

struct bulk {
    eddy_stream *stream;
    size_t size, piece;
    unsigned seed;
    unsigned update; /* a key update with each so many pieces; 0: none */
};

static unsigned char bulk_byte(unsigned seed, size_t at)
{
    return (unsigned char)(seed + at * 7 + (at >> 10));
}

void tls_update_key(eddy_stream *stream); /* of test/net/tls_openssl.c */

static int bulk_write(struct bulk bulk)
{
    static char data[2][70000];
    char *mine = data[bulk.seed & 1];
    unsigned count = 0;

    for (size_t at = 0; at < bulk.size;) {
        size_t piece = bulk.piece < bulk.size - at ? bulk.piece : bulk.size - at;

        for (size_t i = 0; i < piece; i++)
            mine[i] = (char)bulk_byte(bulk.seed, at + i);
        if (bulk.update && ++count % bulk.update == 0)
            tls_update_key(bulk.stream);
        EDDY_TRY(eddy_write(bulk.stream, mine, piece));
        at += piece;
    }
    return eddy_flush(bulk.stream);
}
EDDY_ASYNC(bulk_write, struct bulk);

static int bulk_read(struct bulk bulk)
{
    char data[5000];
    size_t at = 0;

    while (at < bulk.size) {
        size_t most = bulk.size - at < sizeof data ? bulk.size - at : sizeof data;
        ssize_t n = eddy_read(bulk.stream, data, most);

        EDDY_TRY((int)n);
        REQUIRE(n > 0);
        for (ssize_t i = 0; i < n; i++)
            REQUIRE((unsigned char)data[i] == bulk_byte(bulk.seed, at + (size_t)i));
        at += (size_t)n;
    }
    return 0;
}
EDDY_ASYNC(bulk_read, struct bulk);

static int bulk_both_ways(struct tls_ends *ends, size_t size, size_t piece, unsigned update)
{
    struct bulk there = {ends->client, size, piece, 1, update};
    struct bulk back = {ends->server, size, piece, 2, update};
    struct bulk there_end = {ends->server, size, 0, 1, 0}, back_end = {ends->client, size, 0, 2, 0};

    return eddy_gather(EDDY_CALL(bulk_write, there), EDDY_CALL(bulk_write, back),
                       EDDY_CALL(bulk_read, there_end), EDDY_CALL(bulk_read, back_end));
}

/* A-TLS-11: both ends read and write at the same time, each from two tasks. */
TEST(tls_carries_much_both_ways_at_once)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);

    CHECK_OK(open_usual(&ends));
    CHECK_OK(bulk_both_ways(&ends, 1 << 20, 70000, 0));
    CHECK_OK(bulk_both_ways(&ends, 100000, 100, 0));
    CHECK(eddy_stream_get_counters(ends.client).received == (1 << 20) + 100000);
}

/* A-TLS-11: with key updates on both sides, which each end answers while it reads. */
TEST(tls_updates_keys_while_both_ends_read_and_write)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);

    CHECK_OK(open_usual(&ends));
    CHECK_OK(bulk_both_ways(&ends, 1 << 20, 40000, 1));
    CHECK_OK(bulk_both_ways(&ends, 20000, 10, 3));
}

/* Writing: limits, cancels, callbacks. */

/* A-WRITE-4: writers wait above 512 KiB, until 128 KiB are kept. */
TEST(tls_keeps_no_more_of_what_is_written_than_its_limit)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    struct bulk bulk = {.size = 2 << 20, .piece = 70000, .seed = 1};
    size_t kept;

    CHECK_OK(open_usual(&ends));
    bulk.stream = ends.client;
    EDDY_TASK writer = eddy_create_task(bulk_write, bulk);
    test_settle();
    kept = eddy_stream_get_counters(ends.client).to_send;
    CHECK_THAT(kept > (512 << 10) && kept <= (512 << 10) + 70000, "%zu bytes are kept", kept);
    CHECK_EQ(eddy_write_nowait(ends.client, "x", 1), -EAGAIN);
    bulk.stream = ends.server;
    CHECK_OK(bulk_read(bulk));
    CHECK_OK(eddy_await(writer));
}

static int write_much(eddy_stream *stream, size_t size)
{
    char *data = test_room(size);

    memset(data, 'm', size);
    return eddy_write(stream, data, size);
}
EDDY_ASYNC(write_much, eddy_stream *, size_t);

/* Peers 6a: a large write that is cancelled says how much has gone, up to the end of a
 * record, and the stream goes on behind that. */
TEST(tls_write_that_is_cancelled_has_gone_up_to_a_record)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    size_t gone;
    char *data = NULL;

    CHECK_OK(open_usual(&ends));
    EDDY_TASK writer = eddy_create_task(write_much, ends.client, (size_t)4 << 20);
    test_settle();
    eddy_cancel(writer);
    CHECK_EQ(eddy_await(writer), -ECANCELED);
    gone = eddy_stream_partial(ends.client);
    CHECK_THAT(gone > 0 && gone < (4 << 20) && gone % (16 << 10) == 0, "%zu", gone);
    EDDY_TASK next = eddy_create_task(write_much, ends.client, (size_t)10);
    data = malloc(gone + 10);
    int rc = eddy_read_exactly(ends.server, data, gone + 10);
    free(data);
    CHECK_OK(rc);
    CHECK_OK(eddy_await(next));
}

static int read_some(eddy_stream *stream, char *data, size_t size)
{
    ssize_t n = eddy_read(stream, data, size);

    return (int)n;
}
EDDY_ASYNC(read_some, eddy_stream *, char *, size_t);

/* A read that is cancelled takes nothing, and the stream is as good as before. */
TEST(tls_read_that_is_cancelled_takes_nothing)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[16] = "";

    CHECK_OK(open_usual(&ends));
    for (int i = 0; i < 3; i++) {
        EDDY_TASK reader = eddy_create_task(read_some, ends.server, data, sizeof data);
        test_settle();
        if (i == 1)
            CHECK_OK(eddy_write(ends.client, "abc", 3)); /* in the tick of the cancel */
        eddy_cancel(reader);
        int rc = eddy_await(reader);
        if (rc == -ECANCELED && i == 1)
            rc = read_some(ends.server, data, sizeof data);
        CHECK_EQ(rc, i == 1 ? 3 : -ECANCELED);
    }
    CHECK_OK(eddy_write(ends.client, "de", 2));
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 2);
}

static int timeout_read(eddy_stream *stream)
{
    EDDY_TIMEOUT(limit, 3);
    char data[4];
    ssize_t n = eddy_read(stream, data, sizeof data);

    return (int)n;
}

TEST(tls_read_that_times_out_leaves_the_stream_usable)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[4];

    CHECK_OK(open_usual(&ends));
    CHECK_EQ(timeout_read(ends.server), -ETIMEDOUT);
    CHECK_OK(eddy_write(ends.client, "ok", 2));
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 2);
}

static int callback_rc;

static int write_in_callback(void *stream)
{
    callback_rc = eddy_write_nowait(stream, "callback", 8);
    return 0;
}

TEST(tls_is_written_to_from_a_callback)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[8];

    CHECK_OK(open_usual(&ends));
    eddy_handle handle =
        eddy_loop_call_soon(eddy_get_running_loop(), write_in_callback, ends.client);
    EDDY_DEFER(test_cancel_handle, &handle);
    CHECK_OK(eddy_read_exactly(ends.server, data, 8));
    CHECK_EQ(callback_rc, 0);
    CHECK(memcmp(data, "callback", 8) == 0);
}

TEST(tls_write_of_many_parts_is_one_record)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    struct iovec parts[] = {{"a", 1}, {"", 0}, {"bc", 2}, {"def", 3}};
    char data[16];
    uint64_t before;

    CHECK_OK(open_usual(&ends));
    before = eddy_stream_get_counters(eddy_tls_lower_stream(ends.client)).sent;
    CHECK_OK(eddy_writev(ends.client, parts, 4));
    CHECK_EQ(eddy_stream_get_counters(eddy_tls_lower_stream(ends.client)).sent - before, 6 + 22);
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 6);
    CHECK(memcmp(data, "abcdef", 6) == 0);
}

/* Ends. */

/* A-WRITE-13: the writing half alone cannot be ended; behind the peer's goodbye it can be
 * written still. */
TEST(tls_has_no_end_of_one_half)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[8];

    CHECK_OK(open_usual(&ends));
    CHECK_EQ(eddy_write_eof(ends.client), -ENOTSUP);
    CHECK_OK(eddy_write(ends.client, "more", 4));
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 4);
}

static int close_it(eddy_stream **stream)
{
    return eddy_stream_close(stream);
}
EDDY_ASYNC(close_it, eddy_stream **);

TEST(tls_peers_goodbye_is_the_end_and_can_be_answered_by_more)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[8];

    CHECK_OK(open_usual(&ends));
    EDDY_TASK closer = eddy_create_task(close_it, &ends.client);
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 0);
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 0);
    CHECK(eddy_at_eof(ends.server));
    CHECK_OK(eddy_write(ends.server, "late", 4)); /* the client drops it */
    CHECK_OK(eddy_stream_close(&ends.server));
    CHECK_OK(eddy_await(closer));
}

/* A-TLS-4: the peer's goodbye is waited for, for 30 seconds. */
TEST(tls_close_waits_for_the_peers_goodbye_for_so_long)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[8];

    CHECK_OK(open_usual(&ends));
    CHECK_EQ(eddy_stream_close(&ends.client), -ETIMEDOUT);
    CHECK_HAS(eddy_error_message(-ETIMEDOUT),
              "tls a.test: the peer has not said goodbye within 30");
    CHECK_EQ(eddy_time(), 30);
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 0); /* it came before the reset */
}

TEST(tls_close_that_is_cancelled_ends_at_once)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);

    CHECK_OK(open_usual(&ends));
    EDDY_TASK closer = eddy_create_task(close_it, &ends.client);
    CHECK_OK(eddy_sleep(2));
    eddy_cancel(closer);
    CHECK_EQ(eddy_await(closer), -ECANCELED);
    CHECK_EQ(eddy_time(), 2);
}

/* A peer that just leaves behind our goodbye has heard enough. */
TEST(tls_close_is_content_with_a_peer_that_leaves)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);

    CHECK_OK(open_usual(&ends));
    EDDY_TASK closer = eddy_create_task(close_it, &ends.client);
    CHECK_OK(eddy_sleep(1));
    eddy_stream_abort(ends.server);
    CHECK_OK(eddy_await(closer));
    CHECK_EQ(eddy_time(), 1);
}

TEST(tls_abort_is_a_reset_for_the_peer)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[8];

    CHECK_OK(open_usual(&ends));
    EDDY_TASK reader = eddy_create_task(read_some, ends.client, data, sizeof data);
    test_settle();
    eddy_stream_abort(ends.client);
    CHECK_EQ(eddy_await(reader), -ECONNABORTED);
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), -ECONNRESET);
    CHECK_EQ(eddy_write(ends.server, "x", 1), -ECONNRESET);
    CHECK_EQ(eddy_stream_close(&ends.client), -ECONNABORTED);
}

TEST(tls_close_gets_those_out_who_wait_inside)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[8];

    CHECK_OK(open_usual(&ends));
    EDDY_TASK reader = eddy_create_task(read_some, ends.client, data, sizeof data);
    EDDY_TASK server = eddy_create_task(echo, &ends.server);
    CHECK_OK(eddy_test_settle()); /* the reader has begun before the stream goes */
    CHECK_OK(eddy_stream_close(&ends.client));
    CHECK_EQ(eddy_await(reader), -ESHUTDOWN);
    CHECK_OK(eddy_await(server));
}

/* start_tls. */

static int say(eddy_stream *stream, const char *text)
{
    return eddy_write(stream, text, strlen(text));
}

/* What two that speak in plain text first do: STARTTLS. */
static int upgrade_server(eddy_stream **stream, eddy_tls_context *context)
{
    char line[64];
    ssize_t n = eddy_read_line(*stream, line, sizeof line);

    EDDY_TRY((int)n);
    EDDY_TRY(say(*stream, "220 go ahead\r\n"));
    EDDY_TRY(eddy_start_tls_server(stream, context));
    n = eddy_read_line(*stream, line, sizeof line);
    EDDY_TRY((int)n);
    EDDY_TRY(say(*stream, line));
    return eddy_stream_close(stream);
}
EDDY_ASYNC(upgrade_server, eddy_stream **, eddy_tls_context *);

static int upgrade_client(eddy_stream **stream, const char *text, char *line, size_t size)
{
    eddy_tls_options options = tls_client_options();
    EDDY_TLS_CONTEXT context = NULL;
    ssize_t n;

    EDDY_TRY(eddy_tls_client_context(&options, &context));
    EDDY_TRY(say(*stream, text));
    n = eddy_read_line(*stream, line, size);
    EDDY_TRY((int)n);
    EDDY_TRY(eddy_start_tls(stream, context, "a.test"));
    EDDY_TRY(say(*stream, "secret\n"));
    n = eddy_read_line(*stream, line, size);
    EDDY_TRY((int)n);
    return eddy_stream_close(stream);
}

/* A-TLS-7, -8: an open stream is upgraded; the client's hello may have come already. */
TEST(start_tls_takes_the_place_of_the_plain_stream)
{
    eddy_tls_options options = tls_server_options();
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_STREAM client = NULL;
    EDDY_STREAM server = NULL;
    char line[64];

    CHECK_OK(eddy_tls_server_context(&options, &context));
    CHECK_OK(eddy_stream_pair(&client, &server));
    EDDY_TASK task = eddy_create_task(upgrade_server, &server, context);
    CHECK_OK(upgrade_client(&client, "STARTTLS\r\n", line, sizeof line));
    CHECK_STR(line, "secret\n");
    CHECK_OK(eddy_await(task));
}

/* A-TLS-8, -9: what somebody put behind the STARTTLS is never taken for the client's. */
TEST(start_tls_refuses_what_was_injected_before_it)
{
    eddy_tls_options options = tls_server_options();
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_STREAM client = NULL;
    EDDY_STREAM server = NULL;
    char line[64];

    CHECK_OK(eddy_tls_server_context(&options, &context));
    CHECK_OK(eddy_stream_pair(&client, &server));
    EDDY_TASK task = eddy_create_task(upgrade_server, &server, context);
    int rc = upgrade_client(&client, "STARTTLS\r\nRCPT TO:<evil>\r\n", line, sizeof line);
    CHECK_EQ(eddy_await(task), EDDY_ETLS_NOT_TLS);
    CHECK_HAS(eddy_error_message(EDDY_ETLS_NOT_TLS), "16 bytes were received before TLS began");
    CHECK(server == NULL);
    CHECK_THAT(rc == EDDY_ETLS_TRUNCATED || rc == -ECONNRESET || rc == -EPIPE, "%s",
               eddy_error_name(rc));
}

TEST(start_tls_refuses_what_a_server_said_too_early)
{
    EDDY_STREAM client = NULL;
    EDDY_STREAM server = NULL;
    char data[64];

    CHECK_OK(eddy_stream_pair(&client, &server));
    CHECK_OK(say(server, "220 go ahead\r\n250 injected\r\n"));
    CHECK(eddy_read_line(client, data, sizeof data) > 0);
    CHECK_EQ(eddy_start_tls(&client, NULL, "a.test"), EDDY_ETLS_NOT_TLS);
    CHECK(client == NULL);
    CHECK_EQ(eddy_read(server, data, sizeof data), 0); /* no hello has gone */
}

TEST(start_tls_needs_a_name_and_the_right_context)
{
    eddy_tls_options options = tls_server_options();
    EDDY_TLS_CONTEXT context = NULL;
    static const char *const bad[] = {NULL,  "",           ".test",        "a b",
                                      "a/b", "a.test:443", "\xc3\xa4.test"};

    CHECK_OK(eddy_tls_server_context(&options, &context));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad) + 2; i++) {
        EDDY_STREAM client = NULL;
        EDDY_STREAM server = NULL;
        int rc;

        CHECK_OK(eddy_stream_pair(&client, &server));
        if (i < ED_ARRAY_LENGTH(bad))
            rc = eddy_start_tls(&client, NULL, bad[i]);
        else if (i == ED_ARRAY_LENGTH(bad))
            rc = eddy_start_tls(&client, context, "a.test");
        else
            rc = eddy_start_tls_server(&client, NULL);
        CHECK_THAT(rc == -EINVAL, "%zu: %s", i, eddy_error_name(rc));
        CHECK(client == NULL);
    }
}

TEST(tls_no_name_is_refused_as_such)
{
    EDDY_STREAM client = NULL, server = NULL;

    CHECK_OK(eddy_stream_pair(&client, &server));
    CHECK_EQ(eddy_start_tls(&client, NULL, NULL), -EINVAL);
    CHECK_HAS(eddy_error_message(-EINVAL), "server_name is NULL: only with an insecure option");
}

/* A-TLS-1: a peer that stalls in the handshake. */
TEST(tls_handshake_has_a_time_limit)
{
    EDDY_STREAM client = NULL;
    EDDY_STREAM server = NULL;

    CHECK_OK(eddy_stream_pair(&client, &server));
    CHECK_EQ(eddy_start_tls(&client, NULL, "a.test"), -ETIMEDOUT);
    CHECK_HAS(eddy_error_message(-ETIMEDOUT), "the handshake was not done within 10 seconds");
    CHECK_EQ(eddy_time(), 10);
}

/* A-TLS-6: plain text to a port of TLS, and the reverse. */
TEST(tls_server_says_what_else_the_client_speaks)
{
    eddy_tls_options options = tls_server_options();
    EDDY_TLS_CONTEXT context = NULL;
    static const char *const texts[] = {"GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
                                        "\x16\x05\x01\x02\x03\x04\x05"};

    CHECK_OK(eddy_tls_server_context(&options, &context));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(texts); i++) {
        EDDY_STREAM client = NULL;
        EDDY_STREAM server = NULL;

        CHECK_OK(eddy_stream_pair(&client, &server));
        CHECK_OK(say(client, texts[i]));
        CHECK_EQ(eddy_start_tls_server(&server, context), EDDY_ETLS_NOT_TLS);
    }
    CHECK_EQ(eddy_time(), 0);
}

static int say_and_wait(eddy_stream *stream, const char *text)
{
    char data[600];

    EDDY_TRY(eddy_read_exactly(stream, data, 100)); /* of the hello */
    return say(stream, text);
}
EDDY_ASYNC(say_and_wait, eddy_stream *, const char *);

TEST(tls_client_says_what_else_the_server_speaks)
{
    EDDY_STREAM client = NULL;
    EDDY_STREAM server = NULL;

    CHECK_OK(eddy_stream_pair(&client, &server));
    EDDY_TASK task = eddy_create_task(say_and_wait, server, "HTTP/1.1 400 Bad Request\r\n\r\n");
    CHECK_EQ(eddy_start_tls(&client, NULL, "a.test"), EDDY_ETLS_NOT_TLS);
    CHECK_HAS(eddy_error_message(EDDY_ETLS_NOT_TLS), "it began with \"HTTP/");
    CHECK_OK(eddy_await(task));
}

/* Whatever fails for want of memory, nothing is left and nothing is lost. */

static int whole_life(void)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    struct bulk there = {.size = 200000, .piece = 50000, .seed = 1}, back;
    eddy_tls_info info;

    EDDY_TRY(open_usual(&ends));
    back = there;
    there.stream = ends.client;
    back.stream = ends.server;
    EDDY_TRY(eddy_gather(EDDY_CALL(bulk_write, there), EDDY_CALL(bulk_read, back)));
    EDDY_TRY(eddy_tls_get_info(ends.client, &info));
    return eddy_expect(info.name_count == 4);
}
EDDY_ASYNC(whole_life);

RAW_TEST(tls_stands_each_refused_allocation)
{
    CHECK_OK(eddy_test_allocations(whole_life));
}

RAW_TEST(tls_stands_each_cancel_of_any_of_its_tasks)
{
    CHECK_OK(eddy_test_cancels(whole_life));
    CHECK_OK(eddy_test_seeds(1, 30, whole_life));
}
