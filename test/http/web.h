/* SPDX-License-Identifier: MIT */
/* For tests of the web server: one in memory, and a client that says bytes and hears bytes. */
#ifndef TEST_HTTP_WEB_H
#define TEST_HTTP_WEB_H

#include <eddy/web_request.h>
#include <stdlib.h>

#include "harness.h"
#include "http/web_server.h"

/* A server in memory with an application of the test's, both gone at the end of the block. */
#define WEB(app, server, options)                                                                  \
    EDDY_WEB_APP app = NULL;                                                                       \
    EDDY_WEB_SERVER server = NULL;                                                                 \
    CHECK_OK(eddy_web_app_new(&app));                                                              \
    web_options = (options)
__attribute__((unused)) static const eddy_web_options *web_options;
#define WEB_START(app, server) CHECK_OK(ed_web_server_new(app, web_options, &server))

#define WEB_HEARD ((size_t)1 << 20)

/* What the server says to a text until it closes the connection, which ends behind the text. A
 * buffer that the next call overwrites. */
__attribute__((unused)) static const char *
web_say_bytes(eddy_web_server *server, const char *text, size_t size)
{
    static char *heard;
    EDDY_STREAM stream = NULL;
    char *data;
    int rc = ed_web_connect(server, &stream);

    heard = heard ? heard : test_room(WEB_HEARD);
    if (rc == 0)
        rc = eddy_write(stream, text, size);
    if (rc == 0)
        rc = eddy_write_eof(stream);
    if (rc == 0)
        rc = eddy_read_all(stream, WEB_HEARD - 1, &data, &size);
    if (rc < 0) {
        snprintf(heard, WEB_HEARD, "%s", eddy_error_name(rc));
        return heard;
    }
    memcpy(heard, data, size + 1);
    eddy_free(data);
    return heard;
}

__attribute__((unused)) static const char *web_say(eddy_web_server *server, const char *text)
{
    return web_say_bytes(server, text, strlen(text));
}

/* The same for one request without a body. */
__attribute__((unused)) static const char *
web_ask(eddy_web_server *server, const char *method, const char *target, const char *fields)
{
    static char text[1 << 17];

    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s\r\n",
             method, target, fields);
    return web_say(server, text);
}

__attribute__((unused)) static const char *web_get(eddy_web_server *server, const char *target)
{
    return web_ask(server, "GET", target, "");
}

/* The body of what was heard. */
__attribute__((unused)) static const char *web_body(const char *heard)
{
    const char *end = strstr(heard, "\r\n\r\n");

    return end ? end + 4 : "";
}

/* Checks the status that was heard. */
#define CHECK_STATUS(heard, status)                                                                \
    do {                                                                                           \
        const char *test_heard = (heard);                                                          \
        CHECK_THAT(strncmp(test_heard, "HTTP/1.1 ", 9) == 0 &&                                     \
                       atoi_status(test_heard) == (status),                                        \
                   "%s: heard \"%.300s\", not %d", #heard, test_heard, (status));                  \
    } while (0)
static inline int atoi_status(const char *heard)
{
    return (int)strtol(heard + 9, NULL, 10);
}

/* A handler that tells the path and the argument. */
__attribute__((unused)) static int web_tell(eddy_web_request *request, void *argument)
{
    return eddy_web_printf(request, 200, "%s:%s", argument ? (const char *)argument : "",
                           eddy_web_path(request));
}

#endif
