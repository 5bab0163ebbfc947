/* SPDX-License-Identifier: MIT */
/*
 * The heap: an array of equal elements, the smallest first, of which those that
 * compare equal come out in the order in which they went in.
 */
#ifndef ED_BASE_HEAP_H
#define ED_BASE_HEAP_H

#include "base/compat.h"

/* Bytes that one element of `size` bytes takes up in the array, which must be
 * aligned to 16. */
ED_INLINE size_t ed_heap_stride(size_t size)
{
    return ((size + 7) & ~(size_t)7) + 8 + 8 * (((size + 7) / 8 + 1) % 2);
}

/* Adds a copy of *item to `count` elements; there must be room for one more. */
void ed_heap_push(char *elements, size_t count, size_t size, const void *item, uint64_t sequence,
                  int (*compare)(const void *, const void *));

/* Copies the first of `count` elements out, and removes it. */
void ed_heap_pop(char *elements, size_t count, size_t size, void *out,
                 int (*compare)(const void *, const void *));

#endif
