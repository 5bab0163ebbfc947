/* SPDX-License-Identifier: MIT */
/*
 * Heap memory and mappings: the only way to them, so that each can be counted,
 * and made to fail by a test (base/fault.h, ED_FAULT_ALLOC).
 */
#ifndef ED_BASE_MEMORY_H
#define ED_BASE_MEMORY_H

#include "base/compat.h"

/* As malloc, calloc, realloc and free; NULL when memory is short. Any thread. Memory
 * in flight (base/flight.h) must not be freed, nor given to a realloc (abort). */
void *ed_alloc(size_t size);
void *ed_alloc_zero(size_t size);
void *ed_realloc(void *memory, size_t size);
void ed_free(void *memory);

/* The same, saying who; what calls of the names above become. */
void *ed_realloc_at(void *memory, size_t size, const char *where);
void ed_free_at(void *memory, const char *where);
#define ed_realloc(memory, size) ed_realloc_at((memory), (size), EDDY_HERE_)
#define ed_free(memory) ed_free_at((memory), EDDY_HERE_)

/*
 * Whether blocks get pages of their own, between two guard pages, and lose them when
 * they are freed, so that the kernel's late writes too find nothing there: EFAULT.
 * Sets it, and returns what it was; at first it is what EDDY_GUARD=1 says. Blocks of
 * both kinds may live side by side.
 */
bool ed_memory_guard(bool guard);
bool ed_memory_guarded(void);

/* A copy of a string, or NULL. */
char *ed_strdup(const char *text);

/* Reserves address space: readable, writable, counted only when touched, never
 * in huge pages. `size` and `alignment` are powers of two. NULL when there is
 * none. */
void *ed_map(size_t size, size_t alignment);
void ed_unmap(void *memory, size_t size);

/* What is allocated now. */
size_t ed_memory_blocks(void);
size_t ed_memory_bytes(void);

#endif
