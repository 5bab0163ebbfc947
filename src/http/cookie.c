/* SPDX-License-Identifier: MIT */
/*
 * Cookies as programs see them: given to a jar, taken from it, and as the fields Cookie and
 * Set-Cookie. What a request gets is collected from at most two buckets of the jar, and sorted:
 * those of longer paths first, and then the older ones (RFC 6265, 5.4).
 */
#include "eddy/cookie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eddy/stream_class.h"
#include "http/cookie_jar.h"
#include "http/headers.h"

/* Into the jar. */

/* A text of an attribute: no control, and nothing that would end it. */
static bool cookie_is_attribute(const char *text)
{
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f || *text == ';')
            return false;
    return true;
}

static int64_t cookie_expires(const eddy_cookie *cookie, int64_t now)
{
    if (cookie->max_age < 0)
        return INT64_MIN;
    if (cookie->max_age > 0)
        return cookie->max_age < (double)(ED_COOKIE_LAST - now) ? now + (int64_t)cookie->max_age
                                                                : ED_COOKIE_LAST;
    if (cookie->expires == 0)
        return ED_COOKIE_SESSION;
    return cookie->expires < ED_COOKIE_LAST ? cookie->expires : ED_COOKIE_LAST;
}

int eddy_cookie_jar_set(eddy_cookie_jar *jar, const eddy_cookie *cookie, const eddy_url *url)
{
    const char *domain = cookie->domain;
    struct ed_cookie_request request = {
        .name = cookie->name,
        .name_size = strlen(cookie->name),
        .value = cookie->value ? cookie->value : "",
        .value_size = cookie->value ? strlen(cookie->value) : 0,
        .expires = cookie_expires(cookie, jar->now()),
        .secure = cookie->secure,
        .http_only = cookie->http_only,
        .partitioned = cookie->partitioned,
    };

    if (!ed_cookie_is_valid(request.name, request.name_size, request.value, request.value_size) ||
        !cookie_is_attribute(domain) || !cookie_is_attribute(cookie->path))
        return eddy_raise(-EINVAL, "a cookie has a name, value or attribute that is none");
    if (domain)
        domain += *domain == '.';
    request.domain = url && domain && *domain ? domain : NULL;
    request.domain_size = request.domain ? strlen(domain) : 0;
    request.path = cookie->path && *cookie->path == '/' ? cookie->path : NULL;
    request.path_size = request.path ? strlen(cookie->path) : 0;
    if (cookie->same_site)
        request.same_site = ed_cookie_same_site(cookie->same_site, strlen(cookie->same_site));
    return ed_cookie_store(jar, &request, url);
}

int eddy_cookie_jar_parse(eddy_cookie_jar *jar, const char *field, const eddy_url *url)
{
    struct ed_cookie_request request;

    EDDY_TRY(ed_cookie_read(field, jar->now(), &request));
    if (!url)
        request.domain = NULL;
    return ed_cookie_store(jar, &request, url);
}

/* Out of the jar. */

/* The order in which they are sent. */
static int cookie_compare(const void *a, const void *b)
{
    const struct ed_cookie *one = *(const struct ed_cookie *const *)a;
    const struct ed_cookie *other = *(const struct ed_cookie *const *)b;

    if (one->path_size != other->path_size)
        return one->path_size > other->path_size ? -1 : 1;
    return one->number < other->number ? -1 : one->number > other->number;
}

/* "a=1; b=2" of so many cookies; NULL when memory is short. */
static char *cookie_join(const struct ed_cookie **cookies, size_t count)
{
    size_t size = 0;
    char *field, *to;

    for (size_t i = 0; i < count; i++)
        size += strlen(cookies[i]->name) + strlen(cookies[i]->value) + 3;
    field = to = eddy_alloc_(size + 1);
    for (size_t i = 0; field && i < count; i++)
        to += snprintf(to, size + 1 - (size_t)(to - field), "%s%s=%s", i > 0 ? "; " : "",
                       cookies[i]->name, cookies[i]->value);
    return field;
}

int eddy_cookie_jar_field(eddy_cookie_jar *jar, const eddy_url *url, char **out)
{
    size_t count = ed_cookies_for(jar, url, NULL, 0);
    const struct ed_cookie **cookies;
    char *field;

    if (count == 0) {
        *out = NULL;
        return 0;
    }
    cookies = eddy_alloc_(count * sizeof(struct ed_cookie *));
    if (!cookies)
        return -ENOMEM;
    count = ed_cookies_for(jar, url, cookies, count); /* one may have expired meanwhile */
    qsort(cookies, count, sizeof(struct ed_cookie *), cookie_compare);
    field = cookie_join(cookies, count);
    eddy_free(cookies);
    if (!field)
        return -ENOMEM;
    *out = field;
    return 0;
}

