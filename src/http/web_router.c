/* SPDX-License-Identifier: MIT */
/*
 * The router.
 *
 * A resource is one pattern with the methods that it has. It lies in the node of its fixed
 * beginning: a fixed path whole, "/a/{b}" and "/a/b{c}" in "/a". Nodes are in a hash table by
 * that text. A path is looked up as a whole, and then with one segment less each time, so that the
 * cost is that of its own segments, and of patterns that begin the same way:
 *
 *     the patterns of a node have longer fixed beginnings than those of the nodes tried later,
 *     and are sorted by them; among equals the order of adding counts
 *
 * The hash of a text is made of that of the text without its last byte, so one pass over the path
 * gives the hashes of all its beginnings.
 */
#include "http/web_router.h"

#include <stdlib.h>
#include <string.h>

#include "http/headers.h"
#include "http/web_pattern.h"

#define ROUTER_SEGMENTS                                                                            \
    64 /* of a path that are tried; what is deeper has no fixed beginning there */
#define HASH_START 2166136261u /* FNV-1a */
#define HASH_PRIME 16777619u

struct route_method {
    struct route_method *next;
    const char *method;
    eddy_web_handler *handler;
    void *argument;
};

struct route_resource {
    struct route_resource *next;
    struct ed_route_pattern pattern;
    struct route_method *methods;
};

struct ed_route_node {
    const char *key;
    size_t size;
    uint32_t hash;
    struct route_resource *fixed;    /* whose path is the key, or NULL */
    struct route_resource *patterns; /* that begin with it */
    void *mounted;
};

/* The table ------------------------------------------------------------------------- */

static uint32_t hash_more(uint32_t hash, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * HASH_PRIME;
    return hash;
}

/* Where a key is, or the empty place where it would be. */
static struct ed_route_node **
table_place(const struct ed_router *router, const char *key, size_t size, uint32_t hash)
{
    size_t mask = router->capacity - 1, i = (hash ^ hash >> 15) & mask;
    struct ed_route_node *node;

    while ((node = router->nodes[i])) {
        if (node->hash == hash && node->size == size && memcmp(node->key, key, size) == 0)
            break;
        i = (i + 1) & mask;
    }
    return &router->nodes[i];
}

static struct ed_route_node *
router_node(const struct ed_router *router, const char *key, size_t size, uint32_t hash)
{
    return router->capacity ? *table_place(router, key, size, hash) : NULL;
}

static int table_grow(struct ed_router *router)
{
    struct ed_router larger = *router;

    larger.capacity = router->capacity ? 2 * router->capacity : 16;
    larger.nodes = ed_arena_alloc(&router->arena, larger.capacity * sizeof *larger.nodes);
    if (!larger.nodes)
        return -ENOMEM;
    memset(larger.nodes, 0, larger.capacity * sizeof *larger.nodes);
    for (size_t i = 0; i < router->capacity; i++) {
        struct ed_route_node *node = router->nodes[i];

        if (node)
            *table_place(&larger, node->key, node->size, node->hash) = node;
    }
    router->nodes = larger.nodes;
    router->capacity = larger.capacity;
    return 0;
}

/* The node of a key, made if need be; NULL: -ENOMEM. */
static struct ed_route_node *
router_make_node(struct ed_router *router, const char *key, size_t size)
{
    uint32_t hash = hash_more(HASH_START, key, size);
    struct ed_route_node *node = router_node(router, key, size, hash);

    if (node)
        return node;
    if (2 * (router->count + 1) > router->capacity && table_grow(router) < 0)
        return NULL;
    node = ed_arena_alloc(&router->arena, sizeof *node);
    if (!node)
        return NULL;
    *node = (struct ed_route_node){.size = size, .hash = hash};
    node->key = ed_arena_copy(&router->arena, key, size);
    if (!node->key)
        return NULL;
    *table_place(router, node->key, size, hash) = node;
    router->count++;
    return node;
}

/* Adding ---------------------------------------------------------------------------- */

static int resource_add_method(struct ed_router *router, struct route_resource *resource,
                               const char *method, eddy_web_handler *handler, void *argument)
{
    struct route_method **place = &resource->methods, *added;

    for (; *place; place = &(*place)->next)
        if (strcmp((*place)->method, method) == 0)
            return eddy_raise(-EEXIST, "route %s '%s' is there already", method,
                              resource->pattern.text);
    added = ed_arena_alloc(&router->arena, sizeof *added);
    if (!added)
        return -ENOMEM;
    *added = (struct route_method){.handler = handler, .argument = argument};
    added->method = ed_arena_copy(&router->arena, method, strlen(method));
    if (!added->method)
        return -ENOMEM;
    *place = added;
    return 0;
}

