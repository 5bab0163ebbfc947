/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo and getnameinfo: what can be said without asking anybody, whom to ask else, and
 * what to say when it failed.
 *
 * Each source is tried in turn, and the first that knows the name decides: the text itself as
 * an address, the file of hosts, the names that are this machine's by definition, and last
 * the name servers. A name goes no further before it has been found to be one: what is
 * not is never sent, nor compared with anything.
 */
#include "eddy/dns.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "net/hosts.h"
#include "net/order.h"
#include "net/resolver.h"
#include "net/system.h"
#include "task/park.h"

#define DNS_NAME_MAX 253 /* bytes, without a final dot */
#define DNS_LABEL_MAX 63

void eddy_addresses_free(eddy_addresses *addresses)
{
    ed_free(addresses->at);
    ed_free(addresses->canonical);
    *addresses = (eddy_addresses){0, NULL, NULL};
}

/* Names ------------------------------------------------------------------------------ */

static bool char_is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/*
 * Why a text is not a name, or NULL. The name is `length` bytes, without a final dot. One that
 * ends in a number is a mistyped address, not a name (RFC 1123, 2.1).
 */
static const char *name_fault(const char *name, size_t length)
{
    size_t label = 0;
    bool digits = true; /* of the label so far */

    if (length == 0)
        return "it is empty";
    if (length > DNS_NAME_MAX)
        return "it is longer than 253 bytes";
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '.' && label == 0)
            return "it has an empty label";
        if (name[i] != '.' && !char_is_of_name(name[i]))
            return "it has a character that no name of a host has";
        if (name[i] != '.' && label == DNS_LABEL_MAX)
            return "it has a label of more than 63 bytes";
        digits = name[i] == '.' || (digits && name[i] >= '0' && name[i] <= '9');
        label = name[i] == '.' ? 0 : label + 1;
    }
    if (label == 0)
        return "it has an empty label";
    return digits ? "it ends in a number, and is not an address" : NULL;
}

/* Whether a name is that one, or under it. */
static bool name_is_under(const char *name, const char *top)
{
    size_t length = strlen(name), top_length = strlen(top);
    const char *end = length >= top_length ? name + length - top_length : NULL;

    return end && strcasecmp(end, top) == 0 && (end == name || end[-1] == '.');
}

/* Copies a name without its final dot, which is no part of it. */
static int name_read(const char *host, char name[EDDY_HOST_TEXT], bool *absolute)
{
    size_t length = strnlen(host, EDDY_HOST_TEXT);
    const char *fault;

    *absolute = length > 1 && host[length - 1] == '.';
    length -= *absolute;
    fault = name_fault(host, length);
    if (fault)
        return ed_raise(EDDY_EDNS_BAD_NAME, "\"%.*s\" is not a name: %s", DNS_NAME_MAX, host,
                        fault);
    memcpy(name, host, length);
    name[length] = '\0';
    return 0;
}

/* Answers without a server ----------------------------------------------------------- */

/* Makes a list of the addresses of some IPs that are of a family. */
static int list_of(const char *const *ips, uint16_t port, int family, eddy_addresses *out)
{
    eddy_addresses list = {0, ed_alloc_zero(2 * sizeof *list.at), NULL};

    if (!list.at)
        return ed_fail(-ENOMEM);
    for (; *ips; ips++)
        if (eddy_address_from_ip(*ips, port, &list.at[list.count]) == 0 &&
            (!family || family == list.at[list.count].as.any.sa_family))
            list.count++;
    *out = list;
    return 0;
}

/* This machine, or all of its interfaces. */
static int list_of_this(bool all, uint16_t port, int family, eddy_addresses *out)
{
    static const char *const here[] = {"::1", "127.0.0.1", NULL}, *const any[] = {"::", "0.0.0.0",
                                                                                  NULL};

    return list_of(all ? any : here, port, family, out);
}

/* A host that is an address. */
static int list_of_ip(const char *host, const eddy_lookup_options *o, const eddy_address *address,
                      eddy_addresses *out)
{
    eddy_addresses list = {1, NULL, NULL};

    if (o->family && o->family != address->as.any.sa_family)
        return ed_raise(EDDY_EDNS_NO_DATA, "%s is an address of another family", host);
    list.at = ed_alloc(sizeof *list.at);
    if (o->canonical)
        list.canonical = ed_strdup(host);
    if (!list.at || (o->canonical && !list.canonical)) {
        eddy_addresses_free(&list);
        return ed_fail(-ENOMEM);
    }
    list.at[0] = *address;
    *out = list;
    return 0;
}

/* What is known without asking: 0; -ENOENT: nothing; or an error, raised. */
static int list_of_known(const eddy_resolver *resolver, const char *name, uint16_t port,
                         const eddy_lookup_options *o, eddy_addresses *out)
{
    const char *hosts = ed_resolver_hosts(resolver);
    eddy_addresses list = {0, NULL, NULL};
    int rc = hosts ? ed_hosts_find(hosts, name, o->family, o->canonical, &list) : -ENOENT;

    if (rc == -ENOENT && name_is_under(name, "onion"))
        return ed_raise(EDDY_EDNS_NOT_FOUND, "%s: names under .onion are not asked for", name);
    if (rc == -ENOENT && name_is_under(name, "localhost")) {
        rc = list_of_this(false, port, o->family, &list);
        if (rc == 0 && o->canonical && !(list.canonical = ed_strdup(name)))
            rc = -ENOMEM;
    }
    for (size_t i = 0; i < list.count; i++)
        (void)eddy_address_set_port(&list.at[i], port); /* each has one */
    if (rc == 0)
        rc = ed_order_addresses(list.at, list.count);
    if (rc < 0)
        eddy_addresses_free(&list);
    else
        *out = list;
    return rc == -ENOENT ? rc : ed_fail(rc);
}

