/* SPDX-License-Identifier: MIT */
/*
 * Pipes, sockets and terminals have readers, who may be slow: what goes there goes by way of the
 * loop's stream, which keeps some of it; what is printed without a wait is all or nothing. Files
 * and other devices are written to as stdio does.
 */
#include "tools/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAY_TEXT 2048 /* bytes of a formatted text at most; the rest is cut */
#define SAY_LAST 1.0  /* seconds behind a stop */

/* The stream, where somebody else has to take what is printed. */
static bool say_stream(eddy_stream **out)
{
    struct stat status;

    if (!eddy_current_task() || fstat(STDERR_FILENO, &status) < 0)
        return false;
    if (!S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode) && !isatty(STDERR_FILENO))
        return false;
    return eddy_stderr(out) == 0;
}

bool ed_say_now(const char *data, size_t size)
{
    eddy_stream *stream;

    if (say_stream(&stream))
        return eddy_write_nowait(stream, data, size) != -EAGAIN;
    (void)fwrite(data, 1, size, stderr); /* there is nobody to tell */
    return true;
}

void ed_say_bytes(const char *data, size_t size)
{
    eddy_stream *stream;

    if (!ed_say_now(data, size) && say_stream(&stream))
        (void)eddy_write(stream, data, size); /* likewise */
}

void ed_say(const char *format, ...)
{
    char text[SAY_TEXT];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ed_say_bytes(text, strlen(text));
}

/* Waits for the last bytes, whatever has stopped the task. */
static int say_hurry(eddy_stream *stream)
{
    EDDY_SHIELD(last);
    EDDY_TIMEOUT(limit, SAY_LAST);

    return eddy_flush(stream);
}

void ed_say_end(double seconds)
{
    eddy_stream *stream;
    bool expired;
    int rc;

    if (!say_stream(&stream))
        return;
    {
        EDDY_TIMEOUT(limit, seconds);

        rc = eddy_flush(stream);
        expired = eddy_timeout_expired(&limit);
    }
    if (rc < 0 && !expired)
        rc = say_hurry(stream);
    if (rc < 0)
        eddy_stream_abort(stream);
}
