/* SPDX-License-Identifier: MIT */
/*
 * Options of the command line, by a table: what is accepted, what --help says, and the sentence
 * for what is wrong all come from it.
 */
#ifndef ED_TOOLS_OPTION_H
#define ED_TOOLS_OPTION_H

#include <stdbool.h>
#include <stddef.h>

enum ed_option_kind {
    ED_OPTION_FLAG,    /* bool: it is there */
    ED_OPTION_COUNT,   /* long: a whole number from `least` to `most` */
    ED_OPTION_SECONDS, /* double: more than 0, up to `most` */
    ED_OPTION_TEXT,    /* const char *: any */
    ED_OPTION_TEXTS,   /* const char *[2]: two that belong together */
};

struct ed_option {
    char letter;      /* "-c"; 0: none */
    const char *name; /* "--timeout"; NULL: none */
    enum ed_option_kind kind;
    void *out;         /* of its kind's type; left alone where the option is not given */
    const char *value; /* how --help calls the value, "N"; of a flag NULL */
    const char *help;  /* one line */
    double least, most;
};

/* What a command takes. */
struct ed_usage {
    const char *command;  /* "eddy get" */
    const char *operands; /* "URL..." */
    const char *about;    /* what it does; whole lines */
    const char *more;     /* behind the options in --help; NULL: nothing */
    const struct ed_option *options;
    size_t count;
};

/* What was found: go on, or end with one of these statuses. */
#define ED_OPTION_GO_ON (-1)
#define ED_EXIT_USAGE 2

/*
 * Reads the arguments behind argv[0]. Options may stand behind operands, up to a "--"; a value
 * stands behind its option, or in the same argument, -cN or --name=N.
 *
 * argv    operands are moved to the front of it, a NULL behind the last
 *
 * Returns ED_OPTION_GO_ON; 0 when --help has been printed; or ED_EXIT_USAGE, with a sentence that
 * names the option and its value on the standard error stream.
 */
int ed_option_parse(const struct ed_usage *usage, char **argv);

/* Complains as ed_option_parse does, and returns ED_EXIT_USAGE. */
int ed_usage_fail(const struct ed_usage *usage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
