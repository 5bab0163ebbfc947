/* SPDX-License-Identifier: MIT */
/* A bar on the terminal: how many are done, how fast it goes, how long it will take. */
#ifndef ED_TOOLS_PROGRESS_H
#define ED_TOOLS_PROGRESS_H

#include <eddy.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED_PROGRESS_LINE 512

struct ed_progress {
    bool shown;         /* standard error is a terminal; else all of this is silent */
    size_t done, total; /* pages, set by who fetches them */
    uint64_t bytes;     /* likewise */
    double start;       /* of eddy_time() */
};

/* Begins; `total` pages. */
void ed_progress_begin(struct ed_progress *progress, size_t total);

/* Draws the bar ten times a second, until it is cancelled. Suspends. */
EDDY_AWAITS int ed_progress_show(struct ed_progress *progress);

/* Takes the bar away, so that something else can be printed. */
void ed_progress_clear(const struct ed_progress *progress);

/* The line itself at a time, `columns` wide at most. */
void ed_progress_format(const struct ed_progress *progress, double now, size_t columns,
                        char line[ED_PROGRESS_LINE]);

#endif
