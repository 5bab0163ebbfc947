/* SPDX-License-Identifier: MIT */
/* Streams over descriptors, for those who make them: see socket.c. */
#ifndef ED_IO_SOCKET_H
#define ED_IO_SOCKET_H

#include <sys/socket.h>

#include "eddy/stream.h"

/* A device is a character device that is no terminal. Those without addresses come last. */
enum ed_socket_kind {
    ED_SOCKET_TCP,
    ED_SOCKET_UNIX,
    ED_SOCKET_PIPE,
    ED_SOCKET_TERMINAL,
    ED_SOCKET_DEVICE,
};

#define ED_SOCKET_NAME 128 /* bytes of an address as text, with its NUL */

/* Writes the text of an address of `size` bytes into `room` bytes. */
typedef void
ed_socket_namer(const struct sockaddr *address, socklen_t size, char *text, size_t room);

/* A stream over a descriptor that does not block, which becomes the stream's; -ENOMEM, -EPERM
 * outside a loop: it is the caller's still. `namer` may be NULL. */
int ed_socket_new(int fd, enum ed_socket_kind kind, ed_socket_namer *namer, eddy_stream **out);

/* It is closed with another object, which says so itself when its loop closes over it. A
 * pseudo-terminal's master says -EIO when nobody has the other end open: the end of the stream. */
void ed_socket_is_part(eddy_stream *stream, bool is_master);

/* Its descriptor was blocking, and is to be so again behind the close. */
void ed_socket_was_blocking(eddy_stream *stream);

/* It is one of the standard streams: the loop's, which at its end writes what is left, and no
 * socket is reset. `blocks`: its descriptor does, and must go on to. */
void ed_socket_is_standard(eddy_stream *stream, const char *title, bool blocks);

/* How long a standard stream waits at the end of its loop for somebody to take a byte, s. */
extern double ed_standard_patience;

#endif
