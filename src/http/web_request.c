/* SPDX-License-Identifier: MIT */
/*
 * What is asked: target, query, cookies, and the whole body.
 *
 * The target becomes three texts. `lookup` is the path decoded, without "." and ".." segments, in
 * which a NUL stands for an encoded slash: with it routes are found, and no name in it can pretend
 * to be two. `path` is what handlers see: the same with "%2F" in the place of each NUL; where
 * there is none both are one text. `query` stays encoded. An encoded NUL is refused.
 *
 * Everything that costs is done when it is asked for, once.
 */
#include "eddy/web_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/web_exchange.h"
#include "http/web_form.h"

/* The target --------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes a path in place of its copy: the size, or EDDY_HTTP_STATUS(400). */
static ssize_t target_decode(char *path, size_t size)
{
    char *to = path;

    for (size_t i = 0; i < size; i++) {
        int high, low, byte;

        if (path[i] != '%') {
            *to++ = path[i];
            continue;
        }
        high = i + 2 < size ? hex_value(path[i + 1]) : -1;
        low = i + 2 < size ? hex_value(path[i + 2]) : -1;
        if (high < 0 || low < 0)
            return eddy_raise(EDDY_HTTP_STATUS(400), "the path has a '%%' that encodes nothing");
        byte = high << 4 | low;
        if (byte == 0)
            return eddy_raise(EDDY_HTTP_STATUS(400), "the path has an encoded NUL");
        *to++ = byte == '/' ? '\0' : (char)byte;
        i += 2;
    }
    return to - path;
}

/* Takes the "." and ".." segments out (RFC 3986, 5.2.4), in place: the size. */
static size_t target_remove_dots(char *path, size_t size)
{
    size_t to = 0, from = 0;

    while (from < size) { /* at a slash, always */
        const char *slash = memchr(path + from + 1, '/', size - from - 1);
        size_t end = slash ? (size_t)(slash - path) : size, length = end - from - 1;
        bool dot = length == 1 && path[from + 1] == '.';
        bool dots = length == 2 && path[from + 1] == '.' && path[from + 2] == '.';

        if (dots)
            while (to > 0 && path[--to] != '/')
                ;
        if (!dot && !dots) {
            memmove(path + to, path + from, end - from);
            to += end - from;
        } else if (!slash) {
            path[to++] = '/'; /* "/a/.." is the folder */
        }
        from = end;
    }
    return to;
}

/* The text for handlers, of one that has NULs. */
static const char *target_show(eddy_web_request *request, const char *lookup, size_t size)
{
    char *text = ed_arena_alloc(&request->arena, 3 * size + 1), *to = text;

    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        if (lookup[i])
            *to++ = lookup[i];
        else
            to = (char *)memcpy(to, "%2F", 3) + 3;
    }
    *to = '\0';
    return text;
}

/* A path that has something to decode, or dots. */
static int target_set_odd_path(eddy_web_request *request, const char *path, size_t size)
{
    char *lookup = ed_arena_copy(&request->arena, path, size);
    ssize_t decoded = lookup ? target_decode(lookup, size) : -ENOMEM;

    if (decoded < 0)
        return (int)decoded;
    size = target_remove_dots(lookup, (size_t)decoded);
    lookup[size] = '\0';
    request->lookup = lookup;
    request->lookup_size = size;
    request->path = memchr(lookup, '\0', size) ? target_show(request, lookup, size) : lookup;
    return request->path ? 0 : -ENOMEM;
}

static int target_set_path(eddy_web_request *request, const char *path, size_t size)
{
    bool odd = memchr(path, '%', size) || memmem(path, size, "/.", 2);
    const char *end = path + size;

    if (odd)
        return target_set_odd_path(request, path, size);
    request->path = *end ? ed_arena_copy(&request->arena, path, size) : path;
    request->lookup = request->path;
    request->lookup_size = size;
    return request->path ? 0 : -ENOMEM;
}

