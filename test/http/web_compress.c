/* SPDX-License-Identifier: MIT */
/* Compression of answers: H-SRESP-7, -12. */
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

/* Streams ------------------------------------------------------------------------------------ */

static double pause_between; /* seconds */

/* Writes "N\n" so many times, of `size` bytes that are announced. */
static int send_stream(eddy_web_request *request, void *unused)
{
    const char *type = eddy_web_query(request, "type");
    eddy_stream *body = NULL;
    long count, size;

    (void)unused;
    EDDY_TRY(eddy_web_query_long(request, "count", 0, 100000, &count));
    EDDY_TRY(eddy_web_query_long(request, "size", -1, 1000000, &size));
    if (eddy_web_query(request, "coded"))
        EDDY_TRY(eddy_web_set_header(request, "Content-Encoding", "x"));
    if (eddy_web_query(request, "still"))
        EDDY_TRY(eddy_web_set_header(request, "Cache-Control", "no-transform"));
    EDDY_TRY(eddy_web_set_header(request, "ETag", "\"1\""));
    EDDY_TRY(eddy_web_set_header(request, "Vary", "Origin, Accept-Encoding"));
    EDDY_TRY(eddy_web_begin(request, 200, type, size, &body));
    for (long i = 0; i < count; i++) {
        EDDY_TRY(eddy_printf(body, "%09ld\n", i));
        if (pause_between > 0)
            EDDY_TRY(eddy_sleep(pause_between));
    }
    return 0;
}

#define STREAM_SERVER                                                                              \
    const eddy_web_options options = {.compress = true};                                           \
    EDDY_WEB_APP app = NULL;                                                                       \
    EDDY_WEB_SERVER server = NULL;                                                                 \
    EDDY_HTTP_SESSION session = NULL;                                                              \
    CHECK_OK(eddy_web_app_new(&app));                                                              \
    CHECK_OK(eddy_web_get(app, "/", send_stream, NULL));                                           \
    CHECK_OK(eddy_web_start_test(app, &options, &server, &session))

TEST(web_compress_of_streams)
{
    STREAM_SERVER;
    const char *heard = ask(server, "/?type=text/html&size=-1&count=9", "gzip");

    CHECK_HAS(heard, "Content-Encoding: gzip\r\n");
    CHECK_HAS(heard, "ETag: W/\"1\"\r\n");
    CHECK_HAS(heard, "Transfer-Encoding: chunked\r\n");
    CHECK(strstr(heard, "Vary: ") == strstr(heard, "Vary: Origin, Accept-Encoding\r\n"));
    CHECK(!strstr(strstr(heard, "Vary: ") + 1, "Vary: "));
    heard = ask(server, "/?type=text/html&size=2000&count=200", "gzip");
    CHECK_HAS(heard, "Content-Encoding: gzip\r\n");
    CHECK(!strstr(heard, "Content-Length"));
    heard = ask(server, "/?type=text/html&size=-1&count=9", "none");
    CHECK_HAS(heard, "ETag: \"1\"\r\n");
    CHECK(!strstr(heard, "Content-Encoding"));
    CHECK(!strstr(ask(server, "/?type=text/html&size=1000&count=100", "gzip"), "Content-Enc"));
    CHECK(!strstr(ask(server, "/?type=image/png&size=-1&count=9", "gzip"), "Content-Encoding"));
    CHECK(!strstr(ask(server, "/?type=text/html&size=-1&count=9&still=1", "br"), "Content-Enc"));
    heard = ask(server, "/?type=text/html&size=-1&count=9&coded=1", "gzip");
    CHECK_HAS(heard, "Content-Encoding: x\r\n");
    CHECK(!strstr(heard, "Content-Encoding: gzip"));
    heard = web_say(server, "HEAD /?type=text/html&size=-1&count=9 HTTP/1.1\r\nHost: t\r\n"
                            "Accept-Encoding: br\r\nConnection: close\r\n\r\n");
    CHECK_HAS(heard, "Content-Encoding: br\r\n");
    CHECK_STR(web_body(heard), "");
    heard = web_say(server, "GET /?type=text/html&size=2000&count=200 HTTP/1.0\r\n"
                            "Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n");
    CHECK_HAS(heard, "Connection: close\r\n");
    CHECK(memcmp(web_body(heard), "\x1f\x8b", 2) == 0);
}

