/* SPDX-License-Identifier: MIT */
/* Applications: registering, mounting, middlewares, parts. */
#include "http/web.h"

static char trace[512];

static void note(const char *text)
{
    strncat(trace, text, sizeof trace - strlen(trace) - 1);
}

static int named(eddy_web_request *request, void *name)
{
    int rc;

    note("<");
    note(name);
    rc = eddy_web_next(request);
    note(name);
    note(">");
    return rc;
}

static int mark(eddy_web_request *request, void *unused)
{
    (void)unused;
    note("!");
    return eddy_web_send_text(request, 200, "done");
}

#define NAME(text) ((void *)(uintptr_t)(text))

/* H-MW-1, H-MW-2, H-APP-4: the first is outermost, those of the outer application are outside, and
 * all stand around 404 too, but not around what is no request. */
TEST(web_app_middlewares)
{
    WEB(app, server, NULL);
    EDDY_WEB_APP sub = NULL;

    CHECK_OK(eddy_web_app_new(&sub));
    CHECK_OK(eddy_web_get(sub, "/x", mark, NULL));
    CHECK_OK(eddy_web_use(sub, named, NAME("c")));
    CHECK_OK(eddy_web_use(app, named, NAME("a")));
    CHECK_OK(eddy_web_use(app, named, NAME("b")));
    CHECK_OK(eddy_web_mount(app, "/sub", &sub));
    CHECK(sub == NULL);
    CHECK_OK(eddy_web_get(app, "/", mark, NULL));
    WEB_START(app, server);
    trace[0] = '\0';
    CHECK_STATUS(web_get(server, "/"), 200);
    CHECK_STR(trace, "<a<b!b>a>");
    trace[0] = '\0';
    CHECK_STATUS(web_get(server, "/sub/x"), 200);
    CHECK_STR(trace, "<a<b<c!c>b>a>");
    trace[0] = '\0';
    CHECK_STATUS(web_get(server, "/sub/y"), 404);
    CHECK_STR(trace, "<a<b<cc>b>a>");
    trace[0] = '\0';
    CHECK_STATUS(web_get(server, "/y"), 404);
    CHECK_STR(trace, "<a<bb>a>");
    trace[0] = '\0';
    CHECK_STATUS(web_say(server, "nonsense\r\n\r\n"), 400);
    CHECK_STR(trace, "");
}

static int refuse(eddy_web_request *request, void *unused)
{
    (void)unused;
    if (eddy_web_query(request, "key"))
        return eddy_web_next(request);
    return eddy_raise(EDDY_HTTP_STATUS(401), "a key is missing");
}

static int decorate(eddy_web_request *request, void *unused)
{
    int rc = eddy_web_next(request);

    (void)unused;
    if (rc == EDDY_HTTP_STATUS(404))
        return eddy_web_send_text(request, 404, "nothing there");
    if (rc == 0 && !eddy_web_has_started(request) && eddy_web_status(request) == 200)
        return eddy_web_set_header(request, "X-Decorated", "yes");
    return rc;
}

static int again(eddy_web_request *request, void *unused)
{
    (void)unused;
    EDDY_TRY(eddy_web_next(request));
    return eddy_web_next(request);
}

/* H-MW-1: one may answer without the next, change what was answered or failed, call it twice. */
TEST(web_app_middlewares_answer)
{
    WEB(app, server, NULL);
    const char *heard;

    CHECK_OK(eddy_web_use(app, decorate, NULL));
    CHECK_OK(eddy_web_use(app, refuse, NULL));
    CHECK_OK(eddy_web_use(app, again, NULL));
    CHECK_OK(eddy_web_get(app, "/", mark, NULL));
    WEB_START(app, server);
    heard = web_get(server, "/");
    CHECK_STATUS(heard, 401);
    CHECK_STR(web_body(heard), "a key is missing\n");
    trace[0] = '\0';
    heard = web_get(server, "/?key");
    CHECK_STATUS(heard, 200);
    CHECK_HAS(heard, "X-Decorated: yes\r\n");
    CHECK_STR(trace, "!!");
    heard = web_get(server, "/x?key=1");
    CHECK_STATUS(heard, 404);
    CHECK_STR(web_body(heard), "nothing there");
}

/* H-APP-3: once it runs, nothing changes. */
TEST(web_app_is_frozen)
{
    WEB(app, server, NULL);
    EDDY_WEB_APP sub = NULL;

    CHECK_OK(eddy_web_app_new(&sub));
    WEB_START(app, server);
    CHECK_FAILS(eddy_web_get(app, "/", mark, NULL), -EBUSY, "runs");
    CHECK_EQ(eddy_web_use(app, named, NULL), -EBUSY);
    CHECK_EQ(eddy_web_add_part(app, NULL, NULL, NULL), -EBUSY);
    CHECK_EQ(eddy_web_on_shutdown(app, NULL, NULL), -EBUSY);
    CHECK_EQ(eddy_web_static(app, "/f", "/", NULL), -EBUSY);
    CHECK_EQ(eddy_web_mount(app, "/s", &sub), -EBUSY);
    CHECK(sub != NULL);
}

