/* SPDX-License-Identifier: MIT */
/* Servers: starting, stopping, over sockets. */
#include <eddy/tls.h>

#include "http/web.h"
#include "net/peer.h"
#include "net/tls_certificate.h"
#include "os/folder.h"

static int hello(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_printf(request, 200, "hello by %s", eddy_web_scheme(request));
}

static int sleepy(eddy_web_request *request, void *seconds)
{
    EDDY_TRY(eddy_sleep(*(double *)seconds));
    return eddy_web_send_text(request, 200, "slept");
}

#define APP(app, server)                                                                           \
    EDDY_WEB_APP app = NULL;                                                                       \
    EDDY_WEB_SERVER server = NULL;                                                                 \
    CHECK_OK(eddy_web_app_new(&app));                                                              \
    CHECK_OK(eddy_web_get(app, "/", hello, NULL))

static const char *place_of(eddy_web_server *server)
{
    static char place[128];

    snprintf(place, sizeof place, "tcp://127.0.0.1:%d",
             eddy_server_port(eddy_web_server_listener(server)));
    return place;
}

#define GET "GET / HTTP/1.1\r\nHost: t\r\n\r\n"

/* What a connection says until it ends; a buffer that is overwritten. */
static const char *hear(eddy_stream *stream)
{
    static char heard[100000];
    char *data;
    size_t size;
    int rc = eddy_read_all(stream, sizeof heard - 1, &data, &size);

    if (rc < 0)
        return eddy_error_name(rc);
    memcpy(heard, data, size + 1);
    eddy_free(data);
    return heard;
}

/* H-RUN-1, H-RUN-5: sockets of both kinds at once. */
TEST(web_server_places)
{
    FOLDER(folder);
    EDDY_STREAM tcp = NULL, un = NULL;
    char places[200], path[150];
    APP(app, server);

    snprintf(path, sizeof path, "unix:%s", in(&folder, "socket"));
    snprintf(places, sizeof places, "tcp://127.0.0.1:0,%s", path);
    CHECK_OK(eddy_web_start(app, places, NULL, &server));
    CHECK_OK(eddy_connect(place_of(server), &tcp));
    CHECK_OK(eddy_connect(path, &un));
    CHECK_OK(eddy_printf(tcp, GET));
    CHECK_OK(eddy_printf(un, GET));
    CHECK_OK(eddy_write_eof(tcp));
    CHECK_OK(eddy_write_eof(un));
    CHECK_HAS(hear(tcp), "hello by http");
    CHECK_HAS(hear(un), "hello by http");
}

