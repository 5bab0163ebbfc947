/* SPDX-License-Identifier: MIT */
/*
 * Locks on whole files. The kernel tells nobody when one is free, unless a thread waits there;
 * so it is asked again and again, at growing distances.
 */
#include <errno.h>
#include <sys/file.h>

#include "eddy/task.h"
#include "os/file.h"

#define LOCK_PAUSE_FIRST 0.001 /* seconds */
#define LOCK_PAUSE_LONGEST 0.05

static int lock_try(const eddy_stream *file, int operation)
{
    int rc;

    if (!ed_is_file(file))
        return ed_stream_raise(file, -ESPIPE, "lock: it is no file");
    if (ed_file_of(file)->spool)
        return 0; /* nobody else can have it open */
    do
        rc = flock(ed_file_of(file)->handle.fd, operation | LOCK_NB) < 0 ? -errno : 0;
    while (rc == -EINTR);
    if (rc == 0)
        ed_file_of(file)->locked = operation != LOCK_UN;
    return rc;
}

int eddy_file_lock_nowait(eddy_stream *file, bool exclusive)
{
    int rc = file->shut ? ed_stream_shut(file) : lock_try(file, exclusive ? LOCK_EX : LOCK_SH);

    if (rc == -EAGAIN)
        return ed_fail(rc);
    return rc < 0 && rc != -ESPIPE && !file->shut
               ? ed_stream_raise(file, rc, "lock: %s", eddy_strerror(rc))
               : rc;
}

/* Inside a call, so that a close of the file gets it out. */
static int lock_wait(eddy_stream *file, bool exclusive)
{
    double pause = LOCK_PAUSE_FIRST;
    int rc;

    while ((rc = eddy_file_lock_nowait(file, exclusive)) == -EAGAIN) {
        rc = eddy_sleep(pause);
        if (rc < 0)
            break;
        pause = pause * 2 < LOCK_PAUSE_LONGEST ? pause * 2 : LOCK_PAUSE_LONGEST;
    }
    return rc;
}

int eddy_file_lock(eddy_stream *file, bool exclusive)
{
    struct ed_stream_call call;
    int rc = ed_stream_enter(file);

    if (rc < 0)
        return ed_stream_leave_failed(file, rc, 0);
    ed_stream_call_begin(file, &call);
    rc = lock_wait(file, exclusive);
    ed_stream_call_end(file, &call);
    if (rc < 0 && rc == file->shut)
        ed_stream_shut(file);
    ed_stream_leave(file);
    return rc;
}

void eddy_file_unlock(eddy_stream *file)
{
    if (!file->shut)
        (void)lock_try(file, LOCK_UN); /* none is no error */
}
