/* SPDX-License-Identifier: MIT */
/*
 * Servers: an application at work.
 *
 * The listener below, a server of eddy/net.h, has the sockets and the tasks of connections. This
 * here has the application's parts, its limits, and the order of the end: no new connections; the
 * idle ones end; the hooks are called; WebSockets are closed with 1001; those that are busy answer
 * what they have, with "Connection: close"; whoever needs longer than there is time is cancelled;
 * the parts stop.
 *
 * A test's server has no listener: its connections are tasks that web_test.c makes.
 */
#include "http/web_server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "eddy/signal.h"
#include "eddy/tls.h"
#include "http/web_log.h"
#include "task/task.h"

/* Making ------------------------------------------------------------------------------- */

static double time_or(double seconds, double usual)
{
    return seconds == 0 ? usual : seconds;
}

static size_t size_or(size_t size, size_t usual)
{
    return size == 0 ? usual : size;
}

static void options_fill_in(eddy_web_options *options)
{
    options->line_size = size_or(options->line_size, 8190);
    options->head_fields = size_or(options->head_fields, 128);
    options->head_size = size_or(options->head_size, (size_t)64 << 10);
    options->body_size = size_or(options->body_size, (size_t)1 << 20);
    options->form_size = size_or(options->form_size, (size_t)1 << 30);
    options->head_time = time_or(options->head_time, 10);
    options->idle_time = time_or(options->idle_time, 75);
    options->body_time = time_or(options->body_time, 60);
    options->write_time = time_or(options->write_time, 60);
    options->linger_time = time_or(options->linger_time, 10);
    options->shutdown_time = time_or(options->shutdown_time, 60);
}

static bool options_are_right(const eddy_web_options *options)
{
    const double times[] = {options->head_time,  options->idle_time,   options->body_time,
                            options->write_time, options->linger_time, options->shutdown_time};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (!(times[i] >= 0))
            return false;
    return true;
}

int ed_web_server_new(eddy_web_app *app, const eddy_web_options *options, eddy_web_server **out)
{
    const eddy_web_options none = {0};
    eddy_web_server *server;
    int rc = 0;

    if (options && !options_are_right(options))
        return eddy_raise(-EINVAL, "a time of the options is negative, or no number");
    if (!eddy_get_running_loop())
        return eddy_raise(-EPERM, "a server is started outside a running loop");
    server = eddy_alloc_(sizeof *server);
    if (!server)
        return -ENOMEM;
    server->app = app;
    server->loop = eddy_get_running_loop();
    server->options = options ? *options : none;
    options_fill_in(&server->options);
    server->limits = (struct ed_limits){.line_size = server->options.line_size,
                                        .fields = server->options.head_fields,
                                        .head_size = server->options.head_size};
    ed_web_scan_init(server);
    if (server->options.log)
        rc = ed_web_log_new(&server->options, &server->log);
    if (rc == 0)
        rc = ed_web_app_freeze(app);
    if (rc < 0)
        ed_web_server_free(server);
    else
        *out = server;
    return rc;
}

void ed_web_server_free(eddy_web_server *server)
{
    while (server->spare_count > 0)
        ed_arena_free(&server->spares[--server->spare_count]);
    ed_cache_free(&server->cache);
    ed_web_log_free(server->log);
    eddy_free(server);
}

/* Parts -------------------------------------------------------------------------------- */

/* Stops those that have started, the last first, whatever they say. Returns the first error. */
static int server_stop_parts(eddy_web_server *server)
{
    int rc = 0;

    EDDY_SHIELD(stopping);
    while (server->started > 0) {
        size_t index = --server->started;
        eddy_web_app *owner;
        const struct ed_web_entry *part = ed_web_app_part(server->app, &index, &owner);
        int one = part->stop ? part->stop(owner, part->argument) : 0;

        rc = rc < 0 ? rc : one;
    }
    return rc;
}

int ed_web_server_start_parts(eddy_web_server *server)
{
    size_t count = ed_web_app_count_parts(server->app);

    while (server->started < count) {
        size_t index = server->started;
        eddy_web_app *owner;
        const struct ed_web_entry *part = ed_web_app_part(server->app, &index, &owner);
        int rc = part->start ? part->start(owner, part->argument) : 0;

        if (rc < 0) {
            struct ed_error *text = ed_error_set_aside();

            (void)server_stop_parts(server); /* the first error counts */
            ed_error_put_back(text);
            return rc;
        }
        server->started++;
    }
    return 0;
}

