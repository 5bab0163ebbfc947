/* SPDX-License-Identifier: MIT */
/*
 * LISTEN and NOTIFY, and the lists of other listeners.
 *
 * A channel is in the connection's list from before its LISTEN is sent, so that nothing is missed,
 * until its last listener goes. UNLISTEN is owed from then on: a settler (settle.c) sends it, at
 * once, or behind the operation that runs.
 */
#include "eddy/pg_listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eddy/scope.h"
#include "eddy/sock.h"
#include "eddy/task.h"
#include "pg/listeners.h"

#define LISTEN_MOST ((size_t)64 << 20) /* bytes that wait for a generator's body */

/* Commands ----------------------------------------------------------------------- */

/* "LISTEN "jobs"", the caller's; NULL: no memory, or a name that is not UTF-8. */
static char *listen_command(const char *verb, const char *name)
{
    char *quoted = eddy_pg_quote_identifier(name), *command;
    size_t size = quoted ? strlen(verb) + strlen(quoted) + 2 : 0;

    command = quoted ? eddy_alloc_(size) : NULL;
    if (command)
        snprintf(command, size, "%s %s", verb, quoted);
    eddy_free(quoted);
    return command;
}

static int listen_run(eddy_pg_connection *connection, const char *name)
{
    char *command = listen_command("LISTEN", name);
    int rc;

    if (!command)
        return eddy_raise(-EINVAL, "a channel's name is UTF-8");
    rc = pg_command(connection, command);
    eddy_free(command);
    return rc;
}

bool pg_listeners_owe(const eddy_pg_connection *connection)
{
    if (connection->listeners)
        ED_LIST_FOR_EACH(link, &connection->listeners->channels)
            if (ed_container_of(link, struct pg_channel, link)->owed)
                return true;
    return false;
}

char *pg_listeners_take_owed(eddy_pg_connection *connection)
{
    struct pg_listeners *listeners = connection->listeners;

    ED_LIST_FOR_EACH(link, &listeners->channels) {
        struct pg_channel *channel = ed_container_of(link, struct pg_channel, link);

        if (channel->owed) {
            char *command = listen_command("UNLISTEN", channel->name);

            pg_channel_free(listeners, channel);
            return command;
        }
    }
    return NULL;
}

/* Channels ----------------------------------------------------------------------- */

static struct pg_channel *channel_new(struct pg_listeners *listeners, const char *name)
{
    size_t size = strlen(name) + 1;
    struct pg_channel *channel = eddy_alloc_(sizeof *channel + size);

    if (channel) {
        memcpy(channel->name, name, size);
        ed_list_append(&listeners->channels, &channel->link);
    }
    return channel;
}

/* The first listener of a channel. */
static int channel_open(struct pg_listeners *listeners, const char *name,
                        eddy_pg_listener *listener, void *argument, bool own)
{
    eddy_pg_connection *connection = listeners->connection;
    struct pg_channel *channel = channel_new(listeners, name);
    int rc;

    if (!channel)
        return eddy_raise(-ENOMEM, "no memory for a listener");
    rc = pg_callbacks_add(&channel->callbacks, (void (*)(void))listener, argument, own);
    if (rc == 0)
        rc = listen_run(connection, name);
    if (rc < 0 && (channel = pg_channel_find(listeners, name))) /* it may be gone meanwhile */
        pg_channel_free(listeners, channel);
    pg_listeners_watch(connection);
    return rc;
}

static int listen_add(eddy_pg_connection *connection, const char *name, eddy_pg_listener *listener,
                      void *argument, bool own)
{
    struct pg_listeners *listeners;
    struct pg_channel *channel;
    int rc = pg_pending();

    if (rc < 0)
        return rc;
    if (connection->closed)
        return pg_connection_refuse(connection);
    listeners = pg_listeners_of(connection);
    if (!listeners)
        return -ENOMEM;
    channel = pg_channel_find(listeners, name);
    if (!channel)
        return channel_open(listeners, name, listener, argument, own);
    channel->owed = false;
    return pg_callbacks_add(&channel->callbacks, (void (*)(void))listener, argument, own);
}

/* Has a settler send what is owed, and waits for it; behind an operation nobody waits. */
static int listen_pay(eddy_pg_connection *connection)
{
    int rc = 0;

    if (!connection->operation && !connection->settler && !connection->pipeline)
        pg_settle_begin(connection, false);
    pg_listeners_watch(connection);
    pg_connection_ref(connection);
    while (rc == 0 && !connection->operation && connection->settler)
        rc = eddy_event_wait(&connection->settled); /* cut short, it goes on by itself */
    pg_connection_unref(connection);
    return rc;
}

