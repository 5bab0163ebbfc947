/* SPDX-License-Identifier: MIT */
/*
 * Byte buffers. The bytes stand between `start` and `end` of one block.
 *
 * When the room behind them is too small they move to the front of the block, but only if
 * at least half as many bytes were consumed in front of them, so that each consumed byte pays
 * for two that move; else to a block of twice the size. So a byte moves a bounded number of
 * times, however small the pieces are that come and go.
 *
 * Spare blocks are a stack in the thread, linked through their first word. They are kept only
 * while a loop runs in it, since what is given back behind its end would stay. Under a checker
 * there are none, so that it sees who uses a block too late.
 */
#include "base/buffer.h"

#include <errno.h>
#include <string.h>

#include "base/flight.h"
#include "base/memory.h"

struct buffer_spare {
    struct buffer_spare *next;
};

static __thread struct {
    struct buffer_spare *first;
    unsigned count;
} spares __attribute__((tls_model("initial-exec")));

static char *buffer_new_block(size_t size)
{
    struct buffer_spare *spare = spares.first;

    if (size != ED_BUFFER_BLOCK || !spare)
        return ed_alloc(size);
    spares.first = spare->next;
    spares.count--;
    return (char *)spare;
}

static void buffer_free_block(char *block, size_t size)
{
    struct buffer_spare *spare = (void *)block;

    if (size != ED_BUFFER_BLOCK || spares.count >= ED_BUFFER_SPARE || !eddy_thread_.loop ||
        ED_WATCHED || ed_memory_guarded()) {
        ed_free(block);
        return;
    }
    ed_flight_check(block, size, "given back", EDDY_HERE_);
    spare->next = spares.first;
    spares.first = spare;
    spares.count++;
}

void ed_buffers_trim(void)
{
    struct buffer_spare *spare;

    while ((spare = spares.first)) {
        spares.first = spare->next;
        ed_free(spare);
    }
    spares.count = 0;
}

void eddy_buffer_release_(struct eddy_buffer_ *buffer)
{
    if (buffer->data)
        buffer_free_block(buffer->data, buffer->capacity);
    *buffer = (struct eddy_buffer_){.data = NULL};
}

/* Moves the bytes to a block of at least `wanted` bytes, `front` bytes behind its start. */
static int buffer_move(struct eddy_buffer_ *buffer, size_t wanted, size_t front)
{
    size_t capacity = ED_BUFFER_BLOCK, size = ed_buffer_size(buffer);
    char *block;

    if (wanted > SIZE_MAX / 4)
        return -ENOMEM;
    while (capacity < wanted)
        capacity *= 2;
    block = buffer_new_block(capacity);
    if (!block)
        return -ENOMEM;
    if (size)
        memcpy(block + front, ed_buffer_bytes(buffer), size);
    ed_buffer_release(buffer);
    *buffer = (struct eddy_buffer_){
        .data = block, .start = front, .end = front + size, .capacity = capacity};
    return 0;
}

int eddy_buffer_reserve_(struct eddy_buffer_ *buffer, size_t size)
{
    size_t used = ed_buffer_size(buffer);

    if (size <= ed_buffer_room(buffer))
        return 0;
    if (size <= buffer->capacity - used && buffer->start >= used / 2) {
        memmove(buffer->data, buffer->data + buffer->start, used);
        buffer->start = 0;
        buffer->end = used;
        return 0;
    }
    if (size > SIZE_MAX / 4)
        return -ENOMEM;
    return buffer_move(buffer, used + (size > used ? size : used), 0);
}

int eddy_buffer_append_(struct eddy_buffer_ *buffer, const void *data, size_t size)
{
    int rc = size ? ed_buffer_reserve(buffer, size) : 0;

    if (rc < 0 || size == 0)
        return rc;
    memcpy(buffer->data + buffer->end, data, size);
    buffer->end += size;
    return 0;
}

int eddy_buffer_prepend_(struct eddy_buffer_ *buffer, const void *data, size_t size)
{
    size_t used = ed_buffer_size(buffer);
    int rc = 0;

    if (size == 0)
        return 0;
    if (size > buffer->start)
        rc = size > SIZE_MAX / 4 ? -ENOMEM : buffer_move(buffer, used + size, size);
    if (rc < 0)
        return rc;
    buffer->start -= size;
    memcpy(buffer->data + buffer->start, data, size);
    return 0;
}

void eddy_buffer_take_(struct eddy_buffer_ *to, struct eddy_buffer_ *from)
{
    ed_buffer_release(to);
    *to = *from;
    *from = (struct eddy_buffer_){.data = NULL};
}

char *eddy_buffer_hand_over_(struct eddy_buffer_ *buffer)
{
    char *block = buffer->data;

    if (buffer->start > 0)
        memmove(block, block + buffer->start, ed_buffer_size(buffer));
    *buffer = (struct eddy_buffer_){.data = NULL};
    return block;
}
