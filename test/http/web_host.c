/* SPDX-License-Identifier: MIT */
/* Applications for hosts: H-APP-4. */
#include "http/web_host.h"

#include "http/web.h"

RAW_TEST(web_host_masks)
{
    CHECK(ed_web_host_is_mask("a.example.org"));
    CHECK(ed_web_host_is_mask("*.example.org"));
    CHECK(ed_web_host_is_mask("[::1]"));
    CHECK(!ed_web_host_is_mask(""));
    CHECK(!ed_web_host_is_mask("a.example.org:80"));
    CHECK(!ed_web_host_is_mask("a/b"));
    CHECK(!ed_web_host_is_mask("a b"));
    CHECK(!ed_web_host_is_mask("[::1]:80"));
}

RAW_TEST(web_host_fits)
{
    CHECK(ed_web_host_fits("example.org", "example.org"));
    CHECK(ed_web_host_fits("Example.org", "eXample.ORG:8080"));
    CHECK(ed_web_host_fits("example.org", "example.org.:80"));
    CHECK(!ed_web_host_fits("example.org", "example.org.x"));
    CHECK(!ed_web_host_fits("example.org", "xexample.org"));
    CHECK(!ed_web_host_fits("example.org", ""));
    CHECK(!ed_web_host_fits("example.org", "example.or"));
    CHECK(ed_web_host_fits("*.example.org", "a.b.example.org:1"));
    CHECK(!ed_web_host_fits("*.example.org", "example.org"));
    CHECK(!ed_web_host_fits("*.example.org", "evilexample.org"));
    CHECK(ed_web_host_fits("*", ""));
    CHECK(ed_web_host_fits("a*b*c", "aXbbXbc"));
    CHECK(!ed_web_host_fits("a*b*c", "aXbbXbd"));
    CHECK(ed_web_host_fits("[::1]", "[::1]:80"));
    CHECK(!ed_web_host_fits("[::1]", "[::1"));
    CHECK(!ed_web_host_fits("[::1]", "[::2]:80"));
}

static const char *ask(eddy_web_server *server, const char *host, const char *target)
{
    char text[256];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target,
             host);
    return web_say(server, text);
}

static char around[64];

static int surround(eddy_web_request *request, void *name)
{
    strncat(around, name, sizeof around - strlen(around) - 1);
    return eddy_web_next(request);
}

static char outer_name[] = "outer", api_name[] = "api", any_name[] = "any", deep_name[] = "deep";

/* Hosts come first, with their middlewares inside; what they do not have is 404. */
TEST(web_host_mounting)
{
    WEB(app, server, NULL);
    EDDY_WEB_APP api = NULL;
    EDDY_WEB_APP any = NULL;
    EDDY_WEB_APP deep = NULL;

    CHECK_OK(eddy_web_app_new(&api));
    CHECK_OK(eddy_web_app_new(&any));
    CHECK_OK(eddy_web_app_new(&deep));
    CHECK_OK(eddy_web_use(app, surround, outer_name));
    CHECK_OK(eddy_web_use(api, surround, api_name));
    CHECK_OK(eddy_web_get(app, "/", web_tell, outer_name));
    CHECK_OK(eddy_web_get(app, "/more", web_tell, outer_name));
    CHECK_OK(eddy_web_get(api, "/", web_tell, api_name));
    CHECK_OK(eddy_web_get(any, "/", web_tell, any_name));
    CHECK_OK(eddy_web_get(deep, "/{all...}", web_tell, deep_name));
    CHECK_OK(eddy_web_mount(any, "/below", &deep));
    CHECK_OK(eddy_web_mount_host(app, "api.example.org", &api));
    CHECK_OK(eddy_web_mount_host(app, "*.example.org", &any));
    CHECK(!api && !any);
    WEB_START(app, server);
    CHECK_STR(web_body(ask(server, "example.org", "/")), "outer:/");
    CHECK_STR(around, "outer");
    CHECK_STR(web_body(ask(server, "API.example.org:8080", "/")), "api:/");
    CHECK_STR(around, "outerouterapi");
    CHECK_STR(web_body(ask(server, "x.example.org", "/")), "any:/");
    CHECK_STR(web_body(ask(server, "x.example.org", "/below/x")), "deep:/below/x");
    CHECK_STATUS(ask(server, "api.example.org", "/more"), 404);
    CHECK_STR(web_body(ask(server, "a", "/more")), "outer:/more");
    CHECK_STR(web_body(web_say(server, "GET / HTTP/1.0\r\n\r\n")), "outer:/");
    CHECK_STR(web_body(web_say(server, "GET http://api.example.org/ HTTP/1.1\r\nHost: a\r\n"
                                       "Connection: close\r\n\r\n")),
              "api:/"); /* H-PARSE-9 */
}

TEST(web_host_mounting_is_refused)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_APP one = NULL;
    EDDY_WEB_APP other = NULL;

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_app_new(&one));
    CHECK_OK(eddy_web_app_new(&other));
    CHECK_FAILS(eddy_web_mount_host(app, "a:80", &one), -EINVAL, "no host to mount for");
    CHECK_OK(eddy_web_mount_host(app, "a.test", &one));
    CHECK_FAILS(eddy_web_mount_host(app, "A.test", &other), -EEXIST, "'A.test'");
    CHECK(other);
    CHECK_EQ(eddy_web_mount_host(other, "b.test", &app), 0);
    CHECK_EQ(eddy_web_mount_host(other, "c.test", &other), -EINVAL);
}
