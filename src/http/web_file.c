/* SPDX-License-Identifier: MIT */
/*
 * Files as answers.
 *
 * All that is said of a file is of the descriptor that is sent: whoever replaces the file meanwhile
 * changes the next answer, not this one. Its tag is made of the time of its last change and its
 * size.
 *
 * Opening asks the kernel first for what it can do without waiting (RESOLVE_CACHED), and goes to a
 * thread when that is not enough. Kernels before 5.6 have no openat2(2): there a path is walked
 * segment by segment, and no symbolic link is followed.
 *
 * Only files and folders are opened: with a pipe or a device that alone may do something, such as
 * letting a writer go on. So a path is opened without its content first (O_PATH), and what that has
 * found is opened by /proc: between the two nobody can put something else in its place. Without
 * /proc the path is opened again.
 */
#include "http/web_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "eddy/executor.h"
#include "http/media_type.h"
#include "http/web_conditions.h"
#include "http/web_range.h"

#define FILE_FIND (O_PATH | O_CLOEXEC)
#define FILE_READ (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define FILE_TAG 48 /* bytes of a tag's text */

/* Opening ------------------------------------------------------------------------------- */

/* Without openat2(2). */
static int file_walk(int folder, const char *path, int flags)
{
    int at = folder, next, rc;
    char name[NAME_MAX + 1];

    for (;;) {
        size_t size = strcspn(path, "/");
        bool last = path[size] == '\0';

        if (size > NAME_MAX) {
            rc = -ENAMETOOLONG;
        } else {
            memcpy(name, path, size);
            name[size] = '\0';
            next = openat(at, name, O_NOFOLLOW | (last ? flags : FILE_FIND | O_DIRECTORY));
            rc = next < 0 ? -errno : next;
        }
        if (at != folder)
            close(at);
        if (rc < 0 || last)
            return rc;
        at = rc;
        path += size + 1;
    }
}

static int file_open_as(const struct ed_web_opening *opening, int flags, uint64_t more)
{
    struct open_how how = {.flags = (unsigned)flags, .resolve = opening->resolve | more};
    long fd = syscall(SYS_openat2, opening->folder, opening->path, &how, sizeof how);

    if (fd >= 0)
        return (int)fd;
    if (errno == EINVAL && more) /* 5.12 has RESOLVE_CACHED */
        return -EAGAIN;
    if (errno != ENOSYS)
        return -errno;
    if (opening->resolve)
        return file_walk(opening->folder, opening->path, flags);
    fd = openat(opening->folder, opening->path, flags);
    return fd < 0 ? -errno : (int)fd;
}

/* Opens what was found, if it is a file or a folder. */
static int file_open_found(const struct ed_web_opening *opening, int found, uint64_t more)
{
    struct stat status;
    char path[32];
    int fd;

    if (fstat(found, &status) < 0)
        return -errno;
    if (S_ISLNK(status.st_mode))
        return -ELOOP;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return -ENXIO;
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    fd = open(path, FILE_READ);
    if (fd < 0 && errno == ENOENT)
        return file_open_as(opening, FILE_READ, more);
    return fd < 0 ? -errno : fd;
}

static int file_open_now(const struct ed_web_opening *opening, uint64_t more)
{
    int found = file_open_as(opening, FILE_FIND, more), fd;

    if (found < 0)
        return found;
    fd = file_open_found(opening, found, more);
    close(found);
    return fd;
}

static int file_open_job(const struct ed_web_opening *opening, int *fd)
{
    int rc = file_open_now(opening, 0);

    if (rc < 0)
        return rc;
    *fd = rc;
    return 0;
}

static void file_forget(int *fd)
{
    close(*fd);
}
EDDY_ASYNC_OWNED(int, file_forget, file_open_job, const struct ed_web_opening *);

int ed_web_file_open(const struct ed_web_opening *opening)
{
    int fd = file_open_now(opening, RESOLVE_CACHED);
    int rc;

    if (fd != -EAGAIN)
        return fd;
    rc = eddy_to_thread(file_open_job, opening, &fd);
    return rc < 0 ? rc : fd;
}

int ed_web_file_error(int rc)
{
    switch (rc) {
    case -ENOENT:
    case -ENOTDIR:
    case -ELOOP:
    case -EXDEV:
    case -ENAMETOOLONG:
    case -EINVAL: return eddy_raise(EDDY_HTTP_STATUS(404), "404 Not Found");
    case -ENXIO:
    case -ENODEV:
    case -EACCES:
    case -EPERM: return eddy_raise(EDDY_HTTP_STATUS(403), "403 Forbidden");
    case -EMFILE:
    case -ENFILE: return eddy_raise(EDDY_HTTP_STATUS(503), "503 Service Unavailable");
    default: return rc;
    }
}

/* Answering ------------------------------------------------------------------------------ */

static int file_set(eddy_web_request *request, const char *name, const char *value)
{
    return eddy_web_set_header(request, name, value);
}

