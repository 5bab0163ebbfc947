/* SPDX-License-Identifier: MIT */
/*
 * Connections that do nothing. Prints `open` when all are there; a line on the
 * standard input ends them all at once, and the seconds are printed that it took
 * until the server had closed the last one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "load.h"

void load_idle(const struct load *load)
{
    int *fds = allocate(load->connections, sizeof *fds);
    char line[16];

    for (unsigned i = 0; i < load->connections; i++)
        fds[i] = connect_to(load, i);
    puts("open");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        fail("standard input", ENODATA);
    double start = now();
    for (unsigned i = 0; i < load->connections; i++) {
        if (shutdown(fds[i], SHUT_WR) < 0)
            fail("shutdown", errno);
    }
    for (unsigned i = 0; i < load->connections; i++) {
        if (recv(fds[i], line, sizeof line, 0) != 0)
            fail("recv", EPROTO);
    }
    printf("count=%u bytes=0 seconds=%.6f cpu=0\n", load->connections, now() - start);
    free(fds);
}
