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
#include <unistd.h>

#include "base/die.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/stats.h"
#include "eddy/error.h"

#ifndef ED_HAVE_URING
#define ED_HAVE_URING 0
#endif

static const enum ed_fault engine_faults[ED_OP_KINDS] = {
    [ED_OP_NOP] = ED_FAULT_NOP,           [ED_OP_POLL] = ED_FAULT_POLL,
    [ED_OP_ACCEPT] = ED_FAULT_ACCEPT,     [ED_OP_ACCEPT_MANY] = ED_FAULT_ACCEPT,
    [ED_OP_CONNECT] = ED_FAULT_CONNECT,   [ED_OP_RECV] = ED_FAULT_RECV,
    [ED_OP_RECV_MANY] = ED_FAULT_RECV,    [ED_OP_RECVMSG] = ED_FAULT_RECV,
    [ED_OP_RECVMMSG] = ED_FAULT_RECV,     [ED_OP_SEND] = ED_FAULT_SEND,
    [ED_OP_SENDMSG] = ED_FAULT_SEND,      [ED_OP_SENDFILE] = ED_FAULT_SENDFILE,
    [ED_OP_READ] = ED_FAULT_READ,         [ED_OP_WRITE] = ED_FAULT_WRITE,
    [ED_OP_SHUTDOWN] = ED_FAULT_SHUTDOWN, [ED_OP_CLOSE] = ED_FAULT_CLOSE,
    [ED_OP_OPENAT] = ED_FAULT_OPENAT,     [ED_OP_READ_AT] = ED_FAULT_READ,
    [ED_OP_WRITE_AT] = ED_FAULT_WRITE,    [ED_OP_READV_AT] = ED_FAULT_READ,
    [ED_OP_WRITEV_AT] = ED_FAULT_WRITE,   [ED_OP_FSYNC] = ED_FAULT_FSYNC,
};

/* Kinds that deliver, whose results are counted for faults, one by one. */
static bool engine_is_many(const struct ed_op *op)
{
    return op->kind == ED_OP_RECV_MANY || op->kind == ED_OP_ACCEPT_MANY;
}

/* Kinds whose `data` and `size` are memory. */
static bool engine_has_memory(const struct ed_op *op)
{
    return op->kind == ED_OP_RECV || op->kind == ED_OP_SEND || op->kind == ED_OP_READ ||
           op->kind == ED_OP_WRITE || op->kind == ED_OP_READ_AT || op->kind == ED_OP_WRITE_AT;
}

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

static void engine_begin_flight(struct ed_op *op)
{
    bool has = engine_has_memory(op);

    op->flight.memory = has ? op->data : NULL;
    op->flight.size = has ? op->size : 0;
    ed_flight_begin(&op->flight);
}

/* As if the kernel had time for a byte only. What is received as a message is not cut, and parts
 * of a file's are left to the attempt, since they are not ours to change. */
void ed_op_shorten(struct ed_op *op)
{
    if (op->kind == ED_OP_SENDMSG) {
        if (op->message->msg_iovlen == 0 || op->message->msg_iov->iov_len == 0)
            return;
        op->whole_parts = op->message->msg_iovlen;
        op->whole_size = op->message->msg_iov->iov_len;
        op->message->msg_iovlen = op->message->msg_iov->iov_len = 1;
    } else if ((engine_has_memory(op) || op->kind == ED_OP_SENDFILE) && op->size > 0) {
        op->whole_size = op->size;
        op->size = 1;
    } else if (op->kind == ED_OP_READV_AT || op->kind == ED_OP_WRITEV_AT) {
        op->whole_size = op->size;
    } else {
        return;
    }
    op->shortened = true;
}

/* Nobody who looks at the operation afterwards is to notice. */
static void engine_restore(struct ed_op *op)
{
    if (op->kind == ED_OP_SENDMSG) {
        op->message->msg_iovlen = op->whole_parts;
        op->message->msg_iov->iov_len = op->whole_size;
    } else {
        op->size = op->whole_size;
    }
}

