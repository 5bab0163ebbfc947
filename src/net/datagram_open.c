/* SPDX-License-Identifier: MIT */
/*
 * Opening datagram endpoints: two texts become two lists of addresses, and the first pair of one
 * family is taken for which socket, bind and connect work. None of the three waits, and connect
 * only notes the peer.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/stats.h"
#include "eddy/dns.h"
#include "net/datagram.h"
#include "net/place.h"
#include "os/socket.h"

static const eddy_datagram_options datagram_defaults;

/* What a place stands for: addresses of a name, or that of a unix socket. */
struct side {
    const char *text; /* NULL: this side is left open */
    eddy_address unix_address;
    eddy_addresses found;
    const eddy_address *at;
    size_t count;
};

static void side_deinit(struct side *side)
{
    eddy_addresses_free(&side->found);
}
#define SIDE(name, the_text) EDDY_CLEANUP_(side_deinit) struct side name = {.text = (the_text)}

static int side_set_path(struct side *side, const char *path, bool local)
{
    eddy_address *address = &side->unix_address;
    int rc = 0;

    if (local && strcmp(path, "@") == 0) { /* the kernel chooses, unix(7) */
        address->as.un.sun_family = AF_UNIX;
        address->size = sizeof address->as.un.sun_family;
    } else {
        rc = eddy_address_from_path(path, address);
    }
    side->at = address;
    side->count = 1;
    return rc < 0 ? ed_raise(rc, "\"%s\" is no name for a unix socket", path) : 0;
}

static int side_look_up(struct side *side, bool local, const eddy_datagram_options *options)
{
    eddy_lookup_options lookup = {
        .resolver = options->resolver, .family = options->family, .passive = local};
    struct ed_place place;
    int rc = ed_place_parse(side->text, strlen(side->text), &place);

    if (rc < 0)
        return rc;
    if (strcmp(place.scheme, "unix") == 0)
        return side_set_path(side, place.host, local);
    if (strcmp(place.scheme, "udp") != 0)
        return ed_raise(-EINVAL, "\"%s\" is no place for datagrams: udp://HOST:PORT, unix:PATH",
                        side->text);
    if (!local && (!place.host[0] || !place.port))
        return ed_raise(-EINVAL, "\"%s\" is no peer: it needs a host and a port", side->text);
    if (!place.host[0] && !lookup.family)
        lookup.family = AF_INET; /* one socket, and no IPv4 in IPv6 */
    rc = eddy_getaddrinfo(place.host, place.port, &lookup, &side->found);
    side->at = side->found.at;
    side->count = side->found.count;
    return rc;
}

static int open_set(int fd, int level, int option, int value)
{
    return value && setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int open_prepare(int fd, int family, const eddy_datagram_options *options)
{
    int rc = family == AF_INET6 ? open_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, true) : 0;

    if (rc == 0)
        rc = open_set(fd, SOL_SOCKET, SO_BROADCAST, options->broadcast);
    if (rc == 0)
        rc = open_set(fd, SOL_SOCKET, SO_REUSEPORT, options->reuse_port);
    if (rc == 0)
        rc = open_set(fd, SOL_SOCKET, SO_REUSEADDR, options->reuse_address);
    if (rc == 0)
        rc = open_set(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer);
    if (rc == 0)
        rc = open_set(fd, SOL_SOCKET, SO_SNDBUF, options->send_buffer);
    return rc;
}

static int open_failed(int rc, const eddy_address *at, const char *verb)
{
    char text[EDDY_ADDRESS_TEXT];

    return ed_raise(rc, "cannot %s %s: %s", verb, eddy_address_text(at, text, sizeof text),
                    eddy_strerror(rc));
}

