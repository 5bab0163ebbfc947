/* SPDX-License-Identifier: MIT */
/* Who wants to hear of a connection: see listeners.c. */
#ifndef ED_PG_LISTENERS_H
#define ED_PG_LISTENERS_H

#include "pg/handle.h"

/* A function of the user's and its argument. */
struct pg_callback {
    struct eddy_link_ link;
    void (*function)(void); /* of the type that its list is for; NULL: removed */
    void *argument;
    bool own; /* a generator's of the library's */
};

struct pg_channel {
    struct eddy_link_ link;
    struct eddy_list_ callbacks;
    bool owed; /* nobody listens any more, and the server is to be told */
    char name[];
};

/* What is to be told: one of three. */
struct pg_event {
    struct eddy_link_ link;
    PGnotify *notification;
    struct pg_message *message;
    eddy_pg_query_record record; /* its text stands behind the event */
};

struct pg_listeners {
    eddy_pg_connection *connection;
    struct eddy_list_ channels;
    struct eddy_list_ logs, terminations, loggers; /* of struct pg_callback */
    struct eddy_list_ events;
    eddy_handle soon; /* the call that tells them */
    bool scheduled, telling;
    bool swept_later; /* callbacks were removed while others are called */
    bool ended;       /* terminations are to be told, */
    bool told;        /* and have been */
    int watched;      /* the descriptor that is looked after, -1: none */
};

/* Those of a connection, made when there are none; NULL: no memory, which is raised. */
struct pg_listeners *pg_listeners_of(eddy_pg_connection *connection);
/* Adds a callback to a list; once, however often. 0, -ENOMEM. */
int pg_callbacks_add(struct eddy_list_ *list, void (*function)(void), void *argument, bool own);
/* Takes one out, if it is there. */
void pg_callbacks_remove(struct pg_listeners *listeners, struct eddy_list_ *list,
                         void (*function)(void), void *argument);
bool pg_callbacks_any(const struct eddy_list_ *list);
void pg_callbacks_clear(struct eddy_list_ *list);

struct pg_channel *pg_channel_find(struct pg_listeners *listeners, const char *name);
void pg_channel_free(struct pg_listeners *listeners, struct pg_channel *channel);

#endif
