/* SPDX-License-Identifier: MIT */
/* The URLs that a command is to fetch: its operands, and the lines of a file. */
#ifndef ED_TOOLS_URL_LIST_H
#define ED_TOOLS_URL_LIST_H

#include <eddy/compat.h>
#include <stddef.h>

struct ed_url_list {
    const char **urls;
    size_t count;
    char *text; /* the file's, which they point into */
};

/*
 * Makes a list of operands, which end with NULL and are borrowed, and then of the lines of a file;
 * path NULL: none, "-": the standard input. Blanks around a line are cut; one that is empty or
 * begins with "#" is passed over.
 *
 * Suspends. Returns 0, an error of the file's, -ENOMEM; ed_url_list_free() it in any case.
 */
EDDY_NODISCARD EDDY_AWAITS int
ed_url_list_read(struct ed_url_list *list, char **operands, const char *path);
void ed_url_list_free(struct ed_url_list *list);

#endif
