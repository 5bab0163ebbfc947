/* SPDX-License-Identifier: MIT */
/*
 * A web server as a user writes one: http-hello PORT [FOLDER]. What bench/http measures, and wrk
 * beside nginx: "/" says hello, "/json/{name}" answers some 200 bytes of JSON, "/files/" has what
 * is in the folder. "/routes/N" are as many as the environment's ROUTES says, for the cost of
 * finding one.
 */
#include <eddy.h>
#include <eddy/web.h>
#include <eddy/web_request.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUTES 1000

static int hello(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_send_text(request, 200, "Hello, World!");
}

static int json(eddy_web_request *request, void *unused)
{
    char text[256];
    int size =
        snprintf(text, sizeof text,
                 "{\"name\": \"%.40s\", \"greeting\": \"Hello\", \"numbers\": [1, 2, 3, 4, 5, 6, "
                 "7, 8], \"nested\": {\"true\": true, \"false\": false, \"null\": null}, "
                 "\"text\": \"all work and no play\", \"last\": 0}\n",
                 eddy_web_match(request, "name"));

    (void)unused;
    return eddy_web_send_json_text(request, 200, text, (size_t)size);
}

static int add_routes(eddy_web_app *app, int count)
{
    char path[64];

    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/routes/%d/{name}", i);
        EDDY_TRY(eddy_web_get(app, path, hello, NULL));
    }
    return 0;
}

static int serve(const char *place, const char *folder, int routes)
{
    const eddy_web_options options = {.quiet = true};
    EDDY_WEB_APP app = NULL;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", hello, NULL));
    EDDY_TRY(eddy_web_get(app, "/json/{name}", json, NULL));
    EDDY_TRY(add_routes(app, routes));
    if (folder)
        EDDY_TRY(eddy_web_static(app, "/files", folder, NULL));
    return eddy_web_run(app, place, &options);
}
EDDY_ASYNC(serve, const char *, const char *, int);

int main(int argc, char **argv)
{
    const char *routes = getenv("ROUTES");
    char place[64];
    int rc;

    if (argc < 2) {
        fputs("usage: http-hello PORT [FOLDER]\n", stderr);
        return 2;
    }
    snprintf(place, sizeof place, "tcp://127.0.0.1:%s", argv[1]);
    rc = eddy_run(serve, place, argc > 2 ? argv[2] : NULL,
                  routes ? (int)strtol(routes, NULL, 10) : 0);
    if (rc < 0)
        fprintf(stderr, "http-hello: %s\n", eddy_error_message(rc));
    return rc < 0;
}
