/* SPDX-License-Identifier: MIT */
/* Listening sockets, and the files of those that are unix sockets (listener.c). */
#ifndef ED_NET_LISTENER_H
#define ED_NET_LISTENER_H

#include <sys/stat.h>

#include "eddy/net.h"

struct ed_listener {
    int fd;
    eddy_address address; /* that it has got */
    bool has_file;        /* a unix socket's, to be removed, if it still is this one: */
    dev_t device;
    ino_t inode;
};

/* Binds and listens. 0, or an error of the kernel's, raised with the address in its text; a
 * stale file of a unix socket is replaced. */
int ed_listener_open(const eddy_address *address, const eddy_server_options *options,
                     struct ed_listener *out);

/* Takes over a descriptor that listens: 0, -EINVAL for another. */
int ed_listener_adopt(int fd, struct ed_listener *out);

/* Makes it refuse connections from now on, and removes its file. */
void ed_listener_refuse(struct ed_listener *listener);

/* Closes it; no operation uses it. */
void ed_listener_close(struct ed_listener *listener);

#endif
