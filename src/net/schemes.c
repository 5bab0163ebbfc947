/* SPDX-License-Identifier: MIT */
/*
 * The list of schemes, which only grows: libraries add theirs when they are loaded, so before
 * threads or after, one at a time; readers take no lock.
 */
#include "net/schemes.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "task/task.h"

static struct eddy_scheme_ *schemes; /* atomic */

void eddy_register_scheme_(struct eddy_scheme_ *scheme)
{
    scheme->next = __atomic_load_n(&schemes, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&schemes, &scheme->next, scheme, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        continue;
}

const struct eddy_scheme_ *ed_scheme_find(const char *name)
{
    const struct eddy_scheme_ *scheme = __atomic_load_n(&schemes, __ATOMIC_ACQUIRE);

    while (scheme && strcmp(scheme->name, name) != 0)
        scheme = scheme->next;
    return scheme;
}

int ed_scheme_unknown(const char *name)
{
    const struct eddy_scheme_ *scheme = __atomic_load_n(&schemes, __ATOMIC_ACQUIRE);
    char known[64] = "";
    size_t size = 0;

    if (strcmp(name, "tls") == 0)
        return ed_raise(-EPROTONOSUPPORT, "tls:// needs eddy/tls.h included in the program, and "
                                          "libeddy-tls linked to it");
    for (; scheme && size < sizeof known; scheme = scheme->next)
        size += (size_t)snprintf(known + size, sizeof known - size, ", %s://", scheme->name);
    return ed_raise(-EPROTONOSUPPORT, "%s:// is not known here; these are: tcp://, unix:%s", name,
                    known);
}