/* The fixed beginning in whole segments: up to the last slash before the first name. */
static size_t pattern_key_size(const struct ed_route_pattern *pattern)
{
    size_t size = pattern->fixed;

    while (!pattern->is_fixed && pattern->text[--size] != '/')
        ;
    return size;
}

static struct route_resource *node_find(const struct ed_route_node *node, const char *path)
{
    if (node->fixed && strcmp(node->fixed->pattern.text, path) == 0)
        return node->fixed;
    for (struct route_resource *r = node->patterns; r; r = r->next)
        if (strcmp(r->pattern.text, path) == 0)
            return r;
    return NULL;
}

static void node_insert(struct ed_route_node *node, struct route_resource *resource)
{
    struct route_resource **place = &node->patterns;

    if (resource->pattern.is_fixed) {
        node->fixed = resource;
        return;
    }
    while (*place && (*place)->pattern.fixed >= resource->pattern.fixed)
        place = &(*place)->next;
    resource->next = *place;
    *place = resource;
}

/* Adds the first method of a pattern. */
static int router_add_resource(struct ed_router *router, struct route_resource *resource,
                               const char *method, eddy_web_handler *handler, void *argument)
{
    struct ed_route_pattern *pattern = &resource->pattern;
    struct ed_route_node *node = router_make_node(router, pattern->text, pattern_key_size(pattern));
    struct route_resource *there = node ? node_find(node, pattern->text) : NULL;
    int rc;

    if (!node)
        return -ENOMEM;
    if (there)
        return resource_add_method(router, there, method, handler, argument);
    rc = resource_add_method(router, resource, method, handler, argument);
    if (rc == 0)
        node_insert(node, resource);
    return rc;
}

int ed_router_add(struct ed_router *router, const char *method, const char *path,
                  eddy_web_handler *handler, void *argument)
{
    struct route_resource *resource = ed_arena_alloc(&router->arena, sizeof *resource);
    struct ed_route_pattern *pattern;
    int rc;

    if (!resource)
        return -ENOMEM;
    if (strcmp(method, "*") != 0 && !ed_is_token(method, strlen(method)))
        return eddy_raise(-EINVAL, "route '%s': '%s' is not a method", path, method);
    memset(resource, 0, sizeof *resource);
    pattern = &resource->pattern;
    rc = ed_pattern_parse(&router->arena, path, pattern);
    if (rc == 0 && pattern->has_regex) { /* whatever comes of it, it has to be freed */
        pattern->next_compiled = router->compiled;
        router->compiled = pattern;
    }
    return rc < 0 ? rc : router_add_resource(router, resource, method, handler, argument);
}

int ed_router_mount(struct ed_router *router, const char *path, void *mounted)
{
    struct ed_route_node *node;
    size_t size = strlen(path);

    if (*path != '/' || strpbrk(path, "{}"))
        return eddy_raise(-EINVAL, "'%s' is no path to mount at", path);
    while (size > 0 && path[size - 1] == '/')
        size--;
    node = router_make_node(router, path, size);
    if (!node)
        return -ENOMEM;
    if (node->mounted)
        return eddy_raise(-EEXIST, "something is mounted at '%s' already", path);
    node->mounted = mounted;
    return 0;
}

void ed_router_unmount(struct ed_router *router, const char *path)
{
    size_t size = strlen(path);
    struct ed_route_node *node;

    while (size > 0 && path[size - 1] == '/')
        size--;
    node = router_node(router, path, size, hash_more(HASH_START, path, size));
    if (node)
        node->mounted = NULL;
}

void ed_router_free(struct ed_router *router)
{
    for (struct ed_route_pattern *p = router->compiled; p; p = p->next_compiled)
        ed_pattern_free(p);
    ed_arena_free(&router->arena);
    *router = (struct ed_router){0};
}

/* Finding --------------------------------------------------------------------------- */

static const struct route_method *
resource_find_method(const struct route_resource *resource, const char *method)
{
    const struct route_method *get = NULL, *any = NULL;
    bool head = strcmp(method, "HEAD") == 0;

    for (const struct route_method *m = resource->methods; m; m = m->next) {
        if (strcmp(m->method, method) == 0)
            return m;
        if (head && strcmp(m->method, "GET") == 0)
            get = m;
        if (m->method[0] == '*' && !m->method[1])
            any = m;
    }
    return get ? get : any;
}

