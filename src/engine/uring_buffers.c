/* SPDX-License-Identifier: MIT */
/*
 * Buffers that the kernel chooses from when bytes have come (io_uring_register_buf_ring(3)).
 *
 * A buffer is either in the ring, the kernel's, or inside one call of an operation's done,
 * after which it goes back. So there are always enough, unless more connections have news at
 * once than there are buffers: then the kernel says ENOBUFS, and there are twice as many from
 * then on.
 *
 * Buffers stand 4,160 bytes apart: with 4,096 the first bytes of all would share a few lines
 * of the cache.
 */
#include "engine/uring_buffers.h"

#include <errno.h>

#include "base/memory.h"

#define BUFFER_STRIDE (ED_URING_BUFFER + 64)
#define BUFFER_SLAB_SIZE ((size_t)512 * 1024)
#define BUFFER_RING_SIZE (ED_URING_BUFFERS * sizeof(struct io_uring_buf))

_Static_assert((size_t)BUFFER_STRIDE *ED_URING_SLAB <= BUFFER_SLAB_SIZE, "a slab holds them");

/* Makes one more slab, and gives its buffers to the kernel. */
static int buffers_add_slab(struct ed_uring_buffers *buffers)
{
    unsigned first = buffers->slab_count * ED_URING_SLAB;
    char *slab = ed_map(BUFFER_SLAB_SIZE, 4096);

    if (!slab)
        return -ENOMEM;
    buffers->slabs[buffers->slab_count++] = slab;
    for (unsigned i = 0; i < ED_URING_SLAB; i++)
        ed_uring_buffers_give_back(buffers, first + i);
    return 0;
}

int ed_uring_buffers_open(struct ed_uring_buffers *buffers, struct io_uring *ring)
{
    struct io_uring_buf_reg registration = {.ring_entries = ED_URING_BUFFERS,
                                            .bgid = ED_URING_GROUP};
    int rc;

    if (buffers->ring)
        return 0;
    buffers->ring = ed_map(BUFFER_RING_SIZE, 4096);
    if (!buffers->ring)
        return -ENOMEM;
    io_uring_buf_ring_init(buffers->ring);
    registration.ring_addr = (uintptr_t)buffers->ring;
    rc = io_uring_register_buf_ring(ring, &registration, 0);
    if (rc == 0)
        rc = buffers_add_slab(buffers);
    else {
        ed_unmap(buffers->ring, BUFFER_RING_SIZE);
        buffers->ring = NULL;
    }
    if (rc < 0)
        ed_uring_buffers_close(buffers, ring);
    return rc;
}

void ed_uring_buffers_close(struct ed_uring_buffers *buffers, struct io_uring *ring)
{
    if (!buffers->ring)
        return;
    (void)io_uring_unregister_buf_ring(ring, ED_URING_GROUP); /* the ring goes as well */
    for (unsigned i = 0; i < buffers->slab_count; i++)
        ed_unmap(buffers->slabs[i], BUFFER_SLAB_SIZE);
    ed_unmap(buffers->ring, BUFFER_RING_SIZE);
    buffers->ring = NULL;
    buffers->slab_count = 0;
}

void ed_uring_buffers_grow(struct ed_uring_buffers *buffers)
{
    unsigned wanted = buffers->slab_count * 2;

    while (buffers->slab_count < wanted && buffers->slab_count < ED_ARRAY_LENGTH(buffers->slabs))
        if (buffers_add_slab(buffers) < 0)
            return; /* those that are there come round */
}

char *ed_uring_buffer(const struct ed_uring_buffers *buffers, unsigned number)
{
    return buffers->slabs[number / ED_URING_SLAB] +
           (size_t)(number % ED_URING_SLAB) * BUFFER_STRIDE;
}

void ed_uring_buffers_give_back(struct ed_uring_buffers *buffers, unsigned number)
{
    io_uring_buf_ring_add(buffers->ring, ed_uring_buffer(buffers, number), ED_URING_BUFFER,
                          (unsigned short)number, ED_URING_BUFFERS - 1, 0);
    io_uring_buf_ring_advance(buffers->ring, 1);
}
