/* SPDX-License-Identifier: MIT */
/* What generators of names have in common. */
#ifndef ED_OS_DIRECTORY_H
#define ED_OS_DIRECTORY_H

#include "eddy/directory.h"

/* A generator whose only argument is a copy of a path, `char *`, which its body has to free. */
eddy_generator *
ed_path_generator(eddy_generator_entry *body, const char *path, size_t item_size, const char *name);

#endif
