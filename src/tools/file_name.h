/* SPDX-License-Identifier: MIT */
/* Names for the files that pages are kept in. */
#ifndef ED_TOOLS_FILE_NAME_H
#define ED_TOOLS_FILE_NAME_H

#include <eddy/compat.h>
#include <stddef.h>

#define ED_FILE_NAME 200 /* bytes of a name, with its NUL */

/* Names that are given away; all zero: none. */
struct ed_file_names {
    void *root; /* of tsearch(3) */
};

/*
 * Names the file of a page by the last segment of its URL's path, "index.html" for an empty one,
 * and its query. A name that is taken already gets a number: "page-2.html".
 *
 * What is not a letter, digit or one of "._-+=,@%~" becomes "_", and so does a dot or hyphen in
 * front: a name is one segment, neither hidden, nor an option, nor "..".
 *
 * Returns 0; EDDY_EURL for what is no URL; -ENOMEM.
 */
EDDY_NODISCARD int
ed_file_name(struct ed_file_names *names, const char *url, char name[ED_FILE_NAME]);
void ed_file_names_free(struct ed_file_names *names);

#endif
