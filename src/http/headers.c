/* SPDX-License-Identifier: MIT */
/*
 * Header fields: an array in the order in which they came or were added, with its texts in an
 * arena. Names are looked for from front to back: lists are short, and most names differ in
 * their length already.
 *
 * Everything in a list is valid: a name is a token, a value has no control but the tab and no
 * blank at its ends. So whoever writes a list out cannot write a line too many.
 */
#include "http/headers.h"

#include <errno.h>
#include <string.h>

#include "eddy/stream_class.h"

#define HEADERS_FIRST 16 /* fields that a list has room for at first */

/* RFC 9110, 5.6.2: the characters of a token. */
static const bool header_token[256] = {
    ['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true, ['&'] = true,
    ['\''] = true,        ['*'] = true,         ['+'] = true, ['-'] = true, ['.'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['^'] = true, ['_'] = true, ['`'] = true,
    ['a' ... 'z'] = true, ['|'] = true,         ['~'] = true,
};

bool ed_is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!header_token[(unsigned char)text[i]])
            return false;
    }
    return size > 0;
}

static bool header_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool ed_is_field_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return size == 0 || (!header_is_blank(text[0]) && !header_is_blank(text[size - 1]));
}

bool ed_same_letters(const char *one, const char *other, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char a = (unsigned char)one[i], b = (unsigned char)other[i];

        if (a != b && ((a ^ b) != 0x20 || (a | 0x20) < 'a' || (a | 0x20) > 'z'))
            return false;
    }
    return true;
}

/* Lists. */

void ed_headers_init(struct eddy_headers *headers, struct ed_arena *arena)
{
    *headers = (struct eddy_headers){.arena = arena};
}

eddy_headers *eddy_headers_new(void)
{
    eddy_headers *headers = eddy_alloc_(sizeof *headers);

    if (headers)
        headers->arena = &headers->own;
    return headers;
}

void eddy_headers_free(eddy_headers *headers)
{
    if (!headers)
        return;
    ed_arena_free(&headers->own);
    eddy_free(headers);
}

void eddy_headers_end_scope_(eddy_headers **headers)
{
    eddy_headers_free(*headers);
}

static int headers_grow(struct eddy_headers *headers)
{
    uint32_t capacity = headers->capacity ? 2 * headers->capacity : HEADERS_FIRST;
    struct ed_field *fields = ed_arena_alloc(headers->arena, capacity * sizeof *fields);

    if (!fields)
        return -ENOMEM;
    if (headers->count > 0)
        memcpy(fields, headers->fields, headers->count * sizeof *fields);
    headers->fields = fields;
    headers->capacity = capacity;
    return 0;
}

int ed_headers_put(struct eddy_headers *headers, const char *name, size_t name_size,
                   const char *value, size_t value_size)
{
    if (name_size > UINT32_MAX || value_size > UINT32_MAX ||
        (headers->count == headers->capacity && headers_grow(headers) < 0))
        return -ENOMEM;
    headers->fields[headers->count++] = (struct ed_field){
        .name = name,
        .value = value,
        .name_size = (uint32_t)name_size,
        .value_size = (uint32_t)value_size,
    };
    return 0;
}

const struct ed_field *ed_headers_find(const struct eddy_headers *headers, const char *name,
                                       size_t name_size, size_t index)
{
    for (; index < headers->count; index++) {
        const struct ed_field *field = &headers->fields[index];

        if (field->name_size == name_size && ed_same_letters(field->name, name, name_size))
            return field;
    }
    return NULL;
}

/* Changes. */

/* Copies a valid name and value to the list's memory, as `out`. 0, or an error with its text. */
static int headers_copy(struct eddy_headers *headers, const char *name, const char *value,
                        struct ed_field *out)
{
    size_t name_size = strlen(name), value_size;

    while (header_is_blank(*value))
        value++;
    value_size = strlen(value);
    while (value_size > 0 && header_is_blank(value[value_size - 1]))
        value_size--;
    if (!ed_is_token(name, name_size))
        return eddy_raise(-EINVAL, "a header field's name is empty, or has a character that is "
                                   "not one of a token");
    if (!ed_is_field_value(value, value_size))
        return eddy_raise(-EINVAL, "the value of the header field %.100s has a control character",
                          name);
    if (name_size > UINT32_MAX || value_size > UINT32_MAX)
        return -ENOMEM;
    *out = (struct ed_field){
        .name = ed_arena_copy(headers->arena, name, name_size),
        .value = ed_arena_copy(headers->arena, value, value_size),
        .name_size = (uint32_t)name_size,
        .value_size = (uint32_t)value_size,
    };
    return out->name && out->value ? 0 : -ENOMEM;
}

