/* SPDX-License-Identifier: MIT */
/*
 * The kind of stream that files are.
 *
 * The position is ours, and each transfer says where it is to be. So what is read ahead is no
 * more than a copy: whoever writes or moves the position gives it back first. The kernel's own
 * position is in use only with "a", to learn where a write went, and for standard streams, which
 * share it: writes go where it is, and at the end it stands behind what was taken.
 *
 *     what was read      position - kept ... position     in stream.in, for readers
 *     what was gathered  position ... position + gathered  to be written there
 *
 *     never both: a read writes first what was gathered, and a write gives back what was kept
 *
 * Reading, writing and moving take turns, see stream_class.h. A write whose caller has left goes
 * on; `left` counts it, and the next turn begins by waiting for it, as the close does: then it is
 * known how far it came. A read that was left has no effect on anything.
 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/stats.h"
#include "io/op.h"
#include "os/spool.h"

#define FILE_AHEAD ((size_t)64 << 10) /* bytes that are read at once for lines and small reads */

/* The position. */

int64_t ed_file_position(const struct ed_file *f)
{
    const eddy_stream *stream = &f->stream;
    size_t kept = ed_buffer_size(&stream->in) + ed_buffer_size(&stream->behind);

    return f->position - (int64_t)kept + (int64_t)ed_buffer_size(&f->gathered);
}

void ed_file_set_position(struct ed_file *f, int64_t position)
{
    (void)ed_stream_forget(&f->stream);
    if (f->shared)
        (void)lseek(f->handle.fd, position, SEEK_SET); /* a pipe has none; nor have we */
    f->position = position;
    f->stream.ended = false;
}

/* Gives back what was read ahead. */
static void file_unread(eddy_stream *stream, size_t size)
{
    ed_file_of(stream)->position -= (int64_t)size;
}

/* Behind a write of `size` bytes, which an appending one has put at the end. */
static void file_advance(struct ed_file *f, int64_t size)
{
    off_t end = f->appends || f->shared ? lseek(f->handle.fd, 0, SEEK_CUR) : -1;

    f->position = end >= 0 ? end : f->position + size;
}

/* Takes out what was written of the gathered bytes, unless they were dropped meanwhile. */
static void file_consume_gathered(struct ed_file *f, int64_t size)
{
    size_t have = ed_buffer_size(&f->gathered);

    ed_buffer_consume(&f->gathered, (size_t)size < have ? (size_t)size : have);
}

/* What has become of a write that was left. */
static void file_settled(struct ed_file_left *left, const struct ed_op *op, int64_t result)
{
    struct ed_file *f = ed_container_of(left, struct ed_file, left);

    if (op->kind != ED_OP_WRITE_AT || result <= 0)
        return;
    file_advance(f, result);
    if (f->left_gathered)
        file_consume_gathered(f, result);
}

static void file_settled_at(struct ed_file_left *left, const struct ed_op *op, int64_t result)
{
    (void)left, (void)op, (void)result; /* the position has nothing to do with it */
}

/* Transfers. */

/* No thread could be had; a file gives no -EAGAIN of its own where it may wait. */
static int file_raise_start(const struct ed_file *f, const char *verb)
{
    return ed_stream_raise(&f->stream, -EAGAIN, "%s: %s", verb, ed_error_of_start(-EAGAIN));
}

#define FILE_MOST INT32_MAX /* bytes that one system call transfers, at most */

/* The parts as far as a position can say where they are: the kernel refuses others, even where no
 * file is so long. Returns how many. */
static size_t file_cut(const struct iovec *parts, size_t count, int64_t offset, struct iovec *cut)
{
    uint64_t room = (uint64_t)(INT64_MAX - offset);
    size_t used = 0;

    for (; used < count && used < ED_FILE_PARTS && room > 0; used++) {
        cut[used] = parts[used];
        if (cut[used].iov_len > room)
            cut[used].iov_len = (size_t)room;
        room -= cut[used].iov_len;
    }
    return used;
}

