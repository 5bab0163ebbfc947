/* SPDX-License-Identifier: MIT */
/* Streams over descriptors, for those who make them: see socket.c. */
#ifndef ED_IO_SOCKET_H
#define ED_IO_SOCKET_H

#include "eddy/stream.h"

/* A terminal is any character device. Those without addresses come last. */
enum ed_socket_kind { ED_SOCKET_TCP, ED_SOCKET_UNIX, ED_SOCKET_PIPE, ED_SOCKET_TERMINAL };

#define ED_SOCKET_NAME 128 /* bytes of an address as text, with its NUL */

/* Writes the text of the peer's or the own address; leaves `text` alone when there is none. */
typedef void ed_socket_namer(int fd, bool peer, char *text, size_t size);

/* A stream over a descriptor that does not block, which becomes the stream's; -ENOMEM, -EPERM
 * outside a loop: it is the caller's still. `namer` may be NULL. */
int ed_socket_new(int fd, enum ed_socket_kind kind, ed_socket_namer *namer, eddy_stream **out);

/* Its descriptor was blocking, and is to be so again behind the close. */
void ed_socket_was_blocking(eddy_stream *stream);

#endif
