/* SPDX-License-Identifier: MIT */
/* TLS as a stream: over pairs in memory. */
#include "harness.h"
#include "net/tls_certificate.h"

static int echo(eddy_stream *stream)
{
    char data[4096];
    ssize_t size;

    while ((size = eddy_read(stream, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(stream, data, (size_t)size));
    return (int)size;
}
EDDY_ASYNC(echo, eddy_stream *);

static void open_usual(struct tls_ends *ends)
{
    eddy_tls_options client = tls_client_options(), server = tls_server_options();

    CHECK_OK(tls_ends_open(ends, &client, "a.test", &server));
    CHECK_THAT(ends->client_rc == 0, "client: %s", ends->client_text);
    CHECK_THAT(ends->server_rc == 0, "server: %s", ends->server_text);
}

/* A-TLS-1: the handshake is done before anything is read or written. */
TEST(tls_carries_bytes_both_ways)
{
    struct tls_ends ends = {NULL};
    EDDY_DEFER(tls_ends_close, &ends);
    char data[16];

    open_usual(&ends);
    CHECK(ends.client && ends.server);
    CHECK_STR(eddy_stream_kind(ends.client), "tls");
    EDDY_TASK task = eddy_create_task(echo, ends.server);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(eddy_write(ends.client, "hello", 5));
        CHECK_OK(eddy_read_exactly(ends.client, data, 5));
        CHECK(memcmp(data, "hello", 5) == 0);
    }
    CHECK_OK(eddy_stream_close(&ends.client));
    CHECK_EQ(eddy_await(task), 0);
    CHECK_OK(eddy_stream_close(&ends.server));
}
