/* SPDX-License-Identifier: MIT */
/* What texts cost that are made to be long: URLs, forms, parameters, cookies, dates. */
#include "eddy/cookie.h"
#include "eddy/url.h"
#include "http/coding.h"
#include "http/cost.h"
#include "http/parameter.h"

#define URL_MOST 30000 /* bytes, of which there may be 64 KiB */

/* What is no URL has cost something, too. */
static int take_url(const char *data, size_t size)
{
    EDDY_URL url = NULL;
    int rc = eddy_url_parse(data, &url);

    (void)size;
    return rc == EDDY_EURL ? 0 : rc;
}

static int take_reference(const char *data, size_t size)
{
    EDDY_URL base = NULL;
    EDDY_URL url = NULL;

    (void)size;
    EDDY_TRY(eddy_url_parse("http://h/a/b/c?d", &base));
    return eddy_url_join(base, data, &url);
}

static int take_base(const char *data, size_t size)
{
    EDDY_URL base = NULL;
    EDDY_URL url = NULL;

    (void)size;
    EDDY_TRY(eddy_url_parse(data, &base));
    return eddy_url_join(base, "../../../x", &url);
}

RAW_TEST(cost_of_urls_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("segments", take_url, "http://h", "/a", ""),
        COST("slashes", take_url, "http://h", "/", ""),
        COST("dots", take_url, "http://h/a", "/..", ""),
        COST("up and down", take_url, "http://h", "/a/..", ""),
        COST("single dots", take_url, "http://h", "/.", ""),
        COST("down and up", take_url, "http://h/", "a/b/../", ""),
        COST("escapes", take_url, "http://h/", "%41", ""),
        COST("what is to be escaped", take_url, "http://h/", "\xc3\xbc%", ""),
        COST("a query", take_url, "http://h/?", "a=b&", ""),
        COST("a fragment", take_url, "http://h/#", "%7e", ""),
        COST("labels", take_url, "http://", "a.", "/"),
        COST("a label", take_url, "http://", "a", "/"),
        COST("labels beyond ASCII", take_url, "http://", "\xc3\xbc.", "/"),
        COST("digits", take_url, "http://", "0", "/"),
        COST("an address", take_url, "http://[", "0:", "]/"),
        COST("a port", take_url, "http://h:", "0", "80/"),
        COST("a user", take_url, "http://", "u%3a", "@h/"),
        COST("users", take_url, "http://", "u@", "h/"),
        COST("colons", take_url, "http://", ":", "@h/"),
        COST("backslashes", take_url, "http://h", "\\", "@h/"),
        COST("a scheme", take_url, "", "a+", "://h/"),
        COST("a way up", take_reference, "", "../", "x"),
        COST("a way down", take_reference, "", "x/", "?y"),
        COST("a relative way", take_reference, "", "x/../", ""),
        COST("a deep base", take_base, "http://h/", "a/", "b"),
    };

    CHECK_LINEAR(inputs, URL_MOST);
}

static int take_form(const char *data, size_t size)
{
    eddy_pair *pairs = NULL;
    ssize_t count = eddy_form_decode(data, COST_MOST, &pairs);
    char *again = count < 0 ? NULL : eddy_form_encode(pairs);
    int rc = again ? 0 : count < 0 ? (int)count : -ENOMEM;

    (void)size;
    eddy_free(again);
    eddy_free(pairs);
    return rc;
}

static int take_percent(const char *data, size_t size)
{
    char *decoded, *encoded;
    int rc = eddy_percent_decode(data, true, &decoded, &size);

    if (rc < 0)
        return rc;
    encoded = eddy_percent_encode(decoded, "/");
    rc = encoded ? 0 : -ENOMEM;
    eddy_free(encoded);
    eddy_free(decoded);
    return rc;
}

RAW_TEST(cost_of_forms_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("pairs", take_form, "", "a=b&", ""),
        COST("names", take_form, "", "a&", ""),
        COST("ampersands", take_form, "", "&", ""),
        COST("equals signs", take_form, "", "=", ""),
        COST("blanks", take_form, "a=", "+", ""),
        COST("escapes", take_form, "a=", "%26", ""),
        COST("broken escapes", take_form, "a=", "%2%", ""),
        COST("escaped", take_percent, "", "%41", ""),
        COST("to be escaped", take_percent, "", "\xff", ""),
    };

    CHECK_LINEAR(inputs, 100000);
}

static int take_parameter(const char *data, size_t size)
{
    struct ed_arena arena = {0};
    const char *text;
    int rc = ed_parameter_get(data, "filename", &arena, &text);

    (void)size;
    ed_arena_free(&arena);
    return rc;
}

