/* SPDX-License-Identifier: MIT */
/*
 * Connections and servers: asyncio's open_connection and start_server.
 *
 *     EDDY_STREAM peer = NULL;
 *     EDDY_TRY(eddy_connect("tcp://example.org:80", &peer));
 *
 *     EDDY_SERVER server = NULL;
 *     EDDY_TRY(eddy_start_server("tcp://127.0.0.1:8888", echo, NULL, &server));
 *     return eddy_serve_forever(server);
 *
 * A place to connect to or listen at is a text:
 *
 *     tcp://HOST:PORT    a name, IPv4 address, or IPv6 address in brackets
 *     unix:/PATH         or unix:PATH from the current directory, unix:@NAME for an abstract one
 *     tls://HOST:PORT    with eddy/tls.h
 *
 * A server takes several, separated by commas, and tcp://:PORT for all
 * interfaces; port 0 is any free one.
 *
 * All sockets are close-on-exec, and TCP_NODELAY is set.
 */
#ifndef EDDY_NET_H
#define EDDY_NET_H

#include "eddy/address.h"
#include "eddy/call.h"
#include "eddy/compat.h"
#include "eddy/stream.h"

EDDY_BEGIN_DECLS

struct eddy_addresses; /* eddy/dns.h */

/* How to connect; all zero means the defaults. */
typedef struct eddy_connect_options {
    const eddy_address *local; /* to bind to before, NULL: none */
    double delay;      /* seconds of head start for each address, RFC 8305; 0: 0.25; EDDY_FOREVER:
                            the next one only when one has failed */
    int family;        /* AF_INET or AF_INET6 only; 0: both */
    bool keep_alive;   /* SO_KEEPALIVE, and when not 0: */
    int keep_idle;     /* seconds of silence before the first probe, TCP_KEEPIDLE */
    int keep_interval; /* seconds between probes, TCP_KEEPINTVL */
    int keep_count;    /* probes before the connection is given up, TCP_KEEPCNT */
    bool delay_small;  /* leaves TCP_NODELAY off */
    struct eddy_resolver *resolver; /* for names, see eddy/dns.h; NULL: the loop's */
} eddy_connect_options;

/*
 * Opens a connection. Tries all addresses that the name has, IPv6 first, families in turn,
 * each with a head start of 250 ms before the next, and takes the first that connects.
 *
 * place    see above; copied
 * out      the stream, owned by the caller: eddy_stream_close() it
 *
 * Suspends, for as long as the scope around it allows.
 *
 * Returns 0, or with *out untouched:
 *   -EINVAL            not a place
 *   -EPROTONOSUPPORT   tls:// without libeddy-tls
 *   EDDY_EDNS...       the name does not resolve
 *   EDDY_ETLS...       the handshake failed
 *   -ECONNREFUSED      or another error of connect(2), of the first address; the text names
 *                      all that were tried
 *   -EMFILE, -ENOMEM, -ECANCELED, -ETIMEDOUT   every half-open socket is closed again
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_connect(const char *place, eddy_stream **out);

/* The same with options, NULL: the defaults. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_connect_with(const char *place, const eddy_connect_options *options, eddy_stream **out);

/* The same for a TCP port of a host; -EINVAL for port 0. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_tcp_connect(const char *host, uint16_t port,
                                                         const eddy_connect_options *options,
                                                         eddy_stream **out);

/* The same for addresses that were looked up before, one at least, in the order in which to try
 * them. For libraries that keep them. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_connect_addresses_(const struct eddy_addresses *addresses, const eddy_connect_options *options,
                        eddy_stream **out);

/* The same for one address, TCP or unix. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_address_connect(const eddy_address *address,
                                                             const eddy_connect_options *options,
                                                             eddy_stream **out);

typedef struct eddy_server eddy_server;

/*
 * Handles one connection, in a task of its own. The stream is closed when it returns, unless
 * the handler has closed it, or eddy_server_detach took it; eddy_start_tls_server puts another in
 * its place.
 *
 * An error goes to the loop's exception handler, but for -ECANCELED and those of a peer that went
 * away. What was written before it is sent all the same; over TLS the peer then finds no goodbye
 * (EDDY_ETLS_TRUNCATED). A plain connection has no sign for an answer that is cut short: where
 * its end means that it is whole, eddy_stream_abort the stream first.
 */
typedef int eddy_connection_handler(eddy_stream *stream, void *argument);

/* How to serve; all zero means the defaults. */
typedef struct eddy_server_options {
    int backlog;        /* connections that the kernel keeps, listen(2); 0: 100 */
    size_t connections; /* open at most, then accepting pauses; 0: no limit but descriptors */
    bool reuse_port;    /* SO_REUSEPORT: several servers at one port */
    bool keep_address;  /* leaves SO_REUSEADDR off */
    bool keep_alive;    /* SO_KEEPALIVE on all connections */
    bool delay_small;   /* leaves TCP_NODELAY off */
    bool keep_file;     /* leaves a unix socket's file behind */
    bool paused;        /* does not accept until eddy_server_start */
    int mode;           /* of a unix socket's file; 0: by umask */
    size_t stack_size;  /* of the handlers' tasks, 0: the default */
    const char *name;   /* of the handlers' tasks, NULL: "connection" */
    /* Makes each connection what its handler gets, in its task, such as by a TLS handshake: takes
     * *stream, replaces it, or fails. NULL: it stays as it is. */
    int (*wrap)(eddy_stream **stream, void *argument);
    void *wrap_argument;
} eddy_server_options;