void ed_engine_submit_at(struct ed_engine *engine, struct ed_op *op, const char *where)
{
    int rc;

    ED_ASSERT(!op->in_flight);
    op->in_flight = true;
    op->flight.where = where;
    op->flight.what = ed_fault_name(engine_faults[op->kind]);
    engine_begin_flight(op);
    op->cancelled = op->late = op->asked = op->more = op->begun = op->ended = op->shortened = false;
    op->failed = 0;
    ed_count(&engine->in_flight, 1);
    if (op->counted)
        rc = op->shorten ? ED_FAULT_SHORT : 0;
    else
        rc = engine_is_many(op) ? 0 : ed_fault_check(engine_faults[op->kind]);
    op->counted = false;
    if (ed_unlikely(rc < 0)) {
        op->failed = rc;
        if (op->kind != ED_OP_CLOSE) { /* which happens all the same */
            ed_engine_end(engine, op, rc);
            return;
        }
    }
    op->shorten = rc == ED_FAULT_SHORT;
    op->queued = true;
    ed_list_append(&engine->queued, &op->link);
}

int ed_engine_try(struct ed_op *op)
{
    int rc = ed_fault_check(engine_faults[op->kind]);

    ED_ASSERT(!op->in_flight);
    if (ed_unlikely(rc < 0)) {
        if (op->kind == ED_OP_CLOSE) /* which happens all the same */
            (void)ed_op_attempt(op);
        return rc;
    }
    op->begun = op->shortened = false;
    op->counted = ed_op_is_file(op);
    op->shorten = rc == ED_FAULT_SHORT;
    if (ed_unlikely(op->shorten))
        ed_op_shorten(op);
    rc = ed_op_attempt(op);
    if (ed_unlikely(op->shortened))
        engine_restore(op);
    return rc;
}

void ed_op_set_memory(struct ed_op *op, void *data, size_t size)
{
    ED_ASSERT(op->queued && engine_has_memory(op));
    ed_flight_end(&op->flight);
    op->data = data;
    op->size = size;
    engine_begin_flight(op);
}

void ed_engine_end(struct ed_engine *engine, struct ed_op *op, int result)
{
    op->result = result;
    op->ended = true;
    ed_list_append(&engine->ended, &op->link);
}

static void engine_cancel(struct ed_engine *engine, struct ed_op *op)
{
    if (op->queued) {
        ed_list_remove(&engine->queued, &op->link);
        op->queued = false;
        ed_engine_forget(engine, op->fd); /* an earlier one may have left something */
        ed_engine_end(engine, op, -ECANCELED);
    } else if (!op->ended) {
        engine->class->cancel(engine, op);
    }
}

void ed_engine_cancel(struct ed_engine *engine, struct ed_op *op)
{
    if (!op->in_flight || op->cancelled || op->kind == ED_OP_CLOSE)
        return;
    op->cancelled = true;
    if (ed_likely(ed_fault_check(ED_FAULT_CANCEL) == 0)) {
        engine_cancel(engine, op);
        return;
    }
    op->late = true; /* as if the operation had gone on for a while */
    ed_list_append(&engine->late, &op->late_link);
}

void ed_engine_cancel_soon(struct ed_engine *engine, struct ed_op *op)
{
    if (!op->in_flight || op->cancelled || op->kind == ED_OP_CLOSE)
        return;
    op->cancelled = op->late = true;
    ed_list_append(&engine->late, &op->late_link);
}

void ed_engine_complete(struct ed_engine *engine, struct ed_op *op, int result)
{
    ED_ASSERT(op->in_flight && !op->queued && engine->in_flight > 0);
    ed_flight_end(&op->flight);
    if (ed_unlikely(result == -EFAULT) && ed_memory_guarded())
        ed_die(
            "the operation \"%s\", submitted at %s, met memory that is freed or nobody's (EFAULT)",
            op->flight.what, op->flight.where);
    if (ed_unlikely(op->late))
        ed_list_remove(&engine->late, &op->late_link);
    if (ed_unlikely(op->asked))
        ed_list_remove(&engine->asked, &op->late_link);
    if (ed_unlikely(op->shortened))
        engine_restore(op);
    op->in_flight = op->late = op->asked = op->more = op->ended = false;
    op->result = ed_unlikely(op->failed < 0) ? op->failed : result;
    ed_count(&engine->in_flight, -1);
    engine->completed++;
    op->done(op);
}

