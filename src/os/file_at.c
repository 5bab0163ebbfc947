/* SPDX-License-Identifier: MIT */
/*
 * Transfers at an offset of the caller's. They know nothing of the position, and so take no
 * turn, but for what was gathered: that is written before.
 *
 * A write may change what was read ahead, which is given back then, unless a reader is at it just
 * now: then nobody could say which of the two was first.
 */
#include <errno.h>
#include <limits.h>

#include "base/error.h"
#include "os/file.h"

#define AT_PARTS 1024 /* of one call, as preadv(2) takes */

/* The bytes of the parts, or an error. */
static int64_t at_size(const eddy_stream *file, const char *verb, const struct iovec *parts,
                       size_t count, int64_t offset)
{
    size_t size = 0;

    if (!ed_is_file(file))
        return ed_stream_raise(file, -ESPIPE, "%s: it is no file", verb);
    if (count > AT_PARTS)
        return ed_stream_raise(file, -EINVAL, "%s: %zu parts, at most %d", verb, count, AT_PARTS);
    if (offset < 0)
        return ed_stream_raise(file, -EINVAL, "%s: offset %lld", verb, (long long)offset);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len > SSIZE_MAX - size)
            return ed_stream_raise(file, -EINVAL, "%s: the parts are longer than memory is", verb);
        size += parts[i].iov_len;
    }
    return (int64_t)size;
}

/* Writes what was gathered, in a turn of its own. */
static int at_flush(eddy_stream *file, const char *verb)
{
    struct ed_stream_call call;
    int rc;

    if (ed_buffer_size(&ed_file_of(file)->gathered) == 0 && !ed_file_of(file)->left.count)
        return 0;
    rc = ed_file_begin(file, &call, verb);
    return rc < 0 ? rc : ed_file_end(file, &call, verb, 0);
}

/* Goes on behind ed_stream_enter, which has said `entered`, without a turn; its size, or the error
 * that the call must return. */
static int64_t at_begin(eddy_stream *file, struct ed_stream_call *call, int entered,
                        const char *verb, const struct iovec *parts, size_t count, int64_t offset)
{
    int64_t size = entered;

    if (size == 0)
        size = at_size(file, verb, parts, count, offset);
    if (size < 0)
        return ed_stream_leave_failed(file, (int)size, 0);
    ed_stream_call_begin(file, call);
    return size;
}

/* Goes out. */
static int
at_end(eddy_stream *file, struct ed_stream_call *call, const char *verb, int64_t rc, size_t partial)
{
    eddy_task *self = eddy_thread_.task;

    if (rc < 0 && rc != self->pending && !(self->error && self->error->code == rc))
        ed_stream_raise(file, (int)rc, "%s: %s", verb, ed_error_of_start((int)rc));
    ed_stream_call_end(file, call);
    if (rc < 0 && rc == file->shut)
        ed_stream_shut(file);
    if (rc < 0)
        return ed_stream_leave_failed(file, (int)rc, partial);
    ed_stream_leave(file);
    return 0;
}

/* Reads until the parts are full or the file ends; 0 or an error. */
static int64_t
at_read(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset, size_t *done)
{
    struct iovec rest[ED_FILE_PARTS];
    int64_t n = 1;
    size_t used;

    if (!f->readable)
        return ed_fail(-EBADF);
    while (n > 0 && (used = ed_file_rest_of(parts, count, *done, rest)) > 0) {
        n = ed_file_read_at(f, rest, used, offset + (int64_t)*done);
        *done += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? n : 0;
}

/* Goes on behind ed_stream_enter, which has said `entered`. */
static ssize_t
at_preadv(eddy_stream *file, int entered, const struct iovec *parts, size_t count, int64_t offset)
{
    struct ed_stream_call call;
    int64_t rc = at_begin(file, &call, entered, "pread", parts, count, offset);
    size_t done = 0;

    if (rc < 0)
        return rc;
    rc = at_flush(file, "pread");
    if (rc == 0)
        rc = at_read(ed_file_of(file), parts, count, offset, &done);
    rc = at_end(file, &call, "pread", rc, 0);
    return rc < 0 ? rc : (ssize_t)done;
}

ssize_t eddy_preadv(eddy_stream *file, const struct iovec *parts, size_t count, int64_t offset)
{
    return at_preadv(file, ed_stream_enter(file), parts, count, offset);
}

/* What is in memory, with nothing around it: all of it, or it is to be read by the other way. */
static bool at_read_now(eddy_stream *file, void *data, size_t size, int64_t offset)
{
    return ed_is_file(file) && offset >= 0 && size <= SSIZE_MAX &&
           ed_file_try_read(ed_file_of(file), data, size, offset) == (int64_t)size;
}

ssize_t eddy_pread(eddy_stream *file, void *data, size_t size, int64_t offset)
{
    struct iovec part = {data, size};
    int rc = ed_stream_enter(file);

    if (rc == 0 && at_read_now(file, data, size, offset)) {
        ed_stream_leave(file);
        return (ssize_t)size;
    }
    return at_preadv(file, rc, &part, 1, offset);
}

static int64_t
at_write(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset, size_t *done)
{
    if (!f->writable)
        return ed_fail(-EBADF);
    if (!f->stream.reading)
        f->position -= (int64_t)ed_stream_forget(&f->stream);
    return ed_file_write_at(f, parts, count, offset, done);
}

int eddy_pwritev(eddy_stream *file, const struct iovec *parts, size_t count, int64_t offset)
{
    struct ed_stream_call call;
    int64_t rc = at_begin(file, &call, ed_stream_enter(file), "pwrite", parts, count, offset);
    size_t done = 0;

    if (rc < 0)
        return (int)rc;
    if (rc > INT64_MAX - offset)
        rc = ed_stream_raise(file, -EFBIG, "pwrite: no file is so large");
    else
        rc = at_flush(file, "pwrite");
    if (rc == 0)
        rc = at_write(ed_file_of(file), parts, count, offset, &done);
    return at_end(file, &call, "pwrite", rc, done);
}

int eddy_pwrite(eddy_stream *file, const void *data, size_t size, int64_t offset)
{
    struct iovec part = {(void *)(uintptr_t)data, size};

    return eddy_pwritev(file, &part, 1, offset);
}