/* Declares an owning handle: at the end of its block the server and its connections are
 * closed as by eddy_server_close. */
#define EDDY_SERVER EDDY_CLEANUP_(eddy_server_end_scope_) __typeof__(eddy_server *)

/*
 * Listens, and runs handler(stream, argument) in a task for each connection. A file left by a
 * unix socket is replaced; any other file is not (-EADDRINUSE). An address family that this
 * machine lacks is left out, as long as another is there.
 *
 * Out of descriptors or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM) a server pauses, says so once
 * to the loop's exception handler, and goes on when a connection has been closed, or in 1 s.
 *
 * Suspends while names are looked up.
 *
 * Returns 0, or with *out untouched an error of bind(2) or listen(2), whose text names the
 * address; of the lookup; -EINVAL; -ENOMEM.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_start_server(const char *places,
                                                          eddy_connection_handler *handler,
                                                          void *argument, eddy_server **out);

/* The same with options, NULL: the defaults. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_start_server_with(const char *places, const eddy_server_options *options,
                       eddy_connection_handler *handler, void *argument, eddy_server **out);

/* The same on a listening socket, which becomes the server's; processes that share it go on when
 * this one stops. 0, -EINVAL for one that does not listen, -ENOMEM: then it is the caller's. */
EDDY_NODISCARD EDDY_API int eddy_server_from_fd(int fd, const eddy_server_options *options,
                                                eddy_connection_handler *handler, void *argument,
                                                eddy_server **out);

/*
 * Waits until the task is cancelled or its time is up; then closes the server and its
 * connections, waits for them, and returns that error. Or 0, once somebody else has stopped
 * the server and its last connection has ended; -EBUSY when another task is here.
 * Suspends.
 *
 * So a Ctrl-C ends the connections at once. To let them end what they do, wait by
 * eddy_server_wait in a block of EDDY_STOP_ON_SIGNALS instead, and call eddy_server_shutdown
 * behind it: examples/54_shutdown.c.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_serve_forever(eddy_server *server);

/* Begins to accept, or goes on. 0, also when it does already; -ESHUTDOWN after a stop. */
EDDY_NODISCARD EDDY_API int eddy_server_start(eddy_server *server);

/* Stops listening for good: new connections are refused, open ones go on. Idempotent, and does
 * not suspend. */
EDDY_API void eddy_server_stop(eddy_server *server);

/* Waits until a server is stopped and all its connections have ended: wait_closed. Suspends.
 * Returns 0, -ECANCELED, -ETIMEDOUT. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_server_wait(eddy_server *server);

/* Cancels the tasks of all open connections: close_clients. What they have written is sent, if
 * the peer takes it within a second. Does not wait. */
EDDY_API void eddy_server_close_clients(eddy_server *server);

/* The same, and breaks the connections: abort_clients. */
EDDY_API void eddy_server_abort_clients(eddy_server *server);

/*
 * Stops a server in order: no new connections, up to `seconds` for the open ones to end by
 * themselves, then they are cancelled; those that are still in their handshake (wrap) are at once.
 * Suspends until all have ended. Returns 0, -ETIMEDOUT when some had to be cancelled by the time,
 * or -ECANCELED, with all cancelled too.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_server_shutdown(eddy_server *server, double seconds);

/* Stops a server, cancels its connections, waits for them, frees it and sets the handle to NULL;
 * NULL is left alone. Suspends until then, and is never refused. */
EDDY_API EDDY_AWAITS void eddy_server_close(eddy_server **server);

/* Takes the connection out of its server, in its handler: the stream is the caller's then, to
 * close, and stays open when the handler returns. No effect on other streams. */
EDDY_API void eddy_server_detach(eddy_stream *stream);

EDDY_API bool eddy_server_is_serving(const eddy_server *server);    /* It accepts. */
EDDY_API size_t eddy_server_connections(const eddy_server *server); /* How many are open. */

/* The address number `index` that it listens at, NULL behind the last and after a stop. */
EDDY_API const eddy_address *eddy_server_address(const eddy_server *server, size_t index);

/* The same as text, such as "127.0.0.1:80"; "" for NULL. Borrowed until the server is closed. */
EDDY_API const char *eddy_server_name(const eddy_server *server, size_t index);

/* The port of the first address that has one; 0 when there is none. */
EDDY_API uint16_t eddy_server_port(const eddy_server *server);

/* For the macro above. Suspends. */
EDDY_API EDDY_AWAITS void eddy_server_end_scope_(eddy_server **server);

/* For libraries with a kind of place of their own: how eddy_connect and eddy_start_server treat
 * SCHEME://HOST:PORT. The scheme stays valid; `options` of the server may be changed. */
struct eddy_scheme_ {
    const char *name;
    int (*connect)(const char *host, uint16_t port, const eddy_connect_options *options,
                   eddy_stream **out);
    int (*serve)(eddy_server_options *options);
    struct eddy_scheme_ *next;
};
EDDY_API void eddy_register_scheme_(struct eddy_scheme_ *scheme);

EDDY_END_DECLS
#endif
