/* SPDX-License-Identifier: MIT */
/* URLs: taken apart, joined, put together. */
#include <eddy.h>
#include <eddy/url.h>

#include "harness.h"

static void check_text(const char *text, const char *normal)
{
    EDDY_URL url = NULL;
    EDDY_URL again = NULL;

    CHECK_THAT(eddy_url_parse(text, &url) == 0, "%s: %s", text, eddy_error_message(EDDY_EURL));
    CHECK_STR(url->text, normal);
    CHECK_OK(eddy_url_parse(url->text, &again));
    CHECK_STR(again->text, normal);
}

static void check_refused(const char *text, const char *part)
{
    EDDY_URL url = NULL;
    int rc = eddy_url_parse(text, &url);

    CHECK_THAT(rc == EDDY_EURL, "%s was taken: %s", text, rc ? eddy_error_name(rc) : url->text);
    CHECK_HAS(eddy_error_message(rc), part);
    CHECK(!url);
}

TEST(url_is_taken_apart)
{
    EDDY_URL url = NULL;
    EDDY_URL plain = NULL;

    CHECK_OK(eddy_url_parse("HTTPS://J%c3%b6:p%40s%3As@WWW.Example.ORG:8443/a%7eb/../c;d?q=1&r#f",
                            &url));
    CHECK_STR(url->text, "https://www.example.org:8443/c;d?q=1&r#f");
    CHECK_STR(url->scheme, "https");
    CHECK_STR(url->user, "J\xc3\xb6");
    CHECK_STR(url->password, "p@s:s");
    CHECK_STR(url->host, "www.example.org");
    CHECK_STR(url->authority, "www.example.org:8443");
    CHECK_EQ(url->port, 8443);
    CHECK_STR(url->path, "/c;d");
    CHECK_STR(url->query, "q=1&r");
    CHECK_STR(url->fragment, "f");
    CHECK_STR(url->target, "/c;d?q=1&r");
    CHECK_OK(eddy_url_parse("http://[2001:DB8:0::1]", &plain));
    CHECK_STR(plain->text, "http://[2001:db8::1]/");
    CHECK_STR(plain->host, "2001:db8::1");
    CHECK_STR(plain->authority, "[2001:db8::1]");
    CHECK_STR(plain->path, "/");
    CHECK_STR(plain->target, "/");
    CHECK_EQ(plain->port, 80);
    CHECK(!plain->user && !plain->password && !plain->query && !plain->fragment);
}

/* H-SES-10, H-REQ-2. */
TEST(url_is_written_in_one_way)
{
    check_text("http://h", "http://h/");
    check_text("http://h:80", "http://h/");
    check_text("https://h:443/", "https://h/");
    check_text("wss://h:0443", "wss://h/");
    check_text("http://h:", "http://h/");
    check_text("http://h:443", "http://h:443/");
    check_text("http://h?", "http://h/?");
    check_text("http://h?a#", "http://h/?a#");
    check_text("http://h/a b", "http://h/a%20b");
    check_text("http://h/\xc3\xa9?\xc3\xa9#\xc3\xa9", "http://h/%C3%A9?%C3%A9#%C3%A9");
    check_text("http://h/%41%7e%2f%zz%", "http://h/A~%2F%25zz%25");
    check_text("http://h/\"<>[]\\^`{|}", "http://h/%22%3C%3E%5B%5D%5C%5E%60%7B%7C%7D");
    check_text("http://h/?\"<>[]\\^`{|}'", "http://h/?%22%3C%3E%5B%5D%5C%5E%60%7B%7C%7D'");
    check_text("http://h/a/./b/%2e%2E/c//d/..", "http://h/a/c//");
    check_text("http://h/../../a", "http://h/a");
    check_text("http://h//a", "http://h//a");
    check_text("http://user@h/", "http://h/");
    check_text("http://a_b-c.example./x", "http://a_b-c.example./x");
    check_text("http://127.0.0.1:81", "http://127.0.0.1:81/");
    check_text("http://[::FFFF:127.0.0.1]/", "http://[::ffff:127.0.0.1]/");
    check_text("mailto:ann@example.org", "mailto:ann@example.org");
    check_text("unix:/run/x", "unix:/run/x");
    check_text("", "");
    check_text("/a?b", "/a?b");
    check_text("../a", "../a");
    check_text("?q", "?q");
    check_text("a b", "a%20b");
    check_text("//h/a", "//h/a");
    check_text("./a:b", "./a:b");
    check_text("a/b:c", "a/b:c");
}

