/* SPDX-License-Identifier: MIT */
/*
 * JSON from elsewhere, by jansson, which goes down by recursion. So how deep a text is nested is
 * counted before, outside of its strings: it must not be more than a task's stack holds.
 */
#include "http/json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "eddy/error.h"

/* How deep brackets are nested; what is no JSON may have any number. */
static size_t json_depth(const char *text, size_t size)
{
    size_t depth = 0, most = 0;
    bool quoted = false;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{'))
            most = ++depth > most ? depth : most;
        else if (!quoted && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return most;
}

int ed_json_decode(const char *text, size_t size, int code, struct json_t **out)
{
    json_error_t error;
    json_t *value;

    if (json_depth(text, size) > ED_JSON_DEPTH)
        return eddy_raise(code, "the JSON is nested deeper than %d", ED_JSON_DEPTH);
    value = json_loadb(text, size, JSON_DECODE_ANY, &error);
    if (!value && json_error_code(&error) == json_error_out_of_memory)
        return -ENOMEM;
    if (!value)
        return eddy_raise(code, "the JSON is wrong in line %d, column %d: %s", error.line,
                          error.column, error.text);
    *out = value;
    return 0;
}

bool ed_json_is_type(const char *type)
{
    size_t size = type ? strcspn(type, "; \t") : 0;

    return (size == 16 && strncasecmp(type, "application/json", 16) == 0) ||
           (size > 5 && strncasecmp(type + size - 5, "+json", 5) == 0);
}
