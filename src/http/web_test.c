/* SPDX-License-Identifier: MIT */
/*
 * The in-memory session: a client's session whose connector makes a pair of streams in memory, and
 * a task that serves the other end. Nothing of it is a socket, so that tests need no ports, and the
 * clock may be virtual.
 */
#include <errno.h>

#include "http/web_server.h"

static int test_serve(eddy_web_server *server, eddy_stream *stream)
{
    int rc = ed_web_serve(stream, server);

    (void)rc; /* of the connection; the handler's errors are told elsewhere */
    (void)eddy_flush(stream);
    {
        EDDY_SHIELD(closing);
        EDDY_TIMEOUT(limit, 1);
        (void)eddy_stream_close(&stream);
    }
    return 0;
}
EDDY_ASYNC(test_serve, eddy_web_server *, eddy_stream *);

int ed_web_connect(eddy_web_server *server, eddy_stream **out)
{
    eddy_stream *near, *far;
    eddy_task *task;

    if (server->stopping)
        return eddy_raise(-ECONNREFUSED, "the server has stopped");
    EDDY_TRY(eddy_stream_pair(&near, &far));
    task = eddy_create_task_with((&(eddy_task_options){.name = "http", .eager_start = true}),
                                 test_serve, server, far);
    if (!task) {
        (void)eddy_stream_close(&near); /* nothing is in them */
        (void)eddy_stream_close(&far);
        return -ENOMEM;
    }
    eddy_task_detach(&task);
    *out = near;
    return 0;
}

static int test_connect(const eddy_url *url, void *server, eddy_stream **out)
{
    (void)url;
    return ed_web_connect(server, out);
}

int eddy_web_start_test(eddy_web_app *app, const eddy_web_options *options,
                        eddy_web_server **server, eddy_http_session **session)
{
    eddy_http_session_options client = {.base_url = "http://test/", .connector = test_connect};
    eddy_web_server *made;
    int rc = ed_web_server_new(app, options, &made);

    if (rc < 0)
        return rc;
    rc = ed_web_server_start_parts(made);
    client.connector_argument = made;
    if (rc == 0)
        rc = eddy_http_session_open(&client, session);
    if (rc < 0) {
        eddy_web_server_close(&made);
        return rc;
    }
    *server = made;
    return 0;
}