/* IDNA 2008 with the mapping of UTS 46. */
TEST(url_host_beyond_ascii_becomes_an_ascii_name)
{
    check_text("http://B\xc3\xbc"
               "cher.example/",
               "http://xn--bcher-kva.example/");
    check_text("http://stra\xc3\x9f"
               "e.example/",
               "http://xn--strae-oqa.example/");
    check_text("http://\xef\xbc\xa5xample.org/", "http://example.org/");
    check_text("http://\xe4\xbe\x8b\xe3\x80\x82\xe6\xb5\x8b\xe8\xaf\x95/",
               "http://xn--fsq.xn--0zwm56d/");
    check_refused("http://a\xff/", "host");
    check_refused("http://\xe2\x84\x80/", "host"); /* mapped to a/c */
}

/* H-CONN-13, H-SEC-23: one spelling of an address, or none. */
TEST(url_host_that_is_a_number_is_an_address_of_four)
{
    static const char *const hosts[] = {
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.0x1",
        "127.0.0.256",
        "127.0.0",
        "1.2.3.4.5",
        "127.0.0.1.",
        "017700000001",
        "1",
        "0x",
        "a.1",
        "example.0x10",
        "127.0.0.999999",
        "4294967296.0",
    };
    char text[64];

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        snprintf(text, sizeof text, "http://%s/", hosts[i]);
        check_refused(text, "a number");
    }
    check_refused("http://\xef\xbc\x91.1/", "a number"); /* a wide digit */
    check_text("http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "http://127.0.0.1/");
    check_text("http://1.example/", "http://1.example/");
    check_text("http://1x/", "http://1x/");
}

TEST(url_that_is_none_is_refused)
{
    check_refused("http:", "no host");
    check_refused("http:g", "no host");
    check_refused("http:/a", "no host");
    check_refused("http://", "host is missing");
    check_refused("http:///a", "host is missing");
    check_refused("http://:80/", "host is missing");
    check_refused("http://user@/", "host is missing");
    check_refused("http:\\\\h\\a", "no host");
    check_refused("http://h:0/", "port");
    check_refused("http://h:65536/", "port");
    check_refused("http://h:99999999999999999999/", "port");
    check_refused("http://h:-1/", "");
    check_refused("http://h:8a/", "");
    check_refused("http://h:1:2/", "");
    check_refused("http://a b/", "not a name");
    check_refused("http://a%41/", "not a name");
    check_refused("http://a,b/", "not a name");
    check_refused("http://a..b/", "not a name");
    check_refused("http://.a/", "not a name");
    check_refused("http://./", "not a name");
    check_refused("http://[::1/", "brackets");
    check_refused("http://[::1]x/", "brackets");
    check_refused("http://[::g]/", "brackets");
    check_refused("http://[127.0.0.1]/", "brackets");
    check_refused("http://[::1%25eth0]/", "brackets");
    check_refused("http://[v1.a]/", "brackets");
    check_refused("http://::1/", "");
    check_refused("1http://h/", "not a URL");
    check_refused(" http://h/", "not a URL");
    check_refused(":a", "not a URL");
    check_refused("/.//h/a", "not a URL");
    check_refused("a:/.//h/a", "not a URL");
    check_refused("a:b/..///h/a", "not a URL");
    check_refused("b/..///h/a", "not a URL");
    check_refused("a/../http://h/", "not a URL");
    check_refused("a/../:b", "not a URL");
}

/* Whom a URL is for must not depend on who reads it. */
TEST(url_with_a_hidden_host_is_refused)
{
    check_refused("http://good.example\\@evil.example/", "backslash");
    check_refused("http://good.example\\.evil.example/", "backslash");
    check_refused("http://a@b@c/", "more than one");
    check_refused("http://good.example:80@evil.example:x@c/", "more than one");
    check_refused("http://good.example\t.evil.example/", "control");
    check_refused("http://h/\r\nX: y", "control");
    check_refused("http://h/\x7f", "control");
    check_refused("http://h\n/", "control");
    check_refused("ht\ntp://h/", "control");
    check_refused("http://u%00@h/", "NUL");
    check_text("http://h/@b", "http://h/@b");
    check_text("http://h?@b", "http://h/?@b");
    check_text("http://h#@b", "http://h/#@b");
    check_text("http://good.example#@evil.example/", "http://good.example/#@evil.example/");
}

TEST(url_has_a_length_and_names_one_too)
{
    static char text[70000] = "http://h/";
    char host[400] = "http://";

    memset(text + 9, 'a', 65536 - 9);
    check_text(text, text);
    text[65536] = 'a';
    check_refused(text, "longer");
    for (int i = 0; i < 64; i++)
        host[7 + i] = 'a';
    check_refused(host, "not a name");
    memcpy(host + 7 + 63, "/", 2);
    check_text(host, host);
    memset(host + 7, 'a', 300);
    for (int i = 7 + 50; i < 300; i += 50)
        host[i] = '.';
    host[7 + 254] = '/';
    host[7 + 255] = '\0';
    check_refused(host, "longer");
    host[7 + 253] = '/';
    host[7 + 254] = '\0';
    check_text(host, host);
}

