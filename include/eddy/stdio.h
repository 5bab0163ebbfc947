/* SPDX-License-Identifier: MIT */
/*
 * The process's standard streams, whatever they are: terminal, pipe, socket or file.
 *
 *     eddy_stream *in, *out;
 *     eddy_line line;
 *     int rc;
 *
 *     EDDY_TRY(eddy_stdin(&in));
 *     EDDY_TRY(eddy_stdout(&out));
 *     EDDY_FOR_EACH(rc, line, eddy_lines(in))
 *         EDDY_TRY(eddy_printf(out, "%zu: %s", line.size, line.text));
 *     return rc;
 *
 * Each is made by the first call in a loop, of what its descriptor is then, and is that loop's: the
 * caller borrows it, eddy_stream_close returns -EPERM, and the descriptor stays open. Two loops
 * have streams of their own over the same terminal or file, whose writes may mix.
 *
 * The end. When a loop closes, at the end of eddy_run, what was written goes first, also when the
 * main task failed or was cancelled. A reader of a pipe or terminal who takes nothing for 60
 * seconds is given up; what is left then is lost, and reported unless it was standard error's. To
 * wait without a limit, or to know of an error, eddy_flush; not to wait, eddy_stream_abort. exit(3)
 * inside the loop loses what is kept.
 *
 * Beside stdio and other processes. The flags of the descriptors are left alone: pipes and
 * terminals are opened anew for the loop, and where that is not possible (no /proc, another user's
 * pipe) each read or write waits until poll(2) promises that it will not block; then one who shares
 * the descriptor and is faster may hold the loop up. What both write comes in the order in which
 * they hand it to the kernel: fflush(stdout) before, eddy_flush(out) behind. Bytes that one has
 * read ahead are not seen by the other.
 *
 * Files that the shell has redirected to. Writes go to the position that all who share the
 * descriptor share, or with >> to the end, and move it. Reading begins at that position, and when
 * the loop ends it stands behind what was taken, so that in `{ mine; cat; } <file` cat goes on
 * there.
 *
 * A pipe whose reader has gone is -EPIPE, and no signal; what is lost by that at the end of the
 * loop is not reported.
 */
#ifndef EDDY_STDIO_H
#define EDDY_STDIO_H

#include "eddy/compat.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

/*
 * The stream of descriptor 0, 1 or 2, borrowed from the loop. Do not wait.
 *
 * Return 0, or with *out untouched
 *   -EBADF    the descriptor is closed
 *   -EISDIR   it is a directory
 *   -EBUSY    it belongs to another stream or object of the loop's
 *   -EMFILE   there are too many descriptors: the stream has one of its own
 *   -ENOMEM, -EPERM outside a loop
 */
EDDY_NODISCARD EDDY_API int eddy_stdin(eddy_stream **out);
EDDY_NODISCARD EDDY_API int eddy_stdout(eddy_stream **out); /* See eddy_stdin. */
EDDY_NODISCARD EDDY_API int eddy_stderr(eddy_stream **out); /* See eddy_stdin. */

EDDY_END_DECLS
#endif
