/* SPDX-License-Identifier: MIT */
/*
 * A pool of connections: asyncpg.create_pool.
 *
 *     EDDY_PG_POOL pool = NULL;
 *     EDDY_TRY(eddy_pg_pool_open("postgresql://localhost/shop", NULL, &pool));
 *
 *     EDDY_TRY(eddy_pg_fetchval(pool, &count, "SELECT count(*) FROM users"));    one call
 *
 *     EDDY_PG_ACQUIRED db = NULL;                                     until the end of the block
 *     EDDY_TRY(eddy_pg_acquire(pool, &db));
 */
#ifndef EDDY_PG_POOL_H
#define EDDY_PG_POOL_H

#include "eddy/compat.h"
#include "eddy/pg_connection.h"

EDDY_BEGIN_DECLS

typedef struct eddy_pg_pool eddy_pg_pool;
#define EDDY_PG_POOL EDDY_CLEANUP_(eddy_pg_pool_close) __typeof__(eddy_pg_pool *)
#define EDDY_PG_ACQUIRED EDDY_CLEANUP_(eddy_pg_release) __typeof__(eddy_pg_connection *)

/* All zero means the defaults. */
typedef struct eddy_pg_pool_options {
    const eddy_pg_options *connection; /* copied */
    size_t min_size, max_size;         /* connections; 0: 10 each (P-POOL-1) */
    bool lazy;              /* none is opened before it is needed, none kept: a min_size of 0 */
    uint64_t max_queries;   /* after which a connection is replaced; 0: 50,000 */
    double idle_time;       /* seconds after which one beyond min_size is closed; 0: 300 */
    double age;             /* after which one is replaced at its next use; 0: no limit */
    double acquire_timeout; /* seconds, waiting and connecting; 0: no limit */
    double close_timeout;   /* that a close waits for those in use, and then says so; 0: 60 */
    /* Hooks, which may suspend; an error closes the connection and goes to who acquires. */
    int (*connect)(const char *dsn, const eddy_pg_options *options, void *argument,
                   eddy_pg_connection **out);                     /* instead of eddy_pg_connect */
    int (*init)(eddy_pg_connection *connection, void *argument);  /* once for each */
    int (*setup)(eddy_pg_connection *connection, void *argument); /* each time one is acquired */
    /* each time that one is given back, instead of the standard reset, behind the rollback; an
     * error closes the connection, and nobody is told */
    int (*reset)(eddy_pg_connection *connection, void *argument);
    void *argument;
} eddy_pg_pool_options;

/* Opens one connection, so that a wrong password shows, then the others of min_size at once.
 * Suspends. Returns 0, and *out is the caller's: EDDY_PG_POOL, or eddy_pg_pool_close() it; -EINVAL
 * for sizes and times that make no sense; errors of eddy_pg_connect. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_pool_open(const char *dsn, const eddy_pg_pool_options *options, eddy_pg_pool **out);

/* Waits until all connections are given back, and closes them; a cancelled task terminates them,
 * and does not wait. Who waits for one gets EDDY_EPG_CLOSED. Sets the handle to NULL. Suspends, and
 * is never refused. */
EDDY_API EDDY_AWAITS void eddy_pg_pool_close(eddy_pg_pool **pool);
/* Ends all of its connections at once, those in use too; the pool is still to be closed. */
EDDY_API void eddy_pg_pool_terminate(eddy_pg_pool *pool);

/*
 * Takes a connection: the last one that was given back, or a new one, or waits, first come, first
 * served. Suspends. Returns 0, and *out is to be given back: EDDY_PG_ACQUIRED, or eddy_pg_release;
 * EDDY_EPG_CLOSED, -ETIMEDOUT, -ECANCELED, -ENOMEM, errors of connecting and of hooks.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_acquire(eddy_pg_pool *pool, eddy_pg_connection **out);
/*
 * Gives it back, and sets the handle to NULL; NULL is left alone. A query that was cancelled is
 * waited for. A transaction that is open is rolled back and reported; advisory locks, cursors,
 * listeners, settings, role and authorization go back to what they were, unless nothing was run.
 * What cannot be reset, within the connection's close_timeout, is closed. Suspends; never refused
 * or cut short. A connection that is not a pool's aborts.
 */
EDDY_API EDDY_AWAITS void eddy_pg_release(eddy_pg_connection **connection);

/* Replaces all connections, each when it is free. */
EDDY_API void eddy_pg_expire_connections(eddy_pg_pool *pool);
/* What later connections are made with; copied. Returns 0 or -ENOMEM. */
EDDY_NODISCARD EDDY_API int
eddy_pg_set_connect_arguments(eddy_pg_pool *pool, const char *dsn, const eddy_pg_options *options);

/* What a pool has, and had so far. */
typedef struct eddy_pg_pool_counters {
    size_t size, idle, in_use, opening; /* connections */
    size_t waiting;                     /* tasks that wait for one */
    size_t min_size, max_size;
    uint64_t acquired, opened, closed, failed; /* so far; failed: connects */
    bool closing;
} eddy_pg_pool_counters;
/* Counts them. */
EDDY_API eddy_pg_pool_counters eddy_pg_pool_get_counters(const eddy_pg_pool *pool);

EDDY_END_DECLS
#endif
