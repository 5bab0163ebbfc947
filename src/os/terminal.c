/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-terminals, pty(7). The child's end is opened by way of ours and not by its name, so that
 * it is the right one in whatever name space of mounts we are.
 *
 * Nobody else has the master: closing it hangs the terminal up, and those in it get SIGHUP.
 */
#include "os/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "os/blocking.h"
#include "os/process.h"

#define TERMINAL_ROWS 24
#define TERMINAL_COLUMNS 80

static int terminal_resize(int master, uint16_t rows, uint16_t columns)
{
    struct winsize size = {.ws_row = rows ? rows : TERMINAL_ROWS,
                           .ws_col = columns ? columns : TERMINAL_COLUMNS};

    return ioctl(master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

/* The child's end of a master that is open, or an error. */
static int terminal_open_slave(int master, uint16_t rows, uint16_t columns)
{
    int locked = 0, rc = terminal_resize(master, rows, columns);

    if (rc == 0 && ioctl(master, TIOCSPTLCK, &locked) < 0)
        rc = -errno;
    return rc < 0 ? rc
                  : (int)ED_SYSTEM(ED_FAULT_OPENAT,
                                   ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

int ed_terminal_open(struct ed_terminal *terminal, uint16_t rows, uint16_t columns)
{
    int master = (int)ED_SYSTEM(ED_FAULT_OPENAT,
                                open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    int slave = master < 0 ? master : terminal_open_slave(master, rows, columns);

    if (slave < 0) {
        if (master >= 0)
            close(master);
        return slave;
    }
    terminal->master = master;
    terminal->slave = slave;
    return 0;
}

eddy_stream *eddy_process_terminal(const eddy_process *process)
{
    return process->streams[ED_PROCESS_TERMINAL];
}

int eddy_process_resize_terminal(eddy_process *p, uint16_t rows, uint16_t columns)
{
    const eddy_stream *terminal = p->streams[ED_PROCESS_TERMINAL];
    int rc = terminal ? terminal_resize(eddy_stream_fd(terminal), rows, columns) : -ENOTTY;

    return rc < 0 ? ed_raise(rc, "the terminal of process %d (%s): %s", (int)p->child.pid, p->name,
                             terminal ? eddy_strerror(rc) : "it was started without one")
                  : 0;
}
