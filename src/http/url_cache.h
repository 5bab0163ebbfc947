/* SPDX-License-Identifier: MIT */
/* URLs that a session has seen, so that one that is asked for again and again is read once. */
#ifndef ED_HTTP_URL_CACHE_H
#define ED_HTTP_URL_CACHE_H

#include "eddy/url.h"

#define ED_URL_CACHE_SLOTS 64
#define ED_URL_CACHE_TEXT 500 /* bytes of a text that is kept */

struct ed_cached_url {
    unsigned users; /* the cache, and responses */
    eddy_url *url;
    char text[]; /* as it was asked for */
};

struct ed_url_cache {
    struct ed_cached_url *slots[ED_URL_CACHE_SLOTS];
};

/* Finds a URL, or reads it: *out is to be put back. 1; 0 for one that is too long to be kept; or an
 * error of eddy_url_parse. */
int ed_url_cache_get(struct ed_url_cache *cache, const char *text, struct ed_cached_url **out);
/* One user less; NULL too. */
void ed_url_cache_put(struct ed_cached_url *cached);
void ed_url_cache_clear(struct ed_url_cache *cache);

#endif
