/* SPDX-License-Identifier: MIT */
/* URLs of files with a mark: H-STATIC-12. */
#include "http/web.h"
#include "os/folder.h"

/* Tells the URL of a path. */
static int tell_url(eddy_web_request *request, void *unused)
{
    const char *url;

    (void)unused;
    EDDY_TRY(eddy_web_file_url(request, eddy_web_query(request, "of"), &url));
    return eddy_web_send_text(request, 200, url);
}

static char told[2][200];

/* What is told of a path, in told[which]. */
static const char *url_of(eddy_web_server *server, const char *path, int which)
{
    char target[200];

    snprintf(target, sizeof target, "/url?of=%s", path);
    snprintf(told[which], sizeof told[which], "%s", web_body(web_get(server, target)));
    return told[which];
}

#define SITE(app, server, static_options)                                                          \
    FOLDER(folder);                                                                                \
    WEB(app, server, NULL);                                                                        \
    CHECK_OK(mkdir(in(&folder, "www"), 0755));                                                     \
    CHECK_OK(file_add(in(&folder, "secret"), "secret"));                                           \
    CHECK_OK(file_add(in(&folder, "www/a b.css"), "one"));                                         \
    CHECK_OK(file_add(in(&folder, "www/b.css"), "one"));                                           \
    CHECK_OK(eddy_web_static(app, "/f/", in(&folder, "www"), static_options));                     \
    CHECK_OK(eddy_web_get(app, "/url", tell_url, NULL));                                           \
    WEB_START(app, server)

TEST(web_mark_is_that_of_the_content)
{
    SITE(app, server, NULL);

    CHECK_HAS(url_of(server, "/f/b.css", 0), "/f/b.css?v=");
    CHECK_EQ(strlen(told[0]), strlen("/f/b.css?v=") + 16);
    CHECK_STR(url_of(server, "/f/b.css", 1), told[0]);
    CHECK_STR(web_body(web_get(server, told[0])), "one");
    CHECK_HAS(url_of(server, "/f/a%20b.css", 1), "/f/a%20b.css?v=");
    CHECK_STR(strstr(told[1], "?v="), strstr(told[0], "?v="));
    CHECK_OK(file_add(in(&folder, "www/b.css.new"), "two"));
    CHECK_OK(rename(in(&folder, "www/b.css.new"), in(&folder, "www/b.css")));
    CHECK(strcmp(url_of(server, "/f/b.css", 1), told[0]) != 0);
    CHECK_OK(file_add(in(&folder, "www/b.css.new"), "one"));
    CHECK_OK(rename(in(&folder, "www/b.css.new"), in(&folder, "www/b.css")));
    CHECK_STR(url_of(server, "/f/b.css", 1), told[0]);
}

/* What is no file of a folder has none, and nothing outside is looked at. */
TEST(web_mark_of_what_is_no_file)
{
    const eddy_web_static_options options = {.hidden = true, .follow_symlinks = true};
    SITE(app, server, &options);

    CHECK_STR(url_of(server, "/f/none", 0), "/f/none");
    CHECK_STR(url_of(server, "/f/", 0), "/f/");
    CHECK_STR(url_of(server, "/url", 0), "/url");
    CHECK_STR(url_of(server, "/x%22y", 0), "/x%22y");
    CHECK_STR(url_of(server, "/f/../secret", 0), "/f/../secret");
    CHECK_STR(url_of(server, "/f//b.css", 0), "/f//b.css");
}
