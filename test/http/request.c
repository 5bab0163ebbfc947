/* SPDX-License-Identifier: MIT */
/*
 * Requests over memory: what is sent, what comes back, redirects, tries. H-SES-3, -4, -7, -12,
 * H-REQ, H-REDIR, H-RETRY, H-RESP-1, -2, -4, -5, -6.
 */
#include <stdlib.h>

#include "stand.h"

#define STAND(name)                                                                                \
    EDDY_GROUP(name##_group);                                                                      \
    struct stand name = {.group = &name##_group};                                                  \
    EDDY_HTTP_SESSION session = NULL

TEST(request_gets_a_page)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;
    const char *data;
    size_t size;

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://a.test/page?x=1#part", &response));
    CHECK_EQ(eddy_http_status(response), 200);
    CHECK_STR(eddy_http_response_reason(response), "OK");
    CHECK_STR(eddy_http_version(response), "1.1");
    CHECK_EQ(eddy_http_content_length(response), 5);
    CHECK_OK(eddy_http_read(response, &data, &size));
    CHECK_STR(data, "hello");
    CHECK_EQ(size, 5);
    /* H-REQ-1, -2, H-SES-10: the default fields; no fragment, no port */
    CHECK_STR(stand.seen, "GET /page?x=1 HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\n"
                          "Accept-Encoding: gzip, deflate, br, zstd\r\nUser-Agent: eddy/0.1.0\r\n"
                          "\r\n");
}

/* H-CONN-6. */
TEST(request_after_request_goes_over_one_connection)
{
    STAND(stand);

    CHECK_OK(stand_open(&stand, NULL, &session));
    for (int i = 0; i < 5; i++)
        CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_EQ(stand.opened, 1);
    CHECK_EQ(stand.requests, 5);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
    CHECK_EQ(eddy_http_session_get_counters(session).requests, 5);
    CHECK_EQ(eddy_http_session_get_counters(session).opened, 1);
    CHECK_OK(stand_get(session, "http://b.test/", "hello"));
    CHECK_EQ(stand.opened, 2);
}

/* H-SES-3, -7. */
TEST(request_is_relative_to_the_base_and_adds_arguments)
{
    STAND(stand);
    EDDY_HTTP_SESSION other = NULL;
    const eddy_http_session_options options = {.base_url = "http://a.test:8080/api/"};
    const eddy_http_options with = {.params = EDDY_PAIRS({"q", "a b&c"}, {"page", "2"})};

    CHECK_OK(stand_open(&stand, &options, &session));
    CHECK_OK(stand_get_with(session, "GET", "items?x=1", &with, "hello"));
    CHECK_HAS(stand.seen, "GET /api/items?x=1&q=a+b%26c&page=2 HTTP/1.1\r\nHost: a.test:8080\r\n");
    CHECK_OK(stand_get(session, "http://b.test/", "hello"));
    CHECK_HAS(stand.hosts, "b.test");
    CHECK_FAILS(eddy_http_session_open(
                    &(eddy_http_session_options){.base_url = "http://a.test/api"}, &other),
                -EINVAL, "does not end in \"/\"");
    CHECK_FAILS(eddy_http_session_open(&(eddy_http_session_options){.base_url = "/api/"}, &other),
                -EINVAL, "not absolute");
}

/* H-REQ-3, -4: small bodies; other methods without one say so. */
TEST(request_sends_a_body_with_its_length_and_type)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_post(session, "http://a.test/", EDDY_BODY_TEXT("hi"), &response));
    CHECK_HAS(stand.seen, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nhi");
    eddy_http_response_close(&response);
    CHECK_OK(eddy_http_put(session, "http://a.test/", EDDY_BODY("abc", 3), &response));
    CHECK_HAS(stand.seen, "Content-Length: 3\r\n\r\nabc");
    eddy_http_response_close(&response);
    CHECK_OK(eddy_http_delete(session, "http://a.test/", &response));
    CHECK_HAS(stand.seen, "DELETE / HTTP/1.1\r\n");
    CHECK_HAS(stand.seen, "Content-Length: 0\r\n\r\n");
    eddy_http_response_close(&response);
    CHECK_OK(eddy_http_post(session, "http://a.test/", EDDY_BODY_PAIRS({"a", "1"}, {"b", "x y"}),
                            &response));
    CHECK_HAS(stand.seen, "application/x-www-form-urlencoded");
    CHECK_HAS(stand.seen, "\r\n\r\na=1&b=x+y");
    CHECK_EQ(stand_count(&stand, "HTTP/1.1\r\n"), 4);
}

