/* SPDX-License-Identifier: MIT */
/* What a request's head has, and what is refused: H-SES-5, -6, -9, H-REQ-1, -5, -12, H-AUTH-1 to
 * -3, H-COOK-12, -13. */
#include <eddy/cookie.h>

#include "stand.h"

#define STAND(name)                                                                                \
    EDDY_GROUP(name##_group);                                                                      \
    struct stand name = {.group = &name##_group};                                                  \
    EDDY_HTTP_SESSION session = NULL

static const struct senseless {
    const char *method, *url, *text;
    eddy_http_options options;
    int code;
} senseless[] = {
    {"G ET", "http://a.test/", "no method", {.limit = 0}, -EINVAL},
    {"GET\r\nX: y", "http://a.test/", "no method", {.limit = 0}, -EINVAL}, /* H-SEC-11 */
    {"", "http://a.test/", "no method", {.limit = 0}, -EINVAL},
    {"CONNECT", "http://a.test/", "proxy", {.limit = 0}, -EINVAL},
    {"GET", "ftp://a.test/", "neither http://", {.limit = 0}, EDDY_EURL},
    {"GET", "/page", "neither http://", {.limit = 0}, EDDY_EURL},
    {"GET", "http://", "", {.limit = 0}, EDDY_EURL},
    {"GET", "http://a.test/", "no name", {.headers = EDDY_PAIRS({"A B", "x"})}, -EINVAL},
    {"GET", "http://a.test/", "control", {.headers = EDDY_PAIRS({"A", "x\r\nB: y"})}, -EINVAL},
    {"GET",
     "http://a.test/",
     "Transfer-Encoding",
     {.headers = EDDY_PAIRS({"transfer-encoding", "chunked"})},
     -EINVAL},
    {"POST",
     "http://a.test/",
     "Content-Length",
     {.headers = EDDY_PAIRS({"Content-Length", "5"}), .chunked = true},
     -EINVAL},
    {"POST",
     "http://a.test/",
     "Content-Length",
     {.headers = EDDY_PAIRS({"Content-Length", "+5"})},
     -EINVAL},
    {"POST",
     "http://a.test/",
     "no such coding",
     {.compress = "rot13", .body = {.kind = EDDY_BODY_KIND_BYTES, .data = "x", .size = 1}},
     -EINVAL},
    {"GET", "http://a.test/", "the cookie", {.cookies = EDDY_PAIRS({"a", "x;y"})}, -EINVAL},
    {"GET",
     "http://ann:b@a.test/",
     "more than one authorization",
     {.headers = EDDY_PAIRS({"Authorization", "x"})},
     -EINVAL},
    {"GET",
     "http://a.test/",
     "more than one authorization",
     {.user = "ann", .password = "x", .bearer = "y"},
     -EINVAL},
    {"GET", "http://a.test/", "without a password", {.user = "ann"}, -EINVAL},
    {"GET", "http://a.test/", "colon", {.user = "a:b", .password = "x"}, -EINVAL},
    {"GET", "http://a.test/", "fingerprint", {.fingerprint = "d41d8cd98f00b204"}, -EINVAL},
    {"GET", "http://a.test/", "neither http://", {.proxy = "socks5://p.test"}, EDDY_EURL},
    {"GET",
     "http://a.test/",
     "below 0",
     {.timeouts = &(const eddy_http_timeouts){.total = -1}},
     -EINVAL},
};

/* H-SES-5, -9, H-REQ-5, -12, H-AUTH-2, -3. */
TEST(request_that_makes_no_sense_is_refused_before_anything_is_sent)
{
    STAND(stand);
    EDDY_HTTP_RESPONSE response = NULL;

    CHECK_OK(stand_open(&stand, NULL, &session));
    for (size_t i = 0; i < ED_ARRAY_LENGTH(senseless); i++) {
        int rc = eddy_http_request(session, senseless[i].method, senseless[i].url,
                                   &senseless[i].options, &response);

        CHECK_THAT(rc == senseless[i].code, "case %zu: %s", i, eddy_error_name(rc));
        CHECK_HAS(eddy_error_message(rc), senseless[i].text);
        CHECK(!response);
    }
    CHECK_EQ(stand.opened, 0);
    CHECK_FAILS(eddy_http_get(session, "ftp://a.test/x", &response), EDDY_EURL,
                "GET ftp://a.test/x: ");
}

/* H-SES-6, H-REQ-1: names are compared without regard to case; a value of NULL leaves one out. */
TEST(request_fields_take_the_place_of_the_sessions_and_of_the_defaults)
{
    STAND(stand);
    const eddy_http_session_options options = {
        .headers = EDDY_PAIRS({"X-One", "session"}, {"X-Two", "session"}, {"Accept", "text/html"})};
    const eddy_http_options with = {
        .headers = EDDY_PAIRS({"x-two", "first"}, {"X-Two", "second"}, {"user-agent", NULL},
                              {"Accept-Encoding", "identity"}, {"Host", "other.test"})};

    CHECK_OK(stand_open(&stand, &options, &session));
    CHECK_OK(stand_get_with(session, "get", "http://a.test/", &with, "hello"));
    CHECK_STR(stand.seen, "GET / HTTP/1.1\r\nHost: other.test\r\nX-One: session\r\n"
                          "Accept: text/html\r\nx-two: first\r\nX-Two: second\r\n"
                          "Accept-Encoding: identity\r\n\r\n");
}

/* H-AUTH-1, -2. */
TEST(request_authorizes_by_the_url_a_user_or_a_bearer)
{
    STAND(stand);

    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://Aladdin:open%20sesame@a.test/", "hello"));
    CHECK_HAS(stand.seen, "GET / HTTP/1.1\r\nHost: a.test\r\n");
    CHECK_HAS(stand.seen, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/",
                            &(eddy_http_options){.bearer = "token"}, "hello"));
    CHECK_HAS(stand.seen, "Authorization: Bearer token\r\n");
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/",
                            &(eddy_http_options){.user = "a", .password = ""}, "hello"));
    CHECK_HAS(stand.seen, "Authorization: Basic YTo=\r\n");
}