const char *eddy_cookie_jar_get(eddy_cookie_jar *jar, const eddy_url *url, const char *name)
{
    const struct ed_cookie *some[16], **cookies = some, *best = NULL;
    size_t count = ed_cookies_for(jar, url, some, ED_ARRAY_LENGTH(some));

    if (count > ED_ARRAY_LENGTH(some)) {
        cookies = eddy_alloc_(count * sizeof(struct ed_cookie *));
        count = cookies ? ed_cookies_for(jar, url, cookies, count) : 0;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(cookies[i]->name, name) == 0 &&
            (!best || cookie_compare(&cookies[i], &best) < 0))
            best = cookies[i];
    if (cookies != some)
        eddy_free(cookies);
    return best ? best->value : NULL;
}

bool eddy_cookie_jar_at(eddy_cookie_jar *jar, size_t index, eddy_cookie *out)
{
    ed_cookies_expire(jar);
    ED_LIST_FOR_EACH(link, &jar->by_age) {
        const struct ed_cookie *cookie = ed_container_of(link, struct ed_cookie, age);

        if (index-- > 0)
            continue;
        *out = (eddy_cookie){
            .name = cookie->name,
            .value = cookie->value,
            .domain = cookie->domain,
            .path = cookie->path,
            .same_site = cookie->same_site,
            .expires = cookie->expires == ED_COOKIE_SESSION ? 0 : cookie->expires,
            .secure = cookie->secure,
            .http_only = cookie->http_only,
            .partitioned = cookie->partitioned,
            .host_only = cookie->host_only,
        };
        return true;
    }
    return false;
}

/* To be set at a client. */

/* A value as RFC 6265, 4.1.1 has it, perhaps in quotes; letters beyond ASCII are let pass. */
static bool cookie_can_be_sent(const char *value)
{
    size_t size = strlen(value);
    bool quoted = size >= 2 && value[0] == '"' && value[size - 1] == '"';

    for (size_t i = quoted; i < size - quoted; i++)
        if ((unsigned char)value[i] <= ' ' || value[i] == 0x7f || strchr("\",;\\", value[i]))
            return false;
    return true;
}

static int cookie_check(const eddy_cookie *cookie)
{
    const char *value = cookie->value ? cookie->value : "";

    if (!ed_is_token(cookie->name, strlen(cookie->name)) || !cookie_can_be_sent(value))
        return eddy_raise(-EINVAL, "a cookie has a name or value that cannot be sent: %.100s",
                          cookie->name);
    if (!cookie_is_attribute(cookie->domain) || !cookie_is_attribute(cookie->path) ||
        (cookie->same_site && !ed_cookie_same_site(cookie->same_site, strlen(cookie->same_site))))
        return eddy_raise(-EINVAL, "the cookie %s has an attribute that cannot be sent",
                          cookie->name);
    return 0;
}

/* Seconds of Max-Age: whole ones, and some left of less than one. */
static long long cookie_age(double seconds)
{
    if (seconds <= 0)
        return 0;
    return seconds < 1 ? 1 : seconds < (double)ED_COOKIE_LAST ? (long long)seconds : ED_COOKIE_LAST;
}

/* The attributes that have values, in the arena. */
static const char *cookie_attributes(const eddy_cookie *cookie, struct ed_arena *arena)
{
    const char *text = ed_arena_printf(arena, "; Path=%s", cookie->path ? cookie->path : "/");
    time_t expires = cookie->max_age < 0 ? 1 : cookie->expires;
    char date[EDDY_HTTP_DATE_SIZE];

    if (text && cookie->domain)
        text = ed_arena_printf(arena, "%s; Domain=%s", text, cookie->domain);
    if (text && expires != 0) {
        eddy_http_format_date(expires, date);
        text = ed_arena_printf(arena, "%s; Expires=%s", text, date);
    }
    if (text && cookie->max_age != 0)
        text = ed_arena_printf(arena, "%s; Max-Age=%lld", text, cookie_age(cookie->max_age));
    if (text && cookie->same_site)
        text = ed_arena_printf(arena, "%s; SameSite=%s", text,
                               ed_cookie_same_site(cookie->same_site, strlen(cookie->same_site)));
    return text;
}

int eddy_cookie_format(const eddy_cookie *cookie, char **out)
{
    struct ed_arena arena = {0};
    const char *text;
    char *copy = NULL;

    EDDY_TRY(cookie_check(cookie));
    text = cookie_attributes(cookie, &arena);
    if (text)
        text = ed_arena_printf(
            &arena, "%s=%s%s%s%s%s", cookie->name, cookie->value ? cookie->value : "", text,
            cookie->secure ? "; Secure" : "", cookie->http_only ? "; HttpOnly" : "",
            cookie->partitioned ? "; Partitioned" : "");
    if (text)
        copy = eddy_strdup_(text);
    ed_arena_free(&arena);
    if (!copy)
        return -ENOMEM;
    *out = copy;
    return 0;
}
