/* SPDX-License-Identifier: MIT */
/* The access log. */
#include "http/web_log.h"

#include "http/web.h"

static char logged[4096];

static void keep(const char *line, size_t size, void *unused)
{
    (void)unused;
    snprintf(logged, sizeof logged, "%.*s", (int)size, line);
}

static int slow(eddy_web_request *request, void *unused)
{
    (void)unused;
    EDDY_TRY(eddy_sleep(2));
    EDDY_TRY(eddy_web_set_header(request, "X-Out", "out"));
    return eddy_web_send_text(request, 200, "hello");
}

/* H-LOG-1, H-LOG-2: one line a request, also for errors; what clients sent is escaped. */
TEST(web_log_lines)
{
    const eddy_web_options options = {.log = keep};
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/", slow, NULL));
    WEB_START(app, server);
    (void)web_say(server, "GET / HTTP/1.1\r\nHost: t\r\nReferer: a\"b\\\xc3\xbc\r\n\r\n");
    CHECK_HAS(logged, "- [");
    CHECK_HAS(logged, " +0000] \"GET / HTTP/1.1\" 499 0 \"a\\\"b\\\\\\xc3\\xbc\" \"-\"\n");
    (void)web_get(server, "/none?x=%22");
    CHECK_HAS(logged, "\"GET /none?x=%22 HTTP/1.1\" 404 14 ");
    (void)web_say(server, "<\"nonsense\r\n\r\n");
    CHECK_HAS(logged, "\"-\" 400 ");
    (void)web_ask(server, "HEAD", "/none", "");
    CHECK_HAS(logged, "\" 404 0 ");
}

TEST(web_log_formats)
{
    const eddy_web_options options = {.log = keep,
                                      .half_close = true,
                                      .log_format = "%D|%T|%{X-In}i|%{X-Out}o|%{None}o|%%|%s %b"};
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/", slow, NULL));
    WEB_START(app, server);
    (void)web_ask(server, "GET", "/", "X-In: in\r\n");
    CHECK_STR(logged, "2000000|2.000000|in|out|-|%|200 5\n");
}

static int start_with(const char *format)
{
    const eddy_web_options options = {.log = keep, .log_format = format};
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;

    EDDY_TRY(eddy_web_app_new(&app));
    return ed_web_server_new(app, &options, &server);
}

TEST(web_log_refuses_formats)
{
    CHECK_OK(start_with(""));
    CHECK_FAILS(start_with("%q"), -EINVAL, "not known");
    CHECK_EQ(start_with("%"), -EINVAL);
    CHECK_EQ(start_with("%{x"), -EINVAL);
    CHECK_EQ(start_with("%{x}y"), -EINVAL);
    CHECK_EQ(start_with("%{}i"), -EINVAL);
}

TEST(web_log_to_a_file)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    CHECK(file != NULL);
    eddy_web_access_log("line\n", 5, file);
    fclose(file);
    CHECK_STR(text, "line\n");
    free(text);
}