/* Splits "/path?query", of which the reader has seen to it that it is in order. */
static int target_set(eddy_web_request *request)
{
    const char *path = request->head.path, *mark = strchr(path, '?');

    request->query = mark ? mark + 1 : "";
    if (ed_likely(path[0] == '/'))
        return target_set_path(request, path, mark ? (size_t)(mark - path) : strlen(path));
    if (path[0] == '\0')
        return eddy_raise(EDDY_HTTP_STATUS(501), "this is no proxy");
    request->path = request->lookup = path; /* "*" */
    request->lookup_size = 1;
    return 0;
}

/* Beginning and end --------------------------------------------------------------------- */

/* Expectations other than 100-continue cannot be met (RFC 9110, 10.1.1). */
static int request_check(const eddy_web_request *request)
{
    const struct ed_head *head = &request->head;
    uint64_t limit = request->connection->server->options.stream_size;

    if (ed_unlikely(head->fields.count > 0 && !head->expects &&
                    ed_headers_find(&head->fields, "Expect", 6, 0)))
        return eddy_raise(EDDY_HTTP_STATUS(417), "only 100-continue can be expected");
    if (limit > 0 && head->length > 0 && (uint64_t)head->length > limit)
        return eddy_raise(EDDY_HTTP_STATUS(413), "the body has more than %llu bytes",
                          (unsigned long long)limit);
    return 0;
}

int ed_web_request_open(eddy_web_request *request)
{
    int rc = target_set(request);

    request->next = 0;
    if (rc == 0)
        rc = request_check(request);
    if (rc < 0)
        return rc;
    rc = ed_web_app_find(request->connection->server->app, request->head.host, request->head.method,
                         request->lookup, request->lookup_size, &request->arena, &request->target);
    if (rc == 0 && !request->target.found.handler)
        request->target.found.handler = ed_web_no_route;
    return rc;
}

bool ed_web_request_is_read(const eddy_web_request *request)
{
    return !request->head.has_body || request->connection->reader.ended;
}

void ed_web_request_close(eddy_web_request *request)
{
    ed_web_form_free(request->form);
    eddy_multipart_free(request->multipart);
    if (request->body)
        (void)eddy_stream_close(&request->body); /* what is left stays with the reader */
    eddy_free(request->whole);
    eddy_free(request->queries);
}

int eddy_web_next(eddy_web_request *request)
{
    const eddy_web_app *app = request->target.app;
    size_t at = request->next;
    int rc;

    if (at == app->chain_count)
        return request->target.found.handler(request, request->target.found.argument);
    request->next = at + 1;
    rc = app->chain[at]->middleware(request, app->chain[at]->argument);
    request->next = at;
    return rc;
}

/* What there is to read ----------------------------------------------------------------- */

const char *eddy_web_method(const eddy_web_request *request)
{
    return request->head.method;
}

const char *eddy_web_path(const eddy_web_request *request)
{
    return request->path;
}

const char *eddy_web_target(const eddy_web_request *request)
{
    return request->head.target;
}

const char *eddy_web_query_string(const eddy_web_request *request)
{
    return request->query;
}

const char *eddy_web_host(const eddy_web_request *request)
{
    return request->head.host;
}

const char *eddy_web_scheme(const eddy_web_request *request)
{
    return strcmp(eddy_stream_kind(request->connection->stream), "tls") == 0 ? "https" : "http";
}

const char *eddy_web_remote(const eddy_web_request *request)
{
    return eddy_stream_peer_name(request->connection->stream);
}

const char *eddy_web_version(const eddy_web_request *request)
{
    return request->head.minor == 0 ? "1.0" : "1.1";
}

const eddy_headers *eddy_web_headers(const eddy_web_request *request)
{
    return &request->head.fields;
}

const char *eddy_web_header(const eddy_web_request *request, const char *name)
{
    const struct ed_field *field = ed_headers_find(&request->head.fields, name, strlen(name), 0);

    return field ? field->value : NULL;
}

