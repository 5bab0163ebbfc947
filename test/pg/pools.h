/* SPDX-License-Identifier: MIT */
/*
 * Pools over connections that are none: each is a struct fake, made by a struct stand, whose
 * members say what goes wrong. So a pool's own logic is tested without a server, in virtual time.
 */
#ifndef POOLS_H
#define POOLS_H

#include <eddy/pg_pool.h>
#include <eddy/stream_class.h>

#include "harness.h"
#include "pg/pool.h"

/* The server side of all fakes. */
struct stand {
    double connect_time, settle_time, close_time; /* seconds that it takes */
    int refuse;                                   /* so many connects fail, */
    int code;                                     /* with this */
    int open;                                     /* now */
    int most;                                     /* at once */
    int connecting, most_connecting;
    int connects, closes, terminations, aborts, settles, resets;
    int reset_code;  /* what a reset says */
    const char *dsn; /* of the last connect */
    const char *user;
};

struct fake {
    struct pg_slot *slot;
    struct stand *stand;
    int number; /* from 1, in the order of connects */
    uint64_t operations;
    bool closed, half_dead, in_transaction, held;
};

static inline struct fake *fake_of(const eddy_pg_connection *connection)
{
    return (struct fake *)(uintptr_t)connection;
}

static inline int fake_number(const eddy_pg_connection *connection)
{
    return fake_of(connection)->number;
}

/* What a query is to a pool. */
static inline void fake_use(eddy_pg_connection *connection)
{
    fake_of(connection)->operations++;
}

static struct stand *fake_stand; /* of the test */

static inline int fake_connect(const char *dsn, const eddy_pg_options *options, void *argument,
                               eddy_pg_connection **out)
{
    struct stand *stand = fake_stand;
    struct fake *fake;
    int rc;

    (void)argument;
    stand->connects++;
    stand->dsn = dsn;
    stand->user = options->user;
    stand->connecting++;
    if (stand->connecting > stand->most_connecting)
        stand->most_connecting = stand->connecting;
    rc = eddy_sleep(stand->connect_time);
    stand->connecting--;
    if (rc < 0)
        return rc;
    if (stand->refuse > 0) {
        stand->refuse--;
        return eddy_raise(stand->code, "refused");
    }
    fake = eddy_alloc_(sizeof *fake);
    if (!fake)
        return -ENOMEM;
    fake->stand = stand;
    fake->number = stand->connects;
    if (++stand->open > stand->most)
        stand->most = stand->open;
    *out = (eddy_pg_connection *)(void *)fake;
    return 0;
}

static inline void fake_free(eddy_pg_connection **connection)
{
    fake_of(*connection)->stand->open--;
    eddy_free(fake_of(*connection));
    *connection = NULL;
}

static inline void fake_close(eddy_pg_connection **connection)
{
    struct stand *stand = fake_of(*connection)->stand;

    stand->closes++;
    if (stand->close_time > 0)
        (void)eddy_sleep(stand->close_time); /* shielded by the pool */
    fake_free(connection);
}

static inline void fake_terminate(eddy_pg_connection **connection)
{
    fake_of(*connection)->stand->terminations++;
    fake_free(connection);
}

static inline void fake_abort(eddy_pg_connection *connection)
{
    fake_of(connection)->stand->aborts++;
    fake_of(connection)->closed = true;
}

static inline struct pg_slot **fake_slot(eddy_pg_connection *connection)
{
    return &fake_of(connection)->slot;
}

static inline bool fake_is_closed(const eddy_pg_connection *connection)
{
    return fake_of(connection)->closed;
}

static inline bool fake_is_alive(eddy_pg_connection *connection)
{
    return !fake_of(connection)->half_dead;
}

static inline uint64_t fake_operations(const eddy_pg_connection *connection)
{
    return fake_of(connection)->operations;
}

static inline bool fake_is_held(const eddy_pg_connection *connection)
{
    return fake_of(connection)->held;
}

static inline int fake_settle(eddy_pg_connection *connection)
{
    struct fake *fake = fake_of(connection);
    bool rolled_back = fake->in_transaction;

    fake->stand->settles++;
    if (fake->stand->settle_time > 0)
        EDDY_TRY(eddy_sleep(fake->stand->settle_time));
    fake->in_transaction = fake->held = false;
    return rolled_back;
}

static inline int fake_reset(eddy_pg_connection *connection)
{
    struct fake *fake = fake_of(connection);

    fake->stand->resets++;
    fake->operations++;
    EDDY_TRY(eddy_sleep(0));
    return fake->stand->reset_code;
}

static const struct pg_pool_ways fake_ways = {
    .connect = fake_connect,
    .close = fake_close,
    .terminate = fake_terminate,
    .abort = fake_abort,
    .slot = fake_slot,
    .is_closed = fake_is_closed,
    .is_alive = fake_is_alive,
    .operations = fake_operations,
    .is_held = fake_is_held,
    .settle = fake_settle,
    .reset = fake_reset,
};

/* Gives a fake back. */
static inline void give(eddy_pg_connection **connection)
{
    struct pg_slot *slot = *connection ? fake_of(*connection)->slot : NULL;

    *connection = NULL;
    if (slot)
        pg_slot_release(slot);
}
#define FAKE EDDY_CLEANUP_(give) __typeof__(eddy_pg_connection *)

/* A pool of fakes: OPEN(&pool, .max_size = 2). */
#define OPEN(pool, ...)                                                                            \
    pg_pool_open("fake", &(eddy_pg_pool_options){.lazy = true, __VA_ARGS__}, &fake_ways, (pool))
#define OPEN_FULL(pool, ...)                                                                       \
    pg_pool_open("fake", &(eddy_pg_pool_options){__VA_ARGS__}, &fake_ways, (pool))

/* A stand for the test, of these members. */
#define STAND(name, ...)                                                                           \
    struct stand name = {__VA_ARGS__};                                                             \
    fake_stand = &name

#endif
