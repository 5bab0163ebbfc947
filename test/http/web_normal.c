/* SPDX-License-Identifier: MIT */
/* Paths in their normal form: H-ROUTE-9, H-SEC-19. */
#include "http/web.h"

/* Where a path is redirected to; "": it is not. */
static const char *led(eddy_web_server *server, const char *method, const char *target)
{
    static char location[200];
    const char *heard = web_ask(server, method, target, ""), *field = strstr(heard, "Location: ");

    *location = '\0';
    if (atoi_status(heard) == 308 && field)
        snprintf(location, sizeof location, "%.*s", (int)strcspn(field + 10, "\r"), field + 10);
    return location;
}

#define SERVER(normal)                                                                             \
    WEB(app, server, NULL);                                                                        \
    CHECK_OK(eddy_web_use(app, eddy_web_normalize_path, (normal)));                                \
    CHECK_OK(eddy_web_get(app, "/", web_tell, NULL));                                              \
    CHECK_OK(eddy_web_get(app, "/folder/", web_tell, NULL));                                       \
    CHECK_OK(eddy_web_get(app, "/a/b", web_tell, NULL));                                           \
    CHECK_OK(eddy_web_post(app, "/a/{name}/", web_tell, NULL));                                    \
    WEB_START(app, server)

TEST(web_normal_path_gets_a_slash_and_loses_others)
{
    SERVER(NULL);

    CHECK_STR(web_body(web_get(server, "/folder/")), ":/folder/");
    CHECK_STR(led(server, "GET", "/folder"), "/folder/");
    CHECK_STR(led(server, "GET", "/folder?x=1&y=%2F"), "/folder/?x=1&y=%2F");
    CHECK_STR(led(server, "GET", "//a///b"), "/a/b");
    CHECK_STR(led(server, "GET", "//folder"), "/folder/");
    CHECK_STR(led(server, "GET", "///folder//?q"), "/folder/?q");
    CHECK_STR(led(server, "GET", "//"), "/");
    CHECK_STR(led(server, "GET", "/x//y"), "");
    CHECK_STATUS(web_get(server, "/x//y"), 404);
    CHECK_STR(led(server, "GET", "/a/b/"), ""); /* it is not taken away */
    CHECK_STATUS(web_get(server, "/a/c"), 404);
    CHECK_STR(led(server, "POST", "/a/b"), "/a/b/"); /* though GET has it */
    CHECK_STR(led(server, "POST", "/a/x%20y%2Fz"), "/a/x%20y%2Fz/");
    CHECK_STATUS(web_ask(server, "OPTIONS", "*", ""), 404);
}

/* H-SEC-19: nobody is sent to another host. */
TEST(web_normal_path_leads_nobody_away)
{
    static eddy_web_normal keep = {.keep_slashes = true};
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_use(app, eddy_web_normalize_path, &keep));
    CHECK_OK(eddy_web_get(app, "/{all...}", web_tell, NULL));
    CHECK_OK(eddy_web_post(app, "/{one}/", web_tell, NULL));
    WEB_START(app, server);
    CHECK_STR(led(server, "POST", "//evil.example"), "/evil.example/");
    CHECK_STR(led(server, "POST", "/%2Fevil.example"), "/%2Fevil.example/");
    CHECK_STR(led(server, "POST", "/\\evil.example"), "/%5Cevil.example/");
    CHECK_STR(led(server, "POST", "/./%2e/evil.example"), "/evil.example/");
}

TEST(web_normal_path_loses_its_slash)
{
    static eddy_web_normal remove = {.remove_slash = true};
    SERVER(&remove);

    CHECK_STR(led(server, "GET", "/a/b/"), "/a/b");
    CHECK_STR(led(server, "GET", "//a//b//"), "/a/b");
    CHECK_STR(led(server, "GET", "/folder"), "");
    CHECK_STR(led(server, "GET", "/x/"), "");
    CHECK_STR(web_body(web_get(server, "/folder/")), ":/folder/");
    CHECK_STR(web_body(web_get(server, "/")), ":/");
}
