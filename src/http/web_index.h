/* SPDX-License-Identifier: MIT */
/* Pages that list what is in a folder. */
#ifndef ED_HTTP_WEB_INDEX_H
#define ED_HTTP_WEB_INDEX_H

#include "base/compat.h"
#include "eddy/compat.h"

/*
 * Makes the page of a folder.
 *
 * fd       its descriptor, which it takes
 * title    the path that is shown
 * hidden   names that begin with a dot, too
 * top      there is nothing above it
 * page     on success a text, owned by the caller: eddy_free() it
 *
 * Suspends: it is read in a thread. 0, an error of readdir(3), -ENOMEM.
 */
EDDY_AWAITS int ed_web_index(int fd, const char *title, bool hidden, bool top, char **page);

#endif
