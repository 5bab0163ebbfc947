/* SPDX-License-Identifier: MIT */
/* The session in memory. */
#include <eddy/http_client.h>

#include "http/web.h"

static int hello(eddy_web_request *request, void *unused)
{
    (void)unused;
    EDDY_TRY(eddy_sleep(30));
    return eddy_web_printf(request, 200, "hello %s", eddy_web_match(request, "name"));
}

static int echo(eddy_web_request *request, void *unused)
{
    const char *data = NULL;
    size_t size = 0;

    (void)unused;
    EDDY_TRY(eddy_web_read(request, &data, &size));
    return eddy_web_send(request, 201, "text/plain", data, size);
}

static int started;

static int part_start(eddy_web_app *app, void *unused)
{
    (void)app, (void)unused;
    started++;
    return 0;
}

static int part_stop(eddy_web_app *app, void *unused)
{
    (void)app, (void)unused;
    started--;
    return 0;
}

static int use_session(void)
{
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    const char *data = NULL;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_add_part(app, part_start, part_stop, NULL));
    EDDY_TRY(eddy_web_get(app, "/hello/{name}", hello, NULL));
    EDDY_TRY(eddy_web_post(app, "/echo", echo, NULL));
    EDDY_TRY(eddy_web_start_test(app, NULL, &server, &session));
    EDDY_TRY(eddy_http_get(session, "http://test/hello/bob", &response));
    EDDY_TRY(eddy_expect_equal(eddy_http_status(response), 200));
    EDDY_TRY(eddy_http_read(response, &data, NULL));
    EDDY_TRY(eddy_expect(strcmp(data, "hello bob") == 0));
    eddy_http_response_close(&response);
    EDDY_TRY(eddy_http_post(session, "http://test/echo", EDDY_BODY_TEXT("back"), &response));
    EDDY_TRY(eddy_expect_equal(eddy_http_status(response), 201));
    EDDY_TRY(eddy_http_read(response, &data, NULL));
    return eddy_expect(strcmp(data, "back") == 0);
}
EDDY_ASYNC(use_session);

/* The tutorial's way to test a handler, in virtual time; parts are started, and stopped. */
TEST(web_test_session)
{
    started = 0;
    CHECK_OK(use_session());
    CHECK_EQ(started, 0);
}

static int refuse(eddy_web_request *request, void *unused)
{
    (void)unused;
    return eddy_web_send_text(request, 503, "later");
}

/* How long a request of some tries takes. */
static int be_patient(double *seconds)
{
    const eddy_http_options options = {.retries =
                                           &(const eddy_http_retries){.times = 4, .delay = 1}};
    EDDY_WEB_APP app = NULL;
    EDDY_WEB_SERVER server = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;

    EDDY_TRY(eddy_web_app_new(&app));
    EDDY_TRY(eddy_web_get(app, "/", refuse, NULL));
    EDDY_TRY(eddy_web_start_test(app, NULL, &server, &session));
    EDDY_TRY(eddy_http_request(session, "GET", "/", &options, &response));
    *seconds = eddy_time();
    return 0;
}
EDDY_ASYNC(be_patient, double *);

/* The delays of tries are by chance, but a run that is repeated has the same ones. */
RAW_TEST(web_test_session_repeats_its_delays)
{
    double seconds[4];

    CHECK_OK(eddy_test(be_patient, &seconds[0]));
    CHECK_OK(eddy_test(be_patient, &seconds[1]));
    CHECK_OK(eddy_test_seeds(7, 1, be_patient, &seconds[2]));
    CHECK_OK(eddy_test_seeds(7, 1, be_patient, &seconds[3]));
    CHECK(seconds[0] >= 7.5 && seconds[0] <= 15 && seconds[1] == seconds[0]);
    CHECK(seconds[2] >= 7.5 && seconds[2] <= 15 && seconds[3] == seconds[2]);
    CHECK(seconds[2] != seconds[0]);
}

/* Under each cancel, each lack of memory, and in any order of tasks. */
RAW_TEST(web_test_session_thoroughly)
{
    CHECK_OK(eddy_test_cancels(use_session));
    CHECK_OK(eddy_test_seeds(1, 20, use_session));
}

/* A server that stops takes no more connections, and ends those that are idle. */
TEST(web_test_stopped)
{
    EDDY_STREAM stream = NULL;
    char byte;
    WEB(app, server, NULL);

    WEB_START(app, server);
    CHECK_OK(ed_web_connect(server, &stream));
    CHECK_OK(eddy_web_server_shutdown(server, 1));
    CHECK_EQ(eddy_read(stream, &byte, 1), 0);
    CHECK_OK(eddy_stream_close(&stream));
    CHECK_EQ(ed_web_connect(server, &stream), -ECONNREFUSED);
    CHECK(eddy_web_server_listener(server) == NULL);
}
