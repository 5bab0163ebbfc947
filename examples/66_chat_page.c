/* SPDX-License-Identifier: MIT */
/* A chat in the browser: a page, and a WebSocket to each who has it open.  66_chat_page [PLACE] */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/websocket.h>
#include <stdio.h>

static const char page[] =
    "<!DOCTYPE html><title>Chat</title><pre id=said></pre>"
    "<form id=talk><input id=line required maxlength=120></form>"
    "<script>const socket = new WebSocket(location.origin.replace('http', 'ws'));"
    "socket.onmessage = event => said.append(event.data + '\\n');"
    "socket.onclose = () => { said.append('(closed)\\n'); line.disabled = true; };"
    "talk.onsubmit = event => {"
    "    event.preventDefault(); socket.send(line.value); line.value = ''; };"
    "</script>";

static char lines[100][500]; /* the last hundred, which a newcomer hears too */
static size_t said;
static eddy_event news = EDDY_EVENT_INIT;

/* Says all lines to one client, who misses some when he takes them too slowly. */
static int speak(eddy_websocket *socket)
{
    for (size_t next = 0;; next++) {
        while (next == said)
            EDDY_TRY(eddy_event_wait(&news));
        next = next + 100 < said ? said - 100 : next;
        EDDY_TRY(eddy_websocket_printf(socket, "%s", lines[next % 100])); /* a copy */
    }
}
EDDY_ASYNC(speak, eddy_websocket *);

static int chat(eddy_web_request *request, void *unused)
{
    const eddy_websocket_options options = {.limit = 499, .heartbeat = 30};
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;
    int rc;

    if (!eddy_web_header(request, "Upgrade"))
        return (void)unused, eddy_web_send_html(request, 200, page);
    EDDY_TRY(eddy_websocket_accept(request, &options, &socket));
    EDDY_GROUP(group); /* who cannot be spoken to is not heard either */
    eddy_group_create_task(&group, speak, socket);
    EDDY_FOR_EACH(rc, message, eddy_websocket_messages(socket)) {
        snprintf(lines[said++ % 100], sizeof lines[0], "%s", message.text);
        eddy_event_set(&news); /* wakes all who wait now */
        eddy_event_clear(&news);
    }
    return rc == -ECANCELED ? rc : 0; /* how a client leaves is nobody's business */
}

static int amain(int argc, char **argv)
{
    EDDY_WEB_APP app = NULL;
    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", chat, NULL));
    return eddy_web_run(app, argc > 1 ? argv[1] : "tcp://:8080", NULL);
}
EDDY_ASYNC(amain, int, char **);
EDDY_MAIN_ARGS(amain)
