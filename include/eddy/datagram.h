/* SPDX-License-Identifier: MIT */
/*
 * Datagrams, over UDP and unix sockets: asyncio's create_datagram_endpoint.
 *
 *     EDDY_DATAGRAM server = NULL;
 *     EDDY_TRY(eddy_datagram_open("udp://:9999", NULL, &server));
 *
 *     for (;;) {
 *         char data[1500];
 *         eddy_address from;
 *         ssize_t size = eddy_datagram_receive(server, data, sizeof data, &from);
 *
 *         EDDY_TRY(size);
 *         EDDY_TRY(eddy_datagram_send_to(server, data, (size_t)size, &from));
 *     }
 *
 * A datagram is sent and received whole, or not at all; it may get lost, come twice or out of
 * order, and it may be empty. What comes waits in the kernel, as long as it has room: an endpoint
 * that is read too slowly loses what is too much.
 *
 * A place is a text:
 *
 *     udp://HOST:PORT    a name, IPv4 address, or IPv6 address in brackets
 *     unix:/PATH         or unix:PATH from the current directory, unix:@NAME for an abstract one
 *
 * To receive at: udp://:PORT is all IPv4 interfaces, udp://[::]:PORT all IPv6 ones and no IPv4;
 * port 0 is any free one, and unix:@ any free abstract name.
 *
 * Tasks that receive from one endpoint take turns, first come, first served, and so do those that
 * send. Cancel a receiver, and the datagram stays for the next one; one that was given a datagram
 * before its cancel returns it, and sees the cancel in its next call.
 *
 * An endpoint stays usable behind every error but -ESHUTDOWN. Of a connected one the kernel
 * reports that datagrams were refused (ICMP): the next call, which may have nothing to do with
 * them, returns -ECONNREFUSED, once, and has done nothing.
 *
 * An endpoint belongs to its loop and thread. Its socket is close-on-exec.
 */
#ifndef EDDY_DATAGRAM_H
#define EDDY_DATAGRAM_H

#include <sys/types.h>

#include "eddy/address.h"
#include "eddy/compat.h"
#include "eddy/error.h"

EDDY_BEGIN_DECLS

typedef struct eddy_datagram eddy_datagram;

/* Declares an owning handle: at the end of its block the endpoint is closed as by
 * eddy_datagram_close.  EDDY_DATAGRAM peer = NULL; EDDY_TRY(eddy_datagram_open(...)); */
#define EDDY_DATAGRAM EDDY_CLEANUP_(eddy_datagram_end_scope_) __typeof__(eddy_datagram *)

/* How to open; all zero means the defaults. */
typedef struct eddy_datagram_options {
    bool broadcast;     /* SO_BROADCAST: may send to broadcast addresses */
    bool reuse_port;    /* SO_REUSEPORT: several sockets at one port share what comes */
    bool reuse_address; /* SO_REUSEADDR: the same, but for broadcasts, which all of them get */
    bool keep_file;     /* leaves a unix socket's file behind */
    int mode;           /* of a unix socket's file; 0: by umask */
    int receive_buffer; /* bytes of the kernel's for what comes, SO_RCVBUF; 0: the system's */
    int send_buffer;    /* and for what goes, SO_SNDBUF */
    int family;         /* AF_INET or AF_INET6 only; 0: both */
    struct eddy_resolver *resolver; /* for names, see eddy/dns.h; NULL: the loop's */
} eddy_datagram_options;

/*
 * Opens an endpoint.
 *
 * local    where to receive; NULL: any free port, or for unix none: nobody can answer
 * remote   the only peer: what others send is not received. NULL: anybody
 * out      owned by the caller: eddy_datagram_close() it
 *
 * One of the two must be given. Of the addresses of a name the first is taken that works; both
 * have one family. A file that an earlier unix socket has left is replaced; any other file is not
 * (-EADDRINUSE). The file is removed by the close, if it still is this one's.
 *
 * Suspends while names are looked up.
 *
 * Returns 0, or with *out untouched:
 *   -EINVAL           not a place, none at all, or two that have no family in common
 *   EDDY_EDNS...      a name does not resolve
 *   -EADDRINUSE       or another error of socket(2), bind(2) or connect(2), whose text names the
 *                     address
 *   -EPERM            outside a task
 *   -EMFILE, -ENOMEM, -ECANCELED, -ETIMEDOUT
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_datagram_open(const char *local, const char *remote, eddy_datagram **out);

/* The same with options, NULL: the defaults. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_datagram_open_with(const char *local, const char *remote, const eddy_datagram_options *options,
                        eddy_datagram **out);

/* An endpoint over a datagram socket, which becomes the endpoint's, non-blocking, and is closed
 * with it. The loop must run. Returns 0, or with the descriptor left alone -EINVAL for another
 * kind, -EBADF, -EBUSY for one of another object, -ENOMEM, -EPERM outside a loop. */
