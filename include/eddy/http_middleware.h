/* SPDX-License-Identifier: MIT */
/*
 * Middlewares of the HTTP client: functions around each hop of a request, as those of a server are
 * around its handlers. A hop is the URL of a request, and each one that a redirect leads to. One
 * that renews its token when the server does not take it any more:
 *
 *     static int authorize(eddy_http_hop *hop, void *token)
 *     {
 *         EDDY_TRY(eddy_http_hop_set_header(hop, "Authorization", token_text(token)));
 *         EDDY_TRY(eddy_http_next(hop));
 *         if (eddy_http_status(eddy_http_hop_response(hop)) != 401)
 *             return 0;
 *         EDDY_TRY(token_renew(token));
 *         EDDY_TRY(eddy_http_hop_set_header(hop, "Authorization", token_text(token)));
 *         return eddy_http_next(hop);
 *     }
 *
 *     const eddy_http_session_options options = {
 *         .defaults.middlewares = EDDY_HTTP_MIDDLEWARES({authorize, &token})};
 *
 * The first of the list is outermost. That of a request takes the place of the session's, also an
 * empty one: {{NULL, NULL}}. What a middleware sets is for its hop alone: where a redirect leads to
 * another origin, it is called for that, and decides anew.
 */
#ifndef EDDY_HTTP_MIDDLEWARE_H
#define EDDY_HTTP_MIDDLEWARE_H

#include "eddy/compat.h"
#include "eddy/http_client.h"

EDDY_BEGIN_DECLS

typedef struct eddy_http_hop eddy_http_hop;

/* `call` calls eddy_http_next for what it is around, once or again, or answers itself. It returns 0
 * when there is an answer, or an error, with which the request fails; it may suspend, within the
 * time of the request. */
typedef struct eddy_http_middleware {
    int (*call)(eddy_http_hop *hop, void *argument);
    void *argument;
} eddy_http_middleware;

/* A list on the spot, valid to the end of the block. */
#define EDDY_HTTP_MIDDLEWARES(...) ((const eddy_http_middleware[]){__VA_ARGS__, {NULL, NULL}})

/*
 * Calls the middleware that is next, or behind the last one sends the request, with the retries of
 * its options. When it returns 0 the head of an answer is there. Called again, it drops that answer
 * and sends the request once more.
 *
 * Suspends. Returns as eddy_http_request, but that redirects are answers here; EDDY_EHTTP_PAYLOAD
 * when the body cannot be sent a second time.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_http_next(eddy_http_hop *hop);
/* The method, in capital letters, and the URL of this hop. */
EDDY_API const char *eddy_http_hop_method(const eddy_http_hop *hop);
EDDY_API const eddy_url *eddy_http_hop_url(const eddy_http_hop *hop);
/* Sets a field for this hop, instead of all of its name, or with NULL has none sent. It goes to
 * whatever origin the hop leads to. Copies. 0; -EINVAL for what is not a name or a value, and for
 * Content-Length and Transfer-Encoding; -ENOMEM. */
EDDY_NODISCARD EDDY_API int
eddy_http_hop_set_header(eddy_http_hop *hop, const char *name, const char *value);
/* The answer, borrowed; NULL: there is none yet. What eddy_http_read and its like read of it, who
 * made the request finds too; what is read of eddy_http_body is gone for him. */
EDDY_API eddy_http_response *eddy_http_hop_response(const eddy_http_hop *hop);
/* Answers in place of the server, and of an answer that is there. The body is copied, and taken as
 * it is: not decompressed. headers: NULL: none. Suspends, for what is left of an answer before.
 * Returns 0; -EINVAL for a status that is not from 200 to 599, or a field that is none; -ENOMEM. */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_http_hop_answer(eddy_http_hop *hop, int status,
                                                             const eddy_pair *headers,
                                                             const void *data, size_t size);

EDDY_END_DECLS
#endif
