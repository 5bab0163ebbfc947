/* SPDX-License-Identifier: MIT */
/* Addresses of names that a session has looked up, for as long as they are to be kept. */
#ifndef ED_HTTP_NAME_CACHE_H
#define ED_HTTP_NAME_CACHE_H

#include "base/list.h"
#include "eddy/dns.h"
#include "eddy/task.h"

#define ED_NAMES 1000

/* Zeroed but for what the owner sets, it is empty. */
struct ed_name_cache {
    /* set by the owner */
    double time; /* seconds; 0: the cache is not used */
    size_t most; /* names */
    eddy_lookup_options lookup;

    struct eddy_list_ all; /* the one that was asked for last is the last */
    size_t count;
    bool closed;
};

/* Finds the addresses of a host, with a port, or waits until they are looked up. Those of the
 * family that is first take turns in the first place. Suspends, unless they are there. Returns as
 * eddy_getaddrinfo; *out is empty at first, and the caller's. */
EDDY_AWAITS int ed_name_cache_get(struct ed_name_cache *names, const char *host, uint16_t port,
                                  eddy_addresses *out);

/* The addresses of a host turn out to be wrong: the next one who asks waits for others. */
void ed_name_cache_forget(struct ed_name_cache *names, const char *host);

/* Ends what is being looked up; from now on there are no names. Suspends for that. */
EDDY_AWAITS void ed_name_cache_close(struct ed_name_cache *names);
/* Behind the close, and the last who waited: frees the rest. */
void ed_name_cache_free(struct ed_name_cache *names);

#endif
