/* SPDX-License-Identifier: MIT */
/* Bytes that grow, at least by half, and are always followed by a NUL. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "eddy/process_pool.h"
#include "task/task.h"

#define BYTES_ROOM 64

/* Makes room for `size` bytes and the NUL. */
static int bytes_reserve(eddy_bytes *bytes, size_t size)
{
    size_t room = bytes->room + bytes->room / 2;
    void *data;

    if (size < bytes->room)
        return 0;
    if (size == SIZE_MAX)
        return ed_fail(-ENOMEM);
    if (room < BYTES_ROOM)
        room = BYTES_ROOM;
    if (room <= size)
        room = size + 1;
    data = ed_realloc(bytes->data, room);
    if (!data)
        return ed_fail(-ENOMEM);
    bytes->data = data;
    bytes->room = room;
    return 0;
}

static void bytes_end(eddy_bytes *bytes, size_t size)
{
    bytes->size = size;
    ((char *)bytes->data)[size] = '\0';
}

int eddy_bytes_append(eddy_bytes *bytes, const void *data, size_t size)
{
    size_t whole = size > SIZE_MAX - bytes->size ? SIZE_MAX : bytes->size + size;
    int rc = bytes_reserve(bytes, whole);

    if (rc < 0)
        return rc;
    if (size)
        memcpy((char *)bytes->data + bytes->size, data, size);
    bytes_end(bytes, whole);
    return 0;
}

int eddy_bytes_resize(eddy_bytes *bytes, size_t size)
{
    int rc = bytes_reserve(bytes, size);

    if (rc < 0)
        return rc;
    if (size > bytes->size)
        memset((char *)bytes->data + bytes->size, 0, size - bytes->size);
    bytes_end(bytes, size);
    return 0;
}

void eddy_bytes_free(eddy_bytes *bytes)
{
    ed_free(bytes->data);
    *bytes = (eddy_bytes){NULL, 0, 0};
}
