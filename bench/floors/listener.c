/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct request request_parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"sink", no_argument, NULL, SERVICE_SINK},   {"source", no_argument, NULL, SERVICE_SOURCE},
        {"close", no_argument, NULL, SERVICE_CLOSE}, {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},       {0},
    };
    struct request request = {.service = SERVICE_ECHO};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'c': request.cert = optarg; break;
        case 'k': request.key = optarg; break;
        case '?': exit(2);
        default: request.service = (enum service)option; break;
        }
    }
    if (optind != argc - 1) {
        fprintf(stderr, "usage: %s PORT [--sink | --source | --close]\n", argv[0]);
        exit(2);
    }
    request.port = (uint16_t)strtoul(argv[optind], NULL, 10);
    return request;
}

int listener_open(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        fail("listen", errno);
    printf("ready %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}
