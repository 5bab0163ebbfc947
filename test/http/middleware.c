/* SPDX-License-Identifier: MIT */
/* The middlewares of a client: H-SES-14. */
#include "stand.h"

#define STAND(name)                                                                                \
    EDDY_GROUP(name##_group);                                                                      \
    struct stand name = {.group = &name##_group};                                                  \
    EDDY_HTTP_SESSION session = NULL

/* Notes its name before and behind what it is around. */
static char noted[256];

static int note(eddy_http_hop *hop, void *name)
{
    size_t size = strlen(noted);
    int rc;

    REQUIRE(!eddy_http_hop_response(hop));
    snprintf(noted + size, sizeof noted - size, "%s(", (const char *)name);
    rc = eddy_http_next(hop);
    REQUIRE(rc < 0 || eddy_http_hop_response(hop));
    size = strlen(noted);
    snprintf(noted + size, sizeof noted - size, "%s)", (const char *)name);
    return rc;
}

static char one[] = "1", two[] = "2", three[] = "3";

TEST(middlewares_stand_around_each_other_and_the_first_is_outermost)
{
    STAND(stand);
    const eddy_http_session_options options = {.defaults.middlewares =
                                                   EDDY_HTTP_MIDDLEWARES({note, one}, {note, two})};
    const eddy_http_options other = {.middlewares = EDDY_HTTP_MIDDLEWARES({note, three})};
    const eddy_http_options none = {.middlewares = EDDY_HTTP_MIDDLEWARES({NULL, NULL})};

    CHECK_OK(stand_open(&stand, &options, &session));
    CHECK_OK(stand_get(session, "http://a.test/", "hello"));
    CHECK_STR(noted, "1(2(2)1)");
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/", &other, "hello"));
    CHECK_STR(noted, "1(2(2)1)3(3)"); /* in place of the session's */
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/", &none, "hello"));
    CHECK_STR(noted, "1(2(2)1)3(3)");
    CHECK_EQ(stand.opened, 1);
}

/* Says which host a hop is for. */
static int name_host(eddy_http_hop *hop, void *unused)
{
    (void)unused;
    EDDY_TRY(eddy_http_hop_set_header(hop, "X-For", eddy_http_hop_url(hop)->host));
    EDDY_TRY(eddy_http_hop_set_header(hop, "x-method", eddy_http_hop_method(hop)));
    EDDY_TRY(eddy_http_hop_set_header(hop, "User-Agent", NULL));
    EDDY_TRY(eddy_http_hop_set_header(hop, "X-Session", "the middleware's"));
    if (strcmp(eddy_http_hop_url(hop)->host, "a.test") == 0)
        EDDY_TRY(eddy_http_hop_set_header(hop, "Authorization", "Secret of-a"));
    return eddy_http_next(hop);
}

static int serve_redirect(struct stand *stand, eddy_stream *stream, int number)
{
    EDDY_TRY(stand_read(stand, stream));
    return number == 0 ? eddy_printf(stream, "HTTP/1.1 303 See\r\nLocation: http://b.test/\r\n"
                                             "Content-Length: 4\r\n\r\ngone")
                       : eddy_printf(stream, STAND_HELLO);
}

/* What one hop is given does not go along to the next. */
TEST(middlewares_set_fields_of_each_hop)
{
    STAND(stand);
    const eddy_http_options with = {.body = EDDY_BODY_TEXT("body"),
                                    .bearer = "token",
                                    .middlewares =
                                        EDDY_HTTP_MIDDLEWARES({name_host, NULL}, {note, one})};
    const eddy_http_session_options options = {
        .headers = EDDY_PAIRS({"X-Session", "s"}, {"X-Other", "o"})};

    stand.serve = serve_redirect;
    CHECK_OK(stand_open(&stand, &options, &session));
    CHECK_OK(stand_get_with(session, "POST", "http://a.test/", &with, "hello"));
    CHECK_STR(noted, "1(1)1(1)");
    CHECK_HAS(stand.seen, "X-Other: o\r\nX-For: a.test\r\nx-method: POST\r\n"
                          "X-Session: the middleware's\r\nAuthorization: Secret of-a\r\n");
    CHECK_HAS(stand.seen, "X-For: b.test\r\nx-method: GET\r\n");
    CHECK_EQ(stand_count(&stand, "Authorization: "), 1);
    CHECK_EQ(stand_count(&stand, "User-Agent"), 0);
    CHECK_EQ(stand_count(&stand, "X-Session"), 2);
}

/* The example of the manual: a token that is renewed once. */
static int authorize(eddy_http_hop *hop, void *argument)
{
    int *token = argument;
    char text[32];

    for (int i = 0;; i++) {
        const char *data;

        snprintf(text, sizeof text, "Bearer %d", *token);
        EDDY_TRY(eddy_http_hop_set_header(hop, "Authorization", text));
        EDDY_TRY(eddy_http_next(hop));
        if (eddy_http_status(eddy_http_hop_response(hop)) != 401 || i == 1)
            return 0;
        EDDY_TRY(eddy_http_read(eddy_http_hop_response(hop), &data, NULL));
        REQUIRE(strcmp(data, "old") == 0);
        ++*token;
    }
}

static int serve_tokens(struct stand *stand, eddy_stream *stream, int number)
{
    int rc;

    (void)number;
    while ((rc = stand_read(stand, stream)) > 0)
        EDDY_TRY(strstr(stand->seen, "Bearer 2\r\n")
                     ? eddy_printf(stream, STAND_HELLO)
                     : eddy_printf(stream, "HTTP/1.1 401 No\r\nContent-Length: 3\r\n\r\nold"));
    return rc;
}

TEST(middleware_sends_a_request_once_more)
{
    STAND(stand);
    int token = 1;
    const eddy_http_options with = {.body = EDDY_BODY_TEXT("body"),
                                    .middlewares = EDDY_HTTP_MIDDLEWARES({authorize, &token})};

    stand.serve = serve_tokens;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get_with(session, "POST", "http://a.test/", &with, "hello"));
    CHECK_EQ(stand.opened, 1); /* what was left of the first answer is read */
    CHECK_EQ(stand_count(&stand, "\r\n\r\nbody"), 2);
    CHECK_EQ(stand_count(&stand, "Authorization: "), 2);
    token = 5;
    CHECK_OK(stand_get_with(session, "POST", "http://a.test/", &with, "hello"));
    CHECK_EQ(token, 5);
}

/* A server that breaks off is another reason, and a body that is gone the end of it. */
static int insist(eddy_http_hop *hop, void *argument)
{
    int rc = eddy_http_next(hop);

    *(int *)argument = rc;
    return rc < 0 ? eddy_http_next(hop) : rc;
}

static int serve_second(struct stand *stand, eddy_stream *stream, int number)
{
    EDDY_TRY(stand_read(stand, stream));
    return number == 0 ? 0 : eddy_printf(stream, STAND_HELLO);
}

static int generate(eddy_generator *generator, int count)
{
    struct iovec part = {one, 1};

    for (int i = 0; i < count; i++)
        EDDY_TRY(eddy_yield(generator, &part));
    return 0;
}
EDDY_ASYNC_GENERATOR(struct iovec, generate, int);

TEST(middleware_tries_again_what_failed)
{
    STAND(stand);
    int first = 0;
    eddy_http_options with = {.middlewares = EDDY_HTTP_MIDDLEWARES({insist, &first})};
    EDDY_GENERATOR parts = eddy_generate(generate, 2);
    EDDY_HTTP_RESPONSE response = NULL;

    stand.serve = serve_second;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get_with(session, "POST", "http://a.test/", &with, "hello"));
    CHECK_EQ(first, EDDY_EHTTP_DISCONNECTED);
    CHECK_EQ(stand.opened, 2);
    stand.opened = 0;
    with.body = EDDY_BODY_GENERATOR(parts);
    CHECK_FAILS(eddy_http_request(session, "POST", "http://a.test/", &with, &response),
                EDDY_EHTTP_PAYLOAD, "the body cannot be sent a second time");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* Answers by itself: what is wanted without the server, or when that fails or says 404. */
static int answer(eddy_http_hop *hop, void *when)
{
    const char *why = when;
    int rc = 0;

    if (strcmp(why, "at once") != 0)
        rc = eddy_http_next(hop);
    if (rc == -ENOMEM || rc == -ECANCELED)
        return rc;
    if (rc == 0 && eddy_http_hop_response(hop) &&
        eddy_http_status(eddy_http_hop_response(hop)) == 200)
        return 0;
    EDDY_TRY(eddy_http_hop_answer(hop, 203, EDDY_PAIRS({"Content-Type", "text/x"}, {"X", "y"}),
                                  "my own", 6));
    return strcmp(why, "twice") == 0 ? eddy_http_next(hop) : 0;
}

static int
get_answered(eddy_http_session *session, const char *method, char *when, const char *body)
{
    const eddy_http_options with = {.middlewares = EDDY_HTTP_MIDDLEWARES({answer, when})};
    EDDY_HTTP_RESPONSE response = NULL;
    const char *data, *again;
    char *text = NULL;

    EDDY_TRY(eddy_http_request(session, method, "http://a.test/", &with, &response));
    REQUIRE(eddy_http_status(response) == 203);
    REQUIRE(strcmp(eddy_http_response_reason(response), "Non-Authoritative Information") == 0);
    REQUIRE(strcmp(eddy_http_content_type(response), "text/x") == 0);
    REQUIRE(strcmp(eddy_http_header(response, "x"), "y") == 0);
    REQUIRE(eddy_http_content_length(response) == 6);
    REQUIRE(strcmp(eddy_http_url(response)->text, "http://a.test/") == 0);
    EDDY_TRY(eddy_http_read(response, &data, NULL));
    REQUIRE(strcmp(data, body) == 0);
    EDDY_TRY(eddy_http_read(response, &again, NULL));
    REQUIRE(again == data);
    EDDY_TRY(eddy_http_text(response, &text));
    eddy_free(text);
    return 0;
}

TEST(middleware_answers_itself)
{
    STAND(stand);
    static char at_once[] = "at once", behind[] = "behind";

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(get_answered(session, "GET", at_once, "my own"));
    CHECK_OK(get_answered(session, "HEAD", at_once, ""));
    CHECK_EQ(stand.opened, 0);
    stand.answer = "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone";
    CHECK_OK(get_answered(session, "GET", behind, "my own"));
    CHECK_EQ(eddy_http_session_get_counters(session).idle, 1);
    stand.serve = serve_second; /* the idle connection still says 404 */
    CHECK_OK(get_answered(session, "GET", behind, "my own"));
}

TEST(middleware_that_has_answered_may_send_all_the_same)
{
    STAND(stand);
    static char twice[] = "twice";
    const eddy_http_options with = {.middlewares = EDDY_HTTP_MIDDLEWARES({answer, twice})};

    stand.serve = serve_second;
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get_with(session, "POST", "http://a.test/", &with, "hello"));
    CHECK_EQ(stand.opened, 2);
}

