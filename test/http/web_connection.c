/* SPDX-License-Identifier: MIT */
/* Connections: what is kept, what ends, and when. */
#include "http/web.h"

static int hello(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_send_text(request, 200, "hello");
}

static int count_answers(const char *heard)
{
    int count = 0;

    while ((heard = strstr(heard, "HTTP/1.1 "))) {
        heard++;
        count++;
    }
    return count;
}

/* H-KEEP-1: 1.1 goes on unless it is asked not to; 1.0 only when it is asked to, which is said. */
TEST(web_connection_persistence)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_get(app, "/", hello, NULL));
    WEB_START(app, server);
    heard = web_say(server, "GET / HTTP/1.1\r\nHost: t\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n");
    CHECK_EQ(count_answers(heard), 2);
    CHECK(!strstr(heard, "Connection:"));
    heard = web_say(server, "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
                            "GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    CHECK_EQ(count_answers(heard), 1);
    CHECK_HAS(heard, "Connection: close");
    heard = web_say(server, "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n");
    CHECK_EQ(count_answers(heard), 1);
    CHECK_HAS(heard, "Connection: close");
    heard = web_say(server, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                            "GET / HTTP/1.0\r\n\r\n");
    CHECK_EQ(count_answers(heard), 2);
    CHECK_HAS(heard, "Connection: keep-alive");
}

/* H-PARSE-11: a hundred requests that came together are answered in order. */
TEST(web_connection_pipelining)
{
    WEB(app, server, NULL);
    static char text[100 * 64];
    const char *heard;
    size_t size = 0;

    CHECK_OK(eddy_web_get(app, "/{n}", web_tell, NULL));
    WEB_START(app, server);
    for (int i = 0; i < 100; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "GET /%d HTTP/1.1\r\nHost: t\r\n\r\n", i);
    heard = web_say(server, text);
    for (int i = 0; i < 100; i++) {
        char wanted[16];

        snprintf(wanted, sizeof wanted, "\r\n\r\n:/%d", i);
        heard = strstr(heard, wanted);
        CHECK_THAT(heard != NULL, "answer %d is missing", i);
        heard += 4;
    }
}

/* H-PARSE-12: what is no request is answered by its status, behind the answers before it. */
TEST(web_connection_refuses)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_get(app, "/", hello, NULL));
    WEB_START(app, server);
    heard = web_say(server, "GET / HTTP/1.1\r\nHost: t\r\n\r\nGET /<b> HTTP/1.1\nX\r\n\r\n");
    CHECK_EQ(count_answers(heard), 2);
    CHECK_HAS(heard, "HTTP/1.1 400 Bad Request\r\n");
    CHECK_HAS(heard, "Connection: close\r\n");
    CHECK(!strstr(heard, "<b>"));
    CHECK_STATUS(web_say(server, "GET / HTTP/1.1\r\n\r\n"), 400);
    CHECK_STATUS(web_say(server, "GET / HTTP/2.0\r\nHost: t\r\n\r\n"), 505);
    CHECK_STATUS(web_say(server, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                 400);
}

/* H-PARSE-1: limits of the head, each with its status. */
TEST(web_connection_head_limits)
{
    const eddy_web_options options = {.line_size = 100, .head_fields = 5, .head_size = 400};
    static char text[2000];
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/{n}", web_tell, NULL));
    WEB_START(app, server);
    snprintf(text, sizeof text, "GET /%0200d HTTP/1.1\r\nHost: t\r\n\r\n", 0);
    CHECK_STATUS(web_say(server, text), 414);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: t\r\nX: %0200d\r\n\r\n", 0);
    CHECK_STATUS(web_say(server, text), 431);
    CHECK_STATUS(web_ask(server, "GET", "/", "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n"), 431);
    snprintf(text, sizeof text, "A: %080d\r\nB: %080d\r\nC: %080d\r\nD: %080d\r\n", 0, 0, 0, 0);
    CHECK_STATUS(web_ask(server, "GET", "/", text), 431);
}

/* Reads until the end, and how long that took. */
static const char *hear_until_end(eddy_stream *stream, double *seconds)
{
    static char heard[100000];
    double start = eddy_time();
    char *data;
    size_t size;
    int rc = eddy_read_all(stream, sizeof heard - 1, &data, &size);

    *seconds = eddy_time() - start;
    if (rc < 0)
        return eddy_error_name(rc);
    memcpy(heard, data, size + 1);
    eddy_free(data);
    return heard;
}

/* H-KEEP-2: an idle connection is closed at its time, also behind an answer, and without a word. */
TEST(web_connection_idle_time)
{
    const eddy_web_options options = {.idle_time = 20};
    EDDY_STREAM stream = NULL;
    double seconds;
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/", hello, NULL));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_STR(hear_until_end(stream, &seconds), "");
    CHECK_THAT(seconds >= 20 && seconds < 20.5, "%f s", seconds);
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    CHECK_OK(eddy_sleep(19));
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    CHECK_EQ(count_answers(hear_until_end(stream, &seconds)), 2);
    CHECK_THAT(seconds >= 20 && seconds < 20.5, "%f s", seconds);
}

/* H-KEEP-4, H-SEC-25: a head that does not become whole is answered by 408 at its time, counted
 * from its first byte, though bytes come all the time; so also on a connection that was idle. */
