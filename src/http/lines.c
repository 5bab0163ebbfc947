/* SPDX-License-Identifier: MIT */
/*
 * Lines end with CR LF, and neither stands elsewhere; there are no other controls but tabs; and no
 * line begins with a blank (RFC 9112, 2.2 and 5.2), or with the colon behind no name. Parsers
 * differ in what they let pass here, and what one takes for the end of a line and the next does not
 * is a way to smuggle a request past the first. So each byte is looked at before a parser sees it.
 *
 * Everything is decided at the byte that breaks a rule, from that byte and the state behind the
 * one before. A CR is taken, and wrong only at what follows it. Limits are met by a line's bytes
 * without its end; only an empty line's end counts.
 */
#include "http/lines.h"

#include <string.h>

#include "http/headers.h"

#define LINES_EACH(byte) (UINT64_MAX / 255 * (byte)) /* eight times the byte */

/* Not 0 if any of eight bytes is below a blank, or 0x7f. */
static uint64_t lines_controls(const char *data)
{
    uint64_t bytes, deletes;

    memcpy(&bytes, data, sizeof bytes);
    deletes = bytes ^ LINES_EACH(0x7f);
    return (((bytes - LINES_EACH(' ')) & ~bytes) | ((deletes - LINES_EACH(1)) & ~deletes)) &
           LINES_EACH(0x80);
}

/* The first control but the tab among some bytes, or their number. */
static size_t lines_find_control(const char *data, size_t size)
{
    uint64_t found = size < 8;

    for (size_t i = 0; i + 8 <= size; i += 8)
        found |= lines_controls(data + i);
    if (size >= 8)
        found |= lines_controls(data + size - 8);
    for (size_t i = 0; found && i < size; i++) {
        unsigned char c = (unsigned char)data[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return i;
    }
    return size;
}

static size_t lines_fail(struct ed_lines *lines, enum ed_lines_fault fault)
{
    lines->fault = fault;
    return 0;
}

/* A LF, if it is where it must be. */
static size_t lines_end(struct ed_lines *lines, char c)
{
    if (c != '\n')
        return lines_fail(lines, ED_LINES_BARE_CR);
    if (lines->size >= lines->size_limit && lines->line == 0)
        return lines_fail(lines, ED_LINES_SIZE);
    lines->size++;
    lines->cr = false;
    lines->whole = true;
    return 1;
}

/* How many of a line's bytes stay within the limits; if not all, the fault is set. */
static size_t lines_limit(struct ed_lines *lines, size_t size)
{
    size_t line = lines->line_limit - lines->line;
    size_t all = lines->size < lines->size_limit ? lines->size_limit - lines->size : 0;

    if (size <= line && size <= all)
        return size;
    lines->fault = line <= all ? ED_LINES_LINE : ED_LINES_SIZE;
    return line <= all ? line : all;
}

/* Takes bytes of a line, up to its LF, its end or a fault. */
static size_t lines_take_text(struct ed_lines *lines, const char *data, size_t size)
{
    const char *end = memchr(data, '\n', size);
    size_t text = lines_limit(lines, end ? (size_t)(end - data) : size);
    bool cr = text > 0 && data[text - 1] == '\r';
    size_t control = lines_find_control(data, text - cr);

    /* The CR at the end is no byte of the line, and may stand where the limit is. */
    if (control < text || (lines->fault && data[text] == '\r')) {
        lines->fault = ED_LINES_FINE;
        if (data[control] != '\r')
            lines->fault = ED_LINES_CONTROL;
        text = control;
    } else if (!lines->fault && end) {
        lines->fault = ED_LINES_BARE_LF;
    }
    lines->line += text;
    lines->size += text;
    if (lines->fault || text == size)
        return text;
    lines->size++;
    lines->cr = true;
    return text + 1;
}

size_t ed_lines_take(struct ed_lines *lines, const char *data, size_t size)
{
    size_t taken;

    if (size == 0 || lines->fault)
        return 0;
    if (lines->whole) {
        lines->whole = false;
        lines->line = 0;
    }
    if (lines->line == 0 && !lines->cr && *data != '\r') {
        if (*data == ' ' || *data == '\t' || *data == ':')
            return lines_fail(lines, ED_LINES_FRONT);
        if (lines->count >= lines->count_limit)
            return lines_fail(lines, ED_LINES_COUNT);
        lines->count++;
    }
    taken = lines->cr ? 0 : lines_take_text(lines, data, size);
    if (lines->cr && taken < size)
        taken += lines_end(lines, data[taken]);
    return taken;
}

static size_t lines_skip_blanks(const char *text, size_t size, size_t i)
{
    while (i < size && (text[i] == ' ' || text[i] == '\t'))
        i++;
    return i;
}

/* Behind a token, or a quoted text if it may be one, that begins at `i`; `i` when there is none. */
static size_t lines_skip_word(const char *text, size_t size, size_t i, bool quoted)
{
    size_t end = i;

    if (!quoted || i == size || text[i] != '"') {
        while (end < size && ed_is_token(&text[end], 1))
            end++;
        return end;
    }
    for (end++; end < size && text[end] != '"'; end++)
        end += text[end] == '\\';
    return end < size ? end + 1 : i;
}

bool ed_chunk_extensions_check(const char *line, size_t size)
{
    const char *front = memchr(line, ';', size);
    size_t i = front ? (size_t)(front - line) : size;

    while (i < size && line[i] == ';') {
        size_t name = lines_skip_blanks(line, size, i + 1), value;

        i = lines_skip_word(line, size, name, false);
        if (i == name)
            return false;
        i = lines_skip_blanks(line, size, i);
        if (i == size || line[i] != '=')
            continue;
        value = lines_skip_blanks(line, size, i + 1);
        i = lines_skip_word(line, size, value, true);
        if (i == value)
            return false;
        i = lines_skip_blanks(line, size, i);
    }
    return i == size;
}
