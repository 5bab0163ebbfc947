/* SPDX-License-Identifier: MIT */
/* What looks after connections: clients that take nothing, or have gone, over sockets. */
#include "http/web.h"
#include "loop/loop.h"
#include "net/peer.h"

static char block[1 << 16];

static int pour(eddy_web_request *request, void *argument)
{
    eddy_stream *body = NULL;
    int rc = eddy_web_begin(request, 200, NULL, -1, &body);

    while (rc == 0)
        rc = eddy_write(body, block, sizeof block);
    *(int *)argument = rc;
    return rc;
}

static int send_much(eddy_web_request *request, void *argument)
{
    const size_t much = 32 << 20;

    *(int *)argument = 1;
    return eddy_web_send(request, 200, NULL, test_room(much), much);
}

static int wait_long(eddy_web_request *request, void *argument)
{
    (void)request;
    *(int *)argument = eddy_sleep(1000);
    return *(int *)argument;
}

#define SERVE(app, server, options, handler, argument)                                             \
    EDDY_WEB_APP app = NULL;                                                                       \
    EDDY_WEB_SERVER server = NULL;                                                                 \
    CHECK_OK(eddy_web_app_new(&app));                                                              \
    CHECK_OK(eddy_web_get(app, "/", handler, argument));                                           \
    CHECK_OK(eddy_web_start(app, "tcp://127.0.0.1:0", options, &server))

static int connect_to(eddy_web_server *server, eddy_stream **out)
{
    char place[64];

    snprintf(place, sizeof place, "tcp://127.0.0.1:%d",
             eddy_server_port(eddy_web_server_listener(server)));
    EDDY_TRY(eddy_connect(place, out));
    return eddy_printf(*out, "GET / HTTP/1.1\r\nHost: t\r\n\r\n");
}

/* H-SEC-25: a client that takes nothing is given up at its time, whether the handler writes or the
 * server does. */
TEST(web_scan_client_takes_nothing)
{
    const eddy_web_options options = {.write_time = 5};
    PEER_FD fd = -1;
    int rc = 0;
    double start;
    SERVE(app, server, &options, pour, &rc);

    fd = peer_connect(eddy_server_port(eddy_web_server_listener(server)));
    CHECK(send(fd, "GET / HTTP/1.1\r\nHost: t\r\n\r\n", 27, 0) == 27);
    start = eddy_time();
    while (rc == 0 && eddy_time() < start + 60)
        CHECK_OK(eddy_sleep(0.5));
    CHECK_EQ(rc, -ECONNABORTED);
    CHECK_THAT(eddy_time() - start > 5 && eddy_time() - start < 8, "%f s", eddy_time() - start);
}

TEST(web_scan_client_takes_nothing_of_much)
{
    const eddy_web_options options = {.write_time = 5};
    EDDY_STREAM stream = NULL;
    int begun = 0;
    double start;
    SERVE(app, server, &options, send_much, &begun);

    CHECK_OK(connect_to(server, &stream));
    start = eddy_time();
    while (server->count > 0 && eddy_time() < start + 60)
        CHECK_OK(eddy_sleep(0.5));
    CHECK_EQ(begun, 1);
    CHECK_THAT(eddy_time() - start > 5 && eddy_time() - start < 9, "%f s", eddy_time() - start);
}

static int send_some(eddy_web_request *request, void *unused)
{
    static char some[200 << 10];

    (void)unused;
    return eddy_web_send(request, 200, NULL, some, sizeof some);
}

/* Nor is one left alone that has asked for its last answer, and takes none of it. */
TEST(web_scan_client_takes_nothing_of_the_last)
{
    const eddy_web_options options = {.write_time = 5};
    EDDY_STREAM stream = NULL;
    double start;
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/", send_some, NULL));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    start = eddy_time();
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"));
    CHECK_OK(eddy_sleep(4));
    CHECK_EQ(server->count, 1);
    while (server->count > 0 && eddy_time() < start + 60)
        CHECK_OK(eddy_sleep(0.5));
    CHECK_THAT(eddy_time() - start > 5 && eddy_time() - start < 9, "%f s", eddy_time() - start);
}

/* One that takes a little now and then is not given up. (In memory: a kernel's buffers do not know
 * of virtual time.) */
TEST(web_scan_client_takes_a_little)
{
    const eddy_web_options options = {.write_time = 5};
    EDDY_STREAM stream = NULL;
    static char data[1 << 14];
    int rc = 0;
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/", pour, &rc));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    for (int i = 0; i < 40; i++) {
        CHECK_OK(eddy_sleep(2));
        for (int n = 0; n < 8; n++)
            CHECK(eddy_read(stream, data, sizeof data) > 0);
        CHECK_EQ(rc, 0);
    }
    CHECK_OK(eddy_sleep(8));
    CHECK_EQ(rc, -ECONNABORTED);
}

