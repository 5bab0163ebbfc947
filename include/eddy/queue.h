/* SPDX-License-Identifier: MIT */
/*
 * Queues between the tasks of one loop: FIFO, LIFO and priority, bounded or
 * not. Items travel by value, all of one size.
 *
 *     EDDY_QUEUE(queue, struct job, 100);
 *     EDDY_TRY(eddy_queue_put(&queue, &job));        in one task
 *     EDDY_TRY(eddy_queue_get(&queue, &job));        in another
 *
 * Waiters are served first come, first served, and handed their item or their
 * slot directly. A cancelled get takes nothing, a cancelled put adds nothing,
 * and no item is ever lost between the two.
 *
 * Memory: FIFO and LIFO queues of up to 32 bytes in all need none; others allocate as they
 * fill, up to maxsize items, and keep it until eddy_queue_deinit.
 */
#ifndef EDDY_QUEUE_H
#define EDDY_QUEUE_H

#include <string.h>

#include "eddy/compat.h"
#include "eddy/scope.h"
#include "eddy/switch.h"

EDDY_BEGIN_DECLS

typedef int eddy_compare(const void *a, const void *b); /* <0, 0, >0, as in qsort */

/* Not movable once used. The first group is what the inline paths read. */
typedef struct eddy_queue {
    size_t item_size;
    size_t room;  /* puts that need no look at anything else: FIFO, no waiters */
    size_t ready; /* gets that need no look at anything else */
    size_t unfinished;
    char *head, *tail, *end; /* of the ring; NULL before the first put */

    char *items;
    size_t capacity; /* items that fit into the ring or heap */
    size_t count;    /* valid while room and ready are 0, see queue.c */
    size_t maxsize;  /* 0: no bound */
    eddy_compare *compare;
    uint64_t sequence; /* keeps equal priorities in order */
    struct eddy_list_ getters, putters, joiners;
    eddy_loop *loop;
    unsigned char kind; /* FIFO, LIFO, priority */
    bool shut;
    char small[32];
} eddy_queue;

#define EDDY_QUEUE_FIFO_ 0
#define EDDY_QUEUE_LIFO_ 1
#define EDDY_QUEUE_PRIORITY_ 2

/* Initialisers: the items' type, and how many fit (0: no bound). In a priority
 * queue the smallest item by `compare` comes first, equal ones in the order in
 * which they were put. */
/* clang-format off */
#define EDDY_QUEUE_INIT(type, max)                                                                 \
    {.item_size = sizeof(type), .maxsize = (max), .kind = EDDY_QUEUE_FIFO_}
/* clang-format on */
/* clang-format off */
#define EDDY_LIFO_QUEUE_INIT(type, max)                                                            \
    {.item_size = sizeof(type), .maxsize = (max), .kind = EDDY_QUEUE_LIFO_}
/* clang-format on */
/* clang-format off */
#define EDDY_PRIORITY_QUEUE_INIT(type, max, order)                                                 \
    {.item_size = sizeof(type), .maxsize = (max), .compare = (order),                              \
     .kind = EDDY_QUEUE_PRIORITY_}
/* clang-format on */

/* The same as functions, for bindings and C++. */
EDDY_API void eddy_queue_init(eddy_queue *queue, size_t item_size, size_t maxsize);
/* See EDDY_LIFO_QUEUE_INIT. */
EDDY_API void eddy_lifo_queue_init(eddy_queue *queue, size_t item_size, size_t maxsize);
/* See EDDY_PRIORITY_QUEUE_INIT. */
EDDY_API void
eddy_priority_queue_init(eddy_queue *queue, size_t item_size, size_t maxsize, eddy_compare *order);

/* Declarations that also free the queue at the end of the block. Declare the
 * queue before the tasks that use it, so that it outlives them. */
#define EDDY_QUEUE(name, type, max)                                                                \
    EDDY_CLEANUP_(eddy_queue_deinit) eddy_queue name = EDDY_QUEUE_INIT(type, max)
#define EDDY_LIFO_QUEUE(name, type, max)                                                           \
    EDDY_CLEANUP_(eddy_queue_deinit) eddy_queue name = EDDY_LIFO_QUEUE_INIT(type, max)
#define EDDY_PRIORITY_QUEUE(name, type, max, order)                                                \
    EDDY_CLEANUP_(eddy_queue_deinit) eddy_queue name = EDDY_PRIORITY_QUEUE_INIT(type, max, order)

/*
 * Adds a copy of *item: eddy_queue_put(&queue, &item). The item's size must be
 * the queue's (abort). Waits while the queue is full.
 *
 * Returns 0, or with nothing added -ESHUTDOWN, -ENOMEM, -ECANCELED, -ETIMEDOUT.
 */
