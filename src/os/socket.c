/* SPDX-License-Identifier: MIT */
/*
 * Sockets, each counted from its opening to its close, so that one that is left shows in the
 * statistics.
 */
#include "os/socket.h"

#include <errno.h>
#include <unistd.h>

#include "base/stats.h"

int ed_socket_open(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

    if (fd < 0)
        return -errno;
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);
    return fd;
}

int ed_socket_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    return connect(fd, address, size) < 0 ? -errno : 0;
}

void ed_socket_close(int fd)
{
    close(fd);
    ed_stats_add(ED_STAT_DESCRIPTORS, -1);
}
