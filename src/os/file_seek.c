/* SPDX-License-Identifier: MIT */
/*
 * What is done to a file as a whole, or to its position. Each call takes its turn among readers
 * and writers, and begins with all known and written: see ed_file_settle.
 *
 * Where the file ends is asked of the kernel, in a thread unless the file is known to be a local
 * one: a server may have to be asked.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "os/file.h"
#include "os/spool.h"

int ed_file_begin(eddy_stream *stream, struct ed_stream_call *call, const char *verb)
{
    int rc;

    if (!ed_is_file(stream)) {
        rc = ed_checkpoint();
        return rc < 0 ? rc : ed_stream_raise(stream, -ESPIPE, "%s: it is no file", verb);
    }
    rc = ed_writing_begin(stream, call);
    if (rc < 0)
        return rc;
    rc = ed_file_settle(ed_file_of(stream), false);
    return rc < 0 ? ed_file_end(stream, call, verb, rc) : 0;
}

int ed_file_end(eddy_stream *stream, struct ed_stream_call *call, const char *verb, int rc)
{
    eddy_task *self = eddy_thread_.task;

    if (rc < 0 && rc != self->pending && !(self->error && self->error->code == rc))
        ed_stream_raise(stream, rc, "%s: %s", verb, ed_error_of_start(rc));
    return ed_writing_end(stream, call, rc, 0);
}

int64_t eddy_tell(const eddy_stream *file)
{
    if (!ed_is_file(file))
        return ed_stream_raise(file, -ESPIPE, "tell: it is no file");
    return ed_file_position(ed_file_of(file));
}

static int64_t seek_work(struct ed_op *op)
{
    off_t at = lseek(op->fd, op->offset, op->flags);

    return at < 0 ? -errno : at;
}

/* The same where others use the kernel's position: its caller may have left by now. */
static int64_t seek_work_shared(struct ed_op *op)
{
    off_t before = lseek(op->fd, 0, SEEK_CUR);
    int64_t at = seek_work(op);

    if (at >= 0 && before >= 0)
        (void)lseek(op->fd, before, SEEK_SET); /* it has been there */
    return at;
}

/* Asks the kernel, whose position it is only for that. What is left of it must not meet a write
 * of ours where the kernel's position is. */
static int64_t seek_ask(struct ed_file *f, int64_t offset, int whence)
{
    struct ed_op op = {.fd = f->handle.fd, .offset = offset, .flags = whence};
    struct ed_file_call call = {.kind = ED_OP_NOP,
                                .work = f->shared ? seek_work_shared : seek_work,
                                .name = "file.seek",
                                .handle = &f->handle,
                                .left = f->shared ? &f->left : NULL,
                                .offset = offset,
                                .flags = whence};

    if (f->spool)
        return ed_spool_seek(f->spool, offset, whence);
    return f->local && whence == SEEK_END ? seek_work(&op) : ed_file_call(&call);
}

/* The new position, or an error. */
static int64_t seek_find(struct ed_file *f, int64_t offset, int whence)
{
    int64_t position = offset;

    if (whence == SEEK_CUR && __builtin_add_overflow(ed_file_position(f), offset, &position))
        return ed_fail(-EOVERFLOW);
    if (whence == SEEK_SET || whence == SEEK_CUR)
        return position < 0 ? ed_fail(-EINVAL) : position;
    return seek_ask(f, offset, whence);
}

int64_t eddy_seek(eddy_stream *file, int64_t offset, int whence)
{
    struct ed_stream_call call;
    int64_t position = ed_file_begin(file, &call, "seek");

    if (position < 0)
        return position;
    position = seek_find(ed_file_of(file), offset, whence);
    if (position >= 0)
        ed_file_set_position(ed_file_of(file), position);
    else if (position == -EINVAL)
        ed_stream_raise(file, -EINVAL, "seek: by %lld, whence %d: there is no such position",
                        (long long)offset, whence);
    if (ed_file_end(file, &call, "seek", position < 0 ? (int)position : 0) < 0)
        return position;
    return position;
}

static int64_t truncate_work(struct ed_op *op)
{
    return ftruncate(op->fd, op->offset) < 0 ? -errno : 0;
}

/* In its turn. What was read ahead may not be there any more, or be zeros now. */
static int file_truncate(struct ed_file *f, int64_t size)
{
    int64_t position = ed_file_position(f);
    struct ed_file_call call = {.kind = ED_OP_NOP,
                                .work = truncate_work,
                                .name = "file.truncate",
                                .handle = &f->handle,
                                .offset = size == -1 ? position : size,
                                .left = &f->left_at};

    if (size < -1 || !f->writable)
        return ed_stream_raise(&f->stream, -EINVAL, "truncate: to %lld bytes%s", (long long)size,
                               f->writable ? "" : ", of a file that is not open for writing");
    ed_file_set_position(f, position);
    if (f->spool) {
        int rc = ed_spool_admit(f, call.offset);

        if (rc < 0 || f->spool)
            return rc < 0 ? rc : ed_spool_truncate(f->spool, (size_t)call.offset);
    }
    f->written = true;
    return (int)ed_file_call(&call);
}

int eddy_truncate(eddy_stream *file, int64_t size)
{
    struct ed_stream_call call;
    int rc = ed_file_begin(file, &call, "truncate");

    return rc < 0 ? rc
                  : ed_file_end(file, &call, "truncate", file_truncate(ed_file_of(file), size));
}

static int file_sync(eddy_stream *file, int data_only, const char *verb)
{
    struct ed_stream_call turn;
    int rc = ed_file_begin(file, &turn, verb);
    struct ed_file_call call = {.kind = ED_OP_FSYNC, .name = "file.sync", .flags = data_only};

    if (rc < 0)
        return rc;
    call.handle = &ed_file_of(file)->handle;
    if (!ed_file_of(file)->spool) /* else there is no disk behind it */
        rc = (int)ed_file_call(&call);
    return ed_file_end(file, &turn, verb, rc);
}

int eddy_fsync(eddy_stream *file)
{
    return file_sync(file, 0, "fsync");
}

int eddy_fdatasync(eddy_stream *file)
{
    return file_sync(file, 1, "fdatasync");
}
