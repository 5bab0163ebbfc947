/* SPDX-License-Identifier: MIT */
/* An application: what was registered with it. */
#ifndef ED_HTTP_WEB_APP_H
#define ED_HTTP_WEB_APP_H

#include "http/web_router.h"

#define ED_WEB_DEPTH 16 /* applications in each other */

/* Something that was added; what it is, its list says. */
struct ed_web_entry {
    struct ed_web_entry *next;
    eddy_web_middleware *middleware;
    int (*start)(eddy_web_app *app, void *argument);
    int (*stop)(eddy_web_app *app, void *argument);
    void (*hook)(eddy_web_app *app, void *argument);
    eddy_web_app *app; /* a mounted one, */
    const char *host;  /* for what host; NULL: below a path */
    void (*release)(void *argument);
    const void *key;
    void *argument;
};

/* In the order of adding. */
struct ed_web_entries {
    struct ed_web_entry *first, *last;
    size_t count;
};

/* Zeroed but for its arena, which is the router's: all is freed with it. */
struct eddy_web_app {
    struct ed_router router;
    struct ed_web_entries middlewares, parts, hooks, mounted, owned, values;
    eddy_web_app *outer; /* that it is mounted in */
    size_t depth;        /* applications one in the other, from here down */
    size_t hosts;        /* of the mounted ones, those for a host */
    bool frozen;         /* a server runs it, or did */

    /* once it is frozen: the middlewares of all around it too, the outermost first */
    const struct ed_web_entry **chain;
    size_t chain_count;
};

/* What a request is for. */
struct ed_web_target {
    eddy_web_app *app; /* the innermost one */
    struct ed_route_found found;
};

/* Prepares an application and all that are in it to run. 0, -ENOMEM. */
int ed_web_app_freeze(eddy_web_app *app);

/* Goes through it and all that are mounted in it, itself first: how many parts there are, and
 * number `index` of them with its application. */
size_t ed_web_app_count_parts(const eddy_web_app *app);
const struct ed_web_entry *ed_web_app_part(eddy_web_app *app, size_t *index, eddy_web_app **owner);

/* Calls all hooks, those of the outer application first. */
void ed_web_app_call_hooks(eddy_web_app *app);

/* Finds the route, as ed_router_find, through what is mounted; `host` as a request has it. */
int ed_web_app_find(eddy_web_app *app, const char *host, const char *method, const char *path,
                    size_t size, struct ed_arena *arena, struct ed_web_target *out);

/* Has the application call release(argument) when it is freed. 0, -ENOMEM. */
int ed_web_app_own(eddy_web_app *app, void (*release)(void *argument), void *argument);

#endif
