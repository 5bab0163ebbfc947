/* SPDX-License-Identifier: MIT */
/*
 * The engine on io_uring (io_uring(7), kernel 6.1 and later).
 *
 * Operations are only written to the submission ring; they reach the kernel
 * together, with the next wait. The ring is for one thread (SINGLE_ISSUER) and
 * completions are produced only while that thread waits (DEFER_TASKRUN), so that
 * nothing interrupts the tasks. A wait that need not sleep enters the kernel
 * only if there is something to submit or the kernel says that it has work.
 *
 * What is received by RECV_MANY goes to buffers that all sockets share (uring_buffers.c),
 * so that a connection that is silent holds none. What io_uring cannot do, or only in a
 * thread of the kernel's, is done here once a poll says that it is time (attempt.c).
 *
 * user_data is the operation's address; CANCEL marks a cancel request, and WAKE the poll of
 * the eventfd behind wake, which is renewed each time it fires.
 *
 * The kernel looks for what it is to cancel among the operations that wait. One that is about to
 * be tried again, since its descriptor has become ready, is not among them for that moment, and
 * when the try gains nothing it waits on: the cancel is overlooked, and its completion says ENOENT.
 * So does that of a cancel whose operation has ended, which is the rule. Therefore, behind an
 * ENOENT, those that were to be cancelled and are in flight still are cancelled again.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/die.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/time.h"
#include "engine/engine.h"
#include "engine/uring_buffers.h"

#define URING_ENTRIES 256        /* of the submission ring; the completion ring has 16 times that */
#define URING_LENGTH 0x7ffff000u /* bytes of one transfer: the kernel's limit, below 32 bits */
#define URING_REAPED 4096        /* completions that one wait takes, or a few more */
#define URING_WAKE ((uint64_t)1)
#define URING_CANCEL ((uint64_t)2)

struct uring {
    struct ed_engine engine;
    struct io_uring ring;
    struct ed_uring_buffers buffers;
    int wake_fd;
    bool wake_armed;
    bool grown;      /* the buffers, since the last reap began */
    bool overlooked; /* a cancel, maybe */
};

static struct uring *uring_of(struct ed_engine *engine)
{
    return ed_container_of(engine, struct uring, engine);
}

/* Submits what is in the ring, or some of it, without taking completions. */
static void uring_drain(struct uring *uring)
{
    int rc = io_uring_submit(&uring->ring);

    if (rc == -EBUSY || rc == -EAGAIN)
        rc = io_uring_get_events(&uring->ring); /* room for completions first */
    if (rc < 0 && rc != -EINTR && rc != -EBUSY && rc != -EAGAIN)
        ed_die("io_uring: the submission ring does not drain: %s", eddy_strerror(rc));
}

/* A free submission entry; makes room by submitting when the ring is full. */
static struct io_uring_sqe *uring_sqe(struct uring *uring)
{
    struct io_uring_sqe *sqe;

    while (!(sqe = io_uring_get_sqe(&uring->ring)))
        uring_drain(uring);
    return sqe;
}

/* Memory of a ring may be where another thread's was. That it was given back in between happens
 * out of ThreadSanitizer's sight, so it is told by two threads in order. */
static void uring_order(void)
{
    static int rings;

    if (ED_TSAN)
        __atomic_fetch_add(&rings, 1, __ATOMIC_ACQ_REL);
}

static int uring_setup(struct io_uring *ring)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
        .cq_entries = URING_ENTRIES * 16,
    };
    int rc = io_uring_queue_init_params(URING_ENTRIES, ring, &params);

    if (rc < 0)
        return rc;
    uring_order();
    if (!(params.features & IORING_FEAT_NODROP) || !(params.features & IORING_FEAT_EXT_ARG)) {
        io_uring_queue_exit(ring);
        return -EINVAL;
    }
    io_uring_ring_dontfork(ring);
    (void)io_uring_register_ring_fd(ring); /* saves the look-up of its descriptor each time */
    rc = io_uring_get_events(ring);        /* a filter may allow the set-up only */
    if (rc < 0 && rc != -EINTR) {
        io_uring_queue_exit(ring);
        return rc;
    }
    return 0;
}

