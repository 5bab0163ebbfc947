/* SPDX-License-Identifier: MIT */
/*
 * The line is drawn over itself: a carriage return, the text, and then what clears the rest. The
 * time that is left supposes that all pages cost the same.
 */
#include "tools/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/say.h"
#include "tools/tally.h"

#define BAR 24 /* columns of the bar itself */

void ed_progress_begin(struct ed_progress *progress, size_t total)
{
    *progress =
        (struct ed_progress){.shown = isatty(STDERR_FILENO), .total = total, .start = eddy_time()};
}

/* "12 s", "3 min 05 s", "2 h 05 min". */
static void format_time(double seconds, char text[32])
{
    long whole = seconds < 1e8 ? lround(ceil(seconds)) : 99999999;

    if (whole < 100)
        snprintf(text, 32, "%ld s", whole);
    else if (whole < 6000)
        snprintf(text, 32, "%ld min %02ld s", whole / 60, whole % 60);
    else
        snprintf(text, 32, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
}

void ed_progress_format(const struct ed_progress *progress, double now, size_t columns,
                        char line[ED_PROGRESS_LINE])
{
    double passed = now - progress->start, rate = passed > 0 ? (double)progress->done / passed : 0;
    size_t full = progress->total ? BAR * progress->done / progress->total : BAR;
    char bytes[32], left[32] = "?";

    if (rate > 0)
        format_time((double)(progress->total - progress->done) / rate, left);
    snprintf(line, ED_PROGRESS_LINE, "[%.*s%.*s] %zu of %zu, %s, %.*f a second, %s left", (int)full,
             "########################", (int)(BAR - full), "                        ",
             progress->done, progress->total, ed_bytes_text(progress->bytes, bytes),
             rate < 10 ? 1 : 0, rate, left);
    if (columns < ED_PROGRESS_LINE)
        line[columns] = '\0';
}

static size_t terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
        return 79;
    return size.ws_col - 1U; /* the last column would begin a new line */
}

int ed_progress_show(struct ed_progress *progress)
{
    char line[ED_PROGRESS_LINE], text[ED_PROGRESS_LINE + 8];

    while (progress->shown) {
        EDDY_TRY(eddy_sleep(0.1));
        ed_progress_format(progress, eddy_time(), terminal_columns(), line);
        snprintf(text, sizeof text, "\r%s\033[K", line);
        (void)ed_say_now(text, strlen(text)); /* the next one will do */
    }
    return 0;
}

void ed_progress_clear(const struct ed_progress *progress)
{
    static const char clear[] = "\r\033[K";

    if (progress->shown)
        (void)ed_say_now(clear, sizeof clear - 1); /* then the terminal stands still */
}