static void found_allow(struct ed_route_found *out, const char *method, struct ed_arena *arena)
{
    if (!out->allowed)
        out->allowed = ed_arena_alloc(arena, ED_ROUTE_METHODS * sizeof *out->allowed);
    if (!out->allowed)
        return; /* then it is not said */
    for (size_t i = 0; i < out->allowed_count; i++)
        if (strcmp(out->allowed[i], method) == 0)
            return;
    if (out->allowed_count < ED_ROUTE_METHODS)
        out->allowed[out->allowed_count++] = method;
}

static int method_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A resource whose path fits: true when it has the method too. */
static bool found_take(struct ed_route_found *out, const struct route_resource *resource,
                       const char *method, struct ed_arena *arena)
{
    const struct route_method *m = resource_find_method(resource, method);

    if (m) {
        out->handler = m->handler;
        out->argument = m->argument;
        return true;
    }
    for (m = resource->methods; m; m = m->next) {
        found_allow(out, m->method, arena);
        if (strcmp(m->method, "GET") == 0)
            found_allow(out, "HEAD", arena);
    }
    out->path_known = true;
    return false;
}

/* The values of a match, in which a NUL is a slash. */
static int found_copy_values(struct ed_route_found *out, const struct ed_route_pattern *pattern,
                             const char *path, const struct ed_route_span *spans,
                             struct ed_arena *arena)
{
    out->values = ed_arena_alloc(arena, pattern->name_count * sizeof *out->values);
    if (!out->values)
        return -ENOMEM;
    for (unsigned i = 0; i < pattern->name_count; i++) {
        size_t size = spans[i].end - spans[i].start;
        char *value = ed_arena_copy(arena, path + spans[i].start, size), *slash = value;

        if (!value)
            return -ENOMEM;
        while ((slash = memchr(slash, '\0', size - (size_t)(slash - value))))
            *slash++ = '/';
        out->values[i] = (struct ed_route_value){pattern->names[i], value};
    }
    out->value_count = pattern->name_count;
    return 0;
}

/* What a path is looked up with. */
struct search {
    const struct ed_router *router;
    const char *method, *path;
    size_t size;
    struct ed_arena *arena;
};

/* Tries a node's patterns: 1 when one is the answer, 0, or -ENOMEM. */
static int
search_node(const struct search *s, const struct ed_route_node *node, struct ed_route_found *out)
{
    struct ed_route_span spans[ED_ROUTE_NAMES];

    for (const struct route_resource *r = node->patterns; r; r = r->next) {
        if (!ed_pattern_match(&r->pattern, s->path, s->size, spans) ||
            !found_take(out, r, s->method, s->arena))
            continue;
        return found_copy_values(out, &r->pattern, s->path, spans, s->arena) < 0 ? -ENOMEM : 1;
    }
    return 0;
}

/* Tries what begins with path[0] to path[end], a slash or nothing behind it. The same. */
static int
search_beginning(const struct search *s, size_t end, uint32_t hash, struct ed_route_found *out)
{
    const struct ed_route_node *node = router_node(s->router, s->path, end, hash);
    int rc = 0;

    if (!node)
        return 0;
    if (end == s->size && node->fixed && found_take(out, node->fixed, s->method, s->arena))
        return 1;
    rc = search_node(s, node, out);
    if (rc != 0 || !node->mounted)
        return rc;
    out->mounted = node->mounted;
    out->rest = end;
    return 1;
}

int ed_router_find(const struct ed_router *router, const char *method, const char *path,
                   size_t size, struct ed_arena *arena, struct ed_route_found *out)
{
    const struct search search = {router, method, path, size, arena};
    size_t ends[ROUTER_SEGMENTS];
    uint32_t hashes[ROUTER_SEGMENTS], hash = HASH_START;
    size_t count = 0;
    int rc;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < size; i++) {
        if (path[i] == '/' && count < ROUTER_SEGMENTS) {
            ends[count] = i;
            hashes[count++] = hash;
        }
        hash = (hash ^ (unsigned char)path[i]) * HASH_PRIME;
    }
    rc = search_beginning(&search, size, hash, out);
    while (rc == 0 && count-- > 0)
        rc = search_beginning(&search, ends[count], hashes[count], out);
    if (rc == 0 && out->allowed_count > 1)
        qsort(out->allowed, out->allowed_count, sizeof *out->allowed, method_compare);
    return rc < 0 ? rc : 0;
}
