/* SPDX-License-Identifier: MIT */
/*
 * Who wants to hear of a connection: of notifications, notices, queries, and its end.
 *
 * What is to be told is queued where it is noticed, in the middle of other calls, and told by the
 * loop, in order. Callbacks may remove any callback, and close the connection: what is removed
 * while others are called stays in its list, empty, until they have been.
 *
 * An idle connection is watched while anybody listens. While an operation runs it is not, since the
 * operation reads.
 */
#include "pg/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eddy/task.h"

/* Callbacks ---------------------------------------------------------------------- */

static struct pg_callback *callback_of(struct eddy_link_ *link)
{
    return ed_container_of(link, struct pg_callback, link);
}

static struct pg_callback *
callback_find(const struct eddy_list_ *list, void (*function)(void), const void *argument)
{
    ED_LIST_FOR_EACH(link, list)
        if (callback_of(link)->function == function && callback_of(link)->argument == argument)
            return callback_of(link);
    return NULL;
}

int pg_callbacks_add(struct eddy_list_ *list, void (*function)(void), void *argument, bool own)
{
    struct pg_callback *callback;

    if (callback_find(list, function, argument))
        return 0;
    callback = eddy_alloc_(sizeof *callback);
    if (!callback)
        return eddy_raise(-ENOMEM, "no memory for a listener");
    callback->function = function;
    callback->argument = argument;
    callback->own = own;
    ed_list_append(list, &callback->link);
    return 0;
}

static void callbacks_sweep(struct eddy_list_ *list)
{
    ED_LIST_FOR_EACH(link, list) {
        if (!callback_of(link)->function) {
            ed_list_remove(list, link);
            eddy_free(callback_of(link));
        }
    }
}

void pg_callbacks_remove(struct pg_listeners *listeners, struct eddy_list_ *list,
                         void (*function)(void), void *argument)
{
    struct pg_callback *callback = callback_find(list, function, argument);

    if (!callback)
        return;
    callback->function = NULL;
    if (listeners->telling)
        listeners->swept_later = true;
    else
        callbacks_sweep(list);
}

bool pg_callbacks_any(const struct eddy_list_ *list)
{
    ED_LIST_FOR_EACH(link, list)
        if (callback_of(link)->function)
            return true;
    return false;
}

void pg_callbacks_clear(struct eddy_list_ *list)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(list)))
        eddy_free(callback_of(link));
}

/* Channels ----------------------------------------------------------------------- */

struct pg_channel *pg_channel_find(struct pg_listeners *listeners, const char *name)
{
    ED_LIST_FOR_EACH(link, &listeners->channels) {
        struct pg_channel *channel = ed_container_of(link, struct pg_channel, link);

        if (strcmp(channel->name, name) == 0)
            return channel;
    }
    return NULL;
}

void pg_channel_free(struct pg_listeners *listeners, struct pg_channel *channel)
{
    ed_list_remove(&listeners->channels, &channel->link);
    pg_callbacks_clear(&channel->callbacks);
    eddy_free(channel);
}

static void listeners_sweep(struct pg_listeners *listeners)
{
    callbacks_sweep(&listeners->logs);
    callbacks_sweep(&listeners->terminations);
    callbacks_sweep(&listeners->loggers);
    ED_LIST_FOR_EACH(link, &listeners->channels)
        callbacks_sweep(&ed_container_of(link, struct pg_channel, link)->callbacks);
}

/* Telling ------------------------------------------------------------------------ */

static void tell_notification(struct pg_listeners *listeners, const PGnotify *notify)
{
    eddy_pg_notification notification = {notify->relname, notify->extra, notify->be_pid};
    struct pg_channel *channel = pg_channel_find(listeners, notify->relname);

    if (!channel)
        return;
    ED_LIST_FOR_EACH(link, &channel->callbacks) {
        struct pg_callback *callback = callback_of(link);

        if (callback->function)
            ((eddy_pg_listener *)callback->function)(listeners->connection, &notification,
                                                     callback->argument);
    }
}

static void tell_message(struct pg_listeners *listeners, const eddy_pg_message *message)
{
    ED_LIST_FOR_EACH(link, &listeners->logs) {
        struct pg_callback *callback = callback_of(link);

        if (callback->function)
            ((eddy_pg_log_listener *)callback->function)(listeners->connection, message,
                                                         callback->argument);
    }
}

