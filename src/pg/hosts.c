/* SPDX-License-Identifier: MIT */
/*
 * The hosts of a connection, and their addresses.
 *
 * libpq looks names up by a call that blocks, so none reaches it: each address of each name becomes
 * an entry of its lists host=, hostaddr= and port=, in order. The host stays beside the address,
 * for certificates and the password file. A name that cannot be found is left out, unless all are.
 *
 * Which hosts there are is known to libpq alone once the environment and a service file may say so.
 * It is asked by an attempt with a value that it refuses, the last that it looks at before it would
 * connect; whatever else is wrong it says before.
 */
#include "pg/hosts.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/dns.h"
#include "eddy/group.h"
#include "eddy/stream_class.h"
#include "pg/login.h"

#define HOSTS_MOST 64        /* names; addresses are more */
#define HOSTS_REFUSED "eddy" /* no value of target_session_attrs */

struct pg_host {
    char *name, *address, *port; /* parts of the lists' copies; "": none */
    struct eddy_resolver *resolver;
    eddy_addresses found;
    int rc;
    char text[200]; /* of an error */
};

struct pg_hosts {
    char *names, *addresses, *ports; /* the lists' copies, commas replaced */
    struct pg_host at[HOSTS_MOST];
    size_t count;
};

/* Asking libpq -------------------------------------------------------------------- */

static char *hosts_option(const PQconninfoOption *options, const char *name)
{
    while (options->keyword && strcmp(options->keyword, name) != 0)
        options++;
    return eddy_strdup_(options->keyword && options->val ? options->val : "");
}

static int hosts_take(struct pg_hosts *hosts, PGconn *libpq)
{
    PQconninfoOption *options = PQconninfo(libpq);

    if (!options)
        return eddy_raise(-ENOMEM, "no memory for the parameters of a connection");
    hosts->names = hosts_option(options, "host");
    hosts->addresses = hosts_option(options, "hostaddr");
    hosts->ports = hosts_option(options, "port");
    PQconninfoFree(options);
    if (!hosts->names || !hosts->addresses || !hosts->ports)
        return eddy_raise(-ENOMEM, "no memory for the parameters of a connection");
    return 0;
}

static int hosts_ask(struct pg_hosts *hosts, struct pg_parameters_set *set)
{
    const char *message;
    char text[200];
    PGconn *libpq;
    int rc;

    set->names[set->count] = "target_session_attrs";
    set->values[set->count] = HOSTS_REFUSED;
    set->names[set->count + 1] = set->values[set->count + 1] = NULL;
    libpq = PQconnectStartParams(set->names, set->values, 0);
    set->names[set->count] = set->values[set->count] = NULL;
    message = PQerrorMessage(libpq);
    pg_login_conceal(message, text, sizeof text);
    if (!libpq || strstr(message, "out of memory"))
        rc = eddy_raise(-ENOMEM, "no memory for a connection");
    else if (!strstr(message, "\"" HOSTS_REFUSED "\""))
        rc = eddy_raise(-EINVAL, "%s", text);
    else
        rc = hosts_take(hosts, libpq);
    PQfinish(libpq);
    return rc;
}

/* The lists ----------------------------------------------------------------------- */

/* Takes the next element of a list; the last one stays for those that have fewer. */
static char *hosts_next(char **list)
{
    char *element = *list, *comma = strchr(element, ',');

    if (comma) {
        *comma = '\0';
        *list = comma + 1;
    }
    return element;
}

static size_t hosts_length(const char *list)
{
    size_t length = 1;

    while ((list = strchr(list, ','))) {
        list++;
        length++;
    }
    return length;
}

static int hosts_split(struct pg_hosts *hosts, struct eddy_resolver *resolver)
{
    char *names = hosts->names, *addresses = hosts->addresses, *ports = hosts->ports;

    hosts->count = hosts_length(*addresses ? addresses : names);
    if (hosts->count > HOSTS_MOST)
        return eddy_raise(-EINVAL, "%zu hosts, and %d are the most", hosts->count, HOSTS_MOST);
    for (size_t i = 0; i < hosts->count; i++) {
        hosts->at[i].name = hosts_next(&names);
        hosts->at[i].address = hosts_next(&addresses);
        hosts->at[i].port = hosts_next(&ports);
        hosts->at[i].resolver = resolver;
    }
    return 0;
}

/* Names --------------------------------------------------------------------------- */

static bool host_is_name(const struct pg_host *host)
{
    return !*host->address && *host->name && host->name[0] != '/' && host->name[0] != '@';
}

static int host_resolve(struct pg_host *host)
{
    eddy_lookup_options options = {.resolver = host->resolver};

    host->rc = eddy_getaddrinfo(host->name, 0, &options, &host->found);
    if (host->rc < 0)
        snprintf(host->text, sizeof host->text, "%s", eddy_error_message(host->rc));
    return host->rc == -ECANCELED || host->rc == -ETIMEDOUT ? host->rc : 0;
}
EDDY_ASYNC(host_resolve, struct pg_host *);