/* Whether the ring does what files need; 5.6 and later, but a filter may hold it back. */
static bool uring_does_files(struct io_uring *ring)
{
    static const int needed[] = {IORING_OP_OPENAT, IORING_OP_READ, IORING_OP_WRITE,
                                 IORING_OP_FSYNC};
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    bool all = probe != NULL;

    for (size_t i = 0; all && i < ED_ARRAY_LENGTH(needed); i++)
        all = io_uring_opcode_supported(probe, needed[i]);
    io_uring_free_probe(probe);
    return all;
}

static int uring_open(struct ed_engine **out)
{
    struct uring *uring = ed_alloc_zero(sizeof *uring);
    int rc;

    if (!uring)
        return -ENOMEM;
    uring->engine.class = &ed_uring_class;
    rc = uring_setup(&uring->ring);
    if (rc < 0)
        goto out;
    uring->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (uring->wake_fd < 0) {
        rc = -errno;
        io_uring_queue_exit(&uring->ring);
        goto out;
    }
    uring->engine.files = uring_does_files(&uring->ring);
    ed_stats_add(ED_STAT_DESCRIPTORS, 2);
    *out = &uring->engine;
    return 0;
out:
    ed_free(uring);
    return rc;
}

static void uring_close(struct ed_engine *engine)
{
    struct uring *uring = uring_of(engine);

    ed_uring_buffers_close(&uring->buffers, &uring->ring);
    uring_order();
    io_uring_queue_exit(&uring->ring);
    close(uring->wake_fd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -2);
    ed_free(uring);
}

/* The ring's memory is not mapped in a child. */
static void uring_abandon(struct ed_engine *engine)
{
    close(uring_of(engine)->wake_fd);
    close(uring_of(engine)->ring.ring_fd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -2);
}

/* What is attempted once a poll says so. */
static bool uring_is_polled(const struct ed_op *op)
{
    return op->kind == ED_OP_RECVMMSG || op->kind == ED_OP_SENDFILE || op->kind == ED_OP_READ ||
           op->kind == ED_OP_WRITE;
}

static void uring_prepare_transfer(struct io_uring_sqe *sqe, struct ed_op *op)
{
    size_t size = op->size < URING_LENGTH ? op->size : URING_LENGTH;

    switch (op->kind) {
    case ED_OP_RECV: io_uring_prep_recv(sqe, op->fd, op->data, size, op->flags); break;
    case ED_OP_RECV_MANY:
        io_uring_prep_recv_multishot(sqe, op->fd, NULL, 0, op->flags);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = ED_URING_GROUP;
        break;
    case ED_OP_RECVMSG: io_uring_prep_recvmsg(sqe, op->fd, op->message, (unsigned)op->flags); break;
    case ED_OP_SEND:
        io_uring_prep_send(sqe, op->fd, op->data, size, op->flags | MSG_NOSIGNAL);
        break;
    case ED_OP_SENDMSG:
        io_uring_prep_sendmsg(sqe, op->fd, op->message, (unsigned)op->flags | MSG_NOSIGNAL);
        break;
    default: io_uring_prep_poll_add(sqe, op->fd, ed_op_awaits(op)); break;
    }
}

/* What a try has shown to need a thread goes to one at once. */
static void uring_prepare_file(struct io_uring_sqe *sqe, struct ed_op *op)
{
    unsigned size = (unsigned)(op->size < URING_LENGTH ? op->size : URING_LENGTH);

    switch (op->kind) {
    case ED_OP_OPENAT:
        io_uring_prep_openat(sqe, op->fd, op->path, op->flags, (mode_t)op->size);
        break;
    case ED_OP_READ_AT:
        io_uring_prep_read(sqe, op->fd, op->data, size, (uint64_t)op->offset);
        break;
    case ED_OP_WRITE_AT:
        io_uring_prep_write(sqe, op->fd, op->data, size, (uint64_t)op->offset);
        break;
    default: io_uring_prep_fsync(sqe, op->fd, op->flags ? IORING_FSYNC_DATASYNC : 0); break;
    }
    if (op->apart)
        sqe->flags |= IOSQE_ASYNC;
}

