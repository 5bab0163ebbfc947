/* SPDX-License-Identifier: MIT */
/* Compression of answers. */
#include "http/web.h"

#define SIZE 500000

static char text[SIZE + 1];

static int send_kind(eddy_web_request *request, void *unused)
{
    const char *type = eddy_web_query(request, "type");
    long size;

    (void)unused;
    EDDY_TRY(eddy_web_query_long(request, "size", 0, SIZE, &size));
    if (eddy_web_query(request, "coded"))
        EDDY_TRY(eddy_web_set_header(request, "Content-Encoding", "x"));
    return eddy_web_send(request, 200, type, text, (size_t)size);
}

static const char *ask(eddy_web_server *server, const char *target, const char *accepted)
{
    char fields[200];

    snprintf(fields, sizeof fields, "Accept-Encoding: %s\r\n", accepted);
    return web_ask(server, "GET", target, fields);
}

#define SERVER                                                                                     \
    const eddy_web_options options = {.compress = true};                                           \
    WEB(app, server, &options);                                                                    \
    for (size_t i = 0; i < SIZE; i++)                                                              \
        text[i] = (char)('a' + i * i % 17);                                                        \
    CHECK_OK(eddy_web_get(app, "/", send_kind, NULL));                                             \
    WEB_START(app, server)

/* H-SRESP-7: texts from 1 KiB on, for who accepts it, unless they are coded already. */
TEST(web_compress_what)
{
    SERVER;

    CHECK_HAS(ask(server, "/?type=text/html&size=2000", "gzip"), "Content-Encoding: gzip\r\n");
    CHECK_HAS(ask(server, "/?type=text/html&size=2000", "gzip"), "Vary: Accept-Encoding\r\n");
    CHECK_HAS(ask(server, "/?type=application/json&size=2000", "br"), "Content-Encoding: br\r\n");
    CHECK_HAS(ask(server, "/?type=a/b%2Bjson&size=2000", "zstd"), "Content-Encoding: zstd\r\n");
    CHECK_HAS(ask(server, "/?type=text/html&size=2000", "none"), "Content-Length: 2000\r\n");
    CHECK_HAS(ask(server, "/?type=text/html&size=2000", "none"), "Vary: Accept-Encoding\r\n");
    CHECK(!strstr(ask(server, "/?type=text/html&size=1000", "gzip"), "Content-Encoding"));
    CHECK(!strstr(ask(server, "/?type=image/png&size=2000", "gzip"), "Content-Encoding"));
    CHECK_HAS(ask(server, "/?type=text/html&size=2000&coded=1", "gzip"), "Content-Encoding: x\r\n");
}

/* What comes is what was sent. */
TEST(web_compress_whole)
{
    static char out[SIZE + 1];
    struct ed_coder *coder = NULL;
    const char *heard, *in;
    size_t left, size = 0;
    ssize_t n = 1;
    SERVER;

    heard = ask(server, "/?type=text/plain&size=500000", "gzip");
    CHECK_HAS(heard, "Content-Length: ");
    left = strtoul(strstr(heard, "Content-Length: ") + 16, NULL, 10);
    in = web_body(heard);
    CHECK(left > 0 && left < SIZE);
    CHECK_OK(ed_decoder_new(ED_CODING_GZIP, &coder));
    while (n > 0 && size < SIZE) {
        n = ed_coder_step(coder, &in, &left, out + size, sizeof out - size, false, true);
        size += n > 0 ? (size_t)n : 0;
    }
    ed_coder_free(coder);
    CHECK_EQ(size, SIZE);
    CHECK(memcmp(out, text, SIZE) == 0);
}
