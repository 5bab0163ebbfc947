/* SPDX-License-Identifier: MIT */
/* Answers: their heads, bodies and errors. */
#include "http/web.h"

#include <jansson.h>

static int hello(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_printf(request, 200, "Hello, %s\n", eddy_web_match(request, "name"));
}

/* H-SRESP-1, H-SRESP-2: what a plain answer consists of. */
TEST(web_answer_plain)
{
    const eddy_web_options bare = {.no_server_field = true};
    WEB(app, server, NULL);
    EDDY_WEB_SERVER other = NULL;
    char wanted[300], date[EDDY_HTTP_DATE_SIZE];
    const char *heard;

    CHECK_OK(eddy_web_get(app, "/{name}", hello, NULL));
    WEB_START(app, server);
    heard = web_say(server, "GET /bob HTTP/1.1\r\nHost: t\r\n\r\n");
    eddy_http_format_date(time(NULL), date);
    snprintf(wanted, sizeof wanted,
             "HTTP/1.1 200 OK\r\nServer: eddy\r\nDate: %s\r\nContent-Type: text/plain; "
             "charset=utf-8\r\nContent-Length: 11\r\n\r\nHello, bob\n",
             date);
    if (time(NULL) % 60 != 0) /* else the second may have changed */
        CHECK_THAT(strlen(heard) == strlen(wanted), "\"%s\" is not \"%s\"", heard, wanted);
    CHECK_HAS(heard, strstr(wanted, "Content-Type"));
    CHECK_OK(ed_web_server_new(app, &bare, &other));
    heard = web_get(other, "/bob");
    CHECK(!strstr(heard, "Server:"));
    CHECK_HAS(heard, "\r\nDate: ");
}

static int odd(eddy_web_request *request, void *argument)
{
    switch (*(const char *)argument) {
    case 'n': return 0; /* no answer */
    case 'e': return eddy_raise(-EIO, "the <disk> is broken");
    case 't': return -ETIMEDOUT;
    case 's': return -ENOSPC;
    case 'h': return eddy_raise(EDDY_HTTP_STATUS(418), "<b>no\r\ncoffee</b>");
    case '1': return EDDY_HTTP_STATUS(302);
    case '4': return eddy_web_send_text(request, 204, "nothing");
    case '3': return eddy_web_send(request, 304, "text/html", "x", 1);
    case 'w': return eddy_web_send_text(request, 199, "");
    case 'a':
        EDDY_TRY(eddy_web_set_header(request, "WWW-Authenticate", "Basic"));
        EDDY_TRY(eddy_web_set_header(request, "ETag", "\"x\""));
        return EDDY_HTTP_STATUS(401);
    default: return eddy_web_redirect(request, 303, "/elsewhere");
    }
}

#define ODD(letter) CHECK_OK(eddy_web_get(app, "/" letter, odd, (void *)(uintptr_t)letter))

/* H-HAND-2 to -4: errors as answers. What went wrong inside is told to the handler of exceptions,
 * with the request, and not to the client. */
TEST(web_answer_errors)
{
    WEB(app, server, NULL);
    const char *heard;

    ODD("n");
    ODD("e");
    ODD("t");
    ODD("s");
    ODD("h");
    ODD("1");
    ODD("w");
    ODD("a");
    ODD("r");
    WEB_START(app, server);
    heard = web_get(server, "/n");
    CHECK_STATUS(heard, 500);
    CHECK_HAS(test_report(), "GET /n: the handler returned without an answer");
    heard = web_get(server, "/e");
    CHECK_STATUS(heard, 500);
    CHECK_STR(web_body(heard), "500 Internal Server Error\n");
    CHECK_HAS(test_report(), "GET /e: the handler failed: the <disk> is broken (EIO)");
    CHECK_STATUS(web_get(server, "/t"), 504);
    CHECK_STATUS(web_get(server, "/s"), 507);
    heard = web_get(server, "/h");
    CHECK_STATUS(heard, 418);
    CHECK_HAS(heard, "Content-Type: text/plain; charset=utf-8\r\n");
    CHECK_HAS(heard, "X-Content-Type-Options: nosniff\r\n");
    CHECK_STATUS(web_get(server, "/1"), 500);
    CHECK_HAS(test_report(), "/1");
    CHECK_STATUS(web_get(server, "/w"), 500);
    CHECK_HAS(test_report(), "199");
    heard = web_get(server, "/a");
    CHECK_STATUS(heard, 401);
    CHECK_HAS(heard, "WWW-Authenticate: Basic\r\n");
    CHECK(!strstr(heard, "ETag"));
    heard = web_get(server, "/r");
    CHECK_STATUS(heard, 303);
    CHECK_HAS(heard, "Location: /elsewhere\r\n");
    CHECK_STR(test_report(), "");
}

/* H-SRESP-3: no body behind HEAD, 204 and 304, and the right length before it. */
TEST(web_answer_without_body)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_get(app, "/hello/{name}", hello, NULL));
    ODD("4");
    ODD("3");
    WEB_START(app, server);
    heard = web_ask(server, "HEAD", "/hello/bob", "");
    CHECK_HAS(heard, "Content-Length: 11\r\n");
    CHECK_STR(web_body(heard), "");
    heard = web_get(server, "/4");
    CHECK_STATUS(heard, 204);
    CHECK(!strstr(heard, "Content-"));
    CHECK_STR(web_body(heard), "");
    heard = web_get(server, "/3");
    CHECK_STATUS(heard, 304);
    CHECK(!strstr(heard, "Content-"));
    CHECK_STR(web_body(heard), "");
    heard = web_ask(server, "HEAD", "/none", "");
    CHECK_STATUS(heard, 404);
    CHECK_STR(web_body(heard), "");
}

