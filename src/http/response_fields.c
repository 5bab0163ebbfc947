/* SPDX-License-Identifier: MIT */
/* What a response says. What is computed of its fields is put into its arena, once asked for. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/client.h"

int eddy_http_status(const eddy_http_response *response)
{
    return response->head.status;
}

const char *eddy_http_response_reason(const eddy_http_response *response)
{
    return response->head.reason ? response->head.reason : "";
}

const eddy_headers *eddy_http_headers(const eddy_http_response *response)
{
    return &response->head.fields;
}

const char *eddy_http_header(const eddy_http_response *response, const char *name)
{
    return eddy_headers_get(&response->head.fields, name);
}

const char *eddy_http_version(const eddy_http_response *response)
{
    return response->head.minor ? "1.1" : "1.0";
}

const eddy_url *eddy_http_url(const eddy_http_response *response)
{
    return response->url;
}

size_t eddy_http_redirects(const eddy_http_response *response)
{
    return response->redirect_count;
}

const eddy_url *eddy_http_redirect(const eddy_http_response *response, size_t index)
{
    return index < response->redirect_count ? response->redirects[index] : NULL;
}

int64_t eddy_http_content_length(const eddy_http_response *response)
{
    return response->head.length;
}

int eddy_http_raise_for_status(eddy_http_response *response)
{
    int status = response->head.status;

    if (status < 400)
        return 0;
    return ed_response_raise(response, EDDY_HTTP_STATUS(status), "%d %s", status,
                             *eddy_http_response_reason(response)
                                 ? eddy_http_response_reason(response)
                                 : eddy_http_reason(status));
}

/* The arena of a response that is otherwise only looked at. */
static struct ed_arena *response_arena(const eddy_http_response *response)
{
    return &((eddy_http_response *)(uintptr_t)response)->arena;
}

/* A copy in small letters; NULL when memory is short. */
static char *copy_small(const eddy_http_response *response, const char *text, size_t size)
{
    char *copy = ed_arena_copy(response_arena(response), text, size);

    for (size_t i = 0; copy && i < size; i++)
        copy[i] = (char)tolower((unsigned char)copy[i]);
    return copy;
}

const char *eddy_http_content_type(const eddy_http_response *response)
{
    const char *field = eddy_http_header(response, "Content-Type"), *type = NULL;
    size_t size = field ? strcspn(field, "; \t,") : 0;

    if (response->content_type)
        return response->content_type;
    if (size > 0 && memchr(field, '/', size))
        type = copy_small(response, field, size);
    if (!type)
        type = "application/octet-stream";
    ((eddy_http_response *)(uintptr_t)response)->content_type = type;
    return type;
}

/* Parameters ------------------------------------------------------------------------------- */

/* A parameter "; name=value" or "; name=\"value\"" of a field, unquoted into `out`: whether there
 * is one that fits. */
static bool parameter_find(const char *field, const char *name, char *out, size_t room)
{
    size_t size = strlen(name);

    while ((field = strchr(field, ';'))) {
        bool fits, quoted;
        size_t at = 0;

        field += 1 + strspn(field + 1, " \t");
        fits = strncasecmp(field, name, size) == 0 && field[size] == '=';
        field += strcspn(field, "=;\"");
        quoted = field[0] == '=' && field[1] == '"';
        if (*field != '=')
            continue;
        for (field += 1 + quoted; *field && !strchr(quoted ? "\"" : "; \t,", *field); field++) {
            if (quoted && *field == '\\' && field[1])
                field++;
            if (at + 1 < room)
                out[at] = *field;
            at++;
        }
        if (fits && at + 1 <= room) {
            out[at] = '\0';
            return true;
        }
    }
    return false;
}

const char *eddy_http_charset(const eddy_http_response *response)
{
    const char *field = eddy_http_header(response, "Content-Type");
    char value[64];

    if (response->charset || !field || !parameter_find(field, "charset", value, sizeof value))
        return response->charset;
    ((eddy_http_response *)(uintptr_t)response)->charset =
        copy_small(response, value, strlen(value));
    return response->charset;
}

/* Cookies and links ------------------------------------------------------------------------ */

const char *eddy_http_cookie(const eddy_http_response *response, const char *name)
{
    size_t size = strlen(name), index = 0;
    const char *value;

    while ((value = eddy_headers_next(&response->head.fields, "Set-Cookie", &index))) {
        const char *equals;

        value += strspn(value, " \t");
        equals = value + strcspn(value, "=;");
        if (*equals != '=' || (size_t)(equals - value) != size || memcmp(value, name, size) != 0)
            continue;
        value = equals + 1;
        return ed_arena_copy(response_arena(response), value, strcspn(value, ";"));
    }
    return NULL;
}

/* Whether blank-separated words have one. */
static bool words_have(const char *words, const char *word)
{
    size_t size = strlen(word);

    while (*(words += strspn(words, " \t"))) {
        size_t length = strcspn(words, " \t");

        if (length == size && strncasecmp(words, word, size) == 0)
            return true;
        words += length;
    }
    return false;
}

struct link_search {
    const eddy_http_response *response;
    const char *relation;
    const char *target; /* found */
};

/* A member of a Link field: <reference>; rel="next prev". */
static bool link_look(const char *member, size_t size, void *argument)
{
    struct link_search *search = argument;
    char *copy = ed_arena_copy(response_arena(search->response), member, size), *end;
    char relations[256];

    if (!copy || copy[0] != '<' || !(end = strchr(copy, '>')) ||
        !parameter_find(end, "rel", relations, sizeof relations) ||
        !words_have(relations, search->relation))
        return true;
    *end = '\0';
    search->target = copy + 1;
    return false;
}

const char *eddy_http_link(const eddy_http_response *response, const char *relation)
{
    struct link_search search = {.response = response, .relation = relation};
    eddy_url *url = NULL;
    const char *value, *text = NULL;
    size_t index = 0;

    while (!search.target && (value = eddy_headers_next(&response->head.fields, "Link", &index)))
        ed_each_member(value, link_look, &search);
    if (!search.target || eddy_url_join(response->url, search.target, &url) < 0)
        return NULL;
    text = ed_arena_copy(response_arena(response), url->text, strlen(url->text));
    eddy_url_free(url);
    return text;
}
