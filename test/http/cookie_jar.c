/* SPDX-License-Identifier: MIT */
/* The jar: which host may set a cookie, and which gets it. */
#include "http/cookies.h"

/* H-COOK-1 */
RAW_TEST(a_cookie_without_a_domain_goes_back_to_its_host_alone)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(set_by(jar, "http://example.org/", "a=1"));
    CHECK_STR(sent_to(jar, "http://example.org/x"), "a=1");
    CHECK_STR(sent_to(jar, "https://example.org/"), "a=1");
    CHECK_STR(sent_to(jar, "http://www.example.org/"), "");
    CHECK_STR(sent_to(jar, "http://org/"), "");
    CHECK_STR(sent_to(jar, "http://example.com/"), "");
}

/* H-COOK-2 */
RAW_TEST(a_cookie_with_a_domain_goes_to_all_hosts_under_it)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(set_by(jar, "http://www.example.org/", "a=1; Domain=.Example.ORG"));
    CHECK_STR(sent_to(jar, "http://example.org/"), "a=1");
    CHECK_STR(sent_to(jar, "http://a.b.example.org/"), "a=1");
    CHECK_STR(sent_to(jar, "http://badexample.org/"), "");
    CHECK_EQ(set_by(jar, "http://example.org/", "b=1; Domain=www.example.org"), -EPERM);
    CHECK_EQ(set_by(jar, "http://example.org/", "b=1; Domain=example.com"), -EPERM);
    CHECK_EQ(set_by(jar, "http://badexample.org/", "b=1; Domain=example.org"), -EPERM);
    CHECK_OK(set_by(jar, "http://www.example.org/", "c=2; Domain=example.org."));
    CHECK_STR(sent_to(jar, "http://www.example.org/"), "a=1; c=2"); /* for the host alone */
    CHECK_STR(sent_to(jar, "http://example.org/"), "a=1");
}

/* H-COOK-2, and RFC 6265, 5.3, 5 */
RAW_TEST(no_cookie_is_for_a_public_suffix)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_FAILS(set_by(jar, "http://example.co.uk/", "a=1; Domain=co.uk"), -EPERM, "public suffix");
    CHECK_EQ(set_by(jar, "http://me.github.io/", "a=1; Domain=github.io"), -EPERM);
    CHECK_EQ(set_by(jar, "http://example.com/", "a=1; Domain=com"), -EPERM);
    CHECK_OK(set_by(jar, "http://github.io/", "b=1; Domain=github.io"));
    CHECK_STR(sent_to(jar, "http://github.io/"), "b=1"); /* for the host alone */
    CHECK_STR(sent_to(jar, "http://me.github.io/"), "");
    CHECK_OK(set_by(jar, "http://localhost/", "c=1; Domain=localhost"));
    CHECK_STR(sent_to(jar, "http://localhost/"), "c=1");
    CHECK_STR(sent_to(jar, "http://www.localhost/"), "");
}

/* H-COOK-3 */
RAW_TEST(addresses_have_cookies_only_if_they_may)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);
    EDDY_COOKIE_JAR open = jar_of(&(eddy_cookie_jar_options){.accept_addresses = true});

    CHECK_EQ(set_by(jar, "http://127.0.0.1/", "a=1"), -EPERM);
    CHECK_EQ(set_by(jar, "http://::1/", "a=1"), -EPERM);
    CHECK_OK(set_by(open, "http://127.0.0.1/", "a=1"));
    CHECK_OK(set_by(open, "http://127.0.0.1/", "b=1; Domain=127.0.0.1"));
    CHECK_EQ(set_by(open, "http://127.0.0.1/", "c=1; Domain=0.0.1"), -EPERM);
    CHECK_OK(set_by(open, "http://::1/", "d=1"));
    CHECK_STR(sent_to(open, "http://127.0.0.1/"), "a=1; b=1");
    CHECK_STR(sent_to(open, "http://1.127.0.0.1/"), "");
    CHECK_STR(sent_to(open, "http://::1/"), "d=1");
}