/* One name is looked up by the caller itself, several at the same time. */
static int hosts_look_up(struct pg_hosts *hosts)
{
    struct pg_host *only = NULL;
    size_t names = 0;
    EDDY_GROUP(group);

    for (size_t i = 0; i < hosts->count; i++) {
        if (host_is_name(&hosts->at[i])) {
            only = &hosts->at[i];
            names++;
        }
    }
    if (names == 1)
        EDDY_TRY(host_resolve(only));
    for (size_t i = 0; i < hosts->count && names > 1; i++)
        if (host_is_name(&hosts->at[i]))
            EDDY_TRY(eddy_group_create_task(&group, host_resolve, &hosts->at[i]));
    return eddy_group_join(&group);
}

/* Building ------------------------------------------------------------------------ */

struct pg_lists {
    char *names, *addresses, *ports;
    size_t size, count;
};

static void lists_free(struct pg_lists *lists)
{
    eddy_free(lists->names);
    eddy_free(lists->addresses);
    eddy_free(lists->ports);
}

/* Room for a whole list: each entry is shorter than this. */
static size_t lists_measure(const struct pg_hosts *hosts)
{
    size_t size = 1;

    for (size_t i = 0; i < hosts->count; i++) {
        const struct pg_host *host = &hosts->at[i];
        size_t entry = strlen(host->name) + strlen(host->address) + strlen(host->port) + NI_MAXHOST;

        size += entry * (host->found.count + 1);
    }
    return size;
}

static void list_append(char *list, size_t size, bool more, const char *text)
{
    size_t length = strlen(list);

    snprintf(list + length, size - length, "%s%s", more ? "," : "", text);
}

static void lists_add(struct pg_lists *lists, const struct pg_host *host, const char *address)
{
    bool more = lists->count++ > 0;

    list_append(lists->names, lists->size, more, host->name);
    list_append(lists->addresses, lists->size, more, address);
    list_append(lists->ports, lists->size, more, host->port);
}

static void lists_add_host(struct pg_lists *lists, const struct pg_host *host)
{
    char address[NI_MAXHOST];

    if (!host_is_name(host))
        lists_add(lists, host, host->address);
    for (size_t i = 0; i < host->found.count; i++) {
        const eddy_address *found = &host->found.at[i];

        if (getnameinfo(&found->as.any, found->size, address, sizeof address, NULL, 0,
                        NI_NUMERICHOST) == 0)
            lists_add(lists, host, address);
    }
}

static int lists_put(const struct pg_lists *lists, struct pg_parameters_set *set)
{
    EDDY_TRY(pg_parameters_put(set, "host", lists->names));
    EDDY_TRY(pg_parameters_put(set, "hostaddr", lists->addresses));
    return pg_parameters_put(set, "port", lists->ports);
}

/* None of the names was found: the last one's error. */
static int hosts_fail(const struct pg_hosts *hosts)
{
    const struct pg_host *last = &hosts->at[hosts->count - 1];

    return eddy_raise(last->rc, "%s", last->text);
}

static int hosts_build(const struct pg_hosts *hosts, struct pg_parameters_set *set)
{
    struct pg_lists lists = {.size = lists_measure(hosts)};
    int rc;

    lists.names = eddy_alloc_(lists.size);
    lists.addresses = eddy_alloc_(lists.size);
    lists.ports = eddy_alloc_(lists.size);
    if (!lists.names || !lists.addresses || !lists.ports) {
        lists_free(&lists);
        return eddy_raise(-ENOMEM, "no memory for the addresses of a server");
    }
    for (size_t i = 0; i < hosts->count; i++)
        lists_add_host(&lists, &hosts->at[i]);
    rc = lists.count > 0 ? lists_put(&lists, set) : hosts_fail(hosts);
    lists_free(&lists);
    return rc;
}

static void hosts_free(struct pg_hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        eddy_addresses_free(&hosts->at[i].found);
    eddy_free(hosts->names);
    eddy_free(hosts->addresses);
    eddy_free(hosts->ports);
    eddy_free(hosts);
}

int pg_hosts_resolve(struct pg_parameters_set *set, struct eddy_resolver *resolver)
{
    struct pg_hosts *hosts = eddy_alloc_(sizeof *hosts);
    int rc;

    if (!hosts)
        return eddy_raise(-ENOMEM, "no memory for the addresses of a server");
    rc = hosts_ask(hosts, set);
    if (rc == 0)
        rc = hosts_split(hosts, resolver);
    if (rc == 0)
        rc = hosts_look_up(hosts);
    if (rc == 0)
        rc = hosts_build(hosts, set);
    hosts_free(hosts);
    return rc;
}
