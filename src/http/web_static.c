/* SPDX-License-Identifier: MIT */
/*
 * Folders of files.
 *
 * A path from a request is taken as names below the folder, and the kernel is asked to stay there:
 * openat2(2) with RESOLVE_BENEATH, in whatever way a name or a link would lead out. Before that, a
 * path is refused that has an empty name, an encoded slash, or a name that is hidden; "." and ".."
 * are gone from it by then.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "eddy/stream_class.h"
#include "http/web_index.h"
#include "http/web_static.h"

static void static_release(void *argument)
{
    struct ed_static *folder = argument;

    close(folder->fd);
    ed_marks_free(folder);
    eddy_free(folder);
}

const char *ed_static_path(const struct ed_static *folder, const char *end, size_t size)
{
    const char *path = end - size;

    if (memchr(path, '\0', size) || *path == '/' || strstr(path, "//"))
        return NULL;
    if (!folder->options.hidden && (*path == '.' || strstr(path, "/.")))
        return NULL;
    return size > 0 ? path : ".";
}

/* A sibling that is compressed, and that the client takes; -1: none. */
static int static_open_compressed(eddy_web_request *request, const struct ed_static *folder,
                                  const char *path, struct ed_web_file *file)
{
    static const struct {
        enum ed_coding coding;
        const char *ending;
    } kinds[] = {{ED_CODING_BROTLI, "br"}, {ED_CODING_ZSTD, "zst"}, {ED_CODING_GZIP, "gz"}};
    const char *accepted = eddy_web_header(request, "Accept-Encoding");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct ed_web_opening opening = {.folder = folder->fd,
                                         .resolve = folder->resolve | RESOLVE_NO_SYMLINKS};
        struct stat status;
        int fd;

        if (!ed_coding_is_accepted(accepted, kinds[i].coding))
            continue;
        opening.path = ed_arena_printf(&request->arena, "%s.%s", path, kinds[i].ending);
        fd = opening.path ? ed_web_file_open(&opening) : -ENOMEM;
        if (fd < 0)
            continue;
        if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
            file->coding = kinds[i].coding;
            return fd;
        }
        close(fd);
    }
    return -1;
}

/* Sends a file that is open, or a compressed one in its place. */
static int static_send(eddy_web_request *request, const struct ed_static *folder, const char *path,
                       int fd, struct stat *status)
{
    struct ed_web_file file = {.name = path,
                               .varies = folder->options.precompressed,
                               .cache_control = folder->options.cache_control};

    if (folder->options.precompressed) {
        int compressed = static_open_compressed(request, folder, path, &file);

        if (compressed >= 0 && fstat(compressed, status) == 0) {
            close(fd);
            fd = compressed;
        }
    }
    return ed_web_file_answer(request, fd, status, &file);
}

/* The folder of a path without a slash at its end: relative links in its page would be wrong. What
 * is sent back begins with one slash, so that it is no host's name. */
static int static_redirect(eddy_web_request *request)
{
    const char *path = request->path + strspn(request->path, "/");
    char *encoded = eddy_percent_encode(path, "/");
    const char *location = NULL;

    if (encoded)
        location = ed_arena_printf(&request->arena, "/%s/%s%s", encoded, *request->query ? "?" : "",
                                   request->query);
    eddy_free(encoded);
    return location ? eddy_web_redirect(request, 308, location) : -ENOMEM;
}

/* A folder: its index.html, or a page of what is in it. */
static int static_answer_folder(eddy_web_request *request, const struct ed_static *folder,
                                const char *path, int fd)
{
    struct ed_web_opening opening = {
        .folder = fd, .path = "index.html", .resolve = folder->resolve};
    bool top = strcmp(path, ".") == 0;
    struct stat status;
    char *page;
    int index, rc;

    if (!folder->options.index || request->lookup[request->lookup_size - 1] != '/') {
        close(fd);
        return folder->options.index ? static_redirect(request)
                                     : eddy_raise(EDDY_HTTP_STATUS(403), "403 Forbidden");
    }
    index = ed_web_file_open(&opening);
    if (index >= 0 && fstat(index, &status) == 0 && S_ISREG(status.st_mode)) {
        close(fd);
        return static_send(request, folder,
                           top ? opening.path
                               : ed_arena_printf(&request->arena, "%sindex.html", path),
                           index, &status);
    }
    if (index >= 0)
        close(index);
    rc = ed_web_index(fd, request->path, folder->options.hidden, top, &page);
    if (rc < 0)
        return rc;
    return eddy_web_send_taken(request, 200, "text/html; charset=utf-8", page, strlen(page));
}

