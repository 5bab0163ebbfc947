/* SPDX-License-Identifier: MIT */
/* Sessions: their limits, and their end. H-SES-1, -2, H-CONN-3, -10, -18, H-TMO. */
#include "stand.h"

/* Reads a request and answers after stand->delay... */
static int serve_slowly(struct stand *stand, eddy_stream *stream, int number)
{
    int rc;

    (void)number;
    while ((rc = stand_read(stand, stream)) > 0) {
        EDDY_TRY(eddy_sleep(stand->value));
        EDDY_TRY(eddy_printf(stream, STAND_HELLO));
    }
    return rc;
}

static int get(eddy_http_session *session, const char *url)
{
    return stand_get(session, url, "hello");
}
EDDY_ASYNC(get, eddy_http_session *, const char *);

RAW_TEST(session_is_opened_in_a_loop)
{
    eddy_http_session *session = NULL;

    CHECK_EQ(eddy_http_session_open(NULL, &session), -EPERM);
    eddy_http_session_close(&session);
}

TEST(session_is_closed_twice_without_harm)
{
    EDDY_HTTP_SESSION session = NULL;

    CHECK_OK(eddy_http_session_open(NULL, &session));
    eddy_http_session_close(&session);
    CHECK(!session);
    eddy_http_session_close(&session);
}

/* H-SES-11, H-CONN-1, -3. */
TEST(session_runs_as_many_requests_at_once_as_its_limits_let_it)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_slowly, .value = 1};
    EDDY_HTTP_SESSION session = NULL;
    double start = eddy_time();

    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.connections = 3}, &session));
    {
        EDDY_GROUP(gets);

        for (int i = 0; i < 9; i++)
            CHECK_OK(eddy_group_create_task(&gets, get, session, "http://a.test/"));
        test_settle();
        CHECK_EQ(eddy_http_session_get_counters(session).in_use, 3);
        CHECK_EQ(eddy_http_session_get_counters(session).waiting, 6);
        CHECK_OK(eddy_group_join(&gets));
    }
    CHECK(eddy_time() - start >= 3 && eddy_time() - start < 3.1);
    CHECK_EQ(stand.opened, 3);
}

TEST(session_limits_connections_of_a_host)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_slowly, .value = 1};
    EDDY_HTTP_SESSION session = NULL;
    EDDY_GROUP(gets);

    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.connections_per_host = 2}, &session));
    for (int i = 0; i < 4; i++) {
        CHECK_OK(eddy_group_create_task(&gets, get, session, "http://a.test/"));
        CHECK_OK(eddy_group_create_task(&gets, get, session, "http://b.test/"));
    }
    test_settle();
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 4);
    CHECK_EQ(eddy_http_session_get_counters(session).waiting, 4);
    CHECK_OK(eddy_group_join(&gets));
    CHECK_EQ(stand.opened, 4);
}

/* H-CONN-10. */
TEST(session_that_is_closed_ends_requests_wherever_they_are)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_slowly, .value = 100, .delay = 1};
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;

    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.connections = 2}, &session));
    EDDY_TASK reading = eddy_create_task(get, session, "http://a.test/");
    CHECK_OK(eddy_sleep(2));
    EDDY_TASK connecting = eddy_create_task(get, session, "http://a.test/");
    EDDY_TASK waiting = eddy_create_task(get, session, "http://a.test/");
    test_settle();
    CHECK_EQ(eddy_http_session_get_counters(session).waiting, 1);
    eddy_http_session_close(&session);
    CHECK_FAILS(eddy_await(reading), -ESHUTDOWN, "the session was closed meanwhile");
    CHECK_FAILS(eddy_await(connecting), -ESHUTDOWN, "GET http://a.test/: connecting: ");
    CHECK_FAILS(eddy_await(waiting), -ESHUTDOWN, "waiting for a connection: ");
    CHECK(!response);
}

