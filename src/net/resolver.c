/* SPDX-License-Identifier: MIT */
/*
 * A resolver hands questions to channels: one each, so many at a time, the others wait in line.
 *
 * A lookup stands in the frame of its task, and in exactly one of two lists of its resolver:
 * `waiting`, without a channel, or `asking`, with one. It leaves them when there is an answer,
 * when its task is interrupted, and when the resolver or the loop ends; whoever takes it out
 * puts the channel back and lets the next one start. A task that was woken does not look
 * at its resolver again, which may be gone.
 *
 * Channels that are idle are kept, a few, for the next questions. They have read the
 * configuration when they were opened, and are dropped when that file has changed since.
 */
#include "net/resolver.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/memory.h"
#include "loop/loop.h"
#include "task/park.h"

#define RESOLVER_IDLE 4
#define RESOLVER_LOOKUPS 128
#define RESOLVER_TRIES_MAX 16
#define RESOLVER_TIMEOUT_MAX 3600.0

struct eddy_resolver {
    /* set when it is made */
    struct ed_channel_options channels;
    char *configuration, *hosts;
    char *domains; /* that channels.domains point into */
    size_t limit;
    bool system;
    pid_t thread;

    struct eddy_list_ waiting, asking;
    size_t busy; /* channels in `asking` */
    struct ed_channel *idle[RESOLVER_IDLE];
    size_t idle_count;
    struct stat read; /* of the configuration, when the idle channels were opened */
};

/* A loop's, attached at first use. */
struct ed_names {
    eddy_resolver *resolver;   /* its own, or NULL */
    struct eddy_list_ lookups; /* of its tasks, whatever resolver they use */
};

struct resolver_lookup {
    struct ed_wait wait;
    struct ed_question question; /* a copy, so that only this frame is written */
    eddy_resolver *resolver;
    struct ed_channel *channel;   /* NULL: it waits in line */
    struct eddy_link_ link;       /* in a list of the resolver, */
    struct eddy_link_ names_link; /* and of the loop */
    char *servers;
    size_t servers_size;
};

/* Channels ------------------------------------------------------------------------- */

static void resolver_drop_idle(eddy_resolver *resolver)
{
    while (resolver->idle_count > 0)
        ed_channel_close(resolver->idle[--resolver->idle_count]);
}

static bool file_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int resolver_take_channel(eddy_resolver *resolver, struct ed_channel **out)
{
    struct stat now;

    memset(&now, 0, sizeof now);
    if (stat(resolver->configuration, &now) < 0)
        memset(&now, 0, sizeof now); /* there is none */
    if (!file_is_same(&now, &resolver->read))
        resolver_drop_idle(resolver);
    resolver->read = now;
    if (resolver->idle_count == 0)
        return ed_channel_open(&resolver->channels, out);
    *out = resolver->idle[--resolver->idle_count];
    return 0;
}

static void resolver_give_channel(eddy_resolver *resolver, struct ed_channel *channel)
{
    if (resolver->idle_count < RESOLVER_IDLE)
        resolver->idle[resolver->idle_count++] = channel;
    else
        ed_channel_close(channel);
}

/* Lookups -------------------------------------------------------------------------- */

static struct resolver_lookup *lookup_of(struct eddy_link_ *link)
{
    return ed_container_of(link, struct resolver_lookup, link);
}

/* Takes a lookup out of all lists, with its channel, which is idle. */
static void lookup_end(struct resolver_lookup *lookup)
{
    eddy_resolver *resolver = lookup->resolver;

    ed_list_remove(&lookup->wait.task->loop->names->lookups, &lookup->names_link);
    ed_list_remove(lookup->channel ? &resolver->asking : &resolver->waiting, &lookup->link);
    if (!lookup->channel)
        return;
    if (lookup->question.rc < 0)
        ed_channel_servers(lookup->channel, lookup->servers, lookup->servers_size);
    resolver_give_channel(resolver, lookup->channel);
    resolver->busy--;
}

/* Gives a lookup that waits in line its channel. Whether it has its answer already. */
static bool lookup_start(struct resolver_lookup *lookup)
{
    eddy_resolver *resolver = lookup->resolver;

    lookup->question.rc = resolver_take_channel(resolver, &lookup->channel);
    if (lookup->question.rc < 0)
        return true;
    ed_list_remove(&resolver->waiting, &lookup->link);
    ed_list_append(&resolver->asking, &lookup->link);
    resolver->busy++;
    return ed_channel_ask(lookup->channel, lookup->wait.task->loop, &lookup->question);
}

