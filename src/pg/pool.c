/* SPDX-License-Identifier: MIT */
/*
 * Who gets which connection.
 *
 * A slot stands for a connection that exists, or is being opened or closed: there are never more
 * slots than max_size. Everything rests on this:
 *
 *     somebody waits only while no slot is idle and there are max_size of them
 *
 * So whoever gives a slot up, with its connection or without (it was lost, or connecting failed),
 * gives it to the first who waits, in one step: that one's it is, before it has run again. A waiter
 * who gets a slot without a connection opens one. One who was cancelled in the same moment gives
 * the slot to the next.
 *
 *               take                            give back, with nothing run since
 *     idle <-------------------------------------------------------------+
 *      |  ^                                                              |
 *      |  +--- reset, when something was run ------ give back --------- used
 *      |                                                                 ^
 *      +---> dead or old: closed ---> opening ---> init, setup ----------+
 *
 * Of the idle ones the latest is used first: those that a burst has left get old, and the keeper
 * closes them. A connection in the pool is as new; what makes it so is pool_reset.c. The common
 * case, taking and giving back a connection that was not used, allocates nothing, calls nothing of
 * the system but the clock, and sets no timer.
 */
#include "pg/pool.h"

#include "base/die.h"
#include "task/task.h"

#define POOL_IDLE_LONG 1.0 /* seconds after which an idle connection is looked at */

struct pg_pool_waiter {
    struct eddy_link_ link;
    struct pg_slot *slot; /* that was given; NULL with the event: the pool is closed */
    eddy_event granted;
};

/* Slots ----------------------------------------------------------------------------- */

void pg_slot_move(struct pg_slot *slot, enum pg_slot_state state)
{
    eddy_pg_pool *pool = slot->pool;

    ed_list_remove(slot->state == PG_SLOT_IDLE ? &pool->idle : &pool->busy, &slot->link);
    pool->counts[slot->state]--;
    slot->state = state;
    pool->counts[state]++;
    ed_list_append(state == PG_SLOT_IDLE ? &pool->idle : &pool->busy, &slot->link);
}

struct pg_slot *pg_slot_new(eddy_pg_pool *pool)
{
    struct pg_slot *slot = eddy_alloc_(sizeof *slot);

    ED_ASSERT(pool->size < pool->options.max_size);
    if (!slot)
        return NULL;
    slot->pool = pool;
    slot->state = PG_SLOT_OPENING;
    pool->counts[PG_SLOT_OPENING]++;
    pool->size++;
    pool->users++;
    ed_list_append(&pool->busy, &slot->link);
    return slot;
}

static void slot_free(struct pg_slot *slot)
{
    eddy_pg_pool *pool = slot->pool;

    ED_ASSERT(!slot->connection && slot->state != PG_SLOT_IDLE);
    ed_list_remove(&pool->busy, &slot->link);
    pool->counts[slot->state]--;
    pool->size--;
    eddy_free(slot);
    eddy_event_set(&pool->changed);
    pg_pool_unref(pool);
}

void pg_slot_pass(struct pg_slot *slot)
{
    eddy_pg_pool *pool = slot->pool;
    struct eddy_link_ *first = ed_list_pop(&pool->waiters);

    if (first) {
        struct pg_pool_waiter *waiter = ed_container_of(first, struct pg_pool_waiter, link);

        pg_slot_move(slot, slot->connection ? PG_SLOT_USED : PG_SLOT_OPENING);
        waiter->slot = slot;
        pool->waiting--;
        eddy_event_set(&waiter->granted);
    } else if (slot->connection) {
        pg_slot_move(slot, PG_SLOT_IDLE);
        if (pool->closing)
            eddy_event_set(&pool->changed);
    } else {
        slot_free(slot);
    }
}

void pg_slot_close(struct pg_slot *slot)
{
    eddy_pg_connection *connection = slot->connection;
    struct ed_error *error;

    if (!connection)
        return;
    error = eddy_error_set_aside_(); /* the clean-up's do not hide the caller's */
    slot->connection = NULL;
    *slot->pool->ways->slot(connection) = NULL;
    slot->pool->closed++;
    {
        EDDY_SHIELD(clean_up);
        slot->pool->ways->close(&connection);
    }
    eddy_error_put_back_(error);
}

/* A connection that was just made. */
static void slot_adopt(struct pg_slot *slot, eddy_pg_connection *connection)
{
    struct pg_slot **place = slot->pool->ways->slot(connection);

    if (*place)
        ed_die("a pool's `connect` gave a connection that a pool has already");
    *place = slot;
    slot->connection = connection;
    slot->opened = eddy_time();
    slot->clean = slot->pool->ways->operations(connection);
    slot->pool->opened++;
}