/* RFC 3986, 5.4; "http:g" alone is not the strict parser's answer, since it has no host. */
TEST(url_joins_references_as_the_rfc_says)
{
    static const char *const table[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"https://other/x", "https://other/x"},
        {"/a b", "http://a/a%20b"},
    };
    EDDY_URL base = NULL;

    CHECK_OK(eddy_url_parse("http://a/b/c/d;p?q#f", &base));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        EDDY_URL url = NULL;

        CHECK_THAT(eddy_url_join(base, table[i][0], &url) == 0, "%s", table[i][0]);
        CHECK_STR(url->text, table[i][1]);
    }
}

TEST(url_joined_keeps_the_user_of_its_own_host_only)
{
    EDDY_URL base = NULL;
    EDDY_URL same = NULL;
    EDDY_URL other = NULL;
    EDDY_URL relative = NULL;
    EDDY_URL none = NULL;

    CHECK_OK(eddy_url_parse("http://u:p@a/b", &base));
    CHECK_OK(eddy_url_join(base, "c", &same));
    CHECK_STR(same->user, "u");
    CHECK_STR(same->password, "p");
    CHECK_OK(eddy_url_join(base, "//a/c", &other));
    CHECK(!other->user && !other->password);
    CHECK_OK(eddy_url_parse("x/y", &relative));
    CHECK_FAILS(eddy_url_join(relative, "c", &none), EDDY_EURL, "base");
    CHECK_FAILS(eddy_url_join(base, "http:c", &none), EDDY_EURL, "no host");
    CHECK_FAILS(eddy_url_join(base, "//[x/", &none), EDDY_EURL, "brackets");
}

/* H-SES-7. */
TEST(url_gets_arguments_behind_those_it_has)
{
    static const char *const table[][2] = {
        {"http://h", "http://h/?q=a+b%26c&%C3%A9="},
        {"http://h/p?", "http://h/p?q=a+b%26c&%C3%A9="},
        {"http://h/p?x=1#f", "http://h/p?x=1&q=a+b%26c&%C3%A9=#f"},
        {"p", "p?q=a+b%26c&%C3%A9="},
        {"http://u:p@[::1]:81/p?x", "http://[::1]:81/p?x&q=a+b%26c&%C3%A9="},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        EDDY_URL url = NULL;
        EDDY_URL with = NULL;
        EDDY_URL without = NULL;

        CHECK_OK(eddy_url_parse(table[i][0], &url));
        CHECK_OK(eddy_url_with_query(url, EDDY_PAIRS({"q", "a b&c"}, {"\xc3\xa9", ""}), &with));
        CHECK_STR(with->text, table[i][1]);
        CHECK(!url->user == !with->user);
        CHECK_OK(eddy_url_with_query(url, NULL, &without));
        CHECK_STR(without->text, url->text);
    }
}

/* RFC 6454. */
TEST(url_has_the_origin_of_its_scheme_host_and_port)
{
    static const struct {
        const char *one, *other;
        bool same;
    } table[] = {
        {"http://h/a", "HTTP://H:80/b?c", true}, {"http://h/", "https://h/", false},
        {"http://h/", "http://h:81/", false},    {"http://h/", "http://g/", false},
        {"http://h/", "http://u@h/", true},      {"http://[::1]/", "http://[0:0::1]/", true},
        {"https://h/", "wss://h/", false},       {"http://h/", "http://h./", false},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        EDDY_URL one = NULL;
        EDDY_URL other = NULL;

        CHECK_OK(eddy_url_parse(table[i].one, &one));
        CHECK_OK(eddy_url_parse(table[i].other, &other));
        CHECK_EQ(eddy_url_same_origin(one, other), table[i].same);
    }
    eddy_url_free(NULL);
}

static int url_each_allocation(void)
{
    EDDY_URL base = NULL;
    EDDY_URL url = NULL;
    EDDY_URL with = NULL;

    EDDY_TRY(eddy_url_parse("http://u:p@h/a/%7e/../b?q#f", &base));
    EDDY_TRY(eddy_url_join(base, "../x y", &url));
    EDDY_TRY(eddy_url_with_query(url, EDDY_PAIRS({"a", "b"}), &with));
    return 0;
}
EDDY_ASYNC(url_each_allocation);

RAW_TEST(url_survives_the_failure_of_each_allocation)
{
    CHECK_OK(eddy_test_allocations(url_each_allocation));
}