int eddy_pg_add_listener(eddy_pg_connection *connection, const char *channel,
                         eddy_pg_listener *listener, void *argument)
{
    return listen_add(connection, channel, listener, argument, false);
}

int eddy_pg_remove_listener(eddy_pg_connection *connection, const char *name,
                            eddy_pg_listener *listener, void *argument)
{
    struct pg_listeners *listeners = connection->listeners;
    struct pg_channel *channel = listeners ? pg_channel_find(listeners, name) : NULL;

    if (!channel)
        return 0;
    pg_callbacks_remove(listeners, &channel->callbacks, (void (*)(void))listener, argument);
    if (pg_callbacks_any(&channel->callbacks) || connection->closed)
        return 0;
    channel->owed = true;
    return listen_pay(connection);
}

int eddy_pg_notify(eddy_pg_connection *connection, const char *channel, const char *payload)
{
    const char *parameters[] = {channel, payload ? payload : ""};
    struct pg_operation operation;
    EDDY_TIMEOUT(limit, connection->options.command_timeout);

    EDDY_TRY(pg_operation_begin(&operation, connection, "NOTIFY"));
    operation.values = 2;
    return pg_operation_end(
        &operation, pg_query_text(&operation, "SELECT pg_notify($1, $2)", parameters, 2, NULL));
}

/* The generator ------------------------------------------------------------------- */

struct feed_item {
    struct eddy_link_ link;
    int pid;
    size_t size;
    char payload[];
};

struct feed {
    eddy_pg_connection *connection;
    const char *channel;
    struct eddy_list_ items;
    size_t size;
    bool full, over;
    eddy_event changed;
};

static void
feed_take(eddy_pg_connection *connection, const eddy_pg_notification *notification, void *argument)
{
    struct feed *feed = argument;
    size_t size = strlen(notification->payload) + 1;
    struct feed_item *item = NULL;

    (void)connection;
    eddy_event_set(&feed->changed);
    if (feed->full)
        return;
    if (feed->size + sizeof *item + size <= LISTEN_MOST)
        item = eddy_alloc_(sizeof *item + size);
    if (!item) {
        feed->full = true;
        return;
    }
    memcpy(item->payload, notification->payload, size);
    item->pid = notification->pid;
    item->size = sizeof *item + size;
    feed->size += item->size;
    ed_list_append(&feed->items, &item->link);
}

static void feed_end(eddy_pg_connection *connection, void *argument)
{
    struct feed *feed = argument;

    (void)connection;
    feed->over = true;
    eddy_event_set(&feed->changed);
}

/* Why there is no next one, or 0. */
static int feed_error(const struct feed *feed)
{
    if (feed->full)
        return eddy_raise(EDDY_ELIMIT, "more than 64 MiB of notifications wait to be taken");
    if (feed->connection->reason[0])
        return eddy_raise(EDDY_EPG_LOST, "the connection was lost: %s", feed->connection->reason);
    return feed->over ? pg_connection_refuse(feed->connection) : 0;
}

static int feed_next(struct feed *feed, struct feed_item **out)
{
    struct eddy_link_ *link;

    while (!(link = ed_list_pop(&feed->items))) {
        int rc = feed_error(feed);

        if (rc < 0)
            return rc;
        eddy_event_clear(&feed->changed);
        eddy_keep_pace_(true);
        rc = eddy_event_wait(&feed->changed);
        eddy_keep_pace_(false);
        if (rc < 0)
            return rc;
    }
    *out = ed_container_of(link, struct feed_item, link);
    feed->size -= (*out)->size;
    return 0;
}

static int feed_run(eddy_generator *g, struct feed *feed)
{
    for (;;) {
        struct feed_item *item;
        eddy_pg_notification notification = {.channel = feed->channel};
        int rc = feed_next(feed, &item);

        if (rc < 0)
            return rc;
        notification.payload = item->payload;
        notification.pid = item->pid;
        rc = eddy_yield(g, &notification);
        eddy_free(item);
        if (rc < 0)
            return rc;
    }
}

static void feed_close(struct feed *feed)
{
    struct pg_listeners *listeners = feed->connection->listeners;
    struct eddy_link_ *link;
    EDDY_SHIELD(closing);

    if (listeners)
        pg_callbacks_remove(listeners, &listeners->terminations, (void (*)(void))feed_end, feed);
    (void)eddy_pg_remove_listener(feed->connection, feed->channel, feed_take, feed); /* shielded */
    while ((link = ed_list_pop(&feed->items)))
        eddy_free(ed_container_of(link, struct feed_item, link));
}

