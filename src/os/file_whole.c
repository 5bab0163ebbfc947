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
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "os/file.h"
#include "os/file_now.h"

#define WHOLE_FIRST 16384 /* bytes of the first block */
#define WHOLE_PAGE 4096   /* the kernel's are as large, or multiples */

struct whole {
    int fd;
    struct ed_file_handle *handle; /* of the same, once there was something to wait for */
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

/* Takes bytes that were read behind those that are there: what the block had no room for is in
 * `more`. 0 or -ENOMEM. */
static int whole_take(struct whole *w, const char *more, size_t n)
{
    size_t filled = w->room;
    int rc;

    if (n <= w->room - w->size) {
        w->size += n;
        return 0;
    }
    rc = whole_grow(w, w->size + n);
    if (rc < 0)
        return rc;
    memcpy(w->data + filled, more, w->room - filled);
    w->size = w->room;
    return 0;
}

/* Whether a read from memory that brought `n` bytes, and had room for more, has met the end. */
static bool whole_has_ended(const struct whole *w, int64_t n)
{
    return n == 0 || w->size % WHOLE_PAGE != 0;
}

/*
 * Reads what is in memory of the first block: 0 at the end, more when there is more to read, or as
 * ed_file_read_now. The block begins with a page, which is what most files need; the rest goes to
 * the stack and is copied, which costs less than to cut a large block.
 */
static ED_NOINLINE int64_t whole_read_now(struct whole *w)
{
    char more[WHOLE_FIRST - WHOLE_PAGE];
    int64_t n;

    do {
        struct iovec parts[] = {{w->data + w->size, w->room - w->size}, {more, sizeof more}};
        int rc, full = w->size == w->room;

        n = ed_file_readv_now(w->fd, parts + full, 2 - full, (int64_t)w->size);
        if (n < 0)
            return n;
        w->local = true;
        rc = whole_take(w, more, (size_t)n);
        if (rc < 0)
            return rc;
        if (whole_has_ended(w, n))
            return 0;
    } while (w->size < WHOLE_FIRST && w->size <= w->limit);
    return n;
}

/* The part that may have to wait. */
static int64_t whole_wait_for_some(struct whole *w, bool tried)
{
    struct iovec part = {w->data + w->size, w->room - w->size};
    struct ed_file_call call = {.kind = ED_OP_READ_AT,
                                .name = "file.read",
                                .parts = &part,
                                .count = 1,
                                .offset = (int64_t)w->size,
                                .tried = tried};
    int64_t n;

    if (!w->handle)
        w->handle = ed_file_handle_new(w->fd, sizeof *w->handle);
    if (!w->handle)
        return ed_fail(-ENOMEM);
    call.handle = w->handle;
    n = ed_file_call(&call);
    w->local = call.local;
    return n;
}

static int64_t whole_read_some(struct whole *w, bool tried)
{
    int64_t n = -EAGAIN;

    if (!tried) {
        n = ed_file_read_now(w->fd, w->data + w->size, w->room - w->size, (int64_t)w->size);
        tried = n == -EAGAIN;
    }
    if (n < 0)
        n = whole_wait_for_some(w, tried);
    else
        w->local = true;
    w->size += n > 0 ? (size_t)n : 0;
    return n;
}

/* The first block was not enough: as large as the file says, or twice as large. */
static int whole_grow_more(struct whole *w)
{
    struct stat status;
    size_t room = 2 * w->room;

    if (w->size == WHOLE_FIRST && fstat(w->fd, &status) == 0 && status.st_size >= WHOLE_FIRST)
        room = (uint64_t)status.st_size < w->limit ? (size_t)status.st_size + 1 : w->limit + 1;
    return whole_grow(w, room);
}

/* Reads on until the end, or beyond the limit; `tried`: what comes next is not in memory. */
static int whole_read_on(struct whole *w, bool tried)
{
    int64_t n = 1;
    int rc = 0;

    while (rc == 0 && n > 0 && w->size <= w->limit) {
        if (w->size == w->room) {
            rc = whole_grow_more(w);
            continue;
        }
        n = whole_read_some(w, tried);
        tried = false;
        if (w->local && w->size < w->room && n > 0 && whole_has_ended(w, n))
            break;
    }
    return rc < 0 ? rc : n < 0 ? (int)n : 0;
}

/* Reads all, or more than the limit: 0 or an error. */
static int whole_read(struct whole *w)
{
    int rc = whole_grow(w, WHOLE_PAGE);
    int64_t n;

    if (rc < 0)
        return rc;
    n = whole_read_now(w);
    if (n == 0)
        return 0;
    if (n < 0)
        rc = whole_grow(w, WHOLE_FIRST);
    return rc < 0 ? rc : whole_read_on(w, n == -EAGAIN);
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

/* Closes it, since nothing was written that could be lost; but with -ESPIPE, when it is no file,
 * leaves it to the caller. */
static void whole_end(struct whole *w, int rc)
{
    if (w->handle && rc == -ESPIPE) {
        ed_file_handle_drop(w->handle);
    } else if (w->handle) {
        (void)ed_file_close_handle(w->handle, w->local);
        ed_file_handle_unref(w->handle);
    } else if (rc != -ESPIPE) {
        (void)ed_fault_check(ED_FAULT_CLOSE); /* it cannot fail */
        (void)ed_file_close_now(w->fd);
    }
}

/* Reads a descriptor, and closes it; but with -ESPIPE it is no file, and the caller's still. */
static int whole_read_fd(int fd, const char *path, size_t limit, char **data, size_t *size)
{
    struct whole w = {.fd = fd, .limit = limit};
    int rc = whole_read(&w);

    whole_end(&w, rc);
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

static ED_NOINLINE int64_t whole_wait_for_open(const char *path, bool tried)
{
    static const eddy_open_options defaults;
    struct ed_file_call call = ed_file_open_call(path, O_RDONLY, &defaults);

    call.tried = tried;
    return ed_file_open_wait(&call);
}

int eddy_read_file(const char *path, size_t limit, char **data, size_t *size)
{
    int64_t fd = ed_checkpoint();
    int rc;

    if (fd < 0)
        return (int)fd;
    if (limit == 0)
        limit = EDDY_READ_ALL_LIMIT;
    if (limit > SIZE_MAX / 8)
        limit = SIZE_MAX / 8;
    fd = ed_file_open_now(AT_FDCWD, path, O_RDONLY | ED_FILE_FLAGS);
    if (ed_unlikely(fd < 0))
        fd = whole_wait_for_open(path, fd == -EAGAIN);
    if (fd < 0)
        return ed_file_open_raise((int)fd, path);
    rc = whole_read_fd((int)fd, path, limit, data, size);
    if (rc == -ESPIPE)
        rc = whole_read_stream((int)fd, path, limit, data, size);
    else if (rc < 0 && rc != EDDY_ELIMIT && rc != eddy_thread_.task->pending)
        rc = ed_raise(rc, "read \"%s\": %s", path, ed_error_of_start(rc));
    return rc;
}
