/* SPDX-License-Identifier: MIT */
/* Listening sockets, and the files of those that are unix sockets (listener.c). */
#ifndef ED_NET_LISTENER_H
#define ED_NET_LISTENER_H

#include "eddy/net.h"
#include "net/socket_file.h"

struct ed_listener {
    int fd;
    eddy_address address;       /* that it has got */
    bool adopted;               /* others may listen at it, too */
    struct ed_socket_file file; /* of a unix socket */
};

/* Binds and listens. 0, or an error of the kernel's, raised with the address in its text; a
 * stale file of a unix socket is replaced. */
int ed_listener_open(const eddy_address *address, const eddy_server_options *options,
                     struct ed_listener *out);

/* Takes over a socket that listens for streams: 0, -EINVAL for another. */
int ed_listener_adopt(int fd, const eddy_server_options *options, struct ed_listener *out);

/* One that was adopted is the caller's again. */
void ed_listener_give_back(struct ed_listener *listener);

/* Makes it refuse connections from now on, and removes its file. One that was adopted refuses
 * them when it is closed, unless somebody else listens at it. */
void ed_listener_refuse(struct ed_listener *listener);

/* Closes it; no operation uses it. */
void ed_listener_close(struct ed_listener *listener);

#endif
