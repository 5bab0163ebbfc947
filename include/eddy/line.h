/* SPDX-License-Identifier: MIT */
/*
 * Lines of a stream: one at a time into memory of one's own, or all in a loop without a copy. A
 * line ends with "\n"; the last one may lack it.
 */
#ifndef EDDY_LINE_H
#define EDDY_LINE_H

#include "eddy/compat.h"
#include "eddy/generator.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

/*
 * Reads a line, its newline included, and ends it with a NUL, as fgets does. A last line
 * without a newline is a line too. Suspends until it is there.
 *
 * Returns its length without the NUL; 0 at the end of the stream; EDDY_ELIMIT when the line
 * does not fit into `size` bytes: it stays readable, and eddy_stream_partial() of its bytes are
 * there without its newline; eddy_skip_until drops all of it; or an error of eddy_read: nothing
 * was taken.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_read_line(eddy_stream *stream, char *line,
                                                           size_t size);

/* A line of eddy_lines: NUL-terminated; borrowed until the next one. */
typedef struct eddy_line {
    char *text;
    size_t size; /* bytes without the NUL */
} eddy_line;

/*
 * The lines of a stream up to its end, newlines included, as values of type eddy_line:
 *
 *     eddy_line line;
 *     int rc;
 *
 *     EDDY_FOR_EACH(rc, line, eddy_lines(stream))
 *         fputs(line.text, stdout);
 *
 * They are not copied, and may be as long as the stream's limit, the newline not counted. One
 * that is longer ends the loop with EDDY_ELIMIT and stays readable: set a larger limit, or drop
 * it by eddy_skip_until(stream, "\n", 1), and begin a new loop. The stream must not be closed
 * before the generator.
 */
EDDY_NODISCARD EDDY_API eddy_generator *eddy_lines(eddy_stream *stream);

/* The same without their newlines, "\n" or "\r\n". */
EDDY_NODISCARD EDDY_API eddy_generator *eddy_stripped_lines(eddy_stream *stream);

/* Ends a line of `size` bytes, NUL-terminated, before its newline, "\n" or "\r\n", if it has one.
 * Returns the bytes that are left; for lines of eddy_lines and eddy_read_line. */
EDDY_API size_t eddy_strip_newline(char *text, size_t size);

EDDY_END_DECLS
#endif
