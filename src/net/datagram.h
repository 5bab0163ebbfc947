/* SPDX-License-Identifier: MIT */
/* Datagram endpoints: opened in datagram_open.c, used in datagram.c. */
#ifndef ED_NET_DATAGRAM_H
#define ED_NET_DATAGRAM_H

#include "eddy/datagram.h"
#include "io/turn.h"
#include "loop/loop.h"
#include "net/socket_file.h"

struct eddy_datagram {
    /* set at open */
    eddy_loop *loop;
    struct ed_resource resource;
    int fd;
    bool connected;
    eddy_address local, remote;
    struct ed_socket_file file; /* of a unix socket that is bound */

    struct ed_line in, out;
    eddy_datagram_counters counters;
};

/* An endpoint over a counted socket, with the addresses that the kernel knows. -ENOMEM: it
 * is the caller's still. */
int ed_datagram_new(int fd, eddy_datagram **out);

#endif
