/* SPDX-License-Identifier: MIT */
#include <eddy/web.h>
#include <eddy/websocket.h>

#include "web.h"

/* What the echo of a test found. */
struct seen {
    int code, rc, messages;
    bool wanted;
};

static const eddy_websocket_options server_options = {.protocols = "chat, superchat"};

static int echo(eddy_web_request *request, void *argument)
{
    struct seen *seen = argument;
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;
    int rc;

    seen->wanted = eddy_websocket_wanted(request);
    EDDY_TRY(eddy_websocket_accept(request, &server_options, &socket));
    while ((rc = eddy_websocket_receive(socket, &message)) > 0) {
        seen->messages++;
        EDDY_TRY(eddy_websocket_send(socket, message.kind, message.text, message.size));
        if (strcmp(message.text, "enough") == 0)
            return 0;
    }
    seen->code = eddy_websocket_close_code(socket);
    seen->rc = rc;
    return 0;
}

#define APP(name, seen)                                                                            \
    EDDY_WEB_APP name = NULL;                                                                      \
    struct seen seen = {0};                                                                        \
    CHECK_OK(eddy_web_app_new(&name));                                                             \
    CHECK_OK(eddy_web_route(name, "*", "/", echo, &seen))

TEST(websocket_server_echoes)
{
    APP(app, seen);
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_WEBSOCKET socket = NULL;
    eddy_websocket_options options = {.protocols = "x, superchat, chat"};
    eddy_message message;

    CHECK_OK(eddy_web_start_test(app, NULL, &server, &session));
    CHECK_OK(eddy_websocket_connect(session, "ws://test/", &options, &socket));
    CHECK_STR(eddy_websocket_protocol(socket), "superchat");
    CHECK(seen.wanted);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(eddy_websocket_printf(socket, "%01000d", i));
        CHECK_EQ(eddy_websocket_receive(socket, &message), 1);
        CHECK_EQ(message.size, 1000);
    }
    CHECK_OK(eddy_websocket_begin_close(socket, 4000, "done"));
    CHECK_OK(eddy_websocket_close(&socket));
    test_settle();
    CHECK(seen.code == 4000 && seen.rc == 0 && seen.messages == 5);
}

/* H-WSS-4 */
TEST(websocket_server_closes_behind_its_handler)
{
    APP(app, seen);
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;

    CHECK_OK(eddy_web_start_test(app, NULL, &server, &session));
    CHECK_OK(eddy_websocket_connect(session, "ws://test/", NULL, &socket));
    CHECK_OK(eddy_websocket_send_text(socket, "enough"));
    CHECK_EQ(eddy_websocket_receive(socket, &message), 1);
    CHECK_EQ(eddy_websocket_receive(socket, &message), 0);
    CHECK_EQ(eddy_websocket_close_code(socket), 1000);
    CHECK_OK(eddy_websocket_close(&socket));
}

/* H-WSS-7 */
TEST(websocket_server_hears_of_a_client_that_breaks_off)
{
    APP(app, seen);
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_WEBSOCKET socket = NULL;

    CHECK_OK(eddy_web_start_test(app, NULL, &server, &session));
    CHECK_OK(eddy_websocket_connect(session, "ws://test/", NULL, &socket));
    test_settle();
    eddy_http_session_close(&session);
    CHECK(eddy_websocket_close(&socket) < 0);
    test_settle();
    CHECK(seen.code == 1006 && seen.rc < 0);
}

static int fail(eddy_web_request *request, void *options)
{
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;
    int rc;

    EDDY_TRY(eddy_websocket_accept(request, options, &socket));
    while ((rc = eddy_websocket_receive(socket, &message)) > 0)
        if (strcmp(message.text, "fail") == 0)
            return eddy_raise(-EIO, "the words have run out");
    return rc;
}

/* What a handler returns behind its upgrade is told with its request and text; that a client does
 * not answer, or has gone away, is not. */
TEST(websocket_server_tells_of_a_handler_that_fails)
{
    eddy_websocket_options options = {.heartbeat = 10};
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_WEBSOCKET socket = NULL;

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_get(app, "/fail", fail, &options));
    CHECK_OK(eddy_web_start_test(app, NULL, &server, &session));
    CHECK_OK(eddy_websocket_connect(session, "/fail", NULL, &socket));
    CHECK_OK(eddy_websocket_send_text(socket, "fail"));
    CHECK_OK(eddy_websocket_close(&socket));
    CHECK_HAS(test_report(), "GET /fail: the handler failed: the words have run out (EIO)");
    CHECK_OK(eddy_websocket_connect(session, "/fail", NULL, &socket));
    CHECK_OK(eddy_sleep(16)); /* nobody receives, so nobody answers the ping */
    CHECK_STR(test_report(), "");
    CHECK_EQ(eddy_websocket_close(&socket), EDDY_EINCOMPLETE);
    CHECK_OK(eddy_websocket_connect(session, "/fail", NULL, &socket));
    eddy_http_session_close(&session); /* which breaks it */
    CHECK_EQ(eddy_websocket_close(&socket), EDDY_EINCOMPLETE);
    test_settle();
    CHECK_STR(test_report(), "");
}

