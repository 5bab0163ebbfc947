/* SPDX-License-Identifier: MIT */
/* JSON that comes from elsewhere. */
#ifndef ED_HTTP_JSON_H
#define ED_HTTP_JSON_H

#include "base/compat.h"

struct json_t;

#define ED_JSON_DEPTH 256 /* arrays and objects in each other */

/* Decodes a text: any value, of UTF-8. *out is a reference of the caller's: json_decref() it. 0;
 * `code`, with a text that says where it is wrong, or nested too deep; -ENOMEM. */
int ed_json_decode(const char *text, size_t size, int code, struct json_t **out);

/* Whether a Content-Type is JSON's: application/json, or a type that ends in "+json". */
bool ed_json_is_type(const char *type);

#endif
