/* SPDX-License-Identifier: MIT */
/*
 * Names of hosts: asyncio's getaddrinfo and getnameinfo.
 *
 *     EDDY_ADDRESSES(found);
 *     EDDY_TRY(eddy_getaddrinfo("example.org", 443, NULL, &found));
 *     for (size_t i = 0; i < found.count; i++)
 *         ...found.at[i]...                  in the order in which to try them
 *
 * A numeric address is itself. A name is looked for in /etc/hosts, then asked for at the
 * servers of /etc/resolv.conf, without a thread: slow names hold up nothing else. Names that
 * are "localhost" or end in ".localhost" mean this machine and are never asked for, and those
 * under ".onion" do not exist (RFC 6761, RFC 7686). A name is ASCII: one of another script is
 * to be given in its form in punycode.
 *
 * A resolver says how. Each loop has one, made at first use, which follows changes of the two
 * files; programs may make others. One that asks the system instead (getaddrinfo(3), so NSS
 * with all its modules) runs in threads of its own.
 *
 * Limits: a resolver has up to 128 lookups on their way, others wait their turn; an answer of
 * more than 16 KiB is refused; the first 256 addresses of an answer count.
 *
 * A lookup passes in real time, as a thread job does: the virtual clock stands still meanwhile.
 * A resolver is for the thread that made it. In a child of fork(2) the parent's resolvers
 * can only be freed.
 */
#ifndef EDDY_DNS_H
#define EDDY_DNS_H

#include "eddy/address.h"
#include "eddy/compat.h"

EDDY_BEGIN_DECLS

typedef struct eddy_resolver eddy_resolver;

/* Room for any name, with its NUL. */
#define EDDY_HOST_TEXT 256

/* What a name stands for. All zero is none. */
typedef struct eddy_addresses {
    size_t count;
    eddy_address *at;
    char *canonical; /* the canonical name, if it was asked for; else NULL */
} eddy_addresses;

/* Declares a list of addresses, empty at first, that is freed at the end of its block. */
#define EDDY_ADDRESSES(name)                                                                       \
    EDDY_CLEANUP_(eddy_addresses_free) eddy_addresses name = {0, NULL, NULL}

/* Frees what a list holds, and makes it empty. */
EDDY_API void eddy_addresses_free(eddy_addresses *addresses);

/* How to look a name up; all zero means the defaults. */
typedef struct eddy_lookup_options {
    eddy_resolver *resolver; /* NULL: the loop's */
    int family;              /* AF_INET or AF_INET6 only; 0: both */
    bool canonical;          /* gives the canonical name too */
    bool numeric;            /* takes only a numeric address, EDDY_EDNS_BAD_NAME for others */
    bool passive;            /* no host means all interfaces, for a server to bind to */
} eddy_lookup_options;

/*
 * Looks up the addresses of a host, in the order in which to try them (RFC 6724).
 *
 * host     a name, or an address such as "192.0.2.1", "::1" or "fe80::1%eth0"; a final dot keeps
 *          the search domains out. NULL or "": this machine, or with `passive` all interfaces
 * port     goes into each address
 * options  NULL: the defaults
 * out      an empty list, which holds at least one address then; the caller frees it
 *
 * Suspends, unless the answer is at hand; a cancel or timeout ends the lookup at once.
 *
 * Returns 0, or with *out untouched:
 *   EDDY_EDNS_NOT_FOUND, EDDY_EDNS_NO_DATA   no such name, or none of that family
 *   EDDY_EDNS_BAD_NAME                       longer than 253 bytes, an empty label, ...
 *   EDDY_EDNS_...                            other troubles with the servers, see eddy/error.h
 *   -EINVAL     a family that does not exist
 *   -ESHUTDOWN  the resolver was freed meanwhile
 *   -EMFILE, -ENFILE, -ENOMEM, -EPERM (not this thread's), -ECANCELED, -ETIMEDOUT
 * The text of an error names the host and the servers.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_getaddrinfo(const char *host, uint16_t port,
                                                         const eddy_lookup_options *options,
                                                         eddy_addresses *out);

/*
 * Looks up the name of an IP address, whose port does not matter. The name is what the owner
 * of the address says: it proves nothing.
 *
 * options  its resolver counts; with `numeric` the address is written as a text, without asking
 * host     gets the name, in at most `size` bytes: EDDY_HOST_TEXT is enough for all
 *
 * Suspends as eddy_getaddrinfo does.
 *
 * Returns 0, or with `host` untouched the same errors; -EINVAL for a unix address, and
 * -ENAMETOOLONG for a name that has no room.
 */
EDDY_NODISCARD EDDY_API EDDY_AWAITS int eddy_getnameinfo(const eddy_address *address,
                                                         const eddy_lookup_options *options,
                                                         char *host, size_t size);

/* How a resolver works; all zero is as the loop's own. Texts are copied. */
typedef struct eddy_resolver_options {
    const char *servers; /* up to 16, as "127.0.0.1:5353,[::1]:53,192.0.2.1", tried in this order;
                            NULL: those of the configuration file */
    double timeout;      /* seconds for the first try at a server, each round doubles it; 0: 2 */
    unsigned tries;      /* rounds through the servers, up to 16; 0: 3 */
    const char *domains; /* to search names in that have no dot, up to 8, as "a.example
                            b.example"; "": none; NULL: the configuration file's */
    const char *configuration; /* a file like /etc/resolv.conf, NULL: that one */
    const char *hosts;         /* a file like /etc/hosts, NULL: that one; "": none */
    size_t lookups;            /* on their way at most, others wait; 0: 128 */
    bool system; /* asks the system's name service in threads, up to 16 a loop; nothing above
                    counts then but `hosts`. A cancelled caller leaves at once, and its thread
                    goes on by itself */
} eddy_resolver_options;

/*
 * Makes a resolver; nothing is asked or opened yet. `options` may be NULL.
 * Returns 0, and *out is owned by the caller, who frees it with eddy_resolver_free; or with
 * *out untouched -EINVAL, with a text, or -ENOMEM.
 */
EDDY_NODISCARD EDDY_API int
eddy_resolver_new(const eddy_resolver_options *options, eddy_resolver **out);

/* Frees a resolver and sets the handle to NULL; NULL is left alone. Lookups on their way
 * end with -ESHUTDOWN. */
EDDY_API void eddy_resolver_free(eddy_resolver **resolver);

/* Declares a handle of a resolver, NULL at first, that is freed at the end of its block. */
#define EDDY_RESOLVER(name) EDDY_CLEANUP_(eddy_resolver_free) eddy_resolver *name = NULL

EDDY_END_DECLS
#endif
