/* SPDX-License-Identifier: MIT */
/*
 * Names and texts as parts of a statement. Everything that has a meaning inside of quotes is
 * doubled; a text with a backslash is written as E'...', which means the same whatever
 * standard_conforming_strings is. Only whole UTF-8 is let through, so that no byte of a character
 * cut short can swallow the quote behind it.
 */
#include <string.h>

#include "eddy/pg_connection.h"
#include "eddy/stream_class.h"

/* The bytes of a character that begins here; 0: it is none (RFC 3629). */
static size_t quote_character(const unsigned char *text)
{
    static const unsigned char least[] = {0, 0, 0x80, 0xa0, 0x90};
    unsigned char first = text[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (first > 0xf4)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 || first == 0xf0) && text[1] < least[size])
        return 0;
    if ((first == 0xed && text[1] > 0x9f) || (first == 0xf4 && text[1] > 0x8f))
        return 0;
    return size;
}

/* Counts the bytes of a text in which `doubled` stand twice; SIZE_MAX: it is not UTF-8. */
static size_t quote_measure(const char *text, const char *doubled)
{
    size_t size = 0, step;

    for (; *text; text += step) {
        step = quote_character((const unsigned char *)text);
        if (step == 0)
            return SIZE_MAX;
        size += step + (strchr(doubled, *text) != NULL);
    }
    return size;
}

static char *quote(const char *text, char mark, const char *doubled, const char *prefix)
{
    size_t size = quote_measure(text, doubled), at = strlen(prefix);
    char *quoted = size == SIZE_MAX ? NULL : eddy_alloc_(at + size + 3);

    if (!quoted)
        return NULL;
    memcpy(quoted, prefix, at);
    quoted[at++] = mark;
    for (; *text; text++) {
        if (strchr(doubled, *text))
            quoted[at++] = *text;
        quoted[at++] = *text;
    }
    quoted[at++] = mark;
    quoted[at] = '\0';
    return quoted;
}

char *eddy_pg_quote_identifier(const char *name)
{
    return quote(name, '"', "\"", "");
}

char *eddy_pg_quote_literal(const char *text)
{
    return quote(text, '\'', "'\\", strchr(text, '\\') ? " E" : "");
}
