/* SPDX-License-Identifier: MIT */
/* What the content codings share: each is a file of its own, behind these functions. */
#ifndef ED_HTTP_CODER_H
#define ED_HTTP_CODER_H

#include "http/coding.h"

#define ED_CODER_MEMBERS 1024 /* of a body, each compressed by itself */

/* How one coding goes one way. */
struct ed_coder_kind {
    /* As ed_coder_step, but that bytes behind the end are left in *in, and an end that comes too
     * early is the caller's to find: by `ended`, which is set whenever the bytes so far are whole.
     * */
    ssize_t (*step)(struct ed_coder *coder, const char **in, size_t *in_size, void *out,
                    size_t size, bool flush, bool last);
    void (*free)(struct ed_coder *coder); /* and its memory */
};

struct ed_coder {
    const struct ed_coder_kind *kind;
    const char *name; /* of the coding */
    bool encodes;
    bool begun; /* bytes were taken */
    bool ended;
};

/* Raises EDDY_EHTTP_PAYLOAD for data that are not what they should be. */
int ed_coder_refuse(const struct ed_coder *coder, const char *why);

/* A coder of each kind: 0, -ENOMEM. */
int ed_zlib_encoder_new(bool gzip, int level, struct ed_coder **out);
int ed_zlib_decoder_new(bool gzip, struct ed_coder **out);
int ed_brotli_encoder_new(int level, struct ed_coder **out);
int ed_brotli_decoder_new(struct ed_coder **out);
int ed_zstd_encoder_new(int level, struct ed_coder **out);
int ed_zstd_decoder_new(struct ed_coder **out);

#endif
