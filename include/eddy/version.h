/* SPDX-License-Identifier: MIT */
/*
 * The version of Eddy, of the header and of the library.
 *
 * 0.x promises no ABI: each minor version has its own soname.
 */
#ifndef EDDY_VERSION_H
#define EDDY_VERSION_H

#include <eddy/compat.h>

#define EDDY_VERSION_MAJOR 0
#define EDDY_VERSION_MINOR 1
#define EDDY_VERSION_PATCH 0

#define EDDY_VERSION_STRING "0.1.0"

/* One number that can be compared: 1.2.3 is 10203. */
#define EDDY_VERSION (EDDY_VERSION_MAJOR * 10000 + EDDY_VERSION_MINOR * 100 + EDDY_VERSION_PATCH)

EDDY_BEGIN_DECLS

/*
 * Returns the version of the library that the program runs with, as
 * EDDY_VERSION_STRING is that of the header it was compiled with. Never fails;
 * the text is constant.
 */
EDDY_API const char *eddy_version(void);

EDDY_END_DECLS

#endif