static int headers_check(const struct eddy_headers *headers)
{
    if (!headers)
        return -ENOMEM;
    if (headers->received)
        return eddy_raise(-EPERM, "the header fields of a message that came cannot be changed");
    return 0;
}

int eddy_headers_add(eddy_headers *headers, const char *name, const char *value)
{
    struct ed_field field;
    int rc = headers_check(headers);

    if (rc == 0)
        rc = headers_copy(headers, name, value, &field);
    if (rc < 0)
        return rc;
    return ed_headers_put(headers, field.name, field.name_size, field.value, field.value_size);
}

/* Takes out the fields of a name from `index` on. Returns how many there were. */
static int
headers_drop(struct eddy_headers *headers, const char *name, size_t name_size, size_t index)
{
    uint32_t kept = (uint32_t)index;

    for (size_t i = index; i < headers->count; i++) {
        struct ed_field field = headers->fields[i];

        if (field.name_size != name_size || !ed_same_letters(field.name, name, name_size))
            headers->fields[kept++] = field;
    }
    index = headers->count - kept;
    headers->count = kept;
    return (int)index;
}

int eddy_headers_set(eddy_headers *headers, const char *name, const char *value)
{
    const struct ed_field *first;
    struct ed_field field;
    int rc = headers_check(headers);
    size_t index;

    if (rc == 0)
        rc = headers_copy(headers, name, value, &field);
    if (rc < 0)
        return rc;
    first = ed_headers_find(headers, name, field.name_size, 0);
    if (!first)
        return ed_headers_put(headers, field.name, field.name_size, field.value, field.value_size);
    index = (size_t)(first - headers->fields);
    headers->fields[index] = field;
    headers_drop(headers, name, field.name_size, index + 1);
    return 0;
}

int eddy_headers_remove(eddy_headers *headers, const char *name)
{
    int rc = headers_check(headers);

    return rc < 0 ? rc : headers_drop(headers, name, strlen(name), 0);
}

/* Questions. */

const char *eddy_headers_get(const eddy_headers *headers, const char *name)
{
    const struct ed_field *field = headers ? ed_headers_find(headers, name, strlen(name), 0) : NULL;

    return field ? field->value : NULL;
}

size_t eddy_headers_count(const eddy_headers *headers)
{
    return headers ? headers->count : 0;
}

eddy_pair eddy_headers_at(const eddy_headers *headers, size_t index)
{
    if (!headers || index >= headers->count)
        return (eddy_pair){NULL, NULL};
    return (eddy_pair){headers->fields[index].name, headers->fields[index].value};
}

const char *eddy_headers_next(const eddy_headers *headers, const char *name, size_t *index)
{
    const struct ed_field *field =
        headers ? ed_headers_find(headers, name, strlen(name), *index) : NULL;

    if (!field)
        return NULL;
    *index = (size_t)(field - headers->fields) + 1;
    return field->value;
}

struct header_search {
    const char *token;
    size_t size;
    bool found;
};

static bool headers_match(const char *member, size_t size, void *argument)
{
    struct header_search *search = argument;

    search->found = size == search->size && ed_same_letters(member, search->token, size);
    return !search->found;
}

bool eddy_headers_has_token(const eddy_headers *headers, const char *name, const char *token)
{
    struct header_search search = {.token = token, .size = strlen(token)};
    const char *value;
    size_t index = 0;

    while (!search.found && (value = eddy_headers_next(headers, name, &index)))
        ed_each_member(value, headers_match, &search);
    return search.found;
}

/* The end of a quoted text that begins at `text`: behind its quote, or the NUL. */
static const char *header_quoted_end(const char *text)
{
    for (text++; *text && *text != '"'; text++) {
        if (*text == '\\' && text[1])
            text++;
    }
    return *text ? text + 1 : text;
}

void ed_each_member(const char *value,
                    bool (*each)(const char *member, size_t size, void *argument), void *argument)
{
    while (*value) {
        const char *end = value;
        size_t size;

        while (*end && *end != ',')
            end = *end == '"' ? header_quoted_end(end) : end + 1;
        while (value < end && header_is_blank(*value))
            value++;
        size = (size_t)(end - value);
        while (size > 0 && header_is_blank(value[size - 1]))
            size--;
        if (size > 0 && !each(value, size, argument))
            return;
        value = *end ? end + 1 : end;
    }
}
