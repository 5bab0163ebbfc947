/* SPDX-License-Identifier: MIT */
/*
 * Aborting with a sentence. Formats into a buffer of its own and writes it with
 * one call, so that it works on a short stack and does not interleave.
 */
#include "base/die.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void eddy_die_(const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fflush(stdout);
    fprintf(stderr, "eddy: %s\n", text);
    abort();
}
