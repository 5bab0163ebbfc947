/* SPDX-License-Identifier: MIT */
/* Streams over descriptors that come from elsewhere: see descriptor.c. */
#ifndef ED_IO_DESCRIPTOR_H
#define ED_IO_DESCRIPTOR_H

#include "io/socket.h"

/* A stream over a descriptor of a connected socket, pipe or character device, which becomes the
 * stream's. Without a namer the names of a socket are "". Returns 0, or with the descriptor left
 * alone and a text raised -EINVAL, -EBADF, -EBUSY for one that is a stream's already; -ENOMEM,
 * -EPERM outside a loop. */
int ed_descriptor_stream(int fd, ed_socket_namer *namer, eddy_stream **out);

#endif
