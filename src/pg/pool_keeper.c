/* SPDX-License-Identifier: MIT */
/*
 * The keeper: a task that closes connections which were idle for too long, or are to be replaced,
 * and opens new ones where fewer than min_size are left.
 *
 * It exists only while it has something to do: connections beyond min_size are idle, or some are
 * missing. So a pool at rest has no timer and no task; a program that waits for what cannot come
 * is told so. It sleeps until the time of the one that is idle for longest, and looks again: taking
 * and giving back a connection touches no timer. Behind a connection that cannot be opened it ends;
 * the use of the pool calls it again, once a second at most.
 */
#include "pg/pool.h"

#define KEEPER_PAUSE 1.0 /* seconds behind a connection that cannot be opened */

/* Closes a connection that is idle. */
static void keeper_drop(struct pg_slot *slot)
{
    pg_slot_move(slot, PG_SLOT_CLOSING);
    pg_slot_close(slot);
    pg_slot_pass(slot);
}

static struct pg_slot *keeper_find_stale(eddy_pg_pool *pool)
{
    double now = eddy_time();

    ED_LIST_FOR_EACH(link, &pool->idle) {
        struct pg_slot *slot = ed_container_of(link, struct pg_slot, link);

        if (!pg_slot_is_fresh(slot, now))
            return slot;
    }
    return NULL;
}

/* Seconds until one that is idle has been so for too long; EDDY_FOREVER: none will. */
static double keeper_time_left(const eddy_pg_pool *pool)
{
    const struct pg_slot *oldest;

    if (!pool->idle.first || pool->size <= pool->options.min_size)
        return EDDY_FOREVER;
    oldest = ed_container_of(pool->idle.first, struct pg_slot, link);
    return oldest->idle_since + pool->options.idle_time - eddy_time();
}

static int keeper_open_one(eddy_pg_pool *pool)
{
    struct pg_slot *slot = pg_slot_new(pool);
    int rc = slot ? pg_slot_open(slot) : -ENOMEM;

    if (!slot)
        return rc;
    slot->idle_since = eddy_time();
    if (rc < 0)
        pool->retry_at = slot->idle_since + KEEPER_PAUSE;
    pg_slot_pass(slot);
    return rc;
}

static void keeper_work(eddy_pg_pool *pool)
{
    struct pg_slot *slot;

    while ((slot = keeper_find_stale(pool)))
        keeper_drop(slot);
    while (keeper_time_left(pool) <= 0)
        keeper_drop(ed_container_of(pool->idle.first, struct pg_slot, link));
    while (!pool->closing && pool->size < pool->options.min_size)
        if (keeper_open_one(pool) < 0)
            break;
}

/* Sleeps until there is work, or for so long. */
static int keeper_rest(eddy_pg_pool *pool, double seconds)
{
    EDDY_TIMEOUT(limit, seconds);
    int rc = eddy_event_wait(&pool->work);

    return eddy_timeout_expired(&limit) && rc == -ETIMEDOUT ? 0 : rc;
}

static int keep(eddy_pg_pool *pool)
{
    while (!pool->closing) {
        double left;

        eddy_event_clear(&pool->work);
        keeper_work(pool);
        left = keeper_time_left(pool);
        if (left == EDDY_FOREVER && !eddy_event_is_set(&pool->work))
            return 0;
        EDDY_TRY(keeper_rest(pool, left));
    }
    return 0;
}
EDDY_ASYNC(keep, eddy_pg_pool *);

void pg_pool_start_keeper(eddy_pg_pool *pool)
{
    const eddy_task_options options = {.name = "a pool's connections"};

    eddy_event_set(&pool->work);
    if (pool->keeper && !eddy_task_done(pool->keeper))
        return;
    eddy_task_release(&pool->keeper); /* has ended: does not wait */
    pool->keeper = eddy_create_task_with(&options, keep, pool);
}

/* Without memory for a task it is tried again when the pool is used the next time. */
void pg_pool_look(eddy_pg_pool *pool)
{
    bool runs = pool->keeper && !eddy_task_done(pool->keeper);

    if (pool->closing)
        return;
    if (pool->size < pool->options.min_size) {
        if (eddy_time() >= pool->retry_at)
            pg_pool_start_keeper(pool);
    } else if (!runs && pool->size > pool->options.min_size && pool->idle.first &&
               pool->options.idle_time < EDDY_FOREVER) {
        pg_pool_start_keeper(pool);
    }
}
