/* SPDX-License-Identifier: MIT */
/* Error codes and their texts. */
#ifndef ED_BASE_ERROR_H
#define ED_BASE_ERROR_H

#include "eddy/error.h"

/* The negative code of an errno name such as "EIO", or 0. */
int ed_error_by_name(const char *name);

/* The text of a code that has come from starting a process or a thread. */
const char *ed_error_of_start(int code);

#endif