/* Lets those start whose turn it is. */
static void resolver_go_on(eddy_resolver *resolver)
{
    while (resolver->busy < resolver->limit && resolver->waiting.first) {
        struct resolver_lookup *next = lookup_of(resolver->waiting.first);

        if (!lookup_start(next))
            continue;
        lookup_end(next);
        ed_wake(&next->wait, 0);
    }
}

static void lookup_done(struct ed_question *question)
{
    struct resolver_lookup *lookup = ed_container_of(question, struct resolver_lookup, question);
    eddy_resolver *resolver = lookup->resolver;

    lookup_end(lookup);
    ed_wake(&lookup->wait, 0);
    resolver_go_on(resolver);
}

/* Ends a lookup before its answer. */
static void lookup_drop(struct resolver_lookup *lookup, int error)
{
    if (lookup->channel)
        ed_channel_drop(lookup->channel);
    lookup->question.rc = error;
    lookup_end(lookup);
}

static bool lookup_abort(struct ed_wait *wait)
{
    struct resolver_lookup *lookup = ed_container_of(wait, struct resolver_lookup, wait);

    lookup_drop(lookup, 0);
    resolver_go_on(lookup->resolver);
    return true;
}

static const struct ed_wait_kind lookup_kind = {"getaddrinfo", lookup_abort, NULL};

int ed_resolver_ask(eddy_resolver *resolver, struct ed_question *question, char *servers,
                    size_t size)
{
    struct resolver_lookup lookup = {.wait = ED_WAIT(&lookup_kind, resolver, NULL),
                                     .question = *question,
                                     .resolver = resolver,
                                     .servers = servers,
                                     .servers_size = size};
    int rc = 0;

    servers[0] = '\0';
    lookup.question.done = lookup_done;
    ed_list_append(&resolver->waiting, &lookup.link);
    ed_list_append(&eddy_thread_.loop->names->lookups, &lookup.names_link);
    if (resolver->busy < resolver->limit && lookup_start(&lookup))
        lookup_end(&lookup);
    else
        rc = ed_park(&lookup.wait);
    if (rc == 0)
        *question = lookup.question;
    return rc < 0 ? rc : lookup.question.rc;
}

/* The loop's own ------------------------------------------------------------------- */

static void names_close(eddy_loop *loop)
{
    struct ed_names *names = loop->names;

    while (names->lookups.first) /* their tasks never run again */
        lookup_drop(ed_container_of(names->lookups.first, struct resolver_lookup, names_link), 0);
    eddy_resolver_free(&names->resolver);
    loop->names = NULL;
    ed_free(names);
}

static struct ed_names *names_of(eddy_loop *loop)
{
    if (!loop->names) {
        loop->names = ed_alloc_zero(sizeof *loop->names);
        loop->names_close = names_close;
    }
    return loop->names;
}

int ed_resolver_default(eddy_resolver **out)
{
    struct ed_names *names = names_of(eddy_thread_.loop);
    int rc = names ? 0 : ed_fail(-ENOMEM);

    if (rc == 0 && !names->resolver)
        rc = eddy_resolver_new(NULL, &names->resolver);
    if (rc == 0)
        *out = names->resolver;
    return rc;
}

int ed_resolver_check(const eddy_resolver *resolver)
{
    if (resolver->thread != gettid())
        return ed_raise(-EPERM, "the resolver is of another thread, or of the process before "
                                "a fork()");
    return names_of(eddy_thread_.loop) ? 0 : ed_fail(-ENOMEM);
}

bool ed_resolver_is_system(const eddy_resolver *resolver)
{
    return resolver->system;
}

const char *ed_resolver_hosts(const eddy_resolver *resolver)
{
    return resolver->hosts[0] ? resolver->hosts : NULL;
}

/* A resolver's life ---------------------------------------------------------------- */

/* "127.0.0.1:53", "[::1]:53", or either without the port, and then without brackets. */
static int server_parse(const char *text, eddy_address *out)
{
    int rc = eddy_address_from_ip(text, 53, out);

    if (rc < 0 && *text != '/' && *text != '@')
        rc = eddy_address_parse(text, out);
    if (rc == 0 && (!eddy_address_port(out) ||
                    (out->as.any.sa_family == AF_INET6 && out->as.in6.sin6_scope_id)))
        rc = -EINVAL; /* c-ares has no place for a scope */
    return rc;
}

