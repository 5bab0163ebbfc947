/* SPDX-License-Identifier: MIT */
/*
 * A value is walked from parameter to parameter, once, and where the name stands is kept, for each
 * form in which it may: so a value that is made to be long costs no more than its bytes. The walk
 * ends at the first place that is no parameter. Of several that are the same the first counts.
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

/* Where a name stands: places from which parameter_next goes to it, or NULL. */
struct parameter_forms {
    const char *plain, *extended;
    const char *pieces[PARAMETER_PIECES];
    bool encoded[PARAMETER_PIECES]; /* with "*" at its end; those without come first */
};

/* The number of "*7" or "*7*", without zeros before it; -1: that is none. */
static int parameter_number(const char *text, size_t size, bool *encoded)
{
    size_t digits;
    int number = 0;

    *encoded = size > 2 && text[size - 1] == '*';
    digits = size - 1 - *encoded;
    if (size < 2 || digits > 2 || (digits == 2 && text[1] == '0'))
        return -1;
    for (size_t i = 1; i <= digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = 10 * number + text[i] - '0';
    }
    return number;
}

/* Keeps the place of a parameter, behind whose name stands a text. */
static void
parameter_keep(struct parameter_forms *forms, const char *behind, size_t size, const char *at)
{
    bool encoded;
    int number;

    if (size == 0 || (size == 1 && *behind == '*')) {
        const char **form = size == 0 ? &forms->plain : &forms->extended;

        *form = *form ? *form : at;
        return;
    }
    number = *behind == '*' ? parameter_number(behind, size, &encoded) : -1;
    if (number < 0 || (forms->pieces[number] && (encoded || !forms->encoded[number])))
        return;
    forms->pieces[number] = at;
    forms->encoded[number] = encoded;
}

static void parameter_find(const char *value, const char *name, struct parameter_forms *forms)
{
    size_t size = strlen(name);
    struct parameter found;

    for (const char *at = value, *before = at; parameter_next(&at, &found); before = at)
        if (found.name_size >= size && strncasecmp(name, found.name, size) == 0)
            parameter_keep(forms, found.name + size, found.name_size - size, before);
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
static ssize_t parameter_extended(const struct parameter_forms *forms, char *to)
{
    const char *at = forms->extended, *text;
    struct parameter found;
    bool latin;

    if (!at || !parameter_next(&at, &found) || found.quoted)
        return -1;
    text = parameter_charset(found.value, found.value_size, &latin);
    if (!text)
        return -1;
    return (ssize_t)parameter_decode(text, (size_t)(found.value + found.value_size - text), latin,
                                     to);
}

/* "name*0=a; name*1*=%20b": the bytes at `to`; -1: there is no first one. */
static ssize_t parameter_pieces(const struct parameter_forms *forms, char *to)
{
    struct parameter found;
    bool latin = false;
    size_t size = 0;
    int i;

    for (i = 0; i < PARAMETER_PIECES && forms->pieces[i]; i++) {
        const char *at = forms->pieces[i], *text;

        if (!parameter_next(&at, &found))
            break;
        if (!forms->encoded[i]) {
            size += parameter_unquote(&found, to + size);
            continue;
        }
        text = i > 0 ? found.value : parameter_charset(found.value, found.value_size, &latin);
        if (!text)
            return -1;
        size += parameter_decode(text, (size_t)(found.value + found.value_size - text), latin,
                                 to + size);
    }
    return i > 0 ? (ssize_t)size : -1;
}

static ssize_t parameter_plain(const struct parameter_forms *forms, char *to)
{
    const char *at = forms->plain;
    struct parameter found;

    return at && parameter_next(&at, &found) ? (ssize_t)parameter_unquote(&found, to) : -1;
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
    ssize_t (*const ways[])(const struct parameter_forms *,
                            char *) = {parameter_extended, parameter_pieces, parameter_plain};
    char *text = ed_arena_alloc(arena, 2 * strlen(value) + 1); /* of ISO 8859-1 each is two */
    struct parameter_forms forms = {0};

    *out = NULL;
    if (!text)
        return -ENOMEM;
    parameter_find(value, name, &forms);
    for (size_t i = 0; i < sizeof ways / sizeof *ways && !*out; i++) {
        ssize_t size = ways[i](&forms, text);

        if (size < 0 || !parameter_is_clean(text, (size_t)size))
            continue;
        text[size] = '\0';
        *out = text;
    }
    return 0;
}