/* Redirects -------------------------------------------------------------------------------- */

/* Answers "/N" by a redirect, as stand->value says, to "/N-1", and "/0" by hello. */
static int serve_chain(struct stand *stand, eddy_stream *stream, int number)
{
    int rc;

    (void)number;
    while ((rc = stand_read(stand, stream)) > 0) {
        char *line = stand->seen, *next = line;
        int left;

        while ((next = strstr(next, " HTTP/1.1\r\n"))) {
            for (line = next++; line[-1] != '/'; line--)
                ;
        }
        left = (int)strtol(line, NULL, 10);
        if (left == 0)
            EDDY_TRY(eddy_printf(stream, STAND_HELLO));
        else
            EDDY_TRY(eddy_printf(stream,
                                 "HTTP/1.1 %d Moved\r\nLocation: /%d\r\nContent-Length: 4\r\n\r\n"
                                 "gone",
                                 stand->value, left - 1));
    }
    return rc;
}

/* H-REDIR-10, H-REDIR-5: where aiohttp follows one less. */
TEST(request_follows_ten_redirects_over_one_connection_and_no_more)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    stand.serve = serve_chain;
    stand.value = 302;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://a.test/10", &response));
    CHECK_EQ(eddy_http_redirects(response), 10);
    CHECK_STR(eddy_http_redirect(response, 0)->text, "http://a.test/10");
    CHECK_STR(eddy_http_redirect(response, 9)->text, "http://a.test/1");
    CHECK(!eddy_http_redirect(response, 10));
    CHECK_STR(eddy_http_url(response)->text, "http://a.test/0");
    eddy_http_response_close(&response);
    CHECK_EQ(stand.opened, 1);
    CHECK_FAILS(eddy_http_get(session, "http://a.test/11", &response), EDDY_EHTTP_REDIRECTS,
                "GET http://a.test/1: following a redirect: it is redirected more than 10 times");
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/12",
                            &(eddy_http_options){.redirects = 12}, "hello"));
    CHECK_FAILS(stand_get_with(session, "GET", "http://a.test/2",
                               &(eddy_http_options){.redirects = 1}, "hello"),
                EDDY_EHTTP_REDIRECTS, "more than 1 times");
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/2",
                            &(eddy_http_options){.no_redirects = true}, "gone"));
}

/* H-SES-4, RFC 9110, 15.4. */
TEST(request_does_not_follow_redirects_of_head_unless_it_is_told_to)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    stand.answer = "HTTP/1.1 302 Found\r\nLocation: http://b.test/\r\nContent-Length: 50\r\n\r\n";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_head(session, "http://a.test/", &response));
    CHECK_EQ(eddy_http_status(response), 302);
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1); /* H-RESP-4: it has no body */
    CHECK_FAILS(
        stand_get_with(session, "HEAD", "http://a.test/", &(eddy_http_options){.redirects = 3}, ""),
        EDDY_EHTTP_REDIRECTS, "more than 3");
}

/* Sends a request to /1, which is redirected to /0. */
static int check_method(eddy_http_session *session, struct stand *stand, int status,
                        const char *method, const char *expected)
{
    const eddy_http_options with = {
        .body = EDDY_BODY_TEXT("the body"),
        .headers = EDDY_PAIRS({"Content-Language", "en"}, {"X-Kept", "yes"}),
    };

    stand->value = status;
    stand->seen[0] = '\0';
    EDDY_TRY(stand_get_with(session, method, "http://a.test/1", &with, "hello"));
    REQUIRE(strstr(stand->seen, expected));
    REQUIRE(stand_count(stand, "X-Kept: yes") == 2);
    /* H-REDIR-3 [C]: no field of the body's goes without it */
    REQUIRE(stand_count(stand, "the body") == stand_count(stand, "Content-Language: en"));
    REQUIRE(stand_count(stand, "the body") == stand_count(stand, "Content-Type: text/plain"));
    return stand_count(stand, "the body");
}

