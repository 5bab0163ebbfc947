/* SPDX-License-Identifier: MIT */
/*
 * Memory of one exchange: many small pieces that are freed together. The first block stays for the
 * next exchange, so that a connection at work does not allocate.
 */
#ifndef ED_HTTP_ARENA_H
#define ED_HTTP_ARENA_H

#include <stdarg.h>

#include "base/compat.h"

#define ED_ARENA_BLOCK 4096 /* bytes of the first block, and of others at least */

struct ed_arena {
    struct ed_arena_block *first; /* and behind it the others; NULL: none yet */
    char *next, *end;             /* what is free of the one that is being filled */
};

/* `size` bytes, aligned for anything, not zeroed; NULL when memory is short. */
void *ed_arena_alloc(struct ed_arena *arena, size_t size);
/* A copy with a NUL behind it. */
char *ed_arena_copy(struct ed_arena *arena, const void *data, size_t size);
char *ed_arena_printf(struct ed_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *ed_arena_vprintf(struct ed_arena *arena, const char *format, va_list arguments);

/* Frees all pieces; the first block is kept. */
void ed_arena_reset(struct ed_arena *arena);
/* Frees the block too; a zeroed arena is empty. */
void ed_arena_free(struct ed_arena *arena);

#endif
