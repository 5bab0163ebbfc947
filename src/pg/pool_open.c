/* SPDX-License-Identifier: MIT */
/*
 * The beginning and the end of a pool, and what it is made of.
 *
 * A pool is freed behind its last user: its owner, each slot, and each call that may suspend. A
 * close that is cancelled terminates all connections and leaves; who still has one gives it back
 * to a pool that is gone for everybody else.
 */
#include <string.h>

#include "base/die.h"
#include "pg/pool.h"
#include "task/task.h"

#define POOL_SIZE 10
#define POOL_QUERIES 50000
#define POOL_IDLE_TIME 300.0
#define POOL_CLOSE_TIME 60.0
#define POOL_RESET_TIME 10.0

/* Arguments of connections ---------------------------------------------------------- */

static const size_t argument_texts[] = {offsetof(eddy_pg_options, host),
                                        offsetof(eddy_pg_options, user),
                                        offsetof(eddy_pg_options, password),
                                        offsetof(eddy_pg_options, database),
                                        offsetof(eddy_pg_options, passfile),
                                        offsetof(eddy_pg_options, sslmode),
                                        offsetof(eddy_pg_options, application_name)};

static const char **argument_text(eddy_pg_options *options, size_t i)
{
    return (const char **)(void *)((char *)options + argument_texts[i]);
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* Moves a text to *room, which moves behind it. */
static const char *text_move(const char *text, char **room)
{
    char *copy = *room;

    if (!text)
        return NULL;
    *room += text_size(text);
    return memcpy(copy, text, text_size(text));
}

/* How many settings, with the NULL behind them, and in *size the bytes of their texts. */
static size_t settings_count(const char *const *settings, size_t *size)
{
    size_t count = 0;

    if (!settings)
        return 0;
    for (; settings[count]; count++)
        *size += text_size(settings[count]);
    return count + 1;
}

static struct pg_arguments *arguments_new(const char *dsn, const eddy_pg_options *options)
{
    eddy_pg_options copy = options ? *options : (eddy_pg_options){0};
    size_t size = sizeof(struct pg_arguments) + text_size(dsn);
    size_t settings = settings_count(copy.settings, &size);
    struct pg_arguments *arguments;
    const char **list;
    char *room;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(argument_texts); i++)
        size += text_size(*argument_text(&copy, i));
    size += settings * sizeof *list;
    arguments = eddy_alloc_(size);
    if (!arguments)
        return NULL;
    list = (const char **)(arguments + 1);
    room = (char *)(list + settings);
    for (size_t i = 0; i + 1 < settings; i++)
        list[i] = text_move(copy.settings[i], &room);
    for (size_t i = 0; i < ED_ARRAY_LENGTH(argument_texts); i++)
        *argument_text(&copy, i) = text_move(*argument_text(&copy, i), &room);
    copy.settings = settings ? list : NULL;
    *arguments = (struct pg_arguments){
        .users = 1, .dsn = text_move(dsn, &room), .options = copy, .size = size};
    return arguments;
}

/* A password may be in it. */
void pg_arguments_unref(struct pg_arguments *arguments)
{
    if (!arguments || --arguments->users > 0)
        return;
    explicit_bzero(arguments, arguments->size);
    eddy_free(arguments);
}

int eddy_pg_set_connect_arguments(eddy_pg_pool *pool, const char *dsn,
                                  const eddy_pg_options *options)
{
    struct pg_arguments *arguments = arguments_new(dsn, options);

    if (!arguments)
        return -ENOMEM;
    pg_arguments_unref(pool->arguments);
    pool->arguments = arguments;
    return 0;
}

/* Options --------------------------------------------------------------------------- */

/* A limit in seconds, `fallback` for 0; negative ones and NaN make it return false. */
static bool choose_time(double *seconds, double fallback)
{
    if (!(*seconds >= 0))
        return false;
    if (*seconds == 0)
        *seconds = fallback;
    return true;
}