/* Binds and connects a socket; `file` is what that leaves behind, also with an error. */
static int open_attach(int fd, const eddy_address *local, const eddy_address *remote,
                       const eddy_datagram_options *options, struct ed_socket_file *file)
{
    int rc;

    if (local) {
        rc = ed_socket_bind(fd, local, options->mode, options->keep_file, file);
        if (rc < 0)
            return open_failed(rc, local, "receive at");
    }
    rc = remote ? ed_socket_connect(fd, &remote->as.any, remote->size) : 0;
    return rc < 0 ? open_failed(rc, remote, "connect to") : 0;
}

static int open_pair(const eddy_address *local, const eddy_address *remote,
                     const eddy_datagram_options *options, eddy_datagram **out)
{
    const eddy_address *one = local ? local : remote;
    int family = one->as.any.sa_family;
    struct ed_socket_file file = {.exists = false};
    int fd = ed_socket_open(family, SOCK_DGRAM, 0), rc;

    if (fd < 0)
        return open_failed(fd, one, "open a socket for");
    rc = open_prepare(fd, family, options);
    if (rc < 0)
        rc = open_failed(rc, one, "set the options of");
    else
        rc = open_attach(fd, local, remote, options, &file);
    if (rc == 0)
        rc = ed_datagram_new(fd, out);
    if (rc == 0) {
        (*out)->file = file;
        return 0;
    }
    if (local)
        ed_socket_file_remove(&file, local);
    ed_socket_close(fd);
    return rc == -ENOMEM ? ed_fail(rc) : rc;
}

/* The first pair that works, or the error of the first that does not. */
static int open_pairs(const struct side *local, const struct side *remote,
                      const eddy_datagram_options *options, eddy_datagram **out)
{
    int first = 0;

    for (size_t r = 0; r < (remote->text ? remote->count : 1); r++) {
        const eddy_address *to = remote->text ? &remote->at[r] : NULL;

        for (size_t l = 0; l < (local->text ? local->count : 1); l++) {
            const eddy_address *at = local->text ? &local->at[l] : NULL;
            int rc;

            if (at && to && at->as.any.sa_family != to->as.any.sa_family)
                continue;
            rc = open_pair(at, to, options, out);
            if (rc == 0)
                return 0;
            first = first ? first : rc;
        }
    }
    return first ? first
                 : ed_raise(-EINVAL, "%s and %s have no address family in common", local->text,
                            remote->text);
}

int eddy_datagram_open_with(const char *local, const char *remote,
                            const eddy_datagram_options *options, eddy_datagram **out)
{
    SIDE(here, local);
    SIDE(there, remote);
    int rc = ed_checkpoint();

    options = options ? options : &datagram_defaults;
    if (rc == 0 && !local && !remote)
        rc = ed_raise(-EINVAL, "a datagram endpoint needs a local or a remote place");
    if (rc == 0 && local)
        rc = side_look_up(&here, true, options);
    if (rc == 0 && remote)
        rc = side_look_up(&there, false, options);
    return rc < 0 ? rc : open_pairs(&here, &there, options, out);
}

int eddy_datagram_open(const char *local, const char *remote, eddy_datagram **out)
{
    return eddy_datagram_open_with(local, remote, NULL, out);
}

int eddy_datagram_from_fd(int fd, eddy_datagram **out)
{
    int type = 0, domain = 0, flags = fcntl(fd, F_GETFL), rc;
    socklen_t size = sizeof type;

    if (!eddy_thread_.loop)
        return ed_raise(-EPERM, "called outside a loop");
    if (flags < 0)
        return ed_fail(-errno);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_DGRAM ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
        (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX))
        return ed_raise(-EINVAL, "descriptor %d is no datagram socket", fd);
    if (ed_loop_owns(eddy_thread_.loop, fd))
        return ed_raise(-EBUSY, "descriptor %d belongs to another object of Eddy's", fd);
    rc = ed_datagram_new(fd, out);
    if (rc < 0)
        return ed_fail(rc);
    ed_stats_add(ED_STAT_DESCRIPTORS, 1);         /* as if it had been opened here */
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* cannot fail: the descriptor is there */
    return 0;
}
