/* SPDX-License-Identifier: MIT */
/*
 * Numbers as PostgreSQL's binary forms have them, big-endian, and a way to take them from bytes
 * that may be wrong: nothing is read behind the end.
 */
#ifndef ED_PG_WIRE_H
#define ED_PG_WIRE_H

#include <endian.h>
#include <string.h>

#include "base/buffer.h"
#include "base/compat.h"

ED_INLINE uint16_t pg_load16(const void *bytes)
{
    uint16_t value;

    memcpy(&value, bytes, sizeof value);
    return be16toh(value);
}
ED_INLINE uint32_t pg_load32(const void *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return be32toh(value);
}
ED_INLINE uint64_t pg_load64(const void *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return be64toh(value);
}
ED_INLINE double pg_load_double(const void *bytes)
{
    uint64_t bits = pg_load64(bytes);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}
ED_INLINE float pg_load_float(const void *bytes)
{
    uint32_t bits = pg_load32(bytes);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

ED_INLINE void pg_store16(void *bytes, uint16_t value)
{
    value = htobe16(value);
    memcpy(bytes, &value, sizeof value);
}
ED_INLINE void pg_store32(void *bytes, uint32_t value)
{
    value = htobe32(value);
    memcpy(bytes, &value, sizeof value);
}
ED_INLINE void pg_store64(void *bytes, uint64_t value)
{
    value = htobe64(value);
    memcpy(bytes, &value, sizeof value);
}

/* Room behind a buffer's bytes, which are its own from now on; NULL: no memory. */
ED_INLINE char *pg_extend(struct eddy_buffer_ *to, size_t size)
{
    if (ed_buffer_reserve(to, size > 0 ? size : 1) < 0)
        return NULL;
    ed_buffer_commit(to, size);
    return to->data + to->end - size;
}

/* Appends a number: 0 or -ENOMEM. */
int pg_append16(struct eddy_buffer_ *to, uint16_t value);
int pg_append32(struct eddy_buffer_ *to, uint32_t value);
int pg_append64(struct eddy_buffer_ *to, uint64_t value);
int pg_append_double(struct eddy_buffer_ *to, double value);
/* Appends a C text without its NUL. */
int pg_append_text(struct eddy_buffer_ *to, const char *text);

/* What is left of a value. */
struct pg_rest {
    const char *next, *end;
};

/* The next `size` bytes, or NULL when there are not so many. */
ED_INLINE const char *pg_take(struct pg_rest *rest, size_t size)
{
    const char *bytes = rest->next;

    if (ed_unlikely((size_t)(rest->end - rest->next) < size))
        return NULL;
    rest->next += size;
    return bytes;
}

/* A part with its length before it: 0, with *data NULL for NULL; EDDY_EPG_PROTOCOL when it is
 * longer than what is left. */
int pg_take_part(struct pg_rest *rest, const char **data, int32_t *size);

#endif
