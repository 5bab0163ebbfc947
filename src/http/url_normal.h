/* SPDX-License-Identifier: MIT */
/* Texts of URLs: their parts, and their normal form. */
#ifndef ED_HTTP_URL_NORMAL_H
#define ED_HTTP_URL_NORMAL_H

#include "base/buffer.h"

struct ed_url_text {
    const char *text; /* NULL: the part is missing */
    size_t size;
};

/* The parts of a text between its delimiters, borrowed. */
struct ed_url_parts {
    struct ed_url_text scheme, authority, path, query, fragment;
    struct ed_url_text user, host, port; /* of the authority; `user` with its password */
};

/* Takes any text apart (RFC 3986, appendix B). */
void ed_url_split(const char *text, struct ed_url_parts *out);

/*
 * Appends the normal form of a URL or reference to `out`, with a NUL, joined to the normal text
 * `base` unless that is NULL. `parts` are those of `text`. 0; -ENOMEM; EDDY_EURL, with a text.
 */
int ed_url_normal(const char *base, const char *text, const struct ed_url_parts *parts,
                  struct eddy_buffer_ *out);

#endif
