/* SPDX-License-Identifier: MIT */
/*
 * A chain of blocks, and a pointer that moves through the last one. Nothing is freed alone, so a
 * piece costs its bytes and no bookkeeping. A piece that is larger than a quarter of a block has
 * one of its own; the rest of the block that is being filled stays in use.
 */
#include "http/arena.h"

#include <stdio.h>
#include <string.h>

#include "eddy/stream_class.h"

#define ARENA_ALIGN _Alignof(max_align_t)

struct ed_arena_block {
    struct ed_arena_block *next;
    _Alignas(max_align_t) char data[];
};

static struct ed_arena_block *arena_block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct ed_arena_block))
        return NULL;
    return eddy_alloc_(sizeof(struct ed_arena_block) + size);
}

/* A block for this piece alone; the first one of an arena is always of the usual size. */
static void *arena_alloc_large(struct ed_arena *arena, size_t size)
{
    struct ed_arena_block *block = arena_block_new(size);

    if (!block)
        return NULL;
    block->next = arena->first->next;
    arena->first->next = block;
    return block->data;
}

static bool arena_grow(struct ed_arena *arena)
{
    struct ed_arena_block *block = arena_block_new(ED_ARENA_BLOCK);

    if (!block)
        return false;
    if (!arena->first) {
        arena->first = block;
    } else {
        block->next = arena->first->next;
        arena->first->next = block;
    }
    arena->next = block->data;
    arena->end = block->data + ED_ARENA_BLOCK;
    return true;
}

void *ed_arena_alloc(struct ed_arena *arena, size_t size)
{
    char *piece;

    if (size > PTRDIFF_MAX)
        return NULL;
    size = ((size ? size : 1) + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
    if (size > (size_t)(arena->end - arena->next)) {
        if ((!arena->first || size <= ED_ARENA_BLOCK / 4) && !arena_grow(arena))
            return NULL;
        if (size > (size_t)(arena->end - arena->next))
            return arena_alloc_large(arena, size);
    }
    piece = arena->next;
    arena->next += size;
    return piece;
}

char *ed_arena_copy(struct ed_arena *arena, const void *data, size_t size)
{
    char *text = ed_arena_alloc(arena, size + 1);

    if (!text)
        return NULL;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

char *ed_arena_vprintf(struct ed_arena *arena, const char *format, va_list arguments)
{
    va_list again;
    char *text;
    int size;

    va_copy(again, arguments);
    size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    text = size >= 0 ? ed_arena_alloc(arena, (size_t)size + 1) : NULL;
    if (text)
        vsnprintf(text, (size_t)size + 1, format, arguments);
    return text;
}

char *ed_arena_printf(struct ed_arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = ed_arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

static void arena_free_from(struct ed_arena_block *block)
{
    while (block) {
        struct ed_arena_block *next = block->next;

        eddy_free(block);
        block = next;
    }
}

void ed_arena_reset(struct ed_arena *arena)
{
    if (!arena->first)
        return;
    arena_free_from(arena->first->next);
    arena->first->next = NULL;
    arena->next = arena->first->data;
    arena->end = arena->first->data + ED_ARENA_BLOCK;
}

void ed_arena_free(struct ed_arena *arena)
{
    arena_free_from(arena->first);
    *arena = (struct ed_arena){0};
}
