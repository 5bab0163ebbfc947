/* SPDX-License-Identifier: MIT */
/* What the fields of a head mean for the connection, and which are refused. */
#ifndef ED_HTTP_HEAD_H
#define ED_HTTP_HEAD_H

#include "http/reader.h"

/* Why a head is refused. */
struct ed_refusal {
    int status;       /* that a server answers with */
    const char *text; /* static */
};

/*
 * Completes a head from its method, target, status, version and fields, in the arena of these.
 * True; false with *why set, or with its status 0: no memory.
 */
bool ed_head_complete(struct ed_head *head, bool response, struct ed_refusal *why);

/* Whether a method may have a target of this form (RFC 9112, 3.2), and its length: true, or why
 * not. */
bool ed_target_check(const char *method, size_t method_size, const char *target, size_t size,
                     struct ed_refusal *why);

/* Whether fields may be trailers: none of them says how the message is framed or routed. */
bool ed_trailers_check(const struct eddy_headers *trailers, struct ed_refusal *why);

#endif
