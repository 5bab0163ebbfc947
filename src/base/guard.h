/* SPDX-License-Identifier: MIT */
/* Memory between guard pages, for tests: see guard.c, and ed_memory_guard. */
#ifndef ED_BASE_GUARD_H
#define ED_BASE_GUARD_H

#include "base/compat.h"

/* A block of `size` bytes, aligned to 16; NULL when there are too many, or no mapping
 * is left: then it is a plain one's turn. Any thread. */
void *ed_guard_new(size_t size);

/* Frees a block of that size; aborts if it was written behind its end. */
void ed_guard_free(void *memory, size_t size, const char *where);

/* In a child of fork(2): another thread may have been inside. */
void ed_guard_forget(void);

#endif
