/* SPDX-License-Identifier: MIT */
/* One connection in OpenSSL: its steps, its errors, what it tells. */
#include "net/tls_openssl.h"

#include <stdlib.h>

#include "harness.h"
#include "net/tls_certificate.h"

void tls_update_key(eddy_stream *stream);

void tls_update_key(eddy_stream *stream)
{
    (void)SSL_key_update(ed_tls_ssl((struct ed_tls *)(void *)stream), SSL_KEY_UPDATE_REQUESTED);
}

static int open_usual(struct tls_ends *ends)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();

    EDDY_TRY(tls_ends_open(ends, &client, "a.test", &server));
    return tls_ends_result(ends);
}

/* A-TLS-10: what was agreed upon, and who the peer is. */
TEST(tls_tells_what_was_agreed_and_who_the_peer_is)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    eddy_tls_info info;

    CHECK_OK(open_usual(&ends));
    CHECK_OK(eddy_tls_get_info(ends.client, &info));
    CHECK_STR(info.version, "TLSv1.3");
    CHECK_HAS(info.cipher, "TLS_");
    CHECK_STR(info.alpn, "");
    CHECK(!info.server && !info.resumed);
    CHECK_STR(info.subject, "CN=a.test");
    CHECK_STR(info.issuer, "CN=Test Root");
    CHECK_EQ(strlen(info.fingerprint), 64);
    CHECK_EQ(info.not_after - info.not_before, 2 * 86400);
    CHECK_EQ(info.name_count, 4);
    CHECK_STR(info.names[1], "DNS:*.wild.test");
    CHECK_STR(info.names[2], "IP:127.0.0.1");
    CHECK_STR(info.names[3], "IP:::1");
    CHECK_OK(eddy_tls_get_info(ends.server, &info));
    CHECK(info.server);
    CHECK_STR(info.server_name, "a.test");
    CHECK_STR(info.subject, "");
    CHECK_EQ(info.name_count, 0);
    CHECK_EQ(eddy_tls_get_info(eddy_tls_lower_stream(ends.client), &info), -EINVAL);
    CHECK(eddy_tls_lower_stream(eddy_tls_lower_stream(ends.client)) == NULL);
}

TEST(tls_exports_bytes_that_both_ends_know)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    unsigned char one[32], other[32];

    CHECK_OK(open_usual(&ends));
    CHECK_OK(eddy_tls_export(ends.client, "EXPORTER-Channel-Binding", one, 32));
    CHECK_OK(eddy_tls_export(ends.server, "EXPORTER-Channel-Binding", other, 32));
    CHECK(memcmp(one, other, 32) == 0);
}

/* Bytes that somebody changed or put in between break the stream, with a text. */
TEST(tls_record_that_was_tampered_with_breaks_the_stream)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    static const char forged[] = "\x17\x03\x03\x00\x20"
                                 "0123456789abcdef0123456789abcdef";
    char data[8];

    CHECK_OK(open_usual(&ends));
    CHECK_OK(eddy_write_nowait(eddy_tls_lower_stream(ends.client), forged, sizeof forged - 1));
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), EDDY_ETLS);
    CHECK_HAS(eddy_error_message(EDDY_ETLS), "tls: decryption failed or bad record mac");
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), EDDY_ETLS);
    CHECK_EQ(eddy_write(ends.server, "x", 1), EDDY_ETLS);
    CHECK_EQ(eddy_read(ends.client, data, sizeof data), EDDY_ETLS_ALERT);
    CHECK_HAS(eddy_error_message(EDDY_ETLS_ALERT), "\"bad record mac\" (20)");
}

/* The queue of errors is the thread's: what another connection or anybody left in it does not
 * show here. */
TEST(tls_errors_of_others_do_not_show)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[8];

    CHECK_OK(open_usual(&ends));
    CHECK_OK(eddy_write(ends.client, "x", 1));
    ERR_raise_data(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE, "somebody else's");
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 1);
    ERR_raise_data(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE, "somebody else's");
    CHECK_OK(eddy_write(ends.server, "y", 1));
    CHECK_EQ(eddy_read(ends.client, data, sizeof data), 1);
    CHECK_EQ(ERR_peek_error(), 0);
}

