/* SPDX-License-Identifier: MIT */
/*
 * Readiness of descriptors that belong to another library, for libraries over Eddy.
 *
 * Such a library's peer is a program of others', whose time is the real one: while a task waits for
 * it here, the virtual clock keeps pace with that, so that a limit of time means the same to both.
 */
#include "eddy/sock.h"
#include "io/op.h"
#include "loop/loop.h"

int eddy_poll_(int fd, unsigned events, bool steady)
{
    static const struct ed_wait_kind kind = ED_OP_WAIT_KIND("poll");
    int rc = ed_checkpoint();
    ED_AWAITED(ready);

    if (rc < 0)
        return rc;
    ready.op.kind = ED_OP_POLL;
    ready.op.fd = fd;
    ready.op.events = events;
    ready.op.steady = steady;
    eddy_keep_pace_(true);
    rc = ed_op_await(&ready, &kind);
    eddy_keep_pace_(false);
    return rc;
}

void eddy_poll_forget_(int fd)
{
    if (eddy_thread_.loop && !eddy_thread_.loop->closed)
        ed_engine_forget(eddy_thread_.loop->engine, fd);
}

void eddy_keep_pace_(bool begin)
{
    if (begin)
        eddy_thread_.loop->programs++;
    else
        eddy_thread_.loop->programs--;
}
