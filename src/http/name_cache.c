/* SPDX-License-Identifier: MIT */
/*
 * A cache of names. Each name has at most one lookup under way, in a task of the cache's, so that
 * whoever waits for it may leave: the others still get what comes. What could not be looked up is
 * not kept, only told to those who wait.
 *
 *     a name with somebody who waits, or with a lookup that goes on, is not taken out
 *
 * When there are too many, the one goes that was not asked for for the longest time.
 */
#include "http/name_cache.h"

#include <errno.h>
#include <string.h>

#include "base/compat.h"
#include "eddy/loop.h"
#include "eddy/stream_class.h"
#include "eddy/sync.h"

struct ed_name {
    struct eddy_link_ link;
    uint32_t hash;
    eddy_addresses found; /* of port 0 */
    double until;         /* eddy_time() up to which they count */
    size_t turn;          /* which of them is first next */
    unsigned waiting;
    eddy_task *task; /* that looks it up, or did; NULL: none */
    eddy_event done; /* it has: */
    int rc;          /* what came of that, */
    char *why;       /* with this text; NULL: without */
    char host[];
};

static struct ed_name *name_of(struct eddy_link_ *link)
{
    return ed_container_of(link, struct ed_name, link);
}

/* FNV-1a. */
static uint32_t name_hash(const char *host)
{
    uint32_t hash = 2166136261u;

    for (; *host; host++)
        hash = (hash ^ (unsigned char)*host) * 16777619u;
    return hash;
}

static bool name_is_busy(const struct ed_name *name)
{
    return name->waiting > 0 || (name->task && !eddy_task_done(name->task));
}

static void name_free(struct ed_name_cache *names, struct ed_name *name)
{
    ed_list_remove(&names->all, &name->link);
    names->count--;
    eddy_task_release(&name->task); /* has ended: does not wait */
    eddy_addresses_free(&name->found);
    eddy_free(name->why);
    eddy_free(name);
}

/* Makes room for one more, if it can be made. */
static void names_shrink(struct ed_name_cache *names)
{
    struct eddy_link_ *link = names->all.first;

    while (names->count >= names->most && link) {
        struct ed_name *name = name_of(link);

        link = link->next;
        if (!name_is_busy(name))
            name_free(names, name);
    }
}

static struct ed_name *names_find(const struct ed_name_cache *names, const char *host)
{
    uint32_t hash = name_hash(host);

    ED_LIST_FOR_EACH(link, &names->all)
        if (name_of(link)->hash == hash && strcmp(name_of(link)->host, host) == 0)
            return name_of(link);
    return NULL;
}

/* Finds a name, or makes one, and puts it last; NULL when memory is short. */
static struct ed_name *names_take(struct ed_name_cache *names, const char *host)
{
    struct ed_name *name = names_find(names, host);
    size_t size = strlen(host) + 1;

    if (name) {
        ed_list_remove(&names->all, &name->link);
        ed_list_append(&names->all, &name->link);
        return name;
    }
    names_shrink(names);
    name = eddy_alloc_(sizeof *name + size);
    if (!name)
        return NULL;
    name->hash = name_hash(host);
    memcpy(name->host, host, size);
    ed_list_append(&names->all, &name->link);
    names->count++;
    return name;
}

/* Looking up ------------------------------------------------------------------------------- */

/* The task. */
static int name_look_up(struct ed_name_cache *names, struct ed_name *name)
{
    EDDY_ADDRESSES(found);
    int rc = eddy_getaddrinfo(name->host, 0, &names->lookup, &found);

    eddy_free(name->why);
    name->why = rc < 0 && rc != -ECANCELED ? eddy_strdup_(eddy_error_message(rc)) : NULL;
    name->rc = rc == -ECANCELED ? -ESHUTDOWN : rc; /* by the close, not by who waits */
    if (rc == 0) {
        eddy_addresses_free(&name->found);
        name->found = found;
        found = (eddy_addresses){.count = 0};
        name->until = eddy_time() + names->time;
    }
    eddy_event_set(&name->done);
    return 0;
}
EDDY_ASYNC(name_look_up, struct ed_name_cache *, struct ed_name *);

/* Waits for the lookup, which begins if there is none. */
static int name_wait(struct ed_name_cache *names, struct ed_name *name)
{
    const eddy_task_options options = {.name = "http name"};
    int rc;

    if (!name->task || eddy_task_done(name->task)) {
        eddy_task_release(&name->task); /* has ended: does not wait */
        eddy_event_clear(&name->done);
        name->task = eddy_create_task_with(&options, name_look_up, names, name);
        if (!name->task)
            return -ENOMEM;
    }
    name->waiting++;
    rc = eddy_event_wait(&name->done);
    name->waiting--;
    if (rc < 0 || name->rc == 0)
        return rc;
    return name->why ? eddy_raise(name->rc, "%s", name->why) : name->rc;
}

/* Copies the addresses, with their first family turned by one more than the last time. */
static int name_copy(struct ed_name *name, uint16_t port, eddy_addresses *out)
{
    const eddy_addresses *from = &name->found;
    size_t family = 1;

    while (family < from->count &&
           from->at[family].as.any.sa_family == from->at[0].as.any.sa_family)
        family++;
    out->at = eddy_alloc_(from->count * sizeof *out->at);
    if (!out->at)
        return -ENOMEM;
    out->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        out->at[i] = from->at[i < family ? (i + name->turn) % family : i];
        EDDY_TRY(eddy_address_set_port(&out->at[i], port));
    }
    name->turn = (name->turn + 1) % family;
    return 0;
}

int ed_name_cache_get(struct ed_name_cache *names, const char *host, uint16_t port,
                      eddy_addresses *out)
{
    struct ed_name *name;

    if (names->closed)
        return -ESHUTDOWN;
    name = names_take(names, host);
    if (!name)
        return -ENOMEM;
    if (name->found.count == 0 || eddy_time() >= name->until)
        EDDY_TRY(name_wait(names, name));
    return name_copy(name, port, out);
}

void ed_name_cache_forget(struct ed_name_cache *names, const char *host)
{
    struct ed_name *name = names_find(names, host);

    if (name)
        name->until = 0;
}

void ed_name_cache_close(struct ed_name_cache *names)
{
    names->closed = true;
    ED_LIST_FOR_EACH(link, &names->all)
        eddy_task_release(&name_of(link)->task);
}

void ed_name_cache_free(struct ed_name_cache *names)
{
    while (names->all.first)
        name_free(names, name_of(names->all.first));
}
