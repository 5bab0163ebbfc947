/* SPDX-License-Identifier: MIT */
/* The lines of a message's framing, as they come: start lines, fields, sizes of chunks. */
#ifndef ED_HTTP_LINES_H
#define ED_HTTP_LINES_H

#include "base/compat.h"

/* What is wrong with the byte behind those that were taken. */
enum ed_lines_fault {
    ED_LINES_FINE,
    ED_LINES_BARE_CR, /* a CR is not followed by a LF, */
    ED_LINES_BARE_LF, /* or a LF follows none */
    ED_LINES_CONTROL, /* another control than the tab */
    ED_LINES_FRONT,   /* a line begins with a blank, as folded ones do, or a colon */
    ED_LINES_LINE,    /* a line is longer than its limit, */
    ED_LINES_COUNT,   /* there are more of them, */
    ED_LINES_SIZE,    /* or all together are longer */
};

struct ed_lines {
    size_t line_limit;  /* bytes of a line, without its end */
    size_t count_limit; /* lines, without those that are empty */
    size_t size_limit;  /* bytes of all */
    size_t line;        /* bytes of the line that has begun; once it is whole, of that */
    size_t count;       /* lines that have begun */
    size_t size;        /* bytes that were taken */
    bool whole;         /* the last byte that was taken ended a line */
    bool cr;            /* or is a CR */
    enum ed_lines_fault fault;
};

/*
 * Takes bytes up to the end of the line that they go on with, or begin. Returns how many, the end
 * included; fewer than there are and no whole line: see `fault`, which stays. What is taken of a
 * text, and its fault, do not depend on the pieces in which it comes.
 */
size_t ed_lines_take(struct ed_lines *lines, const char *data, size_t size);

/* Whether a line with a chunk's size, from its first ";" on, has extensions only (RFC 9112,
 * 7.1.1). */
bool ed_chunk_extensions_check(const char *line, size_t size);

#endif
