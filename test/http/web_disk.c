/* SPDX-License-Identifier: MIT */
/*
 * Uploads to a disk that is full in truth: a small file system of the test's own. 507, nothing
 * left of the upload, a connection that is in order or closed, and a server that goes on.
 */
#include <dirent.h>
#include <eddy/file.h>
#include <eddy/tempfile.h>
#include <sys/statvfs.h>

#include "eddy/debug.h"
#include "http/web.h"
#include "os/folder.h"

#define DISK ((size_t)512 << 10) /* bytes that it has */
#define LARGE ((size_t)3 << 20)  /* of an upload that leaves much behind when the disk is full */

static struct folder disk;

/* A file that is written while the upload comes, and has its name once it is whole. */
static int keep(eddy_stream *from)
{
    const eddy_temporary_options options = {.dir = disk.path};
    EDDY_TEMPORARY(file);

    EDDY_TRY(eddy_named_temporary_file(&file, &options));
    EDDY_TRY((int)eddy_stream_copy(from, file.stream));
    EDDY_TRY(eddy_stream_close(&file.stream));
    return rename(file.path, in(&disk, "kept")) < 0 ? -errno : 0;
}

static int keep_body(eddy_web_request *request, void *unused)
{
    (void)unused;
    EDDY_TRY(keep(eddy_web_body(request)));
    return eddy_web_send_text(request, 201, "kept");
}

static int keep_part(eddy_web_request *request, void *unused)
{
    eddy_multipart *parts = NULL;
    eddy_part part;

    (void)unused;
    EDDY_TRY(eddy_web_multipart(request, &parts));
    EDDY_TRY(eddy_multipart_next(parts, &part));
    EDDY_TRY(keep(part.body));
    return eddy_web_send_text(request, 201, "kept");
}

/* The library's own: large files of forms go to the disk. */
static int take_form(eddy_web_request *request, void *unused)
{
    const eddy_web_field *fields = NULL;

    (void)unused;
    EDDY_TRY((int)eddy_web_form(request, &fields));
    return eddy_web_printf(request, 201, "%zu", fields[0].size);
}