/* H-COOK-4, H-COOK-5 */
RAW_TEST(a_cookie_goes_to_its_path_and_what_is_below)
{
    static const struct {
        const char *by, *field, *to;
        bool sent;
    } cases[] = {
        {"/", "a=1; Path=/foo", "/foo", true},
        {"/", "a=1; Path=/foo", "/foo/", true},
        {"/", "a=1; Path=/foo", "/foo/bar", true},
        {"/", "a=1; Path=/foo", "/foobar", false},
        {"/", "a=1; Path=/foo", "/", false},
        {"/", "a=1; Path=/foo/", "/foo", false},
        {"/", "a=1; Path=/foo/", "/foo/bar", true},
        {"/", "a=1; Path=foo", "/", true},
        {"/a/b/c", "a=1", "/a/b", true},
        {"/a/b/c", "a=1", "/a/b/d", true},
        {"/a/b/c", "a=1", "/a", false},
        {"/a/b/", "a=1", "/a/b", true},
        {"/a", "a=1", "/", true},
        {"/a/b", "a=1; Path=x", "/a/c", true},
        {"/a/b", "a=1; Path=x", "/c", false},
    };

    for (size_t i = 0; i < ED_ARRAY_LENGTH(cases); i++) {
        EDDY_COOKIE_JAR jar = jar_of(NULL);
        char by[100], to[100];

        snprintf(by, sizeof by, "http://x.org%s", cases[i].by);
        snprintf(to, sizeof to, "http://x.org%s", cases[i].to);
        CHECK_OK(set_by(jar, by, cases[i].field));
        CHECK_THAT((strcmp(sent_to(jar, to), "a=1") == 0) == cases[i].sent, "%s from %s to %s",
                   cases[i].field, by, to);
    }
}

/* H-COOK-5, RFC 6265, 5.4, 2 */
RAW_TEST(longer_paths_go_first_and_then_older_cookies)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(set_by(jar, "http://x.org/", "a=1; Path=/"));
    CHECK_OK(set_by(jar, "http://x.org/", "b=2; Path=/p"));
    CHECK_OK(set_by(jar, "http://x.org/", "a=3; Path=/p/q"));
    CHECK_OK(set_by(jar, "http://x.org/", "c=4; Path=/p"));
    CHECK_OK(set_by(jar, "http://x.org/", "b=5; Path=/p")); /* as old as the one before it */
    CHECK_STR(sent_to(jar, "http://x.org/p/q/r"), "a=3; b=5; c=4; a=1");
    CHECK_STR(eddy_cookie_jar_get(jar, at("http://x.org/p/q/r"), "a"), "3");
    CHECK_STR(eddy_cookie_jar_get(jar, at("http://x.org/p"), "a"), "1");
    CHECK(!eddy_cookie_jar_get(jar, at("http://x.org/p"), "z"));
    CHECK(!eddy_cookie_jar_get(jar, at("http://y.org/p"), "a"));
}

/* H-COOK-6 */
RAW_TEST(secure_cookies_go_over_https_alone)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);
    EDDY_COOKIE_JAR trusting =
        jar_of(&(eddy_cookie_jar_options){.secure_origin = "http://x.org:8080"});

    CHECK_OK(set_by(jar, "https://x.org/", "a=1; Secure"));
    CHECK_STR(sent_to(jar, "http://x.org/"), "");
    CHECK_STR(sent_to(jar, "ws://x.org/"), "");
    CHECK_STR(sent_to(jar, "https://x.org/"), "a=1");
    CHECK_STR(sent_to(jar, "wss://x.org/"), "a=1");
    CHECK_OK(eddy_cookie_jar_parse(
        trusting, "a=1; Secure",
        &(eddy_url){.text = "http://x.org:8080/", .scheme = "http", .host = "x.org", .path = "/"}));
    CHECK_STR(eddy_cookie_jar_get(
                  trusting,
                  &(eddy_url){
                      .text = "http://x.org:8080/", .scheme = "http", .host = "x.org", .path = "/"},
                  "a"),
              "1");
    CHECK_STR(sent_to(trusting, "http://x.org/"), "");
    CHECK_STR(sent_to(trusting, "http://x.org:80800/"), "");
}

