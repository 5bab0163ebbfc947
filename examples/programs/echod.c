/* SPDX-License-Identifier: MIT */
/* A server for outside tools: conformance suites, load generators, other clients.
 *
 * echod --port N [--tls CERT KEY] [--root DIR] [--ws] [--max-body B] [--header-timeout S]
 *       [--idle-timeout S] [--host ADDRESS]
 *
 * Any method and path is answered by 200 and the request's body, up to 256 MiB unless --max-body
 * says otherwise; GET by a file below the root, where there is one; with --ws, an upgrade by an
 * echo of each message, up to 16 MiB, compressed where the client can. The idle time counts between
 * requests, for a body of which nothing comes, and for a client that takes nothing. */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/tls.h>
#include <eddy/websocket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct echod {
    const char *port, *host, *tls[2], *root;
    bool websocket;
    size_t max_body;
    double header_timeout, idle_timeout;
};

static int echo_messages(eddy_web_request *request)
{
    const eddy_websocket_options options = {.limit = 16 << 20, .origins = "*"};
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;
    int rc;

    EDDY_TRY(eddy_websocket_accept(request, &options, &socket));
    while ((rc = eddy_websocket_receive(socket, &message)) > 0)
        EDDY_TRY(eddy_websocket_send(socket, message.kind, message.text, message.size));
    return 0; /* who breaks a rule has been told, and it is no failure of the handler's */
}

/* The body is read whole before it is answered: one that breaks off or is too long gets what it
 * deserves, and a client that sends all before it reads anything is not stuck. */
static int echo_body(eddy_web_request *request)
{
    const char *data;
    size_t size;

    EDDY_TRY(eddy_web_read(request, &data, &size));
    return eddy_web_send(request, 200, eddy_web_header(request, "Content-Type"), data, size);
}

static int echo(eddy_web_request *request, void *argument)
{
    const struct echod *echod = argument;

    if (echod->websocket && eddy_websocket_wanted(request))
        return echo_messages(request);
    return echo_body(request);
}

/* Stands around the files of the root: what is none of them is answered by the echo. */
static int echo_unless_file(eddy_web_request *request, void *echod)
{
    bool upgrade = ((struct echod *)echod)->websocket && eddy_websocket_wanted(request);
    int rc;

    if (upgrade || strcmp(eddy_web_method(request), "GET") != 0)
        return echo(request, echod);
    rc = eddy_web_next(request);
    if (rc == EDDY_HTTP_STATUS(404) || rc == EDDY_HTTP_STATUS(403) ||
        eddy_web_status(request) == 404 || eddy_web_status(request) == 403)
        return echo(request, echod);
    return rc;
}

static int echod_app(eddy_web_app *app, struct echod *echod)
{
    if (!echod->root)
        return eddy_web_route(app, "*", "/{path...}", echo, echod);
    EDDY_TRY(eddy_web_static(app, "/", echod->root, NULL));
    return eddy_web_use(app, echo_unless_file, echod);
}

static int serve(struct echod *echod)
{
    const eddy_tls_options pair = {.certificate_file = echod->tls[0], .key_file = echod->tls[1]};
    const eddy_server_options server = {.backlog = 4096};
    EDDY_TLS_CONTEXT tls = NULL;
    EDDY_WEB_APP app = NULL;
    char place[200];

    if (echod->tls[0])
        EDDY_TRY(eddy_tls_server_context(&pair, &tls));
    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(echod_app(app, echod));
    if (echod->host || strcmp(echod->port, "0") == 0)
        snprintf(place, sizeof place, "tcp://%s:%s", echod->host ? echod->host : "127.0.0.1",
                 echod->port);
    else
        snprintf(place, sizeof place, "tcp://127.0.0.1:%s,tcp://[::1]:%s", echod->port,
                 echod->port);
    return eddy_web_run(app, place,
                        &(eddy_web_options){.tls = tls,
                                            .server = &server,
                                            .body_size = echod->max_body,
                                            .stream_size = echod->max_body,
                                            .head_time = echod->header_timeout,
                                            .idle_time = echod->idle_timeout,
                                            .body_time = echod->idle_timeout,
                                            .write_time = echod->idle_timeout,
                                            .shutdown_time = 1});
}
EDDY_ASYNC(serve, struct echod *);

static int usage(const char *option)
{
    fprintf(stderr,
            "echod: %s\nusage: echod --port N [--tls CERT KEY] [--root DIR] [--ws] [--max-body B] "
            "[--header-timeout S] [--idle-timeout S] [--host ADDRESS]\n",
            option);
    return 2;
}

/* Takes an option at argv[0]. Returns how many arguments it has, or 0. */
static int option_take(struct echod *echod, int argc, char **argv)
{
    const char *name = argv[0], *value = argc > 1 ? argv[1] : NULL;

    if (strcmp(name, "--ws") == 0) {
        echod->websocket = true;
        return 1;
    }
    if (!value)
        return 0;
    if (strcmp(name, "--port") == 0)
        echod->port = value;
    else if (strcmp(name, "--host") == 0)
        echod->host = value;
    else if (strcmp(name, "--root") == 0)
        echod->root = value;
    else if (strcmp(name, "--max-body") == 0)
        echod->max_body = strtoul(value, NULL, 10);
    else if (strcmp(name, "--header-timeout") == 0)
        echod->header_timeout = strtod(value, NULL);
    else if (strcmp(name, "--idle-timeout") == 0)
        echod->idle_timeout = strtod(value, NULL);
    else if (strcmp(name, "--tls") == 0 && argc > 2) {
        echod->tls[0] = value;
        echod->tls[1] = argv[2];
        return 3;
    } else
        return 0;
    return 2;
}

int main(int argc, char **argv)
{
    struct echod echod = {.max_body = (size_t)256 << 20};
    int rc;

    for (int i = 1, taken; i < argc; i += taken)
        if ((taken = option_take(&echod, argc - i, argv + i)) == 0)
            return usage(argv[i]);
    if (!echod.port)
        return usage("--port is missing");
    rc = eddy_run(serve, &echod);
    if (rc < 0)
        fprintf(stderr, "echod: %s\n", eddy_error_message(rc));
    return rc < 0;
}
