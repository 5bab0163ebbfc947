/* SPDX-License-Identifier: MIT */
/*
 * The version that the library was built as.
 *
 * Layer base.
 */
#include <eddy/version.h>

const char *eddy_version(void)
{
    return EDDY_VERSION_STRING;
}
