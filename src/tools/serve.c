/* SPDX-License-Identifier: MIT */
/*
 * eddy serve: a folder over HTTP. Everything is in the application that the library has; this
 * here reads options, and writes the log.
 */
#include <eddy.h>
#include <eddy/http.h>
#include <eddy/tls.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/cause.h"
#include "tools/command.h"
#include "tools/option.h"
#include "tools/say.h"

struct serve {
    const char *folder, *host, *tls[2];
    long port, connections;
    double header_timeout, idle_timeout;
    bool hidden, compress, quiet;
    size_t lost; /* lines of the log since the last that went */
};

/* A line of the log. No request waits for whoever reads that: what he does not take is lost, and he
 * is told how much. */
static void serve_log(const char *line, size_t size, void *argument)
{
    struct serve *serve = argument;
    char text[80];

    if (serve->lost > 0) {
        snprintf(text, sizeof text, "eddy serve: %zu lines of the log are lost\n", serve->lost);
        if (ed_say_now(text, strlen(text)))
            serve->lost = 0;
    }
    if (serve->lost > 0 || !ed_say_now(line, size))
        serve->lost++;
}

static int serve_tls(const struct serve *serve, eddy_tls_context **tls)
{
    const eddy_tls_options options = {
        .certificate_file = serve->tls[0], .key_file = serve->tls[1], .alpn = "http/1.1"};

    return serve->tls[0] ? eddy_tls_server_context(&options, tls) : 0;
}

/* "tcp://127.0.0.1:8000"; an IPv6 address in brackets. */
static void serve_place(const struct serve *serve, char place[300])
{
    bool bare = strchr(serve->host, ':') && *serve->host != '[';

    snprintf(place, 300, "tcp://%s%s%s:%ld", bare ? "[" : "", serve->host, bare ? "]" : "",
             serve->port);
}

static int serve_folder(struct serve *serve)
{
    const eddy_web_static_options files = {.index = true, .hidden = serve->hidden};
    const eddy_server_options server = {.connections = (size_t)serve->connections};
    EDDY_TLS_CONTEXT tls = NULL;
    EDDY_WEB_APP app = NULL;
    char place[300];
    int rc;

    EDDY_TRY(serve_tls(serve, &tls));
    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_static(app, "/", serve->folder, &files));
    serve_place(serve, place);
    rc = eddy_web_run(app, place,
                      &(eddy_web_options){.tls = tls,
                                          .server = &server,
                                          .head_time = serve->header_timeout,
                                          .idle_time = serve->idle_timeout,
                                          .compress = serve->compress,
                                          .log = serve->quiet ? NULL : serve_log,
                                          .log_argument = serve,
                                          .shutdown_time = 5});
    if (rc == -ETIMEDOUT) { /* a client's doing, which makes no failure of the end */
        ed_say("eddy serve: requests were cut off that took too long\n");
        rc = 0;
    }
    ed_say_end(1);
    return rc;
}
EDDY_ASYNC(serve_folder, struct serve *);

static const char serve_about[] =
    "Serves a folder, the current one if none is named, until SIGINT or SIGTERM: files\n"
    "with ranges and conditional requests, and pages of what is in folders that have no\n"
    "index.html. Never what is outside of it. Requests are logged on standard error.\n";

int ed_command_serve(char **argv)
{
    struct serve serve = {.host = "127.0.0.1",
                          .port = 8000,
                          .connections = 1000,
                          .header_timeout = 10,
                          .idle_timeout = 75};
    const struct ed_option options[] = {
        {0, "tls", ED_OPTION_TEXTS, serve.tls, "CERT KEY", "https, with these PEM files", 0, 0},
        {0, "port", ED_OPTION_COUNT, &serve.port, "N", "where to listen; 0: a free one (8000)", 0,
         65535},
        {0, "host", ED_OPTION_TEXT, &serve.host, "HOST",
         "and at which address; 0.0.0.0: all (127.0.0.1)", 0, 0},
        {0, "connections", ED_OPTION_COUNT, &serve.connections, "N", "open at most (1000)", 1,
         1000000},
        {0, "header-timeout", ED_OPTION_SECONDS, &serve.header_timeout, "S",
         "seconds for a request's head (10)", 0, 1e6},
        {0, "idle-timeout", ED_OPTION_SECONDS, &serve.idle_timeout, "S",
         "seconds without a request (75)", 0, 1e6},
        {0, "hidden", ED_OPTION_FLAG, &serve.hidden, NULL, "serve names that begin with a dot", 0,
         0},
        {0, "compress", ED_OPTION_FLAG, &serve.compress, NULL, "compress texts", 0, 0},
        {'q', "quiet", ED_OPTION_FLAG, &serve.quiet, NULL, "no access log", 0, 0},
    };
    const struct ed_usage usage = {"eddy serve", "[DIR]", serve_about,
                                   NULL,         options, sizeof options / sizeof *options};
    int status = ed_option_parse(&usage, argv);

    if (status != ED_OPTION_GO_ON)
        return status;
    if (argv[0] && argv[1])
        return ed_usage_fail(&usage, "one folder, not also '%s'", argv[1]);
    serve.folder = argv[0] ? argv[0] : ".";
    status = eddy_run(serve_folder, &serve);
    if (status >= 0)
        return status;
    fprintf(stderr, "eddy serve: %s\n", eddy_error_message(status));
    return status == -EINTR ? ED_EXIT_INTERRUPTED : 1;
}
