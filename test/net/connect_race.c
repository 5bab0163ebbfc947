/* SPDX-License-Identifier: MIT */
/*
 * Connecting to several addresses, RFC 8305: rules A-CONN-1 to -4 and A-STAG. The name "many"
 * has the addresses 127.0.0.2 to .4, in an order that is asked for first; each of them
 * accepts, refuses or hangs as the test says.
 */
#include <time.h>

#include "net/peer.h"

#define ADDRESSES 3

enum behaviour { ACCEPTS, REFUSES, HANGS };

struct site {
    eddy_connect_options options; /* its resolver knows the name */
    uint16_t port;
    int hosts, listeners[ADDRESSES], fillers[ADDRESSES]; /* descriptors, -1: none */
    char at[ADDRESSES][EDDY_ADDRESS_TEXT]; /* the addresses in the order in which they are tried */
};

static void site_close(struct site *site)
{
    eddy_resolver_free(&site->options.resolver);
    peer_close(&site->hosts);
    for (int i = 0; i < ADDRESSES; i++) {
        peer_close(&site->listeners[i]);
        peer_close(&site->fillers[i]);
    }
}

#define SITE(name)                                                                                 \
    EDDY_CLEANUP_(site_close)                                                                      \
    struct site name = {.hosts = -1, .listeners = {-1, -1, -1}, .fillers = {-1, -1, -1}}

/* A port at which nobody listens, on any address of this machine. */
static int free_port(uint16_t *port)
{
    PEER_FD probe = peer_listen("0.0.0.0", 0, 1);

    *port = peer_port(probe);
    return 0;
}

static int site_open(struct site *site, const enum behaviour *what)
{
    EDDY_ADDRESSES(found);
    eddy_lookup_options lookup = {.numeric = false};
    char ip[16];

    EDDY_TRY(free_port(&site->port));
    EDDY_TRY(peer_resolver("127.0.0.2 many\n127.0.0.3 many\n127.0.0.4 many\n", &site->hosts,
                           &site->options.resolver));
    lookup.resolver = site->options.resolver;
    EDDY_TRY(eddy_getaddrinfo("many", site->port, &lookup, &found));
    REQUIRE(found.count == ADDRESSES);
    for (int i = 0; i < ADDRESSES; i++) {
        eddy_address_text(&found.at[i], site->at[i], sizeof site->at[i]);
        snprintf(ip, sizeof ip, "%.9s", site->at[i]);
        if (what[i] == REFUSES)
            continue;
        site->listeners[i] = peer_listen(ip, site->port, what[i] == HANGS ? 0 : 10);
        REQUIRE(fcntl(site->listeners[i], F_SETFL, O_NONBLOCK) == 0);
        if (what[i] == HANGS) {
            site->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            REQUIRE(connect(site->fillers[i], &found.at[i].as.any, found.at[i].size) == 0);
        }
    }
    return 0;
}

static int site_connect(struct site *site, eddy_stream **stream)
{
    return eddy_tcp_connect("many", site->port, &site->options, stream);
}

