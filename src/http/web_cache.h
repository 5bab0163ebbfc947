/* SPDX-License-Identifier: MIT */
/* Small files that were read, of a server's folders, for as long as they are what they were. */
#ifndef ED_HTTP_WEB_CACHE_H
#define ED_HTTP_WEB_CACHE_H

#include <sys/stat.h>

#include "base/compat.h"
#include "eddy/http_message.h"

#define ED_CACHE_FILES 64                /* of one server */
#define ED_CACHE_LARGEST ((size_t)16384) /* bytes of one */

/* A file in memory. Counted: who has one gives it back. */
struct ed_cached {
    unsigned users;
    int folder; /* its descriptor */
    struct stat status;
    char *path;
    char *data; /* of status.st_size bytes */
};

/* Zeroed it is empty. */
struct ed_cache {
    struct ed_cached *files[ED_CACHE_FILES];
};

/* The file of that path in a folder, if it is there and the same as it was; NULL: it has to be
 * opened. One system call. */
struct ed_cached *ed_cache_find(struct ed_cache *cache, int folder, const char *path);

/* Whether a file system, by its type of statfs(2), has its files elsewhere, so that to ask for one
 * may take long. */
bool ed_cache_is_remote(long type);

/* Keeps a file that was opened by that path in the folder, if it is one to be kept: NULL if not, or
 * if it would have to be waited for. */
struct ed_cached *ed_cache_keep(struct ed_cache *cache, int folder, const char *path, int fd,
                                const struct stat *status);

void ed_cached_leave(struct ed_cached *file); /* NULL too */
void ed_cache_free(struct ed_cache *cache);

#endif