/* H-COOK-12, -13. */
TEST(request_sends_back_cookies_and_those_of_its_own)
{
    STAND(stand);
    EDDY_URL url = NULL;
    const eddy_http_options with = {.cookies = EDDY_PAIRS({"mine", "3"}),
                                    .headers = EDDY_PAIRS({"Cookie", "given=1"})};

    stand.answer = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: ;;bad\r\n"
                   "Set-Cookie: b=\"2\"\r\nContent-Length: 0\r\n\r\n";
    CHECK_OK(stand_open(&stand, NULL, &session));
    CHECK_OK(stand_get(session, "http://a.test/", ""));
    CHECK_EQ(stand_count(&stand, "Cookie:"), 0);
    CHECK_OK(stand_get_with(session, "GET", "http://a.test/", &with, ""));
    CHECK_HAS(stand.seen, "Cookie: given=1; a=1; b=\"2\"; mine=3\r\n");
    CHECK_OK(stand_get(session, "http://b.test/", ""));
    CHECK_EQ(stand_count(&stand, "Cookie:"), 1);
    CHECK_OK(eddy_url_parse("http://a.test/", &url));
    CHECK_STR(eddy_cookie_jar_get(eddy_http_session_cookies(session), url, "a"), "1");
}

TEST(request_without_cookies_keeps_none)
{
    STAND(stand);

    stand.answer = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n";
    CHECK_OK(stand_open(&stand, &(eddy_http_session_options){.no_cookies = true}, &session));
    CHECK_OK(stand_get(session, "http://a.test/", ""));
    CHECK_OK(stand_get(session, "http://a.test/", ""));
    CHECK_EQ(stand_count(&stand, "Cookie:"), 0);
    CHECK(!eddy_http_session_cookies(session));
}
