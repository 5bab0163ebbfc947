/* SPDX-License-Identifier: MIT */
/* How another protocol takes over the connection of a client's request: WebSocket. */
#ifndef ED_HTTP_CLIENT_UPGRADE_H
#define ED_HTTP_CLIENT_UPGRADE_H

#include "eddy/http_client.h"

/*
 * Sends a GET request, whose `headers` ask for another protocol ("Connection", "Upgrade", ...), to
 * an http:// or https:// URL, or to ws:// or wss://, which mean the same.
 *
 * Suspends. Returns as eddy_http_request. When the status is 101, *stream is the connection, with
 * what came behind the head still in it; borrowed until the response is closed, which breaks it:
 * what is to be sent before must have been flushed. It counts as one in use until then, and the
 * session's close breaks it. No limit of time holds for it. With any other status *stream is NULL,
 * and the response one like others.
 */
EDDY_NODISCARD EDDY_AWAITS int ed_http_upgrade(eddy_http_session *session, const char *url,
                                               const eddy_http_options *options,
                                               eddy_http_response **out, eddy_stream **stream);

#endif