/* H-RESP-10. */
TEST(session_that_is_closed_leaves_open_responses_to_be_closed)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group};
    EDDY_HTTP_RESPONSE response = NULL;
    EDDY_HTTP_SESSION session = NULL;
    const char *data;

    stand.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://a.test/", &response));
    eddy_http_session_close(&session);
    CHECK_FAILS(eddy_http_read(response, &data, NULL), -ESHUTDOWN, "the session was closed");
    CHECK_STR(eddy_http_url(response)->text, "http://a.test/");
}

/* H-CONN-18: all that a cancel leaves is nothing. */
TEST(session_forgets_a_request_that_is_cancelled)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_slowly, .value = 100, .delay = 1};
    EDDY_HTTP_SESSION session = NULL;
    double at[] = {0.5, 2}; /* while it connects, and while it waits for the answer */

    CHECK_OK(stand_open(&stand, NULL, &session));
    for (size_t i = 0; i < 2; i++) {
        EDDY_TASK task = eddy_create_task(get, session, "http://a.test/");

        CHECK_OK(eddy_sleep(at[i]));
        CHECK_EQ(eddy_http_session_get_counters(session).in_use, 1);
        CHECK_OK(eddy_cancel(task));
        CHECK_EQ(eddy_await(task), -ECANCELED);
        CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
        CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
    }
}

/* H-TMO-1, -2, -5, -7. */
TEST(session_limits_the_time_of_each_part_of_a_request)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_slowly, .value = 100};
    const eddy_http_session_options options = {
        .connections = 1, .defaults.timeouts = &(const eddy_http_timeouts){.read = 7}};
    const eddy_http_options pool = {.timeouts = &(const eddy_http_timeouts){.pool = 2}};
    const eddy_http_options connect = {.timeouts = &(const eddy_http_timeouts){.connect = 3}};
    const eddy_http_options total = {.timeouts = &(const eddy_http_timeouts){.total = 4}};
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    double start = eddy_time();

    CHECK_OK(stand_open(&stand, &options, &session));
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), EDDY_EHTTP_READ_TIMEOUT,
                "waiting for the answer: nothing came within 7 seconds");
    CHECK(eddy_time() - start >= 7 && eddy_time() - start < 7.1);
    CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/", &total, &response), -ETIMEDOUT,
                "GET http://a.test/: waiting for the answer: not done within 4 seconds in all");
    {
        EDDY_TASK holder = eddy_create_task(get, session, "http://a.test/");

        test_settle();
        CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/", &pool, &response),
                    EDDY_EHTTP_CONNECT_TIMEOUT,
                    "waiting for a connection: all were in use for 2 seconds");
    }
    stand.delay = 10;
    CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/", &connect, &response),
                EDDY_EHTTP_CONNECT_TIMEOUT, "connecting: not connected within 3 seconds");
    {
        EDDY_TIMEOUT(limit, 1);
        CHECK_EQ(eddy_http_get(session, "http://a.test/", &response), -ETIMEDOUT);
        CHECK(eddy_timeout_expired(&limit));
    }
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
}

/* H-TMO-2: the time in all may leave out the wait for a connection, also when the body is read. */
TEST(session_counts_the_wait_for_a_connection_into_the_time_in_all_or_not)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_slowly, .value = 6};
    const eddy_http_options counted = {.timeouts = &(const eddy_http_timeouts){.total = 8}};
    const eddy_http_options apart = {
        .timeouts = &(const eddy_http_timeouts){.total = 8, .pool_apart = true}};
    const eddy_http_options late = {
        .timeouts = &(const eddy_http_timeouts){.total = 5, .pool_apart = true}};
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    EDDY_GROUP(gets);
    const char *data;

    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.connections = 1}, &session));
    for (int i = 0; i < 3; i++)
        CHECK_OK(eddy_group_create_task(&gets, get, session, "http://a.test/"));
    test_settle();
    CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/", &counted, &response),
                -ETIMEDOUT, "waiting for a connection: not done within 8 seconds in all");
    CHECK_OK(eddy_http_request(session, "GET", "http://a.test/", &apart, &response));
    CHECK_OK(eddy_http_read(response, &data, NULL));
    eddy_http_response_close(&response);
    CHECK_OK(eddy_group_create_task(&gets, get, session, "http://a.test/"));
    test_settle();
    CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/", &late, &response), -ETIMEDOUT,
                "waiting for the answer: not done within 5 seconds in all");
    CHECK_OK(eddy_group_join(&gets));
}

