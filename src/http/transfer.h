/* SPDX-License-Identifier: MIT */
/* How the bytes of a part are written as text (RFC 2045, 6): base64 and quoted-printable. Pure. */
#ifndef ED_HTTP_TRANSFER_H
#define ED_HTTP_TRANSFER_H

#include <sys/types.h>

#include "base/compat.h"

enum ed_transfer_kind { ED_TRANSFER_NONE, ED_TRANSFER_BASE64, ED_TRANSFER_QUOTED };

/* A decoder; zeroed but for its kind. */
struct ed_transfer {
    enum ed_transfer_kind kind;
    unsigned bits;           /* of base64: those that are no byte yet, */
    unsigned bit_count;      /* so many; */
    unsigned digits, padded; /* and digits and "=" so far, of the last four */
    char held[2];            /* quoted: an escape that is not whole, */
    unsigned held_size;      /* so many characters */
    bool broken;             /* a character had no place there */
};

/* By the value of Content-Transfer-Encoding, NULL: none. false for one that is not known. */
bool ed_transfer_by_name(const char *name, enum ed_transfer_kind *out);

/*
 * Decodes what it can of *in into `out`. Returns how many bytes, at most `size`, with *in and
 * *in_size moved behind what was taken; EDDY_EHTTP_PAYLOAD, with a text, for what is not in that
 * encoding.
 */
ssize_t ed_transfer_step(struct ed_transfer *transfer, const char **in, size_t *in_size, char *out,
                         size_t size);

/* Whether it may end here: 0, or EDDY_EHTTP_PAYLOAD with a text. */
int ed_transfer_end(const struct ed_transfer *transfer);

#endif
