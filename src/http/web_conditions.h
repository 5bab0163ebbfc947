/* SPDX-License-Identifier: MIT */
/* Conditional requests (RFC 9110, 13). */
#ifndef ED_HTTP_WEB_CONDITIONS_H
#define ED_HTTP_WEB_CONDITIONS_H

#include <time.h>

#include "eddy/http_message.h"

/* What is known of what would be sent. */
struct ed_validators {
    const char *etag; /* with its quotes, and W/ before it if it is weak; NULL: none */
    time_t modified;  /* seconds since 1970; -1: not known */
};

/* What the conditions of a request say, in the order of RFC 9110, 13.2.2: 0, it is to be done; 304,
 * for GET and HEAD (`reads`); or 412. */
int ed_conditions_check(const eddy_headers *headers, bool reads, const struct ed_validators *now);

/* Whether a Range field counts: there is no If-Range, or it fits. */
bool ed_if_range_holds(const eddy_headers *headers, const struct ed_validators *now);

#endif