/* What is left of an upload: names in the folder, and blocks without a name. */
static int names_on_disk(void)
{
    DIR *folder = opendir(disk.path);
    int count = -2; /* "." and ".." */

    REQUIRE(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static size_t free_on_disk(void)
{
    struct statvfs status;

    REQUIRE(statvfs(disk.path, &status) == 0);
    return status.f_bfree * status.f_bsize;
}

#define PART "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n"
#define PART_END "\r\n--B--\r\n"
#define MULTIPART "Content-Type: multipart/form-data; boundary=B\r\n"

/* A request of so many bytes of body, which may be in a part; and behind it another. */
static const char *upload(eddy_web_server *server, const char *path, bool part, size_t size)
{
    static char text[LARGE + 1000];
    const char *begin = part ? PART : "", *end = part ? PART_END : "";
    size_t used = (size_t)snprintf(
        text, sizeof text, "POST %s HTTP/1.1\r\nHost: t\r\n%sContent-Length: %zu\r\n\r\n%s", path,
        part ? MULTIPART : "", strlen(begin) + size + strlen(end), begin);

    memset(text + used, 'x', size);
    used += size;
    used += (size_t)snprintf(text + used, sizeof text - used, "%sGET / HTTP/1.1\r\nHost: t\r\n\r\n",
                             end);
    return web_say_bytes(server, text, used);
}

/* One upload that the disk does not take. */
static int upload_too_much(eddy_web_server *server, const char *path, bool part, size_t size)
{
    size_t room = free_on_disk();
    int names = names_on_disk();
    const char *heard = upload(server, path, part, size), *next;

    REQUIRE(strncmp(heard, "HTTP/1.1 507 Insufficient Storage\r\n", 35) == 0);
    next = strstr(heard + 9, "HTTP/1.1 ");
    if (size == LARGE) /* too much is left to be read for nobody */
        REQUIRE(!next && strstr(heard, "\r\nConnection: close\r\n"));
    else
        REQUIRE(next && atoi_status(next) == 200 && !strstr(heard, "Connection:"));
    REQUIRE(free_on_disk() == room);
    REQUIRE(names_on_disk() == names);
    EDDY_TRY(eddy_test_settle());
    REQUIRE(server->count == 0);
    return 0;
}

/* And one that it does. */
static int upload_a_little(eddy_web_server *server, const char *path, bool part)
{
    const char *heard = upload(server, path, part, 100000);

    REQUIRE(atoi_status(heard) == 201);
    return strstr(heard + 9, "HTTP/1.1 200 OK") ? 0 : -EDOM;
}

static int upload_all_ways(eddy_web_server *server)
{
    static const struct {
        const char *path;
        bool part;
    } ways[] = {{"/body", false}, {"/part", true}, {"/form", true}};
    size_t room = free_on_disk();

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        /* A form's files are in memory up to 1 MiB. */
        EDDY_TRY(upload_too_much(server, ways[i].path, ways[i].part, LARGE));
        if (i < 2)
            EDDY_TRY(upload_too_much(server, ways[i].path, ways[i].part, DISK + 100000));
        EDDY_TRY(upload_a_little(server, ways[i].path, ways[i].part));
        (void)unlink(in(&disk, "kept"));
        REQUIRE(free_on_disk() == room && names_on_disk() == 0);
    }
    return 0;
}

/* Fills the disk with one file. */
static int fill_disk(void)
{
    static char data[1 << 16];
    EDDY_STREAM rest = NULL;

    EDDY_TRY(eddy_open(in(&disk, "rest"), "w", &rest));
    while (eddy_write(rest, data, sizeof data) == 0)
        ;
    REQUIRE(free_on_disk() == 0);
    return 0;
}

/* Takes all names that the disk has room for. */
static void take_names(void)
{
    char name[16];
    int rc = 0;

    for (int i = 0; i < 100 && rc == 0; i++) {
        snprintf(name, sizeof name, "%d", i);
        rc = file_add(in(&disk, name), "");
    }
}

/* A disk that has no byte left, or not even a name, when the upload begins. */
static int upload_to_nothing(eddy_web_server *server)
{
    EDDY_TRY(fill_disk());
    EDDY_TRY(upload_too_much(server, "/body", false, 1000));
    REQUIRE(truncate(in(&disk, "rest"), 0) == 0);
    take_names();
    EDDY_TRY(upload_too_much(server, "/body", false, 1000));
    EDDY_TRY(upload_too_much(server, "/part", true, 1000));
    return upload_too_much(server, "/form", true, LARGE);
}

static int say_yes(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_send_text(request, 200, "yes");
}

static int serve_uploads(void)
{
    const eddy_web_options options = {.linger_time = 0.5};
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", say_yes, NULL));
    EDDY_TRY(eddy_web_post(app, "/body", keep_body, NULL));
    EDDY_TRY(eddy_web_post(app, "/part", keep_part, NULL));
    EDDY_TRY(eddy_web_post(app, "/form", take_form, NULL));
    EDDY_TRY(ed_web_server_new(app, &options, &server));
    EDDY_TRY(upload_all_ways(server));
    return upload_to_nothing(server);
}
EDDY_ASYNC(serve_uploads);

static void use_a_small_disk(void)
{
    eddy_stats stats;
    int rc;

    folder_mount(&disk, "size=512k,nr_inodes=50");
    setenv("TMPDIR", disk.path, 1);
    rc = eddy_run(serve_uploads);
    if (rc < 0)
        fprintf(stderr, "%s\n", eddy_error_message(rc));
    eddy_get_stats(&stats);
    if (stats.descriptors || stats.stacks || stats.blocks)
        fprintf(stderr, "left behind: %zu descriptors, %zu blocks\n", stats.descriptors,
                stats.blocks);
    _exit(rc < 0);
}

/* H-SREQ-3: a full disk while an upload is streamed is a 507, and leaves no file. */
RAW_TEST(web_disk_that_is_full_is_507_and_leaves_nothing)
{
    char text[4096];
    int status;

    disk = folder_make();
    status = folder_fork(&disk, use_a_small_disk, "nothing can be mounted here", text, sizeof text);
    CHECK_THAT(status == 0 && !*text, "status %d: %s", status, text);
}
