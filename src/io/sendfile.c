/* SPDX-License-Identifier: MIT */
/*
 * Whole files and whole streams, in blocks.
 *
 * Where the kind cannot send a file by itself its blocks are read and written, one after the
 * other, in one turn of the writer. A copy reads as one reader for all its time, but writes
 * block by block, each in a turn of its own. It is inside both streams throughout, so that the
 * close of either gets it out.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/stream.h"

/* How many bytes of the file there are to send, or an error. */
static ssize_t file_measure(const eddy_stream *stream, int fd, off_t offset, size_t count)
{
    struct stat file;

    if (offset < 0 || count == 0)
        return ed_stream_raise(stream, -EINVAL, "sendfile: offset %lld, count %zu",
                               (long long)offset, count);
    if (fstat(fd, &file) < 0) {
        int error = errno;

        return ed_stream_raise(stream, -error, "sendfile: %s", eddy_strerror(-error));
    }
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
        return ed_stream_raise(stream, -EBADF, "sendfile: the file is not open for reading");
    if (!S_ISREG(file.st_mode))
        return ed_stream_raise(stream, -EINVAL, "sendfile: this is not a regular file");
    if (offset >= file.st_size)
        return 0;
    return (size_t)(file.st_size - offset) < count ? (ssize_t)(file.st_size - offset)
                                                   : (ssize_t)count;
}

/* Reads a block; 0 at the file's end, or an error. */
static ssize_t file_read(const eddy_stream *stream, int fd, char *block, size_t size, off_t offset)
{
    ssize_t n;
    int error;

    do
        n = pread(fd, block, size, offset);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    error = errno;
    return ed_stream_raise(stream, -error, "sendfile: reading the file: %s", eddy_strerror(-error));
}

/* Reads and writes; 0 or an error. */
static int file_copy(eddy_stream *stream, int fd, off_t offset, size_t count, size_t *done)
{
    size_t size = count < ED_STREAM_BLOCK ? count : ED_STREAM_BLOCK;
    char *block = ed_alloc(size);
    int rc = block ? 0 : ed_fail(-ENOMEM);

    while (rc == 0 && *done < count) {
        size_t left = count - *done, sent = 0;
        ssize_t n = file_read(stream, fd, block, left < size ? left : size, offset + (off_t)*done);
        struct iovec part = {block, (size_t)(n > 0 ? n : 0)};

        if (n <= 0) {
            rc = (int)n;
            break;
        }
        rc = ed_checkpoint(); /* others run between the blocks */
        if (rc == 0)
            rc = ed_stream_send(stream, &part, 1, part.iov_len, &sent);
        *done += sent;
    }
    ed_free(block);
    return rc;
}

/* The kind's own way. */
static int file_send(eddy_stream *stream, int fd, off_t offset, size_t count, size_t *done)
{
    struct ed_error *text;
    bool own_text;
    int rc = 0;

    if (ed_stream_pending(stream) > stream->high)
        rc = ed_stream_flush_to(stream, stream->low);
    if (rc < 0)
        return rc;
    text = ed_stream_kind_begin();
    stream->under_way = done;
    rc = stream->kind->sendfile(stream, fd, offset, count, done);
    stream->under_way = NULL;
    stream->taken += *done;
    if (ed_stream_kind_end(text, rc, &own_text)) {
        stream->write_error = rc;
        if (!own_text)
            ed_stream_raise(stream, rc, "sendfile: %zu of %zu bytes sent: %s", *done, count,
                            eddy_strerror(rc));
    }
    return rc;
}

ssize_t eddy_sendfile(eddy_stream *stream, int fd, off_t offset, size_t count)
{
    struct ed_stream_call call;
    ssize_t size = ed_writing_begin(stream, &call);
    size_t done = 0;
    int rc = 0;

    if (size < 0)
        return size;
    size = stream->finished
               ? ed_stream_raise(stream, -EPIPE, "sendfile: the writing half has been ended")
               : file_measure(stream, fd, offset, count);
    if (size < 0)
        rc = (int)size;
    else if (size > 0 && stream->kind->sendfile)
        rc = file_send(stream, fd, offset, (size_t)size, &done);
    else if (size > 0)
        rc = file_copy(stream, fd, offset, (size_t)size, &done);
    rc = ed_writing_end(stream, &call, rc, done);
    return rc < 0 ? rc : (ssize_t)done;
}

/* Reads once and writes that: how many bytes, 0 at the end, or an error. */
static ssize_t copy_block(eddy_stream *from, eddy_stream *to, char *block)
{
    size_t have = ed_buffer_size(&from->in);
    ssize_t n;
    int rc;

    if (have == 0) {
        n = ed_stream_receive(from, block, ED_STREAM_BLOCK);
        rc = n > 0 ? eddy_write(to, block, (size_t)n) : 0;
        return rc < 0 ? rc : n;
    }
    from->shown = true; /* lent to the writer */
    rc = eddy_write(to, ed_buffer_bytes(&from->in), have);
    eddy_consume(from, rc < 0 ? to->partial : have); /* what was not written stays */
    ed_stream_unlend(from);
    return rc < 0 ? rc : (ssize_t)have;
}

static int64_t copy_all(eddy_stream *from, eddy_stream *to)
{
    char *block = ed_alloc(ED_STREAM_BLOCK);
    int64_t copied = 0;
    ssize_t n = block ? 1 : ed_fail(-ENOMEM);

    while (n > 0) {
        n = copy_block(from, to, block);
        copied += n > 0 ? n : 0;
    }
    ed_free(block);
    return n < 0 ? n : copied;
}

int64_t eddy_stream_copy(eddy_stream *from, eddy_stream *to)
{
    struct ed_stream_call reading, writing;
    int64_t copied;
    ssize_t rc;

    if (from == to && from->kind->positioned)
        return ed_stream_raise(from, -EINVAL, "copy: of the stream to itself, which has no end");
    copied = ed_reading_begin(from, &reading);
    if (copied < 0)
        return copied;
    copied = ed_stream_enter(to);
    if (copied == 0) {
        ed_stream_call_begin(to, &writing);
        copied = copy_all(from, to);
        ed_stream_call_end(to, &writing);
        if (copied < 0 && copied == to->shut)
            ed_stream_shut(to);
    }
    ed_stream_leave(to);
    rc = ed_reading_end(from, &reading, copied < 0 ? (ssize_t)copied : 0, 0);
    return rc < 0 ? rc : copied;
}