/* Near the last position that there is. */
static int64_t
file_read_last(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset)
{
    struct iovec cut[ED_FILE_PARTS];
    size_t used = file_cut(parts, count, offset, cut);
    struct ed_file_call call = {.kind = ED_OP_READ_AT,
                                .name = "file.read",
                                .handle = &f->handle,
                                .parts = cut,
                                .count = used,
                                .offset = offset};

    return used > 0 ? ed_file_call(&call) : 0;
}

int64_t ed_file_read_at(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset)
{
    struct ed_file_call call = {.kind = ED_OP_READ_AT,
                                .name = "file.read",
                                .handle = &f->handle,
                                .parts = parts,
                                .count = count,
                                .offset = offset,
                                .tried = f->missed};
    int64_t n;

    if (ed_unlikely(f->spool != NULL))
        return ed_spool_read(f->spool, parts, count, offset);
    if (ed_unlikely(offset > INT64_MAX - FILE_MOST))
        return file_read_last(f, parts, count, offset);
    f->missed = false;
    n = ed_file_call(&call);
    f->local = call.local;
    return n;
}

/* Writes some of the parts. */
static int64_t file_write_some(struct ed_file *f, const struct iovec *parts, size_t count,
                               int64_t offset, struct ed_file_left *left, bool shielded)
{
    struct ed_file_call call = {.kind = ED_OP_WRITE_AT,
                                .name = "file.write",
                                .handle = &f->handle,
                                .parts = parts,
                                .count = count,
                                .offset = offset,
                                .left = left,
                                .shielded = shielded};
    int64_t n = 0;

    if (ed_unlikely(f->spool != NULL))
        n = ed_spool_admit_write(f, parts, count, offset);
    if (n < 0)
        return n;
    if (ed_unlikely(f->spool != NULL))
        return ed_spool_write(f->spool, parts, count, offset);
    f->written = true;
    n = ed_file_call(&call);
    if (n == -EAGAIN)
        return file_raise_start(f, "write");
    return n == 0 ? ed_fail(-EIO) : n; /* the kernel takes something, or says why not */
}

size_t ed_file_rest_of(const struct iovec *parts, size_t count, size_t skip, struct iovec *rest)
{
    size_t used = 0;

    for (size_t i = 0; i < count && used < ED_FILE_PARTS; i++) {
        size_t from = skip < parts[i].iov_len ? skip : parts[i].iov_len;

        skip -= from;
        if (parts[i].iov_len == from)
            continue;
        rest[used].iov_base = (char *)parts[i].iov_base + from;
        rest[used++].iov_len = parts[i].iov_len - from;
    }
    return used;
}

int ed_file_write_at(struct ed_file *f, const struct iovec *parts, size_t count, int64_t offset,
                     size_t *done)
{
    struct iovec rest[ED_FILE_PARTS];
    size_t used;

    while ((used = ed_file_rest_of(parts, count, *done, rest)) > 0) {
        int64_t n = file_write_some(f, rest, used, offset + (int64_t)*done, &f->left_at, false);

        if (n < 0)
            return (int)n;
        *done += (size_t)n;
    }
    return 0;
}

/* Where the next write is to go; -1: where the kernel's position is. */
static int64_t file_place(const struct ed_file *f)
{
    return f->appends || f->shared ? -1 : f->position;
}

/* Writes all of the parts where the position is. */
static int file_write_here(struct ed_file *f, const struct iovec *parts, size_t count, size_t *done)
{
    struct iovec rest[ED_FILE_PARTS];
    size_t used;

    f->left_gathered = false;
    while ((used = ed_file_rest_of(parts, count, *done, rest)) > 0) {
        int64_t n = file_write_some(f, rest, used, file_place(f), &f->left, false);

        if (n < 0)
            return (int)n;
        file_advance(f, n);
        *done += (size_t)n;
    }
    return 0;
}

