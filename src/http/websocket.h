/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket over any stream, in either role; its parts are in websocket_receive.c,
 * websocket_send.c and websocket_close.c.
 */
#ifndef ED_HTTP_WEBSOCKET_H
#define ED_HTTP_WEBSOCKET_H

#include "base/buffer.h"
#include "eddy/scope.h"
#include "eddy/stream_class.h"
#include "eddy/sync.h"
#include "eddy/websocket.h"
#include "http/websocket_deflate.h"
#include "http/websocket_frame.h"
#include "http/websocket_utf8.h"

#define ED_WEBSOCKET_IN 4096             /* bytes that are received at once, between messages */
#define ED_WEBSOCKET_LIMIT (4UL << 20)   /* bytes of a message */
#define ED_WEBSOCKET_PIECE (64UL << 10)  /* bytes that are read, or expanded, at once */
#define ED_WEBSOCKET_SPARE (4UL << 10)   /* bytes of control frames beyond what writers may keep */
#define ED_WEBSOCKET_CLOSE_TIME 10.0     /* seconds */
#define ED_WEBSOCKET_COMPRESS_FROM 128UL /* bytes */

/* What the two sides have agreed on. */
struct ed_websocket_agreed {
    bool client;   /* we are one */
    bool borrowed; /* the stream is closed by somebody else, behind the WebSocket: */
    /* called then, with the error by which the peer has ended it, or 0; may suspend, shielded;
     * NULL: nothing is */
    void (*release)(void *owner, int failed);
    void *owner;
    struct ed_deflate_terms deflate;
    const char *protocol; /* copied; NULL: none */
};

/* Makes a stream a WebSocket behind the handshake; what came with it is in the stream. 0, with the
 * stream taken unless it is borrowed; -ENOMEM, -EINVAL for options that make no sense. */
int ed_websocket_open(eddy_stream *stream, const struct ed_websocket_agreed *agreed,
                      const eddy_websocket_options *options, eddy_websocket **out);

/* A control frame that could not be written yet. */
struct ed_websocket_later {
    bool waits;
    uint8_t size;
    char content[ED_FRAME_CONTENT];
};

struct eddy_websocket {
    /* set at open */
    eddy_stream *stream;
    struct ed_deflate *deflate; /* NULL: messages are not compressed */
    char *protocol;
    size_t limit, compress_from;
    double heartbeat, close_time;
    bool client, borrowed;
    void (*release)(void *owner, int failed);
    void *owner;

    /* receiving: where in the frames we are */
    struct ed_frame frame;
    uint64_t left;   /* bytes of its payload that were not taken, */
    uint64_t offset; /* behind so many that were */
    bool in_frame, in_message;
    bool text, compressed; /* the message */
    bool pieces;           /* it is wanted in pieces */
    bool last;             /* the message has ended with what is given */
    struct ed_utf8 utf8;

    /* receiving: bytes */
    struct eddy_buffer_ message; /* what of a message has come, unless it is in `in` as a whole */
    bool lent;                   /* it was given to the user */
    char carry[4];               /* of a text, the begin of a character, for the next piece */
    uint8_t carried;
    uint8_t tail;        /* bytes of ED_DEFLATE_TAIL still to be taken */
    bool more;           /* the last step of inflate may not have been all */
    size_t clear;        /* bytes in `in` whose mask is taken off already */
    size_t expanded;     /* bytes since others could run */
    char *saved_at;      /* in `in`, where a NUL stands in place of */
    char saved;          /* this */
    eddy_timeout *wait;  /* of the receiver that waits, or NULL */
    double silence;      /* seconds of waiting since something came, or since the ping */
    bool pinged;         /* a heartbeat's ping was sent, and nothing came since */
    bool receiving;      /* somebody is */
    bool over;           /* nothing comes any more: */
    int failed;          /* because of this error, 0: in order */
    const char *problem; /* its text, or NULL */

    /* sending */
    eddy_lock turn;        /* to write to the stream */
    eddy_task *piecing;    /* who sends a message in pieces, or NULL */
    bool piece_compressed; /* it is compressed */
    bool piece_text;       /* a text, which is up to here: */
    struct ed_utf8 piece_utf8;
    eddy_event whole; /* set while nobody does */
    struct ed_websocket_later pong, ping, close;

    /* closing */
    bool close_queued;   /* our part is sent, or will be */
    bool close_received; /* the peer's has come */
    bool closing;        /* eddy_websocket_close */
    double close_at;     /* when the peer's part must have come; of eddy_time */
    int close_code;      /* the peer's; 0: open */
    char close_reason[ED_FRAME_CONTENT - 1];
    unsigned inside;    /* calls, but for closes */
    unsigned followers; /* closes behind the first */
    eddy_event leaving; /* set when somebody leaves, during a close */
    eddy_event closed;  /* set behind the first close, whose result is */
    int close_rc;

    char nothing[1]; /* an empty message */
    size_t in_start, in_end;
    char in[ED_WEBSOCKET_IN + 1];
};

/* Frees what is left of one; NULL too. */
void ed_websocket_free(eddy_websocket *socket);

/* Fails with a text that names the peer first. */
int ed_websocket_raise(const eddy_websocket *socket, int rc, const char *format, ...)
    EDDY_PRINTF_(3, 4);

/* A call comes in: 0, or -ESHUTDOWN; and goes out, returning rc. */
int ed_websocket_enter(eddy_websocket *socket);
int ed_websocket_leave(eddy_websocket *socket, int rc);

/* Sends a control frame at once, or as soon as it can be; never waits. */
void ed_websocket_control(eddy_websocket *socket, enum ed_opcode opcode, const void *content,
                          size_t size);
/* Sends what could not be sent before; not while somebody has the turn. */
void ed_websocket_push(eddy_websocket *socket);
/* Whether a control frame waits. */
bool ed_websocket_is_late(const eddy_websocket *socket);

/* Our part of a close; the second time without effect. `reason` may be NULL. */
void ed_websocket_queue_close(eddy_websocket *socket, int code, const char *reason);
/* What a close frame says, unless it has been said: 0, or the code of the close that it deserves,
 * with *why set. */
int ed_websocket_take_close(eddy_websocket *socket, const char *content, size_t size,
                            const char **why);

/* Puts the byte back that a NUL behind the last message stands in place of. */
void ed_websocket_put_back(eddy_websocket *socket);
/* Moves what was not taken of `in` to its front. */
void ed_websocket_compact(eddy_websocket *socket);

/* Lets others send, in place of the task that did so in pieces. */
void ed_websocket_end_pieces(eddy_websocket *socket);

#endif
