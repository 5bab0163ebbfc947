/* SPDX-License-Identifier: MIT */
/* Addresses and UUIDs, texts of any length: 0, or -EINVAL for what is none. */
#ifndef ED_PG_NETWORK_H
#define ED_PG_NETWORK_H

#include "eddy/pg_type.h"

int pg_scan_inet(const char *text, size_t size, eddy_pg_inet *out);
int pg_scan_mac(const char *text, size_t size, eddy_pg_mac *out);
int pg_scan_uuid(const char *text, size_t size, eddy_pg_uuid *out);

/* Whether no bit behind its network is set, as cidr wants it. */
bool pg_inet_is_network(const eddy_pg_inet *inet);
/* A MAC address of 6 bytes as one of 8, as the server widens it. */
eddy_pg_mac pg_mac_widen(eddy_pg_mac mac);

#endif
