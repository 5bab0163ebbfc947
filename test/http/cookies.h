/* SPDX-License-Identifier: MIT */
/* Jars and URLs for tests of cookies. */
#ifndef TEST_HTTP_COOKIES_H
#define TEST_HTTP_COOKIES_H

#include "base/compat.h"
#include "eddy/cookie.h"
#include "harness.h"
#include "http/cookie_jar.h"

#define COOKIES_NOW 1700000000 /* Tue, 14 Nov 2023 22:13:20 GMT */

static int64_t cookies_time;

static inline int64_t cookies_now(void)
{
    return cookies_time;
}

/* A jar whose time is the test's. */
static inline eddy_cookie_jar *jar_of(const eddy_cookie_jar_options *options)
{
    eddy_cookie_jar *jar;

    cookies_time = COOKIES_NOW;
    if (eddy_cookie_jar_new(options, &jar) < 0)
        return NULL;
    jar->now = cookies_now;
    return jar;
}

/* A URL of this form alone: "https://host/path"; eight at a time. */
static inline const eddy_url *at(const char *text)
{
    static struct {
        char text[200], scheme[10], host[100], path[200];
        eddy_url url;
    } urls[8];
    static int next;
    const char *host = strstr(text, "://") + 3, *path = strchr(host, '/');
    __typeof__(*urls) *url = &urls[next++ % 8];

    snprintf(url->text, sizeof url->text, "%s", text);
    snprintf(url->scheme, sizeof url->scheme, "%.*s", (int)(host - 3 - text), text);
    snprintf(url->host, sizeof url->host, "%.*s", (int)(path ? path - host : 99), host);
    snprintf(url->path, sizeof url->path, "%s", path ? path : "/");
    url->url =
        (eddy_url){.text = url->text, .scheme = url->scheme, .host = url->host, .path = url->path};
    return &url->url;
}

/* The Cookie field for a URL; "" for none. Valid until the next call. */
static inline const char *sent_to(eddy_cookie_jar *jar, const char *url)
{
    static char text[1 << 16];
    char *field;

    if (eddy_cookie_jar_field(jar, at(url), &field) < 0)
        return "failed";
    snprintf(text, sizeof text, "%s", field ? field : "");
    eddy_free(field);
    return text;
}

/* Has a URL set a cookie. */
static inline int set_by(eddy_cookie_jar *jar, const char *url, const char *field)
{
    return eddy_cookie_jar_parse(jar, field, at(url));
}

#endif
