/* SPDX-License-Identifier: MIT */
/*
 * What of files is done at once, by one system call with as little around it as there can be.
 *
 *     int64_t n = ed_file_read_now(fd, data, size, offset);
 *
 *     if (n < 0) {
 *         call.tried = n == -EAGAIN;
 *         n = ed_file_call(&call);
 *     }
 *
 * Most opens, reads and closes are of less than a microsecond, so that what is around them shows.
 * The dearest of that are not instructions but calls: on processors whose kernel returns safely
 * (SRSO), a system call makes the processor forget where the calls around it return to, and each
 * of them takes some 5 ns more. So the way from the caller to the kernel is short here, and these
 * are inline. What they have no case for, such as faults, goes the long way, by file_call.h.
 *
 * None suspends, and none waits for a disk. Each returns its result; -EAGAIN for a try in vain; or
 * another error, which says no more than that the long way is to be taken.
 */
#ifndef ED_OS_FILE_NOW_H
#define ED_OS_FILE_NOW_H

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/file_call.h"

/* Whether nobody wants an operation of this kind to fail. */
ED_INLINE bool ed_file_is_plain(enum ed_fault kind)
{
    return ed_likely(!ed_file_never_ready) && ed_fault_count_unplanned(kind);
}

ED_INLINE int64_t ed_file_readv_now(int fd, const struct iovec *parts, int count, int64_t offset)
{
    ssize_t n;

    if (!ed_file_is_plain(ED_FAULT_READ))
        return -ENOSYS;
    n = preadv2(fd, parts, count, offset, RWF_NOWAIT);
    if (ed_unlikely(n < 0)) {
        if (errno == EAGAIN)
            ed_file_charge_miss();
        return -errno;
    }
    ed_file_charge_transfer(n);
    return n;
}

ED_INLINE int64_t ed_file_read_now(int fd, void *data, size_t size, int64_t offset)
{
    struct iovec part = {data, size};

    return ed_file_readv_now(fd, &part, 1, offset);
}

ED_INLINE int ed_file_open_now(int directory, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_CACHED};
    long fd;

    if (flags & (O_CREAT | O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE ||
        !ed_file_is_plain(ED_FAULT_OPENAT))
        return -ENOSYS;
    fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (ed_unlikely(fd < 0))
        return -errno;
    ed_file_charge(ED_FILE_LEAST);
    return (int)fd;
}

/* Closes what was only read, and from memory: it has nothing to wait for. 0 or an error. */
ED_INLINE int ed_file_close_now(int fd)
{
    return ed_likely(close(fd) == 0) || errno == EINTR ? 0 : -errno; /* closed all the same */
}

#endif