static void tell_record(struct pg_listeners *listeners, const eddy_pg_query_record *record)
{
    ED_LIST_FOR_EACH(link, &listeners->loggers) {
        struct pg_callback *callback = callback_of(link);

        if (callback->function)
            ((eddy_pg_query_logger *)callback->function)(listeners->connection, record,
                                                         callback->argument);
    }
}

static void event_free(struct pg_event *event)
{
    PQfreemem(event->notification);
    eddy_free(event->message);
    eddy_free(event);
}

static void tell_event(struct pg_listeners *listeners, struct pg_event *event)
{
    if (event->notification)
        tell_notification(listeners, event->notification);
    else if (event->message)
        tell_message(listeners, &event->message->parts);
    else
        tell_record(listeners, &event->record);
    event_free(event);
}

static void tell_end(struct pg_listeners *listeners)
{
    listeners->told = true;
    ED_LIST_FOR_EACH(link, &listeners->terminations) {
        struct pg_callback *callback = callback_of(link);

        if (callback->function)
            ((eddy_pg_termination_listener *)callback->function)(listeners->connection,
                                                                 callback->argument);
    }
}

/* Tells everything, in order. The connection stays meanwhile. */
static void listeners_tell(struct pg_listeners *listeners)
{
    eddy_pg_connection *connection = listeners->connection;
    struct eddy_link_ *link;

    pg_connection_ref(connection);
    listeners->telling = true;
    while ((link = ed_list_pop(&listeners->events)))
        tell_event(listeners, ed_container_of(link, struct pg_event, link));
    if (listeners->ended && !listeners->told)
        tell_end(listeners);
    listeners->telling = false;
    if (listeners->swept_later)
        listeners_sweep(listeners);
    listeners->swept_later = false;
    pg_connection_unref(connection);
}

static int listeners_run(void *argument)
{
    struct pg_listeners *listeners = argument;

    listeners->scheduled = false;
    listeners_tell(listeners);
    return 0;
}

/* Without memory for the call it is made with the next event. */
static void listeners_schedule(struct pg_listeners *listeners)
{
    if (listeners->scheduled)
        return;
    listeners->soon = eddy_loop_call_soon(listeners->connection->loop, listeners_run, listeners);
    listeners->scheduled = listeners->soon.handle != NULL;
}

static struct pg_event *listeners_add_event(struct pg_listeners *listeners, size_t text)
{
    struct pg_event *event = eddy_alloc_(sizeof *event + text);

    if (event) {
        ed_list_append(&listeners->events, &event->link);
        listeners_schedule(listeners);
    }
    return event;
}

/* Noticing ----------------------------------------------------------------------- */

void pg_listeners_collect(eddy_pg_connection *connection)
{
    struct pg_listeners *listeners = connection->listeners;
    PGnotify *notify;

    if (!listeners)
        return;
    while (connection->libpq && (notify = PQnotifies(connection->libpq))) {
        struct pg_event *event =
            pg_channel_find(listeners, notify->relname) ? listeners_add_event(listeners, 0) : NULL;

        if (event)
            event->notification = notify;
        else
            PQfreemem(notify);
    }
}

void pg_listeners_notice(void *argument, const PGresult *result)
{
    eddy_pg_connection *connection = argument;
    struct pg_listeners *listeners = connection->listeners;
    struct pg_message *message;
    struct pg_event *event;

    if (!listeners || !pg_callbacks_any(&listeners->logs))
        return;
    message = pg_message_new(result, NULL);
    event = message ? listeners_add_event(listeners, 0) : NULL;
    if (event)
        event->message = message;
    else
        eddy_free(message);
}

void pg_listeners_log(eddy_pg_connection *connection, const struct pg_operation *operation, int rc)
{
    struct pg_listeners *listeners = connection->listeners;
    size_t size = strlen(operation->query) + 1;
    struct pg_event *event;

    if (!pg_callbacks_any(&listeners->loggers) || size == 1)
        return;
    event = listeners_add_event(listeners, size);
    if (!event)
        return;
    event->record = (eddy_pg_query_record){
        .query = memcpy(event + 1, operation->query, size),
        .values = operation->values,
        .elapsed = eddy_time() - operation->begun,
        .code = rc < 0 ? rc : 0,
    };
}