static int read_to_end(eddy_stream *stream)
{
    char data[64];
    ssize_t n;

    while ((n = eddy_read(stream, data, sizeof data)) > 0)
        continue;
    return (int)n;
}
EDDY_ASYNC(read_to_end, eddy_stream *);

/* One who asks for new keys without end, and reads no answer, is kept waiting: what is kept
 * for him has a limit. */
static void answers_to_a_flood_of_key_updates_have_a_limit(void)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    size_t kept;

    CHECK_OK(open_usual(&ends));
    EDDY_TASK reader = eddy_create_task(read_to_end, ends.server);
    for (int i = 0; i < 60000; i++) {
        tls_update_key(ends.client);
        if (eddy_write_nowait(ends.client, "x", 1) < 0)
            break;
        if (i % 100 == 0)
            test_settle();
    }
    test_settle();
    kept = eddy_stream_get_counters(ends.server).to_send;
    CHECK_THAT(kept > 100000 && kept < 620000, "%zu bytes are kept", kept);
    eddy_stream_abort(ends.client);
    CHECK(eddy_await(reader) < 0);
}

RAW_TEST(tls_answers_to_a_flood_of_key_updates_have_a_limit)
{
    CHECK_OK(eddy_test(tls_once, answers_to_a_flood_of_key_updates_have_a_limit));
}

/* TLS 1.2: a client that wants to renegotiate is told no, and the connection goes on. */
TEST(tls_1_2_is_not_renegotiated)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    eddy_tls_options client = tls_client_options(), server = tls_server_options();
    char data[8];

    server.most = EDDY_TLS_1_2;
    CHECK_OK(tls_ends_open(&ends, &client, "a.test", &server));
    CHECK_OK(ends.client_rc);
    CHECK_EQ(SSL_renegotiate(ed_tls_ssl((struct ed_tls *)(void *)ends.client)), 0);
    CHECK_OK(eddy_write(ends.client, "x", 1));
    CHECK_EQ(eddy_read(ends.server, data, sizeof data), 1);
}

/* OpenSSL's own allocations fail too: the n-th of a whole life, for many n. Nothing crashes, and
 * nothing of the library's is left; OpenSSL itself may lose memory then, and may report what it
 * lacks as another failure. */

static void *refusing_alloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return eddy_test_refuses_allocation() ? NULL : malloc(size);
}

static void *refusing_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return eddy_test_refuses_allocation() ? NULL : realloc(memory, size);
}

static void plain_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

static int result_of_life;

static int short_life(void)
{
    struct tls_ends ends = {.client = NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    eddy_tls_options client = tls_client_options(), server = tls_server_options();
    char data[8];

    result_of_life = tls_ends_open(&ends, &client, "a.test", &server);
    if (result_of_life == 0)
        result_of_life = tls_ends_result(&ends);
    if (result_of_life == 0)
        result_of_life = eddy_write(ends.client, "x", 1);
    if (result_of_life == 0)
        result_of_life = eddy_read(ends.server, data, sizeof data) == 1 ? 0 : -EBADMSG;
    return 0;
}
EDDY_ASYNC(short_life);

RAW_TEST(tls_stands_openssl_without_memory)
{
    eddy_test_plan plan = {.fail_allocation = 1};
    unsigned failed = 0, step = test_is_slow() ? 211 : 17;

    CHECK_EQ(CRYPTO_set_mem_functions(refusing_alloc, refusing_realloc, plain_free), 1);
    CHECK_OK(eddy_test(short_life)); /* what is made once is made */
    CHECK_EQ(result_of_life, 0);
    do {
        plan.reached = false;
        CHECK_OK(eddy_test_run(&plan, EDDY_CALL(short_life)));
        failed += result_of_life < 0;
        plan.fail_allocation += step;
    } while (plan.reached);
    CHECK(plan.fail_allocation > 1000 && failed > 10);
}
