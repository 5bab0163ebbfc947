/* SPDX-License-Identifier: MIT */
/*
 * Copying a file: one job, which goes through it in slices, so that it sees soon when its caller
 * has left. The kernel copies where it can; what it cannot (other file systems, files that it makes
 * up, such as those of /proc) is read and written. The copy is a fresh file (fresh.h).
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/filesystem.h"
#include "os/blocking.h"
#include "os/fresh.h"

#define SLICE ((size_t)8 << 20)    /* that the kernel copies */
#define BUFFER ((size_t)256 << 10) /* for what it does not */

struct copying {
    int from, to;
    struct stat known; /* of the one that is copied */
    int64_t done;
    char *buffer; /* NULL: not needed so far */
};

/* Whether the error means that the kernel does not copy from here to there. */
static bool is_unknown(long rc)
{
    return rc == -EXDEV || rc == -EINVAL || rc == -EOPNOTSUPP || rc == -ENOSYS || rc == -EPERM;
}

static int copy_write(int fd, const char *data, size_t size)
{
    while (size > 0) {
        int fault = ed_fault_check(ED_FAULT_WRITE);
        ssize_t n = fault < 0 ? -1 : write(fd, data, fault == ED_FAULT_SHORT ? 1 : size);

        if (n < 0)
            return fault < 0 ? fault : -errno;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* One slice by way of memory: its size, 0 at the end, or an error. */
static long copy_by_hand(struct copying *c)
{
    long n;
    int rc;

    if (!c->buffer)
        c->buffer = ed_alloc(BUFFER);
    if (!c->buffer)
        return -ENOMEM;
    n = ED_SYSTEM(ED_FAULT_READ, read(c->from, c->buffer, BUFFER));
    if (n <= 0)
        return n;
    rc = copy_write(c->to, c->buffer, (size_t)n);
    return rc < 0 ? rc : n;
}

static long copy_slice(struct copying *c)
{
    long n;

    if (ed_job_is_abandoned())
        return -ECANCELED;
    if (c->buffer)
        return copy_by_hand(c);
    n = ED_SYSTEM(ED_FAULT_COPY, copy_file_range(c->from, NULL, c->to, NULL, SLICE, 0));
    if (is_unknown(n) || (n == 0 && c->done == 0))
        return copy_by_hand(c); /* goes on behind what was copied */
    return n;
}

static int copy_all(struct copying *c)
{
    long n;

    while ((n = copy_slice(c)) > 0)
        c->done += n;
    return (int)n;
}

/* Opens what is copied; what is no regular file is not waited for. */
static int copy_open(struct copying *c, const char *path)
{
    int rc;

    c->from = (int)ED_SYSTEM(ED_FAULT_OPENAT, open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (c->from < 0)
        return c->from;
    rc = (int)ED_SYSTEM(ED_FAULT_STAT, fstat(c->from, &c->known));
    if (rc < 0)
        return rc;
    return S_ISREG(c->known.st_mode) ? 0 : S_ISDIR(c->known.st_mode) ? -EISDIR : -EINVAL;
}

static bool copy_is_itself(const struct copying *c, const struct ed_fresh *fresh)
{
    return fresh->replaces && fresh->old.st_dev == c->known.st_dev &&
           fresh->old.st_ino == c->known.st_ino;
}

/* To a fresh file; the error is of one path or the other, or of both. */
static int copy_to(const struct ed_blocking *b, struct copying *c, struct ed_fresh *fresh)
{
    int rc = ed_fresh_open(fresh, b->other, 0600);

    if (rc < 0)
        return ed_blocking_fail_at(b, b->other, rc);
    if (copy_is_itself(c, fresh))
        return ed_blocking_fail(b, -EINVAL);
    c->to = fresh->fd;
    rc = copy_all(c);
    if (rc == 0)
        rc = (int)ED_SYSTEM(ED_FAULT_CHMOD, fchmod(fresh->fd, c->known.st_mode & 0777));
    if (rc == 0)
        rc = ed_fresh_commit(fresh, false);
    return rc < 0 ? ed_blocking_fail(b, rc) : 0;
}

static int copy_run(const struct ed_blocking *b, void *result)
{
    struct copying c = {.from = -1};
    struct ed_fresh fresh = {.folder = -1, .fd = -1};
    int rc = copy_open(&c, b->path);

    if (rc < 0)
        rc = ed_blocking_fail_at(b, b->path, rc);
    else
        rc = copy_to(b, &c, &fresh);
    ed_fresh_close(&fresh);
    if (c.from >= 0)
        close(c.from);
    ed_free(c.buffer);
    *(int64_t *)result = c.done;
    return rc;
}

int64_t eddy_copy_file(const char *from, const char *to)
{
    int64_t done = 0;
    int rc = ed_blocking_run(
        &(struct ed_blocking){"copy", copy_run, from, to, .result_size = sizeof done}, &done);

    return rc < 0 ? rc : done;
}