static int fields(eddy_web_request *request, void *unused)
{
    (void)unused;
    REQUIRE(eddy_web_add_header(request, "X", "a\r\nY: b") == -EINVAL);
    REQUIRE(eddy_web_add_header(request, "X: a", "b") == -EINVAL);
    REQUIRE(eddy_web_set_header(request, "Content-Length", "7") == -EINVAL);
    REQUIRE(eddy_web_set_header(request, "transfer-encoding", "x") == -EINVAL);
    REQUIRE(eddy_web_send(request, 200, "a\nb", "", 0) == -EINVAL);
    EDDY_TRY(eddy_web_set_header(request, "Date", "today"));
    EDDY_TRY(eddy_web_set_header(request, "server", "mine"));
    EDDY_TRY(eddy_web_add_header(request, "X", "1"));
    EDDY_TRY(eddy_web_add_header(request, "X", "2"));
    EDDY_TRY(eddy_web_set_header(request, "Connection", "close"));
    EDDY_TRY(eddy_web_send_text(request, 200, "first"));
    EDDY_TRY(eddy_web_set_header(request, "Content-Type", "text/html"));
    return eddy_web_send(request, 201, NULL, "second", 6);
}

/* H-SRESP-6: fields of the handler's, none of which can end a line; "Date" and "Server" in place of
 * the server's; "Connection: close" is a wish. */
TEST(web_answer_fields)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_get(app, "/", fields, NULL));
    WEB_START(app, server);
    heard = web_say(server, "GET / HTTP/1.1\r\nHost: t\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n");
    CHECK_STATUS(heard, 201);
    CHECK_HAS(heard, "Date: today\r\n");
    CHECK_HAS(heard, "server: mine\r\n");
    CHECK_HAS(heard, "X: 1\r\nX: 2\r\n");
    CHECK_HAS(heard, "Content-Type: text/html\r\n");
    CHECK_HAS(heard, "Connection: close\r\n");
    CHECK(!strstr(heard, "eddy"));
    CHECK_STR(web_body(heard), "second");
}

static int send_kind(eddy_web_request *request, void *argument)
{
    char *taken;

    switch (*(const char *)argument) {
    case 'j': return eddy_web_send_json(request, 200, json_pack("{s:i, s:[s]}", "a", 1, "b", "c"));
    case 'J': return eddy_web_send_json(request, 200, NULL);
    case 'h': return eddy_web_send_html(request, 200, "<p>");
    case 'x': return eddy_web_send_json_text(request, 200, "[]", 2);
    default:
        taken = eddy_alloc_(100000);
        if (!taken)
            return -ENOMEM;
        memset(taken, 't', 100000);
        return eddy_web_send_taken(request, 200, "text/plain", taken, 100000);
    }
}

/* H-SRESP-11: the kinds of bodies. */
TEST(web_answer_kinds)
{
    WEB(app, server, NULL);
    const char *heard;

    for (const char *kind = "j\0J\0h\0x\0t\0"; *kind; kind += 2) {
        char path[] = {'/', *kind, '\0'};

        CHECK_OK(eddy_web_get(app, path, send_kind, (void *)(uintptr_t)kind));
    }
    WEB_START(app, server);
    heard = web_get(server, "/j");
    CHECK_HAS(heard, "Content-Type: application/json\r\n");
    CHECK_STR(web_body(heard), "{\"a\":1,\"b\":[\"c\"]}");
    CHECK_STATUS(web_get(server, "/J"), 500);
    CHECK_HAS(test_report(), "ENOMEM");
    CHECK_HAS(web_get(server, "/h"), "text/html; charset=utf-8\r\n");
    CHECK_STR(web_body(web_get(server, "/x")), "[]");
    CHECK_EQ(strlen(web_body(web_get(server, "/t"))), 100000);
}

static int cookies(eddy_web_request *request, void *unused)
{
    const eddy_cookie cookie = {.name = "a", .value = "1", .path = "/", .http_only = true};
    const eddy_cookie bad = {.name = "a", .value = "1\r\nX: 2"};

    (void)unused;
    REQUIRE(eddy_web_set_cookie(request, &bad) == -EINVAL);
    EDDY_TRY(eddy_web_set_cookie(request, &cookie));
    EDDY_TRY(eddy_web_remove_cookie(request, "b"));
    return eddy_web_send_text(request, 200,
                              eddy_web_cookie(request, "c") ? eddy_web_cookie(request, "c") : "-");
}

/* H-SRESP-8, and cookies that came. */
TEST(web_answer_cookies)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_get(app, "/", cookies, NULL));
    WEB_START(app, server);
    heard = web_ask(server, "GET", "/", "Cookie: cc=0; c=\"two\" ; d=3\r\n");
    CHECK_HAS(heard, "Set-Cookie: a=1; ");
    CHECK_HAS(heard, "HttpOnly");
    CHECK_HAS(heard, "Set-Cookie: b=; ");
    CHECK_STR(web_body(heard), "two");
    CHECK_STR(web_body(web_ask(server, "GET", "/", "Cookie: cc=0\r\n")), "-");
}
