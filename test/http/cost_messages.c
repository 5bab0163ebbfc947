/* SPDX-License-Identifier: MIT */
/* What messages cost that are made to be long: heads, chunks, and what a server makes of them. */
#include "http/cost.h"
#include "http/messages.h"
#include "http/web.h"

/* No limits: they would hide what a cost grows with. */
static const struct ed_limits wide = {
    .line_size = COST_MOST, .fields = COST_MOST, .head_size = 2 * COST_MOST};

/* Reads all messages of a text that comes in such pieces; what is refused is read too. */
static int read_pieces(const char *data, size_t size, size_t piece, bool response)
{
    static struct messages messages;
    EDDY_STREAM to = NULL, from = NULL;
    ARENA arena = {0};
    READER reader = {0};
    struct ed_head head;
    char body[4096];
    ssize_t n = 0;
    int rc;

    messages.text = data;
    messages.size = size;
    messages.piece = piece;
    EDDY_TRY(eddy_stream_pair(&to, &from));
    EDDY_TRY(ed_reader_open(&reader, from, response, &wide));
    EDDY_TASK sender = eddy_create_task(messages_send, to, &messages);
    while (n == 0 && (rc = ed_reader_head(&reader, &arena, &head, NULL)) > 0) {
        while ((n = ed_reader_body(&reader, body, sizeof body)) > 0)
            ;
        ed_arena_reset(&arena);
    }
    eddy_cancel(sender);
    return n < 0 ? (int)n : rc;
}

static int read_requests(const char *data, size_t size)
{
    return read_pieces(data, size, 0, false);
}

static int read_requests_slowly(const char *data, size_t size)
{
    return read_pieces(data, size, 1, false);
}

static int read_responses(const char *data, size_t size)
{
    return read_pieces(data, size, 0, true);
}

static int read_responses_slowly(const char *data, size_t size)
{
    return read_pieces(data, size, 1, true);
}

static int read_refused(const char *data, size_t size)
{
    int rc = read_pieces(data, size, 0, false);

    return rc == EDDY_EHTTP_PROTOCOL ? 0 : -EDOM;
}

#define GET "GET / HTTP/1.1\r\nHost: h\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

/* H-SEC-9 and its like. */
RAW_TEST(cost_of_request_heads_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("requests", read_requests, "", GET "\r\n", ""),
        COST("fields", read_requests, GET, "a:b\r\n", "\r\n"),
        COST("fields of one name", read_requests, GET, "Cookie: a=b\r\n", "\r\n"),
        COST("a value", read_requests, GET "X: ", "v", "\r\n\r\n"),
        COST("words", read_requests, GET "X: ", "v \t", "v\r\n\r\n"),
        COST("blanks before a value", read_requests, GET "X:", " ", "v\r\n\r\n"),
        COST("blanks behind a value", read_requests, GET "X: v", " ", "\r\n\r\n"),
        COST("a name", read_requests, GET, "n", ": v\r\n\r\n"),
        COST("a target", read_requests, "GET /", "%41/..", " HTTP/1.1\r\nHost: h\r\n\r\n"),
        COST("a host", read_requests, "GET / HTTP/1.1\r\nHost: ", "a.", "\r\n\r\n"),
        COST("a URL", read_requests, "GET http://", "a.", "?b HTTP/1.1\r\nHost: h\r\n\r\n"),
        COST("empty lines", read_requests, "", "\r\n", GET "\r\n"),
        COST("members", read_requests, GET "Connection: ", "a,", "\r\n\r\n"),
        COST("commas", read_requests, GET "Connection: ", ",", "\r\n\r\n"),
        COST("quotes", read_requests, GET "Connection: ", "\"a\\\"", "\r\n\r\n"),
        COST("a method", read_refused, "", "G", " / HTTP/1.1\r\nHost: h\r\n\r\n"),
        COST("a coding", read_refused, GET "Transfer-Encoding: x,", " ", "chunkee\r\n\r\n"),
        COST("a length", read_requests, GET "Content-Length: ", "0", "\r\n\r\n"),
    };

    CHECK_LINEAR(inputs, 100000);
}

RAW_TEST(cost_of_heads_that_come_byte_by_byte_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("requests", read_requests_slowly, "", GET "\r\n", ""),
        COST("fields", read_requests_slowly, GET, "a:b\r\n", "\r\n"),
        COST("a value", read_requests_slowly, GET "X: ", "v", "\r\n\r\n"),
        COST("blanks behind a value", read_requests_slowly, GET "X: v", " ", "\r\n\r\n"),
        COST("a target", read_requests_slowly, "GET /", "%41", " HTTP/1.1\r\nHost: h\r\n\r\n"),
        COST("empty lines", read_requests_slowly, "", "\r\n", GET "\r\n"),
        COST("chunks", read_requests_slowly, POST, "1\r\n!\r\n", "0\r\n\r\n"),
        COST("trailers", read_requests_slowly, POST "0\r\n", "a:b\r\n", "\r\n"),
        COST("a reason", read_responses_slowly, "HTTP/1.1 200 ", "r", "\r\n\r\n"),
    };

    CHECK_LINEAR(inputs, 15000);
}