static int feed_open(eddy_generator *g, struct feed *feed)
{
    struct pg_listeners *listeners = pg_listeners_of(feed->connection);
    int rc = listeners
                 ? pg_callbacks_add(&listeners->terminations, (void (*)(void))feed_end, feed, true)
                 : -ENOMEM;

    if (rc == 0)
        rc = listen_add(feed->connection, feed->channel, feed_take, feed, true);
    return rc < 0 ? rc : feed_run(g, feed);
}

struct listen_arguments {
    eddy_pg_connection *connection;
    char *channel;
};

static void listen_drop(void *argument)
{
    struct listen_arguments *arguments = argument;

    eddy_free(arguments->channel);
    pg_connection_unref(arguments->connection);
}

static int listen_body(eddy_generator *g, void *argument)
{
    struct listen_arguments *arguments = argument;
    struct feed feed = {.connection = arguments->connection, .channel = arguments->channel};
    int rc = feed_open(g, &feed);

    feed_close(&feed);
    listen_drop(arguments);
    return rc;
}

eddy_generator *eddy_pg_listen(eddy_pg_connection *connection, const char *channel)
{
    struct listen_arguments arguments = {connection, eddy_strdup_(channel)};
    eddy_generator *g = NULL;

    if (arguments.channel)
        g = eddy_generator_create(listen_body, &arguments, sizeof arguments,
                                  sizeof(eddy_pg_notification), "eddy_pg_listen",
                                  "eddy/pg_listen.h");
    if (!g) {
        eddy_free(arguments.channel);
        return NULL;
    }
    pg_connection_ref(connection);
    eddy_generator_on_drop_(g, listen_drop);
    return g;
}

/* Other listeners ----------------------------------------------------------------- */

static int
listen_add_to(eddy_pg_connection *connection, size_t offset, void (*function)(void), void *argument)
{
    struct pg_listeners *listeners;
    int rc;

    if (connection->closed)
        return pg_connection_refuse(connection);
    listeners = pg_listeners_of(connection);
    if (!listeners)
        return -ENOMEM;
    rc = pg_callbacks_add((struct eddy_list_ *)(void *)((char *)listeners + offset), function,
                          argument, false);
    pg_listeners_watch(connection);
    return rc;
}

static void listen_remove_from(eddy_pg_connection *connection, size_t offset,
                               void (*function)(void), void *argument)
{
    struct pg_listeners *listeners = connection->listeners;

    if (!listeners)
        return;
    pg_callbacks_remove(listeners, (struct eddy_list_ *)(void *)((char *)listeners + offset),
                        function, argument);
    pg_listeners_watch(connection);
}

int eddy_pg_add_log_listener(eddy_pg_connection *connection, eddy_pg_log_listener *listener,
                             void *argument)
{
    return listen_add_to(connection, offsetof(struct pg_listeners, logs), (void (*)(void))listener,
                         argument);
}

void eddy_pg_remove_log_listener(eddy_pg_connection *connection, eddy_pg_log_listener *listener,
                                 void *argument)
{
    listen_remove_from(connection, offsetof(struct pg_listeners, logs), (void (*)(void))listener,
                       argument);
}

int eddy_pg_add_termination_listener(eddy_pg_connection *connection,
                                     eddy_pg_termination_listener *listener, void *argument)
{
    return listen_add_to(connection, offsetof(struct pg_listeners, terminations),
                         (void (*)(void))listener, argument);
}

void eddy_pg_remove_termination_listener(eddy_pg_connection *connection,
                                         eddy_pg_termination_listener *listener, void *argument)
{
    listen_remove_from(connection, offsetof(struct pg_listeners, terminations),
                       (void (*)(void))listener, argument);
}

int eddy_pg_add_query_logger(eddy_pg_connection *connection, eddy_pg_query_logger *logger,
                             void *argument)
{
    return listen_add_to(connection, offsetof(struct pg_listeners, loggers), (void (*)(void))logger,
                         argument);
}

void eddy_pg_remove_query_logger(eddy_pg_connection *connection, eddy_pg_query_logger *logger,
                                 void *argument)
{
    listen_remove_from(connection, offsetof(struct pg_listeners, loggers), (void (*)(void))logger,
                       argument);
}
