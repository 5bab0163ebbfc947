/* SPDX-License-Identifier: MIT */
/*
 * Choosing an engine, and what all engines share: the count of operations in
 * flight, and the fault seam. An operation that is made to fail never reaches
 * the kernel; it completes in the next wait, as any other.
 */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/stats.h"
#include "eddy/error.h"

#ifndef ED_HAVE_URING
#define ED_HAVE_URING 0
#endif

static const enum ed_fault engine_faults[] = {
    [ED_OP_NOP] = ED_FAULT_NOP,
    [ED_OP_POLL] = ED_FAULT_POLL,
};

#if ED_HAVE_URING
static int engine_open_uring(struct ed_engine **out)
{
    return ed_uring_class.open(out);
}
#else
static int engine_open_uring(struct ed_engine **out)
{
    (void)out;
    return -ENOSYS;
}
#endif

/* Why io_uring was not used, in words. */
static const char *engine_why(int code)
{
    switch (code) {
    case -ENOSYS: return ED_HAVE_URING ? "the kernel lacks it" : "not built in";
    case -EPERM:
    case -EACCES: return "not permitted, by seccomp or kernel.io_uring_disabled";
    case -ENOMEM: return "no memory, see RLIMIT_MEMLOCK";
    case -EINVAL: return "the kernel is too old, 6.1 is needed";
    default: return eddy_strerror(code);
    }
}

int ed_engine_open(struct ed_engine **out)
{
    const char *name = getenv("EDDY_ENGINE");
    bool any = !name || !*name;
    int why = 0, rc;

    if (any || strcmp(name, "uring") == 0) {
        rc = engine_open_uring(out);
        if (rc == 0)
            snprintf((*out)->info, sizeof(*out)->info, "io_uring");
        if (rc == 0 || !any)
            return rc;
        why = rc;
    } else if (strcmp(name, "epoll") != 0) {
        return -EINVAL;
    }
    rc = ed_epoll_class.open(out);
    if (rc == 0 && why)
        snprintf((*out)->info, sizeof(*out)->info, "epoll (io_uring: %s)", engine_why(why));
    else if (rc == 0)
        snprintf((*out)->info, sizeof(*out)->info, "epoll (EDDY_ENGINE)");
    return rc;
}

void ed_engine_close(struct ed_engine *engine)
{
    if (!engine)
        return;
    ED_ASSERT(engine->in_flight == 0);
    engine->class->close(engine);
}

void ed_op_left(struct ed_op *op)
{
    if (ed_unlikely(op->in_flight))
        ed_die("the frame that holds an operation is left while it is in flight: \"%s\", submitted "
               "at %s",
               ed_fault_name(engine_faults[op->kind]), op->flight.where);
}

void ed_engine_abandon(struct ed_engine *engine)
{
    engine->class->abandon(engine);
}

void ed_engine_submit_at(struct ed_engine *engine, struct ed_op *op, const char *where)
{
    int rc;

    ED_ASSERT(!op->in_flight);
    op->in_flight = true;
    op->flight.where = where;
    op->flight.what = ed_fault_name(engine_faults[op->kind]);
    ed_flight_begin(&op->flight);
    op->cancelled = op->late = false;
    ed_count(&engine->in_flight, 1);
    rc = ed_fault_check(engine_faults[op->kind]);
    if (ed_likely(rc == 0)) {
        engine->class->submit(engine, op);
        return;
    }
    op->result = rc;
    ed_list_append(&engine->refused, &op->link);
}

static void engine_cancel(struct ed_engine *engine, struct ed_op *op)
{
    ED_LIST_FOR_EACH(link, &engine->refused)
        if (link == &op->link)
            return; /* completes in the next wait anyway */
    engine->class->cancel(engine, op);
}

void ed_engine_cancel(struct ed_engine *engine, struct ed_op *op)
{
    if (!op->in_flight || op->cancelled)
        return;
    op->cancelled = true;
    if (ed_likely(ed_fault_check(ED_FAULT_CANCEL) == 0)) {
        engine_cancel(engine, op);
        return;
    }
    op->late = true; /* as if the operation had gone on for a while */
    ed_list_append(&engine->late, &op->late_link);
}

void ed_engine_complete(struct ed_engine *engine, struct ed_op *op, int result)
{
    ED_ASSERT(op->in_flight && engine->in_flight > 0);
    ed_flight_end(&op->flight);
    if (ed_unlikely(result == -EFAULT) && ed_memory_guarded())
        ed_die(
            "the operation \"%s\", submitted at %s, met memory that is freed or nobody's (EFAULT)",
            op->flight.what, op->flight.where);
    if (ed_unlikely(op->late))
        ed_list_remove(&engine->late, &op->late_link);
    op->in_flight = op->late = false;
    op->result = result;
    ed_count(&engine->in_flight, -1);
    op->done(op);
}

static void engine_cancel_late(struct ed_engine *engine)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(&engine->late))) {
        struct ed_op *op = ed_container_of(link, struct ed_op, late_link);

        op->late = false;
        engine_cancel(engine, op);
    }
}

int ed_engine_wait(struct ed_engine *engine, int64_t timeout)
{
    struct eddy_list_ refused = engine->refused;
    struct eddy_link_ *link;

    if (ed_unlikely(engine->late.first)) { /* what has completed meanwhile wins */
        int rc = engine->class->wait(engine, 0);

        engine_cancel_late(engine);
        return rc;
    }
    if (ed_likely(ed_list_empty(&refused)))
        return engine->class->wait(engine, timeout);
    engine->refused = (struct eddy_list_){NULL, NULL};
    while ((link = ed_list_pop(&refused))) {
        struct ed_op *op = ed_container_of(link, struct ed_op, link);

        ed_engine_complete(engine, op, op->result);
    }
    return engine->class->wait(engine, 0);
}

void ed_engine_forget(struct ed_engine *engine, int fd)
{
    if (engine->class->forget)
        engine->class->forget(engine, fd);
}

void ed_engine_wake(struct ed_engine *engine)
{
    int error = errno;

    engine->class->wake(engine);
    errno = error;
}
