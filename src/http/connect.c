/* SPDX-License-Identifier: MIT */
/*
 * How a request gets its connection: a permit of the pool's, then one that is idle, or a new one.
 *
 * A new one is built from below, each part in the place of the one under it:
 *
 *     TCP, a unix socket, or what the session's connector gives
 *     TLS with the proxy, if that is one of https://
 *     the proxy's tunnel, for https:// URLs
 *     TLS with the server, for https:// URLs
 *
 * One limit of time holds for all of it. What fails closes what is below.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "eddy/tls.h"
#include "http/client.h"

#define CONNECT_ALPN "http/1.1" /* is offered, unless the context says otherwise */

/* The certificate's fingerprint, before any byte of the request. */
static int connect_check_fingerprint(const eddy_tls_info *info, const char *wanted)
{
    if (!wanted || strcasecmp(info->fingerprint, wanted) == 0)
        return 0;
    return eddy_raise(EDDY_EHTTP_FINGERPRINT, "the certificate has the fingerprint %s, not %s",
                      *info->fingerprint ? info->fingerprint : "of none", wanted);
}

static int connect_tls(const struct ed_request *request, eddy_stream **stream)
{
    const eddy_http_options *options = &request->choice.options;
    const char *host = request->response->url->host;
    eddy_tls_info info;

    EDDY_TRY(eddy_start_tls_offering_(
        stream, options->tls, options->server_name ? options->server_name : host, CONNECT_ALPN));
    EDDY_TRY(eddy_tls_get_info(*stream, &info));
    if (*info.alpn && strcmp(info.alpn, "http/1.1") != 0)
        return eddy_raise(EDDY_EHTTP_PROTOCOL, "TLS has agreed upon \"%s\", and not on http/1.1",
                          info.alpn);
    return connect_check_fingerprint(&info, options->fingerprint);
}

/* By the addresses that the session knows, of a host that is a name. */
static int connect_name(const struct ed_request *request, const char *host, uint16_t port,
                        eddy_stream **stream)
{
    const eddy_connect_options *options = request->session->options.connect;
    struct ed_name_cache *names = &request->session->names;
    unsigned char address[16];
    EDDY_ADDRESSES(found);
    int rc;

    if (names->time == 0 || port == 0 || inet_pton(AF_INET, host, address) == 1 ||
        inet_pton(AF_INET6, host, address) == 1)
        return eddy_tcp_connect(host, port, options, stream);
    EDDY_TRY(ed_name_cache_get(names, host, port, &found));
    rc = eddy_connect_addresses_(&found, options, stream);
    if (rc < 0 && rc != -ECANCELED)
        ed_name_cache_forget(names, host);
    return rc;
}

/* The lowest part. */
static int connect_transport(const struct ed_request *request, eddy_stream **stream)
{
    const eddy_http_session_options *options = &request->session->options;
    const eddy_url *url = request->response->url;
    char place[256];

    if (options->connector)
        return options->connector(request->proxy_url ? request->proxy_url : url,
                                  options->connector_argument, stream);
    if (options->unix_path) {
        snprintf(place, sizeof place, "unix:%s", options->unix_path);
        return eddy_connect_with(place, options->connect, stream);
    }
    if (request->proxy.host)
        return connect_name(request, request->proxy.host, request->proxy.port, stream);
    return connect_name(request, url->host, url->port, stream);
}

/* Up to the proxy, and through it. */
static int connect_proxy(const struct ed_request *request, bool secure, eddy_stream **stream)
{
    const struct ed_proxy *proxy = &request->proxy;
    const eddy_url *url = request->response->url;
    int rc = connect_transport(request, stream);

    if (rc == 0 && proxy->secure)
        rc = eddy_start_tls_offering_(stream, request->choice.options.tls, proxy->host,
                                      CONNECT_ALPN);
    if (rc == 0 && secure)
        rc = ed_proxy_tunnel(*stream, proxy, url->host, url->port, &request->session->pool.limits);
    if (rc < 0 && rc != -ECANCELED && rc != -ETIMEDOUT)
        return eddy_raise(rc, "the proxy %s: %s", request->proxy_url->text, eddy_error_message(rc));
    return rc;
}

static int connect_open(const struct ed_request *request, bool secure, eddy_stream **out)
{
    eddy_stream *stream = NULL;
    int rc = request->proxy.host ? connect_proxy(request, secure, &stream)
                                 : connect_transport(request, &stream);

    if (rc == 0 && secure)
        rc = connect_tls(request, &stream);
    if (rc < 0)
        ed_close_at_once(&stream, false);
    else
        *out = stream;
    return rc;
}