#define GOOD                                                                                       \
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                                          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ASK(server, method, fields)                                                                \
    web_say((server), method " / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n" fields "\r\n")

/* H-WSS-1, H-WSS-5 */
TEST(websocket_server_refuses_what_is_none)
{
    APP(app, seen);
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;

    CHECK_OK(eddy_web_start_test(app, NULL, &server, &session));
    CHECK_HAS(ASK(server, "GET", GOOD), "HTTP/1.1 101 ");
    CHECK_HAS(ASK(server, "GET", GOOD), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK_HAS(ASK(server, "GET", ""), "HTTP/1.1 400 ");
    CHECK(!seen.wanted);
    CHECK_HAS(ASK(server, "POST", GOOD), "HTTP/1.1 400 ");
    CHECK_HAS(ASK(server, "GET", "Upgrade: websocket\r\nSec-WebSocket-Version: 12\r\n"),
              "HTTP/1.1 426 ");
    CHECK_HAS(ASK(server, "GET", "Upgrade: websocket\r\nSec-WebSocket-Version: 12\r\n"),
              "Sec-WebSocket-Version: 13\r\n");
    CHECK_HAS(ASK(server, "GET",
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n"),
              "HTTP/1.1 400 ");
    CHECK_HAS(ASK(server, "GET", GOOD "Origin: https://evil.org\r\n"), "HTTP/1.1 403 ");
    CHECK_HAS(ASK(server, "GET", GOOD "Origin: http://test\r\n"), "HTTP/1.1 101 ");
    CHECK_HAS(ASK(server, "GET", GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
              "Sec-WebSocket-Extensions: permessage-deflate\r\n");
}

/* H-WSS-6, and the handshake and the frame in one piece: H-WSC-23. */
TEST(websocket_server_refuses_frames_without_masks)
{
    APP(app, seen);
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    static const char text[] = "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n" GOOD
                               "\r\n\x81\x85\0\0\0\0hello\x81\x01x";
    const char *heard;

    CHECK_OK(eddy_web_start_test(app, NULL, &server, &session));
    heard = strstr(web_say_bytes(server, text, sizeof text - 1), "\r\n\r\n");
    CHECK(heard && memcmp(heard + 4, "\x81\x05hello\x88", 8) == 0);
    CHECK_EQ((unsigned char)heard[4 + 9] << 8 | (unsigned char)heard[4 + 10], 1002);
    CHECK_EQ(seen.rc, EDDY_EWEBSOCKET);
}

static eddy_websocket *open_one;

static int chat(eddy_web_request *request, void *unused)
{
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;
    int rc;

    (void)unused;
    EDDY_TRY(eddy_websocket_accept(request, NULL, &socket));
    open_one = socket;
    while ((rc = eddy_websocket_receive(socket, &message)) > 0)
        continue;
    open_one = NULL;
    return rc;
}

static void say_goodbye(eddy_web_app *app, void *unused)
{
    (void)app, (void)unused;
    if (open_one)
        (void)eddy_websocket_begin_close(open_one, 1012, "back soon");
}

static int last_code; /* of the server's close */

static int receive_last(eddy_websocket **socket)
{
    eddy_message message;

    EDDY_TRY(eddy_websocket_receive(*socket, &message));
    last_code = eddy_websocket_close_code(*socket);
    return eddy_websocket_close(socket);
}
EDDY_ASYNC(receive_last, eddy_websocket **);

static int connect_and_receive(eddy_http_session *session)
{
    EDDY_WEBSOCKET socket = NULL;

    EDDY_TRY(eddy_websocket_connect(session, "ws://test/", NULL, &socket));
    return receive_last(&socket);
}
EDDY_ASYNC(connect_and_receive, eddy_http_session *);

/* H-RUN-4, H-WSS-7: those that are there, and those that a handler accepts meanwhile. */
static void stops_in_order(eddy_web_handler *handler)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    double begin = eddy_time();

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_get(app, "/", handler, NULL));
    CHECK_OK(eddy_web_start_test(app, NULL, &server, &session));
    EDDY_TASK client = eddy_create_task(connect_and_receive, session);
    test_settle();
    CHECK_OK(eddy_web_server_shutdown(server, 60));
    CHECK_OK(eddy_await(client));
    CHECK_EQ(last_code, 1001);
    CHECK(eddy_time() - begin < 2);
}

TEST(websocket_server_stops_in_order)
{
    stops_in_order(chat);
}

static int chat_soon(eddy_web_request *request, void *unused)
{
    EDDY_TRY(eddy_sleep(0.5));
    return chat(request, unused);
}

TEST(websocket_server_that_stops_accepts_none_for_long)
{
    stops_in_order(chat_soon);
}

/* A code that the hook has sent is the one that counts. */
TEST(websocket_server_stops_as_its_hook_says)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    double begin = eddy_time();

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_get(app, "/", chat, NULL));
    CHECK_OK(eddy_web_on_shutdown(app, say_goodbye, NULL));
    CHECK_OK(eddy_web_start_test(app, NULL, &server, &session));
    EDDY_TASK client = eddy_create_task(connect_and_receive, session);
    test_settle();
    CHECK_OK(eddy_web_server_shutdown(server, 60));
    CHECK_OK(eddy_await(client));
    CHECK_EQ(last_code, 1012);
    CHECK(eddy_time() - begin < 2);
}

