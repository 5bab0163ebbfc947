/* SPDX-License-Identifier: MIT */
/*
 * The server's side of the handshake. All that can be refused is refused before the 101 is sent;
 * the connection stays the server's, which closes it behind the handler, and when it stops asks for
 * the WebSocket's end.
 */
#include <errno.h>
#include <string.h>

#include "http/web_upgrade.h"
#include "http/websocket.h"
#include "http/websocket_extension.h"
#include "http/websocket_handshake.h"

bool eddy_websocket_wanted(const eddy_web_request *request)
{
    return strcmp(eddy_web_method(request), "GET") == 0 &&
           eddy_headers_has_token(eddy_web_headers(request), "Upgrade", "websocket");
}

/* Whether the request may become one: 0, or the status of its answer. */
static int accept_check(eddy_web_request *request, const eddy_websocket_options *options)
{
    const eddy_headers *headers = eddy_web_headers(request);
    const char *origin = eddy_headers_get(headers, "Origin"), *why;
    int status = ed_websocket_check_request(eddy_web_method(request), headers, &why);

    if (options->protocols && !ed_websocket_are_protocols(options->protocols))
        return eddy_raise(-EINVAL, "websocket: \"%s\" are no subprotocols", options->protocols);
    if (status == 426)
        EDDY_TRY(eddy_web_set_header(request, "Sec-WebSocket-Version", "13"));
    if (status)
        return eddy_raise(EDDY_HTTP_STATUS(status), "%s", why);
    if (!ed_websocket_may_connect(origin, eddy_web_host(request), options->origins))
        return eddy_raise(EDDY_HTTP_STATUS(403), "pages of %s may not connect here", origin);
    return 0;
}

/* The fields of the 101. */
static int accept_answer(eddy_web_request *request, const char *protocol, const char *extension)
{
    char answer[ED_WEBSOCKET_ACCEPT];

    EDDY_TRY(ed_websocket_answer_key(eddy_web_header(request, "Sec-WebSocket-Key"), answer));
    EDDY_TRY(eddy_web_set_header(request, "Sec-WebSocket-Accept", answer));
    if (protocol)
        EDDY_TRY(eddy_web_set_header(request, "Sec-WebSocket-Protocol", protocol));
    if (*extension)
        EDDY_TRY(eddy_web_set_header(request, "Sec-WebSocket-Extensions", extension));
    return 0;
}

/* The server stops. */
static void accept_stop(void *owner)
{
    (void)eddy_websocket_begin_close(owner, 1001, NULL); /* these are a code and a reason */
}

static void accept_release(void *request, int failed)
{
    ed_web_upgrade_end(request, failed);
}

static int accept_open(eddy_web_request *request, const eddy_websocket_options *options,
                       const char *protocol, eddy_websocket **out)
{
    struct ed_websocket_agreed agreed = {
        .borrowed = true, .release = accept_release, .owner = request, .protocol = protocol};
    char extension[ED_EXTENSION_TEXT];
    eddy_stream *stream;

    ed_extension_choose(eddy_web_headers(request), options, &agreed.deflate, extension);
    EDDY_TRY(accept_answer(request, protocol, extension));
    EDDY_TRY(ed_web_upgrade(request, "websocket", &stream));
    EDDY_TRY(ed_websocket_open(stream, &agreed, options, out));
    ed_web_upgrade_begin(request, accept_stop, *out);
    return 0;
}

int eddy_websocket_accept(eddy_web_request *request, const eddy_websocket_options *options,
                          eddy_websocket **out)
{
    static const eddy_websocket_options defaults;
    char *protocol = NULL;
    int rc;

    options = options ? options : &defaults;
    rc = accept_check(request, options);
    if (rc == 0)
        rc = ed_websocket_choose_protocol(eddy_web_headers(request), options->protocols, &protocol);
    if (rc == 0)
        rc = accept_open(request, options, protocol, out);
    eddy_free(protocol);
    return rc;
}