const char *eddy_web_match(const eddy_web_request *request, const char *name)
{
    const struct ed_route_found *found = &request->target.found;

    for (size_t i = 0; i < found->value_count; i++)
        if (strcmp(found->values[i].name, name) == 0)
            return found->values[i].value;
    return NULL;
}

const eddy_pair *eddy_web_queries(eddy_web_request *request)
{
    static const eddy_pair none[1];

    if (!request->queries && *request->query &&
        eddy_form_decode(request->query, 0, &request->queries) < 0)
        request->queries = NULL;
    return request->queries ? request->queries : none;
}

const char *eddy_web_query(eddy_web_request *request, const char *name)
{
    return eddy_pair_get(eddy_web_queries(request), name);
}

eddy_web_app *eddy_web_request_app(const eddy_web_request *request)
{
    return request->target.app;
}

/* One pair of a Cookie field; its value without blanks and quotes around it. NULL: another one. */
static const char *
cookie_value(eddy_web_request *request, const char *pair, size_t size, const char *name)
{
    size_t length = strlen(name);

    while (size > 0 && (pair[size - 1] == ' ' || pair[size - 1] == '\t'))
        size--;
    if (size <= length || pair[length] != '=' || memcmp(pair, name, length) != 0)
        return NULL;
    pair += length + 1;
    size -= length + 1;
    if (size >= 2 && pair[0] == '"' && pair[size - 1] == '"') {
        pair++;
        size -= 2;
    }
    return ed_arena_copy(&request->arena, pair, size);
}

const char *eddy_web_cookie(eddy_web_request *request, const char *name)
{
    const char *field, *value;
    size_t index = 0;

    while ((field = eddy_headers_next(&request->head.fields, "Cookie", &index)))
        while (*field) {
            size_t size;

            field += strspn(field, "; \t");
            size = strcspn(field, ";");
            value = cookie_value(request, field, size, name);
            if (value)
                return value;
            field += size;
        }
    return NULL;
}

/* Numbers -------------------------------------------------------------------------------- */

static int number_parse(const char *name, const char *text, long least, long most, long *out)
{
    char *end;
    long number;

    if (!text)
        return eddy_raise(EDDY_HTTP_STATUS(400), "%s: missing", name);
    errno = 0;
    number = strtol(text, &end, 10);
    if (end == text || *end || errno == EINVAL || strpbrk(text, " \t\n\v\f\r"))
        return eddy_raise(EDDY_HTTP_STATUS(400), "%s: not a number", name);
    if (errno == ERANGE || number < least || number > most)
        return eddy_raise(EDDY_HTTP_STATUS(400), "%s: not from %ld to %ld", name, least, most);
    *out = number;
    return 0;
}

int eddy_web_match_long(eddy_web_request *request, const char *name, long least, long most,
                        long *out)
{
    return number_parse(name, eddy_web_match(request, name), least, most, out);
}

int eddy_web_query_long(eddy_web_request *request, const char *name, long least, long most,
                        long *out)
{
    return number_parse(name, eddy_web_query(request, name), least, most, out);
}

/* Values --------------------------------------------------------------------------------- */

int eddy_web_set_value(eddy_web_request *request, const void *key, void *value)
{
    struct ed_web_value *entry;

    for (entry = request->values; entry; entry = entry->next)
        if (entry->key == key) {
            entry->value = value;
            return 0;
        }
    entry = ed_arena_alloc(&request->arena, sizeof *entry);
    if (!entry)
        return -ENOMEM;
    *entry = (struct ed_web_value){request->values, key, value};
    request->values = entry;
    return 0;
}

void *eddy_web_value(const eddy_web_request *request, const void *key)
{
    for (const struct ed_web_value *entry = request->values; entry; entry = entry->next)
        if (entry->key == key)
            return entry->value;
    return NULL;
}
