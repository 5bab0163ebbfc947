/* SPDX-License-Identifier: MIT */
/* Names for places in the program's code and constants that hold in another process of the same
 * program; see module.c. */
#ifndef ED_OS_MODULE_H
#define ED_OS_MODULE_H

#include "base/compat.h"

struct ed_place_in_module {
    const char *path;  /* of the library, as the loader has it; "" for the program itself */
    uint64_t identity; /* of its contents */
    uint64_t offset;   /* from where it was loaded */
};

/* Where an address lies; false: in no module. The path is valid while the module is loaded. */
bool ed_module_name(const void *address, struct ed_place_in_module *place);

/* The address of a place in this process, and NULL for one that it does not have: another module
 * of that path, or an offset outside of it; with `code`, outside of its code. */
void *ed_module_find(const struct ed_place_in_module *place, bool code);

#endif
