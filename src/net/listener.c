/* SPDX-License-Identifier: MIT */
/* What a server listens at. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/stats.h"
#include "loop/loop.h"
#include "task/task.h"

#define LISTENER_BACKLOG 100

static int listener_set(int fd, int level, int option)
{
    const int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on) < 0 ? -errno : 0;
}

/* From open to close it is the server's alone. */
static void listener_own(int fd, bool own)
{
    eddy_loop *loop = eddy_thread_.loop;

    ed_stats_add(ED_STAT_DESCRIPTORS, own ? 1 : -1);
    if (loop && own)
        ed_loop_own(loop, fd);
    else if (loop)
        ed_loop_disown(loop, fd);
}

/* What connections inherit. */
static int listener_prepare_connections(int fd, int family, const eddy_server_options *options)
{
    int rc = 0;

    if ((family == AF_INET || family == AF_INET6) && !options->delay_small)
        rc = listener_set(fd, IPPROTO_TCP, TCP_NODELAY);
    if (rc == 0 && options->keep_alive)
        rc = listener_set(fd, SOL_SOCKET, SO_KEEPALIVE);
    return rc;
}

static int listener_prepare(int fd, int family, const eddy_server_options *options)
{
    int rc = 0;

    if (!options->keep_address && family != AF_UNIX)
        rc = listener_set(fd, SOL_SOCKET, SO_REUSEADDR);
    if (rc == 0 && options->reuse_port)
        rc = listener_set(fd, SOL_SOCKET, SO_REUSEPORT);
    if (rc == 0 && family == AF_INET6)
        rc = listener_set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    return rc < 0 ? rc : listener_prepare_connections(fd, family, options);
}

static int listener_bind(struct ed_listener *listener, const eddy_server_options *options)
{
    int backlog = options->backlog > 0 ? options->backlog : LISTENER_BACKLOG;
    int rc = ed_socket_bind(listener->fd, &listener->address, options->mode, options->keep_file,
                            &listener->file);

    if (rc == 0 && listen(listener->fd, backlog) < 0)
        rc = -errno;
    listener->address.size = sizeof listener->address.as;
    if (rc == 0 &&
        getsockname(listener->fd, &listener->address.as.any, &listener->address.size) < 0)
        rc = -errno;
    return rc;
}

int ed_listener_open(const eddy_address *address, const eddy_server_options *options,
                     struct ed_listener *out)
{
    int family = address->as.any.sa_family;
    struct ed_listener listener = {.address = *address};
    char text[EDDY_ADDRESS_TEXT];
    int rc;

    listener.fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener.fd < 0) {
        rc = -errno;
    } else {
        listener_own(listener.fd, true);
        rc = listener_prepare(listener.fd, family, options);
        if (rc == 0)
            rc = listener_bind(&listener, options);
        if (rc < 0)
            ed_listener_close(&listener);
    }
    if (rc < 0)
        return ed_raise(rc, "cannot listen at %s: %s",
                        eddy_address_text(address, text, sizeof text), eddy_strerror(rc));
    *out = listener;
    return 0;
}

/* Whether a descriptor is of a socket that listens for streams. */
static bool listener_listens(int fd)
{
    int listens = 0, type = 0;
    socklen_t size = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int ed_listener_adopt(int fd, const eddy_server_options *options, struct ed_listener *out)
{
    struct ed_listener listener = {
        .fd = fd, .address.size = sizeof listener.address.as, .adopted = true};
    int flags = fcntl(fd, F_GETFL);

    if (eddy_thread_.loop && ed_loop_owns(eddy_thread_.loop, fd))
        return ed_raise(-EBUSY, "descriptor %d is a server's already", fd);
    if (flags < 0 || !listener_listens(fd) ||
        getsockname(fd, &listener.address.as.any, &listener.address.size) < 0)
        return ed_raise(-EINVAL, "descriptor %d does not listen for streams", fd);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* cannot fail: the descriptor is there */
    /* As far as it goes: the socket is as it was made. */
    (void)listener_prepare_connections(fd, listener.address.as.any.sa_family, options);
    listener_own(fd, true);
    *out = listener;
    return 0;
}

/* shutdown(2) on a listening socket takes it out of the kernel's tables at once, also while an
 * operation still holds it; and for all who share it, which an adopted one must be spared. */
void ed_listener_refuse(struct ed_listener *listener)
{
    ed_socket_file_remove(&listener->file, &listener->address);
    if (!listener->adopted)
        (void)shutdown(listener->fd, SHUT_RDWR); /* whatever it says, the close follows */
}

void ed_listener_give_back(struct ed_listener *listener)
{
    listener_own(listener->fd, false);
    listener->fd = -1;
}

void ed_listener_close(struct ed_listener *listener)
{
    if (listener->fd < 0)
        return;
    ed_socket_file_remove(&listener->file, &listener->address);
    if (eddy_thread_.loop)
        ed_engine_forget(eddy_thread_.loop->engine, listener->fd);
    listener_own(listener->fd, false);
    close(listener->fd);
    listener->fd = -1;
}
