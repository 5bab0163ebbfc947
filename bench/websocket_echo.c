/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket server as a user writes one: websocket-echo PORT sends back what it receives, at any
 * path. What bench/websocket measures. Prints "ready PORT" when it listens, and ends on SIGTERM.
 */
#include <eddy.h>
#include <eddy/web.h>
#include <eddy/websocket.h>
#include <stdio.h>

static int echo(eddy_web_request *request, void *unused)
{
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;
    int rc;

    (void)unused;
    EDDY_TRY(eddy_websocket_accept(request, NULL, &socket));
    while ((rc = eddy_websocket_receive(socket, &message)) > 0)
        EDDY_TRY(eddy_websocket_send(socket, message.kind, message.text, message.size));
    return rc;
}

static int serve(const char *port)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    char place[64];

    snprintf(place, sizeof place, "tcp://127.0.0.1:%s", port);
    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/{path...}", echo, NULL));
    EDDY_TRY(eddy_web_start(app, place, NULL, &server));
    printf("ready %u\n", eddy_server_port(eddy_web_server_listener(server)));
    fflush(stdout);
    return eddy_serve_forever(eddy_web_server_listener(server));
}
EDDY_ASYNC(serve, const char *);

int main(int argc, char **argv)
{
    int rc;

    if (argc != 2) {
        fputs("usage: websocket-echo PORT\n", stderr);
        return 2;
    }
    rc = eddy_run(serve, argv[1]);
    if (rc < 0)
        fprintf(stderr, "websocket-echo: %s\n", eddy_error_message(rc));
    return rc < 0;
}
