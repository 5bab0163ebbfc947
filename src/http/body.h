/* SPDX-License-Identifier: MIT */
/* The bodies of an exchange as streams of the kind "http": one that is read, one that is written. */
#ifndef ED_HTTP_BODY_H
#define ED_HTTP_BODY_H

#include "eddy/stream_class.h"
#include "http/coding.h"
#include "http/reader.h"

/* What an owner is asked and told by a body that is read; each may be NULL. */
struct ed_body_watch {
    int (*before)(void *owner); /* before the first byte is waited for: "100 Continue" */
    ssize_t (*read)(void *owner, void *data,
                    size_t size);       /* in place of ed_reader_body: with time limits */
    void (*ended)(void *owner, int rc); /* once: 0 at the end of the body, or the error */
};

/*
 * A body that comes, over a reader; decoded, when `coding` is one of those that can be. Beyond `limit`
 * decoded bytes it fails with `limit_code`. Closed by eddy_stream_close, which never waits: what was not
 * read stays with the reader. 0, -ENOMEM.
 */
int ed_body_reader_open(struct ed_reader *reader, enum ed_coding coding, uint64_t limit,
                        int limit_code, const struct ed_body_watch *watch, void *owner,
                        eddy_stream **out);

/*
 * A body that goes, to a connection: `size` bytes, or with -1 chunked, or with -1 and `to_eof` as it is,
 * up to the end of the connection. With a coding it is compressed, and size is -1. More bytes than
 * `size` are refused by -EMSGSIZE. ed_body_finish writes its end: -EMSGSIZE when bytes are missing: the
 * connection must not be used any more. Suspends. A write is copied to the connection, and reaches the
 * kernel with its own.
 */
int ed_body_writer_open(eddy_stream *connection, int64_t size, bool to_eof, enum ed_coding coding,
                        eddy_stream **out);
EDDY_AWAITS int ed_body_finish(eddy_stream *body);

/* Writes all of a body that is given (eddy/http_message.h) to a stream: bytes, JSON, forms, what streams and
 * generators have. Suspends. */
struct ed_payload; /* what an eddy_body becomes before it is sent */
/* Finds out its size, -1: not known, and its type, in the arena. 0, -EINVAL, -ENOMEM, EDDY_EJSON, or an
 * error of a file that a form names. Suspends: forms open their files. */
EDDY_AWAITS int
ed_payload_open(const eddy_body *body, struct ed_arena *arena, struct ed_payload **out);
int64_t ed_payload_size(const struct ed_payload *payload);
const char *ed_payload_type(const struct ed_payload *payload); /* NULL: none */
/* Bytes in memory, when that is what it is: true. */
bool ed_payload_bytes(const struct ed_payload *payload, const void **data, size_t *size);
/* Whether it can be sent again, and makes it ready for that: 0; -EPIPE for what is gone. Suspends. */
EDDY_AWAITS int ed_payload_rewind(struct ed_payload *payload);
EDDY_AWAITS int ed_payload_write(struct ed_payload *payload, eddy_stream *to);
EDDY_AWAITS void
ed_payload_close(struct ed_payload *payload); /* NULL too; frees no arena's memory */

#endif