/* What a client says behind the handshake until the server has closed; at a socket, whose server
 * reports. */
static void misbehave(const char *bytes, size_t size)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\n" GOOD "\r\n";
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_STREAM stream = NULL;
    char place[64], *answer;

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_get(app, "/", chat, NULL));
    CHECK_OK(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    snprintf(place, sizeof place, "tcp://127.0.0.1:%d",
             eddy_server_port(eddy_web_server_listener(server)));
    CHECK_OK(eddy_connect(place, &stream));
    CHECK_OK(eddy_write(stream, head, sizeof head - 1));
    CHECK_OK(eddy_write(stream, bytes, size));
    CHECK_OK(eddy_write_eof(stream));
    CHECK_OK(eddy_read_all(stream, 4096, &answer, &size));
    CHECK_HAS(answer, "HTTP/1.1 101 ");
    eddy_free(answer);
}

/* H-WSS-7: the handler, which returns what its receive says, has not failed. */
TEST(websocket_server_does_not_report_what_its_clients_do)
{
    static const char too_long[] = "\x82\xff\0\0\0\0\x10\0\0\0";
    static const char half[] = "\x82\x85\0\0\0\0h";

    misbehave("\x81\x01x", 3);
    misbehave(too_long, sizeof too_long - 1);
    misbehave(half, sizeof half - 1);
    CHECK_STR(test_report(), "");
}

static int fail_at_once(eddy_web_request *request, void *unused)
{
    EDDY_WEBSOCKET socket = NULL;

    (void)unused;
    EDDY_TRY(eddy_websocket_accept(request, NULL, &socket));
    return eddy_raise(EDDY_ELIMIT, "mine");
}

TEST(websocket_server_reports_a_handler_that_fails)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_WEBSOCKET socket = NULL;
    char url[64];

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_get(app, "/", fail_at_once, NULL));
    CHECK_OK(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/",
             eddy_server_port(eddy_web_server_listener(server)));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    CHECK_OK(eddy_websocket_connect(session, url, NULL, &socket));
    CHECK_OK(eddy_websocket_close(&socket));
    eddy_http_session_close(&session);
    CHECK_OK(eddy_web_server_shutdown(server, 10));
    CHECK_HAS(test_report(), "mine");
}

static int whole_connection(void)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_WEBSOCKET socket = NULL;
    struct seen seen = {0};
    eddy_message message;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", echo, &seen));
    EDDY_TRY(eddy_web_start_test(app, NULL, &server, &session));
    EDDY_TRY(eddy_websocket_connect(session, "ws://test/", NULL, &socket));
    EDDY_TRY(eddy_websocket_send_text(socket, "enough"));
    EDDY_TRY(eddy_websocket_receive(socket, &message));
    return 0;
}
EDDY_ASYNC(whole_connection);

/* What has no memory at one end, the other sees as anything. */
static int whole_connection_or_no_memory(void)
{
    return whole_connection() < 0 ? -ENOMEM : 0;
}
EDDY_ASYNC(whole_connection_or_no_memory);

RAW_TEST(websocket_server_stands_every_cancel_and_lack_of_memory)
{
    CHECK_OK(eddy_test_cancels(whole_connection));
    CHECK_OK(eddy_test_allocations(whole_connection_or_no_memory));
}
