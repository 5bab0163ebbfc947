/* SPDX-License-Identifier: MIT */
/*
 * Cookies in a file, as JSON:
 *
 *     {"version": 1, "cookies": [{"name": "a", "value": "1", "domain": "example.org", "path": "/",
 *                                 "expires": 1893456000, "host_only": true, ...}]}
 *
 * What is not UTF-8, which JSON cannot have, is written as if its bytes were letters of ISO 8859-1,
 * and its name says so: "value_latin1". Cookies of every host have no domain, those of the session
 * no time.
 *
 * A file is read into a jar of its own, which takes the place of the old one when all of it has
 * been understood. Each cookie goes through the same checks as one that its domain sets, so that a
 * file cannot bring in what no host could: above all, one for a host alone stays so, and none is
 * for a public suffix.
 */
#include <jansson.h>
#include <string.h>

#include "eddy/file.h"
#include "eddy/filesystem.h"
#include "eddy/stream_class.h"
#include "http/arena.h"
#include "http/cookie_jar.h"

#define FILE_LIMIT ((size_t)16 << 20)
#define FILE_MODE 0600
#define FILE_VERSION 1

/* Writing. */

/* Bytes as letters of ISO 8859-1, in UTF-8. */
static char *file_widen(const char *text)
{
    char *wide = eddy_alloc_(2 * strlen(text) + 1), *to = wide;

    for (; wide && *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x80)
            *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    return wide;
}

/* Adds a text under a name, or under "name_latin1": 0, -ENOMEM. */
static int file_put_text(json_t *object, const char *name, const char *wide_name, const char *text)
{
    json_t *value = json_string(text);
    char *wide;
    int rc;

    if (value)
        return json_object_set_new(object, name, value) < 0 ? -ENOMEM : 0;
    wide = file_widen(text);
    if (!wide)
        return -ENOMEM;
    rc = json_object_set_new(object, wide_name, json_string(wide));
    eddy_free(wide);
    return rc < 0 ? -ENOMEM : 0;
}

static int file_put_flags(json_t *object, const struct ed_cookie *cookie)
{
    int rc = json_object_set_new(object, "host_only", json_boolean(cookie->host_only));

    rc |= json_object_set_new(object, "secure", json_boolean(cookie->secure));
    rc |= json_object_set_new(object, "http_only", json_boolean(cookie->http_only));
    rc |= json_object_set_new(object, "partitioned", json_boolean(cookie->partitioned));
    if (cookie->same_site)
        rc |= json_object_set_new(object, "same_site", json_string(cookie->same_site));
    if (cookie->expires != ED_COOKIE_SESSION)
        rc |= json_object_set_new(object, "expires", json_integer(cookie->expires));
    return rc < 0 ? -ENOMEM : 0;
}

static int file_put_cookie(json_t *list, const struct ed_cookie *cookie)
{
    json_t *object = json_object();
    int rc = object ? file_put_text(object, "name", "name_latin1", cookie->name) : -ENOMEM;

    if (rc == 0)
        rc = file_put_text(object, "value", "value_latin1", cookie->value);
    if (rc == 0 && cookie->domain)
        rc = file_put_text(object, "domain", "domain_latin1", cookie->domain);
    if (rc == 0)
        rc = file_put_text(object, "path", "path_latin1", cookie->path);
    if (rc == 0)
        rc = file_put_flags(object, cookie);
    if (rc < 0) {
        json_decref(object);
        return rc;
    }
    return json_array_append_new(list, object) < 0 ? -ENOMEM : 0;
}

/* All cookies as a value; NULL when memory is short. */
static json_t *file_collect(eddy_cookie_jar *jar)
{
    json_t *list = json_array();

    ed_cookies_expire(jar);
    ED_LIST_FOR_EACH(link, &jar->by_age) {
        if (!list || file_put_cookie(list, ed_container_of(link, struct ed_cookie, age)) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{s:i,s:o}", "version", FILE_VERSION, "cookies", list); /* NULL for NULL */
}

int eddy_cookie_jar_save(eddy_cookie_jar *jar, const char *path)
{
    size_t flags = JSON_INDENT(1), size;
    json_t *all = file_collect(jar);
    char *text = NULL;
    int rc = -ENOMEM;

    size = all ? json_dumpb(all, NULL, 0, flags) : 0;
    if (size > 0)
        text = eddy_alloc_(size);
    if (text && json_dumpb(all, text, size, flags) == size)
        rc = 0;
    json_decref(all);
    if (rc == 0)
        rc = eddy_replace_file(path, text, size, FILE_MODE);
    eddy_free(text);
    return rc;
}

/* Reading. */

/* The other way of file_widen, in place: false for letters that are not of ISO 8859-1. */
static bool file_narrow(char *text)
{
    char *to = text;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c > 0xc3 || (c >= 0x80 && c < 0xc2))
            return false;
        if (c >= 0x80)
            c = (unsigned char)((unsigned)c << 6 | ((unsigned char)*++text & 0x3f));
        *to++ = (char)c;
    }
    *to = '\0';
    return true;
}