/* H-REDIR-2, -3. */
TEST(request_is_redirected_with_its_method_and_body_or_as_a_get_without)
{
    STAND(stand);

    stand.serve = serve_chain;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_EQ(check_method(session, &stand, 301, "POST", "GET /0 "), 1);
    CHECK_EQ(check_method(session, &stand, 302, "POST", "GET /0 "), 1);
    CHECK_EQ(check_method(session, &stand, 303, "POST", "GET /0 "), 1);
    CHECK_EQ(check_method(session, &stand, 303, "PUT", "GET /0 "), 1);
    CHECK_EQ(check_method(session, &stand, 301, "PUT", "PUT /0 "), 2);
    CHECK_EQ(check_method(session, &stand, 307, "POST", "POST /0 "), 2);
    CHECK_EQ(check_method(session, &stand, 308, "PATCH", "PATCH /0 "), 2);
}

/* Answers the first connection by a redirect to stand->answer. */
static int serve_redirect(struct stand *stand, eddy_stream *stream, int number)
{
    EDDY_TRY(stand_read(stand, stream));
    if (number > 0)
        return eddy_printf(stream, STAND_HELLO);
    return eddy_printf(stream,
                       "HTTP/1.1 307 Elsewhere\r\nLocation: %s\r\nSet-Cookie: jar=1\r\n"
                       "Content-Length: 0\r\n\r\n",
                       stand->answer);
}

static int check_leak(const char *from, const char *location, int secrets)
{
    STAND(stand);
    const eddy_http_session_options options = {
        .headers = EDDY_PAIRS({"authorization", "SECRET1"}, {"Authorization", "SECRET2"},
                              {"Proxy-Authorization", "SECRET3"})};
    const eddy_http_options with = {
        .headers = EDDY_PAIRS({"Cookie", "c=SECRET4"}, {"X-Open", "yes"}),
        .cookies = EDDY_PAIRS({"d", "SECRET5"}),
    };

    stand.serve = serve_redirect;
    stand.answer = location;
    EDDY_TRY(stand_open(&stand, &options, &session));
    EDDY_TRY(stand_get_with(session, "GET", from, &with, "hello"));
    REQUIRE(stand_count(&stand, "X-Open: yes") == 2);
    REQUIRE(stand.opened == 2);
    return stand_count(&stand, "SECRET") == 5 + secrets
               ? 0
               : eddy_raise(EDDY_ETEST, "%s: %s", location, stand.seen);
}

/* H-REDIR-8, H-SEC-20: all copies of each. */
TEST(request_that_is_redirected_to_another_origin_takes_no_secrets_along)
{
    CHECK_OK(check_leak("http://a.test/", "http://a.test/x", 5));
    CHECK_OK(check_leak("http://a.test/", "http://b.test/x", 0));
    CHECK_OK(check_leak("http://a.test/", "//b.test/x", 0));
    CHECK_OK(check_leak("http://a.test/", "http://a.test:81/x", 0));
    CHECK_OK(check_leak("http://a.test/", "http://sub.a.test/x", 0));
}

/* H-REDIR-8: credentials of options and URL, too, and they do not come back. */
TEST(request_that_is_redirected_away_and_back_is_not_authorized_any_more)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    stand.serve = serve_redirect;
    stand.answer = "http://b.test/";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(eddy_http_get(session, "http://ann:secret@a.test/", &response));
    CHECK_EQ(stand_count(&stand, "Authorization: "), 1);
    CHECK_HAS(stand.hosts, "a.test b.test ");
}

TEST(request_that_is_redirected_is_authorized_by_the_new_url)
{
    STAND(stand);

    stand.serve = serve_redirect;
    stand.answer = "http://bob:x@b.test/";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/",
                            &(eddy_http_options){.bearer = "token"}, "hello"));
    CHECK_EQ(stand_count(&stand, "Authorization: Bearer token"), 1);
    CHECK_EQ(stand_count(&stand, "Authorization: Basic Ym9iOng="), 1);
    CHECK_EQ(stand_count(&stand, "Authorization: "), 2);
}

