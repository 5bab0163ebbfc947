/* SPDX-License-Identifier: MIT */
/* Why a page was not fetched: a few words for summaries, and a status to exit with. */
#ifndef ED_TOOLS_CAUSE_H
#define ED_TOOLS_CAUSE_H

#include <stdbool.h>

enum ed_exit {
    ED_EXIT_OTHER = 1,
    ED_EXIT_INTERRUPTED = 130, /* by SIGINT */
    ED_EXIT_TERMINATED = 143,  /* by SIGTERM */
};

struct ed_cause {
    int exit; /* those of curl where it has one */
    const char *text;
};

/* The cause behind an error of the client's. Never NULL. */
const struct ed_cause *ed_cause_of(int code);

/* Whether an error counts as one of the output's. */
bool ed_cause_is_of_files(int code);
/* An error that the network's side has returned: one that would count as the output's, or as not
 * allowed to write, becomes one of a connection, with the same text. */
int ed_cause_of_network(int code);

/* The table that `eddy get --help` prints; whole lines. */
extern const char ed_cause_table[];

#endif
