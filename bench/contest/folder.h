/* SPDX-License-Identifier: MIT */
/* A folder for what a benchmark makes, gone when it ends. */
#ifndef BENCH_CONTEST_FOLDER_H
#define BENCH_CONTEST_FOLDER_H

/*
 * Makes a folder in `parent`, or in TMPDIR where that is set, whose name begins with `name`, and
 * enters it: returns its path, in a static buffer. From here on a child goes on with the program;
 * this process waits for it and for all that it leaves behind, then removes the folder, and exits
 * as the child did. Exits if it cannot.
 */
const char *folder_enter(const char *parent, const char *name);

#endif
