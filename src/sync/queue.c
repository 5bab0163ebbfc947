/* SPDX-License-Identifier: MIT */
/*
 * Queues between the tasks of one loop.
 *
 * Everything rests on this: getters wait only while the queue is empty, putters
 * only while it is full, so at most one of the lists is non-empty. Whoever wakes
 * a waiter has already given it its item, or taken its item in; a woken task
 * never looks again, and nobody overtakes it. Cancelling a waiter unlinks it
 * first; if the hand-off came first, the call succeeds.
 *
 * A FIFO queue without waiters is open: the inline put and get of eddy/queue.h
 * work on the ring alone, by `room` and `ready`. The functions here close it
 * first, which moves `ready` into `count`, and open it again if they may. So the
 * number of items is count + ready at any time.
 */
#include "eddy/queue.h"

#include <errno.h>

#include "base/die.h"
#include "base/heap.h"
#include "base/memory.h"
#include "task/park.h"

/* memcpy for what most items are: a word, without the call. */
ED_INLINE void queue_copy(void *to, const void *from, size_t size)
{
    if (ed_likely(size == 8))
        memcpy(to, from, 8);
    else if (size == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, size);
}

ED_INLINE void queue_close(eddy_queue *queue)
{
    queue->count += queue->ready;
    queue->ready = queue->room = 0;
}

static size_t queue_limit(const eddy_queue *queue)
{
    return queue->maxsize && queue->maxsize < queue->capacity ? queue->maxsize : queue->capacity;
}

/* Opens the queue for the inline paths, if nothing else need be looked at. */
ED_INLINE void queue_open(eddy_queue *queue)
{
    if (queue->kind != EDDY_QUEUE_FIFO_ || queue->shut || queue->getters.first ||
        queue->putters.first)
        return;
    queue->room = queue_limit(queue) - queue->count;
    queue->ready = queue->count;
    queue->count = 0;
}

static size_t queue_stride(const eddy_queue *queue)
{
    return queue->kind == EDDY_QUEUE_PRIORITY_ ? ed_heap_stride(queue->item_size)
                                               : queue->item_size;
}

/* Lays the items out from the start of `items`, which has room for them. */
static void queue_move(eddy_queue *queue, char *items, size_t capacity)
{
    size_t size = queue_stride(queue), used = queue->count * size;
    size_t first =
        queue->kind == EDDY_QUEUE_FIFO_ && queue->items ? (size_t)(queue->end - queue->head) : used;

    if (first > used)
        first = used;
    if (used) {
        memcpy(items, queue->kind == EDDY_QUEUE_FIFO_ ? queue->head : queue->items, first);
        memcpy(items + first, queue->items, used - first);
    }
    if (queue->items != queue->small)
        ed_free(queue->items);
    queue->items = queue->head = items;
    queue->capacity = capacity;
    queue->end = items + capacity * size;
    queue->tail = used == capacity * size ? items : items + used;
}

/* Makes room for one more item; 0 or -ENOMEM. */
static ED_NOINLINE int queue_grow(eddy_queue *queue)
{
    size_t stride = queue_stride(queue), capacity = queue->capacity * 2;
    size_t fit;
    char *items;

    if (queue->item_size == 0)
        ed_die("a queue of items without a size");
    fit = queue->kind == EDDY_QUEUE_PRIORITY_ ? 0 : sizeof queue->small / stride;
    if (queue->kind == EDDY_QUEUE_PRIORITY_ && !queue->compare)
        ed_die("a priority queue has no function that compares its items");
    if (capacity < 8)
        capacity = 8;
    if (queue->maxsize && capacity > queue->maxsize)
        capacity = queue->maxsize;
    if (!queue->items && fit > 0 && (capacity <= fit || !queue->maxsize)) {
        queue_move(queue, queue->small, fit);
        return 0;
    }
    if (capacity > SIZE_MAX / 4 / stride)
        return -ENOMEM;
    items = ed_alloc(capacity * stride);
    if (!items)
        return -ENOMEM;
    queue_move(queue, items, capacity);
    return 0;
}

/* Puts an item in; there is room. */
ED_INLINE void queue_store(eddy_queue *queue, const void *item)
{
    size_t size = queue->item_size;

    switch (queue->kind) {
    case EDDY_QUEUE_FIFO_:
        queue_copy(queue->tail, item, size);
        queue->tail += size;
        if (queue->tail == queue->end)
            queue->tail = queue->items;
        break;
    case EDDY_QUEUE_LIFO_: memcpy(queue->items + queue->count * size, item, size); break;
    default:
        ed_heap_push(queue->items, queue->count, size, item, queue->sequence++, queue->compare);
    }
    queue->count++;
    queue->unfinished++;
}