/* Sends a small file from memory, if it is there, or has been opened just now. */
static int static_send_cached(eddy_web_request *request, const struct ed_static *folder,
                              const char *path, struct ed_cached *cached)
{
    const struct ed_web_file file = {
        .name = path, .cache_control = folder->options.cache_control, .cached = cached};

    return ed_web_file_answer(request, -1, &cached->status, &file);
}

/* A regular file that was opened. */
static int static_answer_file(eddy_web_request *request, const struct ed_static *folder,
                              const char *path, int fd, struct stat *status)
{
    struct ed_cache *cache = &request->connection->server->cache;
    struct ed_cached *cached = NULL;

    if (!folder->options.precompressed)
        cached = ed_cache_keep(cache, folder->fd, path, fd, status);
    if (!cached)
        return static_send(request, folder, path, fd, status);
    close(fd);
    return static_send_cached(request, folder, path, cached);
}

int ed_static_handle(eddy_web_request *request, void *argument)
{
    const struct ed_static *folder = argument;
    const char *path = ed_static_path(folder, request->lookup + request->lookup_size,
                                      strlen(eddy_web_match(request, "path")));
    const struct ed_web_opening opening = {folder->fd, path, folder->resolve};
    struct ed_cached *cached =
        path ? ed_cache_find(&request->connection->server->cache, folder->fd, path) : NULL;
    struct stat status;
    int fd;

    if (cached)
        return static_send_cached(request, folder, path, cached);
    fd = path ? ed_web_file_open(&opening) : -ENOENT;
    if (fd < 0)
        return ed_web_file_error(fd);
    if (fstat(fd, &status) < 0) {
        int rc = -errno;

        close(fd);
        return rc;
    }
    if (S_ISDIR(status.st_mode))
        return static_answer_folder(request, folder, path, fd);
    if (S_ISREG(status.st_mode))
        return static_answer_file(request, folder, path, fd, &status);
    close(fd);
    return eddy_raise(EDDY_HTTP_STATUS(403), "403 Forbidden");
}

/* The folder's own path, without the slash at its end. */
static int static_handle_top(eddy_web_request *request, void *argument)
{
    const struct ed_static *folder = argument;

    return folder->options.index ? static_redirect(request)
                                 : eddy_raise(EDDY_HTTP_STATUS(403), "403 Forbidden");
}

static int static_new(eddy_web_app *app, const char *path, const eddy_web_static_options *options,
                      struct ed_static **out)
{
    struct ed_static *folder = eddy_alloc_(sizeof *folder);
    int rc = folder ? 0 : -ENOMEM;

    if (rc < 0)
        return rc;
    folder->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    rc = folder->fd < 0 ? eddy_raise(-errno, "folder '%s': %s", path, eddy_strerror(-errno)) : 0;
    if (options)
        folder->options = *options;
    if (!folder->options.follow_symlinks)
        folder->resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (rc == 0)
        rc = ed_web_app_own(app, static_release, folder);
    if (rc == 0) {
        *out = folder;
        return 0;
    }
    if (folder->fd >= 0)
        close(folder->fd);
    eddy_free(folder);
    return rc;
}

int eddy_web_static(eddy_web_app *app, const char *path, const char *folder_path,
                    const eddy_web_static_options *options)
{
    struct ed_static *folder = NULL;
    char pattern[4096];
    size_t size = strlen(path);
    int rc = 0;

    while (size > 0 && path[size - 1] == '/')
        size--;
    if (*path != '/' || size > sizeof pattern - 16 || strpbrk(path, "{}"))
        return eddy_raise(-EINVAL, "'%.100s' is no path for a folder", path);
    snprintf(pattern, sizeof pattern, "%.*s/{path...}", (int)size, path);
    rc = static_new(app, folder_path, options, &folder);
    if (rc == 0)
        rc = eddy_web_get(app, pattern, ed_static_handle, folder);
    pattern[size] = '\0';
    if (rc == 0 && size > 0)
        rc = eddy_web_get(app, pattern, static_handle_top, folder);
    return rc;
}