static int slot_connect(struct pg_slot *slot)
{
    eddy_pg_pool *pool = slot->pool;
    const eddy_pg_pool_options *options = &pool->options;
    struct pg_arguments *arguments = pool->arguments;
    eddy_pg_connection *connection = NULL;
    int rc;

    slot->expiry = pool->expiry;
    arguments->users++;
    rc = (options->connect ? options->connect : pool->ways->connect)(
        arguments->dsn, &arguments->options, options->argument, &connection);
    pg_arguments_unref(arguments);
    if (rc >= 0 && !connection)
        rc = eddy_raise(-EINVAL, "a pool's `connect` gave no connection");
    if (rc < 0)
        pool->failed++;
    else
        slot_adopt(slot, connection);
    return rc < 0 ? rc : 0;
}

/* Behind each step that may have suspended. */
static int slot_check_pool(struct pg_slot *slot, int rc)
{
    if (rc >= 0 && slot->pool->closing)
        rc = eddy_raise(EDDY_EPG_CLOSED, "the pool is closed");
    if (rc < 0)
        pg_slot_close(slot);
    return rc < 0 ? rc : 0;
}

int pg_slot_open(struct pg_slot *slot)
{
    const eddy_pg_pool_options *options = &slot->pool->options;

    EDDY_TRY(slot_check_pool(slot, slot_connect(slot)));
    if (options->init)
        EDDY_TRY(slot_check_pool(slot, options->init(slot->connection, options->argument)));
    return 0;
}

bool pg_slot_is_fresh(const struct pg_slot *slot, double now)
{
    const eddy_pg_pool *pool = slot->pool;

    return slot->expiry == pool->expiry && now - slot->opened < pool->options.age &&
           !pool->ways->is_closed(slot->connection);
}

static bool slot_is_usable(const struct pg_slot *slot)
{
    double now = eddy_time();

    return pg_slot_is_fresh(slot, now) && (now - slot->idle_since < POOL_IDLE_LONG ||
                                           slot->pool->ways->is_alive(slot->connection));
}

/* Acquiring ------------------------------------------------------------------------- */

/* Waits for a slot, behind all who wait already. */
static int pool_wait(eddy_pg_pool *pool, struct pg_slot **out)
{
    struct pg_pool_waiter waiter = {.granted = EDDY_EVENT_INIT};
    int rc;

    ed_list_append(&pool->waiters, &waiter.link);
    pool->waiting++;
    rc = eddy_event_wait(&waiter.granted);
    if (rc < 0 && waiter.slot) {
        pg_slot_pass(waiter.slot); /* it came in the same moment: the next one's */
    } else if (rc < 0 && !eddy_event_is_set(&waiter.granted)) {
        ed_list_remove(&pool->waiters, &waiter.link);
        pool->waiting--;
    } else if (rc == 0 && !waiter.slot) {
        rc = eddy_raise(EDDY_EPG_CLOSED, "the pool is closed");
    } else if (rc == 0) {
        *out = waiter.slot;
    }
    return rc;
}

void pg_waiter_refuse(struct eddy_link_ *link)
{
    eddy_event_set(&ed_container_of(link, struct pg_pool_waiter, link)->granted);
}

/* A slot, for whom none is idle. */
static int pool_claim(eddy_pg_pool *pool, struct pg_slot **out)
{
    if (pool->size == pool->options.max_size)
        return pool_wait(pool, out);
    ED_ASSERT(!pool->waiters.first);
    *out = pg_slot_new(pool);
    return *out ? 0 : -ENOMEM;
}

/* Makes a slot ready for its user. With an error it has no connection. */
static int slot_prepare(struct pg_slot *slot)
{
    const eddy_pg_pool_options *options = &slot->pool->options;

    if (slot->connection && !slot_is_usable(slot))
        pg_slot_close(slot);
    if (!slot->connection) {
        pg_slot_move(slot, PG_SLOT_OPENING);
        EDDY_TRY(pg_slot_open(slot));
        pg_slot_move(slot, PG_SLOT_USED);
    }
    if (options->setup)
        EDDY_TRY(slot_check_pool(slot, options->setup(slot->connection, options->argument)));
    return 0;
}

/* All that takes time, within the pool's limit for it. */
static int pool_acquire_in_time(eddy_pg_pool *pool, struct pg_slot **slot)
{
    EDDY_TIMEOUT(limit, pool->options.acquire_timeout);
    int rc = *slot ? 0 : pool_claim(pool, slot);

    if (rc == 0)
        rc = slot_prepare(*slot);
    if (rc == -ETIMEDOUT && eddy_timeout_expired(&limit))
        rc = eddy_raise(rc, "there was no connection within %g s: of %zu at most %zu are in use",
                        pool->options.acquire_timeout, pool->options.max_size,
                        pool->counts[PG_SLOT_USED]);
    return rc;
}

