/* SPDX-License-Identifier: MIT */
/* Numbers at the end of a buffer, and parts of values that have their length before them. */
#include "pg/wire.h"

#include "eddy/error.h"

int pg_append16(struct eddy_buffer_ *to, uint16_t value)
{
    value = htobe16(value);
    return ed_buffer_append(to, &value, sizeof value);
}

int pg_append32(struct eddy_buffer_ *to, uint32_t value)
{
    value = htobe32(value);
    return ed_buffer_append(to, &value, sizeof value);
}

int pg_append64(struct eddy_buffer_ *to, uint64_t value)
{
    value = htobe64(value);
    return ed_buffer_append(to, &value, sizeof value);
}

int pg_append_double(struct eddy_buffer_ *to, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return pg_append64(to, bits);
}

int pg_append_text(struct eddy_buffer_ *to, const char *text)
{
    return ed_buffer_append(to, text, strlen(text));
}

int pg_take_part(struct pg_rest *rest, const char **data, int32_t *size)
{
    const char *length = pg_take(rest, 4), *bytes;
    int32_t count;

    if (!length)
        return EDDY_EPG_PROTOCOL;
    count = (int32_t)pg_load32(length);
    if (count == -1) {
        *data = NULL;
        *size = -1;
        return 0;
    }
    bytes = count < 0 ? NULL : pg_take(rest, (size_t)count);
    if (!bytes)
        return EDDY_EPG_PROTOCOL;
    *data = bytes;
    *size = count;
    return 0;
}