static int resolver_read_servers(eddy_resolver *resolver, const char *servers)
{
    struct ed_channel_options *o = &resolver->channels;

    while (servers) {
        const char *end = strchrnul(servers, ',');
        char text[EDDY_ADDRESS_TEXT];

        servers += strspn(servers, " ");
        if (o->server_count == ED_CHANNEL_SERVERS)
            return ed_raise(-EINVAL, "more than %d name servers", ED_CHANNEL_SERVERS);
        if (end - servers < (ptrdiff_t)sizeof text) {
            memcpy(text, servers, (size_t)(end - servers));
            text[end - servers] = '\0';
        } else {
            text[0] = '\0';
        }
        if (server_parse(text, &o->servers[o->server_count++]) < 0)
            return ed_raise(-EINVAL, "\"%s\" is not the address of a name server", text);
        servers = *end ? end + 1 : NULL;
    }
    return 0;
}

static int resolver_read_domains(eddy_resolver *resolver, const char *domains)
{
    struct ed_channel_options *o = &resolver->channels;
    char *rest = NULL;

    o->domain_count = -1;
    if (!domains)
        return 0;
    o->domain_count = 0;
    resolver->domains = ed_strdup(domains);
    if (!resolver->domains)
        return ed_fail(-ENOMEM);
    for (char *domain = strtok_r(resolver->domains, " ,", &rest); domain;
         domain = strtok_r(NULL, " ,", &rest)) {
        if (o->domain_count == ED_CHANNEL_DOMAINS)
            return ed_raise(-EINVAL, "more than %d domains to search", ED_CHANNEL_DOMAINS);
        o->domains[o->domain_count++] = domain;
    }
    return 0;
}

static int resolver_read(eddy_resolver *resolver, const eddy_resolver_options *o)
{
    double timeout = o->timeout != 0 ? o->timeout : 2;
    int rc;

    if (!(timeout > 0))
        return ed_raise(-EINVAL, "the timeout of a resolver is %g", timeout);
    if (o->tries > RESOLVER_TRIES_MAX)
        return ed_raise(-EINVAL, "more than %d tries", RESOLVER_TRIES_MAX);
    if (timeout > RESOLVER_TIMEOUT_MAX)
        timeout = RESOLVER_TIMEOUT_MAX;
    resolver->channels.timeout = (int)(timeout * 1000) + 1;
    resolver->channels.tries = o->tries ? (int)o->tries : 3;
    resolver->limit = o->lookups ? o->lookups : RESOLVER_LOOKUPS;
    resolver->system = o->system;
    resolver->thread = gettid();
    resolver->hosts = ed_strdup(o->hosts ? o->hosts : "/etc/hosts");
    resolver->configuration = ed_strdup(o->configuration ? o->configuration : "/etc/resolv.conf");
    resolver->channels.configuration = resolver->configuration;
    if (!resolver->hosts || !resolver->configuration)
        return ed_fail(-ENOMEM);
    rc = resolver_read_servers(resolver, o->servers);
    return rc < 0 ? rc : resolver_read_domains(resolver, o->domains);
}

static void resolver_delete(eddy_resolver *resolver)
{
    resolver_drop_idle(resolver);
    ed_free(resolver->hosts);
    ed_free(resolver->configuration);
    ed_free(resolver->domains);
    ed_free(resolver);
}

int eddy_resolver_new(const eddy_resolver_options *options, eddy_resolver **out)
{
    static const eddy_resolver_options defaults;
    eddy_resolver *resolver = ed_alloc_zero(sizeof *resolver);
    int rc;

    if (!resolver)
        return ed_fail(-ENOMEM);
    rc = resolver_read(resolver, options ? options : &defaults);
    if (rc < 0) {
        resolver_delete(resolver);
        return rc;
    }
    *out = resolver;
    return 0;
}

void eddy_resolver_free(eddy_resolver **place)
{
    eddy_resolver *resolver = *place;
    struct eddy_list_ *list;

    *place = NULL;
    if (!resolver)
        return;
    if (resolver->thread != gettid()) {
        if (resolver->asking.first || resolver->waiting.first)
            return; /* in a child of fork(2): what it holds is the parent's */
    }
    resolver->limit = 0; /* nobody else starts */
    for (int i = 0; i < 2; i++) {
        list = i == 0 ? &resolver->waiting : &resolver->asking;
        while (list->first) {
            struct resolver_lookup *lookup = lookup_of(list->first);

            lookup_drop(lookup, -ESHUTDOWN);
            ed_wake(&lookup->wait, 0);
        }
    }
    resolver_delete(resolver);
}
