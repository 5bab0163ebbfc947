/* SPDX-License-Identifier: MIT */
/* Which proxy the environment names: H-PROXY-3, -4, -5. Using one is in connect.c. */
#include <stdlib.h>

#include "harness.h"
#include "http/client.h"

static void clear_environment(void)
{
    static const char *const names[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
                                        "HTTPS_PROXY", "all_proxy",  "ALL_PROXY",
                                        "no_proxy",    "NO_PROXY",   "REQUEST_METHOD"};

    for (size_t i = 0; i < ED_ARRAY_LENGTH(names); i++)
        unsetenv(names[i]);
}

static int check_proxy(const char *text, const char *expected)
{
    EDDY_URL url = NULL;
    const char *proxy;

    EDDY_TRY(eddy_url_parse(text, &url));
    proxy = ed_proxy_of_environment(url);
    REQUIRE(proxy && expected ? strcmp(proxy, expected) == 0 : proxy == expected);
    return 0;
}

/* H-PROXY-5. */
TEST(proxies_of_the_environment_are_those_of_the_scheme_or_of_all)
{
    clear_environment();
    CHECK_OK(check_proxy("http://a.test/", NULL));
    setenv("ALL_PROXY", "http://all:1", 1);
    CHECK_OK(check_proxy("http://a.test/", "http://all:1"));
    setenv("HTTP_PROXY", "http://plain:2", 1);
    setenv("HTTPS_PROXY", "http://secure:3", 1);
    CHECK_OK(check_proxy("http://a.test/", "http://plain:2"));
    CHECK_OK(check_proxy("https://a.test/", "http://secure:3"));
    setenv("http_proxy", "http://small:4", 1);
    CHECK_OK(check_proxy("http://a.test/", "http://small:4"));
    setenv("no_proxy", "a.test", 1);
    CHECK_OK(check_proxy("http://a.test/", NULL));
    CHECK_OK(check_proxy("http://b.test/", "http://small:4"));
}

/* httpoxy: a client of a CGI program must not choose its proxy. */
TEST(proxies_of_the_environment_are_not_taken_from_a_header_of_cgi)
{
    clear_environment();
    setenv("REQUEST_METHOD", "GET", 1);
    setenv("HTTP_PROXY", "http://evil:1", 1);
    CHECK_OK(check_proxy("http://a.test/", NULL));
    setenv("http_proxy", "http://good:1", 1);
    CHECK_OK(check_proxy("http://a.test/", "http://good:1"));
}

RAW_TEST(proxies_are_passed_by_for_hosts_domains_networks_and_ports)
{
    CHECK(ed_proxy_is_passed_by("*", "a.test", 80));
    CHECK(ed_proxy_is_passed_by("x.test, a.test", "a.test", 80));
    CHECK(ed_proxy_is_passed_by("x.test,A.TEST", "a.test", 80));
    CHECK(ed_proxy_is_passed_by(".a.test", "b.a.test", 80));
    CHECK(ed_proxy_is_passed_by("*.a.test", "b.a.test", 80));
    CHECK(ed_proxy_is_passed_by("a.test", "b.a.test", 80));
    CHECK(ed_proxy_is_passed_by("a.test.", "b.a.test", 80));
    CHECK(!ed_proxy_is_passed_by("a.test", "ba.test", 80));
    CHECK(!ed_proxy_is_passed_by("b.a.test", "a.test", 80));
    CHECK(ed_proxy_is_passed_by("a.test:80", "a.test", 80));
    CHECK(!ed_proxy_is_passed_by("a.test:81", "a.test", 80));
    CHECK(ed_proxy_is_passed_by("10.0.0.0/8", "10.200.3.4", 80));
    CHECK(!ed_proxy_is_passed_by("10.0.0.0/8", "11.0.0.1", 80));
    CHECK(ed_proxy_is_passed_by("192.168.1.128/25", "192.168.1.200", 80));
    CHECK(!ed_proxy_is_passed_by("192.168.1.128/25", "192.168.1.100", 80));
    CHECK(!ed_proxy_is_passed_by("10.0.0.0/99", "10.0.0.1", 80));
    CHECK(ed_proxy_is_passed_by("127.0.0.1", "127.0.0.1", 80));
    CHECK(!ed_proxy_is_passed_by("7.0.0.1", "127.0.0.1", 80)); /* an address is no suffix */
    CHECK(ed_proxy_is_passed_by("::1", "::1", 80));
    CHECK(ed_proxy_is_passed_by("[::1]:8080", "::1", 8080));
    CHECK(!ed_proxy_is_passed_by("[::1]:8080", "::1", 80));
    CHECK(ed_proxy_is_passed_by("fd00::/8", "fd12::5", 80));
    CHECK(!ed_proxy_is_passed_by("", "a.test", 80));
    CHECK(!ed_proxy_is_passed_by(" , ,, ", "a.test", 80));
}

/* H-PROXY-3. */
TEST(proxies_are_of_http_or_https)
{
    struct ed_proxy proxy = {.host = NULL};
    EDDY_URL url = NULL, other = NULL;

    CHECK_OK(ed_proxy_parse("http://ann:secret@proxy.test:3128", &url, &proxy));
    CHECK(!proxy.secure && proxy.port == 3128);
    CHECK_STR(proxy.host, "proxy.test");
    CHECK_STR(proxy.user, "ann");
    CHECK_STR(proxy.password, "secret");
    CHECK_OK(ed_proxy_parse("proxy.test:8080", &other, &proxy));
    CHECK_EQ(proxy.port, 8080);
    eddy_url_free(other);
    other = NULL;
    CHECK_OK(ed_proxy_parse("https://proxy.test", &other, &proxy));
    CHECK(proxy.secure && proxy.port == 443);
    eddy_url_free(other);
    other = NULL;
    CHECK_FAILS(ed_proxy_parse("socks5://proxy.test", &other, &proxy), EDDY_EURL,
                "neither http://");
    CHECK(!proxy.host && !other);
}

TEST(proxies_and_servers_are_given_basic_credentials)
{
    struct ed_arena arena = {.first = NULL};

    CHECK_STR(ed_basic_credentials(&arena, "Aladdin", "open sesame"),
              "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK_STR(ed_basic_credentials(&arena, "ann", NULL), "Basic YW5uOg==");
    ed_arena_free(&arena);
}
