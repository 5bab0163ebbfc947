/* SPDX-License-Identifier: MIT */
/* Folders of files. */
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "http/web.h"
#include "os/folder.h"

/* The folder of all tests here: files, links, and something beside it that nobody may read. */
static void make_site(const struct folder *folder)
{
    CHECK_OK(mkdir(in(folder, "www"), 0755));
    CHECK_OK(mkdir(in(folder, "www/sub"), 0755));
    CHECK_OK(file_add(in(folder, "secret"), "secret"));
    CHECK_OK(file_add(in(folder, "www/a.txt"), "0123456789"));
    CHECK_OK(file_add(in(folder, "www/sub/b.html"), "<p>"));
    CHECK_OK(file_add(in(folder, "www/.hidden"), "hidden"));
    CHECK_OK(file_add(in(folder, "www/empty"), ""));
    CHECK_OK(symlink("a.txt", in(folder, "www/inner")));
    CHECK_OK(symlink("../secret", in(folder, "www/outer")));
    CHECK_OK(symlink(in(folder, "secret"), in(folder, "www/absolute")));
    CHECK_OK(symlink("loop", in(folder, "www/loop")));
    CHECK_OK(symlink("..", in(folder, "www/up")));
    CHECK_OK(mkfifo(in(folder, "www/fifo"), 0644));
}

#define SITE(app, server, static_options)                                                          \
    FOLDER(folder);                                                                                \
    WEB(app, server, NULL);                                                                        \
    make_site(&folder);                                                                            \
    CHECK_OK(eddy_web_static(app, "/f/", in(&folder, "www"), static_options));                     \
    WEB_START(app, server)

/* H-STATIC-1, H-STATIC-4: what a file's answer has. */
TEST(web_static_file)
{
    if (test_is_on_valgrind())
        test_skip("valgrind does not know openat2(2), without which no link is followed");
    SITE(app, server, NULL);
    const char *heard = web_get(server, "/f/a.txt");

    CHECK_STATUS(heard, 200);
    CHECK_HAS(heard, "Content-Length: 10\r\n");
    CHECK_HAS(heard, "Content-Type: text/plain");
    CHECK_HAS(heard, "Accept-Ranges: bytes\r\n");
    CHECK_HAS(heard, "Last-Modified: ");
    CHECK_HAS(heard, "ETag: \"");
    CHECK_STR(web_body(heard), "0123456789");
    heard = web_ask(server, "HEAD", "/f/a.txt", "");
    CHECK_HAS(heard, "Content-Length: 10\r\n");
    CHECK_STR(web_body(heard), "");
    CHECK_STATUS(web_ask(server, "POST", "/f/a.txt", ""), 405);
    CHECK_STR(web_body(web_get(server, "/f/sub/b.html")), "<p>");
    heard = web_get(server, "/f/empty");
    CHECK_STATUS(heard, 200);
    CHECK_HAS(heard, "Content-Length: 0\r\n");
    CHECK_STR(web_body(web_get(server, "/f/inner")), "0123456789");
}

/* H-STATIC-1 to -3, H-SEC-16: in no spelling anything from outside the folder. */
TEST(web_static_traversal)
{
    static const char *const paths[] = {
        "/f/../secret",
        "/f/%2e%2e/secret",
        "/f/..%2fsecret",
        "/f/%2e%2e%2fsecret",
        "/f/sub/../../secret",
        "/f/sub/..%2f..%2fsecret",
        "/f/..%5csecret",
        "/f/..\\secret",
        "/f/%252e%252e/secret",
        "/f/..%252fsecret",
        "/f//secret",
        "/f/%2fetc/passwd",
        "/f//etc/passwd",
        "/f/outer",
        "/f/absolute",
        "/f/loop",
        "/f/up/secret",
        "/f/up/www/a.txt",
        "/f/a.txt/",
        "/f/a.txt/x",
        "/f/a.txt%00",
        "/f/%2e%2e/%2e%2e/etc/passwd",
        "/f/.hidden",
        "/f/sub/..%2fa.txt",
        "/f/....//secret",
        "/f/..;/secret",
        "/f/%c0%ae%c0%ae/secret",
        "/f/none",
        "/f/../f/../secret",
        "/f/./../secret",
        "/f/sub%2fb.html",
        "/f/.%2e/secret",
    };
    SITE(app, server, NULL);

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *heard = web_get(server, paths[i]);
        int status = atoi_status(heard);

        CHECK_THAT(status == 404 || status == 400, "%s: %.100s", paths[i], heard);
        CHECK_THAT(!strstr(heard, "secret") && !strstr(heard, "root:"), "%s: %s", paths[i], heard);
    }
}

