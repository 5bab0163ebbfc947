/* SPDX-License-Identifier: MIT */
/* Sockets of the library's own: never blocking, closed by exec, and counted. */
#include "os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "base/stats.h"
#include "harness.h"

RAW_TEST(socket_neither_blocks_nor_outlives_an_exec)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = ed_socket_open(AF_INET, SOCK_DGRAM, 0);

    CHECK_OK(fd);
    CHECK_EQ(ed_stats_get(ED_STAT_DESCRIPTORS), 1);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_OK(ed_socket_connect(fd, (struct sockaddr *)&address, sizeof address));
    address.sin_family = 4711;
    CHECK(ed_socket_connect(fd, (struct sockaddr *)&address, sizeof address) < 0);
    ed_socket_close(fd);
    CHECK_EQ(ed_stats_get(ED_STAT_DESCRIPTORS), 0);
    CHECK_EQ(ed_socket_open(4711, SOCK_DGRAM, 0), -EAFNOSUPPORT);
}
