/* SPDX-License-Identifier: MIT */
/*
 * The connections of a session.
 *
 * What is limited is permits: each stands for a connection that is in use, or is being opened.
 * Requests wait in the order in which they came, each in one of two lists: in the pool's, when only
 * the limit of all is in its way, or in its route's, when that has as many as it may.
 *
 *     the pool's list is empty or all permits are out; and a route's list is empty or
 *     in_use + ahead >= most_per_host, where `ahead` of its waiters are in the pool's list
 *
 * So whoever leaves the route, or its place in the pool's list, moves one waiter of that route up;
 * whose turn comes in the pool's list while its route has no room goes back. Both lists are sorted
 * by tickets, so that moving costs nobody his turn. A permit that is given to a waiter who was
 * cancelled in the same moment goes on to the next.
 *
 * Of the idle connections of a route the latest is used first: it is the least likely to have been
 * closed by the server, and those that a burst has left get old. A task sweeps them out; it lives
 * while any is idle. One on which bytes or an end have come is not used again: they were not asked
 * for, and would be taken for the next answer.
 */
#include "http/pool.h"

#include <string.h>

#include "base/die.h"
#include "eddy/stream_class.h"
#include "eddy/sync.h"
#include "eddy/tls.h"

#define POOL_BUCKETS 16 /* at first */

struct pool_waiter {
    struct eddy_link_ link;
    struct ed_host *host;
    uint64_t ticket;
    bool ahead; /* in the pool's list */
    eddy_event granted;
};

/* Routes ------------------------------------------------------------------------- */

static bool text_equal(const char *one, const char *other)
{
    return one == other || (one && other && strcmp(one, other) == 0);
}

static bool route_equal(const struct ed_route *one, const struct ed_route *other)
{
    return one->port == other->port && one->secure == other->secure && one->tls == other->tls &&
           text_equal(one->host, other->host) && one->proxy.port == other->proxy.port &&
           one->proxy.secure == other->proxy.secure &&
           text_equal(one->proxy.host, other->proxy.host) &&
           text_equal(one->proxy.user, other->proxy.user) &&
           text_equal(one->proxy.password, other->proxy.password) &&
           text_equal(one->server_name, other->server_name) &&
           text_equal(one->fingerprint, other->fingerprint);
}

/* FNV-1a. */
static uint32_t route_hash(const struct ed_route *route)
{
    uint32_t hash = (2166136261u ^ route->port) * 16777619u ^ route->secure;

    for (const char *byte = route->host; *byte; byte++)
        hash = (hash ^ (unsigned char)*byte) * 16777619u;
    return hash;
}

static struct ed_host **pool_bucket(struct ed_http_pool *pool, uint32_t hash)
{
    return &pool->buckets[hash & (pool->bucket_count - 1)];
}

/* Doubles the buckets when there are as many routes; without memory the chains get longer. 0 or
 * -ENOMEM for the first ones. */
static int pool_grow(struct ed_http_pool *pool)
{
    size_t old_count = pool->bucket_count;
    struct ed_host **old = pool->buckets, **buckets;

    if (pool->host_count < old_count)
        return 0;
    buckets = eddy_alloc_((old_count ? 2 * old_count : POOL_BUCKETS) * sizeof(struct ed_host *));
    if (!buckets)
        return old ? 0 : -ENOMEM;
    pool->buckets = buckets;
    pool->bucket_count = old_count ? 2 * old_count : POOL_BUCKETS;
    for (size_t i = 0; i < old_count; i++) {
        for (struct ed_host *host = old[i], *next; host; host = next) {
            struct ed_host **bucket = pool_bucket(pool, host->hash);

            next = host->next;
            host->next = *bucket;
            *bucket = host;
        }
    }
    eddy_free(old);
    return 0;
}

/* Copies a text to *room, which moves behind it. */
static const char *text_copy(const char *text, char **room)
{
    char *copy = *room;
    size_t size = text ? strlen(text) + 1 : 0;

    if (!text)
        return NULL;
    memcpy(copy, text, size);
    *room += size;
    return copy;
}

static struct ed_host *host_new(const struct ed_route *route, uint32_t hash)
{
    struct ed_route copy = *route;
    const char **each[] = {&copy.host,           &copy.proxy.host,  &copy.proxy.user,
                           &copy.proxy.password, &copy.server_name, &copy.fingerprint};
    size_t size = sizeof(struct ed_host);
    struct ed_host *host;
    char *room;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(each); i++)
        size += *each[i] ? strlen(*each[i]) + 1 : 0;
    host = eddy_alloc_(size);
    if (!host)
        return NULL;
    room = (char *)(host + 1);
    for (size_t i = 0; i < ED_ARRAY_LENGTH(each); i++)
        *each[i] = text_copy(*each[i], &room);
    host->route = copy;
    host->hash = hash;
    if (copy.tls)
        eddy_tls_context_ref_(copy.tls);
    return host;
}