/* Follows what a middleware says as it does what a server says. */
static int redirect_http(eddy_http_hop *hop, void *unused)
{
    (void)unused;
    if (strcmp(eddy_http_hop_url(hop)->path, "/old") != 0)
        return eddy_http_next(hop);
    return eddy_http_hop_answer(
        hop, 308, EDDY_PAIRS({"Location", "/new"}, {"Set-Cookie", "been=here"}), NULL, 0);
}

TEST(middleware_redirects)
{
    STAND(stand);
    const eddy_http_options with = {.middlewares = EDDY_HTTP_MIDDLEWARES({redirect_http, NULL})};

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/old", &with, "hello"));
    CHECK_HAS(stand.seen, "GET /new HTTP/1.1\r\n");
    CHECK_HAS(stand.seen, "Cookie: been=here\r\n");
    CHECK_EQ(stand.requests, 1);
}

static int fail(eddy_http_hop *hop, void *how)
{
    if (strcmp(how, "silent") == 0)
        return 0;
    if (strcmp(how, "status") == 0)
        return eddy_http_hop_answer(hop, 101, NULL, NULL, 0);
    if (strcmp(how, "field") == 0)
        return eddy_http_hop_set_header(hop, "X", "a\r\nb");
    if (strcmp(how, "length") == 0)
        return eddy_http_hop_set_header(hop, "Content-Length", "1");
    if (strcmp(how, "head") == 0)
        return eddy_http_hop_answer(hop, 200, EDDY_PAIRS({"X Y", "z"}), NULL, 0);
    if (strcmp(how, "sleep") == 0)
        return eddy_sleep(1000);
    EDDY_TRY(eddy_http_next(hop));
    return eddy_raise(-EACCES, "not this one");
}

