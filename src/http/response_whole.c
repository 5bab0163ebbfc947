/* SPDX-License-Identifier: MIT */
/*
 * The body as a whole: as bytes, text, JSON, and as a file.
 *
 * What was read stays with the response, so that a call that was cut short is gone on with by the
 * next one, and a second one finds the same. The block grows with what comes, not with what a
 * Content-Length has announced.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "eddy/filesystem.h"
#include "http/client.h"

#define WHOLE_LIMIT ((size_t)64 << 20)
#define WHOLE_FIRST 4096         /* bytes of the first block, where the length is not known */
#define WHOLE_TRUSTED (64 << 10) /* bytes that are allocated because they were announced */
#define JSON_DEPTH 256           /* jansson's parser is recursive, on a task's stack */

eddy_stream *eddy_http_body(eddy_http_response *response)
{
    return response->body;
}

/* Bytes ------------------------------------------------------------------------------------ */

/* How large the block is to be next; a NUL comes behind. */
static size_t whole_room(const eddy_http_response *response)
{
    int64_t length = response->head.length;

    if (response->room > 0)
        return 2 * response->room;
    if (length >= 0 && length < WHOLE_TRUSTED)
        return (size_t)length + 1 > 64 ? (size_t)length + 1 : 64;
    return WHOLE_FIRST;
}

/* Makes the first block, or a larger one. 0, -ENOMEM. */
static int whole_grow(eddy_http_response *response)
{
    size_t room = whole_room(response);
    char *data = eddy_realloc_(response->data, room);

    if (!data)
        return -ENOMEM;
    response->data = data;
    response->room = room;
    return 0;
}

/* The block is full: 1 with a larger one, 0 at the end of the body, or an error. */
static int whole_go_on(eddy_http_response *response, size_t limit)
{
    const char *more;
    ssize_t n = eddy_peek(response->body, 1, &more);

    if (n <= 0)
        return (int)n;
    if (response->size == limit)
        return ed_response_raise(response, EDDY_ELIMIT,
                                 "reading the body: it is longer than %zu bytes", limit);
    n = whole_grow(response);
    return n < 0 ? (int)n : 1;
}

/* Reads on up to the end: 0, or an error. */
static int whole_read(eddy_http_response *response)
{
    size_t limit = response->limit ? response->limit : WHOLE_LIMIT, room;
    ssize_t n = response->data ? 1 : whole_grow(response);

    do {
        if (n < 0)
            return (int)n;
        room = response->room - 1 - response->size;
        if (room > limit - response->size)
            room = limit - response->size;
        if (room == 0) {
            n = whole_go_on(response, limit);
            continue;
        }
        n = eddy_read(response->body, response->data + response->size, room);
        response->size += n > 0 ? (size_t)n : 0;
    } while (n != 0);
    return 0;
}

int eddy_http_read(eddy_http_response *response, const char **data, size_t *size)
{
    if (!response->whole)
        EDDY_TRY(whole_read(response));
    response->whole = true;
    response->data[response->size] = '\0';
    *data = response->data;
    if (size)
        *size = response->size;
    return 0;
}

/* Text and JSON ------------------------------------------------------------------------------ */

int eddy_http_text(eddy_http_response *response, char **text)
{
    const char *data, *charset = eddy_http_charset(response);
    size_t size;
    int rc;

    EDDY_TRY(eddy_http_read(response, &data, &size));
    rc = ed_text_decode(charset, data, size, text);
    if (rc == -EINVAL)
        return ed_response_raise(response, rc, "the charset \"%s\" is not known", charset);
    return rc;
}

/* Whether a type is application/json, or another's "+json". */
static bool type_is_json(const char *type)
{
    size_t size = strlen(type);

    return strcmp(type, "application/json") == 0 ||
           (size > 5 && strcmp(type + size - 5, "+json") == 0);
}

/* How deeply a text is nested at most, strings left out. */
static size_t json_depth(const char *data, size_t size)
{
    size_t depth = 0, most = 0;
    bool quoted = false;

    for (size_t i = 0; i < size; i++) {
        if (data[i] == '"')
            quoted = !quoted;
        else if (quoted && data[i] == '\\')
            i++;
        else if (!quoted && (data[i] == '[' || data[i] == '{'))
            most = ++depth > most ? depth : most;
        else if (!quoted && depth > 0 && (data[i] == ']' || data[i] == '}'))
            depth--;
    }
    return most;
}

static int
json_parse(const eddy_http_response *response, const char *data, size_t size, json_t **out)
{
    json_error_t error;
    json_t *value;

    if (data[strspn(data, " \t\r\n")] == '\0' && strlen(data) == size) {
        *out = NULL;
        return 0;
    }
    if (json_depth(data, size) > JSON_DEPTH)
        return ed_response_raise(response, EDDY_EJSON, "nested more than %d deep", JSON_DEPTH);
    value = json_loadb(data, size, JSON_DECODE_ANY, &error);
    if (!value && json_error_code(&error) == json_error_out_of_memory)
        return -ENOMEM;
    if (!value)
        return ed_response_raise(response, EDDY_EJSON, "line %d, column %d: %s", error.line,
                                 error.column, error.text);
    *out = value;
    return 0;
}

int eddy_http_json(eddy_http_response *response, struct json_t **out)
{
    const char *type = eddy_http_content_type(response), *charset = eddy_http_charset(response);
    const char *data;
    char *text = NULL;
    size_t size;
    int rc;

    EDDY_TRY(eddy_http_read(response, &data, &size));
    if (!type_is_json(type) && size > 0)
        return ed_response_raise(response, EDDY_EHTTP_CONTENT_TYPE,
                                 "it is of the type %s, and no JSON", type);
    if (!charset || strcmp(charset, "utf-8") == 0)
        return json_parse(response, data, size, out);
    EDDY_TRY(eddy_http_text(response, &text));
    rc = json_parse(response, text, strlen(text), out);
    eddy_free(text);
    return rc;
}
