/* SPDX-License-Identifier: MIT */
/*
 * Connects and closes, without a byte. So many connections as are asked for stay
 * half-closed behind the newest one, and the oldest must have been closed by the
 * server before a new one is made: the server works while we connect, and its
 * backlog cannot overflow.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static void await_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    if (n != 0)
        fail("recv", n < 0 ? errno : EPROTO);
    close(fd);
}

void load_accept(const struct load *load)
{
    int *fds = allocate(load->connections, sizeof *fds);
    unsigned number = 1000 * (unsigned)getpid(); /* not the ports of the run before */
    struct window window;
    uint64_t count = 0;

    window_start(&window, load);
    while (!window_over(&window, count, 0)) {
        unsigned slot = (unsigned)(count % load->connections);

        if (count >= load->connections)
            await_end(fds[slot]);
        fds[slot] = connect_to(load, number++);
        if (shutdown(fds[slot], SHUT_WR) < 0)
            fail("shutdown", errno);
        count++;
    }
    free(fds);
}
