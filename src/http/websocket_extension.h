/* SPDX-License-Identifier: MIT */
/* What client and server agree on for permessage-deflate (RFC 7692, 5 and 7.1). */
#ifndef ED_HTTP_WEBSOCKET_EXTENSION_H
#define ED_HTTP_WEBSOCKET_EXTENSION_H

#include "eddy/websocket.h"
#include "http/websocket_deflate.h"

#define ED_EXTENSION_TEXT 128 /* characters of an answer, with its NUL */

/* What a client offers; NULL: nothing. Static. */
const char *ed_extension_offer(const eddy_websocket_options *options);

/* What a server answers to the offers in a request's fields: the first that it can take. With none
 * terms->agreed is false, and `answer` is "". */
void ed_extension_choose(const eddy_headers *headers, const eddy_websocket_options *options,
                         struct ed_deflate_terms *terms, char answer[ED_EXTENSION_TEXT]);

/* What a client makes of the answer: NULL, or what is wrong with it. */
const char *ed_extension_agree(const eddy_headers *headers, const eddy_websocket_options *options,
                               struct ed_deflate_terms *terms);

#endif