/* H-REDIR-9. */
TEST(request_that_is_redirected_asks_the_jar_for_each_url)
{
    STAND(stand);

    stand.serve = serve_redirect;
    stand.answer = "/next";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_EQ(stand_count(&stand, "Cookie: jar=1"), 1);
}

/* H-REDIR-6, -7. */
TEST(request_that_is_redirected_to_nowhere_returns_the_answer_or_fails)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    stand.answer = "HTTP/1.1 302 Found\r\nContent-Length: 3\r\n\r\nabc";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "abc"));
    stand.answer = "HTTP/1.1 302 Found\r\nURI: ftp://x.test/\r\nContent-Length: 0\r\n\r\n";
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), EDDY_EHTTP_REDIRECTS,
                "following a redirect: it is redirected to \"ftp://x.test/\"");
    stand.answer = "HTTP/1.1 302 Found\r\nLocation: http://[x/\r\nContent-Length: 0\r\n\r\n";
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), EDDY_EHTTP_REDIRECTS,
                "it is redirected to");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* Stale connections and tries ------------------------------------------------------------------ */

/* Answers one request a connection, and then closes it when the next one has come. */
static int serve_one_then_close(struct stand *stand, eddy_stream *stream, int number)
{
    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    EDDY_TRY(eddy_printf(stream, STAND_HELLO));
    return stand_read(stand, stream);
}

/* H-RETRY-1, -4 [C], -5. */
TEST(request_on_a_stale_connection_is_sent_once_more_if_that_is_safe)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    stand.serve = serve_one_then_close;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_EQ(stand.requests, 3);
    CHECK_EQ(stand.opened, 2);
    CHECK_FAILS(eddy_http_post(session, "http://a.test/", EDDY_BODY_TEXT("x"), &response),
                EDDY_EHTTP_DISCONNECTED,
                "waiting for the answer: the server closed the connection");
    CHECK_EQ(stand.requests, 4);
    CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_OK(stand_get_with(session, "PUT", "http://a.test/",
                            &(eddy_http_options){.body = EDDY_BODY_TEXT("put")}, "hello"));
    CHECK_EQ(stand_count(&stand, "put"), 2);
}

/* Reads requests and answers none. */
static int serve_nothing(struct stand *stand, eddy_stream *stream, int number)
{
    (void)number;
    return stand_read(stand, stream);
}

/* H-RETRY-4 [C]: a new connection is not stale. */
TEST(request_on_a_new_connection_that_is_closed_is_not_sent_again)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    stand.serve = serve_nothing;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), EDDY_EHTTP_DISCONNECTED,
                "GET http://a.test/: waiting for the answer: the server closed the connection and "
                "did not answer");
    CHECK_EQ(stand.requests, 1);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* Answers with stand->value statuses of 503 first. */
static int serve_busy(struct stand *stand, eddy_stream *stream, int number)
{
    int rc;

    (void)number;
    while ((rc = stand_read(stand, stream)) > 0)
        EDDY_TRY(stand->value-- > 0
                     ? eddy_printf(stream, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n%s\r\nbusy",
                                   stand->answer ? stand->answer : "")
                     : eddy_printf(stream, STAND_HELLO));
    return rc;
}

TEST(request_is_tried_again_after_a_delay_that_grows)
{
    STAND(stand);
    const eddy_http_options with = {
        .retries = &(const eddy_http_retries){.times = 3, .delay = 1, .most = 100}};
    double start = eddy_time();

    stand.serve = serve_busy;
    stand.value = 3;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/", &with, "hello"));
    CHECK(eddy_time() - start >= 3.5 && eddy_time() - start <= 7);
    CHECK_EQ(stand.opened, 1);
    stand.value = 4;
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/", &with, "busy"));
    stand.value = 1;
    CHECK_OK(stand_get_with(session, "POST", "http://a.test/", &with, "busy"));
    stand.answer = "Retry-After: 50\r\n";
    stand.value = 1;
    start = eddy_time();
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/", &with, "hello"));
    CHECK(eddy_time() - start >= 50 && eddy_time() - start < 51);
}