RAW_TEST(cost_of_responses_and_chunks_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("interim answers", read_responses, "", "HTTP/1.1 103 \r\nLink: a\r\n\r\n",
             "HTTP/1.1 204 \r\n\r\n"),
        COST("a reason", read_responses, "HTTP/1.1 200 ", "r", "\r\n\r\n"),
        COST("fields", read_responses, "HTTP/1.1 204 \r\n", "a:b\r\n", "\r\n"),
        COST("a body", read_responses, "HTTP/1.1 200 \r\n\r\n", "b", ""),
        COST("tiny chunks", read_requests, POST, "1\r\n!\r\n", "0\r\n\r\n"),
        COST("chunks with zeros", read_requests, POST, "0000001\r\n!\r\n", "0\r\n\r\n"),
        COST("chunks with extensions", read_requests, POST, "2;a=\"b\"\r\nxx\r\n", "0\r\n\r\n"),
        COST("trailers", read_requests, POST "0\r\n", "a:b\r\n", "\r\n"),
    };
    static const struct cost_input extensions[] = {
        /* of which there are 16 KiB at most */
        COST("tokens", read_requests, POST "1", ";a", "\r\n!\r\n0\r\n\r\n"),
        COST("quoted", read_requests, POST "1;a=\"", "\\\"", "\"\r\n!\r\n0\r\n\r\n"),
        COST("open quotes", read_refused, POST "1", ";a=\"b\"", ";a=\"\r\n!\r\n0\r\n\r\n"),
    };

    CHECK_LINEAR(inputs, 100000);
    CHECK_LINEAR(extensions, 7000);
}

/* A server, with a handler that asks for everything. */
static int ask_all(eddy_web_request *request, void *path)
{
    const char *path_of_file = path;

    REQUIRE(eddy_web_path(request)[0] == '/' && !eddy_web_cookie(request, "none") &&
            !eddy_web_query(request, "none"));
    return eddy_web_send_file(request, path_of_file);
}

static int serve_text(const char *data, size_t size)
{
    const eddy_web_options options = {.line_size = COST_MOST,
                                      .head_fields = COST_MOST,
                                      .head_size = 2 * COST_MOST,
                                      .compress = true};
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    const char *heard;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_route(app, "*", "/{all...}", ask_all, (void *)(uintptr_t) "/proc/self/exe"));
    EDDY_TRY(ed_web_server_new(app, &options, &server));
    heard = web_say_bytes(server, data, size);
    if (strncmp(heard, "HTTP/1.1 304 ", 13) == 0 || strncmp(heard, "HTTP/1.1 206 ", 13) == 0)
        return 0;
    return eddy_raise(-EDOM, "heard %.100s", heard);
}

#define PART " HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\n"

RAW_TEST(cost_of_what_a_server_makes_of_a_head_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("segments", serve_text, "GET ", "/a", PART),
        COST("slashes", serve_text, "GET ", "/", PART),
        COST("dots", serve_text, "GET ", "/a/..", PART),
        COST("dots behind a path", serve_text, "GET /a/b", "/.", PART),
        COST("escapes", serve_text, "GET /", "%41", PART),
        COST("encoded slashes", serve_text, "GET /", "%2F", PART),
        COST("a query", serve_text, "GET /?a=", "%26b+", PART),
        COST("arguments", serve_text, "GET /?a=", "b&c", PART),
        COST("cookies", serve_text, GET "Range: bytes=0-0\r\nCookie: ", "a=b; ", "\r\n\r\n"),
        COST("fields of cookies", serve_text, GET "Range: bytes=0-0\r\n", "Cookie: a=b\r\n",
             "\r\n"),
        COST("quoted cookies", serve_text, GET "Range: bytes=0-0\r\nCookie: ", "a=\"b; ",
             "\r\n\r\n"),
        COST("tags", serve_text, GET "If-None-Match: ", "\"a\",", "\r\nIf-None-Match: *\r\n\r\n"),
        COST("open tags", serve_text, GET "If-None-Match: ", "W/\"a,",
             "\r\nIf-None-Match: *\r\n\r\n"),
        COST("codings", serve_text, GET "Range: bytes=0-0\r\nAccept-Encoding: ", "gzip;q=0,",
             "\r\n\r\n"),
        COST("a range", serve_text, GET "Range: bytes=", "0", "-0\r\n\r\n"),
        COST("a date", serve_text, GET "Range: bytes=0-0\r\nIf-Modified-Since: ", "1 Jan 1970 ",
             "\r\n\r\n"),
    };

    CHECK_LINEAR(inputs, 100000);
}