/* Writes what was gathered. What does not go, stays. */
static int file_write_gathered(struct ed_file *f, bool shielded)
{
    f->left_gathered = true;
    while (ed_buffer_size(&f->gathered) > 0) {
        struct iovec part = {ed_buffer_bytes(&f->gathered), ed_buffer_size(&f->gathered)};
        int64_t n = file_write_some(f, &part, 1, file_place(f), &f->left, shielded);

        if (n < 0)
            return (int)n;
        file_advance(f, n);
        file_consume_gathered(f, n);
    }
    return 0;
}

int ed_file_settle(struct ed_file *f, bool shielded)
{
    int rc;

    if (ed_unlikely(f->spool && f->stream.closing)) {
        ed_buffer_release(&f->gathered); /* it ends here, and nobody has seen it */
        return 0;
    }
    rc = ed_file_await_left(&f->left, shielded);
    if (rc == 0)
        rc = ed_file_await_left(&f->left_at, shielded);
    return rc < 0 ? rc : file_write_gathered(f, shielded);
}

/* The functions of the kind. */

static ssize_t file_read(eddy_stream *stream, void *data, size_t size)
{
    struct ed_file *f = ed_file_of(stream);
    struct iovec part = {data, size};
    int64_t n;
    int rc;

    if (!f->readable)
        return ed_stream_raise(stream, -EBADF, "read: it is not open for reading");
    rc = ed_file_settle(f, false);
    if (rc < 0)
        return rc;
    n = ed_file_read_at(f, &part, 1, f->position);
    if (n > 0)
        f->position += n;
    return n == -EAGAIN ? file_raise_start(f, "read") : n;
}

/* Copies the parts behind what was gathered; 0 or -ENOMEM. */
static int
file_gather(struct ed_file *f, const struct iovec *parts, size_t count, size_t skip, size_t total)
{
    if (ed_buffer_reserve(&f->gathered, total) < 0)
        return ed_fail(-ENOMEM);
    for (size_t i = 0; i < count; i++) {
        size_t from = skip < parts[i].iov_len ? skip : parts[i].iov_len;

        skip -= from;
        (void)ed_buffer_append(&f->gathered, (char *)parts[i].iov_base + from,
                               parts[i].iov_len - from); /* there is room */
    }
    return 0;
}

/* Must not wait: what the kernel does not take at once is gathered, whatever the options say. */
static int
file_write_nowait(struct ed_file *f, const struct iovec *parts, size_t count, size_t total)
{
    struct ed_file_call call = {.kind = ED_OP_WRITE_AT,
                                .handle = &f->handle,
                                .parts = parts,
                                .count = count,
                                .offset = file_place(f)};
    struct ed_op op;
    int64_t n = -EAGAIN;
    int rc;

    if (f->left.count > 0)
        return ed_fail(-EAGAIN);
    rc = ed_buffer_reserve(&f->gathered, total); /* before anything is done */
    if (rc < 0)
        return ed_fail(rc);
    f->written = true;
    if (ed_buffer_size(&f->gathered) == 0 && !f->gathers)
        n = f->spool ? ed_spool_write_nowait(f->spool, parts, count, call.offset)
                     : ed_file_call_nowait(&call, &op);
    if (n < 0 && n != -EAGAIN)
        return ed_fail((int)n);
    if (n > 0)
        file_advance(f, n);
    n = n > 0 ? n : 0;
    rc = file_gather(f, parts, count, (size_t)n, total - (size_t)n);
    if (ed_buffer_size(&f->gathered) == 0)
        ed_buffer_release(&f->gathered);
    return rc;
}

static int
file_write(eddy_stream *stream, const struct iovec *parts, size_t count, bool wait, size_t *done)
{
    struct ed_file *f = ed_file_of(stream);
    size_t total = 0;
    int rc;

    if (!f->writable)
        return ed_stream_raise(stream, -EBADF, "write: it is not open for writing");
    for (size_t i = 0; i < count; i++)
        total += parts[i].iov_len;
    if (file_place(f) >= 0 && total > (uint64_t)(INT64_MAX - ed_file_position(f)))
        return ed_stream_raise(stream, -EFBIG, "write: no file is so large");
    rc = wait ? ed_file_await_left(&f->left, false) : 0;
    if (rc < 0)
        return rc;
    file_unread(stream, ed_stream_forget(stream));
    stream->ended = false;
    if (!wait) {
        rc = file_write_nowait(f, parts, count, total);
        *done = rc == 0 ? total : 0;
        return rc;
    }
    if (ed_buffer_size(&f->gathered) + total > f->gathers) {
        rc = file_write_gathered(f, false);
        if (rc < 0)
            return rc;
    }
    if (total >= f->gathers)
        return file_write_here(f, parts, count, done);
    rc = file_gather(f, parts, count, 0, total);
    *done = rc == 0 ? total : 0;
    return rc;
}

