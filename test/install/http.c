/* SPDX-License-Identifier: MIT */
/* A user's program that serves and fetches a page. */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/websocket.h>
#include <stdio.h>
#include <string.h>

static int hello(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_printf(request, 200, "hello %s", eddy_web_match(request, "name"));
}

static int amain(void)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    char url[64];
    const char *data;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/{name}", hello, NULL));
    EDDY_TRY(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    EDDY_TRY(eddy_http_session_open(NULL, &session));
    snprintf(url, sizeof url, "http://%s/there",
             eddy_server_name(eddy_web_server_listener(server), 0));
    EDDY_TRY(eddy_http_get(session, url, &response));
    EDDY_TRY(eddy_http_read(response, &data, NULL));
    puts(data);
    return strcmp(data, "hello there") == 0 ? 0 : 1;
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
