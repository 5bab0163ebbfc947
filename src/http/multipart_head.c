/* SPDX-License-Identifier: MIT */
/*
 * The fields of a part. They are looked at in the body's buffer until the empty line has come,
 * each byte once, or until they are longer than they may be; then they are taken apart and copied.
 */
#include <string.h>

#include "http/multipart.h"

/* Looks for the end of the fields in what has come, from where it has been looked before: how many
 * bytes they have, the empty line not counted; -1: the end is not there. */
static ssize_t head_find_end(const char *data, size_t size, size_t from)
{
    const char *end;

    if (memcmp(data, "\r\n", 2) == 0)
        return 0;
    end = memmem(data + from, size - from, "\r\n\r\n", 4);
    return end ? end - data + 2 : -1;
}

/* Waits for all fields: their size, with *data where they are. */
static ssize_t head_wait(struct eddy_multipart *multipart, const char **data)
{
    size_t least = 2, from = 0, limit = multipart->limits.head_size;
    ssize_t n, size;

    for (;;) {
        n = eddy_peek(multipart->body, least, data);
        if (n < 0)
            return n;
        if ((size_t)n < least)
            return ed_multipart_fail(multipart, EDDY_EINCOMPLETE,
                                     "the multipart body ends within the fields of a part");
        size = head_find_end(*data, (size_t)n < limit + 4 ? (size_t)n : limit + 4, from);
        if (size > (ssize_t)limit || (size < 0 && (size_t)n >= limit + 4))
            return ed_multipart_fail(multipart, EDDY_ELIMIT,
                                     "the fields of a part are longer than %zu bytes", limit);
        if (size >= 0)
            return size;
        from = n > 3 ? (size_t)n - 3 : 0;
        least = (size_t)n + 1;
    }
}

static bool head_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Adds a line without its end to the fields. */
static int head_add_field(struct eddy_multipart *multipart, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size), *value, *end = line + size, *name;
    size_t name_size = colon ? (size_t)(colon - line) : 0, value_size;

    if (!colon || !ed_is_token(line, name_size))
        return ed_multipart_fail(multipart, EDDY_EHTTP_PROTOCOL,
                                 "a part has a line among its fields that is none");
    for (value = colon + 1; value < end && head_is_blank(*value); value++)
        ;
    while (end > value && head_is_blank(end[-1]))
        end--;
    value_size = (size_t)(end - value);
    if (!ed_is_field_value(value, value_size))
        return ed_multipart_fail(multipart, EDDY_EHTTP_PROTOCOL,
                                 "a field of a part has a control character in its value");
    name = ed_arena_copy(&multipart->arena, line, name_size);
    value = ed_arena_copy(&multipart->arena, value, value_size);
    if (!name || !value)
        return -ENOMEM;
    return ed_headers_put(&multipart->fields, name, name_size, value, value_size);
}

static int head_take_apart(struct eddy_multipart *multipart, const char *data, size_t size)
{
    const char *end = data + size;

    ed_arena_reset(&multipart->arena); /* of an attempt before, that failed */
    ed_headers_init(&multipart->fields, &multipart->arena);
    while (data < end) {
        const char *line_end = memmem(data, (size_t)(end - data), "\r\n", 2);

        if (multipart->fields.count >= multipart->limits.head_fields)
            return ed_multipart_fail(multipart, EDDY_ELIMIT, "a part has more than %zu fields",
                                     multipart->limits.head_fields);
        EDDY_TRY(head_add_field(multipart, data, (size_t)(line_end - data)));
        data = line_end + 2;
    }
    multipart->fields.received = true;
    return 0;
}

int ed_multipart_read_fields(struct eddy_multipart *multipart)
{
    const char *data;
    ssize_t size = head_wait(multipart, &data);

    EDDY_TRY(size);
    EDDY_TRY(head_take_apart(multipart, data, (size_t)size));
    eddy_consume(multipart->body, (size_t)size + 2);
    return 0;
}
