/* SPDX-License-Identifier: MIT */
/* Pages of what is in a folder. */
#include "http/web.h"
#include "os/folder.h"

/* H-STATIC-3, H-SEC-17: names are sorted, escaped, and encoded in links. */
TEST(web_index_page)
{
    if (test_is_on_valgrind())
        test_skip("valgrind does not know openat2(2), without which no link is followed");
    const eddy_web_static_options options = {.index = true};
    FOLDER(folder);
    WEB(app, server, NULL);
    const char *page;

    CHECK_OK(mkdir(in(&folder, "z folder"), 0755));
    CHECK_OK(file_add(in(&folder, "b"), ""));
    CHECK_OK(file_add(in(&folder, "<script>alert('a')&\""), ""));
    CHECK_OK(file_add(in(&folder, "javascript:x"), ""));
    CHECK_OK(file_add(in(&folder, ".hidden"), ""));
    CHECK_OK(eddy_web_static(app, "/f", folder.path, &options));
    WEB_START(app, server);
    page = web_get(server, "/f/");
    CHECK_STATUS(page, 200);
    CHECK_HAS(page, "Content-Type: text/html; charset=utf-8\r\n");
    CHECK_HAS(page, "<h1>Index of /f/</h1>");
    CHECK_HAS(page, "<a href=\"z%20folder/\">z folder/</a>");
    CHECK_HAS(page, "&lt;script&gt;alert(&#39;a&#39;)&amp;&quot;</a>");
    CHECK_HAS(page, "href=\"javascript%3Ax\"");
    CHECK(!strstr(page, "<script>") && !strstr(page, "hidden") && !strstr(page, "../"));
    CHECK(strstr(page, "z folder") < strstr(page, "&lt;script"));
    CHECK(strstr(page, ">b<") < strstr(page, ">javascript"));
    page = web_get(server, "/f/z%20folder/");
    CHECK_HAS(page, "<a href=\"../\">../</a>");
    CHECK_HAS(page, "Index of /f/z folder/");
}

/* H-SEC-19: the slash at the end is added on this host, and the query stays. */
TEST(web_index_redirect)
{
    const eddy_web_static_options options = {.index = true};
    FOLDER(folder);
    WEB(app, server, NULL);

    CHECK_OK(mkdir(in(&folder, "sub"), 0755));
    CHECK_OK(mkdir(in(&folder, "sub/\\evil.example"), 0755));
    CHECK_OK(eddy_web_static(app, "/f", folder.path, &options));
    CHECK_OK(eddy_web_static(app, "/", in(&folder, "sub"), &options));
    WEB_START(app, server);
    CHECK_HAS(web_get(server, "/f/sub?a=1"), "Location: /f/sub/?a=1\r\n");
    CHECK_STATUS(web_get(server, "/f/sub"), 308);
    CHECK_HAS(web_get(server, "/f"), "Location: /f/\r\n");
    CHECK_HAS(web_get(server, "/%5Cevil.example"), "Location: /%5Cevil.example/\r\n");
    CHECK_STATUS(web_get(server, "//evil.example"), 404);
    CHECK_STATUS(web_get(server, "//f"), 404);
}

TEST(web_index_html_stands_for_it)
{
    const eddy_web_static_options options = {.index = true};
    FOLDER(folder);
    WEB(app, server, NULL);

    CHECK_OK(file_add(in(&folder, "index.html"), "<p>mine"));
    CHECK_OK(eddy_web_static(app, "/", folder.path, &options));
    WEB_START(app, server);
    CHECK_STR(web_body(web_get(server, "/")), "<p>mine");
    CHECK_HAS(web_get(server, "/"), "Content-Type: text/html");
}

TEST(web_index_escape)
{
    char *text = eddy_html_escape("<a href=\"x\">'&'</a>");

    CHECK_STR(text, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    eddy_free(text);
}