/* H-RUN-7: what cannot be listened at leaves nothing. */
TEST(web_server_refused)
{
    const eddy_web_options negative = {.idle_time = -1};
    EDDY_WEB_SERVER other = NULL;
    APP(app, server);

    CHECK_OK(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    CHECK_EQ(eddy_web_start(app, place_of(server), NULL, &other), -EADDRINUSE);
    CHECK_EQ(eddy_web_start(app, "nonsense", NULL, &other), -EINVAL);
    CHECK_EQ(eddy_web_start(app, "tcp://127.0.0.1:0", &negative, &other), -EINVAL);
    CHECK(other == NULL);
}

/* H-RUN-2, H-RUN-3: a stop ends idle connections at once, lets the busy ones answer, with
 * "Connection: close", and takes no other request from them. */
TEST(web_server_graceful_stop)
{
    EDDY_STREAM idle = NULL, busy = NULL, late = NULL;
    double seconds = 5, start;
    const char *heard;
    char byte;
    APP(app, server);

    CHECK_OK(eddy_web_get(app, "/sleep", sleepy, &seconds));
    CHECK_OK(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    CHECK_OK(eddy_connect(place_of(server), &idle));
    CHECK_OK(eddy_connect(place_of(server), &busy));
    CHECK_OK(eddy_printf(busy, "GET /sleep HTTP/1.1\r\nHost: t\r\n\r\n" GET));
    CHECK_OK(eddy_sleep(1));
    start = eddy_time();
    CHECK_OK(eddy_web_server_shutdown(server, 30));
    CHECK_THAT(eddy_time() - start < 5.5, "%f s", eddy_time() - start);
    CHECK_EQ(eddy_read(idle, &byte, 1), 0);
    heard = hear(busy);
    CHECK_HAS(heard, "slept");
    CHECK_HAS(heard, "Connection: close\r\n");
    CHECK(!strstr(heard, "hello"));
    CHECK(eddy_connect(place_of(server), &late) < 0);
}

/* A request that has only begun to come holds an end up for a second, not for a head's time. */
TEST(web_server_stop_does_not_wait_for_slow_heads)
{
    EDDY_STREAM slow = NULL;
    double start;
    APP(app, server);

    CHECK_OK(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    CHECK_OK(eddy_connect(place_of(server), &slow));
    CHECK_OK(eddy_printf(slow, "GET / HTTP/1.1\r\nHost:"));
    CHECK_OK(eddy_sleep(0.5));
    start = eddy_time();
    CHECK_OK(eddy_web_server_shutdown(server, 30));
    CHECK_THAT(eddy_time() - start < 3, "%f s", eddy_time() - start);
    CHECK_HAS(hear(slow), "HTTP/1.1 408 ");
}

/* What takes longer than there is time is cancelled. */
TEST(web_server_stop_cancels)
{
    EDDY_STREAM busy = NULL;
    double seconds = 100, start;
    APP(app, server);

    CHECK_OK(eddy_web_get(app, "/sleep", sleepy, &seconds));
    CHECK_OK(eddy_web_start(app, "tcp://127.0.0.1:0", NULL, &server));
    CHECK_OK(eddy_connect(place_of(server), &busy));
    CHECK_OK(eddy_printf(busy, "GET /sleep HTTP/1.1\r\nHost: t\r\n\r\n"));
    CHECK_OK(eddy_sleep(1));
    start = eddy_time();
    CHECK_EQ(eddy_web_server_shutdown(server, 2), -ETIMEDOUT);
    CHECK_THAT(eddy_time() - start < 4, "%f s", eddy_time() - start);
    CHECK(!strstr(hear(busy), "slept"));
    CHECK_OK(eddy_web_server_shutdown(server, 2));
}

/* TLS with ALPN; a handshake that fails is nothing to tell anybody. */
TEST(web_server_tls)
{
    EDDY_TLS_CONTEXT context = NULL, client = NULL;
    EDDY_STREAM stream = NULL, plain = NULL;
    char place[64];
    eddy_tls_info info;
    eddy_tls_options of_server = tls_server_options(), of_client = tls_client_options();
    eddy_web_options options = {0};
    APP(app, server);

    of_server.alpn = "http/1.1";
    of_client.alpn = "h2,http/1.1";
    CHECK_OK(eddy_tls_server_context(&of_server, &context));
    CHECK_OK(eddy_tls_client_context(&of_client, &client));
    options.tls = context;
    CHECK_EQ(eddy_web_start(app, "tls://127.0.0.1:0", NULL, &server), -EINVAL);
    CHECK_OK(eddy_web_start(app, "tls://127.0.0.1:0", &options, &server));
    snprintf(place, sizeof place, "%d", eddy_server_port(eddy_web_server_listener(server)));
    CHECK_OK(eddy_tls_connect("127.0.0.1", eddy_server_port(eddy_web_server_listener(server)),
                              client, NULL, &stream));
    CHECK_OK(eddy_tls_get_info(stream, &info));
    CHECK_STR(info.alpn, "http/1.1");
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"));
    CHECK_HAS(hear(stream), "hello by https");
    CHECK_OK(eddy_connect(place_of(server), &plain));
    CHECK_OK(eddy_printf(plain, GET));
    (void)hear(plain);
    CHECK_STR(test_report(), "");
}

static int run_quietly(eddy_web_app *app)
{
    const eddy_web_options options = {.quiet = true, .shutdown_time = 1};

    return eddy_web_run(app, "tcp://127.0.0.1:0", &options);
}
EDDY_ASYNC(run_quietly, eddy_web_app *);

static int stop_by_signal(void)
{
    EDDY_WEB_APP app = NULL;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", hello, NULL));
    EDDY_TASK task = eddy_create_task(run_quietly, app);
    EDDY_TRY(eddy_sleep(0.2));
    EDDY_TRY(eddy_expect(!eddy_task_done(task)));
    EDDY_TRY(eddy_expect(raise(SIGTERM) == 0));
    return eddy_await(task);
}
EDDY_ASYNC(stop_by_signal);

/* H-RUN-1: a signal stops it in order. (A sweep would cancel what is to take the signal.) */
RAW_TEST(web_server_runs_until_a_signal)
{
    CHECK_OK(eddy_run(stop_by_signal));
}
