/* SPDX-License-Identifier: MIT */
/*
 * Set-Cookie fields and dates: whatever a field is, what is stored goes back to the host that set
 * it, or to no other than those under its domain, and is no more than was given; and no control
 * character comes out of a jar.
 *
 * The input's lines are fields, one after another from one host and another.
 */
#include <eddy.h>
#include <eddy/cookie.h>

#include "fuzz.h"

static const eddy_url urls[] = {
    {.text = "https://www.x.org/p/q", .scheme = "https", .host = "www.x.org", .path = "/p/q"},
    {.text = "http://x.org/", .scheme = "http", .host = "x.org", .path = "/"},
    {.text = "http://a.co.uk/", .scheme = "http", .host = "a.co.uk", .path = "/"},
    {.text = "http://127.0.0.1/", .scheme = "http", .host = "127.0.0.1", .path = "/"},
};
#define URLS (sizeof urls / sizeof *urls)

/* Whether a host is a domain, or under it. */
static int is_under(const char *host, const char *domain)
{
    size_t host_size = strlen(host), size = strlen(domain);

    return host_size >= size && strcmp(host + host_size - size, domain) == 0 &&
           (host_size == size || host[host_size - size - 1] == '.');
}

static void check_jar(eddy_cookie_jar *jar)
{
    eddy_cookie cookie;

    for (size_t i = 0; eddy_cookie_jar_at(jar, i, &cookie); i++) {
        int known = 0;

        FUZZ_CHECK(cookie.name[0] != '\0' && cookie.path[0] == '/');
        FUZZ_CHECK(!strpbrk(cookie.name, "=;\r\n") && !strpbrk(cookie.value, ";\r\n"));
        FUZZ_CHECK(!strpbrk(cookie.path, ";\r\n"));
        FUZZ_CHECK(strcmp(cookie.domain, "co.uk") != 0 && strchr(cookie.domain, '.'));
        for (size_t j = 0; j < URLS; j++)
            known |= cookie.host_only ? strcmp(urls[j].host, cookie.domain) == 0
                                      : is_under(urls[j].host, cookie.domain);
        FUZZ_CHECK(known);
    }
}

static void check_fields(eddy_cookie_jar *jar)
{
    for (size_t i = 0; i < URLS; i++) {
        char *field;

        FUZZ_CHECK(eddy_cookie_jar_field(jar, &urls[i], &field) == 0);
        FUZZ_CHECK(!field || (i < 3 && *field && !strpbrk(field, "\r\n")));
        eddy_free(field);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const eddy_cookie_jar_options options = {.cookies = 20, .cookies_per_host = 5};
    char *text = malloc(size + 1), *line = text, *end;
    eddy_cookie_jar *jar;

    FUZZ_CHECK(text && eddy_cookie_jar_new(&options, &jar) == 0);
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; line; i++, line = end) {
        int rc;

        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        rc = eddy_cookie_jar_parse(jar, line, &urls[i % URLS]);
        FUZZ_CHECK(rc == 0 || rc == -EINVAL || rc == -EPERM);
        FUZZ_CHECK(rc != 0 || i % URLS != 3);
    }
    check_jar(jar);
    check_fields(jar);
    eddy_cookie_jar_free(jar);
    free(text);
    return 0;
}
