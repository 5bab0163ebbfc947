/* SPDX-License-Identifier: MIT */
/*
 * URLs of files, marked by what is in them.
 *
 * A mark is a hash of all bytes, FNV-1a of 64 bits: it only has to be another one when the file is,
 * for those who keep it under its URL. It is made in a thread, and kept with what the file looked
 * like then: as long as inode, size and times are the same, so is the mark.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "eddy/executor.h"
#include "eddy/stream_class.h"
#include "http/web_static.h"

struct ed_mark {
    struct stat status; /* of the file then */
    uint64_t value;
    char path[];
};

static struct ed_mark **mark_place(struct ed_static *folder, const char *path)
{
    uint32_t hash = 2166136261u;

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * 16777619u;
    return &folder->marks[(hash ^ hash >> 16) % ED_STATIC_MARKS];
}

void ed_marks_free(struct ed_static *folder)
{
    for (size_t i = 0; i < ED_STATIC_MARKS; i++)
        eddy_free(folder->marks[i]);
}

static bool time_equal(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool mark_holds(const struct ed_mark *mark, const char *path, const struct stat *now)
{
    return mark && strcmp(mark->path, path) == 0 && mark->status.st_ino == now->st_ino &&
           mark->status.st_size == now->st_size &&
           time_equal(&mark->status.st_mtim, &now->st_mtim) &&
           time_equal(&mark->status.st_ctim, &now->st_ctim);
}

/* Reads all of a file, in a thread. */
static int mark_read(int fd, uint64_t *value)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    unsigned char block[16384];
    off_t at = 0;
    ssize_t n;

    while ((n = pread(fd, block, sizeof block, at)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            hash = (hash ^ block[i]) * UINT64_C(1099511628211);
        at += n;
    }
    *value = hash;
    return n < 0 ? -errno : 0;
}
EDDY_ASYNC_RESULT(uint64_t, mark_read, int);

/* Keeps a mark, in the place of another; without memory it is made anew the next time. */
static void
mark_keep(struct ed_static *folder, const char *path, const struct stat *status, uint64_t value)
{
    size_t size = strlen(path) + 1;
    struct ed_mark *mark = eddy_alloc_(sizeof *mark + size);

    if (!mark)
        return;
    mark->status = *status;
    mark->value = value;
    memcpy(mark->path, path, size);
    eddy_free(*mark_place(folder, path));
    *mark_place(folder, path) = mark;
}

/* The mark of an open file. */
static int mark_of(struct ed_static *folder, const char *path, int fd, uint64_t *value)
{
    const struct ed_mark *mark = *mark_place(folder, path);
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EISDIR;
    if (mark_holds(mark, path, &status)) {
        *value = mark->value;
        return 0;
    }
    EDDY_TRY(eddy_to_thread(mark_read, fd, value));
    mark_keep(folder, path, &status, *value);
    return 0;
}

/* The same of a file that is served at a path: 0, or why there is none. */
static int mark_find(eddy_web_request *request, const char *path, uint64_t *value)
{
    struct ed_web_opening opening;
    struct ed_web_target target;
    struct ed_static *folder;
    int fd, rc;

    EDDY_TRY(ed_web_app_find(request->connection->server->app, request->head.host, "GET", path,
                             strlen(path), &request->arena, &target));
    if (target.found.handler != ed_static_handle || strstr(path, "/.."))
        return -ENOENT; /* a request's path has no "..", and the folder may follow links */
    folder = target.found.argument;
    opening = (struct ed_web_opening){.folder = folder->fd, .resolve = folder->resolve};
    opening.path =
        ed_static_path(folder, path + strlen(path), strlen(target.found.values[0].value));
    fd = opening.path ? ed_web_file_open(&opening) : -ENOENT;
    if (fd < 0)
        return fd;
    rc = mark_of(folder, opening.path, fd, value);
    close(fd);
    return rc;
}

int eddy_web_file_url(eddy_web_request *request, const char *path, const char **out)
{
    char *encoded = eddy_percent_encode(path, "/");
    uint64_t value = 0;
    const char *url;
    int rc = encoded ? mark_find(request, path, &value) : -ENOMEM;

    if (rc == -ENOMEM || rc == -ECANCELED || rc == -ETIMEDOUT) {
        eddy_free(encoded);
        return rc;
    }
    url = rc < 0 ? ed_arena_printf(&request->arena, "%s", encoded)
                 : ed_arena_printf(&request->arena, "%s?v=%016" PRIx64, encoded, value);
    eddy_free(encoded);
    if (!url)
        return -ENOMEM;
    *out = url;
    return 0;
}
