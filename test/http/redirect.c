/* SPDX-License-Identifier: MIT */
/* The rules of redirects: H-REDIR-1, -2, -7. What a request does with them is in request.c. */
#include "harness.h"
#include "http/client.h"

/* H-REDIR-1. */
RAW_TEST(redirects_are_followed_for_five_statuses)
{
    static const int followed[] = {301, 302, 303, 307, 308};

    for (int status = 100; status < 600; status++) {
        bool expected = false;

        for (size_t i = 0; i < ED_ARRAY_LENGTH(followed); i++)
            expected |= followed[i] == status;
        CHECK_EQ(ed_redirect_follows(status), expected);
    }
}

/* H-REDIR-2. */
RAW_TEST(redirects_turn_a_post_into_a_get_and_303_all_but_head)
{
    CHECK_STR(ed_redirect_method(301, "POST"), "GET");
    CHECK_STR(ed_redirect_method(302, "POST"), "GET");
    CHECK_STR(ed_redirect_method(303, "POST"), "GET");
    CHECK_STR(ed_redirect_method(303, "PUT"), "GET");
    CHECK_STR(ed_redirect_method(303, "HEAD"), "HEAD");
    CHECK_STR(ed_redirect_method(301, "PUT"), "PUT");
    CHECK_STR(ed_redirect_method(302, "DELETE"), "DELETE");
    CHECK_STR(ed_redirect_method(307, "POST"), "POST");
    CHECK_STR(ed_redirect_method(308, "POST"), "POST");
}

static int check_target(const char *from, const char *location, const char *expected)
{
    EDDY_URL url = NULL, next = NULL;
    int rc;

    EDDY_TRY(eddy_url_parse(from, &url));
    rc = ed_redirect_target(url, location, &next);
    if (!expected) {
        REQUIRE(rc == EDDY_EHTTP_REDIRECTS && !next);
        return 0;
    }
    EDDY_TRY(rc);
    REQUIRE(strcmp(next->text, expected) == 0);
    return 0;
}

/* H-REDIR-7. */
TEST(redirects_lead_relative_to_the_url_and_nowhere_but_to_http)
{
    CHECK_OK(check_target("http://a.test/b/c?d", "e", "http://a.test/b/e"));
    CHECK_OK(check_target("http://a.test/b/c?d", "/e", "http://a.test/e"));
    CHECK_OK(check_target("http://a.test/b/c?d", "?e", "http://a.test/b/c?e"));
    CHECK_OK(check_target("http://a.test/b/c", "//c.test/x", "http://c.test/x"));
    CHECK_OK(check_target("https://a.test/", "http://a.test/x", "http://a.test/x"));
    CHECK_OK(check_target("http://a.test/", "ftp://a.test/x", NULL));
    CHECK_OK(check_target("http://a.test/", "file:///etc/passwd", NULL));
    CHECK_OK(check_target("http://a.test/", "javascript:alert(1)", NULL));
    CHECK_OK(check_target("http://a.test/", "http://", NULL));
    CHECK_OK(check_target("http://a.test/", "http://2130706433/", NULL)); /* H-SEC-23 */
    CHECK_OK(check_target("http://a.test/", "http:///x", NULL));
}
