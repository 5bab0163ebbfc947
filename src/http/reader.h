/* SPDX-License-Identifier: MIT */
/*
 * Messages as they come on a connection: HTTP/1 heads and the framing of bodies. What RFC 9112 does
 * not let pass is refused, whatever llhttp says.
 */
#ifndef ED_HTTP_READER_H
#define ED_HTTP_READER_H

#include "eddy/stream.h"
#include "http/headers.h"

struct ed_limits {
    size_t line_size; /* bytes of the start line, and of each field, without their ends */
    size_t fields;    /* with those of the trailers */
    size_t head_size; /* bytes of the head, and of the trailers */
};

/* A head. Texts are in the arena that was given, and end with a NUL. */
struct ed_head {
    struct eddy_headers fields;
    const char *method, *target; /* of a request */
    size_t method_size, target_size;
    const char *host;   /* of a request: what it is for, "name:port" as it came: the target's
                           authority, or else the Host field; "": none */
    const char *path;   /* the target from its path on, "/path?query"; "*"; "" of CONNECT */
    const char *reason; /* of a response */
    int status;
    int minor;       /* of the version 1.x: 0 or 1 */
    int64_t length;  /* Content-Length; -1: none */
    bool chunked;    /* Transfer-Encoding */
    bool keep_alive; /* what the version and Connection say */
    bool upgrade;    /* 1.1 with Connection: upgrade and an Upgrade field */
    bool expects;    /* 1.1 with Expect: 100-continue */
    bool has_body;   /* of a request: bytes follow; of a response see reader->framing */
};

/* What comes on one connection. */
struct ed_reader {
    eddy_stream *stream;
    struct ed_limits limits;
    bool response;            /* it reads responses */
    struct ed_parser *parser; /* what has come of a head, or of a chunk */
    struct ed_arena *arena;   /* of the message */
    enum { ED_FRAMING_NONE, ED_FRAMING_LENGTH, ED_FRAMING_CHUNKED, ED_FRAMING_EOF } framing;
    int64_t left; /* bytes of the body, with ED_FRAMING_LENGTH */
    bool ended;   /* the body has been read to its end */
    int refusal;  /* the status that a server answers to the last error: 400, 414, 431, 501, 505;
                     0: no fault of what came */
    struct eddy_headers *trailers; /* of a chunked body, behind its end; NULL: none */
};

/* Begins to read from a stream, which is borrowed. 0, -ENOMEM. */
int ed_reader_open(struct ed_reader *reader, eddy_stream *stream, bool response,
                   const struct ed_limits *limits);
void ed_reader_close(struct ed_reader *reader); /* frees what it has; twice is no error */

/*
 * Reads a head; the body of the message before must have been read to its end. `begun`, unless
 * NULL, is set once its first byte is there. Empty lines before a request are passed over.
 *
 * arena    must last until the body is read, whose trailers go there too
 * out      also of an interim response, 1xx, which has no body: the caller who waits for the final
 *          one calls again; behind 101 the stream is another protocol's
 *
 * Of a head that is cut short, by a cancel or a timeout, what has come stays with the reader, and
 * another call goes on, with any arena. An idle connection holds no buffer while it waits here.
 *
 * Suspends. Returns 1; 0 when the stream ended before the first byte; EDDY_EINCOMPLETE when it
 * ended within the head; EDDY_EHTTP_PROTOCOL or EDDY_ELIMIT with a text, and reader->refusal set:
 * so at the first byte that is wrong, and from then on always; or an error of eddy_read; -ENOMEM:
 * another call goes on.
 */
EDDY_AWAITS int
ed_reader_head(struct ed_reader *reader, struct ed_arena *arena, struct ed_head *out, bool *begun);

/* Waits for the first byte of a head only, for which no arena is needed yet. Suspends. Returns as
 * ed_reader_head, which is to be called behind 1. */
EDDY_AWAITS int ed_reader_await(struct ed_reader *reader);

/* For a response that has no body, whatever its head says: to HEAD, 2xx to CONNECT (RFC 9112, 6.3).
 * 1xx, 204 and 304 have none anyway. */
void ed_reader_expect_no_body(struct ed_reader *reader);

/*
 * Reads bytes of the body, 1 to `size` of them, its framing taken off; straight into the caller's
 * memory. Cancelled it has taken none of them.
 *
 * Suspends. Returns how many; 0 at the end of the body, again and again; EDDY_EHTTP_PAYLOAD when
 * the stream ends before; EDDY_EHTTP_PROTOCOL, EDDY_ELIMIT, with reader->refusal; an error of
 * eddy_read; -ENOMEM: another call goes on.
 */
EDDY_AWAITS ssize_t ed_reader_body(struct ed_reader *reader, void *data, size_t size);

#endif