int ed_http_pool_find(struct ed_http_pool *pool, const struct ed_route *route, struct ed_host **out)
{
    uint32_t hash = route_hash(route);
    struct ed_host *host = pool->buckets ? *pool_bucket(pool, hash) : NULL;

    while (host && (host->hash != hash || !route_equal(&host->route, route)))
        host = host->next;
    if (!host) {
        if (pool_grow(pool) < 0 || !(host = host_new(route, hash)))
            return -ENOMEM;
        host->next = *pool_bucket(pool, hash);
        *pool_bucket(pool, hash) = host;
        pool->host_count++;
    }
    host->users++;
    *out = host;
    return 0;
}

/* One user less; a route without any is forgotten. */
static void host_unuse(struct ed_http_pool *pool, struct ed_host *host)
{
    struct ed_host **place = pool_bucket(pool, host->hash);

    if (--host->users > 0)
        return;
    ED_ASSERT(host->in_use == 0 && !host->waiters.first && !host->idle.first);
    while (*place != host)
        place = &(*place)->next;
    *place = host->next;
    pool->host_count--;
    eddy_tls_context_free(host->route.tls);
    eddy_free(host);
}

/* Permits ------------------------------------------------------------------------ */

static struct pool_waiter *waiter_of(struct eddy_link_ *link)
{
    return ed_container_of(link, struct pool_waiter, link);
}

/* Puts a waiter to its place, by its ticket. */
static void waiter_insert(struct eddy_list_ *list, struct pool_waiter *waiter)
{
    struct eddy_link_ *before = NULL;

    if (list->last && waiter_of(list->last)->ticket < waiter->ticket) {
        ed_list_append(list, &waiter->link);
        return;
    }
    for (struct eddy_link_ *link = list->first; link && waiter_of(link)->ticket < waiter->ticket;
         link = link->next)
        before = link;
    ed_list_insert_behind(list, before, &waiter->link);
}

static void waiter_queue(struct ed_http_pool *pool, struct pool_waiter *waiter, bool ahead)
{
    waiter->ahead = ahead;
    waiter->host->ahead += ahead;
    waiter_insert(ahead ? &pool->waiters : &waiter->host->waiters, waiter);
}

static void waiter_unqueue(struct ed_http_pool *pool, struct pool_waiter *waiter)
{
    ed_list_remove(waiter->ahead ? &pool->waiters : &waiter->host->waiters, &waiter->link);
    waiter->host->ahead -= waiter->ahead;
}

/* Somebody of this route has gone: its next waiter, if it has one, moves up. */
static void host_move_up(struct ed_http_pool *pool, struct ed_host *host)
{
    struct pool_waiter *waiter;

    if (!host->waiters.first || host->in_use + host->ahead >= pool->most_per_host)
        return;
    waiter = waiter_of(host->waiters.first);
    waiter_unqueue(pool, waiter);
    waiter_queue(pool, waiter, true);
}

static void pool_grant(struct ed_http_pool *pool, struct ed_host *host)
{
    pool->in_use++;
    host->in_use++;
}

/* Gives out the permits that are left. */
static void pool_serve(struct ed_http_pool *pool)
{
    while (pool->in_use < pool->most && pool->waiters.first) {
        struct pool_waiter *waiter = waiter_of(pool->waiters.first);

        waiter_unqueue(pool, waiter);
        if (waiter->host->in_use >= pool->most_per_host) {
            waiter_queue(pool, waiter, false);
            continue;
        }
        pool_grant(pool, waiter->host);
        eddy_event_set(&waiter->granted);
    }
}

bool ed_http_pool_enter(struct ed_http_pool *pool, struct ed_host *host)
{
    if (pool->in_use >= pool->most || host->in_use >= pool->most_per_host)
        return false;
    pool_grant(pool, host);
    return true;
}

int ed_http_pool_wait(struct ed_http_pool *pool, struct ed_host *host)
{
    struct pool_waiter waiter = {
        .host = host, .ticket = ++pool->tickets, .granted = EDDY_EVENT_INIT};
    int rc;

    waiter_queue(pool, &waiter, host->in_use + host->ahead < pool->most_per_host);
    pool->waiting++;
    rc = eddy_event_wait(&waiter.granted);
    pool->waiting--;
    if (rc == 0)
        return 0;
    if (eddy_event_is_set(&waiter.granted)) {
        ed_http_pool_leave(pool, host);
        return rc;
    }
    waiter_unqueue(pool, &waiter);
    host_move_up(pool, host);
    host_unuse(pool, host);
    return rc;
}

void ed_http_pool_leave(struct ed_http_pool *pool, struct ed_host *host)
{
    ED_ASSERT(pool->in_use > 0 && host->in_use > 0);
    pool->in_use--;
    host->in_use--;
    host_move_up(pool, host);
    if (pool->waiters.first)
        pool_serve(pool);
    host_unuse(pool, host);
}

/* Connections --------------------------------------------------------------------- */

void ed_close_at_once(eddy_stream **stream, bool clean)
{
    eddy_shield_scope shield;

    if (!*stream)
        return;
    eddy_shield_enter(&shield, EDDY_HERE_);
    if (!clean || (eddy_tls_lower_stream(*stream) && !eddy_at_eof(*stream)))
        eddy_stream_abort(*stream); /* a goodbye of TLS would wait for the peer's */
    eddy_stream_end_scope_(stream);
    eddy_shield_exit(&shield);
}

