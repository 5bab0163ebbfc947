/* SPDX-License-Identifier: MIT */
/*
 * Applications: what is registered before a server runs.
 *
 * All that is added lives in the arena of the router, in lists in the order of adding, and is
 * freed with it. When a server starts, an application is frozen with all that are mounted in it:
 * from then on nothing changes, and each knows the whole chain of middlewares around its handlers,
 * so that a request goes through an array.
 */
#include "http/web_app.h"

#include <string.h>
#include <strings.h>

#include "eddy/stream_class.h"
#include "http/web_host.h"

static int app_check(const eddy_web_app *app)
{
    return app->frozen ? eddy_raise(-EBUSY, "the application runs, and cannot be changed") : 0;
}

/* Adds a copy to a list. */
static int app_add(eddy_web_app *app, struct ed_web_entries *list, const struct ed_web_entry *entry)
{
    struct ed_web_entry *added = ed_arena_alloc(&app->router.arena, sizeof *added);

    if (!added)
        return -ENOMEM;
    *added = *entry;
    added->next = NULL;
    if (list->last)
        list->last->next = added;
    else
        list->first = added;
    list->last = added;
    list->count++;
    return 0;
}

int eddy_web_app_new(eddy_web_app **out)
{
    eddy_web_app *app = eddy_alloc_(sizeof *app);

    if (!app)
        return -ENOMEM;
    app->depth = 1;
    *out = app;
    return 0;
}

void eddy_web_app_free(eddy_web_app *app)
{
    if (!app)
        return;
    for (struct ed_web_entry *e = app->mounted.first; e; e = e->next)
        eddy_web_app_free(e->app); /* ED_WEB_DEPTH at most */
    for (struct ed_web_entry *e = app->owned.first; e; e = e->next)
        e->release(e->argument);
    ed_router_free(&app->router);
    eddy_free(app);
}

void eddy_web_app_end_scope_(eddy_web_app **app)
{
    eddy_web_app_free(*app);
    *app = NULL;
}

/* Registering ------------------------------------------------------------------------ */

int eddy_web_route(eddy_web_app *app, const char *method, const char *path,
                   eddy_web_handler *handler, void *argument)
{
    int rc = app_check(app);

    return rc < 0 ? rc : ed_router_add(&app->router, method, path, handler, argument);
}

int eddy_web_get(eddy_web_app *app, const char *path, eddy_web_handler *handler, void *argument)
{
    return eddy_web_route(app, "GET", path, handler, argument);
}

int eddy_web_post(eddy_web_app *app, const char *path, eddy_web_handler *handler, void *argument)
{
    return eddy_web_route(app, "POST", path, handler, argument);
}

int eddy_web_put(eddy_web_app *app, const char *path, eddy_web_handler *handler, void *argument)
{
    return eddy_web_route(app, "PUT", path, handler, argument);
}

int eddy_web_delete(eddy_web_app *app, const char *path, eddy_web_handler *handler, void *argument)
{
    return eddy_web_route(app, "DELETE", path, handler, argument);
}

int eddy_web_use(eddy_web_app *app, eddy_web_middleware *middleware, void *argument)
{
    const struct ed_web_entry entry = {.middleware = middleware, .argument = argument};
    int rc = app_check(app);

    return rc < 0 ? rc : app_add(app, &app->middlewares, &entry);
}

int eddy_web_add_part(eddy_web_app *app, int (*start)(eddy_web_app *app, void *argument),
                      int (*stop)(eddy_web_app *app, void *argument), void *argument)
{
    const struct ed_web_entry entry = {.start = start, .stop = stop, .argument = argument};
    int rc = app_check(app);

    return rc < 0 ? rc : app_add(app, &app->parts, &entry);
}

int eddy_web_on_shutdown(eddy_web_app *app, void (*hook)(eddy_web_app *app, void *argument),
                         void *argument)
{
    const struct ed_web_entry entry = {.hook = hook, .argument = argument};
    int rc = app_check(app);

    return rc < 0 ? rc : app_add(app, &app->hooks, &entry);
}

int ed_web_app_own(eddy_web_app *app, void (*release)(void *argument), void *argument)
{
    const struct ed_web_entry entry = {.release = release, .argument = argument};

    return app_add(app, &app->owned, &entry);
}

/* Whether `sub` can be put into `app`, which makes those around it deeper. */
static int mount_check(const eddy_web_app *app, const eddy_web_app *sub)
{
    size_t depth = sub->depth;

    if (sub->outer || sub->frozen)
        return eddy_raise(-EBUSY, "the application is mounted already, or runs");
    for (const eddy_web_app *outer = app; outer; outer = outer->outer) {
        if (outer == sub)
            return eddy_raise(-EINVAL, "an application cannot be mounted in itself");
        if (++depth > ED_WEB_DEPTH)
            return eddy_raise(-EINVAL, "more than %d applications in each other", ED_WEB_DEPTH);
    }
    return 0;
}

/* It is mounted: nobody else's any more. */
static void mount_take(eddy_web_app *app, eddy_web_app **sub)
{
    size_t depth = (*sub)->depth;

    (*sub)->outer = app;
    for (eddy_web_app *outer = app; outer; outer = outer->outer) {
        if (outer->depth < ++depth)
            outer->depth = depth;
    }
    *sub = NULL;
}

