/* SPDX-License-Identifier: MIT */
/*
 * A binary heap. Behind each element stands the number of its push, which decides
 * between equal ones.
 */
#include "base/heap.h"

#include <string.h>

struct heap {
    char *elements;
    size_t size, stride;
    int (*compare)(const void *, const void *);
};

static char *heap_at(const struct heap *heap, size_t index)
{
    return heap->elements + index * heap->stride;
}

static uint64_t *heap_sequence(const struct heap *heap, char *element)
{
    return (uint64_t *)(void *)(element + ((heap->size + 7) & ~(size_t)7));
}

static bool heap_less(const struct heap *heap, char *a, char *b)
{
    int order = heap->compare(a, b);

    return order < 0 || (order == 0 && *heap_sequence(heap, a) < *heap_sequence(heap, b));
}

static void heap_swap(const struct heap *heap, char *a, char *b)
{
    for (size_t i = 0; i < heap->stride; i += 8) {
        char word[8];

        memcpy(word, a + i, 8);
        memcpy(a + i, b + i, 8);
        memcpy(b + i, word, 8);
    }
}

void ed_heap_push(char *elements, size_t count, size_t size, const void *item, uint64_t sequence,
                  int (*compare)(const void *, const void *))
{
    struct heap heap = {elements, size, ed_heap_stride(size), compare};
    size_t index = count;

    memcpy(heap_at(&heap, index), item, size);
    *heap_sequence(&heap, heap_at(&heap, index)) = sequence;
    while (index > 0 && heap_less(&heap, heap_at(&heap, index), heap_at(&heap, (index - 1) / 2))) {
        heap_swap(&heap, heap_at(&heap, index), heap_at(&heap, (index - 1) / 2));
        index = (index - 1) / 2;
    }
}

void ed_heap_pop(char *elements, size_t count, size_t size, void *out,
                 int (*compare)(const void *, const void *))
{
    struct heap heap = {elements, size, ed_heap_stride(size), compare};
    size_t index = 0;

    memcpy(out, elements, size);
    memmove(elements, heap_at(&heap, --count), heap.stride);
    for (;;) {
        size_t least = index, left = 2 * index + 1;

        if (left < count && heap_less(&heap, heap_at(&heap, left), heap_at(&heap, least)))
            least = left;
        if (left + 1 < count && heap_less(&heap, heap_at(&heap, left + 1), heap_at(&heap, least)))
            least = left + 1;
        if (least == index)
            return;
        heap_swap(&heap, heap_at(&heap, index), heap_at(&heap, least));
        index = least;
    }
}