static void connection_close(struct ed_connection *connection, bool clean)
{
    ed_reader_close(&connection->reader);
    ed_close_at_once(&connection->stream, clean);
    eddy_free(connection);
}

int ed_http_pool_add(struct ed_http_pool *pool, struct ed_host *host, eddy_stream *stream,
                     struct ed_connection **out)
{
    struct ed_connection *connection = eddy_alloc_(sizeof *connection);
    int rc = connection ? 0 : -ENOMEM;

    if (rc == 0)
        rc = ed_reader_open(&connection->reader, stream, true, &pool->limits);
    if (rc < 0) {
        eddy_free(connection);
        return rc;
    }
    connection->host = host;
    connection->stream = stream;
    connection->opened = eddy_time();
    ed_list_append(&pool->used, &connection->link);
    *out = connection;
    return 0;
}

/* Takes a connection from those that are idle; its route's use by it is over, or the caller's. */
static void pool_take_idle(struct ed_http_pool *pool, struct ed_connection *connection)
{
    ed_list_remove(&connection->host->idle, &connection->link);
    ed_list_remove(&pool->idle, &connection->order);
    pool->idle_count--;
}

static void pool_drop_idle(struct ed_http_pool *pool, struct ed_connection *connection)
{
    struct ed_host *host = connection->host;

    pool_take_idle(pool, connection);
    host_unuse(pool, host);
    connection_close(connection, true);
}

static bool connection_is_usable(const struct ed_http_pool *pool, struct ed_connection *connection)
{
    double now = eddy_time();

    return now - connection->idle_since < pool->idle_time && now - connection->opened < pool->age &&
           eddy_stream_is_quiet_(connection->stream);
}

struct ed_connection *ed_http_pool_reuse(struct ed_http_pool *pool, struct ed_host *host)
{
    while (host->idle.last) {
        struct ed_connection *connection =
            ed_container_of(host->idle.last, struct ed_connection, link);

        if (connection_is_usable(pool, connection)) {
            pool_take_idle(pool, connection);
            host->users--; /* the caller is one */
            ed_list_append(&pool->used, &connection->link);
            connection->reused = true;
            return connection;
        }
        pool_drop_idle(pool, connection);
    }
    return NULL;
}

/* The task that closes those that were idle for too long. */
static int pool_sweep(struct ed_http_pool *pool)
{
    while (pool->idle.first) {
        struct ed_connection *oldest =
            ed_container_of(pool->idle.first, struct ed_connection, order);
        double left = oldest->idle_since + pool->idle_time - eddy_time();

        if (left > 0)
            EDDY_TRY(eddy_sleep(left));
        else
            pool_drop_idle(pool, oldest);
    }
    return 0;
}
EDDY_ASYNC(pool_sweep, struct ed_http_pool *);

/* Sees to it that idle connections are closed in time. Without memory for that they are when
 * somebody comes for them. */
static void pool_start_sweeping(struct ed_http_pool *pool)
{
    const eddy_task_options options = {.name = "http connections"};

    if (pool->sweeper && !eddy_task_done(pool->sweeper))
        return;
    eddy_task_release(&pool->sweeper); /* has ended: does not wait */
    if (pool->idle_time < EDDY_FOREVER)
        pool->sweeper = eddy_create_task_with(&options, pool_sweep, pool);
}

static void pool_keep(struct ed_http_pool *pool, struct ed_connection *connection)
{
    connection->idle_since = eddy_time();
    connection->host->users++;
    ed_list_append(&connection->host->idle, &connection->link);
    ed_list_append(&pool->idle, &connection->order);
    pool->idle_count++;
    pool_start_sweeping(pool);
}

void ed_http_pool_put(struct ed_http_pool *pool, struct ed_connection *connection,
                      enum ed_fate fate)
{
    struct ed_host *host = connection->host;

    ed_list_remove(&pool->used, &connection->link);
    if (fate == ED_FATE_KEEP && !pool->closed && pool->most_idle > 0)
        pool_keep(pool, connection);
    else
        connection_close(connection, fate != ED_FATE_BREAK);
    ed_http_pool_leave(pool, host);
    if (pool->idle_count > pool->most_idle)
        pool_drop_idle(pool, ed_container_of(pool->idle.first, struct ed_connection, order));
}

void ed_http_pool_close(struct ed_http_pool *pool)
{
    pool->closed = true;
    ED_LIST_FOR_EACH(link, &pool->used)
        eddy_stream_abort(ed_container_of(link, struct ed_connection, link)->stream);
    eddy_task_release(&pool->sweeper);
    while (pool->idle.first)
        pool_drop_idle(pool, ed_container_of(pool->idle.first, struct ed_connection, order));
}

void ed_http_pool_free(struct ed_http_pool *pool)
{
    ED_ASSERT(pool->host_count == 0 && pool->in_use == 0);
    eddy_free(pool->buckets);
    pool->buckets = NULL;
}
