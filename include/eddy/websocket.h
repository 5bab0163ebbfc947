/* SPDX-License-Identifier: MIT */
/*
 * WebSockets (RFC 6455), compressed where both sides can (RFC 7692). Library eddy-http.
 *
 *     EDDY_WEBSOCKET socket = NULL;
 *     eddy_message message;
 *     int rc;
 *
 *     EDDY_TRY(eddy_websocket_connect(session, "wss://example.org/prices", NULL, &socket));
 *     EDDY_TRY(eddy_websocket_send_text(socket, "subscribe"));
 *     EDDY_FOR_EACH(rc, message, eddy_websocket_messages(socket))
 *         printf("%s\n", message.text);
 *     return rc;
 *
 * A server's handler has one of its request, by eddy_websocket_accept.
 *
 * One task may receive while others send: their messages do not mix. Pings are answered, and the
 * heartbeat is kept, while somebody receives. A message that breaks a rule or a limit closes the
 * connection with the code that says so, and the receive returns EDDY_EWEBSOCKET or EDDY_ELIMIT.
 */
#ifndef EDDY_WEBSOCKET_H
#define EDDY_WEBSOCKET_H

#include "eddy/compat.h"
#include "eddy/generator.h"
#include "eddy/http_client.h"
#include "eddy/web.h"

EDDY_BEGIN_DECLS

typedef struct eddy_websocket eddy_websocket;

/* Declares an owning handle: at the end of its block it is closed as by eddy_websocket_close. */
#define EDDY_WEBSOCKET EDDY_CLEANUP_(eddy_websocket_end_scope_) __typeof__(eddy_websocket *)

enum eddy_message_kind { EDDY_MESSAGE_TEXT = 1, EDDY_MESSAGE_BINARY = 2 };

/* A message: borrowed until the next one is received; a NUL stands behind it. */
typedef struct eddy_message {
    enum eddy_message_kind kind;
    char *text; /* of a text valid UTF-8 */
    size_t size;
} eddy_message;

/* All zero means the defaults. */
typedef struct eddy_websocket_options {
    const char
        *protocols;      /* subprotocols: of a client those it offers, best first, of a server those
                              it knows: "chat, superchat"; NULL: none */
    const char *origins; /* of a server: who may connect, "https://example.org, ..."; "*": anybody;
                              NULL: pages of the same host, and programs, which send no Origin */
    const char *origin;  /* of a client; NULL: none is sent */
    size_t limit;        /* bytes of a message at most, decompressed; 0: 4 MiB; 1009 */
    double heartbeat;    /* seconds of silence, while somebody receives, after which a ping is
                              sent; when nothing comes for half as long again, the connection is
                              broken; 0: none */
    double close_time;   /* seconds for both parts of a close; 0: 10 */
    bool no_compression; /* it is not offered or accepted */
    bool no_context;     /* each message is compressed by itself: less memory, more bytes */
    size_t compress_from;          /* bytes from which on a message is compressed; 0: 128 */
    const eddy_http_options *http; /* of a client's request; NULL: none */
} eddy_websocket_options;

/*
 * Connects: ws://, wss://, http:// or https://; redirects are followed.
 *
 * Suspends. The session's limits of time hold for the handshake only; the connection counts as one
 * in use until the WebSocket is closed, and the session's close breaks it.
 *
 * Returns 0, and *out is owned by the caller: EDDY_WEBSOCKET, or eddy_websocket_close() it; or
 *   EDDY_EWEBSOCKET_HANDSHAKE   the server refused or answered wrongly; the text says how
 *   -EINVAL                     subprotocols that are no tokens, times that are negative
 * or an error of eddy_http_request.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_websocket_connect(eddy_http_session *session, const char *url,
                       const eddy_websocket_options *options, eddy_websocket **out);

/*
 * Makes a request a WebSocket, in its handler, which owns it and closes it before it returns; the
 * connection ends with the handler. A server that stops calls the hooks of eddy_web_on_shutdown,
 * then begins the close of each with 1001, and waits for the handlers: to those the end of the
 * messages comes. A handler may return the error by which its client has ended the connection; it
 * is not reported.
 *
 * Suspends. Returns 0; or, for the handler to return, EDDY_HTTP_STATUS(400) for what asks for none,
 * EDDY_HTTP_STATUS(403) for an origin that may not, EDDY_HTTP_STATUS(426) for a version that is not
 * 13; or -EINVAL, -ENOMEM, an error of eddy_write.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_websocket_accept(eddy_web_request *request,
                                                              const eddy_websocket_options *options,
                                                              eddy_websocket **out);

/* Whether a request asks for one. */
EDDY_API bool eddy_websocket_wanted(const eddy_web_request *request);