/* Starting ----------------------------------------------------------------------------- */

/* A handshake that fails is the client's affair, of which there are many. */
static int server_wrap(eddy_stream **stream, void *argument)
{
    int rc = eddy_tls_serve(stream, argument);

    return rc < 0 && rc != -ENOMEM && rc != -ECANCELED ? -ECONNRESET : rc;
}

static int server_listen(eddy_web_server *server, const char *places)
{
    const eddy_web_options *options = &server->options;
    eddy_server_options listen = {0};

    if (options->server)
        listen = *options->server;
    if (!listen.name)
        listen.name = "http";
    if (options->tls && listen.wrap)
        return eddy_raise(-EINVAL, "a server with two ways of wrapping its connections");
    if (options->tls) {
        listen.wrap = server_wrap;
        listen.wrap_argument = options->tls;
    }
    return eddy_start_server_with(places, &listen, ed_web_serve, server, &server->listener);
}

int eddy_web_start(eddy_web_app *app, const char *places, const eddy_web_options *options,
                   eddy_web_server **out)
{
    eddy_web_server *server;
    int rc = ed_web_server_new(app, options, &server);

    if (rc < 0)
        return rc;
    rc = ed_web_server_start_parts(server);
    if (rc == 0)
        rc = server_listen(server, places);
    if (rc < 0) {
        struct ed_error *text = ed_error_set_aside();

        (void)server_stop_parts(server); /* the first error counts */
        ed_web_server_free(server);
        ed_error_put_back(text);
        return rc;
    }
    *out = server;
    return 0;
}

eddy_server *eddy_web_server_listener(eddy_web_server *server)
{
    return server->listener;
}

/* Stopping ----------------------------------------------------------------------------- */

/* Without a listener: waits, and then cancels. */
static int server_end_test(eddy_web_server *server, double seconds)
{
    int rc;

    {
        EDDY_TIMEOUT(limit, seconds);
        rc = ed_web_await_end(server);
    }
    if (rc < 0) {
        EDDY_SHIELD(ending);
        ed_web_cancel_all(server);
        (void)ed_web_await_end(server); /* nothing cuts it short */
    }
    return rc;
}

int eddy_web_server_shutdown(eddy_web_server *server, double seconds)
{
    int rc, parts;

    if (!server->stopping) {
        server->stopping = true;
        if (server->listener)
            eddy_server_stop(server->listener);
        (void)eddy_sleep(0); /* a request that has just come is one still */
        ed_web_end_idle(server);
        ed_web_app_call_hooks(server->app);
        ed_web_end_upgraded(server);
    }
    rc = server->listener ? eddy_server_shutdown(server->listener, seconds)
                          : server_end_test(server, seconds);
    parts = server_stop_parts(server);
    return rc < 0 ? rc : parts;
}

void eddy_web_server_close(eddy_web_server **handle)
{
    eddy_web_server *server = *handle;

    struct ed_error *text;

    if (!server)
        return;
    *handle = NULL;
    text = ed_error_set_aside();
    {
        EDDY_SHIELD(closing);
        (void)eddy_web_server_shutdown(server, 0); /* whoever wants to know calls that before */
        eddy_server_close(&server->listener);
    }
    ed_web_server_free(server);
    ed_error_put_back(text);
}

void eddy_web_server_end_scope_(eddy_web_server **server)
{
    eddy_web_server_close(server);
}

/* Running ------------------------------------------------------------------------------- */

static void run_say(const eddy_web_server *server)
{
    const char *scheme = server->options.tls ? "https" : "http";

    for (size_t i = 0; eddy_server_address(server->listener, i); i++) {
        const char *name = eddy_server_name(server->listener, i);

        if (*name == '/' || *name == '@')
            printf("serving at %s\n", name);
        else
            printf("serving at %s://%s/\n", scheme, name);
    }
    puts("Ctrl-C stops");
    fflush(stdout);
}

int eddy_web_run(eddy_web_app *app, const char *places, const eddy_web_options *options)
{
    EDDY_WEB_SERVER server = NULL;
    int rc;

    EDDY_TRY(eddy_web_start(app, places, options, &server));
    if (!server->options.quiet)
        run_say(server);
    {
        EDDY_STOP_ON_SIGNALS(stop);
        rc = eddy_server_wait(server->listener);
        if (eddy_stop_signal(&stop))
            rc = 0;
    }
    return rc < 0 ? rc : eddy_web_server_shutdown(server, server->options.shutdown_time);
}
