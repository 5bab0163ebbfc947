/* SPDX-License-Identifier: MIT */
/* The programs that are measured. */
#ifndef BENCH_CONTEST_COMPETITOR_H
#define BENCH_CONTEST_COMPETITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "process.h"

#define FIGURES 4 /* that a contest yields, at most */

/* What a figure is to reach: at most or at least so many times the base's, or by itself. All zero
 * is no bar. */
struct bar {
    double most, least;
    bool alone;
};

struct competitor {
    const char *name;
    const char *base;       /* name of the competitor that it is compared with, or NULL */
    const char *command[6]; /* begins with a program of this build, or a path or name of PATH */
    const char *engine;     /* EDDY_ENGINE, or NULL */
    const char *module;     /* that Python must have, or NULL if it is no Python program */
    bool peer;              /* left out by --no-peers */
    bool present;           /* it could be found or built */
    struct bar bars[FIGURES];
};

/* The path of a file of this build's bench folder; in a static buffer. */
const char *build_path(const char *name);

/* Marks the competitors that exist, building the Go one; tells of those that do not. */
void competitors_find(struct competitor *competitors, size_t count, bool peers);

/* Starts one with up to 6 more arguments, up to a NULL; see process_start. */
struct process
competitor_start(const struct competitor *competitor, const char *const *more, int core);

#endif