static void uring_start(struct uring *uring, struct ed_op *op)
{
    struct io_uring_sqe *sqe = uring_sqe(uring);

    switch (op->kind) {
    case ED_OP_NOP: io_uring_prep_nop(sqe); break;
    case ED_OP_ACCEPT:
        io_uring_prep_accept(sqe, op->fd, op->address, op->address ? &op->address_size : NULL,
                             SOCK_CLOEXEC | SOCK_NONBLOCK);
        break;
    case ED_OP_ACCEPT_MANY:
        io_uring_prep_multishot_accept(sqe, op->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        break;
    case ED_OP_CONNECT: io_uring_prep_connect(sqe, op->fd, op->address, op->address_size); break;
    case ED_OP_CLOSE: io_uring_prep_close(sqe, op->fd); break;
    case ED_OP_OPENAT:
    case ED_OP_READ_AT:
    case ED_OP_WRITE_AT:
    case ED_OP_FSYNC: uring_prepare_file(sqe, op); break;
    default: uring_prepare_transfer(sqe, op); break;
    }
    io_uring_sqe_set_data(sqe, op);
}

/* What never waits, and would have a thread of the kernel's do it, or is known better by
 * attempt.c. */
static bool uring_is_immediate(const struct ed_op *op)
{
    return op->kind == ED_OP_SHUTDOWN ||
           (op->kind == ED_OP_CONNECT && op->address->sa_family == AF_UNIX);
}

static void uring_submit(struct ed_engine *engine, struct ed_op *op)
{
    struct uring *uring = uring_of(engine);
    int rc = 0;

    if (op->kind == ED_OP_RECV_MANY)
        rc = ed_uring_buffers_open(&uring->buffers, &uring->ring);
    while (op->kind == ED_OP_SHUTDOWN && io_uring_sq_ready(&uring->ring) > 0)
        uring_drain(uring); /* what is sent before comes before */
    if (op->kind == ED_OP_READV_AT || op->kind == ED_OP_WRITEV_AT)
        ed_engine_end(engine, op, -EOPNOTSUPP);
    else if (uring_is_immediate(op))
        ed_engine_end(engine, op, ed_op_attempt(op));
    else if (rc < 0)
        ed_engine_end(engine, op, rc);
    else
        uring_start(uring, op);
}

static void uring_cancel(struct ed_engine *engine, struct ed_op *op)
{
    struct io_uring_sqe *sqe = uring_sqe(uring_of(engine));
    const bool overlook = ed_unlikely(ed_engine_overlooked > 0);

    io_uring_prep_cancel(sqe, overlook ? NULL : op, 0);
    io_uring_sqe_set_data64(sqe, URING_CANCEL);
    ed_engine_asked(engine, op);
    if (overlook)
        ed_engine_overlooked--;
}

static void uring_arm_wake(struct uring *uring)
{
    struct io_uring_sqe *sqe = uring_sqe(uring);

    io_uring_prep_poll_add(sqe, uring->wake_fd, POLLIN);
    io_uring_sqe_set_data64(sqe, URING_WAKE);
    uring->wake_armed = true;
}

/* Bytes in a shared buffer; it is free again when done returns. */
static void
uring_received(struct uring *uring, struct ed_op *op, int result, unsigned buffer, bool more)
{
    op->data = ed_uring_buffer(&uring->buffers, buffer);
    if (result > 0)
        ed_engine_deliver(&uring->engine, op, result);
    ed_uring_buffers_give_back(&uring->buffers, buffer);
    if (result > 0 && more)
        return;
    if (result > 0 && !ed_op_is_cancelled(op))
        uring_start(uring, op); /* the kernel has let go of it: again */
    else
        ed_engine_complete(&uring->engine, op, result > 0 ? -ECANCELED : result);
}

/* Twice as many buffers, however many sockets found none at the same time. */
static void uring_grow(struct uring *uring)
{
    if (!uring->grown)
        ed_uring_buffers_grow(&uring->buffers);
    uring->grown = true;
}

/* The end of an operation, unless it can go on. */
static void uring_ended(struct uring *uring, struct ed_op *op, int result)
{
    bool again = false;

    if (result == -ENOBUFS && op->kind == ED_OP_RECV_MANY) {
        uring_grow(uring);
        again = true;
    } else if (result >= 0 && op->kind == ED_OP_ACCEPT_MANY) {
        ed_engine_deliver(&uring->engine, op, result);
        again = true;
    } else if (ed_op_is_file(op) && (result == -EINTR || (result == -EAGAIN && !op->apart))) {
        op->apart = again = true; /* not tried to the end */
    } else if (result > 0 && uring_is_polled(op)) {
        result = ed_op_attempt(op);
        again = result == -EAGAIN;
    }
    if (again && !ed_op_is_cancelled(op))
        uring_start(uring, op);
    else
        ed_engine_complete(&uring->engine, op, again ? -ECANCELED : result);
}

static void uring_completed(struct uring *uring, struct ed_op *op, int result, unsigned flags)
{
    bool more = flags & IORING_CQE_F_MORE;

    if (flags & IORING_CQE_F_BUFFER)
        uring_received(uring, op, result, flags >> IORING_CQE_BUFFER_SHIFT, more);
    else if (more)
        ed_engine_deliver(&uring->engine, op, result);
    else
        uring_ended(uring, op, result);
}

/* Takes what is in the completion ring now; returns how many it took. */
static unsigned uring_reap(struct uring *uring)
{
    unsigned count = io_uring_cq_ready(&uring->ring), left = count;
    struct io_uring_cqe *cqe;

    uring->grown = false;
    while (left-- > 0 && io_uring_peek_cqe(&uring->ring, &cqe) == 0) {
        uint64_t data = io_uring_cqe_get_data64(cqe);
        int result = cqe->res;
        unsigned flags = cqe->flags;

        io_uring_cqe_seen(&uring->ring, cqe);
        if (data == URING_WAKE) {
            uring->wake_armed = false;
            ed_engine_take_wakes(uring->wake_fd);
        } else if (data == URING_CANCEL) {
            uring->overlooked |= result == -ENOENT;
        } else {
            uring_completed(uring, (struct ed_op *)(uintptr_t)data, result, flags);
        }
    }
    return count;
}

/* Whether the kernel has completions for which it wants to be entered. */
static bool uring_has_more(struct uring *uring)
{
    return IO_URING_READ_ONCE(*uring->ring.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/*
 * The kernel (6.12 and later) gives out some twenty completions each time it is entered, so
 * that a wait goes on while there are more. Each entry also submits the cancels of those who
 * have had enough; and there is an end to it, since tasks and timers have their turn.
 */
static int uring_wait(struct ed_engine *engine, int64_t timeout)
{
    struct uring *uring = uring_of(engine);
    struct __kernel_timespec limit = {.tv_sec = timeout / ED_SECOND,
                                      .tv_nsec = timeout % ED_SECOND};
    struct io_uring_cqe *cqe;
    unsigned count, taken;
    int rc = 0;

    if (!uring->wake_armed)
        uring_arm_wake(uring);
    if (timeout > 0 && io_uring_cq_ready(&uring->ring) == 0)
        rc = io_uring_submit_and_wait_timeout(&uring->ring, &cqe, 1,
                                              timeout == ED_NEVER ? NULL : &limit, NULL);
    else if (io_uring_sq_ready(&uring->ring) > 0 || uring_has_more(uring))
        rc = io_uring_submit_and_get_events(&uring->ring);
    for (taken = count = uring_reap(uring); count > 0 && taken < URING_REAPED; taken += count) {
        if (!uring_has_more(uring))
            break;
        rc = io_uring_submit_and_get_events(&uring->ring);
        count = uring_reap(uring);
    }
    if (uring->overlooked)
        ed_engine_ask_again(engine);
    uring->overlooked = false;
    return rc >= 0 || rc == -ETIME || rc == -EINTR || rc == -EAGAIN || rc == -EBUSY ? 0 : rc;
}

static void uring_wake(struct ed_engine *engine)
{
    ed_engine_raise_wake(uring_of(engine)->wake_fd);
}

const struct ed_engine_class ed_uring_class = {
    .name = "uring",
    .open = uring_open,
    .close = uring_close,
    .abandon = uring_abandon,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .wait = uring_wait,
    .wake = uring_wake,
};
