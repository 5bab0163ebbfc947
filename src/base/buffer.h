/* SPDX-License-Identifier: MIT */
/*
 * The byte buffer: bytes go in behind and come out in front, of one block that grows by
 * doubling. Zeroed it is empty and has no block; so it is whenever all was consumed.
 *
 * While a loop runs, blocks of the smallest size come from a short list of the thread's, and go
 * back to it, so that small reads and writes do not allocate.
 */
#ifndef ED_BASE_BUFFER_H
#define ED_BASE_BUFFER_H

#include "base/compat.h"
#include "base/die.h"
#include "eddy/stream_class.h"

#define ED_BUFFER_BLOCK 4096 /* the smallest block */
#define ED_BUFFER_SPARE 64   /* blocks that a thread keeps */

ED_INLINE size_t ed_buffer_size(const struct eddy_buffer_ *buffer)
{
    return buffer->end - buffer->start;
}

/* Where the bytes are; NULL when there is no block. */
ED_INLINE char *ed_buffer_bytes(const struct eddy_buffer_ *buffer)
{
    return buffer->data ? buffer->data + buffer->start : NULL;
}

/* Where up to ed_buffer_room bytes may be put, before a commit. */
ED_INLINE char *ed_buffer_free_space(const struct eddy_buffer_ *buffer)
{
    return buffer->data ? buffer->data + buffer->end : NULL;
}
ED_INLINE size_t ed_buffer_room(const struct eddy_buffer_ *buffer)
{
    return buffer->capacity - buffer->end;
}

/* What the functions below call: visible, because libeddy-http keeps its bytes so too. */
EDDY_API int eddy_buffer_reserve_(struct eddy_buffer_ *buffer, size_t size);
EDDY_API int eddy_buffer_append_(struct eddy_buffer_ *buffer, const void *data, size_t size);
EDDY_API int eddy_buffer_prepend_(struct eddy_buffer_ *buffer, const void *data, size_t size);
EDDY_API void eddy_buffer_release_(struct eddy_buffer_ *buffer);
EDDY_API void eddy_buffer_take_(struct eddy_buffer_ *to, struct eddy_buffer_ *from);
EDDY_API char *eddy_buffer_hand_over_(struct eddy_buffer_ *buffer);

/* Makes room for `size` bytes behind those that are there, which may move. 0 or -ENOMEM. */
ED_INLINE int ed_buffer_reserve(struct eddy_buffer_ *buffer, size_t size)
{
    return eddy_buffer_reserve_(buffer, size);
}

/* Takes in bytes that were put behind the others. */
ED_INLINE void ed_buffer_commit(struct eddy_buffer_ *buffer, size_t size)
{
    ED_ASSERT(size <= ed_buffer_room(buffer));
    buffer->end += size;
}

/* Adds bytes behind or before the others. 0, or -ENOMEM with nothing changed. */
ED_INLINE int ed_buffer_append(struct eddy_buffer_ *buffer, const void *data, size_t size)
{
    return eddy_buffer_append_(buffer, data, size);
}
ED_INLINE int ed_buffer_prepend(struct eddy_buffer_ *buffer, const void *data, size_t size)
{
    return eddy_buffer_prepend_(buffer, data, size);
}

/* Gives the block back, and all that is in it. */
ED_INLINE void ed_buffer_release(struct eddy_buffer_ *buffer)
{
    eddy_buffer_release_(buffer);
}

/* Takes bytes out in front. */
ED_INLINE void ed_buffer_consume(struct eddy_buffer_ *buffer, size_t size)
{
    ED_ASSERT(size <= ed_buffer_size(buffer));
    buffer->start += size;
    if (buffer->start == buffer->end)
        ed_buffer_release(buffer);
}

/* Takes over another's block and bytes; one's own are given back. */
ED_INLINE void ed_buffer_take(struct eddy_buffer_ *to, struct eddy_buffer_ *from)
{
    eddy_buffer_take_(to, from);
}

/* Hands the block over, to be freed by ed_free or eddy_free, with the bytes at its front. */
ED_INLINE char *ed_buffer_hand_over(struct eddy_buffer_ *buffer)
{
    return eddy_buffer_hand_over_(buffer);
}

/* Frees the blocks that this thread keeps; for the close of its loop. */
void ed_buffers_trim(void);

#endif
