/* SPDX-License-Identifier: MIT */
/*
 * Connecting, with several addresses at once (RFC 8305, "happy eyeballs").
 *
 * The addresses come in the order of RFC 6724, and are put so that families take turns. One
 * address is tried by the caller itself. Several run a race: each attempt is a child of the
 * caller's group, and the next one starts when an attempt fails, or its head start is over.
 * The first socket that is connected ends the race; one that comes second is closed by its
 * own attempt. So at every moment a socket belongs to one attempt, or is the race's winner.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "eddy/dns.h"
#include "eddy/group.h"
#include "eddy/net.h"
#include "eddy/sync.h"
#include "io/op.h"
#include "net/descriptor.h"
#include "net/place.h"
#include "net/schemes.h"

#define CONNECT_DELAY 0.25         /* seconds of head start, RFC 8305 section 5 */
#define CONNECT_RETRY_LONGEST 0.05 /* seconds between tries at a unix listener that is full */

static const eddy_connect_options connect_defaults;

struct race {
    const eddy_addresses *addresses;
    const eddy_connect_options *options;
    eddy_event changed; /* an attempt has ended */
    int *results;       /* of each address whose attempt has ended */
    size_t started, failed;
    int winner; /* the connected socket, or -1 */
    const eddy_address *at;
};

static int connect_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int connect_set_keep_alive(int fd, const eddy_connect_options *options)
{
    int rc = connect_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);

    if (rc == 0 && options->keep_idle)
        rc = connect_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, options->keep_idle);
    if (rc == 0 && options->keep_interval)
        rc = connect_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, options->keep_interval);
    if (rc == 0 && options->keep_count)
        rc = connect_set(fd, IPPROTO_TCP, TCP_KEEPCNT, options->keep_count);
    return rc;
}