/* Nor one that takes a little of an answer that is written at once. */
TEST(web_scan_client_takes_a_little_of_much)
{
    const eddy_web_options options = {.write_time = 5};
    EDDY_STREAM stream = NULL;
    static char data[1 << 14];
    int begun = 0;
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/", send_much, &begun));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    for (int i = 0; i < 20; i++) {
        CHECK_OK(eddy_sleep(2));
        for (int n = 0; n < 8; n++)
            CHECK(eddy_read(stream, data, sizeof data) > 0);
        CHECK_EQ(server->count, 1);
    }
    CHECK_OK(eddy_sleep(8));
    CHECK_EQ(server->count, 0);
}

/* H-KEEP-5 over a socket: by a close, and by a reset. */
TEST(web_scan_client_goes)
{
    int rc = 0;
    SERVE(app, server, NULL, wait_long, &rc);

    for (int resets = 0; resets < 2; resets++) {
        PEER_FD fd = peer_connect(eddy_server_port(eddy_web_server_listener(server)));

        rc = 0;
        CHECK(send(fd, "GET / HTTP/1.1\r\nHost: t\r\n\r\n", 27, 0) == 27);
        CHECK_OK(eddy_sleep(1));
        CHECK_EQ(rc, 0);
        if (resets)
            peer_reset(&fd);
        else
            peer_close(&fd);
        CHECK_OK(eddy_sleep(1));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_OK(eddy_sleep(1));
        CHECK_EQ(server->count, 0);
    }
}

/* Connections that lie idle give their memory back, and can be used again. */
TEST(web_scan_rests)
{
    EDDY_STREAM stream = NULL;
    char data[1000];
    int rc = 0;
    WEB(app, server, NULL);

    CHECK_OK(eddy_web_get(app, "/", web_tell, &rc));
    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    for (int i = 0; i < 3; i++) {
        struct ed_web_connection *c;

        CHECK_OK(eddy_printf(stream, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
        test_settle();
        CHECK(eddy_read(stream, data, sizeof data) > 0);
        CHECK(!ed_list_empty(&server->busy));
        CHECK_OK(eddy_sleep(3));
        CHECK(ed_list_empty(&server->busy));
        c = ed_container_of(server->resting.first, struct ed_web_connection, link);
        CHECK(c->request.arena.first == NULL);
        CHECK_EQ(server->spare_count, 1);
    }
}

/* Holds the loop up again and again, so that it comes to its timers late. */
static int hold_up(double seconds)
{
    for (;;) {
        eddy_get_running_loop()->virtual_now += (int64_t)(seconds * 1e9);
        EDDY_TRY(eddy_sleep(0.01));
    }
}
EDDY_ASYNC(hold_up, double);

/* Limits are those of the clock, not of scans: a loop that is busy keeps them. */
TEST(web_scan_limits_are_kept_by_a_loop_that_is_busy)
{
    const eddy_web_options options = {.head_time = 5, .idle_time = 8, .write_time = 12};
    EDDY_STREAM head = NULL, idle = NULL, reader = NULL;
    int rc = 0;
    double start, ends[3] = {0, 0, 0};
    WEB(app, server, &options);

    CHECK_OK(eddy_web_get(app, "/", pour, &rc));
    WEB_START(app, server);
    EDDY_TASK busy = eddy_create_task(hold_up, 0.3);
    CHECK_OK(ed_web_connect(server, &head));
    CHECK_OK(ed_web_connect(server, &idle));
    CHECK_OK(ed_web_connect(server, &reader));
    CHECK_OK(eddy_printf(head, "GET /"));
    CHECK_OK(eddy_printf(reader, "GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    for (start = eddy_time(); server->count > 0 && eddy_time() < start + 60;) {
        double now = eddy_time() - start;

        CHECK_OK(eddy_sleep(0.05));
        ends[0] = eddy_stream_is_quiet_(head) ? now : ends[0];
        ends[1] = eddy_stream_is_quiet_(idle) ? now : ends[1];
        ends[2] = rc == 0 ? now : ends[2];
    }
    CHECK_THAT(ends[0] > 4.3 && ends[0] < 6.5, "a head had %f s", ends[0]);
    CHECK_THAT(ends[1] > 7.3 && ends[1] < 9.5, "an idle connection had %f s", ends[1]);
    CHECK_THAT(ends[2] > 11.3 && ends[2] < 14.5, "a reader had %f s", ends[2]);
    CHECK_EQ(rc, -ECONNABORTED);
}

/* What begins in front of a long step of the loop's does not lose its time by it. */
TEST(web_scan_limits_are_not_early_behind_a_long_step)
{
    const eddy_web_options options = {.head_time = 5};
    EDDY_STREAM stream = NULL;
    double start;
    WEB(app, server, &options);

    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_sleep(0.85));
    CHECK_OK(eddy_printf(stream, "GET /"));
    test_settle();
    eddy_get_running_loop()->virtual_now += INT64_C(4500000000);
    start = eddy_time();
    while (eddy_stream_is_quiet_(stream) && eddy_time() < start + 60)
        CHECK_OK(eddy_sleep(0.05));
    CHECK_THAT(eddy_time() >= start + 5 && eddy_time() < start + 5.5, "%f s", eddy_time() - start);
}
