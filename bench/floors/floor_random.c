/* SPDX-License-Identifier: MIT */
/*
 * The bare io_uring loop for random reads: `depth` of them in flight, each with a buffer of its
 * own, from a registered file. One io_uring_enter submits what the last batch of completions has
 * freed and waits for the first that comes. Reads of what is in the page cache complete while
 * they are submitted.
 */
#include <fcntl.h>
#include <liburing.h>

#include "contest/stopwatch.h"
#include "file/work.h"

#define DEPTH_MAX 1024

static struct io_uring ring;
static char *buffers;
static uint32_t blocks[DEPTH_MAX]; /* that are being read; the user data is the index */
static uint32_t block;             /* that is read next */

static void start_read(unsigned index)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    io_uring_prep_read(sqe, 0, buffers + (size_t)index * BLOCK, BLOCK, (uint64_t)block * BLOCK);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, index);
    blocks[index] = block;
    block = block_behind(block);
}

/* Takes all completions; each starts the next read while there is one. Returns how many. */
static unsigned take(unsigned *to_start)
{
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;

    io_uring_for_each_cqe(&ring, head, cqe)
    {
        unsigned index = (unsigned)cqe->user_data;

        if (cqe->res != BLOCK)
            fail("read", cqe->res < 0 ? -cqe->res : EPROTO);
        block_check(buffers + (size_t)index * BLOCK, blocks[index]);
        if (*to_start > 0) {
            --*to_start;
            start_read(index);
        }
        count++;
    }
    io_uring_cq_advance(&ring, count);
    return count;
}

static void set_up(unsigned depth)
{
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
    };
    int fd = open("big", O_RDONLY | O_CLOEXEC);
    int rc = io_uring_queue_init_params(depth, &ring, &parameters);

    if (fd < 0)
        fail("big", errno);
    if (rc < 0 || (rc = io_uring_register_files(&ring, &fd, 1)) < 0 ||
        (rc = io_uring_register_ring_fd(&ring)) < 0)
        fail("io_uring", -rc);
    buffers = aligned_alloc(BLOCK, (size_t)depth * BLOCK);
    if (!buffers)
        fail("aligned_alloc", ENOMEM);
}

int main(int argc, char **argv)
{
    struct order order = order_parse(argc, argv);
    unsigned to_start = order.count - order.depth, left = order.count;

    if (order.depth == 0 || order.depth > DEPTH_MAX || order.depth > order.count)
        fail("DEPTH", EINVAL);
    set_up(order.depth);
    struct stopwatch start = stopwatch_start();
    for (unsigned i = 0; i < order.depth; i++)
        start_read(i);
    while (left > 0) {
        int rc = io_uring_submit_and_wait(&ring, 1);

        if (rc < 0 && rc != -EINTR)
            fail("io_uring_enter", -rc);
        left -= take(&to_start);
    }
    stopwatch_report(&start, order.count, 0);
    return 0;
}
