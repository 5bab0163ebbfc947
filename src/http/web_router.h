/* SPDX-License-Identifier: MIT */
/*
 * From a path to what was registered for it: patterns of eddy_web_route. Paths come here in their
 * decoded form, in which a NUL stands for a slash that was encoded ("%2F"): such a one is part of a
 * segment. What is found has it as a slash.
 */
#ifndef ED_HTTP_WEB_ROUTER_H
#define ED_HTTP_WEB_ROUTER_H

#include "base/list.h"
#include "eddy/web.h"
#include "http/arena.h"

#define ED_ROUTE_NAMES 16   /* in one pattern */
#define ED_ROUTE_METHODS 32 /* that a 405 can list */

struct ed_route_node;

/* Zeroed it has no routes. */
struct ed_router {
    struct ed_arena arena; /* of all that is in it */
    struct ed_route_node **nodes;
    size_t count, capacity;
    struct ed_route_pattern *compiled; /* those with a regular expression to be freed */
};

/* What a name of the pattern stands for, with a NUL behind it. */
struct ed_route_value {
    const char *name, *value;
};

struct ed_route_found {
    eddy_web_handler *handler; /* NULL: none for that method */
    void *argument;
    void *mounted;   /* or what is mounted there, */
    size_t rest;     /* and where in the path it begins */
    bool path_known; /* some route has that path: 405, not 404 */
    struct ed_route_value *values;
    size_t value_count;
    const char **allowed; /* methods that the path has; ED_ROUTE_METHODS at most */
    size_t allowed_count;
};

/* Adds a route. 0, -EEXIST, -EINVAL with a text, -ENOMEM. */
int ed_router_add(struct ed_router *router, const char *method, const char *path,
                  eddy_web_handler *handler, void *argument);
/* Hands all below a path over. The same; a path with names is -EINVAL. */
int ed_router_mount(struct ed_router *router, const char *path, void *mounted);
void ed_router_unmount(struct ed_router *router, const char *path);

/* Finds what a request is for; values are in the arena. 0, -ENOMEM. */
int ed_router_find(const struct ed_router *router, const char *method, const char *path,
                   size_t size, struct ed_arena *arena, struct ed_route_found *out);

void ed_router_free(struct ed_router *router);

#endif
