/* SPDX-License-Identifier: MIT */
/*
 * Arrays in binary form (array_send): the number of dimensions, a flag, the type of the elements;
 * of each dimension its size and lower bound; the elements, in row-major order, each behind its
 * length.
 *
 * What is taken is whole: there are just as many elements as the sizes say, and bytes for all of
 * them (CVE-2020-17446 of asyncpg was an array whose sizes said something else). So who walks over
 * one that was looked at once need not look again.
 */
#include "pg/array.h"

#include <errno.h>
#include <strings.h>

#include "eddy/error.h"
#include "pg/scan.h"

static int array_read_sizes(struct pg_rest *rest, struct pg_array *array)
{
    uint64_t count = array->dimensions > 0;

    for (int i = 0; i < array->dimensions; i++) {
        const char *bytes = pg_take(rest, 8);

        if (!bytes)
            return EDDY_EPG_PROTOCOL;
        array->sizes[i] = (int32_t)pg_load32(bytes);
        array->bounds[i] = (int32_t)pg_load32(bytes + 4);
        if (array->sizes[i] < 0)
            return EDDY_EPG_PROTOCOL;
        count *= (uint64_t)array->sizes[i];
        if (count > INT32_MAX)
            return EDDY_EPG_PROTOCOL;
    }
    array->count = count;
    if (count == 0)
        array->dimensions = 0; /* an oidvector has one, which is empty */
    return 0;
}

int pg_array_read(const char *data, size_t size, struct pg_array *out)
{
    struct pg_rest rest = {data, data + size};
    const char *head = pg_take(&rest, 12), *part;
    struct pg_array array = {.count = 0};
    int32_t length;

    if (!head || pg_load32(head) > PG_ARRAY_DIMENSIONS || pg_load32(head + 4) > 1)
        return EDDY_EPG_PROTOCOL;
    array.dimensions = (int)pg_load32(head);
    array.element = pg_load32(head + 8);
    if (array_read_sizes(&rest, &array) < 0 || array.count > (size_t)(rest.end - rest.next) / 4)
        return EDDY_EPG_PROTOCOL;
    array.parts = rest;
    for (size_t i = 0; i < array.count; i++)
        if (pg_take_part(&rest, &part, &length) < 0)
            return EDDY_EPG_PROTOCOL;
    if (rest.next != rest.end)
        return EDDY_EPG_PROTOCOL;
    *out = array;
    return 0;
}

int pg_array_append_head(struct eddy_buffer_ *to, const struct pg_array *array, bool has_null)
{
    char *head = pg_extend(to, 12 + 8 * (size_t)array->dimensions);

    if (!head)
        return -ENOMEM;
    pg_store32(head, (uint32_t)array->dimensions);
    pg_store32(head + 4, has_null);
    pg_store32(head + 8, array->element);
    for (int i = 0; i < array->dimensions; i++) {
        pg_store32(head + 12 + 8 * i, (uint32_t)array->sizes[i]);
        pg_store32(head + 16 + 8 * i, (uint32_t)array->bounds[i]);
    }
    return 0;
}

/* A text that is being read. `counts` are those of the braces that are open. */
struct array_text {
    struct pg_scan scan;
    char delimiter;
    struct pg_array array;
    int depth;
    int32_t counts[PG_ARRAY_DIMENSIONS];
    bool has_null, is_deep; /* an element was seen, so that no braces may stand deeper */
};

static bool array_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void array_skip_spaces(struct pg_scan *scan)
{
    while (!pg_scan_ended(scan) && array_is_space(*scan->at))
        scan->at++;
}

static bool array_scan_bound(struct pg_scan *scan, int32_t *out)
{
    bool negative = pg_scan_char(scan, '-');
    int64_t value;

    if (pg_scan_digits(scan, 10, &value) == 0)
        return false;
    value = negative ? -value : value;
    *out = (int32_t)value;
    return *out == value;
}

/* "[2:4][1:2]=", if it is there. */
static int array_scan_bounds(struct array_text *text)
{
    int dimension = 0;
    int32_t upper;

    while (pg_scan_char(&text->scan, '[')) {
        if (dimension >= PG_ARRAY_DIMENSIONS ||
            !array_scan_bound(&text->scan, &text->array.bounds[dimension++]) ||
            !pg_scan_char(&text->scan, ':') || !array_scan_bound(&text->scan, &upper) ||
            !pg_scan_char(&text->scan, ']'))
            return -EINVAL;
    }
    if (dimension > 0 && !pg_scan_char(&text->scan, '='))
        return -EINVAL;
    for (; dimension < PG_ARRAY_DIMENSIONS; dimension++)
        text->array.bounds[dimension] = 1;
    return 0;
}

