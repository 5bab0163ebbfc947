/* SPDX-License-Identifier: MIT */
/*
 * Replacing a file by bytes: one job, which has a copy of them, and writes them to a fresh file
 * (fresh.h). Between slices it looks whether its caller has left; then it stops, and leaves the old
 * file alone.
 */
#include <unistd.h>

#include "eddy/filesystem.h"
#include "os/blocking.h"
#include "os/fresh.h"

#define SLICE ((size_t)4 << 20)

/* Writes some of the bytes: how many, or an error. */
static long slice_write(int fd, const char *data, size_t size)
{
    int fault = ed_fault_check(ED_FAULT_WRITE);
    ssize_t n;

    if (fault < 0)
        return fault;
    if (ed_job_is_abandoned())
        return -ECANCELED;
    if (size > SLICE)
        size = SLICE;
    n = write(fd, data, fault == ED_FAULT_SHORT && size > 0 ? 1 : size);
    return n < 0 ? -errno : n;
}

static int replace_write(const struct ed_blocking *b, int fd)
{
    const char *data = b->data;

    for (size_t done = 0; done < b->size;) {
        long n = slice_write(fd, data + done, b->size - done);

        if (n < 0)
            return (int)n;
        done += (size_t)n;
    }
    return ed_job_is_abandoned() ? -ECANCELED : 0;
}

static int replace_run(const struct ed_blocking *b, void *result)
{
    struct ed_fresh fresh;
    int rc = ed_fresh_open(&fresh, b->path, (mode_t)b->numbers[0]);

    (void)result;
    if (rc == 0)
        rc = replace_write(b, fresh.fd);
    if (rc == 0)
        rc = ed_fresh_commit(&fresh, true);
    ed_fresh_close(&fresh);
    return rc < 0 ? ed_blocking_fail(b, rc) : 0;
}

int eddy_replace_file(const char *path, const void *data, size_t size, mode_t permissions)
{
    return ed_blocking_run(&(struct ed_blocking){"replace", replace_run, path, .data = data,
                                                 .size = data ? size : 0, .numbers = {permissions}},
                           NULL);
}
