/* SPDX-License-Identifier: MIT */
/*
 * A value is walked from parameter to parameter, once for each form in which the name may stand:
 * lists are short, and nothing has to be kept. A walk ends at the first place that is no parameter.
 *
 * In a quoted text a backslash escapes quotes and backslashes only: browsers send others as they
 * are in the names of files.
 */
#include "http/parameter.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "eddy/error.h"

#define PARAMETER_PIECES 100 /* "name*0" to "name*99" */
#define PARAMETER_NAME 40    /* characters of a name with what stands behind it */

struct parameter {
    const char *name, *value;
    size_t name_size, value_size;
    bool quoted;
};

static const char *parameter_skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Where a quoted text ends, whose first quote is before `at`; NULL: nowhere. */
static const char *parameter_quoted_end(const char *at)
{
    for (; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at : NULL;
}

/* The next parameter from *at on, which moves behind it; false: no more. */
static bool parameter_next(const char **at, struct parameter *out)
{
    const char *text = *at + strcspn(*at, ";");

    if (!*text)
        return false;
    out->name = parameter_skip_blanks(text + 1);
    out->name_size = strcspn(out->name, "=; \t\"");
    text = parameter_skip_blanks(out->name + out->name_size);
    out->value = "";
    out->value_size = 0;
    out->quoted = false;
    if (*text == '=') {
        out->value = parameter_skip_blanks(text + 1);
        out->quoted = *out->value == '"';
        out->value += out->quoted;
        text = out->quoted ? parameter_quoted_end(out->value)
                           : out->value + strcspn(out->value, "; \t\"");
        if (!text)
            return false;
        out->value_size = (size_t)(text - out->value);
    }
    *at = text + (out->quoted && *text == '"');
    return true;
}

static bool parameter_find(const char *value, const char *name, struct parameter *out)
{
    while (parameter_next(&value, out))
        if (strlen(name) == out->name_size && strncasecmp(name, out->name, out->name_size) == 0)
            return true;
    return false;
}

/* A parameter's text without its escapes; how many bytes. */
static size_t parameter_unquote(const struct parameter *parameter, char *to)
{
    size_t size = 0;

    for (size_t i = 0; i < parameter->value_size; i++) {
        const char *c = parameter->value + i;

        if (parameter->quoted && *c == '\\' && i + 1 < parameter->value_size &&
            (c[1] == '"' || c[1] == '\\'))
            i++;
        to[size++] = parameter->value[i];
    }
    return size;
}

static int parameter_hex(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

    return at ? (int)((at - digits) % 16) : -1;
}

/* Decodes "%C3%A9"; of ISO 8859-1 each byte becomes one or two. How many bytes. */
static size_t parameter_decode(const char *text, size_t size, bool latin, char *to)
{
    size_t length = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte == '%' && i + 2 < size && parameter_hex(text[i + 1]) >= 0 &&
            parameter_hex(text[i + 2]) >= 0) {
            byte = (unsigned char)(parameter_hex(text[i + 1]) * 16 + parameter_hex(text[i + 2]));
            i += 2;
        }
        if (latin && byte >= 0x80) {
            to[length++] = (char)(0xc0 | byte >> 6);
            byte = 0x80 | (byte & 0x3f);
        }
        to[length++] = (char)byte;
    }
    return length;
}

/* Splits "UTF-8'en'text": where its text begins; NULL for another charset. */
static const char *parameter_charset(const char *text, size_t size, bool *latin)
{
    const char *end = text + size, *quote = memchr(text, '\'', size);
    const char *second = quote ? memchr(quote + 1, '\'', (size_t)(end - quote) - 1) : NULL;
    size_t length = quote ? (size_t)(quote - text) : 0;

    if (!second)
        return NULL;
    *latin = length == 10 && strncasecmp(text, "iso-8859-1", 10) == 0;
    if (*latin || (length == 5 && strncasecmp(text, "utf-8", 5) == 0) ||
        (length == 8 && strncasecmp(text, "us-ascii", 8) == 0))
        return second + 1;
    return NULL;
}

/* "name*=UTF-8''text": its bytes at `to`; -1: none of a known charset. */
static ssize_t parameter_extended(const char *value, const char *name, char *to)
{
    char full[PARAMETER_NAME];
    struct parameter found;
    const char *text;
    bool latin;

    snprintf(full, sizeof full, "%s*", name);
    if (!parameter_find(value, full, &found) || found.quoted)
        return -1;
    text = parameter_charset(found.value, found.value_size, &latin);
    if (!text)
        return -1;
    return (ssize_t)parameter_decode(text, (size_t)(found.value + found.value_size - text), latin,
                                     to);
}

/* "name*0=a; name*1*=%20b": the bytes at `to`; -1: there is no first one. */
static ssize_t parameter_pieces(const char *value, const char *name, char *to)
{
    char full[PARAMETER_NAME];
    struct parameter found;
    bool latin = false;
    size_t size = 0;
    int i;

    for (i = 0; i < PARAMETER_PIECES; i++) {
        const char *text;

        snprintf(full, sizeof full, "%s*%d", name, i);
        if (parameter_find(value, full, &found)) {
            size += parameter_unquote(&found, to + size);
            continue;
        }
        snprintf(full, sizeof full, "%s*%d*", name, i);
        if (!parameter_find(value, full, &found))
            break;
        text = i > 0 ? found.value : parameter_charset(found.value, found.value_size, &latin);
        if (!text)
            return -1;
        size += parameter_decode(text, (size_t)(found.value + found.value_size - text), latin,
                                 to + size);
    }
    return i > 0 ? (ssize_t)size : -1;
}

static ssize_t parameter_plain(const char *value, const char *name, char *to)
{
    struct parameter found;

    return parameter_find(value, name, &found) ? (ssize_t)parameter_unquote(&found, to) : -1;
}

static bool parameter_is_clean(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return true;
}

int ed_parameter_get(const char *value, const char *name, struct ed_arena *arena, const char **out)
{
    ssize_t (*const forms[])(const char *, const char *,
                             char *) = {parameter_extended, parameter_pieces, parameter_plain};
    char *text = ed_arena_alloc(arena, 2 * strlen(value) + 1); /* of ISO 8859-1 each is two */

    *out = NULL;
    if (!text)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && !*out; i++) {
        ssize_t size = forms[i](value, name, text);

        if (size < 0 || !parameter_is_clean(text, (size_t)size))
            continue;
        text[size] = '\0';
        *out = text;
    }
    return 0;
}