static int file_put_fields(eddy_web_request *request, const struct ed_web_file *file,
                           const struct ed_validators *now)
{
    char date[EDDY_HTTP_DATE_SIZE];

    eddy_http_format_date(now->modified, date);
    EDDY_TRY(file_set(request, "ETag", now->etag));
    EDDY_TRY(file_set(request, "Last-Modified", date));
    EDDY_TRY(ed_web_answer_put(request, "Accept-Ranges", "bytes"));
    if (file->coding != ED_CODING_IDENTITY)
        EDDY_TRY(ed_web_answer_put(request, "Content-Encoding", ed_coding_name(file->coding)));
    if (file->varies)
        EDDY_TRY(ed_web_answer_put(request, "Vary", "Accept-Encoding"));
    if (file->cache_control)
        EDDY_TRY(file_set(request, "Cache-Control", file->cache_control));
    return 0;
}

static int file_put_range(eddy_web_request *request, const char *format, uint64_t first,
                          uint64_t last, uint64_t size)
{
    char text[80];

    snprintf(text, sizeof text, format, size, first, last);
    return file_set(request, "Content-Range", text);
}

/* The part that is asked for: 200 or 206, or the error of 416. */
static int file_choose_part(eddy_web_request *request, const struct ed_validators *now,
                            uint64_t size, uint64_t *first, uint64_t *length)
{
    const char *range = eddy_web_header(request, "Range");
    uint64_t last;

    *first = 0;
    *length = size;
    if (!range || strcmp(request->head.method, "GET") != 0 ||
        !ed_if_range_holds(&request->head.fields, now))
        return 200;
    switch (ed_range_parse(range, size, first, &last)) {
    case ED_RANGE_PART:
        *length = last - *first + 1;
        EDDY_TRY(file_put_range(request, "bytes %2$" PRIu64 "-%3$" PRIu64 "/%1$" PRIu64, *first,
                                last, size));
        return 206;
    case ED_RANGE_NONE:
        EDDY_TRY(file_put_range(request, "bytes */%1$" PRIu64, 0, 0, size));
        return eddy_raise(EDDY_HTTP_STATUS(416), "416 Range Not Satisfiable");
    default: *first = 0; return 200;
    }
}

static bool file_is_read(const eddy_web_request *request)
{
    return strcmp(request->head.method, "GET") == 0 || strcmp(request->head.method, "HEAD") == 0;
}

/* All but the descriptor: the status, or an error. */
static int file_prepare(eddy_web_request *request, const struct stat *status,
                        const struct ed_web_file *file, uint64_t *first, uint64_t *length)
{
    char tag[FILE_TAG];
    struct ed_validators now = {.etag = tag, .modified = status->st_mtim.tv_sec};
    uint64_t time =
        (uint64_t)status->st_mtim.tv_sec * 1000000000u + (uint64_t)status->st_mtim.tv_nsec;
    int refused;

    snprintf(tag, sizeof tag, "\"%" PRIx64 "-%" PRIx64 "\"", time, (uint64_t)status->st_size);
    refused = ed_conditions_check(&request->head.fields, file_is_read(request), &now);
    if (refused == 412)
        return eddy_raise(EDDY_HTTP_STATUS(412), "412 Precondition Failed");
    EDDY_TRY(file_put_fields(request, file, &now));
    if (refused == 304)
        return 304;
    return file_choose_part(request, &now, (uint64_t)status->st_size, first, length);
}

/* Makes the bytes the answer's. */
static void file_give(eddy_web_request *request, int fd, struct ed_cached *cached, uint64_t first,
                      uint64_t length)
{
    if (cached) {
        request->answer.cached = cached;
        request->answer.data = cached->data + first;
        request->answer.size = (size_t)length;
    } else {
        ed_web_answer_file(request, fd, first, length);
    }
}

int ed_web_file_answer(eddy_web_request *request, int fd, const struct stat *status,
                       const struct ed_web_file *file)
{
    uint64_t first = 0, length = 0;
    int rc = ed_web_answer_check(request);

    if (rc == 0)
        rc = file_prepare(request, status, file, &first, &length);
    if (rc > 0) {
        int answer = rc;

        rc = eddy_web_send(request, answer, NULL, NULL, 0);
        if (rc == 0 && answer != 304)
            rc = ed_web_answer_put(request, "Content-Type", ed_media_type(file->name));
        if (rc == 0 && answer != 304) {
            file_give(request, fd, file->cached, first, length);
            return 0;
        }
    }
    ed_cached_leave(file->cached);
    if (fd >= 0)
        close(fd);
    return rc;
}

int eddy_web_send_file(eddy_web_request *request, const char *path)
{
    const struct ed_web_opening opening = {.folder = AT_FDCWD, .path = path};
    const struct ed_web_file file = {.name = path};
    struct stat status;
    int fd;

    EDDY_TRY(ed_web_answer_check(request));
    fd = ed_web_file_open(&opening);
    if (fd < 0)
        return ed_web_file_error(fd);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return ed_web_file_answer(request, fd, &status, &file);
    close(fd);
    return eddy_raise(EDDY_HTTP_STATUS(403), "403 Forbidden");
}
