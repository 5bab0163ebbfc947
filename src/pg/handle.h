/* SPDX-License-Identifier: MIT */
/*
 * What a connection is made of, for the files that make it one: connect, connection, operation,
 * settle, cancel, message, listen. All others use connection.h.
 *
 * The object lives as long as anybody has a reference: the program's handle, an operation, the task
 * that settles, whatever took one. libpq's object lives until the connection is closed and nobody
 * is inside it: `operation`, `settler`, `pipeline` and `waiting` say who is.
 */
#ifndef ED_PG_HANDLE_H
#define ED_PG_HANDLE_H

#include "base/compat.h"
#include "base/list.h"
#include "eddy/loop.h"
#include "eddy/pg_listen.h"
#include "eddy/stream_class.h"
#include "eddy/switch.h"
#include "eddy/sync.h"
#include "pg/connection.h"

#define PG_CONNECT_TIMEOUT 60.0
#define PG_CLOSE_TIMEOUT 10.0

struct pg_login;
struct pg_message;

struct eddy_pg_connection {
    /* set at the open */
    eddy_loop *loop;
    PGconn *libpq;           /* NULL: closed, and nobody is inside */
    int fd;                  /* libpq's, -1: none */
    eddy_pg_options options; /* numbers alone, with the defaults filled in */
    int pid, key;            /* what a cancel request has to name */
    bool has_key;

    unsigned references;
    unsigned waiting; /* tasks that wait at the socket */
    bool closed;
    char reason[200]; /* why, where it was not the program */

    struct pg_operation *operation; /* who has it, */
    eddy_task *settler;             /* or the task that brings it back into sync, */
    struct eddy_pg_pipeline *pipeline;
    bool settler_cancels;
    bool in_transaction; /* when the server was last ready */
    eddy_event settled;  /* the settler has ended */
    eddy_event left;     /* somebody has left it */
    uint64_t generation, operations;

    /* others' */
    struct pg_slot *slot;
    struct pg_types *types;
    struct pg_statements *statements;
    struct pg_listeners *listeners;
    struct pg_message *error; /* the last one of the server's */
};

/* What the running task must return at once, or 0. */
static inline int pg_pending(void)
{
    const eddy_task *task = eddy_thread_.task;

    return task ? ((const struct eddy_task_head_ *)(const void *)task)->pending : -EPERM;
}

/* Makes a connection of libpq's object that has connected, and takes it; NULL: no memory. */
eddy_pg_connection *pg_connection_new(PGconn *libpq, const eddy_pg_options *options);

/* Whether nobody is inside of libpq's object. */
bool pg_connection_is_free(const eddy_pg_connection *connection);
/* Raises EDDY_EPG_CLOSED, with the reason. */
int pg_connection_refuse(const eddy_pg_connection *connection);
/* Closes it as one that was lost, for the reason of a text that is copied. */
void pg_connection_lose(eddy_pg_connection *connection, const char *reason);

/* settle.c: begins to settle; closes the connection when that is not possible. */
void pg_settle_begin(eddy_pg_connection *connection, bool cancel);
/* Reads and drops what is there without waiting: true when the server is ready. */
bool pg_settle_at_once(eddy_pg_connection *connection);

/* message.c */
struct pg_message {
    eddy_pg_message parts;
    size_t size; /* of the texts behind it */
};
/* A copy of what a result says, in one block; NULL: no memory. */
struct pg_message *pg_message_new(const PGresult *result, const char *query);
/* The code of a SQLSTATE; EDDY_EPG_PROTOCOL for what is none. */
int pg_state_code(const char *state);
/* The first line of one of libpq's texts, without what libpq says of itself. */
const char *pg_first_line(const char *message, char *line, size_t size);

/* listeners.c, listen.c */
/* libpq has read something: takes notifications out of it. */
void pg_listeners_collect(eddy_pg_connection *connection);
/* A message that is no error. */
void pg_listeners_notice(void *connection, const PGresult *result);
/* Looks after an idle connection where anybody wants to hear of it; or no longer. */
void pg_listeners_watch(eddy_pg_connection *connection);
/* The connection is closed. Tells the termination listeners: soon, or `now`. */
void pg_listeners_terminate(eddy_pg_connection *connection, bool now);
void pg_listeners_log(eddy_pg_connection *connection, const struct pg_operation *operation, int rc);
/* Whether commands are owed, UNLISTEN of channels that have lost their last listener; and the next
 * one, which is the caller's to eddy_free; NULL: no memory. */
bool pg_listeners_owe(const eddy_pg_connection *connection);
char *pg_listeners_take_owed(eddy_pg_connection *connection);
/* A new user: forgets what the last one has left. */
void pg_listeners_retire(eddy_pg_connection *connection);
void pg_listeners_free(struct pg_listeners *listeners);

#endif
