/* SPDX-License-Identifier: MIT */
/* A WebSocket client for outside tools.
 *
 * wscli URL --autobahn [--agent NAME]   runs the cases of an Autobahn fuzzing server: how many
 *                                       there are is asked at /getCaseCount, each is an echo at
 *                                       /runCase?case=N, the report is written at /updateReports
 * wscli URL                             sends what comes on standard input, a line a message, and
 *                                       prints what is answered */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/line.h>
#include <eddy/stdio.h>
#include <eddy/websocket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const eddy_websocket_options limits = {.limit = 16 << 20};

/* Connects to URL PATH. */
static int
dial(eddy_http_session *session, const char *url, const char *path, eddy_websocket **socket)
{
    size_t size = strlen(url);
    char text[2048];

    while (size > 0 && url[size - 1] == '/')
        size--;
    snprintf(text, sizeof text, "%.*s%s", (int)size, url, path);
    return eddy_websocket_connect(session, text, &limits, socket);
}

static int count_cases(eddy_http_session *session, const char *url, long *count)
{
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;
    int rc;

    EDDY_TRY(dial(session, url, "/getCaseCount", &socket));
    rc = eddy_websocket_receive(socket, &message);
    if (rc <= 0)
        return rc < 0 ? rc : EDDY_EWEBSOCKET;
    *count = strtol(message.text, NULL, 10);
    return 0;
}

/* One case: an echo, until either side ends it. How that went is in the server's report. */
static int run_case(eddy_http_session *session, const char *url, const char *path)
{
    EDDY_WEBSOCKET socket = NULL;
    eddy_message message;

    EDDY_TRY(dial(session, url, path, &socket));
    while (eddy_websocket_receive(socket, &message) > 0)
        if (eddy_websocket_send(socket, message.kind, message.text, message.size) < 0)
            break;
    return 0;
}

static int run_cases(eddy_http_session *session, const char *url, const char *agent)
{
    char *name = eddy_percent_encode(agent, NULL), path[512];
    long count;
    EDDY_DEFER(eddy_free, name);

    if (!name)
        return -ENOMEM;
    EDDY_TRY(count_cases(session, url, &count));
    for (long i = 1; i <= count; i++) {
        snprintf(path, sizeof path, "/runCase?case=%ld&agent=%s", i, name);
        EDDY_TRY(run_case(session, url, path));
    }
    printf("%ld cases\n", count);
    snprintf(path, sizeof path, "/updateReports?agent=%s", name);
    return run_case(session, url, path);
}

static int print_messages(eddy_websocket *socket)
{
    eddy_message message;
    int rc;

    while ((rc = eddy_websocket_receive(socket, &message)) > 0) {
        fwrite(message.text, 1, message.size, stdout);
        putchar('\n');
        fflush(stdout);
    }
    return rc;
}
EDDY_ASYNC(print_messages, eddy_websocket *);

static int talk(eddy_http_session *session, const char *url)
{
    EDDY_WEBSOCKET socket = NULL;
    eddy_stream *input;
    eddy_line line;
    int rc;

    EDDY_TRY(eddy_websocket_connect(session, url, &limits, &socket));
    EDDY_TRY(eddy_stdin(&input));
    EDDY_TASK printer = eddy_create_task(print_messages, socket);

    EDDY_FOR_EACH(rc, line, eddy_lines(input)) {
        size_t size = line.size - (line.size > 0 && line.text[line.size - 1] == '\n');

        EDDY_TRY(eddy_websocket_send(socket, EDDY_MESSAGE_TEXT, line.text, size));
    }
    EDDY_TRY(rc);
    EDDY_TRY(eddy_websocket_begin_close(socket, 1000, NULL));
    return eddy_await(printer);
}

static int wscli(const char *url, const char *agent)
{
    EDDY_HTTP_SESSION session = NULL;

    EDDY_TRY(eddy_http_session_open(NULL, &session));
    return agent ? run_cases(session, url, agent) : talk(session, url);
}
EDDY_ASYNC(wscli, const char *, const char *);

int main(int argc, char **argv)
{
    const char *url = NULL, *agent = "eddy";
    bool autobahn = false;
    int rc;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--autobahn") == 0)
            autobahn = true;
        else if (strcmp(argv[i], "--agent") == 0 && argv[i + 1])
            agent = argv[++i];
        else
            url = argv[i];
    if (!url) {
        fprintf(stderr, "usage: %s URL [--autobahn [--agent NAME]]\n", argv[0]);
        return 2;
    }
    rc = eddy_run(wscli, url, autobahn ? agent : NULL);
    if (rc < 0)
        fprintf(stderr, "wscli: %s\n", eddy_error_message(rc));
    return rc < 0;
}
