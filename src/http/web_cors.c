/* SPDX-License-Identifier: MIT */
/*
 * The CORS protocol (Fetch standard, 3.2), as a middleware.
 *
 * What is said of an origin is set before the handler runs, so that answers which are begun have
 * it, and stays with those of errors. An answer that depends on the origin says so in Vary whether
 * there was an origin or not: else a cache would give one page's answer to another. Credentials go
 * to origins that are named, never to "*", which would open all that a user may see to any page.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/web_exchange.h"

#define ALLOW "Access-Control-Allow-"
#define REQUEST "Access-Control-Request-"

struct cors_search {
    const char *text;
    bool found;
};

static bool cors_compare(const char *member, size_t size, void *argument)
{
    struct cors_search *search = argument;

    search->found = strlen(search->text) == size && memcmp(member, search->text, size) == 0;
    return !search->found;
}

static bool cors_list_has(const char *list, const char *text)
{
    struct cors_search search = {.text = text};

    if (list)
        ed_each_member(list, cors_compare, &search);
    return search.found;
}

static bool cors_takes_any(const eddy_web_cors_options *options)
{
    return options->origins && strcmp(options->origins, "*") == 0;
}

static int cors_vary(eddy_web_request *request, const char *name)
{
    if (eddy_headers_has_token(&request->answer.fields, "Vary", name))
        return 0;
    return eddy_web_add_header(request, "Vary", name);
}

/* What all answers say: whether this origin may see them. */
static int cors_allow_origin(eddy_web_request *request, const eddy_web_cors_options *options,
                             const char *origin)
{
    bool any = cors_takes_any(options);

    if (!any)
        EDDY_TRY(cors_vary(request, "Origin"));
    if (!origin)
        return 0;
    EDDY_TRY(eddy_web_set_header(request, ALLOW "Origin", any ? "*" : origin));
    if (options->credentials && !any)
        EDDY_TRY(eddy_web_set_header(request, ALLOW "Credentials", "true"));
    return 0;
}

/* The methods of a path: the one that is asked for, if there is a route. */
static int cors_allow_method(eddy_web_request *request, const eddy_web_cors_options *options,
                             const char *method)
{
    struct ed_web_target target;

    if (options->methods)
        return eddy_web_set_header(request, ALLOW "Methods", options->methods);
    EDDY_TRY(ed_web_app_find(request->connection->server->app, request->head.host, method,
                             request->lookup, request->lookup_size, &request->arena, &target));
    return target.found.handler ? eddy_web_set_header(request, ALLOW "Methods", method) : 0;
}

static int cors_allow_headers(eddy_web_request *request, const eddy_web_cors_options *options)
{
    const char *asked = eddy_web_header(request, REQUEST "Headers");

    if (!options->headers || !asked)
        return 0;
    if (strcmp(options->headers, "*") != 0)
        return eddy_web_set_header(request, ALLOW "Headers", options->headers);
    EDDY_TRY(cors_vary(request, REQUEST "Headers"));
    return eddy_web_set_header(request, ALLOW "Headers", asked); /* "*" is none with credentials */
}

/* Answers a browser that asks before it sends a request. */
static int
cors_answer(eddy_web_request *request, const eddy_web_cors_options *options, const char *method)
{
    char age[16];

    EDDY_TRY(cors_allow_method(request, options, method));
    EDDY_TRY(cors_allow_headers(request, options));
    if (options->max_age > 0) {
        snprintf(age, sizeof age, "%u", options->max_age);
        EDDY_TRY(eddy_web_set_header(request, "Access-Control-Max-Age", age));
    }
    return eddy_web_send(request, 204, NULL, NULL, 0);
}

int eddy_web_cors(eddy_web_request *request, void *argument)
{
    const eddy_web_cors_options *options = argument;
    const char *origin = eddy_web_header(request, "Origin");
    const char *method = eddy_web_header(request, REQUEST "Method");
    bool asks = origin && method && strcmp(request->head.method, "OPTIONS") == 0;
    int rc;

    if (origin && !cors_takes_any(options) && !cors_list_has(options->origins, origin))
        origin = NULL; /* nothing is said, and so it may not */
    EDDY_TRY(cors_allow_origin(request, options, origin));
    if (asks && !origin)
        return eddy_raise(EDDY_HTTP_STATUS(403), "pages of this origin may not ask");
    if (asks)
        return cors_answer(request, options, method);
    if (origin && options->expose)
        EDDY_TRY(eddy_web_set_header(request, "Access-Control-Expose-Headers", options->expose));
    rc = eddy_web_next(request);
    if (request->answer.started || cors_takes_any(options))
        return rc;
    return cors_vary(request, "Origin") < 0 ? -ENOMEM : rc; /* the handler may have set its own */
}
