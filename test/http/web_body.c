/* SPDX-License-Identifier: MIT */
/* Bodies of requests. */
#include <jansson.h>

#include "http/web.h"

static int read_all(eddy_web_request *request, void *unused)
{
    const char *data = NULL, *again = NULL;
    size_t size = 0;

    (void)unused;
    EDDY_TRY(eddy_web_read(request, &data, &size));
    EDDY_TRY(eddy_web_read(request, &again, NULL));
    REQUIRE(again == data && data[size] == '\0');
    return eddy_web_printf(request, 200, "%zu:%.20s", size, data);
}

static int read_json(eddy_web_request *request, void *unused)
{
    json_t *value = NULL;

    (void)unused;
    EDDY_TRY(eddy_web_json(request, &value));
    return eddy_web_send_json(request, 200, value);
}

static int stream_all(eddy_web_request *request, void *unused)
{
    eddy_stream *body = eddy_web_body(request);
    char data[1000];
    size_t size = 0;
    ssize_t n;

    (void)unused;
    REQUIRE(body && body == eddy_web_body(request));
    while ((n = eddy_read(body, data, sizeof data)) > 0)
        size += (size_t)n;
    return n < 0 ? (int)n : eddy_web_printf(request, 200, "%zu", size);
}

static const char *
post(eddy_web_server *server, const char *path, const char *fields, const char *body)
{
    static char text[300000];

    snprintf(text, sizeof text,
             "POST %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
             path, strlen(body), fields, body);
    return web_say(server, text);
}

#define CHUNKED "POST /read HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"

/* H-SREQ-2: a body is read once, and is there again and again. */
TEST(web_body_whole)
{
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_route(app, "*", "/read", read_all, NULL));
    WEB_START(app, server);
    CHECK_STR(web_body(post(server, "/read", "", "hello")), "5:hello");
    CHECK_STR(web_body(post(server, "/read", "", "")), "0:");
    CHECK_STR(web_body(web_get(server, "/read")), "0:");
    CHECK_STR(web_body(web_say(server, CHUNKED "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n")),
              "5:abcde");
    CHECK_STATUS(web_say(server, CHUNKED "x\r\nabc\r\n0\r\n\r\n"), 400);
}

/* H-SREQ-1: more than the limits is 413, before it is read where the length says so. */
TEST(web_body_limits)
{
    const eddy_web_options options = {.body_size = 10, .stream_size = 20, .linger_time = 0.5};
    WEB(app, server, &options);

    CHECK_OK(eddy_web_post(app, "/read", read_all, NULL));
    CHECK_OK(eddy_web_post(app, "/stream", stream_all, NULL));
    WEB_START(app, server);
    CHECK_STATUS(post(server, "/read", "", "0123456789"), 200);
    CHECK_STATUS(post(server, "/read", "", "0123456789a"), 413);
    CHECK_STR(web_body(post(server, "/stream", "", "01234567890123456789")), "20");
    CHECK_STATUS(post(server, "/stream", "", "012345678901234567890"), 413);
    CHECK_STATUS(web_say(server, CHUNKED "b\r\n0123456789a\r\n0\r\n\r\n"), 413);
    CHECK_STATUS(web_say(server, "POST /stream HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked"
                                 "\r\n\r\n16\r\n0123456789012345678901\r\n0\r\n\r\n"),
                 413);
}

/* H-SREQ-2: JSON by its type, else 415; what is wrong is 400. */
TEST(web_body_json)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_post(app, "/", read_json, NULL));
    WEB_START(app, server);
    CHECK_STR(web_body(post(server, "/", "Content-Type: application/json\r\n", "{\"a\": 1}")),
              "{\"a\":1}");
    CHECK_STATUS(post(server, "/", "Content-Type: text/plain\r\n", "{}"), 415);
    CHECK_STATUS(post(server, "/", "", "{}"), 415);
    heard = post(server, "/", "Content-Type: application/json\r\n", "{\"a\"");
    CHECK_STATUS(heard, 400);
    CHECK_HAS(heard, "line 1");
}

/* H-SREQ-7: compressed bodies are decoded, to a limit; unknown codings are 415. */
TEST(web_body_compressed)
{
    const eddy_web_options options = {.body_size = 1000};
    struct ed_coder *coder = NULL;
    static char text[5000], packed[300];
    const char *in = text;
    size_t left = 900, used;
    ssize_t size;
    WEB(app, server, &options);

    CHECK_OK(eddy_web_post(app, "/read", read_all, NULL));
    WEB_START(app, server);
    memset(text, 'z', sizeof text);
    for (int large = 0; large < 2; large++) {
        char request[800];

        in = text;
        left = large ? 5000 : 900;
        CHECK_OK(ed_encoder_new(ED_CODING_GZIP, 0, &coder));
        size = ed_coder_step(coder, &in, &left, packed, sizeof packed, false, true);
        ed_coder_free(coder);
        CHECK(size > 0);
        used = (size_t)snprintf(request, sizeof request,
                                "POST /read HTTP/1.1\r\nHost: t\r\nContent-Encoding: gzip\r\n"
                                "Content-Length: %zd\r\n\r\n",
                                size);
        memcpy(request + used, packed, (size_t)size);
        CHECK_STATUS(web_say_bytes(server, request, used + (size_t)size), large ? 413 : 200);
    }
    CHECK_STATUS(post(server, "/read", "Content-Encoding: lzma\r\n", "x"), 415);
    CHECK_STATUS(post(server, "/read", "Content-Encoding: gzip\r\n", "no gzip"), 400);
}

/* What breaks off is no whole body. */
TEST(web_body_broken_off)
{
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_post(app, "/read", read_all, NULL));
    WEB_START(app, server);
    CHECK_STATUS(web_say(server, "POST /read HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n12"),
                 400);
    CHECK_STATUS(web_say(server, CHUNKED "3\r\nab"), 400);
}