/* Takes the next item out; there is one. */
ED_INLINE void queue_fetch(eddy_queue *queue, void *out)
{
    size_t size = queue->item_size;

    switch (queue->kind) {
    case EDDY_QUEUE_FIFO_:
        queue_copy(out, queue->head, size);
        queue->head += size;
        if (queue->head == queue->end)
            queue->head = queue->items;
        break;
    case EDDY_QUEUE_LIFO_: memcpy(out, queue->items + (queue->count - 1) * size, size); break;
    default: ed_heap_pop(queue->items, queue->count, size, out, queue->compare);
    }
    queue->count--;
}

static bool queue_abort_wait(struct ed_wait *wait)
{
    eddy_queue *queue = (eddy_queue *)(uintptr_t)wait->object;

    ed_list_remove(wait->list, &wait->link);
    queue_close(queue);
    queue_open(queue);
    return true;
}

static const struct ed_wait_kind queue_get_kind = {"queue.get", queue_abort_wait, NULL};
static const struct ed_wait_kind queue_put_kind = {"queue.put", queue_abort_wait, NULL};
static const struct ed_wait_kind queue_join_kind = {"queue.join", NULL, NULL};

/* Sets up a wait in a list of the queue's; `item` is a getter's place for the item,
 * or a putter's item. */
ED_INLINE void queue_wait_in(eddy_queue *queue, struct ed_wait *wait,
                             const struct ed_wait_kind *kind, struct eddy_list_ *list, void *item)
{
    *wait = (struct ed_wait)ED_WAIT(kind, queue, list);
    wait->data = item;
    if (!queue->getters.first && !queue->putters.first && !queue->joiners.first)
        queue->loop = eddy_thread_.loop;
    else if (ed_unlikely(queue->loop != eddy_thread_.loop))
        ed_die("%s: tasks of two loops wait for one queue, which is not thread-safe", kind->name);
}

static int
queue_wait(eddy_queue *queue, const struct ed_wait_kind *kind, struct eddy_list_ *list, void *item)
{
    struct ed_wait wait;

    queue_wait_in(queue, &wait, kind, list, item);
    return ed_park(&wait);
}

/* The same for the inline paths, which make the switch. */
ED_INLINE int queue_wait_begin(eddy_queue *queue, const struct ed_wait_kind *kind,
                               struct eddy_list_ *list, void *item)
{
    struct ed_wait *wait = &eddy_thread_.task->own_wait;

    queue_wait_in(queue, wait, kind, list, item);
    ed_list_append(list, &wait->link);
    ed_park_begin(wait);
    return 1;
}

/* The first waiter of a list, taken out; NULL if there is none. */
ED_INLINE struct ed_wait *queue_take_waiter(eddy_queue *queue, struct eddy_list_ *list)
{
    struct eddy_link_ *link = ed_list_pop(list);

    if (!link)
        return NULL;
    if (ed_unlikely(queue->loop != eddy_thread_.loop))
        ed_die("a queue is used from another thread than its waiters'; use a threadsafe future "
               "or eddy_loop_call_soon_threadsafe");
    return ed_container_of(link, struct ed_wait, link);
}

static void queue_wake_all(eddy_queue *queue, struct eddy_list_ *list, int rc)
{
    struct ed_wait *wait;

    while ((wait = queue_take_waiter(queue, list)))
        ed_wake(wait, rc);
}

static void queue_check_size(const eddy_queue *queue, size_t size)
{
    if (ed_unlikely(size != queue->item_size))
        ed_die("a queue of items of %zu bytes was given or asked for one of %zu", queue->item_size,
               size);
}

/* Adds an item to the closed queue; -EAGAIN when it is full. */
ED_INLINE int queue_put_now(eddy_queue *queue, const void *item)
{
    struct ed_wait *getter;
    int rc;

    if (queue->shut)
        return -ESHUTDOWN;
    getter = queue_take_waiter(queue, &queue->getters);
    if (getter) {
        queue_copy(getter->data, item, queue->item_size);
        queue->unfinished++;
        ed_wake(getter, 0);
        return 0;
    }
    if (queue->maxsize && queue->count >= queue->maxsize)
        return -EAGAIN;
    rc = ed_likely(queue->count < queue->capacity) ? 0 : queue_grow(queue);
    if (rc == 0)
        queue_store(queue, item);
    return rc;
}

/* Takes an item from the closed queue; -EAGAIN when it is empty. */
ED_INLINE int queue_get_now(eddy_queue *queue, void *out)
{
    struct ed_wait *putter;

    if (queue->count == 0)
        return queue->shut ? -ESHUTDOWN : -EAGAIN;
    queue_fetch(queue, out);
    putter = queue_take_waiter(queue, &queue->putters);
    if (putter) {
        queue_store(queue, putter->data); /* into the room just made */
        ed_wake(putter, 0);
    }
    return 0;
}

int eddy_queue_put_begin_(eddy_queue *queue, const void *item, size_t size)
{
    int rc = ed_checkpoint();

    if (ed_unlikely(rc < 0))
        return rc;
    queue_check_size(queue, size);
    queue_close(queue);
    rc = queue_put_now(queue, item);
    if (rc == -EAGAIN)
        return queue_wait_begin(queue, &queue_put_kind, &queue->putters, (void *)(uintptr_t)item);
    queue_open(queue);
    return ed_unlikely(rc < 0) ? ed_fail(rc) : 0;
}

