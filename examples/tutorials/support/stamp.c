/* SPDX-License-Identifier: MIT */
/*
 * Linked into every tutorial program for tools/check-tutorials. With EDDY_STAMP
 * set, each line of standard output begins with its time in seconds since the
 * program started, on the loop's clock: "[3.000] Data fetched".
 */
#define _GNU_SOURCE
#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *real_output;
static double started;

static ssize_t stamp_write(void *cookie, const char *text, size_t length)
{
    bool *line_begins = cookie;

    for (size_t i = 0; i < length; i++) {
        if (*line_begins)
            fprintf(real_output, "[%.3f] ", eddy_time() - started);
        putc(text[i], real_output);
        *line_begins = text[i] == '\n';
    }
    return fflush(real_output) == 0 ? (ssize_t)length : 0;
}

/* The time at which a loop begins, which under the virtual clock is not that outside. */
static double loop_begins(void)
{
    eddy_loop *loop = NULL;
    if (eddy_loop_new(&loop) < 0)
        return eddy_time();
    double now = eddy_loop_time(loop);
    eddy_loop_free(loop);
    return now;
}

__attribute__((constructor)) static void stamp_begin(void)
{
    static bool line_begins = true;
    if (getenv("EDDY_STAMP") == NULL)
        return;
    FILE *stamped = fopencookie(&line_begins, "w", (cookie_io_functions_t){.write = stamp_write});
    if (stamped == NULL || setvbuf(stamped, NULL, _IOLBF, BUFSIZ) != 0)
        abort();
    started = loop_begins();
    real_output = stdout;
    stdout = stamped;
}
