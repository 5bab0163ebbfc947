/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define PORTS 20000 /* of a source address that are used at a time */

int connect_to(const struct load *load, unsigned number)
{
    struct sockaddr_in server = {
        .sin_family = AF_INET,
        .sin_port = htons(load->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct sockaddr_in source = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / PORTS % 200),
    };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        fail("socket", errno);
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
        fail("TCP_NODELAY", errno);
    /* Some systems' default would pace what it sends; without this one, so be it. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", sizeof "reno");
    if (number >= PORTS &&
        (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) < 0 ||
         bind(fd, (struct sockaddr *)&source, sizeof source) < 0))
        fail("bind", errno);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0)
        fail("connect", errno);
    return fd;
}
