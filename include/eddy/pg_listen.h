/* SPDX-License-Identifier: MIT */
/*
 * What a server says unasked: notifications, notices, the end of the connection.
 *
 *     EDDY_FOR_EACH(rc, notification, eddy_pg_listen(db, "jobs"))
 *         puts(notification.payload);
 *
 * A connection that listens is watched also while it is idle (P-NOTIFY-3). Callbacks are run by the
 * loop, in order, never inside another call of the connection's, and must not suspend: they start
 * tasks.
 */
#ifndef EDDY_PG_LISTEN_H
#define EDDY_PG_LISTEN_H

#include "eddy/compat.h"
#include "eddy/generator.h"
#include "eddy/pg_connection.h"

EDDY_BEGIN_DECLS

/* Texts are borrowed: until the callback returns, or until the generator's next one. */
typedef struct eddy_pg_notification {
    const char *channel, *payload;
    int pid; /* of the server process that sent it */
} eddy_pg_notification;

typedef void eddy_pg_listener(eddy_pg_connection *connection,
                              const eddy_pg_notification *notification, void *argument);
typedef void eddy_pg_log_listener(eddy_pg_connection *connection, const eddy_pg_message *message,
                                  void *argument);
typedef void eddy_pg_termination_listener(eddy_pg_connection *connection, void *argument);

/* A generator of eddy_pg_notification of a channel, for ever: LISTEN is issued with the first one,
 * and UNLISTEN when it is closed. Who must miss nothing that is sent before it asks for the first
 * one adds a listener instead. EDDY_EPG_LOST when the connection ends. Other operations go on
 * beside it. What comes while the body is busy waits, up to 64 MiB; then EDDY_ELIMIT. */
EDDY_NODISCARD EDDY_API eddy_generator *
eddy_pg_listen(eddy_pg_connection *connection, const char *channel);

/* The first listener of a channel issues LISTEN, removing the last one UNLISTEN. The same function
 * with the same argument counts once. Suspends. 0, or an error of the LISTEN: -EBUSY, ... */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_add_listener(eddy_pg_connection *connection, const char *channel,
                     eddy_pg_listener *listener, void *argument);
/* Removing an unknown one is no error. Suspends until the UNLISTEN is done; where it is cut short,
 * or an operation runs, that is done behind it, and nothing is heard any more. 0, or what cut it
 * short. */
EDDY_API EDDY_AWAITS int eddy_pg_remove_listener(eddy_pg_connection *connection,
                                                 const char *channel, eddy_pg_listener *listener,
                                                 void *argument);
/* NOTIFY, with the payload as a parameter. Suspends. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int
eddy_pg_notify(eddy_pg_connection *connection, const char *channel, const char *payload);

/* Notices, warnings and the like; without a listener they are dropped. */
EDDY_NODISCARD EDDY_API int eddy_pg_add_log_listener(eddy_pg_connection *connection,
                                                     eddy_pg_log_listener *listener,
                                                     void *argument);
EDDY_API void eddy_pg_remove_log_listener(eddy_pg_connection *connection,
                                          eddy_pg_log_listener *listener, void *argument);
/* Called once, when the connection is closed or lost. */
EDDY_NODISCARD EDDY_API int eddy_pg_add_termination_listener(eddy_pg_connection *connection,
                                                             eddy_pg_termination_listener *listener,
                                                             void *argument);
EDDY_API void eddy_pg_remove_termination_listener(eddy_pg_connection *connection,
                                                  eddy_pg_termination_listener *listener,
                                                  void *argument);

/* After each query: what it was, and how it went. */
typedef struct eddy_pg_query_record {
    const char *query;
    size_t values;  /* how many; they themselves may be secrets */
    double elapsed; /* seconds */
    int code;       /* 0 or the error */
} eddy_pg_query_record;
typedef void eddy_pg_query_logger(eddy_pg_connection *connection,
                                  const eddy_pg_query_record *record, void *argument);
EDDY_NODISCARD EDDY_API int eddy_pg_add_query_logger(eddy_pg_connection *connection,
                                                     eddy_pg_query_logger *logger, void *argument);
EDDY_API void eddy_pg_remove_query_logger(eddy_pg_connection *connection,
                                          eddy_pg_query_logger *logger, void *argument);

EDDY_END_DECLS
#endif
