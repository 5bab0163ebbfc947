/* SPDX-License-Identifier: MIT */
/*
 * What a program holds of a connection: statements, transactions, cursors. Each is a handle that
 * knows its connection until that is closed, or goes back to its pool; from then on it can do
 * nothing more, but be freed.
 */
#ifndef ED_PG_SESSION_H
#define ED_PG_SESSION_H

#include "eddy/pg_query.h"
#include "pg/statement.h"

struct pg_handle {
    struct eddy_link_ link;
    struct eddy_list_ *list;
    eddy_pg_connection *connection;        /* NULL: it has ended */
    void (*end)(struct pg_handle *handle); /* called then, or NULL */
};

/* Puts a handle into one of the lists of struct pg_statements. */
void pg_handle_join(struct pg_handle *handle, struct eddy_list_ *list,
                    eddy_pg_connection *connection, void (*end)(struct pg_handle *handle));
/* Takes it out, if it is still in. */
void pg_handle_leave(struct pg_handle *handle);
/* The connection of a handle in *out, or EDDY_EPG_USE with a text that calls it `what`. */
int pg_handle_connection(struct pg_handle *handle, const char *what, eddy_pg_connection **out);
/* Ends all handles. */
void pg_session_end(struct pg_statements *statements);

/* The connection of a target: its own, or one of its pool, which pg_target_close gives back.
 * Suspends. */
EDDY_AWAITS int pg_target_open(eddy_pg_target target, eddy_pg_connection **out);
/* Suspends. */
EDDY_AWAITS void pg_target_close(eddy_pg_target target, eddy_pg_connection *connection);

#endif