EDDY_NODISCARD EDDY_API int eddy_datagram_from_fd(int fd, eddy_datagram **out);

/*
 * Receives a datagram.
 *
 * size     room; 65,535 bytes are enough for every datagram of UDP
 * from     gets the sender, whose size is 0 when it has no address; may be NULL
 *
 * Suspends until there is one.
 *
 * Returns its length, which may be 0; or
 *   EDDY_ELIMIT       it was longer than `size`: its first bytes are in `data`, the rest is lost,
 *                     and the text tells its length; *from is set
 *   -ECONNREFUSED     see above; or another error of the kernel's
 *   -ESHUTDOWN        the endpoint is closed meanwhile
 *   -ENOMEM, -EPERM (outside a task), -ECANCELED, -ETIMEDOUT   nothing was taken
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_datagram_receive(eddy_datagram *datagram,
                                                                  void *data, size_t size,
                                                                  eddy_address *from);

/* One datagram of many. */
typedef struct eddy_datagram_message {
    /* set by the caller */
    void *data;
    size_t size; /* room */
    /* set on success */
    size_t length;     /* bytes that are in `data` */
    bool truncated;    /* it was longer: the rest is lost */
    eddy_address from; /* the sender */
} eddy_datagram_message;

/* The largest number of datagrams that are received at once. */
#define EDDY_DATAGRAM_BATCH 32

/*
 * Receives the datagrams that are there, up to `count` and EDDY_DATAGRAM_BATCH of them, by one
 * call of the kernel's; recvmmsg(2).
 *
 * Suspends until there is one.
 *
 * Returns how many of `messages` are filled, at least 1; -EINVAL for count 0; or an error of
 * eddy_datagram_receive, but for EDDY_ELIMIT.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t
eddy_datagram_receive_many(eddy_datagram *datagram, eddy_datagram_message *messages, size_t count);

/*
 * Sends a datagram to the peer of a connected endpoint.
 *
 * Suspends while the kernel has no room for it; in general it has.
 *
 * Returns 0, or
 *   -EDESTADDRREQ     it is not connected
 *   -EMSGSIZE         it is longer than the kernel allows: 65,507 bytes for UDP over IPv4
 *   -ECONNREFUSED     see above: this one has not been sent
 *   -EACCES, -ENETUNREACH, -ENOBUFS   or another error of the kernel's
 *   -ESHUTDOWN        the endpoint is closed meanwhile
 *   -ENOMEM, -EPERM (outside a task), -ECANCELED, -ETIMEDOUT   it has not been sent
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_datagram_send(eddy_datagram *datagram, const void *data, size_t size);

/* The same to an address; NULL: the peer's. -EINVAL for another than the peer's of a connected
 * endpoint. Suspends likewise. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_datagram_send_to(eddy_datagram *datagram,
                                                              const void *data, size_t size,
                                                              const eddy_address *to);

/* The same, but never waits, also from callbacks: -EAGAIN when the kernel has no room, or others
 * wait to send. */
EDDY_NODISCARD EDDY_API int eddy_datagram_send_nowait(eddy_datagram *datagram, const void *data,
                                                      size_t size, const eddy_address *to);

/*
 * Closes an endpoint, frees it and sets the handle to NULL; NULL is left alone. Other tasks that
 * are inside get -ESHUTDOWN, unless they are done meanwhile. What was sent is the kernel's, and
 * goes.
 *
 * Suspends only while others are inside, until they have been told, and is never refused.
 */
EDDY_API EDDY_AWAITS void eddy_datagram_close(eddy_datagram **datagram);

/* What has gone through an endpoint. */
typedef struct eddy_datagram_counters {
    uint64_t received, sent;             /* datagrams */
    uint64_t received_bytes, sent_bytes; /* without headers */
    uint64_t truncated;                  /* of those received */
} eddy_datagram_counters;

/* Counts since the endpoint was opened. */
EDDY_API eddy_datagram_counters eddy_datagram_get_counters(const eddy_datagram *datagram);

/* The address that it receives at; its size is 0 for a unix socket without a name. Valid until
 * the endpoint is closed. */
EDDY_API const eddy_address *eddy_datagram_local(const eddy_datagram *datagram);

/* The peer's address, or NULL when it is not connected. Valid likewise. */
EDDY_API const eddy_address *eddy_datagram_remote(const eddy_datagram *datagram);

/* The descriptor, borrowed, for options that are not offered here (setsockopt(2)). Not to be read,
 * written or closed. */
EDDY_API int eddy_datagram_fd(const eddy_datagram *datagram);

/* For the macro above. Suspends as eddy_datagram_close does. */
EDDY_API EDDY_AWAITS void eddy_datagram_end_scope_(eddy_datagram **datagram);

EDDY_END_DECLS
#endif
