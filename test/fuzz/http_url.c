/* SPDX-License-Identifier: MIT */
/*
 * URLs: what is taken has no byte that must be encoded, reads the same when it is written again,
 * and its text has its parts. Of two lines the second is joined to the first.
 */
#include <eddy/stream.h>
#include <eddy/url.h>

#include "fuzz.h"

static void check_bytes(const char *text)
{
    for (; text && *text; text++)
        FUZZ_CHECK(*text > ' ' && *text < 0x7f && !strchr("\"<>\\^`{|}", *text));
}

static void check_url(const eddy_url *url)
{
    eddy_url *again = NULL;

    check_bytes(url->text);
    check_bytes(url->host);
    check_bytes(url->target);
    FUZZ_CHECK(!strchr(url->host, '@') && !strchr(url->host, '/'));
    FUZZ_CHECK(!*url->host || *url->path == '/');
    FUZZ_CHECK(eddy_url_parse(url->text, &again) == 0);
    FUZZ_CHECK(strcmp(url->text, again->text) == 0 && strcmp(url->host, again->host) == 0);
    FUZZ_CHECK(strcmp(url->path, again->path) == 0 && url->port == again->port);
    FUZZ_CHECK(strcmp(url->authority, again->authority) == 0);
    FUZZ_CHECK(!url->query == !again->query && !url->fragment == !again->fragment);
    FUZZ_CHECK(eddy_url_same_origin(url, again));
    eddy_url_free(again);
}

static void check_texts(const char *base_text, const char *text)
{
    eddy_url *base = NULL, *url = NULL;

    if (eddy_url_parse(base_text, &base) == 0) {
        check_url(base);
        if (text && eddy_url_join(base, text, &url) == 0)
            check_url(url);
    }
    eddy_url_free(url);
    eddy_url_free(base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *second, *decoded = NULL;
    eddy_pair *pairs = NULL;
    size_t count;

    memcpy(text, data, size);
    text[size] = '\0';
    if (eddy_form_decode(text, 0, &pairs) >= 0) {
        char *encoded = eddy_form_encode(pairs);
        eddy_pair *again = NULL;

        FUZZ_CHECK(eddy_form_decode(encoded, 0, &again) >= 0);
        for (size_t i = 0; pairs[i].name; i++)
            FUZZ_CHECK(strcmp(pairs[i].name, again[i].name) == 0 &&
                       strcmp(pairs[i].value, again[i].value) == 0);
        eddy_free(encoded);
        eddy_free(again);
        eddy_free(pairs);
    }
    FUZZ_CHECK(eddy_percent_decode(text, true, &decoded, &count) == 0 && count <= strlen(text));
    eddy_free(decoded);
    second = strchr(text, '\n');
    if (second)
        *second++ = '\0';
    check_texts(text, second);
    free(text);
    return 0;
}
