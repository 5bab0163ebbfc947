/* SPDX-License-Identifier: MIT */
/* The handshake of a WebSocket (RFC 6455, 4): keys, subprotocols, origins. */
#ifndef ED_HTTP_WEBSOCKET_HANDSHAKE_H
#define ED_HTTP_WEBSOCKET_HANDSHAKE_H

#include "eddy/http_message.h"

#define ED_WEBSOCKET_KEY 25    /* characters of a key, with its NUL */
#define ED_WEBSOCKET_ACCEPT 29 /* of the answer to it */

/* A fresh key: 16 random bytes in Base64. 0, or an error of getrandom(2). */
int ed_websocket_new_key(char out[ED_WEBSOCKET_KEY]);
bool ed_websocket_is_key(const char *key);
/* What a server answers to a key. 0, or EDDY_ETLS when OpenSSL has no SHA-1. */
int ed_websocket_answer_key(const char *key, char out[ED_WEBSOCKET_ACCEPT]);

/* Whether a list of subprotocols is one: "chat, superchat", tokens, none of them twice. */
bool ed_websocket_are_protocols(const char *list);
/* The first one of those a client asks for, in its order, that is in a list: with its NUL, to be
 * freed; *out is NULL when there is none. 0, -ENOMEM. */
int ed_websocket_choose_protocol(const eddy_headers *asked, const char *list, char **out);
/* Whether a list has a subprotocol. */
bool ed_websocket_has_protocol(const char *list, const char *protocol);

/* Whether a request from that origin, NULL: it says none, may connect to a host. `origins` as in
 * eddy_websocket_options. */
bool ed_websocket_may_connect(const char *origin, const char *host, const char *origins);

/* What of a request is wrong: 0, or the status of the answer, with *why set. */
int ed_websocket_check_request(const char *method, const eddy_headers *headers, const char **why);
/* What of an answer to a key is wrong: NULL, or a text. */
const char *ed_websocket_check_answer(int status, const eddy_headers *headers, const char *key);

#endif
