/* SPDX-License-Identifier: MIT */
/* Small files in memory: what is sent is what is there. */
#include "http/web.h"
#include "os/folder.h"

/* Makes a file look as if it had been changed long ago; its ctime is of now, so it is not kept. */
static int age(const char *path, time_t modified)
{
    const struct timespec times[] = {{modified, 0}, {modified, 0}};

    return utimensat(AT_FDCWD, path, times, 0) < 0 ? -errno : 0;
}

/* A file that has settled is kept; changed in place, replaced, or removed, it is not sent again. */
TEST(web_cache_follows_the_file)
{
    FOLDER(folder);
    struct ed_cache cache = {{0}};
    struct ed_cached *file;
    struct stat status;
    int fd = open(folder.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int of = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && of >= 0);
    CHECK_OK(fstat(of, &status));
    CHECK_OK(symlink("/etc/passwd", in(&folder, "link")));
    CHECK(ed_cache_find(&cache, fd, "link") == NULL);
    file = ed_cache_keep(&cache, fd, "link", of, &status);
    CHECK(file != NULL && memcmp(file->data, "root", 4) == 0);
    ed_cached_leave(file);
    file = ed_cache_find(&cache, fd, "link");
    CHECK(file != NULL);
    CHECK(ed_cache_find(&cache, fd, "other") == NULL);
    CHECK(ed_cache_find(&cache, AT_FDCWD, "link") == NULL);
    CHECK_OK(unlink(in(&folder, "link")));
    CHECK_OK(file_add(in(&folder, "link"), "other"));
    CHECK(ed_cache_find(&cache, fd, "link") == NULL);
    CHECK(memcmp(file->data, "root", 4) == 0); /* as long as somebody has it */
    ed_cached_leave(file);
    close(of);
    close(fd);
    ed_cache_free(&cache);
}

/* One that was changed just now may change again within the clock's grain. */
TEST(web_cache_keeps_what_has_settled)
{
    FOLDER(folder);
    struct ed_cache cache = {{0}};
    struct stat status;
    int fd;

    CHECK_OK(file_add(in(&folder, "a"), "new"));
    CHECK_OK(age(in(&folder, "a"), 1000000));
    fd = open(in(&folder, "a"), O_RDONLY | O_CLOEXEC);
    CHECK_OK(fstat(fd, &status));
    CHECK(ed_cache_keep(&cache, AT_FDCWD, "a", fd, &status) == NULL);
    close(fd);
    ed_cache_free(&cache);
}

/* Where the kernel would have to ask somebody else, the loop does not. */
TEST(web_cache_keeps_nothing_that_is_elsewhere)
{
    CHECK(ed_cache_is_remote(0x6969));              /* NFS */
    CHECK(ed_cache_is_remote(0x65735546));          /* FUSE */
    CHECK(ed_cache_is_remote((int32_t)0xff534d42)); /* CIFS, as statfs(2) may give it */
    CHECK(!ed_cache_is_remote(0xef53));             /* ext4 */
    CHECK(!ed_cache_is_remote(0x01021994));         /* tmpfs */
}

/* Through the server: /etc has files that have settled, and are small. */
TEST(web_cache_in_a_folder)
{
    WEB(app, server, NULL);
    char fields[200];
    const char *heard, *tag;

    CHECK_OK(eddy_web_static(app, "/etc", "/etc", NULL));
    WEB_START(app, server);
    for (int i = 0; i < 3; i++) {
        heard = web_get(server, "/etc/passwd");
        CHECK_STATUS(heard, 200);
        CHECK_HAS(web_body(heard), "root:");
    }
    CHECK_HAS(heard, "ETag: ");
    tag = strstr(heard, "ETag: ") + 6;
    snprintf(fields, sizeof fields, "If-None-Match: %.*s\r\n", (int)strcspn(tag, "\r"), tag);
    CHECK_STATUS(web_ask(server, "GET", "/etc/passwd", fields), 304);
    CHECK_STR(web_body(web_ask(server, "GET", "/etc/passwd", "Range: bytes=0-3\r\n")), "root");
    CHECK_STR(web_body(web_ask(server, "HEAD", "/etc/passwd", "")), "");
    CHECK_STATUS(web_ask(server, "GET", "/etc/passwd", "If-Match: \"x\"\r\n"), 412);
    CHECK_STATUS(web_get(server, "/etc/passwd"), 200);
}