static int choose_options(const eddy_pg_pool_options *given, eddy_pg_pool_options *out)
{
    eddy_pg_pool_options options = given ? *given : (eddy_pg_pool_options){0};

    if (options.max_size == 0)
        options.max_size = options.min_size > POOL_SIZE ? options.min_size : POOL_SIZE;
    if (options.lazy && options.min_size > 0)
        return eddy_raise(-EINVAL, "a pool that opens none at first has no min_size");
    if (options.min_size > options.max_size)
        return eddy_raise(-EINVAL, "a pool's min_size, %zu, is greater than its max_size, %zu",
                          options.min_size, options.max_size);
    if (options.min_size == 0 && !options.lazy)
        options.min_size = options.max_size < POOL_SIZE ? options.max_size : POOL_SIZE;
    if (options.max_queries == 0)
        options.max_queries = POOL_QUERIES;
    if (!choose_time(&options.idle_time, POOL_IDLE_TIME) ||
        !choose_time(&options.age, EDDY_FOREVER) ||
        !choose_time(&options.acquire_timeout, EDDY_FOREVER) ||
        !choose_time(&options.close_timeout, POOL_CLOSE_TIME))
        return eddy_raise(-EINVAL, "a time in a pool's options is negative");
    options.connection = NULL;
    *out = options;
    return 0;
}

/* Opening --------------------------------------------------------------------------- */

void pg_pool_unref(eddy_pg_pool *pool)
{
    if (--pool->users > 0)
        return;
    ED_ASSERT(pool->size == 0 && !pool->keeper);
    pg_arguments_unref(pool->arguments);
    eddy_free(pool);
}

static int pool_new(const char *dsn, const eddy_pg_pool_options *given,
                    const struct pg_pool_ways *ways, eddy_pg_pool **out)
{
    const eddy_pg_options *connection = given ? given->connection : NULL;
    eddy_pg_pool_options options;
    eddy_pg_pool *pool;

    EDDY_TRY(choose_options(given, &options));
    pool = eddy_alloc_(sizeof *pool);
    if (!pool)
        return -ENOMEM;
    pool->users = 1;
    pool->loop = eddy_thread_.loop;
    pool->ways = ways;
    pool->options = options;
    pool->reset_time =
        connection && connection->close_timeout > 0 ? connection->close_timeout : POOL_RESET_TIME;
    pool->arguments = arguments_new(dsn, connection);
    if (!pool->arguments) {
        eddy_free(pool);
        return -ENOMEM;
    }
    *out = pool;
    return 0;
}

static int pool_open_one(eddy_pg_pool *pool)
{
    struct pg_slot *slot = pg_slot_new(pool);
    int rc = slot ? pg_slot_open(slot) : -ENOMEM;

    if (!slot)
        return rc;
    slot->idle_since = eddy_time();
    pg_slot_pass(slot);
    return rc;
}
EDDY_ASYNC(pool_open_one, eddy_pg_pool *);

/* One first, so that what is wrong with all of them shows once; then the others, at once. */
static int pool_open_first(eddy_pg_pool *pool)
{
    EDDY_GROUP(group);

    if (pool->options.min_size > 0)
        EDDY_TRY(pool_open_one(pool));
    for (size_t i = 1; i < pool->options.min_size; i++)
        EDDY_TRY(eddy_group_create_task(&group, pool_open_one, pool));
    return eddy_group_join(&group);
}

int pg_pool_open(const char *dsn, const eddy_pg_pool_options *options,
                 const struct pg_pool_ways *ways, eddy_pg_pool **out)
{
    eddy_pg_pool *pool;
    int rc;

    if (!eddy_thread_.task)
        return eddy_raise(-EPERM, "a pool is opened by a task");
    EDDY_TRY(pool_new(dsn, options, ways, &pool));
    rc = pool_open_first(pool);
    if (rc < 0) {
        EDDY_SHIELD(clean_up);
        eddy_pg_pool_close(&pool);
        return rc;
    }
    *out = pool;
    return 0;
}

int eddy_pg_pool_open(const char *dsn, const eddy_pg_pool_options *options, eddy_pg_pool **out)
{
    return pg_pool_open(dsn, options, &pg_pool_real_ways, out);
}

/* Closing --------------------------------------------------------------------------- */

