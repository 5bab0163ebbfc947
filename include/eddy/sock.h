/* SPDX-License-Identifier: MIT */
/*
 * Sockets of one's own: asyncio's loop.sock_* on descriptors, for protocols that streams and
 * datagrams do not serve.
 *
 *     int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
 *     ...
 *     EDDY_TRY(eddy_sock_connect(fd, &address));
 *     EDDY_TRY(eddy_sock_sendall(fd, "PING\r\n", 6, NULL));
 *
 * A descriptor stays the caller's. It must not block (-EINVAL), and must not belong to a stream
 * or another object of Eddy's (-EBUSY). All calls make their try at once, and wait only when the
 * kernel says so.
 *
 * Several tasks may use one descriptor. Those that receive or accept take turns, first come, first
 * served, and so do those that send or connect; the two directions do not wait for each other. The
 * turn of a sendall lasts until its bytes have gone. Tasks that wait for readiness are all told.
 *
 * Cancel, and what has not been received stays in the kernel for the next call. An operation
 * that was faster than its cancel has succeeded, and the cancel is seen by the next call.
 *
 * A descriptor on which tasks may wait is closed by eddy_sock_close. Closing it behind their
 * backs, by close(2), leaves them waiting.
 *
 * Besides those listed, all calls return errors of the kernel's, -EBADF among them, -ENOMEM,
 * -EPERM outside a task, and -ECANCELED or -ETIMEDOUT.
 */
#ifndef EDDY_SOCK_H
#define EDDY_SOCK_H

#include <sys/types.h>

#include "eddy/address.h"
#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/*
 * Receives what there is, up to `size` bytes; of a datagram what fits.
 *
 * Suspends while there is none.
 *
 * Returns how many bytes are in `data`; 0 at the end of a stream.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_sock_recv(int fd, void *data, size_t size);

/* The same, and *from, which may be NULL, gets the sender's address; its size is 0 when it has
 * none. Suspends likewise. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_sock_recvfrom(int fd, void *data, size_t size,
                                                               eddy_address *from);

/* Sends, maybe fewer than `size` bytes. Suspends while there is no room for any. Returns how
 * many went; -EPIPE, never a signal, when nobody will read them. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_sock_send(int fd, const void *data, size_t size);

/*
 * Sends all of `data`; no other task's bytes come between.
 *
 * sent     gets how many bytes went, also with an error; may be NULL
 *
 * Suspends until the kernel has them. Returns 0; an error, also -ECANCELED and -ETIMEDOUT, when
 * only *sent of them have gone. `data` is the caller's again in any case.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_sock_sendall(int fd, const void *data, size_t size, size_t *sent);

/* Sends a datagram to an address. Suspends while there is no room for it. Returns how many bytes
 * went: all of them; -EMSGSIZE when it is longer than the kernel allows. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_sock_sendto(int fd, const void *data, size_t size,
                                                             const eddy_address *to);

/* Connects. The address is a value: names are for eddy_getaddrinfo. Suspends until it is done.
 * Returns 0, or the error of connect(2), such as -ECONNREFUSED, or -ENOBUFS when the queue of a
 * unix listener is full; behind any error but that one, a cancel too, the socket can only be
 * closed. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_sock_connect(int fd, const eddy_address *address);

/* Accepts a connection. Suspends until there is one. Returns its descriptor, which does not
 * block, is close-on-exec, and is the caller's; *from, which may be NULL, gets the peer's
 * address. No connection is lost to a cancel. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_sock_accept(int fd, eddy_address *from);

/*
 * Sends the bytes of a file, sendfile(2), in one turn.
 *
 * file     a regular file's descriptor; its position is not used
 * offset   where to begin; moved on by what went, also with an error
 * count    how many; SIZE_MAX: up to the file's end
 *
 * Suspends until the kernel has them. Returns how many went: fewer than `count` at the file's end,
 * 0 behind it; -EINVAL for a negative offset, count 0, or another kind of file.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS ssize_t eddy_sock_sendfile(int fd, int file, off_t *offset,
                                                               size_t count);

/*
 * Wait until any descriptor that has readiness (a socket, pipe, eventfd, timerfd, terminal, ...)
 * can be read or written, hang-up and error included: a call of one's own then tells more. It
 * may block all the same, when somebody else is faster, so it ought to be non-blocking.
 *
 * Suspend until then. Return 0; -EPERM for a regular file or directory.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_wait_readable(int fd); /* Suspends until then. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_wait_writable(int fd); /* Suspends until then. */

/*
 * Closes a descriptor. Tasks of this loop that wait on it get -EBADF, but an operation that is
 * done meanwhile has succeeded; its reader and writer (eddy_loop_add_reader) are removed. When
 * it is closed nothing of the loop's refers to it, so that its number can be used again.
 *
 * Suspends only while tasks wait on it, until they have been told, and is never refused.
 *
 * Returns 0, or an error of close(2), after which it is gone all the same; -EBADF, also when
 * another task closes it.
 */
EDDY_API EDDY_AWAITS int eddy_sock_close(int fd);

/*
 * For libraries over another library, which has the descriptor and closes it when it likes. Waits
 * until it is ready for one of the events, and returns for which, hang-up and error included; the
 * virtual clock keeps pace with the real one meanwhile. With `steady` the kernel is asked once for
 * many waits, and eddy_poll_forget_ has to be called when the descriptor is closed, or just before,
 * and before the loop goes on. Suspends.
 */
#define EDDY_POLL_IN_ 0x001u
#define EDDY_POLL_OUT_ 0x004u
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_poll_(int fd, unsigned events, bool steady);
EDDY_API void eddy_poll_forget_(int fd);
/* That of the clock alone, while a task waits for such a program in another way. Counted. */
EDDY_API void eddy_keep_pace_(bool begin);

EDDY_END_DECLS
#endif