/* H-STATIC-3: folders and what is no file are 403. */
TEST(web_static_no_files)
{
    if (test_is_on_valgrind())
        test_skip("valgrind does not know openat2(2), without which no link is followed");
    SITE(app, server, NULL);

    CHECK_STATUS(web_get(server, "/f/sub"), 403);
    CHECK_STATUS(web_get(server, "/f/sub/"), 403);
    CHECK_STATUS(web_get(server, "/f/"), 403);
    CHECK_STATUS(web_get(server, "/f"), 403);
    CHECK_STATUS(web_get(server, "/f/fifo"), 403);
}

TEST(web_static_options)
{
    const eddy_web_static_options options = {
        .follow_symlinks = true, .hidden = true, .cache_control = "max-age=60"};
    SITE(app, server, &options);

    CHECK_STR(web_body(web_get(server, "/f/outer")), "secret");
    CHECK_STR(web_body(web_get(server, "/f/.hidden")), "hidden");
    CHECK_HAS(web_get(server, "/f/a.txt"), "Cache-Control: max-age=60\r\n");
    CHECK_STATUS(web_get(server, "/f/../secret"), 404);
    CHECK_STATUS(web_get(server, "/f/loop"), 404);
}

/* H-STATIC-5, -6: conditions by what the file's answer said. */
TEST(web_static_conditions)
{
    SITE(app, server, NULL);
    const char *heard = strstr(web_get(server, "/f/a.txt"), "ETag: ");
    char tag[100], date[100], fields[300];

    CHECK(heard != NULL);
    snprintf(tag, sizeof tag, "%.*s", (int)strcspn(heard, "\r") - 6, heard + 6);
    heard = strstr(heard, "Last-Modified: ");
    snprintf(date, sizeof date, "%.*s", (int)strcspn(heard, "\r") - 15, heard + 15);
    snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", tag);
    heard = web_ask(server, "GET", "/f/a.txt", fields);
    CHECK_STATUS(heard, 304);
    CHECK_HAS(heard, tag);
    CHECK_HAS(heard, date);
    CHECK(!strstr(heard, "Content-"));
    CHECK_STR(web_body(heard), "");
    snprintf(fields, sizeof fields, "If-Modified-Since: %s\r\n", date);
    CHECK_STATUS(web_ask(server, "HEAD", "/f/a.txt", fields), 304);
    CHECK_STATUS(web_ask(server, "GET", "/f/a.txt", "If-Match: \"x\"\r\n"), 412);
    snprintf(fields, sizeof fields, "Range: bytes=1-2\r\nIf-Range: %s\r\n", tag);
    CHECK_STATUS(web_ask(server, "GET", "/f/a.txt", fields), 206);
    CHECK_STATUS(web_ask(server, "GET", "/f/a.txt", "Range: bytes=1-2\r\nIf-Range: \"x\"\r\n"),
                 200);
}

/* H-STATIC-7, -8 */
TEST(web_static_ranges)
{
    SITE(app, server, NULL);
    const char *heard = web_ask(server, "GET", "/f/a.txt", "Range: bytes=2-4\r\n");

    CHECK_STATUS(heard, 206);
    CHECK_HAS(heard, "Content-Range: bytes 2-4/10\r\n");
    CHECK_HAS(heard, "Content-Length: 3\r\n");
    CHECK_STR(web_body(heard), "234");
    CHECK_STR(web_body(web_ask(server, "GET", "/f/a.txt", "Range: bytes=-3\r\n")), "789");
    CHECK_STATUS(web_ask(server, "GET", "/f/a.txt", "Range: bytes=0-99\r\n"), 206);
    heard = web_ask(server, "GET", "/f/a.txt", "Range: bytes=10-\r\n");
    CHECK_STATUS(heard, 416);
    CHECK_HAS(heard, "Content-Range: bytes */10\r\n");
    CHECK_STATUS(web_ask(server, "HEAD", "/f/a.txt", "Range: bytes=2-4\r\n"), 200);
    CHECK_STATUS(web_ask(server, "GET", "/f/empty", "Range: bytes=0-\r\n"), 416);
}