static int pool_acquire_slowly(eddy_pg_pool *pool, struct pg_slot *slot, eddy_pg_connection **out)
{
    int rc;

    pool->users++;
    rc = pool_acquire_in_time(pool, &slot);
    if (rc == 0) {
        pool->acquired++;
        *out = slot->connection;
    } else if (slot) {
        pg_slot_pass(slot);
    }
    if (rc == 0)
        pg_pool_look(pool);
    pg_pool_unref(pool);
    return rc;
}

int eddy_pg_acquire(eddy_pg_pool *pool, eddy_pg_connection **out)
{
    static eddy_event always = {.set = true}; /* a wait that only checks for a cancel */
    struct pg_slot *slot = NULL;

    EDDY_TRY(eddy_event_wait(&always));
    ED_ASSERT(pool->loop == eddy_thread_.loop);
    if (pool->closing)
        return eddy_raise(EDDY_EPG_CLOSED, "the pool is closed");
    if (pool->idle.last) {
        slot = ed_container_of(pool->idle.last, struct pg_slot, link);
        pg_slot_move(slot, PG_SLOT_USED);
    }
    if (!slot || pool->options.setup || !slot_is_usable(slot))
        return pool_acquire_slowly(pool, slot, out);
    pool->acquired++;
    *out = slot->connection;
    return 0;
}

/* Releasing ------------------------------------------------------------------------- */

/* Whether nothing was done with it that a reset would undo. */
static bool slot_is_as_new(const struct pg_slot *slot)
{
    const eddy_pg_pool *pool = slot->pool;

    return !pool->closing && !pool->options.reset &&
           pool->ways->operations(slot->connection) == slot->clean &&
           !pool->ways->is_held(slot->connection);
}

static void pool_report(eddy_pg_pool *pool, int code, const char *message)
{
    const eddy_report report = {.kind = EDDY_REPORT_RESOURCE,
                                .code = code,
                                .message = message,
                                .task = eddy_current_task()};

    eddy_loop_call_exception_handler(pool->loop, &report);
}

/* Makes the connection as new: 0, or an error, and it is to be closed. */
static int slot_reset(struct pg_slot *slot)
{
    eddy_pg_pool *pool = slot->pool;
    EDDY_TIMEOUT(limit, pool->reset_time);
    int rc = pool->ways->settle(slot->connection);

    if (rc > 0)
        pool_report(pool, 0,
                    "a connection was given back to its pool within a transaction, which is rolled "
                    "back");
    if (rc >= 0 && pool->options.reset)
        rc = pool->options.reset(slot->connection, pool->options.argument);
    else if (rc >= 0)
        rc = pool->ways->reset(slot->connection);
    return rc < 0 ? rc : 0;
}

static bool slot_may_stay(const struct pg_slot *slot)
{
    const eddy_pg_pool *pool = slot->pool;

    return !pool->closing && pg_slot_is_fresh(slot, eddy_time()) &&
           pool->ways->operations(slot->connection) < pool->options.max_queries;
}

/* Closes it, unless it stays and can be made as new. */
static void slot_clean_up(struct pg_slot *slot)
{
    EDDY_SHIELD(clean_up);
    int rc = slot_may_stay(slot) ? slot_reset(slot) : -ECANCELED;

    if (rc < 0 || !slot_may_stay(slot))
        pg_slot_close(slot);
    else
        slot->clean = slot->pool->ways->operations(slot->connection);
}

static void slot_release_slowly(struct pg_slot *slot)
{
    struct ed_error *error = eddy_error_set_aside_();

    slot_clean_up(slot);
    eddy_error_put_back_(error);
}

void pg_slot_release(struct pg_slot *slot)
{
    eddy_pg_pool *pool = slot->pool;
    double now;

    if (slot->state != PG_SLOT_USED)
        return; /* by another handle, before: it is idle */
    pool->users++;
    now = eddy_time();
    if (!slot_is_as_new(slot) || !pg_slot_is_fresh(slot, now)) {
        slot_release_slowly(slot);
        now = eddy_time();
    }
    slot->idle_since = now;
    pg_slot_pass(slot);
    pg_pool_look(pool);
    pg_pool_unref(pool);
}

void pg_slot_forget(struct pg_slot *slot)
{
    eddy_pg_pool *pool = slot->pool;

    *pool->ways->slot(slot->connection) = NULL;
    slot->connection = NULL;
    pool->closed++;
    if (slot->state == PG_SLOT_IDLE)
        pg_slot_move(slot, PG_SLOT_CLOSING);
    pool->users++;
    pg_slot_pass(slot);
    pg_pool_look(pool);
    pg_pool_unref(pool);
}

bool pg_slot_is_idle(const struct pg_slot *slot)
{
    return slot->state == PG_SLOT_IDLE;
}

void eddy_pg_release(eddy_pg_connection **connection)
{
    struct pg_slot *slot;

    if (!*connection)
        return;
    slot = *pg_pool_real_ways.slot(*connection);
    *connection = NULL;
    if (!slot)
        ed_die("eddy_pg_release of a connection that is not a pool's");
    pg_slot_release(slot);
}
