/* SPDX-License-Identifier: MIT */
/* Answers that are written as streams. */
#include "http/web.h"

#include "http/web_upgrade.h"

/* Writes what the path says, with the size that the query says. */
static int stream(eddy_web_request *request, void *unused)
{
    const char *text = eddy_web_match(request, "text");
    eddy_stream *body = NULL;
    long size;
    int rc;

    (void)unused;
    EDDY_TRY(eddy_web_query_long(request, "size", -1, 1000, &size));
    EDDY_TRY(eddy_web_begin(request, 200, "text/plain", size, &body));
    REQUIRE(eddy_web_has_started(request));
    REQUIRE(eddy_web_send_text(request, 200, "late") == -EPERM);
    REQUIRE(eddy_web_set_header(request, "X", "late") == -EPERM);
    REQUIRE(eddy_web_begin(request, 200, NULL, 0, &body) == -EPERM);
    for (; *text; text++) {
        rc = eddy_write(body, text, 1);
        if (rc < 0)
            return rc == -EMSGSIZE && eddy_web_query(request, "careless") ? 0 : rc;
    }
    return eddy_web_query(request, "fail") ? eddy_raise(-EIO, "in the middle") : 0;
}

/* H-SRESP-1: with a size, chunked, or up to the end for 1.0; HEAD has the head alone. */
TEST(web_begin_framings)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_get(app, "/{text}", stream, NULL));
    WEB_START(app, server);
    heard = web_say(server, "GET /abc?size=3 HTTP/1.1\r\nHost: t\r\n\r\n"
                            "GET /def?size=-1 HTTP/1.1\r\nHost: t\r\n\r\n"
                            "HEAD /def?size=3 HTTP/1.1\r\nHost: t\r\n\r\n"
                            "GET /ghi?size=3 HTTP/1.1\r\nHost: t\r\n\r\n");
    CHECK_HAS(heard, "Content-Length: 3\r\n\r\nabcHTTP/1.1 200");
    CHECK_HAS(heard, "Transfer-Encoding: chunked\r\n\r\n1\r\nd\r\n1\r\ne\r\n1\r\nf\r\n0\r\n\r\n"
                     "HTTP/1.1 200");
    CHECK_HAS(heard, "Content-Length: 3\r\n\r\nHTTP/1.1 200");
    CHECK_HAS(heard, "Content-Length: 3\r\n\r\nghi");
    heard = web_say(server, "GET /jkl?size=-1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                            "GET /no?size=2 HTTP/1.0\r\n\r\n");
    CHECK_HAS(heard, "Connection: close\r\n\r\njkl");
    CHECK(!strstr(heard, "chunked") && !strstr(heard, "no"));
}

/* H-HAND-5, H-SRESP-5: what is not whole does not look as if it were: fewer bytes than announced,
 * or an error, break the connection; more are refused. */
TEST(web_begin_breaks_what_is_not_whole)
{
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/{text}", stream, NULL));
    WEB_START(app, server);
    CHECK_STR(web_get(server, "/abc?size=4"), "ECONNRESET");
    CHECK_HAS(test_report(), "EMSGSIZE");
    CHECK_STR(web_get(server, "/abc?size=3&fail=1"), "ECONNRESET");
    CHECK_HAS(test_report(), "in the middle");
    CHECK_STR(web_get(server, "/abc?size=-1&fail=1"), "ECONNRESET");
    CHECK_HAS(test_report(), "in the middle");
    CHECK_STR(web_get(server, "/abc?size=2"), "ECONNRESET");
    CHECK_HAS(test_report(), "EMSGSIZE");
    CHECK_STR(web_get(server, "/abc?size=2&careless=1"), "ECONNRESET");
    CHECK_HAS(test_report(), "EMSGSIZE");
}

static int events(eddy_web_request *request, void *unused)
{
    eddy_stream *body = NULL;

    (void)unused;
    EDDY_TRY(eddy_web_begin(request, 200, "text/event-stream", -1, &body));
    for (int i = 0; i < 3; i++) {
        EDDY_TRY(eddy_printf(body, "data: %d\n\n", i));
        EDDY_TRY(eddy_flush(body));
        EDDY_TRY(eddy_sleep(10));
    }
    return 0;
}

/* H-SRESP-12: what is flushed is there before the next comes. */
TEST(web_begin_events)
{
    EDDY_STREAM client = NULL;
    char data[1000];
    ssize_t size;
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/", events, NULL));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &client));
    CHECK_OK(eddy_printf(client, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    for (int i = 0; i < 3; i++) {
        char wanted[16];

        snprintf(wanted, sizeof wanted, "data: %d\n\n", i);
        CHECK_OK(eddy_sleep(i ? 10 : 5));
        size = eddy_read(client, data, sizeof data - 1);
        CHECK(size > 0);
        data[size] = '\0';
        CHECK_HAS(data, wanted);
    }
}

static int take_over(eddy_web_request *request, void *unused)
{
    eddy_stream *connection = NULL;
    char data[64];
    ssize_t size;

    (void)unused;
    EDDY_TRY(ed_web_upgrade(request, "mirror", &connection));
    while ((size = eddy_read(connection, data, sizeof data)) > 0)
        EDDY_TRY(eddy_write(connection, data, (size_t)size));
    return (int)size;
}

/* H-PARSE-14, H-WSC-23: the connection is the other protocol's, with what came behind the head. */
TEST(web_begin_upgrade)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_route(app, "*", "/", take_over, NULL));
    WEB_START(app, server);
    heard = web_say(server, "GET / HTTP/1.1\r\nHost: t\r\nUpgrade: mirror\r\n"
                            "Connection: upgrade\r\n\r\nGET early");
    CHECK_STATUS(heard, 101);
    CHECK_HAS(heard, "Connection: upgrade\r\nUpgrade: mirror\r\n\r\nGET early");
    CHECK(!strstr(heard, "Content-Length"));
    CHECK_STATUS(web_say(server, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx"), 400);
    CHECK_STATUS(web_say(server, "GET / HTTP/1.0\r\n\r\n"), 400);
}