static void engine_drop(struct ed_op *op, int result)
{
    if (op->kind == ED_OP_ACCEPT_MANY && result >= 0)
        close(result);
}

void ed_engine_deliver(struct ed_engine *engine, struct ed_op *op, int result)
{
    int rc;

    ED_ASSERT(op->in_flight && !op->queued);
    rc = ed_unlikely(op->failed < 0) ? op->failed : ed_fault_check(engine_faults[op->kind]);
    if (ed_unlikely(rc < 0)) {
        engine_drop(op, result);
        op->failed = rc;
        ed_engine_cancel(engine, op);
        return;
    }
    op->more = true;
    engine->completed++;
    if (ed_unlikely(rc == ED_FAULT_SHORT && op->kind == ED_OP_RECV_MANY && result > 1)) {
        op->result = 1;
        op->done(op);
        op->data = (char *)op->data + 1;
        result--;
    }
    op->result = result;
    op->done(op);
}

unsigned ed_engine_overlooked;

/* Invariant: an operation is in at most one of the lists `late` and `asked`. */
void ed_engine_asked(struct ed_engine *engine, struct ed_op *op)
{
    ED_ASSERT(!op->late);
    if (!op->asked)
        ed_list_append(&engine->asked, &op->late_link);
    op->asked = true;
}

void ed_engine_ask_again(struct ed_engine *engine)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(&engine->asked))) {
        struct ed_op *op = ed_container_of(link, struct ed_op, late_link);

        op->asked = false;
        op->late = true;
        ed_list_append(&engine->late, &op->late_link);
    }
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

static void engine_complete_ended(struct ed_engine *engine)
{
    struct eddy_list_ ended = engine->ended;
    struct eddy_link_ *link;

    engine->ended = (struct eddy_list_){NULL, NULL};
    while ((link = ed_list_pop(&ended))) {
        struct ed_op *op = ed_container_of(link, struct ed_op, link);

        ed_engine_complete(engine, op, op->result);
    }
}

/* What done submits meanwhile waits for the next flush. */
void ed_engine_flush(struct ed_engine *engine)
{
    struct eddy_list_ queued = engine->queued;
    struct eddy_link_ *link;

    engine->queued = (struct eddy_list_){NULL, NULL};
    ED_LIST_FOR_EACH(each, &queued)
        ed_container_of(each, struct ed_op, link)->queued = false;
    while ((link = ed_list_pop(&queued))) {
        struct ed_op *op = ed_container_of(link, struct ed_op, link);

        if (ed_unlikely(op->shorten))
            ed_op_shorten(op);
        engine->class->submit(engine, op);
    }
    if (engine->ended.first)
        engine_complete_ended(engine);
}

int ed_engine_wait(struct ed_engine *engine, int64_t timeout)
{
    uint64_t completed = engine->completed;
    int rc;

    if (ed_unlikely(engine->late.first)) { /* what has completed meanwhile wins */
        ed_engine_flush(engine);
        rc = engine->class->wait(engine, 0);
        engine_cancel_late(engine);
        return rc;
    }
    if (engine->queued.first || engine->ended.first)
        ed_engine_flush(engine);
    if (engine->completed != completed || engine->queued.first || engine->ended.first)
        timeout = 0;
    rc = engine->class->wait(engine, timeout);
    if (ed_unlikely(engine->ended.first))
        engine_complete_ended(engine);
    return rc;
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

void ed_engine_raise_wake(int fd)
{
    const uint64_t one = 1;
    ssize_t count;

    do
        count = write(fd, &one, sizeof one);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN) /* EAGAIN: full, so that a wake is pending anyway */
        ed_die("eventfd: %s", eddy_strerror(-errno));
}

void ed_engine_take_wakes(int fd)
{
    uint64_t wakes;
    ssize_t count;

    do
        count = read(fd, &wakes, sizeof wakes);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN) /* EAGAIN: somebody was faster */
        ed_die("eventfd: %s", eddy_strerror(-errno));
}
