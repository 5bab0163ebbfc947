/* SPDX-License-Identifier: MIT */
/*
 * Proxies: which one the environment names, and the tunnel through one.
 *
 * The variables are read at each request, in the way that curl and others agree on: small letters
 * before capital ones, ALL_PROXY behind the one of the scheme. HTTP_PROXY is not taken in a CGI
 * program, where a client sets it by a header ("httpoxy"). NO_PROXY names hosts, which stand for
 * what is under them too, addresses, networks such as 10.0.0.0/8, each with a port or without, or
 * "*" for all.
 *
 * A tunnel is an answer of 2xx to CONNECT (RFC 9110, 9.3.6). What a proxy sends behind that before
 * it was asked anything is left in the stream, where TLS refuses it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/base64.h"
#include "http/client.h"

/* The environment ------------------------------------------------------------------ */

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static const char *proxy_of_scheme(bool secure)
{
    const char *value = environment(secure ? "https_proxy" : "http_proxy");

    if (!value && secure)
        value = environment("HTTPS_PROXY");
    if (!value && !secure && !getenv("REQUEST_METHOD"))
        value = environment("HTTP_PROXY");
    if (!value)
        value = environment("all_proxy");
    return value ? value : environment("ALL_PROXY");
}

const char *ed_proxy_of_environment(const eddy_url *url)
{
    const char *value = proxy_of_scheme(strcmp(url->scheme, "https") == 0);
    const char *list = environment("no_proxy");

    if (!list)
        list = environment("NO_PROXY");
    return value && !(list && ed_proxy_is_passed_by(list, url->host, url->port)) ? value : NULL;
}

/* An address, 4 or 16 bytes: how many; 0 for a name. */
static size_t parse_address(const char *text, unsigned char address[16])
{
    if (inet_pton(AF_INET, text, address) == 1)
        return 4;
    return inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
}

/* Whether an address is in a network "10.0.0.0/8", or is that address; `network` is changed. */
static bool network_has(char *network, const unsigned char *address, size_t size)
{
    unsigned char base[16];
    char *slash = strchr(network, '/'), *end;
    unsigned long bits = size * 8, rest;

    if (slash) {
        *slash = '\0';
        bits = strtoul(slash + 1, &end, 10);
        if (end == slash + 1 || *end || bits > size * 8)
            return false;
    }
    if (parse_address(network, base) != size || memcmp(base, address, bits / 8) != 0)
        return false;
    rest = bits % 8;
    return rest == 0 || ((base[bits / 8] ^ address[bits / 8]) >> (8 - rest)) == 0;
}

/* Whether a name is this domain, or under it. */
static bool domain_has(const char *domain, const char *host)
{
    size_t size, host_size = strlen(host);

    domain += strspn(domain, "*.");
    size = strlen(domain);
    if (size > 0 && domain[size - 1] == '.')
        size--;
    if (host_size > 0 && host[host_size - 1] == '.')
        host_size--;
    if (size == 0 || size > host_size || strncasecmp(host + host_size - size, domain, size) != 0)
        return false;
    return size == host_size || host[host_size - size - 1] == '.';
}

/* Takes brackets and a port off an entry: what is left, or NULL when it is another port. */
static char *entry_without_port(char *entry, uint16_t port)
{
    char *colon = strrchr(entry, ':'), *bracket = strchr(entry, ']');

    if (entry[0] == '[' && bracket) {
        colon = bracket[1] == ':' ? bracket + 1 : NULL;
        *bracket = '\0';
        entry++;
    } else if (colon && strchr(entry, ':') != colon) {
        colon = NULL; /* an IPv6 address */
    }
    if (!colon)
        return entry;
    *colon = '\0';
    return strtoul(colon + 1, NULL, 10) == port ? entry : NULL;
}

static bool entry_has(const char *text, size_t size, const char *host, uint16_t port)
{
    char copy[256], *entry;
    unsigned char address[16];
    size_t address_size = parse_address(host, address);

    if (size >= sizeof copy)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (strcmp(copy, "*") == 0)
        return true;
    entry = entry_without_port(copy, port);
    if (!entry)
        return false;
    return address_size ? network_has(entry, address, address_size) : domain_has(entry, host);
}

bool ed_proxy_is_passed_by(const char *list, const char *host, uint16_t port)
{
    while (*list) {
        size_t size = strcspn(list, ", \t");

        if (size > 0 && entry_has(list, size, host, port))
            return true;
        list += size;
        list += strspn(list, ", \t");
    }
    return false;
}

