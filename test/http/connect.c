/* SPDX-License-Identifier: MIT */
/*
 * Connections over sockets, TLS and proxies: H-PROXY, H-TLS, H-CONN-14, -16, H-SEC-22, H-ERR-5. The
 * servers are the test's own, with its own CA.
 */
#include <eddy/tls.h>
#include <stdlib.h>

#include "net/tls_certificate.h"
#include "stand.h"

/* A server at a free port, in whose connections stand_hello or stand->serve speaks. */
struct site {
    struct stand stand;
    eddy_tls_context *tls; /* NULL: plain */
    eddy_server *server;
    char url[64]; /* "https://127.0.0.1:PORT" */
};

static int site_serve(eddy_stream *stream, void *argument)
{
    struct site *site = argument;

    return (site->stand.serve ? site->stand.serve : stand_hello)(&site->stand, stream,
                                                                 site->stand.opened++);
}

/* Some clients refuse the handshake, as they should: no failure of the server's. */
static int site_wrap(eddy_stream **stream, void *context)
{
    return eddy_tls_serve(stream, context) < 0 ? -ECANCELED : 0;
}

static int site_open(struct site *site, const char *place)
{
    eddy_server_options options = {.wrap = site->tls ? site_wrap : NULL,
                                   .wrap_argument = site->tls};

    EDDY_TRY(eddy_start_server_with(place, &options, site_serve, site, &site->server));
    snprintf(site->url, sizeof site->url, "%s://127.0.0.1:%u", site->tls ? "https" : "http",
             eddy_server_port(site->server));
    return 0;
}

static void site_close(struct site *site)
{
    eddy_server_close(&site->server);
    eddy_tls_context_free(site->tls);
}

#define SITE(name)                                                                                 \
    struct site name = {.server = NULL};                                                           \
    EDDY_DEFER(site_close, &name)

static int site_open_tls(struct site *site, const eddy_tls_options *more)
{
    eddy_tls_options options = tls_server_options();

    if (more)
        options.alpn = more->alpn;
    EDDY_TRY(eddy_tls_server_context(&options, &site->tls));
    return site_open(site, "tcp://127.0.0.1:0");
}

/* A client's context that trusts the test's CA. */
static int trusting(const char *alpn, eddy_tls_context **out)
{
    eddy_tls_options options = tls_client_options();

    options.alpn = alpn;
    return eddy_tls_client_context(&options, out);
}

TEST(connect_over_a_socket)
{
    SITE(site);
    EDDY_HTTP_SESSION session = NULL;

    CHECK_OK(site_open(&site, "tcp://127.0.0.1:0"));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    for (int i = 0; i < 3; i++)
        CHECK_OK(stand_get(session, site.url, "hello"));
    CHECK_EQ(site.stand.opened, 1);
}