/* How many connections have come to an address, each of which is closed. */
static int site_count(const struct site *site, int i)
{
    int count = 0, fd;

    while ((fd = accept4(site->listeners[i], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        close(fd);
        count++;
    }
    return count;
}

/* A-STAG-3, A-CONN-1: the first that succeeds ends it; the others never start. */
TEST(connect_race_takes_the_first_and_starts_no_other)
{
    EDDY_STREAM stream = NULL;
    SITE(site);

    CHECK_OK(site_open(&site, (enum behaviour[]){ACCEPTS, ACCEPTS, ACCEPTS}));
    site.options.delay = EDDY_FOREVER;
    CHECK_OK(site_connect(&site, &stream));
    CHECK_STR(eddy_stream_peer_name(stream), site.at[0]);
    CHECK_EQ(site_count(&site, 0), 1);
    CHECK_EQ(site_count(&site, 1), 0);
    CHECK_EQ(site_count(&site, 2), 0);
}

/* A-STAG-1, -2: one that fails lets the next one start at once, without its head start. */
TEST(connect_race_goes_on_at_once_when_one_fails)
{
    EDDY_STREAM stream = NULL;
    SITE(site);

    CHECK_OK(site_open(&site, (enum behaviour[]){REFUSES, REFUSES, ACCEPTS}));
    site.options.delay = EDDY_FOREVER;
    CHECK_OK(site_connect(&site, &stream));
    CHECK_STR(eddy_stream_peer_name(stream), site.at[2]);
}

/* A-STAG-1, A-CONN-3, -4: each that hangs has its head start of 250 ms; the losers are closed. */
TEST(connect_race_starts_the_next_when_the_head_start_is_over)
{
    EDDY_STREAM stream = NULL;
    SITE(site);
    double start;

    CHECK_OK(site_open(&site, (enum behaviour[]){HANGS, HANGS, ACCEPTS}));
    start = eddy_time();
    CHECK_OK(site_connect(&site, &stream));
    CHECK_STR(eddy_stream_peer_name(stream), site.at[2]);
    CHECK(eddy_time() - start >= 0.499 && eddy_time() - start <= 0.501);
}

TEST(connect_race_has_the_head_start_that_is_asked_for)
{
    EDDY_STREAM stream = NULL;
    SITE(site);
    double start;

    CHECK_OK(site_open(&site, (enum behaviour[]){HANGS, REFUSES, ACCEPTS}));
    site.options.delay = 3;
    start = eddy_time();
    CHECK_OK(site_connect(&site, &stream));
    CHECK_STR(eddy_stream_peer_name(stream), site.at[2]);
    CHECK(eddy_time() - start >= 2.999 && eddy_time() - start <= 3.001);
}

/* A-STAG-2: without a head start it is one after the other, for ever. */
TEST(connect_race_without_a_head_start_waits_for_the_first)
{
    eddy_stream *stream = NULL;
    SITE(site);

    CHECK_OK(site_open(&site, (enum behaviour[]){HANGS, ACCEPTS, ACCEPTS}));
    site.options.delay = EDDY_FOREVER;
    EDDY_TIMEOUT(limit, 1000);
    CHECK_EQ(site_connect(&site, &stream), -ETIMEDOUT);
    CHECK(eddy_timeout_expired(&limit));
    CHECK_EQ(site_count(&site, 1), 0);
    CHECK(stream == NULL);
}

/* A-CONN-2, A-STAG-4, -5: all fail: the error of the first, and all of them in the text. */
TEST(connect_race_that_nobody_wins_tells_of_all)
{
    eddy_stream *stream = NULL;
    SITE(site);
    char text[500];

    CHECK_OK(site_open(&site, (enum behaviour[]){REFUSES, REFUSES, REFUSES}));
    CHECK_EQ(site_connect(&site, &stream), -ECONNREFUSED);
    snprintf(text, sizeof text,
             "cannot connect to %s: Connection refused; %s: Connection refused; %s: Connection "
             "refused",
             site.at[0], site.at[1], site.at[2]);
    CHECK_STR(eddy_error_message(-ECONNREFUSED), text);
    CHECK(stream == NULL);
}

/* A-CONN-5: a local address that does not fit fails for each address by itself. */
TEST(connect_race_with_a_bad_local_address_fails_everywhere)
{
    eddy_stream *stream = NULL;
    eddy_address local;
    SITE(site);

    CHECK_OK(site_open(&site, (enum behaviour[]){ACCEPTS, ACCEPTS, ACCEPTS}));
    CHECK_OK(eddy_address_from_ip("192.0.2.1", 0, &local));
    site.options.local = &local;
    CHECK_EQ(site_connect(&site, &stream), -EADDRNOTAVAIL);
    CHECK_HAS(eddy_error_message(-EADDRNOTAVAIL), site.at[2]);
    CHECK(stream == NULL);
}

/* Lets the kernel try its SYN again, which it does after a second. */
static void a_while(void)
{
    const struct timespec time = {1, 300000000};

    (void)nanosleep(&time, NULL);
}

static int connect_to(struct site *site, eddy_stream **stream)
{
    return site_connect(site, stream);
}
EDDY_ASYNC(connect_to, struct site *, eddy_stream **);

/* A-STAG-6: two that succeed at the same time: one wins, and the other's socket is closed. */
TEST(connect_race_won_by_two_closes_one_of_them)
{
    EDDY_STREAM stream = NULL;
    SITE(site);
    int taken = 0, open = 0;

    CHECK_OK(site_open(&site, (enum behaviour[]){HANGS, HANGS, REFUSES}));
    EDDY_TASK task = eddy_create_task(connect_to, &site, &stream);
    CHECK_OK(eddy_sleep(1));
    CHECK(!eddy_task_done(task));
    for (int i = 0; i < 2; i++)
        close(accept(site.listeners[i], NULL, NULL)); /* now there is room */
    a_while();
    CHECK_OK(eddy_await(task));
    for (int i = 0; i < 2; i++) {
        PEER_FD fd = accept(site.listeners[i], NULL, NULL);
        char byte;

        CHECK(fd >= 0);
        taken++;
        open += recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
    }
    CHECK_EQ(taken, 2);
    CHECK_EQ(open, 1);
}

/* A-CONN-4: families take turns, beginning with the first. */
TEST(connect_race_lets_families_take_turns)
{
    PEER_FD hosts = -1;
    EDDY_RESOLVER(resolver);
    eddy_connect_options options = {.delay = EDDY_FOREVER};
    eddy_stream *stream = NULL;
    const char *text;
    uint16_t port;
    int families[4];

    CHECK_OK(free_port(&port));
    CHECK_OK(peer_resolver("127.0.0.2 both\n::1 both\n127.0.0.3 both\n::ffff:127.0.0.4 both\n",
                           &hosts, &resolver));
    options.resolver = resolver;
    CHECK_EQ(eddy_tcp_connect("both", port, &options, &stream), -ECONNREFUSED);
    text = eddy_error_message(-ECONNREFUSED) + strlen("cannot connect to ");
    for (int i = 0; i < 4; i++) {
        families[i] = *text == '[' ? AF_INET6 : AF_INET;
        text = strstr(text, "; ");
        CHECK(text || i == 3);
        text += text ? 2 : 0;
    }
    CHECK(families[0] != families[1] && families[1] != families[2] && families[2] != families[3]);
    options.family = AF_INET;
    CHECK_EQ(eddy_tcp_connect("both", port, &options, &stream), -ECONNREFUSED);
    CHECK(!strstr(eddy_error_message(-ECONNREFUSED), "["));
    options.family = AF_INET6;
    CHECK_EQ(eddy_tcp_connect("both", port, &options, &stream), -ECONNREFUSED);
    CHECK(!strstr(eddy_error_message(-ECONNREFUSED), "127.0.0.2"));
}

/* The text of very many failures is cut, and that is all. */
TEST(connect_race_over_many_addresses_fails_in_order)
{
    static char names[200 * 24];
    PEER_FD hosts = -1;
    EDDY_RESOLVER(resolver);
    eddy_connect_options options = {.delay = 0};
    eddy_stream *stream = NULL;
    size_t length = 0;
    uint16_t port;

    for (int i = 0; i < 200; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "127.0.1.%d many\n", i);
    CHECK_OK(free_port(&port));
    CHECK_OK(peer_resolver(names, &hosts, &resolver));
    options.resolver = resolver;
    CHECK_EQ(eddy_tcp_connect("many", port, &options, &stream), -ECONNREFUSED);
    CHECK_HAS(eddy_error_message(-ECONNREFUSED), "Connection refused; ");
}

static int hang_and_refuse(void)
{
    EDDY_STREAM stream = NULL;
    SITE(site);

    EDDY_TRY(site_open(&site, (enum behaviour[]){HANGS, REFUSES, ACCEPTS}));
    return site_connect(&site, &stream);
}
EDDY_ASYNC(hang_and_refuse);

/* Whatever goes wrong, and in whatever order tasks run, no socket is left. */
RAW_TEST(connect_race_is_cut_short_anywhere_and_leaves_nothing)
{
    CHECK_OK(eddy_test_cancels(hang_and_refuse));
    CHECK_OK(eddy_test_seeds(1, 20, hang_and_refuse));
    CHECK_OK(eddy_test_allocations(hang_and_refuse));
}
