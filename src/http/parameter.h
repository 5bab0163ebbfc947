/* SPDX-License-Identifier: MIT */
/* The parameters of a field's value: "form-data; name=\"a\"" (RFC 9110, 5.6.6; RFC 8187; RFC
 * 2231). */
#ifndef ED_HTTP_PARAMETER_H
#define ED_HTTP_PARAMETER_H

#include "http/arena.h"

/*
 * The text of a parameter, in the arena: without its quotes and escapes; of "name*", or else of its
 * pieces "name*0", "name*1", ..., or else of "name". Those in UTF-8 and ISO 8859-1 are understood,
 * and given in UTF-8; what has a control character is passed over. *out is NULL when there is
 * none. 0, -ENOMEM.
 */
int ed_parameter_get(const char *value, const char *name, struct ed_arena *arena, const char **out);

#endif
