/* SPDX-License-Identifier: MIT */
/* The router. */
#include "http/web_router.h"

#include <stdlib.h>
#include <time.h>

#include "harness.h"

static int handler(eddy_web_request *request, void *argument)
{
    (void)request, (void)argument;
    return 0;
}

static void router_end(struct ed_router *router)
{
    ed_router_free(router);
}

#define ROUTER(name)                                                                               \
    struct ed_router name = {0};                                                                   \
    EDDY_DEFER(router_end, &name)
#define ADD(method, path)                                                                          \
    CHECK_OK(ed_router_add(&router, method, path, handler, (void *)(uintptr_t)(path)))

/* Which route is found: its path, "404", or "405" with the methods there are. */
static const char *find(const struct ed_router *router, const char *method, const char *path)
{
    static char text[512];
    struct ed_arena arena = {0};
    struct ed_route_found found;
    size_t used;

    if (ed_router_find(router, method, path, strlen(path), &arena, &found) < 0)
        return "-ENOMEM";
    if (found.handler)
        used = (size_t)snprintf(text, sizeof text, "%s", (const char *)found.argument);
    else if (found.mounted)
        used = (size_t)snprintf(text, sizeof text, "%s at %zu", (const char *)found.mounted,
                                found.rest);
    else
        used = (size_t)snprintf(text, sizeof text, found.path_known ? "405" : "404");
    for (size_t i = 0; !found.handler && i < found.allowed_count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %s", found.allowed[i]);
    for (size_t i = 0; i < found.value_count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %s=%s", found.values[i].name,
                                 found.values[i].value);
    ed_arena_free(&arena);
    return text;
}

/* H-ROUTE-2: fixed paths first, then longer fixed beginnings, then the order of adding. */
TEST(web_router_order)
{
    ROUTER(router);

    ADD("GET", "/{tail...}");
    ADD("GET", "/a/{x}");
    ADD("GET", "/a/b{x}");
    ADD("GET", "/a/bc");
    ADD("GET", "/a/{y:[0-9]+}");
    ADD("GET", "/a/b/{z}");
    CHECK_STR(find(&router, "GET", "/a/bc"), "/a/bc");
    CHECK_STR(find(&router, "GET", "/a/bd"), "/a/b{x} x=d");
    CHECK_STR(find(&router, "GET", "/a/c"), "/a/{x} x=c");
    CHECK_STR(find(&router, "GET", "/a/1"), "/a/{x} x=1");
    CHECK_STR(find(&router, "GET", "/a/b/c"), "/a/b/{z} z=c");
    CHECK_STR(find(&router, "GET", "/a/b/c/d"), "/{tail...} tail=a/b/c/d");
    CHECK_STR(find(&router, "GET", "/"), "/{tail...} tail=");
}

/* H-ROUTE-4, H-ROUTE-5: 405 with the sorted methods of the path, 404; HEAD is GET; "*" is any. */
TEST(web_router_methods)
{
    ROUTER(router);

    ADD("POST", "/a");
    ADD("GET", "/a");
    ADD("DELETE", "/{x}");
    ADD("*", "/any");
    CHECK_STR(find(&router, "GET", "/a"), "/a");
    CHECK_STR(find(&router, "HEAD", "/a"), "/a");
    CHECK_STR(find(&router, "PUT", "/a"), "405 DELETE GET HEAD POST");
    CHECK_STR(find(&router, "DELETE", "/a"), "/{x} x=a");
    CHECK_STR(find(&router, "GET", "/b"), "405 DELETE");
    CHECK_STR(find(&router, "BREW", "/any"), "/any");
    CHECK_STR(find(&router, "HEAD", "/any"), "/any");
    CHECK_STR(find(&router, "GET", "/b/c"), "404");
    CHECK_STR(find(&router, "GET", ""), "404");
    ADD("HEAD", "/a");
    CHECK_STR(find(&router, "HEAD", "/a"), "/a");
}

/* H-ROUTE-6: the same twice is refused. */
TEST(web_router_refuses)
{
    ROUTER(router);

    ADD("GET", "/a");
    ADD("GET", "/{x}");
    CHECK_FAILS(ed_router_add(&router, "GET", "/a", handler, NULL), -EEXIST, "GET '/a'");
    CHECK_EQ(ed_router_add(&router, "GET", "/{x}", handler, NULL), -EEXIST);
    CHECK_EQ(ed_router_add(&router, "GET", "/{x:[a]}{y:[b]}", handler, NULL), 0);
    CHECK_EQ(ed_router_add(&router, "GET", "/{x:[a]}{y:[b]}", handler, NULL), -EEXIST);
    CHECK_FAILS(ed_router_add(&router, "GE T", "/b", handler, NULL), -EINVAL, "not a method");
    CHECK_EQ(ed_router_add(&router, "", "/b", handler, NULL), -EINVAL);
    CHECK_EQ(ed_router_add(&router, "GET", "b", handler, NULL), -EINVAL);
}

/* H-ROUTE-8: what is mounted has whole segments. */
TEST(web_router_mounts)
{
    ROUTER(router);

    CHECK_OK(ed_router_mount(&router, "/api/", (void *)(uintptr_t) "api"));
    CHECK_EQ(ed_router_mount(&router, "/api", (void *)(uintptr_t) "x"), -EEXIST);
    CHECK_EQ(ed_router_mount(&router, "api", NULL), -EINVAL);
    CHECK_EQ(ed_router_mount(&router, "/{a}", NULL), -EINVAL);
    ADD("GET", "/api/own");
    CHECK_STR(find(&router, "GET", "/api/x/y"), "api at 4");
    CHECK_STR(find(&router, "GET", "/api"), "api at 4");
    CHECK_STR(find(&router, "GET", "/apix"), "404");
    CHECK_STR(find(&router, "GET", "/api/own"), "/api/own");
    ed_router_unmount(&router, "/api/");
    CHECK_STR(find(&router, "GET", "/api/x"), "404");
}

/* Each of a thousand is found, and none beside them. */
TEST(web_router_of_a_thousand)
{
    static char paths[1000][32];
    char path[64];
    ROUTER(router);

    for (int i = 0; i < 1000; i++) {
        snprintf(paths[i], sizeof *paths, i % 2 ? "/r%d/x" : "/r%d/{x}", i);
        ADD("GET", paths[i]);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof path, "/r%d/x", i);
        CHECK_HAS(find(&router, "GET", path), paths[i]);
        snprintf(path, sizeof path, "/r%d/y/z", i);
        CHECK_STR(find(&router, "GET", path), "404");
    }
}

/* A path of many segments, which are more than are looked at. */
TEST(web_router_of_deep_paths)
{
    static char path[8001];
    ROUTER(router);

    ADD("GET", "/x/{tail...}");
    for (int i = 0; i < 4000; i++)
        memcpy(path + 2 * i, "/x", 2);
    CHECK_HAS(find(&router, "GET", path), "/x/{tail...} tail=x/x/x");
    memset(path, '/', 8000);
    CHECK_STR(find(&router, "GET", path), "404");
}

static int build_router(void)
{
    struct ed_router router = {0};
    struct ed_arena arena = {0};
    struct ed_route_found found;
    int rc = ed_router_add(&router, "GET", "/{a}/{b:x+}", handler, NULL);

    if (rc == 0)
        rc = ed_router_add(&router, "GET", "/fixed", handler, NULL);
    if (rc == 0)
        rc = ed_router_mount(&router, "/m", &arena);
    if (rc == 0)
        rc = ed_router_find(&router, "GET", "/1/xx", 5, &arena, &found);
    ed_arena_free(&arena);
    ed_router_free(&router);
    return rc;
}
EDDY_ASYNC(build_router);

RAW_TEST(web_router_without_memory)
{
    CHECK_OK(eddy_test_allocations(build_router));
}
