/* SPDX-License-Identifier: MIT */
/*
 * Counted memory. Each block carries its size in front, so that bytes can be
 * counted without asking the C library.
 */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"

/* In front of each block; keeps malloc's alignment. */
struct memory_block {
    _Alignas(max_align_t) size_t size;
};

static size_t memory_blocks, memory_bytes; /* atomic */

static void *memory_count(struct memory_block *block, size_t size)
{
    if (!block)
        return NULL;
    block->size = size;
    __atomic_add_fetch(&memory_blocks, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&memory_bytes, size, __ATOMIC_RELAXED);
    return block + 1;
}

static void memory_uncount(size_t size)
{
    __atomic_sub_fetch(&memory_blocks, 1, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&memory_bytes, size, __ATOMIC_RELAXED);
}

void *ed_alloc(size_t size)
{
    if (size > SIZE_MAX / 2 || ed_fault_check(ED_FAULT_ALLOC))
        return NULL;
    return memory_count(malloc(sizeof(struct memory_block) + size), size);
}

void *ed_alloc_zero(size_t size)
{
    void *memory = ed_alloc(size);

    return memory ? memset(memory, 0, size) : NULL;
}

void *ed_realloc(void *memory, size_t size)
{
    struct memory_block *block;
    size_t old_size;

    if (!memory)
        return ed_alloc(size);
    if (size > SIZE_MAX / 2 || ed_fault_check(ED_FAULT_ALLOC))
        return NULL;
    block = (struct memory_block *)memory - 1;
    old_size = block->size;
    block = realloc(block, sizeof *block + size);
    if (!block)
        return NULL;
    memory_uncount(old_size);
    return memory_count(block, size);
}

void ed_free(void *memory)
{
    if (!memory)
        return;
    memory_uncount(((struct memory_block *)memory - 1)->size);
    free((struct memory_block *)memory - 1);
}

char *ed_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = ed_alloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void *ed_map(size_t size, size_t alignment)
{
    uintptr_t start, aligned;
    void *memory;

    if (ed_fault_check(ED_FAULT_ALLOC))
        return NULL;
    memory = mmap(NULL, size + alignment, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    start = (uintptr_t)memory;
    aligned = (start + alignment - 1) & ~(alignment - 1);
    if (aligned > start)
        munmap(memory, aligned - start);
    if (start + alignment > aligned)
        munmap((void *)(aligned + size), start + alignment - aligned);
    madvise((void *)aligned, size, MADV_NOHUGEPAGE);
    return (void *)aligned;
}

void ed_unmap(void *memory, size_t size)
{
    munmap(memory, size);
}

size_t ed_memory_blocks(void)
{
    return __atomic_load_n(&memory_blocks, __ATOMIC_RELAXED);
}

size_t ed_memory_bytes(void)
{
    return __atomic_load_n(&memory_bytes, __ATOMIC_RELAXED);
}
