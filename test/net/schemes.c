/* SPDX-License-Identifier: MIT */
/* Kinds of places that other libraries bring. */
#include "net/peer.h"

static struct {
    char host[64];
    uint16_t port;
    const eddy_connect_options *options;
    int calls;
} asked;

static int
odd_connect(const char *host, uint16_t port, const eddy_connect_options *options, eddy_stream **out)
{
    (void)out;
    snprintf(asked.host, sizeof asked.host, "%s", host);
    asked.port = port;
    asked.options = options;
    asked.calls++;
    return eddy_raise(-EXDEV, "how odd");
}

static int odd_wrap(eddy_stream **stream, void *argument)
{
    (void)argument;
    return eddy_write(*stream, "odd ", 4);
}

static int odd_serve(eddy_server_options *options)
{
    options->wrap = odd_wrap;
    return 0;
}

static struct eddy_scheme_ odd = {.name = "odd", .connect = odd_connect, .serve = odd_serve};
static struct eddy_scheme_ even = {.name = "even", .connect = odd_connect};

static int say_hello(eddy_stream *stream, void *argument)
{
    (void)argument;
    return eddy_write(stream, "hello", 5);
}

/* A scheme connects in its own way, with the host and port of the place. */
TEST(scheme_that_was_registered_connects)
{
    const eddy_connect_options options = {.delay = 1};
    eddy_stream *stream = NULL;

    eddy_register_scheme_(&odd);
    eddy_register_scheme_(&even);
    CHECK_EQ(eddy_connect_with("odd://there:7", &options, &stream), -EXDEV);
    CHECK_STR(eddy_error_message(-EXDEV), "how odd");
    CHECK_STR(asked.host, "there");
    CHECK_EQ(asked.port, 7);
    CHECK(asked.options == &options);
    CHECK_EQ(eddy_connect("even://[::1]:0", &stream), -EXDEV);
    CHECK_STR(asked.host, "::1");
    CHECK_EQ(asked.calls, 2);
    CHECK(stream == NULL);
}

/* And serves in its own way: each connection is wrapped before its handler gets it. */
TEST(scheme_that_was_registered_serves)
{
    EDDY_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char data[9];

    eddy_register_scheme_(&odd);
    eddy_register_scheme_(&even);
    CHECK_EQ(eddy_start_server("even://127.0.0.1:0", say_hello, NULL, &server), -EPROTONOSUPPORT);
    CHECK_OK(eddy_start_server("odd://127.0.0.1:0", say_hello, NULL, &server));
    CHECK_OK(eddy_tcp_connect("127.0.0.1", eddy_server_port(server), NULL, &stream));
    CHECK_OK(eddy_read_exactly(stream, data, sizeof data));
    CHECK(memcmp(data, "odd hello", 9) == 0);
}

TEST(scheme_that_nobody_brought_is_refused)
{
    eddy_stream *stream = NULL;
    eddy_server *server = NULL;

    CHECK_EQ(eddy_connect("gopher://x:70", &stream), -EPROTONOSUPPORT);
    CHECK_HAS(eddy_error_message(-EPROTONOSUPPORT),
              "gopher:// is not known here; these are: tcp://, unix:");
    CHECK_EQ(eddy_start_server("gopher://x:70", say_hello, NULL, &server), -EPROTONOSUPPORT);
    CHECK(stream == NULL && server == NULL);
}
