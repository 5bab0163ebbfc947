/* SPDX-License-Identifier: MIT */
/* Errors as answers; more of them is in web_answer.c, where the answers are. */
#include "http/web.h"

static int fail(eddy_web_request *request, void *code)
{
    (void)request;
    return *(int *)code;
}

/* Each code has its status; those without a meaning for clients are 500, and told. */
TEST(web_error_statuses)
{
    static const struct {
        int code, status;
    } cases[] = {
        {EDDY_HTTP_STATUS(400), 400},
        {EDDY_HTTP_STATUS(599), 599},
        {-ETIMEDOUT, 504},
        {-ENOSPC, 507},
        {-EDQUOT, 507},
        {EDDY_EHTTP_PAYLOAD, 400},
        {EDDY_HTTP_STATUS(500), 500},
    };
    static const int failures[] = {-EIO, -ENOENT, EDDY_HTTP_STATUS(200), EDDY_HTTP_STATUS(301),
                                   -ENOMEM};
    int code = 0;
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/", fail, &code));
    WEB_START(app, server);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        code = cases[i].code;
        CHECK_STATUS(web_get(server, "/"), cases[i].status);
        CHECK_STR(test_report(), "");
    }
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        code = failures[i];
        CHECK_STATUS(web_get(server, "/"), 500);
        CHECK_HAS(test_report(), "GET /: the handler failed");
    }
}

/* H-ROUTE-4: 405 has Allow, sorted. */
TEST(web_error_not_allowed)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_post(app, "/x", web_tell, NULL));
    CHECK_OK(eddy_web_get(app, "/x", web_tell, NULL));
    WEB_START(app, server);
    heard = web_ask(server, "DELETE", "/x", "");
    CHECK_STATUS(heard, 405);
    CHECK_HAS(heard, "Allow: GET, HEAD, POST\r\n");
    CHECK_STR(web_body(heard), "405 Method Not Allowed\n");
    CHECK_STR(web_body(web_get(server, "/y")), "404 Not Found\n");
}

static int refuse(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_query(request, "user")
               ? eddy_raise(EDDY_HTTP_STATUS(403), "%s may not", eddy_web_query(request, "user"))
               : EDDY_HTTP_STATUS(403);
}

/* A connection may be shared by many users, behind a proxy. */
TEST(web_error_texts_are_of_one_request)
{
    WEB(app, server, NULL);
    EDDY_STREAM stream = NULL;
    char data[2000];
    ssize_t size;

    CHECK_OK(eddy_web_get(app, "/", refuse, NULL));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "GET /?user=ann HTTP/1.1\r\nHost: t\r\n\r\n"));
    CHECK_OK(eddy_sleep(1));
    CHECK((size = eddy_read(stream, data, sizeof data - 1)) > 0);
    data[size] = '\0';
    CHECK_HAS(data, "ann may not");
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    CHECK_OK(eddy_sleep(1));
    CHECK((size = eddy_read(stream, data, sizeof data - 1)) > 0);
    data[size] = '\0';
    CHECK_STATUS(data, 403);
    CHECK_THAT(!strstr(data, "ann"), "%s", data);
}
