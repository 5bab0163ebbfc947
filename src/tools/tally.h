/* SPDX-License-Identifier: MIT */
/* What has become of many requests: counts by status and by cause. */
#ifndef ED_TOOLS_TALLY_H
#define ED_TOOLS_TALLY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ED_TALLY_CAUSES 40

struct ed_tally {
    size_t whole;  /* replies that came whole, of any status */
    size_t failed; /* and what did not, */
    struct {
        const char *text;
        size_t count;
    } causes[ED_TALLY_CAUSES]; /* in the order of their first; ends with NULL, or full */
    size_t statuses[600];      /* of the whole ones */
};

/* Counts a reply, or an error of the client's. */
void ed_tally_add_status(struct ed_tally *tally, int status);
void ed_tally_add_error(struct ed_tally *tally, int code);

/* Prints a line with the statuses, when there are other ones than 200, and one with the causes of
 * failures, when there are any. */
void ed_tally_print(const struct ed_tally *tally, FILE *out);

/* "512 B", "4.2 MB": for people. */
const char *ed_bytes_text(uint64_t bytes, char text[32]);

#endif