/* H-STATIC-10: a compressed sibling, if it is a file and not a link. */
TEST(web_static_precompressed)
{
    const eddy_web_static_options options = {.precompressed = true};
    SITE(app, server, &options);
    const char *heard;

    CHECK_OK(file_add(in(&folder, "www/a.txt.gz"), "gz"));
    CHECK_OK(symlink("a.txt.gz", in(&folder, "www/a.txt.br")));
    heard = web_ask(server, "GET", "/f/a.txt", "Accept-Encoding: br, gzip;q=0.5\r\n");
    CHECK_HAS(heard, "Content-Encoding: gzip\r\n");
    CHECK_HAS(heard, "Content-Type: text/plain");
    CHECK_HAS(heard, "Vary: Accept-Encoding\r\n");
    CHECK_STR(web_body(heard), "gz");
    CHECK_STR(web_body(web_ask(server, "GET", "/f/a.txt", "Accept-Encoding: gzip;q=0\r\n")),
              "0123456789");
    heard = web_get(server, "/f/a.txt");
    CHECK_HAS(heard, "Vary: Accept-Encoding\r\n");
    CHECK_STR(web_body(heard), "0123456789");
}

/* A file that is larger than what is sent with the head. */
TEST(web_static_large_file)
{
    static char content[300001];
    SITE(app, server, NULL);
    const char *heard;

    for (size_t i = 0; i < sizeof content - 1; i++)
        content[i] = (char)('a' + i % 26);
    CHECK_OK(file_add(in(&folder, "www/large"), content));
    heard = web_get(server, "/f/large");
    CHECK_HAS(heard, "Content-Length: 300000\r\n");
    CHECK(strcmp(web_body(heard), content) == 0);
    heard = web_ask(server, "GET", "/f/large", "Range: bytes=100-200099\r\n");
    CHECK(memcmp(web_body(heard), content + 100, 200000) == 0);
    CHECK_EQ(strlen(web_body(heard)), 200000);
}

/* To open a pipe lets its writer go on, to open a device may do anything: neither is. */
TEST(web_static_opens_nothing_but_files_and_folders)
{
    SITE(app, server, NULL);
    char events[4096], *at = events;
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    bool opened = false;
    ssize_t size;

    CHECK(watch >= 0);
    CHECK(inotify_add_watch(watch, in(&folder, "www"), IN_OPEN) >= 0);
    CHECK_STATUS(web_get(server, "/f/fifo"), 403);
    CHECK_STATUS(web_get(server, "/f/fifo/"), 404);
    CHECK_STATUS(web_get(server, "/f/a.txt"), 200);
    size = read(watch, events, sizeof events);
    while (at < events + size) {
        struct inotify_event *event = (struct inotify_event *)(void *)at;

        CHECK(strcmp(event->name, "fifo") != 0);
        opened = opened || strcmp(event->name, "a.txt") == 0;
        at += sizeof *event + event->len;
    }
    CHECK(opened);
    close(watch);
}

TEST(web_static_refuses)
{
    EDDY_WEB_APP app = NULL;

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_FAILS(eddy_web_static(app, "/f", "/none/there", NULL), -ENOENT, "/none/there");
    CHECK_EQ(eddy_web_static(app, "/f", "/etc/passwd", NULL), -ENOTDIR);
    CHECK_EQ(eddy_web_static(app, "f", "/tmp", NULL), -EINVAL);
    CHECK_EQ(eddy_web_static(app, "/{f}", "/tmp", NULL), -EINVAL);
    CHECK_OK(eddy_web_static(app, "/", "/tmp", NULL));
    CHECK_EQ(eddy_web_static(app, "/", "/tmp", NULL), -EEXIST);
}
