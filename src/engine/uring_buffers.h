/* SPDX-License-Identifier: MIT */
/* The buffers that all receiving sockets of one ring share (uring_buffers.c). */
#ifndef ED_ENGINE_URING_BUFFERS_H
#define ED_ENGINE_URING_BUFFERS_H

#include <liburing.h>

#include "base/compat.h"

#define ED_URING_GROUP 0      /* their name to the kernel */
#define ED_URING_BUFFER 4096  /* bytes of one */
#define ED_URING_SLAB 64      /* buffers that are made at once */
#define ED_URING_BUFFERS 4096 /* buffers at most */

struct ed_uring_buffers {
    struct io_uring_buf_ring *ring; /* those that the kernel may fill; NULL: not open */
    char *slabs[ED_URING_BUFFERS / ED_URING_SLAB];
    unsigned slab_count;
};

/* Registers the ring, once, with the first buffers. 0 or a negative error. */
int ed_uring_buffers_open(struct ed_uring_buffers *buffers, struct io_uring *ring);
void ed_uring_buffers_close(struct ed_uring_buffers *buffers, struct io_uring *ring);

/* Twice as many, up to the limit and as far as memory allows. */
void ed_uring_buffers_grow(struct ed_uring_buffers *buffers);

/* The memory of a buffer that the kernel has filled, and its way back. */
char *ed_uring_buffer(const struct ed_uring_buffers *buffers, unsigned number);
void ed_uring_buffers_give_back(struct ed_uring_buffers *buffers, unsigned number);

#endif