/* The same within its time. An -ETIMEDOUT that no scope has caused is the kernel's or TLS's. */
static int connect_in_time(const struct ed_request *request, bool secure, eddy_stream **out)
{
    double seconds = request->choice.timeouts.connect;
    bool expired;
    int rc;
    {
        EDDY_TIMEOUT(limit, seconds);

        rc = connect_open(request, secure, out);
        expired = eddy_timeout_expired(&limit);
    }
    if (rc != -ETIMEDOUT)
        return rc;
    if (expired)
        return eddy_raise(EDDY_EHTTP_CONNECT_TIMEOUT, "not connected within %g seconds", seconds);
    if (eddy_sleep(0) < 0)
        return rc;
    return eddy_raise(EDDY_EHTTP_CONNECT_TIMEOUT, "%s", eddy_error_message(rc));
}

static int
connect_new(struct ed_request *request, struct ed_host *host, struct ed_connection **connection)
{
    eddy_http_session *session = request->session;
    eddy_stream *stream = NULL;
    int rc;

    request->phase = "connecting";
    ed_trace(request->response, EDDY_HTTP_CONNECT_START, 0, 0);
    rc = connect_in_time(request, host->route.secure, &stream);
    if (rc == 0)
        rc = ed_http_pool_add(&session->pool, host, stream, connection);
    if (rc < 0)
        ed_close_at_once(&stream, false);
    else
        session->opened++;
    ed_trace(request->response, EDDY_HTTP_CONNECT_END, rc, 0);
    return rc;
}

/* Moves the end of the time in all; a session that is closed has moved it for good. */
static void connect_set_deadline(struct ed_request *request, double when)
{
    if (!request->session->closed)
        (void)eddy_timeout_reschedule(&request->total, when);
}

/* Waits for a permit; `seconds` at most. */
static int
connect_wait_for(struct ed_request *request, struct ed_host *host, double seconds, bool *expired)
{
    EDDY_TIMEOUT(limit, seconds);
    int rc = ed_http_pool_wait(&request->session->pool, host);

    *expired = eddy_timeout_expired(&limit);
    return rc;
}

/* The same, while the time in all goes on or stands still. */
static int connect_wait(struct ed_request *request, struct ed_host *host)
{
    double seconds = request->choice.timeouts.pool, since = eddy_time();
    eddy_http_response *response = request->response;
    bool apart = request->choice.timeouts.pool_apart, expired;
    int rc;

    request->phase = "waiting for a connection";
    ed_trace(response, EDDY_HTTP_QUEUED_START, 0, 0);
    if (apart)
        connect_set_deadline(request, EDDY_FOREVER);
    rc = connect_wait_for(request, host, seconds, &expired);
    if (apart) {
        response->deadline += eddy_time() - since;
        connect_set_deadline(request, response->deadline);
    }
    ed_trace(response, EDDY_HTTP_QUEUED_END, rc, 0);
    if (rc == -ETIMEDOUT && expired)
        return eddy_raise(EDDY_EHTTP_CONNECT_TIMEOUT, "all were in use for %g seconds", seconds);
    return rc;
}

int ed_request_connect(struct ed_request *request, bool fresh)
{
    const eddy_http_options *options = &request->choice.options;
    const eddy_url *url = request->response->url;
    struct ed_http_pool *pool = &request->session->pool;
    struct ed_connection *connection = NULL;
    struct ed_host *host;
    struct ed_route route = {
        .secure = strcmp(url->scheme, "https") == 0,
        .port = url->port,
        .host = url->host,
        .proxy = request->proxy,
        .tls = options->tls,
        .server_name = options->server_name,
        .fingerprint = options->fingerprint,
    };
    int rc;

    EDDY_TRY(ed_http_pool_find(pool, &route, &host));
    if (!ed_http_pool_enter(pool, host))
        EDDY_TRY(connect_wait(request, host));
    if (!fresh)
        connection = ed_http_pool_reuse(pool, host);
    if (connection) {
        ed_trace(request->response, EDDY_HTTP_REUSE, 0, 0);
    } else {
        rc = connect_new(request, host, &connection);
        if (rc < 0) {
            ed_http_pool_leave(pool, host);
            return rc;
        }
    }
    request->response->connection = connection;
    return 0;
}
