/* SPDX-License-Identifier: MIT */
/*
 * Content codings (RFC 9110, 8.4): gzip, deflate (zlib's, or raw as some send it), br, zstd. Pure:
 * bytes in, bytes out, never waits. The only files that include their headers are coding_*.c.
 */
#ifndef ED_HTTP_CODING_H
#define ED_HTTP_CODING_H

#include <sys/types.h>

#include "base/compat.h"
#include "http/headers.h"

enum ed_coding {
    ED_CODING_IDENTITY,
    ED_CODING_GZIP,
    ED_CODING_DEFLATE,
    ED_CODING_BROTLI,
    ED_CODING_ZSTD,
    ED_CODING_UNKNOWN,
};

/* By its name, without regard to case; "x-gzip" too. And "" for identity. */
enum ed_coding ed_coding_by_name(const char *name, size_t size);
const char *ed_coding_name(enum ed_coding coding);
/* What Accept-Encoding says by default: "gzip, deflate, br, zstd". */
extern const char ed_codings[];
/* The best coding for an Accept-Encoding value (RFC 9110, 12.5.3): that of the highest weight, of
 * equals the first of br, zstd, gzip, deflate; identity when none of them may be; NULL is
 * identity. */
enum ed_coding ed_coding_choose(const char *accepted);
/* Whether such a value takes a coding other than identity. */
bool ed_coding_is_accepted(const char *accepted, enum ed_coding coding);

struct ed_coder; /* either way */

/* 0, -EINVAL for identity and unknown, -ENOMEM. `level` 0: one that suits answers made on the spot.
 * What a coder holds is bounded: an encoder 4 MiB, a decoder its window, 16 MiB at most. */
int ed_encoder_new(enum ed_coding coding, int level, struct ed_coder **out);
int ed_decoder_new(enum ed_coding coding, struct ed_coder **out);
void ed_coder_free(struct ed_coder *coder);

/*
 * Takes what it can of *in, and puts what it can at `out`, 64 bytes or more for an encoder and 1
 * for a decoder. `last`: nothing follows what is in *in. With `flush` an encoder puts out all it
 * has of what it was given. To be called until it returns 0.
 *
 * Returns how many bytes were put, with *in and *in_size moved behind what was taken; 0 when all is
 * taken and put: it wants more, or with `last` it has ended: ed_coder_ended().
 * EDDY_EHTTP_PAYLOAD, with a text, for what cannot be decoded, ends early or goes on behind its
 * end; -ENOMEM. No call makes more than `size` bytes, so that a bomb explodes no faster than it is
 * read. At most 1,024 members of gzip are taken. With `last` from the first call on, no bytes at
 * all are an empty body.
 */
ssize_t ed_coder_step(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                      size_t size, bool flush, bool last);
bool ed_coder_ended(const struct ed_coder *coder);

#endif
