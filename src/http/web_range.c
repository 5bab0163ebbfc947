/* SPDX-License-Identifier: MIT */
/*
 * Ranges: "bytes=0-99", "bytes=100-", "bytes=-50". Numbers are ASCII digits and nothing else; what
 * is larger than any file counts as that.
 */
#include "http/web_range.h"

#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Reads digits: where they end; at itself when there are none. */
static const char *range_number(const char *at, uint64_t *out)
{
    uint64_t number = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');

        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    *out = number;
    return at;
}

/* One range; what it asks for may be beyond the end. */
static enum ed_range range_one(const char *at, uint64_t size, uint64_t *first, uint64_t *last)
{
    const char *dash = range_number(at, first), *end;
    bool has_first = dash > at, has_last;

    if (*dash != '-')
        return ED_RANGE_NONE;
    end = range_number(dash + 1, last);
    has_last = end > dash + 1;
    if (*skip_blanks(end) || (!has_first && !has_last))
        return ED_RANGE_NONE;
    if (!has_first) { /* so many at the end */
        *first = *last < size ? size - *last : 0;
        has_last = *last > 0;
        *last = size - 1;
        return has_last && size > 0 ? ED_RANGE_PART : ED_RANGE_NONE;
    }
    if (!has_last || (*last >= size && *last >= *first))
        *last = size - 1;
    return *first < size && *first <= *last ? ED_RANGE_PART : ED_RANGE_NONE;
}

enum ed_range ed_range_parse(const char *value, uint64_t size, uint64_t *first, uint64_t *last)
{
    const char *equals = strchr(value, '=');

    if (!equals)
        return ED_RANGE_NONE;
    if (equals - value != 5 || strncasecmp(value, "bytes", 5) != 0)
        return ED_RANGE_WHOLE;
    value = skip_blanks(equals + 1);
    if (strchr(value, ','))
        return ED_RANGE_WHOLE;
    return range_one(value, size, first, last);
}
