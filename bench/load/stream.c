/* SPDX-License-Identifier: MIT */
/* Blocks without end to a sink, or out of a source, on each connection in turn. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "load.h"

/* MSG_TRUNC: the bytes are dropped in the kernel, so that the server is the slower one. */
static ssize_t pass_block(int fd, char *block, bool receive)
{
    ssize_t n = receive ? recv(fd, block, BLOCK, MSG_TRUNC) : send(fd, block, BLOCK, MSG_NOSIGNAL);

    if (n <= 0)
        fail(receive ? "recv" : "send", n < 0 ? errno : ECONNRESET);
    return n;
}

void load_stream(const struct load *load)
{
    static char block[BLOCK];
    int *fds = allocate(load->connections, sizeof *fds);
    uint64_t count = 0, bytes = 0;
    struct window window;

    for (unsigned i = 0; i < load->connections; i++)
        fds[i] = connect_to(load, i);
    window_start(&window, load);
    while (!window_over(&window, count, bytes)) {
        bytes += (uint64_t)pass_block(fds[count % load->connections], block, load->receive);
        count++;
    }
    free(fds);
}