static int file_flush(eddy_stream *stream, size_t kept)
{
    (void)kept; /* all at once is least work */
    return ed_file_settle(ed_file_of(stream), false);
}

static size_t file_pending(const eddy_stream *stream)
{
    return ed_buffer_size(&ed_file_of(stream)->gathered);
}

/* What was not written is lost. A write that is under way is another's memory. */
static void file_abort(eddy_stream *stream, int rc)
{
    struct ed_file *f = ed_file_of(stream);

    (void)rc;
    f->left_gathered = false;
    stream->taken -= ed_buffer_size(&f->gathered);
    ed_buffer_release(&f->gathered);
}

/* The end. */

/* The error as a positive number: it is closed all the same, close(2), and must not be again. */
static int64_t file_close_in_thread(struct ed_op *op)
{
    return close(op->fd) < 0 && errno != EINTR ? errno : 0;
}

/* Closes a descriptor, which may have to write, or to ask a server. */
static int file_close_elsewhere(int fd)
{
    static const struct ed_wait_kind kind = ED_OP_WAIT_KIND("file.close");
    struct ed_file_call call = {.kind = ED_OP_NOP,
                                .work = file_close_in_thread,
                                .name = "file.close",
                                .directory = fd,
                                .shielded = true};
    int fault;
    int64_t rc;
    ED_AWAITED(shut);

    shut.op.kind = ED_OP_CLOSE;
    shut.op.fd = fd;
    if (eddy_thread_.loop->engine->files)
        return ed_op_await_shielded(&shut, &kind);
    fault = ed_fault_check(ED_FAULT_CLOSE);
    rc = ed_file_call(&call);
    rc = rc < 0 ? ed_op_attempt(&shut.op) : -rc; /* below 0: no thread could be had */
    return fault < 0 ? fault : (int)rc;
}

/* That of a file which was only read, from memory, has nothing to wait for. */
int ed_file_close_handle(struct ed_file_handle *handle, bool at_once)
{
    int fd = handle->fd, rc = 0;
    struct ed_op op;

    if (fd >= 0 && __atomic_load_n(&handle->users, __ATOMIC_ACQUIRE) == 1) {
        handle->fd = -1; /* whatever comes */
        ed_op_prepare(&op, ED_OP_CLOSE, fd);
        rc = at_once ? ed_engine_try(&op) : file_close_elsewhere(fd);
        ed_stats_add(ED_STAT_DESCRIPTORS, -1);
    }
    return rc;
}

static int file_close(eddy_stream *stream)
{
    struct ed_file *f = ed_file_of(stream);
    int rc = ed_file_settle(f, true), end;

    if (rc < 0)
        ed_stream_raise(stream, rc, "close: %zu bytes of earlier writes were not written: %s",
                        ed_buffer_size(&f->gathered), eddy_strerror(rc));
    ed_loop_disown(stream->loop, f->handle.fd);
    if (f->locked)
        (void)flock(f->handle.fd, LOCK_UN); /* a call that was left may have the descriptor still */
    end = ed_file_close_handle(&f->handle, f->local && !f->written);
    return rc < 0 ? rc : end;
}

void ed_file_free(struct ed_file *f)
{
    ed_loop_remove_resource(f->stream.loop, &f->resource);
    ed_spool_free(f);
    ed_buffer_release(&f->gathered);
    ed_file_handle_unref(&f->handle);
}

static void file_free(eddy_stream *stream)
{
    ed_file_free(ed_file_of(stream));
}

