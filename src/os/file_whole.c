/* SPDX-License-Identifier: MIT */
/*
 * Reading a whole file at once, which needs no stream: it goes into one block, which is handed
 * over. Nothing is asked before the first read: that tells what is no file, and most files fit
 * into the first block. Only for larger ones their size is asked for, and not relied upon: files
 * of /proc say others, and those that are written to change theirs.
 *
 * The end is a read that finds nothing more; or one that stops within a page though it had room,
 * where the kernel answered from memory, since it stops at the pages that it does not have.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "os/file.h"

#define WHOLE_FIRST 16384 /* bytes of the first block */
#define WHOLE_PAGE 4096   /* the kernel's are as large, or multiples */

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

/* The first block was not enough: as large as the file says, or twice as large. */
static int whole_grow_more(struct whole *w)
{
    struct stat status;
    size_t room = 2 * w->room;

    if (w->size == WHOLE_FIRST && fstat(w->handle->fd, &status) == 0 &&
        status.st_size >= WHOLE_FIRST)
        room = (uint64_t)status.st_size < w->limit ? (size_t)status.st_size + 1 : w->limit + 1;
    return whole_grow(w, room);
}

/* Reads until the end, or beyond the limit: 0 or an error. */
static int whole_read(struct whole *w)
{
    int64_t n = 1;
    int rc = whole_grow(w, WHOLE_FIRST);

    while (rc == 0 && n > 0 && w->size <= w->limit) {
        if (w->size == w->room) {
            rc = whole_grow_more(w);
            continue;
        }
        n = whole_read_some(w);
        if (w->local && w->size < w->room && w->size % WHOLE_PAGE != 0)
            break;
    }
    return rc < 0 ? rc : n < 0 ? (int)n : 0;
}

/* Ends what was read by a NUL; gives back what it does not need. */
static char *whole_finish(struct whole *w)
{
    char *less = w->room - w->size > WHOLE_PAGE ? ed_realloc(w->data, w->size + 1) : NULL;

    if (less)
        w->data = less;
    w->data[w->size] = '\0';
    return w->data;
}

/* Reads a descriptor, and closes it; but with -ESPIPE it is no file, and the caller's still. */
static int whole_read_fd(int fd, const char *path, size_t limit, char **data, size_t *size)
{
    struct whole w = {.handle = ed_file_handle_new(fd, sizeof *w.handle), .limit = limit};
    int rc;

    if (!w.handle) {
        close(fd);
        return ed_fail(-ENOMEM);
    }
    rc = whole_read(&w);
    if (rc == -ESPIPE) {
        ed_file_handle_drop(w.handle);
    } else {
        (void)ed_file_close_handle(w.handle, w.local); /* nothing was written that could be lost */
        ed_file_handle_unref(w.handle);
    }
    if (rc == 0 && w.size > limit)
        rc = ed_raise(EDDY_ELIMIT, "read \"%s\": there are more than %zu bytes", path, limit);
    if (rc < 0) {
        ed_free(w.data);
        return rc;
    }
    if (size)
        *size = w.size;
    *data = whole_finish(&w);
    return 0;
}

/* What is no file is read as a stream. */
static int whole_read_stream(int fd, const char *path, size_t limit, char **data, size_t *size)
{
    EDDY_STREAM stream = NULL;
    struct stat status;
    int rc = -ESPIPE;

    if (fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
        rc = ed_file_open_stream(fd, path, O_RDONLY, status.st_mode, &stream);
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
    int64_t fd = ed_checkpoint();
    int rc;

    if (fd < 0)
        return (int)fd;
    if (limit == 0)
        limit = EDDY_READ_ALL_LIMIT;
    if (limit > SIZE_MAX / 8)
        limit = SIZE_MAX / 8;
    fd = ed_file_open_descriptor(&call);
    if (fd < 0)
        return ed_file_open_raise((int)fd, path);
    rc = whole_read_fd((int)fd, path, limit, data, size);
    if (rc == -ESPIPE)
        rc = whole_read_stream((int)fd, path, limit, data, size);
    else if (rc < 0 && rc != EDDY_ELIMIT && rc != eddy_thread_.task->pending)
        rc = ed_raise(rc, "read \"%s\": %s", path, ed_error_of_start(rc));
    return rc;
}
