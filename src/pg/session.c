/* SPDX-License-Identifier: MIT */
/*
 * Handles and their end, and whose connection a call is for.
 *
 * A handle is in one list of its connection's, or has no connection. The lists end with the
 * connection, and when a pool has taken it back, which is seen by the number of its generation with
 * the next thing that is done with it.
 */
#include "pg/session.h"

#include "eddy/pg_pool.h"
#include "task/task.h"

void pg_handle_join(struct pg_handle *handle, struct eddy_list_ *list,
                    eddy_pg_connection *connection, void (*end)(struct pg_handle *handle))
{
    handle->list = list;
    handle->connection = connection;
    handle->end = end;
    ed_list_append(list, &handle->link);
}

void pg_handle_leave(struct pg_handle *handle)
{
    if (!handle->connection)
        return;
    ed_list_remove(handle->list, &handle->link);
    handle->connection = NULL;
}

int pg_handle_connection(struct pg_handle *handle, const char *what, eddy_pg_connection **out)
{
    if (handle->connection && eddy_pg_is_closed(handle->connection))
        return eddy_raise(EDDY_EPG_CLOSED, "the connection of the %s is closed", what);
    if (handle->connection)
        (void)pg_statements_of(handle->connection); /* a pool may have had it meanwhile */
    if (!handle->connection)
        return eddy_raise(EDDY_EPG_USE,
                          "the %s has ended with its connection, or with its turn "
                          "from a pool",
                          what);
    *out = handle->connection;
    return 0;
}

static void handles_end(struct eddy_list_ *list)
{
    struct eddy_link_ *link;

    while ((link = ed_list_pop(list))) {
        struct pg_handle *handle = ed_container_of(link, struct pg_handle, link);

        handle->connection = NULL;
        if (handle->end)
            handle->end(handle);
    }
}

void pg_session_end(struct pg_statements *statements)
{
    handles_end(&statements->prepared);
    handles_end(&statements->transactions);
    handles_end(&statements->cursors);
    statements->transaction++;
    statements->generation = pg_connection_generation(statements->connection);
}

int pg_target_open(eddy_pg_target target, eddy_pg_connection **out)
{
    if (target.pool)
        return eddy_pg_acquire(target.pool, out);
    if (!target.connection)
        return eddy_raise(EDDY_EPG_CLOSED, "there is no connection: NULL");
    *out = target.connection;
    return 0;
}

void pg_target_close(eddy_pg_target target, eddy_pg_connection *connection)
{
    struct ed_error *error;

    if (!target.pool)
        return;
    error = eddy_error_set_aside_(); /* the text is that of the call */
    eddy_pg_release(&connection);
    eddy_error_put_back_(error);
}
