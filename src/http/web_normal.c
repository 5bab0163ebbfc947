/* SPDX-License-Identifier: MIT */
/*
 * Paths in their normal form.
 *
 * A path that has no route is looked up again with its slashes merged, with another end, and with
 * both, in this order; the first that has one is what the client is sent to. It always begins with
 * one slash alone, since "//host/" would be another host's URL, and is encoded anew. A slash that
 * came encoded is a NUL here, and stays encoded.
 */
#include <string.h>

#include "http/web_exchange.h"

/* One slash in the place of several: everywhere, or at the beginning only. Returns the size. */
static size_t normal_merge(char *path, size_t size, bool everywhere)
{
    size_t to = 0;

    for (size_t from = 0; from < size; from++)
        if (path[from] != '/' || to == 0 || path[to - 1] != '/' || (!everywhere && to > 1))
            path[to++] = path[from];
    return to;
}

/* Adds or removes the slash at the end: whether there was anything to do. */
static bool normal_end(char *path, size_t *size, bool remove)
{
    bool there = path[*size - 1] == '/';

    if (there != remove || *size == 1)
        return false;
    if (remove)
        --*size;
    else
        path[(*size)++] = '/';
    return true;
}

/* What the client is sent to; NULL when memory is short. */
static const char *normal_location(eddy_web_request *request, const char *path, size_t size)
{
    const char *text = "", *end = path + size;

    for (const char *part = path; part <= end; part += strlen(part) + 1) {
        char *encoded = eddy_percent_encode(part, "/");

        if (encoded)
            text =
                ed_arena_printf(&request->arena, "%s%s%s", text, part > path ? "%2F" : "", encoded);
        eddy_free(encoded);
        if (!encoded || !text)
            return NULL;
    }
    if (!*request->query)
        return text;
    return ed_arena_printf(&request->arena, "%s?%s", text, request->query);
}

/* Tries one form of the path: 1 when it is answered by a redirect, 0, or an error. */
static int
normal_try(eddy_web_request *request, const eddy_web_normal *normal, bool merge, bool end)
{
    char *path = ed_arena_alloc(&request->arena, request->lookup_size + 2);
    struct ed_web_target target;
    const char *location;
    size_t size;

    if (!path)
        return -ENOMEM;
    memcpy(path, request->lookup, request->lookup_size);
    size = normal_merge(path, request->lookup_size, merge);
    if (end && !normal_end(path, &size, normal->remove_slash))
        return 0;
    path[size] = '\0';
    EDDY_TRY(ed_web_app_find(request->connection->server->app, request->head.host,
                             request->head.method, path, size, &request->arena, &target));
    if (!target.found.handler)
        return 0;
    location = normal_location(request, path, size);
    if (!location)
        return -ENOMEM;
    EDDY_TRY(eddy_web_redirect(request, 308, location));
    return 1;
}

int eddy_web_normalize_path(eddy_web_request *request, void *argument)
{
    static const eddy_web_normal defaults;
    const eddy_web_normal *normal = argument ? argument : &defaults;
    bool merge = !normal->keep_slashes;
    int rc = 0;

    if (request->target.found.handler != ed_web_no_route || request->lookup[0] != '/')
        return eddy_web_next(request);
    if (merge)
        rc = normal_try(request, normal, true, false);
    if (rc == 0)
        rc = normal_try(request, normal, false, true);
    if (rc == 0 && merge)
        rc = normal_try(request, normal, true, true);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return eddy_web_next(request);
}
