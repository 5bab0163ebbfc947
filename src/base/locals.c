/* SPDX-License-Identifier: MIT */
/*
 * What is local: to the thread, and to tasks and callbacks.
 *
 * Local values: an array of pairs behind a count of users. Programs have few
 * variables, so a search from the front beats any cleverer order.
 */
#include "base/locals.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

__thread struct eddy_thread_ eddy_thread_ __attribute__((tls_model("initial-exec")));

struct local_item {
    const void *key;
    void *value;
};

struct ed_locals {
    size_t users, count, capacity;
    struct local_item items[];
};

struct ed_locals *ed_locals_ref(struct ed_locals *locals)
{
    if (locals)
        locals->users++;
    return locals;
}

void ed_locals_unref(struct ed_locals *locals)
{
    if (locals && --locals->users == 0)
        ed_free(locals);
}

static struct local_item *locals_find(const struct ed_locals *locals, const void *key)
{
    for (size_t i = 0; locals && i < locals->count; i++)
        if (locals->items[i].key == key)
            return (struct local_item *)&locals->items[i];
    return NULL;
}

bool ed_locals_get(const struct ed_locals *locals, const void *key, void **value)
{
    struct local_item *item = locals_find(locals, key);

    if (item)
        *value = item->value;
    return item != NULL;
}

int ed_locals_copy(struct ed_locals **copy, const struct ed_locals *locals)
{
    size_t items = (locals ? locals->count : 0) * sizeof locals->items[0];

    *copy = ed_alloc(sizeof **copy + items);
    if (!*copy)
        return -ENOMEM;
    **copy = (struct ed_locals){.users = 1};
    if (items)
        memcpy((*copy)->items, locals->items, items);
    (*copy)->count = (*copy)->capacity = locals ? locals->count : 0;
    return 0;
}

/* Makes *locals a set of one's own with room for one more. */
static int locals_own(struct ed_locals **locals)
{
    struct ed_locals *old = *locals, *own;
    size_t count = old ? old->count : 0;
    size_t capacity = count + 4;

    if (old && old->users == 1 && old->count < old->capacity)
        return 0;
    own = ed_alloc(sizeof *own + capacity * sizeof own->items[0]);
    if (!own)
        return -ENOMEM;
    *own = (struct ed_locals){.users = 1, .count = count, .capacity = capacity};
    if (count)
        memcpy(own->items, old->items, count * sizeof own->items[0]);
    ed_locals_unref(old);
    *locals = own;
    return 0;
}

int ed_locals_set(struct ed_locals **locals, const void *key, void *value)
{
    struct local_item *item;
    int rc = locals_own(locals);

    if (rc < 0)
        return rc;
    item = locals_find(*locals, key);
    if (!item)
        item = &(*locals)->items[(*locals)->count++];
    *item = (struct local_item){key, value};
    return 0;
}

int ed_locals_unset(struct ed_locals **locals, const void *key)
{
    struct local_item *item;
    int rc;

    if (!locals_find(*locals, key))
        return 0;
    rc = locals_own(locals);
    if (rc < 0)
        return rc;
    item = locals_find(*locals, key);
    *item = (*locals)->items[--(*locals)->count];
    return 0;
}
