/* SPDX-License-Identifier: MIT */
/*
 * Content codings (RFC 9110, 8.4): gzip, deflate (zlib's, or raw as some send it), br, zstd. Pure: bytes
 * in, bytes out, never waits. The only files that include their headers are coding_*.c.
 */
#ifndef ED_HTTP_CODING_H
#define ED_HTTP_CODING_H

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
/* The best coding for an Accept-Encoding value (RFC 9110, 12.5.3): br, zstd, gzip, deflate, by weight;
 * identity when none of them may be; NULL is identity. */
enum ed_coding ed_coding_choose(const char *accepted);

struct ed_coder; /* either way */

/* 0, -EINVAL for identity and unknown, -ENOMEM. `level` 0: the coding's usual one. */
int ed_encoder_new(enum ed_coding coding, int level, struct ed_coder **out);
int ed_decoder_new(enum ed_coding coding, struct ed_coder **out);
void ed_coder_free(struct ed_coder *coder);

/*
 * Takes what it can of *in, and puts what it can at `out`. `last`: nothing follows what is in *in.
 * With `flush` an encoder puts out all it has of what it was given.
 *
 * Returns how many bytes were put, with *in and *in_size moved behind what was taken; 0 and nothing left
 * to take: it wants more, or with `last` it has ended: ed_coder_ended(). EDDY_EHTTP_PAYLOAD, with a text,
 * for what cannot be decoded, or ends early; -ENOMEM. No call makes more than `size` bytes, so that a
 * bomb explodes no faster than it is read. At most 1,024 members of gzip are taken.
 */
ssize_t ed_coder_step(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                      size_t size, bool flush, bool last);
bool ed_coder_ended(const struct ed_coder *coder);

#endif