/* Sets a new socket up as the options say. */
static int connect_prepare(int fd, int family, const eddy_connect_options *options)
{
    int rc = 0;

    if (family != AF_UNIX && !options->delay_small)
        rc = connect_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (rc == 0 && family != AF_UNIX && options->keep_alive)
        rc = connect_set_keep_alive(fd, options);
    if (rc == 0 && options->local) {
        (void)connect_set(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* bind tells if it matters */
        if (bind(fd, &options->local->as.any, options->local->size) < 0)
            rc = -errno;
    }
    return rc;
}

/* Closes a socket that no operation uses. */
static void connect_drop(int fd)
{
    ed_engine_forget(eddy_thread_.loop->engine, fd);
    close(fd);
}

static int connect_socket(int fd, const eddy_address *address)
{
    static const struct ed_wait_kind kind = ED_OP_WAIT_KIND("connect");
    double pause = 0.001;
    int rc;

    for (;;) {
        ED_AWAITED(attempt);

        attempt.op.kind = ED_OP_CONNECT;
        attempt.op.fd = fd;
        attempt.op.address = (struct sockaddr *)(uintptr_t)&address->as.any; /* only read */
        attempt.op.address_size = address->size;
        rc = ed_op_await(&attempt, &kind);
        if (rc != -ENOBUFS || address->as.any.sa_family != AF_UNIX)
            return rc;
        rc = eddy_sleep(pause); /* the listener's queue is full, and nothing tells of its end */
        if (rc < 0)
            return rc;
        pause = pause * 2 < CONNECT_RETRY_LONGEST ? pause * 2 : CONNECT_RETRY_LONGEST;
    }
}

/* Connects to one address. Returns a descriptor, which is the caller's, or an error. */
static int connect_one(const eddy_address *address, const eddy_connect_options *options)
{
    int family = address->as.any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

    if (fd < 0)
        return -errno;
    rc = connect_prepare(fd, family, options);
    if (rc == 0)
        rc = connect_socket(fd, address);
    if (rc < 0)
        connect_drop(fd);
    return rc < 0 ? rc : fd;
}

/* The race. */

static int race_attempt(struct race *race, size_t index)
{
    int fd = connect_one(&race->addresses->at[index], race->options);

    race->results[index] = fd < 0 ? fd : 0;
    if (fd < 0) {
        race->failed++;
    } else if (race->winner < 0) {
        race->winner = fd;
        race->at = &race->addresses->at[index];
    } else {
        connect_drop(fd);
    }
    eddy_event_set(&race->changed);
    return 0;
}
EDDY_ASYNC(race_attempt, struct race *, size_t);

/* Waits until an attempt ends, or for the head start of the latest. */
static int race_wait(struct race *race)
{
    double delay = race->options->delay > 0 ? race->options->delay : CONNECT_DELAY;
    int rc;

    eddy_event_clear(&race->changed);
    EDDY_TIMEOUT(start, race->started < race->addresses->count ? delay : EDDY_FOREVER);
    rc = eddy_event_wait(&race->changed);
    return rc == -ETIMEDOUT && eddy_timeout_expired(&start) ? 0 : rc;
}

static int race_run(struct race *race)
{
    EDDY_GROUP(attempts);
    int rc = 0;

    while (rc == 0 && race->winner < 0 && race->failed < race->addresses->count) {
        if (race->started < race->addresses->count)
            rc = eddy_group_create_task(&attempts, race_attempt, race, race->started++);
        if (rc == 0)
            rc = race_wait(race);
    }
    eddy_group_cancel(&attempts);
    return rc;
}

/* What went wrong at each address, in one text. */
static int race_explain(const struct race *race, int code)
{
    char text[400] = "", address[EDDY_ADDRESS_TEXT];
    size_t length = 0;

    for (size_t i = 0; i < race->started && length < sizeof text; i++) {
        int written = snprintf(text + length, sizeof text - length, "%s%s: %s", i ? "; " : "",
                               eddy_address_text(&race->addresses->at[i], address, sizeof address),
                               eddy_strerror(race->results[i]));

        length += written > 0 ? (size_t)written : 0;
    }
    return ed_raise(code, "cannot connect to %s", text);
}

static int race_start(struct race *race)
{
    int rc;

    race->results = ed_alloc_zero(race->addresses->count * sizeof *race->results);
    if (!race->results)
        return ed_fail(-ENOMEM);
    if (race->addresses->count > 1) {
        rc = race_run(race);
    } else {
        race->started = 1;
        race->at = &race->addresses->at[0];
        rc = connect_one(race->at, race->options);
        race->winner = rc < 0 ? -1 : rc;
        race->results[0] = rc < 0 ? rc : 0;
        rc = rc == eddy_thread_.task->pending ? rc : 0;
    }
    if (rc == 0 && race->winner < 0)
        rc = race_explain(race, race->results[0]);
    if (rc < 0 && race->winner >= 0)
        connect_drop(race->winner);
    ed_free(race->results);
    return rc;
}

/* Puts IPv6 and IPv4 in turns, beginning with the family that is first. */
static int connect_interleave(const eddy_addresses *from, int family, eddy_addresses *out)
{
    size_t next[2] = {0, 0};
    int first = from->at[0].as.any.sa_family;

    out->at = ed_alloc(from->count * sizeof *out->at);
    if (!out->at)
        return ed_fail(-ENOMEM);
    for (bool other = false; next[0] < from->count || next[1] < from->count; other = !other) {
        size_t *i = &next[other];

        while (*i < from->count && (from->at[*i].as.any.sa_family != first) != other)
            ++*i;
        if (*i < from->count && (!family || from->at[*i].as.any.sa_family == family))
            out->at[out->count++] = from->at[*i];
        *i += *i < from->count;
    }
    return 0;
}

static int
connect_all(const eddy_addresses *addresses, const eddy_connect_options *options, eddy_stream **out)
{
    struct race race = {.addresses = addresses, .options = options, .winner = -1};
    int rc = race_start(&race);

    if (rc < 0)
        return rc;
    rc = ed_socket_stream(race.winner, race.at->as.any.sa_family, out);
    if (rc < 0)
        connect_drop(race.winner);
    return rc;
}

int eddy_address_connect(const eddy_address *address, const eddy_connect_options *options,
                         eddy_stream **out)
{
    eddy_address one = *address;
    const eddy_addresses addresses = {.count = 1, .at = &one};
    int rc = ed_checkpoint();

    if (rc < 0)
        return rc;
    if (address->size == 0)
        return ed_raise(-EINVAL, "there is no address to connect to");
    return connect_all(&addresses, options ? options : &connect_defaults, out);
}

int eddy_connect_addresses_(const eddy_addresses *addresses, const eddy_connect_options *options,
                            eddy_stream **out)
{
    EDDY_ADDRESSES(ordered);

    if (!options)
        options = &connect_defaults;
    EDDY_TRY(ed_checkpoint());
    EDDY_TRY(connect_interleave(addresses, options->family, &ordered));
    return connect_all(&ordered, options, out);
}

int eddy_tcp_connect(const char *host, uint16_t port, const eddy_connect_options *options,
                     eddy_stream **out)
{
    eddy_lookup_options lookup = {.numeric = false};
    EDDY_ADDRESSES(found);
    EDDY_ADDRESSES(ordered);

    if (!options)
        options = &connect_defaults;
    if (port == 0)
        return ed_raise(-EINVAL, "port 0 cannot be connected to");
    lookup.family = options->family;
    lookup.resolver = options->resolver;
    EDDY_TRY(eddy_getaddrinfo(host, port, &lookup, &found));
    EDDY_TRY(connect_interleave(&found, options->family, &ordered));
    return connect_all(&ordered, options, out);
}

static int connect_unix(const char *path, const eddy_connect_options *options, eddy_stream **out)
{
    eddy_address address;
    int rc = eddy_address_from_path(path, &address);

    if (rc < 0)
        return ed_raise(rc, "\"%s\" is not a path of a unix socket", path);
    return eddy_address_connect(&address, options, out);
}

int eddy_connect_with(const char *text, const eddy_connect_options *options, eddy_stream **out)
{
    const struct eddy_scheme_ *scheme;
    struct ed_place place;
    int rc = ed_checkpoint();

    if (rc == 0)
        rc = ed_place_parse(text, strlen(text), &place);
    if (rc < 0)
        return rc;
    if (strcmp(place.scheme, "unix") == 0)
        return connect_unix(place.host, options, out);
    if (strcmp(place.scheme, "tcp") == 0)
        return eddy_tcp_connect(place.host, place.port, options, out);
    scheme = ed_scheme_find(place.scheme);
    return scheme ? scheme->connect(place.host, place.port, options, out)
                  : ed_scheme_unknown(place.scheme);
}

int eddy_connect(const char *place, eddy_stream **out)
{
    return eddy_connect_with(place, NULL, out);
}
