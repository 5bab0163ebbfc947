/* SPDX-License-Identifier: MIT */
/* Temporary files without a stream yet. */
#ifndef ED_OS_TEMPFILE_H
#define ED_OS_TEMPFILE_H

#include "eddy/tempfile.h"

#define ED_TEMPORARY_TITLE "a temporary file" /* of one without a name, in texts */

/* Where it is made. */
const char *ed_temporary_folder(const eddy_temporary_options *options);

/* A descriptor of a new file without a name, which is the caller's, as eddy_temporary_file makes
 * it; or an error of that. Suspends. */
int ed_temporary_descriptor(const eddy_temporary_options *options);

#endif