TEST(connect_to_a_port_at_which_nobody_listens_says_where)
{
    SITE(site);
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;

    CHECK_OK(site_open(&site, "tcp://127.0.0.1:0"));
    eddy_server_close(&site.server);
    CHECK_OK(eddy_http_session_open(NULL, &session));
    CHECK_FAILS(eddy_http_get(session, site.url, &response), -ECONNREFUSED, "connecting: ");
    CHECK_HAS(eddy_error_message(-ECONNREFUSED), "GET http://127.0.0.1:");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* H-CONN-16. */
TEST(connect_to_a_unix_socket_has_the_urls_host)
{
    SITE(site);
    EDDY_HTTP_SESSION session = NULL;
    char place[64];

    snprintf(place, sizeof place, "unix:@eddy-http-%d", (int)getpid());
    CHECK_OK(site_open(&site, place));
    CHECK_OK(
        eddy_http_session_open(&(eddy_http_session_options){.unix_path = place + 5}, &session));
    CHECK_OK(stand_get(session, "http://any.test/x", "hello"));
    CHECK_HAS(site.stand.seen, "GET /x HTTP/1.1\r\nHost: any.test\r\n");
}

/* H-TLS-1, -4, H-ERR-5. */
TEST(connect_by_tls_verifies_the_certificate_of_the_server)
{
    SITE(site);
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    eddy_http_options with = {.limit = 0};

    CHECK_OK(site_open_tls(&site, NULL));
    CHECK_OK(trusting("http/1.1", &context));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    CHECK_FAILS(eddy_http_get(session, site.url, &response), EDDY_ETLS_CERT_UNKNOWN_CA,
                "connecting: tls 127.0.0.1: ");
    with.tls = context;
    CHECK_OK(stand_get_with(session, "GET", site.url, &with, "hello"));
    CHECK_OK(stand_get_with(session, "GET", site.url, &with, "hello"));
    CHECK_EQ(eddy_http_session_get_counters(session).opened, 1);
    /* H-SEC-22: what one context trusts is not shared with those of another */
    CHECK_EQ(eddy_http_get(session, site.url, &response), EDDY_ETLS_CERT_UNKNOWN_CA);
    with.server_name = "b.test"; /* H-TLS-3 */
    CHECK_FAILS(eddy_http_request(session, "GET", site.url, &with, &response), EDDY_ETLS_CERT_NAME,
                "b.test");
    with.server_name = "a.test.";
    CHECK_OK(stand_get_with(session, "GET", site.url, &with, "hello")); /* H-CONN-14 */
    CHECK_EQ(eddy_http_session_get_counters(session).opened, 2);
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

/* H-TLS-2. */
TEST(connect_by_tls_checks_the_fingerprint_before_it_sends_anything)
{
    SITE(site);
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    eddy_http_options with = {
        .fingerprint = "0000000000000000000000000000000000000000000000000000000000000000"};
    char right[65];

    CHECK_OK(site_open_tls(&site, NULL));
    CHECK_OK(trusting(NULL, &context));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    with.tls = context;
    CHECK_FAILS(eddy_http_request(session, "GET", site.url, &with, &response),
                EDDY_EHTTP_FINGERPRINT, ", not 0000");
    CHECK_EQ(site.stand.requests, 0);
    snprintf(right, sizeof right, "%.64s",
             strstr(eddy_error_message(EDDY_EHTTP_FINGERPRINT), "fingerprint ") + 12);
    with.fingerprint = right;
    CHECK_OK(stand_get_with(session, "GET", site.url, &with, "hello"));
    right[0] = right[0] == '0' ? '1' : '0';
    CHECK_EQ(eddy_http_request(session, "GET", site.url, &with, &response),
             EDDY_EHTTP_FINGERPRINT); /* nor is a connection shared */
}

/* H-TLS-3: nothing but HTTP/1.1. */
TEST(connect_by_tls_refuses_another_protocol_that_was_agreed_upon)
{
    SITE(site);
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    eddy_http_options with = {.limit = 0};

    CHECK_OK(site_open_tls(&site, &(eddy_tls_options){.alpn = "h2,http/1.1"}));
    CHECK_OK(trusting("h2", &context));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    with.tls = context;
    CHECK_FAILS(eddy_http_request(session, "GET", site.url, &with, &response), EDDY_EHTTP_PROTOCOL,
                "agreed upon \"h2\"");
}

/* Says what the two have agreed upon. */
static int serve_alpn(struct stand *stand, eddy_stream *stream, int number)
{
    eddy_tls_info info;

    (void)number;
    EDDY_TRY(eddy_tls_get_info(stream, &info));
    EDDY_TRY(stand_read(stand, stream));
    return eddy_printf(stream, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                       strlen(info.alpn), info.alpn);
}

/* H-TLS-3: it is what a client offers that was not told otherwise. */
TEST(connect_by_tls_offers_http_1_1)
{
    SITE(site);
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_TLS_CONTEXT other = NULL;
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    eddy_http_options with = {.limit = 0};

    site.stand.serve = serve_alpn;
    CHECK_OK(site_open_tls(&site, &(eddy_tls_options){.alpn = "h2,http/1.1"}));
    CHECK_OK(trusting(NULL, &context));
    CHECK_OK(trusting("spdy/1", &other));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    with.tls = context;
    CHECK_OK(stand_get_with(session, "GET", site.url, &with, "http/1.1"));
    with.tls = other;
    CHECK_EQ(eddy_http_request(session, "GET", site.url, &with, &response), EDDY_ETLS_ALERT);
}

/* Proxies -------------------------------------------------------------------------------- */

static int pump(eddy_stream *from, eddy_stream *to)
{
    int64_t size = eddy_stream_copy(from, to);

    if (size >= 0 && eddy_write_eof(to) < 0)
        eddy_stream_abort(to); /* TLS has no half of an end */
    return 0;
}
EDDY_ASYNC(pump, eddy_stream *, eddy_stream *);

/* Connects as CONNECT asks for. */
static int proxy_tunnel(struct stand *stand, eddy_stream *stream)
{
    const char *at = strstr(stand->seen, "CONNECT ") + 8;
    EDDY_STREAM far = NULL;
    char place[128];

    snprintf(place, sizeof place, "tcp://%.*s", (int)strcspn(at, " "), at);
    EDDY_TRY(eddy_connect(place, &far));
    EDDY_TRY(eddy_printf(stream, "HTTP/1.1 200 Connected\r\nX-Field: of the proxy\r\n\r\n"));
    return eddy_gather(EDDY_CALL(pump, stream, far), EDDY_CALL(pump, far, stream));
}

/* A proxy: tunnels, or answers by itself. With stand->value it refuses with that status. */
static int serve_proxy(struct stand *stand, eddy_stream *stream, int number)
{
    int rc;

    (void)number;
    while ((rc = stand_read(stand, stream)) > 0) {
        if (stand->value)
            return eddy_printf(stream, "HTTP/1.1 %d Refused\r\nContent-Length: 0\r\n\r\n",
                               stand->value);
        if (strstr(stand->seen, "CONNECT "))
            return proxy_tunnel(stand, stream);
        EDDY_TRY(eddy_printf(stream, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nproxied"));
    }
    return rc;
}

/* "http://ann:secret@127.0.0.1:PORT" of a proxy. */
static const char *with_user(const struct site *proxy)
{
    static char text[100];

    snprintf(text, sizeof text, "%.*sann:secret@%s",
             (int)(strstr(proxy->url, "//") + 2 - proxy->url), proxy->url,
             strstr(proxy->url, "//") + 2);
    return text;
}

/* H-PROXY-1, -4. */
TEST(connect_to_a_proxy_asks_it_for_the_whole_url)
{
    SITE(proxy);
    EDDY_HTTP_SESSION session = NULL;
    eddy_http_options with = {.limit = 0};

    proxy.stand.serve = serve_proxy;
    CHECK_OK(site_open(&proxy, "tcp://127.0.0.1:0"));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    with.proxy = with_user(&proxy);
    CHECK_OK(stand_get_with(session, "GET", "http://a.test:81/x?y#z", &with, "proxied"));
    CHECK_HAS(proxy.stand.seen, "GET http://a.test:81/x?y HTTP/1.1\r\nHost: a.test:81\r\n");
    CHECK_HAS(proxy.stand.seen, "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n");
    CHECK_OK(stand_get_with(session, "GET", "http://a.test:81/", &with, "proxied"));
    CHECK_EQ(proxy.stand.opened, 1);
}

/* H-PROXY-1, -4, -7, and TLS inside TLS (H-PROXY-3). */
static int check_tunnel(bool secure)
{
    SITE(proxy);
    SITE(site);
    EDDY_TLS_CONTEXT context = NULL;
    EDDY_HTTP_SESSION session = NULL;
    eddy_http_options with = {.limit = 0};

    proxy.stand.serve = serve_proxy;
    EDDY_TRY(secure ? site_open_tls(&proxy, NULL) : site_open(&proxy, "tcp://127.0.0.1:0"));
    EDDY_TRY(site_open_tls(&site, NULL));
    EDDY_TRY(trusting(NULL, &context));
    EDDY_TRY(eddy_http_session_open(NULL, &session));
    with.tls = context;
    with.proxy = with_user(&proxy);
    for (int i = 0; i < 2; i++)
        EDDY_TRY(stand_get_with(session, "GET", site.url, &with, "hello"));
    REQUIRE(proxy.stand.opened == 1 && site.stand.opened == 1);
    REQUIRE(strncmp(proxy.stand.seen, "CONNECT 127.0.0.1:", 18) == 0);
    REQUIRE(stand_count(&proxy.stand, "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n") == 1);
    REQUIRE(stand_count(&site.stand, "Proxy-Authorization") == 0);
    REQUIRE(stand_count(&site.stand, "GET / HTTP/1.1\r\n") == 2);
    /* through the proxy or not is another connection */
    with.proxy = "";
    EDDY_TRY(stand_get_with(session, "GET", site.url, &with, "hello"));
    REQUIRE(proxy.stand.opened == 1 && site.stand.opened == 2);
    return 0;
}

TEST(connect_through_a_tunnel_keeps_it_for_the_next_request)
{
    CHECK_OK(check_tunnel(false));
}

TEST(connect_through_a_tunnel_of_a_proxy_of_tls)
{
    CHECK_OK(check_tunnel(true));
}

/* H-PROXY-2, -6. */
TEST(connect_through_a_proxy_that_refuses_says_so)
{
    SITE(proxy);
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    eddy_http_options with = {.limit = 0};

    proxy.stand.serve = serve_proxy;
    proxy.stand.value = 407;
    CHECK_OK(site_open(&proxy, "tcp://127.0.0.1:0"));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    with.proxy = proxy.url;
    CHECK_FAILS(eddy_http_request(session, "GET", "https://a.test/", &with, &response),
                EDDY_EHTTP_PROXY, "GET https://a.test/: connecting: the proxy http://127.0.0.1:");
    CHECK_HAS(eddy_error_message(EDDY_EHTTP_PROXY), "it refused the tunnel: 407 Refused");
    CHECK_EQ(stand_count(&proxy.stand, "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n"), 1);
    CHECK_OK(eddy_http_request(session, "GET", "http://a.test/", &with, &response));
    CHECK_EQ(eddy_http_status(response), 407);
    eddy_http_response_close(&response);
    eddy_server_close(&proxy.server);
    CHECK_FAILS(eddy_http_request(session, "GET", "http://a.test/", &with, &response),
                -ECONNREFUSED, "connecting: the proxy http://127.0.0.1:");
    CHECK_EQ(eddy_http_session_get_counters(session).in_use, 0);
}

static int serve_liar(struct stand *stand, eddy_stream *stream, int number)
{
    (void)number;
    EDDY_TRY(stand_read(stand, stream));
    return eddy_printf(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

/* What a proxy says behind its answer is not the server's. */
TEST(connect_through_a_proxy_that_says_more_than_it_should_fails)
{
    SITE(proxy);
    EDDY_HTTP_SESSION session = NULL;
    EDDY_HTTP_RESPONSE response = NULL;
    eddy_http_options with = {.limit = 0};

    proxy.stand.serve = serve_liar;
    CHECK_OK(site_open(&proxy, "tcp://127.0.0.1:0"));
    CHECK_OK(eddy_http_session_open(NULL, &session));
    with.proxy = proxy.url;
    CHECK_EQ(eddy_http_request(session, "GET", "https://a.test/", &with, &response),
             EDDY_ETLS_NOT_TLS);
}

/* H-PROXY-5, H-REDIR-11. */
TEST(connect_by_the_environment_only_when_it_is_trusted)
{
    SITE(proxy);
    SITE(site);
    EDDY_HTTP_SESSION session = NULL, trusting_session = NULL;

    proxy.stand.serve = serve_proxy;
    CHECK_OK(site_open(&proxy, "tcp://127.0.0.1:0"));
    CHECK_OK(site_open(&site, "tcp://127.0.0.1:0"));
    setenv("http_proxy", proxy.url, 1);
    CHECK_OK(eddy_http_session_open(NULL, &session));
    CHECK_OK(eddy_http_session_open(&(eddy_http_session_options){.trust_environment = true},
                                    &trusting_session));
    CHECK_OK(stand_get(session, site.url, "hello"));
    CHECK_OK(stand_get(trusting_session, site.url, "proxied"));
    setenv("no_proxy", "127.0.0.0/8", 1);
    CHECK_OK(stand_get(trusting_session, site.url, "hello"));
}