int eddy_queue_get_begin_(eddy_queue *queue, void *out, size_t size)
{
    int rc = ed_checkpoint();

    if (ed_unlikely(rc < 0))
        return rc;
    queue_check_size(queue, size);
    queue_close(queue);
    rc = queue_get_now(queue, out);
    if (rc == -EAGAIN)
        return queue_wait_begin(queue, &queue_get_kind, &queue->getters, out);
    queue_open(queue);
    return ed_unlikely(rc < 0) ? ed_fail(rc) : 0;
}

/* Without the inline switch the wait lies on the stack as any other. */
int eddy_queue_put_item(eddy_queue *queue, const void *item, size_t size)
{
    int rc = ed_checkpoint();

    if (rc == 0)
        rc = eddy_queue_put_item_nowait(queue, item, size);
    if (rc != -EAGAIN)
        return rc;
    queue_close(queue);
    return queue_wait(queue, &queue_put_kind, &queue->putters, (void *)(uintptr_t)item);
}

int eddy_queue_get_item(eddy_queue *queue, void *out, size_t size)
{
    int rc = ed_checkpoint();

    if (rc == 0)
        rc = eddy_queue_get_item_nowait(queue, out, size);
    if (rc != -EAGAIN)
        return rc;
    queue_close(queue);
    return queue_wait(queue, &queue_get_kind, &queue->getters, out);
}

int eddy_queue_put_item_nowait(eddy_queue *queue, const void *item, size_t size)
{
    int rc;

    queue_check_size(queue, size);
    queue_close(queue);
    rc = queue_put_now(queue, item);
    queue_open(queue);
    return rc < 0 ? ed_fail(rc) : 0;
}

int eddy_queue_get_item_nowait(eddy_queue *queue, void *out, size_t size)
{
    int rc;

    queue_check_size(queue, size);
    queue_close(queue);
    rc = queue_get_now(queue, out);
    queue_open(queue);
    return rc < 0 ? ed_fail(rc) : 0;
}

int eddy_queue_task_done(eddy_queue *queue)
{
    if (queue->unfinished == 0)
        return ed_raise(-EOVERFLOW, "eddy_queue_task_done: called more often than items were put");
    if (--queue->unfinished == 0)
        queue_wake_all(queue, &queue->joiners, 0);
    return 0;
}

int eddy_queue_join(eddy_queue *queue)
{
    int rc = ed_checkpoint();

    if (rc < 0 || queue->unfinished == 0)
        return rc;
    return queue_wait(queue, &queue_join_kind, &queue->joiners, NULL);
}

void eddy_queue_shutdown(eddy_queue *queue, bool immediate)
{
    queue_close(queue);
    queue->shut = true;
    queue_wake_all(queue, &queue->putters, -ESHUTDOWN);
    if (immediate && queue->count) {
        queue->unfinished -= queue->count;
        queue->count = 0;
        queue->head = queue->tail = queue->items;
        if (queue->unfinished == 0)
            queue_wake_all(queue, &queue->joiners, 0);
    }
    if (queue->count == 0)
        queue_wake_all(queue, &queue->getters, -ESHUTDOWN);
}

void eddy_queue_init(eddy_queue *queue, size_t item_size, size_t maxsize)
{
    *queue = (eddy_queue){.item_size = item_size, .maxsize = maxsize, .kind = EDDY_QUEUE_FIFO_};
}

void eddy_lifo_queue_init(eddy_queue *queue, size_t item_size, size_t maxsize)
{
    *queue = (eddy_queue){.item_size = item_size, .maxsize = maxsize, .kind = EDDY_QUEUE_LIFO_};
}

void eddy_priority_queue_init(eddy_queue *queue, size_t item_size, size_t maxsize,
                              eddy_compare *order)
{
    *queue = (eddy_queue){
        .item_size = item_size, .maxsize = maxsize, .compare = order, .kind = EDDY_QUEUE_PRIORITY_};
}

size_t eddy_queue_size(const eddy_queue *queue)
{
    return queue->count + queue->ready;
}

bool eddy_queue_empty(const eddy_queue *queue)
{
    return eddy_queue_size(queue) == 0;
}

bool eddy_queue_full(const eddy_queue *queue)
{
    return queue->maxsize && eddy_queue_size(queue) >= queue->maxsize;
}

void eddy_queue_deinit(eddy_queue *queue)
{
    if (queue->getters.first || queue->putters.first || queue->joiners.first)
        ed_die("a queue is freed while a task waits in it: declare it before its tasks");
    if (queue->items != queue->small)
        ed_free(queue->items);
    queue->items = queue->head = queue->tail = queue->end = NULL;
    queue->count = queue->ready = queue->room = queue->capacity = 0;
}