/* From now on nobody gets a connection, and who waits for one is told. */
static void pool_begin_closing(eddy_pg_pool *pool)
{
    struct eddy_link_ *link;

    pool->closing = true;
    while ((link = ed_list_pop(&pool->waiters))) {
        pool->waiting--;
        pg_waiter_refuse(link);
    }
    if (pool->keeper)
        (void)eddy_cancel(pool->keeper); /* or it has ended */
}

static void pool_close_idle(eddy_pg_pool *pool)
{
    while (pool->idle.first) {
        struct pg_slot *slot = ed_container_of(pool->idle.first, struct pg_slot, link);

        pg_slot_move(slot, PG_SLOT_CLOSING);
        pg_slot_close(slot);
        pg_slot_pass(slot);
    }
}

/* Closes what is given back, until nothing is left, or for so long. */
static int pool_drain(eddy_pg_pool *pool, double seconds)
{
    EDDY_TIMEOUT(limit, seconds);

    for (;;) {
        eddy_event_clear(&pool->changed);
        pool_close_idle(pool);
        if (pool->size == 0)
            return 0;
        if (!eddy_event_is_set(&pool->changed)) {
            int rc = eddy_event_wait(&pool->changed);

            if (rc < 0)
                return eddy_timeout_expired(&limit) && rc == -ETIMEDOUT ? -EAGAIN : rc;
        }
    }
}

static void pool_report_slow(eddy_pg_pool *pool)
{
    const eddy_report report = {
        .kind = EDDY_REPORT_RESOURCE,
        .message = "a pool that is closed still waits for connections that were not given back",
        .task = eddy_current_task()};

    eddy_loop_call_exception_handler(pool->loop, &report);
}

static void pool_wait_for_end(eddy_pg_pool *pool)
{
    int rc = pool_drain(pool, pool->options.close_timeout);

    if (rc == -EAGAIN) {
        pool_report_slow(pool);
        rc = pool_drain(pool, EDDY_FOREVER);
    }
    if (rc < 0)
        eddy_pg_pool_terminate(pool);
}

void eddy_pg_pool_close(eddy_pg_pool **handle)
{
    eddy_pg_pool *pool = *handle;
    struct ed_error *error;

    if (!pool)
        return;
    *handle = NULL;
    ED_ASSERT(pool->loop == eddy_thread_.loop);
    error = eddy_error_set_aside_(); /* the clean-up's do not hide the block's */
    pool_begin_closing(pool);
    eddy_task_release(&pool->keeper);
    pool_wait_for_end(pool);
    eddy_error_put_back_(error);
    pg_pool_unref(pool);
}

static void pool_terminate_idle(eddy_pg_pool *pool)
{
    while (pool->idle.first) {
        struct pg_slot *slot = ed_container_of(pool->idle.first, struct pg_slot, link);
        eddy_pg_connection *connection = slot->connection;

        pg_slot_move(slot, PG_SLOT_CLOSING);
        slot->connection = NULL;
        *pool->ways->slot(connection) = NULL;
        pool->ways->terminate(&connection);
        pool->closed++;
        pg_slot_pass(slot);
    }
}

void eddy_pg_pool_terminate(eddy_pg_pool *pool)
{
    pool_begin_closing(pool);
    pool_terminate_idle(pool);
    ED_LIST_FOR_EACH(link, &pool->busy) {
        struct pg_slot *slot = ed_container_of(link, struct pg_slot, link);

        if (slot->connection)
            pool->ways->abort(slot->connection);
    }
}

/* The rest -------------------------------------------------------------------------- */

void eddy_pg_expire_connections(eddy_pg_pool *pool)
{
    pool->expiry++;
    if (pool->idle.first && !pool->closing)
        pg_pool_start_keeper(pool);
}

eddy_pg_pool_counters eddy_pg_pool_get_counters(const eddy_pg_pool *pool)
{
    return (eddy_pg_pool_counters){
        .size = pool->size,
        .idle = pool->counts[PG_SLOT_IDLE],
        .in_use = pool->counts[PG_SLOT_USED],
        .opening = pool->counts[PG_SLOT_OPENING],
        .waiting = pool->waiting,
        .min_size = pool->options.min_size,
        .max_size = pool->options.max_size,
        .acquired = pool->acquired,
        .opened = pool->opened,
        .closed = pool->closed,
        .failed = pool->failed,
        .closing = pool->closing,
    };
}
