/* SPDX-License-Identifier: MIT */
/* For tests of the standard streams. */
#ifndef ED_OS_STDIO_H
#define ED_OS_STDIO_H

#include "eddy/stdio.h"

/* Where descriptors can be opened anew; a test takes it away. */
extern const char *ed_stdio_descriptors;

#endif
