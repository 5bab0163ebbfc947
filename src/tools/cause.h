/* SPDX-License-Identifier: MIT */
/* Why a page was not fetched: a few words for summaries, and a status to exit with. */
#ifndef ED_TOOLS_CAUSE_H
#define ED_TOOLS_CAUSE_H

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

/* The table that `eddy get --help` prints; whole lines. */
extern const char ed_cause_table[];

#endif
