/* SPDX-License-Identifier: MIT */
/*
 * Addresses as texts, and back.
 *
 * A text is read strictly: an IPv4 address has four decimal numbers, a port only digits, a
 * scope is an interface that exists or a number. What is written is read back as the same
 * address, and the size of an address says which bytes of it count: those behind are not
 * compared, and are zero in all that is made here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/address.h"

#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path))
#define UNIX_PATH_START offsetof(struct sockaddr_un, sun_path)

/* A decimal number up to `limit`, and nothing else; -1: it is none. */
static int64_t number_parse(const char *text, int64_t limit)
{
    int64_t value = 0;

    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (*text - '0');
        if (value > limit)
            return -1;
    }
    return value;
}

/* The scope behind the % of an IPv6 address; 0: there is no such interface. */
static uint32_t scope_parse(const char *text)
{
    int64_t number = number_parse(text, UINT32_MAX);

    return number > 0 ? (uint32_t)number : strlen(text) < IF_NAMESIZE ? if_nametoindex(text) : 0;
}

static bool ipv6_parse(const char *ip, struct sockaddr_in6 *out)
{
    char text[INET6_ADDRSTRLEN];
    const char *scope = strchr(ip, '%');
    size_t length = scope ? (size_t)(scope - ip) : strlen(ip);

    if (length >= sizeof text)
        return false;
    memcpy(text, ip, length);
    text[length] = '\0';
    if (inet_pton(AF_INET6, text, &out->sin6_addr) != 1)
        return false;
    out->sin6_family = AF_INET6;
    out->sin6_scope_id = scope ? scope_parse(scope + 1) : 0;
    return !scope || out->sin6_scope_id;
}

int eddy_address_from_ip(const char *ip, uint16_t port, eddy_address *out)
{
    eddy_address address = {.size = 0};

    if (inet_pton(AF_INET, ip, &address.as.in.sin_addr) == 1) {
        address.as.in.sin_family = AF_INET;
        address.size = sizeof address.as.in;
    } else {
        memset(&address, 0, sizeof address);
        if (!ipv6_parse(ip, &address.as.in6))
            return -EINVAL;
        address.size = sizeof address.as.in6;
    }
    (void)eddy_address_set_port(&address, port); /* it has one */
    *out = address;
    return 0;
}

int eddy_address_from_path(const char *path, eddy_address *out)
{
    eddy_address address;
    size_t length = strlen(path);
    bool abstract = path[0] == '@';

    memset(&address, 0, sizeof address);
    if (length == (size_t)abstract)
        return -EINVAL;
    if (length >= UNIX_PATH_MAX)
        return -ENAMETOOLONG;
    address.as.un.sun_family = AF_UNIX;
    memcpy(address.as.un.sun_path, path, length);
    if (abstract)
        address.as.un.sun_path[0] = '\0';
    address.size = (socklen_t)(UNIX_PATH_START + length + !abstract);
    *out = address;
    return 0;
}

/* HOST:PORT, where an IPv6 host stands in brackets. */
static int address_parse_ip(const char *text, eddy_address *out)
{
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE];
    bool brackets = *text == '[';
    const char *start = text + brackets, *end = brackets ? strchr(text, ']') : strchr(text, ':');
    size_t length = end ? (size_t)(end - start) : 0;
    int64_t port;

    if (length == 0 || length >= sizeof host)
        return -EINVAL;
    memcpy(host, start, length);
    host[length] = '\0';
    end += brackets;
    port = *end == ':' ? number_parse(end + 1, UINT16_MAX) : -1;
    if (port < 0 || brackets != (strchr(host, ':') != NULL))
        return -EINVAL;
    return eddy_address_from_ip(host, (uint16_t)port, out);
}

int eddy_address_parse(const char *text, eddy_address *out)
{
    if (strncmp(text, "unix:", 5) == 0)
        text += 5;
    else if (*text != '/' && *text != '@')
        return address_parse_ip(text, out);
    return eddy_address_from_path(text, out) < 0 ? -EINVAL : 0;
}

static void text_of_ipv6(const struct sockaddr_in6 *in6, char *text, size_t size)
{
    char ip[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1] = "";

    inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof ip);
    if (in6->sin6_scope_id && !if_indextoname(in6->sin6_scope_id, scope + 1))
        snprintf(scope + 1, sizeof scope - 1, "%u", in6->sin6_scope_id);
    if (in6->sin6_scope_id)
        scope[0] = '%';
    snprintf(text, size, "[%s%s]:%u", ip, scope, ntohs(in6->sin6_port));
}

/* The path may end with the address instead of a NUL, and an abstract name may have NULs, which
 * become @ too. A relative path is told from a host by its "unix:". */
static void text_of_unix(const eddy_address *address, char *text, size_t size)
{
    size_t length = address->size > UNIX_PATH_START ? address->size - UNIX_PATH_START : 0;
    const char *path = address->as.un.sun_path, *prefix = "";
    char name[UNIX_PATH_MAX + 1];

    if (length > UNIX_PATH_MAX)
        length = UNIX_PATH_MAX;
    if (length > 0 && path[0]) {
        length = strnlen(path, length);
        prefix = path[0] == '/' ? "" : "unix:";
    }
    for (size_t i = 0; i < length; i++)
        name[i] = path[i] ? path[i] : '@';
    name[length] = '\0';
    snprintf(text, size, "%s%s", prefix, name);
}

const char *eddy_address_text(const eddy_address *address, char *text, size_t size)
{
    char ip[INET_ADDRSTRLEN];
    int family = address->size >= sizeof(sa_family_t) ? address->as.any.sa_family : AF_UNSPEC;

    if (size == 0)
        return text;
    text[0] = '\0';
    if (family == AF_INET)
        snprintf(text, size, "%s:%u", inet_ntop(AF_INET, &address->as.in.sin_addr, ip, sizeof ip),
                 ntohs(address->as.in.sin_port));
    else if (family == AF_INET6)
        text_of_ipv6(&address->as.in6, text, size);
    else if (family == AF_UNIX)
        text_of_unix(address, text, size);
    return text;
}

/* Where the port is, in the order of the network; NULL: nowhere. */
static in_port_t *address_port(eddy_address *address)
{
    if (address->size >= sizeof address->as.in && address->as.any.sa_family == AF_INET)
        return &address->as.in.sin_port;
    if (address->size >= sizeof address->as.in6 && address->as.any.sa_family == AF_INET6)
        return &address->as.in6.sin6_port;
    return NULL;
}

uint16_t eddy_address_port(const eddy_address *address)
{
    eddy_address copy = *address;
    const in_port_t *port = address_port(&copy);

    return port ? ntohs(*port) : 0;
}

int eddy_address_set_port(eddy_address *address, uint16_t port)
{
    in_port_t *place = address_port(address);

    if (!place)
        return -EINVAL;
    *place = htons(port);
    return 0;
}

bool eddy_address_equal(const eddy_address *one, const eddy_address *other)
{
    const struct sockaddr_in6 *a = &one->as.in6, *b = &other->as.in6;

    if (one->size != other->size)
        return false;
    if (one->size == 0)
        return true;
    if (one->as.any.sa_family != other->as.any.sa_family)
        return false;
    if (one->as.any.sa_family == AF_INET)
        return one->as.in.sin_port == other->as.in.sin_port &&
               one->as.in.sin_addr.s_addr == other->as.in.sin_addr.s_addr;
    if (one->as.any.sa_family == AF_INET6)
        return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
               memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0;
    return memcmp(&one->as, &other->as, one->size) == 0;
}
