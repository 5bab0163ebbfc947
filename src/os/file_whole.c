/* SPDX-License-Identifier: MIT */
/*
 * Reading a whole file at once, which needs no stream: it goes into one block, which is handed
 * over. The block is as large as the file says it is, and one byte more; but only a read that
 * finds nothing more is its end, since files of /proc, and those that grow, say other sizes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/file.h"

#define WHOLE_LEAST 4096 /* bytes of room for a file that does not say how long it is */

struct whole {
    struct ed_file_handle *handle;
    char *data;
    size_t size, room; /* and one more for the NUL */
    size_t limit;
    bool local;
};

/* Makes the block larger: up to one byte beyond the limit, which shows that there is more. */
static int whole_grow(struct whole *w, size_t room)
{
    char *data;

    if (room > w->limit + 1)
        room = w->limit + 1;
    data = ed_realloc(w->data, room + 1);
    if (!data)
        return ed_fail(-ENOMEM);
    w->data = data;
    w->room = room;
    return 0;
}

static int64_t whole_read_some(struct whole *w)
{
    struct iovec part = {w->data + w->size, w->room - w->size};
    struct ed_file_call call = {.kind = ED_OP_READ_AT,
                                .name = "file.read",
                                .handle = w->handle,
                                .parts = &part,
                                .count = 1,
                                .offset = (int64_t)w->size};
    int64_t n = ed_file_call(&call);

    w->local = call.local;
    w->size += n > 0 ? (size_t)n : 0;
    return n;
}

/* Reads until the end, or beyond the limit: 0 or an error. Where a read stops by itself at the size
 * that the file has said, there is no more. */
static int whole_read(struct whole *w, size_t said)
{
    int64_t n = 1;
    int rc = 0;

    while (rc == 0 && n > 0 && w->size <= w->limit && (w->size != said || w->size == w->room)) {
        if (w->size == w->room)
            rc = whole_grow(w, 2 * w->room);
        else
            n = whole_read_some(w);
    }
    return rc < 0 ? rc : n < 0 ? (int)n : 0;
}

/* Reads the whole of an open file, of `said` bytes as it says; 0: it does not say. */
static int whole_read_all(struct whole *w, const char *path, size_t said)
{
    size_t room = said == 0 ? WHOLE_LEAST : said < w->limit ? said + 1 : w->limit + 1;
    int rc = whole_grow(w, room);

    if (rc == 0)
        rc = whole_read(w, said ? said : SIZE_MAX);
    if (rc < 0)
        return rc == eddy_thread_.task->pending
                   ? rc
                   : ed_raise(rc, "read \"%s\": %s", path, eddy_strerror(rc));
    if (w->size > w->limit)
        return ed_raise(EDDY_ELIMIT, "read \"%s\": there are more than %zu bytes", path, w->limit);
    w->data[w->size] = '\0';
    return 0;
}

/* Reads a file, and closes it. */
static int
whole_read_fd(int fd, const char *path, size_t said, size_t limit, char **data, size_t *size)
{
    struct whole w = {.handle = ed_file_handle_new(fd, sizeof *w.handle), .limit = limit};
    int rc;

    if (!w.handle) {
        close(fd);
        return ed_fail(-ENOMEM);
    }
    rc = whole_read_all(&w, path, said);
    (void)ed_file_close_handle(w.handle, w.local); /* nothing was written that could be lost */
    ed_file_handle_unref(w.handle);
    if (rc < 0) {
        ed_free(w.data);
        return rc;
    }
    *data = w.data;
    if (size)
        *size = w.size;
    return 0;
}

/* What is no file is read as a stream. */
static int
whole_read_stream(int fd, const char *path, mode_t type, size_t limit, char **data, size_t *size)
{
    EDDY_STREAM stream = NULL;
    int rc = ed_file_open_stream(fd, path, O_RDONLY, type, &stream);

    if (rc < 0) {
        close(fd);
        return rc;
    }
    return eddy_read_all(stream, limit, data, size);
}

int eddy_read_file(const char *path, size_t limit, char **data, size_t *size)
{
    static const eddy_open_options defaults;
    struct ed_file_call call = ed_file_open_call(path, O_RDONLY, &defaults);
    struct stat status = {.st_mode = S_IFREG};
    int64_t fd = ed_checkpoint();

    if (fd < 0)
        return (int)fd;
    fd = ed_file_open_descriptor(&call);
    if (fd < 0)
        return ed_file_open_raise((int)fd, path);
    (void)fstat((int)fd, &status); /* or it does not say */
    if (limit == 0)
        limit = EDDY_READ_ALL_LIMIT;
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
        return whole_read_stream((int)fd, path, status.st_mode, limit, data, size);
    return whole_read_fd((int)fd, path, S_ISREG(status.st_mode) ? (size_t)status.st_size : 0,
                         limit < SIZE_MAX / 8 ? limit : SIZE_MAX / 8, data, size);
}
