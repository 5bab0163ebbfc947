/* SPDX-License-Identifier: MIT */
/* Inside the reader of multipart bodies: where it stands, and what its files ask each other. */
#ifndef ED_HTTP_MULTIPART_H
#define ED_HTTP_MULTIPART_H

#include "eddy/form.h"
#include "eddy/stream_class.h"
#include "http/headers.h"
#include "http/transfer.h"

struct eddy_multipart {
    eddy_stream *body; /* borrowed */
    eddy_multipart_options limits;
    char *delimiter; /* CR, LF, "--" and the boundary */
    size_t delimiter_size;
    enum {
        ED_MULTIPART_DATA, /* in a part, or before the first */
        ED_MULTIPART_HEAD, /* behind a delimiter's line */
        ED_MULTIPART_ENDED,
    } state;
    int error; /* that ends it for good; 0: none */

    /* in DATA */
    size_t ready;      /* bytes that the body has for reading, and that are the part's */
    bool fresh;        /* none was taken yet: a delimiter may stand there without its CR, LF */
    bool at_end;       /* a delimiter is behind those bytes, */
    size_t end_size;   /* of so many characters */
    eddy_stream *part; /* the part's bytes; NULL: none */

    size_t parts;          /* so far */
    struct ed_arena arena; /* of the part's fields and names */
    struct eddy_headers fields;
};

/* Ends the reading for good. Returns `code`. */
int ed_multipart_fail(struct eddy_multipart *multipart, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Waits for bytes of the part: how many can be read from the body now, which are in its memory; 0
 * at the part's end; EDDY_EINCOMPLETE when the body ends before; or an error of eddy_peek.
 * ed_multipart_took tells that some of them were read. Suspends.
 */
EDDY_AWAITS ssize_t ed_multipart_scan(struct eddy_multipart *multipart);
void ed_multipart_took(struct eddy_multipart *multipart, size_t size);

/* Reads a part's fields to the empty line. Suspends. 0; EDDY_EINCOMPLETE, EDDY_EHTTP_PROTOCOL,
 * EDDY_ELIMIT, -ENOMEM; or an error of eddy_peek. */
EDDY_AWAITS int ed_multipart_read_fields(struct eddy_multipart *multipart);

/* A stream over the part's bytes. 0, -ENOMEM. */
int ed_multipart_part_open(struct eddy_multipart *multipart, enum ed_transfer_kind kind,
                           eddy_stream **out);

#endif