/* RFC 6265bis, 5.7: who reads the traffic of http does not write the cookies of https. */
RAW_TEST(a_secure_cookie_is_not_replaced_over_http)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(set_by(jar, "https://x.org/", "a=1; Secure"));
    CHECK_FAILS(set_by(jar, "http://x.org/", "a=2"), -EPERM, "https");
    CHECK_EQ(set_by(jar, "http://x.org/", "a=2; Max-Age=0"), -EPERM);
    CHECK_STR(sent_to(jar, "https://x.org/"), "a=1");
    CHECK_OK(set_by(jar, "https://x.org/", "a=3"));
    CHECK_STR(sent_to(jar, "http://x.org/"), "a=3");
}

RAW_TEST(names_that_promise_more_are_held_to_it)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_EQ(set_by(jar, "https://x.org/", "__Secure-a=1"), -EPERM);
    CHECK_EQ(set_by(jar, "http://x.org/", "__Secure-a=1; Secure"), -EPERM);
    CHECK_OK(set_by(jar, "https://x.org/", "__Secure-a=1; Secure"));
    CHECK_EQ(set_by(jar, "https://x.org/", "__Host-a=1; Secure; Path=/; Domain=x.org"), -EPERM);
    CHECK_EQ(set_by(jar, "https://x.org/", "__host-a=1; Secure; Path=/a"), -EPERM);
    CHECK_OK(set_by(jar, "https://x.org/", "__Host-a=1; Secure; Path=/"));
}

/* H-COOK-7, H-COOK-8 */
RAW_TEST(cookies_go_when_their_time_is_over)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);
    eddy_cookie cookie;

    CHECK_OK(set_by(jar, "http://x.org/", "a=1; Max-Age=10"));
    CHECK_OK(set_by(jar, "http://x.org/", "b=2; Expires=Tue, 14 Nov 2023 22:13:21 GMT"));
    CHECK_OK(set_by(jar, "http://x.org/", "c=3"));
    CHECK_OK(set_by(jar, "http://x.org/", "d=4; Expires=Tue, 14 Nov 2023 22:13:20 GMT"));
    CHECK_STR(sent_to(jar, "http://x.org/"), "a=1; b=2; c=3");
    cookies_time += 9;
    CHECK_STR(sent_to(jar, "http://x.org/"), "a=1; c=3");
    cookies_time += 1;
    CHECK(eddy_cookie_jar_at(jar, 0, &cookie));
    CHECK_STR(cookie.name, "c");
    CHECK_EQ(cookie.expires, 0);
    CHECK(!eddy_cookie_jar_at(jar, 1, &cookie));
    CHECK_OK(set_by(jar, "http://x.org/", "c=; Max-Age=0")); /* removes it */
    CHECK_STR(sent_to(jar, "http://x.org/"), "");
    CHECK_OK(set_by(jar, "http://x.org/", "e=5; Expires=Fri, 31 Dec 9999 23:59:59 GMT"));
    CHECK_OK(set_by(jar, "http://x.org/", "f=6; Max-Age=999999999999999"));
    for (size_t i = 0; i < 2; i++) {
        CHECK(eddy_cookie_jar_at(jar, i, &cookie));
        CHECK_EQ(cookie.expires, ED_COOKIE_LAST);
    }
}

/* H-COOK-8 */
RAW_TEST(the_same_name_domain_and_path_replaces)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(set_by(jar, "http://x.org/", "a=1; HttpOnly; SameSite=Strict"));
    CHECK_OK(set_by(jar, "http://x.org/", "a=2"));
    CHECK_OK(set_by(jar, "http://x.org/", "a=3; Path=/p"));
    CHECK_OK(set_by(jar, "http://x.org/", "A=4"));
    CHECK_EQ(jar->count, 3);
    CHECK_STR(sent_to(jar, "http://x.org/p"), "a=3; a=2; A=4");
}