/*
 * Receives a message. Suspends until it is whole.
 *
 * Returns 1 with a message; 0 when the peer has closed, or this side has, now and ever after; or
 *   EDDY_EWEBSOCKET   it broke a rule, which the text names; the connection is closed
 *   EDDY_ELIMIT       it was too long; likewise
 *   -ECONNRESET, EDDY_EINCOMPLETE, ...   the connection broke, or ended without a close
 *   -ETIMEDOUT        the heartbeat was not answered, or the scope's time is up: then nothing was
 *                     taken, as behind -ECANCELED
 *   -ESHUTDOWN        another task closes it
 *   -ENOMEM           nothing was taken
 *   -EBUSY            another task receives
 * An error of the connection's is returned again and again. Behind one's own close messages still
 * come until the peer's part does, or the time for it is up.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_websocket_receive(eddy_websocket *socket, eddy_message *out);
/* The messages until the close, as values of type eddy_message. */
EDDY_NODISCARD EDDY_API eddy_generator *eddy_websocket_messages(eddy_websocket *socket);

/*
 * Receives a message in pieces as they come: *out is one, *last whether the message ends with it;
 * pieces of texts end between characters. The limit does not count. Suspends. Returns as
 * eddy_websocket_receive.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_websocket_receive_piece(eddy_websocket *socket, eddy_message *out, bool *last);

/*
 * Sends a message. `data` must stay as it is until the call returns. Suspends while too much is
 * kept, as eddy_write does.
 *
 * Returns 0; -EINVAL for a text that is not UTF-8, or within a message in pieces of the same task;
 * -ESHUTDOWN behind a close; or an error of eddy_write: behind -ECANCELED and -ETIMEDOUT either
 * nothing was sent, or all of it will be, from a copy.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_websocket_send(eddy_websocket *socket,
                                                            enum eddy_message_kind kind,
                                                            const void *data, size_t size);
/* The same for a text. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_websocket_send_text(eddy_websocket *socket, const char *text);
/* The same for formatted text. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_websocket_printf(eddy_websocket *socket, const char *format, ...) EDDY_PRINTF_(2, 3);
/* Sends a piece of a message; other tasks' messages wait until the last one is sent. The kind is
 * the first piece's; texts may be cut anywhere. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_websocket_send_piece(eddy_websocket *socket, enum eddy_message_kind kind, const void *data,
                          size_t size, bool last);
/* Sends a ping of up to 125 bytes (-EINVAL). Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_websocket_ping(eddy_websocket *socket, const void *data, size_t size);

/* Begins a close, with a code of RFC 6455, 7.4, or 3000 to 4999, and a reason of up to 123 bytes,
 * which may be NULL; also from callbacks. The peer's part comes as the end of the messages. 0, also
 * when it is closing already; -EINVAL. */
EDDY_NODISCARD EDDY_API int
eddy_websocket_begin_close(eddy_websocket *socket, int code, const char *reason);
/* Closes in order, with code 1000 unless a close has begun: waits for the peer's part, for what is
 * left of close_time since the begin; frees it and sets the handle to NULL; NULL is left alone.
 * Messages that come meanwhile are dropped. Other tasks inside get -ESHUTDOWN. Suspends, and is
 * never refused; a task that is cancelled does not wait. Returns 0; EDDY_EINCOMPLETE when the peer
 * did not close in order; -EPERM outside a task, with the handle left alone. */
EDDY_API EDDY_AWAITS int eddy_websocket_close(eddy_websocket **socket);

/* The code and reason of the peer's close, 1005 for none, 1006 when the connection ended without it
 * or had to be ended; 0 while it is open. The reason is "" for none. */
EDDY_API int eddy_websocket_close_code(const eddy_websocket *socket);
EDDY_API const char *eddy_websocket_close_reason(const eddy_websocket *socket);
/* The subprotocol agreed upon; "" for none. */
EDDY_API const char *eddy_websocket_protocol(const eddy_websocket *socket);

/* For the macro above. Suspends. */
EDDY_API EDDY_AWAITS void eddy_websocket_end_scope_(eddy_websocket **socket);

EDDY_END_DECLS
#endif
