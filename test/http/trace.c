/* SPDX-License-Identifier: MIT */
/* Hooks: H-TRACE-1, -2. */
#include "stand.h"

struct trace_log {
    char text[2048];
    void *request_argument;
};

static void note(enum eddy_http_event event, const char *method, const eddy_url *url, int status,
                 int code, size_t bytes, void *request_argument, void *argument)
{
    static const char *const names[] = {
        [EDDY_HTTP_REQUEST_START] = "start",    [EDDY_HTTP_QUEUED_START] = "queued",
        [EDDY_HTTP_QUEUED_END] = "unqueued",    [EDDY_HTTP_CONNECT_START] = "connect",
        [EDDY_HTTP_CONNECT_END] = "connected",  [EDDY_HTTP_REUSE] = "reuse",
        [EDDY_HTTP_HEADERS_SENT] = "headers",   [EDDY_HTTP_BODY_SENT] = "body",
        [EDDY_HTTP_REDIRECTED] = "redirected",  [EDDY_HTTP_RETRIED] = "retried",
        [EDDY_HTTP_BODY_RECEIVED] = "received", [EDDY_HTTP_REQUEST_END] = "end",
        [EDDY_HTTP_REQUEST_ERROR] = "error",
    };
    struct trace_log *log = argument;
    size_t used = strlen(log->text);

    log->request_argument = request_argument;
    snprintf(log->text + used, sizeof log->text - used, "%s %s %s", names[event], method,
             url->path);
    used += strlen(log->text + used);
    if (status || code || bytes)
        snprintf(log->text + used, sizeof log->text - used, " %d %d %zu\n", status, code, bytes);
    else
        snprintf(log->text + used, sizeof log->text - used, "\n");
}

static int serve_redirect(struct stand *stand, eddy_stream *stream, int number)
{
    int rc;

    (void)number;
    while ((rc = stand_read(stand, stream)) > 0)
        EDDY_TRY(stand->requests == 1 ? eddy_printf(stream, "HTTP/1.1 303 See\r\nLocation: /b\r\n"
                                                            "Content-Length: 0\r\n\r\n")
                                      : eddy_printf(stream, STAND_HELLO));
    return rc;
}

TEST(trace_follows_a_request_through_its_redirects)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_redirect};
    struct trace_log log = {.text = ""};
    const eddy_http_trace trace = {.hook = note, .argument = &log};
    EDDY_HTTP_SESSION session = NULL;
    const eddy_http_options with = {.body = EDDY_BODY("abc", 3), .trace_argument = &stand};

    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.trace = &trace}, &session));
    CHECK_OK(stand_get_with(session, "POST", "http://a.test/a", &with, "hello"));
    CHECK_STR(log.text, "start POST /a\nconnect POST /a\nconnected POST /a\nheaders POST /a\n"
                        "body POST /a 0 0 3\nredirected POST /a 303 0 0\nreuse GET /b\n"
                        "headers GET /b\nend GET /b 200 0 0\nreceived GET /b 200 0 5\n");
    CHECK(log.request_argument == &stand);
}

TEST(trace_tells_of_failures)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .refuse = -ECONNREFUSED};
    struct trace_log log = {.text = ""};
    const eddy_http_trace trace = {.hook = note, .argument = &log};
    EDDY_HTTP_SESSION session = NULL;
    const eddy_http_options with = {.retries = &(const eddy_http_retries){.times = 1}};

    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.trace = &trace}, &session));
    CHECK_EQ(stand_get_with(session, "GET", "http://a.test/a", &with, "hello"), -ECONNREFUSED);
    CHECK_STR(log.text, "start GET /a\nconnect GET /a\nconnected GET /a 0 -111 0\n"
                        "retried GET /a 0 -111 0\nconnect GET /a\nconnected GET /a 0 -111 0\n"
                        "error GET /a 0 -111 0\n");
}