RAW_TEST(the_oldest_cookies_go_when_there_are_too_many)
{
    EDDY_COOKIE_JAR jar = jar_of(&(eddy_cookie_jar_options){.cookies = 5, .cookies_per_host = 3});
    char field[20];

    for (int i = 0; i < 5; i++) {
        snprintf(field, sizeof field, "a%d=1", i);
        CHECK_OK(set_by(jar, "http://x.org/", field));
    }
    CHECK_STR(sent_to(jar, "http://x.org/"), "a2=1; a3=1; a4=1");
    CHECK_OK(set_by(jar, "http://x.org/", "a2=2")); /* replaces, and keeps its age */
    for (int i = 0; i < 3; i++) {
        snprintf(field, sizeof field, "b%d=1", i);
        CHECK_OK(set_by(jar, "http://y.org/", field));
    }
    CHECK_EQ(jar->count, 5);
    CHECK_STR(sent_to(jar, "http://x.org/"), "a3=1; a4=1");
    CHECK_STR(sent_to(jar, "http://y.org/"), "b0=1; b1=1; b2=1");
}

/* Expired ones go before any other. */
RAW_TEST(cookies_whose_time_is_over_make_room_first)
{
    EDDY_COOKIE_JAR jar = jar_of(&(eddy_cookie_jar_options){.cookies = 2});

    CHECK_OK(set_by(jar, "http://x.org/", "a=1"));
    CHECK_OK(set_by(jar, "http://y.org/", "b=1; Max-Age=1"));
    cookies_time += 2;
    CHECK_OK(set_by(jar, "http://z.org/", "c=1"));
    CHECK_STR(sent_to(jar, "http://x.org/"), "a=1");
    CHECK_STR(sent_to(jar, "http://z.org/"), "c=1");
}

/* H-COOK-11 */
RAW_TEST(a_domain_is_cleared_with_what_is_under_it)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(set_by(jar, "http://x.org/", "a=1"));
    CHECK_OK(set_by(jar, "http://w.x.org/", "b=1"));
    CHECK_OK(set_by(jar, "http://wx.org/", "c=1"));
    CHECK_OK(eddy_cookie_jar_set(jar, &(eddy_cookie){.name = "d", .value = "1"}, NULL));
    CHECK_EQ(eddy_cookie_jar_clear(jar, "X.org"), 2);
    CHECK_STR(sent_to(jar, "http://wx.org/"), "c=1; d=1");
    CHECK_EQ(eddy_cookie_jar_clear(jar, NULL), 2);
    CHECK_STR(sent_to(jar, "http://wx.org/"), "");
    CHECK_EQ(eddy_cookie_jar_clear(jar, NULL), 0);
}

/* H-COOK-13 */
RAW_TEST(a_malformed_cookie_does_not_spoil_the_others)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);

    CHECK_OK(set_by(jar, "http://x.org/", "a=\"quoted, as it came\""));
    CHECK_FAILS(set_by(jar, "http://x.org/", "no cookie"), -EINVAL, "no cookie");
    CHECK_OK(set_by(jar, "http://x.org/", "b=2"));
    CHECK_STR(sent_to(jar, "http://x.org/"), "a=\"quoted, as it came\"; b=2");
}

/* What a crawler meets: many hosts, each with its own. */
RAW_TEST(many_hosts_share_a_jar)
{
    EDDY_COOKIE_JAR jar = jar_of(NULL);
    char url[60], field[60];

    for (int i = 0; i < 3000; i++) {
        snprintf(url, sizeof url, "http://h%d.d%d.org/", i, i % 100);
        snprintf(field, sizeof field, "n=%d", i);
        CHECK_OK(set_by(jar, url, field));
    }
    for (int i = 0; i < 3000; i++) {
        snprintf(url, sizeof url, "http://h%d.d%d.org/", i, i % 100);
        snprintf(field, sizeof field, "n=%d", i);
        CHECK_STR(sent_to(jar, url), field);
    }
    CHECK_OK(set_by(jar, "http://one.more.org/", "a=1"));
    CHECK_EQ(jar->count, 3000);
    CHECK_STR(sent_to(jar, "http://h0.d0.org/"), "");
}
