/* SPDX-License-Identifier: MIT */
/* Addresses of sockets: IPv4, IPv6 and unix, as values. */
#ifndef EDDY_ADDRESS_H
#define EDDY_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "eddy/compat.h"

EDDY_BEGIN_DECLS

/* One address, as the kernel wants it; a plain value. */
typedef struct eddy_address {
    socklen_t size; /* bytes of the part below that count; 0: none */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } as;
} eddy_address;

/* Room for the text of any address, with its NUL. */
#define EDDY_ADDRESS_TEXT 128

/*
 * Reads an address: "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "/path" or "unix:/path",
 * "@name" or "unix:@name" for an abstract one. Numbers only: names are for eddy/dns.h.
 * Returns 0, or with *out untouched -EINVAL.
 */
EDDY_NODISCARD EDDY_API int eddy_address_parse(const char *text, eddy_address *out);

/* The address of an IP such as "127.0.0.1" or "::1", without brackets, and a port.
 * Returns 0, or with *out untouched -EINVAL. */
EDDY_NODISCARD EDDY_API int eddy_address_from_ip(const char *ip, uint16_t port, eddy_address *out);

/* The address of a unix socket: a path, or "@" and a name for an abstract one. Returns 0, or
 * with *out untouched -EINVAL when it is empty and -ENAMETOOLONG behind 107 bytes. */
EDDY_NODISCARD EDDY_API int eddy_address_from_path(const char *path, eddy_address *out);

/* The text that eddy_address_parse reads: "127.0.0.1:80", "[::1]:80", "/path", "@name"; "" for
 * none, also for the unnamed unix socket. Cut to `size` bytes with its NUL. Returns `text`. */
EDDY_API const char *eddy_address_text(const eddy_address *address, char *text, size_t size);

/* The port; 0 for one that has none. */
EDDY_API uint16_t eddy_address_port(const eddy_address *address);

/* Sets the port of an IP address; -EINVAL for others. */
EDDY_API int eddy_address_set_port(eddy_address *address, uint16_t port);

/* Whether two are the same, port and scope included. */
EDDY_API bool eddy_address_equal(const eddy_address *one, const eddy_address *other);

EDDY_END_DECLS
#endif
