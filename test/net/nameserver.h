/* SPDX-License-Identifier: MIT */
/*
 * A name server on loopback, in a thread, for the tests of names. What it answers is in the
 * first label of the question:
 *
 *     both           192.0.2.1 and 2001:db8::1      v4, v6      one of them
 *     nx, servfail, refused, formerr, notimp        that code
 *     silent         nothing                        gate        when the gate is opened
 *     empty          no record                      echo        the question itself
 *     wrongid, zero, otherport, flood               trash, and then `both`
 *     tc, tcslice    `both`, but by TCP; the second byte by byte
 *     tcclose, tcsilent                             TCP fails
 *     many, huge     300 and 5,000 addresses by TCP
 *     alias, ring, alien, foreign                   CNAMEs, and records of other names
 *     loop, far, cut                                malformed ones
 *     wide253, wide256, ...                         an alias of so many bytes
 *     random, mutant                                random bytes, and `both` with some
 *
 * Names of other labels do not exist. PTR: 192.0.2.1 is host.example; others as above, by the
 * last byte of an IPv4 address.
 */
#ifndef NET_NAMESERVER_H
#define NET_NAMESERVER_H

#include <eddy.h>
#include <stdio.h>

struct nameserver;

/* Starts one, on a free port of 127.0.0.1; fails the test if it cannot. */
struct nameserver *nameserver_start(void);

/* Stops it; for EDDY_DEFER. */
void nameserver_stop(struct nameserver *server);

/* Where it is, for eddy_resolver_options. */
const char *nameserver_place(const struct nameserver *server);

/*
 * Declares a server and a resolver that asks it, without a file of hosts or domains to search;
 * both end with the block. `patient` is for answers that come; else a try takes 20 ms.
 */
#define NAMESERVER(server, resolver, patient) NAMESERVER_AND(CHECK_OK, server, resolver, patient)
#define NAMESERVER_OR_FAIL(server, resolver, patient)                                              \
    NAMESERVER_AND(EDDY_TRY, server, resolver, patient)
#define NAMESERVER_AND(check, server, resolver, patient)                                           \
    struct nameserver *server = nameserver_start();                                                \
    EDDY_DEFER(nameserver_stop, server);                                                           \
    EDDY_RESOLVER(resolver);                                                                       \
    check(nameserver_resolver(server, patient, &resolver))
int nameserver_resolver(const struct nameserver *server, bool patient, eddy_resolver **out);

/* Looks up a name of the server. */
int nameserver_look_up(eddy_resolver *resolver, const char *name, eddy_addresses *out);

/* How many questions have come. */
int nameserver_asked(const struct nameserver *server);

/* Answers what was held, and whatever comes. */
void nameserver_open_gate(struct nameserver *server);

#endif