/* In all codings, with the size announced or not. */
TEST(web_compress_of_streams_is_undone_by_the_client)
{
    STREAM_SERVER;
    const char *codings[] = {"gzip", "deflate", "br", "zstd"};
    const char *sizes[] = {"-1", "500000"};

    for (size_t i = 0; i < 8; i++) {
        const eddy_http_options with = {
            .headers = EDDY_PAIRS({"Accept-Encoding", codings[i / 2]}),
            .params = EDDY_PAIRS({"type", "text/csv"}, {"count", "50000"}, {"size", sizes[i % 2]})};
        EDDY_HTTP_RESPONSE response = NULL;
        const char *data;
        size_t size;

        CHECK_OK(eddy_http_request(session, "GET", "/", &with, &response));
        CHECK_STR(eddy_http_header(response, "Content-Encoding"), codings[i / 2]);
        CHECK_OK(eddy_http_read(response, &data, &size));
        CHECK_EQ(size, 500000);
        CHECK_HAS(data + size - 20, "000049998\n000049999\n");
    }
    CHECK_EQ(eddy_http_session_get_counters(session).opened, 1);
}

/* H-SRESP-12: what is written is there before the next comes, without a flush. */
TEST(web_compress_of_events_is_sent_at_once)
{
    const char *codings[] = {"gzip", "deflate", "br", "zstd"};
    STREAM_SERVER;

    pause_between = 10;
    for (size_t i = 0; i < 4; i++) {
        const eddy_http_options with = {.headers = EDDY_PAIRS({"Accept-Encoding", codings[i]})};
        EDDY_HTTP_RESPONSE response = NULL;
        char line[32], wanted[32];
        double start = eddy_time();

        CHECK_OK(eddy_http_request(session, "GET", "/?type=text/event-stream&size=-1&count=5",
                                   &with, &response));
        CHECK_STR(eddy_http_header(response, "Content-Encoding"), codings[i]);
        for (int n = 0; n < 5; n++) {
            snprintf(wanted, sizeof wanted, "%09d\n", n);
            CHECK_EQ(eddy_read_line(eddy_http_body(response), line, sizeof line), 10);
            CHECK_STR(line, wanted);
            CHECK(eddy_time() - start < 10 * n + 1);
        }
        CHECK_EQ(eddy_read_line(eddy_http_body(response), line, sizeof line), 0);
    }
}

/* Who does not wait is not flushed. */
TEST(web_compress_of_a_stream_in_one_go_is_small)
{
    STREAM_SERVER;
    const char *heard = ask(server, "/?type=text/csv&size=-1&count=10000", "gzip");

    CHECK(strlen(web_body(heard)) < 30000);
    CHECK_HAS(heard, "gzip");
}

static int count_turns(int *turns)
{
    for (;; ++*turns)
        EDDY_TRY(eddy_sleep(0));
}
EDDY_ASYNC(count_turns, int *);

/* A body that is compressed for long lets others run. */
TEST(web_compress_of_a_large_stream_takes_turns)
{
    int turns = 0;
    STREAM_SERVER;
    EDDY_TASK other = eddy_create_task(count_turns, &turns);

    CHECK_HAS(ask(server, "/?type=text/csv&size=-1&count=100000", "gzip"), "gzip");
    CHECK(turns >= 15); /* in 1 MB */
    CHECK_OK(eddy_cancel(other));
}

/* H-SRESP-5: the size counts all the same. */
TEST(web_compress_of_a_stream_keeps_to_its_size)
{
    STREAM_SERVER;

    CHECK_STR(ask(server, "/?type=text/csv&size=2000&count=199", "gzip"), "ECONNRESET");
    CHECK_HAS(test_report(), "EMSGSIZE");
    CHECK_STR(ask(server, "/?type=text/csv&size=2000&count=201", "gzip"), "ECONNRESET");
    CHECK_HAS(test_report(), "EMSGSIZE");
}

/* A client that goes away, and one that takes nothing, end the stream. */
TEST(web_compress_of_a_stream_that_nobody_takes)
{
    STREAM_SERVER;
    EDDY_STREAM client = NULL;

    pause_between = 1;
    CHECK_OK(ed_web_connect(server, &client));
    CHECK_OK(eddy_printf(client, "GET /?type=text/csv&size=-1&count=100000 HTTP/1.1\r\n"
                                 "Host: t\r\nAccept-Encoding: gzip\r\n\r\n"));
    CHECK_OK(eddy_sleep(5));
    eddy_stream_abort(client);
    CHECK_OK(eddy_sleep(5));
    CHECK_OK(eddy_web_server_shutdown(server, 0));
}

static int stream_once(void)
{
    const eddy_web_options options = {.compress = true};
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    const char *data;

    pause_between = 1;
    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", send_stream, NULL));
    EDDY_TRY(eddy_web_start_test(app, &options, &server, &session));
    EDDY_TRY(eddy_http_get(session, "/?type=text/csv&size=-1&count=2", &response));
    return eddy_http_read(response, &data, NULL);
}
EDDY_ASYNC(stream_once);

RAW_TEST(web_compress_of_a_stream_under_every_cancel)
{
    int rc = eddy_test_cancels(stream_once);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}
