/* SPDX-License-Identifier: MIT */
/*
 * Heap memory and mappings: the only way to them, so that each can be counted,
 * and made to fail by a test (base/fault.h, ED_FAULT_ALLOC).
 */
#ifndef ED_BASE_MEMORY_H
#define ED_BASE_MEMORY_H

#include "base/compat.h"

/* As malloc, calloc, realloc and free; NULL when memory is short. Any thread. */
void *ed_alloc(size_t size);
void *ed_alloc_zero(size_t size);
void *ed_realloc(void *memory, size_t size);
void ed_free(void *memory);

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
