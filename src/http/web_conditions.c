/* SPDX-License-Identifier: MIT */
/*
 * Conditional requests.
 *
 * Conditions on the tag shadow those on the date. Tags are compared strongly for If-Match and
 * If-Range, where a weak one equals nothing, and weakly for If-None-Match. A date that cannot be
 * read is no condition.
 */
#include "http/web_conditions.h"

#include <string.h>

struct tag {
    bool weak;
    const char *text; /* with its quotes */
    size_t size;
};

/* Takes a tag off the front of a list: where it ends, or NULL for what is none. */
static const char *tag_take(const char *at, struct tag *out)
{
    const char *end;

    out->weak = at[0] == 'W' && at[1] == '/';
    at += out->weak ? 2 : 0;
    if (*at != '"' || !(end = strchr(at + 1, '"')))
        return NULL;
    out->text = at;
    out->size = (size_t)(end + 1 - at);
    return end + 1;
}

static bool tag_equal(const struct tag *one, const struct tag *other, bool strong)
{
    return !(strong && (one->weak || other->weak)) && one->size == other->size &&
           memcmp(one->text, other->text, one->size) == 0;
}

static const char *skip_blanks_and(const char *at, const char *more)
{
    while (*at == ' ' || *at == '\t' || (*at && strchr(more, *at)))
        at++;
    return at;
}

/* Whether a list has the tag; "*" has any. What cannot be read ends it. */
static bool list_has(const char *list, const struct tag *tag, bool strong)
{
    struct tag listed;

    list = skip_blanks_and(list, ",");
    if (*list == '*')
        return tag->text != NULL;
    while (*list && (list = tag_take(list, &listed))) {
        if (tag->text && tag_equal(&listed, tag, strong))
            return true;
        list = skip_blanks_and(list, ",");
    }
    return false;
}

/* The same over all fields of a name, of which there is one at least. */
static bool
fields_have(const eddy_headers *headers, const char *name, const char *etag, bool strong)
{
    struct tag tag = {0};
    const char *value;
    size_t index = 0;

    if (etag)
        (void)tag_take(etag, &tag); /* then it has no text, and equals nothing */
    while ((value = eddy_headers_next(headers, name, &index)))
        if (list_has(value, &tag, strong))
            return true;
    return false;
}

/* The date of a field; false when there is none that can be read. */
static bool field_date(const eddy_headers *headers, const char *name, time_t *out)
{
    const char *value = eddy_headers_get(headers, name);

    return value && eddy_http_parse_date(value, out) == 0;
}

int ed_conditions_check(const eddy_headers *headers, bool reads, const struct ed_validators *now)
{
    time_t date;

    if (eddy_headers_get(headers, "If-Match")) {
        if (!fields_have(headers, "If-Match", now->etag, true))
            return 412;
    } else if (now->modified >= 0 && field_date(headers, "If-Unmodified-Since", &date) &&
               now->modified > date) {
        return 412;
    }
    if (eddy_headers_get(headers, "If-None-Match"))
        return !fields_have(headers, "If-None-Match", now->etag, false) ? 0 : reads ? 304 : 412;
    if (reads && now->modified >= 0 && field_date(headers, "If-Modified-Since", &date) &&
        now->modified <= date)
        return 304;
    return 0;
}

bool ed_if_range_holds(const eddy_headers *headers, const struct ed_validators *now)
{
    const char *value = eddy_headers_get(headers, "If-Range");
    time_t date;

    if (!value)
        return true;
    if (strchr(value, '"'))
        return fields_have(headers, "If-Range", now->etag, true);
    return now->modified >= 0 && eddy_http_parse_date(value, &date) == 0 && now->modified == date;
}
