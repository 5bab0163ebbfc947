/* SPDX-License-Identifier: MIT */
/* How another protocol takes over the connection of a request: WebSocket. */
#ifndef ED_HTTP_WEB_UPGRADE_H
#define ED_HTTP_WEB_UPGRADE_H

#include "eddy/web_request.h"

/*
 * Answers by 101 with "Connection: upgrade", "Upgrade: protocol" and the fields that were set for
 * the answer, and hands the connection over: *stream is borrowed, and stays open until the handler
 * returns; what came behind the head is in it. From here on no limit of time of the server's
 * counts but that of writing, a client that goes away is seen by who reads, and the connection ends
 * with the handler. The server's shutdown waits for it: ed_web_upgrade_begin.
 *
 * Suspends. 0; -EPERM once an answer is begun; EDDY_HTTP_STATUS(400) with a body, or in HTTP/1.0;
 * or an error of eddy_write.
 */
EDDY_AWAITS int
ed_web_upgrade(eddy_web_request *request, const char *protocol, eddy_stream **stream);

/* Between these two the server calls `stop` when it stops, or at once if it does already; it must
 * not wait. `failed` is the error by which the client has ended the protocol, or 0: a handler that
 * returns it has not failed. */
void ed_web_upgrade_begin(eddy_web_request *request, void (*stop)(void *owner), void *owner);
void ed_web_upgrade_end(eddy_web_request *request, int failed);

#endif