TEST(request_is_tried_again_when_nobody_listens)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;
    const eddy_http_options with = {.retries = &(const eddy_http_retries){.times = 2}};

    stand.refuse = -ECONNREFUSED;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/", &with, &response),
                -ECONNREFUSED, "GET http://a.test/: connecting: the stand refuses");
    CHECK_STR(stand.hosts, "a.test a.test a.test ");
    stand.refuse = -EACCES;
    CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/", &with, &response), -EACCES,
                "connecting");
    CHECK_STR(stand.hosts, "a.test a.test a.test a.test ");
}

/* H-SES-12, H-RESP-9. */
TEST(request_raises_for_a_status_when_it_is_asked_to)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    stand.answer = "HTTP/1.1 404 Nothing here\r\nContent-Length: 0\r\n\r\n";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/x",
                                  &(eddy_http_options){.raise_for_status = true}, &response),
                EDDY_HTTP_STATUS(404), "GET http://a.test/x: 404 Nothing here");
    CHECK(!response);
    CHECK_OK(eddy_http_get(session, "http://a.test/x", &response));
    CHECK_FAILS(eddy_http_raise_for_status(response), EDDY_HTTP_STATUS(404), "404 Nothing here");
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
}

/* Answers ---------------------------------------------------------------------------------- */

/* H-RESP-2. */
TEST(request_passes_over_interim_answers_but_not_without_end)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;
    static char many[4096];

    stand.answer =
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" STAND_HELLO;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
    for (size_t i = 0; i < 100; i++)
        memcpy(many + 27 * i, "HTTP/1.1 102 Processing\r\n\r\n", 27);
    stand.answer = many;
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), EDDY_EHTTP_PROTOCOL,
                "more than 20 answers");
    stand.answer = "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    CHECK_FAILS(eddy_http_get(session, "http://a.test/", &response), EDDY_EHTTP_PROTOCOL,
                "101 was not asked for");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* What a connection is after an answer: 1 idle, 0 closed. */
static int check_reuse(const char *answer, const char *body)
{
    STAND(stand);
    eddy_http_session_counters counters;

    stand.answer = answer;
    EDDY_TRY(stand_open(&stand, NULL, &session));
    EDDY_TRY(stand_get(session, "http://a.test/", body));
    counters = eddy_http_session_get_counters(session);
    REQUIRE(counters.in_use == 0);
    return (int)counters.idle;
}

/* H-CONN-7, H-RESP-4, -5, H-SEC-24. */
TEST(request_leaves_a_connection_to_the_next_one_if_all_is_in_order)
{
    CHECK_EQ(check_reuse(STAND_HELLO, "hello"), 1);
    CHECK_EQ(check_reuse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "5\r\nhello\r\n0\r\n\r\n",
                         "hello"),
             1);
    CHECK_EQ(check_reuse("HTTP/1.1 204 None\r\n\r\n", ""), 1);
    CHECK_EQ(check_reuse("HTTP/1.1 304 Same\r\nContent-Length: 10\r\n\r\n", ""), 1);
    CHECK_EQ(check_reuse("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ""),
             0);
    CHECK_EQ(check_reuse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", ""), 0);
    CHECK_EQ(
        check_reuse("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", ""),
        1);
    CHECK_EQ(check_reuse(STAND_HELLO "surplus", "hello"), 0);
    CHECK_EQ(check_reuse("HTTP/1.1 204 None\r\n\r\nX", ""), 0);
}

static int serve_to_eof(struct stand *stand, eddy_stream *stream, int number)
{
    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    return eddy_printf(stream, "HTTP/1.1 200 OK\r\n\r\nall to the end");
}

/* H-RESP-5. */
TEST(request_reads_a_body_without_a_length_up_to_the_end)
{
    STAND(stand);

    stand.serve = serve_to_eof;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "all to the end"));
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 0);
}

/* H-CONN-5. */
TEST(request_of_a_session_that_closes_connections_says_so)
{
    STAND(stand);

    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.close_connections = true}, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_EQ(stand.opened, 2);
    CHECK_EQ(stand_count(&stand, "Connection: close\r\n"), 2);
}