/* H-APP-4: an application has one place; none goes into itself. */
TEST(web_app_mounting)
{
    EDDY_WEB_APP app = NULL, sub = NULL;
    eddy_web_app *same, *inner;
    int rc = 0;

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_app_new(&sub));
    same = app;
    CHECK_EQ(eddy_web_mount(app, "/x", &same), -EINVAL);
    inner = same = sub;
    CHECK_OK(eddy_web_mount(app, "/sub", &sub));
    CHECK_EQ(eddy_web_mount(app, "/again", &same), -EBUSY);
    same = app;
    CHECK_EQ(eddy_web_mount(inner, "/x", &same), -EINVAL);
    for (int depth = 2; rc == 0; depth++) {
        CHECK_OK(eddy_web_app_new(&sub));
        same = sub;
        rc = eddy_web_mount(inner, "/deeper", &sub);
        inner = same;
        CHECK_EQ(rc, depth < 16 ? 0 : -EINVAL);
    }
}

static const char outer_key, inner_key;

/* H-APP-7: values are found from the inner application outwards. */
TEST(web_app_values)
{
    EDDY_WEB_APP app = NULL, sub = NULL;
    eddy_web_app *inner;
    int one = 1, two = 2;

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_app_new(&sub));
    inner = sub;
    CHECK_OK(eddy_web_mount(app, "/sub", &sub));
    CHECK_OK(eddy_web_app_set(app, &outer_key, &one));
    CHECK_OK(eddy_web_app_set(inner, &inner_key, &two));
    CHECK(eddy_web_app_value(inner, &outer_key) == &one);
    CHECK(eddy_web_app_value(inner, &inner_key) == &two);
    CHECK(eddy_web_app_value(app, &inner_key) == NULL);
    CHECK_OK(eddy_web_app_set(app, &outer_key, &two));
    CHECK(eddy_web_app_value(inner, &outer_key) == &two);
}

static int part_start(eddy_web_app *app, void *name)
{
    (void)app;
    EDDY_TRY(eddy_sleep(1));
    note("+");
    note(name);
    return *(const char *)name == 'x' ? eddy_raise(-EIO, "no database") : 0;
}

static int part_stop(eddy_web_app *app, void *name)
{
    (void)app;
    EDDY_TRY(eddy_sleep(1));
    note("-");
    note(name);
    return 0;
}

static void hook(eddy_web_app *app, void *name)
{
    (void)app;
    note("*");
    note(name);
}

/* H-APP-1: parts start in order, the outer application's first, and stop in reverse, behind the
 * hooks. */
TEST(web_app_parts)
{
    EDDY_WEB_APP app = NULL, sub = NULL;
    EDDY_WEB_SERVER server = NULL;

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_app_new(&sub));
    CHECK_OK(eddy_web_add_part(sub, part_start, part_stop, NAME("c")));
    CHECK_OK(eddy_web_add_part(app, part_start, part_stop, NAME("a")));
    CHECK_OK(eddy_web_add_part(app, NULL, part_stop, NAME("b")));
    CHECK_OK(eddy_web_on_shutdown(sub, hook, NAME("i")));
    CHECK_OK(eddy_web_on_shutdown(app, hook, NAME("o")));
    CHECK_OK(eddy_web_mount(app, "/sub", &sub));
    trace[0] = '\0';
    CHECK_OK(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    CHECK_STR(trace, "+a+c");
    CHECK_OK(eddy_web_server_shutdown(server, 1));
    CHECK_STR(trace, "+a+c*o*i-c-b-a");
}

/* H-APP-2: what was started is stopped when another part fails, whose error is returned. */
TEST(web_app_part_that_fails)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;

    CHECK_OK(eddy_web_app_new(&app));
    CHECK_OK(eddy_web_add_part(app, part_start, part_stop, NAME("a")));
    CHECK_OK(eddy_web_add_part(app, part_start, part_stop, NAME("x")));
    CHECK_OK(eddy_web_add_part(app, part_start, part_stop, NAME("b")));
    trace[0] = '\0';
    CHECK_FAILS(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server), -EIO, "no database");
    CHECK_STR(trace, "+a+x-a");
    CHECK(server == NULL);
}

static int build_app(void)
{
    EDDY_WEB_APP app = NULL, sub = NULL;
    EDDY_WEB_SERVER server = NULL;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_app_new(&sub));
    EDDY_TRY(eddy_web_get(sub, "/{x}", mark, NULL));
    EDDY_TRY(eddy_web_use(sub, named, NAME("c")));
    EDDY_TRY(eddy_web_mount(app, "/sub", &sub));
    EDDY_TRY(eddy_web_static(app, "/files", "/tmp", NULL));
    EDDY_TRY(eddy_web_app_set(app, &outer_key, NULL));
    EDDY_TRY(ed_web_server_new(app, NULL, &server));
    if (atoi_status(web_get(server, "/sub/1")) != 200)
        return -ENOMEM;
    return 0;
}
EDDY_ASYNC(build_app);

RAW_TEST(web_app_without_memory)
{
    CHECK_OK(eddy_test_allocations(build_app));
}
