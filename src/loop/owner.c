/* SPDX-License-Identifier: MIT */
/*
 * Which descriptors belong to an object of the library, such as a stream: nobody else may
 * read, write or watch them. A bit for each. Where there is no memory for a bit, a mistake
 * goes unnoticed, and that is all.
 */
#include <string.h>

#include "base/memory.h"
#include "loop/loop.h"

#define OWNER_BITS 64 /* in a word */

static bool owner_make_room(eddy_loop *loop, size_t word)
{
    size_t words = loop->owned_words ? loop->owned_words : 1;
    uint64_t *owned;

    while (words <= word)
        words *= 2;
    if (words == loop->owned_words)
        return true;
    owned = ed_realloc(loop->owned, words * sizeof *owned);
    if (!owned)
        return false;
    memset(owned + loop->owned_words, 0, (words - loop->owned_words) * sizeof *owned);
    loop->owned = owned;
    loop->owned_words = words;
    return true;
}

void ed_loop_own(eddy_loop *loop, int fd)
{
    if (owner_make_room(loop, (size_t)fd / OWNER_BITS))
        loop->owned[fd / OWNER_BITS] |= UINT64_C(1) << fd % OWNER_BITS;
}

void ed_loop_disown(eddy_loop *loop, int fd)
{
    if ((size_t)fd / OWNER_BITS < loop->owned_words)
        loop->owned[fd / OWNER_BITS] &= ~(UINT64_C(1) << fd % OWNER_BITS);
}

bool ed_loop_owns(const eddy_loop *loop, int fd)
{
    return fd >= 0 && (size_t)fd / OWNER_BITS < loop->owned_words &&
           loop->owned[fd / OWNER_BITS] >> fd % OWNER_BITS & 1;
}

void ed_loop_close_owners(eddy_loop *loop)
{
    ed_free(loop->owned);
    loop->owned = NULL;
    loop->owned_words = 0;
}
