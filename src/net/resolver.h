/* SPDX-License-Identifier: MIT */
/* Resolvers: whom to ask for names. See resolver.c. */
#ifndef ED_NET_RESOLVER_H
#define ED_NET_RESOLVER_H

#include "net/channel.h"

/* The running loop's own resolver, made at first use. 0 or -ENOMEM, raised. */
int ed_resolver_default(eddy_resolver **out);

/* Whether this thread may use it: 0, or -EPERM, raised. */
int ed_resolver_check(const eddy_resolver *resolver);

bool ed_resolver_is_system(const eddy_resolver *resolver);

/* The file of hosts, or NULL. */
const char *ed_resolver_hosts(const eddy_resolver *resolver);

/*
 * Asks, and waits for the answer: for a task that has passed its checkpoint; `done` is set
 * here. Returns question->rc, or what cut the wait short; with an error `servers` names who was
 * asked, as far as that is known.
 */
int ed_resolver_ask(eddy_resolver *resolver, struct ed_question *question, char *servers,
                    size_t size);

#endif
