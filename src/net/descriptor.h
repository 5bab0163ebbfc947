/* SPDX-License-Identifier: MIT */
/* Streams over descriptors of sockets, with their names (descriptor.c). */
#ifndef ED_NET_DESCRIPTOR_H
#define ED_NET_DESCRIPTOR_H

#include "eddy/stream.h"

/* A stream over a non-blocking socket of that family, which becomes the stream's; -ENOMEM, -EPERM
 * outside a loop: it is the caller's still. */
int ed_socket_stream(int fd, int family, eddy_stream **out);

#endif
