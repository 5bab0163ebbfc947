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
 * user_data is the operation's address; 0 marks a cancel request, whose own
 * completion nobody waits for, and WAKE the poll of the eventfd behind wake.
 * That poll is renewed each time it fires.
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

#define URING_ENTRIES 256 /* of the submission ring; the completion ring has 4 times that */
#define URING_WAKE ((uint64_t)1)

struct uring {
    struct ed_engine engine;
    struct io_uring ring;
    int wake_fd;
    bool wake_armed;
};

static struct uring *uring_of(struct ed_engine *engine)
{
    return ed_container_of(engine, struct uring, engine);
}

/* A free submission entry; makes room by submitting when the ring is full. */
static struct io_uring_sqe *uring_sqe(struct uring *uring)
{
    struct io_uring_sqe *sqe;

    while (!(sqe = io_uring_get_sqe(&uring->ring))) {
        int rc = io_uring_submit(&uring->ring);

        if (rc == -EBUSY || rc == -EAGAIN)
            rc = io_uring_get_events(&uring->ring); /* room for completions first */
        if (rc < 0 && rc != -EINTR && rc != -EBUSY && rc != -EAGAIN)
            ed_die("io_uring: the submission ring does not drain: %s", eddy_strerror(rc));
    }
    return sqe;
}

static int uring_setup(struct io_uring *ring)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
        .cq_entries = URING_ENTRIES * 4,
    };
    int rc = io_uring_queue_init_params(URING_ENTRIES, ring, &params);

    if (rc < 0)
        return rc;
    if (!(params.features & IORING_FEAT_NODROP) || !(params.features & IORING_FEAT_EXT_ARG)) {
        io_uring_queue_exit(ring);
        return -EINVAL;
    }
    io_uring_ring_dontfork(ring);
    rc = io_uring_get_events(ring); /* a filter may allow the set-up only */
    if (rc < 0 && rc != -EINTR) {
        io_uring_queue_exit(ring);
        return rc;
    }
    return 0;
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

static void uring_submit(struct ed_engine *engine, struct ed_op *op)
{
    struct io_uring_sqe *sqe = uring_sqe(uring_of(engine));

    switch (op->kind) {
    case ED_OP_NOP: io_uring_prep_nop(sqe); break;
    case ED_OP_POLL: io_uring_prep_poll_add(sqe, op->fd, op->events); break;
    }
    io_uring_sqe_set_data(sqe, op);
}

static void uring_cancel(struct ed_engine *engine, struct ed_op *op)
{
    struct io_uring_sqe *sqe = uring_sqe(uring_of(engine));

    io_uring_prep_cancel(sqe, op, 0);
    io_uring_sqe_set_data64(sqe, 0);
}

static void uring_arm_wake(struct uring *uring)
{
    struct io_uring_sqe *sqe = uring_sqe(uring);

    io_uring_prep_poll_add(sqe, uring->wake_fd, POLLIN);
    io_uring_sqe_set_data64(sqe, URING_WAKE);
    uring->wake_armed = true;
}

static void uring_reap(struct uring *uring)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&uring->ring, &cqe) == 0) {
        uint64_t data = io_uring_cqe_get_data64(cqe);
        int result = cqe->res;

        io_uring_cqe_seen(&uring->ring, cqe);
        if (data == URING_WAKE) {
            uint64_t count;

            uring->wake_armed = false;
            if (read(uring->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
                ed_die("eventfd: %s", eddy_strerror(-errno));
        } else if (data != 0) {
            ed_engine_complete(&uring->engine, (struct ed_op *)(uintptr_t)data, result);
        }
    }
}

/* Whether entering the kernel would do anything for a wait that does not sleep. */
static bool uring_has_work(struct uring *uring)
{
    return io_uring_sq_ready(&uring->ring) > 0 || io_uring_cq_has_overflow(&uring->ring) ||
           (IO_URING_READ_ONCE(*uring->ring.sq.kflags) & IORING_SQ_TASKRUN);
}

static int uring_wait(struct ed_engine *engine, int64_t timeout)
{
    struct uring *uring = uring_of(engine);
    struct __kernel_timespec limit = {.tv_sec = timeout / ED_SECOND,
                                      .tv_nsec = timeout % ED_SECOND};
    struct io_uring_cqe *cqe;
    int rc = 0;

    if (!uring->wake_armed)
        uring_arm_wake(uring);
    if (timeout > 0 && io_uring_cq_ready(&uring->ring) == 0)
        rc = io_uring_submit_and_wait_timeout(&uring->ring, &cqe, 1,
                                              timeout == ED_NEVER ? NULL : &limit, NULL);
    else if (uring_has_work(uring))
        rc = io_uring_submit_and_get_events(&uring->ring);
    uring_reap(uring);
    return rc >= 0 || rc == -ETIME || rc == -EINTR || rc == -EAGAIN || rc == -EBUSY ? 0 : rc;
}

static void uring_wake(struct ed_engine *engine)
{
    uint64_t one = 1;

    /* EAGAIN: the counter is full, so that a wake is pending anyway. */
    if (write(uring_of(engine)->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        ed_die("eventfd: %s", eddy_strerror(-errno));
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
