/* SPDX-License-Identifier: MIT */
/* Calls that their callers leave: rules F-9, F-30 to F-33. */
#include "os/files.h"
