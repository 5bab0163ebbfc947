/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that come from elsewhere, and what kind of stream each is.
 *
 * What the descriptor is, fstat(2) and the socket's options say. It is changed last, when nothing
 * can fail any more: who gets an error has it as it was.
 */
#include "io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/loop.h"
#include "task/task.h"

/* What kind a descriptor is: a stream's, or -EINVAL, -EBADF. */
static int descriptor_kind(int fd)
{
    struct stat status;
    int domain = 0, type = 0, listens = 0;
    socklen_t size = sizeof type;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (S_ISCHR(status.st_mode))
        return isatty(fd) ? ED_SOCKET_TERMINAL : ED_SOCKET_DEVICE;
    if (S_ISFIFO(status.st_mode))
        return ED_SOCKET_PIPE;
    if (!S_ISSOCK(status.st_mode) || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
        type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || listens)
        return -EINVAL;
    if (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6)
        return -EINVAL;
    return domain == AF_UNIX ? ED_SOCKET_UNIX : ED_SOCKET_TCP;
}

/*
 * Makes a descriptor non-blocking. That of a terminal is shared with whoever else has it, such as
 * standard output, which must go on to block: so it is opened anew for the stream, under the same
 * number. Other devices, a terminal's master among them, would be another object then. Whether it
 * was blocking and has to be again.
 */
static bool descriptor_unblock(int fd, int flags, int kind)
{
    char path[32];
    int own = -1, number;

    if (flags & O_NONBLOCK)
        return false;
    if (kind == ED_SOCKET_TERMINAL && isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        own = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    if (own >= 0 && dup3(own, fd, fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0) == fd) {
        close(own);
        return false;
    }
    if (own >= 0)
        close(own);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* cannot fail: the descriptor is there */
    return true;
}

int ed_descriptor_stream(int fd, ed_socket_namer *namer, eddy_stream **out)
{
    int kind = descriptor_kind(fd), flags = fcntl(fd, F_GETFL), rc;

    if (eddy_thread_.loop && ed_loop_owns(eddy_thread_.loop, fd))
        return ed_raise(-EBUSY, "descriptor %d is a stream's already", fd);
    if (kind < 0 || flags < 0)
        return ed_raise(kind < 0 ? kind : -errno, "descriptor %d is not of a stream%s", fd,
                        kind == -EINVAL ? " but of a file, or of a socket for messages" : "");
    rc = ed_socket_new(fd, (enum ed_socket_kind)kind, kind >= ED_SOCKET_PIPE ? NULL : namer, out);
    if (rc < 0)
        return rc;
    if (descriptor_unblock(fd, flags, kind))
        ed_socket_was_blocking(*out);
    return 0;
}
