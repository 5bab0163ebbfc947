/* SPDX-License-Identifier: MIT */
/*
 * The short way of streams: reads of what is in memory, and the close of what was only read so.
 * Both need a file with nothing under way; see file_now.h.
 *
 * What is left of the way, for 10,000 files of 4 KiB, each opened, read to the end and closed, by
 * build/bench/file small-files (6.18, ext4, an EPYC). By open, two reads and close, with nothing
 * around them, each takes 3.85 us of processor time. Here it takes 4.62, of which are
 *
 *     0.20   two preadv2 instead of reads: the kernel copies the description of the memory
 *     0.05   openat2 instead of open
 *     0.20   a read of nothing, which tells what was opened (file_open.c)
 *     0.32   ours: the stream, its path, calls that are open across system calls
 *
 * and by eddy_read_file, which need not know what it opens, 4.25. Chains of open, read and close on
 * the ring were measured: they take 4.6 one by one, and 2.95 if 64 are given to it together, but
 * know neither what they have opened nor whether they met the end.
 */
#include "os/file_now.h"

#include "base/stats.h"
#include "os/file.h"

int64_t ed_file_try_read(struct ed_file *f, void *data, size_t size, int64_t offset)
{
    int64_t n;

    if (!f->readable || f->untried || !ed_file_is_settled(f))
        return -EAGAIN;
    n = ed_file_read_now(f->handle.fd, data, size, offset);
    if (ed_unlikely(n < 0)) {
        f->missed = n == -EAGAIN;
        f->untried = n == -EOPNOTSUPP;
        return -EAGAIN;
    }
    f->local = true;
    return n;
}

ssize_t ed_file_read_nowait(eddy_stream *stream, void *data, size_t size)
{
    struct ed_file *f = ed_file_of(stream);
    int64_t n = ed_file_try_read(f, data, size, f->position);

    if (n > 0)
        f->position += n;
    return n;
}

/* That of a file which was only read, from memory, has nothing to wait for. */
int ed_file_close_nowait(eddy_stream *stream)
{
    struct ed_file *f = ed_file_of(stream);
    int fd = f->handle.fd, rc;

    if (!f->local || f->written || !ed_file_is_settled(f) ||
        __atomic_load_n(&f->handle.users, __ATOMIC_ACQUIRE) > 1 ||
        !ed_file_is_plain(ED_FAULT_CLOSE))
        return -EAGAIN;
    rc = ed_file_close_now(fd);
    if (ed_unlikely(rc < 0))
        ed_stream_raise(stream, rc, "close: %s", eddy_strerror(rc));
    f->handle.fd = -1;
    ed_stats_add(ED_STAT_DESCRIPTORS, -1);
    ed_loop_disown(stream->loop, fd);
    ed_buffer_release(&stream->in);
    ed_buffer_release(&stream->behind);
    ed_file_free(f);
    return rc;
}