/* H-CONN-10: a session's close is heard while the time in all stands still. */
TEST(session_that_is_closed_ends_a_wait_whose_time_stands_still)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .serve = serve_slowly, .value = 100};
    const eddy_http_session_options options = {
        .connections = 1,
        .defaults.timeouts = &(const eddy_http_timeouts){.total = 9, .pool_apart = true}};
    EDDY_HTTP_SESSION session = NULL;

    CHECK_OK(stand_open(&stand, &options, &session));
    EDDY_TASK holding = eddy_create_task(get, session, "http://a.test/");
    test_settle();
    EDDY_TASK waiting = eddy_create_task(get, session, "http://a.test/");
    CHECK_OK(eddy_sleep(8));
    eddy_http_session_close(&session);
    CHECK_FAILS(eddy_await(holding), -ESHUTDOWN, "the session was closed meanwhile");
    CHECK_FAILS(eddy_await(waiting), -ESHUTDOWN, "waiting for a connection: ");
}

/* The kernel's own time for a connection. */
TEST(session_tells_a_timeout_of_the_kernel_from_one_of_the_caller)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group, .refuse = -ETIMEDOUT};
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), EDDY_EHTTP_CONNECT_TIMEOUT,
                "the stand refuses");
}

TEST(session_closes_idle_connections_in_time)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group};
    EDDY_HTTP_SESSION session = NULL;

    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.idle_time = 5}, &session));
    CHECK_OK(get(session, "http://a.test/"));
    CHECK_OK(eddy_sleep(4.9));
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
    CHECK_OK(eddy_sleep(0.2));
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
    CHECK_OK(get(session, "http://a.test/"));
    CHECK_EQ(stand.opened, 2);
}

TEST(session_tells_what_is_wrong_with_its_base)
{
    EDDY_HTTP_SESSION session = NULL;
    eddy_http_session_options options = {.base_url = "127.0.0.1:80"};

    CHECK_FAILS(eddy_http_session_open(&options, &session), EDDY_EURL,
                "the base URL \"127.0.0.1:80\": not a URL");
    options.base_url = "http://a.test/x";
    CHECK_FAILS(eddy_http_session_open(&options, &session), -EINVAL,
                "the base URL \"http://a.test/x\" is not absolute, or its path does not end");
}

/* Options are copied. */
TEST(session_needs_none_of_its_options_any_more)
{
    EDDY_GROUP(group);
    struct stand stand = {.group = &group};
    EDDY_HTTP_SESSION session = NULL;
    char base[] = "http://a.test/x/", name[] = "X-Name", value[] = "value", bearer[] = "token";
    eddy_http_timeouts timeouts = {.total = 9};
    {
        const eddy_http_session_options options = {
            .base_url = base,
            .headers = EDDY_PAIRS({name, value}),
            .defaults = {.bearer = bearer, .timeouts = &timeouts},
        };

        CHECK_OK(stand_open(&stand, &options, &session));
    }
    memset(base, 'z', sizeof base - 1);
    memset(name, 'z', sizeof name - 1);
    memset(value, 'z', sizeof value - 1);
    memset(bearer, 'z', sizeof bearer - 1);
    timeouts.total = -1;
    CHECK_OK(get(session, "y"));
    CHECK_HAS(stand.seen, "GET /x/y HTTP/1.1\r\n");
    CHECK_HAS(stand.seen, "X-Name: value\r\nAuthorization: Bearer token\r\n");
}
