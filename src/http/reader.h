/* SPDX-License-Identifier: MIT */
/*
 * Messages as they come on a connection: HTTP/1 heads and the framing of bodies. The only file that
 * includes llhttp.h is reader.c; what llhttp lets pass and RFC 9112 does not, is refused there.
 */
#ifndef ED_HTTP_READER_H
#define ED_HTTP_READER_H

#include "eddy/stream.h"
#include "http/headers.h"

struct ed_limits {
    size_t line_size; /* bytes of the start line, and of each field */
    size_t fields;    /* with those of the trailers */
    size_t head_size; /* bytes of the head */
};

/* A head. Texts are in the arena that was given. */
struct ed_head {
    struct eddy_headers fields;
    const char *method, *target; /* of a request */
    size_t method_size, target_size;
    const char *reason; /* of a response */
    int status;
    int minor;       /* of the version 1.x: 0 or 1 */
    int64_t length;  /* Content-Length; -1: none */
    bool chunked;    /* Transfer-Encoding */
    bool keep_alive; /* what the version and Connection say */
    bool upgrade;    /* Connection: upgrade, with an Upgrade field */
    bool expects;    /* Expect: 100-continue */
    bool has_body;   /* of a request: bytes follow; of a response see ed_reader_expect */
};

/* What comes on one connection. */
struct ed_reader {
    eddy_stream *stream;
    struct ed_limits limits;
    bool response; /* it reads responses */
    void *parser;  /* llhttp's */
    enum { ED_FRAMING_NONE, ED_FRAMING_LENGTH, ED_FRAMING_CHUNKED, ED_FRAMING_EOF } framing;
    int64_t left; /* bytes of the body, with ED_FRAMING_LENGTH */
    bool ended;   /* the body has been read to its end */
    int refusal;  /* the status that a server answers to the last error: 400, 414, 431, 501, 505 */
    struct eddy_headers *trailers; /* of a chunked body, behind its end; NULL: none */
};

/* Begins to read from a stream, which is borrowed. 0, -ENOMEM. */
int ed_reader_open(struct ed_reader *reader, eddy_stream *stream, bool response,
                   const struct ed_limits *limits);
void ed_reader_close(struct ed_reader *reader); /* frees what it has; twice is no error */

/*
 * Reads a head; the body of the message before must have been read to its end. Takes nothing from
 * the stream before the head is whole. `begun`, unless NULL, is set once its first byte is there.
 *
 * Suspends. Returns 1; 0 when the stream ended before the first byte; EDDY_EINCOMPLETE when it ended
 * within the head; EDDY_EHTTP_PROTOCOL or EDDY_ELIMIT with a text, and reader->refusal set; or an error
 * of eddy_read, -ENOMEM.
 */
EDDY_AWAITS int
ed_reader_head(struct ed_reader *reader, struct ed_arena *arena, struct ed_head *out, bool *begun);

/* For a response that has no body, whatever its head says: to HEAD, 2xx to CONNECT (RFC 9112, 6.3). */
void ed_reader_expect_no_body(struct ed_reader *reader);

/* Reads bytes of the body, its framing taken off. Suspends. Returns how many; 0 at the end of the body,
 * again and again; EDDY_EHTTP_PAYLOAD when the stream ends before; EDDY_EHTTP_PROTOCOL, EDDY_ELIMIT; or an
 * error of eddy_read. */
EDDY_AWAITS ssize_t ed_reader_body(struct ed_reader *reader, void *data, size_t size);

#endif
