/* SPDX-License-Identifier: MIT */
/*
 * Blocks without end to a sink, or out of a source, on each connection in turn.
 *
 * The generator spares itself what it can, so that the server is the slower one:
 * it sends pages of a file, which are not copied, and drops in the kernel what it
 * receives (MSG_TRUNC).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

/* A file in memory of one block. */
static int block_file(void)
{
    static const char block[BLOCK];
    int fd = memfd_create("block", MFD_CLOEXEC);

    if (fd < 0 || write(fd, block, BLOCK) != BLOCK)
        fail("memfd_create", errno);
    return fd;
}

static uint64_t receive_block(int fd)
{
    static char block[BLOCK];
    ssize_t n = recv(fd, block, BLOCK, MSG_TRUNC);

    if (n <= 0)
        fail("recv", n < 0 ? errno : ECONNRESET);
    return (uint64_t)n;
}

static uint64_t send_block(int fd, int file)
{
    off_t offset = 0;
    ssize_t n = sendfile(fd, file, &offset, BLOCK);

    if (n <= 0)
        fail("sendfile", n < 0 ? errno : EPROTO);
    return (uint64_t)n;
}

void load_stream(const struct load *load)
{
    int *fds = allocate(load->connections, sizeof *fds), file = block_file();
    uint64_t count = 0, bytes = 0;
    struct window window;

    for (unsigned i = 0; i < load->connections; i++)
        fds[i] = connect_to(load, i);
    window_start(&window, load);
    while (!window_over(&window, count, bytes)) {
        int fd = fds[count % load->connections];

        bytes += load->receive ? receive_block(fd) : send_block(fd, file);
        count++;
    }
    free(fds);
}
