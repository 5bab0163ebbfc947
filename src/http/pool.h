/* SPDX-License-Identifier: MIT */
/*
 * A session's connections: who may open or use one, and those that lie idle. See pool.c.
 *
 *     EDDY_TRY(ed_http_pool_find(pool, &route, &host));
 *     if (!ed_http_pool_enter(pool, host))
 *         EDDY_TRY(ed_http_pool_wait(pool, host));
 *     connection = ed_http_pool_reuse(pool, host);             NULL: none; open one, and
 *     EDDY_TRY(ed_http_pool_add(pool, host, stream, &connection));
 *     ...
 *     ed_http_pool_put(pool, connection, ED_FATE_KEEP);
 */
#ifndef ED_HTTP_POOL_H
#define ED_HTTP_POOL_H

#include "base/list.h"
#include "eddy/task.h"
#include "http/reader.h"

struct eddy_tls_context;

/* A proxy, of its URL. */
struct ed_proxy {
    bool secure;
    uint16_t port;
    const char *host; /* NULL: no proxy */
    const char *user, *password;
};

/* Where a connection leads to, and by what way: what two requests must have in common to share one.
 * Texts may be NULL. */
struct ed_route {
    bool secure;
    uint16_t port;
    const char *host;
    struct ed_proxy proxy;
    struct eddy_tls_context *tls;
    const char *server_name, *fingerprint;
};

/* Those of one route. */
struct ed_host {
    struct ed_host *next; /* of the same bucket */
    uint32_t hash;
    struct ed_route route; /* its texts stand behind this */
    size_t users;          /* requests, and connections that are idle */
    size_t in_use;         /* permits */
    size_t ahead;          /* of its waiters, those in the pool's list */
    struct eddy_list_ waiters;
    struct eddy_list_ idle; /* connections, by `link`; the latest last */
};

struct ed_connection {
    struct eddy_link_ link;  /* in pool->used, or host->idle */
    struct eddy_link_ order; /* in pool->idle */
    struct ed_host *host;
    eddy_stream *stream;
    struct ed_reader reader;
    double opened, idle_since; /* eddy_time() */
    bool reused;
};

struct ed_http_pool {
    /* set by the owner, all other than 0 */
    size_t most, most_per_host, most_idle;
    double idle_time, age; /* seconds */
    struct ed_limits limits;

    struct ed_host **buckets;
    size_t bucket_count, host_count;
    struct eddy_list_ used;    /* connections */
    struct eddy_list_ idle;    /* the one that is so for longest first */
    struct eddy_list_ waiters; /* by ticket */
    size_t in_use, idle_count, waiting;
    uint64_t tickets;
    eddy_task *sweeper; /* NULL: there is none */
    bool closed;
};

/* Finds the connections of a route, which is copied, and counts the caller among their users, until
 * a wait fails or a permit is given back. 0, -ENOMEM. */
int ed_http_pool_find(struct ed_http_pool *pool, const struct ed_route *route,
                      struct ed_host **out);

/* Takes a permit to use a connection, if one is left; false: it has to be waited for, at once. */
bool ed_http_pool_enter(struct ed_http_pool *pool, struct ed_host *host);
/* Suspends until there is one. 0, or without it -ECANCELED, -ETIMEDOUT. */
EDDY_AWAITS int ed_http_pool_wait(struct ed_http_pool *pool, struct ed_host *host);
/* Gives a permit back. */
void ed_http_pool_leave(struct ed_http_pool *pool, struct ed_host *host);

/* The idle connection of a route that was used last and can be used again; NULL: none. Those that
 * cannot are closed. Suspends for that. */
EDDY_AWAITS struct ed_connection *
ed_http_pool_reuse(struct ed_http_pool *pool, struct ed_host *host);

/* A connection over a stream, which becomes its own, for a caller with a permit. 0, or -ENOMEM:
 * then the stream is the caller's still. */
int ed_http_pool_add(struct ed_http_pool *pool, struct ed_host *host, eddy_stream *stream,
                     struct ed_connection **out);

/* What becomes of a connection behind its use: all is in order, and it goes on or ends; or not. */
enum ed_fate { ED_FATE_KEEP, ED_FATE_CLOSE, ED_FATE_BREAK };

/* Ends the use of a connection, with its permit. Suspends for that, shielded. */
EDDY_AWAITS void
ed_http_pool_put(struct ed_http_pool *pool, struct ed_connection *connection, enum ed_fate fate);

/* Breaks all that is in use, and closes what is idle. Suspends for that, shielded. */
EDDY_AWAITS void ed_http_pool_close(struct ed_http_pool *pool);
/* Behind the last user: frees the rest. */
void ed_http_pool_free(struct ed_http_pool *pool);

/* Closes a stream at once, not waiting for its peer; what was not sent is dropped unless `clean`.
 * Suspends, shielded; an error's text stays. */
EDDY_AWAITS void ed_close_at_once(eddy_stream **stream, bool clean);

#endif
