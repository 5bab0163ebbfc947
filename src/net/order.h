/* SPDX-License-Identifier: MIT */
/* The order in which to try addresses; see order.c. */
#ifndef ED_NET_ORDER_H
#define ED_NET_ORDER_H

#include "eddy/address.h"

#define ED_ORDER_MAX 256 /* addresses at once */

/* An address to try, and the one from which this machine would send to it: size 0: no way. */
struct ed_route {
    eddy_address to, from;
    uint32_t key;    /* of the sort: rules 1, 2, 5, 6 and 8; the smaller goes first */
    unsigned shared; /* bits that both have in common at their start, rule 9 */
};

/* Sorts routes by RFC 6724, section 6; equal ones keep their order. */
void ed_order_routes(struct ed_route *routes, size_t count);

/* Sorts up to ED_ORDER_MAX IP addresses, by the routes that this machine has. Returns 0, or
 * -ENOMEM with the order as it was. */
int ed_order_addresses(eddy_address *addresses, size_t count);

#endif
