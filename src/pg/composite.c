/* SPDX-License-Identifier: MIT */
/*
 * Types that are made of a few others: composites (record_send), ranges and multiranges, looked at,
 * and their text forms (record_in, range_in, multirange_in) taken apart. A part of a text may be in
 * quotes as a whole or in pieces; two quotes within quotes are one, and what stands behind a
 * backslash is itself; nothing at all is NULL, or no bound.
 */
#include "pg/composite.h"

#include <errno.h>
#include <string.h>

#include "eddy/error.h"
#include "pg/append.h"
#include "pg/range.h"
#include "pg/scan.h"

#define COMPOSITE_UNKNOWN 705 /* the type of a text that has none */

/* Appends a part without its quotes, up to one of the stops; *is_nothing when there is none. */
static int composite_scan_part(struct pg_scan *scan, const char *stops, struct eddy_buffer_ *to,
                               bool *is_nothing)
{
    bool is_quoted = false;
    int rc = 0;

    *is_nothing = true;
    while (rc == 0) {
        char c = pg_scan_peek(scan);

        if (pg_scan_ended(scan))
            return -EINVAL;
        if (!is_quoted && strchr(stops, c))
            return 0;
        *is_nothing = false;
        scan->at++;
        if (c == '"' && !(is_quoted && pg_scan_char(scan, '"'))) {
            is_quoted = !is_quoted;
            continue;
        }
        if (c == '\\') {
            if (pg_scan_ended(scan))
                return -EINVAL;
            c = *scan->at++;
        }
        rc = ed_buffer_append(to, &c, 1);
    }
    return rc;
}

/* The same with its length before it: -1 for nothing. */
static int composite_scan_measured(struct pg_scan *scan, const char *stops, struct eddy_buffer_ *to)
{
    bool is_nothing = false;
    size_t place;
    int rc = pg_append_length(to, &place);

    if (rc == 0)
        rc = composite_scan_part(scan, stops, to, &is_nothing);
    if (rc == 0)
        pg_end_length(to, place);
    if (rc == 0 && is_nothing)
        pg_store32(to->data + to->start + place, UINT32_MAX);
    return rc;
}

int pg_composite_from_text(const char *text, size_t size, const uint32_t *fields, size_t count,
                           struct eddy_buffer_ *to)
{
    struct pg_scan scan = {text, text + size};
    size_t head = ed_buffer_size(to), found = 0;
    int rc = pg_scan_char(&scan, '(') ? pg_append32(to, 0) : -EINVAL;

    if (rc == 0 && pg_scan_char(&scan, ')'))
        return pg_scan_ended(&scan) ? 0 : -EINVAL;
    while (rc == 0) {
        rc = pg_append32(to, found < count ? fields[found] : COMPOSITE_UNKNOWN);
        found++;
        if (rc == 0)
            rc = composite_scan_measured(&scan, ",)", to);
        if (rc == 0 && !pg_scan_char(&scan, ','))
            break;
    }
    if (rc == 0 && (!pg_scan_char(&scan, ')') || !pg_scan_ended(&scan)))
        rc = -EINVAL;
    if (rc == 0)
        pg_store32(to->data + to->start + head, (uint32_t)found);
    return rc;
}

/* Where a range begins its bounds are read; a bound that is not there leaves nothing. */
static int composite_scan_range(struct pg_scan *scan, struct eddy_buffer_ *to)
{
    static const uint8_t infinite[] = {PG_RANGE_LOWER_INFINITE, PG_RANGE_UPPER_INFINITE};
    size_t head = ed_buffer_size(to), before;
    uint8_t flags = 0;
    int rc = ed_buffer_append(to, "", 1);

    if (pg_scan_word(scan, "empty", 5)) {
        flags = PG_RANGE_EMPTY;
    } else {
        if (pg_scan_char(scan, '['))
            flags = PG_RANGE_LOWER_INCLUSIVE;
        else if (!pg_scan_char(scan, '('))
            return -EINVAL;
        for (int i = 0; rc == 0 && i < 2; i++) {
            before = ed_buffer_size(to);
            rc = composite_scan_measured(scan, i == 0 ? "," : ")]", to);
            if (rc == 0 && pg_load32(to->data + to->start + before) == UINT32_MAX) {
                flags |= infinite[i];
                to->end -= 4;
            }
            if (rc == 0 && i == 0)
                scan->at++;
        }
        if (rc == 0 && *scan->at++ == ']')
            flags |= PG_RANGE_UPPER_INCLUSIVE;
    }
    if (rc == 0)
        to->data[to->start + head] = (char)flags;
    return rc;
}

int pg_range_from_text(const char *text, size_t size, struct eddy_buffer_ *to)
{
    struct pg_scan scan = {text, text + size};
    int rc = composite_scan_range(&scan, to);

    return rc == 0 && !pg_scan_ended(&scan) ? -EINVAL : rc;
}

/* The ranges are left as texts. */
int pg_multirange_from_text(const char *text, size_t size, struct eddy_buffer_ *to)
{
    struct pg_scan scan = {text, text + size};
    struct eddy_buffer_ range = {.data = NULL};
    size_t head = ed_buffer_size(to);
    uint32_t count = 0;
    int rc = pg_scan_char(&scan, '{') ? pg_append32(to, 0) : -EINVAL;

    while (rc == 0 && pg_scan_peek(&scan) != '}') {
        const char *start;

        if (count > 0 && !pg_scan_char(&scan, ','))
            rc = -EINVAL;
        start = scan.at;
        range.end = range.start;
        if (rc == 0)
            rc = composite_scan_range(&scan, &range);
        if (rc == 0)
            rc = pg_append32(to, (uint32_t)(scan.at - start));
        if (rc == 0)
            rc = ed_buffer_append(to, start, (size_t)(scan.at - start));
        count++;
    }
    ed_buffer_release(&range);
    if (rc == 0 && (!pg_scan_char(&scan, '}') || !pg_scan_ended(&scan)))
        rc = -EINVAL;
    if (rc == 0)
        pg_store32(to->data + to->start + head, count);
    return rc;
}

int pg_composite_next(struct pg_rest *rest, uint32_t *type, const char **data, int32_t *size)
{
    const char *oid = pg_take(rest, 4);

    if (!oid)
        return EDDY_EPG_PROTOCOL;
    *type = pg_load32(oid);
    return pg_take_part(rest, data, size);
}

int64_t pg_composite_read(const char *data, size_t size, struct pg_rest *out)
{
    struct pg_rest rest = {data, data + size};
    const char *head = pg_take(&rest, 4);
    uint32_t count = head ? pg_load32(head) : 0, type;
    int32_t length;

    *out = rest;
    if (!head)
        return EDDY_EPG_PROTOCOL;
    for (uint32_t i = 0; i < count; i++)
        if (pg_composite_next(&rest, &type, &data, &length) < 0)
            return EDDY_EPG_PROTOCOL;
    return rest.next == rest.end ? (int64_t)count : EDDY_EPG_PROTOCOL;
}

int64_t pg_multirange_read(const char *data, size_t size, struct pg_rest *out)
{
    struct pg_rest rest = {data, data + size};
    const char *head = pg_take(&rest, 4);
    uint32_t count = head ? pg_load32(head) : 0;
    int32_t length;

    *out = rest;
    if (!head)
        return EDDY_EPG_PROTOCOL;
    for (uint32_t i = 0; i < count; i++)
        if (pg_take_part(&rest, &data, &length) < 0 || !data)
            return EDDY_EPG_PROTOCOL;
    return rest.next == rest.end ? (int64_t)count : EDDY_EPG_PROTOCOL;
}