TEST(web_connection_head_time)
{
    const eddy_web_options options = {.head_time = 5};
    EDDY_STREAM stream = NULL;
    double start;
    const char *heard;
    WEB(app, server, &options);

    WEB_START(app, server);
    for (int waits = 0; waits < 2; waits++) {
        CHECK_OK(ed_web_connect(server, &stream));
        CHECK_OK(eddy_sleep(waits ? 30 : 0));
        start = eddy_time();
        for (int i = 0; i < 20 && eddy_time() < start + 4.5; i++) {
            CHECK_OK(eddy_write(stream, &"GET / HTTP/1.1\r\nHost: t"[i], 1));
            CHECK_OK(eddy_sleep(0.4));
        }
        heard = hear_until_end(stream, &start);
        CHECK_STATUS(heard, 408);
        CHECK_HAS(heard, "Connection: close");
        CHECK_THAT(start >= 0.2 && start < 3, "%f s", start);
        CHECK_OK(eddy_stream_close(&stream));
    }
}

static int read_body(eddy_web_request *request, void *unused)
{
    const char *data = NULL;
    size_t size = 0;

    (void)unused;
    EDDY_TRY(eddy_web_read(request, &data, &size));
    return eddy_web_send(request, 200, NULL, data, size);
}

/* H-KEEP-3: a body that nobody reads is dropped, and the connection goes on; one that does not
 * come, or that is long, ends it behind the answer. */
TEST(web_connection_unread_bodies)
{
    const eddy_web_options options = {.linger_time = 3};
    static char text[400000];
    EDDY_STREAM stream = NULL;
    double seconds;
    const char *heard;
    WEB(app, server, &options);

    CHECK_OK(eddy_web_post(app, "/", hello, NULL));
    WEB_START(app, server);
    heard = web_say(server, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n12345"
                            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n");
    CHECK_EQ(count_answers(heard), 2);
    snprintf(text, sizeof text,
             "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 300000\r\n\r\n%0300000d"
             "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n",
             0);
    heard = web_say(server, text);
    CHECK_EQ(count_answers(heard), 1);
    CHECK_HAS(heard, "Connection: close");
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n123"));
    CHECK_STATUS(hear_until_end(stream, &seconds), 200);
    CHECK_THAT(seconds >= 3 && seconds < 3.5, "%f s", seconds);
}

/* H-SREQ-5: 100 is sent when the handler reads, and only then; other expectations are 417. */
TEST(web_connection_expect)
{
    WEB(app, server, NULL);
    EDDY_STREAM stream = NULL;
    char data[200];
    const char *heard;

    CHECK_OK(eddy_web_post(app, "/read", read_body, NULL));
    CHECK_OK(eddy_web_post(app, "/", hello, NULL));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "POST /read HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n"
                                 "Expect: 100-continue\r\n\r\n"));
    CHECK_EQ(eddy_read(stream, data, sizeof data), 25);
    CHECK(memcmp(data, "HTTP/1.1 100 Continue\r\n\r\n", 25) == 0);
    CHECK_OK(eddy_printf(stream, "wantPOST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n"
                                 "Expect: 100-continue\r\n\r\n"));
    CHECK_OK(eddy_write_eof(stream));
    heard = hear_until_end(stream, &(double){0});
    CHECK_EQ(count_answers(heard), 2);
    CHECK_HAS(heard, "\r\n\r\nwantHTTP/1.1 200");
    CHECK_HAS(heard, "Connection: close");
    CHECK(!strstr(heard, "100 Continue"));
    heard = web_ask(server, "POST", "/", "Expect: a miracle\r\nContent-Length: 4\r\n");
    CHECK_STATUS(heard, 417);
    CHECK_HAS(heard, "Connection: close"); /* the body may come, or not */
}

/* Bodies that do not come in time are 408, and are not waited for any more. */
TEST(web_connection_body_time)
{
    const eddy_web_options options = {.body_time = 4};
    EDDY_STREAM stream = NULL;
    const char *heard;
    double seconds;
    WEB(app, server, &options);

    CHECK_OK(eddy_web_post(app, "/", read_body, NULL));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n12"));
    heard = hear_until_end(stream, &seconds);
    CHECK_STATUS(heard, 408);
    CHECK_HAS(heard, "Connection: close\r\n");
    CHECK_THAT(seconds >= 4 && seconds < 4.5, "%f s", seconds);
}

struct watched {
    bool begun;
    int rc;
    double seconds;
};

static int wait_long(eddy_web_request *request, void *argument)
{
    struct watched *watched = argument;
    double start = eddy_time();

    watched->begun = true;
    watched->rc = eddy_sleep(100);
    watched->seconds = eddy_time() - start;
    if (watched->rc < 0)
        return watched->rc;
    return eddy_web_send_text(request, 200, "late");
}

/* H-KEEP-5: a client that goes away cancels its handler; with half_close one that sends no more
 * does not count as gone. */
TEST(web_connection_gone_client_cancels)
{
    struct watched watched = {0};
    EDDY_STREAM stream = NULL;
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/", wait_long, &watched));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    CHECK_OK(eddy_sleep(1));
    CHECK(watched.begun && watched.rc == 0);
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_OK(eddy_sleep(1));
    CHECK_EQ(watched.rc, -ECANCELED);
    CHECK_THAT(watched.seconds < 1.5, "%f s", watched.seconds);
}

TEST(web_connection_half_close)
{
    const eddy_web_options options = {.half_close = true};
    struct watched watched = {0};
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/", wait_long, &watched));
    WEB_START(app, server);
    CHECK_HAS(web_say(server, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"), "late");
    CHECK_EQ(watched.rc, 0);
}

/* A request that came while its handler waits is no sign that the client has gone. */
TEST(web_connection_early_request_is_no_end)
{
    struct watched watched = {0};
    EDDY_STREAM stream = NULL;
    double seconds;
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/", wait_long, &watched));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n"
                                 "Connection: close\r\n\r\n"));
    CHECK_EQ(count_answers(hear_until_end(stream, &seconds)), 2);
    CHECK_THAT(seconds >= 200 && seconds < 201, "%f s", seconds);
}
