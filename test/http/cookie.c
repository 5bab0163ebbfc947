/* SPDX-License-Identifier: MIT */
/* Cookies as programs give and take them. */
#include "eddy/cookie.h"

#include "http/cookies.h"

/* H-COOK-9 */
RAW_TEST(a_cookie_without_a_url_goes_to_every_host)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(eddy_cookie_jar_set(jar, &(eddy_cookie){.name = "a", .value = "1"}, NULL));
    CHECK_OK(eddy_cookie_jar_parse(jar, "b=2; Domain=x.org; Path=/p; Secure", NULL));
    CHECK_OK(set_by(jar, "http://x.org/", "a=own"));
    CHECK_STR(sent_to(jar, "http://y.org/"), "a=1");
    CHECK_STR(sent_to(jar, "https://127.0.0.1/p"), "b=2; a=1");
    CHECK_STR(sent_to(jar, "http://x.org/"), "a=1; a=own");
    CHECK_OK(eddy_cookie_jar_set(jar, &(eddy_cookie){.name = "a", .value = "2"}, NULL));
    CHECK_STR(sent_to(jar, "http://y.org/"), "a=2");
    CHECK_OK(eddy_cookie_jar_set(jar, &(eddy_cookie){.name = "a", .max_age = -1}, NULL));
    CHECK_STR(sent_to(jar, "http://y.org/"), "");
}

/* H-COOK-14 */
RAW_TEST(a_cookie_that_is_set_is_found_as_it_was)
{
    const eddy_cookie given = {.name = "a",
                               .value = "1",
                               .domain = ".X.org",
                               .path = "/p",
                               .same_site = "lax",
                               .max_age = 60,
                               .secure = true,
                               .http_only = true,
                               .partitioned = true};
    EDDY_COOKIE_JAR jar = jar_of(NULL);
    eddy_cookie cookie;

    CHECK_OK(eddy_cookie_jar_set(jar, &given, at("https://www.x.org/")));
    CHECK(eddy_cookie_jar_at(jar, 0, &cookie));
    CHECK_STR(cookie.name, "a");
    CHECK_STR(cookie.value, "1");
    CHECK_STR(cookie.domain, "x.org");
    CHECK_STR(cookie.path, "/p");
    CHECK_STR(cookie.same_site, "Lax");
    CHECK_EQ(cookie.expires, COOKIES_NOW + 60);
    CHECK(cookie.secure && cookie.http_only && cookie.partitioned && !cookie.host_only);
    CHECK(!eddy_cookie_jar_at(jar, 1, &cookie));
}

/* H-SEC-12, H-REQ-12 */
RAW_TEST(nothing_that_ends_a_line_or_a_cookie_gets_into_a_jar)
{
    static const eddy_cookie bad[] = {
        {.name = "", .value = "1"},
        {.name = "a;b", .value = "1"},
        {.name = "a=b", .value = "1"},
        {.name = "a\r\n", .value = "1"},
        {.name = "a", .value = "1\r\nX: y"},
        {.name = "a", .value = "1;b=2"},
        {.name = "a", .value = "1", .path = "/\n"},
        {.name = "a", .value = "1", .domain = "x.org;"},
    };
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_EQ(eddy_cookie_jar_set(jar, &bad[i], at("http://x.org/")), -EINVAL);
    CHECK_EQ(jar->count, 0);
    CHECK_EQ(eddy_cookie_jar_set(jar, &(eddy_cookie){.name = "a", .domain = "y.org"},
                                 at("http://x.org/")),
             -EPERM);
}

static const char *formatted(const eddy_cookie *cookie)
{
    static char text[300];
    char *field;
    int rc = eddy_cookie_format(cookie, &field);

    if (rc < 0)
        return eddy_error_name(rc);
    snprintf(text, sizeof text, "%s", field);
    eddy_free(field);
    return text;
}

/* H-SRESP-8 */
RAW_TEST(a_cookie_is_written_for_a_client)
{
    CHECK_STR(formatted(&(eddy_cookie){.name = "a", .value = "1"}), "a=1; Path=/");
    CHECK_STR(formatted(&(eddy_cookie){.name = "a",
                                       .value = "\"1\"",
                                       .domain = "x.org",
                                       .path = "/p",
                                       .same_site = "strict",
                                       .expires = 784111777,
                                       .max_age = 60.9,
                                       .secure = true,
                                       .http_only = true,
                                       .partitioned = true}),
              "a=\"1\"; Path=/p; Domain=x.org; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=60; "
              "SameSite=Strict; Secure; HttpOnly; Partitioned");
    CHECK_STR(formatted(&(eddy_cookie){.name = "a", .max_age = -1}),
              "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0");
    CHECK_STR(formatted(&(eddy_cookie){.name = "a", .max_age = 0.1}), "a=; Path=/; Max-Age=1");
}

/* H-SRESP-6, H-SEC-12 */
RAW_TEST(nothing_that_ends_a_line_gets_into_a_field)
{
    static const eddy_cookie bad[] = {
        {.name = ""},
        {.name = "a b"},
        {.name = "a="},
        {.name = "a", .value = "1;2"},
        {.name = "a", .value = "1,2"},
        {.name = "a", .value = "1 2"},
        {.name = "a", .value = "1\r\n"},
        {.name = "a", .value = "\"1"},
        {.name = "a", .value = "\""},
        {.name = "a", .value = "1\\2"},
        {.name = "a", .path = "/;x"},
        {.name = "a", .path = "/\r\n"},
        {.name = "a", .domain = "x\n"},
        {.name = "a", .same_site = "Sometimes"},
        {.name = "a", .same_site = "Lax\r\n"},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(bad); i++)
        CHECK_THAT(strcmp(formatted(&bad[i]), "EINVAL") == 0, "%zu: %s", i, formatted(&bad[i]));
}

/* What the server writes, the jar reads. */
RAW_TEST(a_field_that_was_written_is_read_again)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(set_by(
        jar, "https://www.x.org/p/q",
        formatted(&(eddy_cookie){
            .name = "a", .value = "\xc3\xa9", .domain = "x.org", .path = "/p", .max_age = 5})));
    CHECK_STR(sent_to(jar, "http://x.org/p"), "a=\xc3\xa9");
    CHECK_OK(set_by(
        jar, "https://www.x.org/p/q",
        formatted(&(eddy_cookie){.name = "a", .domain = "x.org", .path = "/p", .max_age = -1})));
    CHECK_STR(sent_to(jar, "http://x.org/p"), "");
}

static int use_jar(void)
{
    EDDY_COOKIE_JAR jar = NULL;
    char *field;

    EDDY_TRY(eddy_cookie_jar_new(&(eddy_cookie_jar_options){.secure_origin = "http://x"}, &jar));
    EDDY_TRY(eddy_cookie_jar_parse(jar, "a=1; Domain=x.org", at("http://x.org/")));
    EDDY_TRY(eddy_cookie_jar_parse(jar, "a=2; Domain=x.org", at("http://x.org/")));
    EDDY_TRY(eddy_cookie_jar_set(jar, &(eddy_cookie){.name = "b"}, NULL));
    EDDY_TRY(eddy_cookie_jar_field(jar, at("http://x.org/"), &field));
    eddy_free(field);
    EDDY_TRY(eddy_cookie_format(&(eddy_cookie){.name = "a", .max_age = 5}, &field));
    eddy_free(field);
    return 0;
}
EDDY_ASYNC(use_jar);

RAW_TEST(a_jar_survives_each_failing_allocation)
{
    CHECK_OK(eddy_test_allocations(use_jar));
}
