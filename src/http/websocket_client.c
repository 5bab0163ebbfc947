/* SPDX-License-Identifier: MIT */
/*
 * The client's side of the handshake: a request that asks for a WebSocket, and what its answer must
 * be. Redirects, proxies, TLS and time are the session's business. The connection stays the
 * response's, which is closed behind the WebSocket.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "http/client_upgrade.h"
#include "http/websocket.h"
#include "http/websocket_extension.h"
#include "http/websocket_handshake.h"

#define FIELDS 8 /* of the handshake, and the end of the list */

/* A request under way. */
struct connecting {
    const eddy_websocket_options *options;
    const char *url;
    char key[ED_WEBSOCKET_KEY];
    eddy_pair *headers; /* the handshake's, and those of the user */
    eddy_http_response *response;
    eddy_stream *stream;
};

static int connecting_fail(const struct connecting *connecting, const char *why)
{
    int status = eddy_http_status(connecting->response);

    return eddy_raise(EDDY_EWEBSOCKET_HANDSHAKE, "websocket %s: the server answered %d %s: %s",
                      connecting->url, status, eddy_http_reason(status), why);
}

/* Whether a field is the handshake's own. */
static bool connecting_owns(const char *name)
{
    return strcasecmp(name, "Connection") == 0 || strcasecmp(name, "Upgrade") == 0 ||
           strncasecmp(name, "Sec-WebSocket-", 14) == 0;
}

/* Fields with a value of NULL would mean that none is sent: they are left out. */
static size_t connecting_own_fields(const struct connecting *connecting, eddy_pair *to)
{
    const eddy_pair fields[] = {
        {"Connection", "Upgrade"},
        {"Upgrade", "websocket"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", connecting->key},
        {"Sec-WebSocket-Protocol", connecting->options->protocols},
        {"Sec-WebSocket-Extensions", ed_extension_offer(connecting->options)},
        {"Origin", connecting->options->origin},
    };
    size_t count = 0;

    for (size_t i = 0; i < ED_ARRAY_LENGTH(fields); i++)
        if (fields[i].value)
            to[count++] = fields[i];
    return count;
}

static int connecting_make_headers(struct connecting *connecting)
{
    const eddy_http_options *http = connecting->options->http;
    const eddy_pair *users = http ? http->headers : NULL;
    size_t count = 0, have;

    while (users && users[count].name)
        count++;
    connecting->headers = eddy_alloc_((count + FIELDS) * sizeof *connecting->headers);
    if (!connecting->headers)
        return eddy_raise(-ENOMEM, "websocket %s: no memory for a request", connecting->url);
    have = connecting_own_fields(connecting, connecting->headers);
    for (size_t i = 0; i < count; i++)
        if (!connecting_owns(users[i].name))
            connecting->headers[have++] = users[i];
    return 0;
}

/* Sends the request, and waits for the answer. */
static int connecting_request(struct connecting *connecting, eddy_http_session *session)
{
    eddy_http_options http = {.body = {.kind = EDDY_BODY_KIND_NONE}};
    int rc = ed_websocket_new_key(connecting->key);

    if (rc == 0)
        rc = connecting_make_headers(connecting);
    if (rc < 0)
        return rc;
    if (connecting->options->http)
        http = *connecting->options->http;
    http.headers = connecting->headers;
    http.raise_for_status = false;
    return ed_http_upgrade(session, connecting->url, &http, &connecting->response,
                           &connecting->stream);
}

static void connecting_release(void *owner, int failed)
{
    eddy_http_response *response = owner;

    (void)failed;
    eddy_http_response_close(&response);
}

/* Makes the answer a WebSocket. */
static int connecting_take(struct connecting *connecting, eddy_websocket **out)
{
    const eddy_headers *headers = eddy_http_headers(connecting->response);
    struct ed_websocket_agreed agreed = {
        .client = true,
        .borrowed = true,
        .release = connecting_release,
        .owner = connecting->response,
        .protocol = eddy_headers_get(headers, "Sec-WebSocket-Protocol"),
    };
    const char *why =
        ed_websocket_check_answer(eddy_http_status(connecting->response), headers, connecting->key);

    if (!why && agreed.protocol &&
        (!connecting->options->protocols ||
         !ed_websocket_has_protocol(connecting->options->protocols, agreed.protocol)))
        why = "it chose a subprotocol that was not offered";
    if (!why)
        why = ed_extension_agree(headers, connecting->options, &agreed.deflate);
    if (why)
        return connecting_fail(connecting, why);
    return ed_websocket_open(connecting->stream, &agreed, connecting->options, out);
}

int eddy_websocket_connect(eddy_http_session *session, const char *url,
                           const eddy_websocket_options *options, eddy_websocket **out)
{
    static const eddy_websocket_options defaults;
    struct connecting connecting = {.options = options ? options : &defaults, .url = url};
    int rc;

    if (connecting.options->protocols && !ed_websocket_are_protocols(connecting.options->protocols))
        return eddy_raise(-EINVAL, "websocket %s: \"%s\" are no subprotocols", url,
                          connecting.options->protocols);
    rc = connecting_request(&connecting, session);
    if (rc == 0)
        rc = connecting_take(&connecting, out);
    eddy_free(connecting.headers);
    if (rc < 0)
        eddy_http_response_end_scope_(&connecting.response);
    return rc;
}
