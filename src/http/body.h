/* SPDX-License-Identifier: MIT */
/* The bodies of an exchange as streams of the kind "http": one that is read, one that is written.
 * */
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
    void (*ended)(void *owner, int rc); /* once, as soon as it is known: 0 at the end of the body,
                                           or the error; not for those of the reading task, such as
                                           a cancel. It must not close the body. */
};

/*
 * A body that comes, over a reader; decoded, when `coding` is one of those that can be. Beyond
 * `limit` decoded bytes, UINT64_MAX: none, it fails with `limit_code`. Closed by eddy_stream_close,
 * which never waits: what was not read stays with the reader. Reader and owner must be there until
 * then; the reader may be NULL when watch->read gives the bytes. 0, -ENOMEM.
 */
int ed_body_reader_open(struct ed_reader *reader, enum ed_coding coding, uint64_t limit,
                        int limit_code, const struct ed_body_watch *watch, void *owner,
                        eddy_stream **out);

/*
 * A body that goes, to a connection, which must be there until it is closed: `size` bytes, or with
 * -1 chunked, or with -1 and `to_eof` as it is, up to the end of the connection. With a coding it
 * is compressed and chunked, and `size` counts what is written, not what goes. A write is copied to
 * the connection, and reaches the kernel with its own; eddy_flush sends all that was written, and a
 * head that went before. More bytes than `size` are refused by -EMSGSIZE. A write that is cut short
 * leaves what is on the connection the beginning of a valid body, and may be followed by others.
 * Without waiting only what is not compressed can be written: else eddy_write_nowait says -ENOTSUP.
 * 0, -EINVAL for ED_CODING_UNKNOWN, -ENOMEM.
 *
 * Closed by eddy_stream_close, which does not wait behind ed_body_finish or eddy_stream_abort.
 */
int ed_body_writer_open(eddy_stream *connection, int64_t size, bool to_eof, enum ed_coding coding,
                        eddy_stream **out);

/* Has a task send what the coding keeps as soon as the writer waits for something else, so that
 * nobody needs to call eddy_flush; up to ed_body_finish or the close, which suspend for its end.
 * Without a coding nothing is kept. 0, -ENOMEM. */
int ed_body_hurry(eddy_stream *body);

/*
 * Writes the end of a body; again when it was cut short, and without effect when it is done.
 * Suspends.
 *
 * Returns 0; -EMSGSIZE when bytes are missing; -ENOMEM; or an error of eddy_write, also of one
 * before. Behind any of them the message is not whole, and the connection must not be used for
 * another.
 */
EDDY_AWAITS int ed_body_finish(eddy_stream *body);

/* Bytes of the body that the connection has got so far, as compressed, without framing. */
uint64_t ed_body_sent(const eddy_stream *body);

/* A body that is given (eddy/http_message.h), ready to be written to a stream: what it is made of,
 * how long it is, whether it can be sent twice. */
struct ed_payload;

/*
 * Finds out what a body is. All it borrows must stay until the close.
 *
 * Suspends: forms open their files. Returns 0, -EINVAL, -ENOMEM; EDDY_EJSON; -EPIPE for a form
 * whose streams were sent before; or an error of a file.
 */
EDDY_AWAITS int
ed_payload_open(const eddy_body *body, struct ed_arena *arena, struct ed_payload **out);
int64_t ed_payload_size(const struct ed_payload *payload);     /* -1: not known */
const char *ed_payload_type(const struct ed_payload *payload); /* NULL: there is no body */

/* Whether it is bytes in memory, and which. */
bool ed_payload_bytes(const struct ed_payload *payload, const void **data, size_t *size);

/* Makes it ready to be sent again, if something was sent of it. Suspends. 0; -EPIPE for what is
 * gone; or an error of a file. */
EDDY_AWAITS int ed_payload_rewind(struct ed_payload *payload);

/* Writes all of it. Suspends. 0; EDDY_EHTTP_PAYLOAD when a source ended before its size; an error
 * of a source's; or of eddy_write. */
EDDY_AWAITS int ed_payload_write(struct ed_payload *payload, eddy_stream *to);

/* Closes what it opened, and a generator; NULL too. The memory is the arena's. Suspends. */
EDDY_AWAITS void ed_payload_close(struct ed_payload *payload);

#endif
