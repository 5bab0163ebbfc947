/* SPDX-License-Identifier: MIT */
/*
 * The system calls behind the operations of files, which know no readiness: a file is always
 * ready, and yet a read may have to wait for the disk.
 *
 * An attempt comes in two forms. Without `blocking` it must not wait: RWF_NOWAIT takes what is in
 * memory, RESOLVE_CACHED opens what is known by name; whatever else is refused by -EAGAIN. `apart`
 * says then that it was not even tried, as by file systems that lack the flag; a ring would not
 * try it either. With `blocking` it is the plain call, for a thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/engine.h"

bool ed_file_never_ready;

/* Refuses what the kernel cannot try; errno is its word. */
static int file_refuse(struct ed_op *op)
{
    op->apart = errno != EAGAIN;
    errno = EAGAIN;
    return -1;
}

/* Opens what needs no look at the disk: EAGAIN from the kernel, when it does, or would make or
 * empty a file. Filters know no openat2, and it is stricter than openat: its refusals are no
 * answer. */
static int file_open_cached(struct ed_op *op)
{
    static bool lacking; /* relaxed: the kernel has no openat2, or a filter denies it */
    struct open_how how = {.flags = (uint64_t)op->flags, .resolve = RESOLVE_CACHED};
    long fd;

    if ((op->flags & (O_CREAT | O_TRUNC)) || (op->flags & O_TMPFILE) == O_TMPFILE ||
        __atomic_load_n(&lacking, __ATOMIC_RELAXED))
        return -1;
    fd = syscall(SYS_openat2, op->fd, op->path, &how, sizeof how);
    if (fd >= 0)
        return (int)fd;
    if (errno == ENOSYS)
        __atomic_store_n(&lacking, true, __ATOMIC_RELAXED);
    if (errno == ENOSYS || errno == EPERM || errno == EINVAL)
        return file_refuse(op);
    return -1;
}

/* The parts of a transfer; `one` is for those that have none. */
static const struct iovec *file_parts(const struct ed_op *op, struct iovec *one, int *count)
{
    bool parts = op->kind == ED_OP_READV_AT || op->kind == ED_OP_WRITEV_AT;

    *count = 1;
    if (!parts)
        *one = (struct iovec){op->data, op->size};
    else if (op->shortened && op->size > 0)
        *one = (struct iovec){op->parts->iov_base, op->parts->iov_len > 0};
    else
        *count = (int)op->size;
    return *count == 1 && (!parts || op->shortened) ? one : op->parts;
}

static ssize_t file_transfer(struct ed_op *op)
{
    bool reads = op->kind == ED_OP_READ_AT || op->kind == ED_OP_READV_AT;
    int flags = op->blocking ? 0 : RWF_NOWAIT, count;
    struct iovec one;
    const struct iovec *parts = file_parts(op, &one, &count);
    ssize_t n = (reads ? preadv2 : pwritev2)(op->fd, parts, count, op->offset, flags);

    if (n < 0 && !op->blocking && (errno == EOPNOTSUPP || errno == ENOSYS))
        return file_refuse(op);
    return n;
}

bool ed_file_writes_are_limited(const struct ed_op *op)
{
    struct rlimit limit;

    return (op->kind == ED_OP_WRITE_AT || op->kind == ED_OP_WRITEV_AT) &&
           getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

ssize_t ed_file_attempt(struct ed_op *op)
{
    if (!op->blocking) {
        op->apart = ed_file_never_ready || ed_file_writes_are_limited(op);
        errno = EAGAIN;
        if (ed_unlikely(op->apart))
            return -1;
    }
    switch (op->kind) {
    case ED_OP_OPENAT:
        return op->blocking ? openat(op->fd, op->path, op->flags, (mode_t)op->size)
                            : file_open_cached(op);
    case ED_OP_FSYNC:
        if (op->blocking)
            return op->flags ? fdatasync(op->fd) : fsync(op->fd);
        return -1;
    default: return file_transfer(op);
    }
}