static int get_failing(eddy_http_session *session, char *how)
{
    const eddy_http_options with = {.middlewares = EDDY_HTTP_MIDDLEWARES({fail, how})};
    EDDY_HTTP_RESPONSE response = NULL;

    return eddy_http_request(session, "GET", "http://a.test/", &with, &response);
}

TEST(middleware_that_fails_fails_the_request)
{
    STAND(stand);
    const eddy_http_session_options options = {.defaults.timeouts =
                                                   &(const eddy_http_timeouts){.total = 5}};
    static char how[][8] = {"silent", "status", "field", "length", "head", "sleep", "behind"};

    CHECK_OK(stand_open(&stand, &options, &session));
    CHECK_FAILS(get_failing(session, how[0]), -EINVAL,
                "GET http://a.test/: in a middleware: it returned without an answer");
    CHECK_FAILS(get_failing(session, how[1]), -EINVAL, "101 is not the status of an answer");
    CHECK_FAILS(get_failing(session, how[2]), -EINVAL, "an end of line");
    CHECK_FAILS(get_failing(session, how[3]), -EINVAL, "is set by the client");
    CHECK_FAILS(get_failing(session, how[4]), -EINVAL, "no name of a field");
    CHECK_FAILS(get_failing(session, how[5]), -ETIMEDOUT, "in a middleware: not done within 5");
    CHECK_EQ(stand.opened, 0);
    CHECK_FAILS(get_failing(session, how[6]), -EACCES, "in a middleware: not this one");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* The same with everything that can come between. */
static int converse(void)
{
    STAND(stand);
    static char behind[] = "behind", at_once[] = "at once";
    int token = 1, rc;
    const eddy_http_options with = {
        .middlewares = EDDY_HTTP_MIDDLEWARES({answer, behind}, {authorize, &token})};

    stand.serve = serve_tokens;
    EDDY_TRY(stand_open(&stand, NULL, &session));
    rc = stand_get_with(session, "GET", "http://a.test/", &with, "hello");
    if (rc == 0)
        rc = get_answered(session, "GET", at_once, "my own");
    return rc < 0 && stand.short_of_memory ? -ENOMEM : rc;
}
EDDY_ASYNC(converse);

RAW_TEST(middlewares_with_each_allocation_failing)
{
    int rc = eddy_test_allocations(converse);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}

RAW_TEST(middlewares_under_every_cancel)
{
    int rc = eddy_test_cancels(converse);

    CHECK_THAT(rc == 0, "%s", eddy_error_message(rc));
}
