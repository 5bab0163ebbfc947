/* SPDX-License-Identifier: MIT */
/* Files as answers. */
#include "http/web_file.h"

#include "http/web.h"
#include "os/folder.h"

static int send_path(eddy_web_request *request, void *path)
{
    return eddy_web_send_file(request, path);
}

TEST(web_file_by_path)
{
    FOLDER(folder);
    WEB(app, server, NULL);
    char path[200], none[200], top[200];

    snprintf(path, sizeof path, "%s", in(&folder, "page.html"));
    snprintf(none, sizeof none, "%s", in(&folder, "none"));
    snprintf(top, sizeof top, "%s", folder.path);
    CHECK_OK(file_add(path, "<p>page"));
    CHECK_OK(eddy_web_get(app, "/page", send_path, path));
    CHECK_OK(eddy_web_get(app, "/none", send_path, none));
    CHECK_OK(eddy_web_get(app, "/folder", send_path, top));
    WEB_START(app, server);
    CHECK_HAS(web_get(server, "/page"), "Content-Type: text/html");
    CHECK_STR(web_body(web_get(server, "/page")), "<p>page");
    CHECK_STR(web_body(web_ask(server, "GET", "/page", "Range: bytes=3-\r\n")), "page");
    CHECK_STATUS(web_get(server, "/none"), 404);
    CHECK_STATUS(web_get(server, "/folder"), 403);
}

static int send_twice(eddy_web_request *request, void *path)
{
    EDDY_TRY(eddy_web_send_file(request, path));
    EDDY_TRY(eddy_web_send_file(request, path));
    return eddy_web_query(request, "text") ? eddy_web_send_text(request, 200, "instead") : 0;
}

/* An answer that is replaced gives its descriptor back. */
TEST(web_file_replaced)
{
    FOLDER(folder);
    WEB(app, server, NULL);
    char path[200];

    snprintf(path, sizeof path, "%s", in(&folder, "a"));
    CHECK_OK(file_add(path, "content"));
    CHECK_OK(eddy_web_get(app, "/", send_twice, path));
    WEB_START(app, server);
    CHECK_STR(web_body(web_get(server, "/")), "content");
    CHECK_STR(web_body(web_get(server, "/?text=1")), "instead");
}

static int truncate_behind(eddy_web_request *request, void *path)
{
    EDDY_TRY(eddy_web_send_file(request, path));
    return truncate(path, 3) < 0 ? -errno : 0;
}

/* A file that becomes shorter meanwhile breaks the connection. */
TEST(web_file_becomes_shorter)
{
    FOLDER(folder);
    WEB(app, server, NULL);
    char path[200];

    snprintf(path, sizeof path, "%s", in(&folder, "a"));
    CHECK_OK(file_add(path, "content"));
    CHECK_OK(eddy_web_get(app, "/", truncate_behind, path));
    WEB_START(app, server);
    CHECK(!strstr(web_get(server, "/"), "cont"));
    while (*test_report())
        ;
}