int eddy_web_mount(eddy_web_app *app, const char *path, eddy_web_app **sub)
{
    const struct ed_web_entry entry = {.app = *sub};
    int rc = app_check(app);

    if (rc == 0)
        rc = mount_check(app, *sub);
    if (rc == 0)
        rc = ed_router_mount(&app->router, path, *sub);
    if (rc < 0)
        return rc;
    rc = app_add(app, &app->mounted, &entry);
    if (rc < 0) {
        ed_router_unmount(&app->router, path);
        return rc;
    }
    mount_take(app, sub);
    return 0;
}

int eddy_web_mount_host(eddy_web_app *app, const char *host, eddy_web_app **sub)
{
    struct ed_web_entry entry = {.app = *sub};

    EDDY_TRY(app_check(app));
    EDDY_TRY(mount_check(app, *sub));
    if (!ed_web_host_is_mask(host))
        return eddy_raise(-EINVAL, "'%.100s' is no host to mount for", host);
    for (const struct ed_web_entry *e = app->mounted.first; e; e = e->next)
        if (e->host && strcasecmp(e->host, host) == 0)
            return eddy_raise(-EEXIST, "something is mounted for the host '%s' already", host);
    entry.host = ed_arena_copy(&app->router.arena, host, strlen(host));
    if (!entry.host)
        return -ENOMEM;
    EDDY_TRY(app_add(app, &app->mounted, &entry));
    app->hosts++;
    mount_take(app, sub);
    return 0;
}

/* Values ------------------------------------------------------------------------------ */

static struct ed_web_entry *app_value(const eddy_web_app *app, const void *key)
{
    for (struct ed_web_entry *e = app->values.first; e; e = e->next)
        if (e->key == key)
            return e;
    return NULL;
}

int eddy_web_app_set(eddy_web_app *app, const void *key, void *value)
{
    const struct ed_web_entry entry = {.key = key, .argument = value};
    struct ed_web_entry *there = app_value(app, key);

    if (!there)
        return app_add(app, &app->values, &entry);
    there->argument = value;
    return 0;
}

void *eddy_web_app_value(const eddy_web_app *app, const void *key)
{
    for (; app; app = app->outer) {
        const struct ed_web_entry *entry = app_value(app, key);

        if (entry)
            return entry->argument;
    }
    return NULL;
}

/* Running ----------------------------------------------------------------------------- */

/* The chain: those around it, and then its own middlewares. */
static int app_make_chain(eddy_web_app *app)
{
    size_t around = app->outer ? app->outer->chain_count : 0;
    size_t count = around + app->middlewares.count;

    app->chain = ed_arena_alloc(&app->router.arena, (count + 1) * sizeof *app->chain);
    if (!app->chain)
        return -ENOMEM;
    if (around > 0)
        memcpy(app->chain, app->outer->chain, around * sizeof *app->chain);
    for (const struct ed_web_entry *e = app->middlewares.first; e; e = e->next)
        app->chain[around++] = e;
    app->chain_count = count;
    return 0;
}

int ed_web_app_freeze(eddy_web_app *app)
{
    int rc = app->chain ? 0 : app_make_chain(app);

    for (struct ed_web_entry *e = app->mounted.first; e && rc == 0; e = e->next)
        rc = ed_web_app_freeze(e->app);
    app->frozen = app->frozen || rc == 0;
    return rc;
}

size_t ed_web_app_count_parts(const eddy_web_app *app)
{
    size_t count = app->parts.count;

    for (const struct ed_web_entry *e = app->mounted.first; e; e = e->next)
        count += ed_web_app_count_parts(e->app);
    return count;
}

const struct ed_web_entry *ed_web_app_part(eddy_web_app *app, size_t *index, eddy_web_app **owner)
{
    const struct ed_web_entry *found = NULL;

    for (const struct ed_web_entry *e = app->parts.first; e; e = e->next)
        if ((*index)-- == 0) {
            *owner = app;
            return e;
        }
    for (const struct ed_web_entry *e = app->mounted.first; e && !found; e = e->next)
        found = ed_web_app_part(e->app, index, owner);
    return found;
}

void ed_web_app_call_hooks(eddy_web_app *app)
{
    for (const struct ed_web_entry *e = app->hooks.first; e; e = e->next)
        e->hook(app, e->argument);
    for (const struct ed_web_entry *e = app->mounted.first; e; e = e->next)
        ed_web_app_call_hooks(e->app);
}

/* The application that is mounted for a host in this one, and in that; else this one. */
static eddy_web_app *app_of_host(eddy_web_app *app, const char *host)
{
    while (ed_unlikely(app->hosts > 0)) { /* ED_WEB_DEPTH at most */
        const struct ed_web_entry *entry = app->mounted.first;

        while (entry && !(entry->host && ed_web_host_fits(entry->host, host)))
            entry = entry->next;
        if (!entry)
            break;
        app = entry->app;
    }
    return app;
}

int ed_web_app_find(eddy_web_app *app, const char *host, const char *method, const char *path,
                    size_t size, struct ed_arena *arena, struct ed_web_target *out)
{
    int rc;

    out->app = app = app_of_host(app, host);
    rc = ed_router_find(&app->router, method, path, size, arena, &out->found);
    while (rc == 0 && out->found.mounted) { /* ED_WEB_DEPTH at most */
        size_t rest = out->found.rest;

        path += rest;
        size -= rest;
        out->app = app_of_host(out->found.mounted, host);
        rc = ed_router_find(&out->app->router, method, path, size, arena, &out->found);
    }
    return rc;
}