/* Reading and using one -------------------------------------------------------------- */

/* A proxy without a scheme, as in "proxy.example:3128", is one of HTTP. */
static int proxy_parse_url(const char *text, eddy_url **url)
{
    char whole[1024];
    int size;

    if (strstr(text, "://"))
        return eddy_url_parse(text, url);
    size = snprintf(whole, sizeof whole, "http://%s", text);
    if (size < 0 || (size_t)size >= sizeof whole)
        return eddy_raise(EDDY_EURL, "it is longer than 1,000 bytes");
    return eddy_url_parse(whole, url);
}

int ed_proxy_parse(const char *text, eddy_url **url, struct ed_proxy *out)
{
    eddy_url *parsed = NULL;
    int rc = proxy_parse_url(text, &parsed);

    if (rc < 0)
        return rc == -ENOMEM ? rc
                             : eddy_raise(EDDY_EURL, "the proxy's URL: %s", eddy_error_message(rc));
    *out = (struct ed_proxy){
        .secure = strcmp(parsed->scheme, "https") == 0,
        .host = parsed->host,
        .port = parsed->port,
        .user = parsed->user,
        .password = parsed->password,
    };
    if ((!out->secure && strcmp(parsed->scheme, "http") != 0) || !*parsed->host) {
        *out = (struct ed_proxy){.host = NULL};
        rc = eddy_raise(EDDY_EURL, "the proxy %s is neither http:// nor https://", parsed->text);
        eddy_url_free(parsed);
        return rc;
    }
    *url = parsed;
    return 0;
}

const char *ed_basic_credentials(struct ed_arena *arena, const char *user, const char *password)
{
    char *plain = ed_arena_printf(arena, "%s:%s", user, password ? password : "");
    size_t size = plain ? strlen(plain) : 0;
    char *text = plain ? ed_arena_alloc(arena, sizeof "Basic " + ED_BASE64_SIZE(size)) : NULL;

    if (!text)
        return NULL;
    memcpy(text, "Basic ", 6);
    ed_base64_encode(plain, size, text + 6);
    return text;
}

/* Writes the request for a tunnel. */
static int tunnel_ask(eddy_stream *stream, struct ed_arena *arena, const struct ed_proxy *proxy,
                      const char *host, uint16_t port)
{
    const char *open = strchr(host, ':') ? "[" : "", *close = *open ? "]" : "";
    const char *field = "", *credentials = "", *text;

    if (proxy->user) {
        field = "\r\nProxy-Authorization: ";
        credentials = ed_basic_credentials(arena, proxy->user, proxy->password);
    }
    if (!credentials)
        return -ENOMEM;
    text = ed_arena_printf(arena, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u%s%s\r\n\r\n", open,
                           host, close, port, open, host, close, port, field, credentials);
    return text ? eddy_write(stream, text, strlen(text)) : -ENOMEM;
}

/* Reads the answer: 0 when the tunnel is there. */
static int tunnel_answer(struct ed_reader *reader, struct ed_arena *arena)
{
    struct ed_head head;
    int rc, left = ED_INTERIM_ANSWERS;

    do {
        rc = ed_reader_head(reader, arena, &head, NULL);
    } while (rc > 0 && head.status < 200 && head.status != 101 && --left > 0);
    if (rc == 0 || rc == EDDY_EINCOMPLETE)
        return eddy_raise(EDDY_EHTTP_PROXY, "it closed the connection and did not answer");
    if (rc < 0)
        return rc;
    if (head.status < 200 || head.status > 299)
        return eddy_raise(EDDY_EHTTP_PROXY, "it refused the tunnel: %d %s", head.status,
                          head.reason);
    return 0;
}

int ed_proxy_tunnel(eddy_stream *stream, const struct ed_proxy *proxy, const char *host,
                    uint16_t port, const struct ed_limits *limits)
{
    struct ed_arena arena = {.first = NULL};
    struct ed_reader reader;
    int rc = ed_reader_open(&reader, stream, true, limits);

    if (rc < 0)
        return rc;
    rc = tunnel_ask(stream, &arena, proxy, host, port);
    if (rc == 0)
        rc = tunnel_answer(&reader, &arena);
    ed_reader_close(&reader);
    ed_arena_free(&arena);
    return rc;
}
