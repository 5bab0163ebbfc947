/* SPDX-License-Identifier: MIT */
/* What a server's files share: its making and end, and the scan over its connections. */
#ifndef ED_HTTP_WEB_SERVER_H
#define ED_HTTP_WEB_SERVER_H

#include "http/web_exchange.h"

/* web_server.c */

/* A server of an application that does not listen yet. 0, -EINVAL, -ENOMEM. */
int ed_web_server_new(eddy_web_app *app, const eddy_web_options *options, eddy_web_server **out);
/* Starts the parts. Suspends. 0; or the error of one, and those before it are stopped. */
EDDY_AWAITS int ed_web_server_start_parts(eddy_web_server *server);
void ed_web_server_free(eddy_web_server *server);

/* web_test.c */

/* Connects to a server through memory. 0, -ECONNREFUSED once it stops, -ENOMEM. */
int ed_web_connect(eddy_web_server *server, eddy_stream **out);

/* web_scan.c */

/* How often to scan, and the limits in ticks, of the options. */
void ed_web_scan_init(eddy_web_server *server);
/* A connection begins, and ends. */
void ed_web_enter(struct ed_web_connection *connection);
void ed_web_leave(struct ed_web_connection *connection);
/* One that was resting has a request. */
void ed_web_wake(struct ed_web_connection *connection);
/* Cancels the task of a connection, which finds out why. */
void ed_web_interrupt(struct ed_web_connection *connection, enum ed_web_why why);
/* Has all that wait for a request end. */
void ed_web_end_idle(eddy_web_server *server);
/* Has all other protocols end. */
void ed_web_end_upgraded(eddy_web_server *server);
/* Waits until there are no connections any more. Suspends. 0, -ECANCELED, -ETIMEDOUT. */
EDDY_AWAITS int ed_web_await_end(eddy_web_server *server);
/* Cancels all connections' tasks. */
void ed_web_cancel_all(eddy_web_server *server);

#endif