/* An element's text without its quotes and backslashes. */
static int array_scan_element(struct array_text *text, struct eddy_buffer_ *to)
{
    bool is_quoted = pg_scan_char(&text->scan, '"'), has_escape = false, ended = false;
    size_t length = ed_buffer_size(to), start = length + 4, kept = start;
    int rc = pg_append32(to, 0);

    while (rc == 0 && !ended && !pg_scan_ended(&text->scan)) {
        char c = *text->scan.at;

        ended = is_quoted ? c == '"' : c == text->delimiter || c == '}' || c == '{' || c == '"';
        if (ended && !is_quoted)
            break;
        text->scan.at++;
        if (ended)
            break;
        if (c == '\\') {
            if (pg_scan_ended(&text->scan))
                return -EINVAL;
            c = *text->scan.at++;
            has_escape = true;
        }
        rc = ed_buffer_append(to, &c, 1);
        if (is_quoted || has_escape || !array_is_space(c))
            kept = ed_buffer_size(to);
    }
    if (rc < 0)
        return rc;
    if (!ended || (kept == start && !is_quoted))
        return -EINVAL;
    to->end = to->start + kept;
    length = to->start + length;
    if (!is_quoted && !has_escape && kept - start == 4 &&
        strncasecmp(to->data + length + 4, "NULL", 4) == 0) {
        text->has_null = true;
        to->end -= 4;
        pg_store32(to->data + length, UINT32_MAX);
    } else {
        pg_store32(to->data + length, (uint32_t)(kept - start));
    }
    return 0;
}

static int array_open(struct array_text *text)
{
    text->scan.at++;
    if (text->depth >= PG_ARRAY_DIMENSIONS ||
        (text->is_deep && text->depth >= text->array.dimensions))
        return -EINVAL;
    text->counts[text->depth++] = 0;
    if (text->depth > text->array.dimensions)
        text->array.dimensions = text->depth;
    return 0;
}

static int array_close(struct array_text *text)
{
    int32_t *size;

    text->scan.at++;
    if (text->depth == 0)
        return -EINVAL;
    size = &text->array.sizes[--text->depth];
    if (*size != 0 && *size != text->counts[text->depth])
        return -EINVAL;
    *size = text->counts[text->depth];
    if (text->depth > 0)
        text->counts[text->depth - 1]++;
    return 0;
}

/* From brace to brace. A comma is wanted behind each element and each closed brace, and nowhere
 * else. */
static int array_scan(struct array_text *text, struct eddy_buffer_ *to)
{
    bool wants_comma = false;
    int rc = 0;

    do {
        array_skip_spaces(&text->scan);
        if (pg_scan_ended(&text->scan))
            return -EINVAL;
        if (*text->scan.at == '}') {
            if (!wants_comma && text->counts[text->depth > 0 ? text->depth - 1 : 0] > 0)
                return -EINVAL;
            rc = array_close(text);
            wants_comma = true;
        } else if (wants_comma) {
            rc = pg_scan_char(&text->scan, text->delimiter) ? 0 : -EINVAL;
            wants_comma = false;
        } else if (*text->scan.at == '{') {
            rc = array_open(text);
        } else {
            if (text->depth == 0 || text->depth != text->array.dimensions)
                return -EINVAL;
            text->is_deep = true;
            text->counts[text->depth - 1]++;
            rc = array_scan_element(text, to);
            wants_comma = true;
        }
    } while (rc == 0 && text->depth > 0);
    return rc;
}

int pg_array_from_text(const char *from, size_t size, char delimiter, uint32_t element,
                       struct eddy_buffer_ *to)
{
    struct array_text text = {
        .scan = {from, from + size}, .delimiter = delimiter, .array.element = element};
    struct eddy_buffer_ parts = {.data = NULL};
    int rc = array_scan_bounds(&text);

    if (rc == 0)
        rc = array_scan(&text, &parts);
    array_skip_spaces(&text.scan);
    if (rc == 0 && !pg_scan_ended(&text.scan))
        rc = -EINVAL;
    for (int i = text.array.dimensions - 1; rc == 0 && i >= 0; i--)
        if (text.array.sizes[i] == 0)
            text.array.dimensions = 0;
    if (rc == 0)
        rc = pg_array_append_head(to, &text.array, text.has_null);
    if (rc == 0)
        rc = ed_buffer_append(to, ed_buffer_bytes(&parts), ed_buffer_size(&parts));
    ed_buffer_release(&parts);
    return rc;
}