/* Asking ----------------------------------------------------------------------------- */

/* Asks the servers, and explains what went wrong. */
static int dns_ask(eddy_resolver *resolver, struct ed_question *question, const char *what)
{
    char servers[256];
    int rc = ed_resolver_ask(resolver, question, servers, sizeof servers);

    if (rc == 0 || rc == -ECANCELED || rc == -ETIMEDOUT)
        return rc;
    return ed_raise(rc, servers[0] ? "%s: %s (asked %s)" : "%s: %s", what, eddy_strerror(rc),
                    servers);
}

static int dns_resolver(const eddy_lookup_options *o, eddy_resolver **out)
{
    int rc = 0;

    *out = o->resolver;
    if (!o->resolver)
        rc = ed_resolver_default(out);
    return rc < 0 ? rc : ed_resolver_check(*out);
}

/* Looks a name up that is one. */
static int dns_find(const char *name, bool absolute, uint16_t port, const eddy_lookup_options *o,
                    eddy_addresses *out)
{
    char text[EDDY_HOST_TEXT + 1];
    struct ed_question question = {.name = text,
                                   .family = o->family,
                                   .port = port,
                                   .canonical = o->canonical,
                                   .found = {0, NULL, NULL}};
    eddy_resolver *resolver;
    size_t length = strlen(name);
    int rc = dns_resolver(o, &resolver);

    memcpy(text, name, length);
    memcpy(text + length, absolute ? "." : "", 1 + (size_t)absolute);
    if (rc == 0 && ed_resolver_is_system(resolver)) {
        rc = ed_system_ask(&question);
    } else if (rc == 0) {
        rc = list_of_known(resolver, name, port, o, out);
        if (rc != -ENOENT)
            return rc;
        rc = dns_ask(resolver, &question, name);
        if (rc == 0)
            (void)ed_order_addresses(question.found.at, question.found.count); /* as they came */
    }
    if (rc == 0)
        *out = question.found;
    return rc;
}

static const eddy_lookup_options *dns_options(const eddy_lookup_options *options)
{
    static const eddy_lookup_options defaults;

    return options ? options : &defaults;
}

int eddy_getaddrinfo(const char *host, uint16_t port, const eddy_lookup_options *options,
                     eddy_addresses *out)
{
    const eddy_lookup_options *o = dns_options(options);
    char name[EDDY_HOST_TEXT];
    eddy_address address;
    bool absolute;
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (o->family && o->family != AF_INET && o->family != AF_INET6)
        return ed_raise(-EINVAL, "names have no addresses of the family %d", o->family);
    if (!host || !*host)
        return list_of_this(o->passive, port, o->family, out);
    if (eddy_address_from_ip(host, port, &address) == 0)
        return list_of_ip(host, o, &address, out);
    if (o->numeric)
        return ed_raise(EDDY_EDNS_BAD_NAME, "\"%.*s\" is not an address", DNS_NAME_MAX, host);
    rc = name_read(host, name, &absolute);
    return rc < 0 ? rc : dns_find(name, absolute, port, o, out);
}

/* Looks the name of an IP address up, into question->host. */
static int dns_find_name(const eddy_lookup_options *o, struct ed_question *question)
{
    char what[EDDY_ADDRESS_TEXT];
    eddy_resolver *resolver;
    const char *hosts;
    int rc = dns_resolver(o, &resolver);

    if (rc < 0)
        return rc;
    if (ed_resolver_is_system(resolver))
        return ed_system_ask(question);
    hosts = ed_resolver_hosts(resolver);
    if (hosts && ed_hosts_name(hosts, question->address, question->host) == 0)
        return 0;
    return dns_ask(resolver, question, eddy_address_text(question->address, what, sizeof what));
}

/* Writes an IP address without port and brackets. */
static void address_write(const eddy_address *address, char text[EDDY_HOST_TEXT])
{
    char *end;

    (void)eddy_address_text(address, text, EDDY_HOST_TEXT);
    end = strrchr(text, ':');
    if (text[0] == '[') {
        end--;
        memmove(text, text + 1, (size_t)(end - text));
        end--;
    }
    *end = '\0';
}

int eddy_getnameinfo(const eddy_address *address, const eddy_lookup_options *options, char *host,
                     size_t size)
{
    const eddy_lookup_options *o = dns_options(options);
    struct ed_question question = {.address = address};
    int rc = ed_checkpoint(), family;

    if (rc < 0)
        return rc;
    family = address->size >= sizeof address->as.in ? address->as.any.sa_family : AF_UNSPEC;
    if (family != AF_INET && (family != AF_INET6 || address->size < sizeof address->as.in6))
        return ed_raise(-EINVAL, "only an IP address has a name");
    if (o->numeric)
        address_write(address, question.host);
    else
        rc = dns_find_name(o, &question);
    if (rc < 0)
        return rc;
    if (strlen(question.host) >= size)
        return ed_raise(-ENAMETOOLONG, "%s does not fit into %zu bytes", question.host, size);
    memcpy(host, question.host, strlen(question.host) + 1);
    return 0;
}
