/* SPDX-License-Identifier: MIT */
/*
 * A table by the hash of the text, in which a new URL takes the place of an old one. Whoever still
 * uses an old one has it to the end: each is freed with its last user.
 */
#include "http/url_cache.h"

#include <errno.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/stream_class.h"

/* FNV-1a. */
static uint32_t text_hash(const char *text, size_t size)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash ^ hash >> 16;
}

void ed_url_cache_put(struct ed_cached_url *cached)
{
    if (!cached || --cached->users > 0)
        return;
    eddy_url_free(cached->url);
    eddy_free(cached);
}

/* Reads a URL into an object that has no users yet. */
static int cached_new(const char *text, size_t size, struct ed_cached_url **out)
{
    struct ed_cached_url *cached;
    eddy_url *url = NULL;

    EDDY_TRY(eddy_url_parse(text, &url));
    cached = eddy_alloc_(sizeof *cached + size + 1);
    if (!cached) {
        eddy_url_free(url);
        return -ENOMEM;
    }
    memcpy(cached->text, text, size + 1);
    cached->url = url;
    *out = cached;
    return 0;
}

int ed_url_cache_get(struct ed_url_cache *cache, const char *text, struct ed_cached_url **out)
{
    size_t size = strnlen(text, ED_URL_CACHE_TEXT + 1);
    struct ed_cached_url **slot, *cached;

    if (size > ED_URL_CACHE_TEXT)
        return 0;
    slot = &cache->slots[text_hash(text, size) % ED_URL_CACHE_SLOTS];
    if (!*slot || strcmp((*slot)->text, text) != 0) {
        EDDY_TRY(cached_new(text, size, &cached));
        ed_url_cache_put(*slot);
        cached->users = 1;
        *slot = cached;
    }
    (*slot)->users++;
    *out = *slot;
    return 1;
}

void ed_url_cache_clear(struct ed_url_cache *cache)
{
    for (size_t i = 0; i < ED_URL_CACHE_SLOTS; i++) {
        ed_url_cache_put(cache->slots[i]);
        cache->slots[i] = NULL;
    }
}
