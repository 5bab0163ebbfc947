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
#include "base/flight.h"
#include "base/guard.h"

#undef ed_free /* the functions are defined here */
#undef ed_realloc

/* In front of each block; keeps malloc's alignment. */
struct memory_block {
    _Alignas(max_align_t) size_t size;
    bool guarded;
};

static size_t memory_blocks, memory_bytes; /* atomic */
static int memory_guard = -1;              /* atomic; -1: the environment was not asked */

bool ed_memory_guarded(void)
{
    int guard = __atomic_load_n(&memory_guard, __ATOMIC_RELAXED);
    const char *wanted;

    if (ed_likely(guard >= 0))
        return guard;
    wanted = getenv("EDDY_GUARD");
    guard = wanted && strcmp(wanted, "1") == 0;
    if (guard)
        ed_flight_watch(true);
    __atomic_store_n(&memory_guard, guard, __ATOMIC_RELAXED);
    return guard;
}

bool ed_memory_guard(bool guard)
{
    bool before = ed_memory_guarded();

    __atomic_store_n(&memory_guard, guard, __ATOMIC_RELAXED);
    return before;
}

static struct memory_block *memory_new(size_t size)
{
    struct memory_block *block = NULL;

    if (ed_unlikely(ed_memory_guarded()) && (block = ed_guard_new(sizeof *block + size))) {
        block->guarded = true;
        return block;
    }
    block = malloc(sizeof *block + size);
    if (block)
        block->guarded = false;
    return block;
}

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
    return memory_count(memory_new(size), size);
}

void *ed_alloc_zero(size_t size)
{
    void *memory = ed_alloc(size);

    return memory ? memset(memory, 0, size) : NULL;
}

/* The same for a block that must move, or may. */
static void *memory_move(void *memory, size_t size, const char *where)
{
    size_t old_size = ((struct memory_block *)memory - 1)->size;
    void *moved = memory_count(memory_new(size), size);

    if (!moved)
        return NULL;
    memcpy(moved, memory, old_size < size ? old_size : size);
    ed_free_at(memory, where);
    return moved;
}

void *ed_realloc_at(void *memory, size_t size, const char *where)
{
    struct memory_block *block;
    size_t old_size;

    if (!memory)
        return ed_alloc(size);
    if (size > SIZE_MAX / 2 || ed_fault_check(ED_FAULT_ALLOC))
        return NULL;
    block = (struct memory_block *)memory - 1;
    old_size = block->size;
    ed_flight_check(memory, old_size, "moved", where);
    if (ed_unlikely(block->guarded || ed_memory_guarded()))
        return memory_move(memory, size, where);
    block = realloc(block, sizeof *block + size);
    if (!block)
        return NULL;
    memory_uncount(old_size);
    return memory_count(block, size);
}

void *ed_realloc(void *memory, size_t size)
{
    return ed_realloc_at(memory, size, "?");
}

void ed_free_at(void *memory, const char *where)
{
    struct memory_block *block;

    if (!memory)
        return;
    block = (struct memory_block *)memory - 1;
    ed_flight_check(memory, block->size, "freed", where);
    memory_uncount(block->size);
    if (ed_unlikely(block->guarded))
        ed_guard_free(block, sizeof *block + block->size, where);
    else
        free(block);
}

void ed_free(void *memory)
{
    ed_free_at(memory, "?");
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
    ed_flight_check(memory, size, "unmapped", EDDY_HERE_);
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