#define PIECES(n)                                                                                  \
    "; filename*" #n "9=b; filename*" #n "8=b; filename*" #n "7=b; filename*" #n "6=b"             \
    "; filename*" #n "5=b; filename*" #n "4=b; filename*" #n "3=b; filename*" #n "2=b"             \
    "; filename*" #n "1=b; filename*" #n "0=b"

/* As many pieces as there may be, behind all else, which is not looked through for each. */
RAW_TEST(cost_of_parameters_in_pieces_is_that_of_others)
{
    static const struct cost_input whole = COST("whole", take_parameter, "a", "; b=c", "");
    static const struct cost_input pieces =
        COST("pieces", take_parameter, "a", "; b=c",
             PIECES(9) PIECES(8) PIECES(7) PIECES(6) PIECES(5) PIECES(4) PIECES(3) PIECES(2)
                 PIECES(1) PIECES());

    CHECK_OK(cost_is_at_most(&pieces, 100000, &whole, 100000));
}

static int take_codings(const char *data, size_t size)
{
    (void)size;
    return ed_coding_choose(data) == ED_CODING_UNKNOWN ? -EDOM : 0;
}

static int take_date(const char *data, size_t size)
{
    time_t time;

    (void)size;
    return eddy_http_parse_date(data, &time) == -EINVAL ? 0 : -EDOM;
}

RAW_TEST(cost_of_fields_values_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("parameters", take_parameter, "a", "; b=c", ""),
        COST("semicolons", take_parameter, "a", ";", ""),
        COST("quoted", take_parameter, "a; b=\"", "\\\"", "\"; filename=c"),
        COST("open quotes", take_parameter, "a", "; b=\"c\"", "; d=\""),
        COST("an extended one", take_parameter, "a; filename*=iso-8859-1''", "%ff", ""),
        COST("pieces", take_parameter, "a", "; filename*1=b", "; filename*0=a"),
        COST("names", take_parameter, "a", "; filename*7*=b; filename*7=c; filename=d", ""),
        COST("apostrophes", take_parameter, "a; filename*=", "'", ""),
        COST("codings", take_codings, "", "br;q=0.5,", ""),
        COST("weights", take_codings, "gzip", ";q=1", ""),
        COST("commas", take_codings, "", ", ", "zstd"),
        COST("a date", take_date, "Sun, 06 Nov 1994", " 08:49:37", " GMT"),
    };

    CHECK_LINEAR(inputs, 100000);
}

/* Cookies, one or, with lines, several; the jar keeps those that it may. */
static int take_cookies(const char *data, size_t size)
{
    EDDY_COOKIE_JAR jar = NULL;
    EDDY_URL url = NULL;
    static char copy[COST_MOST + 4096];
    char *line = memcpy(copy, data, size + 1), *end, *field;
    int number = 0;

    EDDY_TRY(eddy_cookie_jar_new(NULL, &jar));
    EDDY_TRY(eddy_url_parse("https://www.x.org/a/b/c", &url));
    for (; line; line = end) {
        char name[32];
        int rc;

        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        if (*line == '#') { /* another name each time */
            snprintf(name, sizeof name, "%d=%s", number++, line + 1);
            line = name;
        }
        rc = eddy_cookie_jar_parse(jar, line, url);
        if (rc < 0 && rc != -EINVAL && rc != -EPERM)
            return rc;
    }
    EDDY_TRY(eddy_cookie_jar_field(jar, url, &field));
    eddy_free(field);
    return 0;
}

RAW_TEST(cost_of_cookies_is_linear)
{
    static const struct cost_input inputs[] = {
        COST("attributes", take_cookies, "a=b", "; c=d", ""),
        COST("semicolons", take_cookies, "a=b", ";", ""),
        COST("paths", take_cookies, "a=b", "; Path=/a", ""),
        COST("a path", take_cookies, "a=b; Path=/", "a/", ""),
        COST("domains", take_cookies, "a=b", "; Domain=x.org", ""),
        COST("a domain", take_cookies, "a=b; Domain=", "a.", "x.org"),
        COST("a date", take_cookies, "a=b; Expires=", "1 Jan 2040 ", ""),
        COST("dates", take_cookies, "a=b", "; Expires=1 Jan 2040 00:00:00", ""),
        COST("a value", take_cookies, "a=", "b ", ""),
        COST("one and the same", take_cookies, "", "a=b\n", "a=b"),
        COST("many", take_cookies, "", "#b\n", "a=b"),
    };

    CHECK_LINEAR(inputs, 100000);
}
