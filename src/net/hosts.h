/* SPDX-License-Identifier: MIT */
/* Files like /etc/hosts; see hosts.c. */
#ifndef ED_NET_HOSTS_H
#define ED_NET_HOSTS_H

#include "eddy/dns.h"

/* What a file says of a name, of one family or, with 0, of both; with the canonical name if it
 * is wanted. Returns 0; -ENOENT when it says nothing or cannot be read; -ENOMEM. */
int ed_hosts_find(const char *path, const char *name, int family, bool canonical,
                  eddy_addresses *out);

/* The first name of an IP address, into room for EDDY_HOST_TEXT. Returns 0 or -ENOENT. */
int ed_hosts_name(const char *path, const eddy_address *address, char *name);

#endif