#define eddy_queue_put(queue, ...)                                                                 \
    eddy_queue_put_inline_((queue), (__VA_ARGS__), sizeof *(__VA_ARGS__))
/* The same without waiting: -EAGAIN when the queue is full. */
#define eddy_queue_put_nowait(queue, ...)                                                          \
    eddy_queue_put_item_nowait((queue), (__VA_ARGS__), sizeof *(__VA_ARGS__))

/*
 * Takes the next item: eddy_queue_get(&queue, &item). Waits while the queue is
 * empty.
 *
 * Returns 0, or with nothing taken -ESHUTDOWN once the queue is shut and empty,
 * -ECANCELED, -ETIMEDOUT.
 */
#define eddy_queue_get(queue, out) eddy_queue_get_inline_((queue), (out), sizeof *(out))
/* The same without waiting: -EAGAIN when the queue is empty. */
#define eddy_queue_get_nowait(queue, out) eddy_queue_get_item_nowait((queue), (out), sizeof *(out))

/* The functions under the macros, with the item's size spelled out.
 * Suspends while the queue is full. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_queue_put_item(eddy_queue *queue, const void *item, size_t size);
/* Suspends while the queue is empty. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_queue_get_item(eddy_queue *queue, void *out, size_t size);
/* See eddy_queue_put_nowait. */
EDDY_NODISCARD EDDY_API int
eddy_queue_put_item_nowait(eddy_queue *queue, const void *item, size_t size);
/* See eddy_queue_get_nowait. */
EDDY_NODISCARD EDDY_API int eddy_queue_get_item_nowait(eddy_queue *queue, void *out, size_t size);

/* Says that an item that was got is dealt with. -EOVERFLOW, and no effect, when
 * said more often than items were put. */
EDDY_API int eddy_queue_task_done(eddy_queue *queue);

/* Waits until task_done was said for every item put. Suspends while some are
 * unfinished. Returns 0, -ECANCELED or -ETIMEDOUT. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_queue_join(eddy_queue *queue);

/*
 * Closes the queue for good: puts fail with -ESHUTDOWN, those that wait too;
 * gets drain what is left, then fail. With `immediate` what is left is dropped
 * and counted as done. Idempotent; an immediate one may follow.
 */
EDDY_API void eddy_queue_shutdown(eddy_queue *queue, bool immediate);

EDDY_API size_t eddy_queue_size(const eddy_queue *queue); /* Items in it now. */
EDDY_API bool eddy_queue_empty(const eddy_queue *queue);  /* Whether there are none. */
/* Whether maxsize is reached; never for a queue without a bound. */
EDDY_API bool eddy_queue_full(const eddy_queue *queue);

/* Frees the queue's memory and what is left in it. No task may wait (abort). */
EDDY_API void eddy_queue_deinit(eddy_queue *queue);

/* The functions under the inline paths: put and get, but a wait is only begun, and
 * 1 returned; the caller switches. */
EDDY_API int eddy_queue_put_begin_(eddy_queue *queue, const void *item, size_t size);
EDDY_API int eddy_queue_get_begin_(eddy_queue *queue, void *out, size_t size);

/* put and get where neither has to wait, wake or allocate; else the functions. */
EDDY_NODISCARD static inline int
eddy_queue_put_inline_(eddy_queue *queue, const void *item, size_t size)
{
    if (EDDY_LIKELY_(queue->room > 0 && eddy_thread_.credit > 0 && size == queue->item_size)) {
        eddy_thread_.credit--;
        queue->room--;
        queue->ready++;
        queue->unfinished++;
        memcpy(queue->tail, item, size);
        queue->tail += size;
        if (queue->tail == queue->end)
            queue->tail = queue->items;
        return 0;
    }
    if (EDDY_SWITCH_INLINE_) {
        int rc = eddy_queue_put_begin_(queue, item, size);

        return EDDY_LIKELY_(rc <= 0) ? rc : eddy_switch_begun_()->rc;
    }
    return eddy_queue_put_item(queue, item, size);
}

EDDY_NODISCARD static inline int eddy_queue_get_inline_(eddy_queue *queue, void *out, size_t size)
{
    if (EDDY_LIKELY_(queue->ready > 0 && eddy_thread_.credit > 0 && size == queue->item_size)) {
        eddy_thread_.credit--;
        queue->ready--;
        queue->room++;
        memcpy(out, queue->head, size);
        queue->head += size;
        if (queue->head == queue->end)
            queue->head = queue->items;
        return 0;
    }
    if (EDDY_SWITCH_INLINE_) {
        int rc = eddy_queue_get_begin_(queue, out, size);

        return EDDY_LIKELY_(rc <= 0) ? rc : eddy_switch_begun_()->rc;
    }
    return eddy_queue_get_item(queue, out, size);
}

EDDY_END_DECLS
#endif
