/* SPDX-License-Identifier: MIT */
/* What bodies to be sent are made of, for the files that make them. */
#ifndef ED_HTTP_PAYLOAD_H
#define ED_HTTP_PAYLOAD_H

#include "http/body.h"

/* A piece of a body: bytes, or what a stream or a generator gives. */
struct ed_segment {
    const void *data;
    int64_t size; /* bytes; -1: not known before its end */
    eddy_stream *stream;
    eddy_generator *generator;
    int64_t start; /* a file's position, from which it can be sent again; -1: it cannot */
    bool owned;    /* the stream is closed with the payload */
    bool *used;    /* set once something was taken from its source */
    bool own_used;
};

struct ed_payload {
    struct ed_arena *arena; /* this and all texts are in it */
    struct ed_segment *segments;
    size_t count, capacity;
    const char *type;
    char *text; /* a block that goes with it; NULL: none */
};

/* Adds bytes, which must stay. 0, -ENOMEM. */
int ed_payload_add_bytes(struct ed_payload *payload, const void *data, size_t size);

/*
 * Adds what a stream has, `size` bytes or with -1 all; then the size of a file, from its position
 * on, is found out. `owned`: it is closed with the payload, also when this fails. `used`: where it
 * is kept that something was taken from it, NULL: in the payload. Suspends. 0, -ENOMEM, -EPIPE for
 * a stream that cannot be sent again, or an error of the file's.
 */
EDDY_AWAITS int ed_payload_add_stream(struct ed_payload *payload, eddy_stream *stream, int64_t size,
                                      bool owned, bool *used);

/* Adds what a form has, and sets its type; see form.c. Suspends. */
struct eddy_form;
EDDY_AWAITS int ed_form_compile(struct eddy_form *form, struct ed_payload *payload);

#endif