/* A text by its name, or by "name_latin1"; NULL: none. */
static const char *
file_text(const json_t *object, const char *name, const char *wide_name, struct ed_arena *arena)
{
    const char *text = json_string_value(json_object_get(object, name));
    const char *wide = json_string_value(json_object_get(object, wide_name));
    char *copy;

    if (text || !wide)
        return text;
    copy = ed_arena_copy(arena, wide, strlen(wide));
    return copy && file_narrow(copy) ? copy : NULL;
}

static bool file_flag(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* Takes a cookie as if its domain had set it. What cannot be one is left out; -ENOMEM. */
static int file_take_cookie(eddy_cookie_jar *jar, const json_t *object, struct ed_arena *arena)
{
    const json_t *expires = json_object_get(object, "expires");
    const char *site = json_string_value(json_object_get(object, "same_site"));
    const char *domain = file_text(object, "domain", "domain_latin1", arena);
    eddy_cookie cookie = {
        .name = file_text(object, "name", "name_latin1", arena),
        .value = file_text(object, "value", "value_latin1", arena),
        .path = file_text(object, "path", "path_latin1", arena),
        .same_site = site,
        .secure = file_flag(object, "secure"),
        .http_only = file_flag(object, "http_only"),
        .partitioned = file_flag(object, "partitioned"),
    };
    eddy_url url = {.text = "", .scheme = "https", .host = domain, .path = "/"};
    int rc;

    if (!cookie.name || !cookie.value || !cookie.path ||
        (json_object_get(object, "domain") && !domain))
        return 0;
    if (json_is_integer(expires)) {
        cookie.expires = json_integer_value(expires);
        if (cookie.expires <= 0)
            return 0;
    }
    if (domain && !file_flag(object, "host_only")) {
        if (ed_is_public_suffix(domain) || ed_cookie_is_address(domain))
            return 0;
        cookie.domain = domain;
    }
    rc = eddy_cookie_jar_set(jar, &cookie, domain ? &url : NULL);
    return rc == -ENOMEM ? rc : 0;
}

static int file_take_all(eddy_cookie_jar *jar, const json_t *all, const char *path)
{
    const json_t *list = json_object_get(all, "cookies");
    struct ed_arena arena = {0};
    int rc = 0;

    if (json_integer_value(json_object_get(all, "version")) != FILE_VERSION || !json_is_array(list))
        return eddy_raise(EDDY_EJSON, "%s is no file of cookies", path);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        rc = file_take_cookie(jar, json_array_get(list, i), &arena);
        ed_arena_reset(&arena);
    }
    ed_arena_free(&arena);
    return rc;
}

static int file_parse(eddy_cookie_jar *jar, const char *text, size_t size, const char *path)
{
    json_error_t error;
    json_t *all = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    int rc;

    if (!all)
        return eddy_raise(EDDY_EJSON, "%s:%d: %s", path, error.line, error.text);
    rc = file_take_all(jar, all, path);
    json_decref(all);
    return rc;
}

int eddy_cookie_jar_load(eddy_cookie_jar *jar, const char *path)
{
    eddy_cookie_jar *fresh;
    size_t size;
    char *text;
    int rc;

    EDDY_TRY(eddy_read_file(path, FILE_LIMIT, &text, &size));
    rc = eddy_cookie_jar_new(&jar->limits, &fresh);
    if (rc == 0) {
        fresh->now = jar->now;
        rc = file_parse(fresh, text, size, path);
        if (rc == 0)
            ed_cookies_take(jar, fresh);
        eddy_cookie_jar_free(fresh);
    }
    eddy_free(text);
    return rc;
}
