/* SPDX-License-Identifier: MIT */
/*
 * The standard streams. Each is a stream over a descriptor of its own, so that its end, which is
 * the loop's, closes nothing that others use.
 *
 * Whether a descriptor blocks is a flag of what is open behind it, which a shell, stdio and other
 * processes share: it must not be changed. What is opened anew under /proc has flags of its own.
 * That is right for named things, pipes and terminals; a terminal's master or another device may be
 * another object when it is opened again, and a socket cannot be. Those get a duplicate: sockets
 * have a flag for each call, and of all else no more is asked than poll(2) promises. Files do not
 * block in that sense, but have a position that is shared: see file.c.
 */
#include "os/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/socket.h"
#include "loop/loop.h"
#include "os/file.h"
#include "task/task.h"

#define STDIO_ABOVE 3 /* where descriptors of one's own begin */

const char *ed_stdio_descriptors = "/proc/self/fd";

static const char *const stdio_titles[] = {"standard input", "standard output", "standard error"};

/* A socket that streams; *kind is which. */
static bool stdio_is_socket(int fd, const struct stat *status, enum ed_socket_kind *kind)
{
    int type = 0, domain = 0;
    socklen_t size = sizeof type;

    if (!S_ISSOCK(status->st_mode) || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
        type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
        return false;
    *kind = domain == AF_UNIX ? ED_SOCKET_UNIX : ED_SOCKET_TCP;
    return true;
}

/* Whether it can be opened anew and be the same. */
static bool stdio_is_named(int fd, const struct stat *status)
{
    int number;

    return S_ISFIFO(status->st_mode) ||
           (S_ISCHR(status->st_mode) && isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0);
}

/* A duplicate, or an error. EINVAL: so many may not be. */
static int stdio_duplicate(int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, STDIO_ABOVE);

    return own >= 0 ? own : errno == EINVAL ? -EMFILE : -errno;
}

/* The descriptor of one's own, and whether it blocks; or an error. */
static int stdio_own(int fd, const struct stat *status, bool *blocks)
{
    int flags = fcntl(fd, F_GETFL), own = -1;
    char path[64];

    *blocks = false;
    if (stdio_is_named(fd, status)) {
        snprintf(path, sizeof path, "%s/%d", ed_stdio_descriptors, fd);
        own = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    if (own >= 0)
        return own;
    *blocks = true; /* or may at any time */
    return stdio_duplicate(fd);
}

/* Makes a stream over what is no file. */
static int stdio_make(int fd, const struct stat *status, eddy_stream **out)
{
    enum ed_socket_kind kind = !S_ISCHR(status->st_mode) ? ED_SOCKET_PIPE
                               : isatty(fd)              ? ED_SOCKET_TERMINAL
                                                         : ED_SOCKET_DEVICE;
    bool blocks;
    int own, rc;

    (void)stdio_is_socket(fd, status, &kind);
    own = stdio_own(fd, status, &blocks);
    if (own < 0)
        return ed_raise(own, "%s: %s", stdio_titles[fd], eddy_strerror(own));
    rc = ed_socket_new(own, kind, NULL, out);
    if (rc < 0) {
        close(own);
        return rc;
    }
    ed_socket_is_standard(*out, stdio_titles[fd], blocks);
    return 0;
}

/* Makes a stream over a file. */
static int stdio_make_file(int fd, eddy_stream **out)
{
    int own = stdio_duplicate(fd), rc;
    struct ed_file *f;
    off_t position;

    if (own < 0)
        return ed_raise(own, "%s: %s", stdio_titles[fd], eddy_strerror(own));
    rc = ed_file_new(own, stdio_titles[fd], fcntl(fd, F_GETFL), &f);
    if (rc < 0) {
        close(own);
        return rc;
    }
    position = lseek(own, 0, SEEK_CUR);
    f->position = position < 0 ? 0 : position;
    f->shared = true;
    f->stream.standard = true;
    f->resource.describe = NULL;
    *out = &f->stream;
    return 0;
}

/* Files, and devices that have positions, as for eddy_open. A terminal has none. */
static bool stdio_is_file(int fd, const struct stat *status)
{
    return S_ISREG(status->st_mode) || S_ISBLK(status->st_mode) ||
           (S_ISCHR(status->st_mode) && lseek(fd, 0, SEEK_CUR) >= 0);
}

/* A number that was closed may have become that of something of our own: of another stream, or of
 * what the engine or others wait with, which has no type. */
static int stdio_open(int fd, eddy_stream **out)
{
    struct stat status;
    int rc = fstat(fd, &status) < 0 ? -errno : (status.st_mode & S_IFMT) ? 0 : -EBADF;

    if (rc < 0)
        return ed_raise(rc, "%s: %s", stdio_titles[fd],
                        rc == -EBADF ? "it is closed" : eddy_strerror(rc));
    if (ed_loop_owns(eddy_thread_.loop, fd))
        return ed_raise(-EBUSY, "%s: descriptor %d is another stream's", stdio_titles[fd], fd);
    if (S_ISDIR(status.st_mode))
        return ed_raise(-EISDIR, "%s: it is a directory", stdio_titles[fd]);
    if (stdio_is_file(fd, &status))
        return stdio_make_file(fd, out);
    return stdio_make(fd, &status, out);
}

static int stdio_get(int fd, eddy_stream **out)
{
    eddy_loop *loop = eddy_thread_.loop;
    int rc = 0;

    if (!loop)
        return ed_raise(-EPERM, "%s: used outside a running loop", stdio_titles[fd]);
    if (!loop->standard[fd])
        rc = stdio_open(fd, &loop->standard[fd]);
    if (rc < 0)
        return rc;
    *out = loop->standard[fd];
    return 0;
}

int eddy_stdin(eddy_stream **out)
{
    return stdio_get(STDIN_FILENO, out);
}

int eddy_stdout(eddy_stream **out)
{
    return stdio_get(STDOUT_FILENO, out);
}

int eddy_stderr(eddy_stream **out)
{
    return stdio_get(STDERR_FILENO, out);
}
