/* SPDX-License-Identifier: MIT */
/*
 * How a file will be read. What only marks the descriptor is said at once; what makes the kernel
 * begin to read, or to look through what it has, may take long and is a call in a thread.
 */
#include <errno.h>
#include <fcntl.h>

#include "os/file.h"

static int64_t advise_work(struct ed_op *op)
{
    return -posix_fadvise(op->fd, (off_t)op->offset, (off_t)op->size, op->flags);
}

/* Inside a call, so that a close of the file gets it out. 0 or an error. */
static int advise(struct ed_file *f, int64_t offset, int64_t size, int advice)
{
    struct ed_file_call call = {.kind = ED_OP_NOP,
                                .work = advise_work,
                                .name = "file.advise",
                                .handle = &f->handle,
                                .flags = advice,
                                .offset = offset,
                                .size = (size_t)size};
    int rc;

    if (advice == POSIX_FADV_WILLNEED || advice == POSIX_FADV_DONTNEED)
        return (int)ed_file_call(&call);
    rc = posix_fadvise(f->handle.fd, (off_t)offset, (off_t)size, advice);
    return rc ? ed_fail(-rc) : 0;
}

/* 0, or why such advice is none. */
static int advise_check(const eddy_stream *file, int64_t offset, int64_t size)
{
    if (!ed_is_file(file))
        return ed_stream_raise(file, -ESPIPE, "advise: it is no file");
    if (offset < 0 || size < 0)
        return ed_stream_raise(file, -EINVAL, "advise: %lld bytes from %lld on", (long long)size,
                               (long long)offset);
    return 0;
}

int eddy_file_advise(eddy_stream *file, int64_t offset, int64_t size, int advice)
{
    struct ed_stream_call call;
    int rc = ed_stream_enter(file);

    if (rc == 0)
        rc = advise_check(file, offset, size);
    if (rc < 0)
        return ed_stream_leave_failed(file, rc, 0);
    ed_stream_call_begin(file, &call);
    rc = advise(ed_file_of(file), offset, size, advice);
    ed_stream_call_end(file, &call);
    if (rc < 0 && rc == file->shut)
        ed_stream_shut(file);
    else if (rc < 0 && rc != eddy_thread_.task->pending)
        ed_stream_raise(file, rc, "advise: %s", eddy_strerror(rc));
    ed_stream_leave(file);
    return rc;
}
