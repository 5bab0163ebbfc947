/* SPDX-License-Identifier: MIT */
/* Places to connect to or listen at, as texts: see eddy/net.h. */
#ifndef ED_NET_PLACE_H
#define ED_NET_PLACE_H

#include "eddy/address.h"

#define ED_PLACE_HOST 256 /* bytes of a host's name or a path, with the NUL */

struct ed_place {
    char scheme[16];          /* "tcp", "unix", ... */
    char host[ED_PLACE_HOST]; /* without brackets; of unix: the path, or "@" and a name */
    uint16_t port;
};

/* Reads one place from `text`, of `size` bytes. 0, or -EINVAL, raised. */
int ed_place_parse(const char *text, size_t size, struct ed_place *out);

#endif