void pg_listeners_terminate(eddy_pg_connection *connection, bool now)
{
    struct pg_listeners *listeners = connection->listeners;

    if (!listeners || listeners->told)
        return;
    listeners->ended = true;
    if (now && !listeners->telling)
        listeners_tell(listeners);
    else
        listeners_schedule(listeners);
}

/* Watching ----------------------------------------------------------------------- */

/* Something has come on an idle connection. */
static int listeners_ready(void *argument)
{
    eddy_pg_connection *connection = argument;
    char line[160];

    if (pg_read_input(connection))
        return 0;
    pg_first_line(PQerrorMessage(connection->libpq), line, sizeof line);
    pg_connection_lose(connection, line);
    return 0;
}

static bool listeners_want_watch(const eddy_pg_connection *connection)
{
    const struct pg_listeners *listeners = connection->listeners;

    return !connection->closed && !connection->operation && !connection->settler &&
           !connection->pipeline &&
           (listeners->channels.first || listeners->terminations.first || listeners->logs.first);
}

void pg_listeners_watch(eddy_pg_connection *connection)
{
    struct pg_listeners *listeners = connection->listeners;
    bool watch = listeners && listeners_want_watch(connection);

    if (!listeners || watch == (listeners->watched >= 0))
        return;
    if (!watch) {
        if (eddy_get_running_loop() == connection->loop) /* else it may be closed, and freed */
            (void)eddy_loop_remove_reader(connection->loop, listeners->watched); /* there is one */
        listeners->watched = -1;
    } else if (eddy_loop_add_reader(connection->loop, connection->fd, listeners_ready,
                                    connection) == 0) {
        listeners->watched = connection->fd;
    }
}

/* Life --------------------------------------------------------------------------- */

struct pg_listeners *pg_listeners_of(eddy_pg_connection *connection)
{
    struct pg_listeners *listeners = connection->listeners;

    if (listeners)
        return listeners;
    listeners = eddy_alloc_(sizeof *listeners);
    if (!listeners) {
        (void)eddy_raise(-ENOMEM, "no memory for a listener");
        return NULL;
    }
    listeners->connection = connection;
    listeners->watched = -1;
    connection->listeners = listeners;
    return listeners;
}

static void listeners_forget(struct pg_listeners *listeners)
{
    struct eddy_link_ *link;

    while ((link = listeners->channels.first))
        pg_channel_free(listeners, ed_container_of(link, struct pg_channel, link));
    pg_callbacks_clear(&listeners->logs);
    pg_callbacks_clear(&listeners->terminations);
    pg_callbacks_clear(&listeners->loggers);
    while ((link = ed_list_pop(&listeners->events)))
        event_free(ed_container_of(link, struct pg_event, link));
}

bool pg_connection_is_listened(const eddy_pg_connection *connection)
{
    const struct pg_listeners *listeners = connection->listeners;

    return listeners && (listeners->channels.first || listeners->logs.first ||
                         listeners->terminations.first || listeners->loggers.first);
}

static void retire_report(const struct pg_listeners *listeners)
{
    char text[200];
    eddy_report report = {.kind = EDDY_REPORT_RESOURCE, .message = text};
    const struct pg_channel *channel =
        listeners->channels.first
            ? ed_container_of(listeners->channels.first, struct pg_channel, link)
            : NULL;

    if (!channel && !listeners->logs.first && !listeners->loggers.first &&
        !listeners->terminations.first)
        return;
    snprintf(text, sizeof text,
             "a listener%s%s was left on a connection that went back to its pool",
             channel ? " of the channel " : "", channel ? channel->name : "");
    eddy_loop_call_exception_handler(listeners->connection->loop, &report);
}

void pg_listeners_retire(eddy_pg_connection *connection)
{
    struct pg_listeners *listeners = connection->listeners;

    if (!listeners)
        return;
    retire_report(listeners);
    ED_LIST_FOR_EACH(link, &listeners->terminations) {
        struct pg_callback *callback = callback_of(link);

        if (callback->own && callback->function)
            ((eddy_pg_termination_listener *)callback->function)(connection, callback->argument);
    }
    listeners_forget(listeners);
    pg_listeners_watch(connection);
}

void pg_listeners_free(struct pg_listeners *listeners)
{
    if (!listeners)
        return;
    if (listeners->scheduled && eddy_get_running_loop() == listeners->connection->loop)
        (void)eddy_handle_cancel(listeners->soon);
    listeners_forget(listeners);
    eddy_free(listeners);
}
