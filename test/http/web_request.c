/* SPDX-License-Identifier: MIT */
/* What a handler sees of a request. */
#include "http/web.h"

static int show(eddy_web_request *request, void *unused)
{
    const char *name = eddy_web_match(request, "name"), *query = eddy_web_query(request, "q");

    (void)unused;
    return eddy_web_printf(request, 200, "%s|%s|%s|%s|%s|%s|%s", eddy_web_method(request),
                           eddy_web_path(request), eddy_web_query_string(request),
                           name ? name : "-", query ? query : "-", eddy_web_host(request),
                           eddy_web_version(request));
}

#define CHECK_SHOWS(target, what)                                                                  \
    do {                                                                                           \
        const char *test_shown = web_get(server, target);                                          \
        CHECK_STATUS(test_shown, 200);                                                             \
        CHECK_STR(web_body(test_shown), what);                                                     \
    } while (0)

/* H-ROUTE-3, H-ROUTE-10: paths are decoded, "." and ".." are taken out before a route is found, and
 * "%2F" is no slash, but one in the value. */
TEST(web_request_targets)
{
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/one/{name}", show, NULL));
    CHECK_OK(eddy_web_get(app, "/a b", show, NULL));
    CHECK_OK(eddy_web_get(app, "/", show, NULL));
    CHECK_OK(eddy_web_get(app, "/dir/", show, NULL));
    WEB_START(app, server);
    CHECK_SHOWS("/?", "GET|/||-|-|test|1.1");
    CHECK_SHOWS("/one/x?q=1&r", "GET|/one/x|q=1&r|x|1|test|1.1");
    CHECK_SHOWS("/one/x%20y?q=a%20b+c", "GET|/one/x y|q=a%20b+c|x y|a b c|test|1.1");
    CHECK_SHOWS("/a%20b", "GET|/a b||-|-|test|1.1");
    CHECK_SHOWS("/one/x%2Fy", "GET|/one/x%2Fy||x/y|-|test|1.1");
    CHECK_SHOWS("/one/x%2fy%252F", "GET|/one/x%2Fy%2F||x/y%2F|-|test|1.1");
    CHECK_SHOWS("/one/./x", "GET|/one/x||x|-|test|1.1");
    CHECK_SHOWS("/two/../one/x", "GET|/one/x||x|-|test|1.1");
    CHECK_SHOWS("/../../one/%2e%2E/one/x", "GET|/one/x||x|-|test|1.1");
    CHECK_SHOWS("/dir/x/..", "GET|/dir/||-|-|test|1.1");
}

/* Targets that are none, and those of other forms (H-PARSE-9). */
TEST(web_request_other_targets)
{
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/one/{name}", show, NULL));
    WEB_START(app, server);
    CHECK_STATUS(web_get(server, "/one/%"), 400);
    CHECK_STATUS(web_get(server, "/one/%4"), 400);
    CHECK_STATUS(web_get(server, "/one/%zz"), 400);
    CHECK_STATUS(web_get(server, "/one/%00"), 400);
    CHECK_STATUS(web_get(server, "/one/x#y"), 400);
    CHECK_STATUS(web_get(server, "one"), 400);
    CHECK_SHOWS("http://other:81/one/x?q=2", "GET|/one/x|q=2|x|2|other:81|1.1");
    CHECK_STATUS(web_ask(server, "CONNECT", "host:80", ""), 501);
    CHECK_STATUS(web_ask(server, "OPTIONS", "*", ""), 404);
    CHECK_STATUS(web_get(server, "*"), 400);
}

static int number(eddy_web_request *request, void *unused)
{
    long first, second;

    (void)unused;
    EDDY_TRY(eddy_web_match_long(request, "n", 1, 100, &first));
    EDDY_TRY(eddy_web_query_long(request, "page", -5, 5, &second));
    return eddy_web_printf(request, 200, "%ld %ld", first, second);
}

/* Numbers that are none are the client's mistake: 400, with a text that names the argument. */
TEST(web_request_numbers)
{
    WEB(app, server, NULL);
    static const char *const wrong[] = {
        "/x?page=1",   "/1?page=",    "/1",        "/1?page=1x", "/1?page=%201",
        "/0?page=1",   "/101?page=1", "/1?page=6", "/1?page=-6", "/1?page=99999999999999999999",
        "/%2B?page=1",
    };

    CHECK_OK(eddy_web_get(app, "/{n}", number, NULL));
    WEB_START(app, server);
    CHECK_STR(web_body(web_get(server, "/42?page=-3")), "42 -3");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_STATUS(web_get(server, wrong[i]), 400);
    CHECK_STR(web_body(web_get(server, "/1?page=1x")), "page: not a number\n");
    CHECK_STR(web_body(web_get(server, "/1")), "page: missing\n");
}

static int lists(eddy_web_request *request, void *unused)
{
    const eddy_pair *pairs = eddy_web_queries(request);
    static const char key, other;
    char text[200] = "";

    (void)unused;
    for (; pairs->name; pairs++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s=%s,", pairs->name,
                 pairs->value);
    REQUIRE(eddy_web_value(request, &key) == NULL);
    EDDY_TRY(eddy_web_set_value(request, &key, text));
    EDDY_TRY(eddy_web_set_value(request, &other, NULL));
    EDDY_TRY(eddy_web_set_value(request, &key, &text[0]));
    return eddy_web_printf(request, 200, "%s%s %s", (char *)eddy_web_value(request, &key),
                           eddy_web_header(request, "x-a"), eddy_web_scheme(request));
}

TEST(web_request_lists_and_values)
{
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/", lists, NULL));
    WEB_START(app, server);
    CHECK_STR(web_body(web_ask(server, "GET", "/?a=1&b=%26&a=2", "X-A: yes\r\n")),
              "a=1,b=&,a=2,yes http");
    CHECK_STR(web_body(web_ask(server, "GET", "/", "X-A: yes\r\n")), "yes http");
}
