/* SPDX-License-Identifier: MIT */
/*
 * The order of destinations, RFC 6724, section 6, with its policy table.
 *
 * All rules but the last compare numbers that can be worked out for each route by itself, so
 * they are packed into one key, the first rule in its highest bits; only the length of the
 * prefix that source and destination share (rule 9) counts between two of IPv6 alone, as does
 * glibc. Rules 3, 4 and 7 need what only the kernel knows (deprecated, home and tunnel
 * addresses) and are left out.
 *
 * The source is the kernel's answer to connect(2) of a datagram socket, which sends nothing.
 */
#include "net/order.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "os/socket.h"

struct order_policy {
    unsigned char prefix[16];
    unsigned char bits, precedence, label;
};

/* Longest prefix first. */
static const struct order_policy order_policies[] = {
    {{[15] = 1}, 128, 50, 0},         /* ::1, this machine */
    {{[10] = 0xff, 0xff}, 96, 35, 4}, /* ::ffff:0:0, IPv4 */
    {{0}, 96, 1, 3},                  /* ::, IPv4-compatible */
    {{0x20, 0x01}, 32, 5, 5},         /* 2001::, Teredo */
    {{0x20, 0x02}, 16, 30, 2},        /* 2002::, 6to4 */
    {{0x3f, 0xfe}, 16, 1, 12},        /* 3ffe::, 6bone */
    {{0xfe, 0xc0}, 10, 1, 11},        /* fec0::, site-local */
    {{0xfc}, 7, 3, 13},               /* fc00::, unique local */
    {{0}, 0, 40, 1},                  /* all others */
};

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* An address as one of IPv6: IPv4 is mapped. */
static void order_bytes(const eddy_address *address, unsigned char bytes[16])
{
    if (address->as.any.sa_family == AF_INET6) {
        memcpy(bytes, &address->as.in6.sin6_addr, 16);
        return;
    }
    memset(bytes, 0, 10);
    memset(bytes + 10, 0xff, 2);
    memcpy(bytes + 12, &address->as.in.sin_addr, 4);
}

/* How many leading bits two addresses share. */
static unsigned order_shared(const unsigned char a[16], const unsigned char b[16])
{
    unsigned bits = 0;

    while (bits < 128 && !((a[bits / 8] ^ b[bits / 8]) & (0x80 >> bits % 8)))
        bits++;
    return bits;
}

static const struct order_policy *order_policy(const unsigned char bytes[16])
{
    const struct order_policy *policy = order_policies;

    while (order_shared(policy->prefix, bytes) < policy->bits)
        policy++;
    return policy;
}

/* RFC 6724, section 3.1 and 3.2. */
static unsigned order_scope(const unsigned char b[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, 0xff}, loopback[16] = {[15] = 1};

    if (b[0] == 0xff)
        return b[1] & 15;
    if (memcmp(b, mapped, 12) == 0)
        return b[12] == 127 || (b[12] == 169 && b[13] == 254) ? SCOPE_LINK : SCOPE_GLOBAL;
    if (memcmp(b, loopback, 16) == 0 || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80))
        return SCOPE_LINK;
    return b[0] == 0xfe && (b[1] & 0xc0) == 0xc0 ? SCOPE_SITE : SCOPE_GLOBAL;
}

static void order_rate(struct ed_route *route)
{
    unsigned char to[16], from[16];
    const struct order_policy *policy;
    bool reachable = route->from.size > 0;
    unsigned scope;

    order_bytes(&route->to, to);
    order_bytes(reachable ? &route->from : &route->to, from);
    policy = order_policy(to);
    scope = order_scope(to);
    route->key = (uint32_t)!reachable << 24 | (uint32_t)(scope != order_scope(from)) << 23 |
                 (uint32_t)(policy->label != order_policy(from)->label) << 22 |
                 (uint32_t)(255 - policy->precedence) << 8 | scope;
    route->shared = order_shared(to, from);
}

static bool order_before(const struct ed_route *a, const struct ed_route *b)
{
    if (a->key != b->key)
        return a->key < b->key;
    return a->to.as.any.sa_family == AF_INET6 && b->to.as.any.sa_family == AF_INET6 &&
           a->shared > b->shared;
}

void ed_order_routes(struct ed_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        order_rate(&routes[i]);
    for (size_t i = 1; i < count; i++) {
        struct ed_route route = routes[i];
        size_t place = i;

        for (; place > 0 && order_before(&route, &routes[place - 1]); place--)
            routes[place] = routes[place - 1];
        routes[place] = route;
    }
}

/* Asks the kernel, by the socket of the address's family, which is opened at first use. */
static void order_find_source(struct ed_route *route, int *fd)
{
    int family = route->to.as.any.sa_family;
    eddy_address to = route->to, from;

    route->from.size = 0;
    if (*fd < 0)
        *fd = ed_socket_open(family, SOCK_DGRAM, 0);
    if (*fd < 0)
        return;
    if (!eddy_address_port(&to))
        (void)eddy_address_set_port(&to, 53); /* any but 0 */
    from.size = sizeof from.as;
    if (ed_socket_connect(*fd, &to.as.any, to.size) == 0 &&
        getsockname(*fd, &from.as.any, &from.size) == 0)
        route->from = from;
}

int ed_order_addresses(eddy_address *addresses, size_t count)
{
    struct ed_route *routes;
    int sockets[2] = {-1, -1};

    if (count < 2)
        return 0;
    routes = ed_alloc(count * sizeof *routes);
    if (!routes)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        routes[i].to = addresses[i];
        order_find_source(&routes[i], &sockets[addresses[i].as.any.sa_family == AF_INET6]);
    }
    for (int i = 0; i < 2; i++)
        if (sockets[i] >= 0)
            ed_socket_close(sockets[i]);
    ed_order_routes(routes, count);
    for (size_t i = 0; i < count; i++)
        addresses[i] = routes[i].to;
    ed_free(routes);
    return 0;
}
