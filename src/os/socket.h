/* SPDX-License-Identifier: MIT */
/* Sockets of the library's own, for code that waits for them by ED_OP_POLL. */
#ifndef ED_OS_SOCKET_H
#define ED_OS_SOCKET_H

#include <sys/socket.h>

#include "base/compat.h"

/* A socket that is close-on-exec and does not block, or a negative error. */
int ed_socket_open(int family, int type, int protocol);

/* connect(2): 0, or a negative error; -EINPROGRESS is none yet. */
int ed_socket_connect(int fd, const struct sockaddr *address, socklen_t size);

void ed_socket_close(int fd);

#endif