static const char *file_name(const eddy_stream *stream)
{
    return ed_file_of(stream)->path;
}

static int file_fd(const eddy_stream *stream)
{
    return ed_file_of(stream)->handle.fd;
}

const eddy_stream_class ed_file_class = {
    .name = "file",
    .read = file_read,
    .write = file_write,
    .flush = file_flush,
    .pending = file_pending,
    .abort = file_abort,
    .close = file_close,
    .hurries = true,
    .free = file_free,
    .peer_name = file_name,
    .fd = file_fd,
    .positioned = true,
    .read_ahead = FILE_AHEAD,
    .read_nowait = ed_file_read_nowait,
    .close_nowait = ed_file_close_nowait,
    .unread = file_unread,
};

static void file_describe(struct ed_resource *resource, char *text, size_t size)
{
    struct ed_file *f = ed_container_of(resource, struct ed_file, resource);

    snprintf(text, size, "a file (%s)", f->path);
}

/* What of the gathered bytes is lost at the end of the loop. */
static void file_report_lost(struct ed_file *f, int rc, const char *why)
{
    ed_loop_report(f->stream.loop, EDDY_REPORT_RESOURCE, rc, NULL, "%s: %zu bytes are lost: %s",
                   f->path, ed_buffer_size(&f->gathered), why);
    ed_buffer_release(&f->gathered);
}

/* The loop of a standard stream ends: what was gathered is written, and who reads on begins behind
 * what was taken. A thread that has not come back by now may yet write: then none of what stands
 * behind that can be, and not a second time what it has. */
static void file_end_standard(struct ed_file *f)
{
    if (f->left.count > 0 && ed_buffer_size(&f->gathered) > 0)
        file_report_lost(f, -ETIMEDOUT, "an earlier write does not come to an end");
    while (ed_buffer_size(&f->gathered) > 0) {
        struct ed_op write = {.kind = ED_OP_WRITE_AT,
                              .fd = f->handle.fd,
                              .data = ed_buffer_bytes(&f->gathered),
                              .size = ed_buffer_size(&f->gathered),
                              .offset = -1,
                              .blocking = true};
        int rc = ed_op_attempt(&write);

        if (rc <= 0) {
            file_report_lost(f, rc, eddy_strerror(rc));
            break;
        }
        ed_buffer_consume(&f->gathered, (size_t)rc);
    }
    if (f->stream.received > 0)
        (void)lseek(f->handle.fd, ed_file_position(f), SEEK_SET);
}

/* The loop closes over it. What was gathered is lost, which the report says in a way. */
static void file_left(struct ed_resource *resource, bool end)
{
    struct ed_file *f = ed_container_of(resource, struct ed_file, resource);

    if (!end)
        return;
    if (f->shared)
        file_end_standard(f);
    ed_buffer_release(&f->stream.in);
    ed_buffer_release(&f->stream.behind);
    ed_buffer_release(&f->gathered);
    ed_spool_free(f);
    ed_file_handle_unref(&f->handle);
}

int ed_file_new(int fd, const char *path, int flags, struct ed_file **out)
{
    size_t length = strlen(path);
    struct ed_file *f = ed_file_handle_new(fd, sizeof *f + length + 1);
    int rc = f ? eddy_stream_init(&f->stream, &ed_file_class) : ed_fail(-ENOMEM);

    if (rc < 0) {
        if (f)
            ed_file_handle_drop(&f->handle);
        return rc;
    }
    memcpy(f->path, path, length);
    f->readable = (flags & O_ACCMODE) != O_WRONLY;
    f->writable = (flags & O_ACCMODE) != O_RDONLY;
    f->appends = flags & O_APPEND;
    f->left.settled = file_settled;
    f->left_at.settled = file_settled_at;
    f->resource.describe = file_describe;
    f->resource.close = file_left;
    ed_loop_enter_resource(f->stream.loop, &f->resource);
    if (fd >= 0)
        ed_loop_own(f->stream.loop, fd);
    *out = f;
    return 0;
}
